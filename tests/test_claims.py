"""Claims: what is known by a date, what is evidence, and that nobody can change either."""

import dataclasses
import datetime as dt

import pandas as pd
import pytest

from attrition.claims import load_claims, read_claims
from attrition.coding import COLUMNS, QUANTITIES, ROLE_REASONS, UNREAD_QUANTITIES
from attrition.errors import InputError
from tables import problems_of, read, row

VINTAGE = dt.date(2025, 1, 17)


@pytest.fixture(scope="module")
def record():
    return load_claims("dprk-kursk")


def test_the_packaged_record_is_whole(record):
    table = record.table
    assert (len(record), len(record.sources)) == (112, 26)
    assert table["role"].value_counts().to_dict() == {
        "evidence": 50, "repeat": 22, "partial": 9, "mixed": 2, "buildup": 4, "context": 10, "forecast": 9,
        "doubtful": 6,
    }  # fmt: skip
    assert table["claim_id"].is_unique
    assert record.name == "dprk-kursk"
    assert record.vintage is None


def test_an_unknown_package_lists_those_there_are():
    with pytest.raises(InputError, match="dprk-kursk"):
        load_claims("dprk-kursc")


def test_known_by_keeps_exactly_what_was_public(record):
    known = record.known_by(VINTAGE)
    table = record.table
    assert (
        known.table["claim_id"].tolist() == table.loc[[d <= VINTAGE for d in table["published"]], "claim_id"].tolist()
    )
    assert max(known.table["published"]) <= VINTAGE
    assert known.vintage == VINTAGE
    assert known.sources == record.sources
    assert record.known_by("2025-01-17").digest == known.digest


def test_known_by_includes_the_day_itself():
    claims = read(row(published="2025-01-10"), row(claim_id="A2", published="2025-01-11"))
    assert [len(claims.known_by(f"2025-01-{day:02d}")) for day in (9, 10, 11)] == [0, 1, 2]


def test_a_vintage_cannot_be_widened_again(record):
    known = record.known_by(VINTAGE)
    assert len(known.known_by("2024-12-31")) < len(known)
    with pytest.raises(InputError, match="whole record"):
        known.known_by("2025-01-18")


@pytest.mark.parametrize("date", ["03/04/2025", "", None, "2025-02-30", 20250101])
def test_known_by_refuses_what_is_not_a_date(record, date):
    with pytest.raises(InputError, match="known_by"):
        record.known_by(date)


@pytest.mark.parametrize(
    ("column", "value"), [("value", 77.0), ("source_group", "moved"), ("note", "x"), ("role", "context")]
)
def test_a_later_claim_cannot_change_the_digest(record, column, value):
    table = record.table
    later = table["published"] > VINTAGE
    assert later.sum() > 50
    rows = later & ~table["source"].isin(table.loc[~later, "source"])
    if column == "value":
        rows &= (table["bound"] != "range") & ~table["quantity"].str.endswith("share")
    assert rows.sum() > 5
    table.loc[rows, column] = value
    changed = read_claims(table, name=record.name)
    assert changed.digest != record.digest
    assert changed.known_by(VINTAGE).digest == record.known_by(VINTAGE).digest
    without = read_claims(table[~later], name=record.name)
    assert without.digest == record.known_by(VINTAGE).digest


@pytest.mark.parametrize(("column", "value"), [("value", 3100.0), ("note", "x"), ("published", dt.date(2025, 1, 9))])
def test_a_visible_cell_changes_the_digest(column, value):
    assert read(row()).digest != read(row(**{column: value})).digest


def test_claims_with_other_rows_are_not_equal():
    one, same, other = read(row()), read(row()), read(row(value="9000"))
    assert one == same
    assert one != other


def test_provenance_columns_survive():
    more = {"url": "https://example.org/a?b=1&c", "note": "as relayed", "briefing": "alpha:2025-01-10", "x_page": "12"}
    table = read(row(**more)).known_by("2025-02-01").evidence
    assert {key: table.loc[0, key] for key in more} == more
    assert table.columns.tolist() == [*COLUMNS, "x_page"]


