"""Kinds of models, found by the name of their module here, or by entry points of other packages.

A kind ``micrograph-rve`` is the module ``micrograph_rve`` of this folder, which holds a class
``Settings(Entry)``. A third party registers such a class under the entry points ``scalebridge.models``
(micro) or ``scalebridge.macros``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from scalebridge.errors import InputError, did_you_mean
from scalebridge.studies.entry import Entry
from scalebridge.studies.kinds.function import FunctionEntry

GROUPS = ("scalebridge.models", "scalebridge.macros")
# Not a kind: the table that names a function instead.
_NOT_A_KIND = "function"


def known_kinds() -> list[str]:
    """Return the names of all kinds, without importing them."""
    here = [m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__) if m.name != _NOT_A_KIND]
    return sorted({*here, *(point.name for group in GROUPS for point in entry_points(group=group))})


def kinds_in_the_box() -> dict[str, type[Entry]]:
    """Return the kinds of this package by name."""
    names = [m.name for m in pkgutil.iter_modules(__path__) if m.name != _NOT_A_KIND]
    return {name.replace("_", "-"): _in_the_box(name) for name in sorted(names)}


def entry_class(kind: str, owner: str) -> type[Entry]:
    """Return the class of a kind.

    Raises:
        InputError: an unknown kind, or a registered one that is no `Entry`.
    """
    if kind not in known_kinds():
        raise InputError(f"{owner} has the kind '{kind}'{did_you_mean(kind, known_kinds())}")
    module = kind.replace("-", "_")
    if module in {m.name for m in pkgutil.iter_modules(__path__)}:
        return _in_the_box(module)
    point = next(p for group in GROUPS for p in entry_points(group=group) if p.name == kind)
    found = point.load()
    if not (isinstance(found, type) and issubclass(found, Entry)):
        raise InputError(f"The kind '{kind}' of '{point.value}' is no scalebridge.studies.Entry; ask its author.")
    return found


def parsed(name: str, table: Any) -> Entry:
    """Return the checked table of ``[models.NAME]``.

    Raises:
        InputError: an unknown kind or key, a value that cannot be used.
    """
    from pydantic import ValidationError

    from scalebridge.studies.sentences import sentence

    owner = f"[models.{name}]"
    if not isinstance(table, Mapping):
        raise InputError(f"{owner} is {table!r}, no table; write [models.{name}] with a kind under it.")
    if "function" in table:
        cls: type[Entry] = FunctionEntry
    elif "kind" in table:
        cls = entry_class(str(table["kind"]), owner)
    else:
        raise InputError(
            f'{owner} has neither a kind nor a function; add kind = "rve" (valid: {", ".join(known_kinds())}) '
            'or function = "file.py:name".'
        )
    try:
        return cls.model_validate(dict(table))
    except ValidationError as error:
        raise InputError(sentence(error, cls, f"models.{name}")) from error


def _in_the_box(module: str) -> type[Entry]:
    settings: type[Entry] = importlib.import_module(f"scalebridge.studies.kinds.{module}").Settings
    return settings
