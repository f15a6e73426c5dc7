"""Blocks and figures of a report: what a surrogate goes by, where it errs, and its papers, from plain records."""

from scalebridge.reports.explanation.blocks import error_blocks, explanation_blocks
from scalebridge.reports.explanation.page import html, report_saved, write_report

__all__ = ["error_blocks", "explanation_blocks", "html", "report_saved", "write_report"]
