"""Components of values: numbers, vectors and tensors, in OpenFOAM's order and in ours."""

from __future__ import annotations

from scalebridge.quantities import Floats

# Number of components -> shape of a value.
SHAPES: dict[int, tuple[int, ...]] = {1: (), 3: (3,), 6: (6,), 9: (3, 3)}
# From OpenFOAM's xx, xy, xz, yy, yz, zz to xx, yy, zz, xy, yz, zx.
_SYMMETRIC = [0, 3, 5, 1, 4, 2]


def shaped(rows: Floats) -> Floats:
    """Components ``[..., k]`` in OpenFOAM's order as values ``[..., *shape]``; ``k`` is 1, 3, 6 or 9."""
    k = rows.shape[-1]
    ours = rows[..., _SYMMETRIC] if k == 6 else rows
    return ours.reshape(*rows.shape[:-1], *SHAPES[k])


def whole(rows: Floats) -> Floats:
    """Symmetric tensors xx, yy, zz, xy, yz, zx ``[..., 6]`` as ``[..., 3, 3]``."""
    return rows[..., [[0, 3, 5], [3, 1, 4], [5, 4, 2]]]


def symmetric(tensors: Floats) -> Floats:
    """The components xx, yy, zz, xy, yz, zx ``[..., 6]`` of tensors ``[..., 3, 3]``."""
    return tensors[..., [0, 1, 2, 0, 1, 2], [0, 1, 2, 1, 2, 0]]
