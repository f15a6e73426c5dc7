"""One attempt of a program at one input: folder, files, command, results, and a reason where it fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.errors import printable
from scalebridge.models.program.before import Before
from scalebridge.models.program.folders import WorkingFolder, working_folder
from scalebridge.models.program.launcher import Mpi
from scalebridge.models.program.parsers.files import NoValue
from scalebridge.models.program.parsers.pattern import Pattern
from scalebridge.models.program.process import Ended, Limits, carry_out
from scalebridge.models.program.recipe import Recipe
from scalebridge.models.program.results import Reader, Reading, described, is_misshapen, raw_value
from scalebridge.quantities import Floats

_WORDS = 300


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt.

    Args:
        status: ``ok``, ``failed`` or ``timeout``.
        reason: why it is not ``ok``.
        values: ``[m]``.
        noise_std: ``[m]``, where the program gives it.
        jacobian: ``[m, d]``, where the program gives it.
    """

    status: str
    reason: str = ""
    values: Floats | None = None
    noise_std: Floats | None = None
    jacobian: Floats | None = None


@dataclass(frozen=True)
class Stops:
    """What must and must not stand in the files of a run that counts, and what reads its derivatives."""

    converged: Pattern | None
    unconverged: Pattern | None
    jacobian: Reading | None

    def check(self, before: Before) -> None:
        """Raise `NoValue` where the run does not count; a file of errors that it has not written holds none."""
        folder = before.folder
        if self.converged is not None and not self.converged.found(folder):
            raise NoValue(f"it did not converge: nothing in '{self.converged.file}' matches '{self.converged.regex}'")
        written = self.unconverged is not None and before.is_written(self.unconverged.file)
        if written and self.unconverged is not None and self.unconverged.found(folder):
            raise NoValue(f"it did not converge: '{self.unconverged.file}' holds '{self.unconverged.regex}'")

    def derivatives(self, folder: Path, m: int, d: int) -> Floats | None:
        """Return ``[m, d]``, where they are read."""
        if self.jacobian is None:
            return None
        raw = raw_value(self.jacobian, folder, "jacobian")
        if raw.size != m * d or is_misshapen(raw, (m, d)) or not np.isfinite(raw).all():
            raise NoValue(f"'jacobian' was found in the shape {raw.shape}, or is not finite; it is {(m, d)}")
        return raw.reshape(m, d)

    def digest(self) -> str:
        """Text that tells these from others."""
        jacobian = "" if self.jacobian is None else described(self.jacobian)
        return f"{self.converged!r} {self.unconverged!r} {jacobian}"


@dataclass(frozen=True)
class Attempt:
    """How an attempt is carried out."""

    recipe: Recipe
    reader: Reader
    noise: Reader | None
    stops: Stops
    launcher: Mpi | None
    environment: Mapping[str, str]
    limits: Limits
    stdin: str | None
    stdout: str
    exit_codes: tuple[int, ...]
    folder: Path | None
    keep: str
    name: str

    def carried_out(self, x: Floats, seed: int) -> Outcome:
        """Carry it out at ``x [d]``.

        Raises:
            InputError: the program is missing.
            InfrastructureError: no folder can be made, no process started.
        """
        with working_folder(self.folder, self.keep, self.name) as folder:
            outcome = self._in(folder, x, seed)
            if outcome.status == "ok":
                return outcome
            folder.failed()
            where = "" if self.keep == "never" else f"; see {folder.kept}"
            return Outcome(outcome.status, printable(outcome.reason + where))

    def _in(self, folder: WorkingFolder, x: Floats, seed: int) -> Outcome:
        try:
            command = self.recipe.made(folder.path, x, seed)
        except NoValue as error:
            return Outcome("failed", str(error))
        except OSError as error:
            return Outcome("failed", f"its working folder could not be written ({error.strerror})")
        unconverged = [] if self.stops.unconverged is None else [self.stops.unconverged.file]
        before = Before.of(folder.path, [*(reading.file for reading in self._readings()), *unconverged])
        ended = carry_out(
            [*(self.launcher.before() if self.launcher else ()), *command],
            folder,
            limits=self.limits,
            environment=self.environment,
            stdin=None if self.stdin is None else folder / self.stdin,
            log=self.stdout,
        )
        # A program that was ended for what it printed has no exit code of its own.
        if ended.status == "timeout" or ended.exit_code not in self.exit_codes:
            reason = ended.reason or f"it ended with exit code {ended.exit_code}, which is not among exit_codes"
            return Outcome("timeout" if ended.status == "timeout" else "failed", reason)
        return self._results(ended, before)

    def _readings(self) -> Iterator[Any]:
        """The parsers that name a file which the program is to write."""
        readers = [reader.results for reader in (self.reader, self.noise) if reader is not None]
        named: list[Any] = [r for results in readers if isinstance(results, Mapping) for r in results.values()]
        named += [self.stops.converged, self.stops.jacobian]
        return (reading for reading in named if isinstance(getattr(reading, "file", None), str))

    def _check_written(self, before: Before) -> None:
        """Raise `NoValue` where a file that is to be read is no work of this run, or one of the user's own is."""
        for reading in self._readings():
            before.check(reading.file)
        for file in self.recipe.files:
            if file.has_changed():
                raise NoValue(f"'{file.label}' is linked, and its original was written to; bring it under files")

    def _results(self, ended: Ended, before: Before) -> Outcome:
        folder, m, d = before.folder, self.reader.space.size, self.recipe.inputs.size
        try:
            self._check_written(before)
            self.stops.check(before)
            values = self.reader.read(folder)
            return Outcome("ok", "", values, self._noise_std(folder), self.stops.derivatives(folder, m, d))
        except (NoValue, OSError) as error:
            words = " | ".join(line.strip() for line in ended.tail.splitlines() if line.strip())[-_WORDS:]
            return Outcome("failed", f"{error}; its last words: {words}" if words else str(error))

    def _noise_std(self, folder: Path) -> Floats | None:
        if self.noise is None:
            return None
        found = self.noise.read(folder)
        if (found < 0).any():
            raise NoValue(f"noise_std was found as {found.min():g}; a deviation is not negative")
        known = dict(zip(self.noise.space.component_names, found, strict=True))
        return np.array([known.get(name, 0.0) for name in self.reader.space.component_names])
