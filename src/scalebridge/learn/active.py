"""Active learning as ask and tell: which runs to make next, in a loop that is yours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.learn.acquisition.choosing import choose, named
from scalebridge.learn.acquisition.outlook import options_of
from scalebridge.learn.active_state import ActiveState
from scalebridge.models import Runs, Surrogate
from scalebridge.quantities import Floats, Space
from scalebridge.quantities.cube import Cube

OWNER = "Active learning"
# Two points of the unit cube nearer than this are the same place.
SAME_PLACE = 1e-9
# The surrogate's own deviation is corrected by how it did on this many of the latest runs.
LATEST_RUNS = 10
# Fewer predictions than these say nothing about the deviation.
FEWEST_RUNS = 5
# Points at which the error is estimated.
JUDGES = 1024


@dataclass(frozen=True)
class Active:
    """Chooses runs for a surrogate. A frozen configuration; what is known so far goes in and out as `ActiveState`.

    ::

        loop = sb.Active(sb.learn.GaussianProcess(inputs, outputs), tolerance=0.01)
        state = loop.init()
        while not loop.stop(state):
            x, state = loop.ask(state, 4)
            state = loop.tell(state, x, simulate(x))
        surrogate = loop.fitted(state)

    The first runs are Sobol points; the others are chosen by the acquisition among fresh Sobol points (and, where it
    has a goal, points around the best run). Runs that were asked for and not told yet, and places where a run failed,
    count as decided: no run is asked for there again, nor next to them. The same state always asks for the same runs.

    Args:
        surrogate: unfitted, built from its spaces; fitted anew on all runs after each telling.
        space: where runs may be made: the surrogate's inputs with bounds for each; by default those of the surrogate.
        acquisition: an acquisition of `scalebridge.learn.acquisition`, or the name of one that needs no options.
        seed: of the Sobol points.
        start: runs before the acquisition chooses; by default twice one more than the number of components.
        tolerance: stop when the estimated error is at most this (see `error`); None for no such end.
        budget: stop when so many runs were asked for, failed ones included; None for no such end.
        candidates: how many points are looked at, or ``[c, d]``: the only ones that can be run.
        reference: how many Sobol points stand for the space.
        log: True for a logarithmic scale on every variable, or the names of those that have one.

    Raises:
        InputError: a space without bounds or unlike the surrogate's inputs, no such acquisition, numbers out of range.
    """

    surrogate: Any
    space: Any = None
    acquisition: Any = "integrated_variance"
    seed: int = 0
    start: int | None = None
    tolerance: float | None = None
    budget: int | None = None
    candidates: Any = 128
    reference: int = 64
    log: bool | Sequence[str] = ()

    def __post_init__(self) -> None:
        cube = Cube(self.surrogate.inputs if self.space is None else self.space, self.log, OWNER)
        if cube.space.component_names != self.surrogate.inputs.component_names:
            raise InputError(
                f"{OWNER} got the space of {', '.join(cube.space.component_names)} for a surrogate of "
                f"{', '.join(self.surrogate.inputs.component_names)}; give the same variables in the same order."
            )
        object.__setattr__(self, "space", cube.space)
        object.__setattr__(self, "acquisition", named(self.acquisition))
        start = 2 * (cube.size + 1) if self.start is None else self.start
        object.__setattr__(self, "start", _count(start, "start"))
        object.__setattr__(self, "reference", _count(self.reference, "reference"))
        object.__setattr__(self, "candidates", _pool(self.candidates, cube.space))
        if self.budget is not None:
            _count(self.budget, "budget")
        if self.tolerance is not None and not 0 < self.tolerance < np.inf:
            raise InputError(f"{OWNER} was given tolerance = {self.tolerance}; give a positive number, as 0.01.")

    def init(self) -> ActiveState:
        """The state before any run."""
        return ActiveState.empty(self.space.size, self.surrogate.outputs.size)

    def ask(self, state: ActiveState, n: int = 1) -> tuple[Floats, ActiveState]:
        """Runs to make next, ``[n, d]``, and the state in which they are under way.

        Fewer come back where the budget or the candidates given end; none where they have ended.

        Raises:
            InputError: ``n`` is no whole number of at least 1.
        """
        n = _count(n, "n")
        if self.budget is not None:
            n = min(n, self.budget - state.spent)
        surrogate = self.fitted(state)
        waiting = n if surrogate is None else min(n, max(_number(self.start) - state.spent, 0))
        first = self._spread(state, waiting)
        state = replace(state, pending=np.concatenate([state.pending, first]), asked=state.asked + len(first))
        rest = np.zeros_like(first[:0])
        if surrogate is not None and n > waiting:
            rest = self._best(state, surrogate, n - waiting)
        x = np.concatenate([first, rest])
        return x, replace(state, pending=np.concatenate([state.pending, rest]), asked=state.asked + len(rest))

    def tell(
        self, state: ActiveState, x: ArrayLike, y: Runs | ArrayLike, noise_std: ArrayLike | None = None
    ) -> ActiveState:
        """The state that knows what the runs at ``x [b, d]`` returned.

        Args:
            state: the state so far.
            x: inputs; asked for or not, in any order.
            y: what a model returned, `Runs`, or values ``[b, m]`` in which a row that is not finite has failed.
            noise_std: deviation of the values ``[b, m]``, or one number for all.

        Raises:
            InputError: another value for a place that is known without noise.
            ShapeError: arrays that do not fit.
        """
        x, values, noise = self._checked(x, y, noise_std)
        ok = np.isfinite(values).all(axis=1)
        failed = np.concatenate([state.failed, x[~ok]])
        pending = state.pending[~self._same(state.pending, x)]
        new = self._unknown(state, x, values, noise) & ok
        told = replace(
            state,
            x=np.concatenate([state.x, x[new]]),
            y=np.concatenate([state.y, values[new]]),
            noise_std=np.concatenate([state.noise_std, noise[new]]),
            pending=pending,
            # A place that has succeeded since is no failure.
            failed=failed[~self._same(failed, x[ok])],
            surprise=np.concatenate([state.surprise, self._surprise(state, x[new], values[new], noise[new])]),
            surrogate=None,
        )
        return replace(told, surrogate=self.fitted(told))

    def fitted(self, state: ActiveState) -> Surrogate | None:
        """The surrogate fitted on the runs so far; None before there is one run more than components."""
        known: Surrogate | None = state.surrogate
        if known is None and len(state.x) > self.space.size:
            known = self.surrogate.fit(state.x, state.y, state.noise_std)
        return known

    def error(self, state: ActiveState) -> float:
        """Estimated normalised root mean square error of the surrogate over the space, the largest of the outputs.

        The root of the mean variance over the reference points, by the deviation of the mean over them; multiplied, by
        what it was too small for the latest 10 runs, each predicted before it was told (never divided). An estimate
        by the surrogate of itself: verify on runs of your own where it matters. Infinite before 5 such runs.
        """
        surrogate = self.fitted(state)
        if surrogate is None or len(state.surprise) < FEWEST_RUNS:
            return float("inf")
        posterior = surrogate.posterior(self._points(JUDGES, 0))
        spread = np.maximum(posterior.mean.std(axis=0), 1e-12 * np.abs(posterior.mean).max() + 1e-300)
        factor = np.sqrt(np.mean(state.surprise[-LATEST_RUNS:] ** 2, axis=0))
        return float(np.max(np.maximum(factor, 1.0) * np.sqrt(np.mean(posterior.std**2, axis=0)) / spread))

    def stop(self, state: ActiveState) -> str:
        """Why to stop, in words; an empty text to go on."""
        if self.tolerance is not None and (error := self.error(state)) <= self.tolerance:
            return f"the estimated error of {error:.2g} is within the tolerance of {self.tolerance:g}"
        if self.budget is not None and state.spent >= self.budget and not len(state.pending):
            return f"the budget of {self.budget} runs is spent"
        if not isinstance(self.candidates, int) and not len(self._free(state)) and not len(state.pending):
            return f"all {len(self.candidates)} candidates have been run"
        return ""

    @property
    def _cube(self) -> Cube:
        return Cube(self.space, self.log, OWNER)

    def _spread(self, state: ActiveState, n: int) -> Floats:
        """The next ``n`` points of the Sobol sequence, or the candidates nearest to them."""
        u = _sobol(self.space.size, state.asked, n, self.seed)
        if isinstance(self.candidates, int):
            return self._cube.to_space(u)
        pool = list(self._free(state))
        at = self._cube.to_unit(np.array(pool)) if pool else np.zeros((0, self.space.size))
        chosen: list[int] = []
        for point in u[: len(pool)]:
            gap = np.linalg.norm(at - point, axis=1)
            gap[chosen] = np.inf
            chosen.append(int(np.argmin(gap)))
        return np.array([pool[i] for i in chosen]).reshape(-1, self.space.size)

    def _best(self, state: ActiveState, surrogate: Surrogate, n: int) -> Floats:
        pool = self._free(state) if not isinstance(self.candidates, int) else self._fresh(state, surrogate)
        if not len(pool):
            return pool
        decided = np.concatenate([state.pending, state.failed])
        picked = choose(
            self.acquisition,
            surrogate,
            pool,
            n,
            reference=self._points(self.reference, state.asked),
            decided=decided if len(decided) else None,
        )
        return pool[picked]

    def _fresh(self, state: ActiveState, surrogate: Surrogate) -> Floats:
        """Sobol points of the whole space; half of them around the best run where there is a goal."""
        u = _sobol(self.space.size, 0, _number(self.candidates), [self.seed, state.asked, 1])
        best = options_of(self.acquisition)["best"]
        if best is not None:
            centre = self._cube.to_unit(state.x[[best(state.y, surrogate.outputs)]])
            rng = np.random.default_rng([self.seed, state.asked, 2])
            reach = 10 ** rng.uniform(-3.0, -0.5, (len(u) // 2, 1))
            u[: len(u) // 2] = np.clip(centre + reach * rng.standard_normal((len(u) // 2, u.shape[1])), 0.0, 1.0)
        x = self._cube.to_space(u)
        return x[~self._same(x, state.visited)]

    def _free(self, state: ActiveState) -> Floats:
        pool: Floats = self.candidates
        return pool[~self._same(pool, state.visited)]

    def _points(self, n: int, asked: int) -> Floats:
        """Sobol points that stand for the space, others each time: runs fitted to a few must not be judged by them."""
        return self._cube.to_space(_sobol(self.space.size, 0, n, [self.seed, asked, 3]))

    def _same(self, x: Floats, others: Floats) -> NDArray[np.bool_]:
        """Which of ``x [n, d]`` stand where one of ``others`` stands."""
        if not len(x) or not len(others):
            return np.zeros(len(x), dtype=np.bool_)
        from scipy.spatial import cKDTree

        gap, _ = cKDTree(self._cube.to_unit(others)).query(self._cube.to_unit(x))
        return np.asarray(gap < SAME_PLACE, dtype=np.bool_)

    def _unknown(self, state: ActiveState, x: Floats, y: Floats, noise: Floats) -> NDArray[np.bool_]:
        """Which rows say something new: a run without noise told twice is one run."""
        from scipy.spatial import cKDTree

        kept = np.ones(len(x), dtype=np.bool_)
        before = np.flatnonzero((state.noise_std == 0).all(axis=1))
        exact = np.flatnonzero((noise == 0).all(axis=1) & np.isfinite(y).all(axis=1))
        places = np.concatenate([state.x[before], x[exact]])
        values = np.concatenate([state.y[before], y[exact]])
        if not len(exact):
            return kept
        scale = np.abs(values).max(axis=0)
        for i, j in sorted(cKDTree(self._cube.to_unit(places)).query_pairs(SAME_PLACE)):
            if j < len(before):
                continue
            kept[exact[j - len(before)]] = False
            if (np.abs(values[i] - values[j]) > 1e-9 * scale).any():
                raise InputError(
                    f"{OWNER} was told {values[j].tolist()} at {places[j].tolist()}, where {values[i].tolist()} is "
                    "known; a run that gives other values at the same place has noise: give noise_std."
                )
        return kept

    def _surprise(self, state: ActiveState, x: Floats, y: Floats, noise: Floats) -> Floats:
        """Errors in units of the deviation predicted ``[b, m]``, at runs that the surrogate had not seen."""
        surrogate = self.fitted(state)
        if surrogate is None or not len(x):
            return np.zeros((0, y.shape[1]))
        posterior = surrogate.posterior(x)
        std = np.sqrt(posterior.std**2 + noise**2)
        surprise: Floats = (y - posterior.mean) / np.maximum(std, 1e-12 * np.abs(y).max() + 1e-300)
        return surprise

    def _checked(self, x: ArrayLike, y: Runs | ArrayLike, noise_std: ArrayLike | None) -> tuple[Floats, Floats, Floats]:
        rows = self.space.check(x, OWNER)
        if not np.isfinite(rows).all():
            raise InputError(f"{OWNER} was told of an input that is not finite; leave that row out.")
        if isinstance(y, Runs):
            noise_std = y.noise_std if noise_std is None else noise_std
            y = y.values
        values = self.surrogate.outputs.check(y, OWNER)
        if len(values) != len(rows):
            raise ShapeError(f"{OWNER} was told {len(values)} values for {len(rows)} inputs; give one row for each.")
        try:
            noise = np.broadcast_to(np.asarray(0.0 if noise_std is None else noise_std, dtype=np.float64), values.shape)
        except (TypeError, ValueError) as error:
            raise ShapeError(
                f"{OWNER} got a noise_std that does not fit values {values.shape}; give one each."
            ) from error
        noise = np.where(np.isfinite(values).all(axis=1)[:, None], noise, 0.0)
        if not (np.isfinite(noise).all() and (noise >= 0).all()):
            raise InputError(f"{OWNER} got a noise_std that is negative or not finite; give deviations of at least 0.")
        return rows, values, noise


def _sobol(d: int, start: int, n: int, seed: Any) -> Floats:
    from scipy.stats import qmc

    if n <= 0:
        return np.zeros((0, d))
    rng = np.random.default_rng(seed)
    u: Floats = qmc.Sobol(d, rng=rng).random_base2((start + n - 1).bit_length())[start : start + n]
    return u


def _count(n: Any, what: str) -> int:
    if isinstance(n, bool) or not isinstance(n, Integral) or int(n) < 1:
        raise InputError(f"{OWNER} was given {what} = {n!r}; give a whole number of at least 1.")
    return int(n)


def _number(value: Any) -> int:
    return int(value)


def _pool(candidates: Any, space: Space) -> Any:
    if np.ndim(candidates) == 0:
        return _count(candidates, "candidates")
    pool = space.check(candidates, f"{OWNER}, in its candidates,")
    outside = ~np.isfinite(pool).all(axis=1) | ~space.inside(pool)
    if outside.any() or not len(pool):
        raise InputError(
            f"{OWNER} got {int(outside.sum())} of {len(pool)} candidates outside the bounds of its space; "
            "give at least one, all inside."
        )
    return pool
