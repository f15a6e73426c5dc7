"""The report of a homogenised image: one HTML page, one picture, one card; from its saved record alone."""

from scalebridge.reports.homogenisation.blocks import card
from scalebridge.reports.homogenisation.page import html, report_saved, write_picture, write_report

__all__ = ["card", "html", "report_saved", "write_picture", "write_report"]
