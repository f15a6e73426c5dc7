"""Linear regression of values of which some are known only by limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.learn.life.asked import central, numbers
from scalebridge.learn.life.laws import law_named
from scalebridge.learn.life.likelihood import Likelihood, draws, maximise
from scalebridge.learn.life.prediction import LifePosterior
from scalebridge.learn.life.profile import profile_interval
from scalebridge.quantities import Floats

Features = Callable[[Floats], Floats]
DRAWS = 1000
# Share of the proposals that must count.
LEAST = 0.05


@dataclass(frozen=True)
class CensoredRegression:
    """``y = features(x) beta + exp(scatter(x) gamma) e`` where some y are only known to lie above or below a limit.

    A value that was not reached is no value: leaving it out, or taking the limit for it, biases location and scatter.
    The likelihood takes from each limit what it says, ``P(y > limit)``.

    Args:
        law: of the error e: ``"normal"`` (``"lognormal"`` where y is a logarithm), ``"weibull"`` (or ``"smallest"``:
            Gumbel's smallest value, the logarithm of a Weibull variable), ``"largest"``.
        features: from ``x [n, d]`` to ``[n, p]``; a constant and x itself by default.
        scatter: from ``x [n, d]`` to ``[n, q]``, of the logarithm of the scale; a constant by default.
        seed: of the draws from the posterior.

    Raises:
        InputError: a law that is not known.

    Source: W. Q. Meeker, L. A. Escobar, Statistical methods for reliability data, Wiley (1998), chapters 8 and 17.
    """

    law: str = "normal"
    features: Features | None = None
    scatter: Features | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        law_named(self.law)

    def fit(
        self, x: ArrayLike, y: ArrayLike, censored: ArrayLike | None = None, upper: ArrayLike | None = None
    ) -> CensoredFit:
        """Fit ``y [n]`` at ``x [n, d]`` or ``[n]``.

        Args:
            x: inputs.
            y: values; of a censored row, its limit.
            censored: ``[n]``: 0 measured, +1 at least y (a run-out), -1 at most y (below detection); none by default.
            upper: ``[n]``, the upper end where y is only known to lie between y and it; NaN elsewhere.

        Raises:
            InputError: values that are not finite, codes that are not -1, 0, 1, or data that leave a parameter open.
            ShapeError: arrays that do not pair.
        """
        points, values = _points(x), numbers(y, "values of the censored regression")
        low, high = _limits(values, censored, upper)
        if len(points) != len(values):
            raise ShapeError(f"The censored regression got {len(points)} inputs and {len(values)} values; give pairs.")
        _demand_finite(points, values)
        columns, spread = self._columns(points), self._spread(points)
        likelihood = Likelihood(columns, spread, low, high, law_named(self.law))
        names = (*(f"beta[{i}]" for i in range(columns.shape[1])), *(f"gamma[{i}]" for i in range(spread.shape[1])))
        seen = int((np.isfinite(low) & np.isfinite(high)).sum())
        if seen < columns.shape[1] + 1:
            raise InputError(
                f"The censored regression got {seen} measured values for {columns.shape[1]} coefficients and a scatter;"
                " give at least one more than coefficients, or take fewer features."
            )
        mode, covariance = maximise(likelihood, _start(columns, spread, values), names)
        return CensoredFit(self, likelihood, mode, covariance, names)

    def _columns(self, x: Floats) -> Floats:
        made = np.column_stack([np.ones(len(x)), x]) if self.features is None else self.features(x)
        return _featured(made, len(x), "features")

    def _spread(self, x: Floats) -> Floats:
        made = np.ones((len(x), 1)) if self.scatter is None else self.scatter(x)
        return _featured(made, len(x), "scatter")


@dataclass(frozen=True)
class CensoredFit:
    """A fitted `CensoredRegression`.

    Attributes:
        model: what was fitted.
        likelihood: of the data.
        mode: ``(beta, gamma)`` of the greatest likelihood ``[k]``; the scale is ``exp(scatter gamma)``.
        covariance: of the parameters, from the curvature of the likelihood there ``[k, k]``.
        names: of the parameters.
    """

    model: CensoredRegression
    likelihood: Likelihood = field(repr=False)
    mode: Floats
    covariance: Floats = field(repr=False)
    names: tuple[str, ...]

    @property
    def beta(self) -> Floats:
        """Coefficients of the location ``[p]``."""
        return self.mode[: self.likelihood.columns.shape[1]]

    @property
    def std(self) -> Floats:
        """Standard deviations of the parameters, from the curvature ``[k]``."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def log_likelihood(self) -> float:
        """Greatest logarithm of the likelihood; compare laws of the same data by it."""
        return self.likelihood(self.mode)

    @cached_property
    def drawn(self) -> tuple[Floats, float]:
        """Draws ``[s, k]`` as they are, and the share of the proposals that counted; `draws` refuses few."""
        return draws(self.likelihood, self.mode, self.covariance, DRAWS, self.model.seed)

    @property
    def draws(self) -> Floats:
        """Draws ``[s, k]`` from the posterior of the parameters with the reference prior.

        Raises:
            InputError: a posterior too bent to draw from, see `counted`.
        """
        demand_counted(self.counted)
        return self.drawn[0]

    @property
    def counted(self) -> float:
        """Share of the proposals behind `draws` that counted; below .05 these are refused."""
        return self.drawn[1]

    def interval(self, name: str, level: float = 0.95) -> tuple[float, float]:
        """Central interval of a parameter from the posterior's draws, which keeps its coverage in small samples."""
        at = self._place(name)
        low, high = np.quantile(self.draws[:, at], central(level))
        return float(low), float(high)

    def profile(self, name: str, level: float = 0.95) -> tuple[float, float]:
        """Profile-likelihood interval of a parameter, infinite on a side that the data leave open."""
        return profile_interval(self.likelihood, self.mode, self.std, self._place(name), level)

    def posterior(self, x: ArrayLike) -> LifePosterior:
        """Distribution of a further value at each ``x [m, d]`` or ``[m]``, parameters' uncertainty included."""
        points = _points(x)
        p = self.likelihood.columns.shape[1]
        columns = self.model._columns(points)
        if columns.shape[1] != p:
            raise ShapeError(
                f"The censored regression has {p} features and got {columns.shape[1]}; give the same inputs."
            )
        location = self.draws[:, :p] @ columns.T
        log_scale = self.draws[:, p:] @ self.model._spread(points).T
        return LifePosterior(location, np.exp(log_scale), self.likelihood.law)

    def _place(self, name: str) -> int:
        if name not in self.names:
            raise InputError(f"There is no parameter '{name}'; valid: {', '.join(self.names)}.")
        return self.names.index(name)


def demand_counted(share: float) -> None:
    """Refuse draws behind which hardly any proposal counted."""
    if share < LEAST:
        raise InputError(
            f"The posterior of the censored regression is too bent for its draws: {share:.1%} of the proposals "
            f"counted, below {LEAST:.0%}; give more measured values, take fewer features or a constant scatter; "
            "profile() of a regression needs no draws."
        )


def _points(x: ArrayLike) -> Floats:
    points = numbers(x, "inputs of the censored regression")
    return points[:, None] if points.ndim == 1 else points


def _featured(made: Floats, n: int, what: str) -> Floats:
    array = np.asarray(made, dtype=np.float64)
    if array.ndim != 2 or len(array) != n or not np.isfinite(array).all():
        raise ShapeError(
            f"The {what} of the censored regression gave the shape {array.shape} for {n} rows; "
            "return finite numbers [rows, columns]."
        )
    return array


def _limits(y: Floats, censored: ArrayLike | None, upper: ArrayLike | None) -> tuple[Floats, Floats]:
    codes = np.zeros(y.shape) if censored is None else numbers(censored, "codes of censoring")
    if codes.shape != y.shape or y.ndim != 1:
        raise ShapeError(f"The censored regression got y of shape {y.shape} and codes {codes.shape}; give [n] twice.")
    if not np.isin(codes, (-1, 0, 1)).all():
        raise InputError(f"The censoring holds {codes[~np.isin(codes, (-1, 0, 1))][0]}; valid: 0, 1 (at least), -1.")
    low, high = np.where(codes == -1, -np.inf, y), np.where(codes == 1, np.inf, y)
    if upper is not None:
        ends = numbers(upper, "upper ends of intervals")
        between = np.isfinite(ends)
        if ends.shape != y.shape or (ends[between] <= y[between]).any():
            raise InputError("An upper end of an interval is not above its lower end; give y < upper, NaN elsewhere.")
        high = np.where(between, ends, high)
    return low, high


def _demand_finite(x: Floats, y: Floats) -> None:
    bad: NDArray[np.int64] = np.flatnonzero(~np.isfinite(y) | ~np.isfinite(x).all(axis=1))
    if len(bad):
        raise InputError(
            f"The censored regression got a gap in row {bad[0] + 1}; a row needs its inputs and a value or a limit: "
            "leave it out, or mark it as censored at a limit."
        )


def _start(columns: Floats, spread: Floats, y: Floats) -> Floats:
    beta = np.linalg.lstsq(columns, y, rcond=None)[0]
    size = max(float(np.std(y - columns @ beta)), 1e-3 * max(float(np.std(y)), 1e-12))
    gamma = np.linalg.lstsq(spread, np.full(len(y), np.log(size)), rcond=None)[0]
    return np.concatenate([beta, gamma])
