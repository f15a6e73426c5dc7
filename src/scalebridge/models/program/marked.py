"""Finding and ending every process of a run by the mark in its environment."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import time

# Inherited by whatever a program starts, also by what leaves its process group and its parent.
# Runs within runs add to it, so that the outer one finds them too.
MARK = "SCALEBRIDGE_RUN"
_PASSES = 20


def new_mark() -> str:
    """Return a text that stands in no other environment."""
    return f"run-{secrets.token_hex(8)}."


def marked(mark: str) -> list[int]:
    """Return the processes with ``mark`` in their environment; none where there is no ``/proc``."""
    wanted = mark.encode()
    try:
        entries = os.listdir("/proc")
    except OSError:
        return []
    return [int(entry) for entry in entries if entry.isdigit() and wanted in _environment(entry)]


def kill_marked(mark: str) -> None:
    """Kill every process with ``mark`` in its environment, until none is found."""
    for _ in range(_PASSES):
        found = [process for process in marked(mark) if process != os.getpid()]
        if not found:
            return
        for process in found:
            _kill(process, mark)
        # Those killed vanish at once or, if they fork faster than they are read, are met again.
        time.sleep(0.002)


def _kill(process: int, mark: str) -> None:
    with contextlib.suppress(OSError):
        # The descriptor keeps its number from being another's between the look and the blow.
        descriptor = os.pidfd_open(process)
        try:
            if mark.encode() in _environment(str(process)):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        finally:
            os.close(descriptor)


def _environment(process: str) -> bytes:
    try:
        descriptor = os.open(f"/proc/{process}/environ", os.O_RDONLY)
    except OSError:
        return b""
    try:
        parts = b""
        while part := os.read(descriptor, 1 << 16):
            parts += part
        return parts
    except OSError:
        return b""
    finally:
        os.close(descriptor)
