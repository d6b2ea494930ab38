"""Changed copies of a record: claims left out, claims marked as copies."""

import datetime as dt
import json

import pandas as pd
import pytest

from attrition.claims import load_claims
from attrition.errors import InputError
from tables import read, row

VINTAGE = dt.date(2025, 1, 17)


@pytest.fixture(scope="module")
def record():
    return load_claims("dprk-kursk")


def test_without_leaves_out_exactly_these(record):
    left = record.known_by(VINTAGE).without("K050", "K051")
    assert set(record.known_by(VINTAGE).table["claim_id"]) - set(left.table["claim_id"]) == {"K050", "K051"}
    assert (left.vintage, left.sources) == (VINTAGE, record.sources)
    assert left != record.known_by(VINTAGE)
    assert left.table.index.tolist() == list(range(len(left)))
    assert record.without() == record
    for several in (["K050", "K051"], ("K050", "K051"), pd.Series(["K050", "K051"])):
        assert record.known_by(VINTAGE).without(several) == left
    assert record.known_by(VINTAGE).without("K050", ["K051"]) == left
    for wrong in (5, ["K050", 5], [["K050"]], None):
        with pytest.raises(InputError, match="No such claim"):
            record.without(wrong)


@pytest.mark.parametrize("call", [lambda c: c.without("K50"), lambda c: c.marked(["K50"], derived_from="K035")])
def test_an_unknown_claim_is_refused_with_a_near_one(record, call):
    with pytest.raises(InputError, match=r"'K50'.*Did you mean K\d5\d|'K50'.*Did you mean K\d50"):
        call(record)
    with pytest.raises(InputError, match="known by 2024-12-01"):
        call(record.known_by("2024-12-01"))


def test_marked_claims_are_counted_once(record):
    marked = record.marked(["K051", "K088"], derived_from=["K035", "K050"])
    rows = marked.table.set_index("claim_id").loc[["K051", "K088"]]
    assert rows[["role", "derived_from"]].values.tolist() == [["repeat", "K035 K050"]] * 2
    assert len(marked.evidence) == len(record.evidence) - 2
    assert record.table.set_index("claim_id").loc["K051", "role"] == "evidence"
    assert record.marked("K051", derived_from="K035").evidence["claim_id"].tolist().count("K051") == 0


def test_a_whole_source_can_be_marked(record):
    marked = record.marked(source="uk-mod", derived_from="western-officials")
    before, after = (claims.table[claims.table["source"] == "uk-mod"] for claims in (record, marked))
    assert (before["role"] == "evidence").sum() == 3
    assert set(after["role"]) == {"repeat"}
    old = before["role"] == "repeat"
    assert after.loc[old, "derived_from"].tolist() == before.loc[old, "derived_from"].tolist()
    others = marked.table["source"] != "uk-mod"
    pd.testing.assert_frame_equal(marked.table[others], record.table[others])


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"claim_ids": ["K051"], "derived_from": " "}, "nothing"),
        ({"claim_ids": ["K051"], "derived_from": ["K050", "K051"]}, "no copy of itself"),
        ({"derived_from": "K050"}, "neither"),
        ({"claim_ids": "K051", "source": "rok-nis", "derived_from": "K050"}, "both"),
        ({"source": "uk-mood", "derived_from": "K050"}, "Did you mean uk-mod"),
        ({"claim_ids": "K051", "derived_from": "K035 K999"}, r"1 problem\n.*'K999'; expected claims or sources"),
        ({"claim_ids": "K051", "derived_from": ["K0355"]}, "Did you mean K0"),
        ({"claim_ids": "K051", "derived_from": "western-oficials"}, "Did you mean western-officials"),
        ({"claim_ids": "K051", "derived_from": 5}, "derived_from: got '5'"),
        ({"claim_ids": 5, "derived_from": "K050"}, "claim_id: got 5"),
        ({"claim_ids": ["K051", None], "derived_from": "K050"}, "claim_id: got None"),
    ],
)
def test_a_mark_that_says_nothing_is_refused(record, arguments, what):
    with pytest.raises(InputError, match=what):
        record.marked(**arguments)


def test_a_mark_that_marks_nothing_at_the_vintage_is_refused(record):
    early = record.known_by("2024-11-10")
    assert "uk-mod" in {name for name, _, _ in early.sources}
    with pytest.raises(
        InputError, match=r"'uk-mod'; expected a source with evidence known by 2024-11-10.*later vintage"
    ):
        early.marked(source="uk-mod", derived_from="K001")
    with pytest.raises(InputError, match=r"'K050'; expected claims known by 2024-11-10, or sources"):
        early.marked("K001", derived_from="K050")
    assert read(row(), row(claim_id="A2", role="repeat", derived_from="elsewhere")).table.loc[1, "derived_from"]


def test_changed_claims_survive_storage(record):
    from attrition.storage import claims_as_dict, claims_of

    for claims in (record, record.known_by(VINTAGE), record.without("K096").marked("K088", derived_from="K072 K087")):
        again = claims_of(json.loads(json.dumps(claims_as_dict(claims))))
        assert again == claims
        pd.testing.assert_frame_equal(again.table, claims.table)
    empty = read(row()).known_by("2025-01-01")
    assert claims_of(json.loads(json.dumps(claims_as_dict(empty)))) == empty
