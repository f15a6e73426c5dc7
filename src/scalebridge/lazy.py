"""Names of a room, imported on first use (PEP 562): a room that is named brings no library of its own."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Mapping
from typing import Any


def attach(
    room: str, home: Mapping[str, str], modules: Collection[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return what a package takes for its ``__getattr__`` and ``__dir__``.

    Args:
        room: name of the package, its ``__name__``.
        home: from a public name to the module below the package that holds it.
        modules: modules below the package that are public themselves.
    """

    def get(name: str) -> Any:
        """Import the module of a public name on first use."""
        if name in modules:
            return importlib.import_module(f"{room}.{name}")
        if name in home:
            return getattr(importlib.import_module(f"{room}.{home[name]}"), name)
        raise AttributeError(f"module '{room}' has no attribute '{name}'")

    def names() -> list[str]:
        """Return the public names."""
        return sorted({*home, *modules})

    return get, names
