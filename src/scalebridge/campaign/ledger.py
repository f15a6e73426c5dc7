"""What a store keeps its runs in: requests, attempts, and the interface of a ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from scalebridge.campaign.rows import Row

# Statuses of an attempt that may still publish.
OPEN = ("queued", "running")


@dataclass(frozen=True, slots=True)
class Request:
    """What an attempt is about: the run's key, the model's key, the input and why it was asked for."""

    key: str
    model: str
    x: tuple[float, ...]
    replicate: int
    phase: str
    why: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a run.

    Its status is ``queued`` or ``running``; ``ok``, ``failed``, ``timeout`` or ``outside`` as the model said;
    ``interrupted`` where it was cut off with its process, ``cancelled`` where it never began, or ``fenced``
    where a later attempt took its place.
    """

    token: int
    request: Request
    status: str
    reason: str
    cost_s: float
    started: float


class Ledger(Protocol):
    """What a store keeps its runs in; see `Store` for the law it obeys."""

    @property
    def directory(self) -> Path | None:
        """Where it lies; None in memory."""

    @property
    def epoch(self) -> int:
        """Number of this writer; workers of an earlier one are fenced."""

    def register(self, identity: Mapping[str, str]) -> str:
        """Return the key of a model."""

    def lookup(self, keys: Sequence[str]) -> dict[str, Row]:
        """Return the finished runs among ``keys``."""

    def claim(self, requests: Sequence[Request], queued: bool = False) -> list[int]:
        """Begin attempts; return fencing tokens."""

    def publish(self, rows: Sequence[tuple[str, int, Row]]) -> list[bool]:
        """Publish rows; False where an attempt may not."""

    def settle(self, token: int, status: str, reason: str, cost_s: float) -> None:
        """End an attempt without a run."""

    def collect(self, token: int) -> Row | None:
        """Take up what a worker recorded."""

    def attempts(self) -> list[Attempt]:
        """Every attempt, oldest first."""

    def note(self, text: str) -> None:
        """Keep a remark."""

    def notes(self) -> list[str]:
        """Remarks, oldest first."""

    def count(self) -> int:
        """Number of finished runs."""

    def close(self) -> None:
        """Let go of it."""
