"""The output's schema is locked: names, dims, dtypes, units and real dates; and summary.json obeys its JSON Schema."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd

import attrition as at
from attrition.publishing.summary import summary_schema, summary_table

TEMPLATES = Path(at.__file__).parent / "publishing" / "templates"
POSTERIOR = {
    "daily_rate": (("day",), "persons per day"),
    "cumulative_loss": (("day",), "persons"),
    "cumulative_killed": (("day",), "persons"),
    "arrivals": (("day",), "persons"),
    "contingent_size": ((), "persons"),
    "killed_share": ((), "1"),
    "captured_ratio": ((), "1"),
    "missing_ratio": ((), "1"),
    "evacuated_fraction": ((), "1"),
    "return_fraction": ((), "1"),
    "return_delay": ((), "days"),
    "claim_error": ((), "log units"),
    "claim_error_killed": ((), "log units"),
    "deployed_error": ((), "log units"),
    "present_error": ((), "log units"),
    "movement_error": ((), "log units"),
    "floor_slack": (("source_kind",), "1"),
    "stance_bias": (("source_kind",), "log units"),
    "source_bias": (("source",), "log units"),
    "source_lag": (("source",), "days"),
    "source_killed_share": (("source",), "1"),
    "long_run_rate": ((), "persons per day"),
    "rate_sd": ((), "log units"),
    "rate_half_life": ((), "weeks"),
    "rate_noise": (("knot",), "1"),
    "phase_rate": (("phase",), "persons per day"),
    "phase_day": (("phase",), "days"),
}


def test_posterior_names_dims_dtypes_and_units(january):
    posterior = january.posterior
    found = {str(name): (v.dims[2:], v.attrs["units"]) for name, v in posterior.data_vars.items()}
    assert found == POSTERIOR
    assert {v.dtype.name for v in posterior.data_vars.values()} == {"float64"}
    assert all(v.dims[:2] == ("chain", "draw") for v in posterior.data_vars.values())


def test_coordinates_are_real(january):
    posterior = january.posterior
    days = pd.DatetimeIndex(posterior["day"].values)
    assert days[0] == pd.Timestamp("2024-11-04")
    assert days[-1] == pd.Timestamp("2025-01-16")
    assert (np.diff(days) == np.timedelta64(1, "D")).all()
    assert posterior["source_kind"].values.tolist() == ["adversary", "own_side", "third_party", "analyst"]
    assert posterior["phase"].values.tolist() == ["first contact", "escalation"]
    spoken = set(january.claims.table["source"])
    assert set(posterior["source"].values) == spoken
    assert january.draws["observed_data"]["claim"].values.tolist() == january.seen.claims["claim_id"].tolist()


def test_groups(january):
    assert set(january.draws.children) == {"posterior", "free", "sample_stats", "observed_data", "constant_data"}
    assert set(january.draws["sample_stats"].data_vars) >= {"diverging", "n_steps", "step_size", "energy", "logp"}


def test_invariants_hold_in_every_draw(january):
    total, rate = january.array("cumulative_loss"), january.array("daily_rate")
    assert (rate >= 0).all()
    assert (np.diff(total, axis=-1) >= 0).all()
    np.testing.assert_allclose(total, np.cumsum(rate, axis=-1))
    killed, share = january.array("cumulative_killed"), january.array("killed_share")
    assert ((share > 0) & (share < 1)).all()
    np.testing.assert_allclose(share, killed[..., -1] / total[..., -1])
    assert ((np.diff(killed, axis=-1) >= 0) & (np.diff(killed, axis=-1) <= np.diff(total, axis=-1))).all()
    # nobody arrives before it is public, so all who were there are the initial contingent
    np.testing.assert_array_equal(january.array("arrivals"), january.array("contingent_size")[..., None] + 0.0 * total)
    # nobody is lost twice, captured and missing counted
    gross = total * (1.0 + january.array("captured_ratio") + january.array("missing_ratio"))[..., None]
    assert (gross < january.array("arrivals")).all()
    for name in ("evacuated_fraction", "return_fraction", "floor_slack"):
        assert ((january.array(name) > 0) & (january.array(name) < 1)).all()


def test_summary_obeys_its_schema(january):
    content = json.loads(json.dumps(at.summarize(january), allow_nan=False))
    schema = summary_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(content, schema)
    assert content["vintage"] == "2025-01-16"
    assert content["gate"]["passed"] is True
    assert content["reference"]["date_quantile"]["hold"] == content["scenarios"]["hold"]["probability_by"]["2025-04-15"]


def every_object(value, path=()):
    """Each object in plain values, with its path."""
    if isinstance(value, dict):
        yield path, value
        for key, inner in value.items():
            yield from every_object(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from every_object(inner, (*path, place))


def test_the_schema_leaves_nothing_open(january):
    """A key too many, a key too few, a text for a number: each is refused, wherever it is."""
    content = json.loads(json.dumps(at.summarize(january), allow_nan=False))
    content["priors"]["rows"] = content["priors"]["rows"][:2]
    valid = jsonschema.Draft202012Validator(summary_schema()).is_valid
    assert valid(content)
    free = {("made_with", "versions")}
    tried = 0
    for path, one in every_object(content):
        if path in free or path[-1:] == ("numbers",):
            continue
        one["An addition"] = 1
        assert not valid(content), path
        del one["An addition"]
        for key in list(one):
            kept = one.pop(key)
            may_lack = path[-1:] in (("quantiles",), ("quantities",), ("probability_by",), ("date_quantile",))
            assert may_lack or not valid(content), (*path, key)
            one[key] = [kept]
            assert not valid(content), (*path, key)
            one[key] = kept
            tried += 1
    assert tried > 150
    for path, wrong in (
        (("vintage",), "16/01/2025"),
        (("schema_version",), "9"),
        (("quantities", "total_loss", "unit"), "people"),
        (("scenarios", "hold", "probability_within_horizon"), 1.5),
        (("scenarios", "hold", "definition"), "all"),
        (("made_with", "claims_sha256"), "0"),
        (("made_with", "draws"), 0),
        (("gate", "target_accept"), 1),
    ):
        *outer, last = path
        one = content
        for key in outer:
            one = one[key]
        one[last], kept = wrong, one[last]
        assert not valid(content), path
        one[last] = kept
    content["quantities"]["total_loss"]["quantiles"]["5%"] = 1.0
    assert not valid(content)


def test_committed_summaries_obey_the_schema():
    path = Path(__file__).parents[1] / "analysis" / "kursk-2025-01-16" / "summary.json"
    jsonschema.validate(json.loads(path.read_text(encoding="utf-8")), summary_schema())


def test_the_wheel_ships_the_schema_and_the_templates(tmp_path):
    root = Path(__file__).parents[1]
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
        assert json.loads(wheel.read("attrition/publishing/summary.schema.json")) == summary_schema()
    assert {f"attrition/publishing/templates/{path.name}" for path in TEMPLATES.iterdir()} <= names


def test_summary_numbers_are_the_draws(january):
    content = at.summarize(january)
    total = january.array("cumulative_loss")[..., -1]
    assert content["quantities"]["total_loss"]["quantiles"]["0.05"] == np.quantile(total, 0.05)
    table = summary_table(january).set_index("quantity")
    assert table.loc["total_loss", "q95"] == np.quantile(total, 0.95)
    date = at.depletion_date(january, at.hold())
    assert table.loc["depletion_date[hold]", "q50"] == str(date.quantile(0.5))


def test_nouns_show_themselves(january):
    date = at.depletion_date(january, at.hold())
    for noun in (january, january.claims, january.campaign, january.priors, date):
        assert "\n" in str(noun)
        assert noun._repr_html_().startswith("<table")
    assert "90% interval" in str(january)
    assert "90% interval" in str(date)
