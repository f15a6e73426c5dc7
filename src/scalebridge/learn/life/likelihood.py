"""The likelihood of values of which some are known only by limits, its maximum, and draws from its posterior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.learn.life.laws import Law
from scalebridge.quantities import Floats

STEPS, SMALL = 200, 1e-9
# Degrees of freedom of the proposal: tails heavier than those of any posterior of a few parameters.
HEAVY = 4.0


@dataclass(frozen=True)
class Likelihood:
    """Of ``y = columns beta + exp(spread gamma) e``; the parameters are ``(beta, gamma)``.

    Args:
        columns: features of the location ``[n, p]``.
        spread: features of the logarithm of the scale ``[n, q]``.
        low: ``[n]``, what is known from below; ``-inf`` where nothing is.
        high: ``[n]``, what is known from above; equal to ``low`` where the value was measured.
        law: of the error ``e``.
    """

    columns: Floats
    spread: Floats
    low: Floats
    high: Floats
    law: Law

    def __call__(self, parameters: Floats) -> float:
        """Logarithm of the likelihood; ``-inf`` where the scale overflows."""
        return self.derivatives(parameters)[0]

    def many(self, parameters: Floats) -> Floats:
        """Logarithm of the likelihood ``[s]`` of each row of ``parameters [s, p + q]``."""
        p = self.columns.shape[1]
        location = parameters[:, :p] @ self.columns.T
        scale = np.exp(np.clip(parameters[:, p:] @ self.spread.T, -300, 300))
        seen = self.low == self.high
        total: Floats = np.zeros(len(parameters))
        if seen.any():
            z = (self.low[seen] - location[:, seen]) / scale[:, seen]
            total += (self.law.log_density(z)[0] - np.log(scale[:, seen])).sum(axis=1)
        if not seen.all():
            ends = [(limit[~seen] - location[:, ~seen]) / scale[:, ~seen] for limit in (self.low, self.high)]
            total += log_between(self.law, *ends).sum(axis=1)
        return total

    def derivatives(self, parameters: Floats) -> tuple[float, Floats, Floats]:
        """Logarithm of the likelihood, its gradient ``[k]`` and Hessian ``[k, k]``."""
        p = self.columns.shape[1]
        location, log_scale = self.columns @ parameters[:p], self.spread @ parameters[p:]
        scale = np.exp(np.clip(log_scale, -300, 300))
        value = np.zeros(len(scale))
        first, second = np.zeros((2, len(scale))), np.zeros((3, len(scale)))
        seen = self.low == self.high
        for rows, terms in ((seen, self._measured), (~seen, self._limited)):
            if rows.any():
                value[rows], first[:, rows], second[:, rows] = terms(rows, location[rows], scale[rows])
        gradient = np.concatenate([self.columns.T @ first[0], self.spread.T @ first[1]])
        a = self.columns.T @ (second[0][:, None] * self.columns)
        b = self.columns.T @ (second[1][:, None] * self.spread)
        c = self.spread.T @ (second[2][:, None] * self.spread)
        return float(value.sum()), gradient, np.block([[a, b], [b.T, c]])

    def _measured(self, rows: NDArray[np.bool_], location: Floats, scale: Floats) -> tuple[Floats, Floats, Floats]:
        """Terms of values that were measured: derivatives by the location and by the logarithm of the scale."""
        z = (self.low[rows] - location) / scale
        f, d, dd = self.law.log_density(z)
        first = np.stack([-d / scale, -d * z - 1])
        second = np.stack([dd / scale**2, (dd * z + d) / scale, dd * z**2 + d * z])
        return f - np.log(scale), first, second

    def _limited(self, rows: NDArray[np.bool_], location: Floats, scale: Floats) -> tuple[Floats, Floats, Floats]:
        """Terms of values between limits: ``log(F(b) - F(a))``."""
        a, b = (self.low[rows] - location) / scale, (self.high[rows] - location) / scale
        log_p = log_between(self.law, a, b)
        ends = [self._end(z, log_p, scale) for z in (a, b)]
        first = -(ends[1][0] - ends[0][0])
        second = (ends[1][1] - ends[0][1]) - np.stack([first[0] ** 2, first[0] * first[1], first[1] ** 2])
        return log_p, first, second

    def _end(self, z: Floats, log_p: Floats, scale: Floats) -> tuple[Floats, Floats]:
        """What one limit gives to the derivatives, relative to the probability; nothing where it is infinite."""
        known = np.isfinite(z)
        at = np.where(known, z, 0.0)
        f, d, _ = self.law.log_density(at)
        ratio = np.where(known, np.exp(np.where(known, np.minimum(f - log_p, 300.0), 0.0)), 0.0)
        slope = ratio * d
        first = np.stack([ratio / scale, ratio * at])
        second = np.stack([slope / scale**2, (slope * at + ratio) / scale, slope * at**2 + ratio * at])
        return first, second


def log_between(law: Law, a: Floats, b: Floats) -> Floats:
    """``log(F(b) - F(a))`` from the tail in which the difference keeps its digits."""
    below, above = law.log_below, law.log_above
    low, high = np.isneginf(a), np.isposinf(b)
    at_a, at_b = np.where(low, 0.0, a), np.where(high, 0.0, b)
    right = np.where(low, 0.0, above(at_a))
    left = np.where(high, 0.0, below(at_b))
    upper = at_a > 0
    big = np.where(upper, above(at_a), below(at_b))
    small = np.where(upper, above(at_b), below(at_a))
    with np.errstate(divide="ignore", invalid="ignore"):
        both = big + np.log(-np.expm1(np.minimum(small - big, -1e-300)))
    return np.where(high, right, np.where(low, left, both))


def maximise(likelihood: Likelihood, start: Floats, names: tuple[str, ...]) -> tuple[Floats, Floats]:
    """The parameters of the greatest likelihood ``[k]`` and the covariance ``[k, k]`` that its curvature gives.

    Newton's method, damped as Levenberg and Marquardt do.

    Raises:
        InputError: the data leave a parameter open (all values of a level censored, a column constant).
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a step too far is refused by its value
        return _climbed(likelihood, start, names)


