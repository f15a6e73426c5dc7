"""Child processes: whether one has ended, what ended it, and the watchdog that outlives us."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from pathlib import Path

from scalebridge.errors import InfrastructureError


class Watchdog:
    """A shell that ends our children and removes our folders when this process is gone, however it went.

    The kernel ends a child with its parent, but not the programs that the child has started.
    It runs only while there is something to watch: process groups, marks (a text in the environment of
    every process that a program starts, also of those that have left its group) and working folders.
    """

    # Lines "+<kind><value>" and "-<kind><value>"; the end of its input is the end of this process.
    # Processes go before folders, lest they write on into them.
    _SCRIPT = r"""
line_end='
'
all=$line_end
while IFS= read -r line; do
  entry=${line#?}
  case $line in
    +*) all="$all$entry$line_end";;
    -*) all="${all%%"$line_end$entry$line_end"*}$line_end${all#*"$line_end$entry$line_end"}";;
  esac
done
IFS=$line_end
set -f; for entry in $all; do value=${entry#?}; case $entry in g*) kill -KILL -"$value";; esac; done
set -f; for entry in $all; do value=${entry#?}; case $entry in m*)
  set +f
  for again in 1 2 3; do
    for file in $(grep -lsF -e "$value" /proc/[0-9]*/environ); do
      process=${file#/proc/}; kill -KILL "${process%/environ}"
    done
  done;;
esac; done
set -f; for entry in $all; do value=${entry#?}; case $entry in f*)
  for again in 1 2 3 4 5; do rm -rf -- "$value"; [ -e "$value" ] || break; sleep 0.1; done;;
esac; done
"""

    def __init__(self) -> None:
        self._guard = threading.RLock()
        self._watched: set[str] = set()
        self._shell: subprocess.Popen[bytes] | None = None

    def add(self, group: int) -> None:
        """Watch over a process group."""
        self._add(f"g{group}")

    def remove(self, group: int) -> None:
        """Forget a process group, before its number can be given away."""
        self._remove(f"g{group}")

    def add_mark(self, mark: str) -> None:
        """Watch over every process with ``mark`` in its environment (where there is a ``/proc``)."""
        self._add(f"m{mark}")

    def remove_mark(self, mark: str) -> None:
        """Forget a mark."""
        self._remove(f"m{mark}")

    def add_folder(self, folder: Path) -> None:
        """Remove a folder when this process is gone; not one whose path holds a line break."""
        if "\n" not in str(folder):
            self._add(f"f{folder}")

    def remove_folder(self, folder: Path) -> None:
        """Forget a folder."""
        self._remove(f"f{folder}")

    def forget(self) -> None:
        """In a forked copy of this process, which has no children: let go of the pipe and the lock."""
        if self._shell is not None and self._shell.stdin is not None:
            self._shell.stdin.close()
        self.__init__()  # type: ignore[misc]

    def _add(self, entry: str) -> None:
        with self._guard:
            self._watched.add(entry)
            if self._shell is None or not self._say(f"+{entry}\n"):
                self._stop()
                self._start(entry)
                self._say("".join(f"+{e}\n" for e in sorted(self._watched)))

    def _start(self, entry: str) -> None:
        try:
            self._shell = subprocess.Popen(
                ["/bin/sh", "-c", self._SCRIPT],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # It must not hold a folder in use, nor its file system.
                cwd="/",
                # Out of reach of Ctrl-C and of the end of our group. A session of its own would do that too, but
                # on a busy machine its start then waits for its turn, milliseconds in every run.
                process_group=0,
            )
        except OSError as error:
            self._watched.discard(entry)
            raise InfrastructureError(
                f"A process could not be started ({error.strerror}); end other processes and run again."
            ) from error

    def _remove(self, entry: str) -> None:
        with self._guard:
            if entry not in self._watched:
                return
            self._watched.discard(entry)
            if self._shell is not None:
                self._say(f"-{entry}\n")
                if not self._watched:
                    self._stop()

    def _say(self, text: str) -> bool:
        try:
            assert self._shell is not None and self._shell.stdin is not None
            self._shell.stdin.write(os.fsencode(text))
            self._shell.stdin.flush()
        except OSError:
            return False
        return True

    def _stop(self) -> None:
        if self._shell is not None:
            assert self._shell.stdin is not None
            with contextlib.suppress(OSError):
                self._shell.stdin.close()
            self._shell.wait()
            self._shell = None


WATCHDOG = Watchdog()
os.register_at_fork(after_in_child=WATCHDOG.forget)


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has ended, without reaping it: until then its number cannot be given to another process."""
    if process.returncode is not None:
        return True
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
    except (AttributeError, ChildProcessError):
        return process.poll() is not None


def signal_name(number: int) -> str:
    """Name of a signal: ``SIGSEGV``."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
