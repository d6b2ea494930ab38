"""Checks of a fit; each returns a ``CheckResult``."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "convergence": ["convergence", "published_quantities"],
        "drift": ["drifting_sources"],
        "result": ["CheckResult"],
    },
)
