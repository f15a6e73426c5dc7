"""Images to numbers: descriptors, features of a network, and columns of the table that a specimen comes with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import scalebridge
from scalebridge.errors import InputError
from scalebridge.studies.properties.describing import columns_of, described
from scalebridge.studies.properties.encoding import STEPS, Encoded, encoded
from scalebridge.studies.properties.features import Column, FeatureTable, averaged
from scalebridge.studies.properties.specimens import Specimens

if TYPE_CHECKING:
    from scalebridge.studies.properties.run import Asked

KINDS = ("descriptors", "cnn", "both")
MOST_NOTES = 6
Progress = Callable[[str, float], None]


def number_images(
    specimens: Specimens, asked: Asked, kept: Path | None, tell: Progress
) -> tuple[FeatureTable, Encoded | None]:
    """Numbers of every specimen, and the network where one was used.

    Raises:
        InputError: an image that cannot be trusted; images that all give the same numbers; gaps in columns used.
    """
    paths = specimens.paths
    by_image: dict[Path, dict[str, float]] = {path: {} for path in paths}
    columns: list[Column] = []
    notes: list[str] = []
    if asked.features != "cnn":

        def told(done: int, count: int) -> None:
            tell(f"describing image {done} of {count}", 0.3 * done / count)

        found = described(paths, asked.pixel_size, kept, asked.workers, told)
        for path, one in found.items():
            by_image[path] |= one.values
        columns += columns_of(found.values())
        notes += _common({path.name: one.notes for path, one in found.items()})
    network = None
    if asked.features != "descriptors":
        network = _encoded(specimens, asked, kept, tell)
        for path, values in network.values.items():
            by_image[path] |= values
        columns += network.columns
        notes.append(network.words)
    table = averaged({name: [by_image[p] for p in files] for name, files in specimens.matched.images.items()}, columns)
    return replace(_with_inputs(table, specimens, asked), notes=(*notes, *table.notes)), network


def _encoded(specimens: Specimens, asked: Asked, kept: Path | None, tell: Progress) -> Encoded:
    key = hashlib.sha256(f"{specimens.images_digest()} {asked.seed} {STEPS} {scalebridge.__version__}".encode())
    file = None if kept is None else kept / f"encoder-{key.hexdigest()[:16]}.npz"
    tell("features of a network", 0.3)
    return encoded(
        specimens.paths, asked.weights, asked.seed, file, lambda words, share: tell(words, 0.3 + 0.2 * share)
    )


def _common(notes: dict[str, tuple[str, ...]]) -> list[str]:
    """Each note once, with the images it is about where these are not all."""
    about: dict[str, list[str]] = {}
    for name, sentences in notes.items():
        for sentence in sentences:
            about.setdefault(sentence, []).append(name)
    told = []
    for sentence, names in sorted(about.items(), key=lambda item: -len(item[1])):
        where = "" if len(names) == len(notes) else f" ({len(names)} of {len(notes)} images, {names[0]} the first)"
        told.append(f"{sentence}{where}")
    return told[:MOST_NOTES]


def _with_inputs(table: FeatureTable, specimens: Specimens, asked: Asked) -> FeatureTable:
    """The table with the columns that a specimen comes with."""
    if not asked.inputs:
        return table
    extra = np.stack([specimens.numbers(name) for name in asked.inputs], axis=1)
    gaps = np.argwhere(~np.isfinite(extra))
    if len(gaps):
        row, column = gaps[0]
        raise InputError(
            f"The column '{asked.inputs[column]}' of '{specimens.table.name}' is empty for '{specimens.names[row]}', "
            "and is to be predicted from; fill it, leave the specimen out, or predict without this column."
        )
    space = specimens.table.space
    made = [Column(n, space[n].unit, space[n].description or "column of the table", "table") for n in asked.inputs]
    return replace(
        table,
        columns=(*table.columns, *made),
        values=np.concatenate([table.values, extra], axis=1),
        within=np.concatenate([table.within, np.full(len(made), np.nan)]),
    )
