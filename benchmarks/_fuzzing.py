"""Readers against damaged files: files mutated, each read in a process with a bound on its memory and its time.

A file ends as ``read`` or as ``refused`` by one sentence that names it; anything else - a traceback, a warning, a hang,
a death of the process - is a failure, and the JSON names the format, the seed of the mutation and what was raised.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS = 20
Seeds = Mapping[str, tuple[str, bytes]]


class _TooLong(BaseException):
    """Raised by the alarm; no reader catches it."""


@dataclass(frozen=True)
class Fuzz:
    """Readers and sound files for them.

    Args:
        module: that runs as a worker, ``benchmarks.NAME``.
        seeds: from a folder to write in, to name -> (path of the file below a folder, its content).
        read: ``read(name, path, folder)`` reads the file and looks at what came; ``folder`` is the root of ``path``.
        memory: bytes that a worker may have.
        prepare: ``prepare(name, folder)`` puts what the file needs beside it.
    """

    module: str
    seeds: Callable[[Path], Seeds]
    read: Callable[[str, Path, Path], object]
    memory: int
    prepare: Callable[[str, Path], None] | None = None

    def run(self, files: int, seed: int, only: str = "") -> dict[str, Any]:
        """Outcomes of ``files`` mutated files, run in a child that is started again if it dies.

        ``only`` is a pattern that a format's name must match; by default all formats.
        """
        results: list[dict[str, Any]] = []
        deaths: list[dict[str, Any]] = []
        began = time.perf_counter()
        start = 0
        while start < files:
            command = [sys.executable, "-m", self.module, "--worker", f"{start}:{files}", "--seed", str(seed)]
            child = subprocess.run([*command, "--only", only], capture_output=True, text=True, check=False)
            lines = [json.loads(line) for line in child.stdout.splitlines() if line.startswith("{")]
            done = [line for line in lines if "outcome" in line]
            results += done
            if child.returncode == 0:
                break
            last = lines[-1] if lines else {"i": start, "format": "?"}
            deaths.append({**last, "outcome": "death", "code": child.returncode, "error": child.stderr[-300:]})
            start = int(last["i"]) + 1
            if not lines:
                break
        return _summary(results + deaths, time.perf_counter() - began, files, seed)

    def work(self, start: int, stop: int, seed: int, only: str) -> None:
        """Read the files ``start`` to ``stop`` and print a line of JSON before and after each."""
        from benchmarks._reader_seeds import mutated

        resource.setrlimit(resource.RLIMIT_AS, (self.memory, self.memory))
        signal.signal(signal.SIGALRM, _alarm)
        with tempfile.TemporaryDirectory() as folder:
            made = {name: seed_ for name, seed_ in self.seeds(Path(folder)).items() if re.search(only, name)}
            names = sorted(made)
            for i in range(start, stop):
                name = names[i % len(names)]
                file_name, content = made[name]
                print(json.dumps({"i": i, "format": name}), flush=True)
                root = Path(folder) / f"m{i}"
                root.mkdir()
                if self.prepare is not None:
                    self.prepare(name, root)
                path = root / file_name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(mutated(content, random.Random(f"{seed}-{i}")))
                outcome = self._outcome(name, path, root)
                path.unlink()
                print(json.dumps({"i": i, "format": name, **outcome}), flush=True)

    def _outcome(self, name: str, path: Path, root: Path) -> dict[str, Any]:
        from scalebridge.errors import InputError

        began = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        found: dict[str, Any]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                self.read(name, path, root)
                found = {"outcome": "read"}
        except InputError as error:
            text = str(error)
            found = {"outcome": "refused" if path.name in text and "\n" not in text else "failed", "error": text[:300]}
        except _TooLong:
            found = {"outcome": "hang", "error": "".join(traceback.format_exc()[-800:])}
        except BaseException as error:
            found = {
                "outcome": "failed",
                "error": f"{type(error).__name__}: {error}"[:300],
                "where": traceback.format_exc()[-900:],
            }
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {**found, "s": round(time.perf_counter() - began, 4), "mb": round(memory, 1)}

    def main(self, words: str | None) -> None:
        """Run and write the JSON."""
        parser = argparse.ArgumentParser(description=words)
        parser.add_argument("--json", type=Path)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--files", type=int, default=2000)
        parser.add_argument("--only", default="", help="a pattern that the formats' names match")
        parser.add_argument("--worker", help=argparse.SUPPRESS)
        options = parser.parse_args()
        if options.worker:
            start, stop = (int(part) for part in options.worker.split(":"))
            self.work(start, stop, options.seed, options.only)
            return
        found = self.run(options.files, options.seed, options.only)
        if options.json:
            options.json.write_text(json.dumps(found, indent=1))
        print(
            json.dumps({key: found[key] for key in ("files", "outcomes", "slowest_s", "largest_memory_mb", "wall_s")})
        )


def _summary(results: list[dict[str, Any]], wall: float, files: int, seed: int) -> dict[str, Any]:
    by_format: dict[str, dict[str, int]] = {}
    for r in results:
        counts = by_format.setdefault(r["format"], {})
        counts[r["outcome"]] = counts.get(r["outcome"], 0) + 1
    return {
        "files": files,
        "seed": seed,
        "outcomes": {
            o: sum(r["outcome"] == o for r in results) for o in ("read", "refused", "failed", "hang", "death")
        },
        "slowest_s": max((r.get("s", 0.0) for r in results), default=0.0),
        "largest_memory_mb": max((r.get("mb", 0.0) for r in results), default=0.0),
        "wall_s": wall,
        "formats": by_format,
        "failures": [r for r in results if r["outcome"] not in {"read", "refused"}],
    }


def _alarm(*_: Any) -> None:
    raise _TooLong
