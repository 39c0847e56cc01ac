"""Level 5: tables, figures and one page from records and their media; never imports torch."""

from mfbench.report.assemble import build
from mfbench.report.scored_load import is_scored
from mfbench.report.scored_page import build_scored

__all__ = ["build", "build_scored", "is_scored"]
