"""Level 5: tables, figures and one page from records and their media; never imports torch."""

from mfbench.report.assemble import build

__all__ = ["build"]
