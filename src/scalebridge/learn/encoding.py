"""Surrogates as a tree of plain JSON and numbered arrays, and back, by classes that are here already."""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from importlib.metadata import entry_points
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.learn.found import ENTRY_POINTS

ROOM = "scalebridge.learn"
# Classes of other rooms that a surrogate holds.
OTHERS = (
    "scalebridge.quantities.space:Space",
    "scalebridge.quantities.variable:Variable",
    "scalebridge.models.model:Structure",
)
KINDS = "biufU"


def encode(value: Any, arrays: list[NDArray[Any]]) -> Any:
    """``value`` as JSON; arrays are appended to ``arrays`` and stand as their number.

    Raises:
        InputError: something that cannot be written without code, such as a fitted estimator or a function.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else {"float": str(float(value))}
    if isinstance(value, tuple | list):
        return {type(value).__name__: [encode(v, arrays) for v in value]}
    if isinstance(value, Mapping) and all(isinstance(k, str) for k in value):
        return {"dict": {k: encode(v, arrays) for k, v in value.items()}}
    if isinstance(value, np.ndarray) and value.dtype.kind in KINDS:
        arrays.append(np.ascontiguousarray(value).reshape(value.shape))
        return {"array": len(arrays) - 1}
    if type(value).__module__ == "torch" and hasattr(value, "detach"):
        arrays.append(value.detach().cpu().numpy())
        return {"tensor": len(arrays) - 1}
    if is_dataclass(value) and not isinstance(value, type):
        return _encoded_object(value, arrays)
    if _is_bare_estimator(value):
        reference = f"{type(value).__module__}:{type(value).__qualname__}"
        return {"estimator": reference, "options": encode(value.get_params(deep=False), arrays)}
    raise InputError(
        f"A {type(value).__module__}.{type(value).__name__} cannot be written as arrays, and an archive never holds "
        "code; keep the runs (surrogate.data) and fit again, or take RandomForest, GradientBoosting or a linear "
        "estimator."
    )


def _encoded_object(value: Any, arrays: list[NDArray[Any]]) -> Any:
    reference = f"{type(value).__module__}:{type(value).__qualname__}"
    if reference not in OTHERS:
        _known(reference)
    kept = {f.name: getattr(value, f.name) for f in fields(value) if f.init}
    return {"class": reference, "fields": {k: encode(v, arrays) for k, v in kept.items()}}


def decode(tree: Any, arrays: Sequence[NDArray[Any]]) -> Any:
    """What `encode` wrote.

    Raises:
        InputError: a class that is not among the known ones, a form that is not known.
    """
    if tree is None or isinstance(tree, bool | str | int | float):
        return tree
    if not isinstance(tree, dict):
        raise InputError(f"The archive holds a {type(tree).__name__} where an object was expected; it is not ours.")
    if set(tree) == {"class", "fields"}:
        return _decoded_object(tree["class"], tree["fields"], arrays)
    if set(tree) == {"estimator", "options"}:
        return _estimator(tree["estimator"])(**decode(tree["options"], arrays))
    content: Any
    ((form, content),) = tree.items() if len(tree) == 1 else (("", None),)
    if form == "float":
        return float(content)
    if form in ("tuple", "list"):
        items = [decode(v, arrays) for v in content]
        return tuple(items) if form == "tuple" else items
    if form == "dict":
        return {k: decode(v, arrays) for k, v in content.items()}
    if form in ("array", "tensor") and isinstance(content, int) and 0 <= content < len(arrays):
        return arrays[content] if form == "array" else _tensor(arrays[content])
    raise InputError(f"The archive holds the form {sorted(tree)[:3]}, which this version does not know.")


def _decoded_object(reference: Any, told: Any, arrays: Sequence[NDArray[Any]]) -> Any:
    cls = _known(reference)
    names = {f.name for f in fields(cls) if f.init}
    if not isinstance(told, dict) or not set(told) <= names:
        raise InputError(f"The archive gives {reference} fields that it does not have; it was made by another version.")
    return cls(**{name: decode(value, arrays) for name, value in told.items()})


def _known(reference: Any) -> Any:
    """The class of a reference ``module:Name``, if it is a dataclass of this room, listed, or registered."""
    module, _, name = str(reference).partition(":")
    here = {m.name for m in pkgutil.walk_packages(importlib.import_module(ROOM).__path__, f"{ROOM}.")}
    registered = {point.value.partition(":")[0] for point in entry_points(group=ENTRY_POINTS)}
    if str(reference) in OTHERS or module in here or module in registered:
        found = getattr(importlib.import_module(module), name, None)
        if isinstance(found, type) and is_dataclass(found) and found.__module__ == module:
            return found
    raise InputError(
        f"The class '{reference}' is none that an archive may hold: these are the dataclasses of {ROOM} and of "
        f"surrogates registered under the entry points {ENTRY_POINTS}; install the package it comes from."
    )


def _is_bare_estimator(value: Any) -> bool:
    """Whether a value is an estimator of scikit-learn with options alone, nothing fitted."""
    ours = type(value).__module__.startswith("sklearn.") and hasattr(value, "get_params")
    return ours and not any(name.endswith("_") and not name.startswith("_") for name in vars(value))


def _estimator(reference: Any) -> Any:
    module, _, name = str(reference).partition(":")
    if module.startswith("sklearn."):
        found = getattr(importlib.import_module(module), name, None)
        if isinstance(found, type) and hasattr(found, "get_params") and found.__module__ == module:
            return found
    raise InputError(f"'{reference}' is no estimator of scikit-learn; an archive holds options of those alone.")


def _tensor(array: NDArray[Any]) -> Any:
    import torch

    return torch.from_numpy(array)
