"""The run loop: reuse, retry, record, spot checks, interruption."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.campaign import Campaign, RunRecord, Store
from scalebridge.models import FunctionModel


def counted(batched: bool = False, fault: Callable[[Any], None] = lambda a: None) -> tuple[FunctionModel, list[Any]]:
    calls: list[Any] = []

    def product(a: Any, b: Any) -> dict[str, Any]:
        calls.append(a)
        fault(a)
        return {"y": a * b}

    return sb.model(inputs={"a": "1", "b": "1"}, outputs={"y": "1"}, batched=batched)(product), calls


X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path):
    with Store(None if request.param == "memory" else tmp_path / "store") as made:
        yield made


def test_the_words_of_an_exception_that_no_file_can_hold_fail_the_row(store: Store) -> None:
    def fault(a: Any) -> None:
        raise RuntimeError("no 'caf\udce9.dat'")

    campaign = Campaign(counted(fault=fault)[0], store, retries=0)
    runs = campaign.run(X[:1], phase="start", why="corners")
    assert runs.status.tolist() == ["failed"] and runs.reason[0].endswith("no 'caf?.dat'")


def test_a_path_in_place_of_a_store_is_refused_with_the_call_to_make(tmp_path: Path) -> None:
    with pytest.raises(sb.InputError, match=r"give Store\('.*runs'\)"):
        Campaign(counted()[0], tmp_path / "runs")  # type: ignore[arg-type]


@pytest.mark.parametrize("batched", [False, True])
def test_rows_are_run_once_and_reused_afterwards(store: Store, batched: bool) -> None:
    model, calls = counted(batched)
    campaign = Campaign(model, store, spot_check=False)
    first = campaign.run(X[:2], phase="start", why="corners")
    second = campaign.run(X[[2, 0, 0]], phase="learn", why=["a", "b", "c"])
    assert np.array_equal(first.values[:, 0], [2.0, 12.0]) and np.array_equal(second.values[:, 0], [30.0, 2.0, 2.0])
    assert sum(np.size(c) for c in calls) == 3
    assert [(r.x, r.y, r.phase, r.why, r.reused, r.attempts) for r in campaign.records] == [
        ((1.0, 2.0), (2.0,), "start", "corners", False, 1),
        ((3.0, 4.0), (12.0,), "start", "corners", False, 1),
        ((5.0, 6.0), (30.0,), "learn", "a", False, 1),
        ((1.0, 2.0), (2.0,), "learn", "b", True, 0),
        ((1.0, 2.0), (2.0,), "learn", "c", True, 0),
    ]
    assert (second.cost_s > 0).all()


def test_a_row_asked_for_twice_in_one_request_is_run_once(store: Store) -> None:
    model, calls = counted()
    campaign = Campaign(model, store)
    runs = campaign.run(np.array([[2.0, 0.0], [2.0, -0.0]]), phase="p", why="w")
    assert len(calls) == 1 and runs.ok.all()
    assert [r.reused for r in campaign.records] == [False, True]


def test_another_replicate_is_another_run_and_a_stochastic_model_gets_its_seed_from_the_key(store: Store) -> None:
    @sb.model(inputs={"a": "1"}, outputs={"y": "1"}, stochastic=True)
    def noisy(a: float, seed: int) -> dict[str, float]:
        return {"y": a + seed}

    campaign = Campaign(noisy, store)
    x = np.array([[1.0]])
    first, second, again = (campaign.run(x, phase="p", why="w", replicate=r).values[0, 0] for r in (0, 1, 0))
    assert first == again != second and not campaign.records[1].reused
    assert Campaign(noisy).run(x, phase="p", why="w").values[0, 0] == first
    renamed = Campaign(noisy.rename(a="b"), store)
    values = [renamed.run(np.array([[5.0]]), phase="p", why="w", replicate=r).values[0, 0] for r in (0, 1)]
    assert values[0] != values[1]


def test_a_changed_source_is_run_again_and_said(store: Store) -> None:
    def declared(function: Callable[..., Any]) -> FunctionModel:
        function.__qualname__ = "law"
        return sb.model(inputs={"a": "1"}, outputs={"y": "1"})(function)

    x = np.array([[2.0]])
    assert Campaign(declared(lambda a: {"y": a}), store).run(x, phase="p", why="w").values == 2.0
    assert Campaign(declared(lambda a: {"y": a * a + 0.0}), store).run(x, phase="p", why="w").values == 4.0
    if store.directory is not None:
        assert any("source of" in note and "changed" in note for note in store.notes)


def test_a_failed_row_is_a_status_with_a_reason_is_retried_and_never_final(store: Store) -> None:
    broken = [True]

    def fault(a: float) -> None:
        if a == 3.0 and broken[0]:
            raise RuntimeError("licence server is down")

    model, calls = counted(fault=fault)
    campaign = Campaign(model, store, retries=2)
    runs = campaign.run(X, phase="p", why="w")
    assert runs.status.tolist() == ["ok", "failed", "ok"]
    assert runs.reason[1] == "RuntimeError: licence server is down" and np.isnan(runs.values[1]).all()
    assert calls.count(3.0) == 3 and campaign.records[1].attempts == 3 and campaign.records[1].y is None
    broken[0] = False
    assert campaign.run(X, phase="p", why="again").ok.all()
    assert [r.reused for r in campaign.records[3:]] == [True, False, True]


def test_a_row_that_fails_one_time_in_five_succeeds_by_retrying(store: Store) -> None:
    random = np.random.default_rng(7)

    def fault(a: float) -> None:
        if random.random() < 0.2:
            raise OSError("transient")

    model, calls = counted(fault=fault)
    campaign = Campaign(model, store, retries=5)
    assert campaign.run(np.arange(80.0).reshape(40, 2), phase="p", why="w").ok.all()
    assert len(calls) == sum(r.attempts for r in campaign.records) > 40


def test_a_value_that_is_not_finite_is_a_failed_row(store: Store) -> None:
    @sb.model(inputs={"a": "1"}, outputs={"y": "1"}, batched=True)
    def root(a: Any) -> dict[str, Any]:
        return {"y": np.where(a < 0, np.nan, a)}

    runs = Campaign(root, store).run(np.array([[4.0], [-4.0], [9.0]]), phase="p", why="w")
    assert runs.status.tolist() == ["ok", "failed", "ok"] and runs.reason[1] == "a value is not finite"
    assert len(store) == 2


def test_one_row_that_spoils_its_batch_is_isolated(store: Store) -> None:
    def fault(a: Any) -> None:
        if np.any(a == 3.0):
            raise ValueError("singular")

    model, _ = counted(batched=True, fault=fault)
    runs = Campaign(model, store, retries=0).run(X, phase="p", why="w")
    assert runs.status.tolist() == ["ok", "failed", "ok"] and np.array_equal(runs.values[[0, 2], 0], [2.0, 30.0])


@pytest.mark.parametrize(
    "result, sentence",
    [
        ({"y": np.ones((3, 2))}, "gave 'y' in the shape"),
        ({"z": np.ones(3)}, "a value 'z' it does not know"),
        (np.ones(3), "return a mapping"),
        ({"y": np.ones(2)}, "2 rows for 3"),
    ],
)
def test_a_model_that_breaks_its_declaration_is_the_users_mistake(store: Store, result: Any, sentence: str) -> None:
    @sb.model(inputs={"a": "1", "b": "1"}, outputs={"y": "1"}, batched=True)
    def wrong(a: Any, b: Any) -> Any:
        return result

    with pytest.raises(sb.InputError, match=sentence):
        Campaign(wrong, store).run(X, phase="p", why="w")
    assert {a.status for a in store.attempts()} == {"failed"}


@dataclass(frozen=True)
class Garbled:
    """A user's own model, whose batches hold finite garbage from the third row on."""

    name: str = "garbled"
    version: str = "1"
    inputs: sb.Space = field(default_factory=lambda: sb.Space({"a": "1"}))
    outputs: sb.Space = field(default_factory=lambda: sb.Space({"y": "1"}))
    scale: None = None

    def identity(self) -> dict[str, str]:
        return {"name": self.name, "version": self.version, "source": ""}

    def run(self, x: Any) -> sb.Runs:
        return sb.Runs(np.where(np.arange(len(x))[:, None] < 2, x, x + 1.0), jacobian=np.ones((len(x), 1, 1)))


