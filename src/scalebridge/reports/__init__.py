"""Reports: figures, the one-file HTML page and the notebook card, drawn from a saved answer alone."""

from scalebridge.reports.page import html, report_saved, write_report
from scalebridge.reports.saved import Saved, load
from scalebridge.reports.summary import summary_html

__all__ = ["Saved", "html", "load", "report_saved", "summary_html", "write_report"]
