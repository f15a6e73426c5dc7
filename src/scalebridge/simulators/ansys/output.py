"""What Mechanical APDL writes of its errors: lines of ``*** ERROR ***`` in its output."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

# " *** ERROR ***                           CP =       0.406   TIME= 10:20:30"
_HEAD = re.compile(rb"^\s*\*{3}\s*(ERROR|FATAL)\b[\s*-]*(.*)$")
_TIMES = re.compile(rb"CP =.*$")
_LICENCE = re.compile(rb"licen[cs]e (?:manager error|.*not available|.*could not)", re.IGNORECASE)
_UNCONVERGED = re.compile(r"not converged|did not converge|has not converged|no convergence", re.IGNORECASE)
_LONGEST_LINE, _MOST_LINES, _MOST_ERRORS = 10_000, 6, 20


def errors_in(lines: Iterable[bytes]) -> tuple[str, ...]:
    """The errors of an output, each in one line; warnings are none."""
    found: list[str] = []
    words: list[bytes] | None = None
    for line in lines:
        head = _HEAD.match(line)
        if head is not None or (words is not None and (not line.strip() or len(words) >= _MOST_LINES)):
            found += _joined(words)
            words = None
        if head is not None:
            words = [_TIMES.sub(b"", head[2]).strip(b" *-\r\n")]
        elif words is not None:
            words.append(line.strip())
        elif _LICENCE.search(line):
            found.append(line.strip().decode("utf-8", "replace")[:300])
        if len(found) >= _MOST_ERRORS:
            return tuple(found)
    return (*found, *_joined(words))


def errors_of(path: Path) -> tuple[str, ...]:
    """The errors of an output file, read line by line.

    Raises:
        FileNotFoundError: it was not written.
    """
    with path.open("rb") as file:
        return errors_in(iter(lambda: file.readline(_LONGEST_LINE), b""))


def reason(words: str) -> str:
    """An error in one line, with its kind in front."""
    line = " ".join(words.split())
    line = line if len(line) <= 400 else f"{line[:400]}..."
    if "licen" in line.lower():
        return f"ANSYS has no licence for it: {line}"
    if _UNCONVERGED.search(line):
        return f"it did not converge: {line}"
    return line


def _joined(words: list[bytes] | None) -> list[str]:
    text = b" ".join(w for w in words or [] if w).decode("utf-8", "replace")
    return [text] if text else []
