"""The model that the benchmarks write in plain PyMC is the package's model: same prior, same likelihood."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

import attrition as at
from attrition.build import coordinates
from attrition.containers import containers
from attrition.curves import DATE_SDS, default_curve
from attrition.latent import latent
from attrition.observations import observe

BENCHMARKS = Path(__file__).parents[1] / "analysis" / "benchmarks"
SCALARS = {
    "size": "contingent_size",
    "error": "claim_error",
    "error_killed": "claim_error_killed",
    "long_run_fraction": "long_run_fraction",
    "rate_sd": "rate_sd",
    "half_life": "rate_half_life",
    "return_delay": "return_delay",
}
SHARES = {"share": "killed_share_drawn", "evacuated": "evacuated_fraction_drawn", "returning": "return_fraction_drawn"}


@pytest.fixture(scope="module")
def programs():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield importlib.import_module("record"), importlib.import_module("plain_pymc")
    for name in ("record", "plain_pymc", "program"):
        sys.modules.pop(name, None)


def arrays_of(data):
    return {name: np.array(value) if isinstance(value, list) else value for name, value in data.items()}


def logit(x):
    return np.log(x) - np.log1p(-x)


class World:
    """The package's January model, and points of it with what the plain model calls them."""

    def __init__(self, data):
        self.data = data
        self.campaign = at.load_campaign("dprk-kursk").known_by(data["vintage"])
        self.claims = at.load_claims("dprk-kursk").known_by(data["vintage"])
        self.priors, self.curve, self.reporting = (
            at.default_priors(self.campaign),
            default_curve(self.campaign),
            at.Reporting(),
        )
        seen = observe(self.claims, self.campaign, self.reporting, None, self.curve.zero_until(self.campaign))
        self.arrays = containers(seen, self.campaign, self.priors, self.curve, self.reporting)
        names = coordinates(seen, self.campaign)
        self.sizes = {dim: len(labels) for dim, labels in names.items()}
        self.heard = [names["source"].index(name) for name in data["names"]]
        heard_groups = sorted({int(self.arrays["source_group"][slot]) for slot in self.heard})
        self.used = {
            **dict.fromkeys(("source_own_shifted", "source_killed_shifted", "source_deployed_unit"), self.heard),
            "source_lag_unit": self.heard,
            "source_group_unit": heard_groups,
            "rate_unit": list(range(data["knots"])),
            "phase_rate_shifted": [0, 1],
            "phase_day_unit": [1],
            "briefing_unit": list(range(data["briefings"])),
        }
        unread = ("captured_ratio_unit", "missing_ratio_unit", "movement_error_unit", "month_unit", "share_unit")
        self.used |= dict.fromkeys((*unread, "wave_size_unit", "wave_day_unit"), ())

    def point(self, rng):
        """One point: value of every free variable of the package's model, and the plain model's."""
        free, unit = {}, {}

        def take(parameter, mean):
            shape = tuple(self.sizes[dim] for dim in parameter.dims)
            if parameter.family == "beta":
                value = rng.beta(2, 4, size=shape)
            elif parameter.family == "date":
                value = rng.uniform(-1.5, 1.2, size=shape)
            elif parameter.family == "uniform":
                value = rng.random(shape)
            else:
                value = rng.normal(0, 0.7, size=shape)
            rest = np.ones(shape, bool)
            used = self.used.get(parameter.name, ...)
            if used is ... or used:
                rest[used] = False
            value = np.where(rest, 0.5 if parameter.family in ("uniform", "beta") else 0.0, value)
            unit[parameter.name] = value
            free[parameter.name] = value + mean if parameter.family == "normal" else value
            return free[parameter.name]

        latent(take, self.arrays, self.priors, self.curve, self.reporting)
        return free, self._plain(unit)

    def _plain(self, unit):
        data, plain = self.data, {}
        for name, ours in SCALARS.items():
            center, spread = data[f"prior_{name}"]
            plain[f"{name}_log__"] = center + spread * unit[f"{ours}_unit"]
        for number, name in enumerate(("contact", "escalation")):
            center, spread = data[f"prior_{name}"]
            plain[f"{name}_log__"] = center + spread * unit["phase_rate_shifted"][number]
        plain |= {f"{name}_logodds__": logit(unit[ours]) for name, ours in SHARES.items()}
        plain["floor_slack_logodds__"] = logit(unit["floor_slack"])
        late, high = unit["phase_day_unit"][1], data["onset_latest"]
        plain["late_interval__"] = np.log(late + DATE_SDS) - np.log(high - late)
        plain["lag_log__"] = data["lag_log_median"] + data["lag_sd"] * unit["source_lag_unit"][self.heard]
        for name, ours in (
            ("innovation", "rate_unit"),
            ("group", "source_group_unit"),
            ("own", "source_own_shifted"),
            ("killed_logit", "source_killed_shifted"),
            ("headcount", "source_deployed_unit"),
            ("briefing", "briefing_unit"),
        ):
            plain[name] = unit[ours][self.used[ours]]
        return plain | {"stance": unit["stance_unit"]}


def transformed(model, free):
    """Values of a PyMC model's free variables on the sampler's scale."""
    found = {}
    for variable in model.free_RVs:
        transform, value = model.rvs_to_transforms[variable], free[variable.name]
        if transform is None:
            found[variable.name] = value
        else:
            forward = transform.forward(value, *variable.owner.inputs)
            found[model.rvs_to_values[variable].name] = np.asarray(forward.eval())
    return found


def test_the_plain_model_is_the_packages_model(programs):
    record, plain_pymc = programs
    data = arrays_of(record.january())
    world = World(data)
    ours, plain = at.build_model(world.claims, world.campaign), plain_pymc.build(data)
    of_ours, of_plain = (model.compile_logp(mode="FAST_COMPILE", sum=False) for model in (ours, plain))
    rng = np.random.default_rng(7)
    found = []
    for _ in range(6):
        free, point = world.point(rng)
        found.append(
            [
                sum(float(np.sum(part)) for part in parts)
                for parts in (of_ours(transformed(ours, free)), of_plain(point))
            ]
        )
    density = np.array(found)
    assert np.ptp(density[:, 0]) > 20.0  # the points differ
    np.testing.assert_allclose(np.diff(density[:, 1] - density[:, 0]), 0.0, atol=1e-7)