def test_finite_garbage_in_a_batch_is_found_by_a_spot_check_and_solved_row_by_row(store: Store) -> None:
    x = np.arange(1.0, 65.0)[:, None]
    campaign = Campaign(Garbled(), store)
    runs = campaign.run(x, phase="p", why="w")
    assert np.array_equal(runs.values, x) and runs.jacobian is not None
    (check,) = campaign.spot_checks
    assert not check.agreed and check.cost_s > 0
    assert "was not accepted" in store.notes[0]
    campaign.run(x + 100, phase="p", why="w")
    assert len(campaign.spot_checks) == 1 and len(campaign.records) == 128


def test_a_spot_check_is_no_run_of_its_own(store: Store) -> None:
    model, calls = counted(batched=True)
    campaign = Campaign(model, store)
    campaign.run(X, phase="p", why="w")
    campaign.run(X[:1] + 1, phase="p", why="a single row needs none")
    assert [len(c) for c in calls] == [3, 1, 1]
    assert [c.agreed for c in campaign.spot_checks] == [True] and len(campaign.records) == len(store.attempts()) == 4
    assert store.notes == []


def test_noise_is_not_compared(store: Store) -> None:
    random = np.random.default_rng(0)

    @sb.model(inputs={"a": "1"}, outputs={"y": "1"}, batched=True, noise_std={"y": 1.0})
    def noisy(a: Any) -> dict[str, Any]:
        return {"y": a + random.normal(size=len(a))}

    campaign = Campaign(noisy, store)
    runs = campaign.run(np.ones((4, 1)) * np.arange(4.0)[:, None], phase="p", why="w")
    assert campaign.spot_checks == [] and runs.noise_std is not None and (runs.noise_std == 1.0).all()


