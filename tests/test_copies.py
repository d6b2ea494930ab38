"""Suspected copies: a planted one is found, independent ones are not, and what the Kursk record raises is known."""

import datetime as dt
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import attrition as at
from tables import read, row

START = dt.date(2025, 1, 1)


def day(number):
    return (START + dt.timedelta(days=int(number))).isoformat()


def series(source, days, values, lag=0, **changes):
    return [
        row(claim_id=f"{source}{n}", source=source, as_of=day(d), published=day(d + lag), value=str(int(v)), **changes)
        for n, (d, v) in enumerate(zip(days, values, strict=True))
    ]


def totals(seed, number=12, noise=0.05):
    """A growing total, and what an independent source says of it."""
    generator = np.random.default_rng(seed)
    days = 7 * np.arange(number)
    truth = 1000.0 + 40.0 * days
    return days, *(truth * np.exp(noise * generator.standard_normal(number)) for _ in range(2))


@pytest.mark.parametrize("seed", range(20))
def test_a_proportional_series_is_found_and_independent_ones_are_not(seed):
    days, one, other = totals(seed)
    copied = np.round(1.3 * one, -1)
    found = at.dependence(
        read(*series("one", days, one), *series("other", days, other), *series("copy", days, copied, lag=2))
    )
    assert found["kind"].tolist() == ["proportional"]
    only = found.iloc[0]
    assert (only["source"], only["of_source"]) == ("copy", "one")
    assert only["claim_ids"] == tuple(f"copy{n}" for n in range(12))
    assert only["of"] == tuple(f"one{n}" for n in range(12))
    assert "1.3 times" in only["evidence"]
    assert "12 shared dates" in only["evidence"]
    assert only["coding"].startswith("role=repeat, derived_from row by row: copy0=one0 copy1=one1")


def test_marking_the_copy_settles_it():
    days, one, _ = totals(1)
    claims = read(*series("one", days, one), *series("copy", days, 2 * one, lag=1))
    (suspicion,) = at.dependence(claims).itertuples()
    assert at.dependence(claims.marked(suspicion.claim_ids, derived_from=suspicion.of)).empty


@pytest.mark.parametrize(("apart", "found"), [(3, 1), (4, 0)])
def test_dates_may_be_three_days_apart(apart, found):
    days, one, _ = totals(2)
    claims = read(*series("one", 10 * days, one), *series("copy", 10 * days + apart, 2 * one))
    assert len(at.dependence(claims)) == found


@pytest.mark.parametrize(("number", "found"), [(6, 1), (5, 0)])
def test_six_shared_dates_are_needed(number, found):
    days, one, _ = totals(3)
    claims = read(*series("one", days, one), *series("copy", days[:number], 2 * one[:number]))
    assert len(at.dependence(claims)) == found
    if found:
        assert at.dependence(claims).loc[0, "source"] == "copy"
        assert "it has 6 figures, one 12" in at.dependence(claims).loc[0, "evidence"]


def test_the_dense_series_may_be_the_copy():
    days, one, _ = totals(3)
    claims = read(*series("one", days[:8], one[:8]), *series("copy", days, 2 * one, lag=3))
    assert at.dependence(claims).loc[0, "source"] == "copy"


def test_totals_that_stand_still_windows_and_other_quantities_say_nothing():
    days, one, _ = totals(4)
    flat = np.full(12, 4000)
    assert at.dependence(read(*series("one", days, flat), *series("two", days, flat))).empty
    weeks = [{**r, "window_start": r["as_of"]} for r in series("copy", days, one)]
    assert at.dependence(read(*series("one", days, one), *weeks)).empty
    assert at.dependence(read(*series("one", days, one), *series("two", days, one, quantity="killed"))).empty


def claim(claim_id, quantity, value, published=20, **changes):
    cells = {"as_of": day(published), "published": day(published), "value": str(value), **changes}
    return row(claim_id=claim_id, quantity=quantity, **cells)


CASES = [
    ("sum", "casualties", 3010, [("killed", 310), ("wounded", 2700)]),
    ("sum", "losses", 3025, [("casualties", 3010), ("captured", 15)]),
    ("sum", "losses", 3030, [("casualties", 3010), ("missing", 20)]),
    ("sum", "losses", 3045, [("casualties", 3010), ("captured", 15), ("missing", 20)]),
    ("difference", "wounded", 2700, [("casualties", 3010), ("killed", 310)]),
    ("difference", "killed", 310, [("casualties", 3010), ("wounded", 2700)]),
    ("difference", "present", 8990, [("deployed", 12000), ("casualties", 3010)]),
    ("difference", "present", 8990, [("deployed", 12000), ("losses", 3010)]),
]


@pytest.mark.parametrize(("kind", "quantity", "value", "operands"), CASES)
def test_arithmetic_on_other_claims_is_found(kind, quantity, value, operands):
    def found(of_value, published, **changes):
        rows = [claim(f"B{n}", *operand, **changes) for n, operand in enumerate(operands)]
        return at.dependence(read(*rows, claim("S", quantity, of_value, published, source="late")))

    (only,) = found(value, 30).itertuples()
    assert (only.kind, only.claim_ids, only.source, only.of_source) == (kind, ("S",), "late", "alpha")
    assert only.of == tuple(f"B{n}" for n in range(len(operands)))
    assert only.coding == f"role=repeat, derived_from={' '.join(only.of)}"
    assert f"{value:,}" in only.evidence
    assert len(found(value, 80)) == 1
    assert found(value, 81).empty  # 61 days later
    assert found(value + 1, 30).empty
    assert found(value, 30, role="partial").empty
    assert len(found(value, 30, role="repeat", derived_from="X")) == 1


