"""Studies: one declared question as a file or an object; resolve, plan, run, resume."""

from scalebridge.studies.entry import Built, Entry
from scalebridge.studies.schema import Study, json_schema

__all__ = ["Built", "Entry", "Study", "json_schema"]
