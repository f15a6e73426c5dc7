"""Gradient boosting: the contract by both engines, what it learns, calibration."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.learn import GradientBoosting
from scalebridge.testing import check_surrogate
from tests.learn.cases import BOUNDED, INPUTS, OUTPUTS, drawn, held, relative_error

LIGHTGBM = pytest.param(
    "lightgbm",
    marks=pytest.mark.skipif(importlib.util.find_spec("lightgbm") is None, reason="the extra boost is not installed"),
)


@pytest.mark.parametrize("engine", ["sklearn", LIGHTGBM])
def test_it_keeps_the_contract_of_a_surrogate(engine: str) -> None:
    check_surrogate(GradientBoosting(INPUTS, OUTPUTS, engine=engine, iterations=40))


def test_it_keeps_the_bounds_of_its_outputs() -> None:
    check_surrogate(GradientBoosting(INPUTS, BOUNDED, iterations=30, repeats=1), calibration=0)


@pytest.mark.theory
@pytest.mark.parametrize("engine", ["sklearn", LIGHTGBM])
def test_its_intervals_hold_what_they_say(engine: str) -> None:
    fitted = GradientBoosting(INPUTS, OUTPUTS, engine=engine, iterations=100).fit(*drawn(200))
    assert (relative_error(fitted) < 0.35).all()
    share = held(fitted)
    assert (share > 0.83).all() and (share < 0.98).all()


def test_equal_rows_share_a_fold() -> None:
    x, y = drawn(30)
    once = GradientBoosting(INPUTS, OUTPUTS, iterations=30).fit(x, y)
    twice = GradientBoosting(INPUTS, OUTPUTS, iterations=30).fit(np.tile(x, (2, 1)), np.tile(y, (2, 1)))
    new = drawn(100, seed=9)[0]
    assert twice.posterior(new).std.mean() > 0.5 * once.posterior(new).std.mean()


def test_a_missing_engine_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(sb.InputError, match=r'install it with pip install "scalebridge\[boost\]"'):
        GradientBoosting(INPUTS, OUTPUTS, engine="lightgbm").fit(*drawn(20))


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(sb.InputError, match="engine = 'xgboost'; valid: sklearn, lightgbm"):
        GradientBoosting(INPUTS, OUTPUTS, engine="xgboost")
