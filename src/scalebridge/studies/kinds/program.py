"""Kind ``program``: `scalebridge.models.Program`, any program with input and output files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import BaseModel, Field, model_validator

from scalebridge.errors import InputError
from scalebridge.quantities import Space, Variable
from scalebridge.studies.entry import STRICT, Built, Entry

if TYPE_CHECKING:
    from scalebridge.models import Mpi

_READERS = ("pattern", "csv", "columns", "json_path", "npy", "npz", "hdf5")


class Quantity(BaseModel):
    """A variable in full; a unit alone, or [unit, low, high], says the same of a number."""

    model_config = STRICT

    unit: str = Field("1", description="unit", examples=["MPa"])
    shape: list[int] = Field(default_factory=list, description="shape of an array", examples=[[3]])
    bounds: tuple[float | None, float | None] | None = Field(None, description="lower and upper bound")
    kind: Literal["array", "symmetric"] = Field("array", description="symmetric: Mandel components of a tensor")


class Words(BaseModel):
    """A regular expression in a file."""

    model_config = STRICT

    file: str = Field(description="name of the file in the working folder", examples=["stdout.txt"])
    pattern: str = Field(description="regular expression", examples=["^converged"])


class Result(BaseModel):
    """What reads a result: a file and one of pattern, csv, columns, json_path, npy, npz, hdf5."""

    model_config = STRICT

    file: str = Field(description="name of the file in the working folder", examples=["stdout.txt"])
    pattern: str | None = Field(None, description="regular expression; {number} stands for a number")
    which: str | int = Field("last", description="which match of a pattern: first, last, all or its number")
    csv: str | int | None = Field(None, description="heading or number of the column of a comma-separated table")
    columns: str | int | None = Field(None, description="the same of a table whose columns are parted by blanks")
    row: str | int = Field(-1, description="row of a table from 0, from the end if negative, or all")
    json_path: str | None = Field(None, description="way into a JSON file", examples=["steps[-1].energy"])
    npy: bool = Field(False, description="a .npy file")
    npz: str | None = Field(None, description="name of the array in a .npz file")
    hdf5: str | None = Field(None, description="path of the dataset in an HDF5 file")
    index: list[int] | None = Field(None, description="of one entry of an array", examples=[[-1]])
    unit: str | None = Field(None, description="unit in the file, where it is not the output's", examples=["kPa"])

    @model_validator(mode="after")
    def _one_reader(self) -> Self:
        given = [name for name in _READERS if getattr(self, name) not in (None, False)]
        if len(given) != 1:
            raise InputError(f"the file '{self.file}' is to be read by {' and '.join(given) or 'nothing'}; give one of "
                             f"{', '.join(_READERS)}.")  # fmt: skip
        return self

    def parser(self) -> Any:
        """Make the parser."""
        from scalebridge.models import program as p

        index = None if self.index is None else tuple(self.index)
        if self.pattern is not None:
            return p.Pattern(self.file, self.pattern, self.unit, self.which)
        if self.csv is not None:
            return p.Csv(self.file, self.csv, self.row, self.unit)
        if self.columns is not None:
            return p.Columns(self.file, self.columns, self.row, self.unit)
        if self.json_path is not None:
            return p.Json(self.file, self.json_path, self.unit)
        if self.npz is not None:
            return p.Npz(self.file, self.npz, index, self.unit)
        if self.hdf5 is not None:
            return p.Hdf5(self.file, self.hdf5, index, self.unit)
        return p.Npy(self.file, index, self.unit)


class Ranks(BaseModel):
    """How a program is started on several ranks."""

    model_config = STRICT

    ranks: int = Field(ge=1, description="number of ranks", examples=[4])
    command: list[str] = Field(default_factory=lambda: ["mpirun"], description="the launcher")
    options: list[str] = Field(default_factory=list, description="options of the launcher")

    def launcher(self) -> Mpi:
        """Make the launcher."""
        from scalebridge.models import Mpi

        return Mpi(self.ranks, tuple(self.command), tuple(self.options))


class Settings(Entry):
    """A program that reads files and writes files."""

    role: ClassVar[str | None] = "micro"
    kind: Literal["program"] = "program"
    command: list[str] = Field(
        description="the program and its arguments, which may hold placeholders", examples=[["solver", "in.txt"]]
    )
    inputs: dict[str, str | list[Any] | Quantity] = Field(description="inputs", examples=[{"T": ["K", 80, 700]}])
    outputs: dict[str, str | list[Any] | Quantity] = Field(description="outputs", examples=[{"stress": "MPa"}])
    results: dict[str, Result] | str = Field(
        description="what reads each output; or a function of the folder, file.py:name, that returns all",
        examples=[{"stress": {"file": "stdout.txt", "pattern": "stress = {number}"}}],
    )
    template: str | None = Field(None, description="file or folder with placeholders {{ T [degC] }}", examples=["case"])
    options: dict[str, str | int | float] = Field(default_factory=dict, description="fixed values of placeholders")
    files: dict[str, str] = Field(default_factory=dict, description="files copied as they are, by their name there")
    links: dict[str, str] = Field(default_factory=dict, description="files and folders linked, by their name there")
    verbatim: list[str] = Field(default_factory=list, description="patterns of template files without placeholders")
    converged: Words | None = Field(None, description="words without which a run failed")
    unconverged: Words | None = Field(None, description="words with which a run failed")
    noise_std: dict[str, Result] | None = Field(None, description="what reads the deviation of each output's noise")
    stdin: str | None = Field(None, description="file of the template that it reads as its input stream")
    stdout: str = Field("stdout.txt", description="file that takes its output")
    exit_codes: list[int] = Field(default_factory=lambda: [0], description="exit codes that count as success")
    mpi: Ranks | None = Field(None, description="ranks of a parallel program", examples=[{"ranks": 4}])
    threads: int | None = Field(None, ge=1, description="OpenMP threads of each process")
    timeout: str | float | None = Field(None, description="time a run may take", examples=["10 min"])
    memory: str | float | None = Field(None, description="memory of each process", examples=["4 GB"])
    environment: dict[str, str] = Field(default_factory=dict, description="variables added to the environment")
    keep: Literal["never", "failed", "always"] = Field("never", description="which working folders stay")
    working_folder: str | None = Field(None, description="where working folders are made")
    version: str = Field("1", description="raised when the results change", examples=["1"])

    def build(self, name: str, folder: Path) -> Built:
        """Make the model; the program itself is looked for when it first runs."""
        try:
            return Built(self._program(name, folder))
        except InputError as error:
            raise type(error)(f"[models.{name}]: {error}") from error

    def _program(self, name: str, folder: Path) -> Any:
        from scalebridge.models import Program
        from scalebridge.models.program import Pattern

        def words(given: Words | None) -> Pattern | None:
            return None if given is None else Pattern(given.file, given.pattern)

        return Program(
            self._command(folder),
            _space(self.inputs),
            _space(self.outputs),
            self._results(name, folder),
            template=None if self.template is None else folder / self.template,
            options=self.options,
            files={there: folder / file for there, file in self.files.items()},
            links={there: folder / file for there, file in self.links.items()},
            verbatim=self.verbatim,
            converged=words(self.converged),
            unconverged=words(self.unconverged),
            noise_std=None if self.noise_std is None else {n: r.parser() for n, r in self.noise_std.items()},
            stdin=self.stdin,
            stdout=self.stdout,
            exit_codes=tuple(self.exit_codes),
            launcher=None if self.mpi is None else self.mpi.launcher(),
            threads=self.threads,
            timeout=self.timeout,
            memory=self.memory,
            environment=self.environment,
            keep=self.keep,
            folder=None if self.working_folder is None else folder / self.working_folder,
            name=name,
            version=self.version,
        )

    def _results(self, name: str, folder: Path) -> Any:
        if isinstance(self.results, str):
            return _function(self.results, folder)
        return {output: result.parser() for output, result in self.results.items()}

    def _command(self, folder: Path) -> list[str | Path]:
        """A program or script beside the study by its whole path, unless the template brings one of that name."""
        from scalebridge.models.program.words import programs_among

        programs = programs_among(self.command, folder)
        return [
            (folder / word).absolute() if i in programs and not self._brings(word, folder) else word
            for i, word in enumerate(self.command)
        ]

    def _brings(self, word: str, folder: Path) -> bool:
        template = () if self.template is None else (folder / self.template / word,)
        return word in self.files or word == Path(self.template or "").name or any(path.exists() for path in template)


def _function(reference: str, folder: Path) -> Any:
    from scalebridge.studies.kinds.function import named

    found = named(reference, folder, f"results = '{reference}'")
    if not callable(found):
        raise InputError(f"results = '{reference}' is a {type(found).__name__}; name a function of the folder.")
    return found


def _space(given: dict[str, str | list[Any] | Quantity]) -> Space:
    return Space([_variable(name, entry) for name, entry in given.items()])


def _variable(name: str, entry: str | list[Any] | Quantity) -> Variable:
    if isinstance(entry, Quantity):
        return Variable(name, entry.unit, tuple(entry.shape), entry.bounds, entry.kind)
    return Space({name: tuple(entry) if isinstance(entry, list) else entry})[name]
