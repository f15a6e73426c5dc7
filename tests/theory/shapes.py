"""Images and exact tensors that several tests of homogenisation share."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

import scalebridge as sb

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
DISCRETISATIONS = ("rotated", "hexahedra", "moulinec_suquet")
PAIRS = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


def elastic_pair(contrast: float, nu: float = 0.3) -> list[sb.micro.Elastic]:
    return [sb.micro.Elastic(1.0, nu), sb.micro.Elastic(contrast, nu)]


def conductors(*k: float) -> list[sb.micro.Conductor]:
    return [sb.micro.Conductor(value) for value in k]


def ball(n: int, radius: float = 0.3, dim: int = 3) -> Labels:
    """One ball in the middle of the cell, voxels decided at their centres."""
    x = (np.arange(n) + 0.5) / n - 0.5
    squares = sum(axis * axis for axis in np.meshgrid(*[x] * dim, indexing="ij"))
    return np.asarray(squares <= radius**2, dtype=np.int64)


def distance(radius: float, shift: Floats) -> Callable[..., Floats]:
    """Signed distance to the surface of the nearest ball of a periodic array, positive inside."""

    def signed(*x: Floats) -> Floats:
        squares = sum(((a - s) % 1.0 - 0.5) ** 2 for a, s in zip(x, shift, strict=True))
        return np.asarray(radius - np.sqrt(squares))

    return signed


def voxelised(signed: Callable[..., Floats], n: int, dim: int) -> Labels:
    """Labels by the voxels' centres of a function of x, y (, z) that is positive in phase 1."""
    x = (np.arange(n) + 0.5) / n
    return np.asarray(signed(*np.meshgrid(*[x] * dim, indexing="ij")[::-1]) > 0.0, dtype=np.int64)


def layers(shape: tuple[int, ...], axis: int) -> Labels:
    """Two layers across an axis, the first of half of its voxels, rounded down."""
    second = np.arange(shape[axis]) >= shape[axis] // 2
    along = second.reshape([-1 if a == axis else 1 for a in range(len(shape))])
    return np.broadcast_to(along, shape).astype(np.int64)


def mandel(full: Floats) -> Floats:
    """Mandel components ``[6]`` of a symmetric tensor ``[3, 3]``."""
    return np.array([full[i, j] * (1.0 if i == j else math.sqrt(2.0)) for i, j in PAIRS])


def isotropic(E: float, nu: float) -> Floats:
    """Stiffness ``[6, 6]`` in Mandel components."""
    lam, mu = E * nu / ((1 + nu) * (1 - 2 * nu)), E / (2 * (1 + nu))
    found = 2.0 * mu * np.eye(6)
    found[:3, :3] += lam
    return found


def turned(stiffness: Floats, rotation: Floats) -> Floats:
    """Stiffness ``[6, 6]`` of a material whose axes are the columns of ``rotation [3, 3]``."""
    columns = []
    for slot in range(6):
        unit = np.zeros((3, 3))
        i, j = PAIRS[slot]
        unit[i, j] = unit[j, i] = 1.0 if i == j else 1.0 / math.sqrt(2.0)
        columns.append(mandel(rotation @ unit @ rotation.T))
    q = np.stack(columns, 1)
    return np.asarray(q @ stiffness @ q.T)


def laminate(first: Floats, second: Floats, share: float, normal: Floats) -> Floats:
    """Exact stiffness of layers of any anisotropy: strains differ by sym(a x n), tractions agree (Milton 2002, 9.2)."""
    jump = np.stack([mandel(0.5 * (np.outer(a, normal) + np.outer(normal, a))) for a in np.eye(3)], 1)
    step = (second - first) @ jump
    across = jump.T @ (share * first + (1.0 - share) * second) @ jump
    mean = (1.0 - share) * first + share * second
    return np.asarray(mean - share * (1.0 - share) * step @ np.linalg.solve(across, step.T))


def two_dimensional(stiffness: Floats) -> Floats:
    """Plane strain ``[3, 3]`` of a stiffness ``[6, 6]``."""
    return stiffness[np.ix_([0, 1, 5], [0, 1, 5])]
