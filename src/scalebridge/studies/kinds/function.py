"""A user's own micro function or macro class: ``function = "file.py:name"``."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import Field

from scalebridge.errors import InputError, did_you_mean
from scalebridge.models import FunctionModel, model
from scalebridge.models.supervisor import travel_by_value
from scalebridge.studies.entry import Built, Entry


class FunctionEntry(Entry):
    """A model from a Python file.

    The name may stand for a function under ``@sb.model``, any object with the members of a model or of a
    macro problem, a class of such (made with ``options``), or a plain function, whose ``inputs`` and
    ``outputs`` are then given here as ``name = "unit"`` or ``name = ["unit", low, high]``.
    """

    function: str = Field(description="file and name of the model", examples=["foam.py:foam"])
    options: dict[str, Any] | None = Field(None, description="keyword arguments of a class or factory")
    inputs: dict[str, str | list[Any]] | None = Field(None, description="inputs of a plain function")
    outputs: dict[str, str | list[Any]] | None = Field(None, description="outputs of a plain function")
    version: str = Field("1", description="raised when the results of a plain function change", examples=["1"])

    def build(self, name: str, folder: Path) -> Built:
        """Import the file and return the model in it."""
        owner = f"[models.{name}] function = '{self.function}'"
        found = named(self.function, folder, owner)
        if _is_model(found):
            if self.options:
                raise InputError(f"{owner} is a model already, so options have no meaning; name its class instead.")
            return Built(found)
        if isinstance(found, type) or self.options is not None:
            return Built(_made(found, self.options or {}, owner))
        if callable(found) and self.inputs is not None and self.outputs is not None:
            return Built(_plain(found, self.inputs, self.outputs, self.version, owner))
        raise InputError(
            f"{owner} is a {type(found).__name__} and no model; put @sb.model(inputs=..., outputs=...) on it, "
            "give inputs and outputs in the table, or name a class with closure_inputs, closure_outputs and solve."
        )


def named(reference: str, folder: Path, owner: str) -> Any:
    """Return what ``"file.py:name"`` stands for; ``owner`` says where it was written.

    Raises:
        InputError: no such file or name, or a file that fails.
    """
    path, colon, name = reference.rpartition(":")
    if not colon or not path or not name.isidentifier():
        raise InputError(f"{owner} is not of the form 'file.py:name'.")
    file = folder / path
    if not file.is_file():
        raise InputError(f"{owner}: there is no file '{file}'; paths start from the folder of the study.")
    module = _imported(file, owner)
    if not hasattr(module, name):
        public = [n for n in vars(module) if not n.startswith("_")]
        raise InputError(f"{owner}: '{path}' has no '{name}'{did_you_mean(name, public)}")
    return getattr(module, name)


def _imported(file: Path, owner: str) -> ModuleType:
    # One module per file: two studies may each bring a 'model.py'. The name enters the key of stored runs,
    # so it depends on the file's name alone.
    name = f"scalebridge_study_{file.stem}"
    known = sys.modules.get(name)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    if known is not None and getattr(known, "__scalebridge_source__", None) == (str(file.resolve()), digest):
        return known
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise InputError(f"{owner}: '{file}' is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except InputError:
        raise
    except Exception as error:
        del sys.modules[name]
        line = getattr(error, "lineno", None)
        where = f" in line {line}" if line else ""
        raise InputError(f"{owner}: '{file}' fails{where} with {type(error).__name__}: {error}.") from error
    module.__dict__["__scalebridge_source__"] = (str(file.resolve()), digest)
    # No other process can import it, so what a model takes from it travels by value.
    travel_by_value(module)
    return module


def _is_model(found: Any) -> bool:
    if isinstance(found, type):
        return False
    micro = all(hasattr(found, m) for m in ("inputs", "outputs", "run", "identity"))
    macro = all(hasattr(found, m) for m in ("closure_inputs", "closure_outputs", "solve"))
    return micro or macro


def _made(found: Any, options: dict[str, Any], owner: str) -> Any:
    try:
        made = found(**options)
    except InputError:
        raise
    except TypeError as error:
        raise InputError(f"{owner} cannot be made with the options {', '.join(options) or 'none'}: {error}.") from error
    if not _is_model(made):
        raise InputError(
            f"{owner} makes a {type(made).__name__}, which is no model; a micro model has inputs, outputs, run and "
            "identity, a macro model closure_inputs, closure_outputs and solve."
        )
    return made


def _plain(found: Any, inputs: Any, outputs: Any, version: str, owner: str) -> FunctionModel:
    def space(given: dict[str, Any]) -> dict[str, Any]:
        return {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}

    try:
        return model(space(inputs), space(outputs), version=version)(found)
    except InputError as error:
        raise InputError(f"{owner}: {error}") from error
