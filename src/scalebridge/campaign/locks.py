"""File locks that die with their owner (BSD ``flock``), who holds them, and the epoch of the present writer."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import time
import weakref
from pathlib import Path

from scalebridge.errors import StoreError


class FileLock:
    """An exclusive lock on a file, held from construction to `release` or to the death of the process.

    The kernel drops the lock with the last descriptor, so a killed owner leaves none behind. The file
    says who holds it: ``"<pid> <host> <namespace of its pid>"``.

    Raises:
        BlockingIOError: another process (or another object in this one) holds the lock.
        OSError: the file cannot be made or its file system has no locks.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = -1
        self.path = path
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()} {socket.gethostname()} {_namespace()}".encode(), 0)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        _HELD.add(self)

    def release(self, unlink: bool = False) -> None:
        """Give the lock back; ``unlink`` removes the file while it is still ours."""
        if self._descriptor >= 0 and unlink:
            self.path.unlink(missing_ok=True)
        self._close()

    def __del__(self) -> None:
        self._close()

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


_HELD: weakref.WeakSet[FileLock] = weakref.WeakSet()


def _close_inherited() -> None:
    # A forked copy of this process is not the owner: it must not keep a lock alive.
    for lock in list(_HELD):
        lock._close()


os.register_at_fork(after_in_child=_close_inherited)


def _namespace() -> str:
    """Where a process id means something: two containers of one host name share neither."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return "-"


def owner_of(path: Path) -> tuple[int, str, str]:
    """Return ``(pid, host, namespace)`` written in a lock file; ``(0, "an unknown host", "")`` where it is empty."""
    try:
        pid, host, namespace = path.read_text().split()
        return int(pid), host, namespace
    except (OSError, ValueError):
        return 0, "an unknown host", ""


def end_owner(path: Path, patience_s: float = 10.0) -> None:
    """Make sure that no process works under the lock at ``path``: kill a local owner, wait for a remote one.

    Raises:
        StoreError: the owner outlives ``patience_s``.
    """
    deadline = time.monotonic() + patience_s
    while path.exists():
        try:
            FileLock(path).release(unlink=True)
            return
        except BlockingIOError:
            pid, host, namespace = owner_of(path)
        # The lock is held, so the process that wrote its number lives and the number is not reused.
        if pid not in (0, os.getpid()) and (host, namespace) == (socket.gethostname(), _namespace()):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise StoreError(
                f"The store at '{path.parent.parent}' still has a run of its last campaign going on "
                f"(process {pid} on {host}); wait for that process or end it, then try again."
            )
        time.sleep(0.005)


def remove_stale_locks(directory: Path) -> None:
    """Remove the locks that workers left when they died."""
    for path in (directory / "locks").glob("*.lock"):
        with contextlib.suppress(BlockingIOError):
            FileLock(path).release(unlink=True)


def lock_path(directory: Path, token: int) -> Path:
    """Lock that a worker holds while it runs the attempt ``token``."""
    return directory / "locks" / f"{token}.lock"


def write_epoch(directory: Path, epoch: int) -> None:
    """Say which writer is the present one."""
    temporary = directory / "epoch.tmp"
    temporary.write_text(str(epoch))
    os.replace(temporary, directory / "epoch")


def read_epoch(directory: Path) -> int:
    """Number of the present writer; -1 where there is none."""
    try:
        return int((directory / "epoch").read_text())
    except (OSError, ValueError):
        return -1
