"""What it costs to lose an input: the error on rows held back, with its values shuffled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.explain.answering import Answering
from scalebridge.explain.copula import Copula
from scalebridge.explain.players import Players
from scalebridge.explain.scatter import above_zero, error_of_mean, holm
from scalebridge.quantities import Floats

REPEATS = 10
# Shuffled rows farther out than this share of the true ones are called unlike anything seen.
COMMON = 0.99
ROUNDING = 1e-9


@dataclass(frozen=True)
class Held:
    """Rows that a fitted surrogate has not seen.

    Args:
        answering: the surrogate's output.
        x: ``[n, d]``.
        y: values seen there ``[n]``.
        units: ``[n]`` labels of rows that are not independent, common to all parts.
    """

    answering: Answering
    x: Floats
    y: Floats
    units: NDArray[np.int64]


@dataclass(frozen=True)
class Loss:
    """What losing each of ``k`` inputs does to the root mean square error.

    Args:
        base: the error with all inputs, in the output's unit.
        rise: ``[k]``, by which share the error rises.
        error: ``[k]``, standard error of that, from rows, groups and repeats.
        p: ``[k]``, that so large a rise comes by chance, corrected for ``k`` inputs (Holm).
        unlike: ``[k]``, share of the rows asked at that are unlike any combination seen, as far as the law tells: a
            normal copula misses dependence that turns.
    """

    base: float
    rise: Floats
    error: Floats
    p: Floats
    unlike: Floats


def permutation_importance(
    parts: Sequence[Held],
    players: Players,
    *,
    law: Copula | None = None,
    conditional: bool = False,
    repeats: int = REPEATS,
    wider: float = 1.0,
    seed: int = 0,
) -> Loss:
    """Shuffle the columns of each player among the rows held back and see how the error rises.

    A row takes its values from a row of another unit, of whichever part: what is the same in a whole unit, or in all
    that a fold holds back, is lost too.

    Args:
        parts: surrogates with their rows; one per fold of a cross-validation, or one alone.
        players: columns that are shuffled together.
        law: of the inputs; by default from the rows.
        conditional: draw the columns given the others in place of shuffling them: what they alone know.
        repeats: shuffles of each.
        wider: factor of the standard error, for folds that share what they learned from.
        seed: of the shuffles.

    Raises:
        InputError: fewer than two rows, a surrogate without any error, fewer than two repeats.

    Source: L. Breiman, Random forests (2001); A. Fisher, C. Rudin and F. Dominici, All models are wrong, but many are
    useful (2019); C. Strobl et al., Conditional variable importance for random forests (2008).
    """
    x, units = np.concatenate([p.x for p in parts]), np.concatenate([p.units for p in parts])
    if len(x) < 2 or repeats < 2:
        raise InputError(
            f"A permutation importance got {len(x)} rows and {repeats} repeats; give at least two of each."
        )
    law = Copula.of(x) if law is None else law
    base = np.concatenate([(p.answering(p.x) - p.y) ** 2 for p in parts])
    if not base.mean() > 0:
        raise InputError("The surrogate makes no error on these rows; give rows that it has not learned from.")
    far = float(np.quantile(law.strangeness(x), COMMON))
    rise, error, unlike = np.zeros((3, len(players)))
    for k in range(len(players)):
        lost, drawn = _lost(
            parts, x, units, players.columns[k], law, conditional, [[seed, k, r] for r in range(repeats)]
        )
        unlike[k] = float(np.mean(law.strangeness(drawn) > far * (1 + ROUNDING)))
        rise[k], error[k] = _ratio(lost, base, units)
    error *= wider
    count = len(np.unique(units))
    p = holm([above_zero(r, e, count) for r, e in zip(rise, error, strict=True)])
    return Loss(float(np.sqrt(base.mean())), rise, error, p, unlike)


def _lost(
    parts: Sequence[Held],
    x: Floats,
    units: NDArray[np.int64],
    columns: NDArray[np.int64],
    law: Copula,
    conditional: bool,
    seeds: Sequence[Sequence[int]],
) -> tuple[Floats, Floats]:
    """Squared errors ``[r, n]`` with columns lost, and the rows asked at; each fit is asked once for all repeats."""
    rngs = [np.random.default_rng(seed) for seed in seeds]
    changed = np.stack([_changed(x, units, columns, law, conditional, rng) for rng in rngs])
    ends = np.cumsum([len(part.x) for part in parts])
    lost, drawn = [], []
    for part, own in zip(parts, np.split(changed, ends[:-1], axis=1), strict=True):
        rows = own.reshape(-1, x.shape[1])
        lost.append((part.answering(rows).reshape(len(rngs), -1) - part.y) ** 2)
        drawn.append(rows)
    return np.concatenate(lost, axis=1), np.concatenate(drawn)


def _changed(
    x: Floats,
    units: NDArray[np.int64],
    columns: NDArray[np.int64],
    law: Copula,
    conditional: bool,
    rng: np.random.Generator,
) -> Floats:
    if conditional and len(columns) < x.shape[1]:
        return _redrawn(x, columns, law, rng)
    changed = x.copy()
    changed[:, columns] = x[_of_other_units(units, rng)][:, columns]
    return changed


def _of_other_units(units: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """For each row ``[n]`` one of another unit, by chance; any order of the rows where there is one unit alone."""
    if (units == units[0]).all():
        return rng.permutation(len(units))
    taken = rng.integers(len(units), size=len(units))
    while (own := units[taken] == units).any():
        taken[own] = rng.integers(len(units), size=int(own.sum()))
    return taken


def _redrawn(x: Floats, columns: NDArray[np.int64], law: Copula, rng: np.random.Generator) -> Floats:
    noise = rng.standard_normal((len(x), len(columns)))
    drawn = law.values(law.redrawn(law.scores(x), columns, noise))
    changed = x.copy()
    # Columns that are kept stay what they are to the last bit.
    changed[:, columns] = drawn[:, columns]
    return changed


def _ratio(lost: Floats, base: Floats, units: NDArray[np.int64]) -> tuple[float, float]:
    """``sqrt(mean lost / mean base) - 1`` and its standard error by linearisation, of ``lost [r, n], base [n]``."""
    each, a, b = lost.mean(axis=0), float(lost.mean()), float(base.mean())
    ratio = float(np.sqrt(a / b))
    if a == 0:
        return -1.0, 0.0
    # An input that is not used changes nothing but the last bits, and these always the same way.
    if abs(ratio - 1) < ROUNDING:
        return 0.0, 0.0
    by_rows = float(error_of_mean(0.5 * ratio * (each / a - base / b), units))
    by_shuffles = 0.5 * ratio * float(np.std(lost.mean(axis=1), ddof=1)) / a / np.sqrt(len(lost))
    return ratio - 1, float(np.hypot(by_rows, by_shuffles))
