"""One round of learning and one of verification, looked at from inside."""

from __future__ import annotations

import importlib
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import numpy as np
import pytest

from scalebridge.bridge.audit import Audit, audit, check_assumptions
from scalebridge.bridge.closures import ScaledClosure, SurrogateClosure
from scalebridge.bridge.draws import Draws
from scalebridge.bridge.placement import choose
from scalebridge.bridge.question import Question
from scalebridge.bridge.session import Session
from scalebridge.bridge.stage import Stage, evaluate
from scalebridge.problems import Bar, direct_closure, random_conduction_laminate
from tests.bridge.spying import solving
from tests.bridge.surrogates import process_for

auditing: Any = importlib.import_module("scalebridge.bridge.audit")
MICRO = random_conduction_laminate(np.random.default_rng(1))
BAR = Bar(30, area=lambda x: 1 - 0.5 * np.sin(np.pi * x) ** 2, right=("value", 3.0))


def session(qois: tuple[str, ...] = ("flow",), seed: int = 0) -> Session:
    question = Question(qois, 0.01, None, 0.95, "report", 100, seed)
    opened: Session = solving._open(question, BAR, MICRO, None, None, "none")
    return opened


def prepared(n_runs: int = 3, qois: tuple[str, ...] = ("flow",)) -> tuple[Session, Stage]:
    """A session with a few runs, and the stage of the surrogate fitted on them."""
    opened = session(qois)
    x = np.linspace(2.0, 4.5, n_runs)[:, None]
    opened.data = opened.data.plus(x, opened.run(x, "start", ["given"] * n_runs))
    stage = evaluate(opened, process_for(BAR, MICRO).fit(opened.data.x, opened.data.y), None)
    assert isinstance(stage, Stage)
    return opened, stage


@pytest.fixture
def audited() -> tuple[Session, Audit]:
    opened, stage = prepared()
    return opened, audit(opened, stage, 1)


def test_nothing_of_an_audit_can_be_changed_afterwards(audited: tuple[Session, Audit]) -> None:
    _, result = audited
    for record in (result, result.stage, result.draws, result.rounds["flow"]):
        for field in fields(record):
            with pytest.raises(FrozenInstanceError):
                setattr(record, field.name, None)


def test_residuals_are_the_answers_minus_what_the_surrogate_said_before(audited: tuple[Session, Audit]) -> None:
    opened, result = audited
    x = result.stage.solution.states[result.draws.rows]
    np.testing.assert_allclose(result.residuals, MICRO.run(x).values - result.stage.surrogate.predict(x)[0], rtol=1e-12)
    assert result.answered.all()
    weighted = (result.stage.weights["flow"][result.draws.rows] * result.residuals).sum(1)
    found = result.rounds["flow"]
    assert found.correction == pytest.approx(float((result.draws.factor * weighted).sum()))
    assert found.estimate == pytest.approx(result.stage.value("flow") + found.correction)
    assert found.predicted == pytest.approx(result.draws.predicted_variance(result.stage.deviation["flow"] ** 2))
    assert found.observed == pytest.approx(result.draws.observed_variance(weighted))
    # The runs become training data only now.
    assert len(opened.data) == len(result.stage.surrogate.data[0]) + 8


def test_the_estimate_corrects_a_surrogate_that_is_off_by_a_tenth() -> None:
    opened, _ = prepared()
    stage = prepared(8)[1]
    truth = BAR.solve(direct_closure(MICRO)).qois["flow"]
    off = ScaledClosure(stage.closure, 1.1)
    solution = BAR.solve(off)
    weights = {"flow": solution.sensitivity("flow")}
    wrong = replace(stage, solution=solution, values=off(solution.states).values, weights=weights, closure=off)
    found = audit(opened, wrong, 1).rounds["flow"]
    assert abs(found.value / truth - 1) > 0.05
    assert abs(found.estimate / truth - 1) < 0.01


def test_a_state_drawn_twice_is_one_run_and_two_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    opened, stage = prepared()
    p = np.full(30, 1 / 30)
    rows = np.array([4, 4, 7, 11, 4, 20])
    twice = Draws(rows, 1 / (6 * p[rows]), np.ones(6, dtype=bool), p)
    monkeypatch.setattr(auditing, "draw", lambda *_: twice)
    before = opened.micro_runs
    result = audit(opened, stage, 1)
    assert opened.micro_runs - before == 4
    np.testing.assert_array_equal(result.residuals[[0, 1, 4]], result.residuals[[0, 0, 0]])
    assert result.rounds["flow"].n_drawn == 6


