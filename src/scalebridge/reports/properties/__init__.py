"""The report of properties learned from images and a table."""

from scalebridge.reports.properties.page import report_saved, write_report
from scalebridge.reports.properties.record import Record, load_figures, load_record

__all__ = ["Record", "load_figures", "load_record", "report_saved", "write_report"]
