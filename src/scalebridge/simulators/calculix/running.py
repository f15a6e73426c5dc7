"""Running ``ccx`` on a deck, and what it says of its end."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from scalebridge.errors import InputError
from scalebridge.models.program import Ended, Limits, carry_out, working_folder
from scalebridge.simulators.calculix.convergence import read_sta

_READ, _LINE = 1 << 20, 1 << 12
# Seconds in which a program says its release; a busy machine is slow.
_PATIENCE = 30.0
_INSTALL = (
    "install CalculiX (Debian and Ubuntu: apt-get install calculix-ccx; conda: conda install -c conda-forge calculix) "
    "or name the program, as in program='/opt/calculix/ccx_2.22'"
)


@dataclass(frozen=True)
class Ccx:
    """The CalculiX solver of this machine.

    Args:
        program: its name or path.
        threads: that it may use.
        limits: of time, memory and output of one run.

    Raises:
        InputError: no such program, with how to install it; threads that are no positive number.
    """

    program: str = "ccx"
    threads: int = 1
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if not (isinstance(self.threads, int) and self.threads >= 1):
            raise InputError(f"CalculiX was given {self.threads} threads; give a whole number from 1.")

    @property
    def path(self) -> str:
        """Where the program is."""
        found = shutil.which(self.program)
        if found is None:
            raise InputError(f"The program '{self.program}' of CalculiX was not found; {_INSTALL}.")
        return found

    @property
    def release(self) -> str:
        """What the program says its release is, such as ``2.20``; ``unknown`` where there is none or it says none."""
        try:
            path = self.path
            status = os.stat(path)
        except (InputError, OSError):
            return "unknown"
        return _told(os.path.abspath(path), status.st_mtime_ns, status.st_size)

    @property
    def environment(self) -> dict[str, str]:
        """What tells the program how many threads to use."""
        return dict.fromkeys(("OMP_NUM_THREADS", "CCX_NPROC_STIFFNESS", "CCX_NPROC_EQUATION_SOLVER"), str(self.threads))

    def run(self, folder: Path, job: str) -> Ended:
        """Run ``folder/job.inp`` to its end; its words go to ``folder/job.log``.

        An error that CalculiX reports makes the run ``failed`` with its sentence, whatever the exit code is;
        an analysis that stopped before its end likewise, with how far it came.
        """
        ended = carry_out(
            [self.path, "-i", job], folder, limits=self.limits, environment=self.environment, log=f"{job}.log"
        )
        if ended.status == "timeout":
            return ended
        log = folder / f"{job}.log"
        words = reported(log) or (unfinished(ended.tail) if ended.status == "ok" else None) or uninterpreted(log)
        if words is None:
            return ended
        return Ended("failed", words + reached(folder / f"{job}.sta"), ended.exit_code, ended.tail, ended.seconds)


@cache
def _told(path: str, changed: int, size: int) -> str:
    """The release of a program; asked once for as long as the file stays as it is."""
    try:
        with working_folder() as folder:
            said = carry_out([path, "-v"], folder, limits=Limits(timeout=_PATIENCE)).tail
    except InputError:
        # A file that may be executed and is no program.
        return "unknown"
    match = re.search(r"This is Version +(\S.*)", said)
    return match[1].strip() if match else "unknown"


def unfinished(output: str) -> str | None:
    """Return a sentence where the end of the output does not say that the job is finished."""
    return None if "Job finished" in output else "CalculiX ended before its job was finished"


def reported(log: Path) -> str | None:
    """Return the first error in CalculiX's words, as one line; None where it reports none.

    A card that it could not interpret is named too, for that is often the cause.
    """
    try:
        with open(log, "rb") as file:
            head = file.read(_READ)
            file.seek(max(len(head), log.stat().st_size - _READ))
            text = (head + file.read(_READ)).decode("ascii", errors="replace")
    except OSError:
        return None
    rows = text.splitlines()
    starts = [i for i, row in enumerate(rows) if row.lstrip().startswith("*ERROR")]
    if not starts:
        return None
    ignored = [i for i, row in enumerate(rows) if "Card image cannot be inter" in row.replace("    ", "")]
    said = _paragraph(rows, starts[0])
    if ignored and (cards := [r.strip() for r in rows[ignored[0] + 1 : ignored[0] + 4] if r.lstrip().startswith("*")]):
        said += f" (it could not interpret the card {cards[-1][:80]})"
    return f"CalculiX: {said}"


def uninterpreted(log: Path, skipped: Collection[str] = ()) -> str | None:
    """Return a sentence that names the first line that CalculiX could not interpret; None where there is none.

    CalculiX warns of a card, or of a parameter of one, that it does not know, leaves it out and goes on: the analysis
    is not the one that the deck asks for.

    Args:
        log: what CalculiX printed.
        skipped: names of cards that may be left out, as ``("*PREPRINT",)``, with their parameters and lines of data.
    """
    allowed = {_name(card) for card in skipped}
    within, unknown = False, False
    with open(log, "rb") as file:
        rows = (row.decode("ascii", errors="replace").strip() for row in iter(lambda: file.readline(_LINE), b""))
        for text in rows:
            if "Card image cannot be inter" in text:
                unknown = True
            elif text.endswith("parameter not recognized:"):
                # The name of a step is for people alone.
                unknown = not next(rows, "").startswith("NAME=")
            elif unknown and text.endswith("Card image:"):
                unknown, card = False, next(rows, "")
                within = _name(card) in allowed or (within and not card.startswith("*"))
                if not within:
                    return (
                        f"CalculiX could not interpret the line '{card[:80]}' of the deck, or a parameter in it, and "
                        "left that out; correct it, or name its card among the skipped ones where it does not matter"
                    )
    return None


def _name(card: str) -> str:
    return "".join(card.split(",")[0].split()).upper().lstrip("*")


def _paragraph(rows: list[str], start: int) -> str:
    found = [rows[start].strip().removeprefix("*")]
    for row in rows[start + 1 : start + 8]:
        if not row.strip() or row.lstrip().startswith("*"):
            break
        found.append(row.strip())
    return " ".join(" ".join(found).split())[:400]


def reached(sta: Path) -> str:
    """How far a run came, for the reason; empty where nothing was solved."""
    try:
        increments = read_sta(sta)
    except InputError:
        return ""
    if not increments:
        return ""
    last = increments[-1]
    return f"; its last solved increment is {last.increment} of step {last.step}, at time {last.total_time:g}"
