"""Checks of a fit; each returns a ``CheckResult``."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "conflict": ["prior_conflict"],
        "convergence": ["convergence", "published_quantities"],
        "drift": ["drifting_sources"],
        "later": ["later_claims"],
        "left_out": ["claims_left_out", "sources_left_out"],
        "predictive": ["posterior_predictive", "prior_predictive"],
        "result": ["CheckResult"],
        "sensitivity": ["prior_sensitivity"],
        "stances": ["stance_shifts"],
        "suite": ["all_checks"],
    },
)
