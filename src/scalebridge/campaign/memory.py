"""A store in memory: plain dictionaries behind the interface of the ledger."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from scalebridge.campaign.keys import model_key
from scalebridge.campaign.ledger import OPEN, Attempt, Request
from scalebridge.campaign.rows import Row


class MemoryLedger:
    """Runs and attempts of one process; gone with it."""

    directory = None
    epoch = 0

    def __init__(self) -> None:
        self._runs: dict[str, Row] = {}
        self._latest: dict[str, int] = {}
        self._attempts: list[Attempt] = []
        self._notes: list[str] = []

    def register(self, identity: Mapping[str, str]) -> str:
        """Return the key of a model."""
        return model_key(identity)

    def lookup(self, keys: Sequence[str]) -> dict[str, Row]:
        """Return the finished runs among ``keys``."""
        return {key: self._runs[key] for key in keys if key in self._runs}

    def claim(self, requests: Sequence[Request], queued: bool = False) -> list[int]:
        """Begin one attempt per request; a later claim of a key fences the earlier one."""
        tokens = []
        for request in requests:
            token = len(self._attempts) + 1
            earlier = self._latest.get(request.key)
            if earlier is not None and self._attempts[earlier - 1].status in OPEN:
                self._end(earlier, "fenced", "a later attempt took its place", 0.0)
            self._latest[request.key] = token
            self._attempts.append(Attempt(token, request, "queued" if queued else "running", "", 0.0, time.time()))
            tokens.append(token)
        return tokens

    def publish(self, rows: Sequence[tuple[str, int, Row]]) -> list[bool]:
        """Publish finished attempts; False for one that was fenced or had published already."""
        published = []
        for key, token, row in rows:
            attempt = self._attempts[token - 1]
            running = attempt.status in OPEN and attempt.request.key == key and key not in self._runs
            if running:
                self._runs[key] = row
                self._end(token, "ok", "", row.cost_s)
            published.append(running)
        return published

    def settle(self, token: int, status: str, reason: str, cost_s: float) -> None:
        """End an attempt without a run."""
        if self._attempts[token - 1].status in OPEN:
            self._end(token, status, reason, cost_s)

    def collect(self, token: int) -> Row | None:
        """Return what a worker published for the attempt: nothing, memory is not shared."""
        return None

    def attempts(self) -> list[Attempt]:
        """Every attempt, oldest first."""
        return list(self._attempts)

    def note(self, text: str) -> None:
        """Keep a remark for people, once."""
        if text not in self._notes:
            self._notes.append(text)

    def notes(self) -> list[str]:
        """Remarks, oldest first."""
        return list(self._notes)

    def count(self) -> int:
        """Number of finished runs."""
        return len(self._runs)

    def close(self) -> None:
        """Nothing to close."""

    def _end(self, token: int, status: str, reason: str, cost_s: float) -> None:
        old = self._attempts[token - 1]
        self._attempts[token - 1] = Attempt(token, old.request, status, reason, cost_s, old.started)
