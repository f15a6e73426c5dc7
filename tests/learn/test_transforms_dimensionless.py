"""Dimensionless groups from units."""

from __future__ import annotations

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.errors import InputError, UnitError
from scalebridge.learn import GaussianProcess, RandomForest
from scalebridge.learn.transforms import Dimensionless, Transformed
from scalebridge.models import Runs
from scalebridge.testing import check_surrogate
from tests.learn.transforms_cases import check_law, rms

PIPE = sb.Space(
    {
        "rho": ("kg/m^3", 700, 1300),
        "v": ("m/s", 0.1, 3),
        "D": ("mm", 10, 200),
        "mu": ("mPa*s", 0.3, 30),
        "eps": ("um", 1, 500),
    }
)
DROP = sb.Space({"dpdx": "kPa/m"})


def pressure_drop(x: np.ndarray) -> np.ndarray:
    """Darcy and Weisbach with Haaland's friction factor, ``[n, 1]`` in kPa/m."""
    rho, v, d, mu, eps = x.T * np.array([1, 1, 1e-3, 1e-3, 1e-6])[:, None]
    reynolds = rho * v * d / mu
    friction = (-1.8 * np.log10((eps / d / 3.7) ** 1.11 + 6.9 / (reynolds + 100))) ** -2
    return (1e-3 * friction * rho * v**2 / (2 * d))[:, None]