def test_evidence_and_set_aside_partition_the_table(record):
    kept, left = record.evidence, record.set_aside
    assert sorted([*kept["claim_id"], *left["claim_id"]]) == sorted(record.table["claim_id"])
    assert set(kept["role"]) == {"evidence"}
    assert len(kept) == 50
    assert set(kept["quantity"]) <= set(QUANTITIES) - set(UNREAD_QUANTITIES)
    assert all(left["reason"].str.len() > 5)
    other = left[left["role"] != "evidence"]
    assert other["reason"].tolist() == [ROLE_REASONS[role] for role in other["role"]]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"role": "repeat", "derived_from": "A0"}, "counted once"),
        ({"role": "partial"}, "one engagement"),
        ({"quantity": "in_country"}, "in_country: not a quantity"),
        ({"quantity": "projection"}, "projection: not a quantity"),
        ({"quantity": "reinforcement"}, "without a wave: nothing says which arrival"),
        ({"value": "", "role": "mixed"}, "other troops"),
    ],
)
def test_each_way_out_has_its_reason(changes, reason):
    claims = read(row(), row(claim_id="A2", **changes))
    assert claims.evidence["claim_id"].tolist() == ["A1"]
    assert reason in claims.set_aside.loc[0, "reason"]


@pytest.mark.parametrize(
    "changes",
    [
        *[{"quantity": name} for name in ("losses", "killed", "wounded", "captured", "missing", "deployed", "present")],
        *[{"quantity": name} for name in ("returned", "evacuated")],
        *[{"quantity": name, "value": "0.3"} for name in ("killed_share", "loss_share")],
        {"quantity": "daily_rate", "window_start": "2025-01-02"},
        {"quantity": "reinforcement", "wave": "second"},
        {"as_of": "", "as_of_basis": "none"},
    ],
)
def test_what_the_model_reads_is_evidence(changes):
    claims = read(row(**changes))
    assert len(claims.evidence) == 1
    assert len(claims.set_aside) == 0


