"""Executors, isolation and timeouts: a crash, a hang or a dead worker is a failed row, and the campaign goes on."""

from __future__ import annotations

import concurrent.futures
import contextlib
import ctypes
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import psutil
import pytest

import scalebridge as sb
from scalebridge.campaign import Campaign, InProcessExecutor, LocalProcessExecutor, Store, WorkerDied
from scalebridge.campaign.attempt import PackedModel, Task, carry_out
from scalebridge.campaign.ledger import Request
from scalebridge.campaign.locks import FileLock, lock_path
from scalebridge.campaign.solving import Batch
from scalebridge.testing import FakeModel

SCALE = 10.0


def children() -> set[int]:
    found = set()
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            # The standard library's pools share one process of their own until the end.
            if "resource_tracker" not in " ".join(process.cmdline()):
                found.add(process.pid)
    return found


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    before = children()
    yield
    gc.collect()
    deadline = time.monotonic() + 5
    while left := children() - before:
        assert time.monotonic() < deadline, f"processes left behind: {left}"
        time.sleep(0.02)


@sb.model(inputs={"a": "1"}, outputs={"y": "1", "pid": "1"})
def moody(a: float) -> dict[str, float]:
    if a == 1.0:
        ctypes.string_at(0)
    if a == 2.0:
        os._exit(7)
    if a == 3.0:
        time.sleep(600)
    if a == 4.0:
        os.kill(os.getpid(), signal.SIGKILL)
    if a == 5.0:
        raise RuntimeError("no equilibrium")
    if a == 6.0:
        return {"y": float("nan"), "pid": 0.0}
    return {"y": SCALE * a, "pid": float(os.getpid())}


@sb.model(inputs={"a": "1"}, outputs={"y": "1"}, batched=True)
def moody_batch(a: Any) -> dict[str, Any]:
    if np.any(a == 1.0):
        os.abort()
    if np.any(a == 3.0):
        time.sleep(600)
    return {"y": a + len(a) * 1e-6}


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path):
    with Store(None if request.param == "memory" else tmp_path / "store") as made:
        yield made


def check_moods(runs: sb.Runs) -> None:
    assert runs.status.tolist() == ["ok", "failed", "failed", "timeout", "failed", "failed", "failed", "ok"]
    for row, words in enumerate(["", "SIGSEGV", "exit code 7", "no answer within", "SIGKILL", "no equilibrium"]):
        assert words in runs.reason[row]
    assert runs.reason[6] == "a value is not finite"
    assert np.array_equal(runs.values[[0, 7], 0], [0.0, 70.0]) and os.getpid() not in runs.values[[0, 7], 1]


def test_crashes_hangs_and_exits_are_failed_rows_in_isolation(store: Store) -> None:
    with Campaign(moody, store, timeout=1.0, retries=0) as campaign:
        check_moods(campaign.run(np.arange(8.0)[:, None], phase="p", why="w"))
        assert [r.cost_s >= 1.0 for r in campaign.records] == [i == 3 for i in range(8)]
    assert len(store) == 2


def test_crashes_hangs_and_exits_are_failed_rows_on_worker_processes(store: Store) -> None:
    with LocalProcessExecutor(2) as executor, Campaign(moody, store, executor, timeout=1.0, retries=0) as campaign:
        check_moods(campaign.run(np.arange(8.0)[:, None], phase="p", why="w"))
        assert campaign.run(np.arange(20.0, 30.0)[:, None], phase="p", why="workers are still there").ok.all()
        assert [r.x for r in campaign.records] == [(float(a),) for a in (*range(8), *range(20, 30))]


def test_a_batch_that_dies_or_hangs_is_taken_apart(store: Store) -> None:
    with Campaign(moody_batch, store, timeout=0.5, retries=0) as campaign:
        whole = campaign.run(np.array([[5.0], [6.0]]), phase="p", why="w")
        assert np.array_equal(whole.values[:, 0], [5.0 + 2e-6, 6.0 + 2e-6])
        crashed = campaign.run(np.array([[7.0], [1.0], [8.0]]), phase="p", why="w")
        hung = campaign.run(np.array([[9.0], [3.0]]), phase="p", why="w")
    assert crashed.status.tolist() == ["ok", "failed", "ok"] and "SIGABRT" in crashed.reason[1]
    assert hung.status.tolist() == ["ok", "timeout"]


def test_a_dead_worker_is_replaced_and_its_row_tried_again(tmp_path: Path) -> None:
    flag = str(tmp_path / "flag")

    @sb.model(inputs={"a": "1"}, outputs={"y": "1"})
    def dies_once(a: float) -> dict[str, float]:
        if not os.path.exists(flag):
            with open(flag, "w"):
                pass
            os.kill(os.getpid(), signal.SIGKILL)
        return {"y": a}

    with Campaign(dies_once, isolate=True) as campaign:
        assert campaign.run(np.ones((1, 1)), phase="p", why="w").ok.all()
        assert campaign.records[0].attempts == 2


