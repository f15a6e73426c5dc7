"""The loop that runs a model: reuse, retry, record."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from scalebridge.campaign.engines import Batches, Engine, InProcess, OnExecutor
from scalebridge.campaign.executors import InProcessExecutor, LocalProcessExecutor, executor_named
from scalebridge.campaign.keys import run_keys
from scalebridge.campaign.ledger import Request
from scalebridge.campaign.rows import Result, Row, runs_of
from scalebridge.campaign.solving import SpotCheck
from scalebridge.campaign.store import Store
from scalebridge.errors import InputError, ShapeError
from scalebridge.models.model import Model
from scalebridge.models.runs import Runs
from scalebridge.quantities import Floats


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One requested row: what was asked, why, and what became of it.

    Args:
        key: key of the run in the store.
        x: inputs ``(d,)``.
        y: outputs ``(m,)``; None where the run is not ``ok``.
        phase: part of the algorithm that asked.
        why: its reason, for people.
        status: ``ok``, ``failed``, ``timeout`` or ``outside``.
        reason: why it is not ``ok``.
        cost_s: seconds of the model, over all attempts; of the stored run where it was reused.
        replicate: which repeat of the same input.
        reused: nothing was run, the store (or the same request) had it.
        attempts: how often the model was run for this request.
    """

    key: str
    x: tuple[float, ...]
    y: tuple[float, ...] | None
    phase: str
    why: str
    status: str
    reason: str
    cost_s: float
    replicate: int
    reused: bool
    attempts: int


class Campaign:
    """Runs a model where it is asked to, each row once, and keeps a record of every request.

    Args:
        model: what to run.
        store: where runs are kept; None for memory.
        executor: None or ``"in-process"``, ``"processes"``, the name of an installed executor, or any
            `concurrent.futures.Executor`.
        timeout: seconds that one row may take; it then runs in a supervised process that is ended.
        retries: how often a failed row is tried again before it is recorded as failed.
        isolate: run rows in a supervised process, so that a crash is a failed row. Without it a model
            that ends its process ends the campaign; the store then still holds every finished run.
        seed: chooses the rows of spot checks.
        on_run: called with the `RunRecord` of each row when it is known, in the order of completion.
        spot_check: solve one row of every accepted batch of a deterministic model by itself.
    """

    def __init__(
        self,
        model: Model,
        store: Store | None = None,
        executor: Executor | str | None = None,
        timeout: float | None = None,
        retries: int = 2,
        isolate: bool = False,
        seed: int = 0,
        on_run: Callable[[RunRecord], None] | None = None,
        spot_check: bool = True,
    ) -> None:
        if retries < 0:
            raise InputError(f"A campaign was given retries={retries}; give 0 or more.")
        if timeout is not None and not timeout > 0:
            raise InputError(f"A campaign was given timeout={timeout}; give seconds above 0, or None for no limit.")
        if store is not None and not isinstance(store, Store):
            raise InputError(f"A campaign was given store={store!r}; give Store({str(store)!r}), or None for memory.")
        self.model = model
        self.store = Store() if store is None else store
        self.records: list[RunRecord] = []
        self._retries = retries
        self._on_run = on_run
        self._model_key = self.store.register(model.identity())
        self._batches = Batches(model, self.store, seed, spot_check)
        self._engine = self._engine_for(executor, timeout, isolate)

    def run(self, x: Floats, *, phase: str, why: str | Sequence[str], replicate: int = 0) -> Runs:
        """Return runs at ``x [b, d]``: stored ones reused, the others run, failed ones tried again.

        Args:
            x: inputs ``[b, d]``.
            phase: part of the algorithm that asks.
            why: its reason, one for all rows or one per row.
            replicate: 0, 1, ...: another repeat of the same inputs is another run.

        Raises:
            InputError: inputs of the wrong shape or not finite; a model that breaks its own declaration.
            StoreError: the store cannot be read or written.
        """
        x = self.model.inputs.check(x, f"The campaign of '{self.model.name}'")
        self._check_finite(x)
        requests = self._requests(x, phase, why, replicate)
        progress = _Progress(requests, self._on_run)
        try:
            progress.reuse(self.store.lookup([r.key for r in requests]))
            for _ in range(self._retries + 1):
                todo = progress.unfinished()
                if not todo:
                    break
                with contextlib.closing(self._engine.attempt(todo)) as ends:
                    for i, result in ends:
                        progress.attempted(todo[i].key, result)
            progress.give_up()
        finally:
            self.records += progress.records()
        return runs_of(progress.results(), self.model.outputs.size)

    @property
    def spot_checks(self) -> list[SpotCheck]:
        """Rows of accepted batches that were solved once more by themselves, with their cost."""
        return self._batches.spot_checks

    def close(self) -> None:
        """End the processes this campaign started; the store stays open."""
        self._engine.close()

    def __enter__(self) -> Campaign:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Campaign({self.model.name!r}, {len(self.records)} rows asked for, {self.store!r})"

    def _engine_for(self, executor: Executor | str | None, timeout: float | None, isolate: bool) -> Engine:
        owned = executor is None or isinstance(executor, str)
        if isinstance(executor, str):
            executor = executor_named(executor)
        if executor is None or isinstance(executor, InProcessExecutor):
            if timeout is None and not isolate:
                return InProcess(self.model, self.store, self._batches)
            executor, owned = LocalProcessExecutor(max_workers=1), True
        if not isinstance(executor, Executor):
            raise InputError(
                f"A campaign was given a {type(executor).__name__} as executor; give 'in-process', 'processes' or a "
                "concurrent.futures.Executor."
            )
        return OnExecutor(self.model, self.store, self._batches, executor, owned, timeout, isolate)

    def _check_finite(self, x: Floats) -> None:
        bad = np.argwhere(~np.isfinite(x))
        if len(bad):
            i, j = bad[0]
            raise InputError(
                f"The campaign of '{self.model.name}' was asked for {self.model.inputs.component_names[j]} = {x[i, j]} "
                f"in row {i}; every input must be a finite number."
            )

    def _requests(self, x: Floats, phase: str, why: str | Sequence[str], replicate: int) -> list[Request]:
        reasons = [why] * len(x) if isinstance(why, str) else list(why)
        if len(reasons) != len(x):
            raise ShapeError(f"A campaign got {len(reasons)} reasons for {len(x)} rows; give one text or one per row.")
        keys = run_keys(self._model_key, x, replicate)
        rows = x.tolist()
        return [
            Request(key, self._model_key, tuple(row), replicate, phase, reason)
            for key, row, reason in zip(keys, rows, reasons, strict=True)
        ]


