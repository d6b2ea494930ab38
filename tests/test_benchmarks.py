"""The benchmarks: what they write in plain PyMC is the package's model; growth, refits and draws a second are as they say."""

import importlib
import json
import math
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import attrition as at
from attrition import inference
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
    forget()


def forget():
    for path in BENCHMARKS.glob("*.py"):
        sys.modules.pop(path.stem, None)


@pytest.fixture
def bench():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield importlib.import_module
    forget()


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
            "phase_rate_unit": [0, 1],
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
            plain[f"{name}_log__"] = center + spread * unit["phase_rate_unit"][number]
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


DRAWS = {"draws": 20, "tune": 20, "chains": 2}


def test_growth_measures_every_stage_of_a_fit_and_reports_it(bench, monkeypatch, tmp_path):
    growth, report = bench("growth"), bench("growth_report")
    monkeypatch.setattr(inference, "ESCALATED", inference.ESCALATED)  # put back afterwards
    from attrition.kernel import model

    functions = model.kernel_model, model.mode, model.axes_of
    rows = [growth.measure(claims, 60, DRAWS, warm=claims == 10) for claims in (10, 20)]
    assert (model.kernel_model, model.mode, model.axes_of) == functions
    for row, claims in zip(rows, (10, 20), strict=True):
        assert (row["claims"], row["entered"], row["days"]) == (claims, claims, 60)
        assert row["settings"] == DRAWS
        seconds = row["seconds"]
        assert min(seconds.values()) > 0.0
        assert seconds["layout"] + seconds["frame"] + seconds["sample"] < seconds["fit"]
        assert seconds["frame"] > row["gradient"] * row["frame_gradients"] / 20.0
        assert row["frame_gradients"] > 2 * row["parameters"]  # one curvature costs two for each
        assert row["peak_gb"] >= row["before_gb"] > 0.1
        assert row["total"]["low"] < row["total"]["median"] < row["total"]["high"]
    results = {
        "made": "2025-01-01",
        "machine": bench("run").machine(),
        "claim_days": 60,
        "day_claims": 10,
        "claims": rows,
        "days": [],
        "failed": [{"claims": 10**6, "days": 60, "failed": "not done in 9 seconds"}],
    }
    report.write(results, tmp_path)
    text = (tmp_path / "growth.md").read_text(encoding="utf-8")
    cells = {line.split(" | ")[0]: line.split(" | ")[1:] for line in text.splitlines() if line.startswith("| ")}
    for label, value in report.MEASURES:
        found = cells[f"| {label}"]
        scaled = value is report.at_full
        for cell, row in zip(found, rows, strict=False):
            assert cell.startswith("~") == scaled
            assert float(cell.lstrip("~").replace(",", "")) == pytest.approx(value(row), rel=0.006, abs=0.5e-3)
    slope = math.log2(rows[1]["gradient"] / rows[0]["gradient"])  # 20 claims are twice 10
    assert float(cells["| one gradient, microseconds"][2].rstrip(" |")) == pytest.approx(slope, abs=0.006)
    assert "1,000,000 claims, 60 days: not done in 9 seconds" in text
    for ending in ("svg", "png"):
        assert (tmp_path / f"growth.{ending}").stat().st_size > 10_000


def test_exponents_are_of_the_three_largest_sizes_that_count(bench):
    report = bench("growth_report")
    sizes = [10, 100, 1000, 10_000]
    values = [7.0, *(3.0 * size**1.5 for size in sizes[1:])]
    assert report.exponent(sizes, values) == pytest.approx((1.5, math.log(3.0)))
    assert report.exponent([1, 2, 4, 8], [0.0, 0.001, 2.0, 8.0], 0.01)[0] == pytest.approx(2.0)
    assert math.isnan(report.exponent([1, 2], [0.0, 5.0], 0.01)[0])


def test_a_fit_of_few_draws_is_scaled_by_its_sampling_alone(bench):
    report = bench("growth_report")
    row = {"settings": {"draws": 60, "tune": 40, "chains": 2}, "seconds": {"fit": 30.0, "sample": 10.0}}
    assert report.at_full(row) == pytest.approx(20.0 + 10.0 * 8000 / 200)
    row["settings"] = {"draws": 1000, "tune": 1000, "chains": 4}
    assert report.at_full(row) == 30.0


def test_a_size_that_takes_too_long_is_given_up_and_said(bench):
    assert bench("growth").one_size(10, 60, None, 0.05) == {"claims": 10, "days": 60, "failed": "not done in 0 seconds"}


