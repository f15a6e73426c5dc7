"""Likely mistakes with an RVE in space, its orientations, spacings, composite voxels and batches: one sentence each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.errors import InputError, ScaleBridgeError, ShapeError
from scalebridge.microstructure.subvoxel import from_level_set

A, B = sb.micro.Elastic(1.0, 0.3), sb.micro.Elastic(10.0, 0.3)
WARM = sb.micro.Conductor(1.0)
CUBE = np.zeros((3, 4, 5), dtype=np.int64)
CUBE[1, 1:3, 1:4] = 1
GRID = CUBE.shape


def ball() -> sb.microstructure.SubVoxels:
    return from_level_set(lambda x, y, z: 0.3 - np.sqrt((x - 0.5) ** 2 + (y - 0.5) ** 2 + (z - 0.5) ** 2), (6, 6, 6))


def with_nan() -> np.ndarray:
    image = CUBE.astype(float)
    image[2, 3, 1] = np.nan
    return image


def rve(image: Any = CUBE, materials: Any = (A, B), **options: Any) -> sb.micro.RVE:
    return sb.micro.RVE(image, materials, **options)


MISTAKES = {
    "nan": (lambda: rve(with_nan()), r"is nan at pixel \(2, 3, 1\) and in 1 pixels"),
    "ragged": (lambda: rve([[[0, 1]], [[1]]]), r"rows of different lengths"),
    "text": (lambda: rve("image.png"), r"shape \(\); it must be an array of labels"),
    "one phase": (lambda: rve(0 * CUBE, [A]), r"holds the label 0 only; .* homogeneous=True"),
    "empty phase": (lambda: rve(CUBE, [A, B, B]), r"Material 2 \(elastic\) of the RVE has no pixel"),
    "no material": (lambda: rve(CUBE, [A]), r"label 1 of the phase image \(6 pixels\) has no material"),
    "kinds": (lambda: rve(CUBE, [A, WARM]), r"'elastic' is a law of small strain, 'conductor' one of conduction"),
    "all rigid": (lambda: rve(CUBE, [sb.micro.Rigid()] * 2), r"are all rigid"),
    "rigid heat": (lambda: rve(CUBE, [WARM, sb.micro.Rigid()]), r"rigid phase goes with laws of small strain"),
    "two spacings": (lambda: rve(voxel_size=[1.0, 2.0]), r"has 2 entries; give one, or one per axis \(3\)"),
    "no length": (lambda: rve(voxel_size=[1.0, 0.0, 1.0]), r"voxel size of the RVE is 0\.0; it must be a positive"),
    "seconds": (lambda: rve(voxel_size=("1 um", "1 um", "3 s")), r"'3 s' does not convert to 'm'"),
    "directions": (lambda: rve(orientation=np.ones(GRID)), r"must hold a direction \(3, 4, 5, 3\) or local axes"),
    "other grid": (
        lambda: rve(orientation=np.ones((5, 4, 3, 3))),
        r"has shape \(5, 4, 3, 3\); for an image \(3, 4, 5\)",
    ),
    "no direction": (lambda: rve(orientation=np.zeros((*GRID, 3))), r"directions of length zero"),
    "lost direction": (lambda: rve(orientation=np.full((*GRID, 3), np.nan)), r"is not finite everywhere"),
    "skew axes": (lambda: rve(orientation=np.ones((*GRID, 3, 3))), r"not orthonormal \(off by 3\.0e\+00\)"),
    "plane of a volume": (
        lambda: rve(CUBE, plane="stress"),
        r"three dimensions .* plane='stress' is for two, so leave it",
    ),
    "plane": (lambda: rve(CUBE[1], plane="stres"), r"plane of the RVE is 'stres'; did you mean 'stress'"),
    "scheme": (lambda: rve(discretisation="rotate"), r"discretisation of the RVE is 'rotate'; did you mean 'rotated'"),
    "precision": (lambda: rve(precision="half"), r"precision of the RVE is 'half'; valid: double, single"),
    "composite": (lambda: rve(ball(), [A, B, B]), r"Material 2 \(elastic\) of the RVE has no pixel"),
    "composite too few": (lambda: rve(ball(), [A]), r"label 1 .* has no material"),
    "split": (lambda: rve(ball()).finer, r"composite voxels cannot be split"),
    "not conducting": (lambda: rve().conductivity(), r"use rve\.stiffness\(\)"),
    "not stiff": (lambda: rve(CUBE, [WARM, sb.micro.Conductor(2.0)]).stiffness(), r"use rve\.conductivity\(\)"),
    "moduli": (lambda: sb.micro.Elastic(-1.0, 0.3), r"Young's modulus E .* is -1\.0; it must be a positive"),
    "incompressible": (lambda: sb.micro.Elastic(1.0, 0.5), r"at 0\.5 the material is incompressible"),
    "orthotropic": (
        lambda: sb.micro.Orthotropic(1.0, 1.0, 1.0, 0.9, 0.9, 0.9, 1.0, 1.0, 1.0),
        r"do not go together",
    ),
    "anisotropic": (lambda: sb.micro.Anisotropic(-np.eye(6)), r"is not positive definite"),
    "batch of one": (
        lambda: sb.micro.homogenise_many(CUBE[0, 0], [A, B]),
        r"must be \[r, ny, nx\] or \[r, nz, ny, nx\]",
    ),
    "batch of sizes": (
        lambda: sb.micro.homogenise_many([np.eye(2), np.eye(3)], [A, B]),
        r"differ in shape; make one RVE per image",
    ),
    "batch of points": (
        lambda: sb.micro.homogenise_many([[[0]], [[1]]], [A, B]),
        r"have 1 voxels each and 2 labels in all",
    ),
    "batch that hardens": (
        lambda: sb.micro.homogenise_many(np.stack([CUBE, 1 - CUBE]), [A, sb.micro.PowerLaw(1.0, 0.3, 0.1, 0.2)]),
        r"takes linear phases",
    ),
    "batch that turns": (
        lambda: sb.micro.homogenise_many(np.stack([CUBE, 1 - CUBE]), [A, B], orientation=np.ones((*GRID, 3))),
        r"takes no orientation",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_in_space_are_answered_in_one_sentence(name: str) -> None:
    make, words = MISTAKES[name]
    with pytest.raises(ScaleBridgeError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_loads_of_other_shapes_or_without_numbers_are_refused() -> None:
    made = rve()
    with pytest.raises(ShapeError, match=r"takes \[b, 6\]"):
        made.homogenise(np.zeros((1, 3)))
    with pytest.raises(ShapeError, match=r"stress prescribed on the RVE has shape \(3,\); it must be \[6\]"):
        made.homogenise(np.full((1, 6), np.nan), stress=[0.0, 0.0, 0.0])
    with pytest.raises(InputError, match="must be finite wherever the strain is NaN"):
        made.homogenise(np.full((1, 6), np.nan), stress=np.full(6, np.nan))
    assert made.homogenise(np.full((1, 6), np.nan)).reason == ("the load is not finite",)


def test_zero_load_is_zero_stress_and_one_phase_its_own_law() -> None:
    response = rve().homogenise(np.zeros((2, 6)))
    assert response.converged.all()
    assert np.abs(response.stress).max() == 0.0
    np.testing.assert_allclose(response.tangent[0], rve().stiffness(), rtol=1e-9, atol=1e-12)
    alone = rve(0 * CUBE, [A], homogeneous=True)
    assert alone.stiffness()[0, 0] == pytest.approx(0.7 / (1.3 * 0.4))
    assert alone.homogenise(np.eye(6)[:1]).cg[0] == 0


def test_voxel_sizes_come_as_numbers_texts_or_an_array() -> None:
    expected = (1e-6, 2e-6, 5e-7)
    for size in (expected, ["1 um", "2 um", "0.5 um"], np.array(expected)):
        assert rve(voxel_size=size).voxel_size == pytest.approx(expected)
    assert rve(voxel_size="3 um").voxel_size == pytest.approx((3e-6,) * 3)


def test_fields_of_a_law_with_memory_are_those_of_a_path() -> None:
    made = rve(CUBE[1], [sb.micro.J2(1.0, 0.3, 0.01), B])
    with pytest.raises(InputError, match=r"fields depend on the path; use rve\.path"):
        made.localise([0.01, 0.0, 0.0])
    assert made.structure == sb.models.Structure(potential=False, even=False)


@pytest.mark.parametrize("plane", ["strain", "stress"])
def test_axial_stress_of_a_law_with_memory_is_that_of_the_solid_at_the_end_of_the_step(plane: Any) -> None:
    """Beside an elastic law, after a step well into yielding."""
    import torch

    made = rve(CUBE[1], [sb.micro.J2(1.0, 0.3, 0.005, hardening=0.1), B], plane=plane)
    composite = made.solver.composite
    strain = torch.tensor([0.02, -0.005, 0.01], dtype=torch.float64).view(1, 1, 3, 1, 1).expand(1, 1, 3, 4, 5).clone()
    axial = composite.axial_stress(strain, composite.memory0(1, 1, dt=1.0))
    assert axial is not None
    if plane == "stress":
        assert not bool(axial.any())
        return
    solid = torch.tensor([[0.02, -0.005, 0.0, 0.0, 0.0, 0.01]], dtype=torch.float64)
    law = made.materials[0]
    virgin = torch.tensor([law.state0()], dtype=torch.float64)
    plastic, elastic = law.advance(solid, virgin, 1.0).stress[0, 2], B.stress(solid)[0, 2]
    assert float(plastic) != pytest.approx(0.3 / (1.3 * 0.4) * 0.015, rel=0.05)
    expected = torch.where(torch.as_tensor(CUBE[1] == 0), plastic, elastic)
    torch.testing.assert_close(axial[0, 0], expected)
