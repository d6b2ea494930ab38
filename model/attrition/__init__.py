"""Daily loss rate and depletion date, with uncertainty, from conflicting public claims."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "build": ["build_model"],
        "campaign": ["Campaign", "load_campaign", "read_campaign"],
        "checks": ["CheckResult"],
        "claims": ["Claims", "load_claims", "read_claims"],
        "copies": ["dependence"],
        "curves": ["ConstantRate", "MeanRevertingRate", "PhasedRate"],
        "depletion": [
            "DaysToShare",
            "DepletionDate",
            "days_to_share",
            "depletion_date",
            "depletion_dates",
            "reference_place",
        ],
        "errors": ["AttritionError", "FileError", "GateError", "InputError"],
        "fitted": ["Fit", "rate_since"],
        "inference": ["fit", "refit"],
        "priors": ["Prior", "Priors", "default_priors"],
        "projection": ["Projection", "project"],
        "publishing": [
            "cumulative_figure",
            "date_figure",
            "publish",
            "rate_figure",
            "summarize",
            "summary_text",
        ],
        "reporting": ["Reporting"],
        "sampling": ["Settings"],
        "scenarios": [
            "Scenario",
            "forecast",
            "hold",
            "hold_last",
            "multiply",
            "pause",
            "per_capita",
            "reinforce",
            "then",
            "walk",
        ],
        "storage": ["load"],
    },
)
