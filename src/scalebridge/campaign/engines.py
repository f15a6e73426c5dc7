"""How a campaign carries out attempts: here, or on an executor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from scalebridge.campaign.keys import seed_of
from scalebridge.campaign.ledger import Request
from scalebridge.campaign.rows import Result
from scalebridge.campaign.solving import SpotCheck, is_batched, solve_singly, solve_together, spot_check
from scalebridge.campaign.store import Store
from scalebridge.models.model import Model
from scalebridge.quantities import Floats


class Engine(Protocol):
    """Carries out one attempt per request and publishes what is finished."""

    def attempt(self, requests: Sequence[Request]) -> Iterator[tuple[int, Result]]:
        """Yield ``(index of the request, result)`` as attempts end, in any order."""

    def close(self) -> None:
        """End the processes it started."""


@dataclass
class InProcess:
    """Runs the model in this process: whole batches where the model solves rows together, else row by row."""

    model: Model
    store: Store
    seed: int = 0
    checked: bool = True
    spot_checks: list[SpotCheck] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._together = is_batched(self.model)

    def attempt(self, requests: Sequence[Request]) -> Iterator[tuple[int, Result]]:
        """Yield results in order; rows that are finished are published before anything else happens."""
        size = len(requests) if self._together else 1
        for start in range(0, len(requests), max(size, 1)):
            group = requests[start : start + size]
            for i, result in enumerate(self._carry_out(group)):
                yield start + i, result

    def close(self) -> None:
        """Nothing was started."""

    def _carry_out(self, group: Sequence[Request]) -> list[Result]:
        tokens = self.store.claim(group)
        try:
            results = self._solve(group)
            publish(self.store, group, tokens, results)
        except BaseException as error:
            for token in tokens:
                if self.store.collect(token) is None:
                    self.store.settle(token, "interrupted", f"{type(error).__name__}: {error}")
            raise
        return results

    def _solve(self, group: Sequence[Request]) -> list[Result]:
        x, seeds = inputs_of(group), seeds_of(self.model, group)
        if not self._together:
            return solve_singly(self.model, x, seeds)
        results = solve_together(self.model, x, seeds)
        if not self.checked or len(group) == 1 or seeds is not None:
            return results
        check = spot_check(self.model, x, [r.key for r in group], results, self.seed)
        if check is None:
            return results
        self.spot_checks.append(check)
        if check.agreed:
            return results
        self._together = False
        self.store.note(
            f"A batch of {len(group)} rows of '{self.model.name}' was not accepted: one row solved by itself differs "
            f"by {check.difference:.1e} of its size; the batch was solved again row by row, as all later ones will be."
        )
        return solve_singly(self.model, x, seeds)


def inputs_of(requests: Sequence[Request]) -> Floats:
    """The inputs ``[b, d]`` of requests."""
    return np.array([r.x for r in requests], dtype=np.float64).reshape(len(requests), -1)


def seeds_of(model: Model, requests: Sequence[Request]) -> tuple[int, ...] | None:
    """Seeds of a stochastic model, one per row, from the keys; None for any other."""
    if not getattr(model, "stochastic", False):
        return None
    return tuple(seed_of(r.key) for r in requests)


def publish(store: Store, requests: Sequence[Request], tokens: Sequence[int], results: Sequence[Result]) -> None:
    """Publish the finished rows, end the other attempts."""
    finished = [
        (request.key, token, result.row)
        for request, token, result in zip(requests, tokens, results, strict=True)
        if result.row is not None
    ]
    if finished:
        store.publish(finished)
    for token, result in zip(tokens, results, strict=True):
        if result.row is None:
            store.settle(token, result.status, result.reason, result.cost_s)
