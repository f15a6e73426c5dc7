"""A model in, a surrogate out: active learning driven through a campaign.

It stands in the bridge because it is the lowest room that may use both: `campaign` runs models and `learn` chooses
runs, and neither imports the other.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np

from scalebridge.campaign import Campaign, RunRecord, Store
from scalebridge.errors import InputError
from scalebridge.learn.active import Active
from scalebridge.learn.active_state import ActiveState
from scalebridge.models import Model, Surrogate, structure_of


@dataclass(frozen=True)
class Learned:
    """A surrogate, and what it took.

    Args:
        surrogate: fitted on every run that succeeded.
        error: estimated normalised root mean square error over the space (`Active.error`); an estimate of the
            surrogate by itself, corrected by how its latest predictions did.
        reason: why it stopped, in words.
        converged: whether that was the tolerance.
        runs: one record per run that was asked for.
        state: to go on from with the same `Active`.
    """

    surrogate: Surrogate
    error: float
    reason: str
    converged: bool
    runs: tuple[RunRecord, ...]
    state: ActiveState

    def __repr__(self) -> str:
        return f"Learned({len(self.runs)} runs, estimated error {self.error:.2g}: {self.reason})"


def learn_model(
    model: Model,
    *,
    tolerance: float | None = 0.01,
    budget: int = 200,
    space: Any = None,
    surrogate: str | Surrogate = "auto",
    acquisition: Any = "integrated_variance",
    batch: int = 1,
    store: Any = None,
    executor: Executor | str | None = None,
    timeout: float | None = None,
    seed: int = 0,
) -> Learned:
    """Run a model where a surrogate learns most from it, until its error is within a tolerance.

    With a ``store`` on disk every run is kept: the same call after a crash makes the same choices, reuses what was run
    and goes on.

    Args:
        model: what to learn.
        tolerance: of the estimated normalised root mean square error; None to spend the budget.
        budget: most runs, failed ones included.
        space: where to run it; by default its inputs, whose variables then need bounds.
        surrogate: unfitted, or a name; ``"auto"`` keeps the structure that the model declares, and else takes what
            suits the number of runs, their noise and their range, by rules alone.
        acquisition: what a run is worth; see `scalebridge.learn.acquisition`.
        batch: runs chosen at a time, as many as the executor works on at once.
        store: a `Store`, a directory, or None for memory.
        executor: where runs are made, as in `Campaign`.
        timeout: seconds that one run may take.
        seed: of every random choice.

    Raises:
        InputError: a space without bounds, numbers out of range, or a model of which too few runs succeed.
        StoreError: the store cannot be used.
    """
    loop = Active(_unfitted(model, surrogate, seed), space, acquisition, seed, tolerance=tolerance, budget=budget)
    ledger = store if isinstance(store, Store) else Store(store)
    try:
        with Campaign(model, ledger, executor, timeout, seed=seed) as campaign:
            state = _driven(loop, campaign, batch)
            return _learned(loop, state, campaign)
    finally:
        if ledger is not store:
            ledger.close()


def _unfitted(model: Model, surrogate: str | Surrogate, seed: int) -> Surrogate:
    if not isinstance(surrogate, str):
        return surrogate
    from scalebridge.learn.candidates import built

    # Every new run is a fit: nothing is cross-validated each time.
    options = {"tried": 1, "recalibrate": False, "seed": seed} if surrogate == "auto" else {}
    return built(surrogate, model.inputs, model.outputs, structure_of(model), **options)


def _driven(loop: Active, campaign: Campaign, batch: int) -> ActiveState:
    state = loop.init()
    while not loop.stop(state):
        x, state = loop.ask(state, batch)
        learning = loop.fitted(state) is not None
        why = "where the surrogate learns most" if learning else "spread over the space"
        runs = campaign.run(x, phase="learn", why=why)
        state = loop.tell(state, x, runs)
    return state


def _learned(loop: Active, state: ActiveState, campaign: Campaign) -> Learned:
    surrogate, error = loop.fitted(state), loop.error(state)
    if surrogate is None:
        reasons = [record.reason for record in campaign.records if record.reason]
        last = f"; the last reason: {reasons[-1]}" if reasons else ""
        raise InputError(
            f"The model '{campaign.model.name}' succeeded in {len(state.x)} of {len(campaign.records)} runs, too few "
            f"to learn from{last}. Give a budget above {loop.space.size + 1}, or the space where it runs."
        )
    converged = loop.tolerance is not None and bool(np.isfinite(error)) and error <= loop.tolerance
    return Learned(surrogate, error, loop.stop(state), converged, tuple(campaign.records), state)
