"""Small meshes whose geometry is known."""

import numpy as np

from scalebridge.data import CellBlock, Mesh

CELLS = {
    "triangle": ([[0, 0, 0], [2, 0, 0], [0, 3, 0]], 3.0),
    "quad": ([[0, 0, 0], [2, 0, 0], [2, 3, 0], [0, 3, 0]], 6.0),
    "tetra": ([[0, 0, 0], [2, 0, 0], [0, 3, 0], [0, 0, 4]], 4.0),
    "pyramid": ([[0, 0, 0], [2, 0, 0], [2, 3, 0], [0, 3, 0], [1, 1, 4]], 8.0),
    "wedge": ([[0, 0, 0], [2, 0, 0], [0, 3, 0], [0, 0, 4], [2, 0, 4], [0, 3, 4]], 12.0),
    "hexahedron": (
        [[0, 0, 0], [2, 0, 0], [2, 3, 0], [0, 3, 0], [0, 0, 4], [2, 0, 4], [2, 3, 4], [0, 3, 4]],
        24.0,
    ),
    "line": ([[0, 0, 0], [3, 4, 0]], 5.0),
    "vertex": ([[1, 1, 1]], 0.0),
}


def one_cell(kind):
    points, measure = CELLS[kind]
    return Mesh(np.array(points, float), (CellBlock(kind, [list(range(len(points)))]),), name=kind), measure


def square(n, kind="triangle", unit="m", seed=None):
    """The unit square in n x n squares, each two triangles or one quad; inner points shaken with a seed."""
    x = np.linspace(0.0, 1.0, n + 1)
    points = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)
    if seed is not None:
        inner = ((points > 0) & (points < 1)).all(axis=1)
        points[inner] += np.random.default_rng(seed).uniform(-0.2, 0.2, (inner.sum(), 2)) / n
    i, j = np.meshgrid(np.arange(n), np.arange(n), indexing="ij")
    a = (i * (n + 1) + j).ravel()
    quads = np.column_stack([a, a + n + 1, a + n + 2, a + 1])
    nodes = quads if kind == "quad" else np.vstack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return Mesh(points, (CellBlock(kind, nodes),), unit=unit, name=f"square {n}")


def cube(n, seed=None):
    """The unit cube in n^3 hexahedra, inner points shaken with a seed."""
    x = np.linspace(0.0, 1.0, n + 1)
    points = np.stack(np.meshgrid(x, x, x, indexing="ij"), axis=-1).reshape(-1, 3)
    if seed is not None:
        inner = ((points > 0) & (points < 1)).all(axis=1)
        points[inner] += np.random.default_rng(seed).uniform(-0.15, 0.15, (inner.sum(), 3)) / n
    i, j, k = np.meshgrid(*[np.arange(n)] * 3, indexing="ij")
    s, t = (n + 1) ** 2, n + 1
    a = (i * s + j * t + k).ravel()
    nodes = np.column_stack([a, a + s, a + s + t, a + t, a + 1, a + s + 1, a + s + t + 1, a + t + 1])
    return Mesh(points, (CellBlock("hexahedron", nodes),), name=f"cube {n}")
