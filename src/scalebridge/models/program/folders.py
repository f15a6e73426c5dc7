"""Working folders: one per attempt, gone afterwards unless they are asked for."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import socket
import stat
import subprocess
import tempfile
from collections.abc import Generator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from scalebridge.errors import InfrastructureError, InputError, did_you_mean
from scalebridge.models.children import WATCHDOG

KEEP = ("never", "failed", "always")
# Prefix of a folder that is in use and not to be kept: "running-<host>-<boot>-<its processes>-<process>-<start>-...".
_RUNNING = "running"
# Of the part of a folder's name that is for people: with the rest it is to fit what file systems take.
_LONGEST = 64
_swept: set[tuple[int, Path]] = set()


@dataclass(frozen=True)
class WorkingFolder(os.PathLike[str]):
    """A folder in use.

    Args:
        path: where it is while in use.
        kept: where it will be if it is kept.
    """

    path: Path
    kept: Path
    _failed: list[bool] = field(default_factory=list, repr=False)

    def failed(self) -> None:
        """Say that the attempt failed: with ``keep="failed"`` the folder stays, at `kept`."""
        self._failed.append(True)

    def __fspath__(self) -> str:
        return str(self.path)

    def __truediv__(self, name: str) -> Path:
        return self.path / name


@contextlib.contextmanager
def working_folder(
    root: str | os.PathLike[str] | None = None, keep: str = "never", name: str = "run"
) -> Generator[WorkingFolder, None, None]:
    """A new, empty folder for one attempt.

    Args:
        root: where it is made, itself made where missing; the system's folder for temporary files by default.
        keep: ``never``; ``failed``: it stays after `WorkingFolder.failed` or an error; ``always``.
        name: what its name begins with, for people.

    Those of processes that are gone are removed first, once per process and root.

    Raises:
        InputError: an unknown ``keep``; a root that is no folder.
        InfrastructureError: it cannot be made (no space, no permission).
    """
    check_keep(keep, "A working folder")
    place = _place(root)
    _sweep_once(place)
    folder = _made(place, keep, re.sub(r"[^A-Za-z0-9_.]+", "_", name)[:_LONGEST] or "run")
    try:
        if keep != "always":
            WATCHDOG.add_folder(folder.path)
        yield folder
    except Exception:
        folder.failed()
        raise
    finally:
        _leave(folder, keep)


def check_keep(keep: str, owner: str) -> None:
    """Refuse what says of no working folder whether it stays.

    Raises:
        InputError: it is none of ``never``, ``failed`` and ``always``.
    """
    if keep not in KEEP:
        raise InputError(f"{owner} was given keep={keep!r}{did_you_mean(str(keep), KEEP)}")


def remove_folder(path: Path) -> None:
    """Remove a folder with everything in it, also what a program has made read-only."""
    with contextlib.suppress(OSError):
        # An empty one goes also where no file can be opened any more.
        path.rmdir()
        return
    try:
        shutil.rmtree(path, ignore_errors=True)
    except RecursionError:
        # Folders within folders, as of a script that never stops going down: a program for it knows no depth.
        subprocess.run(["rm", "-rf", "--", str(path)], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    if path.is_symlink() or not path.exists():
        return
    for inner, _, _ in os.walk(path):
        with contextlib.suppress(OSError):
            os.chmod(inner, 0o700)
    # A folder that could not be listed shows its own folders only now.
    for inner, _, _ in os.walk(path):
        with contextlib.suppress(OSError):
            os.chmod(inner, 0o700)
    shutil.rmtree(path, ignore_errors=True)


def sweep(root: Path) -> list[Path]:
    """Remove the working folders below ``root`` whose process is gone from this machine; return them.

    Those from before the machine was started anew stay: nothing tells them from another machine's of the same name.
    """
    removed = []
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(root)):
            if _is_stale(entry):
                remove_folder(Path(entry.path))
                removed.append(Path(entry.path))
    return removed


def _place(root: str | os.PathLike[str] | None) -> Path:
    if root is None:
        return Path(tempfile.gettempdir())
    place = Path(root).absolute()
    try:
        place.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise InputError(f"The folder '{root}' for working folders cannot be made: a file is in its way.") from error
    except OSError as error:
        raise InfrastructureError(
            f"The folder '{root}' for working folders cannot be made ({error.strerror})."
        ) from error
    return place


def _made(place: Path, keep: str, name: str) -> WorkingFolder:
    unique = f"{name}-{secrets.token_hex(4)}"
    kept = place / f"scalebridge-{unique}"
    path = kept if keep == "always" else place / f"{_prefix()}{os.getpid()}-{_start_of(os.getpid())}-{unique}"
    try:
        path.mkdir(mode=0o700)
    except OSError as error:
        raise InfrastructureError(
            f"A working folder cannot be made in '{place}' ({error.strerror}); make room or name another folder."
        ) from error
    return WorkingFolder(path, kept)


def _leave(folder: WorkingFolder, keep: str) -> None:
    if keep == "always":
        return
    if keep == "failed" and folder._failed:
        with contextlib.suppress(OSError):
            folder.path.rename(folder.kept)
    else:
        remove_folder(folder.path)
    if not folder.path.exists():
        # Otherwise it is tried once more when we end.
        WATCHDOG.remove_folder(folder.path)


def _sweep_once(place: Path) -> None:
    mine = (os.getpid(), place)
    if mine not in _swept:
        _swept.add(mine)
        sweep(place)


@cache
def _prefix() -> str:
    """What the folders of this machine begin with: containers of one name, on one disk, count processes each anew."""
    host = re.sub(r"[^A-Za-z0-9]+", "_", socket.gethostname())
    return f"scalebridge-{_RUNNING}-{host}-{_boot()}-{_processes()}-"


def _boot() -> str:
    """This start of the machine, which no other machine shares."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")[:12]
    except OSError:
        return "0"


def _processes() -> int:
    """The space in which process numbers are given; 0 where the system has one only."""
    try:
        return os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return 0


def _is_stale(entry: os.DirEntry[Any]) -> bool:
    match = re.fullmatch(re.escape(_prefix()) + r"(\d+)-(\d+)-.*", entry.name)
    if match is None:
        return False
    try:
        about = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
        return False
    return _start_of(int(match[1])) != int(match[2])


def _start_of(process: int) -> int:
    """When a process started, in the kernel's ticks, so that a number used again is told apart; -1 for none.

    Without ``/proc`` it is 0 for any process there is.
    """
    try:
        with open(f"/proc/{process}/stat") as file:
            return int(file.read().rpartition(")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        pass
    if os.path.exists("/proc/self/stat"):
        return -1
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return -1
    except PermissionError:
        return 0
    return 0
