"""The errors ScaleBridge raises, one tree.

::

    ScaleBridgeError
    ├── InputError            what you gave cannot be used            exit code 2
    │   ├── UnitError         units that do not convert
    │   └── ShapeError        arrays of the wrong shape
    └── InfrastructureError   disk, processes, stores, schedulers     exit code 3
        └── StoreError        a ledger that cannot be read or written

Every message is one sentence: what failed by the user's own name, the value and where it stands,
why, what is valid, and what to do next. Numerical failure is not an error but a status with a reason.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["InfrastructureError", "InputError", "ScaleBridgeError", "ShapeError", "StoreError", "UnitError"]


class ScaleBridgeError(Exception):
    """Root of every error that ScaleBridge raises on purpose."""

    exit_code = 1


class InputError(ScaleBridgeError, ValueError):
    """What the user gave cannot be used; the message says why and what is valid."""

    exit_code = 2


class UnitError(InputError):
    """Two units that do not convert into each other, or a unit that is not known."""


class ShapeError(InputError):
    """An array of the wrong shape."""


class InfrastructureError(ScaleBridgeError):
    """The machine, not the question, is at fault: disk, process, scheduler."""

    exit_code = 3


class StoreError(InfrastructureError):
    """A store that cannot be opened, read or written."""


def did_you_mean(word: str, valid: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest valid word, else the list of valid words."""
    words = list(valid)
    near = difflib.get_close_matches(word, words, n=1)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; valid: {', '.join(words) or 'none'}."


def printable(text: str) -> str:
    """Return a text that can be written as UTF-8: names of files may hold bytes of any code."""
    return text.encode("utf-8", "replace").decode()
