"""A surrogate with transforms around it."""

from __future__ import annotations

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.errors import InputError
from scalebridge.learn import (
    Conformal,
    Ensemble,
    GaussianProcess,
    PolynomialChaos,
    RandomForest,
    Recalibrated,
    load,
    save,
)
from scalebridge.learn.transforms import (
    Bounds,
    Dimensionless,
    Monotone,
    Periodic,
    ScalingLaw,
    Symmetric,
    Transformed,
    Warped,
)
from scalebridge.models import Structure
from scalebridge.testing import check_surrogate
from tests.learn.transforms_cases import check_law

INPUTS = sb.Space({"a": ("m", 0.5, 2), "b": ("m", 0.5, 2), "phi": ("degree", 0, 360)})
OUTPUTS = sb.Space({"y": ("1", 0, None)})


def drawn(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(seed).uniform([0.5, 0.5, 0], [2, 2, 360], (n, 3))
    return x, (x[:, :1] / x[:, 1:2]) ** 2 * (1.5 + np.cos(np.radians(x[:, 2:])))


TRANSFORMS = [Periodic({"phi": 360.0}), Dimensionless(), Bounds()]


@pytest.mark.parametrize("surrogate", [GaussianProcess(INPUTS, OUTPUTS), RandomForest(INPUTS, OUTPUTS, trees=20)])
def test_transforms_work_one_inside_the_other(surrogate) -> None:
    x, y = drawn(30)
    fitted = Transformed(surrogate, TRANSFORMS).fit(x, y)
    assert fitted.told == ("cos_phi", "sin_phi", "a^-1 b", "cos_phi", "sin_phi", "y between 0 and inf")
    check_law(fitted, drawn(5, 1)[0], float(y.std()))


def test_a_composition_keeps_the_whole_contract() -> None:
    surrogate = GaussianProcess(INPUTS, OUTPUTS)
    transforms = [ScalingLaw(outputs=()), Monotone({"a": 1}, points=33), Bounds()]
    # The suite's function does not rise along a.
    check_surrogate(Transformed(surrogate, transforms), fit_rtol=1.5, calibration=0)


def test_what_is_known_spares_runs() -> None:
    (x, y), (at, truth) = drawn(30), drawn(400, 1)
    plain = GaussianProcess(INPUTS, OUTPUTS).fit(x, y)
    known = Transformed(GaussianProcess(INPUTS, OUTPUTS), TRANSFORMS).fit(x, y)
    errors = [float(np.sqrt(np.mean((s.predict(at)[0] - truth) ** 2))) for s in (known, plain)]
    assert errors[0] < 0.1 * errors[1]


@pytest.mark.parametrize(
    "surrogate",
    [
        Ensemble(INPUTS, OUTPUTS, (PolynomialChaos(INPUTS, OUTPUTS), GaussianProcess(INPUTS, OUTPUTS))),
        Conformal(GaussianProcess(INPUTS, OUTPUTS)),
        Recalibrated(GaussianProcess(INPUTS, OUTPUTS)),
    ],
    ids=["ensemble", "conformal", "recalibrated"],
)
def test_a_surrogate_that_holds_others_is_rebuilt_with_them(surrogate, tmp_path) -> None:
    x, y = drawn(40)
    fitted = Transformed(surrogate, TRANSFORMS).fit(x, y)
    save(fitted, tmp_path / "s")
    at = drawn(5, 2)[0]
    assert np.array_equal(load(tmp_path / "s").posterior(at).quantile(0.9), fitted.posterior(at).quantile(0.9))
    assert fitted.inner.inputs.names == ("group_1", "group_2", "group_3")


def test_it_can_itself_be_calibrated() -> None:
    x, y = drawn(40)
    fitted = Conformal(Transformed(GaussianProcess(INPUTS, OUTPUTS), TRANSFORMS)).fit(x, y)
    low, high = fitted.posterior(x).interval()
    assert ((low <= y) & (y <= high)).mean() > 0.8


def test_its_identity_names_transforms_options_and_runs() -> None:
    x, y = drawn(12)
    first = Transformed(GaussianProcess(INPUTS, OUTPUTS), [Bounds()])
    assert first.identity() != Transformed(GaussianProcess(INPUTS, OUTPUTS), [Warped()]).identity()
    assert first.identity() != Transformed(RandomForest(INPUTS, OUTPUTS), [Bounds()]).identity()
    assert first.fit(x, y).identity() != first.fit(x, 2 * y).identity()
    assert first.fit(x, y).name == "transformed_gaussian_process"


def test_a_second_fit_begins_with_the_first() -> None:
    x, y = drawn(25)
    surrogate = Transformed(GaussianProcess(INPUTS, OUTPUTS, noise="declared"), TRANSFORMS)
    again = surrogate.fit(x[:20], y[:20]).fit(x, y)
    assert len(again.data[0]) == 25
    np.testing.assert_allclose(again.predict(x)[0], y, rtol=0.05)


@pytest.mark.parametrize(
    "transform",
    [Dimensionless(), ScalingLaw(outputs="y"), Periodic({"phi": 360.0}), Monotone({"a": 1}), Symmetric(even=["a"])],
    ids=lambda transform: type(transform).__name__,
)
def test_no_points_are_no_answer(transform) -> None:
    fitted = Transformed(RandomForest(INPUTS, OUTPUTS, trees=5), transform).fit(*drawn(10))
    nowhere = np.zeros((0, 3))
    assert [a.shape for a in fitted.predict(nowhere)] == [(0, 1), (0, 1, 3)]
    assert fitted.posterior(nowhere).std.shape == (0, 1)
    assert len(fitted.run(nowhere)) == 0


def test_rows_that_are_not_finite_fail_alone() -> None:
    x, y = drawn(20)
    fitted = Transformed(GaussianProcess(INPUTS, OUTPUTS), TRANSFORMS).fit(x, y)
    at = x[:3].copy()
    at[1, 0] = np.nan
    assert fitted.run(at).status.tolist() == ["ok", "failed", "ok"]


def test_declared_noise_reaches_the_surrogate_inside() -> None:
    x, y = drawn(30)
    surrogate = Transformed(GaussianProcess(INPUTS, OUTPUTS), [Bounds()])
    quiet, loud = surrogate.fit(x, y), surrogate.fit(x, y, 0.1 * y)
    np.testing.assert_allclose(loud.inner.data[2], 0.1, rtol=1e-12)
    assert (loud.posterior(x).std > quiet.posterior(x).std).all()


@pytest.mark.parametrize("transforms", [[], None, "log", [1]])
def test_no_transform_is_refused(transforms) -> None:
    with pytest.raises(InputError, match="give one or more"):
        Transformed(GaussianProcess(INPUTS, OUTPUTS), transforms)


def test_what_cannot_be_rebuilt_is_refused() -> None:
    class Own:
        inputs, outputs, name = INPUTS, OUTPUTS, "own"

    with pytest.raises(InputError, match="cannot be rebuilt"):
        Transformed(Own(), [Bounds()])


def test_a_structure_that_other_coordinates_do_not_keep_is_refused() -> None:
    spaces = sb.Space({"a": "1"}), sb.Space({"y": "1"})
    process = GaussianProcess(*spaces, structure=Structure(potential=True))
    with pytest.raises(InputError, match="does not outlive other coordinates"):
        Transformed(process, [Warped()])


def test_an_answer_before_the_fit_is_refused() -> None:
    with pytest.raises(InputError, match="not fitted; call fit"):
        Transformed(GaussianProcess(INPUTS, OUTPUTS), [Bounds()]).predict(drawn(3)[0])
