"""Numbers in the files that a program has written, and what reads them."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.models.program.parsers import Columns, Csv, Hdf5, Json, NoValue, Npy, Npz, Pattern
from scalebridge.models.program.parsers.tables import cells_of, delimiter_in
from scalebridge.models.program.proposals.names import ALONE, identifier
from scalebridge.models.program.results import Parser

_LARGEST = 8 << 20
_SETTING = re.compile(
    rf"^[ \t]*(?P<name>[A-Za-z_][^=:\n]{{0,60}}?)[ \t]*(?P<sign>[=:])[ \t]*(?P<value>{ALONE})", re.MULTILINE
)


# What a program says of itself, not of what it has solved.
_BOOKKEEPING = re.compile(
    r"cpu|time|wall|elapsed|memory|performance|histogram|rank|thread|version|date|step|iter", re.IGNORECASE
)
_CELL = r"[-+.\deE]+"


@dataclass(frozen=True)
class Proposed:
    """A number that may be a result.

    Args:
        name: an identifier.
        parser: what reads it.
        value: in the example.
    """

    name: str
    parser: Parser
    value: float

    @property
    def is_likely(self) -> bool:
        """Whether it looks like something computed: no count in a text, no time taken."""
        is_count = self.value.is_integer() and isinstance(self.parser, Pattern | Columns)
        return not (is_count or _BOOKKEEPING.search(self.name))


def results_in(folder: Path, names: list[str]) -> list[Proposed]:
    """Return the numbers in some files of a folder that a parser finds again."""
    proposed: list[Proposed] = []
    for file in names:
        for name, parser in _candidates(folder, file):
            try:
                value = parser.read(folder)
            except (NoValue, OSError):
                continue
            if value.size == 1:
                unique = identifier(name, [p.name for p in proposed])
                proposed.append(Proposed(unique, parser, float(value.ravel()[0])))
    return proposed


def _candidates(folder: Path, file: str) -> Iterator[tuple[str, Parser]]:
    path, stem = folder / file, Path(file).stem
    kind = path.suffix.lower()
    if kind == ".npy":
        yield stem, Npy(file, _last(_shape(path)))
    elif kind == ".npz":
        yield from _in_npz(path, file)
    elif kind in (".h5", ".hdf5"):
        yield from _in_hdf5(path, file)
    elif path.stat().st_size <= _LARGEST and b"\0" not in (content := path.read_bytes()):
        text = content.decode("utf-8", "replace")
        if kind == ".json":
            yield from _in_json(text, file)
        elif kind == ".csv":
            yield from _in_csv(text, file)
        else:
            yield from _in_text(text, file)


def _in_text(text: str, file: str) -> Iterator[tuple[str, Parser]]:
    seen = set()
    for match in _SETTING.finditer(text):
        words = match["name"].strip()
        if words not in seen:
            seen.add(words)
            # A sign of another code than UTF-8 is one byte.
            spaced = r"[ \t]+".join(re.escape(word).replace("\ufffd", ".") for word in words.split())
            yield words, Pattern(file, rf"^[ \t]*{spaced}[ \t]*{match['sign']}[ \t]*{{number}}")
    if seen:
        yield from _in_tables(text, file)
    else:
        yield from _in_columns(text, file)


def _in_tables(text: str, file: str) -> Iterator[tuple[str, Parser]]:
    """Tables between other lines, as a log has them: a line of headings over lines of as many numbers."""
    lines = [line.split() for line in text.splitlines()]
    seen = set()
    for above, first, second in zip(lines, lines[1:], lines[2:], strict=False):
        n = len(above)
        is_table = n > 1 and len(first) == n == len(second) and all(re.fullmatch(ALONE, c) for c in (*first, *second))
        if is_table and not any(re.fullmatch(ALONE, cell) for cell in above) and tuple(above) not in seen:
            seen.add(tuple(above))
            for k, heading in enumerate(above):
                before = rf"(?:{_CELL}[ \t]+){{{k}}}" if k else ""
                after = rf"(?:[ \t]+{_CELL}){{{n - k - 1}}}" if k < n - 1 else ""
                yield heading, Pattern(file, rf"^[ \t]*{before}{{number}}{after}[ \t\r]*$")


def _in_columns(text: str, file: str) -> Iterator[tuple[str, Parser]]:
    lines = [line.lstrip("#%! ").split() for line in text.splitlines() if line.strip()]
    return _in_table(lines, all, lambda column: Columns(file, column), Path(file).stem)


def _in_csv(text: str, file: str) -> Iterator[tuple[str, Parser]]:
    lines = [line for line in text.splitlines() if line.strip()]
    delimiter = delimiter_in(lines)
    try:
        cells = [cells_of(line, delimiter) for line in lines]
    except csv.Error:
        return iter(())
    return _in_table(cells, any, lambda column: Csv(file, column), Path(file).stem)


def _in_table(
    lines: list[list[str]], which: Callable[[Iterable[bool]], bool], make: Callable[[str | int], Parser], stem: str
) -> Iterator[tuple[str, Parser]]:
    """The columns of a table: by the headings above its first row, where these name each, else by their numbers."""
    rows = [
        i for i, cells in enumerate(lines) if cells and which(re.fullmatch(ALONE, cell) is not None for cell in cells)
    ]
    if not rows:
        return
    heading, width = lines[rows[0] - 1] if rows[0] > 0 else [], len(lines[rows[-1]])
    named = all(heading) and len(heading) == len(set(heading)) == width
    for k in range(width):
        yield (heading[k], make(heading[k])) if named else (f"{stem}_{k}", make(k))


def _in_json(text: str, file: str) -> Iterator[tuple[str, Parser]]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return
    for path in _paths(content, ""):
        yield re.sub(r"\[-?\d+\]", "", path).rpartition(".")[2] or Path(file).stem, Json(file, path)


def _paths(value: Any, way: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if re.fullmatch(r"[^.\[\]]+", key):
                yield from _paths(inner, f"{way}.{key}" if way else key)
    elif isinstance(value, list) and value:
        # Of a history the end is what is asked for.
        yield from _paths(value[-1], f"{way}[-1]")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield way


def _in_npz(path: Path, file: str) -> Iterator[tuple[str, Parser]]:
    try:
        with open(path, "rb") as content, np.load(content, allow_pickle=False) as archive:
            shapes = {key: archive[key].shape for key in archive.files}
    except Exception:  # of any of the libraries behind it: it is no such file
        return
    for key, shape in shapes.items():
        yield key, Npz(file, key, _last(shape))


def _in_hdf5(path: Path, file: str) -> Iterator[tuple[str, Parser]]:
    try:
        import h5py

        shapes: dict[str, tuple[int, ...]] = {}
        with h5py.File(path, "r") as content:
            content.visititems(lambda name, item: shapes.update({name: item.shape}) if hasattr(item, "shape") else None)
    except Exception:  # as above, or without the library
        return
    for name, shape in shapes.items():
        yield name.rpartition("/")[2], Hdf5(file, name, _last(shape))


def _shape(path: Path) -> tuple[int, ...]:
    try:
        return tuple(np.load(path, mmap_mode="r", allow_pickle=False).shape)
    except Exception:  # as above
        return ()


def _last(shape: tuple[int, ...]) -> tuple[int, ...] | None:
    return tuple(-1 for _ in shape) or None
