"""The declared question: what a study file may say, checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, SerializeAsAny, model_validator

from scalebridge.errors import InputError, did_you_mean
from scalebridge.models.program.process import limit
from scalebridge.studies.entry import STRICT, Entry
from scalebridge.studies.kinds import parsed

SCHEMA_VERSION = 1


class CouplingTable(BaseModel):
    """Which micro model answers for which macro problem."""

    model_config = STRICT

    macro: str = Field(description="name of the macro model, as in [models.NAME]", examples=["plate"])
    micro: str = Field(description="name of the micro model, as in [models.NAME]", examples=["composite"])
    scheme: Literal["closure"] = Field("closure", description="how the two are coupled")


class QuestionTable(BaseModel):
    """What is asked, and how well it must be known."""

    model_config = STRICT

    qoi: str | list[str] = Field(description="name of the quantity of interest, or several", examples=["force"])
    rtol: float | None = Field(
        None, gt=0, lt=1, allow_inf_nan=False, description="half-width wanted, relative to the value", examples=[0.01]
    )
    atol: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="half-width wanted, in the unit of the quantity", examples=[0.5]
    )
    confidence: float = Field(0.95, ge=0.5, lt=1, description="of the interval", examples=[0.95])
    mesh: Literal["report", "include"] = Field(
        "report", description="whether the interval counts the error of the macro mesh"
    )
    budget: int | None = Field(None, ge=1, description="most micro runs, those for uncertain inputs included")
    input_states: int = Field(
        2, ge=1, le=50, description="states at which each alternative of an uncertain input is run"
    )

    @model_validator(mode="after")
    def _has_a_tolerance(self) -> Self:
        if self.rtol is None and self.atol is None:
            raise InputError("[question] gives no tolerance; add rtol = 0.01 for one per cent, or atol.")
        if not self.names:
            raise InputError("[question] qoi is empty; name a quantity of interest of the macro model.")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The quantities asked for, in order."""
        return (self.qoi,) if isinstance(self.qoi, str) else tuple(self.qoi)


class RunTable(BaseModel):
    """Where and how micro runs are made."""

    model_config = STRICT

    store: str | None = Field(None, description="directory of the runs; OUT/store if not given", examples=["store"])
    executor: str | None = Field(
        None, description="where micro runs are made: 'in-process', 'processes' or an installed executor"
    )
    timeout: str | float | None = Field(
        None, description="time after which a micro run is ended; never if not given", examples=["10 min"]
    )
    seed: int = Field(0, ge=0, description="of every random stream")
    threads: int | None = Field(None, ge=1, description="threads of the numerical libraries; all cores if not given")

    @model_validator(mode="after")
    def _has_a_time(self) -> Self:
        limit(self.timeout, "s", "[run] timeout")
        return self


def _entries(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {name: table if isinstance(table, Entry) else parsed(str(name), table) for name, table in value.items()}


class Study(BaseModel):
    """One declared question: models, couplings, tolerance, where to run.

    The same object whether read from ``study.toml`` (`Study.load`) or built in Python from a mapping
    (``Study.model_validate`` or `Study.of`).

    Raises:
        InputError: from `load` and `of`; one sentence says where, what and what is valid.
    """

    model_config = ConfigDict(extra="forbid", title="ScaleBridge study")

    schema_version: Literal[1] = Field(1, description="version of this schema")
    title: str | None = Field(None, description="what the report is headed with")
    models: Annotated[dict[str, SerializeAsAny[Entry]], BeforeValidator(_entries)] = Field(
        description="which models there are: each has a kind, or function = 'file.py:name'"
    )
    couplings: list[CouplingTable] = Field(min_length=1, description="which models are coupled")
    question: QuestionTable = Field(description="what is asked")
    run: RunTable = Field(default_factory=RunTable, description="where to run")  # type: ignore[arg-type]

    validation: dict[str, Any] = Field(
        default_factory=dict,
        description="keys replaced for --validate direct, such as 'models.plate.mesh.n' = 2",
    )

    _folder: Path = PrivateAttr(default_factory=Path)
    _source: str = PrivateAttr(default="the study")

    @model_validator(mode="after")
    def _graph_is_whole(self) -> Self:
        for coupling in self.couplings:
            for role in ("macro", "micro"):
                name = getattr(coupling, role)
                if name not in self.models:
                    raise InputError(f"[[couplings]] {role} = '{name}' names no model{did_you_mean(name, self.models)}")
                of = self.models[name].role
                if of is not None and of != role:
                    raise InputError(
                        f"[[couplings]] {role} = '{name}' is of the kind '{self.models[name].kind}', a {of} model; "
                        f"name a {role} model there."
                    )
        if len(self.couplings) > 1:
            raise InputError(
                f"[[couplings]] declares {len(self.couplings)} couplings; this version solves one, keep a single one."
            )
        used = {name for c in self.couplings for name in (c.macro, c.micro)}
        for name in self.models:
            if name not in used:
                raise InputError(f"[models.{name}] is in no coupling; name it in [[couplings]] or remove it.")
        return self

    @property
    def folder(self) -> Path:
        """The folder that relative paths of the study start from."""
        return self._folder

    @property
    def source(self) -> str:
        """What messages call the study: its file, or "the study"."""
        return self._source

    @classmethod
    def of(cls, content: Mapping[str, Any], folder: str | Path = ".", source: str = "the study") -> Study:
        """Build a study from a mapping of the same shape as the file."""
        from pydantic import ValidationError

        from scalebridge.studies.sentences import sentence

        try:
            study = cls.model_validate(content)
        except ValidationError as error:
            raise InputError(f"{source}: {sentence(error, cls)}") from error
        study._folder, study._source = Path(folder), source
        return study

    @classmethod
    def load(cls, path: str | Path, overrides: Sequence[str] = ()) -> Study:
        """Read a study file; each of ``overrides`` is ``a.b=c`` and replaces a key.

        Raises:
            InputError: no such file, no TOML, an unknown key, a value that cannot be used.
        """
        from scalebridge.studies.files import overridden, read_toml

        file = Path(path)
        content = overridden(read_toml(file), overrides)
        return cls.of(content, file.parent, str(path))

    def changed(self, changes: Mapping[str, Any]) -> Study:
        """Return the study with keys replaced, each named ``a.b``.

        Raises:
            InputError: as `of`.
        """
        from scalebridge.studies.files import replaced

        content = replaced(self.model_dump(mode="python", exclude_unset=True), changes)
        return Study.of(content, self.folder, self.source)

    def to_toml(self) -> str:
        """Return the study as a file's text, without the keys that hold their default."""
        from scalebridge.studies.files import toml_text

        return toml_text(self.model_dump(mode="json", exclude_unset=True))

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(self.to_toml())}</pre>"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a study file, the kinds in the box included."""
    from scalebridge.studies.kinds import kinds_in_the_box
    from scalebridge.studies.kinds.function import FunctionEntry

    schema = Study.model_json_schema()
    definitions = schema.setdefault("$defs", {})
    options = []
    entries: tuple[type[Entry], ...] = (*kinds_in_the_box().values(), FunctionEntry)
    for entry in entries:
        own = entry.model_json_schema(ref_template="#/$defs/{model}")
        definitions |= own.pop("$defs", {})
        definitions[_schema_name(entry)] = own
        options.append({"$ref": f"#/$defs/{_schema_name(entry)}"})
    schema["properties"]["models"]["additionalProperties"] = {"anyOf": options}
    definitions.pop("Entry", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _schema_name(entry: type[Entry]) -> str:
    return entry.__module__.rpartition(".")[2]
