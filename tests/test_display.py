"""Numbers as people read them."""

from __future__ import annotations

import pytest

from attrition.display import count, percent

COUNTS = [
    (0, "0"), (0.0, "0"), (0.04, "0"), (-0.04, "0"), (0.06, "0.1"), (1, "1.0"), (3.14, "3.1"), (9.94, "9.9"), (9.96, "10"),
    (10, "10"), (10.4, "10"), (92.3, "92"), (99.96, "100"), (999.4, "999"), (999.6, "1,000"), (1234, "1,230"),
    (9996, "10,000"), (11_512, "11,500"), (-5, "-5.0"), (-9.96, "-10"), (float("inf"), "inf"), (float("nan"), "nan"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "text"), COUNTS)
def test_a_count_is_written_for_people(value, text):
    assert count(value) == text


@pytest.mark.parametrize(
    ("probability", "text"),
    [(0.0, "0%, no draw"), (0.004, "under 1%"), (0.5, "50%"), (0.996, "over 99%"), (1.0, "100%, every draw")],
)
def test_a_probability_claims_no_certainty(probability, text):
    assert percent(probability) == text
