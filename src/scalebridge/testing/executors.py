"""The conformance suite of an executor: any `concurrent.futures.Executor` on which a campaign is to run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np

import scalebridge as sb
from scalebridge.campaign import Campaign
from scalebridge.models import FunctionModel
from scalebridge.testing.demand import demand
from scalebridge.testing.fakes import FakeModel, count_lines

WAIT_S = 60.0


def check_executor(factory: Callable[[], Executor], *, wait_s: float = WAIT_S) -> None:
    """Check that an executor keeps its contract; raise `AssertionError` with one sentence where it does not.

    Values, arrays and exceptions come back; calls past its width queue; after shutdown it refuses. A campaign
    on it runs each row once, records failures with their reasons, a crash and a timeout as failed rows that
    spoil no other, and carries functions that were defined in a notebook.

    Args:
        factory: makes a new executor at every call.
        wait_s: seconds after which a call counts as hanging.
    """
    with factory() as executor:
        demand(
            isinstance(executor, Executor), f"{type(executor).__name__} is no concurrent.futures.Executor; derive it."
        )
        _check_calls(executor, wait_s)
        _check_shutdown(factory(), wait_s)
        _check_campaign(executor)
        _check_isolation(executor)


def _check_calls(executor: Executor, wait_s: float) -> None:
    future = executor.submit(pow, 2, 5)
    demand(isinstance(future, Future), f"submit returned a {type(future).__name__}; return a Future.")
    demand(_value(future, wait_s) == 32, "A call did not return its value.")
    demand(_value(executor.submit(int, "11", base=3), wait_s) == 4, "A call did not get its keyword arguments.")
    array = np.sqrt(np.arange(1e5))
    demand(np.array_equal(_value(executor.submit(np.negative, array), wait_s), -array), "An array came back changed.")
    raising = executor.submit(int, "no number")
    error = raising.exception(wait_s)
    demand(
        isinstance(error, ValueError) and "no number" in str(error),
        f"A call that raised ValueError ended in {error!r}; the exception must come back.",
    )
    many = [executor.submit(abs, -i) for i in range(50)]
    demand([_value(f, wait_s) for f in many] == list(range(50)), "Fifty calls did not return their own values.")
    demand(list(executor.map(abs, [-1, -2, -3])) == [1, 2, 3], "map does not keep the order.")


def _check_campaign(executor: Executor) -> None:
    x = np.linspace(-1.0, 1.0, 5)[:, None]
    with tempfile.TemporaryDirectory() as folder:
        log = str(Path(folder) / "log")
        model = FakeModel(log=log, fail_above=0.6)
        with Campaign(model, executor=executor, retries=1, spot_check=False) as campaign:
            runs = campaign.run(x, phase="check", why="executor")
            campaign.run(x[:4], phase="check", why="again")
        demand(
            np.allclose(runs.values[:4], np.sin(x[:4]) + x[:4]) and runs.ok.tolist() == [True] * 4 + [False],
            "A campaign on the executor returned other values than the model.",
        )
        demand(
            runs.reason[4] == "the solver did not converge",
            f"A failed row came back with the reason '{runs.reason[4]}'.",
        )
        demand(count_lines(log) == 6, f"Five rows, one of them tried twice, were run {count_lines(log)} times.")
    with Campaign(_notebook_model(3.0), executor=executor) as campaign:
        runs = campaign.run(x, phase="check", why="closure")
        demand(bool(np.all(runs.values == 3 * x)), "A function that closes over a value was not carried as it is.")


def _check_isolation(executor: Executor) -> None:
    x = np.array([[-1.0], [1.0], [-2.0]])
    with Campaign(FakeModel(crash_above=0.0), executor=executor, retries=0, isolate=True) as campaign:
        runs = campaign.run(x, phase="check", why="crash")
    demand(
        runs.status.tolist() == ["ok", "failed", "ok"],
        f"A row that ends its process beside two that do not came back as {runs.status.tolist()}.",
    )
    demand(bool(runs.reason[1]), "A crashed row came back without its reason.")
    with Campaign(FakeModel(seconds=60.0), executor=executor, retries=0, timeout=0.5) as campaign:
        runs = campaign.run(x[:1], phase="check", why="timeout")
    demand(runs.status.tolist() == ["timeout"], f"A row that hangs came back as {runs.status.tolist()}.")
    with Campaign(FakeModel(), executor=executor) as campaign:
        demand(bool(campaign.run(x, phase="check", why="after").ok.all()), "The executor is unusable after a crash.")


def _check_shutdown(executor: Executor, wait_s: float) -> None:
    running = executor.submit(abs, -1)
    executor.shutdown(wait=True)
    demand(running.done() and _value(running, wait_s) == 1, "shutdown(wait=True) did not wait for a call.")
    try:
        executor.submit(abs, -1)
    except RuntimeError:
        return
    raise AssertionError("The executor takes calls after shutdown; raise RuntimeError.")


def _value(future: Future[Any], wait_s: float) -> Any:
    try:
        return future.result(wait_s)
    except TimeoutError as error:
        raise AssertionError(f"A call did not end within {wait_s:g} s.") from error


def _notebook_model(factor: float) -> FunctionModel:
    @sb.model(inputs={"x": "1"}, outputs={"y": "1"})
    def scaled(x: float) -> dict[str, float]:
        return {"y": factor * x}

    return scaled
