"""The model's log density and its gradient as compiled code: one compilation, kept on disk, serves every record.

``latent`` and ``claim_error`` are the model's text; here stands the same with slopes worked out by hand, which the tests hold
against PyMC's log density and PyTensor's gradient for every option.
"""
