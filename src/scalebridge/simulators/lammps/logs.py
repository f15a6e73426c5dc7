"""Logs of LAMMPS: every block of thermodynamic output, whole or cut off, with what the log says about the run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.averaging.mean import SeriesMean, mean_of_series
from scalebridge.data.dataset import Dataset
from scalebridge.data.source import Source
from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Floats
from scalebridge.simulators.lammps.log_parsing import ParsedBlock, parse_log
from scalebridge.simulators.lammps.text_files import lines_of, opened_text
from scalebridge.simulators.lammps.thermo import columns_space, identifiers
from scalebridge.simulators.lammps.unit_styles import checked_style, unit_of


@dataclass(frozen=True, eq=False)
class Block:
    """The thermodynamic output of one run, minimisation or rerun.

    Attributes:
        texts: headers of the columns, as the log writes them.
        values: ``[n, k]``, one row per output; NaN and infinity as the log has them.
        kind: ``"run"``, ``"minimize"``, ``"rerun"``, or ``""`` where the log echoes no command.
        command: the line that began it, as echoed.
        complete: whether the block ends in its loop time; a truncated log or an error leaves it incomplete.
        reason: why it is incomplete, in words; else ``""``.
        loop_time: of the run in seconds, where complete.
        n_steps, n_atoms, n_processes: as the line of the loop time says; ``None`` where incomplete.
        units: the style of LAMMPS' units, ``None`` where the log does not say it.
        kinds: of quantity, per column; ``None`` where not known.
        notes: what was left out, one sentence each.
        owner: what messages call it.
    """

    texts: tuple[str, ...]
    values: NDArray[np.float64]
    kind: str = "run"
    command: str = ""
    complete: bool = True
    reason: str = ""
    loop_time: float | None = None
    n_steps: int | None = None
    n_atoms: int | None = None
    n_processes: int | None = None
    units: str | None = None
    kinds: tuple[str | None, ...] = ()
    notes: tuple[str, ...] = ()
    owner: str = "The log"

    @property
    def names(self) -> tuple[str, ...]:
        """Identifiers of the columns; ``"c_msd[4]"`` is ``c_msd_4``."""
        return identifiers(self.texts)

    def __len__(self) -> int:
        return len(self.values)

    def __contains__(self, column: object) -> bool:
        return column in self.texts or column in self.names

    def __getitem__(self, column: str) -> Floats:
        """A column ``[n]`` by its header or its identifier.

        Raises:
            InputError: no such column.
        """
        for words in (self.texts, self.names):
            if column in words:
                return np.asarray(self.values[:, words.index(column)])
        raise InputError(f"{self.owner} has no column '{column}'{did_you_mean(str(column), self.texts)}")

    def mean(self, column: str, *, confidence: float = 0.95, discard: int | None = None) -> SeriesMean:
        """Mean of a column with an interval that counts correlated rows for what they are; see `mean_of_series`.

        Args:
            column: its header or identifier.
            confidence: of the interval.
            discard: rows to leave out at the start; found where it is not given.

        Raises:
            InputError: no such column, values that are not finite, fewer than 2 rows.
        """
        kinds = dict(zip(self.texts, self.kinds, strict=False)) | dict(zip(self.names, self.kinds, strict=False))
        kind = kinds.get(column)
        unit = (None if kind is None else unit_of(kind, self.units)) or "1"
        return mean_of_series(self[column], confidence=confidence, discard=discard, unit=unit, name=column)

    def dataset(self, units: Mapping[str, str] | None = None) -> Dataset:
        """The rows as a `Dataset`, one column per header, with the units of the log's style where they are known.

        Args:
            units: of further columns, such as ``{"v_eta": "Pa*s"}``.

        Raises:
            InputError: a unit for a column that is not there.
            UnitError: a unit that is not known.
        """
        kinds = self.kinds or (None,) * len(self.texts)
        space, unstated = columns_space(self.texts, kinds, self.units, units, self.owner)
        columns = {name: self.values[:, k] for k, name in enumerate(space.names)}
        told = (*self.notes, *([self.reason] if self.reason else []))
        source = Source(reader="LAMMPS log", options={"units": self.units}, notes=told, unstated=unstated)
        return Dataset(space, columns, self.owner.removeprefix("The ").replace("'", ""), source=source)


@dataclass(frozen=True, eq=False)
class Log:
    """What a log of LAMMPS holds.

    Attributes:
        path: of the file.
        blocks: of thermodynamic output, in order.
        version: of LAMMPS, such as ``"22 Jul 2025 - Update 4"``; ``""`` where the log does not say.
        units: style of units of the last block, ``None`` where the log does not say; blocks before may have others.
        timestep: of the last block as the script sets it, in the style's unit of time; ``None`` where it does not.
        seeds: of random numbers, in the order of the commands ``velocity`` and ``fix`` that take them.
        warnings: at most a thousand, as written.
        error: the words of LAMMPS' error, ``""`` where there was none.
        wall_time: as the last line says it, ``""`` where the run did not end by itself.
    """

    path: str
    blocks: tuple[Block, ...]
    version: str = ""
    units: str | None = None
    timestep: float | None = None
    seeds: tuple[int, ...] = ()
    warnings: tuple[str, ...] = field(default=(), repr=False)
    error: str = ""
    wall_time: str = ""

    @property
    def complete(self) -> bool:
        """Whether there is a block and every block ends in its loop time, without an error."""
        return bool(self.blocks) and not self.error and all(block.complete for block in self.blocks)

    def __len__(self) -> int:
        return len(self.blocks)

    def __iter__(self) -> Iterator[Block]:
        return iter(self.blocks)

    def __getitem__(self, which: int) -> Block:
        """The block of that number, from 0, or from the end by a negative one.

        Raises:
            InputError: no such block.
        """
        if not -len(self.blocks) <= which < len(self.blocks):
            why = f" LAMMPS stopped with: {self.error}" if self.error else ""
            raise InputError(
                f"The log '{self.path}' has {len(self.blocks)} blocks and no block {which}; valid: 0 to "
                f"{len(self.blocks) - 1}, or -1 for the last.{why}"
                if self.blocks
                else f"The log '{self.path}' has no block of thermodynamic output; no run began in it.{why}"
            )
        return self.blocks[which]


def read_log(path: str | os.PathLike[str], *, units: str | None = None) -> Log:
    """Read a log of LAMMPS (``log.lammps`` or what the screen showed), plain or packed.

    Every style of thermo output is read: one, multi, custom and yaml, of versions before and after 2022, with
    warnings and printed lines in between, of one or many runs, minimisations and reruns. A log that is still being
    written, or ends in an error, gives the rows that are whole; its last block is then not ``complete`` and says why.

    Args:
        path: of the log.
        units: the style of units, where the log does not echo the command ``units``.

    Raises:
        InputError: no such file, no log, a row that is damaged, an unknown style.
    """
    owner = f"The log '{os.fspath(path)}'"
    checked_style(units, owner)
    with opened_text(os.fspath(path), "log") as stream:
        parsed = parse_log(lines_of(stream, owner), owner)
    if not (parsed.blocks or parsed.version or parsed.error):
        raise InputError(
            f"{owner} has neither LAMMPS' name nor a block of thermodynamic output; give the file of 'lmp -log'."
        )
    last = parsed.blocks[-1] if parsed.blocks else parsed
    return Log(
        path=os.fspath(path),
        blocks=tuple(_block(made, units, f"{owner}, block {k}") for k, made in enumerate(parsed.blocks)),
        version=parsed.version,
        units=last.units or units,
        timestep=last.timestep,
        seeds=tuple(parsed.seeds),
        warnings=tuple(parsed.warnings),
        error=parsed.error,
        wall_time=parsed.wall_time,
    )


def _block(made: ParsedBlock, units: str | None, owner: str) -> Block:
    width = len(made.texts)
    values = np.frombuffer(made.numbers, dtype=np.float64).reshape(len(made.numbers) // max(width, 1), width)
    values.flags.writeable = False
    return Block(
        texts=made.texts,
        values=values,
        kind=made.command.split()[0] if made.command else "",
        command=made.command,
        complete=made.complete,
        reason=made.reason,
        loop_time=made.loop_time,
        n_steps=made.n_steps,
        n_atoms=made.n_atoms,
        n_processes=made.n_processes,
        units=made.units or units,
        kinds=made.kinds,
        notes=tuple(made.notes()),
        owner=owner,
    )
