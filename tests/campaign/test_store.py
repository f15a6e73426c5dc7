"""The law of the store: exactly once, never lost, one writer, any number of viewers."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from scalebridge.campaign import Store
from scalebridge.campaign.arrays import read_records
from scalebridge.campaign.ledger import Request
from scalebridge.campaign.rows import Row
from scalebridge.errors import StoreError

IDENTITY = {"name": "f", "version": "1", "source": "abc"}


def request(key: str, model: str = "m") -> Request:
    return Request(key, model, (1.0, -2.5), 0, "learn", "because")


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path):
    with Store(None if request.param == "memory" else tmp_path / "store") as made:
        yield made


def test_what_is_published_is_found_again_bit_for_bit(store: Store) -> None:
    rows = [
        Row(np.array([1.0, 1e-300]), 0.5),
        Row(np.array([np.pi]), 0.1, np.ones((1, 3)), np.array([0.2]), np.array([0.3])),
    ]
    tokens = store.claim([request("a"), request("b")])
    assert store.publish([("a", tokens[0], rows[0]), ("b", tokens[1], rows[1])]) == [True, True]
    found = store.lookup(["a", "b", "c"])
    assert sorted(found) == ["a", "b"] and len(store) == 2
    assert np.array_equal(found["a"].values, rows[0].values) and found["a"].jacobian is None
    for name in ("values", "jacobian", "noise_std", "error_std"):
        assert np.array_equal(getattr(found["b"], name), getattr(rows[1], name))


def test_a_later_attempt_fences_an_earlier_one(store: Store) -> None:
    (stopped,) = store.claim([request("a")])
    (resumed,) = store.claim([request("a")])
    assert resumed > stopped
    assert store.publish([("a", stopped, Row(np.array([1.0])))]) == [False]
    assert store.lookup(["a"]) == {}
    assert store.publish([("a", resumed, Row(np.array([2.0])))]) == [True]
    assert store.lookup(["a"])["a"].values == [2.0]


def test_a_run_is_published_once(store: Store) -> None:
    (token,) = store.claim([request("a")])
    assert store.publish([("a", token, Row(np.array([1.0])))]) == [True]
    assert store.publish([("a", token, Row(np.array([9.0])))]) == [False]
    (again,) = store.claim([request("a")])
    assert store.publish([("a", again, Row(np.array([9.0])))]) == [False]
    assert store.lookup(["a"])["a"].values == [1.0] and len(store) == 1


def test_a_failure_is_an_attempt_with_a_reason_and_no_run(store: Store) -> None:
    (token,) = store.claim([request("a")])
    store.settle(token, "failed", "did not converge", 2.0)
    (attempt,) = store.attempts()
    assert (attempt.status, attempt.reason, attempt.cost_s) == ("failed", "did not converge", 2.0)
    assert attempt.request == request("a")
    assert store.publish([("a", token, Row(np.array([1.0])))]) == [False]
    assert len(store) == 0


def test_runs_survive_closing_and_reopening(tmp_path: Path) -> None:
    with Store(tmp_path / "s") as store:
        (token,) = store.claim([request("a")])
        store.publish([("a", token, Row(np.array([4.0])))])
    with Store.open(tmp_path / "s") as store:
        assert store.lookup(["a"])["a"].values == [4.0]
        assert store.claim([request("b")])[0] > token


def test_a_changed_source_under_an_old_version_is_another_model_and_said(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        key = store.register(IDENTITY)
        assert store.register(IDENTITY) == key
        (token,) = store.claim([request("a", key)])
        store.publish([("a", token, Row(np.array([4.0])))])
        assert store.register(IDENTITY | {"source": "changed", "version": "2"}) != key and store.notes == []
        assert store.register(IDENTITY | {"source": "changed"}) != key
        (note,) = store.notes
        assert "source of 'f' changed while its version is still '1': 1 stored runs" in note


def test_a_second_writer_is_refused_by_the_process_and_host_of_the_first(tmp_path: Path) -> None:
    message = rf"in use by process {os.getpid()} on {os.uname().nodename}"
    with Store(tmp_path), pytest.raises(StoreError, match=message):
        Store(tmp_path)
    Store(tmp_path).close()


def test_a_store_that_is_dropped_lets_go_of_its_lock(tmp_path: Path) -> None:
    store = Store(tmp_path)
    del store
    Store(tmp_path).close()


def test_the_lock_dies_with_its_owner_and_is_not_kept_by_its_forks(tmp_path: Path) -> None:
    script = (
        "import os, time, sys\nfrom scalebridge.campaign import Store\n"
        f"s = Store({str(tmp_path)!r})\n"
        "pid = os.fork()\n"
        "if pid == 0: time.sleep(600)\n"
        "print(pid, flush=True); time.sleep(600)\n"
    )
    owner = subprocess.Popen([sys.executable, "-W", "ignore", "-c", script], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    fork = int(owner.stdout.readline())
    try:
        with pytest.raises(StoreError, match=f"process {owner.pid} "):
            Store(tmp_path)
        owner.kill()
        owner.wait()
        # The fork lets go as its first act, which it may not have got round to.
        time.sleep(0.5)
        Store(tmp_path).close()
    finally:
        owner.stdout.close()
        os.kill(fork, signal.SIGKILL)


def test_a_viewer_sees_a_running_campaign_and_cannot_change_it(tmp_path: Path) -> None:
    with Store(tmp_path) as store, Store.open(tmp_path, read_only=True) as viewer:
        (token, _) = store.claim([request("a"), request("b")])
        store.publish([("a", token, Row(np.array([4.0])))])
        assert [a.status for a in viewer.attempts()] == ["ok", "running"]
        assert viewer.lookup(["a"])["a"].values == [4.0]
        with pytest.raises(StoreError, match="open read-only"):
            viewer.claim([request("c")])


def test_a_stopped_viewer_in_the_middle_of_a_read_does_not_hold_up_the_writer(tmp_path: Path) -> None:
    script = (
        "import sqlite3, time\n"
        f"db = sqlite3.connect('file:{tmp_path}/ledger.sqlite?mode=ro', uri=True, isolation_level=None)\n"
        "db.execute('BEGIN'); db.execute('SELECT count(*) FROM runs').fetchone(); print(1, flush=True); time.sleep(600)"
    )
    with Store(tmp_path) as store:
        viewer = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
        assert viewer.stdout is not None
        viewer.stdout.readline()
        os.kill(viewer.pid, signal.SIGSTOP)
        start = time.monotonic()
        for i in range(20):
            (token,) = store.claim([request(str(i))])
            assert store.publish([(str(i), token, Row(np.array([4.0])))]) == [True]
        assert time.monotonic() - start < 5
        viewer.kill()
        viewer.wait()
        viewer.stdout.close()


def test_a_closed_store_can_be_viewed_where_nothing_may_be_written() -> None:
    script = (
        "import os, sys\n"
        "from scalebridge.campaign import Store\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "v = Store.open(sys.argv[1], read_only=True)\n"
        "print(len(v), v.lookup(['a'])['a'].values[0])\n"
    )
    # Not tmp_path: another user, whom root becomes here, may not enter it.
    with tempfile.TemporaryDirectory() as folder:
        with Store(folder) as store:
            (token,) = store.claim([request("a")])
            store.publish([("a", token, Row(np.array([4.0])))])
        os.chmod(folder, 0o555)
        try:
            done = subprocess.run([sys.executable, "-c", script, folder], capture_output=True, text=True, check=False)
        finally:
            os.chmod(folder, 0o755)
    assert (done.stdout, done.stderr) == ("1 4.0\n", "")


def test_opening_what_is_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no store at"):
        Store.open(tmp_path)


def test_an_unwritable_place_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        Store(tmp_path / "file" / "store")


def test_a_newer_schema_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    Store(tmp_path).close()
    with sqlite3.connect(tmp_path / "ledger.sqlite") as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    before = (tmp_path / "ledger.sqlite").read_bytes()
    for read_only in (False, True):
        with pytest.raises(StoreError, match="schema version 99, this ScaleBridge knows up to 1"):
            Store.open(tmp_path, read_only)
    assert (tmp_path / "ledger.sqlite").read_bytes() == before


def test_a_foreign_database_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "ledger.sqlite") as db:
        db.execute("CREATE TABLE recipes(name)")
    db.close()
    with pytest.raises(StoreError, match="no ledger of ScaleBridge"):
        Store(tmp_path)


@pytest.mark.parametrize("damage", ["header", "pages", "cut"])
def test_a_corrupt_ledger_is_refused_and_left_as_it_is(tmp_path: Path, damage: str) -> None:
    with Store(tmp_path) as store:
        for start in range(0, 300, 100):
            keys = [f"{i:064d}" for i in range(start, start + 100)]
            tokens = store.claim([request(k) for k in keys])
            store.publish([(k, t, Row(np.array([4.0]))) for k, t in zip(keys, tokens, strict=True)])
    path = tmp_path / "ledger.sqlite"
    content = bytearray(path.read_bytes())
    if damage == "header":
        content[:16] = b"x" * 16
    elif damage == "pages":
        content[4096 : 3 * 4096] = bytes(2 * 4096)
    else:
        del content[len(content) // 2 :]
    path.write_bytes(content)
    with pytest.raises(StoreError, match="nothing was changed"):
        Store(tmp_path)
    assert path.read_bytes() == bytes(content)


@pytest.mark.parametrize("damage", ["missing", "cut", "changed"])
def test_a_torn_array_file_is_set_aside_and_noted_and_its_runs_count_as_not_run(tmp_path: Path, damage: str) -> None:
    with Store(tmp_path) as store:
        tokens = store.claim([request("a"), request("b")])
        for key, token in zip("ab", tokens, strict=True):
            store.publish([(key, token, Row(np.array([4.0])))])
        path = tmp_path / "arrays" / f"{tokens[0]}.npy"
        content = path.read_bytes()
        if damage == "missing":
            path.unlink()
        else:
            path.write_bytes(content[:-9] if damage == "cut" else content[:-8] + b"\x01" * 8)
        assert sorted(store.lookup(["a", "b"])) == ["b"]
        assert "missing or torn" in store.notes[0]
        assert path.with_suffix(".torn").exists() == (damage != "missing")
        (again,) = store.claim([request("a")])
        assert store.publish([("a", again, Row(np.array([5.0])))]) == [True]
        assert store.lookup(["a"])["a"].values == [5.0]


def test_a_full_disk_is_one_sentence_and_costs_no_published_run(tmp_path: Path) -> None:
    # A limit on the size of files stands for the full disk: both refuse the write.
    script = (
        "import resource, numpy as np\n"
        "from scalebridge.campaign import Store\nfrom scalebridge.campaign.ledger import Request\n"
        "from scalebridge.campaign.rows import Row\nfrom scalebridge.errors import StoreError\n"
        f"s = Store({str(tmp_path)!r}); n = 0\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
        "try:\n"
        "    while True:\n"
        "        (t,) = s.claim([Request(f'{n:064d}', 'm', (1.0,), 0, 'p', 'w')])\n"
        "        s.publish([(f'{n:064d}', t, Row(np.array([float(n)])))]); n += 1\n"
        "except StoreError as error: print(n, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    count, sentence = done.stdout.split(" ", 1)
    assert "cannot be used" in sentence and "published so far are kept" in sentence and not done.stderr
    with Store(tmp_path) as store:
        # The run at which the ledger filled up was recorded already, and is taken up.
        assert int(count) > 10 and len(store) - int(count) in (0, 1)
        keys = [f"{i:064d}" for i in range(int(count))]
        assert [store.lookup([k])[k].values[0] for k in keys] == list(range(int(count)))


def test_a_row_recorded_but_not_entered_is_taken_up_by_the_next_writer(tmp_path: Path) -> None:
    with Store(tmp_path / "a") as store:
        (token,) = store.claim([request("k")])
        # The state a killed driver leaves, between the array file and the ledger.
        shutil.copytree(tmp_path / "a", tmp_path / "b", ignore=shutil.ignore_patterns("writer.lock"))
        store.publish([("k", token, Row(np.array([4.0])))])
        shutil.copy(tmp_path / "a/arrays" / f"{token}.npy", tmp_path / "b/arrays")
    with Store(tmp_path / "b") as store:
        assert store.lookup(["k"])["k"].values == [4.0]
        assert [a.status for a in store.attempts()] == ["ok"]


def test_an_attempt_cut_off_with_its_writer_is_interrupted_and_after_three_times_named(tmp_path: Path) -> None:
    for _ in range(3):
        with Store(tmp_path) as store:
            store.claim([request("k")])
    with Store(tmp_path) as store:
        assert [a.status for a in store.attempts()] == ["interrupted"] * 3
        assert "cut off 3 times" in store.notes[0] and "isolate=True" in store.notes[0]


def test_array_files_hold_no_pickle_and_name_their_run(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        (token,) = store.claim([request("k" * 64)])
        store.publish([("k" * 64, token, Row(np.array([4.0]), 0.25, np.eye(1)))])
    ((key, found, row),) = read_records(tmp_path / "arrays" / f"{token}.npy")
    assert (key, found, row.cost_s) == ("k" * 64, token, 0.25)
    assert np.load(tmp_path / "arrays" / f"{token}.npy", allow_pickle=False)["jacobian"].shape == (1, 1, 1)
