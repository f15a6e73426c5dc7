"""check_executor passes our executors and the standard library's, and catches planted faults."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from scalebridge.campaign import InProcessExecutor, LocalProcessExecutor
from scalebridge.testing import check_executor

EXECUTORS: dict[str, Callable[[], Executor]] = {
    "local processes": lambda: LocalProcessExecutor(2),
    "threads of the standard library": lambda: ThreadPoolExecutor(2),
}


@pytest.mark.parametrize("name", EXECUTORS)
def test_an_executor_keeps_the_contract(name: str) -> None:
    check_executor(EXECUTORS[name])


def test_the_executor_in_process_keeps_the_contract() -> None:
    check_executor(InProcessExecutor)


class Eager(Executor):
    """Runs calls at once, with one fault, by name."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.closed = False

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        if self.closed and self.fault != "takes calls after shutdown":
            raise RuntimeError("shut down")
        if self.fault == "no future":
            return fn(*args, **kwargs)
        future: Future[Any] = Future()
        if self.fault == "hangs" and fn is abs:
            return future
        if self.fault == "drops keywords":
            kwargs = {}
        if self.fault == "single precision":
            args = tuple(a.astype(np.float32) if isinstance(a, np.ndarray) else a for a in args)
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            wrapped = RuntimeError("a call failed") if self.fault == "hides exceptions" else error
            future.set_exception(wrapped)
        if self.fault == "runs twice" and getattr(fn, "__name__", "") == "carry_out":
            fn(*args, **kwargs)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.closed = True


FAULTS = {
    "no future": "return a Future",
    "hangs": "did not end within 1 s",
    "drops keywords": "invalid literal|keyword arguments",
    "single precision": "An array came back changed",
    "hides exceptions": "the exception must come back",
    "runs twice": "were run 12 times",
    "takes calls after shutdown": "takes calls after shutdown",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(fault: str) -> None:
    with pytest.raises((AssertionError, ValueError), match=FAULTS[fault]):
        check_executor(lambda: Eager(fault), wait_s=1.0)


def test_what_is_no_executor_is_told_so() -> None:
    class Context:
        def __enter__(self) -> Context:
            return self

        def __exit__(self, *error: object) -> None:
            return None

    with pytest.raises(AssertionError, match=r"is no concurrent\.futures\.Executor"):
        check_executor(Context)
