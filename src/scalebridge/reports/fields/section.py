"""Fields in a report: where, unit, range and picture of each."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path

import numpy as np

from scalebridge.data.fields.drawing import scalar
from scalebridge.data.fields.field import Field
from scalebridge.data.fields.page import facts
from scalebridge.data.headers import identifier
from scalebridge.reports import numbers, theme
from scalebridge.reports.document import document, section, written
from scalebridge.reports.fields.figure import field_figure

PAGE = 940


def field_section(field: Field, title: str | None = None, *, limits: tuple[float, float] | None = None) -> str:
    """A section of an HTML report, to stand in a `scalebridge.reports.document.document`.

    Args:
        field: to show.
        title: of the section; by default the field's name.
        limits: of the colours, in the field's unit.
    """
    name = title or field.name.replace("_", " ")
    figure = field_figure(field, limits=limits)
    # As wide as the page, so that letters are of the page's size.
    figure.set_figwidth(max(figure.get_figwidth(), PAGE / 72))
    drawing = theme.svg(figure, f"The field {field.name}", f"field-{identifier(name)}")
    rows = "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in [*facts(field), *_extremes(field)])
    words = escape(field.description) or f"{escape(name)} on the mesh '{escape(field.mesh.name)}'."
    return section(escape(name), words, drawing, f"<table><tbody>{rows}</tbody></table>")


def fields_page(fields: Mapping[str, Field], file: str | Path, title: str = "Fields") -> Path:
    """Write one HTML file with a section for each field; return the file.

    Raises:
        InfrastructureError: the file cannot be written.
    """
    head = f"<h1>{escape(title)}</h1>"
    return written(document(title, lambda: [head, *(field_section(f, n) for n, f in fields.items())]), Path(file))


def _extremes(field: Field) -> list[tuple[str, str]]:
    """Where the largest and the smallest value stand."""
    shown = scalar(field)
    if np.isnan(shown.values).all():
        return []
    mesh = shown.mesh
    places = mesh.points if shown.location == "points" else mesh.centres
    unit = "" if mesh.unit == "1" else f" {mesh.unit}"
    found = []
    for word, row in (("largest", int(np.nanargmax(shown.values))), ("smallest", int(np.nanargmin(shown.values)))):
        at = ", ".join(numbers.plain(float(c), 3) for c in places[row])
        factor, shown_unit = numbers.prefixed(shown.unit, abs(float(shown.values[row])))
        value = numbers.plain(factor * float(shown.values[row]), 4)
        found.append((word, f"{value} {shown_unit}".rstrip() + f" at ({at}){unit}"))
    return found
