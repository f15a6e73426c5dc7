"""Tables that function objects write below ``postProcessing``: in every format since 2.x, over several starts.

A row is a time, then numbers, words, or vectors in brackets: ``0.1 (1 2 3) ((1 2 3) (4 5 6)) true``.
"""

from __future__ import annotations

import gzip
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Floats
from scalebridge.simulators.openfoam.time_folders import as_time, case_folder

_HEADING = re.compile(r"\([^()]*\)|[^\s()]+(?:\([^()]*\))*")
_CELL = re.compile(rb"\((?:[^()]|\([^()]*\))*\)|[^\s()]+(?:\([^()]*\))*")
_BRACKETS = bytes.maketrans(b"()", b"  ")
_MISSING = (b"N/A", b"n/a", b"-")
_LONGEST = 1 << 20
# Words that are held as text.
_BLOCK = 1 << 17


@dataclass(frozen=True, eq=False)
class ResultTable:
    """One file as a table.

    Args:
        path: of the file.
        comments: its comment lines without ``#``, before the first row.
        headings: of the columns, as they are written; the first is that of the time.
        time: ``[n]``.
        columns: per heading but the first, numbers ``[n, k]`` or words ``[n]``.
    """

    path: Path
    comments: tuple[str, ...]
    headings: tuple[str, ...]
    time: Floats
    columns: tuple[NDArray[Any], ...]

    def rows(self, which: NDArray[np.bool_]) -> ResultTable:
        """The rows of a mask."""
        return replace(self, time=self.time[which], columns=tuple(column[which] for column in self.columns))

    @property
    def numbers(self) -> Floats:
        """All columns of numbers side by side ``[n, k]``."""
        parts = [column for column in self.columns if column.dtype.kind == "f"]
        return np.concatenate(parts, axis=1) if parts else np.zeros((len(self.time), 0))


def merged_table(case: str | os.PathLike[str], name: str, files: tuple[str, ...] = ()) -> ResultTable:
    """Read the table of a function object over all starts of a run; where starts overlap in time, the later counts.

    Args:
        case: its folder.
        name: of the function object.
        files: names to look for, without ``.dat``, the first that is there counts; none: the only table there.

    Raises:
        InputError: no such function object or file; a damaged file; starts whose tables have different columns.
    """
    paths = table_files(case, name, files)
    whole: ResultTable | None = None
    for path in paths:
        table = read_result_table(path)
        if whole is None or not len(whole.time):
            whole = table
        elif len(table.time):
            whole = _joined(whole, table)
    if whole is None or not len(whole.time):
        raise InputError(f"The file '{paths[-1]}' is damaged: it has no row after its heading; run the case.")
    return whole


def table_files(case: str | os.PathLike[str], name: str, files: tuple[str, ...] = ()) -> list[Path]:
    """Paths of a function object's table, the earliest start first."""
    starts = start_folders(case, name)
    known = table_names(case, name)
    wanted = next((stem for stem in files if stem in known), None)
    if wanted is None and not files and len(known) == 1:
        wanted = known[0]
    if wanted is None:
        sought = (
            f" '{files[0]}'{did_you_mean(files[0], known)}" if files else f" of its own: {', '.join(known)}; name one."
        )
        raise InputError(f"The function object '{name}' of '{case}' has no one table{sought}")
    # A second run from the same time writes 'force_0.02.dat' beside the 'force.dat' that it finds.
    found: list[tuple[float, int, Path]] = []
    for seconds, folder in starts:
        for path in folder.iterdir():
            if path.is_file() and _stem(path) == wanted:
                found.append((seconds, len(path.name), path))
    return [path for _, _, path in sorted(found)]


def table_names(case: str | os.PathLike[str], name: str) -> list[str]:
    """Names of the tables that a function object wrote, without ``.dat``."""
    return sorted({stem for _, folder in start_folders(case, name) for stem in _stems(folder)})


def start_folders(case: str | os.PathLike[str], name: str) -> list[tuple[float, Path]]:
    """Start time and folder of each run that a function object wrote in, ascending."""
    root = case_folder(case) / "postProcessing"
    found = _starts(root / name)
    if found:
        return found
    if not root.is_dir():
        raise InputError(
            f"The case '{case}' has no folder postProcessing; add function objects to controlDict and run it."
        )
    # Some write below a folder of their kind: 'sets/streamlines'.
    folders = (path for pattern in ("*", "*/*") for path in root.glob(pattern) if _starts(path))
    known = sorted(path.relative_to(root).as_posix() for path in folders)
    raise InputError(f"The case '{case}' has no results of a function object '{name}'{did_you_mean(name, known)}")


