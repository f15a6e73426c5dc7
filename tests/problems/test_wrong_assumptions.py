"""Each problem of a wrong assumption is wrong in the one way that it says, and the suites see it."""

from __future__ import annotations

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.problems import (
    AsymmetricFlux,
    HiddenHistory,
    Noisy,
    SofteningFlux,
    Unreliable,
    asymmetric_bar,
    history_bar,
    noisy_bar,
    softening_bar,
    unreliable_bar,
)
from scalebridge.problems.assumptions import smooth_micro
from scalebridge.testing import check_macro, check_model

X = np.linspace(-2.0, 2.0, 9)[:, None]


def test_the_suite_sees_a_broken_evenness() -> None:
    with pytest.raises(AssertionError, match="declares an even potential"):
        check_model(AsymmetricFlux(), X)


def test_the_asymmetric_bar_would_be_wrong_by_per_cents_under_the_claim() -> None:
    case = asymmetric_bar()
    true = case.direct()
    assert true.converged

    class Mirrored(AsymmetricFlux):
        def run(self, x):
            runs = AsymmetricFlux.run(self, np.abs(x))
            return type(runs)(np.sign(x) * runs.values, jacobian=runs.jacobian)

    mirrored = type(case)(Mirrored(), case.macro, {}, {}).direct()
    assert abs(mirrored.qois["flow"] / true.qois["flow"] - 1) > 0.05


@pytest.mark.parametrize("how", ["failed", "nan"])
def test_five_per_cent_of_the_inputs_fail_the_same_ones_in_every_process(how: str) -> None:
    model = Unreliable(smooth_micro(), 0.05, how)
    x = np.random.default_rng(0).standard_normal((4000, 1))
    runs = model.run(x)
    assert 0.035 < np.mean(~runs.ok) < 0.065
    np.testing.assert_array_equal(Unreliable(smooth_micro(), 0.05, how).run(x).ok, runs.ok)
    assert all(runs.reason[i] for i in np.flatnonzero(~runs.ok))
    check_model(Unreliable(smooth_micro(), 0.3, how))


def test_a_failing_input_can_succeed_at_a_later_attempt() -> None:
    model = Unreliable(smooth_micro(), 0.5, failing_attempts=2)
    failing = X[model.fails(X)]
    assert len(failing) > 0
    assert not model.run(failing).ok.any()
    assert not model.run(failing).ok.any()
    assert model.run(failing).ok.all()


def test_the_sound_answers_of_the_unreliable_bar_are_known() -> None:
    case = unreliable_bar()
    assert case.on_mesh["flow"] > 0
    assert not case.direct().converged


def test_the_suite_sees_hidden_history() -> None:
    with pytest.raises(AssertionError, match="other values for the same inputs"):
        check_model(HiddenHistory(smooth_micro()), X)


def test_hidden_history_grows_with_what_was_asked_and_saturates() -> None:
    model = history_bar(0.2).micro
    first, sound = model.run(X).values, smooth_micro().run(X).values
    for _ in range(100):
        last = model.run(X).values
    assert np.max(np.abs(first[-1] / sound[-1] - 1)) < 0.19
    np.testing.assert_allclose(last[-1] / sound[-1], 1.2, rtol=1e-3)


def test_noise_has_the_actual_deviation_and_declares_another() -> None:
    model = noisy_bar(0.05, 0.005).micro
    x = np.zeros((3000, 1))
    runs = model.run(x)
    assert np.std(runs.values) == pytest.approx(0.05, rel=0.1)
    assert np.all(runs.noise_std == 0.005)


def test_noise_repeats_with_its_seed_and_differs_with_another() -> None:
    model = Noisy(smooth_micro())
    one, two = model.run(X, seeds=range(9)).values, model.run(X, seeds=range(9)).values
    np.testing.assert_array_equal(one, two)
    assert np.all(model.run(X, seeds=range(1, 10)).values != one)
    check_model(model)


def test_a_softening_bar_below_its_limit_carries_the_load_and_above_it_finds_no_solution() -> None:
    below, above = softening_bar(0.95), softening_bar(1.05)
    assert below.direct().qois["flow"] == pytest.approx(below.exact["flow"], rel=1e-9)
    refused = above.direct()
    assert not refused.converged
    assert refused.reason
    assert above.exact == {}


def test_a_softening_flux_peaks_where_it_says() -> None:
    flux = SofteningFlux(2.0, 0.7)
    g = np.linspace(0.0, 5.0, 5001)[:, None]
    values = flux.run(g).values[:, 0]
    assert values.max() == pytest.approx(flux.peak, rel=1e-6)
    assert g[values.argmax(), 0] == pytest.approx(0.7, abs=2e-3)
    check_model(flux)
    case = softening_bar(0.9)
    check_macro(case.macro, case.micro)


def test_bad_settings_are_refused_in_one_sentence() -> None:
    with pytest.raises(InputError, match=r"rate = 1\.5"):
        Unreliable(smooth_micro(), 1.5)
    with pytest.raises(InputError, match="asymmetry in"):
        AsymmetricFlux(asymmetry=1.0)
    with pytest.raises(InputError, match="both must be positive"):
        SofteningFlux(k=-1.0)
