"""Meshes and surfaces to voxels: exact where the geometry lies on the grid, converging where it does not."""

from __future__ import annotations

import itertools
import struct
from pathlib import Path
from typing import Any

import meshio
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, Delaunay

import scalebridge as sb

ms = sb.microstructure
UNIT = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
CUBE = np.array(list(itertools.product((0.0, 1.0), repeat=3)))
SIDES = [
    [[0, 1, 3], [0, 3, 2]],
    [[4, 6, 7], [4, 7, 5]],
    [[0, 4, 5], [0, 5, 1]],
    [[2, 3, 7], [2, 7, 6]],
    [[0, 2, 6], [0, 6, 4]],
    [[1, 5, 7], [1, 7, 3]],
]


def box_surface(lower: float = 0.25, upper: float = 0.75) -> NDArray[np.float64]:
    return (lower + (upper - lower) * CUBE)[np.array(SIDES).reshape(-1, 3)]


def ball_surface(count: int = 4000, radius: float = 0.3) -> tuple[NDArray[np.float64], float]:
    """Triangles of the hull of points on a sphere, and its volume."""
    k = np.arange(count) + 0.5
    polar, turn = np.arccos(1 - 2 * k / count), np.pi * (1 + 5**0.5) * k
    points = np.stack([np.cos(turn) * np.sin(polar), np.sin(turn) * np.sin(polar), np.cos(polar)], -1)
    hull = ConvexHull(0.5 + radius * points)
    return hull.points[hull.simplices], float(hull.volume)


def lattice(n: int, stretch: float = 1.0) -> meshio.Mesh:
    """Hexahedra of a unit cube; group 7 'layer' where x < 1/2, group 3 'rest' else."""
    nodes = np.array(list(itertools.product(range(n + 1), repeat=3)), dtype=float) / n * [stretch, 1, 1]
    number = np.arange((n + 1) ** 3).reshape((n + 1,) * 3)
    around = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)]
    cells = np.stack([number[i : i + n, j : j + n, k : k + n].ravel() for i, j, k in around], axis=1)
    left = nodes[cells].mean(axis=1)[:, 0] < stretch / 2
    return meshio.Mesh(
        nodes,
        [("hexahedron", cells)],
        cell_data={"gmsh:physical": [np.where(left, 7, 3)], "gmsh:geometrical": [np.ones(len(cells), int)]},
        field_data={"layer": np.array([7, 3]), "rest": np.array([3, 3])},
    )


def refusal(source: Any, **options: Any) -> str:
    with pytest.raises(sb.InputError) as caught:
        ms.voxelise(source, **({"shape": 8} | options))
    text = str(caught.value)
    assert text.endswith(".") and "\n" not in text
    return text