BAD = [
    ("source_kind", [row(), row(claim_id="A2", source_kind="analyst")]),
    ("source_group", [row(source_group="g"), row(claim_id="A2", source_group="h")]),
    ("contingent", [row(contingent="c"), row(claim_id="A2", contingent="d")]),
    ("claim_id", [row(), row()]),
    ("claim_id", [row(), row(claim_id="")]),
    ("source", [row(), row(claim_id="A2", source="")]),
    ("published", [row(), row(claim_id="A2", published="")]),
    ("as_of", [row(), row(claim_id="A2", as_of="", as_of_basis="stated")]),
    ("as_of_basis", [row(), row(claim_id="A2", as_of_basis="none")]),
    ("as_of", [row(), row(claim_id="A2", as_of="2025-01-11")]),
    ("window_start", [row(), row(claim_id="A2", window_start="2025-01-10")]),
    ("window_start", [row(), row(claim_id="A2", as_of="", window_start="2025-01-11")]),
    ("window_start", [row(), row(claim_id="A2", as_of_from="2025-01-05", window_start="2025-01-06")]),
    ("window_start", [row(), row(claim_id="A2", as_of_from="2025-01-05", window_start="2025-01-10")]),
    ("as_of_from", [row(), row(claim_id="A2", as_of="", as_of_from="2025-01-05")]),
    ("as_of_from", [row(), row(claim_id="A2", as_of_from="2025-01-10")]),
    ("as_of_from", [row(), row(claim_id="A2", as_of_from="2025-01-05", as_of_basis="published")]),
    ("as_of_from", [row(), row(claim_id="A2", as_of="2025-01", as_of_from="2025-01-05")]),
    ("as_of_from", [row(), row(claim_id="A2", as_of="2025-01", as_of_basis="published")]),
    ("value", [row(), row(claim_id="A2", value="-300")]),
    ("value", [row(), row(claim_id="A2", value="")]),
    ("low", [row(), row(claim_id="A2", bound="range", value="")]),
    ("low", [row(), row(claim_id="A2", bound="range", value="", low="5", high="5")]),
    ("value", [row(), row(claim_id="A2", bound="range", low="5", high="9")]),
    ("low", [row(), row(claim_id="A2", low="5", high="9")]),
    ("open", [row(), row(claim_id="A2", open="yes")]),
    ("open", [row(), row(claim_id="A2", bound="at_least", open="no")]),
    ("value", [row(), row(claim_id="A2", value="30.5")]),
    ("value", [row(), row(claim_id="A2", quantity="killed_share", value="30")]),
    ("high", [row(), row(claim_id="A2", quantity="killed_share", value="0.4", bound="range", low="0.3", high="50")]),
    ("unit", [row(), row(claim_id="A2", quantity="killed_share", value="0.3", unit="10")]),
    ("unit", [row(), row(claim_id="A2", quantity="killed_share", value="1", bound="exact")]),
    ("unit", [row(), row(claim_id="A2", quantity="killed_share", value="0")]),
    ("unit", [row(), row(claim_id="A2", quantity="loss_share", value="1", bound="at_most")]),
    ("bound", [row(), row(claim_id="A2", quantity="loss_share", value="1", bound="at_least", unit="0.1")]),
    ("bound", [row(), row(claim_id="A2", quantity="loss_share", value="1", bound="point", unit="0.1")]),
    ("value", [row(), row(claim_id="A2", value="0", bound="point")]),
    ("value", [row(), row(claim_id="A2", value="0", bound="at_most", open="yes")]),
    ("value", [row(), row(claim_id="A2", value="0", bound="at_most")]),
    ("unit", [row(), row(claim_id="A2", unit="0")]),
    ("error_sd", [row(), row(claim_id="A2", error_sd="0")]),
    ("derived_from", [row(), row(claim_id="A2", role="repeat")]),
    ("url", [row(), row(claim_id="A2", url="javascript:alert(1)")]),
    ("quantity", [row(), row(claim_id="A2", quantity="deaths")]),
    ("bound", [row(), row(claim_id="A2", bound="about")]),
    ("role", [row(), row(claim_id="A2", role="fact")]),
]


@pytest.mark.parametrize(("column", "rows"), BAD, ids=[f"{n}-{case[0]}" for n, case in enumerate(BAD)])
def test_a_broken_rule_is_refused_at_its_row_and_column(column, rows):
    found = problems_of(pd.DataFrame(rows))
    assert [(p.where, p.column) for p in found] == [("row 2", column)]
    assert found[0].name == repr(rows[1]["claim_id"])
    assert found[0].got
    assert found[0].expected
    assert found[0].do.endswith(".")


@pytest.mark.parametrize("quantity", ["killed_share", "loss_share"])
def test_a_share_range_in_percent_is_refused_at_both_ends(quantity):
    found = problems_of(pd.DataFrame([row(quantity=quantity, value="", bound="range", low="20", high="30")]))
    assert [(p.column, p.got, p.do) for p in found] == [
        ("low", "20.0", "Write 0.3, not 30."),
        ("high", "30.0", "Write 0.3, not 30."),
    ]
    assert not problems_of(pd.DataFrame([row(value="", bound="range", low="20", high="30")]))


def test_a_share_of_all_or_nothing_needs_to_say_how_it_was_rounded():
    said = [
        {"value": "1", "unit": "0.1"}, {"value": "0", "unit": "0.05", "bound": "exact"},
        {"value": "1", "bound": "at_most", "open": "yes"}, {"value": "0", "bound": "at_least", "open": "yes"},
        {"value": "", "bound": "range", "low": "0.8", "high": "1"}, {"value": "", "bound": "range", "low": "0", "high": "0.2"},
        {"value": "0.3", "bound": "exact"},
    ]  # fmt: skip
    rows = [row(claim_id=f"A{n}", quantity="killed_share", **one) for n, one in enumerate(said)]
    assert problems_of(pd.DataFrame(rows)) == ()
    whole = problems_of(pd.DataFrame([row(quantity="killed_share", value="1", bound="exact")]))
    assert "0.1 if 1 stands for 0.95 and more" in str(whole[0])


