"""Values by regular expression."""

from __future__ import annotations

import mmap
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scalebridge.errors import InputError
from scalebridge.models.program.parsers.files import NoValue, check_name, located, number_in
from scalebridge.quantities import Floats

_NUMBER = r"([-+]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eEdD][-+]?[0-9]+)?|(?i:nan|inf(?:inity)?)))"


@dataclass(frozen=True)
class Pattern:
    """The numbers that the groups of a regular expression find in a text, however large it is.

    Args:
        file: name of the file.
        regex: with a group ``(...)`` around each number; ``{number}`` stands for such a group.
            ``^`` and ``$`` match at every line.
        unit: that the file is in; the output's where not given.
        which: of its matches: ``"last"``, ``"first"``, ``"all"``, or their number from 0 (from the end if negative).
    """

    file: str
    regex: str
    unit: str | None = None
    which: str | int = "last"

    def __post_init__(self) -> None:
        check_name(self.file, "A Pattern")
        if not isinstance(self.which, int) and self.which not in ("first", "last", "all"):
            raise InputError(f"A Pattern of '{self.file}' has which='{self.which}'; give first, last, all or a number.")
        try:
            _ = self.groups
        except re.error as error:
            raise InputError(f"The regular expression '{self.regex}' for '{self.file}' is wrong: {error}.") from error

    @property
    def groups(self) -> int:
        """Number of groups."""
        return self._compiled().groups

    def read(self, folder: Path) -> Floats:
        """Return the numbers ``[groups]``, of all matches ``[n * groups]``.

        Raises:
            NoValue: no file, no match, no number.
        """
        found = self._chosen(folder)
        where = f"what '{self.regex}' finds in '{self.file}'"
        return np.array([number_in((text or b"").decode(errors="replace"), where) for match in found for text in match])

    def found(self, folder: Path) -> bool:
        """Whether it matches at all.

        Raises:
            NoValue: no file.
        """
        return next(self._matches(folder), None) is not None

    def _chosen(self, folder: Path) -> list[tuple[bytes, ...]]:
        which = {"first": 0, "last": -1}.get(str(self.which), self.which)
        matches = self._matches(folder)
        if which == "all":
            found = list(matches)
        elif isinstance(which, int) and which >= 0:
            found = [match for k, match in enumerate(matches) if k == which][:1]
        else:
            kept = deque(matches, maxlen=-int(which))
            found = [kept[0]] if len(kept) == -int(which) else []
        if not found:
            raise NoValue(f"nothing in '{self.file}' matches '{self.regex}'")
        return found

    def _matches(self, folder: Path) -> Iterator[tuple[bytes, ...]]:
        path = located(folder, self.file)
        if path.stat().st_size == 0:
            return
        # The system reads what is looked at: a log of gigabytes takes no memory of ours.
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            for match in self._compiled().finditer(content):
                yield match.groups()

    def _compiled(self) -> re.Pattern[bytes]:
        return re.compile(self.regex.replace("{number}", _NUMBER).encode(), re.MULTILINE)
