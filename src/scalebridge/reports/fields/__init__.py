"""Fields on meshes in reports: a figure of one or several, and a section with where, unit, range and picture."""

from scalebridge.reports.fields.figure import field_figure
from scalebridge.reports.fields.section import field_section, fields_page

__all__ = ["field_figure", "field_section", "fields_page"]
