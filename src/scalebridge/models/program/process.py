"""Running one external program to its end, whatever it does.

The program is started from a list of arguments, never by a shell's reading of a text. It leads a session of
its own, its output goes through us, and a mark in its environment finds every process that came of it,
also those that left its group, so that nothing outlives the run.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scalebridge.errors import InfrastructureError, InputError
from scalebridge.models.children import WATCHDOG, has_ended, signal_name
from scalebridge.models.program.marked import MARK, kill_marked, new_mark
from scalebridge.models.program.output import Output
from scalebridge.quantities.units import magnitude

# How long a program has to end itself once it is told to.
_GRACE_S = 3.0
# How often a program is looked at where the system cannot tell us of its end.
_SLICE_S = 0.005
# The longest wait that every system's poll takes.
_LONGEST_S = 3600.0
# Sets the limits of its own process, then becomes the program: a constant text, the arguments stay arguments.
_LIMITED = 'ulimit -c 0; [ "$1" = - ] || ulimit -v "$1"; [ "$2" = - ] || ulimit -f "$2"; shift 2; exec "$@"'


@dataclass(frozen=True, init=False)
class Limits:
    """What a program may use; ``None`` or infinity for no limit.

    Each is a number or a text such as ``"10 min"`` or ``"4 GB"``; the attributes are seconds and bytes.

    Args:
        timeout: seconds until it is ended with everything it started.
        memory: bytes of address space of each of its processes.
        file_size: bytes of any one file that it writes.
        output: bytes on its output and error stream together, after which it is ended.
        owner: whose limits they are, for messages.

    Raises:
        InputError: a limit that is no number, of another unit, or not positive.
    """

    timeout: float | None
    memory: int | None
    file_size: int | None
    output: int | None

    def __init__(
        self,
        timeout: float | str | None = None,
        memory: float | str | None = None,
        file_size: float | str | None = None,
        output: float | str | None = 1 << 30,
        *,
        owner: str = "The limits of a program",
    ) -> None:
        object.__setattr__(self, "timeout", limit(timeout, "s", f"{owner}: timeout"))
        for name, value in {"memory": memory, "file_size": file_size, "output": output}.items():
            size = limit(value, "byte", f"{owner}: {name}")
            object.__setattr__(self, name, None if size is None else math.ceil(size))


def limit(value: float | str | None, unit: str, owner: str) -> float | None:
    """Return a limit in ``unit`` from a number or a text with a unit; ``None`` where it is none, or infinite.

    Raises:
        InputError: no number, another unit, not above 0.
    """
    if value is None:
        return None
    size = magnitude(value, unit, owner)
    if not size > 0:
        raise InputError(f"{owner} = {value!r} leaves the program nothing; give more than 0, or leave it out.")
    return None if math.isinf(size) else size


@dataclass(frozen=True)
class Ended:
    """How a program ended.

    Args:
        status: ``ok`` (exit code 0), ``failed`` or ``timeout``.
        reason: empty where ok; else the exit code, the signal or the limit, with the last words of the output.
        exit_code: of the program itself; ``None`` where a signal ended it.
        tail: the end of its output, both streams in the order they came.
        seconds: from its start to its end.
    """

    status: str
    reason: str
    exit_code: int | None
    tail: str
    seconds: float


def carry_out(
    argv: Sequence[str | os.PathLike[str]],
    folder: str | os.PathLike[str],
    *,
    limits: Limits = Limits(),
    environment: Mapping[str, str] | None = None,
    stdin: Path | None = None,
    log: str | None = None,
) -> Ended:
    """Run a program in ``folder`` and return how it ended; no process of it is left afterwards.

    Args:
        argv: the program and its arguments. A program with a ``/`` is looked for in ``folder``, then here (with
            ``..`` here only); one without on the ``PATH``.
        folder: its working folder.
        limits: time, memory, size of files, amount of output.
        environment: variables added to ours.
        stdin: file that it reads as its input; nothing by default.
        log: name of a file in ``folder`` that takes both output streams.

    Raises:
        InputError: a text in place of a list, a program that is missing or cannot be executed.
        InfrastructureError: the machine cannot start a process.
    """
    place, mark = Path(folder), new_mark()
    ours = {**os.environ, **(environment or {})}
    ours[MARK] = f"{ours.get(MARK, '')}{mark}"
    command = _command(argv, place, limits, ours.get("PATH"))
    start = time.monotonic()
    # Before the program starts: there is no moment in which our end would leave it behind.
    WATCHDOG.add_mark(mark)
    try:
        with Output(place, log, sys.maxsize if limits.output is None else limits.output) as output:
            if output.trouble:
                return Ended("failed", output.trouble, None, "", 0.0)
            process = _started(command, place, ours, stdin, output)
            timely = _followed(process, mark, output, None if limits.timeout is None else start + limits.timeout)
            output.drain()
            return _ended(process.returncode, timely, limits, output, time.monotonic() - start)
    except BaseException:
        # Whatever came between, also before we knew the process: nothing of it may go on.
        kill_marked(mark)
        raise
    finally:
        WATCHDOG.remove_mark(mark)


def resolve(program: str, folder: Path, path: str | None = None) -> str:
    """Return where a program is: with a ``/`` in ``folder`` or here (with ``..`` here only), else on the ``PATH``.

    Raises:
        InputError: it is not there, or is no file that may be executed.
    """
    if "/" in program:
        # What lies above a working folder is not ours: by default anyone may write there.
        folders = [Path.cwd()] if ".." in Path(program).parts else [folder, Path.cwd()]
        for place in (inner / program for inner in folders):
            if place.exists():
                if place.is_dir() or not os.access(place, os.X_OK):
                    raise InputError(
                        f"The program '{program}' is {'a folder' if place.is_dir() else 'not executable'}; "
                        "name an executable file (chmod +x makes one of a script)."
                    )
                return str(place.absolute())
        raise InputError(
            f"The program '{program}' is neither in the working folder nor in '{Path.cwd()}'; "
            "give its whole path, or bring it with the template."
        )
    found = shutil.which(program, path=path)
    if found is None:
        raise InputError(
            f"The program '{program}' is not installed, or not on the PATH; install it, load its environment module, "
            "or give its whole path."
        )
    return str(Path(found).absolute())


def _command(argv: Sequence[str | os.PathLike[str]], folder: Path, limits: Limits, path: str | None) -> list[str]:
    if isinstance(argv, str | bytes) or not argv:
        raise InputError(f'A command is a list of arguments, as in ["solver", "input.txt"]; got {argv!r}.')
    words = [os.fspath(word) for word in argv]
    for word in words:
        if not isinstance(word, str) or "\0" in word:
            raise InputError(f"The argument {word!r} of the program '{words[0]}' is no text that can be handed over.")
    words[0] = resolve(words[0], folder, path)
    if limits.memory is None and limits.file_size is None:
        return words
    kibibytes = "-" if limits.memory is None else str(max(1, int(limits.memory) // 1024))
    blocks = "-" if limits.file_size is None else str(max(1, -(-int(limits.file_size) // 512)))
    return ["/bin/sh", "-c", _LIMITED, "sh", kibibytes, blocks, *words]


def _started(
    command: list[str], folder: Path, environment: Mapping[str, str], stdin: Path | None, output: Output
) -> subprocess.Popen[bytes]:
    try:
        given = None if stdin is None else open(stdin, "rb")  # noqa: SIM115
    except OSError as error:
        raise InputError(f"The file '{stdin}' for the program's input cannot be read ({error.strerror}).") from error
    try:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=given or subprocess.DEVNULL,
            stdout=output.write_end,
            stderr=output.write_end,
            start_new_session=True,
        )
    except ValueError as error:
        raise InputError(f"The environment of the program '{command[0]}' cannot be handed over ({error}).") from error
    except OSError as error:
        raise _not_started(command[0], folder, error) from error
    finally:
        if given is not None:
            given.close()
        output.close_write_end()


def _not_started(program: str, folder: Path, error: OSError) -> Exception:
    if not folder.is_dir():
        return InputError(f"The working folder '{folder}' of the program '{program}' does not exist.")
    if error.errno in (errno.ENOENT, errno.ENOEXEC, errno.EACCES, errno.ENOTDIR):
        return InputError(
            f"The program '{program}' cannot be executed ({error.strerror}); a script needs a first line such as "
            "#!/bin/sh, naming an interpreter that is there and ending as lines of this machine do; a binary must be "
            "of this machine's kind."
        )
    if error.errno == errno.E2BIG:
        return InputError(f"The command of the program '{program}' is too long; hand its numbers over in a file.")
    return InfrastructureError(f"The program '{program}' could not be started ({error.strerror}).")


def _followed(process: subprocess.Popen[bytes], mark: str, output: Output, deadline: float | None) -> bool:
    """Take its output until its end and see that nothing is left of it; False where the deadline came first."""
    timely = False
    try:
        timely = _follow(process, output, deadline)
        _end(process, mark, asked=not timely)
    except BaseException:
        # Interrupted: what it started may not outlive it, also when we are interrupted again.
        try:
            _end(process, mark, asked=True)
        finally:
            _kill_group(process)
        raise
    return timely


def _follow(process: subprocess.Popen[bytes], output: Output, deadline: float | None) -> bool:
    poll = select.poll()
    poll.register(output.read_end, select.POLLIN)
    watch = _watch(process)
    if watch is not None:
        poll.register(watch, select.POLLIN)
    try:
        while not (has_ended(process) or output.trouble):
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return False
            wait = min(math.inf if left is None else left, _SLICE_S if watch is None else _LONGEST_S)
            ready = [fd for fd, _ in poll.poll(wait * 1000)]
            if output.read_end in ready and not output.take():
                poll.unregister(output.read_end)
        return True
    finally:
        if watch is not None:
            os.close(watch)


def _watch(process: subprocess.Popen[bytes]) -> int | None:
    """A descriptor that becomes readable when the process ends, where the system has such a thing."""
    try:
        return os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        return None


def _end(process: subprocess.Popen[bytes], mark: str, asked: bool) -> None:
    """End the process if it has not, and everything it left behind; ``asked``: with a moment to end itself."""
    if asked and not has_ended(process):
        # An MPI launcher ends its ranks and removes its files when told, not when killed.
        _kill_group(process, signal.SIGTERM)
        until = time.monotonic() + _GRACE_S
        while not has_ended(process) and time.monotonic() < until:
            time.sleep(_SLICE_S)
    _kill_group(process)
    process.wait()
    kill_marked(mark)


def _kill_group(process: subprocess.Popen[bytes], number: int = signal.SIGKILL) -> None:
    # The leader is not reaped yet, so its number still names this group and no other.
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)


def _ended(code: int, timely: bool, limits: Limits, output: Output, seconds: float) -> Ended:
    words = output.last_words()
    if not timely:
        cause, status = f"it had not ended after {limits.timeout:g} s", "timeout"
    elif output.trouble:
        cause, status = output.trouble, "failed"
    elif code == 0:
        return Ended("ok", "", 0, output.tail(), seconds)
    else:
        cause, status = _cause(code, limits), "failed"
    reason = f"{cause}; its last words: {words}" if words else cause
    # What we ended has no exit code of its own.
    own = code if code >= 0 and timely and not output.trouble else None
    return Ended(status, reason, own, output.tail(), seconds)


def _cause(code: int, limits: Limits) -> str:
    # A shell or an MPI launcher reports the signal that ended its program as 128 + its number.
    if code > 128 and code - 128 in signal.valid_signals():
        return f"it ended with exit code {code} (which a shell gives for {signal_name(code - 128)})"
    if code >= 0:
        return f"it ended with exit code {code}"
    hints = {signal.SIGKILL: ", perhaps for memory"}
    if limits.file_size is not None:
        hints[signal.SIGXFSZ] = f": a file grew past the limit of {limits.file_size} bytes"
    return f"it was killed by {signal_name(-code)}{hints.get(signal.Signals(-code), '')}"
