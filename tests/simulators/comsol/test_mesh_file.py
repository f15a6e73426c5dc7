"""Meshes (.mphtxt) read without COMSOL."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from scalebridge.data.fields import Mesh
from scalebridge.errors import InputError
from scalebridge.simulators.comsol.mesh_file import read_mesh, read_meshes
from tests.simulators.comsol.writing import MESH, second_order
from tests.simulators.damaging import check_reader

EXTRA = os.environ.get("SCALEBRIDGE_EXTRA_DATA")


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mesh.mphtxt"
    path.write_text(text)
    return path


def real(name: str) -> Path:
    if not EXTRA:
        pytest.skip("SCALEBRIDGE_EXTRA_DATA names no folder")
    return Path(EXTRA) / "comsol-files" / f"feconv_{name}.mphtxt"


def volume(mesh: Mesh) -> float:
    (block,) = (b for b in mesh.cells if b.kind.corners in ("tetra", "wedge"))
    a, b, c, *rest = (mesh.points[block.corners[:, k]] for k in range(block.corners.shape[1]))
    if block.kind.corners == "tetra":
        parts = np.einsum("ij,ij->i", np.cross(b - a, c - a), rest[0] - a) / 6
    else:
        parts = np.einsum("ij,ij->i", np.cross(b - a, c - a) / 2, rest[0] - a)
    assert (parts > 0).all() or (parts < 0).all()
    return float(np.abs(parts).sum())


@pytest.mark.parametrize(("name", "tag"), [("2objectcubes", "mesh1"), ("2objectcubes", "mesh2"), ("tetrap2", "mesh1")])
def test_real_cubes_have_the_volume_one(name: str, tag: str) -> None:
    assert volume(read_mesh(real(name), tag)) == pytest.approx(1.0, rel=1e-12)


def test_the_real_prisms_fill_their_cube_and_its_quadrilaterals_its_sides() -> None:
    mesh = read_mesh(real("prismp1"))
    quads = next(b for b in mesh.cells if b.type == "quad")
    a, b, c, d = (mesh.points[quads.nodes[:, k]] for k in range(4))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2 + np.linalg.norm(np.cross(c - a, d - a), axis=1) / 2
    assert volume(mesh) == pytest.approx(1.0, rel=1e-12) and area.sum() == pytest.approx(4.0, rel=1e-12)


def test_the_real_middle_nodes_lie_in_the_middle_of_their_edges() -> None:
    mesh = read_mesh(real("tetrap2"))
    block = next(b for b in mesh.cells if b.type == "tetra10")
    for k, (i, j) in enumerate(((0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3))):
        ends = mesh.points[block.nodes[:, i]] + mesh.points[block.nodes[:, j]]
        assert np.allclose(mesh.points[block.nodes[:, 4 + k]], ends / 2, atol=1e-12)


def test_the_real_grid_has_its_counts() -> None:
    mesh = read_mesh(real("isogrid-mesh"))
    assert {b.type: len(b) for b in mesh.cells} == {"vertex": 44, "line": 330, "triangle": 2074, "tetra": 3129}


def test_corners_are_in_the_order_of_vtk(tmp_path: Path) -> None:
    quad, hexahedron = read_mesh(written(tmp_path, MESH)).cells
    assert quad.nodes.tolist() == [[0, 1, 3, 2], [4, 5, 7, 6]]
    assert hexahedron.nodes.tolist() == [[0, 1, 3, 2, 4, 5, 7, 6]]


def test_geometric_entities_are_tags_and_selections_are_sets(tmp_path: Path) -> None:
    mesh = read_mesh(written(tmp_path, MESH), length="mm")
    assert mesh.unit == "mm" and [b.tags["entity"].tolist() for b in mesh.cells] == [[0, 1], [1]]
    assert {k: v.tolist() for k, v in mesh.cell_sets.items()} == {"hot #1": [1]}


def grid(steps: int = 3) -> list[tuple[float, float, float]]:
    return [(i / 2, j / 2, k / 2) for k in range(steps) for j in range(steps) for i in range(steps)]


@pytest.mark.parametrize(
    ("name", "inside", "cell"),
    [
        ("edg2", lambda x, y, z: y == z == 0, "line3"),
        ("tri2", lambda x, y, z: z == 0 and x + y <= 1, "triangle6"),
        ("quad2", lambda x, y, z: z == 0, "quad9"),
        ("tet2", lambda x, y, z: x + y + z <= 1, "tetra10"),
        ("prism2", lambda x, y, z: x + y <= 1, "wedge18"),
        ("hex2", lambda x, y, z: True, "hexahedron27"),
    ],
)
def test_nodes_of_second_order_are_in_the_order_of_vtk(tmp_path: Path, name: str, inside, cell: str) -> None:
    places = [p for p in grid() if inside(*p)]
    corners = [p for p in places if all(v in (0, 1) for v in p)]
    mesh = read_mesh(written(tmp_path, second_order(name, [*corners, *(p for p in places if p not in corners)])))
    (block,) = mesh.cells
    assert block.type == cell
    points = mesh.points[block.nodes[0]]
    for row, group in VTK[cell].items():
        assert np.allclose(points[row], points[list(group)].mean(axis=0)), (row, group)


# What VTK's documentation says of its higher nodes: row -> corners whose middle it is.
VTK: dict[str, dict[int, tuple[int, ...]]] = {
    "line3": {2: (0, 1)},
    "triangle6": {3: (0, 1), 4: (1, 2), 5: (0, 2)},
    "quad9": {4: (0, 1), 5: (1, 2), 6: (2, 3), 7: (0, 3), 8: (0, 1, 2, 3)},
    "tetra10": {4: (0, 1), 5: (1, 2), 6: (0, 2), 7: (0, 3), 8: (1, 3), 9: (2, 3)},
    "wedge18": {6: (0, 1), 7: (1, 2), 8: (0, 2), 9: (3, 4), 10: (4, 5), 11: (3, 5), 12: (0, 3), 13: (1, 4), 14: (2, 5)}
    | {15: (0, 1, 3, 4), 16: (1, 2, 4, 5), 17: (0, 2, 3, 5)},
    "hexahedron27": {8: (0, 1), 9: (1, 2), 10: (2, 3), 11: (0, 3), 12: (4, 5), 13: (5, 6), 14: (6, 7), 15: (4, 7)}
    | {16: (0, 4), 17: (1, 5), 18: (2, 6), 19: (3, 7), 20: (0, 3, 4, 7), 21: (1, 2, 5, 6), 22: (0, 1, 4, 5)}
    | {23: (2, 3, 6, 7), 24: (0, 1, 2, 3), 25: (4, 5, 6, 7), 26: tuple(range(8))},
}


def test_an_order_of_nodes_that_is_not_known_is_refused(tmp_path: Path) -> None:
    places = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0.5, 0.5, 0), (0.5, 0, 0), (0, 0.5, 0)]
    with pytest.raises(InputError, match="'tri2' elements, whose nodes do not stand in the order that is known"):
        read_mesh(written(tmp_path, second_order("tri2", places)))


def test_a_geometry_beside_a_mesh_is_left_out(tmp_path: Path) -> None:
    geometry = "0 0 1\n5 Geom3 # class\n2 # version\n1 2 3 what else it holds\n# --------- Object 1 ----------\n\n"
    text = MESH.replace("2 # number of tags\n# Tags\n", "3 # number of tags\n# Tags\n4 geom\n")
    at = text.index("0 0 1\n4 Mesh")
    mesh = read_mesh(written(tmp_path, text[:at] + geometry + text[at:]))
    assert mesh.name == "mesh1" and mesh.n_points == 8


def test_an_older_mesh_is_told_by_its_comments(tmp_path: Path) -> None:
    older = "1 # number of parameter values per element\n1 # number of parameters\n0.5 0.5 7\n"
    newer = "2 # number of geometric entity indices\n# Geometric entity indices\n0\n1\n"
    pairs = "2 # number of up/down pairs\n0 1\n0 1\n"
    mesh = read_mesh(written(tmp_path, MESH.replace(newer, older + newer + pairs)))
    assert [b.tags["entity"].tolist() for b in mesh.cells] == [[0, 1], [1]]


def test_several_meshes_need_a_name(tmp_path: Path) -> None:
    path = real("2objectcubes")
    with pytest.raises(InputError, match="several meshes; give one of them: mesh1, mesh2"):
        read_mesh(path)
    with pytest.raises(InputError, match="did you mean 'mesh2'"):
        read_mesh(path, "mesh22")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("0 1\n2 # number of tags", "0 2\n2 # number of tags", "another version of the format"),
        ("4 Mesh # class", "5 Geom2 # class", "holds no mesh, only 'mesh1' .Geom2."),
        ("8 # number of mesh", "8000000000 # number of mesh", "line 20 8000000000 for the number of points"),
        ("8 # number of mesh", "800000 # number of mesh", "more than the file has room for"),
        ("1 1 1\n", "1 1 x\n", "line 31 '1 1 x' among the coordinates"),
        ("3 hex", "3 hax", "elements 'hax' of 8 nodes"),
        ("0 1 2 3\n4 5 6 7", "0 1 2 3\n4 5 6 9", "a node that is none of the points"),
        ("0 1 2 3\n4 5 6 7", "0 1 2 3\n4 5 6 7.5", "no whole numbers"),
    ],
)
def test_a_damaged_mesh_is_one_sentence_with_its_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in MESH
    with pytest.raises(InputError, match=words) as caught:
        read_meshes(written(tmp_path, MESH.replace(old, new, 1)))
    assert "\n" not in str(caught.value)


def test_a_mesh_that_is_cut_off_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="damaged or cut off"):
        read_meshes(written(tmp_path, MESH[:600]))


def test_damaged_meshes_end_in_a_sentence(tmp_path: Path) -> None:
    assert check_reader(read_meshes, MESH.encode(), tmp_path / "d.mphtxt") > 5
    if EXTRA:
        check_reader(read_meshes, real("tetrap2").read_bytes(), tmp_path / "d.mphtxt")