def _climbed(likelihood: Likelihood, start: Floats, names: tuple[str, ...]) -> tuple[Floats, Floats]:
    at, damping = start, 1e-3
    value, gradient, hessian = likelihood.derivatives(at)
    for _ in range(STEPS):
        curvature = _positive(-hessian)
        step = np.linalg.solve(curvature + damping * np.diag(np.diag(curvature)), gradient)
        new = likelihood.derivatives(at + step)
        if np.isfinite(new[0]) and np.isfinite(new[2]).all() and new[0] >= value - 1e-12 * abs(value):
            gain, at, damping = new[0] - value, at + step, damping / 10
            value, gradient, hessian = new
            if gain < SMALL and float(gradient @ step) < SMALL:
                return at, _covariance(-hessian, names)
        else:
            damping = max(damping * 10, 1e-6)
            if damping > 1e12:
                break
    raise InputError(
        f"The censored regression found no maximum of its likelihood in {STEPS} steps; too few values were measured "
        f"for {len(at)} parameters ({', '.join(names)}): take fewer features, or give more failures."
    )


def draws(likelihood: Likelihood, mode: Floats, covariance: Floats, n: int, seed: int) -> tuple[Floats, float]:
    """Draws ``[n, k]`` from the posterior with the reference prior, flat in beta and gamma.

    Importance resampling from a Student t about the mode. For measured values with normal errors of one scale these
    are the draws of the usual Student intervals, so small samples keep their coverage.

    Returns:
        The draws, and the share of the proposals that counted (1 where the t is the posterior itself).
    """
    rng = np.random.default_rng(seed)
    k, many = len(mode), 4 * n
    root = np.linalg.cholesky(covariance)
    normal = rng.standard_normal((many, k))
    mixed = normal * np.sqrt(HEAVY / rng.chisquare(HEAVY, many))[:, None]
    proposals = mode + 1.1 * mixed @ root.T
    log_t = -0.5 * (HEAVY + k) * np.log1p((mixed**2).sum(axis=1) / HEAVY)
    log_weight = likelihood.many(proposals) - log_t
    weight = np.exp(log_weight - np.nanmax(log_weight))
    weight = np.where(np.isfinite(weight), weight, 0.0)
    weight /= weight.sum()
    counted = float(1 / (weight**2).sum() / many)
    places = np.minimum(np.searchsorted(np.cumsum(weight), (rng.random() + np.arange(n)) / n), many - 1)
    return proposals[rng.permutation(places)], counted


def _positive(matrix: Floats) -> Floats:
    """The matrix with its eigenvalues made positive, for a step that climbs."""
    values, vectors = np.linalg.eigh(matrix)
    floor = 1e-10 * max(float(np.abs(values).max()), 1e-300)
    return np.asarray((vectors * np.maximum(np.abs(values), floor)) @ vectors.T)


def _covariance(information: Floats, names: tuple[str, ...]) -> Floats:
    size = np.sqrt(np.maximum(np.diag(information), 1e-300))
    values, vectors = np.linalg.eigh(information / np.outer(size, size))
    if values[0] <= 1e-10:
        open_to = names[int(np.argmax(np.abs(vectors[:, 0])))]
        raise InputError(
            f"The data leave the parameter '{open_to}' of the censored regression open: too few values were measured, "
            "or a feature does not vary; take fewer features, or give more failures."
        )
    inverse = (vectors / values) @ vectors.T
    return np.asarray(inverse / np.outer(size, size))
