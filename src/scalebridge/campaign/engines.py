"""How a campaign carries out attempts: here, or on an executor."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from concurrent.futures import Executor, Future, as_completed
from typing import Any, Protocol

import numpy as np

from scalebridge.campaign.attempt import PackedModel, Task, carry_out
from scalebridge.campaign.executors import LocalProcessExecutor
from scalebridge.campaign.keys import seed_of
from scalebridge.campaign.ledger import Request
from scalebridge.campaign.rows import Result
from scalebridge.campaign.solving import Batch, SpotCheck, is_batched, solve_batch
from scalebridge.campaign.store import Store
from scalebridge.errors import InputError, StoreError
from scalebridge.models.model import Model
from scalebridge.models.supervisor import Outcome, run_supervised


class Engine(Protocol):
    """Carries out one attempt per request and publishes what is finished."""

    def attempt(self, requests: Sequence[Request]) -> Generator[tuple[int, Result], None, None]:
        """Yield ``(index of the request, result)`` as attempts end, in any order."""

    def close(self) -> None:
        """End the processes it started."""


class Batches:
    """Turns requests into batches, keeps the spot checks, and stops batching once one disagrees."""

    def __init__(self, model: Model, store: Store, seed: int, checked: bool) -> None:
        self.together = is_batched(model)
        self.spot_checks: list[SpotCheck] = []
        self._model = model
        self._store = store
        self._seed = seed
        self._checked = checked
        self._stochastic = bool(getattr(model, "stochastic", False))

    def of(self, requests: Sequence[Request]) -> Batch:
        """The batch of some requests."""
        x = np.array([r.x for r in requests], dtype=np.float64).reshape(len(requests), -1)
        keys = tuple(r.key for r in requests)
        seeds = tuple(seed_of(key) for key in keys) if self._stochastic else None
        return Batch(keys, x, seeds, self.together, self._checked, self._seed)

    def take(self, check: SpotCheck | None, size: int) -> None:
        """Keep a spot check of a batch of ``size`` rows."""
        if check is None:
            return
        self.spot_checks.append(check)
        if not check.agreed:
            self.together = False
            self._store.note(
                f"A batch of {size} rows of '{self._model.name}' was not accepted: one row solved by itself differs by "
                f"{check.difference:.1e} of its size; the batch was solved again row by row, as all later ones will be."
            )


class InProcess:
    """Runs the model in this process: whole batches where the model solves rows together, else row by row."""

    def __init__(self, model: Model, store: Store, batches: Batches) -> None:
        self._model = model
        self._store = store
        self._batches = batches

    def attempt(self, requests: Sequence[Request]) -> Generator[tuple[int, Result], None, None]:
        """Yield results in order; a row that is finished is published before the next one starts."""
        start = 0
        while start < len(requests):
            group = requests[start:] if self._batches.together else requests[start : start + 1]
            for i, result in enumerate(self._carry_out(group)):
                yield start + i, result
            start += len(group)

    def close(self) -> None:
        """Nothing was started."""

    def _carry_out(self, group: Sequence[Request]) -> list[Result]:
        tokens = self._store.claim(group)
        try:
            results, check = solve_batch(self._model, self._batches.of(group))
            _publish(self._store, group, tokens, results)
        except BaseException as error:
            _break_off(self._store, tokens, error)
            raise
        self._batches.take(check, len(group))
        return results


class OnExecutor:
    """Runs attempts as tasks of an executor; with a store on disk the workers record what they finish.

    Args:
        owned: the executor was made for this campaign, which ends it; its model runs in batches.
        timeout: seconds per row, enforced in the task itself, so that it holds on any executor.
        isolate: whether a task runs in a process of its own.
    """

    def __init__(
        self,
        model: Model,
        store: Store,
        batches: Batches,
        executor: Executor,
        owned: bool,
        timeout: float | None,
        isolate: bool,
    ) -> None:
        self._store = store
        self._batches = batches
        self._executor = executor
        self._owned = owned
        self._timeout = timeout
        self._isolate = isolate or timeout is not None
        self._packed = PackedModel.of(model)

    def attempt(self, requests: Sequence[Request]) -> Generator[tuple[int, Result], None, None]:
        """Yield results as tasks end; a batch that dies or hangs is taken apart, so that one row spoils no other."""
        tokens = self._store.claim(requests, queued=True)
        every = list(range(len(requests)))
        single = self._owned and getattr(self._executor, "max_workers", 0) == 1
        groups = [every] if single and self._batches.together and every else [[i] for i in every]
        futures: dict[Future[Any], list[int]] = {}
        settled: set[int] = set()
        try:
            while groups:
                futures = {self._submit(requests, tokens, group): group for group in groups}
                groups = []
                for future in as_completed(futures):
                    group = futures[future]
                    results = self._results(requests, tokens, group, _outcome_of(future))
                    if results is None:
                        groups += [[i] for i in group]
                        continue
                    settled.update(group)
                    yield from zip(group, results, strict=True)
        except BaseException as error:
            begun = self._stop(futures)
            _break_off(self._store, [tokens[i] for i in every if i in begun - settled], error)
            _cancel(self._store, [tokens[i] for i in every if i not in begun | settled])
            raise

    def close(self) -> None:
        """End the executor if it was made for this campaign."""
        if self._owned:
            self._executor.shutdown(cancel_futures=True)

    def _submit(self, requests: Sequence[Request], tokens: Sequence[int], group: Sequence[int]) -> Future[Any]:
        batch = self._batches.of([requests[i] for i in group])
        directory = self._store.directory
        task = Task(
            self._packed,
            batch,
            tuple(tokens[i] for i in group),
            None if directory is None else str(directory.absolute()),
            self._store.epoch,
        )
        timeout = None if self._timeout is None else self._timeout * len(group)
        if isinstance(self._executor, LocalProcessExecutor):
            return self._executor.submit_supervised(timeout, carry_out, task)
        if self._isolate:
            return self._executor.submit(run_supervised, carry_out, (task,), timeout)
        return self._executor.submit(carry_out, task)

    def _results(
        self, requests: Sequence[Request], tokens: Sequence[int], group: Sequence[int], outcome: Outcome
    ) -> list[Result] | None:
        """Publish what a task finished; None where a whole batch came to nothing and must be taken apart."""
        if isinstance(outcome.error, (InputError, StoreError)):
            raise outcome.error
        mine = [tokens[i] for i in group]
        if outcome.status == "ok":
            results, check = outcome.value
            self._batches.take(check, len(group))
        else:
            lost = Result(None, outcome.status, outcome.reason, outcome.seconds / len(group))
            results = [lost] * len(group)
        # What a worker recorded counts, also when it died before it could answer.
        recorded = [self._store.collect(token) for token in mine]
        results = [
            r if row is None else Result(row, "ok", "", row.cost_s) for r, row in zip(results, recorded, strict=True)
        ]
        if len(group) > 1 and outcome.status != "ok" and not any(r.row is not None for r in results):
            return None
        open_ = [k for k, row in enumerate(recorded) if row is None]
        _publish(
            self._store, [requests[group[k]] for k in open_], [mine[k] for k in open_], [results[k] for k in open_]
        )
        return results

    def _stop(self, futures: dict[Future[Any], list[int]]) -> set[int]:
        """Cancel what has not begun, end the rest; return which requests had begun."""
        begun = {i for future, group in futures.items() if not future.cancel() for i in group}
        if isinstance(self._executor, LocalProcessExecutor):
            self._executor.interrupt()
        for future in futures:
            # What runs on somebody else's executor cannot be ended from here, and is waited for.
            with contextlib.suppress(BaseException):
                future.result()
        return begun


def _outcome_of(future: Future[Any]) -> Outcome:
    try:
        value = future.result()
    except InputError:
        raise
    except Exception as error:
        return Outcome("failed", None, f"{type(error).__name__}: {error}", error=error)
    return value if isinstance(value, Outcome) else Outcome("ok", value)


def _publish(store: Store, requests: Sequence[Request], tokens: Sequence[int], results: Sequence[Result]) -> None:
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


def _break_off(store: Store, tokens: Sequence[int], error: BaseException) -> None:
    """Keep what was recorded before an exception, end the other attempts."""
    status = "failed" if isinstance(error, Exception) else "interrupted"
    # A store that cannot be written any more is what is being reported already.
    with contextlib.suppress(StoreError):
        for token in tokens:
            if store.collect(token) is None:
                store.settle(token, status, f"{type(error).__name__}: {error}")


def _cancel(store: Store, tokens: Sequence[int]) -> None:
    with contextlib.suppress(StoreError):
        for token in tokens:
            store.settle(token, "cancelled", "its campaign ended before it began")
