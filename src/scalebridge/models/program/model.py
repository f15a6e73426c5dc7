"""`Program`: any program with input and output files as a model."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.errors import InputError, did_you_mean
from scalebridge.models.adapt import Adapted
from scalebridge.models.model import Structure
from scalebridge.models.program.attempt import Attempt, Outcome, Stops
from scalebridge.models.program.folders import check_keep
from scalebridge.models.program.launcher import Mpi
from scalebridge.models.program.parsers.pattern import Pattern
from scalebridge.models.program.placeholders import placeholders
from scalebridge.models.program.process import Limits
from scalebridge.models.program.recipe import Recipe, command_parts
from scalebridge.models.program.results import Reader, Reading, Results, check_reading, missing
from scalebridge.models.program.template import template_files
from scalebridge.models.runs import Runs
from scalebridge.models.scale import Scale
from scalebridge.quantities import Floats, Space

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Program:
    """Any program with input and output files, as a `Model`.

    Each row has a working folder of its own: the template is written into it, the program runs there, and its
    files are read. Whatever goes wrong is a status with a reason. No shell reads anything.

    Args:
        command: the program and its arguments, a list. Arguments may hold placeholders; a `Path` that exists is
            made absolute, other texts are taken as they are (the program runs in its working folder).
        inputs: space of the inputs, or a mapping such as ``{"T": ("K", 80, 700)}``.
        outputs: the same for the outputs.
        results: from each output to `Pattern`, `Csv`, `Json`, `Npy`, `Npz`, `Hdf5`, `Columns` or a function
            of the folder that returns its value; or one function of the folder that returns a mapping.
        template: a file, a folder that is copied, or a mapping from a name to a text (str) or a file (Path); texts
            and file names may hold placeholders ``{{ T }}``, ``{{ T [degC] }}``, ``{{ strain[0] : .6e }}``.
            ``{{ seed }}`` makes the model stochastic.
        options: fixed values of further placeholders: plain texts and numbers.
        files: files and folders copied as they are: a list, or a mapping from the name there to a path.
        links: the same, linked in place of copied (data that the program only reads).
        width: characters that the program reads of a number: numbers are rounded to fit, and a row whose explicit
            format is wider fails; ``None`` where it reads all.
        verbatim: patterns of template files without placeholders, as ``("*.c",)``.
        converged: a `Pattern` without which a run counts as failed.
        unconverged: a `Pattern` with which a run counts as failed.
        noise_std: by output, what reads the standard deviation of its noise.
        jacobian: what reads ``[m, d]``, derivatives in the units of the outputs per unit of the inputs.
        stdin: file of the template that the program reads as its input.
        stdout: file of the working folder that takes its output.
        exit_codes: that count as success.
        launcher: `Mpi` for several ranks.
        threads: number of OpenMP threads of each process.
        timeout: seconds, or a text such as ``"10 min"``.
        memory: bytes of each process, or a text such as ``"4 GB"``.
        file_size: bytes of any one file it writes, or a text.
        output: bytes it may print before it is ended, or a text.
        environment: variables added to ours.
        folder: where working folders are made; the system's folder for temporary files by default.
        keep: working folders that stay: ``never``, ``failed`` or ``always``.
        name: for people; the program's own by default.
        version: raise it when the results change, as by a new release of the program.
        scale: extent and grain.
        structure: what is known of the response.

    Raises:
        InputError: what cannot be run: a text as command, unknown placeholders, inputs that none uses, and others.
    """

    command: Sequence[str | Path]
    inputs: Any
    outputs: Any
    results: Results
    _: KW_ONLY
    template: Any = None
    options: Mapping[str, str | float] = field(default_factory=dict)
    files: Any = ()
    links: Any = ()
    verbatim: Sequence[str] = ()
    width: int | None = None
    converged: Pattern | None = None
    unconverged: Pattern | None = None
    noise_std: Mapping[str, Reading] | None = None
    jacobian: Reading | None = None
    stdin: str | None = None
    stdout: str = "stdout.txt"
    exit_codes: tuple[int, ...] = (0,)
    launcher: Mpi | None = None
    threads: int | None = None
    timeout: float | str | None = None
    memory: float | str | None = None
    file_size: float | str | None = None
    output: float | str | None = "1 GB"
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: str | Path | None = None
    keep: str = "never"
    name: str = ""
    version: str = "1"
    scale: Scale | None = None
    structure: Structure = field(default_factory=Structure)
    _attempt: Attempt = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.name:
            first = self.command[0] if not isinstance(self.command, str) and self.command else "program"
            object.__setattr__(self, "name", Path(str(first)).stem or "program")
        owner = f"The program '{self.name}'"
        object.__setattr__(self, "inputs", Space(self.inputs))
        object.__setattr__(self, "outputs", Space(self.outputs))
        _check_settings(self, owner)
        object.__setattr__(self, "_attempt", _attempt(self, owner))

    @property
    def stochastic(self) -> bool:
        """Whether the template asks for ``{{ seed }}``."""
        return self._attempt.recipe.takes_seed

    @property
    def batched(self) -> bool:
        """Rows are run one by one; a campaign runs them side by side."""
        return False

    @property
    def functions(self) -> tuple[Any, ...]:
        """What reads the results, and their classes: the files that these are from travel with the model."""
        among = [self.results] if callable(self.results) else [*self.results.values()]
        read = [r for r in (*among, *(self.noise_std or {}).values(), self.jacobian) if r is not None]
        return (*read, *(type(r) for r in read))

    def identity(self) -> Mapping[str, str]:
        """Name, version, and digests of the command, the template, the variables, the parsers and the ranks."""
        attempt = self._attempt
        readers = (attempt.reader, attempt.noise, attempt.stops)
        return {
            "name": f"program.{self.name}",
            "version": self.version,
            **attempt.recipe.digest(),
            "variables": repr([(v.name, v.unit, v.shape) for v in (*self.inputs, *self.outputs)]),
            "results": "; ".join("" if r is None else r.digest() for r in readers),
            "settings": repr((self.stdin, self.stdout, self.exit_codes, sorted(self.environment.items()))),
            "resources": repr((self.launcher, self.threads)),
        }

    def run(self, x: Floats, seeds: tuple[int, ...] | None = None) -> Runs:
        """Run the rows ``x [b, d]`` one after the other; ``seeds`` one per row where it is stochastic."""
        x = self.inputs.check(x, f"The model '{self.name}'")
        chosen = tuple(range(len(x))) if seeds is None else seeds
        rows = [self._row(x[i], chosen[i]) for i in range(len(x))]
        return Runs.join(rows) if rows else Runs(np.zeros((0, self.outputs.size)))

    def rename(self, **names: str) -> Adapted:
        """Return the same model with variables renamed."""
        return Adapted(self, names=names)

    def fix(self, **values: str | float) -> Adapted:
        """Return the same model with inputs held constant."""
        return Adapted(self, fixed=values)

    def _row(self, x: Floats, seed: int) -> Runs:
        m = self.outputs.size
        if not np.isfinite(x).all():
            return Runs.refused(1, m, "failed", "the input is not finite")
        start = time.perf_counter()
        made: Outcome = self._attempt.carried_out(x, seed)
        seconds = time.perf_counter() - start
        if made.status != "ok" or made.values is None:
            return Runs.refused(1, m, made.status, made.reason, seconds)
        jacobian = None if made.jacobian is None else made.jacobian[None]
        noise = None if made.noise_std is None else made.noise_std[None]
        return Runs(made.values[None], cost_s=np.array([seconds]), jacobian=jacobian, noise_std=noise)


def _attempt(program: Program, owner: str) -> Attempt:
    files = template_files(program.template, program.files, program.links, program.verbatim)
    missing(program.outputs, program.results, owner)
    labels = [file.label for file in files if not placeholders(file.name)]
    if program.stdin is not None and program.stdin not in labels:
        near = did_you_mean(program.stdin, labels)
        raise InputError(
            f"{owner} is to read '{program.stdin}', which is no file of its template, or none of a fixed name{near}"
        )
    return Attempt(
        Recipe(
            owner,
            program.inputs,
            _plain(program.options),
            command_parts(program.command, owner),
            files,
            program.width,
        ),
        Reader(program.outputs, program.results, owner),
        _noise(program, owner),
        Stops(program.converged, program.unconverged, program.jacobian),
        program.launcher,
        _environment(program),
        Limits(program.timeout, program.memory, program.file_size, program.output, owner=owner),
        program.stdin,
        program.stdout,
        tuple(program.exit_codes),
        None if program.folder is None else Path(program.folder).absolute(),
        program.keep,
        program.name,
    )


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in options.items()}


def _noise(program: Program, owner: str) -> Reader | None:
    if not program.noise_std:
        return None
    for name in program.noise_std:
        _ = program.outputs[name]
    named = Space([v for v in program.outputs if v.name in program.noise_std])
    return Reader(named, program.noise_std, f"{owner}, noise_std", differences=True)


def _check_settings(program: Program, owner: str) -> None:
    check_keep(program.keep, owner)
    for name in ("converged", "unconverged"):
        value = getattr(program, name)
        if value is not None and not isinstance(value, Pattern):
            raise InputError(f'{owner} was given {name} = {value!r}; give Pattern("log.txt", "words that say so").')
    for name in ("options", "environment", "noise_std"):
        value = getattr(program, name)
        if not (isinstance(value, Mapping) or (name == "noise_std" and value is None)):
            raise InputError(f"{owner} was given {name} = {value!r}; give a mapping, from each name to what it is.")
    for name in ("exit_codes", "verbatim"):
        value = getattr(program, name)
        if isinstance(value, str | int):
            raise InputError(f"{owner} was given {name} = {value!r}; give a list, as in [{value!r}].")
    if program.jacobian is not None:
        check_reading(program.jacobian, "jacobian", owner)
    if getattr(program.jacobian, "unit", None) is not None:
        raise InputError(
            f"{owner}: the jacobian is in the units of the outputs per unit of the inputs; leave its unit out, or "
            "convert in a function of the folder."
        )
    if program.launcher is not None and not isinstance(program.launcher, Mpi):
        raise InputError(f"{owner} was given the launcher {program.launcher!r}; give Mpi(4).")
    if program.threads is not None and (not isinstance(program.threads, int) or program.threads < 1):
        raise InputError(f"{owner} was given threads = {program.threads}; give a number from 1.")
    if program.width is not None and (not isinstance(program.width, int) or program.width < 8):
        raise InputError(f"{owner} was given width = {program.width!r}; give a number of characters from 8, or None.")
    if not isinstance(program.stdout, str) or "/" in program.stdout or program.stdout in ("", ".", ".."):
        raise InputError(f"{owner} was given stdout = {program.stdout!r}; give the name of a file, without a folder.")
    for variable, value in program.environment.items():
        if not isinstance(value, str):
            raise InputError(f"{owner}: the environment variable {variable} = {value!r} is no text.")


def _environment(program: Program) -> dict[str, str]:
    threads = {} if program.threads is None else dict.fromkeys(_THREADS, str(program.threads))
    launcher = {} if program.launcher is None else dict(program.launcher.environment())
    return {**launcher, **threads, **program.environment}
