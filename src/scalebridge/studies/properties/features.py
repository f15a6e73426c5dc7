"""Numbers that speak for an image: descriptors and features of a network, averaged over the images of a specimen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.quantities import Floats, Space, Variable

ALIKE = 0.995
"""Correlation from which a column is a copy of an earlier one."""


@dataclass(frozen=True)
class Column:
    """One feature.

    Args:
        name: an identifier.
        unit: of its values.
        meaning: in a sentence for people.
        kind: ``"descriptor"``, ``"cnn"`` or ``"table"``.
    """

    name: str
    unit: str
    meaning: str
    kind: str


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Features by specimen.

    Args:
        specimens: identifiers ``[n]``.
        columns: the features ``[k]``.
        values: mean over a specimen's images ``[n, k]``.
        within: deviation between images of one specimen, pooled ``[k]``; NaN where each has one image.
        counts: images of each specimen ``[n]``.
        notes: what was left out and why, in sentences.
    """

    specimens: tuple[str, ...]
    columns: tuple[Column, ...]
    values: Floats
    within: Floats
    counts: NDArray[np.int64]
    notes: tuple[str, ...] = ()

    @property
    def space(self) -> Space:
        """The features as inputs of a learner."""
        return Space([Variable(c.name, c.unit, description=c.meaning) for c in self.columns])

    def sets(self) -> dict[str, NDArray[np.int64]]:
        """Columns by the name of the set that learners are given: each kind alone, and all of them."""
        kinds = [c.kind for c in self.columns]
        base = [k for k, kind in enumerate(kinds) if kind == "table"]
        words = {"descriptor": "descriptors", "cnn": "CNN"}
        made = {
            words[kind]: np.array([k for k, own in enumerate(kinds) if own == kind] + base)
            for kind in words
            if kind in kinds
        }
        if len(made) > 1:
            made["both"] = np.arange(len(kinds))
        return made or {"table": np.array(base)}


def averaged(
    images: Mapping[str, Sequence[Mapping[str, float]]], columns: Sequence[Column], least: float = 0.9
) -> FeatureTable:
    """Average over images, and leave out what is of no use to a learner.

    A feature that an image does not have (a distance between fibres where there is none) is averaged over the others of
    the specimen; one that too few specimens have, one that never changes, and one that copies another are left out.

    Args:
        images: features of each image of each specimen.
        columns: what they are.
        least: share of the specimens that must have a feature.

    Raises:
        InputError: nothing is left.
    """
    specimens = tuple(images)
    cube = [
        np.array([[i.get(c.name, np.nan) for c in columns] for i in images[s]], dtype=np.float64) for s in specimens
    ]
    values, within = _means(cube)
    known = np.isfinite(values).mean(axis=0)
    keep, notes = known >= least, []
    few = [c.name for c, share in zip(columns, known, strict=True) if 0 < share < least]
    if few:
        notes.append(f"Left out, for too few specimens have them: {', '.join(few)}.")
    rows = np.isfinite(values[:, keep]).all(axis=1)
    gaps = int((~np.isfinite(values[:, keep])).sum())
    if gaps:
        # The median says least where a feature is missing.
        values = np.where(np.isfinite(values), values, _medians(values))
        notes.append(f"{gaps} values of {int((~rows).sum())} specimens that lack a feature were set to its median.")
    constant = keep & (_spread(values) == 0)
    copies = _copies(values, keep & ~constant, columns)
    if copies:
        listed = ", ".join(f"{a} ({b})" for a, b in copies.items())
        notes.append(f"Left out, for they follow another one all but exactly: {listed}.")
    chosen = [k for k, c in enumerate(columns) if keep[k] and not constant[k] and c.name not in copies]
    if not chosen:
        raise InputError(
            f"No feature changes over the images of {len(specimens)} specimens; are they all the same picture?"
        )
    return FeatureTable(
        specimens,
        tuple(columns[k] for k in chosen),
        values[:, chosen],
        within[chosen],
        np.array([len(images[s]) for s in specimens]),
        tuple(notes),
    )


def _means(cube: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Mean of each specimen ``[n, k]`` and the pooled deviation within specimens ``[k]``."""
    values, squares, freedom = [], [], []
    for block in cube:
        there = np.isfinite(block)
        count = there.sum(axis=0)
        mean = np.where(there, block, 0.0).sum(axis=0) / np.where(count > 0, count, 1)
        values.append(np.where(count > 0, mean, np.nan))
        squares.append((np.where(there, block - mean, 0.0) ** 2).sum(axis=0))
        freedom.append(np.maximum(count - 1, 0))
    total = np.sum(freedom, axis=0)
    within = np.where(total > 0, np.sqrt(np.sum(squares, axis=0) / np.where(total > 0, total, 1)), np.nan)
    return np.array(values), within


def _medians(values: Floats) -> Floats:
    return np.array([np.median(c[np.isfinite(c)]) if np.isfinite(c).any() else np.nan for c in values.T])


def _spread(values: Floats) -> Floats:
    spread: Floats = np.ptp(values, axis=0)
    return np.where(spread > 1e-12 * np.abs(values).max(axis=0), spread, 0.0)


def _copies(values: Floats, keep: NDArray[np.bool_], columns: Sequence[Column]) -> dict[str, str]:
    """Names of descriptors that follow an earlier one, with its name; features of networks are left as they are."""
    found: dict[str, str] = {}
    index = [int(k) for k in np.flatnonzero(keep) if columns[int(k)].kind == "descriptor"]
    if len(index) < 2:
        return found
    together = np.abs(np.corrcoef(values[:, index].T))
    for j in range(1, len(index)):
        for i in range(j):
            if together[i, j] > ALIKE and columns[index[i]].name not in found:
                found[columns[index[j]].name] = columns[index[i]].name
                break
    return found
