"""Kill, stop and continue a campaign and its workers at random moments; count outside what became of the runs.

    python -m benchmarks.kills --json kills.json --kills 200 --seed 0

The model appends a line to a journal when it starts and when it ends. A campaign of a driver and three
workers (now and then of a driver alone) is killed with SIGKILL or stopped with SIGSTOP, driver and workers
alike; a new driver takes over until the number of disturbances is reached and a last one finishes. Counted
from the journal, the array files and the ledger: runs lost, run twice, published twice, left behind.

A process that is killed between the last line of the model and the record of the row (a tenth of a
millisecond) leaves a run that has ended but is not finished; it is run again, and counted by itself.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

import scalebridge as sb
from scalebridge.campaign import Campaign, LocalProcessExecutor, Store
from scalebridge.campaign.arrays import read_records

CHUNK = 12
# An end counts as "cut off at its return" only this close to the signal that ended its process.
RETURN_S = 0.1


def journal_model(directory: Path) -> sb.Model:
    """A model of 5 to 35 ms that writes its start and its end to a journal outside the store."""
    path = str(directory / "journal")

    @sb.model(inputs={"i": "1"}, outputs={"y": "1"})
    def journalled(i: float) -> dict[str, float]:
        import os
        import time

        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, f"start {int(i)} {os.getpid()} {time.time_ns()}\n".encode())
            time.sleep(0.005 + 0.03 * ((i * 0.618) % 1.0))
            os.write(file, f"end {int(i)} {os.getpid()} {time.time_ns()}\n".encode())
        finally:
            os.close(file)
        return {"y": 3.0 * i + 1.0}

    return journalled


def drive(directory: Path, workers: int) -> None:
    """The campaign: ask for every row so far, then for more, until the file ``stop`` appears."""
    with Store(directory / "store") as store:
        executor = LocalProcessExecutor(workers) if workers else None
        with Campaign(journal_model(directory), store, executor) as campaign:
            rows = len(store)
            while True:
                rows += CHUNK
                x = np.arange(rows, dtype=float)[:, None]
                runs = campaign.run(x, phase="kills", why="to be disturbed")
                assert runs.ok.all(), runs.reason
                assert np.array_equal(runs.values[:, 0], 3.0 * x[:, 0] + 1.0)
                if (directory / "stop").exists():
                    (directory / "done").write_text(str(rows))
                    break
        if executor is not None:
            executor.shutdown()


@dataclass
class Trouble:
    """Disturbs one campaign after another."""

    directory: Path
    random: random.Random
    driver: psutil.Popen | None = None
    counts: Counter[str] = field(default_factory=Counter)
    # Process id -> the moments at which it was stopped or killed.
    signals: dict[int, list[float]] = field(default_factory=dict)

    def start(self) -> None:
        workers = 0 if self.random.random() < 0.15 else 3
        environment = {**os.environ, "SCALEBRIDGE_KILLS": str(self.directory)}
        command = [sys.executable, "-m", "benchmarks.kills", "--driver", str(self.directory), "--workers", str(workers)]
        self.driver = psutil.Popen(command, env=environment, stderr=(self.directory / "stderr").open("ab"))
        self.counts["drivers"] += 1
        before = self.journal_size()
        deadline = time.monotonic() + 60
        while self.journal_size() == before and self.driver.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        if self.driver.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"a driver did not get to work: {(self.directory / 'stderr').read_text()[-2000:]}")

    def journal_size(self) -> int:
        path = self.directory / "journal"
        return path.stat().st_size if path.exists() else 0

    def disturb(self) -> None:
        if self.driver is None or self.driver.poll() is not None:
            self.start()
        time.sleep(self.random.uniform(0.0, 0.25))
        assert self.driver is not None
        workers = self.driver.children()
        action = self.random.choice(
            ["kill driver", "stop driver", "stop worker, kill driver"]
            + (["kill worker", "stop worker", "kill worker", "stop two workers"] if workers else [])
        )
        self.counts[action] += 1
        if action == "kill driver":
            self.kill_driver(workers)
        elif action == "stop worker, kill driver":
            stopped = self.random.sample(workers, min(len(workers), 1))
            self.send(stopped, signal.SIGSTOP)
            time.sleep(self.random.uniform(0.0, 0.05))
            self.kill_driver(workers)
            self.start()
            self.send(stopped, signal.SIGCONT)
        elif action == "kill worker":
            self.send([self.random.choice(workers)], signal.SIGKILL)
        else:
            size = 2 if "two" in action else 1
            stopped = [self.driver] if "driver" in action else self.random.sample(workers, min(size, len(workers)))
            self.send(stopped, signal.SIGSTOP)
            time.sleep(self.random.uniform(0.01, 0.3))
            self.send(stopped, signal.SIGCONT)

    def kill_driver(self, workers: list[psutil.Process]) -> None:
        assert self.driver is not None
        self.send([self.driver], signal.SIGKILL)
        # Its workers end with it.
        self.note_signal(workers)
        self.driver.wait()

    def send(self, processes: list[Any], number: int) -> None:
        self.note_signal(processes)
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def note_signal(self, processes: list[Any]) -> None:
        for process in processes:
            self.signals.setdefault(process.pid, []).append(time.time())

    def finish(self) -> None:
        (self.directory / "stop").touch()
        if self.driver is None or self.driver.wait(timeout=120) != 0:
            self.start()
            assert self.driver is not None
            if self.driver.wait(timeout=120) != 0:
                raise RuntimeError(f"the last driver failed: {(self.directory / 'stderr').read_text()[-2000:]}")


def audit(trouble: Trouble) -> dict[str, int]:
    """Count outside: from the journal, the array files and a viewer of the ledger."""
    directory = trouble.directory
    lines = [line.split() for line in (directory / "journal").read_text().splitlines()]
    ends: dict[int, list[tuple[int, int, float]]] = {}
    last: dict[int, int] = {}
    for position, (kind, i, pid, moment) in enumerate(lines):
        last[int(pid)] = position
        if kind == "end":
            ends.setdefault(int(i), []).append((position, int(pid), int(moment) / 1e9))
    cut_off = 0
    twice = 0
    for several in ends.values():
        for position, pid, moment in several[:-1]:
            near = any(abs(s - moment) < RETURN_S for s in trouble.signals.get(pid, []))
            if near and last[pid] == position:
                cut_off += 1
            else:
                twice += 1
    with Store.open(directory / "store", read_only=True) as viewer:
        ok = Counter(a.request.key for a in viewer.attempts() if a.status == "ok")
        attempts = Counter(a.status for a in viewer.attempts())
        published = len(viewer)
    recorded = Counter(key for path in (directory / "store/arrays").glob("*.npy") for key, _, _ in read_records(path))
    rows = int((directory / "done").read_text())
    return {
        "rows": rows,
        "published": published,
        "executions_begun": sum(line[0] == "start" for line in lines),
        "executions_ended": sum(line[0] == "end" for line in lines),
        "attempts_interrupted_or_failed": sum(attempts.values()) - attempts["ok"],
        "cut_off_at_return": cut_off,
        "lost": rows - len(ends.keys() & set(range(rows))) + rows - published + len(recorded.keys() - ok.keys()),
        "run_twice": twice,
        "published_twice": sum(n - 1 for n in ok.values()) + sum(n - 1 for n in recorded.values()),
        "processes_left": len(left_behind(directory)),
        "files_left": sum(1 for p in (directory / "store").rglob("*") if p.suffix in (".tmp", ".torn")),
        "locks_left": sum(1 for _ in (directory / "store/locks").iterdir()),
    }


def left_behind(directory: Path) -> list[int]:
    """Processes that carry the mark of this campaign in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("SCALEBRIDGE_KILLS") == str(directory) and process.status() != "zombie":
                found.append(process.pid)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def measure(kills: int, seed: int) -> dict[str, Any]:
    """Disturb a campaign ``kills`` times and audit it."""
    with tempfile.TemporaryDirectory() as folder:
        trouble = Trouble(Path(folder), random.Random(seed))
        start = time.monotonic()
        try:
            for _ in range(kills):
                trouble.disturb()
            trouble.finish()
        finally:
            if trouble.driver is not None and trouble.driver.poll() is None:
                trouble.driver.kill()
                trouble.driver.wait()
        time.sleep(0.2)
        counted = audit(trouble)
    return {
        "benchmark": "kills",
        "kills": kills,
        "seed": seed,
        "disturbances": dict(trouble.counts),
        **counted,
        "wall_s": time.monotonic() - start,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--driver", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.driver is not None:
        drive(arguments.driver, arguments.workers)
        return
    figures = measure(arguments.kills, arguments.seed)
    print(json.dumps(figures, indent=2))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
    broken = [
        k for k in ("lost", "run_twice", "published_twice", "processes_left", "files_left", "locks_left") if figures[k]
    ]
    if broken:
        sys.exit(f"the store's law is broken: {', '.join(broken)}")


if __name__ == "__main__":
    main()
