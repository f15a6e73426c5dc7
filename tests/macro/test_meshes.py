from __future__ import annotations

import numpy as np
import pytest

from scalebridge import InputError, macro
from scalebridge.macro.element_space import ElementSpace

meshes = macro.meshes


def length(domain, boundary):
    return float(ElementSpace(domain, 1, 2).facets(boundary).weights.sum())


def volume(domain, order=1):
    return float(ElementSpace(domain.curved() if order == 2 else domain, order, 4).cells.weights.sum())


@pytest.mark.parametrize(("n", "count"), [(4, 96), (8, 384), (16, 1536), (64, 24576)])
def test_l_bracket_has_the_promised_number_of_triangles(n, count):
    domain = meshes.l_bracket("100 mm", n)
    assert domain.mesh.nelements == count
    assert domain.mesh.p.max() == pytest.approx(0.1)


def test_l_bracket_meshes_of_doubled_number_are_nested():
    coarse, fine = (meshes.l_bracket(1.0, n).mesh.p.T for n in (4, 8))
    assert {tuple(p) for p in coarse.round(9)} <= {tuple(p) for p in fine.round(9)}


@pytest.mark.parametrize("cells", ["triangle", "quadrilateral"])
@pytest.mark.parametrize(("part", "share"), [("full", 1.0), ("quarter", 0.25)])
def test_plate_with_hole_fills_the_plate_but_for_the_hole(cells, part, share):
    domain = meshes.plate_with_hole("40 mm", "60 mm", "8 mm", 16, part, cells)
    assert volume(domain) == pytest.approx(share * (0.04 * 0.06 - np.pi * 0.008**2), rel=2e-3)
    assert length(domain, "hole") == pytest.approx(share * 2 * np.pi * 0.008, rel=2e-3)
    assert length(domain, "top") == pytest.approx(0.04 * (1 if part == "full" else 0.5))
    assert set(domain.boundaries) == {"left", "right", "bottom", "top", "hole"}


def test_triangles_of_second_order_follow_the_circle():
    domain = meshes.plate_with_hole(0.04, 0.06, 0.008, 4)
    exact = 0.04 * 0.06 - np.pi * 0.008**2
    assert abs(volume(domain, 2) - exact) < 0.02 * abs(volume(domain) - exact)


MAKERS = {
    "interval": lambda: meshes.interval(1.0, 5),
    "triangles": lambda: meshes.l_bracket(1.0, 2),
    "quadrilaterals": lambda: meshes.rectangle(2.0, 1.0, 4, cells="quadrilateral"),
    "hole": lambda: meshes.plate_with_hole(4.0, 6.0, 1.0, 4),
    "tetrahedra": lambda: meshes.box(1.0, 1.0, 1.0, 2),
    "hexahedra": lambda: meshes.box(1.0, 1.0, 1.0, 2, "hexahedron"),
}


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("everywhere", [True, False])
def test_refinement_keeps_every_boundary_whole(maker, everywhere):
    domain = MAKERS[maker]()
    finer = domain
    for _ in range(2):
        finer = finer.refined(None if everywhere else np.arange(0, finer.mesh.nelements, 3))
    assert finer.mesh.nelements > domain.mesh.nelements
    assert set(finer.boundaries) == set(domain.boundaries)
    for name in set(domain.boundaries) - {"hole"}:
        assert length(finer, name) == pytest.approx(length(domain, name), rel=1e-12)
    named = np.concatenate(list(finer.boundaries.values()))
    assert sorted(named) == sorted(finer.mesh.boundary_facets())


def test_refinement_puts_new_nodes_of_the_hole_on_its_circle():
    domain = meshes.plate_with_hole(4.0, 6.0, 1.0, 4)
    finer = domain.refined(np.arange(domain.mesh.nelements)).refined()
    nodes = np.unique(finer.mesh.facets[:, finer.boundaries["hole"]])
    np.testing.assert_allclose(np.hypot(*finer.mesh.p[:, nodes]), 1.0, rtol=1e-12)
    assert volume(finer) == pytest.approx(24 - np.pi, rel=1e-3)


def test_a_gmsh_file_with_named_boundaries_is_read(tmp_path):
    path = tmp_path / "plate.msh"
    path.write_text(GMSH)
    domain = meshes.domain_of(path)
    assert set(domain.boundaries) == {"left", "right"}
    assert length(domain, "left") == pytest.approx(1.0)
    assert volume(meshes.from_file(path, "mm")) == pytest.approx(1e-6)


GMSH = """$MeshFormat
2.2 0 8
$EndMeshFormat
$PhysicalNames
3
1 1 "left"
1 2 "right"
2 3 "body"
$EndPhysicalNames
$Nodes
4
1 0 0 0
2 1 0 0
3 1 1 0
4 0 1 0
$EndNodes
$Elements
4
1 1 2 1 1 1 4
2 1 2 2 2 2 3
3 2 2 3 3 1 2 3
4 2 2 3 3 1 3 4
$EndElements
"""


@pytest.mark.parametrize(
    ("mesh", "words"),
    [
        ("nowhere.msh", "does not exist"),
        (3.0, "given as float"),
        ({"kind": "plate_with_hloe"}, "did you mean 'plate_with_hole'?"),
        ({"kind": "l_bracket", "size": 1.0}, "lacks the option 'n'"),
        ({"kind": "l_bracket", "size": 1.0, "n": 2, "nn": 3}, "no option 'nn'"),
        ({"kind": "l_bracket", "size": "-1 mm", "n": 2}, "positive length"),
        ({"kind": "l_bracket", "size": 1.0, "n": 0}, "at least 1"),
        ({"kind": "l_bracket", "size": 1.0, "n": 2, "cells": "triangles"}, "did you mean 'triangle'?"),
        ({"kind": "plate_with_hole", "width": 1.0, "height": 2.0, "radius": 0.6}, "does not fit"),
        ({"kind": "plate_with_hole", "width": 2.0, "height": 2.0, "radius": 0.6, "part": "half"}, "part = 'half'"),
    ],
)
def test_a_mesh_that_cannot_be_had_gets_one_clear_sentence(mesh, words):
    with pytest.raises(InputError, match=r"(?s)^[^\n]+$") as caught:
        meshes.domain_of(mesh)
    assert words in str(caught.value)


def test_a_file_that_is_no_mesh_is_refused(tmp_path):
    path = tmp_path / "notes.msh"
    path.write_text("not a mesh")
    with pytest.raises(InputError, match="could not be read"):
        meshes.domain_of(path)
