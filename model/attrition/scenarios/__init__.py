"""What the rate does after the vintage: small values that compose, each with a name and a sentence."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "base": ["Ahead", "Scenario", "Settled", "projection_seed"],
        "chain": ["then"],
        "combined": ["multiply", "pause", "reinforce"],
        "rates": ["Forecast", "Hold", "forecast", "hold", "hold_last", "per_capita", "walk"],
    },
)
