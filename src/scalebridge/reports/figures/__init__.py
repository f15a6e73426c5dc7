"""Figures of the report, one per file; each is drawn from a saved answer alone, or left out."""

from scalebridge.reports.figures.domain import domain_figure
from scalebridge.reports.figures.field import field_figure
from scalebridge.reports.figures.interval import interval_figure
from scalebridge.reports.figures.path import path_figure
from scalebridge.reports.figures.response import response_figure
from scalebridge.reports.figures.rve import rve_figure

__all__ = [
    "domain_figure",
    "field_figure",
    "interval_figure",
    "path_figure",
    "response_figure",
    "rve_figure",
]
