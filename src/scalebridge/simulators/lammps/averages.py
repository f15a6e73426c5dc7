"""Files of ``fix ave/time``, ``ave/chunk``, ``ave/histo`` and ``ave/correlate``: rows, or blocks of rows per step.

Source: LAMMPS documentation of these commands.
"""

from __future__ import annotations

import math
import os
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.dataset import Dataset
from scalebridge.data.source import Source
from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Floats
from scalebridge.simulators.lammps.text_files import MOST_NUMBERS, check_kept, lines_of, opened_text, text_of
from scalebridge.simulators.lammps.thermo import columns_space, identifiers, kind_of

_MOST_COLUMNS = 10_000
MOST_BLOCKS = 200_000


@dataclass(frozen=True, eq=False)
class Averages:
    """A file of averages.

    Attributes:
        path: of the file.
        title: its first line.
        texts: headers of the columns of a row.
        blocks: ``[n, k]`` each, one per step that was written; a file without blocks has one.
        heads: of each block, by header: the step, the number of rows, counts.
        remark: what was left out, in words; ``""`` where nothing was.
    """

    path: str
    title: str
    texts: tuple[str, ...]
    blocks: tuple[NDArray[np.float64], ...]
    heads: tuple[Mapping[str, float], ...]
    remark: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Identifiers of the columns."""
        return identifiers(self.texts)

    def __len__(self) -> int:
        return len(self.blocks)

    def column(self, name: str, block: int = -1) -> Floats:
        """A column ``[n]`` of a block, the last by default, by its header or identifier.

        Raises:
            InputError: no such column or block.
        """
        values = self.block(block)
        for words in (self.texts, self.names):
            if name in words:
                return np.asarray(values[:, words.index(name)])
        raise InputError(f"The averages '{self.path}' have no column '{name}'{did_you_mean(name, self.texts)}")

    def block(self, which: int = -1) -> NDArray[np.float64]:
        """A block ``[n, k]`` by its number, from 0 or from the end.

        Raises:
            InputError: no such block.
        """
        if not -len(self.blocks) <= which < len(self.blocks):
            raise InputError(f"The averages '{self.path}' have {len(self.blocks)} blocks and no block {which}.")
        return self.blocks[which]

    def dataset(self, block: int = -1, *, style: str | None = None, units: Mapping[str, str] | None = None) -> Dataset:
        """A block as a `Dataset`, the last by default.

        Args:
            block: its number.
            style: LAMMPS' style of units, which averages do not tell.
            units: of columns that the style does not tell.

        Raises:
            InputError, UnitError: no such block or column, a unit that is not known.
        """
        values = self.block(block)
        kinds = [kind_of(text.removeprefix("c_thermo_").capitalize(), {}, {}) for text in self.texts]
        owner = f"The averages '{self.path}'"
        space, unstated = columns_space(self.texts, kinds, style, units, owner)
        columns = {name: values[:, k] for k, name in enumerate(space.names)}
        source = Source(reader="LAMMPS averages", notes=(self.remark,) if self.remark else (), unstated=unstated)
        return Dataset(space, columns, Path(self.path).name, source=source)


@dataclass
class _Growing:
    """A file as it is read."""

    comments: list[str] = field(default_factory=list)
    heads: list[list[float]] = field(default_factory=list)
    rows: list[array[float]] = field(default_factory=list)
    width: int = 0
    n_numbers: int = 0
    missing: int = 0
    remark: str = ""


def read_averages(path: str | os.PathLike[str]) -> Averages:
    """Read what ``fix ave/time``, ``ave/chunk``, ``ave/histo`` or ``ave/correlate`` wrote, scalars or blocks.

    A last block that is cut off is left out, and ``remark`` says so.

    Raises:
        InputError: no such file, none of these, a row that is damaged.
    """
    shown = os.fspath(path)
    owner = f"The averages '{shown}'"
    made = _Growing()
    with opened_text(shown, "averages") as stream:
        for number, raw in lines_of(stream, owner):
            if text := text_of(raw):
                _line(made, text, raw.endswith(b"\n"), f"{owner}, line {number},")
    if made.missing:
        made.remark = f"The block of step {made.heads[-1][0]:.0f} is cut off and was left out."
        made.rows.pop()
        made.heads.pop()
    if not made.rows or not made.comments:
        raise InputError(
            f"{owner} hold no block under comments that say its columns; give a file of fix ave/time, ave/chunk, "
            f"ave/histo or ave/correlate. {made.remark}".strip()
        )
    return _assembled(made, shown)


def _line(made: _Growing, text: str, whole: bool, owner: str) -> None:
    if text.startswith("#"):
        _comment(made, text[1:].strip(), owner)
        return
    if text in ("---", "...") or text.startswith("keywords:"):
        raise InputError(f"{owner} is YAML, which is not read; write the averages to a file not named .yaml.")
    numbers = _numbers(text, whole, owner)
    if numbers is None:
        made.remark = "The last row is cut off and was left out."
    elif made.missing:
        _row(made, numbers, owner)
        made.missing -= 1
    elif _has_blocks(made):
        _head(made, numbers, owner)
    else:
        if not made.rows:
            made.heads.append([])
            made.rows.append(array("d"))
        _row(made, numbers, owner)


def _comment(made: _Growing, text: str, owner: str) -> None:
    """A header; or the step of a block of ``ave/correlate/long``."""
    if text.startswith("Timestep:") and text.split()[-1].isdigit() and len(text) < 40:
        made.heads.append([float(text.split()[-1])])
        made.rows.append(array("d"))
        check_kept(len(made.rows), MOST_BLOCKS, "blocks", owner)
    elif not made.rows and len(made.comments) < 3:
        made.comments.append(text)
    elif made.rows and text not in made.comments and _is_header(made, text):
        raise InputError(
            f"{owner} has the columns '{text[:60]}' where the file began with '{made.comments[-1][:60]}'; it is two "
            "files in one: split it there."
        )


def _is_header(made: _Growing, text: str) -> bool:
    """Whether a later comment says columns anew: it begins as a header of the file does."""
    return any(text.split()[:1] == header.split()[:1] for header in made.comments[1:])


def _has_blocks(made: _Growing) -> bool:
    """By three comments, or by two of which the first says what begins a block (a title may be left empty)."""
    return len(made.comments) >= 3 or (len(made.comments) == 2 and " Number-of-" in made.comments[0])


def _head(made: _Growing, numbers: list[float], owner: str) -> None:
    n = numbers[1] if len(numbers) > 1 else -1
    if not (0 <= n <= 1e9 and n == int(n) and all(map(math.isfinite, numbers))):
        raise InputError(f"{owner} must say a step and the number of rows that follow; it is damaged there.")
    made.heads.append(numbers)
    made.rows.append(array("d"))
    made.missing = int(n)
    check_kept(len(made.rows), MOST_BLOCKS, "blocks", owner)


def _row(made: _Growing, numbers: list[float], owner: str) -> None:
    made.width = made.width or len(numbers)
    if len(numbers) != made.width:
        raise InputError(f"{owner} has {len(numbers)} columns where {made.width} stood before; it is damaged there.")
    made.rows[-1].extend(numbers)
    made.n_numbers += len(numbers)
    check_kept(made.n_numbers, MOST_NUMBERS, "numbers", owner)


def _numbers(text: str, whole: bool, owner: str) -> list[float] | None:
    words = text.split()
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        if not whole:
            return None
        raise InputError(
            f"{owner} holds '{text[:40]}' where numbers must stand; it is no file of averages, or damaged there."
        ) from None
    if len(numbers) > _MOST_COLUMNS:
        raise InputError(f"{owner} has {len(numbers)} columns, more than any file of averages; it is damaged.")
    return numbers if whole else None


def _assembled(made: _Growing, path: str) -> Averages:
    width = made.width
    blocks = []
    for rows in made.rows:
        values = np.frombuffer(rows, dtype=np.float64).reshape(-1, width) if width else np.zeros((0, 0))
        values.flags.writeable = False
        blocks.append(values)
    head_words = made.comments[-2].split() if _has_blocks(made) else ["Timestep"]
    return Averages(
        path=path,
        title=made.comments[0],
        texts=_headers(made.comments[-1].split(), width),
        blocks=tuple(blocks),
        heads=tuple(_named(head_words, head) for head in made.heads),
        remark=made.remark,
    )


def _headers(words: Sequence[str], width: int) -> tuple[str, ...]:
    """The words of the last comment, where they are as many as the columns (a user may give a title of his own)."""
    return tuple(words) if len(words) == width else tuple(f"column_{k + 1}" for k in range(width))


def _named(words: Sequence[str], numbers: Sequence[float]) -> dict[str, float]:
    return dict(zip(_headers(words, len(numbers)), numbers, strict=True))
