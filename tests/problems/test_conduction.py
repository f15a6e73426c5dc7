"""The conduction laminate: the scalar root against the general minimisation, limits with closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.problems import ConductionLaminate, PowerLawConductor, random_conduction_laminate
from scalebridge.problems.rank_one import balanced_jump, mix
from scalebridge.problems.root import increasing_root
from scalebridge.testing import check_model


@pytest.mark.parametrize("dim", [1, 2])
@pytest.mark.parametrize("seed", range(5))
def test_random_laminates_keep_the_contract(dim: int, seed: int) -> None:
    check_model(random_conduction_laminate(np.random.default_rng(seed), dim))


@pytest.mark.parametrize("dim", [1, 2])
def test_the_scalar_root_and_the_general_minimisation_agree(dim: int) -> None:
    laminate = random_conduction_laminate(np.random.default_rng(4), dim)
    x = 3 * np.random.default_rng(1).standard_normal((200, dim))
    phases = (laminate.first, laminate.second, laminate.fraction, laminate.normal[:, None])
    values, tangent = mix(*phases, x, balanced_jump(*phases, x))
    runs = laminate.run(x)
    np.testing.assert_allclose(runs.values, values, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(runs.jacobian, tangent, rtol=1e-9, atol=1e-12)


def test_linear_layers_in_series_have_the_harmonic_mean() -> None:
    laminate = ConductionLaminate(PowerLawConductor(1.0), PowerLawConductor(9.0), 0.25)
    assert laminate.run(np.array([[2.0]])).values[0, 0] == pytest.approx(2.0 / (0.25 / 1 + 0.75 / 9), rel=1e-13)


def test_linear_layers_have_the_harmonic_mean_across_and_the_arithmetic_along() -> None:
    laminate = ConductionLaminate(PowerLawConductor(1.0), PowerLawConductor(9.0), 0.25, angle=np.pi / 2, dim=2)
    flux = laminate.run(np.eye(2)).values
    np.testing.assert_allclose(flux, np.diag([0.25 * 1 + 0.75 * 9, 1 / (0.25 / 1 + 0.75 / 9)]), atol=1e-13)


def test_flux_is_the_same_in_both_layers_in_series() -> None:
    laminate = random_conduction_laminate(np.random.default_rng(0))
    flux = laminate.run(np.array([[3.0]])).values
    # Invert each phase's law at that flux: the gradients must average to the one imposed.
    total = 0.0
    for phase, share in ((laminate.first, laminate.fraction), (laminate.second, 1 - laminate.fraction)):
        gradient = increasing_root(
            lambda g, phase=phase: (
                phase.respond(g[:, None])[0][:, 0] - flux[:, 0],
                phase.respond(g[:, None])[1][:, 0, 0],
            ),
            np.zeros(1),
            np.full(1, 1e4),
        )
        total += share * gradient[0]
    assert total == pytest.approx(3.0, rel=1e-11)


def test_a_root_is_found_from_any_bracket_to_the_last_digits() -> None:
    lower, upper = np.array([-1e6, -1.0, 0.0]), np.array([10.0, 1e6, 1e3])
    root = increasing_root(lambda x: (np.arctan(x - 8.0), 1 / (1 + (x - 8.0) ** 2)), lower, upper)
    np.testing.assert_allclose(root, 8.0, rtol=1e-12)


def test_bad_constants_are_refused_in_one_sentence() -> None:
    with pytest.raises(InputError, match="conductivity = -1"):
        PowerLawConductor(-1.0)
    with pytest.raises(InputError, match="dim = 3"):
        ConductionLaminate(PowerLawConductor(1.0), PowerLawConductor(1.0), dim=3)
