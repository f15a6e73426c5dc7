"""Lines that ``fix print`` writes between the rows of a log, which look like rows where they hold as many numbers.

Source: LAMMPS documentation, commands ``fix print`` (``screen no`` keeps its lines out of the log) and ``thermo``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from scalebridge.quantities import Floats

_FIX = re.compile(r"^fix\s+(\S+)\s+\S+\s+print\s+\S+\s+(\"{3}.*?\"{3}|\"[^\"]*\"|'[^']*'|\S+)(.*)$")
_SILENT = re.compile(r"\bscreen\s+(no|off|false)\b")
_INNERMOST = re.compile(r"\([^()]*\)")
_VARIABLE = re.compile(r"\$(?:\{\w*\}|\w)?")
MOST_FIXES = 1000
DEEPEST = 100


@dataclass
class Printing:
    """What writes lines into a log at the moment.

    Attributes:
        columns: of numbers in the lines of every ``fix print``, by its ID; those that hold words are no matter.
        every: steps between thermo rows, 0 for the first and the last alone; ``None`` where a variable says it.
    """

    columns: dict[str, int] = field(default_factory=dict)
    every: int | None = 0

    def heed(self, text: str) -> None:
        """Take in an echoed command."""
        words = text.split("#")[0].split()
        if words[:1] == ["unfix"] and len(words) == 2:
            self.columns.pop(words[1], None)
        elif words[:1] == ["thermo"] and len(words) == 2:
            self.every = int(words[1]) if words[1].isdigit() and len(words[1]) < 19 else None
        elif (fix := _FIX.match(text)) is not None:
            self.columns.pop(fix[1], None)
            n = 0 if _SILENT.search(fix[3]) else _numbers_printed(fix[2].strip("\"'"))
            if n and len(self.columns) < MOST_FIXES:
                self.columns[fix[1]] = n

    def may_stand_among(self, texts: tuple[str, ...], rows: Floats) -> bool:
        """Whether printed lines may be among rows ``[n, k]`` under these headers.

        Rows of a step that does not follow the one before hold some for sure; where a ``fix print`` prints as many
        numbers, so may rows at steps that ``thermo`` does not ask for, and rows that do not tell their step.
        """
        suspect = len(texts) in self.columns.values()
        if "Step" not in texts:
            return suspect and len(rows) > 0
        steps = rows[:, texts.index("Step")]
        if not np.all(np.diff(steps) > 0):
            return True
        between = steps[1:-1]
        if not suspect or not len(between):
            return False
        return not self.every or bool(np.any(between % self.every))


def _numbers_printed(template: str) -> int:
    """Numbers on a line of this text; 0 where a word stands among them."""
    for _ in range(DEEPEST):
        shorter = _INNERMOST.sub("", template)
        if shorter == template:
            break
        template = shorter
    words = _VARIABLE.sub("0", template).split()
    return len(words) if all(map(_is_number, words)) else 0


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
