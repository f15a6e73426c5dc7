"""The one-file HTML report of a homogenised image, and its picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from scalebridge.errors import InfrastructureError
from scalebridge.reports.document import document, section, written
from scalebridge.reports.homogenisation import blocks, figures
from scalebridge.reports.homogenisation.record import Part, Record, load_record

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
    return written(html(Record(record, arrays)), Path(file))


def report_saved(directory: str | Path, file: str | Path | None = None) -> Path:
    """Write the report of a saved homogenisation; return the file, by default ``report.html`` beside it.

    Raises:
        InputError: none there.
        InfrastructureError: the file cannot be written.
    """
    target = Path(file) if file is not None else Path(directory) / "report.html"
    return written(html(load_record(directory)), target)


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
    return document(blocks.title(record), lambda: _body(record))


def _body(record: Record) -> Iterator[str]:
    yield blocks.header(record)
    yield blocks.answer(record)
    yield blocks.tiles(record)
    yield section("The image and its phases", STRUCTURE, figures.structure_figure(record), blocks.materials(record))
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
        yield section(f"Where the {name} goes", FIELDS[part.kind], field)
    around = figures.directions_figure(record, part)
    if around is not None:
        yield section("By direction", "In three planes of the axes, each from its first axis (right).", around)
    scatter = figures.windows_figure(record, part)
    if scatter is not None:
        yield section(f"Is the image representative? The {part.kind} of windows", WINDOWS, scatter)
