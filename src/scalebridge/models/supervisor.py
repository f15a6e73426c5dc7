"""The one process supervisor: work in a spawned child that may crash, hang or be stopped.

A child is a fresh interpreter, leader of its own session and process group. Whatever it does - a
segmentation fault, ``os._exit``, a hang, running out of memory - its parent gets a status with a reason,
and the whole group is ended, grandchildren too. The child ends with its parent, also when the parent is
killed. Functions travel by cloudpickle, between these two processes only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import cloudpickle

from scalebridge.errors import InfrastructureError, InputError
from scalebridge.models.children import WATCHDOG, has_ended, signal_name

_HEAD = struct.Struct("<Q")
# How long a wait lasts before the child is looked at: its death may leave the connection open in a grandchild.
_SLICE_S = 0.1
_WORDS = 400
_START_S = 120.0
_BOOT = "import sys; sys.path[:] = {path!r}; from scalebridge.models.supervisor import serve; serve({fd}, {parent})"


@dataclass(frozen=True)
class Outcome:
    """What became of a supervised call.

    Args:
        status: ``ok``, ``failed`` (it raised, or the process died) or ``timeout``.
        value: what the function returned.
        reason: why it is not ``ok``: the exception, or signal or exit code with the last words on stderr.
        seconds: from sending the call to its end.
        error: the exception the function raised, where it did.
        died: the process is gone.
    """

    status: str
    value: Any = None
    reason: str = ""
    seconds: float = 0.0
    error: BaseException | None = None
    died: bool = False


def run_supervised(
    function: Callable[..., Any],
    args: Sequence[Any] = (),
    timeout: float | None = None,
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """Call ``function(*args)`` in a fresh supervised process and end that process.

    Args:
        function: any function that cloudpickle can send.
        args: its arguments.
        timeout: seconds until the whole process group is killed; the start of the process is not counted.
        environment: variables added to the child's environment.

    Raises:
        InputError: the function or its arguments cannot be sent.
        InfrastructureError: the process cannot be started.
    """
    with SupervisedProcess(environment) as process:
        return process.call(function, args, timeout)


class SupervisedProcess:
    """A supervised child that answers one call at a time, until it dies or is closed.

    To be used from one thread, which must outlive it: on Linux the child ends with the thread that started it.

    Raises:
        InfrastructureError: the process cannot be started.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        # Anonymous: nothing is left behind whoever dies.
        self._words = tempfile.TemporaryFile()  # noqa: SIM115
        ours, theirs = socket.socketpair()
        boot = _BOOT.format(path=sys.path, fd=theirs.fileno(), parent=os.getpid())
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", boot],
                stdin=subprocess.DEVNULL,
                stdout=self._words,
                stderr=self._words,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                env={**os.environ, **(environment or {})},
            )
        except OSError as error:
            ours.close()
            self._words.close()
            raise InfrastructureError(
                f"A process could not be started ({error.strerror}); end other processes and run again."
            ) from error
        finally:
            theirs.close()
        try:
            WATCHDOG.add(self._process.pid)
        except InfrastructureError:
            self._kill_group()
            self._process.wait()
            ours.close()
            self._words.close()
            raise
        ours.setblocking(False)
        self._socket = ours
        self._ready = False
        self._reaping = threading.Lock()

    @property
    def pid(self) -> int:
        """Process id, which is also the id of its group."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can take a call."""
        return self._socket.fileno() >= 0 and not has_ended(self._process)

    def call(self, function: Callable[..., Any], args: Sequence[Any] = (), timeout: float | None = None) -> Outcome:
        """Call ``function(*args)`` in the child; after ``failed`` with ``died``, or ``timeout``, it is gone.

        Raises:
            InputError: the function or its arguments cannot be sent.
        """
        try:
            message = _pack((function, tuple(args)))
        except Exception as error:
            name = getattr(function, "__name__", "function")
            raise InputError(
                f"'{name}' or what it uses cannot be sent to a process ({type(error).__name__}: {error}); "
                "keep open files, locks and connections out of it, or run it in-process."
            ) from error
        start = time.monotonic()
        try:
            if not self._ready:
                # The import of numpy and of ourselves is no part of the call.
                self._receive(start + _START_S)
                self._ready = True
                start = time.monotonic()
            deadline = None if timeout is None else start + timeout
            self._send(message, deadline)
            status, value, reason = cloudpickle.loads(self._receive(deadline))
        except TimeoutError:
            self.kill()
            if not self._ready:
                raise InfrastructureError(
                    f"A process did not start within {_START_S:g} s; see what the machine is doing."
                ) from None
            return Outcome("timeout", None, f"no answer within {timeout:g} s", time.monotonic() - start, None, True)
        except (EOFError, ConnectionError):
            reason = self._obituary()
            return Outcome("failed", None, reason, time.monotonic() - start, None, True)
        except BaseException:
            # Interrupted here: an answer that comes later must not be taken for that of another call.
            self.kill()
            raise
        seconds = time.monotonic() - start
        if status == "ok":
            return Outcome("ok", value, "", seconds)
        return Outcome("failed", None, reason, seconds, value)

    def close(self) -> None:
        """Let the child end by itself, for a moment; then end its whole group."""
        if self._socket.fileno() >= 0 and self._ready:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            deadline = time.monotonic() + 0.5
            while not has_ended(self._process) and time.monotonic() < deadline:
                time.sleep(0.002)
        self.kill()

    def kill(self) -> None:
        """End the child and its whole process group at once, stopped or not."""
        with self._reaping:
            if self._process.returncode is None:
                self._kill_group()
                WATCHDOG.remove(self._process.pid)
                self._process.wait()
        self._socket.close()
        self._words.close()

    def interrupt(self) -> None:
        """End the child from another thread; the call under way returns ``failed``."""
        with self._reaping:
            self._kill_group()

    def _kill_group(self) -> None:
        # The leader is not reaped yet, so its number still names this group and no other.
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def __enter__(self) -> SupervisedProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _obituary(self) -> str:
        deadline = time.monotonic() + 2.0
        while not has_ended(self._process) and time.monotonic() < deadline:
            time.sleep(0.002)
        ended = has_ended(self._process)
        words = _last_words(self._words.fileno())
        self.kill()
        code = self._process.returncode if ended else None
        if code is None:
            cause = "its process closed the connection"
        elif code < 0:
            cause = f"its process was killed by {signal_name(-code)}"
            cause += ", perhaps for memory" if -code == signal.SIGKILL else ""
        else:
            cause = f"its process ended with exit code {code}"
        return f"{cause}: {words}" if words else cause

    def _send(self, message: bytes, deadline: float | None) -> None:
        view = memoryview(_HEAD.pack(len(message)) + message)
        while view:
            self._wait(select.POLLOUT, deadline)
            with contextlib.suppress(BlockingIOError):
                view = view[self._socket.send(view[: 1 << 20]) :]

    def _receive(self, deadline: float | None) -> bytes:
        (length,) = _HEAD.unpack(self._read(_HEAD.size, deadline))
        return self._read(length, deadline)

    def _read(self, length: int, deadline: float | None) -> bytes:
        parts = bytearray()
        while len(parts) < length:
            self._wait(select.POLLIN, deadline)
            with contextlib.suppress(BlockingIOError):
                part = self._socket.recv(min(length - len(parts), 1 << 20))
                if not part:
                    raise EOFError
                parts += part
        return bytes(parts)

    def _wait(self, event: int, deadline: float | None) -> None:
        """Wait until the connection is ready; raise at the deadline or when the child has died."""
        poll = select.poll()
        poll.register(self._socket, event)
        while True:
            left = _SLICE_S if deadline is None else min(_SLICE_S, deadline - time.monotonic())
            if poll.poll(max(left, 0.0) * 1000):
                return
            if has_ended(self._process):
                # What it sent before its end is still there to be read.
                if poll.poll(0):
                    return
                raise EOFError
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError


