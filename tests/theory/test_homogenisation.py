"""Homogenisation against exact, semi-analytic and cross-code values."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import root

import scalebridge as sb

Floats = NDArray[np.float64]
Law = Callable[[Floats], Floats]


def fibre(n: int, fraction: float = 0.47) -> NDArray[np.int64]:
    """One fibre in the middle of the cell, pixels decided at their centres."""
    c = (np.arange(n) + 0.5) / n - 0.5
    return (c[:, None] ** 2 + c[None, :] ** 2 <= fraction / math.pi).astype(np.int64)


def elastic_pair(contrast: float) -> list[sb.micro.Elastic]:
    return [sb.micro.Elastic(1.0, 0.3), sb.micro.Elastic(contrast, 0.3)]


@pytest.mark.parametrize(("shape", "axis"), [((6, 8), 1), ((8, 6), 0), ((5, 14), 1), ((1, 2), 1), ((32, 32), 0)])
def test_laminate_is_exact_including_shear_in_the_plane(shape: tuple[int, int], axis: int) -> None:
    """50/50, E 1:10, nu .3, normal along ``axis``; three-dimensional values reduced to plane strain."""
    ny, nx = shape
    index = np.arange(shape[axis]) >= shape[axis] // 2
    image = np.broadcast_to(index[None, :] if axis == 1 else index[:, None], (ny, nx)).astype(np.int64)
    c = sb.micro.RVE(image, elastic_pair(10.0), tolerance=1e-10).stiffness()
    normal, along = (0, 1) if axis == 1 else (1, 0)
    assert c[normal, normal] == pytest.approx(2.44755245, abs=1e-8)
    assert c[normal, along] == pytest.approx(1.04895105, abs=1e-8)
    assert c[along, along] == pytest.approx(6.49350649, abs=1e-8)
    assert c[2, 2] == pytest.approx(2 * 0.69930070, abs=2e-8)
    assert np.abs(c[2, :2]).max() < 1e-12


def test_unidirectional_fibre_agrees_with_the_table_of_other_codes() -> None:
    c = sb.micro.RVE(fibre(32), elastic_pair(10.0)).stiffness()
    assert c[0, 0] == pytest.approx(2.863114, abs=1e-6)
    assert c[1, 1] == pytest.approx(2.863114, abs=1e-6)
    assert c[0, 1] == pytest.approx(0.948146, abs=1e-6)
    assert c[2, 2] / 2 == pytest.approx(0.709145, abs=1e-6)


@pytest.mark.parametrize(("contrast", "limit"), [(10.0, 17), (100.0, 31), (1000.0, 34), (1e6, 34)])
@pytest.mark.parametrize("n", [32, 33, 64])
def test_iterations_stay_within_those_of_the_rotated_scheme_elsewhere(contrast: float, limit: int, n: int) -> None:
    # The tolerance of stiffness() is half of the RVE's: 2e-6 gives the 1e-6 of the table.
    made = sb.micro.RVE(fibre(n), elastic_pair(contrast), tolerance=2e-6)
    unit = made.solver.localisation
    assert bool(unit.converged.all())
    assert int(unit.cg.max()) <= limit


def test_a_reference_with_another_poisson_ratio_costs_iterations() -> None:
    from scalebridge.micro.rve.homogenise import Homogeniser

    made = sb.micro.RVE(fibre(64), elastic_pair(100.0), tolerance=2e-6)
    own = made.solver
    other = Homogeniser(own.composite, own.control, lame=(2 * 0.1 / (1 - 0.2), 1.0))
    assert int(own.localisation.cg.max()) < int(other.localisation.cg.max())


def test_stiffness_of_the_exchanged_axes_and_hill_bounds_hold() -> None:
    image = fibre(32)
    c = sb.micro.RVE(image, elastic_pair(10.0)).stiffness()
    fractions = np.bincount(image.ravel()) / image.size
    phases = [sb.micro.RVE(np.zeros((2, 2)), [m], homogeneous=True).stiffness() for m in elastic_pair(10.0)]
    voigt = sum(f * p for f, p in zip(fractions, phases, strict=True))
    reuss = np.linalg.inv(sum(f * np.linalg.inv(p) for f, p in zip(fractions, phases, strict=True)))
    assert np.linalg.eigvalsh(voigt - c).min() > 0.0
    assert np.linalg.eigvalsh(c - reuss).min() > 0.0


def test_equal_shear_moduli_give_hills_exact_plane_strain_bulk_modulus() -> None:
    """Hill 1964: with one shear modulus the in-plane bulk modulus is exact whatever the geometry."""
    mu, image = 0.8, fibre(33)
    nus = (0.1, 0.4)
    made = sb.micro.RVE(image, [sb.micro.Elastic(2 * mu * (1 + nu), nu) for nu in nus], tolerance=1e-10)
    c = made.stiffness()
    bulk = [mu / (1 - 2 * nu) for nu in nus]
    fractions = np.bincount(image.ravel()) / image.size
    exact = 1.0 / sum(f / (k + mu) for f, k in zip(fractions, bulk, strict=True)) - mu
    assert (c[0, 0] + c[0, 1]) / 2 == pytest.approx(exact, rel=1e-9)


def test_discretisation_error_of_a_given_image_falls_at_first_order_or_better() -> None:
    """Each pixel split in 2 x 2 again and again: the geometry stays, the error falls by 2 or more per step."""
    made = sb.micro.RVE(fibre(16), elastic_pair(10.0))
    values = []
    for _ in range(4):
        values.append(made.stiffness()[0, 0])
        made = made.finer
    steps = np.abs(np.diff(values))
    assert (steps[:-1] / steps[1:]).min() > 1.9


# The power-law laminate, written out independently of the package.


def elastic_law(E: float, nu: float) -> Law:
    lam, mu = E * nu / ((1 + nu) * (1 - 2 * nu)), E / (2 * (1 + nu))
    return lambda e: lam * np.trace(e) * np.eye(3) + 2 * mu * e


def power_law(E: float, nu: float, yield_stress: float, n: float) -> Law:
    bulk, shear = E / (3 * (1 - 2 * nu)), E / (2 * (1 + nu))

    def stress(e: Floats) -> Floats:
        deviator = e - np.trace(e) / 3 * np.eye(3)
        q = math.sqrt(2 / 3 * float((deviator**2).sum()))
        ratio = 3 * shear * q / yield_stress
        return bulk * np.trace(e) * np.eye(3) + 2 * shear * (1 + ratio**2) ** ((n - 1) / 2) * deviator

    return stress


def laminate_stress(laws: tuple[Law, Law], fractions: tuple[float, float], macro: Floats) -> Floats:
    """Rank-one laminate with normal x1: strains differ by sym(a x n), tractions agree."""

    def strains(a: Floats) -> tuple[Floats, Floats]:
        jump = np.zeros((3, 3))
        jump[0, 0], jump[0, 1], jump[1, 0] = a[0], a[1] / 2, a[1] / 2
        return macro + fractions[1] * jump, macro - fractions[0] * jump

    def gap(a: Floats) -> Floats:
        first, second = (law(e) for law, e in zip(laws, strains(a), strict=True))
        scale = np.abs(first).max() + np.abs(second).max()
        return (first - second)[0, :2] / scale

    found = root(gap, np.zeros(2), tol=1e-14, options={"xtol": 1e-15})
    assert np.abs(found.fun).max() < 1e-11
    parts = [f * law(e) for f, law, e in zip(fractions, laws, strains(found.x), strict=True)]
    return np.asarray(sum(parts))


@pytest.mark.parametrize("strain", [[0.01, 0.0, 0.0], [0.0, 0.02, 0.0], [0.0, 0.0, 0.03], [0.02, -0.01, 0.015]])
def test_power_law_laminate_agrees_with_the_rank_one_solution(strain: list[float]) -> None:
    image = np.zeros((6, 10), dtype=np.int64)
    image[:, 7:] = 1
    pairs = [
        ((sb.micro.PowerLaw(1.0, 0.35, 0.01, 0.2), sb.micro.Elastic(20.0, 0.22)),
         (power_law(1.0, 0.35, 0.01, 0.2), elastic_law(20.0, 0.22))),
        ((sb.micro.PowerLaw(1.0, 0.35, 0.01, 0.2), sb.micro.PowerLaw(8.0, 0.25, 0.05, 0.5)),
         (power_law(1.0, 0.35, 0.01, 0.2), power_law(8.0, 0.25, 0.05, 0.5))),
    ]  # fmt: skip
    e11, e22, shear = strain[0], strain[1], strain[2] / math.sqrt(2)
    macro = np.array([[e11, shear, 0.0], [shear, e22, 0.0], [0.0, 0.0, 0.0]])
    for materials, laws in pairs:
        exact = laminate_stress(laws, (0.7, 0.3), macro)
        expected = [exact[0, 0], exact[1, 1], math.sqrt(2) * exact[0, 1]]
        response = sb.micro.RVE(image, materials, tolerance=1e-9).homogenise([strain])
        assert response.converged.all()
        np.testing.assert_allclose(response.stress[0], expected, rtol=1e-8, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("n", [0.05, 0.15, 0.5])
@pytest.mark.parametrize("size", [0.001, 0.02, 0.2])
def test_newton_converges_from_the_elastic_range_deep_into_hardening(n: float, size: float) -> None:
    made = sb.micro.RVE(fibre(32), [sb.micro.PowerLaw("3.5 GPa", 0.35, "50 MPa", n), sb.micro.Elastic("72 GPa", 0.22)])
    strains = size * np.random.default_rng(0).normal(size=(4, 3))
    response = made.homogenise(strains)
    assert response.converged.all(), response.reason
    assert response.newton.max() <= 15
    assert np.linalg.eigvalsh(response.tangent).min() > 0.0


def test_energy_is_the_integral_of_the_stress_along_any_path() -> None:
    """Gauss-Legendre along two different paths to one strain: the response derives from a potential."""
    made = sb.micro.RVE(
        fibre(24), [sb.micro.PowerLaw("3.5 GPa", 0.35, "50 MPa", 0.15), sb.micro.Elastic("72 GPa", 0.22)]
    )
    end, detour = np.array([0.02, -0.01, 0.015]), np.array([0.03, 0.02, -0.02])
    nodes, weights = np.polynomial.legendre.leggauss(16)

    def work(a: Floats, b: Floats) -> float:
        stress = made.run(a + 0.5 * (nodes[:, None] + 1) * (b - a)).values
        return float(0.5 * weights @ (stress @ (b - a)))

    energy = float(made.homogenise(end[None]).energy[0])
    assert work(np.zeros(3), end) == pytest.approx(energy, rel=1e-5)
    assert work(np.zeros(3), detour) + work(detour, end) == pytest.approx(energy, rel=1e-4)
