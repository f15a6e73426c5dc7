"""Dumps of LAMMPS in text, frame by frame in flat memory: plain, gzip, bzip2, xz, or zstd where Python has it."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scalebridge.errors import InputError
from scalebridge.simulators.lammps.dump_parsing import FrameReader
from scalebridge.simulators.lammps.line_blocks import LineBlocks
from scalebridge.simulators.lammps.number_blocks import compiling
from scalebridge.simulators.lammps.snapshots import Snapshot
from scalebridge.simulators.lammps.text_files import opened_text
from scalebridge.simulators.lammps.unit_styles import checked_style

# Frames kept by `read_dump`, in bytes of numbers; with one frame more and its sorting, memory stays below 2 GB.
LARGEST_KEPT = 2**29


class DumpStream:
    """The frames of a dump, read as they are asked for; it can be gone through again from the start.

    Attributes:
        remark: what was left out of the frames gone through so far, in words; ``""`` where nothing was.
    """

    def __init__(
        self, paths: Sequence[str], *, columns: Sequence[str] | None, every: int, sort: bool, units: str | None
    ) -> None:
        self.remark = ""
        self._paths = tuple(paths)
        self._columns = None if columns is None else tuple(columns)
        self._every = every
        self._sort = sort
        self._units = units

    def __iter__(self) -> Iterator[Snapshot]:
        self.remark = ""
        number = 0
        for path in self._paths:
            for frame in self._frames(path, number):
                number += 1
                if isinstance(frame, Snapshot):
                    yield frame

    def _frames(self, path: str, number: int) -> Iterator[Snapshot | bool]:
        """Frames of one file, ``True`` for those passed over; the first has this number."""
        owner = f"The dump '{path}'"
        with opened_text(path, "dump") as stream:
            size = Path(path).stat().st_size
            packed = not isinstance(stream, io.BufferedReader)
            reader = FrameReader(
                LineBlocks(stream, owner),
                owner,
                self._columns,
                self._units,
                None if packed else size,
                compiling(size),
                self._sort,
            )
            first = number
            while (frame := reader.frame(wanted=number % self._every == 0)) is not None:
                self.remark = reader.remark or self.remark
                yield frame
                number += 1
            self.remark = reader.remark or self.remark
            if number == first and not reader.remark:
                raise InputError(f"{owner} holds no frame; the run wrote nothing into it.")


@dataclass(frozen=True, eq=False)
class Dump:
    """All frames of a dump.

    Attributes:
        snapshots: in order.
        remark: what was left out, in words; ``""`` where nothing was.
    """

    snapshots: tuple[Snapshot, ...]
    remark: str = ""

    def __len__(self) -> int:
        return len(self.snapshots)

    def __getitem__(self, which: int) -> Snapshot:
        """The frame of that number, from 0 or from the end.

        Raises:
            InputError: no such frame.
        """
        if not -len(self.snapshots) <= which < len(self.snapshots):
            raise InputError(f"The dump has {len(self.snapshots)} frames and no frame {which}. {self.remark}".strip())
        return self.snapshots[which]

    def __iter__(self) -> Iterator[Snapshot]:
        return iter(self.snapshots)


def iterate_dump(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    columns: Sequence[str] | None = None,
    every: int = 1,
    sort: bool = True,
    units: str | None = None,
) -> DumpStream:
    """Go through the frames of a dump one after the other; memory holds one frame, however long the dump.

    A last frame that is cut off (the run is going on, or was killed) is left out, and so is one that a restarted run
    wrote over; ``stream.remark`` then says so.

    Args:
        path: of a text dump (``dump atom``, ``custom``, ``local``, ``grid``), plain or packed; or of several, in the
            order of their frames, where LAMMPS wrote a file per frame.
        columns: that are read; all by default. Fewer are faster. Ids to sort by are read anyway.
        every: take one frame of so many, the first included.
        sort: rows by their ids where the dump has them.
        units: the style of LAMMPS' units, where the dump does not say it.

    Raises:
        InputError: no such file, no dump, a frame that is damaged, a column that is not there.
    """
    shown = [os.fspath(path)] if isinstance(path, str | os.PathLike) else [os.fspath(one) for one in path]
    if not shown:
        raise InputError("There is no dump among the paths given; give at least one.")
    checked_style(units, f"The dump '{shown[0]}'")
    if every < 1:
        raise InputError(f"One of every {every} frames of the dump '{shown[0]}' was asked for; give 1 or more.")
    return DumpStream(shown, columns=columns, every=every, sort=sort, units=units)


def read_dump(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    columns: Sequence[str] | None = None,
    every: int = 1,
    sort: bool = True,
    units: str | None = None,
) -> Dump:
    """Read the frames of a dump into memory; see `iterate_dump`, which large ones need.

    Raises:
        InputError: as `iterate_dump`; frames of more than half a gigabyte of numbers together.
    """
    stream = iterate_dump(path, columns=columns, every=every, sort=sort, units=units)
    frames, held = [], 0
    for frame in stream:
        held += frame.values.nbytes + sum(text.nbytes for text in frame.texts.values())
        if held > LARGEST_KEPT:
            raise InputError(
                f"{frame.owner} holds more than {LARGEST_KEPT >> 20} MiB of numbers by step {frame.step}; go through "
                "it by iterate_dump, or take fewer columns or frames."
            )
        frames.append(frame)
    return Dump(tuple(frames), stream.remark)
