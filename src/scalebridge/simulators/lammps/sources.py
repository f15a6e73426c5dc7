"""Where a result of a LAMMPS run is found: thermo columns, printed lines, formulas, functions."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Floats
from scalebridge.simulators.lammps.reading import Reading
from scalebridge.simulators.lammps.run_logs import LOG, next_log

if TYPE_CHECKING:
    from scalebridge.simulators.lammps.logs import Log

Bounds = tuple[float | None, float | None]


class NotFoundInRun(Exception):
    """A result that a finished run does not hold; its text is the reason of the failed row."""


@dataclass(frozen=True)
class Finished:
    """A LAMMPS run that came to its end.

    Args:
        folder: its working folder.
        numbers: formula -> value at the end.
        taken: output -> what its function took from the live LAMMPS.
        units: the script's style of units.
    """

    folder: Path
    numbers: Mapping[str, float] = field(default_factory=dict)
    taken: Mapping[str, Any] = field(default_factory=dict)
    units: str = "lj"

    def number(self, text: str | float) -> float:
        """Return a number as given, or that of a formula.

        Raises:
            NotFoundInRun: the script ended before it could be evaluated.
        """
        if not isinstance(text, str):
            return float(text)
        if text not in self.numbers:
            raise NotFoundInRun(f"the script ended ('quit'?) before '{text}' could be evaluated")
        return self.numbers[text]

    @cached_property
    def log(self) -> Log:
        """The log, read once for all outputs, its blocks by run commands.

        Raises:
            InputError: there is none, or it is damaged.
            NotFoundInRun: it is not of the whole run.
        """
        from scalebridge.simulators.lammps.logs import read_log
        from scalebridge.simulators.lammps.run_commands import by_command

        self.check_log()
        found = read_log(self.folder / LOG)
        return replace(found, blocks=by_command(found.blocks))

    def check_log(self) -> None:
        """Raise `NotFoundInRun` where the script ended its log before its own end."""
        name = next_log(self.folder / LOG)
        if name is not None:
            raise NotFoundInRun(f"the script ends its log by 'log {name}'; take that command out")


@dataclass(frozen=True)
class Source(ABC):
    """Where one output comes from.

    Args:
        unit: the output's own unit.
        script_unit: what one in the script means, where `units` does not say it: a unit or a quantity.
        bounds: of the output, in ``unit``.
        description: one line for people.
    """

    unit: str = field(default="1", kw_only=True)
    script_unit: str | None = field(default=None, kw_only=True)
    bounds: Bounds | None = field(default=None, kw_only=True)
    description: str = field(default="", kw_only=True)

    @property
    def formulas(self) -> tuple[str, ...]:
        """Formulas that LAMMPS evaluates at the end for it."""
        return ()

    @property
    def has_noise(self) -> bool:
        """Whether it says its statistical deviation."""
        return bool(getattr(self, "noise_std", True))

    @property
    def has_error(self) -> bool:
        """Whether it says its systematic deviation."""
        return not isinstance(self, Thermo | Printed | Formula)

    def counted_in(self, style: str) -> str | None:
        """What one in the script means, where the style of units does not say it."""
        return self.script_unit

    @abstractmethod
    def read(self, run: Finished, name: str) -> Reading:
        """Return the result of the output ``name``.

        Raises:
            NotFoundInRun: the run does not hold it.
        """


@dataclass(frozen=True)
class Thermo(Source):
    """A column of the thermo output: the mean over the last run command, its start cut off where it has not settled.

    The deviation counts correlated rows for what they are (`scalebridge.data.averaging.mean_of_series`).

    Args:
        column: its heading in the log, such as ``"Press"`` or ``"v_eta"``.
        statistic: ``"mean"``, or ``"last"`` for the last row (a running average, a minimised energy).
        run: which run command, counted from 0; the last by default. The pieces of ``run N every M`` are one.
        discard: rows to leave out at the start; found by itself by default.
    """

    column: str
    statistic: str = "mean"
    run: int = -1
    discard: int | None = None

    def __post_init__(self) -> None:
        if self.statistic not in ("mean", "last"):
            raise InputError(
                f"The thermo column '{self.column}' is asked for its '{self.statistic}'"
                f"{did_you_mean(self.statistic, ('mean', 'last'))}"
            )

    @property
    def has_noise(self) -> bool:
        """A mean says its deviation, a last row none."""
        return self.statistic == "mean"

    def read(self, run: Finished, name: str) -> Reading:
        """Return the mean or the last row of the column."""
        from scalebridge.data.averaging import mean_of_series

        series = thermo_column(run, self.column, self.run)
        for place, value in enumerate(series):
            if not math.isfinite(value):
                raise NotFoundInRun(f"the thermo column '{self.column}' is {value:g} in row {place + 1}")
        if self.statistic == "last":
            return Reading(float(series[-1]))
        try:
            mean = mean_of_series(series, discard=self.discard, name=self.column)
        except InputError as error:
            raise NotFoundInRun(str(error)) from error
        if not mean.enough:
            raise NotFoundInRun(f"the thermo column '{self.column}' is {mean.remark}")
        return Reading(mean.value, mean.std_error, degrees=mean.degrees)


@dataclass(frozen=True)
class Printed(Source):
    """A number that the script prints, found by a regular expression with one group; the last match counts.

    Args:
        pattern: such as ``r"viscosity = (\\S+)"``.
        file: in which file of the working folder; the log by default.
        noise_std: pattern of its deviation, printed as well, or the deviation in the script's units.
    """

    pattern: str
    file: str = LOG
    noise_std: str | float = 0.0

    def __post_init__(self) -> None:
        for pattern in (self.pattern, self.noise_std):
            _check_pattern(pattern)

    def read(self, run: Finished, name: str) -> Reading:
        """Return the number of the last match."""
        value = self._last(run, self.pattern)
        noise = self._last(run, self.noise_std) if isinstance(self.noise_std, str) else float(self.noise_std)
        return Reading(value, noise)

    def _last(self, run: Finished, pattern: str) -> float:
        found = None
        if self.file == LOG:
            run.check_log()
        try:
            with (run.folder / self.file).open(encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    # The echo of the print command itself has the same words.
                    match = None if line.startswith(("print ", "fix ")) else re.search(pattern, line)
                    found = match[1] if match else found
        except OSError as error:
            raise NotFoundInRun(f"the file '{self.file}' cannot be read ({error.strerror})") from error
        if found is None:
            raise NotFoundInRun(f"no line of '{self.file}' reads like '{pattern}'")
        try:
            return float(found)
        except ValueError:
            raise NotFoundInRun(f"'{found}' in '{self.file}' is no number (by '{pattern}')") from None


@dataclass(frozen=True)
class Formula(Source):
    """A variable, a compute, a fix or a formula of them at the end of the script.

    Args:
        text: ``"v_eta"``, ``"c_msd[4]"``, ``"f_average"``, ``"2*v_eta + 1"``.
        noise_std: formula of its deviation, or the deviation in the script's units.
    """

    text: str
    noise_std: str | float = 0.0

    def __post_init__(self) -> None:
        for text in self.formulas:
            if set(text) & set('"\n\r$#&') or not text.strip():
                raise InputError(
                    f"The formula {text!r} is none that LAMMPS takes; write it as in 'v_eta' or 'c_msd[4]'."
                )

    @property
    def formulas(self) -> tuple[str, ...]:
        """Itself, and that of its deviation."""
        return (self.text, self.noise_std) if isinstance(self.noise_std, str) else (self.text,)

    def read(self, run: Finished, name: str) -> Reading:
        """Return what LAMMPS evaluated."""
        return Reading(run.number(self.text), run.number(self.noise_std))


@dataclass(frozen=True)
class FromFolder(Source):
    """What a function finds in the working folder.

    Args:
        function: takes the folder, returns a number or a `Reading`; what it raises is the reason of a failed row.
    """

    function: Callable[[Path], float | Reading]

    def read(self, run: Finished, name: str) -> Reading:
        """Return what the function finds."""
        return _as_reading(lambda: self.function(run.folder), run.folder)


@dataclass(frozen=True)
class Live(Source):
    """What a function takes from the live ``lammps`` object at the end; only for ``how="in process"``.

    Args:
        function: takes the object of LAMMPS' Python module, returns a number or a `Reading`.
    """

    function: Callable[[Any], float | Reading]

    def read(self, run: Finished, name: str) -> Reading:
        """Return what was taken."""
        return _as_reading(lambda: run.taken[name], run.folder)


def thermo_column(run: Finished, column: str, which: int) -> Floats:
    """Return a column ``[n]`` of the thermo output of one run command.

    Raises:
        NotFoundInRun: there is no such run or column, or the log cannot be read.
    """
    from scalebridge.simulators.lammps.run_commands import ended_early

    try:
        block = run.log[which]
        series = block[column]
    except InputError as error:
        raise NotFoundInRun(str(error).replace(f"{run.folder}/", "")) from error
    if not block.complete:
        raise NotFoundInRun(f"the log is cut off ({block.reason})")
    early = ended_early(block)
    if early:
        raise NotFoundInRun(early)
    if not len(series):
        raise NotFoundInRun(f"the thermo output has no row of '{column}'")
    return series


def _as_reading(function: Callable[[], Any], folder: Path) -> Reading:
    try:
        found = function()
        return found if isinstance(found, Reading) else Reading(float(found))
    except (NotFoundInRun, InputError) as error:
        raise NotFoundInRun(str(error).replace(f"{folder}/", "")) from error
    except Exception as error:
        raise NotFoundInRun(f"{type(error).__name__}: {error}") from error


def _check_pattern(pattern: str | float) -> None:
    if not isinstance(pattern, str):
        return
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise InputError(f"The pattern '{pattern}' is no regular expression ({error}).") from error
    if groups != 1:
        raise InputError(f"The pattern '{pattern}' has {groups} groups; put one (...) around the number.")
