"""Amounts as numbers in SI units or as texts with a unit, checked."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from scalebridge.errors import InputError
from scalebridge.quantities.units import magnitude


def positive(value: Any, unit: str, owner: str) -> float:
    """Return a positive, finite amount in ``unit``.

    Raises:
        InputError: another amount, or a text that does not convert.
    """
    amount = _read(value, unit, owner) if isinstance(value, str) else magnitude(value, unit, owner)
    if not (math.isfinite(amount) and amount > 0.0):
        raise InputError(f"{owner} is {value}; it must be positive and finite, in {unit}.")
    return amount


@lru_cache(maxsize=1024)
def _read(text: str, unit: str, owner: str) -> float:
    """Components are made thousands of times of the same texts, which take pint a millisecond each."""
    return magnitude(text, unit, owner)
