"""Plane decks become meshes of our solids."""

from __future__ import annotations

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.macro import ReactionForce, Solid, meshes
from scalebridge.simulators.calculix import deck, read_plane_mesh
from tests.macro.laws import Elastic


def write(path, domain, kind, names):
    """A deck of a domain of ours, in millimetres."""
    mesh = domain.mesh
    rows = [*deck.nodes(1e3 * mesh.p.T), *deck.elements(kind, mesh.t.T)]
    for name in names:
        nodes = np.unique(mesh.facets[:, domain.boundaries[name]])
        rows += deck.members("NSET", name.upper(), (nodes + 1).tolist())
    path.write_text("\n".join(rows))
    return path


@pytest.mark.parametrize(("cells", "kind"), [("triangle", "CPE3"), ("quadrilateral", "CPE4")])
def test_a_deck_gives_the_answer_of_the_mesh_that_it_was_written_from(tmp_path, cells, kind):
    domain = meshes.plate_with_hole("40 mm", "20 mm", "4 mm", 4, part="quarter", cells=cells)
    path = write(tmp_path / "plate.inp", domain, kind, ["left", "right", "bottom"])
    read = read_plane_mesh(path, "mm")
    names = {"left": (0, None), "bottom": (None, 0), "right": (1e-4, None)}
    capitals = {name.upper(): values for name, values in names.items()}
    one = Solid(domain, names, qois={"f": ReactionForce("right", "x")}).solve(Elastic())
    other = Solid(read, capitals, qois={"f": ReactionForce("RIGHT", "x")}).solve(Elastic())
    assert other.qois["f"] == pytest.approx(one.qois["f"], rel=1e-9)


def test_decks_that_are_no_plane_body_are_refused(tmp_path):
    domain = meshes.rectangle(1.0, 1.0, 2, cells="quadrilateral")
    with pytest.raises(InputError, match="no node set along a part of the body's edge"):
        read_plane_mesh(write(tmp_path / "a.inp", domain, "CPE4", []), "mm")
    solid = tmp_path / "b.inp"
    solid.write_text("*NODE\n1,0,0,0\n2,1,0,0\n3,0,1,0\n4,0,0,1\n*ELEMENT,TYPE=C3D4\n1,1,2,3,4\n")
    with pytest.raises(InputError, match="shapes tetra; a plane solid takes triangles alone"):
        read_plane_mesh(solid, "mm")
    tilted = tmp_path / "c.inp"
    tilted.write_text("*NODE\n1,0,0,0\n2,1,0,0\n3,0,1,1\n*ELEMENT,TYPE=S3\n1,1,2,3\n")
    with pytest.raises(InputError, match="not flat in z"):
        read_plane_mesh(tilted, "mm")
