"""Kind ``openfoam``: `scalebridge.simulators.openfoam.OpenFoam`, a case with inputs in its dictionaries."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field

from scalebridge.errors import InputError
from scalebridge.quantities import Space, Variable
from scalebridge.studies.entry import STRICT, Built, Entry
from scalebridge.studies.kinds.function import named


class Input(BaseModel):
    """An input and where it stands in the case."""

    model_config = STRICT

    place: str | list[str] = Field(
        description="entry or entries of the case", examples=["constant/transportProperties:nu"]
    )
    unit: str = Field("1", description="unit; written in SI", examples=["mm^2/s"])
    bounds: tuple[float | None, float | None] | None = Field(None, description="lower and upper bound")


class Settings(Entry):
    """An OpenFOAM case: inputs placed in its dictionaries, results read by a function of its folder."""

    role: ClassVar[str | None] = "micro"
    kind: Literal["openfoam"] = "openfoam"
    case: str = Field(description="folder of the case, which is copied for every run", examples=["cylinder"])
    inputs: dict[str, Input] = Field(
        description="inputs by name, each with its place, unit and bounds",
        examples=[{"viscosity": {"place": "constant/transportProperties:nu", "unit": "mm^2/s"}}],
    )
    outputs: dict[str, str | tuple[str, float | None, float | None]] = Field(
        description="outputs by name: a unit, or [unit, low, high]", examples=[{"drag": "N"}]
    )
    results: str = Field(
        description="function of the finished case's folder that returns the outputs by name", examples=["drag.py:read"]
    )
    settings: dict[str, str | float | list[float]] = Field(
        default_factory=dict, description="entries that differ from the case: numbers, texts with units, words"
    )
    mesh: list[str | list[str]] | None = Field(
        None, description="programs that make the mesh", examples=[["blockMesh"]]
    )
    solver: str | None = Field(None, description="the solver; the application of system/controlDict if not given")
    after: list[str | list[str]] = Field(default_factory=list, description="programs that follow the solver")
    processors: int = Field(1, ge=1, description="MPI ranks of the solver")
    tolerances: dict[str, float] | None = Field(
        None, description="residual wanted of each field; the solver's own word if not given", examples=[{"U": 1e-6}]
    )
    timeout: str | float = Field("1 hour", description="time for all programs of a run", examples=["10 min"])
    keep: Literal["never", "failed", "always"] = Field("never", description="which working folders stay")
    version: str = Field("1", description="raised when results change that neither case nor function shows")

    def build(self, name: str, folder: Path) -> Built:
        """Make the model."""
        from scalebridge.models.program import Limits
        from scalebridge.simulators.openfoam import Case, OpenFoam

        owner = f"[models.{name}]"
        reader = named(self.results, folder, f"{owner} results = '{self.results}'")
        if not callable(reader):
            raise InputError(f"{owner} results = '{self.results}' is no function of the case's folder.")
        try:
            case = Case(
                folder / self.case,
                settings=self.settings,
                mesh=None if self.mesh is None else [_program(p) for p in self.mesh],
                solver=self.solver,
                after=[_program(p) for p in self.after],
                processors=self.processors,
                tolerances=self.tolerances,
                limits=Limits(timeout=self.timeout, owner="The OpenFOAM model"),
            )
            made = OpenFoam(
                case,
                Space([Variable(key, entry.unit, bounds=entry.bounds) for key, entry in self.inputs.items()]),
                Space(self.outputs),
                places={key: entry.place for key, entry in self.inputs.items()},
                results=reader,
                name=name,
                version=self.version,
                keep=self.keep,
            )
        except InputError as error:
            raise InputError(f"{owner}: {error}") from error
        return Built(made)


def _program(program: str | list[str]) -> Any:
    return program if isinstance(program, str) else tuple(program)
