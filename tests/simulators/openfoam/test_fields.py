"""Meshes and fields of OpenFOAM: text, binary, packed, decomposed; cells recognised from their faces."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from scalebridge.data.fields.geometry import centres, measures
from scalebridge.errors import InputError
from scalebridge.simulators.openfoam.cell_shapes import Faces, cells_of
from scalebridge.simulators.openfoam.dimensions import unit_of
from scalebridge.simulators.openfoam.field_file import read_field_file
from scalebridge.simulators.openfoam.fields import read_fields
from scalebridge.simulators.openfoam.poly_mesh import read_poly_mesh

OUTPUT = Path(__file__).parents[3] / "data" / "openfoam-output"
KINDS = ("text", "binary", "packed", "parts")


@pytest.mark.parametrize("kind", KINDS)
def test_a_mesh_is_the_same_in_every_format(kind):
    found, wanted = read_poly_mesh(OUTPUT / kind), read_poly_mesh(OUTPUT / "text")
    assert [b.type for b in found.mesh.cells] == ["hexahedron"] * len(found.mesh.cells)
    places = [m.mesh.points[np.concatenate([b.nodes for b in m.mesh.cells])].mean(axis=1) for m in (found, wanted)]
    back = [p[np.argsort(m.order)] for p, m in zip(places, (found, wanted), strict=True)]
    np.testing.assert_allclose(back[0], back[1], atol=1e-9)
    assert measures(found.mesh).sum() == pytest.approx(1e-3, rel=1e-9)


def test_patches_are_sets_of_points_and_of_the_cells_behind_them():
    mesh = read_poly_mesh(OUTPUT / "text")
    assert {name: (p.type, p.size) for name, p in mesh.patches.items()} == {"lid": ("wall", 8), "walls": ("wall", 44)}
    lid = mesh.mesh.points[mesh.mesh.point_sets["lid"]]
    assert len(lid) == 15 and (lid[:, 1] == 0.1).all()
    assert len(mesh.mesh.cell_sets["lid"]) == 8
    surface, order = mesh.surface("lid")
    assert measures(surface).sum() == pytest.approx(0.01, rel=1e-9) and sorted(order) == list(range(8))


@pytest.mark.parametrize("kind", KINDS)
def test_fields_are_the_same_in_every_format_with_units_and_time(kind):
    found, wanted = read_fields(OUTPUT / kind), read_fields(OUTPUT / "text")
    # The parallel run computed no gradient.
    computed = {"U": ("m/s", (3,), "cells"), "p": ("m^2/s^2", (), "cells")}
    computed |= {} if kind == "parts" else {"grad_U": ("1/s", (3, 3), "cells")}
    assert {name: (f.unit, f.shape, f.location) for name, f in found.items()} == computed
    # The cells of parts stand in the order of the parts.
    back = [np.lexsort(centres(fields["p"].mesh).round(6).T) for fields in (found, wanted)]
    for name, field in found.items():
        scale = np.abs(wanted[name].values).max()
        np.testing.assert_allclose(field.values[back[0]], wanted[name].values[back[1]], atol=2e-7 * scale)
        assert field.time == 0.02
    assert "kinematic pressure" in found["p"].description


def test_the_gradient_follows_openfoams_convention():
    fields = read_fields(OUTPUT / "text")
    # grad(U)_ij = d U_j / d x_i: below the lid, U_x grows with y.
    below = fields["U"].mesh.cell_sets["lid"]
    assert (fields["grad_U"].values[below, 1, 0] > 1.0).all()


def test_values_on_a_patch_come_from_the_file_or_from_the_cells_behind():
    for kind in KINDS[:3]:
        lid = read_fields(OUTPUT / kind, ["U", "p"], patch="lid")
        assert (lid["U"].values == [1.0, 0.0, 0.0]).all()
        inside = read_fields(OUTPUT / kind, ["p"])["p"]
        assert sorted(lid["p"].values) == sorted(inside.values[inside.mesh.cell_sets["lid"]])
        assert (read_fields(OUTPUT / kind, ["U"], patch="walls")["U"].values == 0.0).all()


def _with_lid(tmp_path, entries):
    """The case in text with another condition of the velocity on the lid, whose normal is y."""
    shutil.copytree(OUTPUT / "text", tmp_path / "case")
    path = tmp_path / "case" / "0.02" / "U"
    head, found, rest = path.read_text().rpartition("lid")
    assert found
    path.write_text(f"{head}lid {{ {entries} }}{rest[rest.index('}') + 1 :]}")
    fields = read_fields(tmp_path / "case", ["U"])
    return read_fields(tmp_path / "case", ["U"], patch="lid")["U"], fields["U"]


@pytest.mark.parametrize("kind", ["slip", "symmetry", "symmetryPlane"])
def test_nothing_flows_through_a_plane_of_symmetry(tmp_path, kind):
    lid, inside = _with_lid(tmp_path, f"type {kind};")
    behind = inside.values[inside.mesh.cell_sets["lid"]]
    assert (np.abs(behind[:, 1]) > 0).any()
    np.testing.assert_allclose(np.sort(lid.values, axis=0), np.sort(behind * [1, 0, 1], axis=0), atol=1e-15)


def test_a_patch_that_joins_cells_has_no_values_whatever_its_file_says(tmp_path):
    lid, _ = _with_lid(tmp_path, "type cyclic; value uniform (1 0 0);")
    assert np.isnan(lid.values).all()


def test_a_patch_of_a_decomposed_case_is_put_together_on_the_whole_mesh(tmp_path):
    shutil.copytree(OUTPUT / "parts", tmp_path / "case")
    shutil.copytree(OUTPUT / "text" / "constant", tmp_path / "case" / "constant")
    found = read_fields(tmp_path / "case", ["p"], patch="lid")["p"]
    wanted = read_fields(OUTPUT / "text", ["p"], patch="lid")["p"]
    np.testing.assert_allclose(found.values, wanted.values, atol=1e-7)
    with pytest.raises(InputError, match="has no whole mesh"):
        read_fields(OUTPUT / "parts", ["p"], patch="lid")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"names": ["u"]}, r"There is no field 'u' in .*; valid: U, grad\(U\), p, phi"),
        ({"names": ["phi"]}, "lives on the faces between cells"),
        ({"time": 0.5}, "has no time 0.5; the last of its 1 times: 0.02"),
        ({"time": "last"}, "did you mean 'latest'"),
        ({"patch": "Lid"}, "has no patch 'Lid'; did you mean 'lid'"),
    ],
)
def test_what_is_not_there_is_told(options, sentence):
    with pytest.raises(InputError, match=sentence):
        read_fields(OUTPUT / "text", **options)


def test_a_collated_case_is_read_where_its_last_time_was_put_together(tmp_path):
    shutil.copytree(OUTPUT / "text", tmp_path / "case")
    (tmp_path / "case" / "processors2" / "0.02").mkdir(parents=True)
    np.testing.assert_array_equal(
        read_fields(tmp_path / "case", ["p"])["p"].values, read_fields(OUTPUT / "text", ["p"])["p"].values
    )
    (tmp_path / "case" / "processors2" / "0.03").mkdir()
    with pytest.raises(InputError, match="collated format, which is not read; run reconstructPar"):
        read_fields(tmp_path / "case", ["p"])


def test_a_field_of_another_mesh_is_refused(tmp_path):
    shutil.copytree(OUTPUT / "text", tmp_path / "case")
    path = tmp_path / "case" / "0.02" / "p"
    lines = path.read_text().splitlines(keepends=True)
    row = next(i for i, line in enumerate(lines) if line == "24\n")
    path.write_text("".join([*lines[:row], "23\n", *lines[row + 1 : row + 2], *lines[row + 3 :]]))
    with pytest.raises(InputError, match="has 23 values, and its mesh has room for 24"):
        read_fields(tmp_path / "case", ["p"])


def test_a_claimed_size_allocates_nothing(tmp_path):
    shutil.copytree(OUTPUT / "binary", tmp_path / "case")
    for name in ("0.02/p", "constant/polyMesh/points"):
        path = tmp_path / "case" / name
        good = path.read_bytes()
        size = b"\n24\n(" if name.endswith("p") else b"\n60\n("
        assert size in good
        path.write_bytes(good.replace(size, b"\n99999999999999\n("))
        with pytest.raises(InputError, match=r"line .*: a list claims 99999999999999 entries"):
            read_fields(tmp_path / "case", ["p"])
        path.write_bytes(good)


def test_dimensions_become_units():
    assert unit_of([1, -1, -2, 0, 0, 0, 0]) == "Pa"
    assert unit_of([0, 2, -2, 0, 0]) == "m^2/s^2"
    assert unit_of([0, 0, 0, 0, 0, 0, 0]) == "1"
    assert unit_of([1, 0.5, -1, 0, 0, 0, 0]) == "kg*m^0.5*s^-1"


# Faces of one cell of each kind, outward, on the corners of a unit cube and a point above it.
CUBE = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1), (0.5, 0.5, 2)]
CELLS = {
    "hexahedron": ([(0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)], 1.0),
    "wedge": ([(0, 2, 1), (4, 5, 6), (0, 1, 5, 4), (1, 2, 6, 5), (2, 0, 4, 6)], 0.5),
    "pyramid": ([(4, 7, 6, 5), (4, 5, 8), (5, 6, 8), (6, 7, 8), (7, 4, 8)], 1 / 3),
    "tetra": ([(0, 2, 1), (0, 1, 4), (1, 2, 4), (2, 0, 4)], 1 / 6),
    "polyhedron": (
        [
            (0, 3, 2, 1),
            (0, 1, 5, 4),
            (1, 2, 6, 5),
            (2, 3, 7, 6),
            (3, 0, 4, 7),
            (4, 5, 8),
            (5, 6, 8),
            (6, 7, 8),
            (7, 4, 8),
        ],
        4 / 3,
    ),
}


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("owned", [True, False])
def test_cells_are_recognised_from_their_faces_and_stand_upright(kind, owned):
    from scalebridge.data.fields import CellBlock, Mesh

    polygons, volume = CELLS[kind]
    polygons = polygons if owned else [p[::-1] for p in polygons]
    rng = np.random.default_rng(1)
    for _ in range(6):
        turned = [tuple(np.roll(polygons[i], rng.integers(4))) for i in rng.permutation(len(polygons))]
        starts = np.concatenate([[0], np.cumsum([len(p) for p in turned])])
        faces = Faces(starts, np.concatenate(turned).astype(np.int64))
        ours, none = np.zeros(len(turned), dtype=np.int64), np.zeros(0, dtype=np.int64)
        # A face that we do not own is owned by the other cell, number 1, which has no faces else.
        owner, neighbour = (ours, none) if owned else (ours + 1, ours)
        (cell,) = [c for c in cells_of(faces, owner, neighbour, 1 if owned else 2) if 0 in c.numbers]
        assert cell.type == kind
        row = cell.nodes[cell.numbers.tolist().index(0)][None]
        assert measures(Mesh(np.array(CUBE), (CellBlock(kind, row),)))[0] == pytest.approx(volume)


def test_a_mesh_of_many_sizes_of_faces_is_read_from_text(tmp_path):
    polygons, volume = CELLS["polyhedron"]
    folder = tmp_path / "case" / "constant" / "polyMesh"
    folder.mkdir(parents=True)
    head = "FoamFile\n{\n version 2.0; format ascii; class X; object y;\n}\n// comment\n"

    def listed(rows):
        return f"{head}{len(rows)}\n(\n" + "\n".join(rows) + "\n)\n"

    (folder / "points").write_text(listed([f"({x} {y} {z})" for x, y, z in CUBE]))
    (folder / "faces").write_text(listed([f"{len(p)}({' '.join(map(str, p))})" for p in polygons]))
    (folder / "owner").write_text(listed(["0"] * len(polygons)))
    (folder / "neighbour").write_text(head + "0()\n")
    (folder / "boundary").write_text(head + "1\n(\nall { type wall; nFaces 9; startFace 0; }\n)\n")
    mesh = read_poly_mesh(tmp_path / "case")
    assert [b.type for b in mesh.mesh.cells] == ["polyhedron"]
    assert measures(mesh.mesh)[0] == pytest.approx(volume)
    assert sorted(b.type for b in mesh.surface("all")[0].cells) == ["quad", "triangle"]


def test_patches_without_faces_and_named_dimensions_of_other_releases_are_read(tmp_path):
    path = tmp_path / "U"
    head = "FoamFile { format ascii; class volSymmTensorField; object R; }\n"
    body = "dimensions [kinematicPressure]; internalField nonuniform List<symmTensor> 1((11 12 13 22 23 33));\n"
    patches = "a { type processor; value nonuniform 0(); } b { type x; value nonuniform List<symmTensor> 0(); }"
    path.write_text(f"{head}{body}boundaryField {{ {patches} }}\n")
    found = read_field_file(path)
    assert found.unit == "m^2/s^2" and found.values(1).tolist() == [[11, 22, 33, 12, 23, 13]]
    assert [found.patches[name]["value"].size for name in "ab"] == [0, 0]
