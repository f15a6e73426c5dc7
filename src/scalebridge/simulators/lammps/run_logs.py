"""The log of a run: of one piece where the script changed its name, and what it echoes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scalebridge.simulators.lammps.script import style_of

LOG = "log.lammps"
_TAIL_BYTES = 1 << 16


@dataclass(frozen=True)
class Echoed:
    """What the log of a run says of it.

    Args:
        units: the style of units of its last run; ``None`` where the log echoes none.
        stopped: whether LAMMPS ended a run at a time limit of the script's own (``timer timeout``).
    """

    units: str | None
    stopped: bool


def join_logs(folder: Path) -> None:
    """Append to the log of a run those that the script went on with by the command ``log``."""
    log, seen = folder / LOG, {LOG}
    while (name := next_log(log)) is not None and name not in seen and (folder / name).is_file():
        seen.add(name)
        with log.open("ab") as joined, (folder / name).open("rb") as other:
            joined.write(f"# The log goes on in {name}\n".encode())
            shutil.copyfileobj(other, joined)


def next_log(log: Path) -> str | None:
    """Return the name in the command ``log`` that a log ends in, after which it is written no more."""
    lines = [line for line in tail_of(log).splitlines() if line.strip()]
    words = lines[-1].split("#")[0].split() if lines else []
    return words[1] if len(words) > 1 and words[0] == "log" else None


def echoed(log: Path) -> Echoed:
    """Return what a log says of the whole run."""
    stopped = False

    def commands() -> Iterator[list[str]]:
        nonlocal stopped
        with log.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                stopped = stopped or line.startswith("WARNING: Wall time limit reached")
                words = line.split("#")[0].split() if line[:1].isalpha() else []
                if words:
                    yield words

    units = style_of(commands()) if log.is_file() else None
    return Echoed(units, stopped)


def tail_of(path: Path) -> str:
    """Return the last words of a file; nothing where it cannot be read."""
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            return stream.read().decode("utf-8", "replace")
    except OSError:
        return ""
