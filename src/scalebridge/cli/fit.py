"""``scalebridge fit`` and ``predict``: properties from images and a table of specimens."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scalebridge.cli.homogenise import Line
from scalebridge.cli.surface import DONE, INTERRUPTED
from scalebridge.cli.tables import console, print_json, print_table

if TYPE_CHECKING:
    from scalebridge.studies.properties import Predictions, PropertyFit


@dataclass(frozen=True)
class FitRequest:
    """What was asked on the command line; names are those of the options."""

    images: Path
    table: Path
    by: str
    target: Sequence[str]
    groups: str
    use: Sequence[str] | None
    pattern: str | None
    pixel_size: str | None
    features: str
    weights: Path | None
    level: float
    seed: int
    out: Path
    as_json: bool


def fit_from(request: FitRequest) -> int:
    """Learn the properties, print what came of it, leave all in a directory; return the exit code."""
    from scalebridge.studies.properties import fit_properties

    try:
        with Line(quiet=request.as_json) as line:
            found = fit_properties(
                request.images,
                request.table,
                by=request.by,
                targets=list(request.target),
                groups=None if request.groups == "none" else request.groups,
                inputs=list(request.use or ()),
                pattern=request.pattern,
                pixel_size=request.pixel_size,
                features=request.features,
                weights=request.weights,
                level=request.level,
                seed=request.seed,
                workers=min(2, os.cpu_count() or 1),
                kept=request.out / "descriptors",
                progress=line,
            )
            line("writing the report", 1.0)
            place = found.save(request.out)
    except KeyboardInterrupt:
        print("interrupted; descriptors of the images done are kept, call again to go on.", file=sys.stderr)
        return INTERRUPTED
    if request.as_json:
        print_json(found.record)
    else:
        _show(found, place)
    return DONE


def predict_from(
    directory: Path, images: Path, table: Path | None, pattern: str | None, to: Path | None, as_json: bool
) -> int:
    """Predict the properties of what new images show, print them, write them where asked; return the exit code."""
    from scalebridge.studies.properties import predict_properties

    with Line(quiet=as_json) as line:
        found = predict_properties(directory, images, table=table, pattern=pattern, progress=line)
    if to is not None:
        found.to_csv(to)
    if as_json:
        print_json(found.rows())
    else:
        _show_predictions(found, to)
    return DONE


def _show(found: PropertyFit, place: Path) -> None:
    screen, record = console(), found.record
    for what, words in record["joined"]["told"]:
        screen.print(f"{what}: {words}", markup=False, soft_wrap=True)
    for target in record["targets"]:
        screen.print()
        print_table(_head(record, target), list(_rows(target)), target["name"])
        screen.print(target["verdict"], markup=False, soft_wrap=True)
        for sentence in target["explanation"]["sentences"][:3]:
            screen.print(f"- {sentence}", markup=False, soft_wrap=True)
    serious = [f for f in record["quality"] if f["severity"] != "note"]
    for finding in serious[:5]:
        screen.print(f"{finding['severity']}: {finding['sentence']}", markup=False, soft_wrap=True)
    screen.print(f"report: {place / 'report.html'}", markup=False, soft_wrap=True)
    screen.print(f"next: scalebridge predict {place} NEW_IMAGES/", markup=False, soft_wrap=True)


def _head(record: Any, target: Any) -> list[str]:
    unit = "" if target["unit"] == "1" else f" [{target['unit']}]"
    return ["", f"error{unit}", f"mean error{unit}", "explained", f"{100 * record['level']:g} % holds", f"width{unit}"]


def _rows(target: Any) -> Any:
    """The best forest, the best of the others, the mean, and the procedure."""
    trials = {t["label"]: t for t in target["trials"]}
    for label in dict.fromkeys((target["forest"], target["other"])):
        mark = " (chosen)" if label == target["chosen"] else ""
        yield [label + mark, *_figures(trials[label])]
    yield ["mean of the others", *_figures(target["mean_only"])]
    yield ["the procedure, choice made without the fold", *_figures(target["procedure"])]
    if target["leaky"] is not None:
        yield ["(a leaky split by rows would claim)", *_figures(target["leaky"])]


def _figures(entry: Any) -> list[str]:
    if entry.get("failure"):
        return [entry["failure"], "", "", "", ""]
    share = [f"{100 * entry[k]:.0f} %" for k in ("r2", "coverage")]
    return [f"{entry['rmse']:.4g}", f"{entry['mae']:.4g}", *share, f"{entry['width']:.4g}"]


def _show_predictions(found: Predictions, to: Path | None) -> None:
    rows = found.rows()
    head = ["specimen", "images", *(c for t in found.targets for c in (found.titled(t), "interval")), ""]
    shown = []
    for row in rows:
        cells = [
            text
            for t in found.targets
            for text in (f"{row[t]['mean']:.4g}", f"[{row[t]['lower']:.4g}, {row[t]['upper']:.4g}]")
        ]
        shown.append([row["specimen"], str(row["images"]), *cells, row["note"]])
    print_table(head, shown)
    if to is not None:
        console().print(f"wrote {to}", markup=False, soft_wrap=True)
