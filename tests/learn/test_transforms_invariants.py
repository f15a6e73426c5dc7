"""Isotropic laws from invariants."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import scalebridge as sb
from scalebridge.errors import InputError
from scalebridge.learn import GaussianProcess, RandomForest
from scalebridge.learn.transforms import Invariants, Transformed
from scalebridge.learn.transforms.mandel import basis, generators, invariants, matrices, rotation, vectors
from scalebridge.models import Runs
from scalebridge.testing import check_surrogate
from tests.learn.transforms_cases import check_law, held, rms


def spaces(c: int) -> tuple[sb.Space, sb.Space]:
    strain = sb.Variable("strain", "1", (c,), kind="symmetric")
    stress = sb.Variable("stress", "MPa", (c,), kind="symmetric")
    return sb.Space([strain, sb.Variable("T", "K", bounds=(0, 1))]), sb.Space([stress, sb.Variable("w", "J")])


def law(x: np.ndarray) -> np.ndarray:
    """A stiffening, shear-thinning stress and an energy of strain and temperature."""
    strain, heat = x[:, :-1], 1 + x[:, -1:]
    base, z = generators(strain)[0], invariants(strain)[0]
    parts = [3 * z[:, 0] + z[:, 0] ** 2, 2 / np.sqrt(1 + z[:, 1]), 0.5 + 0.0 * z[:, 0]]
    stress = sum(a[:, None] * base[:, :, k] for k, a in enumerate(parts[: base.shape[2]]))
    return np.concatenate([stress * heat, z[:, 1:2]], axis=1)


def drawn(c: int, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = np.concatenate([0.6 * rng.uniform(-1, 1, (n, c)), rng.uniform(0, 1, (n, 1))], axis=1)
    return x, law(x)


def turns(c: int, seed: int) -> np.ndarray:
    if c == 6:
        return rotation(Rotation.random(random_state=seed).as_matrix())
    a = 6.0 * np.random.default_rng(seed).random()
    return rotation(np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]))


class Energy:
    """A scalar function of the invariants, as a model."""

    name, version, scale = "energy", "1", None
    inputs, outputs = sb.Space(list(spaces(6)[0])[:1]), sb.Space({"w": "J"})

    def identity(self) -> dict[str, str]:
        return {"name": self.name}

    def run(self, x: np.ndarray) -> Runs:
        z = invariants(x)[0]
        return Runs(np.sin(z[:, :1]) + np.log1p(z[:, 1:2]))


@pytest.mark.parametrize("learner", [GaussianProcess, RandomForest])
def test_the_contract_is_kept(learner) -> None:
    surrogate = Transformed(learner(Energy.inputs, Energy.outputs), [Invariants()])
    check_surrogate(surrogate, Energy(), n=30, fit_rtol=0.6)


@pytest.mark.parametrize("c", [3, 6])
@pytest.mark.parametrize("learner", [GaussianProcess, RandomForest])
def test_tensor_outputs_have_one_joint_law(learner, c) -> None:
    x, y = drawn(c, 30)
    check_law(Transformed(learner(*spaces(c)), [Invariants()]).fit(x, y), drawn(c, 4, 1)[0], float(y.std()))


@pytest.mark.parametrize("c", [3, 6])
def test_any_rotation_of_the_strain_rotates_mean_and_covariance(c) -> None:
    fitted = Transformed(GaussianProcess(*spaces(c)), [Invariants()]).fit(*drawn(c, 30))
    x = drawn(c, 20, 1)[0]
    mean, blocks = fitted.predict(x)[0], fitted.posterior(x).blocks
    for seed in range(5):
        turn = turns(c, seed)
        q = np.eye(c + 1)
        q[:c, :c] = turn
        moved = x @ q.T
        np.testing.assert_allclose(fitted.predict(moved)[0], mean @ q.T, atol=1e-8 * np.abs(mean).max())
        np.testing.assert_allclose(fitted.posterior(moved).blocks, q @ blocks @ q.T, atol=1e-6 * np.abs(blocks).max())
        assert fitted.domain.contains(moved).all() or not fitted.domain.contains(x).all()


def test_fewer_runs_do_in_space() -> None:
    x, y = drawn(6, 500, 1)
    known = Transformed(GaussianProcess(*spaces(6)), [Invariants()]).fit(*drawn(6, 30))
    plain = GaussianProcess(*spaces(6)).fit(*drawn(6, 90))
    assert rms(known, x, y) < 0.5 * rms(plain, x, y)


def test_invariants_are_smooth_at_zero_and_at_equal_eigenvalues() -> None:
    fitted = Transformed(GaussianProcess(*spaces(6)), [Invariants()]).fit(*drawn(6, 30))
    at = np.array([[0, 0, 0, 0, 0, 0, 0.5], [0.1, 0.1, 0.1, 0, 0, 0, 0.5], [0.2, 0, 0, 0, 0, 0, 0.5]])
    slope = fitted.jacobian(at)
    for j in range(7):
        h = 1e-5 * np.eye(7)[j]
        both = (fitted.predict(at + h)[0] - fitted.predict(at - h)[0]) / 2e-5
        np.testing.assert_allclose(slope[:, :, j], both, atol=1e-4)


def test_runs_without_a_deviator_do_no_harm() -> None:
    x = drawn(6, 30)[0]
    x[:5, :6] = np.array([1, 1, 1, 0, 0, 0]) * np.linspace(-0.5, 0.5, 5)[:, None]
    fitted = Transformed(GaussianProcess(*spaces(6)), [Invariants()]).fit(x, law(x))
    at, truth = drawn(6, 300, 1)
    assert rms(fitted, at, truth) < 0.2 * truth.std()


def test_scatter_that_is_not_isotropic_is_part_of_the_posterior() -> None:
    (x, y), (at, truth) = drawn(6, 60), drawn(6, 400, 1)
    rng = np.random.default_rng(5)
    spoilt = y + np.append(np.full(6, 0.1), 0) * rng.standard_normal(y.shape)
    fitted = Transformed(GaussianProcess(*spaces(6)), [Invariants()]).fit(x, spoilt)
    assert 0.07 < fitted.posterior(at).std[:, :6].min() < 0.2
    assert held(fitted, at, truth + np.append(np.full(6, 0.1), 0) * rng.standard_normal(truth.shape)) > 0.8


@pytest.mark.parametrize("c", [3, 6])
def test_mandel_vectors_keep_the_products_of_matrices(c) -> None:
    a, b = np.random.default_rng(0).standard_normal((2, 4, c))
    np.testing.assert_allclose(np.einsum("nij,nij->n", matrices(a), matrices(b)), (a * b).sum(axis=1))
    np.testing.assert_allclose(vectors(matrices(a)), a, atol=1e-15)
    assert len(basis(c)) == c


def test_a_response_that_is_not_isotropic_is_refused() -> None:
    x, y = drawn(6, 40)
    y[:, 0] += 30 * x[:, 3]
    with pytest.raises(InputError, match="of the output 'stress' to be no isotropic function"):
        Transformed(GaussianProcess(*spaces(6)), [Invariants()]).fit(x, y)


def test_spaces_without_one_symmetric_input_are_refused() -> None:
    plain = sb.Space({"a": "1"})
    with pytest.raises(InputError, match="one input of kind 'symmetric' and found none among a"):
        Transformed(GaussianProcess(plain, plain.__class__({"y": "1"})), [Invariants()]).fit([[1.0]], [[1.0]])
    flat = sb.Space([sb.Variable("s", "Pa", (3,), kind="symmetric")])
    with pytest.raises(InputError, match="both lie in plane"):
        Transformed(GaussianProcess(spaces(6)[0], flat), [Invariants()]).fit(np.ones((2, 7)), np.ones((2, 3)))
