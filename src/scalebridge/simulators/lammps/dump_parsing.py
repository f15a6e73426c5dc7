"""Frames of a dump out of its lines."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Floats
from scalebridge.simulators.lammps.boxes import Box, box_from_bounds
from scalebridge.simulators.lammps.line_blocks import LineBlocks
from scalebridge.simulators.lammps.number_blocks import numbers_of
from scalebridge.simulators.lammps.snapshots import Snapshot
from scalebridge.simulators.lammps.unit_styles import UNIT_STYLES

MOST_COLUMNS = 10_000
# Bytes of numbers that one frame may take.
LARGEST_FRAME = 5 * 2**27
LONGEST_WORD = 32
# Rows for which room is made at first where the file's size says nothing.
FIRST_ROWS = 2**16
_AGAIN = b"ITEM: TIMESTEP"
# How dumps of other styles begin.
_OTHER_STYLES = ((rb"---", "yaml"), (rb"\d+\s*$", "xyz"), (rb"Number of particles", "cfg"))


@dataclass
class _Head:
    """What stands before the rows of a frame."""

    step: int | None = None
    count: int | None = None
    box: Box | None = None
    time: float | None = None
    units: str | None = None
    items: list[str] = field(default_factory=list)


class FrameReader:
    """Reads frame after frame.

    Attributes:
        remark: what was left out, in words.
    """

    def __init__(
        self,
        lines: LineBlocks,
        owner: str,
        columns: Sequence[str] | None,
        units: str | None,
        size: int | None,
        compiled: bool,
        sort: bool = False,
    ) -> None:
        self.remark = ""
        self._lines = lines
        self._owner = owner
        self._columns = columns
        self._units = units
        self._size = size
        self._compiled = compiled
        self._sort = sort
        self._text_columns: dict[tuple[str, ...], tuple[str, ...]] = {}

    def frame(self, wanted: bool) -> Snapshot | bool | None:
        """The next frame; ``True`` for one passed over because it is not wanted; ``None`` at the end."""
        while True:
            head, label, names = self._head()
            if label is None:
                return None
            if not wanted:
                done: Snapshot | None = None
                whole = self._pass(head.count or 0)
            else:
                done = self._rows(head, label, names)
                whole = done is not None
            if whole:
                return True if done is None else done
            self._leave_out(head)
            if self._lines.cut or self._ended():
                return None

    def _leave_out(self, head: _Head) -> None:
        self.remark = (
            f"The frame of step {head.step} is cut off at line {self._lines.number} and was left out; "
            "the run was still writing it, or was ended."
        )

    def _ended(self) -> bool:
        part, count = self._lines.block(1)
        self._lines.give_back(part, count)
        return count == 0

    def _head(self) -> tuple[_Head, str | None, tuple[str, ...]]:
        """Items before the rows, what a row is (``None`` at the end of the file), and the columns."""
        head, started = _Head(units=self._units), False
        while (line := self._lines.line()) is not None:
            if not line.strip():
                continue
            started = True
            item = self._item(line)
            label, names = _rows_item(item)
            if label is not None:
                self._check(head, names)
                return head, label, names
            if item == "TIMESTEP" and head.step is not None:
                self._leave_out(head)
                head = _Head(units=self._units)
            self._read_item(head, item)
        if started or self._lines.cut:
            self._leave_out(head)
        return head, None, ()

    def _item(self, line: bytes) -> str:
        if not line.startswith(b"ITEM:"):
            other = next((style for begin, style in _OTHER_STYLES if re.match(begin, line)), None)
            if other is not None and self._lines.number == 1:
                raise InputError(
                    f"{self._owner} looks like one of the style {other}, which is not read; write it by 'dump custom'."
                )
            shown = line[:40].decode("utf-8", "replace")
            raise InputError(
                f"{self._where()} holds '{shown}' where an 'ITEM:' of a frame must begin; this is no LAMMPS dump in "
                "text, or it is damaged there."
            )
        return line[5:].decode("utf-8", "replace").strip()

    def _read_item(self, head: _Head, item: str) -> None:
        """Read the lines that follow one item."""
        head.items.append(item)
        if item == "TIMESTEP":
            head.step = self._whole("time step")
        elif item == "TIME":
            head.time = self._numbers(1)[0]
        elif item == "UNITS":
            said = (self._lines.line() or b"").decode("utf-8", "replace").strip()
            head.units = said if said in UNIT_STYLES else head.units
            self._units = head.units
        elif item.startswith("NUMBER OF "):
            head.count = self._whole("number of rows")
        elif item.startswith("BOX BOUNDS"):
            head.box = self._box(item.split()[2:])
        elif item.startswith("GRID SIZE"):
            cells = math.prod(self._numbers(3).tolist())
            head.count = int(cells) if abs(cells) < 2**62 else 2**62
        elif item.startswith("DIMENSION"):
            self._whole("dimension")
        else:
            raise InputError(f"{self._where()} has the item '{item[:40]}', which no dump has; it is damaged there.")

    def _box(self, words: list[str]) -> Box:
        boundary = tuple(word for word in words if len(word) == 2 and set(word) <= set("pfsm"))
        if words[:2] == ["abc", "origin"]:
            rows = np.array([self._numbers(4) for _ in range(3)])
            return Box(rows[:, 3].copy(), rows[:, :3].copy(), boundary)
        width = 3 if words[:1] == ["xy"] else 2
        rows = np.array([self._numbers(width) for _ in range(3)])
        return box_from_bounds(rows, boundary or ("pp", "pp", "pp"))

    def _check(self, head: _Head, names: tuple[str, ...]) -> None:
        missing = [word for word, value in (("TIMESTEP", head.step), ("NUMBER OF ...", head.count)) if value is None]
        if head.box is None:
            missing.append("BOX BOUNDS")
        if missing:
            raise InputError(
                f"{self._where()} begins rows without the item {' and '.join(missing)} before; it is damaged there."
            )
        if not 1 <= len(names) <= MOST_COLUMNS or len(set(names)) < len(names):
            name, times = Counter(names).most_common(1)[0] if names else ("", 0)
            what = f"the column '{name[:40]}' {times} times" if times > 1 else f"{len(names)} columns"
            raise InputError(f"{self._where()} names {what}; write each column once, or the frame is damaged there.")
        for name in self._columns or ():
            if name not in names:
                raise InputError(f"{self._owner} has no column '{name}'{did_you_mean(name, names)}")
        count = head.count or 0
        if count < 0 or (self._size is not None and 2 * count * len(names) > self._size):
            raise InputError(
                f"{self._owner} announces {count} rows at step {head.step}, which cannot stand in its {self._size} "
                "bytes; the frame is damaged."
            )

    def _pass(self, count: int) -> bool:
        """Pass over the rows of a frame; whether they were all there."""
        while count:
            lines = self._block(count)[1]
            if not lines:
                return False
            count -= lines
        return True

    def _block(self, most: int) -> tuple[bytes, int]:
        """The next rows, ending before a frame that begins too early."""
        block, lines = self._lines.block(most)
        at = block.find(_AGAIN)
        if at < 0:
            return block, lines
        start = block.rfind(b"\n", 0, at) + 1
        kept = block[:start].count(b"\n")
        self._lines.give_back(block[at:], lines - kept)
        return block[:start], kept

    def _rows(self, head: _Head, label: str, names: tuple[str, ...]) -> Snapshot | None:
        """The rows of a frame; ``None`` where they are cut off."""
        count = head.count or 0
        asked = names if self._columns is None else self._columns
        by_id = self._sort and "id" in names
        kept = (*asked, "id") if by_id and "id" not in asked else asked
        texts = self._texts_among(names, count)
        numbers = tuple(name for name in kept if name not in texts)
        place = np.array([numbers.index(name) if name in numbers else -1 for name in names], dtype=np.int64)
        words: dict[str, list[NDArray[np.bytes_]]] = {name: [] for name in kept if name in texts}
        room = count if self._size is not None else min(count, FIRST_ROWS)
        out, row = np.empty((room, len(numbers))), 0
        while row < count:
            block, lines = self._block(count - row)
            if not lines:
                return None
            if 8 * (row + lines) * (len(numbers) + 24 * len(words)) > LARGEST_FRAME:
                raise InputError(
                    f"{self._owner} holds more than {LARGEST_FRAME >> 20} MiB of numbers in the frame of step "
                    f"{head.step}; take fewer columns by columns=[...]."
                )
            if row + lines > len(out):
                out.resize((min(count, 2 * (row + lines)), len(numbers)), refcheck=False)
            first = self._lines.number - lines + 1
            compiled = self._compiled and not words
            numbers_of(block, lines, place, out[row : row + lines], self._owner, first, compiled)
            _collect(words, names, block)
            row += lines
        out.flags.writeable = False
        found = Snapshot(
            step=head.step or 0,
            box=head.box or Box(np.zeros(3), np.eye(3)),
            names=numbers,
            values=out,
            texts={name: _decoded(found) for name, found in words.items()},
            kind=label,
            time=head.time,
            units=head.units,
            owner=self._owner,
        )
        return _by_id(found, asked) if by_id else found

    def _texts_among(self, names: tuple[str, ...], count: int) -> tuple[str, ...]:
        """Which columns hold text, by the first row of the first frame that has these columns."""
        if names not in self._text_columns and count:
            block, lines = self._lines.block(1)
            words = block.split()
            self._lines.give_back(block, lines)
            self._text_columns[names] = tuple(n for n, word in zip(names, words, strict=False) if not _is_number(word))
        return self._text_columns.get(names, ())

    def _whole(self, what: str) -> int:
        found = self._lines.line()
        line = b"0" if found is None else found.strip()
        if not (line.removeprefix(b"-").isdigit() and len(line) < 19):
            raise InputError(
                f"{self._where()} holds '{line[:40].decode('utf-8', 'replace')}' where the {what} must stand; the "
                "frame is damaged there."
            )
        return int(line)

    def _numbers(self, n: int) -> Floats:
        line = self._lines.line()
        words = b"" if line is None else line
        try:
            found = np.array([float(word) for word in words.split()])
        except ValueError:
            found = np.zeros(0)
        if line is not None and (len(found) < n or not np.isfinite(found).all()):
            raise InputError(
                f"{self._where()} holds '{words[:60].decode('utf-8', 'replace')}' where {n} numbers must stand; the "
                "frame is damaged there."
            )
        return found[:n] if line is not None else np.zeros(n)

    def _where(self) -> str:
        return f"{self._owner}, line {self._lines.number},"


def _rows_item(item: str) -> tuple[str | None, tuple[str, ...]]:
    """What a row is and the columns, where the item is that of rows: ``ATOMS id type x``."""
    words = item.split()
    if words[:2] == ["GRID", "CELLS"]:
        return "GRID CELLS", tuple(words[2:])
    known = ("TIMESTEP", "TIME", "UNITS", "NUMBER", "BOX", "GRID", "DIMENSION")
    if not words or words[0] in known or len(words) < 2:
        return None, ()
    return words[0], tuple(words[1:])


def _by_id(frame: Snapshot, asked: Sequence[str]) -> Snapshot:
    """The frame in the order of its ids, without them where they were not asked for; one copy at most."""
    if "id" in asked or "id" not in frame.names:
        return frame.sorted()
    order = np.argsort(frame["id"], kind="stable")
    names = tuple(name for name in frame.names if name != "id")
    values = frame.values[order[:, None], [frame.names.index(name) for name in names]]
    return replace(frame, names=names, values=values, texts={k: v[order] for k, v in frame.texts.items()})


def _collect(words: dict[str, list[NDArray[np.bytes_]]], names: tuple[str, ...], block: bytes) -> None:
    """Add a block's columns of text."""
    if not words:
        return
    tokens = block.split()
    for name, found in words.items():
        found.append(np.array([word[:LONGEST_WORD] for word in tokens[names.index(name) :: len(names)]]))


def _decoded(found: list[NDArray[np.bytes_]]) -> NDArray[np.str_]:
    whole = np.concatenate(found) if found else np.zeros(0, dtype="S1")
    return np.asarray(np.char.decode(whole, "utf-8", "replace"))


def _is_number(word: bytes) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
