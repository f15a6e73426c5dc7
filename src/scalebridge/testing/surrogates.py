"""The conformance suite of a `Surrogate` and of its `Posterior`."""

from __future__ import annotations

from typing import Any

import numpy as np

from scalebridge.models import structure_of
from scalebridge.quantities import Floats
from scalebridge.testing.demand import (
    demand,
    demand_close,
    demand_identity,
    demand_members,
    plausible_inputs,
    tangent_gap,
)
from scalebridge.testing.models import demand_runs
from scalebridge.testing.surrogate_data import (
    check_archive,
    check_calibration,
    check_odd_data,
    check_other_units,
)

_MEMBERS = ("name", "version", "inputs", "outputs", "scale", "identity", "run")
_LEARNS = ("domain", "fit", "posterior", "predict", "jacobian")


def check_surrogate(
    surrogate: Any,
    problem: Any = None,
    *,
    n: int = 14,
    fit_rtol: float = 0.3,
    fewest: int = 1,
    calibration: int = 60,
) -> None:
    """Check that a surrogate keeps its contract; raise `AssertionError` with one sentence where it does not.

    A fit leaves the surrogate as it was and is the same every time; shapes; ``predict``, ``jacobian`` and the
    posterior's mean are one function and its derivative; deviations, blocks, samples, quantiles, functionals
    and reductions are those of one joint covariance; the domain holds the data and not the far distance, and a
    run there says so; bounds are kept; other units give the same answer; one sample, duplicate rows and constant
    columns are fitted, text, NaN and mismatched rows refused by `InputError`; intervals of nine tenths hold at
    least three quarters of what was not seen; a saved surrogate answers as before, to the last bit.

    A mean that is a step function (trees, neighbours) has no derivative that could be integrated back to it. Such
    a surrogate declares ``smooth = False``; then the tangent is only demanded almost everywhere, between the steps.

    Args:
        surrogate: unfitted, built from its spaces.
        problem: the model to learn, of the same spaces; by default a smooth function of the declared structure.
        n: runs to learn from.
        fit_rtol: root mean square of the residuals at the data, relative to the spread of the data.
        fewest: runs that the surrogate asks for, at most ``n // 2``; fewer must be refused by `InputError`. More than
            one is for surrogates that hold runs back, whose promise means nothing with less.
        calibration: runs to learn from before the intervals are checked; 0 leaves that out (where the default
            function is not one that the surrogate claims to know).
    """
    demand_members(surrogate, _MEMBERS + _LEARNS[1:2], "Surrogate")
    x, y = _data(surrogate, problem, n)
    fitted = surrogate.fit(x, y)
    demand_members(fitted, _MEMBERS + _LEARNS, "fitted Surrogate")
    spread = float(np.sqrt(np.mean((y - y.mean(axis=0)) ** 2)))
    residual = float(np.sqrt(np.mean((fitted.predict(x)[0] - y) ** 2)))
    demand(
        residual <= fit_rtol * spread,
        f"{fitted.name} misses its own data by {residual / spread:.2g} of their spread; it has not learned.",
    )
    # Two points of the data, two between, one beyond: deviations from nothing to large.
    points = np.concatenate([x[:2], 0.6 * x[2:4] + 0.4 * x[5:7], 1.5 * x[8:9] - 0.5 * x[9:10]])
    floor = 1e-4 * spread**2
    _check_mean(fitted, points)
    _check_model_side(fitted, points)
    _check_fits(surrogate, fitted, x, y, points)
    covariance = _check_covariance(fitted, points, floor)
    _check_samples(fitted, points, covariance)
    _check_functional(fitted, points, covariance, floor)
    _check_reduction(fitted, points, covariance, floor)
    _check_domain(fitted, x)
    _check_bounds(surrogate, x)
    check_other_units(surrogate, fitted, x, y, points)
    check_odd_data(surrogate, x, y, points, fewest)
    check_archive(fitted, points)
    if calibration:
        check_calibration(surrogate, *_data(surrogate, problem, calibration + 200), calibration)


