"""One run of a script in a folder of its own: as a program, or in a supervised process through the Python module."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from scalebridge.errors import InputError
from scalebridge.models.program import Ended, Limits, carry_out
from scalebridge.models.supervisor import SupervisedProcess
from scalebridge.simulators.lammps.failures import failure_in
from scalebridge.simulators.lammps.in_process import Answer, run_script
from scalebridge.simulators.lammps.library import find_program, launched, missing_library
from scalebridge.simulators.lammps.run_logs import LOG, join_logs, tail_of
from scalebridge.simulators.lammps.script import Script
from scalebridge.simulators.lammps.sources import Finished

# The file that sets the variables and then includes the script, and the one that takes the formulas' values.
ENTRY, NUMBERS = "run.in", "scalebridge_numbers.txt"


@dataclass(frozen=True)
class Resources:
    """What one run gets.

    Args:
        program: the executable ``lmp``; found by `find_program` where ``None``.
        processes: MPI processes.
        launcher: words in front of the program, ``{processes}`` standing for their number.
        threads: OpenMP threads of each process.
        arguments: further arguments of LAMMPS, such as ``("-sf", "opt")``.
        limits: time, memory, size of files, amount of output.
        module: the Python module of LAMMPS.
    """

    program: str | Path | None = None
    processes: int = 1
    launcher: tuple[str, ...] | None = None
    threads: int = 1
    arguments: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    module: str = "lammps"

    def words(self) -> list[str]:
        """Return LAMMPS' arguments beside those for its files."""
        threads = ["-sf", "omp", "-pk", "omp", str(self.threads)] if self.threads > 1 else []
        return [*threads, *self.arguments]


@dataclass(frozen=True)
class Ran:
    """How a run ended.

    Args:
        status: ``ok``, ``failed`` or ``timeout``.
        reason: empty where ok.
        finished: what it left, where ok.
        seconds: that it took.
    """

    status: str
    reason: str = ""
    finished: Finished | None = None
    seconds: float = 0.0


def lay_out(folder: Path, script: Script, files: Mapping[str, Path], variables: Mapping[str, str]) -> None:
    """Write the script, links to the files it reads, and the file that sets the variables and includes it."""
    for name, path in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        # A copy: a script that writes into what it has read must not change the user's own file.
        shutil.copyfile(path, target)
    name = safe_name(script.name)
    (folder / name).write_text(script.text, encoding="utf-8")
    lines = [f'variable {name} index "{value}"' for name, value in variables.items()]
    (folder / ENTRY).write_text("\n".join([*lines, f"include {name}", ""]), encoding="utf-8")


def run_as_program(folder: Path, script: Script, formulas: Sequence[str], resources: Resources) -> Ran:
    """Run what `lay_out` wrote by the program ``lmp``.

    Raises:
        InputError: there is no such program or launcher.
    """
    with (folder / ENTRY).open("a", encoding="utf-8") as entry:
        # An empty line says that the script itself came to its end.
        entry.write(f'print "" append {NUMBERS} screen no\n')
        entry.writelines(f'print "$({text}:%.17g)" append {NUMBERS} screen no\n' for text in formulas)
    found = find_program(resources.program)
    argv = [*launched(found, resources.processes, resources.launcher), found.program, "-in", ENTRY, "-log", LOG]
    environment = {"OMP_NUM_THREADS": str(resources.threads), **found.environment}
    ended = carry_out(
        [*argv, *resources.words()], folder, limits=resources.limits, environment=environment, log="screen.log"
    )
    join_logs(folder)
    if ended.status == "timeout":
        return Ran("timeout", _not_ended(resources), None, ended.seconds)
    if ended.status != "ok":
        return Ran("failed", _reason(ended, folder, script, formulas), None, ended.seconds)
    return _read_numbers(folder, formulas, ended.seconds)


