"""Block mesh of a square cell of side 1 with a cylinder in its middle: four blocks around the circle."""

from __future__ import annotations

import math

# Of the one layer of cells, in sides of the cell.
THICKNESS = 0.1
_HEAD = """FoamFile
{
    version     2.0;
    format      ascii;
    class       dictionary;
    object      blockMeshDict;
}
"""


def block_mesh(solid_fraction: float, resolution: int) -> str:
    """The ``blockMeshDict`` of a cell.

    Args:
        solid_fraction: part of the cell that the cylinder takes.
        resolution: cells along a side of the square; half as many lie between the circle and the square.
    """
    radius = math.sqrt(solid_fraction / math.pi)
    diagonal = radius * math.sqrt(0.5)
    corners = [(1, -1), (1, 1), (-1, 1), (-1, -1)]
    inner = [(diagonal * x, diagonal * y) for x, y in corners]
    outer = [(0.5 * x, 0.5 * y) for x, y in corners]
    points = [(*point, z) for z in (0.0, THICKNESS) for point in (*inner, *outer)]
    # Cells grow outwards as the square is longer than the circle.
    growth = 0.5 / (radius * math.pi / 4)
    quarters = [(i, 4 + i, 4 + (i + 1) % 4, (i + 1) % 4) for i in range(4)]
    blocks = [
        f"hex ({_numbers(q)} {_numbers(n + 8 for n in q)}) ({resolution // 2} {resolution} 1) "
        f"simpleGrading ({growth!r} 1 1)"
        for q in quarters
    ]
    sides = {"right": (4, 5, "left"), "top": (5, 6, "bottom"), "left": (6, 7, "right"), "bottom": (7, 4, "top")}
    patches = [_patch("cylinder", "wall", [_upright(q[0], q[3]) for q in quarters])]
    patches += [_patch(k, f"cyclic; neighbourPatch {other}", [_upright(a, b)]) for k, (a, b, other) in sides.items()]
    patches.append(_patch("back", "empty", [_numbers(q) for q in quarters]))
    patches.append(_patch("front", "empty", [_numbers(n + 8 for n in q) for q in quarters]))
    return "\n".join(
        [
            _HEAD,
            "convertToMeters 1;\n",
            _list("vertices", [f"({_numbers(point)})" for point in points]),
            _list("blocks", blocks),
            _list("edges", _arcs(radius)),
            _list("boundary", patches),
        ]
    )


def _arcs(radius: float) -> list[str]:
    """The quarters of the circle, by a point on each."""
    middles = [(radius, 0.0), (0.0, radius), (-radius, 0.0), (0.0, -radius)]
    return [
        f"arc {i + 8 * layer} {(i + 1) % 4 + 8 * layer} ({_numbers((*middle, layer * THICKNESS))})"
        for layer in (0, 1)
        for i, middle in enumerate(middles)
    ]


def _upright(a: int, b: int) -> str:
    return _numbers((a, b, b + 8, a + 8))


def _patch(name: str, kind: str, faces: list[str]) -> str:
    return f"{name} {{ type {kind}; faces ({' '.join(f'({face})' for face in faces)}); }}"


def _list(name: str, entries: list[str]) -> str:
    return f"{name}\n(\n" + "\n".join(f"    {entry}" for entry in entries) + "\n);\n"


def _numbers(values: object) -> str:
    return " ".join(repr(value) for value in values)  # type: ignore[attr-defined]