class _Progress:
    """Where the rows of one request stand."""

    def __init__(self, requests: Sequence[Request], on_run: Callable[[RunRecord], None] | None) -> None:
        self._requests = requests
        self._on_run = on_run
        self._results: dict[str, Result] = {}
        self._attempts: dict[str, int] = {}
        self._cost: dict[str, float] = {}
        self._places: dict[str, list[int]] = {}
        for i, request in enumerate(requests):
            self._places.setdefault(request.key, []).append(i)
        self._records: list[RunRecord | None] = [None] * len(requests)

    def reuse(self, found: Mapping[str, Row]) -> None:
        """Take the runs that are stored."""
        for key in self._places:
            if (row := found.get(key)) is not None:
                self._results[key] = Result(row, "ok", "", row.cost_s)
                self._record(key)

    def attempted(self, key: str, result: Result) -> None:
        """Take the end of an attempt; a failed one stays open for another."""
        self._results[key] = result
        self._attempts[key] = self._attempts.get(key, 0) + 1
        self._cost[key] = self._cost.get(key, 0.0) + result.cost_s
        if result.status != "failed":
            self._record(key)

    def unfinished(self) -> list[Request]:
        """One request per row that has no result yet, or a failed one."""
        return [
            self._requests[places[0]]
            for key, places in self._places.items()
            if key not in self._results or self._results[key].status == "failed"
        ]

    def give_up(self) -> None:
        """Record the rows that kept failing."""
        for request in self.unfinished():
            self._record(request.key)

    def results(self) -> list[Result]:
        """One result per row, in order."""
        return [self._results[r.key] for r in self._requests]

    def records(self) -> list[RunRecord]:
        """The records so far, in order."""
        return [r for r in self._records if r is not None]

    def _record(self, key: str) -> None:
        result, attempts = self._results[key], self._attempts.get(key, 0)
        y = None if result.row is None else tuple(result.row.values.tolist())
        for number, i in enumerate(self._places[key]):
            r = self._requests[i]
            reused = attempts == 0 or number > 0
            cost = self._cost.get(key, result.cost_s)
            record = RunRecord(
                key, r.x, y, r.phase, r.why, result.status, result.reason, cost, r.replicate, reused, attempts
            )
            self._records[i] = record
            if self._on_run is not None:
                self._on_run(record)
