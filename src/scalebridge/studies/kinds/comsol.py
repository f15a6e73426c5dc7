"""Kind ``comsol``: `scalebridge.simulators.comsol.Comsol`, a model of COMSOL Multiphysics driven live."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, Field, model_validator

from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Space, Variable
from scalebridge.studies.entry import STRICT, Built, Entry


class Reading(BaseModel):
    """What is read from the solved model: an expression, or a column of an export."""

    model_config = STRICT

    expression: str | None = Field(None, description="expression of COMSOL", examples=["2*es.intWe/U^2"])
    dataset: str | None = Field(None, description="name of the dataset; the default one where left out")
    inner: Literal["first", "last"] | list[Annotated[int, Field(ge=1)]] | None = Field(
        None, description="times or frequencies: first, last, or their numbers from 1"
    )
    outer: int | None = Field(None, ge=1, description="number of the solution of a parametric sweep")
    part: Literal["real", "imag", "abs"] | None = Field(None, description="part of complex values")
    export: str | None = Field(None, description="name of an export of the model, in place of an expression")
    column: str | None = Field(None, description="column of the export")
    step: str | None = Field(None, description="step of the export", examples=["t=0.1"])
    statistic: Literal["max", "min", "mean", "first", "last"] | None = Field(None, description="of several values")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.expression is None) == (self.export is None) or (self.export is None) != (self.column is None):
            raise InputError("a result of COMSOL is an expression, or an export and its column; give one of both.")
        return self

    def reading(self) -> Any:
        """Make what `Comsol` takes."""
        from scalebridge.simulators.comsol import Evaluation, Exported

        if self.export is not None:
            return Exported(self.export, self.column or "", self.step, self.statistic, self.part)
        inner = tuple(self.inner) if isinstance(self.inner, list) else self.inner
        return Evaluation(self.expression or "", self.dataset, inner, self.outer, self.statistic, self.part)


class Settings(Entry):
    """A model of COMSOL Multiphysics, driven through MPh."""

    role: ClassVar[str | None] = "micro"
    kind: Literal["comsol"] = "comsol"
    file: str = Field(description="the .mph file", examples=["capacitor.mph"])
    inputs: dict[str, str | list[Any]] = Field(
        description="parameters of the model: name = unit, or [unit, low, high]", examples=[{"d": ["mm", 1, 5]}]
    )
    outputs: dict[str, str | list[Any]] = Field(description="outputs", examples=[{"C": "pF"}])
    results: dict[str, Reading | str] = Field(
        description="what reads each output: an expression, or a table", examples=[{"C": "2*es.intWe/U^2"}]
    )
    study: str | None = Field(None, description="name of the study; all where left out", examples=["static"])
    fresh: bool = Field(True, description="clear meshes and solutions before each run")
    cores: int | None = Field(None, ge=1, description="cores of the machine")
    release: str | None = Field(None, description="of COMSOL; the newest where left out", examples=["6.2"])
    timeout: str | float | None = Field(None, description="time a run may take", examples=["10 min"])
    start_timeout: str | float = Field("5 min", description="time in which COMSOL must have started")
    version: str = Field("1", description="raised when the results change", examples=["1"])

    def build(self, name: str, folder: Path) -> Built:
        """Make the model; its names are checked against the file, COMSOL itself is looked for when it first runs."""
        from scalebridge.simulators.comsol import Comsol

        try:
            made = Comsol(
                folder / self.file,
                _space(self.inputs),
                _space(self.outputs),
                {k: r if isinstance(r, str) else r.reading() for k, r in self.results.items()},
                study=self.study,
                fresh=self.fresh,
                cores=self.cores,
                release=self.release,
                timeout=self.timeout,
                start_timeout=self.start_timeout,
                name=name,
                version=self.version,
            )
            notes = self._check(folder / self.file)
        except InputError as error:
            raise type(error)(f"[models.{name}]: {error}") from error
        return Built(made, notes=notes)

    def _check(self, file: Path) -> tuple[str, ...]:
        """Names of parameters and study, as the file has them; a note where it cannot be read without COMSOL."""
        from scalebridge.simulators.comsol import read_model

        try:
            said = read_model(file)
        except InputError as error:
            return (f"names are checked when COMSOL starts only: {error}",)
        known = [parameter.name for parameter in said.parameters]
        for name in self.inputs:
            if name not in known:
                raise InputError(f"'{self.file}' has no parameter '{name}'{did_you_mean(name, known)}")
        if self.study is not None and self.study not in said.names("studies"):
            raise InputError(
                f"'{self.file}' has no study '{self.study}'{did_you_mean(self.study, said.names('studies'))}"
            )
        return ()


def _space(given: dict[str, str | list[Any]]) -> Space:
    return Space([_variable(name, entry) for name, entry in given.items()])


def _variable(name: str, entry: str | list[Any]) -> Variable:
    return Space({name: tuple(entry) if isinstance(entry, list) else entry})[name]