def drawn(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(seed).uniform(PIPE.lower, PIPE.upper, (n, 5))
    return x, pressure_drop(x)


class Friction:
    """The friction factor of a pipe, a function of Reynolds number and roughness, as a model."""

    name, version, scale = "friction", "1", None
    inputs, outputs = PIPE, sb.Space({"f": "1"})

    def identity(self) -> dict[str, str]:
        return {"name": self.name}

    def run(self, x: np.ndarray) -> Runs:
        return Runs(pressure_drop(x) * 2 * x[:, 2:3] / (x[:, :1] * x[:, 1:2] ** 2))


@pytest.mark.parametrize("learner", [GaussianProcess, RandomForest])
def test_the_contract_is_kept(learner) -> None:
    surrogate = Transformed(learner(PIPE, Friction.outputs), [Dimensionless()])
    check_surrogate(surrogate, Friction(), n=20, fit_rtol=0.6)


@pytest.mark.parametrize("learner", [GaussianProcess, RandomForest])
def test_an_output_with_a_unit_has_one_joint_law(learner) -> None:
    x, y = drawn(20)
    check_law(Transformed(learner(PIPE, DROP), [Dimensionless()]).fit(x, y), drawn(5, 1)[0], float(y.std()))


@pytest.mark.parametrize(
    ("inputs", "outputs", "groups"),
    [
        (PIPE, DROP, ("rho v D mu^-1", "D^-1 eps", "dpdx / (rho v^2 D^-1)")),
        ({"m": "kg", "L": "m", "g": "m/s^2", "theta": "rad"}, {"T": "s"}, ("theta", "T / (L^1/2 g^-1/2)")),
        ({"h": "m", "g": "m/s^2"}, {"t": "s"}, ("t / (h^1/2 g^-1/2)",)),
        ({"a": "m", "b": "m"}, {"y": "1"}, ("a^-1 b",)),
        ({"p": "1", "q": "percent"}, {"y": "1"}, ("p", "q")),
    ],
    ids=["pipe", "pendulum", "free fall", "lengths", "numbers"],
)
def test_groups_are_small_whole_powers_that_people_know(inputs, outputs, groups) -> None:
    assert Dimensionless().groups(inputs, outputs) == groups


def test_repeating_inputs_may_be_named() -> None:
    told = Dimensionless(["rho", "D", "mu"]).groups(PIPE, DROP)
    assert told == ("rho v D mu^-1", "D^-1 eps", "dpdx / (rho^-1 D^-3 mu^2)")


def test_half_as_many_inputs_need_fewer_runs() -> None:
    at, truth = drawn(500, 1)
    known = Transformed(GaussianProcess(PIPE, DROP), [Dimensionless()]).fit(*drawn(15))
    plain = GaussianProcess(PIPE, DROP).fit(*drawn(60))
    assert known.inner.inputs.size == 2
    assert rms(known, at, truth) < 0.2 * rms(plain, at, truth)


def test_runs_at_one_scale_hold_at_another() -> None:
    x, y = drawn(25)
    fitted = Transformed(GaussianProcess(PIPE, DROP), [Dimensionless()]).fit(x, y)
    # The same Reynolds number and roughness in a pipe a hundred times as wide.
    large = x[:5] * np.array([1, 0.01, 100, 1, 100])
    assert fitted.run(large).status.tolist() == ["ok"] * 5
    np.testing.assert_allclose(fitted.predict(large)[0], pressure_drop(large), rtol=0.02)


def test_the_answer_is_the_same_in_any_units() -> None:
    x, y = drawn(20)
    other = sb.Space({"rho": "g/cm^3", "v": "km/hour", "D": "inch", "mu": "Pa*s", "eps": "mm"})
    index, factor, _ = PIPE.conversion_to(other, "test")
    assert index.tolist() == list(range(5))
    first = Transformed(GaussianProcess(PIPE, DROP), [Dimensionless()]).fit(x, y)
    second = Transformed(GaussianProcess(other, sb.Space({"dpdx": "Pa/m"})), [Dimensionless()]).fit(x * factor, 1e3 * y)
    at = drawn(20, 2)[0]
    for one, two in zip(first.inner.data, second.inner.data, strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-9)
    # The process looks for its lengths to a tolerance of its own.
    np.testing.assert_allclose(second.predict(at * factor)[0], 1e3 * first.predict(at)[0], rtol=1e-3)


def test_celsius_is_read_as_an_absolute_temperature() -> None:
    inputs, outputs = sb.Space({"T": "degC", "p": ("Pa", 0, None), "v": "J/K"}), sb.Space({"E": "J", "back": "degC"})
    x = np.random.default_rng(0).uniform([0, 1, 1], [100, 2, 2], (20, 3))
    kelvin = x[:, 0] + 273.15
    y = np.stack([3 * kelvin * x[:, 2], 1.5 * kelvin - 273.15], axis=1)
    fitted = Transformed(GaussianProcess(inputs, outputs), [Dimensionless()]).fit(x, y)
    np.testing.assert_allclose(fitted.predict(x)[0], y, rtol=1e-6)


def test_an_input_of_either_sign_stands_in_its_own_group_alone() -> None:
    inputs, outputs = sb.Space({"u": "m/s", "w": "m/s"}), sb.Space({"y": "m/s"})
    x = np.random.default_rng(0).uniform([-1, 0.5], [1, 2], (15, 2))
    y = x[:, 1:] * np.sin(4 * x[:, :1] / x[:, 1:])
    fitted = Transformed(GaussianProcess(inputs, outputs), [Dimensionless()]).fit(x, y)
    assert fitted.told[0] == "u w^-1"
    np.testing.assert_allclose(fitted.predict(x)[0], y, atol=1e-2)
    check_law(fitted, np.random.default_rng(1).uniform([-1, 0.5], [1, 2], (5, 2)), 1.0)


def test_a_dimension_that_cannot_be_formed_is_named() -> None:
    with pytest.raises(InputError, match=r"dimension of the output 'dpdx' \(kPa/m\) from the inputs L \(m\)"):
        Dimensionless().groups({"L": "m"}, DROP)


@pytest.mark.parametrize(
    ("repeating", "message"),
    [
        (["rho", "v"], "name 3 inputs of independent dimensions"),
        (["D", "eps", "rho"], "name 3 inputs of independent dimensions"),
        (["rhoo"], "did you mean 'rho'"),
        ([1], "give names of variables"),
    ],
    ids=["too few", "dependent", "unknown", "no names"],
)
def test_repeating_inputs_that_cannot_be_used_are_refused(repeating, message) -> None:
    with pytest.raises(InputError, match=message):
        Dimensionless(repeating).groups(PIPE, DROP)


def test_repeating_inputs_must_be_positive() -> None:
    inputs, outputs = sb.Space({"u": "m/s", "L": "m"}), sb.Space({"y": "m/s"})
    x = np.random.default_rng(0).uniform(-1, 1, (10, 2))
    with pytest.raises(InputError, match=r"u, L may be zero or negative"):
        Transformed(GaussianProcess(inputs, outputs), [Dimensionless()]).fit(x, x[:, :1])
    with pytest.raises(InputError, match="'u', which may be zero or negative"):
        Transformed(GaussianProcess(inputs, outputs), [Dimensionless(["u", "L"])]).fit(x, x[:, :1])


def test_a_logarithmic_unit_is_refused() -> None:
    with pytest.raises(UnitError, match="logarithmic unit"):
        Dimensionless().groups({"level": "dBm", "f": "Hz"}, {"y": "1"})
