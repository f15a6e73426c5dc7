"""Properties of what new images show, by a fit that was saved."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.data import Dataset
from scalebridge.errors import InfrastructureError, InputError
from scalebridge.models import Surrogate
from scalebridge.quantities import Floats
from scalebridge.studies.properties.describing import described
from scalebridge.studies.properties.encoding import encode
from scalebridge.studies.properties.identifiers import identified
from scalebridge.studies.properties.specimens import column_named, image_files, labels

Progress = Callable[[str, float], None]
ALARM = 0.05
"""Share of specimens like those learned from that is called unlike them; more where there are few to compare with."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """Properties of new specimens.

    Args:
        specimens: names ``[n]``.
        images: how many of each ``[n]``.
        targets: names of the properties, with units.
        mean, lower, upper: of each target by name ``[n]``.
        notes: of each specimen ``[n]``: what is unlike those that were learned from.
        level: of the intervals.
    """

    specimens: tuple[str, ...]
    images: tuple[int, ...]
    targets: Mapping[str, str]
    mean: Mapping[str, Floats]
    lower: Mapping[str, Floats]
    upper: Mapping[str, Floats]
    notes: tuple[str, ...]
    level: float

    def titled(self, target: str) -> str:
        """A target with its unit."""
        unit = self.targets[target]
        return target if unit == "1" else f"{target} [{unit}]"

    def rows(self) -> list[dict[str, Any]]:
        """One mapping for each specimen."""
        return [
            {
                "specimen": name,
                "images": self.images[k],
                **{
                    t: {
                        "mean": float(self.mean[t][k]),
                        "lower": float(self.lower[t][k]),
                        "upper": float(self.upper[t][k]),
                    }
                    for t in self.targets
                },
                "note": self.notes[k],
            }
            for k, name in enumerate(self.specimens)
        ]

    def to_csv(self, path: str | Path) -> None:
        """Write one row for each specimen.

        Raises:
            InfrastructureError: the file cannot be written.
        """
        heads = [f"{self.titled(t)}{tail}" for t in self.targets for tail in ("", " lower", " upper")]
        try:
            with Path(path).open("w", newline="", encoding="utf-8") as file:
                table = csv.writer(file)
                table.writerow(["specimen", "images", *heads, "note"])
                for row in self.rows():
                    values = [f"{row[t][k]:.8g}" for t in self.targets for k in ("mean", "lower", "upper")]
                    table.writerow([row["specimen"], row["images"], *values, row["note"]])
        except OSError as error:
            raise InfrastructureError(f"'{path}' cannot be written: {error.strerror}.") from error


def predict_properties(
    directory: str | Path,
    images: str | Path,
    *,
    table: str | Path | Dataset | None = None,
    pattern: str | None = None,
    progress: Progress | None = None,
) -> Predictions:
    """Predict the properties of the specimens that images show.

    Images in one folder below ``images`` are of one specimen; without folders each image is one by itself, unless a
    pattern finds the specimen in its name.

    Args:
        directory: where a fit was saved.
        images: folder of new images, taken as those that were learned from.
        table: of the new specimens, where the fit goes by columns of one; joined by the identifier of the fit.
        pattern: regular expression with one group that finds the specimen in the path of an image.
        progress: called with what is being done and the share of the work that is behind.

    Raises:
        InputError: no fit there, columns of a table that are not given, or images that cannot be trusted.
    """
    from scalebridge.learn import load
    from scalebridge.reports.properties import load_figures

    place, folder, tell = Path(directory), Path(images), progress or (lambda _words, _share: None)
    record = load_figures(place)
    paths = image_files(folder)
    columns = [c["name"] for c in record["features"]["columns"]]
    beside = _beside(record, table)
    of = identified(paths, folder, pattern)
    _refuse_unknown(beside, set(of.values()), record)
    values = _values(paths, record, place, tell)
    names = sorted(set(of.values()))
    rows = [[{**values[p], **beside.get(name, {})} for p in paths if of[p] == name] for name in names]
    x = np.array([_mean(row, columns) for row in rows])
    lost = ~np.isfinite(x)
    x = np.where(lost, [c["median"] for c in record["features"]["columns"]], x)
    surrogates = {t["name"]: load(place / "surrogates" / f"{t['name']}.zip") for t in record["targets"]}
    told = {name: _told(s, x, columns, record["level"]) for name, s in surrogates.items()}
    tell("done", 1.0)
    return Predictions(
        tuple(names),
        tuple(sum(1 for p in paths if of[p] == name) for name in names),
        {t["name"]: t["unit"] for t in record["targets"]},
        {name: parts[0] for name, parts in told.items()},
        {name: parts[1] for name, parts in told.items()},
        {name: parts[2] for name, parts in told.items()},
        _notes(x, lost, columns, surrogates, [len(row) for row in rows], record["features"]["least_images"]),
        record["level"],
    )


def _beside(record: Mapping[str, Any], table: str | Path | Dataset | None) -> dict[str, dict[str, float]]:
    """Columns of a table that the fit goes by, for each specimen; none where it goes by images alone."""
    from scalebridge.data import read

    units = {c["name"]: c["unit"] for c in record["features"]["columns"] if c["kind"] == "table"}
    if not units:
        return {}
    if table is None:
        raise InputError(
            f"The fit goes by the columns {', '.join(units)} of a table too; give --table with them and the column "
            f"'{record['by']}' for the new specimens."
        )
    known = table if isinstance(table, Dataset) else read(table)
    named = {name: column_named(known, name) for name in units}
    stated = {named[name]: unit for name, unit in units.items() if known.space[named[name]].unit != "1"}
    known = known.in_units(stated) if stated else known
    by = labels(known, column_named(known, record["by"]))
    return {label: {name: float(known[named[name]][row]) for name in units} for row, label in enumerate(by)}


def _refuse_unknown(beside: Mapping[str, Any], names: set[str], record: Mapping[str, Any]) -> None:
    unknown = sorted(names - set(beside)) if beside else []
    if unknown:
        raise InputError(
            f"The table has no row with {record['by']} '{unknown[0]}' for its images; give each new specimen a row."
        )


def _values(paths: list[Path], record: Mapping[str, Any], place: Path, tell: Progress) -> dict[Path, dict[str, float]]:
    columns, options = record["features"]["columns"], record["options"]
    values: dict[Path, dict[str, float]] = {path: {} for path in paths}
    if any(c["kind"] == "descriptor" for c in columns):
        found = described(
            paths,
            options["pixel size"],
            None,
            1,
            lambda done, all_: tell(f"describing image {done} of {all_}", done / all_),
        )
        for path, one in found.items():
            values[path] |= one.values
    if any(c["kind"] == "cnn" for c in columns):
        for path, numbers in encode(paths, place, record["encoding"]).items():
            values[path] |= numbers
    return values


def _mean(rows: list[dict[str, float]], columns: list[str]) -> list[float]:
    known = [[row[c] for row in rows if np.isfinite(row.get(c, np.nan))] for c in columns]
    return [float(np.mean(k)) if k else np.nan for k in known]


def _told(surrogate: Surrogate, x: Floats, columns: list[str], level: float) -> tuple[Floats, Floats, Floats]:
    own = x[:, [columns.index(name) for name in surrogate.inputs.names]]
    posterior = surrogate.posterior(own)
    return posterior.mean[:, 0], posterior.quantile((1 - level) / 2)[:, 0], posterior.quantile((1 + level) / 2)[:, 0]


def _notes(
    x: Floats, lost: Any, columns: list[str], surrogates: Mapping[str, Surrogate], counts: list[int], least: int
) -> tuple[str, ...]:
    """What is said of each specimen: unlike what was seen, fewer images than there were, features that it lacks."""
    from scalebridge.learn import Novelty

    unlike = np.zeros(len(x), dtype=bool)
    for surrogate in surrogates.values():
        own = [columns.index(name) for name in surrogate.inputs.names]
        seen = surrogate.data[0]
        unlike |= ~Novelty("nearest", alarms=max(ALARM, 2 / len(seen))).fit(seen).contains(x[:, own])
    told = []
    for k in range(len(x)):
        parts = ["unlike the images that were learned from: the interval promises nothing"] if unlike[k] else []
        if counts[k] < least:
            parts.append(f"{counts[k]} of at least {least} images that were averaged: the interval is too narrow")
        if lost[k].any():
            parts.append(f"lacks {int(lost[k].sum())} features")
        told.append("; ".join(parts))
    return tuple(told)
