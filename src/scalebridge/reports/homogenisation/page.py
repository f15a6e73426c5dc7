"""The one-file HTML report of a homogenised image, and its picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from scalebridge.errors import InfrastructureError
from scalebridge.reports.homogenisation import blocks, figures
from scalebridge.reports.homogenisation.record import Part, Record, load_record
from scalebridge.reports.theme import STYLE

STRUCTURE = "The file as it was read, and the phases it was parted into. An FFT solver repeats them periodically."
FIELDS = {
    "stiffness": "One solved field under a pull along 1, other mean stresses zero, relative to the mean stress.",
    "conductivity": "One solved field under a mean gradient along 1, relative to the mean flux.",
}
WINDOWS = (
    "Each dot is a window solved by itself; the bar is their mean, the band one standard deviation: what a single "
    "window of this size does not know of the image. A mean off zero is the bias of windows that are repeated."
)


def write_report(record: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], file: str | Path) -> Path:
    """Write the report of a record; return the file.

    Args:
        record: content of ``homogenisation.json``.
        arrays: content of ``arrays.npz``.
        file: the HTML file to write.

    Raises:
        InfrastructureError: the file cannot be written.
    """
    return _written(html(Record(record, arrays)), Path(file))


def report_saved(directory: str | Path, file: str | Path | None = None) -> Path:
    """Write the report of a saved homogenisation; return the file, by default ``report.html`` beside it.

    Raises:
        InputError: none there.
        InfrastructureError: the file cannot be written.
    """
    target = Path(file) if file is not None else Path(directory) / "report.html"
    return _written(html(load_record(directory)), target)


def write_picture(record: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], file: str | Path) -> Path:
    """Write phases, field, directions and windows as one PNG on light paper; return the file.

    Raises:
        InfrastructureError: the file cannot be written.
    """
    import matplotlib

    target = Path(file)
    style: Any = figures.picture_style()
    with matplotlib.rc_context(style):
        drawn = figures.picture(Record(record, arrays))
        try:
            drawn.savefig(target, dpi=110, metadata={"Software": None})
        except OSError as error:
            raise InfrastructureError(f"The picture cannot be written to '{target}': {error.strerror}.") from error
    return target


def html(record: Record) -> str:
    """Return the whole report as one HTML document."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        body = "\n".join(part for part in _body(record) if part)
    style = resources.files("scalebridge.reports").joinpath("page.css").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(blocks.title(record))}</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _body(record: Record) -> Iterator[str]:
    yield blocks.header(record)
    yield blocks.answer(record)
    yield blocks.tiles(record)
    yield _section("The image and its phases", STRUCTURE, figures.structure_figure(record), blocks.materials(record))
    for part in record.parts:
        yield blocks.constants(part)
        yield from _drawn(record, part)
        yield blocks.matrix(part)
    yield blocks.cautions(record)
    yield blocks.provenance(record)
    yield "<footer>Drawn from homogenisation.json and arrays.npz alone. This page needs no network.</footer>"


def _drawn(record: Record, part: Part) -> Iterator[str]:
    field, name = figures.field_figure(record, part), "stress" if part.kind == "stiffness" else "flux"
    if field is not None:
        yield _section(f"Where the {name} goes", FIELDS[part.kind], field)
    around = figures.directions_figure(record, part)
    if around is not None:
        yield _section("By direction", "In three planes of the axes, each from its first axis (right).", around)
    scatter = figures.windows_figure(record, part)
    if scatter is not None:
        yield _section(f"Is the image representative? The {part.kind} of windows", WINDOWS, scatter)


def _section(title: str, words: str, drawing: str | None, after: str = "") -> str:
    if drawing is None:
        return f"<section><h2>{title}</h2>{after}</section>" if after else ""
    return f"<section><h2>{title}</h2><p>{words}</p><figure>{drawing}</figure>{after}</section>"


def _written(text: str, target: Path) -> Path:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InfrastructureError(f"The report cannot be written to '{target}': {error.strerror}.") from error
    return target