def test_control_c_keeps_what_is_finished(store: Store) -> None:
    def fault(a: float) -> None:
        if a == 5.0:
            raise KeyboardInterrupt

    model, calls = counted(fault=fault)
    campaign = Campaign(model, store)
    with pytest.raises(KeyboardInterrupt):
        campaign.run(X, phase="p", why="w")
    assert len(store) == len(campaign.records) == 2
    assert [a.status for a in store.attempts()] == ["ok", "ok", "interrupted"]
    calls.clear()
    with pytest.raises(KeyboardInterrupt):
        campaign.run(X, phase="p", why="w")
    assert calls == [5.0]


def test_every_row_is_reported_as_it_ends(store: Store) -> None:
    seen: list[RunRecord] = []
    model, _ = counted()
    campaign = Campaign(model, store, on_run=seen.append)
    campaign.run(X, phase="p", why="w")
    campaign.run(X, phase="q", why="w")
    assert seen == campaign.records and [r.phase for r in seen] == ["p"] * 3 + ["q"] * 3


def test_jacobian_and_deviations_come_back_from_the_store(tmp_path: Path) -> None:
    x = np.array([[1.0], [2.0]])
    with Store(tmp_path) as store:
        first = Campaign(Garbled(), store).run(x, phase="p", why="w")
        again = Campaign(Garbled(), store).run(x[::-1], phase="p", why="w")
    assert first.jacobian is not None and again.jacobian is not None
    assert np.array_equal(again.jacobian, first.jacobian) and np.array_equal(again.values, x[::-1])


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"retries": -1}, "retries=-1; give 0 or more"),
        ({"timeout": 0.0}, "timeout=0.0; give seconds above 0"),
        ({"executor": "procesess"}, "'procesess' is not known; did you mean 'processes'"),
        ({"executor": 4}, "a int as executor"),
    ],
)
def test_a_wrong_option_is_one_sentence(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(sb.InputError, match=sentence):
        Campaign(counted()[0], **arguments)


def test_wrong_requests_are_one_sentence() -> None:
    campaign = Campaign(counted()[0])
    with pytest.raises(sb.InputError, match=r"asked for b = nan in row 1"):
        campaign.run(np.array([[1.0, 2.0], [3.0, np.nan]]), phase="p", why="w")
    with pytest.raises(sb.ShapeError, match=r"\[b, 2\]"):
        campaign.run(np.ones((3, 4)), phase="p", why="w")
    with pytest.raises(sb.ShapeError, match="2 reasons for 3 rows"):
        campaign.run(X, phase="p", why=["a", "b"])


def test_an_empty_request_is_an_empty_answer(store: Store) -> None:
    for batched in (False, True):
        runs = Campaign(counted(batched)[0], store).run(np.zeros((0, 2)), phase="p", why="w")
        assert runs.values.shape == (0, 1) and len(runs) == 0


def test_a_campaign_in_memory_costs_less_than_a_millisecond_a_request() -> None:
    model, _ = counted()
    campaign = Campaign(model)
    x = np.random.default_rng(0).normal(size=(200, 2))
    start = time.perf_counter()
    for row in x:
        campaign.run(row[None], phase="p", why="w")
    # Measured 0.1 ms; the bound leaves room for a busy machine and still catches a file or a sync.
    assert (time.perf_counter() - start) / len(x) < 1e-3


def test_campaigns_do_not_import_torch() -> None:
    import subprocess

    code = "import sys, scalebridge.campaign; sys.exit(any(m in sys.modules for m in ('torch', 'scipy', 'pint')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
