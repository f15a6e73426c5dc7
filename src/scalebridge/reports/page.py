"""The one-file HTML report: opens offline, carries its own style and figures, prints well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from scalebridge.reports import blocks, figures, numbers
from scalebridge.reports.document import document, section, written
from scalebridge.reports.saved import Saved, load


def write_report(answer: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], file: str | Path) -> Path:
    """Write the report of an answer; return the file.

    Args:
        answer: content of ``answer.json``.
        arrays: content of ``arrays.npz``.
        file: the HTML file to write.

    Raises:
        InfrastructureError: the file cannot be written.
    """
    return written(html(Saved(answer, arrays)), Path(file))


def report_saved(directory: str | Path, file: str | Path | None = None) -> Path:
    """Write the report of a saved answer; return the file.

    Args:
        directory: where ``answer.json`` and ``arrays.npz`` lie.
        file: the HTML file to write; ``report.html`` in the same directory if not given.

    Raises:
        InputError: no readable answer there.
        InfrastructureError: the file cannot be written.
    """
    place = Path(directory)
    return written(html(load(place)), Path(file) if file is not None else place / "report.html")


def html(saved: Saved) -> str:
    """Return the whole report as one HTML document."""
    return document(blocks.title(saved), lambda: _body(saved))


def _body(saved: Saved) -> Iterator[str]:
    yield blocks.header(saved)
    yield blocks.answer(saved)
    yield blocks.tiles(saved)
    yield _parts(saved)
    yield section("The path to it", PATH_WORDS, figures.path_figure(saved))
    yield section("The macro problem, and where the micro model was run", FIELD_WORDS, figures.field_figure(saved))
    yield section("The micro model", _micro_words(saved), figures.rve_figure(saved))
    yield section("Predicted against true", RESPONSE_WORDS, figures.response_figure(saved))
    yield section("Where the surrogate stands", _domain_words(saved), figures.domain_figure(saved))
    yield blocks.cost(saved)
    yield blocks.runs(saved)
    yield blocks.promise(saved)
    yield blocks.provenance(saved)
    yield blocks.footer(saved)


PATH_WORDS = (
    "Value and interval against the micro runs spent. Bars are intervals that were verified; the grey band is what "
    "the surrogate expects of itself: it chooses where to run, and is not what the interval rests on."
)
FIELD_WORDS = (
    "First the state of the body; then how much of the answer hangs on the response at each place; "
    "a micro run is spent where that, and the surrogate's doubt, are large."
)
RESPONSE_WORDS = (
    "Every run was predicted before it was made, by the surrogate that had not seen it. "
    "A residual is computed once and never again after a refit."
)
STATES_WORDS = "Each dot is a state that the macro solution visits, the larger the more the answer hangs on it;"
CURVE_WORDS = "The line is the surrogate over the states that the macro solution visits, grey where it doubts itself;"
RUNS_WORDS = "each marker is a micro run. Runs that check an assumption elsewhere are left out."


def _micro_words(saved: Saved) -> str:
    micro = saved.get("micro", {})
    name = escape(str(micro.get("name", "")))
    return f"What <code>{name}</code> solves at one macroscopic state, on the window that stands for the material."


def _domain_words(saved: Saved) -> str:
    states = saved.array("states")
    curve = states is not None and states.ndim == 2 and states.shape[1] == 1
    return f"{CURVE_WORDS if curve else STATES_WORDS} {RUNS_WORDS}"


def _parts(saved: Saved) -> str:
    if saved.interval is None:
        return ""
    drawing = figures.interval_figure(saved)
    level = numbers.percent(saved.get("confidence"))
    words = f"What the {level} interval consists of. The parts are summed, not added in quadrature."
    if saved.input_interval is not None:
        words += " Uncertain inputs are shown beside it on a scale of their own; the dark block is the interval."
    table = blocks.parts_table(saved)
    return section("The interval, by parts", words, drawing, table)
