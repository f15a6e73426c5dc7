"""Shares of the variance: Sobol indices and Shapley effects, of inputs that may go together.

Inputs are drawn by a `Copula`: independent ones, normal ones, or those of a table. Every figure is a mean over
independently scrambled Sobol sequences, whose scatter is its standard error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.explain.answering import Answering
from scalebridge.explain.copula import Copula
from scalebridge.explain.players import Players
from scalebridge.quantities import Floats

POINTS, REPLICATES = 1024, 8
# Players up to which all subsets are taken; of more, random orders.
ALL_SUBSETS = 8
ORDERS = 32


@dataclass(frozen=True)
class Indices:
    """Shares of the variance of one output.

    Args:
        labels: of the inputs ``[k]``.
        first: ``[k]``, what would go if the input were known: ``Var E[f | x_i] / Var f``.
        total: ``[k]``, what would stay if only it were unknown: ``E Var[f | the others] / Var f``.
        shapley: ``[k]``, Shapley effects, which sum to one whatever goes together; empty where not asked for.
        first_error, total_error, shapley_error: standard errors ``[k]``.
        variance: of the output.
        unresolved: mean variance of the surrogate's own uncertainty over it.
        engine: who computed it.
    """

    labels: tuple[str, ...]
    first: tuple[float, ...]
    total: tuple[float, ...]
    shapley: tuple[float, ...]
    first_error: tuple[float, ...]
    total_error: tuple[float, ...]
    shapley_error: tuple[float, ...]
    variance: float
    unresolved: float = 0.0
    engine: str = "conditional"

    def table(self) -> str:
        """Plain text: a row for each input, then what is to be said."""
        from scalebridge.explain.wording import indices_sentences

        named = [("first-order", self.first, self.first_error), ("total", self.total, self.total_error)]
        named += [("Shapley effect", self.shapley, self.shapley_error)] if self.shapley else []
        rows = [("input", *(name for name, _, _ in named))]
        for k, label in enumerate(self.labels):
            rows.append((label, *(f"{value[k]:.3f} ± {error[k]:.3f}" for _, value, error in named)))
        widths = [max(len(row[c]) for row in rows) for c in range(len(rows[0]))]
        lines = ["  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([*lines, "", *indices_sentences(self)])

    def __str__(self) -> str:
        return self.table()


def sobol_indices(
    surrogate: Any,
    law: Copula | Any = None,
    *,
    target: str | None = None,
    together: Any = None,
    points: int = POINTS,
    replicates: int = REPLICATES,
    shapley: bool = True,
    engine: str = "conditional",
    seed: int = 0,
) -> Indices:
    """Sobol indices and Shapley effects of one output of a model.

    Of inputs that go together, the first-order index holds what the input shares with others, the total one only
    what it alone knows, so that the total may be the smaller; Shapley effects share what is common evenly.

    Args:
        surrogate: fitted, or any model.
        law: of the inputs: a `Copula`, or rows ``[n, d]`` that were seen; by default independent and evenly spread
            between their bounds.
        target: output, by default the first.
        together: mapping from a label to inputs that are taken as one.
        points: of each sequence, a power of two.
        replicates: sequences.
        shapley: whether Shapley effects are wanted too.
        engine: ``"conditional"``, ours, for any law; ``"salib"``, for independent inputs (the extra ``explain``).
        seed: of the sequences.

    Raises:
        InputError: inputs without bounds, a law of another size, an answer that does not vary, a foreign engine, or
            SALib for inputs that go together.

    Source: S. Kucherenko, S. Tarantola and P. Annoni, Estimation of global sensitivity indices for models with
    dependent variables (2012); A. B. Owen and C. Prieur, On Shapley value for measuring importance of dependent
    inputs (2017); E. Song, B. L. Nelson and J. Staum, Shapley effects for global sensitivity analysis (2016);
    A. Janon et al., Asymptotic normality and efficiency of two Sobol index estimators (2014).
    """
    answering = Answering.of(surrogate, target)
    players = Players.of(surrogate.inputs, together)
    known = _law(surrogate, law)
    if engine == "salib":
        from scalebridge.explain.salib import by_salib

        return by_salib(answering, known, players, points * replicates, seed)
    if engine != "conditional":
        raise InputError(f"Sobol indices were asked for by '{engine}'; valid: conditional, salib.")
    if points < 4 or points & (points - 1) or replicates < 2:
        raise InputError(f"Sobol indices got {points} points and {replicates} replicates; give a power of two and two.")
    found = [_replicate(answering, known, players, points, shapley, seed + r) for r in range(replicates)]
    mean, error = _averaged(found)
    return Indices(
        players.labels,
        first=_told(mean["first"]),
        total=_told(mean["total"]),
        shapley=_told(mean["shapley"]),
        first_error=_told(error["first"]),
        total_error=_told(error["total"]),
        shapley_error=_told(error["shapley"]),
        variance=float(mean["variance"]),
        unresolved=_unresolved(answering, known, float(mean["variance"]), seed),
    )


def _law(surrogate: Any, law: Any) -> Copula:
    known = Copula.independent(surrogate.inputs) if law is None else law if isinstance(law, Copula) else Copula.of(law)
    if known.size != surrogate.inputs.size:
        raise InputError(
            f"The law has {known.size} inputs, the surrogate '{surrogate.name}' {surrogate.inputs.size}; give the law "
            "of all its inputs, in order."
        )
    return known


def _unresolved(answering: Answering, law: Copula, variance: float, seed: int) -> float:
    scores = law.tied(np.random.default_rng(seed).standard_normal((256, law.size)))
    return float(np.mean(answering.std(law.values(scores)) ** 2) / variance)


def _averaged(found: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    mean = {name: np.mean([f[name] for f in found], axis=0) for name in found[0]}
    error = {name: np.std([f[name] for f in found], axis=0, ddof=1) / np.sqrt(len(found)) for name in found[0]}
    return mean, error


def _replicate(
    answering: Answering, law: Copula, players: Players, points: int, shapley: bool, seed: int
) -> dict[str, Any]:
    """All figures from one scrambled sequence."""
    from scipy.special import ndtri
    from scipy.stats import qmc

    d, k = law.size, len(players)
    even = qmc.Sobol(2 * d, seed=np.random.default_rng(seed)).random(points)
    noise = ndtri(np.clip(even, 1e-12, 1 - 1e-12))
    scores, fresh = law.tied(noise[:, :d]), noise[:, d:]
    here = answering(law.values(scores))

    def redrawn(columns: NDArray[np.int64]) -> Floats:
        return answering(law.values(law.redrawn(scores, columns, fresh[:, columns])))

    mask = players.mask()

    def unknown(members: NDArray[np.bool_]) -> float:
        """``E Var[f | all but the members]`` (Jansen's difference)."""
        columns = np.flatnonzero(members @ mask)
        return 0.5 * float(np.mean((here - redrawn(columns)) ** 2)) if len(columns) else 0.0

    everything = redrawn(np.arange(d))
    both = np.concatenate([here, everything])
    variance = float(np.var(both))
    if not variance > 1e-24 * float(np.mean(both**2)):
        raise InputError(
            f"The output '{answering.target}' does not vary over the inputs, so there is nothing to share."
        )
    told: dict[str, Any] = {"variance": variance, "shapley": np.zeros(0)}
    alone = np.eye(k, dtype=bool)
    told["total"] = np.array([unknown(one) for one in alone]) / variance
    told["first"] = np.array([_first(here, redrawn(np.flatnonzero(~one @ mask))) for one in alone])
    if shapley:
        shares = _all_subsets(unknown, k) if k <= ALL_SUBSETS else _by_orders(unknown, k, seed)
        told["shapley"] = shares / max(float(shares.sum()), 1e-300)
    return told


def _first(here: Floats, there: Floats) -> float:
    """Share of the variance that two answers with a common input have in common (Janon's estimator)."""
    middle = 0.5 * float(np.mean(here + there))
    variance = 0.5 * float(np.mean(here**2 + there**2)) - middle**2
    return float((np.mean(here * there) - middle**2) / max(variance, 1e-300))


def _all_subsets(unknown: Callable[[NDArray[np.bool_]], float], k: int) -> Floats:
    subsets = (np.arange(2**k)[:, None] >> np.arange(k) & 1).astype(bool)
    cost = np.array([unknown(s) for s in subsets])
    told = np.zeros(k)
    for i in range(k):
        without = np.flatnonzero(~subsets[:, i])
        weight = np.array([1 / (k * comb(k - 1, int(s))) for s in subsets[without].sum(axis=1)])
        told[i] = weight @ (cost[without | (1 << i)] - cost[without])
    return told


def _by_orders(unknown: Callable[[NDArray[np.bool_]], float], k: int, seed: int) -> Floats:
    """Random orders and their reverses."""
    rng, told = np.random.default_rng(seed), np.zeros(k)
    for _ in range(ORDERS // 2):
        order = rng.permutation(k)
        for way in (order, order[::-1]):
            members, before = np.zeros(k, dtype=bool), 0.0
            for i in way:
                members[i] = True
                cost = unknown(members)
                told[i] += (cost - before) / ORDERS
                before = cost
    return told


def _told(values: Any) -> tuple[float, ...]:
    return tuple(float(v) for v in np.asarray(values))
