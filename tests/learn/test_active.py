"""Ask and tell: pure, resumable, and sane with failed, repeated and unfinished runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge import InputError, Runs
from scalebridge.learn import GaussianProcess
from scalebridge.learn.acquisition import ExpectedImprovement, MaximumDeviation
from scalebridge.learn.active_state import ActiveState

SPACE = {"a": ("K", 100, 300), "b": ("1", 0, 1)}
CUBE_OF = np.array([200.0, 1.0])


def value(x: np.ndarray) -> np.ndarray:
    return np.sin(6 * (x[:, :1] - 100) / 200) + x[:, 1:] ** 2


def loop_of(**options: Any) -> sb.Active:
    return sb.Active(GaussianProcess(SPACE, {"y": "1"}), **{"candidates": 64, "reference": 32, **options})


def driven(loop: sb.Active, n: int, batch: int = 1) -> ActiveState:
    state = loop.init()
    while state.spent < n:
        x, state = loop.ask(state, min(batch, n - state.spent))
        state = loop.tell(state, x, value(x))
    return state


def gaps(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm((x[:, None] - y) / CUBE_OF, axis=2))


def test_the_first_runs_are_spread_and_the_others_chosen() -> None:
    loop = loop_of()
    x, state = loop.ask(loop.init(), 4)
    np.testing.assert_allclose(x, sb.designs.sobol(SPACE, 4).x)
    assert x.shape == (4, 2) and len(state.pending) == 4 and loop.fitted(state) is None
    state = loop.tell(state, x, value(x))
    assert loop.fitted(state) is not None and not len(state.pending)
    assert loop.ask(state, 2)[0].shape == (2, 2)


def test_state_goes_in_and_out_and_the_same_state_asks_for_the_same_runs() -> None:
    loop = loop_of()
    state = driven(loop, 9)
    before = state.x.copy()
    x, later = loop.ask(state, 3)
    np.testing.assert_array_equal(x, loop.ask(state, 3)[0])
    np.testing.assert_array_equal(x, loop_of().ask(state, 3)[0])
    assert len(later.pending) == 3 and not len(state.pending)
    np.testing.assert_array_equal(state.x, before)
    assert not np.array_equal(x, loop_of(seed=1).ask(state, 3)[0])


def test_a_saved_state_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    loop = loop_of()
    state = loop.ask(driven(loop, 8), 2)[1]
    state.save(tmp_path / "state.npz")
    loaded = ActiveState.load(tmp_path / "state.npz")
    assert loaded.surrogate is None and loaded.asked == state.asked
    np.testing.assert_array_equal(loop.ask(loaded, 3)[0], loop.ask(state, 3)[0])
    assert loop.error(loaded) == loop.error(state)


def test_active_learning_beats_its_own_start_and_tells_its_error() -> None:
    probe = np.random.default_rng(0).random((400, 2)) * CUBE_OF + [100, 0]
    loop = loop_of(tolerance=0.01, budget=60)
    state = loop.init()
    while not loop.stop(state):
        x, state = loop.ask(state)
        state = loop.tell(state, x, value(x))
    assert "within the tolerance of 0.01" in loop.stop(state) and state.spent < 40
    surrogate = loop.fitted(state)
    assert surrogate is not None
    truth = value(probe)
    error = np.sqrt(np.mean((surrogate.predict(probe)[0] - truth) ** 2)) / truth.std()
    assert error < 0.03


def test_the_error_is_not_believed_before_predictions_were_tried() -> None:
    loop = loop_of(tolerance=10.0, budget=40)
    state = driven(loop, 6)
    assert loop.error(state) == float("inf") and loop.stop(state) == ""
    assert loop.error(driven(loop, 18)) < 1


def test_a_surrogate_that_was_too_sure_is_told_so_by_its_latest_predictions() -> None:
    loop = loop_of()
    state = driven(loop, 14)
    surprised = replace(state, surprise=5 * np.ones_like(state.surprise))
    modest = replace(state, surprise=0.1 * np.ones_like(state.surprise))
    assert loop.error(surprised) == pytest.approx(5 * loop.error(modest))


def test_runs_under_way_are_not_asked_for_again() -> None:
    loop = loop_of()
    state = driven(loop, 8)
    asked = []
    for _ in range(4):
        x, state = loop.ask(state)
        asked.append(x)
    rows = np.concatenate(asked)
    apart = gaps(rows, rows) + np.eye(4)
    assert apart.min() > 0.05 and len(state.pending) == 4
    state = loop.tell(state, rows[[2, 0]], value(rows[[2, 0]]))
    np.testing.assert_array_equal(state.pending, rows[[1, 3]])


def test_a_place_where_a_run_failed_is_never_asked_for_again_nor_next_to_it() -> None:
    loop = loop_of(
        acquisition=MaximumDeviation(), candidates=np.random.default_rng(0).random((60, 2)) * CUBE_OF + [100, 0]
    )
    state = loop.tell(loop.init(), *(lambda x: (x, value(x)))(sb.designs.sobol(SPACE, 6).x))
    x, state = loop.ask(state)
    state = loop.tell(state, x, Runs.refused(1, 1, "failed", "it did not converge"))
    assert len(state.failed) == 1 and not len(state.pending) and state.spent == 7
    again, state = loop.ask(state, 50)
    assert gaps(again, x).min() > 1e-6
    assert gaps(again[:2], x).min() > 0.05


def test_failed_rows_are_rows_of_nan_or_of_runs_and_learn_nothing() -> None:
    loop = loop_of()
    x, state = loop.ask(loop.init(), 6)
    y = value(x)
    y[1] = np.nan
    state = loop.tell(state, x, y)
    assert len(state.x) == 5 and len(state.failed) == 1
    told = loop.tell(loop.ask(loop.init(), 6)[1], x, Runs(y))
    np.testing.assert_array_equal(told.failed, state.failed)
    # It worked the second time.
    mended = loop.tell(state, x[1:2], value(x[1:2]))
    assert not len(mended.failed) and len(mended.x) == 6


def test_the_spread_goes_on_as_long_as_too_few_runs_succeed() -> None:
    loop = loop_of(start=4)
    state = loop.init()
    for _ in range(3):
        x, state = loop.ask(state, 4)
        state = loop.tell(state, x, np.full((4, 1), np.nan))
    assert len(state.failed) == 12 and loop.fitted(state) is None
    x, state = loop.ask(state, 4)
    np.testing.assert_allclose(x, sb.designs.sobol(SPACE, 16).x[12:])


def test_a_run_told_twice_is_one_run_and_noisy_repeats_are_two() -> None:
    loop = loop_of()
    state = driven(loop, 8)
    again = loop.tell(state, state.x[:3], state.y[:3])
    assert len(again.x) == 8
    twice = loop.tell(loop.init(), np.tile(state.x[:4], (2, 1)), np.tile(state.y[:4], (2, 1)))
    assert len(twice.x) == 4
    noisy = loop.tell(state, state.x[:3], state.y[:3] + 0.01, noise_std=0.01)
    assert len(noisy.x) == 11 and noisy.noise_std[-1, 0] == 0.01


def test_runs_of_your_own_count_and_need_no_asking() -> None:
    loop = loop_of()
    x = sb.designs.latin_hypercube(SPACE, 10, seed=5).x
    state = loop.tell(loop.init(), x, value(x))
    asked, _ = loop.ask(state)
    assert loop.fitted(state) is not None and gaps(asked, x).min() > 0.02


def test_candidates_given_are_the_only_runs_and_end() -> None:
    pool = sb.designs.grid(SPACE, 16).x
    loop = loop_of(candidates=pool)
    state = loop.init()
    seen = []
    while not loop.stop(state):
        x, state = loop.ask(state, 3)
        seen.append(x)
        state = loop.tell(state, x, value(x))
    assert loop.stop(state) == "all 16 candidates have been run"
    rows = np.concatenate(seen)
    assert len(rows) == 16 and {tuple(r) for r in rows} == {tuple(r) for r in pool}
    assert loop.ask(state, 3)[0].shape == (0, 2)


def test_the_budget_holds_failed_runs_and_runs_under_way() -> None:
    loop = loop_of(budget=10)
    x, state = loop.ask(driven(loop, 8), 5)
    assert len(x) == 2 and loop.stop(state) == ""
    assert loop.ask(state)[0].shape == (0, 2)
    state = loop.tell(state, x, np.full((2, 1), np.nan))
    assert loop.stop(state) == "the budget of 10 runs is spent"


def test_a_goal_is_sought_around_the_best_run_too() -> None:
    loop = loop_of(acquisition=ExpectedImprovement())
    state = driven(loop, 25)
    best = state.x[np.argmin(state.y)]
    # The minimum of sin(6 t) + b² is at t = pi/4 (6 t = 3 pi / 2), b = 0.
    assert best[0] == pytest.approx(100 + 200 * np.pi / 4, abs=4) and best[1] < 0.1 and state.y.min() < -0.98


def test_several_outputs_and_a_logarithmic_scale_are_learned_together() -> None:
    space = {"k": ("1", 1e-4, 1.0)}
    loop = sb.Active(GaussianProcess(space, {"y": "1", "z": "Pa"}), log=["k"], candidates=32, reference=16)
    state = loop.init()
    for _ in range(8):
        x, state = loop.ask(state, 2)
        state = loop.tell(state, x, np.concatenate([np.log(x), 1e6 * x], axis=1))
    np.testing.assert_allclose(state.x[:4], sb.designs.sobol(space, 4, log=["k"]).x)
    assert len(state.x) == 16 and np.isfinite(loop.error(state))


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: sb.Active(GaussianProcess({"a": "K"}, {"y": "1"})), "needs bounds for 'a'"),
        (lambda: loop_of(space={"b": ("1", 0, 1), "a": ("K", 100, 300)}), "the same variables in the same order"),
        (lambda: loop_of(acquisition="variance"), "There is no acquisition 'variance'"),
        (lambda: loop_of(start=0), "start = 0"),
        (lambda: loop_of(budget=2.5), "budget = 2.5"),
        (lambda: loop_of(tolerance=0.0), "tolerance = 0.0; give a positive number"),
        (lambda: loop_of(candidates=[[0.0, 0.5]]), "1 of 1 candidates outside the bounds"),
        (lambda: loop_of().ask(loop_of().init(), 0), "n = 0"),
        (lambda: loop_of().tell(loop_of().init(), [[1.0]], [[1.0]]), "with the columns a, b"),
        (lambda: loop_of().tell(loop_of().init(), [[150, np.inf]], [[1.0]]), "an input that is not finite"),
        (lambda: loop_of().tell(loop_of().init(), [[150, 0.5]], [[1.0], [2.0]]), "2 values for 1 inputs"),
        (lambda: loop_of().tell(loop_of().init(), [[150, 0.5]], [[1.0]], -1.0), "negative or not finite"),
        (lambda: loop_of().tell(loop_of().init(), [[150, 0.5]], [[1.0]], [1.0, 2.0]), "does not fit values (1, 1)"),
        (lambda: loop_of().tell(loop_of().init(), [[150, 0.5]] * 2, [[1.0], [2.0]]), "has noise: give noise_std"),
        (lambda: ActiveState.load("no_such_state.npz"), "No state of active learning can be read"),
    ],
)
def test_bad_input_is_answered_in_one_sentence(call: Any, told: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert told in str(caught.value) and "\n" not in str(caught.value)


def test_a_torn_state_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    loop_of().init().save(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match="give a whole file"):
        ActiveState.load(path)
