"""Kind ``ansys``: Mechanical APDL, driven live through PyMAPDL, or in batch where a command is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from scalebridge.errors import InputError
from scalebridge.quantities import Space
from scalebridge.studies.entry import STRICT, Built, Entry
from scalebridge.studies.kinds.program import Result

_LIVE = ("get", "parameter", "nodal")
_OF_LIVE = ("exec_file", "cores", "start_timeout")
_OF_BATCH = ("output", "files", "keep")
_IN_FILES = ("pattern", "csv", "columns", "json_path", "npy", "npz", "hdf5")


class Reading(Result):
    """What reads a result: of a live program ``get``, ``parameter`` or ``nodal``; of a batch run a file."""

    model_config = STRICT

    file: str = Field("", description="name of the file in the working folder of a batch run", examples=["tip.txt"])
    get: list[str | int] | None = Field(None, description="as of *GET", examples=[["NODE", 2, "U", "X"]])
    parameter: str | None = Field(None, description="parameter that the script sets", examples=["work"])
    nodal: str | None = Field(None, description="result at the nodes", examples=["nodal_eqv_stress"])
    component: str | None = Field(None, description="component of a nodal result", examples=["X"])
    statistic: Literal["max", "min", "mean", "max_abs"] | None = Field(None, description="of a nodal result")

    @model_validator(mode="after")
    def _one_reader(self) -> Self:
        live = [name for name in _LIVE if getattr(self, name) is not None]
        in_files = [name for name in _IN_FILES if getattr(self, name) not in (None, False)]
        if len(live) + len(in_files) != 1 or bool(self.file) != bool(in_files):
            raise InputError(
                f"a result of ANSYS is read by one of {', '.join(_LIVE)}, or from a file by one of "
                f"{', '.join(_IN_FILES)}; give one."
            )
        if self.get is not None and not 1 <= len(self.get) <= 6:
            raise InputError("get takes 1 to 6 entries, as in ['NODE', 2, 'U', 'X'].")
        return self

    @property
    def is_live(self) -> bool:
        """Whether a live program is asked."""
        return not self.file

    def reading(self) -> Any:
        """Make what `Mapdl` takes."""
        from scalebridge.simulators.ansys import Nodal, Scalar, Value

        if self.get is not None:
            return Value(str(self.get[0]), *self.get[1:])  # type: ignore[arg-type]
        if self.parameter is not None:
            return Scalar(self.parameter)
        return Nodal(self.nodal or "", self.component, self.statistic)


class Settings(Entry):
    """Mechanical APDL."""

    role: ClassVar[str | None] = "micro"
    kind: Literal["ansys"] = "ansys"
    script: str = Field(
        description="APDL input file: live it uses the inputs as parameters, in batch as {{ thick [mm] }}",
        examples=["bar.inp"],
    )
    inputs: dict[str, str | list[Any]] = Field(
        description="inputs: name = unit, or [unit, low, high]", examples=[{"thick": ["mm", 1, 5]}]
    )
    outputs: dict[str, str | list[Any]] = Field(description="outputs", examples=[{"tip": "mm"}])
    results: dict[str, Reading] = Field(
        description="what reads each output", examples=[{"tip": {"get": ["NODE", 2, "U", "X"]}}]
    )
    exec_file: str | None = Field(None, description="the program of a live run; found where left out")
    cores: int | None = Field(None, ge=1, description="cores of a live run")
    start_timeout: str | float = Field("2 min", description="time in which a live program must have started")
    command: list[str] | None = Field(
        None, description="program and arguments of a batch run", examples=[["ansys", "-b", "-i", "in.dat"]]
    )
    output: str = Field(
        "out.txt", description="file of a batch run that tells of errors; what -o in the command names comes first"
    )
    files: dict[str, str] = Field(default_factory=dict, description="files copied for a batch run, by name there")
    keep: Literal["never", "failed", "always"] = Field("never", description="which working folders stay")
    timeout: str | float | None = Field(None, description="time a run may take", examples=["10 min"])
    version: str = Field("1", description="raised when the results change", examples=["1"])

    def build(self, name: str, folder: Path) -> Built:
        """Make the model; the program itself is looked for when it first runs."""
        try:
            return Built(self._live(name, folder) if self.command is None else self._batch(name, folder))
        except InputError as error:
            raise type(error)(f"[models.{name}]: {error}") from error

    def _live(self, name: str, folder: Path) -> Any:
        from scalebridge.simulators.ansys import Mapdl

        self._check(live=True)
        return Mapdl(
            folder / self.script,
            _space(self.inputs),
            _space(self.outputs),
            {output: result.reading() for output, result in self.results.items()},
            exec_file=self.exec_file,
            cores=self.cores,
            timeout=self.timeout,
            start_timeout=self.start_timeout,
            name=name,
            version=self.version,
        )

    def _batch(self, name: str, folder: Path) -> Any:
        from scalebridge.simulators.ansys import apdl

        self._check(live=False)
        beside = [folder / word for word in self.command or ()]
        return apdl(
            folder / self.script,
            _space(self.inputs),
            _space(self.outputs),
            {output: result.parser() for output, result in self.results.items()},
            command=[b.absolute() if b.is_file() else w for b, w in zip(beside, self.command or (), strict=True)],
            output=self.output,
            files={there: folder / file for there, file in self.files.items()},
            timeout=self.timeout,
            keep=self.keep,
            name=name,
            version=self.version,
        )

    def _check(self, *, live: bool) -> None:
        for key in _OF_BATCH if live else _OF_LIVE:
            if key in self.model_fields_set:
                of = "a batch run, and no command is given" if live else "a live program, and a command is given"
                raise InputError(f"{key} is of {of}; leave one of both out.")
        for output, result in self.results.items():
            if result.is_live != live:
                said = "a live program, and a command is given" if result.is_live else "a file, and no command is given"
                raise InputError(f"results.{output} is read from {said}; give what fits the other.")


def _space(given: dict[str, str | list[Any]]) -> Space:
    return Space([Space({n: tuple(e) if isinstance(e, list) else e})[n] for n, e in given.items()])
