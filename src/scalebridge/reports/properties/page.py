"""The one-file HTML report of properties learned from images and a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from scalebridge.reports.document import document, section, written
from scalebridge.reports.explanation.blocks import error_blocks, explanation_blocks
from scalebridge.reports.properties import blocks, figures
from scalebridge.reports.properties.record import Record, Target, load_record

AGREEMENT = (
    "Every specimen is predicted by what was learned without its group, choice of the learner and calibration of the "
    "intervals included."
)


LOOKS = (
    "Integrated gradients from an even picture to the micrograph, through the network and '{learner}' made "
    "linear where the specimen lies: red pixels raise the prediction, blue ones lower it. It shows what moves the "
    "prediction, not why a specimen is strong or weak."
)


def write_report(content: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], file: str | Path) -> Path:
    """Write the report of a record; return the file.

    Args:
        content: of ``fit.json``.
        arrays: of ``arrays.npz``.
        file: the HTML file to write.

    Raises:
        InfrastructureError: the file cannot be written.
    """
    return written(html(Record(content, arrays)), Path(file))


def report_saved(directory: str | Path, file: str | Path | None = None) -> Path:
    """Write the report of saved properties; return the file, by default ``report.html`` beside them.

    Raises:
        InputError: none there.
        InfrastructureError: the file cannot be written.
    """
    target = Path(file) if file is not None else Path(directory) / "report.html"
    return written(html(load_record(directory)), target)


def html(record: Record) -> str:
    """Return the whole report as one HTML document."""
    return document(blocks.title(record), lambda: _body(record))


def _body(record: Record) -> Iterator[str]:
    yield blocks.header(record)
    for target in record.targets:
        yield from _target(record, target)
    yield blocks.joined(record)
    yield blocks.quality(record)
    yield blocks.features(record)
    yield blocks.promise(record, ())
    yield blocks.documents(record)
    yield blocks.provenance(record)
    yield "<footer>Drawn from fit.json and arrays.npz alone. This page needs no network.</footer>"


def _target(record: Record, target: Target) -> Iterator[str]:
    if len(record.targets) > 1:
        yield f"<h1>{target.name}</h1>"
    yield blocks.answer(record, target)
    yield blocks.tiles(record, target)
    yield section("Micrographs from the lowest to the highest", "", figures.gallery_figure(record, target))
    yield section("Predicted and measured", AGREEMENT, figures.agreement_figure(target))
    yield blocks.candidates(record, target)
    yield blocks.explained(target)
    yield explanation_blocks(target.content["explanation"])
    yield blocks.families(target)
    seen = [str(entry["sentence"]) for entry in target.content["looks"]["of"]]
    words = LOOKS.format(learner=target.content["looks"]["learner"])
    yield section("What the network looks at", words, figures.looks_figure(record, target), blocks.listed(seen))
    for errors in target.content["errors"]:
        yield error_blocks(errors)