def run_in_process(
    folder: Path,
    script: Script,
    formulas: Sequence[str],
    taking: Mapping[str, Callable[[Any], Any]],
    resources: Resources,
    child: SupervisedProcess,
) -> Ran:
    """Run what `lay_out` wrote by the Python module, in the supervised process given.

    Raises:
        InputError: LAMMPS or its MPI library is missing.
    """
    arguments = ["-screen", "none", "-log", LOG, *resources.words()]
    limits = resources.limits
    args = (
        *(str(folder), ENTRY, arguments, tuple(formulas), dict(taking), resources.module),
        *(limits.memory, limits.file_size),
    )
    outcome = child.call(run_script, args, resources.limits.timeout)
    join_logs(folder)
    if isinstance(outcome.error, InputError):
        raise outcome.error
    if outcome.status == "timeout":
        return Ran("timeout", _not_ended(resources), None, outcome.seconds)
    if outcome.status != "ok":
        return Ran("failed", f"LAMMPS crashed: {outcome.reason}", None, outcome.seconds)
    answer: Answer = outcome.value
    if answer.error:
        return Ran("failed", _sentence(answer.error, folder, script, answer.formula), None, outcome.seconds)
    return Ran("ok", "", Finished(folder, answer.numbers, answer.taken), outcome.seconds)


def safe_name(name: str) -> str:
    """Return a file name that LAMMPS takes as one word."""
    return re.sub(r"[^A-Za-z0-9_.+-]", "_", name)


def _not_ended(resources: Resources) -> str:
    return f"LAMMPS had not ended after {resources.limits.timeout:g} s"


def _reason(ended: Ended, folder: Path, script: Script, formulas: Sequence[str]) -> str:
    words = missing_library(ended.tail)
    if words:
        return words
    for text in (ended.tail, tail_of(folder / LOG)):
        if failure_in(text):
            return _sentence(text, folder, script, _formula_reached(folder, formulas))
    return f"LAMMPS stopped without a word of its own: {ended.reason}"


def _formula_reached(folder: Path, formulas: Sequence[str]) -> str:
    """Return the formula that was evaluated when the program stopped; nothing where it was still in the script."""
    file = folder / NUMBERS
    if not file.is_file():
        return ""
    return next(iter(formulas[len(file.read_text(encoding="utf-8").split()) :]), "")


def _sentence(text: str, folder: Path, script: Script, formula: str) -> str:
    """Return the error in a text of LAMMPS as one sentence, or the text itself where it reads like none.

    Args:
        text: what LAMMPS said.
        folder: of the run, whose log has the command under way.
        script: that ran.
        formula: of an output that was being evaluated after it; else empty.
    """
    failure = failure_in(text) or failure_in(f"ERROR: {text}")
    if formula:
        words = failure.words.rstrip(".") if failure else text
        return f"the formula '{formula}' cannot be evaluated at the end of the script: {words}"
    if failure is None:
        return text
    if failure.command is None:
        # An error during a run, or of a file included, names no command; the log has the echo of the one under way.
        failure = replace(failure, command=_last_command(folder / LOG, script))
    return failure.sentence(script)


def _last_command(log: Path, script: Script) -> str | None:
    commands = {" ".join(command.text.split()) for command in script.commands}
    found = None
    with contextlib.suppress(OSError), log.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            # Commands begin with a letter, and most lines of a log are numbers.
            text = " ".join(line.split()) if line[:1].isalpha() else ""
            found = text if text in commands else found
    return found


def _read_numbers(folder: Path, formulas: Sequence[str], seconds: float) -> Ran:
    file = folder / NUMBERS
    lines = file.read_text(encoding="utf-8").split() if file.is_file() else []
    try:
        numbers = dict(zip(formulas, map(float, lines), strict=False))
    except ValueError as error:
        return Ran("failed", f"LAMMPS evaluated a formula to no number ({error})", None, seconds)
    return Ran("ok", "", Finished(folder, numbers), seconds)