def test_one_identity_is_named_once_and_the_coding_is_respected():
    rows = [claim("A", "killed", 310), claim("B", "wounded", 2700), claim("C", "casualties", 3010)]
    assert at.dependence(read(*rows))["claim_ids"].tolist() == [("C",)]
    rows[1] |= {"role": "repeat", "derived_from": "C A"}
    assert at.dependence(read(*rows)).empty


def test_a_week_is_not_added_to_a_running_total():
    rows = [claim("A", "killed", 310, window_start=day(13)), claim("B", "wounded", 2700)]
    assert at.dependence(read(*rows, claim("C", "casualties", 3010, 21))).empty


def test_a_range_is_no_exact_number():
    rows = [claim("A", "killed", 310), claim("B", "wounded", 2700)]
    assert at.dependence(read(*rows, claim("C", "casualties", 3010, bound="range", low="2000", high="4000"))).empty


def test_operands_of_one_source_are_preferred_and_the_others_counted():
    rows = [
        claim("A1", "killed", 310, 10, source="late"),
        claim("A2", "killed", 310, 15),
        claim("B", "wounded", 2700, 10, source="late"),
    ]
    (only,) = at.dependence(read(*rows, claim("C", "casualties", 3010, source="late"))).itertuples()
    assert only.of == ("A1", "B")
    assert "one of 2 ways" in only.evidence


@pytest.mark.parametrize(("rate", "found"), [(92, 1), (93, 1), (94, 0), (91, 0)])
def test_a_quotient_is_found_within_its_rounding(rate, found):
    total = claim("T", "casualties", 3800, 20)
    said = claim("R", "daily_rate", rate, 41, window_start=day(1))  # 3800 / 41 days = 92.7
    result = at.dependence(read(total, said))
    assert len(result) == found
    if found:
        assert result.loc[0, "kind"] == "quotient"
        assert "is about casualties 3,800 (T, alpha) / 41 days" in result.loc[0, "evidence"]


def test_the_days_may_end_with_the_total():
    total, said = claim("T", "casualties", 3800, 20), claim("R", "daily_rate", 190, 41, window_start=day(1))
    assert "/ 20 days" in at.dependence(read(total, said)).loc[0, "evidence"]


def test_the_suspicions_of_the_record():
    claims = at.load_claims("dprk-kursk")
    found = at.dependence(claims)
    assert list(found[["kind", "claim_ids", "of"]].itertuples(index=False, name=None)) == [
        ("difference", ("K051",), ("K035", "K050")),
        ("difference", ("K088",), ("K072", "K087")),
        ("sum", ("K093",), ("K087", "K088")),
        ("sum", ("K098",), ("K087", "K088")),
    ]
    assert at.dependence(claims.known_by("2025-01-16"))["claim_ids"].tolist() == [("K051",)]


def test_the_quotient_of_isw_would_be_found():
    table = at.load_claims("dprk-kursk").table
    table.loc[table["claim_id"] == "K056", ["role", "derived_from"]] = ["evidence", ""]
    found = at.dependence(at.read_claims(table)).set_index("kind")
    assert found.loc["quotient", "claim_ids"] == ("K056",)
    assert found.loc["quotient", "of"] == ("K043",)


def test_no_claims_no_suspicions():
    found = at.dependence(read(row()).known_by("2025-01-01"))
    assert found.empty
    assert found.columns.tolist() == ["kind", "claim_ids", "of", "source", "of_source", "evidence", "coding"]


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_what_is_proposed_adds_up(data):
    count = data.draw(st.integers(3, 12))
    names = ("killed", "wounded", "casualties", "captured", "missing", "losses", "deployed", "present")
    rows = [
        claim(f"C{n}", data.draw(st.sampled_from(names)), data.draw(st.integers(1, 6)), data.draw(st.integers(0, 90)))
        for n in range(count)
    ]
    claims = read(*rows)
    table = claims.table.set_index("claim_id")
    for suspicion in at.dependence(claims).itertuples():
        (name,), of = suspicion.claim_ids, list(suspicion.of)
        values = table.loc[of, "value"].tolist()
        assert table.loc[name, "value"] == (sum(values) if suspicion.kind == "sum" else values[0] - values[1])
        assert name not in of
        ages = [(table.loc[name, "published"] - other).days for other in table.loc[of, "published"]]
        assert all(0 <= age <= 60 for age in ages)


@pytest.mark.parametrize(("sources", "span"), [(5, 1000), (800, 1000), (800, 10), (5, 20)])
def test_five_thousand_claims_take_a_few_times_as_long_as_reading_them(sources, span):
    """At most about four times; seconds would measure the machine."""
    generator = np.random.default_rng(1)
    quantities = generator.choice(["casualties", "killed", "wounded", "losses", "captured", "missing"], 5000)
    cells = {f"d{n}": n * span // 5000 for n in range(5000)}
    rows = [
        claim(name, quantity, generator.integers(1, 100) * 100, place, source=f"s{n % sources}")
        for n, ((name, place), quantity) in enumerate(zip(cells.items(), quantities, strict=True))
    ]
    table = pd.DataFrame(rows)
    reading, claims = _cpu_seconds(at.read_claims, table)
    seconds, _ = _cpu_seconds(at.dependence, claims)
    assert seconds < 8 * reading


def _cpu_seconds(action, argument):
    started = time.process_time()
    done = action(argument)
    return time.process_time() - started, done


@pytest.mark.parametrize(
    ("given", "got"), [(pd.DataFrame([row()]), "a DataFrame"), ("claims.csv", "'claims.csv'"), (None, "None")]
)
def test_anything_but_claims_is_refused(given, got):
    with pytest.raises(at.InputError, match=rf"got {got}; expected Claims.*read_claims"):
        at.dependence(given)