class TestMeshes:
    def test_groups_become_phases_in_the_order_of_their_numbers(self) -> None:
        voxels = ms.voxelise(lattice(4), shape=(6, 7, 8), subvoxels=2)
        assert voxels.phases == ("rest", "layer") and voxels.labels.shape == (6, 7, 8)
        assert (voxels.labels[..., :4] == 1).all() and (voxels.labels[..., 4:] == 0).all()
        assert voxels.fractions is not None
        np.testing.assert_array_equal(voxels.fractions.sum(axis=0), 1.0)
        assert voxels.fractions[1].mean() == 0.5

    def test_interfaces_within_voxels_give_shares(self) -> None:
        voxels = ms.voxelise(lattice(4), shape=(5, 5, 5), subvoxels=4)
        assert voxels.fractions is not None
        np.testing.assert_array_equal(voxels.fractions[1, 2, 2], [1.0, 1.0, 0.5, 0.0, 0.0])

    @pytest.mark.parametrize("name", ["ascii_22", "ascii_41", "binary_22", "binary_41"])
    def test_what_gmsh_writes_is_read(self, name: str, tmp_path: Path) -> None:
        # Written by Gmsh 4.15: the halves x < 1/2 (physical volume 7, "layer") and x > 1/2 (3, "rest") of a cube.
        path = Path(__file__).parent / "gmsh" / f"{name}.msh"
        voxels = ms.voxelise(path, shape=8)
        assert voxels.phases == ("rest", "layer")
        np.testing.assert_array_equal(voxels.labels, ms.voxelise(lattice(4), shape=8).labels)
        cut = tmp_path / "cut.msh"
        cut.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        assert "truncated" in refusal(cut)

    def test_a_voxel_size_is_adapted_to_the_box(self, capsys: pytest.CaptureFixture[str]) -> None:
        voxels = ms.voxelise(lattice(2, stretch=2.0), voxel_size=0.26)
        assert voxels.labels.shape == (4, 4, 8) and voxels.spacing == (0.25, 0.25, 0.25)
        assert capsys.readouterr().out == ""

    def test_tetrahedra_fill_their_hull_without_gaps(self) -> None:
        points = np.vstack([CUBE, np.random.default_rng(0).random((300, 3))])
        cells = Delaunay(points).simplices
        # Points of the grid lie on faces of the cube and of many elements.
        voxels = ms.voxelise(meshio.Mesh(points, [("tetra", cells)]), shape=16, subvoxels=2)
        assert voxels.phases == ("group 0",) and (voxels.labels == 0).all()

    def test_shares_of_a_ball_of_tetrahedra_converge_to_its_volume(self) -> None:
        triangles, volume = ball_surface(600)
        corners = np.concatenate([triangles.reshape(-1, 3), [[0.5, 0.5, 0.5]]])
        count = len(triangles)
        fan = np.column_stack([np.arange(3 * count).reshape(-1, 3), np.full(count, 3 * count)])
        mesh = meshio.Mesh(corners, [("tetra", fan)])
        found = [ms.voxelise(mesh, shape=16, subvoxels=s, box=UNIT) for s in (1, 4)]
        assert found[1].phases == ("group 0", "void") and found[1].fractions is not None
        assert float(found[1].fractions[0].mean()) == pytest.approx(volume, rel=3e-3)
        assert float((found[0].labels == 0).mean()) == pytest.approx(volume, rel=5e-2)

    def test_wedges_pyramids_and_curved_elements_are_cut_alike(self) -> None:
        wedge = meshio.Mesh(
            np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [0, 1, 1.0]]),
            [("wedge", np.arange(6)[None])],
        )
        pyramid = meshio.Mesh(
            np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0.5, 0.5, 1.0]]), [("pyramid", np.arange(5)[None])]
        )
        quadratic = meshio.Mesh(
            np.vstack([np.zeros(3), np.eye(3), np.full((6, 3), 0.3)]), [("tetra10", np.arange(10)[None])]
        )
        for mesh, volume in ((wedge, 1 / 2), (pyramid, 1 / 3), (quadratic, 1 / 6)):
            shares = ms.voxelise(mesh, shape=24, subvoxels=3, box=UNIT).fractions
            assert shares is not None and float(shares[0].mean()) == pytest.approx(volume, rel=0.03)

    def test_meshes_that_cannot_be_used(self, tmp_path: Path) -> None:
        assert "does not exist" in refusal(tmp_path / "no.msh")
        assert "is a folder" in refusal(tmp_path)
        for content in (b"", b"hello\n" * 9, b"$MeshFormat\n4.1 0 8\n$EndMeshFormat\n$Nodes\n1 5"):
            (tmp_path / "a.msh").write_bytes(content)
            refusal(tmp_path / "a.msh")
        flat = meshio.Mesh(CUBE, [("triangle", np.array([[0, 1, 2]]))])
        assert "no solid elements (elements: triangle)" in refusal(flat)
        assert "no element with a volume" in refusal(
            meshio.Mesh(CUBE * [1, 1, 0], [("tetra", np.array([[0, 2, 4, 6]]))])
        )
        assert "not finite" in refusal(meshio.Mesh(CUBE * np.nan, [("tetra", np.array([[0, 1, 2, 4]]))]))


