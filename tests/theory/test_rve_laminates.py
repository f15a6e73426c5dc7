"""Laminates in the RVE against the semi-analytic solution: J2, neo-Hooke, viscoelasticity; paths, planes, schemes.

Fields of a laminate are constant in each layer, so the RVE must give them to the accuracy of its solver.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import scalebridge as sb
from tests.theory.rank_one import (
    Hooke,
    Prony,
    Rubber,
    VonMises,
    hereditary,
    laminate,
    mandel,
    series_relaxation,
)

Floats = NDArray[np.float64]
M = sb.micro
SCHEMES = ("rotated", "hexahedra", "moulinec_suquet")
PLANE = [0, 1, 5]
# Nine voxels across, four of them soft; an odd number, as trigonometric collocation has no gradient at the highest
# frequency of an even one.
LAYERS = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1])
FRACTION = 4 / 9


def stack(axis: int, dim: int = 3) -> NDArray[np.int64]:
    """Layers with the normal along direction ``axis`` (0 is x, the last axis of the image)."""
    shape = [2] * dim
    shape[dim - 1 - axis] = 9
    view = [1] * dim
    view[dim - 1 - axis] = 9
    return np.broadcast_to(LAYERS.reshape(view), shape)


def tensors(components: Floats) -> Floats:
    """Tensors ``[t, 3, 3]`` from Mandel components ``[t, 6]``."""
    e, r = components, math.sqrt(0.5)
    rows = [
        [e[:, 0], r * e[:, 5], r * e[:, 4]],
        [r * e[:, 5], e[:, 1], r * e[:, 3]],
        [r * e[:, 4], r * e[:, 3], e[:, 2]],
    ]
    return np.stack([np.stack(row, -1) for row in rows], -2)


def cycle(end: list[float], steps: int = 4) -> Floats:
    """There, past zero to half of it on the other side, and back to zero, ``[t, g]``."""
    up = np.linspace(0, 1, steps + 1)[1:]
    way = np.concatenate([up, 1 - 1.5 * up, -0.5 + 0.5 * up])
    return np.outer(way, end)


METAL = M.J2(70.0, 0.3, 0.2, 1.0, 0.1, 50.0, 3.0)
OWN_METAL = VonMises(70.0, 0.3, 0.2, 1.0, 0.1, 50.0, 3.0)
STRONG = M.J2(200.0, 0.25, 0.6, kinematic=5.0)
OWN_STRONG = VonMises(200.0, 0.25, 0.6, 0.0, 0.0, 0.0, 5.0)
STRAIN = [0.012, -0.003, -0.004, 0.002, -0.003, 0.008]


def metals(image: NDArray[np.int64], **options: Any) -> sb.micro.RVE:
    return M.RVE(image, [METAL, STRONG], **{"tolerance": 1e-11, **options})


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_plastic_laminate_follows_a_cycle_in_space(axis: int, scheme: str) -> None:
    strains = cycle(STRAIN)
    exact = mandel(laminate((OWN_METAL, OWN_STRONG), FRACTION, np.eye(3)[axis], tensors(strains)).stress)
    path = metals(stack(axis), discretisation=scheme).path(strains)
    assert path.converged
    np.testing.assert_allclose(path.stress, exact, rtol=0, atol=1e-9 * np.abs(exact).max())


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("axis", [0, 1])
def test_plastic_laminate_follows_a_cycle_in_plane_strain(axis: int, scheme: str) -> None:
    strains = cycle([0.012, -0.003, 0.0, 0.0, 0.0, 0.008])
    exact = mandel(laminate((OWN_METAL, OWN_STRONG), FRACTION, np.eye(3)[axis], tensors(strains)).stress)
    path = metals(stack(axis, 2), discretisation=scheme).path(strains[:, PLANE])
    np.testing.assert_allclose(path.stress, exact[:, PLANE], rtol=0, atol=1e-9 * np.abs(exact).max())


def test_plastic_laminate_in_generalised_plane_strain_takes_all_six_strains() -> None:
    strains = cycle(STRAIN)
    exact = mandel(laminate((OWN_METAL, OWN_STRONG), FRACTION, [1, 0, 0], tensors(strains)).stress)
    path = metals(stack(0, 2), plane="generalised").path(strains)
    np.testing.assert_allclose(path.stress, exact, rtol=0, atol=1e-9 * np.abs(exact).max())


@pytest.mark.parametrize("axis", [0, 2])
def test_plastic_laminate_pulled_along_one_axis_alone(axis: int) -> None:
    load = np.full((8, 6), np.nan)
    load[:, 0] = cycle([0.015], 3)[:8, 0]
    path = metals(stack(axis)).path(load, stress=np.zeros(6))
    assert path.converged
    assert np.abs(path.stress[:, 1:]).max() < 1e-9
    assert np.ptp(path.stress[:, 0]) > 0.3
    # The strains that were found, prescribed on the exact laminate, leave it free of stress across too.
    exact = mandel(laminate((OWN_METAL, OWN_STRONG), FRACTION, np.eye(3)[axis], tensors(path.measure)).stress)
    np.testing.assert_allclose(path.stress, exact, rtol=0, atol=1e-8 * np.abs(exact).max())


def test_hardened_beside_elastic_layer_has_the_exact_tangent() -> None:
    made, h = M.RVE(stack(0), [METAL, M.Elastic(400.0, 0.2)], tolerance=1e-11), 1e-7
    strains = np.outer([0.5, 1.0], STRAIN)
    path = made.path(strains, tangent=True)
    laws = (OWN_METAL, Hooke(400.0, 0.2))

    def ended(end: Floats) -> Floats:
        moved = tensors(np.vstack([strains[:1], end]))
        return np.asarray(mandel(laminate(laws, FRACTION, [1, 0, 0], moved).stress)[-1])

    slopes = [(ended(strains[1] + h * e) - ended(strains[1] - h * e)) / (2 * h) for e in np.eye(6)]
    assert path.tangent is not None
    np.testing.assert_allclose(path.tangent[-1], np.array(slopes).T, rtol=0, atol=1e-5 * np.abs(slopes).max())


SOFT, STIFF = (1.0, 2.0), (8.0, 5.0)
LARGE = np.array([[1.4, 0.5, 0.1], [-0.2, 0.8, 0.3], [0.2, -0.1, 1.1]])


def rubbers(image: NDArray[np.int64], **options: Any) -> sb.micro.RVE:
    laws = [M.NeoHooke.from_lame(*SOFT), M.NeoHooke.from_lame(*STIFF)]
    return M.RVE(image, laws, **{"tolerance": 1e-11, **options})


def exact_rubber(gradients: Floats, axis: int) -> Floats:
    return laminate((Rubber(*SOFT), Rubber(*STIFF)), FRACTION, np.eye(3)[axis], gradients, finite=True).stress


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_rubber_laminate_at_large_stretch_and_shear_in_space(axis: int, scheme: str) -> None:
    ways = np.linspace(0, 1, 7)[1:, None, None]
    gradients = np.eye(3) + ways * (LARGE - np.eye(3))
    exact = exact_rubber(gradients, axis).reshape(-1, 9)
    found = rubbers(stack(axis), discretisation=scheme).homogenise(gradients[-1:].reshape(1, 9))
    assert found.converged.all()
    np.testing.assert_allclose(found.stress[0], exact[-1], rtol=0, atol=1e-9 * np.abs(exact[-1]).max())


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("axis", [0, 1])
def test_rubber_laminate_at_large_shear_in_plane_strain(axis: int, scheme: str) -> None:
    gradient = np.eye(3)
    gradient[:2, :2] = [[1.3, 0.9], [-0.3, 0.7]]
    ways = np.linspace(0, 1, 7)[1:, None, None]
    exact = exact_rubber(np.eye(3) + ways * (gradient - np.eye(3)), axis)[-1][:2, :2]
    found = rubbers(stack(axis, 2), discretisation=scheme).homogenise(gradient[:2, :2].reshape(1, 4))
    np.testing.assert_allclose(found.stress[0], exact.reshape(4), rtol=0, atol=1e-9 * np.abs(exact).max())


def test_rubber_laminate_pulled_along_one_axis_alone() -> None:
    measure = np.full((4, 9), np.nan)
    measure[:, 0] = [1.2, 1.5, 1.8, 2.1]
    # The rotation is held; the two other stretches and the shears of the diagonal's side are free of stress.
    measure[:, [3, 6, 7]] = 0.0
    path = rubbers(stack(1)).path(measure, stress=np.zeros(9))
    assert path.converged
    free = [1, 2, 4, 5, 8]
    assert np.abs(path.stress[:, free]).max() < 1e-9
    exact = exact_rubber(path.measure.reshape(-1, 3, 3), 1).reshape(-1, 9)
    np.testing.assert_allclose(path.stress, exact, rtol=0, atol=1e-9 * np.abs(exact).max())


ONE = (1.0, [(0.7, 2.0), (0.4, 30.0)])
TWO = (0.5, [(6.0, 8.0)])


def polymers(image: NDArray[np.int64], **options: Any) -> sb.micro.RVE:
    laws = [_maxwell(2.0, *ONE), _maxwell(2.0, *TWO)]
    return M.RVE(image, laws, **{"tolerance": 1e-11, **options})


def _maxwell(bulk: float, shear: float, branches: list[tuple[float, float]]) -> sb.micro.GeneralisedMaxwell:
    return M.GeneralisedMaxwell(bulk, shear, tuple((g, tau, 0.0) for g, tau in branches))


def own_polymers() -> tuple[Prony, Prony]:
    made = [Prony(2.0, shear, tuple((g, tau, 0.0) for g, tau in branches)) for shear, branches in (ONE, TWO)]
    return made[0], made[1]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("dim", [2, 3])
def test_viscoelastic_laminate_follows_the_semi_analytic_one_step_by_step(dim: int, scheme: str) -> None:
    times = [0.5, 1.0, 3.0, 10.0, 40.0]
    strains = np.outer([0.5, 1.0, 1.0, 1.0, -0.5], STRAIN if dim == 3 else [0.012, -0.003, 0, 0, 0, 0.008])
    exact = mandel(laminate(own_polymers(), FRACTION, [1, 0, 0], tensors(strains), times).stress)
    slots = PLANE if dim == 2 else list(range(6))
    path = polymers(stack(0, dim), discretisation=scheme).path(strains[:, slots], time=times)
    np.testing.assert_allclose(path.stress, exact[:, slots], rtol=0, atol=1e-9 * np.abs(exact).max())


def test_viscoelastic_laminate_in_shear_relaxes_to_the_exact_curve_with_order_two() -> None:
    size, rise, end = 0.01, 0.5, 20.0
    exact = hereditary(series_relaxation(FRACTION, ONE, TWO), [0.0, rise, end], [0.0, size, size])[-1]
    errors = []
    for steps in (20, 40, 80):
        times = np.concatenate([np.linspace(0, rise, steps // 4 + 1)[1:], np.linspace(rise, end, steps + 1)[1:]])
        strains = np.zeros((len(times), 3))
        strains[:, 2] = math.sqrt(2.0) * size * np.minimum(times / rise, 1.0)
        path = polymers(stack(0, 2)).path(strains, time=times)
        errors.append(abs(path.stress[-1, 2] / math.sqrt(2.0) / exact - 1.0))
    assert errors[-1] < 3e-4
    assert math.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.2)
    assert math.log2(errors[1] / errors[2]) == pytest.approx(2.0, abs=0.1)


def test_viscoelastic_laminate_creeps_under_a_held_stress_to_the_exact_strain() -> None:
    # Relaxation of the strain that creep found, by the exact modulus, must give the held stress back.
    times = np.concatenate([[1e-9], np.geomspace(0.02, 3000.0, 300)])
    pulled = np.zeros(3)
    pulled[2] = math.sqrt(2.0) * 0.02
    path = polymers(stack(0, 2)).path(np.full((len(times), 3), np.nan), stress=pulled, time=times)
    assert path.converged
    shear = path.measure[:, 2] / math.sqrt(2.0)
    rest, parts, taus = series_relaxation(FRACTION, ONE, TWO)
    # Layers in series creep each on its own: at once by the glassy, at last by the rubbery compliance.
    assert 2.0 * shear[0] * (rest + parts.sum()) == pytest.approx(0.02, rel=1e-7)
    assert 2.0 * shear[-1] * rest == pytest.approx(0.02, rel=1e-6) and np.all(np.diff(shear) > 0.0)
    stress = hereditary((rest, parts, taus), [0.0, *times], [0.0, *shear])[1:]
    np.testing.assert_allclose(stress, 0.02, rtol=5e-4)
