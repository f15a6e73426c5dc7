"""Commercial programs that are driven live: one supervised process of ours per thread keeps the program running.

The program is started once and asked row after row. Where a row takes too long, or the program brings its process
down, that process, all that it started (also what left its process group) and its folder for temporary files are
gone, and the next row starts anew.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scalebridge.errors import InputError
from scalebridge.models.children import WATCHDOG
from scalebridge.models.program.marked import MARK, kill_marked, new_mark
from scalebridge.models.supervisor import Outcome, SupervisedProcess

_GOODBYE_S = 20.0


class _Live:
    """A supervised process with a mark on all that it starts, and a folder for what it writes."""

    def __init__(self, goodbye: Callable[[], None], begun_with: tuple[Any, ...]) -> None:
        self.goodbye, self.begun_with = goodbye, begun_with
        self._mark = new_mark()
        self._folder = Path(tempfile.mkdtemp(prefix="scalebridge-live-"))
        WATCHDOG.add_mark(self._mark)
        WATCHDOG.add_folder(self._folder)
        self.process = SupervisedProcess({MARK: os.environ.get(MARK, "") + self._mark, "TMPDIR": str(self._folder)})

    def end(self) -> None:
        """Leave nothing behind."""
        self.process.close()
        kill_marked(self._mark)
        shutil.rmtree(self._folder, ignore_errors=True)
        WATCHDOG.remove_mark(self._mark)
        WATCHDOG.remove_folder(self._folder)


class _Running(threading.local):
    """What this thread keeps running, by key (a supervised process ends with the thread that started it)."""

    def __init__(self) -> None:
        self.by_key: dict[str, _Live] = {}


_RUNNING = _Running()


@dataclass(frozen=True)
class Call:
    """A function to be called in the process, and the seconds that it may take."""

    function: Callable[..., Any]
    arguments: Sequence[Any] = ()
    timeout: float | None = None


def ask(key: str, start: Call, work: Call, goodbye: Callable[[], None]) -> Outcome:
    """Do ``work`` in the process of this key, which is made and does ``start`` first where there is none.

    Args:
        key: what tells one running program from another.
        start: called once per process; where its arguments are others than those of the process that there is, as
            after a change of the model's file, that one is stopped and another one made.
        work: of this row.
        goodbye: called when the program is stopped in peace.

    Returns:
        how the work ended, or the start where that failed; after a failed start, a timeout and a death of the
        process nothing of it is left.
    """
    running = _RUNNING.by_key.get(key)
    if running is not None and running.begun_with != tuple(start.arguments):
        _stop(key)
        running = None
    if running is None or not running.process.alive:
        _end(key)
        running = _RUNNING.by_key[key] = _Live(goodbye, tuple(start.arguments))
        begun = running.process.call(start.function, start.arguments, start.timeout)
        if begun.status != "ok":
            _end(key)
            return begun
    outcome = running.process.call(work.function, work.arguments, work.timeout)
    if outcome.died or outcome.status == "timeout":
        _end(key)
    return outcome


def judged(key: str, outcome: Outcome) -> tuple[str, Any]:
    """Return status and value of a row, or status and reason; the work answers with such a pair.

    A status of ``lost`` says that the program is gone: its process is ended, and the row failed.

    Raises:
        InputError: what the work raised of that kind, which no other row can mend.
    """
    if isinstance(outcome.error, InputError):
        raise outcome.error
    if outcome.status != "ok":
        return outcome.status, str(outcome.error) if isinstance(outcome.error, RuntimeError) else outcome.reason
    status, found = outcome.value
    if status == "lost":
        _end(key)
        status = "failed"
    return status, found


def stop(kind: str = "") -> int:
    """Stop every program that this thread keeps running; return how many there were.

    Args:
        kind: what their keys start with; all where empty.
    """
    keys = [key for key in _RUNNING.by_key if key.startswith(kind)]
    for key in keys:
        _stop(key)
    return len(keys)


def _stop(key: str) -> None:
    running = _RUNNING.by_key[key]
    if running.process.alive:
        running.process.call(running.goodbye, (), _GOODBYE_S)
    _end(key)


def _end(key: str) -> None:
    running = _RUNNING.by_key.pop(key, None)
    if running is not None:
        running.end()
