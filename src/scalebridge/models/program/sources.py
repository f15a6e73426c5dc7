"""Digests of what reads a result: with what it calls and looks up in its own module."""

from __future__ import annotations

import functools
import hashlib
import inspect
import types
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

import numpy as np

from scalebridge.models.function import source_digest

_PLAIN = (bool, int, float, complex, str, bytes, type(None))
_DATA = (*_PLAIN, tuple, list, dict, set, frozenset, np.ndarray, PurePath, functools.partial)


def digest(reading: Any) -> str:
    """Digest of a function, or of an object of a class that the user wrote: its source and that of what it uses.

    What another module brings is told by its name only: raise the model's version when that changes.
    """
    parts = sorted(set(_described(reading, set())))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _described(value: Any, seen: set[int]) -> Iterator[str]:
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, functools.partial):
        yield source_digest(value)
        yield from _described(value.func, seen)
    elif inspect.ismethod(value):
        yield source_digest(value)
        yield from _described(value.__func__, seen)
    elif inspect.isfunction(value):
        yield source_digest(value)
        yield from _globals_of(value, seen)
    elif isinstance(value, type):
        yield from _class(value, seen)
    else:
        yield source_digest(value)
        yield from _class(type(value), seen)


def _class(cls: type, seen: set[int]) -> Iterator[str]:
    """Methods and plain values of a class and of those it derives from, but for those of libraries."""
    for above in cls.__mro__:
        if above.__module__.partition(".")[0] in ("builtins", "scalebridge", "abc", "typing", "functools"):
            continue
        for name, value in vars(above).items():
            if inspect.isfunction(value) and not name.startswith("__dataclass"):
                yield from _described(value, seen)
            elif isinstance(value, _PLAIN) and not name.startswith("__"):
                yield f"{above.__qualname__}.{name} = {value!r}"


def _globals_of(function: types.FunctionType, seen: set[int]) -> Iterator[str]:
    for name in sorted(_names(function.__code__)):
        if name not in function.__globals__:
            continue
        value = function.__globals__[name]
        if inspect.ismodule(value):
            yield f"{name} is {value.__name__}"
        elif inspect.isroutine(value) or isinstance(value, type):
            yield f"{name} is {getattr(value, '__module__', '')}.{getattr(value, '__qualname__', name)}"
            if getattr(value, "__module__", None) == function.__module__:
                yield from _described(value, seen)
        elif hasattr(value, "__wrapped__"):
            yield from _described(value.__wrapped__, seen)
        elif isinstance(value, _DATA):
            yield f"{name} = {source_digest(value)}"  # type: ignore[arg-type]
        else:
            # An object with a life of its own - a logger, a connection - says by its type what it is.
            yield f"{name} is a {type(value).__module__}.{type(value).__qualname__}"
            if type(value).__module__ == function.__module__:
                yield from _class(type(value), seen)


def _names(code: types.CodeType) -> set[str]:
    """The names that a function looks up, also in the functions within it."""
    within = [_names(inner) for inner in code.co_consts if isinstance(inner, types.CodeType)]
    return {*code.co_names}.union(*within)
