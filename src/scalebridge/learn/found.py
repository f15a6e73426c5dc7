"""Surrogates by name: those in the box by their module, others by the entry points ``scalebridge.surrogates``."""

from __future__ import annotations

import importlib
import pkgutil
from importlib.metadata import entry_points
from typing import Any

import scalebridge.learn
import scalebridge.learn.networks
from scalebridge.errors import InputError, did_you_mean

ENTRY_POINTS = "scalebridge.surrogates"
# Rooms whose modules are surrogates.
ROOMS = (scalebridge.learn, scalebridge.learn.networks)


def known_surrogates() -> list[str]:
    """Names of all surrogates, none of which is imported.

    A module ``random_forest`` of `scalebridge.learn` that exports a class ``RandomForest`` is one.
    """
    return sorted(set(_here()) | {point.name for point in entry_points(group=ENTRY_POINTS)})


def surrogate_named(name: str) -> Any:
    """The class of a surrogate, to be built as ``surrogate_named("random_forest")(inputs, outputs)``.

    Raises:
        InputError: no surrogate of that name, or a registered one that cannot be fitted.
    """
    known = known_surrogates()
    if name not in known:
        raise InputError(f"The surrogate '{name}' is not known{did_you_mean(name, known)}")
    if name in _here():
        return getattr(importlib.import_module(_here()[name]), class_name(name))
    point = next(p for p in entry_points(group=ENTRY_POINTS) if p.name == name)
    found = point.load()
    if not (isinstance(found, type) and hasattr(found, "fit")):
        raise InputError(f"The surrogate '{name}' of '{point.value}' is no class with fit(x, y); ask its author.")
    return found


def _here() -> dict[str, str]:
    """Modules of the surrogates in the box by name."""
    found = {m.name: f"{room.__name__}.{m.name}" for room in ROOMS for m in pkgutil.iter_modules(room.__path__)}
    return {name: place for name, place in found.items() if class_name(name) in scalebridge.learn.__all__}


def class_name(module: str) -> str:
    """``RandomForest`` of ``random_forest``."""
    return "".join(word.capitalize() for word in module.split("_"))
