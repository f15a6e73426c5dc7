"""One call: what a fitted surrogate goes by on given rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan, sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.errors import InputError
from scalebridge.explain import effects as along
from scalebridge.explain.answering import Answering
from scalebridge.explain.copula import Copula
from scalebridge.explain.explanation import Explanation, Importance, ShapleyRows, relation_of
from scalebridge.explain.given import Given, given, learned_share
from scalebridge.explain.permutation import Held, Loss, permutation_importance
from scalebridge.explain.players import Players
from scalebridge.explain.scatter import error_of_mean
from scalebridge.explain.shapley import Shared, shapley_values
from scalebridge.explain.sobol import sobol_indices
from scalebridge.quantities import Floats

# Rows that are shuffled, and rows that are explained one by one, at most.
SHUFFLED, ONE_BY_ONE = 600, 100
# Inputs whose effects are drawn, the most important ones.
DRAWN = 12
# Components of the inputs from which single columns mean nothing: pixels are explained by maps.
MOST_COLUMNS = 1000
# Rank correlation from which two inputs are said to go together.
TIED = 0.5


def explain(
    surrogate: Any,
    data: Any = None,
    target: str | None = None,
    groups: ArrayLike | str | None = None,
    seed: int = 0,
    *,
    together: Mapping[str, Sequence[str]] | None = None,
    repeats: int = 5,
    indices: bool = False,
) -> Explanation:
    """Explain what a fitted surrogate goes by: importance, effects, single rows, in words.

    It is asked through its posterior alone, so that any surrogate can be explained.

    Args:
        surrogate: fitted; or a `Comparison`, whose best candidate is explained on the rows each fold held back.
        data: rows that it has not learned from: a dataset, a table with columns named as its inputs and outputs,
            ``(x, y)``, or ``x [n, d]`` alone, without which nothing is said of errors. By default the rows that it
            learned from, which is then said.
        target: output, by default the first.
        groups: ``[n]`` labels of rows that are not independent (trees, mixes), or the name of a column.
        seed: of every random choice.
        together: mapping from a label to inputs that are shuffled together; an array is one input anyway.
        repeats: shuffles of each input.
        indices: whether Sobol indices and Shapley effects of the rows' law are wanted too.

    Raises:
        InputError: no fitted surrogate, columns or an output that it does not have, fewer than five rows.
    """
    asked = _asked(surrogate, data, target, groups)
    answering, rows = asked.answering, asked.rows
    if len(rows) < 5:
        raise InputError(f"The explanation of '{asked.name}' got {len(rows)} rows; give at least five.")
    _check_columns(asked.name, rows.x.shape[1])
    players = Players.of(answering.surrogate.inputs, together)
    law = Copula.of(rows.x)
    chosen = _some(len(rows), ONE_BY_ONE, seed)
    shared = shapley_values(answering, rows.x[chosen], rows.x, players, seed=seed)
    shown = np.argsort(-np.abs(shared.values).mean(axis=0), kind="stable")[:DRAWN]
    drawn = _effects(answering, rows, players, law, sorted(set(shown.tolist()) & set(players.single)), seed)
    alike = {e.label: relation_of(e) for e in drawn if e.kind == "ale"}
    losses = _losses(asked, players, law, repeats, seed)
    importance = _importance(players, losses, shared, rows.units[chosen], law, alike, answering)
    found = sobol_indices(
        answering.surrogate, law, target=answering.target, together=together, points=256, replicates=4, seed=seed
    ) if indices else None  # fmt: skip
    return Explanation(
        asked.name,
        answering.target,
        answering.unit,
        len(rows),
        len(np.unique(rows.units)),
        asked.seen,
        _base(asked.held),
        seed,
        importance,
        drawn,
        _ties(players, law),
        players.labels,
        _rows(shared, rows.x[chosen], players),
        found,
        (*rows.notes, *asked.notes),
    )


def _check_columns(name: str, columns: int) -> None:
    if columns > MOST_COLUMNS:
        raise InputError(
            f"The surrogate '{name}' has {columns} components of inputs, which cannot be told one by one; explain "
            "images by sb.explain.integrated_gradients or grad_cam, or learn from fewer features."
        )


@dataclass(frozen=True)
class _Asked:
    """A surrogate, its rows, and the fits that had not seen them."""

    name: str
    answering: Answering
    rows: Given
    held: tuple[Held, ...]
    seen: float
    wider: float = 1.0
    notes: tuple[str, ...] = ()


def _asked(surrogate: Any, data: Any, target: str | None, groups: Any) -> _Asked:
    if hasattr(surrogate, "entries") and hasattr(surrogate, "splits"):
        return _of_comparison(surrogate, data, target, groups)
    answering = Answering.of(surrogate, target)
    rows = given(surrogate, data, groups)
    held = () if rows.y is None else (Held(answering, rows.x, rows.y[:, answering.output], rows.units),)
    return _Asked(surrogate.name, answering, rows, held, learned_share(answering, rows.x))


def _of_comparison(comparison: Any, data: Any, target: str | None, groups: Any) -> _Asked:
    """The best candidate, fitted anew on every fold: nothing is judged on rows that were learned from."""
    from scalebridge.learn.calibration.wrapped import fit_on
    from scalebridge.learn.held_out import overlap

    if data is not None or groups is not None:
        raise InputError(
            "A comparison has rows and groups of its own; leave data and groups out, or explain comparison.fitted."
        )
    best, known = comparison.best, comparison.data
    answering = Answering.of(comparison.fitted, target)
    held = []
    for split in comparison.splits:
        fitted = fit_on(best.surrogate, known, split.train)
        part = Answering(fitted, answering.output)
        held.append(Held(part, known.x[split.test], known.y[split.test, answering.output], best.units[split.test]))
    rows = Given(known.x, known.y, np.unique(best.units, return_inverse=True)[1].reshape(-1))
    note = f"Errors are those of {len(held)} folds, each on rows that its fit had not seen."
    return _Asked(best.name, answering, rows, tuple(held), 0.0, sqrt(overlap(comparison.splits)), (note,))


def _losses(asked: _Asked, players: Players, law: Copula, repeats: int, seed: int) -> tuple[Loss, ...]:
    """Of shuffling, and of drawing given the others; nothing where values are not known."""
    if not asked.held:
        return ()
    total = sum(len(h.x) for h in asked.held)
    held = [_thinned(h, SHUFFLED / total, seed) for h in asked.held] if total > SHUFFLED else list(asked.held)
    return tuple(
        permutation_importance(
            held, players, law=law, conditional=way, repeats=repeats, wider=asked.wider, seed=seed
        )
        for way in (False, True)
    )  # fmt: skip


def _base(held: tuple[Held, ...]) -> float:
    """Root mean square error on all rows; NaN where values are not known."""
    if not held:
        return nan
    return float(np.sqrt(np.mean(np.concatenate([(h.answering(h.x) - h.y) ** 2 for h in held]))))


def _thinned(held: Held, share: float, seed: int) -> Held:
    rows = _some(len(held.x), max(2, int(share * len(held.x))), seed)
    return Held(held.answering, held.x[rows], held.y[rows], held.units[rows])


def _some(n: int, most: int, seed: int) -> Any:
    """At most so many of ``n`` rows, in order."""
    return np.sort(np.random.default_rng(seed).permutation(n)[:most])


def _effects(
    answering: Answering, rows: Given, players: Players, law: Copula, shown: list[int], seed: int
) -> tuple[along.Effect, ...]:
    part = rows.kept(_some(len(rows), along.ROWS, seed))
    local, average = [], []
    for k in shown:
        column = int(players.columns[k][0])
        if len(np.unique(part.x[:, column])) < 2:
            continue
        told: dict[str, Any] = {"label": players.labels[k], "unit": players.units[k]}
        local.append(along.accumulated_local_effects(answering, part.x, column, part.units, **told))
        average.append(along.partial_dependence(answering, part.x, column, part.units, law=law, **told))
    return (*local, *average)


def _importance(
    players: Players,
    losses: tuple[Loss, ...],
    shared: Shared,
    units: Any,
    law: Copula,
    alike: Mapping[str, str],
    answering: Answering,
) -> tuple[Importance, ...]:
    size, error = np.abs(shared.values).mean(axis=0), error_of_mean(np.abs(shared.values), units)
    names = answering.surrogate.inputs.component_names
    shuffled, drawn = losses or (None, None)

    def of(loss: Loss | None, k: int) -> tuple[float, float, float]:
        return (nan, nan, nan) if loss is None else (float(loss.rise[k]), float(loss.error[k]), float(loss.p[k]))

    told = [
        Importance(
            label,
            players.units[k],
            tuple(names[i] for i in players.columns[k]),
            *of(shuffled, k),
            *of(drawn, k),
            nan if shuffled is None else float(shuffled.unlike[k]),
            float(size[k]),
            float(error[k]),
            told_by_others(law, players.columns[k]),
            alike.get(label, ""),
            nan if drawn is None else float(drawn.unlike[k]),
        )
        for k, label in enumerate(players.labels)
    ]
    return tuple(sorted(told, key=lambda e: -(e.shapley if np.isnan(e.rise) else e.rise)))


def told_by_others(law: Copula, columns: Any) -> float:
    """Share of the normal scores' variance that the other inputs tell, the largest over the columns."""
    kept = np.setdiff1d(np.arange(law.size), columns)
    if not len(kept):
        return 0.0
    beside = law.correlation[np.ix_(columns, kept)]
    told: Floats = np.sum(beside * np.linalg.solve(law.correlation[np.ix_(kept, kept)], beside.T).T, axis=1)
    return float(np.clip(told.max(), 0.0, 1.0))


def _ties(players: Players, law: Copula) -> tuple[tuple[str, str, float], ...]:
    found = []
    for i, a in enumerate(players.columns):
        for j in range(i + 1, len(players)):
            block = law.correlation[np.ix_(a, players.columns[j])]
            rho = float(block.flat[int(np.abs(block).argmax())])
            if abs(rho) >= TIED:
                found.append((players.labels[i], players.labels[j], rho))
    return tuple(sorted(found, key=lambda t: -abs(t[2])))


def _rows(shared: Shared, x: Floats, players: Players) -> ShapleyRows:
    inputs = np.full((len(x), len(players)), nan)
    for k in players.single:
        inputs[:, k] = x[:, players.columns[k][0]]

    def nested(values: Floats) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(row) for row in values.tolist())

    return ShapleyRows(
        nested(inputs), nested(shared.values), nested(shared.error), tuple(shared.prediction.tolist()), shared.expected,
        shared.exact, shared.gap,
    )  # fmt: skip