def test_a_forecast_may_speak_of_a_later_day():
    claims = read(row(as_of="2025-03-01", role="forecast"))
    assert "not an observation" in claims.set_aside.loc[0, "reason"]


def test_claims_are_frozen():
    claims = read(row())
    before = claims.digest
    with pytest.raises(dataclasses.FrozenInstanceError):
        claims.vintage = VINTAGE
    for frame in (claims.table, claims.evidence, claims.set_aside):
        frame.loc[0, "value"] = 1.0
    assert claims.digest == before
    assert claims.table.loc[0, "value"] == 3000.0


def test_the_frame_given_is_neither_kept_nor_changed():
    frame = pd.DataFrame([row(value=3000)])
    copy = frame.copy()
    claims = read_claims(frame)
    pd.testing.assert_frame_equal(frame, copy)
    frame.loc[0, "value"] = 1
    assert claims.table.loc[0, "value"] == 3000.0


def test_sources_stand_in_order_of_their_first_claim():
    claims = read(
        row(source="late", published="2025-02-01"),
        row(claim_id="A2", source="early", source_kind="analyst", source_group="g"),
        row(claim_id="A3", source="late", published="2025-02-03"),
    )
    assert claims.sources == (("early", "g", "analyst"), ("late", "late", "adversary"))


def test_the_summary_shows_counts_and_escapes_names(record):
    assert "112 (whole record)" in str(record)
    assert f"(known by {VINTAGE})" in repr(record.known_by(VINTAGE))
    html = read_claims(pd.DataFrame([row()]), name="<script>alert(1)</script>")._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize(
    ("second", "expected", "do"),
    [
        ({"source_kind": "analyst"}, "one stance for each source", "two sources: name them so"),
        ({"value": "-300"}, "zero or more", "never negative"),
        ({"value": -300.0}, "zero or more", "never negative"),
        ({"window_start": "2025-01-10"}, "not after as_of", "must not end before it starts"),
    ],
)
def test_a_refusal_names_the_claim_and_the_fix(second, expected, do):
    with pytest.raises(InputError) as caught:
        read(row(), row(claim_id="A2", **second))
    (problem,) = caught.value.problems
    assert problem.name == "'A2'"
    assert expected in problem.expected
    assert do in problem.do
    assert all(part in str(caught.value) for part in ("'A2'", problem.got, problem.expected, problem.do))


def test_the_months_of_the_record(record):
    table = record.table.set_index("claim_id")
    spans = table.loc[table["as_of_from"].notna(), ["as_of_from", "as_of", "as_of_basis"]]
    assert spans.T.to_dict("list") == {
        "K096": [dt.date(2025, 3, 1), dt.date(2025, 3, 28), "stated"],
        "K097": [dt.date(2025, 3, 1), dt.date(2025, 3, 28), "stated"],
        "K110": [dt.date(2024, 11, 1), dt.date(2024, 11, 30), "stated"],
        "K111": [dt.date(2025, 6, 1), dt.date(2025, 6, 16), "stated"],
    }


def test_sizes_are_those_of_the_whole_record(record):
    assert (record.briefings, record.months) == (6, 3)
    early = record.known_by("2024-12-01")
    changed = early.without("K006").marked("K019", derived_from="K013")
    for claims in (early, changed):
        assert (claims.briefings, claims.months, claims.sources) == (6, 3, record.sources)
    assert changed.vintage == early.vintage
    assert read_claims(early.table).briefings == 0


def test_a_briefing_is_named_or_the_source_and_day():
    killed, share = {"quantity": "killed", "value": "300"}, {"quantity": "killed_share", "value": "0.1"}
    assert read(row(), row(claim_id="A2", **killed)).briefings == 1
    assert read(row(), row(claim_id="A2", **share)).briefings == 1
    assert read(row(), row(claim_id="A2", quantity="deployed")).briefings == 0
    assert read(row(), row(claim_id="A2", briefing="press", **killed)).briefings == 0
    assert read(row(), row(claim_id="A2", role="repeat", derived_from="A1", **killed)).briefings == 0
