"""A prediction shared out among its inputs: Shapley values, exact for few inputs, sampled with error bars for many."""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.explain.answering import Answering
from scalebridge.explain.players import Players
from scalebridge.quantities import Floats

# Answers that are asked for at most, by default.
BUDGET = 60_000
# Background rows with which the exact values are averaged at most.
BACKGROUND = 64


@dataclass(frozen=True)
class Shared:
    """Predictions shared out among ``k`` inputs.

    Args:
        values: ``[n, k]``, in the output's unit; a row sums to ``prediction - expected``.
        error: ``[n, k]``, standard error by the background rows that were drawn, and by the orders where not all
            were taken.
        prediction: ``[n]``.
        expected: mean prediction over the background.
        exact: whether all subsets were taken.
        background: rows against which it is judged.
    """

    values: Floats
    error: Floats
    prediction: Floats
    expected: float
    exact: bool
    background: int

    @property
    def gap(self) -> float:
        """The largest ``|sum - (prediction - expected)|``: nothing but rounding."""
        return float(np.abs(self.values.sum(axis=1) - (self.prediction - self.expected)).max())


def shapley_values(
    answering: Answering,
    x: Floats,
    background: Floats,
    players: Players,
    *,
    method: str = "auto",
    budget: int = BUDGET,
    seed: int = 0,
) -> Shared:
    """Share out ``f(x) - mean f(background)`` among the inputs.

    An absent input takes its values from the background rows, whatever the others are (interventional): what the
    surrogate does, not what goes together in nature.

    Args:
        answering: the surrogate's output.
        x: rows ``[n, d]`` to explain.
        background: rows ``[b, d]`` to compare with.
        players: columns that enter together.
        method: ``"exact"`` over all subsets, ``"sampled"`` over random orders and their reverses, or ``"auto"``.
        budget: answers to ask for at most; fewer background rows are taken to keep it.
        seed: of background rows and orders.

    Raises:
        InputError: no rows, an unknown method, more than 14 players exactly.

    Source: L. S. Shapley, A value for n-person games (1953); S. Lundberg and S.-I. Lee (2017); R. Mitchell et al.,
    Sampling permutations for Shapley value estimation (2022), for orders and their reverses.
    """
    k = len(players)
    if method not in ("auto", "exact", "sampled"):
        raise InputError(f"Shapley values were asked for by '{method}'; valid: auto, exact, sampled.")
    if not len(x) or len(background) < 2:
        raise InputError(
            f"Shapley values got {len(x)} rows and {len(background)} rows of background; give at least one and two."
        )
    if method == "exact" and k > 14:
        raise InputError(f"Shapley values of {k} inputs have {2**k} subsets; take method='sampled'.")
    rng = np.random.default_rng(seed)
    if method == "auto":
        method = "exact" if k <= 12 and len(x) * 2**k * min(16, len(background)) <= budget else "sampled"
    each = 2**k if method == "exact" else 2 * k
    most = int(np.clip(budget // (len(x) * each), 8, BACKGROUND if method == "exact" else 4 * BACKGROUND))
    chosen = background[rng.permutation(len(background))[:most]] if most < len(background) else background
    low = answering(chosen)
    shared = (
        _exact(answering, x, chosen, players) if method == "exact" else _sampled(answering, x, chosen, players, rng)
    )
    values, count = shared.mean(axis=1), len(chosen)
    error = shared.std(axis=1, ddof=1) / np.sqrt(count)
    return Shared(values, error, answering(x), float(low.mean()), method == "exact", count)


def _exact(answering: Answering, x: Floats, background: Floats, players: Players) -> Floats:
    """Values ``[n, b, k]`` against each background row alone."""
    k, mask = len(players), players.mask()
    subsets = (np.arange(2**k)[:, None] >> np.arange(k) & 1).astype(bool)
    present = subsets @ mask
    weights = _weights(subsets)
    told = np.zeros((len(x), len(background), k))
    for i, row in enumerate(x):
        filled = np.where(present[:, None, :], row, background)
        value = answering(filled.reshape(-1, x.shape[1])).reshape(len(subsets), len(background))
        told[i] = value.T @ weights
    return told


def _weights(subsets: NDArray[np.bool_]) -> Floats:
    """``[2^k, k]``: the factor of each subset's value in the value of each player."""
    k = subsets.shape[1]
    size = subsets.sum(axis=1)
    joining = np.array([factorial(s) * factorial(k - s - 1) / factorial(k) for s in range(k)] + [0.0])
    leaving = np.array([0.0] + [factorial(s - 1) * factorial(k - s) / factorial(k) for s in range(1, k + 1)])
    weights: Floats = np.where(subsets, leaving[size][:, None], -joining[size][:, None])
    return weights


def _sampled(answering: Answering, x: Floats, background: Floats, players: Players, rng: np.random.Generator) -> Floats:
    """Values ``[n, b, k]``: against each background row one random order and its reverse."""
    k, mask = len(players), players.mask()
    orders = np.stack([rng.permutation(k) for _ in background])
    told = np.zeros((len(x), len(background), k))
    for order in (orders, orders[:, ::-1]):
        # Which columns have come in after each step [b, k + 1, d].
        entered = np.zeros((len(background), k + 1, x.shape[1]), dtype=bool)
        entered[:, 1:] = np.cumsum(mask[order], axis=1) > 0
        for i, row in enumerate(x):
            filled = np.where(entered, row, background[:, None, :])
            value = answering(filled.reshape(-1, x.shape[1])).reshape(len(background), k + 1)
            np.add.at(told[i], (np.arange(len(background))[:, None], order), 0.5 * np.diff(value, axis=1))
    return told
