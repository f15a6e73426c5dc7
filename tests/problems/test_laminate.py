"""The power-law laminate against limits with closed forms, its own energy and finite differences."""

from __future__ import annotations

import time

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.problems import PowerLawLaminate, PowerLawSolid, random_laminate
from scalebridge.problems.rank_one import balanced_jump
from scalebridge.testing import check_model

ROOT2 = np.sqrt(2.0)


def strains(n: int, size: float = 0.02, seed: int = 0) -> np.ndarray:
    return size * np.random.default_rng(seed).standard_normal((n, 3))


def test_one_material_in_two_layers_is_that_material() -> None:
    solid = PowerLawSolid(5e9, 2e9, 0.3, 5e-3)
    x = strains(20)
    np.testing.assert_allclose(PowerLawLaminate(solid, solid, 0.3, 0.7).run(x).values, solid.respond(x)[0], rtol=1e-12)


def test_a_solid_is_the_gradient_of_its_energy() -> None:
    solid, x, h = PowerLawSolid(5e9, 2e9, 0.3, 5e-3), strains(20), 1e-7
    for j, shift in enumerate(h * np.eye(3)):
        slope = (solid.energy(x + shift) - solid.energy(x - shift)) / (2 * h)
        np.testing.assert_allclose(slope, solid.respond(x)[0][:, j], rtol=1e-6, atol=1.0)


def test_a_solid_feels_the_deviator_out_of_the_plane() -> None:
    # Pure volume change in the plane, e11 = e22 = e: the third strain is zero, so the deviator is (1, 1, -2) e/3.
    e, solid = 0.01, PowerLawSolid(1e9, 1e9, 1.0, 1.0)
    stress = solid.respond(np.array([[e, e, 0.0]]))[0][0]
    np.testing.assert_allclose(stress, [2e7 + 2e9 * e / 3, 2e7 + 2e9 * e / 3, 0.0])


def test_linear_layers_across_the_load_follow_the_series_rule_and_along_it_the_parallel_rule() -> None:
    one, two, f = PowerLawSolid(4e9, 1e9), PowerLawSolid(40e9, 30e9), 0.35
    # Layers across x (normal x) under e11 alone: the same s11 in both, moduli M = K + 4/3 G in series.
    m = [s.bulk + 4 / 3 * s.shear for s in (one, two)]
    series = 1 / (f / m[0] + (1 - f) / m[1])
    laminate = PowerLawLaminate(one, two, f, 0.0)
    x = np.array([[1e-3, 0.0, 0.0], [0.0, 0.0, ROOT2 * 1e-3]])
    stress = laminate.run(x).values
    assert stress[0, 0] == pytest.approx(series * 1e-3, rel=1e-12)
    # Shear across the layers: shear moduli in series.
    assert stress[1, 2] / ROOT2 == pytest.approx(2e-3 / (f / one.shear + (1 - f) / two.shear), rel=1e-12)


def test_traction_and_mean_strain_balance_to_the_last_digits() -> None:
    laminate = random_laminate(np.random.default_rng(3))
    x, f, n = strains(50), laminate.fraction, laminate.jump
    a = balanced_jump(laminate.first, laminate.second, f, n, x)
    one, two = x + (1 - f) * a @ n.T, x - f * a @ n.T
    np.testing.assert_allclose(f * one + (1 - f) * two, x, atol=1e-16)
    s1, s2 = laminate.first.respond(one)[0], laminate.second.respond(two)[0]
    assert np.max(np.abs((s1 - s2) @ n)) <= 1e-12 * np.max(np.abs(s1))


def test_stress_is_the_gradient_of_the_mean_energy() -> None:
    laminate, x, h = random_laminate(np.random.default_rng(5)), strains(10), 1e-6
    stress = laminate.run(x).values
    for j, shift in enumerate(h * np.eye(3)):
        slope = (laminate.energy(x + shift) - laminate.energy(x - shift)) / (2 * h)
        np.testing.assert_allclose(slope, stress[:, j], rtol=1e-5, atol=1e-6 * np.max(np.abs(stress)))


def test_the_response_lies_between_layers_in_series_and_in_parallel() -> None:
    laminate, x = random_laminate(np.random.default_rng(7)), strains(30)
    f = laminate.fraction
    voigt = f * laminate.first.energy(x) + (1 - f) * laminate.second.energy(x)
    assert np.all(laminate.energy(x) <= voigt * (1 + 1e-12))
    assert np.all(laminate.energy(x) > 0)


def test_turning_the_layers_by_a_half_turn_changes_nothing() -> None:
    one, two = PowerLawSolid(4e9, 1e9, 0.2), PowerLawSolid(40e9, 30e9, 0.7)
    x = strains(10)
    turned = PowerLawLaminate(one, two, 0.4, 0.3 + np.pi).run(x).values
    np.testing.assert_allclose(turned, PowerLawLaminate(one, two, 0.4, 0.3).run(x).values, rtol=1e-10)


@pytest.mark.parametrize("seed", range(8))
def test_random_laminates_keep_the_contract_from_tiny_to_large_strains(seed: int) -> None:
    laminate = random_laminate(np.random.default_rng(seed))
    sizes = np.array([[1e-6], [1e-4], [1e-3], [1e-2], [3e-2], [0.2]])
    check_model(laminate, sizes * np.random.default_rng(seed).standard_normal((6, 3)))
    runs = laminate.run(strains(200, 0.05, seed))
    assert runs.ok.all()
    assert runs.jacobian is not None
    assert np.linalg.eigvalsh(runs.jacobian).min() > 0


def test_thousands_of_states_take_milliseconds() -> None:
    laminate, x = random_laminate(np.random.default_rng(1)), strains(2000)
    laminate.run(x)
    start = time.perf_counter()
    laminate.run(x)
    assert time.perf_counter() - start < 0.2


def test_zero_strain_gives_zero_stress_and_the_initial_tangent() -> None:
    laminate = random_laminate(np.random.default_rng(2))
    runs = laminate.run(np.zeros((1, 3)))
    assert np.all(runs.values == 0)
    assert runs.jacobian is not None
    small = 1e-9 * np.eye(3)
    np.testing.assert_allclose(laminate.run(small).values.T / 1e-9, runs.jacobian[0], rtol=1e-8)


def test_bad_constants_are_refused_in_one_sentence() -> None:
    with pytest.raises(InputError, match="exponent at most 1"):
        PowerLawSolid(1e9, 1e9, 1.2)
    with pytest.raises(InputError, match="must be positive and finite"):
        PowerLawSolid(1e9, float("nan"))
    solid = PowerLawSolid(1e9, 1e9)
    with pytest.raises(InputError, match=r"fraction 1\.0"):
        PowerLawLaminate(solid, solid, 1.0)
    with pytest.raises(InputError, match=r"takes \[b, 3\]"):
        PowerLawLaminate(solid, solid).run(np.zeros((2, 2)))