def _last_words(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    text = os.pread(descriptor, 4 * _WORDS, max(0, size - 4 * _WORDS)).decode(errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    joined = " | ".join(lines)
    return joined if len(joined) <= _WORDS else f"... {joined[-_WORDS:]}"


def serve(descriptor: int, parent: int) -> None:
    """Answer calls until the connection closes; what runs in the child. Not for use by hand."""
    _end_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _prefer_for_memory_kill()
    # Truncated before every call, so that the last words are those of the call that died.
    fcntl.fcntl(2, fcntl.F_SETFL, fcntl.fcntl(2, fcntl.F_GETFL) | os.O_APPEND)
    import faulthandler

    faulthandler.enable()
    connection = socket.socket(fileno=descriptor)
    connection.set_inheritable(False)
    with connection, connection.makefile("rwb") as stream:
        _put(stream, b"")
        while len(head := stream.read(_HEAD.size)) == _HEAD.size:
            os.ftruncate(2, 0)
            _put(stream, _answer(stream.read(_HEAD.unpack(head)[0])))


def _put(stream: Any, message: bytes) -> None:
    stream.write(_HEAD.pack(len(message)) + message)
    stream.flush()


def _answer(message: bytes) -> bytes:
    try:
        function, args = cloudpickle.loads(message)
    except Exception as error:
        reason = f"the work could not be read in its process ({type(error).__name__}: {error})"
        return _pack(("failed", InputError(reason), reason))
    try:
        return _pack(("ok", function(*args), ""))
    except BaseException as error:
        reason = f"{type(error).__name__}: {error}"
        try:
            return _pack(("failed", error, reason))
        except Exception:
            return _pack(("failed", None, reason))


def travel_by_value(module: ModuleType) -> None:
    """Let what functions take from a module go with them to another process, which cannot import it."""
    cloudpickle.register_pickle_by_value(module)


def _pack(value: object) -> bytes:
    packed: bytes = cloudpickle.dumps(value)
    return packed


def _end_with_parent(parent: int) -> None:
    if sys.platform == "linux":
        import ctypes

        pr_set_pdeathsig = 1
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGKILL, 0, 0, 0)
    else:

        def watch() -> None:
            while os.getppid() == parent:
                time.sleep(0.2)
            os.killpg(0, signal.SIGKILL)

        threading.Thread(target=watch, daemon=True).start()
    if os.getppid() != parent:
        os._exit(0)


def _prefer_for_memory_kill() -> None:
    # When memory runs out the kernel should take the run that asked for it, not the campaign.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("500")
