"""What every ``[models.NAME]`` table is, and what it builds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from scalebridge.errors import InputError
from scalebridge.models import Model

STRICT = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Built:
    """A model made from its table.

    Args:
        model: a `MacroModel` or a `Model`.
        alternatives: uncertain input -> models that differ from ``model`` in it, for the input interval.
        arrays: what the report shows of the model whatever was asked: name -> array.
        picture: ``state [d] -> arrays`` of a solved micro problem, where the model can show one.
        notes: sentences the reader of the answer should know.
        units: quantity of interest -> unit, for a macro model.
    """

    model: Any
    alternatives: Mapping[str, Sequence[Model]] = field(default_factory=dict)
    arrays: Mapping[str, Any] = field(default_factory=dict)
    picture: Callable[[Any], Mapping[str, Any]] | None = None
    notes: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)


class Entry(BaseModel):
    """A model's table. A kind is a class of this in a module named after it, with ``role`` and ``build``."""

    model_config = STRICT

    role: ClassVar[str | None] = None
    kind: str | None = None

    def build(self, name: str, folder: Path) -> Built:
        """Make the model; relative paths start from ``folder``.

        Raises:
            InputError: what the table asks for cannot be made.
        """
        raise InputError(f"[models.{name}] has neither a kind nor a function.")
