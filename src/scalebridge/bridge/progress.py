"""What a running solve tells its caller."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from scalebridge.errors import InputError


@dataclass(frozen=True)
class Progress:
    """One step of a running solve.

    Args:
        micro_runs: micro runs asked for so far.
        phase: ``start``, ``learn``, ``verify``, ``mesh``, ``check`` or ``done``.
        value: present value of the (first) quantity, where there is one.
        half_width: of its interval: measured once verified, predicted by the surrogate before.
        tolerance: half-width wanted.
        message: one line for people.
        fraction: share of the work thought done, 0 to 1.
    """

    micro_runs: int
    phase: str
    value: float | None
    half_width: float | None
    tolerance: float | None
    message: str
    fraction: float


Listener = Callable[[Progress], None]


def listener(progress: str | Listener) -> Listener:
    """Return the function that hears of progress: ``"none"``, ``"auto"`` or the caller's own."""
    if callable(progress):
        return progress
    if progress == "none":
        return lambda _: None
    if progress == "auto":
        return _Lines()
    raise InputError(f"progress = '{progress}'; valid: 'auto', 'none' or a function of one Progress.")


class _Lines:
    """Prints a line to standard error at most every two seconds, where a person is looking."""

    def __init__(self) -> None:
        self._last = 0.0

    def __call__(self, p: Progress) -> None:
        now = time.monotonic()
        if not sys.stderr.isatty() or (p.phase != "done" and now - self._last < 2.0):
            return
        self._last = now
        width = "" if p.half_width is None or p.value is None else f"  {p.value:.6g} +- {p.half_width:.2g}"
        print(
            f"[{100 * p.fraction:3.0f} %] {p.micro_runs:3d} micro runs  {p.phase:6s}{width}  {p.message}",
            file=sys.stderr,
        )
