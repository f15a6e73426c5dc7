"""Numbers that sum a field up, weighted by the volume that each value stands for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from scalebridge.data.fields.averaging import weights_of
from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Floats
from scalebridge.quantities.units import registry

if TYPE_CHECKING:
    from scalebridge.data.fields.field import Field


def statistic(field: Field, name: str) -> float | Floats:
    """One number of a field, or one per component ``[*shape]``: see `Field.statistic`."""
    if name not in STATISTICS:
        raise InputError(f"The field '{field.name}' was asked for its '{name}'{did_you_mean(name, STATISTICS)}")
    values, weights = _known(field)
    return _shaped(np.array([STATISTICS[name](v, w) for v, w in zip(values, weights, strict=True)]), field)


def quantile(field: Field, p: float) -> float | Floats:
    """The value that a share ``p`` of the volume does not exceed: see `Field.quantile`."""
    if not 0 <= p <= 1:
        raise InputError(f"The field '{field.name}' was asked for its quantile {p}; give a share from 0 to 1.")
    values, weights = _known(field)
    found = [_quantile(v, w, p) for v, w in zip(values, weights, strict=True)]
    return _shaped(np.array(found), field)


def integral(field: Field) -> tuple[float | Floats, str]:
    """The integral over the mesh with its unit: see `Field.integral`."""
    offset = registry().Unit("dimensionless" if field.unit == "1" else field.unit)
    if not registry().Quantity(1, offset)._is_multiplicative:  # degrees Celsius have no integral
        raise InputError(f"The field '{field.name}' is in '{field.unit}', whose zero is arbitrary; use in_units('K').")
    if field.mesh.dimension == 0:
        raise InputError(f"The mesh '{field.mesh.name}' of '{field.name}' has no cells to integrate over.")
    weights = weights_of(field)
    own = field if field.location == "points" else field.to_cells()
    flat = own.values.reshape(len(own.values), -1)
    # A place without volume adds nothing, whatever it holds.
    total = weights[weights > 0] @ flat[weights > 0]
    parts = [] if field.unit == "1" else [field.unit if field.unit.isidentifier() else f"({field.unit})"]
    if field.mesh.unit != "1":
        parts.append(field.mesh.unit if field.mesh.dimension == 1 else f"{field.mesh.unit}^{field.mesh.dimension}")
    return _shaped(total, field), "*".join(parts) or "1"


def _known(field: Field) -> tuple[list[Floats], list[Floats]]:
    """Values that are there and their weights, for every component; alike weights where none has a volume."""
    weights = weights_of(field)
    own = field if field.location == "points" else field.to_cells()
    if field.location == "integration points":
        flat = field.values.reshape(len(field.values) * field.values.shape[1], -1)
        weights = np.repeat(weights / max(1, field.values.shape[1]), field.values.shape[1])
    else:
        flat = own.values.reshape(len(own.values), -1)
    if not weights.any():
        weights = np.ones(len(weights))
    there = ~np.isnan(flat)
    return [c[t] for c, t in zip(flat.T, there.T, strict=True)], [weights[t] for t in there.T]


def _mean(values: Floats, weights: Floats) -> float:
    total = float(weights.sum())
    return float(values @ weights) / total if total > 0 else float("nan")


def _std(values: Floats, weights: Floats) -> float:
    return float(np.sqrt(_mean(np.square(values - _mean(values, weights)), weights)))


def _quantile(values: Floats, weights: Floats, p: float) -> float:
    if not len(values) or not weights.any():
        return float("nan")
    if p in (0, 1):
        return float(values.min() if p == 0 else values.max())
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    # Half of a value's own weight lies below it.
    middle = reached - 0.5 * weights[order]
    return float(np.interp(p * reached[-1], middle, values[order]))


def _low(values: Floats, weights: Floats) -> float:
    return float(values.min()) if len(values) else float("nan")


def _high(values: Floats, weights: Floats) -> float:
    return float(values.max()) if len(values) else float("nan")


STATISTICS: dict[str, Callable[[Floats, Floats], float]] = {
    "min": _low,
    "max": _high,
    "mean": _mean,
    "std": _std,
    "median": lambda values, weights: _quantile(values, weights, 0.5),
    "range": lambda values, weights: _high(values, weights) - _low(values, weights),
}


def _shaped(found: Floats, field: Field) -> float | Floats:
    return float(found[0]) if field.shape == () else found.reshape(field.shape)