def test_a_wrong_shape_in_a_worker_is_the_users_mistake_as_well(store: Store) -> None:
    @sb.model(inputs={"a": "1"}, outputs={"y": "1"})
    def wrong(a: float) -> dict[str, Any]:
        return {"y": [a, a]}

    with Campaign(wrong, store, isolate=True) as campaign, pytest.raises(sb.InputError, match="gave 'y' in the shape"):
        campaign.run(np.ones((2, 1)), phase="p", why="w")


def test_a_model_that_cannot_travel_is_refused_by_its_name() -> None:
    lock = threading.Lock()

    @sb.model(inputs={"a": "1"}, outputs={"y": "1"})
    def locked(a: float) -> dict[str, float]:
        with lock:
            return {"y": a}

    with pytest.raises(sb.InputError, match="The model 'locked' cannot be sent to a process"):
        Campaign(locked, isolate=True)


def test_a_model_in_a_file_that_cannot_be_imported_travels_with_what_it_uses(tmp_path: Path) -> None:
    import importlib.util

    (tmp_path / "law.py").write_text(
        "import scalebridge as sb\nE = 3.0\n\ndef helper(a):\n    return E * a\n\n"
        "@sb.model(inputs={'a': '1'}, outputs={'y': '1'})\ndef law(a):\n    return {'y': helper(a)}\n"
    )
    spec = importlib.util.spec_from_file_location("law_of_a_study", tmp_path / "law.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["law_of_a_study"] = module
    spec.loader.exec_module(module)
    try:
        with Campaign(module.law, isolate=True) as campaign:
            assert campaign.run(np.array([[2.0]]), phase="p", why="w").values == 6.0
    finally:
        del sys.modules["law_of_a_study"]


@pytest.mark.parametrize("kind", ["threads", "spawned processes", "in-process executor", "in-process", "processes"])
def test_any_executor_of_the_standard_kind_will_do(store: Store, kind: str) -> None:
    context = multiprocessing.get_context("spawn")
    executors: dict[str, Any] = {
        "threads": lambda: concurrent.futures.ThreadPoolExecutor(2),
        "spawned processes": lambda: concurrent.futures.ProcessPoolExecutor(1, mp_context=context),
        "in-process executor": InProcessExecutor,
    }
    executor = executors[kind]() if kind in executors else kind
    with Campaign(moody, store, executor, retries=0) as campaign:
        runs = campaign.run(np.array([[0.0], [7.0], [5.0]]), phase="p", why="w")
        assert runs.status.tolist() == ["ok", "ok", "failed"] and len(store) == 2
        assert campaign.run(np.array([[7.0]]), phase="p", why="w").values[0, 0] == 70.0
    if kind in executors:
        executor.shutdown()
    if store.directory is not None:
        store.close()
        assert [p.name for p in (store.directory / "locks").iterdir()] == []


def test_timeouts_hold_on_somebody_elses_executor() -> None:
    with (
        concurrent.futures.ThreadPoolExecutor(2) as executor,
        Campaign(moody, executor=executor, timeout=0.5, retries=0) as campaign,
    ):
        runs = campaign.run(np.array([[3.0], [0.0], [1.0]]), phase="p", why="w")
    assert runs.status.tolist() == ["timeout", "ok", "failed"]


def test_a_broken_pool_is_a_failed_row_and_no_hang() -> None:
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as executor:
        runs = Campaign(moody, executor=executor, retries=0).run(np.array([[4.0]]), phase="p", why="w")
    assert runs.status.tolist() == ["failed"] and "BrokenProcessPool" in runs.reason[0]


def test_control_c_ends_the_workers_and_keeps_what_they_finished(tmp_path: Path) -> None:
    with Store(tmp_path) as store, LocalProcessExecutor(1) as executor, Store.open(tmp_path, read_only=True) as viewer:
        seen: list[list[str]] = []

        def interrupt() -> None:
            # On a busy machine the workers take their time; whatever happens, the signal must come.
            try:
                for _ in range(100):
                    seen[:] = [[a.status for a in viewer.attempts()]]
                    if seen == [["ok", "ok", "running", "queued"]]:
                        break
                    time.sleep(0.1)
            finally:
                os.kill(os.getpid(), signal.SIGINT)

        campaign = Campaign(moody, store, executor)
        timer = threading.Timer(0.5, interrupt)
        timer.start()
        start = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            campaign.run(np.array([[10.0], [11.0], [3.0], [12.0]]), phase="p", why="w")
        timer.join()
        assert time.monotonic() - start < 20
        assert seen == [["ok", "ok", "running", "queued"]]
        assert len(store) == len(campaign.records) == 2
        assert [a.status for a in store.attempts()] == ["ok", "ok", "interrupted", "cancelled"]


def test_an_attempt_of_an_earlier_writer_does_not_begin(tmp_path: Path) -> None:
    x = np.array([[7.0]])
    with Store(tmp_path) as store:
        tokens = tuple(store.claim([Request("k" * 64, "m", (7.0,), 0, "p", "w")]))
        task = Task(PackedModel.of(moody), Batch(("k" * 64,), x), tokens, str(tmp_path), store.epoch)
    with Store(tmp_path) as store:
        (result,), _ = carry_out(task)
        assert result.status == "failed" and "fenced" in result.reason
        assert list((tmp_path / "arrays").iterdir()) == []
        assert [a.status for a in store.attempts()] == ["interrupted"]


def test_a_new_writer_ends_a_stopped_worker_of_the_last_one_and_takes_up_what_it_recorded(tmp_path: Path) -> None:
    # Three attempts of a dead writer: recorded by its worker, in the hands of a stopped process, not begun.
    with Store(tmp_path) as store:
        done, stuck, _ = store.claim([Request(c * 64, "m", (7.0,), 0, "p", "w") for c in "abc"], queued=True)
        task = Task(PackedModel.of(moody), Batch(("a" * 64,), np.array([[7.0]])), (done,), str(tmp_path), store.epoch)
        carry_out(task)
        script = (
            "import os, signal\nfrom pathlib import Path\nfrom scalebridge.campaign.locks import FileLock\n"
            f"lock = FileLock(Path({str(lock_path(tmp_path, stuck))!r})); print(1, flush=True)\n"
            "os.kill(os.getpid(), signal.SIGSTOP)\n"
        )
        worker = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
        assert worker.stdout is not None
        worker.stdout.readline()
    with Store(tmp_path) as store:
        assert worker.wait(timeout=10) == -signal.SIGKILL
        worker.stdout.close()
        assert [a.status for a in store.attempts()] == ["ok", "interrupted", "cancelled"]
        assert store.lookup(["a" * 64])["a" * 64].values[0] == 70.0


def test_a_lock_is_not_taken_twice(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    with pytest.raises(BlockingIOError):
        FileLock(tmp_path / "lock")
    lock.release(unlink=True)
    assert not (tmp_path / "lock").exists()


def test_futures_of_worker_processes_keep_the_standard_contract() -> None:
    with LocalProcessExecutor(2) as executor:
        assert executor.submit(divmod, 7, 2).result() == (3, 1)
        assert executor.submit(sorted, [1, 3, 2], reverse=True).result() == [3, 2, 1]
        assert list(executor.map(abs, [-1, -2])) == [1, 2]
        with pytest.raises(ZeroDivisionError):
            executor.submit(divmod, 1, 0).result()
        with pytest.raises(WorkerDied, match="SIGSEGV"):
            executor.submit(ctypes.string_at, 0).result()
        slow = [executor.submit(time.sleep, 0.2) for _ in range(2)]
        late = executor.submit(time.sleep, 0.0)
        assert late.cancel() and late.cancelled()
        assert [f.result() for f in slow] == [None, None]
    with pytest.raises(RuntimeError, match="shut down"):
        executor.submit(abs, 1)
    with pytest.raises(sb.InputError, match="max_workers=0"):
        LocalProcessExecutor(0)


def test_an_executor_that_is_dropped_ends_its_processes_in_the_middle_of_a_call(tmp_path: Path) -> None:
    def hang(path: str) -> None:
        with open(path, "w"):
            time.sleep(600)

    executor = LocalProcessExecutor(1)
    future = executor.submit(hang, str(tmp_path / "begun"))
    while not (tmp_path / "begun").exists():
        time.sleep(0.01)
    del executor
    gc.collect()
    with pytest.raises(WorkerDied):
        future.result(timeout=10)


def test_in_process_futures_are_done_when_submitted() -> None:
    executor = InProcessExecutor()
    assert executor.submit(divmod, 7, 2).result(timeout=0) == (3, 1)
    assert isinstance(executor.submit(divmod, 1, 0).exception(timeout=0), ZeroDivisionError)


def test_a_campaign_that_is_dropped_ends_the_processes_it_started() -> None:
    campaign = Campaign(moody, isolate=True)
    runs = campaign.run(np.array([[7.0]]), phase="p", why="w")
    assert psutil.pid_exists(int(runs.values[0, 1]))
    del campaign
    gc.collect()
    deadline = time.monotonic() + 5
    while psutil.pid_exists(int(runs.values[0, 1])) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not psutil.pid_exists(int(runs.values[0, 1]))


def test_a_model_that_uses_a_built_in_function_sends_nothing_of_python_by_value() -> None:
    class Counting(FakeModel):
        functions = (len, sum)

    PackedModel.of(Counting())
    assert "builtins" not in cloudpickle.list_registry_pickle_by_value()
