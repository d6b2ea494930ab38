"""The vocabulary of a claims table: its columns and the words that may stand in them."""

from __future__ import annotations

SOURCE_KINDS = ("adversary", "own_side", "third_party", "analyst")

LOSS_QUANTITIES = ("casualties", "losses", "killed", "wounded", "captured", "missing", "daily_rate")
SHARE_QUANTITIES = ("killed_share", "loss_share")
STRENGTH_QUANTITIES = ("deployed", "present", "in_country", "reinforcement", "returned", "evacuated")
QUANTITIES = (*LOSS_QUANTITIES, *SHARE_QUANTITIES, *STRENGTH_QUANTITIES, "projection")
UNREAD_QUANTITIES = ("in_country", "projection")  # the model has no number that these would observe

BOUNDS = ("point", "exact", "approx", "at_least", "at_most", "range")

ROLES = ("evidence", "repeat", "partial", "mixed", "buildup", "context", "forecast", "doubtful")
ROLE_REASONS = {
    "repeat": "repeats or is computed from another figure; counted once",
    "partial": "one engagement or unit only",
    "mixed": "other troops are counted in",
    "buildup": "before the force was complete",
    "context": "a neighbouring quantity, or a count too small for the model",
    "forecast": "a plan, a capacity or a projection, not an observation",
    "doubtful": "the coder doubts that the figure says this",
}

AS_OF_BASES = ("stated", "inferred", "published", "none")

REQUIRED = ("claim_id", "source", "source_kind", "published", "as_of", "quantity", "value", "bound")
TEXT = (
    "claim_id",
    "contingent",
    "source",
    "source_group",
    "source_kind",
    "as_of_basis",
    "quantity",
    "bound",
    "open",
    "role",
    "derived_from",
    "briefing",
    "wave",
    "url",
    "note",
)
NAMES = ("claim_id", "contingent", "source", "source_group", "derived_from", "briefing", "wave", "url")
DATES = ("published", "as_of", "as_of_from", "window_start")
NUMBERS = ("value", "low", "high", "unit", "error_sd")

COLUMNS = (
    "claim_id",
    "contingent",
    "source",
    "source_group",
    "source_kind",
    "published",
    "as_of",
    "as_of_from",
    "as_of_basis",
    "window_start",
    "quantity",
    "value",
    "low",
    "high",
    "bound",
    "open",
    "unit",
    "error_sd",
    "role",
    "derived_from",
    "briefing",
    "wave",
    "url",
    "note",
)
EXTRA_PREFIX = "x_"
