"""How the loops are compiled: at first use, and kept on disk where there is a place for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

# Sums may be reordered; NaN and infinity keep their meaning, because failures are found by them.
_FASTMATH = {"reassoc", "contract", "nsz"}


def compiled(function: Function) -> Function:
    """Return ``function`` compiled by Numba for one thread, without the global lock while it runs."""
    options: dict[str, Any] = {"nogil": True, "fastmath": _FASTMATH, "error_model": "numpy"}
    made: Any
    try:
        made = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # nowhere to keep the compiled code
        made = numba.njit(**options)(function)
    return cast(Function, made)
