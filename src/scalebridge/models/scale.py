"""The extent and grain of a model in length and time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scalebridge.errors import InputError
from scalebridge.quantities.units import magnitude

Span = tuple[str | float, str | float]


@dataclass(frozen=True)
class Scale:
    """Grain (the smallest feature) and extent (the whole domain) of a model.

    Args:
        length: ``(grain, extent)`` in metres or as texts such as ``("1 um", "100 um")``.
        time: ``(grain, extent)`` in seconds or as texts; ``None`` for a model without time.

    Raises:
        InputError: a grain that is not positive or above the extent.
    """

    length: Span | None = None
    time: Span | None = None

    def __post_init__(self) -> None:
        for name in ("length", "time"):
            given = getattr(self, name)
            pair = given is None or (isinstance(given, tuple | list) and len(given) == 2)
            span = self.span(name) if pair else (0.0, 0.0)
            if span is not None and not 0 < span[0] <= span[1] < math.inf:
                raise InputError(
                    f"The scale has {name} = {getattr(self, name)}; give (grain, extent) with 0 < grain <= extent."
                )

    def span(self, name: str) -> tuple[float, float] | None:
        """Return ``(grain, extent)`` of ``"length"`` in m or ``"time"`` in s; ``None`` where not given."""
        value: Span | None = getattr(self, name)
        if value is None:
            return None
        unit = {"length": "m", "time": "s"}[name]
        low, high = (magnitude(v, unit, f"The scale's {name}") for v in value)
        return low, high
