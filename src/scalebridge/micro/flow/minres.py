"""Minimal residuals for symmetric indefinite systems, preconditioned.

Paige and Saunders, SIAM J. Numer. Anal. 12, 617 (1975). SciPy's does not show the norm of the residual on the
way, on which we stop.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scalebridge.quantities import Floats

Operator = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Found:
    """Where the iteration ended: ``x [n]``, iterations, whether the stop was reached."""

    x: Floats
    iterations: int
    converged: bool


def minres(
    operator: Operator, precondition: Operator, b: Floats, stop: Callable[[int, Floats, float], bool], limit: int
) -> Found:
    """Solve ``operator x = b`` from zero.

    Args:
        operator: symmetric, may be singular where ``b`` is consistent.
        precondition: symmetric positive definite approximation P^-1 of the inverse.
        b: ``[n]``.
        stop: called after each iteration with its number, ``x`` and the squared residual r . P^-1 r.
        limit: iterations at most.
    """
    x, w, w_old = np.zeros_like(b), np.zeros_like(b), np.zeros_like(b)
    r_old, r = b, b.copy()
    y = precondition(r)
    beta = math.sqrt(max(float(r @ y), 0.0))
    beta_old, phi_bar, delta_bar, epsilon, cosine, sine = 0.0, beta, 0.0, 0.0, -1.0, 0.0
    for iteration in range(1, limit + 1):
        if not (beta > 0.0 and math.isfinite(beta)):
            return Found(x, iteration - 1, False)
        v = y / beta
        y = operator(v)
        if iteration > 1:
            y -= (beta / beta_old) * r_old
        alpha = float(v @ y)
        y -= (alpha / beta) * r
        r_old, r = r, y
        y = precondition(r)
        beta_old, beta = beta, math.sqrt(max(float(r @ y), 0.0))
        # Givens rotation of the new column of the tridiagonal matrix.
        epsilon_old, delta = epsilon, cosine * delta_bar + sine * alpha
        gamma_bar, epsilon, delta_bar = sine * delta_bar - cosine * alpha, sine * beta, -cosine * beta
        gamma = math.hypot(gamma_bar, beta)
        if gamma == 0.0:
            return Found(x, iteration, False)
        cosine, sine = gamma_bar / gamma, beta / gamma
        w_old, w = w, _direction(v, w, w_old, epsilon_old, delta, gamma)
        x += (cosine * phi_bar) * w
        phi_bar *= sine
        if stop(iteration, x, phi_bar * phi_bar):
            return Found(x, iteration, True)
    return Found(x, limit, False)


def _direction(v: Floats, w: Floats, w_old: Floats, epsilon: float, delta: float, gamma: float) -> Floats:
    """``(v - epsilon w_old - delta w) / gamma``, in place of ``v``."""
    v -= epsilon * w_old
    v -= delta * w
    v /= gamma
    return v
