"""Shape functions of the corner cells in coordinates from 0 to 1, and rules that integrate them exactly.

A pyramid is a hexahedron whose top is one point, so that its functions are polynomials and its integrals exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from scalebridge.quantities import Floats

_GAUSS = (0.5 - 0.5 / np.sqrt(3.0), 0.5 + 0.5 / np.sqrt(3.0))
# Of a box with corners in VTK's order: which coordinate is 1.
_BOX = {
    "line": ((0,), (1,)),
    "quad": ((0, 0), (1, 0), (1, 1), (0, 1)),
    "hexahedron": ((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)),
}
_SIMPLEX = {"triangle": 2, "tetra": 3}


@dataclass(frozen=True)
class Rule:
    """Places ``[q, d]`` in a cell and their weights ``[q]``, whose sum is the measure of the reference cell."""

    places: Floats
    weights: Floats


def is_affine(kind: str) -> bool:
    """Whether the map from the reference cell is linear, so that one Newton step inverts it."""
    return kind in _SIMPLEX or kind == "line"


def shapes(kind: str, x: Floats) -> tuple[Floats, Floats]:
    """Shape functions ``[n, k]`` and their derivatives ``[n, k, d]`` at ``x [n, d]``, of a corner type."""
    if kind in _BOX:
        return _box(np.array(_BOX[kind], dtype=np.float64), x)
    if kind in _SIMPLEX:
        d = _SIMPLEX[kind]
        slopes = np.vstack([-np.ones(d), np.eye(d)])
        return np.column_stack([1 - x.sum(axis=1), x]), np.broadcast_to(slopes, (len(x), d + 1, d))
    if kind == "pyramid":
        values, slopes = _box(np.array(_BOX["hexahedron"], dtype=np.float64), x)
        merged = np.vstack([np.eye(4, 5), np.tile(np.eye(5)[4], (4, 1))])
        return values @ merged, np.einsum("nkd,kj->njd", slopes, merged)
    flat, flat_slopes = shapes("triangle", x[:, :2])
    up, up_slopes = shapes("line", x[:, 2:])
    values = np.concatenate([flat * up[:, :1], flat * up[:, 1:]], axis=1)
    parts = [
        np.concatenate([flat_slopes * up[:, j, None, None], (flat * up_slopes[:, j])[:, :, None]], axis=2)
        for j in range(2)
    ]
    return values, np.concatenate(parts, axis=1)


def margin(kind: str, x: Floats) -> Floats:
    """How far inside the cell ``x [n, d]`` lies, ``[n]``: zero on its border, negative outside."""
    if kind in _SIMPLEX:
        edges = np.column_stack([x, 1 - x.sum(axis=1)])
    elif kind == "wedge":
        edges = np.column_stack([x, 1 - x[:, 0] - x[:, 1], 1 - x[:, 2]])
    else:
        edges = np.column_stack([x, 1 - x])
    inside: Floats = edges.min(axis=1)
    return inside


@cache
def centre(kind: str) -> tuple[float, ...]:
    """Coordinates of the middle of the reference cell."""
    middles = {"triangle": (1 / 3, 1 / 3), "wedge": (1 / 3, 1 / 3, 0.5), "pyramid": (0.5, 0.5, 0.25)}
    return middles.get(kind) or (
        (0.25,) * 3 if kind == "tetra" else (0.5,) * {"line": 1, "quad": 2, "hexahedron": 3}[kind]
    )


@cache
def rule(kind: str) -> Rule:
    """A rule that integrates every shape function over every straight cell of a corner type exactly."""
    if kind in _SIMPLEX:
        d = _SIMPLEX[kind]
        return Rule(np.array([centre(kind)]), np.array([1.0 / (2.0 if d == 2 else 6.0)]))
    if kind == "wedge":
        flat = ((1 / 6, 1 / 6), (2 / 3, 1 / 6), (1 / 6, 2 / 3))
        return Rule(np.array([(*p, g) for p in flat for g in _GAUSS]), np.full(6, 1 / 12))
    d = {"line": 1, "quad": 2}.get(kind, 3)
    places = np.array(np.meshgrid(*[_GAUSS] * d, indexing="ij")).reshape(d, -1).T
    return Rule(places, np.full(2**d, 0.5**d))


def _box(corners: Floats, x: Floats) -> tuple[Floats, Floats]:
    factors = [np.where(corners[:, d] == 1, x[:, d, None], 1 - x[:, d, None]) for d in range(corners.shape[1])]
    slopes = np.empty((*factors[0].shape, len(factors)))
    for d in range(len(factors)):
        slopes[..., d] = _product([f for i, f in enumerate(factors) if i != d]) * (2 * corners[:, d] - 1)
    return np.asarray(_product(factors)), slopes


def _product(factors: list[Floats]) -> Floats | float:
    made: Floats | float = 1.0
    for factor in factors:
        made = made * factor
    return made
