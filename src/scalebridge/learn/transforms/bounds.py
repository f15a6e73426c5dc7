"""Outputs that never leave their bounds, without clipping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scalebridge.errors import InputError
from scalebridge.learn.learner import Data
from scalebridge.learn.transforms.curved import Curved, curved
from scalebridge.learn.transforms.transform import Transform, columns_of
from scalebridge.learn.transforms.warps import Log, Logit, Same, Warp
from scalebridge.quantities import Floats, Space

# A run on a bound stands at most this part of the width away from it.
EDGE = 1e-3
# The exponential goes on along its tangent this far (in logarithms) above the largest run.
BEYOND = 3.0

Pair = tuple[float | None, float | None]


@dataclass(frozen=True)
class Bounds(Transform):
    """Learn outputs through the logarithm (one bound) or the logit (two): mean, quantiles and samples stay inside.

    Args:
        bounds: from the names of outputs to ``(lower, upper)`` in their units, ``None`` for no bound; by default those
            that the outputs declare.

    Raises:
        InputError: on fitting, no bounds at all; a run beyond them, or on the only one.
    """

    bounds: tuple[tuple[str, Pair], ...] | Mapping[str, Pair] | None = None

    def __post_init__(self) -> None:
        if self.bounds is None:
            return
        given = dict(self.bounds)
        object.__setattr__(self, "bounds", tuple((name, tuple(pair)) for name, pair in given.items()))
        for name, pair in given.items():
            if len(pair) != 2 or (pair[0] is not None and pair[1] is not None and pair[0] >= pair[1]):
                raise InputError(f"Bounds got {pair} for '{name}'; give (lower, upper), as in (0, 1) or (0, None).")

    def fit(self, data: Data, inputs: Space, outputs: Space) -> Curved:
        """Choose a map for each output that has a bound."""
        low, high = outputs.lower.copy(), outputs.upper.copy()
        if self.bounds is not None:
            low[:], high[:] = -np.inf, np.inf
            for name, (lower, upper) in dict(self.bounds).items():
                columns = columns_of(outputs, name, "Bounds")
                low[columns] = -np.inf if lower is None else lower
                high[columns] = np.inf if upper is None else upper
        if not (np.isfinite(low) | np.isfinite(high)).any():
            raise InputError(
                f"Bounds found none for the outputs {', '.join(outputs.names)}; declare them in the outputs or give "
                'Bounds({"name": (0, None)}).'
            )
        names = outputs.component_names
        pairs = zip(low.tolist(), high.tolist(), data.y.T, names, strict=True)
        warps = tuple(kept_between(a, b, y, name) for a, b, y, name in pairs)
        words = tuple(
            f"{n} between {a:g} and {b:g}"
            for n, a, b in zip(names, low, high, strict=True)
            if np.isfinite([a, b]).any()
        )
        return curved(data, inputs, outputs, warps, words)


def kept_between(low: float, high: float, y: Floats, name: str) -> Warp:
    """The map whose values lie between two bounds, one, or none.

    Raises:
        InputError: runs that lie beyond, or on the only bound.
    """
    if not np.isfinite([low, high]).any():
        return Same()
    both = bool(np.isfinite(low) and np.isfinite(high))
    bad = (y < low) | (y > high) if both else (y <= low) | (y >= high)
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"The output '{name}' is {y[row]:g} in row {row}, which is not {'between' if both else 'strictly inside'} "
            f"the bounds {low:g} and {high:g}; "
            + ("correct the bounds or the run." if both else "give a bound a little beyond the smallest value.")
        )
    if both:
        part = (y - low) / (high - low)
        inside = np.minimum(part, 1 - part)
        nearest = float(np.min(inside, where=inside > 0, initial=2 * EDGE))
        return Logit(low, high, min(EDGE, nearest / 2))
    sign, bound = (1.0, low) if np.isfinite(low) else (-1.0, high)
    return Log(bound, sign, float(np.log(np.abs(y - bound)).max()) + BEYOND)
