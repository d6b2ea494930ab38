"""What is published from a fit: summary, tables, figures, one folder."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "figures": ["cumulative_figure", "date_figure", "rate_figure", "save_figure", "strength_figure"],
        "folder": ["publish"],
        "summary": ["summarize", "summary_table"],
        "text": ["summary_text"],
    },
)
