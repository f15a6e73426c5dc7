"""Lines of progress for whoever waits."""

from __future__ import annotations

import sys
from collections.abc import Callable

from scalebridge.errors import InputError


def listener(progress: str | Callable[[str], None]) -> Callable[[str], None]:
    """The function that hears lines of progress: ``"auto"`` (where a person looks), ``"none"`` or the caller's own.

    Raises:
        InputError: another word.
    """
    if callable(progress):
        return progress
    if progress == "none" or (progress == "auto" and not sys.stderr.isatty()):
        return lambda _: None
    if progress == "auto":
        return lambda line: print(line, file=sys.stderr)
    raise InputError(f"progress = '{progress}'; valid: 'auto', 'none' or a function of one line.")
