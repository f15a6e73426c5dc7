"""Where work runs: executors of the standard library's kind."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from queue import SimpleQueue
from typing import Any, TypeVar

from scalebridge.errors import InfrastructureError, InputError, did_you_mean
from scalebridge.models.supervisor import Outcome, SupervisedProcess

T = TypeVar("T")
ENTRY_POINTS = "scalebridge.executors"
# Read when the numerical libraries are loaded: workers share the cores instead of each taking all.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class WorkerDied(InfrastructureError):
    """The process of a call ended, or was ended, before the call did."""


class InProcessExecutor(Executor):
    """Runs every call at once, in the thread that submits it."""

    def __init__(self) -> None:
        self._closed = False

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run ``fn`` now; return a future that is done."""
        if self._closed:
            raise RuntimeError("the executor has been shut down and takes no more calls")
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls."""
        self._closed = True


class LocalProcessExecutor(Executor):
    """Runs calls in supervised processes of this machine, which are kept between calls.

    A call whose process dies gets a `WorkerDied` with its reason, the next call a new process; nothing
    hangs. The processes end with this one, also when it is killed.

    Args:
        max_workers: how many at once; by default the number of cores.
        timeout: seconds that any call may take.

    Raises:
        InputError: fewer than one worker.
    """

    def __init__(self, max_workers: int | None = None, timeout: float | None = None) -> None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self.max_workers = cores if max_workers is None else int(max_workers)
        if self.max_workers < 1:
            raise InputError(f"An executor was given max_workers={max_workers}; give 1 or more.")
        self._timeout = timeout
        threads = str(max(1, cores // self.max_workers))
        self._crew = _Crew(self.max_workers, {name: threads for name in _THREADS if name not in os.environ})
        self._end = weakref.finalize(self, self._crew.shutdown, False)

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run ``fn`` in a worker; the future has its value, its exception, or `WorkerDied`."""
        call = _call_with if kwargs else fn
        outcome = self.submit_supervised(self._timeout, call, *((fn, args, kwargs) if kwargs else args))
        return _value_of(outcome)

    def submit_supervised(self, timeout: float | None, fn: Callable[..., Any], /, *args: Any) -> Future[Outcome]:
        """Run ``fn`` in a worker; the future has an `Outcome`, whatever happens to the worker."""
        return self._crew.submit(_Call(fn, args, timeout))

    def interrupt(self) -> None:
        """End the processes of all calls under way; their outcome is ``failed``."""
        self._crew.interrupt()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls and end the processes once the calls are done."""
        self._crew.shutdown(wait, cancel_futures)


def executor_named(name: str) -> Executor:
    """Return an executor by name: ``in-process``, ``processes``, or an entry point of `scalebridge.executors`.

    Raises:
        InputError: no such executor.
    """
    if name == "in-process":
        return InProcessExecutor()
    if name == "processes":
        return LocalProcessExecutor()
    found = {e.name: e for e in entry_points(group=ENTRY_POINTS)}
    if name not in found:
        raise InputError(
            f"The executor '{name}' is not known{did_you_mean(name, ['in-process', 'processes', *sorted(found)])}"
        )
    made = found[name].load()()
    if not isinstance(made, Executor):
        raise InputError(f"The executor '{name}' is a {type(made).__name__}; it must be a concurrent.futures.Executor.")
    return made


@dataclass
class _Call:
    function: Callable[..., Any]
    args: tuple[Any, ...]
    timeout: float | None
    future: Future[Outcome] = field(default_factory=Future)


class _Crew:
    """Threads, each with a process of its own; knows nothing of the executor, so that this can be collected."""

    def __init__(self, size: int, environment: dict[str, str]) -> None:
        self._size = size
        self._environment = environment
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._processes: set[SupervisedProcess] = set()
        self._idle = threading.Semaphore(0)
        # Re-entrant: the collector may finalise the executor in the middle of a guarded section.
        self._guard = threading.RLock()
        self._closed = False
        self._ending = False

    def submit(self, call: _Call) -> Future[Outcome]:
        with self._guard:
            if self._closed:
                raise RuntimeError("the executor has been shut down and takes no more calls")
            self._calls.put(call)
            if not self._idle.acquire(blocking=False) and len(self._threads) < self._size:
                # Each process lives and ends with the thread that started it.
                thread = threading.Thread(target=self._work, daemon=True, name="scalebridge-worker")
                self._threads.append(thread)
                thread.start()
        return call.future

    def interrupt(self) -> None:
        with self._guard:
            for process in self._processes:
                process.interrupt()

    def shutdown(self, wait: bool = True, cancel_futures: bool = True) -> None:
        with self._guard:
            first, self._closed = not self._closed, True
            if cancel_futures:
                while not self._calls.empty():
                    if (call := self._calls.get()) is not None:
                        call.future.cancel()
                        call.future.set_running_or_notify_cancel()
            if first or cancel_futures:
                for _ in self._threads:
                    self._calls.put(None)
        if not wait:
            with self._guard:
                self._ending = True
                self.interrupt()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()

    def _work(self) -> None:
        process: SupervisedProcess | None = None
        try:
            while (call := self._calls.get()) is not None:
                if call.future.set_running_or_notify_cancel():
                    process = self._answer(call, process)
                del call
                self._idle.release()
        finally:
            self._end(process)

    def _answer(self, call: _Call, process: SupervisedProcess | None) -> SupervisedProcess | None:
        try:
            if process is None or not process.alive:
                self._end(process)
                process = SupervisedProcess(self._environment)
                with self._guard:
                    self._processes.add(process)
                    if self._ending:
                        process.interrupt()
            outcome = process.call(call.function, call.args, call.timeout)
        except BaseException as error:
            call.future.set_exception(error)
            return process
        if outcome.died:
            self._end(process)
            process = None
        call.future.set_result(outcome)
        return process

    def _end(self, process: SupervisedProcess | None) -> None:
        if process is not None:
            with self._guard:
                self._processes.discard(process)
            process.close()


def _call_with(function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
    return function(*args, **kwargs)


def _value_of(outcome: Future[Outcome]) -> Future[Any]:
    """A future of the value, from a future of the outcome; cancelling it cancels the call."""
    value: Future[Any] = Future()

    def resolve(done: Future[Outcome]) -> None:
        if done.cancelled():
            value.cancel()
        if not value.set_running_or_notify_cancel():
            return
        if (error := done.exception()) is not None:
            value.set_exception(error)
        elif (result := done.result()).status == "ok":
            value.set_result(result.value)
        else:
            value.set_exception(result.error or WorkerDied(result.reason))

    outcome.add_done_callback(resolve)
    value.add_done_callback(lambda v: outcome.cancel() if v.cancelled() else None)
    return value
