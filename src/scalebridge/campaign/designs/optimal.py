"""Optimal designs: the rows that tell most about the coefficients of a polynomial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.campaign.designs.design import Design, count, from_unit
from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Floats
from scalebridge.quantities.cube import Cube

Rows = NDArray[np.int64]
OWNER = "An optimal design"
CRITERIA = ("D", "A", "I")
STARTS = 8
MOST_SWEEPS = 60
# A full grid of candidates as long as it is small, scattered points and corners beyond.
MOST_CANDIDATES = 4096


def optimal(
    space: Any,
    n: int,
    seed: int = 0,
    *,
    log: bool | Sequence[str] = (),
    criterion: str = "D",
    degree: int = 2,
    candidates: ArrayLike | None = None,
) -> Design:
    """Rows that make the least-squares fit of a polynomial sharpest, by Fedorov's exchange from eight starts.

    With M the information matrix of the rows, D makes det M largest (volume of the confidence ellipsoid of the
    coefficients), A the trace of M^-1 smallest (sum of their variances, monomials of components scaled to [-1, 1]),
    I the mean variance of the prediction smallest, over the box or over the candidates given. Rows may repeat.

    Args:
        space: a `Space` or a mapping; every variable has both bounds.
        n: number of rows, at least one per coefficient.
        seed: of the starts.
        log: True for a logarithmic scale on every variable, or the names of those that have one.
        criterion: ``"D"``, ``"A"`` or ``"I"``.
        degree: total degree of the polynomial.
        candidates: ``[c, d]`` rows to choose from, in the units of the space; a grid of the box by default.

    Raises:
        InputError: bounds are missing, fewer rows than coefficients, candidates that cannot tell them apart.

    Source: V. V. Fedorov, Theory of Optimal Experiments (1972); R. D. Cook, C. J. Nachtsheim,
    Technometrics 22 (1980) 315.
    """
    cube, n = Cube(space, log, OWNER), count(n, OWNER)
    degree = count(degree, OWNER, what="degree")
    options: dict[str, Any] = {"criterion": _criterion(criterion), "degree": degree}
    pool = _candidates(cube, degree, seed) if candidates is None else _own(cube, candidates)
    if candidates is not None:
        options["candidates"] = pool
    u = _best(pool, n, np.zeros((0, cube.size)), options, seed)
    return from_unit(cube, u, "optimal", seed, options)


def extend(existing: Design, n: int) -> Design:
    """Add the rows that tell most beside those that are there."""
    options, seed = existing.options, existing.seed
    pool = options.get("candidates")
    pool = _candidates(existing.cube, options["degree"], seed) if pool is None else pool
    u = _best(pool, n, existing.unit, options, seed)
    return from_unit(existing.cube, u, "optimal", seed, options, after=existing)


def polynomial(u: Floats, degree: int) -> Floats:
    """Orthonormal Legendre products of total degree at most ``degree`` at ``u [n, d]`` of the unit cube, ``[n, p]``."""
    ones = np.eye(degree + 1) * np.sqrt(2 * np.arange(degree + 1) + 1)
    each = np.stack([np.polynomial.legendre.legval(2 * u - 1, row) for row in ones])
    return _products(each, u.shape[1], degree)


def _monomials(u: Floats, degree: int) -> Floats:
    return _products(np.stack([(2 * u - 1) ** k for k in range(degree + 1)]), u.shape[1], degree)


def _products(each: Floats, d: int, degree: int) -> Floats:
    """Products ``[n, p]`` of the one-dimensional functions ``each [degree + 1, n, d]``, low degrees first."""
    columns = []
    for total in range(degree + 1):
        for chosen in combinations_with_replacement(range(d), total):
            powers = np.bincount(np.array(chosen, dtype=np.int64), minlength=d)
            columns.append(np.prod(each[powers, :, np.arange(d)], axis=0))
    return np.stack(columns, axis=1)


def _best(pool: Floats, n: int, fixed: Floats, options: Any, seed: int) -> Floats:
    """The best of several exchanges, rows ``[n, d]`` of the pool."""
    criterion, degree = options["criterion"], options["degree"]
    basis = _monomials if criterion == "A" else polynomial
    f, kept = basis(pool, degree), basis(fixed, degree)
    p = f.shape[1]
    if len(fixed) + n < p:
        raise InputError(
            f"{OWNER} of degree {degree} in {pool.shape[1]} components has {p} coefficients and {len(fixed) + n} rows; "
            f"give n of at least {p - len(fixed)} or a lower degree."
        )
    if np.linalg.matrix_rank(np.concatenate([f, kept])) < p:
        raise InputError(
            f"{OWNER} cannot tell the {p} coefficients of degree {degree} apart with the {len(f)} candidates given; "
            "give candidates with more levels or a lower degree."
        )
    # The mean of f f' over the box is the identity, as the basis is orthonormal there.
    weight = f.T @ f / len(f) if criterion == "I" and "candidates" in options else np.eye(p)
    rng = np.random.default_rng([seed, len(fixed)])
    found = [_exchanged(f, n, kept, criterion, weight, rng) for _ in range(STARTS)]
    chosen, _ = min(found, key=lambda pair: pair[1])
    best: Floats = pool[np.sort(chosen)]
    return best


def _exchanged(
    f: Floats, n: int, kept: Floats, criterion: str, weight: Floats, rng: np.random.Generator
) -> tuple[Rows, float]:
    """Swap rows for candidates while that helps; the indices chosen ``[n]`` and their criterion, smaller is better."""
    chosen = rng.integers(len(f), size=n)
    spread = _Spread.of(f, kept, chosen, weight)
    for _ in range(MOST_SWEEPS):
        moved = False
        for i in range(n):
            gain = spread.gains(f, int(chosen[i]), criterion)
            best = int(np.argmax(gain))
            if gain[best] > 1e-9:
                chosen[i], moved = best, True
                spread = _Spread.of(f, kept, chosen, weight)
        if not moved:
            break
    return chosen, spread.value(criterion)


@dataclass(frozen=True)
class _Spread:
    """How uncertain the coefficients and the candidates are with the rows chosen.

    Args:
        information: M, ``[p, p]``.
        f: candidates times M^-1, ``[c, p]``.
        q: candidates times ``Q = M^-1 W M^-1``, ``[c, p]``, with the weight W of the criterion.
        own: ``f M^-1 f'`` at each candidate, ``[c]``.
        weighted: ``f Q f'`` at each candidate, ``[c]``.
        trace: of ``W M^-1``.
    """

    information: Floats
    f: Floats
    q: Floats
    own: Floats
    weighted: Floats
    trace: float

    @staticmethod
    def of(f: Floats, kept: Floats, chosen: Rows, weight: Floats) -> _Spread:
        # A trace of prior information keeps M regular on the way and out of the result.
        m = kept.T @ kept + f[chosen].T @ f[chosen] + 1e-10 * np.eye(f.shape[1])
        inverse = np.linalg.inv(m)
        fm = f @ inverse
        fq = fm @ (weight @ inverse)
        return _Spread(m, fm, fq, (fm * f).sum(1), (fq * f).sum(1), float(np.trace(weight @ inverse)))

    def gains(self, f: Floats, out: int, criterion: str) -> Floats:
        """What it gains to put each candidate in the place of ``out``, relative to the present value, ``[c]``.

        The information matrix changes by ``u u' - v v'``: Woodbury's formula with a 2 x 2 matrix.
        """
        a, b, c = self.own, float(self.own[out]), f @ self.f[out]
        determinant = (1 + a) * (1 - b) + c**2
        if criterion == "D":
            logarithm: Floats = np.log(np.maximum(determinant, 1e-300))
            return logarithm
        aa, bb, cc = self.weighted, float(self.weighted[out]), f @ self.q[out]
        fall = ((1 - b) * aa + 2 * c * cc - (1 + a) * bb) / np.maximum(determinant, 1e-12)
        gains: Floats = np.where(determinant > 1e-12, fall / self.trace, -np.inf)
        return gains

    def value(self, criterion: str) -> float:
        """The criterion, smaller is better."""
        return -float(np.linalg.slogdet(self.information)[1]) if criterion == "D" else self.trace


def _candidates(cube: Cube, degree: int, seed: int) -> Floats:
    from scipy.stats import qmc

    d = cube.size
    for levels in (41, 21, 11, 5, 3):
        if levels > degree and levels**d <= MOST_CANDIDATES:
            axis = np.linspace(0.0, 1.0, levels)
            return np.stack(np.meshgrid(*[axis] * d, indexing="ij"), axis=-1).reshape(-1, d)
    # Beyond: scattered points, drawn to the degree + 1 levels at which polynomials are best seen.
    scattered = qmc.Sobol(d, rng=seed).random_base2(MOST_CANDIDATES.bit_length() - 1)
    levels = degree + 1
    drawn: Floats = np.minimum(np.floor(scattered * levels), levels - 1) / (levels - 1)
    return drawn


def _own(cube: Cube, candidates: ArrayLike) -> Floats:
    pool = cube.space.check(np.asarray(candidates, dtype=np.float64), f"{OWNER}, in its candidates,")
    if not len(pool) or not np.isfinite(pool).all() or not cube.space.inside(pool).all():
        raise InputError(f"{OWNER} got candidates outside the bounds of its space, or none; leave those rows out.")
    return cube.to_unit(pool)


def _criterion(name: str) -> str:
    if name not in CRITERIA:
        raise InputError(f"{OWNER} was asked for the criterion '{name}'{did_you_mean(name, CRITERIA)}")
    return name
