"""Values by regular expression."""

from __future__ import annotations

import mmap
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from scalebridge.errors import InputError
from scalebridge.models.program.parsers.files import NoValue, all_of, check_name, located
from scalebridge.quantities import Floats

# A number, and what begins like one and is none: it is matched whole, and then refused, where a part of it would pass
# for another number. A regex that goes on with what follows, as "{number}-{number}", still parts it.
_STRICT = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eEdD][-+]?[0-9]+)?"
_PART_OF_MORE = r"(?![0-9_.#*]|[-+][0-9]|[eEdD](?![a-zA-Z])|[xX][0-9a-fA-F])"
_THOUSANDS = r"[-+]?[0-9]{1,3}(?:,[0-9]{3}){1,6}(?![0-9])(?:\.[0-9]*)?"
# A comma for the point, as half of the world writes it; in "1,2,3" commas part numbers.
_COMMA = r"[-+]?[0-9]+,[0-9]+(?:[eEdD][-+]?[0-9]+)?(?![0-9]|[.,][0-9])"
_NOT_FINITE = r"(?<![a-zA-Z])[-+]?(?i:nan|inf(?:inity)?)(?![a-zA-Z0-9_])"
_STARS = r"(?<=[=: \t])\*{2,}"
_ODD = r"[-+]?[0-9.][\w.#*+\-]{0,40}"
# Most places hold none of these: looked at first, they cost half the time.
_FIRST = r"(?=[-+.0-9*nNiI])"
_DIGITS = rf"(?=[-+.0-9])(?<![0-9])(?<![0-9]\.)(?:{_THOUSANDS}|{_COMMA}|{_STRICT}{_PART_OF_MORE}|{_ODD})"
_NUMBER = rf"({_FIRST}(?:{_DIGITS}|{_NOT_FINITE}|{_STARS}))"
# At a line's beginning blank lines above it are no part of what is looked for, and would each be tried from anew.
_LEADING = re.compile(r"^\^\\s\*")


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
        where = f"what '{self.regex}' finds in '{self.file}'"
        found = all_of(
            ((text or b"").decode(errors="replace"), where) for match in self._chosen(folder) for text in match
        )
        if not len(found):
            raise NoValue(f"nothing in '{self.file}' matches '{self.regex}'")
        return found

    def found(self, folder: Path) -> bool:
        """Whether it matches at all.

        Raises:
            NoValue: no file.
        """
        return next(self._matches(folder), None) is not None

    def _chosen(self, folder: Path) -> Iterable[tuple[bytes, ...]]:
        which = {"first": 0, "last": -1}.get(str(self.which), self.which)
        matches = self._matches(folder)
        if which == "all":
            return matches
        if isinstance(which, int) and which >= 0:
            return islice(matches, which, which + 1)
        kept = deque(matches, maxlen=-int(which))
        return [kept[0]] if len(kept) == -int(which) else []

    def _matches(self, folder: Path) -> Iterator[tuple[bytes, ...]]:
        path = located(folder, self.file)
        if path.stat().st_size == 0:
            return
        # The system reads what is looked at: a log of gigabytes takes no memory of ours.
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            for match in self._compiled().finditer(content):
                yield match.groups()

    def _compiled(self) -> re.Pattern[bytes]:
        regex = _LEADING.sub(lambda _: r"^[^\S\n]*", self.regex)
        return re.compile(regex.replace("{number}", _NUMBER).encode(), re.MULTILINE)