@pytest.mark.parametrize("vintage", ["2025-01-16", "2026-02-13"])
def test_a_refit_has_one_claim_changed_that_enters_the_fit(bench, vintage):
    again, campaign = bench("again"), at.load_campaign("dprk-kursk").known_by(vintage)
    assert vintage in again.VINTAGES.values()

    def entered(claims):
        return SimpleNamespace(seen=observe(claims.known_by(vintage), campaign, at.Reporting(), exact=True))

    before, after = entered(at.load_claims("dprk-kursk")), entered(again.changed(3))
    assert again.differs(before, after) == "K043"
    spoken = after.seen.claims.set_index("claim_id").loc["K043"]
    assert (spoken["value"], spoken["interval_low"], spoken["interval_high"]) == (4100.0, 4050.0, 4150.0)
    with pytest.raises(SystemExit, match="0 claims differ"):
        again.differs(before, before)
    with pytest.raises(SystemExit, match="does not stand in the record once"):
        again.changed(1, at.load_claims("dprk-kursk").without("K043"))


def test_the_ratio_of_fitting_again_is_that_of_the_medians(bench):
    again = bench("again")
    fits = [
        SimpleNamespace(
            gate={"passed": ess > 400, "min_ess": ess, "escalated": "because" if ess < 500 else ""},
            draws={"sample_stats": {"n_steps": np.array([[steps, steps + 2]])}},
        )
        for ess, steps in ((300.0, 10), (450.0, 14), (900.0, 30))
    ]
    rows = {"at.refit, January": again.row_of([1.0, 2.0, 9.0], fits), again.PLAIN: again.row_of([20.0, 30.0])}
    assert again.ratio(rows) == pytest.approx(12.5)
    text = again.page({"made": "2025-01-01", "machine": bench("run").machine(), "rows": rows})
    assert "| at.refit, January | 2.00 | 1.00 | 9.00 | 3 | 15 | 450 | 2 | 2 |" in text
    assert "takes 12.5 times as long as a January refit (target 50: not reached)" in text


def test_an_extended_model_is_told_from_empty_caches_and_from_the_next_process(bench, monkeypatch, tmp_path):
    again, called = bench("again"), []

    def run(command, caches, log):
        called.append((command[command.index("--runs") + 1], caches))
        refits = {"extended model, refit": again.row_of([3.0])} if len(called) == 1 else {}
        rows = {"extended model, first fit": again.row_of([60.0 / len(called)]), **refits}
        Path(command[command.index("--extended") + 1]).write_text(again.json.dumps(rows), encoding="utf-8")

    monkeypatch.setattr(again, "run", run)
    found = {label: row["seconds"] for label, row in again.extended(4, tmp_path).items()}
    assert found == {
        "extended model, first fit, from empty caches": [60.0],
        "extended model, refit": [3.0],
        "extended model, first fit, in the next process": [30.0],
    }
    assert called == [("4", tmp_path / "extended"), ("0", tmp_path / "extended")]


def test_effective_draws_a_second_of_sampling_leave_compiling_out(bench, tmp_path):
    """Recomputed from the draws by ArviZ, and read off the table, whose ratio is of medians over three runs."""
    import arviz as az

    run, report = bench("run"), bench("report")
    rng, runs, expected = np.random.default_rng(3), {}, {}
    for name, sampling in (("attrition", (0.5, 0.7, 0.9)), ("stan", (20.0, 30.0, 40.0))):
        runs[name], expected[name] = [], []
        for number, seconds in enumerate(sampling):
            noise = rng.normal(size=(4, 200))
            sticky = noise + 2.0 * np.repeat(noise[:, ::10], 10, axis=1)
            file = f"{name}-{number}.npz"
            np.savez(tmp_path / file, told="{}", slow=sticky, quick=noise)
            ess = [
                min(float(az.ess(one, method=how, **more)) for one in (sticky, noise))
                for how, more in (("bulk", {}), ("tail", {"prob": (0.05, 0.95)}))
            ]
            expected[name].append([one / seconds for one in ess])
            one = {"draws": file, "seed": number, "wall": seconds + 100.0, "memory": 1.0, "steps": 7.0, "accept": 0.8}
            one |= {"divergences": 0, "sampler": name, "seconds": {"import": 1.0, "compile": 99.0, "sample": seconds}}
            runs[name] += [one | {"state": "warm"}, one | {"state": "cold"}]
    summary = json.loads(json.dumps(run.summary(list(runs), runs, tmp_path)))
    middle = {name: np.median(rows, axis=0) for name, rows in expected.items()}
    for name, row in summary["alternatives"].items():
        found = [row[f"{key}_per_sampling"]["median"] for key in ("bulk", "tail")]
        np.testing.assert_allclose(found, middle[name], rtol=1e-12)
    machine = {"cores": 2, "processor": "any", "python": "3", "load_before": 0.0, "packages": {}}
    page = report.page({"made": "", "draws": 200, "machine": machine, **summary})
    rows = [[cell.strip() for cell in line.split("|")] for line in page.splitlines() if line.startswith("| ")]
    place = rows[0].index("times (bulk / tail)")
    ratios = next(row for row in rows if row[1] == "Stan")[place]
    assert ratios == " / ".join(f"{ratio:.1f}" for ratio in middle["attrition"] / middle["stan"])
