"""What a surrogate makes of data: other units, few or odd rows, intervals at rows not seen, its archive."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.errors import InputError
from scalebridge.models import structure_of
from scalebridge.quantities import Floats
from scalebridge.testing.demand import demand, demand_close

# Factors of other units for inputs and outputs: powers of two, so that scaling itself rounds nothing.
INPUT_UNIT, OUTPUT_UNIT = 2.0**-10, 2.0**20
# The central interval of nine tenths, and the least share of unseen values it must hold: a surrogate that is
# right on average holds fewer than this on one function by bad luck, one that is sure and wrong far fewer.
LEVEL, LEAST = 0.9, 0.75


def check_other_units(surrogate: Any, fitted: Any, x: Floats, y: Floats, points: Floats) -> None:
    """Demand the same answer from the same runs in other units; where bounds are declared, these fix the units."""
    spaces = (surrogate.inputs, surrogate.outputs)
    if any(np.isfinite(space.lower).any() or np.isfinite(space.upper).any() for space in spaces):
        return
    other = surrogate.fit(INPUT_UNIT * x, OUTPUT_UNIT * y).posterior(INPUT_UNIT * points)
    mean, std = fitted.posterior(points).mean, fitted.posterior(points).std
    size = float(np.max(np.abs(mean)))
    sentence = "In other units of inputs and outputs the mean is another"
    demand_close(other.mean / OUTPUT_UNIT, mean, 1e-2, size, sentence)
    sentence = "In other units of inputs and outputs the standard deviation is another"
    demand_close(other.std / OUTPUT_UNIT, std, 1e-1, float(np.max(std)), sentence)


def check_odd_data(surrogate: Any, x: Floats, y: Floats, points: Floats, fewest: int) -> None:
    """Demand finite answers from one sample, duplicate rows and constant columns, and refusals of what is no data."""
    flat = x.copy()
    flat[:, 0] = x[0, 0]
    still = np.tile(y[:1], (len(y), 1))
    for what, some_x, some_y in (
        (_samples(fewest), x[:fewest], y[:fewest]),
        ("duplicate rows", np.tile(x, (2, 1)), np.tile(y, (2, 1))),
        ("a constant input", flat, y),
        ("constant outputs", x, still),
    ):
        answer = _answer(surrogate, some_x, some_y, points, what)
        if what == "constant outputs" and not structure_of(surrogate).even and not structure_of(surrogate).potential:
            # A prior may draw the answer a little towards zero.
            size = float(np.max(np.abs(still)))
            demand_close(answer, np.tile(y[:1], (len(points), 1)), 1e-3, size, "Constant outputs are not predicted")
    spoilt, nowhere = y.copy(), x.copy()
    spoilt[0, 0], nowhere[0, 0] = np.nan, np.inf
    for what, bad_x, bad_y in (
        ("a value of NaN", x, spoilt),
        ("an infinite input", nowhere, y),
        ("fewer values than inputs", x, y[:-1]),
        ("no data", x[:0], y[:0]),
        ("text", np.full(x.shape, "warm"), y),
        ("inputs without a column", x[:, :-1], y),
        (f"{_samples(fewest - 1)}, though it needs {fewest}", x[: fewest - 1], y[: fewest - 1]),
    ):
        _demand_refusal(surrogate, bad_x, bad_y, what)


def check_calibration(surrogate: Any, x: Floats, y: Floats, seen: int) -> None:
    """Demand that intervals at rows that were not seen hold most of the values."""
    seen = min(seen, len(x) // 2)
    posterior = surrogate.fit(x[:seen], y[:seen]).posterior(x[seen:])
    low, high = posterior.quantile(0.5 - LEVEL / 2), posterior.quantile(0.5 + LEVEL / 2)
    # Below this an error is rounding.
    slack = 1e-6 * float(np.max(np.abs(y)))
    held = float(np.mean((y[seen:] >= low - slack) & (y[seen:] <= high + slack)))
    demand(
        held >= LEAST,
        f"Intervals of {LEVEL:.0%} hold {held:.0%} of the values at {len(x) - seen} rows not seen.",
    )
    width, spread = float(np.mean(high - low)), float(np.sqrt(np.mean((y - y.mean(axis=0)) ** 2)))
    demand(
        width <= 8 * spread,
        f"After {seen} runs the intervals are {width / spread:.2g} standard deviations of the data wide; nothing was "
        "learned.",
    )


def check_archive(fitted: Any, points: Floats) -> None:
    """Demand that a surrogate which can be saved answers the same when it is loaded, or refuses to be saved."""
    from scalebridge.learn import load, save

    with tempfile.TemporaryDirectory() as folder:
        try:
            save(fitted, Path(folder) / "surrogate")
        except InputError:
            return
        loaded = load(Path(folder) / "surrogate")
    demand(dict(loaded.identity()) == dict(fitted.identity()), "A saved surrogate has another identity when loaded.")
    before, after = fitted.posterior(points), loaded.posterior(points)
    weights = np.ones(before.mean.shape)
    for told, again, what in (
        (before.mean, after.mean, "mean"),
        (before.std, after.std, "standard deviation"),
        (before.quantile(0.9), after.quantile(0.9), "quantile"),
        (before.sample(2, seed=3), after.sample(2, seed=3), "samples"),
        (before.functional(weights).cov, after.functional(weights).cov, "functional"),
        (fitted.jacobian(points), loaded.jacobian(points), "jacobian"),
    ):
        demand(np.array_equal(told, again), f"A saved surrogate gives another {what} when it is loaded.")


def _samples(count: int) -> str:
    return "one sample" if count == 1 else f"{count} samples"


def _answer(surrogate: Any, x: Floats, y: Floats, points: Floats, what: str) -> Floats:
    try:
        fitted = surrogate.fit(x, y)
        mean, tangent = fitted.predict(points)
        std = fitted.posterior(points).std
    except Exception as error:
        raise AssertionError(f"The surrogate cannot be fitted on {what}: {type(error).__name__}: {error}") from error
    finite = all(bool(np.isfinite(a).all()) for a in (mean, tangent, std))
    demand(finite, f"A fit on {what} predicts values that are not finite.")
    return np.asarray(mean, dtype=np.float64)


def _demand_refusal(surrogate: Any, x: Any, y: Floats, what: str) -> None:
    try:
        surrogate.fit(x, y)
    except InputError:
        return
    except Exception as error:
        raise AssertionError(f"fit answers {what} by {type(error).__name__}; raise InputError.") from error
    raise AssertionError(f"fit takes {what}; raise InputError.")