def test_audits_draw_from_a_stream_of_their_own() -> None:
    # Whatever else takes random numbers, the draws of the audits stay those of the seed.
    (one, first), (two, second) = prepared(), prepared()
    two.other_stream.random(1000)
    assert check_assumptions(two, second, True) is None
    np.testing.assert_array_equal(audit(one, first, 1).draws.rows, audit(two, second, 1).draws.rows)


def test_deviations_and_magnitudes_are_those_of_the_weighted_response() -> None:
    _, stage = prepared(qois=("flow", "mean_temperature"))
    for qoi in ("flow", "mean_temperature"):
        w = stage.weights[qoi]
        np.testing.assert_allclose(stage.deviation[qoi], np.abs(w[:, 0]) * stage.posterior.std[:, 0], rtol=1e-9)
        np.testing.assert_allclose(stage.magnitude[qoi], np.abs(w[:, 0]) * np.sqrt(np.mean(stage.values**2)), rtol=1e-9)
    # Several quantities are combined in units of their tolerances.
    combined = sum((stage.deviation[q] / (0.01 * abs(stage.value(q)))) ** 2 for q in stage.weights)
    np.testing.assert_allclose(stage.order, np.sqrt(combined), rtol=1e-9)
    assert stage.probability.sum() == pytest.approx(1.0)
    assert (stage.probability > 0).all()


def dense_gain(stage: Stage, rows: list[int]) -> float:
    """Reduction of the variance of ``sum w f`` by runs at all ``rows``, by dense algebra."""
    n = len(stage.solution.states)
    columns = [stage.posterior.functional(np.eye(n)[:, [i]]).cov[:, 0] for i in range(n)]
    covariance = np.array(columns)
    target = covariance[rows] @ stage.weights["flow"][:, 0]
    inner = covariance[np.ix_(rows, rows)]
    return float(target @ np.linalg.solve(inner + 1e-9 * np.trace(inner) * np.eye(len(rows)), target))


def test_a_batch_is_chosen_one_by_one_and_beats_the_best_two_by_themselves() -> None:
    opened, stage = prepared(5)
    nothing = np.zeros((0, 1))
    rows, why = choose(opened, stage, 2, nothing)
    assert "reduces the error" in why
    single = [dense_gain(stage, [i]) for i in range(30)]
    assert single[rows[0]] >= (1 - 1e-6) * max(single)
    given = [dense_gain(stage, [int(rows[0]), i]) if i != rows[0] else 0.0 for i in range(30)]
    assert given[rows[1]] >= 0.99 * max(given)
    best_two = [int(i) for i in np.argsort(single)[-2:]]
    assert dense_gain(stage, [int(r) for r in rows]) >= dense_gain(stage, best_two)


def test_the_first_runs_go_where_the_deviation_is_largest() -> None:
    opened, stage = prepared(2)
    rows, why = choose(opened, stage, 1, np.zeros((0, 1)))
    assert "largest deviation" in why
    assert rows[0] == np.argmax(stage.posterior.std[:, 0])


def test_a_state_whose_run_failed_is_not_chosen_again() -> None:
    opened, stage = prepared(5)
    first, _ = choose(opened, stage, 1, np.zeros((0, 1)))
    tried = stage.solution.states[first]
    second, _ = choose(opened, stage, 1, tried)
    assert np.abs(stage.solution.states[second] - tried).max() > 0
    everything, _ = choose(opened, stage, 1, stage.solution.states)
    assert len(everything) == 0


def test_a_closure_says_where_it_leaves_its_domain_and_never_raises_there() -> None:
    _, stage = prepared()
    closure = SurrogateClosure(stage.surrogate, stage.surrogate.inputs)
    x = np.array([[3.0], [1e6], [-1e6]])
    told = closure(x)
    assert told.inside.tolist() == [True, False, False]
    assert np.isfinite(told.values).all()
    # Bounded and not singular out there, and the exact derivative of the values everywhere.
    assert (told.tangent > 0).all()
    step = 1e-3 * np.abs(x)
    slope = (closure(x + step).values - closure(x - step).values) / (2 * step)
    np.testing.assert_allclose(told.tangent[:, 0], slope, rtol=1e-4)
