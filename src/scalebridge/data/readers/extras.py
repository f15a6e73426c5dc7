"""Libraries that only some formats need."""

from __future__ import annotations

import importlib
from typing import Any

from scalebridge.errors import InputError


def needed(module: str, why: str) -> Any:
    """A module of the extra ``data``, or one sentence about how to install it.

    Args:
        module: its name.
        why: what needs it, as in "The table 'a.parquet' is Parquet".

    Raises:
        InputError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise InputError(f"{why}, which needs {package}: pip install 'scalebridge[data]'.") from None