class TestSurfaces:
    @pytest.mark.parametrize("n", [3, 4, 8, 16, 17])
    def test_a_box_is_exact_even_where_samples_lie_on_its_faces_and_edges(self, n: int) -> None:
        voxels = ms.voxelise(box_surface(), shape=n, box=UNIT)
        centres = (np.arange(n) + 0.5) / n
        # Half-open: of two opposite faces one belongs to the body.
        held = int(((centres > 0.25) & (centres <= 0.75)).sum())
        assert int(voxels.labels.sum()) == held**3
        assert voxels.phases == ("outside", "inside") and voxels.origin == (0.0, 0.0, 0.0)

    def test_shares_of_a_ball_converge_to_the_volume_of_its_surface(self) -> None:
        triangles, volume = ball_surface()
        errors = []
        for subvoxels in (2, 4, 8):
            shares = ms.voxelise(triangles, shape=12, subvoxels=subvoxels, box=UNIT).fractions
            assert shares is not None
            np.testing.assert_allclose(shares.sum(axis=0), 1.0)
            errors.append(abs(float(shares[1].mean()) / volume - 1))
        assert errors[2] < 1e-3 and errors[2] < errors[0]

    def test_labels_agree_with_the_hull_at_every_sample(self) -> None:
        points = np.random.default_rng(3).random((40, 3))
        hull = ConvexHull(points)
        voxels = ms.voxelise(points[hull.simplices], shape=30, box=UNIT)
        z, y, x = np.meshgrid(*[(np.arange(30) + 0.5) / 30] * 3, indexing="ij")
        heights = np.stack([x, y, z], -1) @ hull.equations[:, :3].T + hull.equations[:, 3]
        np.testing.assert_array_equal(voxels.labels == 1, heights.max(axis=-1) < 0)

    def test_a_hollow_body_has_a_hollow(self) -> None:
        both = np.concatenate([box_surface(0.125, 0.875), box_surface(0.375, 0.625)])
        labels = ms.voxelise(both, shape=8, box=UNIT).labels
        assert labels[3, 3, 3] == 0 and labels[1, 1, 1] == 1 and labels.sum() == 6**3 - 2**3

    def test_thin_bodies_are_told_by_shares_alone(self) -> None:
        voxels = ms.voxelise(box_surface(0.45, 0.55), shape=3, subvoxels=8, box=UNIT)
        assert not voxels.labels.any() and voxels.fractions is not None and voxels.fractions[1, 1, 1, 1] > 0

    def test_binary_and_ascii_files_agree(self, tmp_path: Path) -> None:
        triangles = ball_surface(200)[0].astype(np.float32).astype(float)
        records = b"".join(struct.pack("<12fH", 0, 0, 0, *t.ravel(), 0) for t in triangles)
        (tmp_path / "b.stl").write_bytes(b"solid but binary".ljust(80) + struct.pack("<I", len(triangles)) + records)
        facets = "".join(
            "facet normal 0 0 0\n outer loop\n"
            + "".join(f"  vertex {x!r} {y!r} {z!r}\n" for x, y, z in t.tolist())
            + " endloop\nendfacet\n"
            for t in triangles
        )
        (tmp_path / "a.stl").write_text(f"solid ball\n{facets}endsolid ball\n")
        expected = ms.voxelise(triangles, shape=20).labels
        for name in ("a.stl", "b.stl"):
            np.testing.assert_array_equal(ms.voxelise(tmp_path / name, shape=20).labels, expected)
        for name in ("a.stl", "b.stl"):
            data = (tmp_path / name).read_bytes()
            for share in (0.0, 0.01, 0.5, 0.99):
                (tmp_path / "cut.stl").write_bytes(data[: int(share * len(data))])
                assert "truncated" in refusal(tmp_path / "cut.stl")

    def test_a_surface_with_a_hole_names_the_place(self) -> None:
        text = refusal(box_surface()[1:])
        assert "not closed: 3 of 18 edges" in text and "close it" in text
        assert "0.25, 0.25, 0.5" in text

    def test_surfaces_that_are_none(self) -> None:
        assert "no triangles" in refusal(np.zeros((0, 3, 3)))
        assert "not finite" in refusal(np.full((4, 3, 3), np.inf))
        assert "not closed" in refusal(np.zeros((4, 3, 3)))


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"shape": None}, "one of shape= and voxel_size="),
            ({"voxel_size": 0.1}, "one of shape= and voxel_size="),
            ({"shape": None, "voxel_size": 0.0}, "positive length"),
            ({"shape": None, "voxel_size": float("nan")}, "positive length"),
            ({"shape": (4, 4)}, "three positive numbers"),
            ({"shape": 0}, "three positive numbers"),
            ({"shape": 10_000}, "at most 2000 million"),
            ({"subvoxels": 0}, "at least 1"),
            ({"box": ((0, 0, 0), (1, 1, 0))}, "first lower"),
            ({"box": ((0, 0, 0), (1, 1))}, "two corners"),
            ({"box": ((2, 2, 2), (3, 3, 3))}, "No sample"),
        ],
    )
    def test_options_without_sense(self, options: dict[str, Any], message: str) -> None:
        assert message in refusal(box_surface(), **options)