def smooth_problem(surrogate: Any, x: Floats) -> Floats:
    """Values ``[b, m]`` of a smooth function at ``x [b, d]`` that fits a surrogate's spaces and structure.

    A gradient of a convex even potential where a potential is declared, else a sine of sums; shifted and scaled
    into the outputs' bounds.
    """
    structure, rng = structure_of(surrogate), np.random.default_rng(5)
    d, m = x.shape[1], surrogate.outputs.size
    centre, width = (0.0, np.max(np.abs(x), axis=0)) if structure.even else (x.mean(axis=0), np.ptp(x, axis=0) + 1e-12)
    z = (x - centre) / width
    if structure.potential:
        directions = rng.standard_normal((d, d)) + 2 * np.eye(d)
        t = z @ directions.T
        shift = 0.0 if structure.even else 0.3
        gradient = ((t + shift) / np.sqrt(1 + (t + shift) ** 2)) @ directions / width
        values: Floats = gradient / float(np.max(np.abs(gradient)))
        return values
    t = z @ rng.standard_normal((d, m)) + (0.0 if structure.even else 0.5)
    y = np.sin(t) + (0.0 if structure.even else 0.3)
    lower, upper = surrogate.outputs.lower, surrogate.outputs.upper
    low, high = np.where(np.isfinite(lower), lower, upper - 4.0), np.where(np.isfinite(upper), upper, lower + 4.0)
    bounded = np.isfinite(low) & np.isfinite(high)
    inside = np.where(bounded, low, 0.0) + np.where(bounded, high - low, 1.0) * (0.5 + 0.3 * y)
    kept: Floats = np.where(bounded, inside, y)
    return kept


def _data(surrogate: Any, problem: Any, n: int) -> tuple[Floats, Floats]:
    x = plausible_inputs(surrogate.inputs, n, seed=3)
    if problem is None:
        return x, smooth_problem(surrogate, x)
    runs = problem.run(x)
    demand(int(runs.ok.sum()) >= 10, f"The problem '{problem.name}' succeeded at fewer than ten of {n} inputs.")
    return x[runs.ok], runs.values[runs.ok]


def _check_model_side(fitted: Any, points: Floats) -> None:
    mean, runs = fitted.predict(points)[0], fitted.run(points)
    sentence = "run gives other values than predict"
    demand_close(runs.values[runs.ok], mean[runs.ok], 1e-8, float(np.max(np.abs(mean))), sentence)
    demand_runs(runs, len(points), fitted.outputs.size, fitted.inputs.size, f"'{fitted.name}'")
    demand_identity(fitted)


def _check_mean(fitted: Any, points: Floats) -> None:
    n, m, d = len(points), fitted.outputs.size, fitted.inputs.size
    mean, tangent = fitted.predict(points)
    demand(
        mean.shape == (n, m) and tangent.shape == (n, m, d),
        f"predict gave shapes {mean.shape} and {tangent.shape}; give {(n, m)} and {(n, m, d)}.",
    )
    scale = float(np.max(np.abs(mean)))
    demand_close(fitted.posterior(points).mean, mean, 1e-8, scale, "The posterior's mean is not what predict gives")
    size = float(np.max(np.abs(tangent)))
    demand_close(fitted.jacobian(points), tangent, 1e-8, size, "jacobian is not the tangent that predict gives")
    if getattr(fitted, "smooth", True):
        gap, _ = tangent_gap(lambda z: fitted.predict(z)[0], tangent, points, 1e-4)
        demand(gap <= 1e-4, f"The tangent of predict is not the derivative of its values (by {gap:.2g}).")
    else:
        _check_steps(fitted, tangent, points)
    if structure_of(fitted).potential:
        demand_close(
            tangent, np.swapaxes(tangent, 1, 2), 1e-8, size, "A potential is declared, but the tangent is not symmetric"
        )
    if structure_of(fitted).even:
        demand_close(
            fitted.predict(-points)[0], -mean, 1e-8, scale, "An even potential is declared, but the mean is not odd"
        )


def _check_steps(fitted: Any, tangent: Floats, points: Floats) -> None:
    """A step function is flat but at its steps: at most points a short way changes it as its tangent says."""
    short = 1e-7 * np.max(np.abs(points), axis=0)
    change = fitted.predict(points + short)[0] - fitted.predict(points - short)[0]
    told = 2 * np.einsum("nmd,d->nm", tangent, short)
    size = float(np.max(np.abs(fitted.predict(points)[0])))
    kept = np.abs(change - told).max(axis=1) <= 1e-9 * size
    demand(
        bool(np.mean(kept) > 0.5),
        "smooth = False is declared, but between its steps the mean does not change as the tangent of predict says.",
    )


