"""Identifiers of one scale looked up in another: what matches, what does not, and what nearly does.

Nothing is guessed: "S1" is not "S01" until somebody says so, but who writes the one is told of the other.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset

Texts = NDArray[np.str_]
SHOWN = 5
# Above this many unmatched identifiers only normal forms are compared, not every pair of texts.
MOST_COMPARED = 300
ALIKE = str.maketrans("IlOo", "1100")


@dataclass(frozen=True)
class NearMiss:
    """Two identifiers that are not the same, and how they differ."""

    left: str
    right: str
    how: str

    def __str__(self) -> str:
        return f"'{self.left}' and '{self.right}' differ {self.how}"


@dataclass(frozen=True, eq=False)
class Matching:
    """Which rows of two datasets carry the same identifier.

    Attributes:
        left_name: of the dataset of the coarser scale.
        right_name: of that of the finer scale.
        by: the column of identifiers.
        rows: for each row of the right dataset ``[m]`` the row of the left with its identifier, -1 for none.
        left_only: identifiers of the left that no row on the right carries, in order.
        right_only: identifiers on the right that the left does not know.
        repeated: identifiers that stand in several rows of the left, where each should stand once.
        most: rows of the right per identifier, at most.
        near: identifiers without a partner that nearly have one.
    """

    left_name: str
    right_name: str
    by: str
    rows: NDArray[np.int64]
    left_only: tuple[str, ...]
    right_only: tuple[str, ...]
    repeated: tuple[str, ...]
    most: int
    near: tuple[NearMiss, ...]

    @property
    def complete(self) -> bool:
        """Whether every identifier of both sides has its partner, and no row of the left shares one."""
        return not (self.left_only or self.right_only or self.repeated)

    def sentences(self) -> tuple[str, ...]:
        """What does not match, one sentence each; empty where all does."""
        told = []
        if self.left_only:
            told.append(
                f"{len(self.left_only)} identifiers of '{self.left_name}' have no row in '{self.right_name}': "
                f"{listed(self.left_only)}."
            )
        if self.right_only:
            told.append(
                f"{len(self.right_only)} identifiers of '{self.right_name}' are not in '{self.left_name}': "
                f"{listed(self.right_only)}."
            )
        if self.repeated:
            told.append(f"Identifiers stand in several rows of '{self.left_name}': {listed(self.repeated)}.")
        if self.near:
            told.append(f"Nearly the same: {'; '.join(str(n) for n in self.near[:SHOWN])}.")
        return tuple(told)


def match(left: Dataset, right: Dataset, by: str, right_by: str | None = None) -> Matching:
    """Look the identifiers of ``right`` up in ``left``; many rows on the right may carry the same.

    Args:
        left: of the coarser scale, one row per identifier, such as specimens.
        right: of the finer scale, such as images.
        by: the column of identifiers in both.
        right_by: its name on the right, where that differs.

    Raises:
        InputError: no such column, or one that cannot identify.
    """
    mine, other = keys(left, by), keys(right, right_by or by)
    first: dict[str, int] = {}
    repeated: dict[str, None] = {}
    for row, text in enumerate(mine.tolist()):
        if text in first:
            repeated[text] = None
        first.setdefault(text, row)
    first.pop("", None)
    rows = np.array([first.get(text, -1) for text in other.tolist()], dtype=np.int64)
    found = set(other[rows >= 0].tolist())
    left_only = tuple(text for text in first if text not in found)
    right_only = tuple(dict.fromkeys(text or "(a gap)" for text in other[rows < 0].tolist()))
    counts = np.bincount(rows[rows >= 0], minlength=1)
    repeated.pop("", None)
    near = near_misses(left_only, right_only, tuple(first), tuple(dict.fromkeys(other.tolist())))
    if (mine == "").any():
        left_only = (*left_only, "(a gap)")
    return Matching(left.name, right.name, by, rows, left_only, right_only, tuple(repeated), int(counts.max()), near)


def keys(dataset: Dataset, by: str) -> Texts:
    """Identifiers of the rows as text ``[n]``: a category as it is, whole numbers without a decimal point.

    Raises:
        InputError: numbers that are not whole, arrays or images.
    """
    column, variable = dataset[by], dataset.space[by]
    if variable.kind == "category":
        return column
    if variable.kind == "field" or variable.shape != ():
        raise InputError(f"The column '{by}' of '{dataset.name}' holds {variable.kind}s, which identify nothing.")
    known = ~np.isnan(column)
    broken = np.flatnonzero(known & (column != np.floor(column)))
    if len(broken):
        raise InputError(
            f"The column '{by}' of '{dataset.name}' is {column[broken[0]]:g} in row {broken[0] + 1}, which is no "
            "identifier; identify rows by text or whole numbers."
        )
    return np.array([str(int(v)) if k else "" for v, k in zip(column, known, strict=True)], dtype=np.str_)


def near_misses(
    left: tuple[str, ...], right: tuple[str, ...], all_left: tuple[str, ...], all_right: tuple[str, ...]
) -> tuple[NearMiss, ...]:
    """Identifiers without a partner beside those, on the other side, that they nearly are."""
    found = {}
    forms = {normal_form(text): text for text in reversed(all_left) if text}
    for text in right:
        if normal_form(text) in forms:
            partner = forms[normal_form(text)]
            found[partner, text] = NearMiss(partner, text, how_they_differ(partner, text))
    forms = {normal_form(text): text for text in reversed(all_right) if text}
    for text in left:
        if normal_form(text) in forms:
            partner = forms[normal_form(text)]
            found[text, partner] = NearMiss(text, partner, how_they_differ(text, partner))
    if len(left) <= MOST_COMPARED and len(right) <= MOST_COMPARED:
        paired = {text for pair in found for text in pair}
        for text in right:
            close = difflib.get_close_matches(text, [t for t in left if t not in paired], n=1, cutoff=0.85)
            # Identifiers are alike by design: S11 and S12 are two specimens, SI1 and S11 may be one.
            if close and text not in paired and _digits(text) == _digits(close[0]):
                found[close[0], text] = NearMiss(close[0], text, "in a letter")
    return tuple(found.values())


def how_they_differ(a: str, b: str) -> str:
    """Words for the difference between two identifiers of the same form."""
    if a.split() == b.split() or a.replace(" ", "") == b.replace(" ", ""):
        return "in spaces"
    if a.casefold() == b.casefold():
        return "in upper and lower case"
    if _no_zeros(a) == _no_zeros(b):
        return "in leading zeros"
    if re.sub(r"[\W_]", "", a) == re.sub(r"[\W_]", "", b):
        return "in punctuation"
    if a.translate(ALIKE) == b.translate(ALIKE):
        return "in a letter that looks like a digit"
    return "in case, spaces, zeros or punctuation"


def listed(texts: tuple[str, ...]) -> str:
    """The first few texts, and how many more there are."""
    shown = ", ".join(f"'{t}'" for t in texts[:SHOWN])
    return shown if len(texts) <= SHOWN else f"{shown} and {len(texts) - SHOWN} more"


def normal_form(text: str) -> str:
    """What is left of an identifier without case, spaces, punctuation, leading zeros, and letters like digits."""
    text = text.translate(ALIKE)
    return _no_zeros(re.sub(r"[\W_]", "", text.casefold()))


def _no_zeros(text: str) -> str:
    return re.sub(r"(?<!\d)0+(?=\d)", "", text)


def _digits(text: str) -> str:
    return "".join(re.findall(r"\d+", text.translate(ALIKE)))
