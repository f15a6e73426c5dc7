"""Symmetric tensors in Mandel components, their matrices, invariants and derivatives."""

from __future__ import annotations

import numpy as np

from scalebridge.quantities import Floats

# Index pairs of the components, in plane and in space.
PLANE = ((0, 0), (1, 1), (0, 1))
SOLID = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


def basis(components: int) -> Floats:
    """Matrices ``[c, D, D]`` of the unit Mandel vectors, orthonormal."""
    pairs, size = (PLANE, 2) if components == 3 else (SOLID, 3)
    made = np.zeros((components, size, size))
    for k, (i, j) in enumerate(pairs):
        made[k, i, j] = made[k, j, i] = 1.0 if i == j else np.sqrt(0.5)
    return made


def matrices(vectors: Floats) -> Floats:
    """Matrices ``[..., D, D]`` of Mandel vectors ``[..., c]``."""
    return np.tensordot(vectors, basis(vectors.shape[-1]), axes=(-1, 0))


def vectors(symmetric: Floats) -> Floats:
    """Mandel vectors ``[..., c]`` of matrices ``[..., D, D]``, of their symmetric part."""
    components = 3 if symmetric.shape[-1] == 2 else 6
    return np.tensordot(symmetric, basis(components), axes=([-2, -1], [1, 2]))


def deviators(symmetric: Floats) -> Floats:
    """Matrices less a third, or in plane a half, of their trace."""
    size = symmetric.shape[-1]
    trace = np.trace(symmetric, axis1=-2, axis2=-1)[..., None, None]
    deviator: Floats = symmetric - trace / size * np.eye(size)
    return deviator


def invariants(strain: Floats) -> tuple[Floats, Floats]:
    """Trace, squared norm of the deviator and, in space, its determinant: ``[n, i]`` and derivatives ``[n, i, c]``.

    Polynomials of the components: smooth everywhere, at zero and at equal eigenvalues too.
    """
    units = basis(strain.shape[1])
    size = units.shape[1]
    deviator = deviators(matrices(strain))
    columns = [strain[:, :size].sum(axis=1), (deviator**2).sum(axis=(1, 2))]
    slopes = [np.tile(np.trace(units, axis1=1, axis2=2), (len(strain), 1)), 2 * vectors(deviator)]
    if size == 3:
        columns.append(np.linalg.det(deviator))
        slopes.append(vectors(deviators(deviator @ deviator)))
    return np.stack(columns, axis=1), np.stack(slopes, axis=1)


def generators(strain: Floats) -> tuple[Floats, Floats]:
    """Unit tensor, deviator e and, in space, the deviator of e e: ``[n, c, g]`` and derivatives ``[n, c, g, c]``.

    They are orthogonal to the unit tensor, which keeps pressure and shape apart. In plane e e is a multiple of one.
    """
    n, c = strain.shape
    units = basis(c)
    size = units.shape[1]
    deviator = deviators(matrices(strain))
    one = np.tile(vectors(np.eye(size)), (n, 1))
    columns, slopes = [one, vectors(deviator)], [np.zeros((n, c, c)), np.tile(vectors(deviators(units)).T, (n, 1, 1))]
    if size == 3:
        columns.append(vectors(deviators(deviator @ deviator)))
        moved = deviators(units)
        both = moved[None] @ deviator[:, None] + deviator[:, None] @ moved[None]
        slopes.append(np.swapaxes(vectors(deviators(both)), 1, 2))
    return np.stack(columns, axis=2), np.stack(slopes, axis=2)


def rotation(turn: Floats) -> Floats:
    """How Mandel vectors turn ``[c, c]`` when matrices do by ``turn [D, D]``; orthogonal as that is."""
    components = 3 if len(turn) == 2 else 6
    return vectors(turn @ basis(components) @ turn.T).T