def _starts(folder: Path) -> list[tuple[float, Path]]:
    """Time and folder of each run that wrote in a folder, ascending; empty where it is no folder or holds none."""
    folders = [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    starts = [(as_time(path.name), path) for path in folders]
    return sorted((seconds, path) for seconds, path in starts if seconds is not None)


def _stem(path: Path) -> str:
    name = path.name.removesuffix(".gz").removesuffix(".dat")
    head, _, tail = name.rpartition("_")
    return head if head and as_time(tail) is not None else name


def _stems(folder: Path) -> set[str]:
    return {_stem(path) for path in folder.iterdir() if path.is_file()}


def _joined(earlier: ResultTable, later: ResultTable) -> ResultTable:
    shapes = [[column.shape[1:] for column in table.columns] for table in (earlier, later)]
    if earlier.headings != later.headings or shapes[0] != shapes[1]:
        raise InputError(
            f"The file '{later.path}' has other columns than '{earlier.path}', which it goes on from; remove the one "
            "that is not of this run."
        )
    kept = earlier.rows(earlier.time < later.time[0])
    columns = tuple(np.concatenate(pair) for pair in zip(kept.columns, later.columns, strict=True))
    return replace(later, comments=earlier.comments, time=np.concatenate([kept.time, later.time]), columns=columns)


def read_result_table(path: Path) -> ResultTable:
    """Read one table, row by row.

    Raises:
        InputError: it is missing or damaged; the sentence names the line.
    """
    comments: list[str] = []
    rows: _Rows | None = None
    for number, line in lines_of(path):
        if line.startswith(b"#"):
            if rows is None:
                comments.append(line[1:].decode(errors="replace").rstrip("\n"))
            continue
        if not line.strip():
            continue
        if rows is None:
            rows = _Rows(path, number, line)
        rows.add(number, line)
    time, columns = (np.zeros(0), ()) if rows is None else rows.finished()
    headings = _headings(comments, len(columns))
    return ResultTable(path, tuple(comments), headings, time, columns)


def lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number and text of every line; a line that is too long, or a last one that does not end, is refused."""
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            number = 0
            while line := file.readline(_LONGEST):
                number += 1
                if not line.endswith(b"\n"):
                    short = len(line) < _LONGEST
                    damaged(path, number, "the file ends within the line" if short else "the line is longer than 1 MiB")
                yield number, line
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"The file '{path}' is damaged: it cannot be unpacked ({error}); write it again.") from None
    except OSError as error:
        raise InputError(f"The file '{path}' cannot be read ({error.strerror}).") from None


def damaged(path: Path, line: int, problem: str) -> NoReturn:
    """Raise the sentence of a damaged table."""
    raise InputError(f"The file '{path}' is damaged at line {line}: {problem}; run the case again, or remove the line.")


def _headings(comments: list[str], n_columns: int) -> tuple[str, ...]:
    """The headings of the last comment line that begins with the time."""
    for line in reversed(comments):
        words = _HEADING.findall(line)
        if words and words[0].lower() in ("time", "iteration", "iter"):
            return tuple(words)
    return ("Time", *(f"column_{i + 1}" for i in range(n_columns)))


class _Rows:
    """Rows that look like the first one, gathered in blocks."""

    def __init__(self, path: Path, number: int, line: bytes) -> None:
        self.path = path
        self.words: list[tuple[int, list[bytes]]] = []
        cells = _CELL.findall(line)
        self.widths = [len(_inside(cell)) for cell in cells]
        self.brackets = line.count(b"("), line.count(b")")
        self.is_text = [not c.startswith(b"(") and not _is_number(c) and c not in _MISSING for c in cells]
        self.total = sum(self.widths)
        if not cells or self.is_text[0] or self.widths[0] != 1 or 0 in self.widths:
            damaged(path, number, "a time and the values at it must stand there")
        self.blocks: list[list[NDArray[Any]]] = []

    def add(self, number: int, line: bytes) -> None:
        """Take one row."""
        if any(self.is_text):
            # A word may have brackets of its own: 'mag(U)'.
            words = [word for cell in _CELL.findall(line) for word in _inside(cell)]
            fits = len(words) == self.total
        else:
            words = line.translate(_BRACKETS).split()
            fits = len(words) == self.total and (line.count(b"("), line.count(b")")) == self.brackets
        if not fits:
            damaged(self.path, number, f"{len(words)} values stand there, and {self.total} in the rows above")
        self.words.append((number, words))
        if len(self.words) * self.total >= _BLOCK:
            self._flush()

    def finished(self) -> tuple[Floats, tuple[NDArray[Any], ...]]:
        """Time ``[n]`` and columns."""
        self._flush()
        whole = [np.concatenate(parts) for parts in zip(*self.blocks, strict=True)]
        return whole[0][:, 0], tuple(whole[1:])

    def _flush(self) -> None:
        if not self.words:
            return
        columns: list[NDArray[Any]] = []
        first, at, numbers = 0, 0, self._numbers()
        for width, text in zip(self.widths, self.is_text, strict=True):
            if text:
                columns.append(np.array([words[first].decode(errors="replace") for _, words in self.words]))
            else:
                columns.append(numbers[:, at : at + width])
                at += width
            first += width
        lost = np.flatnonzero(~np.isfinite(columns[0][:, 0]))
        if len(lost):
            damaged(self.path, self.words[lost[0]][0], "the time is no finite number")
        self.blocks.append(columns)
        self.words = []

    def _numbers(self) -> Floats:
        """All columns but those of words ``[rows, k]``."""
        text = {sum(self.widths[:i]) for i, is_text in enumerate(self.is_text) if is_text}
        rows = [w if not text else [x for i, x in enumerate(w) if i not in text] for _, w in self.words]
        try:
            found = np.fromstring(b"\n".join(b" ".join(row) for row in rows), sep=" ")
        except (ValueError, DeprecationWarning):
            found = np.zeros(0)
        if found.size != len(rows) * len(rows[0]):
            # Gaps, or damage: word by word.
            numbers = [n for n, _ in self.words]
            found = np.array([self._number(n, word) for n, row in zip(numbers, rows, strict=True) for word in row])
        return found.reshape(len(rows), -1)

    def _number(self, line: int, word: bytes) -> float:
        if word in _MISSING:
            return float("nan")
        if not _is_number(word):
            damaged(self.path, line, f"'{word[:40].decode(errors='replace')}' is no number")
        return float(word)


def _inside(cell: bytes) -> list[bytes]:
    """The numbers of a vector, or the word itself."""
    return cell.translate(_BRACKETS).split() if cell.startswith(b"(") else [cell]


def _is_number(word: bytes) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return b"_" not in word