def _check_fits(surrogate: Any, fitted: Any, x: Floats, y: Floats, points: Floats) -> None:
    mean = fitted.predict(points)[0]
    scale = float(np.max(np.abs(mean)))
    again = surrogate.fit(x, y).predict(points)[0]
    demand_close(again, mean, 1e-10, scale, "Two fits of the same data differ; derive every random choice from a seed")
    surrogate.fit(x[: len(x) // 2], y[: len(x) // 2][::-1])
    demand_close(
        fitted.predict(points)[0], mean, 0.0, scale, "A later fit changed a fitted surrogate; fit must return a new one"
    )
    x[...], kept = x + 1.0, x.copy()
    demand_close(
        fitted.predict(points)[0], mean, 0.0, scale, "The surrogate changes with the array it was fitted on; copy it"
    )
    x[...] = kept


def _check_covariance(fitted: Any, points: Floats, floor: float) -> Floats:
    """Demand shapes and one joint covariance; return it ``[n m, n m]``, from functionals of unit weights.

    ``floor`` is a variance below which rounding may decide: what is left of the data's own is lost in them.
    """
    n, m = len(points), fitted.outputs.size
    posterior = fitted.posterior(points)
    std, blocks = posterior.std, posterior.blocks
    demand(std.shape == (n, m), f"std has the shape {std.shape}; give {(n, m)}.")
    demand(bool(np.isfinite(std).all() and (std >= 0).all()), "A standard deviation is negative or not finite.")
    demand(blocks.shape == (n, m, m), f"blocks have the shape {blocks.shape}; give {(n, m, m)}.")
    top = float(np.max(std**2)) + floor
    demand_close(np.einsum("nii->ni", blocks), std**2, 1e-6, top, "The diagonal of blocks is not std squared")
    columns = []
    for k in range(n * m):
        unit = np.zeros(n * m)
        unit[k] = 1.0
        columns.append(np.asarray(posterior.functional(unit.reshape(n, m)).cov).ravel())
    covariance: Floats = np.stack(columns, axis=1)
    demand_close(covariance, covariance.T, 1e-6, top, "functional gives a covariance that is not symmetric")
    least = float(np.min(np.linalg.eigvalsh(covariance + covariance.T)) / 2)
    demand(least >= -1e-5 * top, f"functional gives a covariance with the negative eigenvalue {least:.2g}.")
    diagonal = np.stack([covariance[i * m : (i + 1) * m, i * m : (i + 1) * m] for i in range(n)])
    demand_close(blocks, diagonal, 1e-5, top, "blocks are not the covariance that functional gives")
    return covariance


def _check_samples(fitted: Any, points: Floats, covariance: Floats) -> None:
    n, m, count = len(points), fitted.outputs.size, 4000
    posterior = fitted.posterior(points)
    few = posterior.sample(3, seed=1)
    demand(few.shape == (3, n, m), f"sample(3) has the shape {few.shape}; give {(3, n, m)}.")
    demand(bool((few == posterior.sample(3, seed=1)).all()), "sample gives other values for the same seed.")
    demand(bool((few != posterior.sample(3, seed=2)).any()), "sample gives the same values for another seed.")
    draws = posterior.sample(count, seed=11).reshape(count, n * m)
    variance = np.diag(covariance)
    floor = 1e-4 * float(np.max(variance))
    gap = np.abs(draws.mean(axis=0) - posterior.mean.ravel()) / np.sqrt((variance + floor) / count)
    demand(float(gap.max()) <= 6, f"The mean of samples is {gap.max():.1f} standard errors off the posterior's mean.")
    spread = np.sqrt((np.outer(variance, variance) + covariance**2) / count) + floor * 6 / np.sqrt(count)
    apart = np.abs(np.cov(draws, rowvar=False).reshape(covariance.shape) - covariance) / spread
    demand(
        float(apart.max()) <= 7,
        f"Joint samples do not have the covariance that functional gives ({apart.max():.1f} standard errors off).",
    )
    low, high = posterior.quantile(0.1), posterior.quantile(0.9)
    demand(low.shape == (n, m), f"quantile has the shape {low.shape}; give {(n, m)}.")
    demand(bool((low <= high).all()), "quantile(0.1) lies above quantile(0.9).")
    wide = variance > floor
    slack = 6 * np.sqrt(0.09 / count)
    # A distribution of few values may hold more than nine tenths at its quantile, but not below it.
    under = 1e-12 * (np.abs(high) + np.sqrt(np.max(variance))).ravel()
    at_most = np.mean(draws <= high.ravel() + under, axis=0)[wide]
    below = np.mean(draws < high.ravel() - under, axis=0)[wide]
    demand(
        bool(np.all(at_most >= 0.9 - slack) and np.all(below <= 0.9 + slack)),
        "quantile(0.9) does not hold nine tenths of the samples.",
    )


def _check_functional(fitted: Any, points: Floats, covariance: Floats, floor: float) -> None:
    n, m = len(points), fitted.outputs.size
    posterior = fitted.posterior(points)
    weights = np.random.default_rng(2).standard_normal((n, m))
    told, w = posterior.functional(weights), weights.ravel()
    size = float(np.max(np.abs(posterior.mean))) * float(np.abs(w).sum())
    demand_close(told.mean, w @ posterior.mean.ravel(), 1e-8, size, "functional's mean is not the weighted mean")
    top = float(np.max(np.diag(covariance))) + floor
    demand_close(
        told.std**2, w @ covariance @ w, 1e-5, top * float(w @ w), "functional's std is not that of the weighted sum"
    )
    demand(np.shape(told.cov) == (n, m), f"functional's cov has the shape {np.shape(told.cov)}; give {(n, m)}.")
    sentence = "functional's cov is not the covariance of the sum with each value"
    demand_close(np.ravel(told.cov), covariance @ w, 1e-5, top * float(np.abs(w).sum()), sentence)


def _check_reduction(fitted: Any, points: Floats, covariance: Floats, floor: float) -> None:
    n, m = len(points), fitted.outputs.size
    posterior = fitted.posterior(points)
    weights = np.random.default_rng(4).standard_normal((n, m))
    candidates = np.arange(n)
    top = float(np.max(np.diag(covariance))) + floor
    noise = np.full(m, 0.3 * float(np.sqrt(np.mean(np.diag(covariance)))))
    given = np.array([n - 1], dtype=np.int64)
    for std, done, how in ((noise, None, "with noise"), (noise, given, "after a run that is already decided")):
        told = posterior.reduction(weights, candidates, noise_std=std, given=done)
        demand(np.shape(told) == (n,), f"reduction has the shape {np.shape(told)}; give {(n,)}, one per candidate.")
        wanted = dense_reduction(covariance, weights, candidates, std, done)
        scale = top * float(np.sum(weights**2))
        demand_close(told, wanted, 1e-4, scale, f"reduction is not C'(S + N)^-1 C {how}")
    bare = posterior.reduction(weights, candidates)
    w = weights.ravel()
    most = float(w @ covariance @ w)
    demand(
        bool((bare >= -1e-4 * most).all() and (bare <= most * (1 + 1e-3) + 1e-6 * top).all()),
        "A run without noise reduces the variance of the sum by less than nothing or by more than all of it.",
    )


def dense_reduction(
    covariance: Floats, weights: Floats, candidates: Any, noise_std: Floats, given: Any = None
) -> Floats:
    """`Posterior.reduction` by dense algebra from the joint covariance ``[n m, n m]``."""
    m = weights.shape[1]
    noise = np.diag(np.asarray(noise_std) ** 2)

    def rows(point: int) -> slice:
        return slice(point * m, (point + 1) * m)

    k = covariance.copy()
    for g in [] if given is None else given:
        column = k[:, rows(g)]
        k = k - column @ np.linalg.solve(k[rows(g), rows(g)] + noise, column.T)
    reductions = []
    for c in candidates:
        with_sum = k[rows(c)] @ weights.ravel()
        reductions.append(float(with_sum @ np.linalg.solve(k[rows(c), rows(c)] + noise, with_sum)))
    return np.array(reductions)


def _check_domain(fitted: Any, x: Floats) -> None:
    inside = np.asarray(fitted.domain.contains(x))
    demand(inside.shape == (len(x),) and inside.dtype == np.bool_, "domain.contains must give one bool per row.")
    demand(bool(inside.all()), "The domain leaves out points that the surrogate was fitted on.")
    far = np.full((1, x.shape[1]), 1e6 * (1 + float(np.max(np.abs(x)))))
    demand(not fitted.domain.contains(far)[0], "The domain holds a point a million times beyond the data.")
    demand(not fitted.domain.contains(np.full_like(far, np.nan))[0], "The domain holds a point of NaN.")
    demand(not fitted.run(far).ok[0], "run calls a point ok that is a million times beyond the data; say outside.")


def _check_bounds(surrogate: Any, x: Floats) -> None:
    """Demand that declared bounds of the outputs are kept, on data that fall steeply towards them."""
    lower, upper = surrogate.outputs.lower, surrogate.outputs.upper
    if not (np.isfinite(lower) | np.isfinite(upper)).any() or structure_of(surrogate).potential:
        return
    along = (x[:, :1] - x[:, 0].min()) / float(np.ptp(x[:, 0]))
    decay = np.exp(-8 * along)
    width = np.where(np.isfinite(lower) & np.isfinite(upper), np.where(np.isfinite(lower), upper - lower, 1.0), 1.0)
    y = np.where(np.isfinite(lower), lower, 0.0) + width * decay
    y = np.where(~np.isfinite(lower) & np.isfinite(upper), upper - decay, y)
    fitted = surrogate.fit(x, y)
    grid = x.mean(axis=0) + np.linspace(-1.5, 1.5, 60)[:, None] * (x[np.argmax(x[:, 0])] - x.mean(axis=0))
    slack = 1e-9 * width
    for values, what in ((fitted.predict(grid)[0], "mean"), (fitted.posterior(grid).quantile(0.025), "quantile")):
        kept = (values >= lower - slack).all() and (values <= upper + slack).all()
        demand(bool(kept), f"The {what} leaves the declared bounds of the outputs; a surrogate keeps them.")
