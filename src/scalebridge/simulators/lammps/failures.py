"""What LAMMPS says when it stops, as one sentence that names the command and its line."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scalebridge.simulators.lammps.script import Script

_ERROR = re.compile(r"^ERROR(?: on proc \d+)?: (?P<words>.*)$", re.MULTILINE)
_COMMAND = re.compile(r"^Last (?:input line|command): (?P<text>.*)$", re.MULTILINE)
_PLACE = re.compile(r"\s*\((?:[^()]*/)?[\w.]+\.(?:cpp|h):\d+\)")
_PACKAGE = re.compile(r"is part of the (?P<name>[\w-]+) package which is not enabled")
_ADVICE = (
    (
        "Lost atoms",
        "the atoms flew apart or left the box: shorten the timestep, minimise first, or see 'thermo_modify'",
    ),
    ("Non-numeric", "the atoms overlap or the timestep is too long: minimise first or shorten it"),
    ("Out of range atoms", "the atoms flew apart: shorten the timestep or minimise first"),
    ("../", "a run has a folder of its own: name the file in the script without '../' and give it in files=..."),
    ("Cannot open", "give the file in files=..., or put it beside the script"),
    ("cannot open file", "give the file in files=..., or put it beside the script"),
)


@dataclass(frozen=True)
class Failure:
    """An error that LAMMPS reports.

    Args:
        words: its message, without the place in its source.
        command: the command it was at, as the script has it.
        package: name of the package that the program lacks, where that is the matter.
    """

    words: str
    command: str | None = None
    package: str | None = None

    def sentence(self, script: Script) -> str:
        """Return what happened, at which command and line of the script, and what helps."""
        where = ""
        if self.command:
            line = script.line_of(self.command)
            place = f"line {line} of '{script.name}'" if line else f"'{script.name}' or a file it includes"
            where = f" at {place}: {' '.join(self.command.split())}"
        return f"LAMMPS stopped{where}: {self.words.rstrip('.')}{self._advice()}"

    def _advice(self) -> str:
        if self.package:
            return f"; use a LAMMPS that was built with the package {self.package}"
        told = [advice for sign, advice in _ADVICE if sign in self.words]
        return f"; {told[0]}" if told else ""


def failure_in(text: str) -> Failure | None:
    """Return the error in the output or the exception of LAMMPS; ``None`` where there is none."""
    found = _ERROR.search(text)
    if found is None:
        return None
    rest = text[found.end() :]
    at = _COMMAND.search(rest)
    tail = rest[: at.start()] if at else rest
    # A long message goes on over lines, up to the place in the source that stands in brackets.
    more = [line.strip() for line in tail.splitlines() if line.strip() and not _PLACE.search(found["words"])]
    words = " ".join([found["words"], *more[:4]])
    words = re.sub(r"\s*For more information see (?:the manual|\S+)", "", _PLACE.sub("", words))
    words = " ".join(words.split())
    package = _PACKAGE.search(words)
    return Failure(words, at["text"].strip() if at else None, package["name"] if package else None)
