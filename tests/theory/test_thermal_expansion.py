"""Thermal expansion of composites against Levin's relation, laminates and a direct solve with eigenstrains."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch

import scalebridge as sb
from scalebridge.micro.rve.phases.phase import Parameter
from scalebridge.microstructure.subvoxel import SubVoxels

RNG = np.random.default_rng(4)
SOLID = (RNG.random((5, 6, 4)) < 0.35).astype(int)
SHEET = (RNG.random((9, 8)) < 0.4).astype(int)
UNIT = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
MATRIX, GLASS = sb.micro.Elastic(3.0, 0.38, 6e-5), sb.micro.Elastic(70.0, 0.22, 5e-6)
FIBRE = sb.micro.TransverselyIsotropic(E_L=230.0, E_T=15.0, G_L=24.0, nu_L=0.2, nu_T=0.25, alpha_L=-4e-7, alpha_T=7e-6)


def bulk(law: sb.micro.Elastic) -> float:
    return law.E / (3.0 * (1.0 - 2.0 * law.nu))


def rve(image: object, *laws: object, **options: object) -> sb.micro.RVE:
    return sb.micro.RVE(image, laws, **{"tolerance": 1e-9, **options})  # type: ignore[arg-type]


@pytest.mark.parametrize("discretisation", ["rotated", "hexahedra", "moulinec_suquet"])
def test_two_isotropic_phases_expand_as_levin_found_whatever_their_arrangement(discretisation: str) -> None:
    made = rve(SOLID, MATRIX, GLASS, discretisation=discretisation)
    compliance = np.linalg.inv(made.stiffness())
    k1, k2 = bulk(MATRIX), bulk(GLASS)
    slope = (GLASS.expansion - MATRIX.expansion) / (1.0 / k2 - 1.0 / k1)
    expected = MATRIX.expansion * UNIT + slope * (3.0 * compliance @ UNIT - UNIT / k1)
    np.testing.assert_allclose(made.thermal_expansion(), expected, rtol=0, atol=1e-9 * MATRIX.expansion)


def test_a_cubic_cell_expands_as_its_bulk_modulus_says() -> None:
    x = (np.arange(8) + 0.5) / 8 - 0.5
    ball = (sum(c**2 for c in np.meshgrid(x, x, x)) < 0.36**2).astype(int)
    made = rve(ball, MATRIX, GLASS)
    effective = made.stiffness()[:3, :3].sum() / 9.0
    k1, k2 = bulk(MATRIX), bulk(GLASS)
    slope = (GLASS.expansion - MATRIX.expansion) / (1.0 / k2 - 1.0 / k1)
    expected = MATRIX.expansion + slope * (1.0 / effective - 1.0 / k1)
    np.testing.assert_allclose(made.thermal_expansion(), expected * UNIT, rtol=1e-9, atol=1e-14)


def laminate(share: float, poisson_free: bool) -> tuple[float, float]:
    """Expansion across and along layers of matrix and glass (its share given), free in space or in plane stress."""
    parts = [(1.0 - share, MATRIX), (share, GLASS)]
    moduli = [law.E if poisson_free else law.E / (1.0 - law.nu) for _, law in parts]
    along = sum(f * m * law.expansion for (f, law), m in zip(parts, moduli, strict=True))
    along /= sum(f * m for (f, _), m in zip(parts, moduli, strict=True))
    across = 0.0
    for f, law in parts:
        squeeze = law.nu if poisson_free else 2.0 * law.nu / (1.0 - law.nu)
        across += f * (law.expansion - squeeze * (along - law.expansion))
    return across, along


def test_a_laminate_in_space_expands_exactly() -> None:
    image = np.broadcast_to(np.array([0, 0, 1, 0]), (2, 2, 4))
    across, along = laminate(0.25, poisson_free=False)
    expected = [across, along, along, 0.0, 0.0, 0.0]
    np.testing.assert_allclose(rve(image, MATRIX, GLASS).thermal_expansion(), expected, rtol=1e-9, atol=1e-15)


def test_a_laminate_in_plane_stress_expands_exactly() -> None:
    image = np.broadcast_to(np.array([0, 0, 1, 0]), (3, 4))
    found = rve(image, MATRIX, GLASS, plane="stress").thermal_expansion()
    np.testing.assert_allclose(found, [*laminate(0.25, poisson_free=True), 0.0], rtol=1e-9, atol=1e-15)


def test_composite_voxels_expand_as_the_layers_in_them() -> None:
    shape, tilt = (2, 2, 2), np.array([math.cos(0.4), math.sin(0.4), 0.0])
    index, none = np.arange(8), np.zeros(8, dtype=np.int64)
    voxels = SubVoxels(np.zeros(shape, dtype=np.int64), index, none, none + 1, np.full(8, 0.25), np.tile(tilt, (8, 1)))
    across, along = laminate(0.25, poisson_free=False)
    full = along * np.eye(3) + (across - along) * np.outer(tilt, tilt)
    expected = [full[0, 0], full[1, 1], full[2, 2], 0.0, 0.0, math.sqrt(2.0) * full[0, 1]]
    np.testing.assert_allclose(rve(voxels, MATRIX, GLASS).thermal_expansion(), expected, rtol=1e-9, atol=1e-15)


def test_plane_strain_expands_by_one_plus_poisson_and_as_a_blocked_solid() -> None:
    one = rve(np.zeros((3, 3), dtype=int), MATRIX, homogeneous=True).thermal_expansion()
    np.testing.assert_allclose(one, [(1.0 + MATRIX.nu) * MATRIX.expansion] * 2 + [0.0], rtol=1e-9, atol=1e-15)
    solid = rve(SHEET, MATRIX, GLASS, plane="generalised")
    c, alpha, kept = solid.stiffness(), solid.thermal_expansion(), [0, 1, 5]
    expected = np.linalg.solve(c[np.ix_(kept, kept)], (c @ alpha)[kept])
    np.testing.assert_allclose(
        rve(SHEET, MATRIX, GLASS).thermal_expansion(), expected, rtol=0, atol=1e-9 * MATRIX.expansion
    )


def test_a_turned_fibre_expands_along_its_own_axes() -> None:
    axis = np.array([0.6, 0.0, 0.8])
    made = rve(np.zeros((2, 3, 2), dtype=int), FIBRE, homogeneous=True, orientation=np.tile(axis, (2, 3, 2, 1)))
    full = FIBRE.alpha_T * np.eye(3) + (FIBRE.alpha_L - FIBRE.alpha_T) * np.outer(axis, axis)
    expected = [full[0, 0], full[1, 1], full[2, 2], 0.0, math.sqrt(2.0) * full[0, 2], 0.0]
    np.testing.assert_allclose(made.thermal_expansion(), expected, rtol=1e-9, atol=1e-15)


def test_pores_do_not_change_the_expansion() -> None:
    pores = np.zeros((6, 6, 6), dtype=int)
    pores[1:4, 2:4, 1:3] = 1
    found = rve(pores, MATRIX, sb.micro.Void(), tolerance=1e-10).thermal_expansion()
    np.testing.assert_allclose(found, MATRIX.expansion * UNIT, rtol=1e-8, atol=1e-12)


@dataclass(frozen=True)
class Heated:
    """A linear law one kelvin warmer than its free state."""

    law: sb.micro.Elastic | sb.micro.TransverselyIsotropic
    name: str = "heated"
    parameters: tuple[Parameter, ...] = ()
    kinematics: str = "small strain"
    linear: bool = False
    even: bool = False

    def energy(self, strain: torch.Tensor) -> torch.Tensor:
        return self.law.energy(strain - self._free(strain))

    def stress(self, strain: torch.Tensor) -> torch.Tensor:
        return self.law.stress(strain - self._free(strain))

    def tangent(self, strain: torch.Tensor) -> torch.Tensor:
        return self.law.tangent(strain)

    def _free(self, strain: torch.Tensor) -> torch.Tensor:
        return strain.new_tensor(self.law.expansion_strain)


@pytest.mark.parametrize("options", [{}, {"plane": "generalised"}, {"plane": "strain"}, {"plane": "stress"}])
def test_three_phases_expand_as_in_a_direct_solve_with_eigenstrains(options: dict[str, str]) -> None:
    image = RNG.integers(0, 3, (6, 5) if options else (3, 5, 4))
    directions = RNG.normal(size=(*image.shape, 3))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    laws = (MATRIX, GLASS, FIBRE)
    made = rve(image, *laws, orientation=directions, **options)
    heated = rve(image, *(Heated(law) for law in laws), orientation=directions, **options)
    g = made.inputs.size
    free = heated.homogenise(np.full((1, g), np.nan), stress=np.zeros(g))
    assert free.reason == ("",)
    np.testing.assert_allclose(made.thermal_expansion(), free.measure[0], rtol=0, atol=1e-8 * MATRIX.expansion)
