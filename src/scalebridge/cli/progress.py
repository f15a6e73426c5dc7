"""Live progress: one line that is rewritten on a terminal, plain lines elsewhere."""

from __future__ import annotations

import signal
import sys
import time
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scalebridge.bridge import Progress

PHASES = {
    "start": "start",
    "learn": "learning",
    "verify": "verifying",
    "check": "checking",
    "finer": "finer micro model",
    "mesh": "refining the mesh",
    "input": "uncertain inputs",
    "done": "done",
}


class Remaining:
    """An estimate of the seconds left, from the share of the work done; smoothed, since the share jumps."""

    def __init__(self, now: float) -> None:
        self._begun = now
        self._estimate: float | None = None

    def __call__(self, fraction: float, now: float) -> float | None:
        """Return the seconds left; ``None`` while too little is known."""
        elapsed = now - self._begun
        if fraction >= 1:
            return 0.0
        if fraction <= 0.06 or elapsed < 1:
            return None
        raw = elapsed * (1 - fraction) / fraction
        self._estimate = raw if self._estimate is None else 0.6 * self._estimate + 0.4 * raw
        return self._estimate


class ProgressLine:
    """Shows the progress of a run; a callable for `scalebridge.solve`.

    The first Ctrl-C lets the micro runs under way finish, which are then in the store; the second aborts.
    """

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._live: Any = None
        self._remaining = Remaining(time.monotonic())
        self._last: tuple[str, float] = ("", 0.0)
        self._draining = False
        self._verified = 0.0
        self._before: Any = None

    def __enter__(self) -> ProgressLine:
        if not self._quiet and sys.stderr.isatty():
            from rich.live import Live

            from scalebridge.cli.tables import console

            self._live = Live("", console=console(stderr=True), refresh_per_second=4, transient=True)
            self._live.start()
        try:
            self._before = signal.signal(signal.SIGINT, self._interrupted)
        except ValueError:  # not the main thread: whoever called decides what Ctrl-C does
            self._before = None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def __call__(self, p: Progress) -> None:
        """Show one step; raises `KeyboardInterrupt` once asked to stop."""
        if self._draining:
            raise KeyboardInterrupt
        line = self._text(p)
        if self._live is not None:
            self._live.update(line)
        elif not self._quiet:
            self._plain(p, line)

    def counted(self, micro_runs: int, words: str) -> None:
        """Show a count without an estimate."""
        if self._draining:
            raise KeyboardInterrupt
        line = f"{words}: {micro_runs} micro runs"
        if self._live is not None:
            self._live.update(line)
        elif not self._quiet and self._due(words):
            print(line, file=sys.stderr, flush=True)

    def _text(self, p: Progress) -> str:
        now = time.monotonic()
        fraction = self._share(p)
        left = self._remaining(fraction, now)
        answer = "" if p.value is None else f"  {p.value:.6g}"
        answer += "" if p.half_width is None or p.value is None else f" ± {p.half_width:.2g}"
        answer += f" (asked ± {p.tolerance:.2g})" if p.tolerance and answer else ""
        eta = "" if left is None or p.phase == "done" else f"  about {_duration(left)} left"
        return f"{100 * fraction:3.0f} %  {p.micro_runs:3d} micro runs  {PHASES.get(p.phase, p.phase)}{answer}{eta}"

    def _share(self, p: Progress) -> float:
        """Share of the work done: what the surrogate expects of itself counts half until it is verified."""
        if p.phase in ("done", "input"):
            return p.fraction
        if p.phase == "verify":
            self._verified = max(self._verified, p.fraction)
            return self._verified
        return min(p.fraction, 0.5 * (1 + self._verified))

    def _plain(self, p: Progress, line: str) -> None:
        if p.phase == "done" or self._due(p.phase):
            print(line, file=sys.stderr, flush=True)

    def _due(self, what: str) -> bool:
        now = time.monotonic()
        if self._last[0] == what and now - self._last[1] < 5.0:
            return False
        self._last = (what, now)
        return True

    def _interrupted(self, _signal: int, _frame: FrameType | None) -> None:
        if self._draining:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            raise KeyboardInterrupt
        self._draining = True
        print("\nfinishing the micro runs under way and saving; Ctrl-C again aborts", file=sys.stderr, flush=True)


def _duration(seconds: float) -> str:
    return f"{max(seconds, 1):.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
