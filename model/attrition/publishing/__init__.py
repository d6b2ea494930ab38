"""What is published from a fit: summary, tables, figures, one folder."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "comparison": ["Allowed", "Comparison", "compare"],
        "differences": ["Difference"],
        "figures": ["cumulative_figure", "date_figure", "rate_figure", "save_figure", "strength_figure"],
        "folder": ["publish", "write_results"],
        "sentences": ["answer_sentences", "date_sentence", "rate_sentence", "total_sentence"],
        "summary": ["published_dates", "summarize", "summary_schema", "summary_table"],
        "tables": ["bias_table", "date_table", "left_out_table", "quantity_table", "used_table"],
        "text": ["summary_text"],
        "verification": ["Verification", "verify"],
    },
)
