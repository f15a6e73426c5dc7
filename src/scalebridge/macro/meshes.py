"""Meshes with named boundaries: generators and files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, did_you_mean
from scalebridge.macro.domain import Domain
from scalebridge.quantities import Floats
from scalebridge.quantities.units import magnitude

Length = float | str

__all__ = ["Domain", "box", "from_file", "interval", "l_bracket", "plate_with_hole", "rectangle"]


def interval(length: Length, n: int) -> Domain:
    """Return a bar ``0 <= x <= length`` of ``n`` equal lines; boundaries left, right."""
    import skfem

    end = _length(length, "length")
    mesh = skfem.MeshLine(np.linspace(0.0, end, _count(n, "n") + 1))
    return Domain(mesh.with_boundaries({"left": lambda x: x[0] == 0.0, "right": lambda x: x[0] == end}))


def rectangle(width: Length, height: Length, nx: int, ny: int | None = None, cells: str = "triangle") -> Domain:
    """Return ``[0, width] x [0, height]`` of ``nx`` by ``ny`` squares; boundaries left, right, bottom, top.

    Args:
        width: in metres or with a unit.
        height: in metres or with a unit.
        nx: squares along x.
        ny: squares along y; as many as keeps them square where None.
        cells: "triangle" (two to a square) or "quadrilateral".
    """
    import skfem

    w, h = _length(width, "width"), _length(height, "height")
    ny = max(1, round(_count(nx, "nx") * h / w)) if ny is None else _count(ny, "ny")
    kinds = {"triangle": skfem.MeshTri, "quadrilateral": skfem.MeshQuad}
    if cells not in kinds:
        raise InputError(f"The mesh was asked for with cells = '{cells}'{did_you_mean(str(cells), kinds)}")
    mesh = kinds[cells].init_tensor(np.linspace(0.0, w, nx + 1), np.linspace(0.0, h, ny + 1))
    return Domain(_named(mesh, {"left": (0, 0.0), "right": (0, w), "bottom": (1, 0.0), "top": (1, h)}, max(w, h)))


def box(width: Length, height: Length, depth: Length, n: int, cells: str = "tetrahedron") -> Domain:
    """Return a box of ``n`` cells along its width; boundaries left, right, bottom, top (y), back, front (z)."""
    import skfem

    w, h, d = _length(width, "width"), _length(height, "height"), _length(depth, "depth")
    kinds = {"tetrahedron": skfem.MeshTet, "hexahedron": skfem.MeshHex}
    if cells not in kinds:
        raise InputError(f"The mesh was asked for with cells = '{cells}'{did_you_mean(str(cells), kinds)}")
    axes = [np.linspace(0.0, s, max(1, round(_count(n, "n") * s / w)) + 1) for s in (w, h, d)]
    sides = {"left": (0, 0.0), "right": (0, w), "bottom": (1, 0.0), "top": (1, h), "back": (2, 0.0), "front": (2, d)}
    return Domain(_named(kinds[cells].init_tensor(*axes), sides, max(w, h, d)))


def l_bracket(size: Length, n: int, cells: str = "triangle") -> Domain:
    """Return an L: the square ``[0, size]²`` without its upper right quarter, of ``3 n²`` squares.

    96 triangles at ``n = 4``, 24 576 at ``n = 64``; meshes of doubled ``n`` are nested. Boundaries: bottom, left,
    top (of the upright), right (of the foot), inner_x and inner_y (the edges of the re-entrant corner, along x and y).
    """
    import skfem

    side = _length(size, "size")
    grid = np.linspace(0.0, side, 2 * _count(n, "n") + 1)
    kinds = {"triangle": skfem.MeshTri, "quadrilateral": skfem.MeshQuad}
    if cells not in kinds:
        raise InputError(f"The mesh was asked for with cells = '{cells}'{did_you_mean(str(cells), kinds)}")
    full = kinds[cells].init_tensor(grid, grid)
    centre = full.p[:, full.t].mean(1)
    mesh = full.remove_elements(np.nonzero((centre > side / 2).all(0))[0])
    tol = 1e-9 * side
    half = side / 2
    sides = {
        "left": lambda x: abs(x[0]) < tol,
        "right": lambda x: abs(x[0] - side) < tol,
        "bottom": lambda x: abs(x[1]) < tol,
        "top": lambda x: abs(x[1] - side) < tol,
        "inner_x": lambda x: (abs(x[1] - half) < tol) & (x[0] > half),
        "inner_y": lambda x: (abs(x[0] - half) < tol) & (x[1] > half),
    }
    return Domain(mesh.with_boundaries(sides, boundaries_only=True))


def plate_with_hole(
    width: Length, height: Length, radius: Length, n: int = 8, part: str = "full", cells: str = "triangle"
) -> Domain:
    """Return a plate with a round hole in its centre, the origin.

    Rays run from the hole to the outer edge, graded towards the hole. New nodes of a refinement are put on the circle.

    Args:
        width: of the full plate, in metres or with a unit.
        height: of the full plate.
        radius: of the hole; less than half the width and height.
        n: cells along each quarter of the hole, and about as many along a ray; even.
        part: "full", or "quarter" (``x, y >= 0``; boundaries left and bottom are then the planes of symmetry).
        cells: "triangle" or "quadrilateral".

    Boundaries: left, right, bottom, top, hole.
    """
    import skfem

    a, b, r = _length(width, "width") / 2, _length(height, "height") / 2, _length(radius, "radius")
    n = _count(n, "n")
    if r >= min(a, b):
        raise InputError(
            f"The hole of radius {r:g} m does not fit into a plate of {2 * a:g} m by {2 * b:g} m; "
            "give a radius below half the width and height."
        )
    if part not in ("full", "quarter"):
        raise InputError(f"The plate was asked for with part = '{part}'{did_you_mean(str(part), ('full', 'quarter'))}")
    points, quads = _quarter_plate(a, b, r, n + n % 2)
    if part == "full":
        points, quads = _mirrored(*_mirrored(points, quads, 0), 1)
    mesh = skfem.MeshQuad(np.ascontiguousarray(points.T), np.ascontiguousarray(quads.T))
    if cells == "triangle":
        mesh = _split(mesh)
    elif cells != "quadrilateral":
        raise InputError(
            f"The mesh was asked for with cells = '{cells}'{did_you_mean(str(cells), ('triangle', 'quadrilateral'))}"
        )
    tol = 1e-9 * max(a, b)
    x0, y0 = (-a, -b) if part == "full" else (0.0, 0.0)
    sides = {
        "left": lambda x: abs(x[0] - x0) < tol,
        "right": lambda x: abs(x[0] - a) < tol,
        "bottom": lambda x: abs(x[1] - y0) < tol,
        "top": lambda x: abs(x[1] - b) < tol,
        "hole": lambda x: (np.hypot(*x) < r * (1 + 1e-9)) & (x[0] > x0 + tol) & (x[1] > y0 + tol),
    }
    return Domain(mesh.with_boundaries(sides, boundaries_only=True), {"hole": (0.0, 0.0, r)})


def _quarter_plate(a: float, b: float, r: float, n: int) -> tuple[Floats, NDArray[np.int64]]:
    """Return points ``[n, 2]`` and quadrilaterals ``[m, 4]`` of the quarter; half the rays end on each outer edge."""
    s = np.linspace(0.0, 1.0, n // 2 + 1)
    outer = np.concatenate([np.c_[np.full(n // 2 + 1, a), b * s], np.c_[a * s[::-1], np.full(n // 2 + 1, b)][1:]])
    angle = np.linspace(0.0, np.pi / 2, n + 1)
    inner = r * np.c_[np.cos(angle), np.sin(angle)]
    inner[0, 1] = inner[-1, 0] = 0.0
    # Geometric grading: the first cell on a ray is as long as it is wide.
    layers = n
    ratio = _grading((min(a, b) - r) / (r * np.pi / 2 / n), layers)
    t = np.cumsum(np.r_[0.0, ratio ** np.arange(layers)])
    t /= t[-1]
    points = (inner[:, None] + t[None, :, None] * (outer - inner)[:, None]).reshape(-1, 2)
    i, j = (k.ravel() for k in np.meshgrid(np.arange(n), np.arange(layers), indexing="ij"))
    node = i * (layers + 1) + j
    return points, np.c_[node, node + 1, node + layers + 2, node + layers + 1]


def _grading(total: float, layers: int) -> float:
    """Return the ratio of a geometric series of ``layers`` terms, the first 1, that sums to ``total``, at most 1.5."""
    low, high = 1.0, 1.5
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.sum(middle ** np.arange(layers)) < total else (low, middle)
    return low


def _mirrored(points: Floats, cells: NDArray[np.int64], axis: int) -> tuple[Floats, NDArray[np.int64]]:
    """Join a mesh with its mirror image in the plane where the coordinate ``axis`` is zero."""
    on = points[:, axis] == 0.0
    number = np.arange(len(points))
    image = number.copy()
    image[~on] = len(points) + np.arange((~on).sum())
    mirror = points[~on] * np.where(np.arange(2) == axis, -1.0, 1.0)
    # A mirror image turns the cells round; reading them backwards turns them again.
    return np.concatenate([points, mirror]), np.concatenate([cells, image[cells][:, ::-1]])


def _split(mesh: Any) -> Any:
    """Split quadrilaterals into triangles along the shorter diagonal."""
    import skfem

    t = mesh.t
    p = mesh.p
    first = np.linalg.norm(p[:, t[0]] - p[:, t[2]], axis=0) <= np.linalg.norm(p[:, t[1]] - p[:, t[3]], axis=0)
    one = np.where(first, t[[0, 1, 2]], t[[0, 1, 3]])
    two = np.where(first, t[[0, 2, 3]], t[[1, 2, 3]])
    return skfem.MeshTri(p, np.concatenate([one, two], axis=1))


def _named(mesh: Any, sides: Mapping[str, tuple[int, float]], size: float) -> Any:
    tests = {
        name: (lambda x, axis=axis, value=value: abs(x[axis] - value) < 1e-9 * size)
        for name, (axis, value) in sides.items()
    }
    return mesh.with_boundaries(tests, boundaries_only=True)


def from_file(path: str | Path, unit: str = "m") -> Domain:
    """Return the mesh of a file that meshio reads (.msh with named boundaries).

    Args:
        path: of the file.
        unit: of its coordinates.

    Raises:
        InputError: no such file, not readable, no supported cells or no named boundaries.
    """
    import skfem

    file = Path(path)
    if not file.is_file():
        raise InputError(f"The mesh file '{path}' does not exist; give the path of a .msh file.")
    try:
        mesh = skfem.Mesh.load(file)
    # meshio ends the process on a file it cannot read.
    except (Exception, SystemExit) as error:
        raise InputError(
            f"The mesh file '{path}' could not be read ({error}); give a .msh file (Gmsh 4.1 or 2.2) that meshio reads."
        ) from error
    domain = Domain(mesh)
    _ = domain.cell
    if not domain.boundaries:
        raise InputError(
            f"The mesh file '{path}' names no boundary; give its boundary lines physical names in Gmsh and save again."
        )
    return Domain(replace(mesh, doflocs=mesh.doflocs * magnitude(f"1 {unit}", "m", "The unit of the mesh")))


GENERATORS = {
    "interval": interval,
    "rectangle": rectangle,
    "box": box,
    "l_bracket": l_bracket,
    "plate_with_hole": plate_with_hole,
    "file": from_file,
}


def domain_of(mesh: Any) -> Domain:
    """Return a `Domain` from what a user may give as a mesh.

    Args:
        mesh: a `Domain`, a scikit-fem mesh, a path, or a mapping such as
            ``{"kind": "rectangle", "width": "10 mm", "height": "5 mm", "nx": 8}``.

    Raises:
        InputError: anything else, an unknown kind, or options that the generator does not take.
    """
    if isinstance(mesh, Domain):
        return mesh
    if isinstance(mesh, (str, Path)):
        return from_file(mesh)
    if isinstance(mesh, Mapping):
        return _generated(dict(mesh))
    if hasattr(mesh, "doflocs") and hasattr(mesh, "t"):
        return Domain(mesh)
    raise InputError(
        f"The mesh was given as {type(mesh).__name__}; give one of macro.meshes, a scikit-fem mesh or a path."
    )


def _generated(options: dict[str, Any]) -> Domain:
    import inspect

    kind = str(options.pop("kind", "file"))
    if kind not in GENERATORS:
        raise InputError(f"The mesh has the kind '{kind}'{did_you_mean(kind, GENERATORS)}")
    generator = GENERATORS[kind]
    parameters = inspect.signature(cast(Callable[..., Domain], generator)).parameters
    for name in options:
        if name not in parameters:
            raise InputError(f"The mesh '{kind}' has no option '{name}'{did_you_mean(name, parameters)}")
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and name not in options:
            raise InputError(f"The mesh '{kind}' lacks the option '{name}'; it takes {', '.join(parameters)}.")
    return cast(Callable[..., Domain], generator)(**options)


def _length(value: Length, name: str) -> float:
    size = magnitude(value, "m", f"The mesh's {name}")
    if not (np.isfinite(size) and size > 0):
        raise InputError(f"The mesh's {name} is {value}; give a positive length such as '20 mm'.")
    return size


def _count(n: Any, name: str) -> int:
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise InputError(f"The mesh's {name} is {n!r}; give a whole number of at least 1.")
    return int(n)
