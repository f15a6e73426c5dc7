"""The store: the ledger of every micro run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from scalebridge.campaign.disk import DiskLedger
from scalebridge.campaign.ledger import Attempt, Ledger, Request
from scalebridge.campaign.memory import MemoryLedger
from scalebridge.campaign.rows import Row
from scalebridge.errors import StoreError


class Store:
    """Every micro run, exactly once, never lost.

    The law, enforced by ``tests/campaign`` and `scalebridge.testing.check_store`:

    1. **Identity.** A run is known by the digest of its model's identity (qualified name, version,
       source, settings), the float64 bytes of its input (``-0.0`` is ``0.0``) and its replicate.
       A changed source under an old version is another model; `notes` says so.
    2. **Finished.** A run is finished when the model has returned and the process that ran it has
       recorded the row: a file that appears whole or not at all. A finished run is never executed
       again, whichever process dies next: the ledger takes up recorded rows when it is opened.
       A run that was cut off before may be executed again. Failures are recorded, never final.
    3. **Once.** Every attempt carries a fencing token, larger than any before. Only the latest
       attempt of a run, of the present writer, can be published, and a run is published once. A new
       writer ends the processes that still work for an earlier one, or waits for them, before it
       runs anything; one that had not begun finds the epoch changed and does not begin.
    4. **One writer**, which holds a lock that dies with it. Any number of viewers
       (``Store.open(path, read_only=True)``), which never block or change anything.
    5. **Death of any process** loses nothing that was finished. **Loss of power** may cost what was
       published within the last second before it and never corrupts: rows and ledger are synced in that order,
       at most once a second and at close; a torn row fails its checksum, is set aside and noted.

    A directory holds ``ledger.sqlite``, ``arrays/`` (npy, no pickle) and the locks. It must lie on a
    file system with locks and shared memory maps, as a local disk has; SQLite is not safe on NFS.

    Args:
        path: directory of the store, made if missing; None keeps the runs in memory.

    Raises:
        StoreError: the directory cannot be used; one sentence says why. Nothing in it is lost.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._ledger: Ledger = _ledger(path, read_only=False)

    @classmethod
    def open(cls, path: str | os.PathLike[str], read_only: bool = False) -> Store:
        """Open an existing store; ``read_only`` for a viewer beside a running campaign.

        Raises:
            StoreError: there is no store at ``path``.
        """
        if not (Path(path) / "ledger.sqlite").is_file():
            raise StoreError(f"There is no store at '{path}'; give the directory that holds 'ledger.sqlite'.")
        store = cls.__new__(cls)
        store._ledger = _ledger(path, read_only)
        return store

    @property
    def directory(self) -> Path | None:
        """Where the store lies; None in memory."""
        return self._ledger.directory

    @property
    def epoch(self) -> int:
        """Number of this writer among all that have opened the store; 0 in memory."""
        return self._ledger.epoch

    @property
    def notes(self) -> list[str]:
        """Remarks for people: changed sources, rows set aside, runs interrupted."""
        return self._ledger.notes()

    def note(self, text: str) -> None:
        """Keep a remark for people."""
        self._ledger.note(text)

    def register(self, identity: Mapping[str, str]) -> str:
        """Return the key of a model; note a changed source under an old version."""
        return self._ledger.register(identity)

    def lookup(self, keys: Sequence[str]) -> dict[str, Row]:
        """Return the finished runs among ``keys``."""
        return self._ledger.lookup(keys)

    def claim(self, requests: Sequence[Request], queued: bool = False) -> list[int]:
        """Begin one attempt per request, or queue it for a worker; return the fencing tokens."""
        return self._ledger.claim(requests, queued)

    def publish(self, rows: Sequence[tuple[str, int, Row]]) -> list[bool]:
        """Publish ``(key, token, row)``; False for an attempt that is fenced or published already."""
        return self._ledger.publish(rows)

    def settle(self, token: int, status: str, reason: str, cost_s: float = 0.0) -> None:
        """End an attempt without a run, with its status and reason."""
        self._ledger.settle(token, status, reason, cost_s)

    def collect(self, token: int) -> Row | None:
        """Publish and return the row that a worker recorded for the attempt; None where it recorded none."""
        return self._ledger.collect(token)

    def attempts(self) -> list[Attempt]:
        """Every attempt, oldest first."""
        return self._ledger.attempts()

    def __len__(self) -> int:
        return self._ledger.count()

    def __bool__(self) -> bool:
        return True

    def close(self) -> None:
        """Sync and let go of the lock; a store that is not closed loses nothing."""
        self._ledger.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({str(self.directory) if self.directory else 'in memory'!r}, {len(self)} runs)"


def _ledger(path: str | os.PathLike[str] | None, read_only: bool) -> Ledger:
    return MemoryLedger() if path is None else DiskLedger(Path(path), read_only)
