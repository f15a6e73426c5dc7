"""OpenFOAM as micro: the drag of a cylinder array against the published one, its order, and our own Stokes solver."""

from __future__ import annotations

import math
import shutil

import numpy as np
import pytest

from scalebridge.data.fields.geometry import measures
from scalebridge.models.program import working_folder
from scalebridge.simulators.openfoam.cylinders import SANGANI_ACRIVOS, CylinderArray, drag_of
from scalebridge.simulators.openfoam.fields import read_fields
from scalebridge.simulators.openfoam.poly_mesh import read_poly_mesh

pytestmark = [
    pytest.mark.adapters,
    pytest.mark.skipif(shutil.which("simpleFoam") is None, reason="OpenFOAM is not installed"),
]


def test_the_drag_is_the_published_one_within_its_own_deviation():
    fractions = [0.05, 0.2, 0.4, 0.6]
    runs = CylinderArray().run(np.array([[c, 0.0] for c in fractions]))
    assert runs.ok.all(), runs.reason
    wanted = np.array([SANGANI_ACRIVOS[c] for c in fractions])
    np.testing.assert_allclose(runs.values[:, 0], wanted, rtol=2.5e-3)
    assert (np.abs(runs.values[:, 0] - wanted) < runs.error_std[:, 0]).all()


def test_the_drag_on_one_mesh_is_of_second_order():
    array, drags = CylinderArray(), []
    for resolution in (16, 32):
        with working_folder() as folder:
            case = array.case(0.1, 0.0, resolution)
            case.prepare(folder.path)
            assert case.run(folder.path).ok
            drags.append(drag_of(folder.path, 0.1))
    errors = SANGANI_ACRIVOS[0.1] - np.array(drags)
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.1)


def test_inertia_adds_to_the_drag_with_the_square_of_the_reynolds_number():
    # Koch and Ladd, Journal of Fluid Mechanics 349 (1997) 31-66: no linear term, by symmetry.
    runs = CylinderArray(resolution=16).run(np.array([[0.2, 0.0], [0.2, 1.0], [0.2, 2.0]]))
    creeping, slow, faster = runs.values[:, 0]
    assert creeping < slow < faster
    assert (faster - creeping) / (slow - creeping) == pytest.approx(4.0, rel=0.15)


def test_with_inertia_finer_meshes_lie_within_the_deviation_of_coarser_ones():
    row = np.array([[0.35, 20.0]])
    runs, finer = CylinderArray().run(row), CylinderArray().finer.run(row)
    assert runs.ok.all() and finer.ok.all()
    assert abs(finer.values[0, 0] - runs.values[0, 0]) < runs.error_std[0, 0]


def test_our_own_stokes_solver_finds_the_same_permeability():
    from scalebridge.micro.flow import PoreFlow

    n, c = 96, 0.3
    x = (np.arange(n) + 0.5) / n - 0.5
    pores = (x[:, None] ** 2 + x[None, :] ** 2 > c / math.pi)[..., None]
    side = math.sqrt(math.pi / 4 / c)
    ours = PoreFlow(pores[..., 0], fluid=True, voxel_size=side / n).permeability()
    foam = CylinderArray(1.0, "permeability").run(np.array([[c, 0.0]])).values[0, 0]
    assert ours.m2[0, 0] == pytest.approx(foam, rel=0.03)


def test_the_fields_of_a_cell_are_read_with_their_mesh():
    with working_folder() as folder:
        case = CylinderArray().case(0.3, 0.0, 16)
        case.prepare(folder.path)
        assert case.run(folder.path).ok
        fields, mesh = read_fields(folder.path), read_poly_mesh(folder.path)
    volumes = measures(fields["U"].mesh)
    assert volumes.sum() == pytest.approx(0.07, rel=1e-2)
    assert {p.type for p in mesh.patches.values()} == {"wall", "cyclic", "empty"}
    velocity = (volumes @ fields["U"].values) / volumes.sum()
    assert abs(velocity[1]) < 1e-6 * velocity[0]
    assert fields["p"].unit == "m^2/s^2" and fields["p"].time > 1
