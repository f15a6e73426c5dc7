"""A store on disk: an SQLite ledger, array files, and the recovery of what a dead writer left."""

from __future__ import annotations

import contextlib
import os
import socket
import sqlite3
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import RLock

import numpy as np

from scalebridge.campaign.arrays import TornArray, read_records, same_layout, write_records
from scalebridge.campaign.keys import canonical, model_key
from scalebridge.campaign.ledger import Attempt, Request
from scalebridge.campaign.locks import FileLock, end_owner, lock_path, owner_of, remove_stale_locks, write_epoch
from scalebridge.campaign.rows import Row
from scalebridge.campaign.schema import open_ledger
from scalebridge.errors import StoreError

SYNC_EVERY_S = 1.0
_OPEN = "status IN ('queued', 'running')"
_MINE = f"{_OPEN} AND epoch = ?"


class DiskLedger:
    """The ledger of a `Store` with a directory."""

    def __init__(self, directory: Path, read_only: bool) -> None:
        self._directory = directory
        self._read_only = read_only
        self._epoch = 0
        self._guard = RLock()
        self._unsynced: list[Path] = []
        self._synced_at = time.monotonic()
        if not read_only:
            _make(directory)
        lock = None if read_only else _take_lock(directory)
        self._connection = _connect(directory, lock)
        # A store that is dropped without `close` lets go too, without the last sync.
        self._end = weakref.finalize(self, _let_go, self._connection, lock)
        if not read_only:
            try:
                self._begin()
            except BaseException:
                self._end()
                raise

    @property
    def directory(self) -> Path | None:
        """Where the store lies."""
        return self._directory

    @property
    def epoch(self) -> int:
        """Number of this writer."""
        return self._epoch

    def register(self, identity: Mapping[str, str]) -> str:
        """Return the key of a model; note a source that changed while the version did not."""
        key = model_key(identity)
        settings = model_key({k: v for k, v in identity.items() if k != "source"})
        name, version, source = (str(identity.get(k, "")) for k in ("name", "version", "source"))
        with self._transaction() as db:
            if db.execute("SELECT 1 FROM models WHERE model = ?", (key,)).fetchone():
                return key
            stored = db.execute(
                "SELECT count(DISTINCT attempts.key) FROM models JOIN attempts USING (model) "
                "WHERE settings = ? AND source != ? AND status = 'ok'",
                (settings, source),
            ).fetchone()[0]
            row = (key, settings, name, version, source, canonical(identity))
            db.execute("INSERT INTO models VALUES (?, ?, ?, ?, ?, ?)", row)
        if stored:
            self.note(
                f"The source of '{name}' changed while its version is still '{version}': {stored} stored runs of the "
                "earlier source are kept but not reused; raise the version when the results change."
            )
        return key

    def lookup(self, keys: Sequence[str]) -> dict[str, Row]:
        """Return the finished runs among ``keys``; a torn one is set aside, noted and left out."""
        files: dict[str, set[str]] = {}
        with self._reading() as db:
            for start in range(0, len(keys), 500):
                part = keys[start : start + 500]
                marks = ",".join("?" * len(part))
                for key, file in db.execute(f"SELECT key, file FROM runs WHERE key IN ({marks})", part):
                    files.setdefault(file, set()).add(key)
        found: dict[str, Row] = {}
        for file, wanted in files.items():
            rows = self._read(file)
            found.update((key, rows[key]) for key in wanted if key in rows)
            if not wanted <= rows.keys():
                self._set_aside(file)
        return found

    def claim(self, requests: Sequence[Request], queued: bool = False) -> list[int]:
        """Begin one attempt per request; a later claim of a key fences the earlier one."""
        tokens: list[int] = []
        status = "queued" if queued else "running"
        with self._transaction() as db:
            for r in requests:
                db.execute(
                    "UPDATE attempts SET status = 'fenced', reason = 'a later attempt took its place' "
                    f"WHERE key = ? AND {_OPEN}",
                    (r.key,),
                )
                x = np.asarray(r.x, dtype="<f8").tobytes()
                cursor = db.execute(
                    "INSERT INTO attempts(key, model, x, replicate, phase, why, epoch, status, reason, cost_s, started)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', 0, ?)",
                    (r.key, r.model, x, r.replicate, r.phase, r.why, self._epoch, status, time.time()),
                )
                tokens.append(int(cursor.lastrowid or 0))
        return tokens

    def publish(self, rows: Sequence[tuple[str, int, Row]]) -> list[bool]:
        """Write the rows and publish them in one transaction; False for an attempt that may not publish."""
        open_ = self._open_among([token for _, token, _ in rows])
        for group in _groups([row for row in rows if row[1] in open_]):
            path = self._arrays / f"{group[0][1]}.npy"
            try:
                write_records(path, group)
            except OSError as error:
                raise self._broken(error) from error
            accepted = self._enter(path.name, [(key, token, row.cost_s) for key, token, row in group])
            open_ -= {token for (_, token, _), entered in zip(group, accepted, strict=True) if not entered}
        return [token in open_ for _, token, _ in rows]

    def settle(self, token: int, status: str, reason: str, cost_s: float) -> None:
        """End an attempt without a run."""
        with self._transaction() as db:
            db.execute(
                f"UPDATE attempts SET status = ?, reason = ?, cost_s = ?, ended = ? WHERE token = ? AND {_MINE}",
                (status, reason, cost_s, time.time(), token, self._epoch),
            )

    def collect(self, token: int) -> Row | None:
        """Take up what a worker recorded for the attempt."""
        path = self._arrays / f"{token}.npy"
        if path.exists():
            self._take_up(path, self._epoch)
        with self._reading() as db:
            entry = db.execute("SELECT key, file FROM runs WHERE token = ?", (token,)).fetchone()
        return None if entry is None else self._read(entry[1]).get(entry[0])

    def attempts(self) -> list[Attempt]:
        """Every attempt, oldest first."""
        columns = "token, key, model, x, replicate, phase, why, status, reason, cost_s, started"
        with self._reading() as db:
            rows = db.execute(f"SELECT {columns} FROM attempts ORDER BY token").fetchall()
        return [
            Attempt(
                r[0],
                Request(r[1], r[2], tuple(np.frombuffer(r[3], dtype="<f8").tolist()), *r[4:7]),
                "running" if r[7] == "queued" and lock_path(self._directory, r[0]).exists() else r[7],
                *r[8:],
            )
            for r in rows
        ]

    def note(self, text: str) -> None:
        """Keep a remark for people, once."""
        with self._transaction() as db:
            if db.execute("SELECT 1 FROM notes WHERE text = ?", (text,)).fetchone() is None:
                db.execute("INSERT INTO notes(written, text) VALUES (?, ?)", (time.time(), text))

    def notes(self) -> list[str]:
        """Remarks, oldest first."""
        with self._reading() as db:
            return [row[0] for row in db.execute("SELECT text FROM notes ORDER BY number")]

    def count(self) -> int:
        """Number of finished runs."""
        with self._reading() as db:
            return int(db.execute("SELECT count(*) FROM runs").fetchone()[0])

    def close(self) -> None:
        """Sync, close the ledger, let go of the lock."""
        with self._guard:
            try:
                if self._end.alive and not self._read_only:
                    self._sync_arrays()
                    remove_stale_locks(self._directory)
            finally:
                self._end()

    @property
    def _arrays(self) -> Path:
        return self._directory / "arrays"

    def _begin(self) -> None:
        """Become the writer: fence every earlier one, end its workers, take up what they recorded."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO drivers(pid, host, started) VALUES (?, ?, ?)",
                (os.getpid(), socket.gethostname(), time.time()),
            )
            self._epoch = int(db.execute("SELECT max(epoch) FROM drivers").fetchone()[0])
            left = db.execute(f"SELECT token, epoch FROM attempts WHERE {_OPEN}").fetchall()
        # From here on a worker of an earlier writer that has not begun will not begin.
        write_epoch(self._directory, self._epoch)
        begun = [token for token, _ in left if lock_path(self._directory, token).exists()]
        for token in begun:
            end_owner(lock_path(self._directory, token))
        for token, epoch in left:
            path = self._arrays / f"{token}.npy"
            if path.exists():
                self._take_up(path, epoch)
        self._close_attempts(begun)
        self._note_repeated()
        for temporary in self._arrays.glob("*.tmp"):
            temporary.unlink(missing_ok=True)
        remove_stale_locks(self._directory)

    def _close_attempts(self, begun: Sequence[int]) -> None:
        """Close what the last writer left open: cut off where it had begun, cancelled where it had not."""
        cut_off = "UPDATE attempts SET status = 'interrupted', reason = 'its process ended before it was finished' "
        with self._transaction() as db:
            db.executemany(f"{cut_off} WHERE token = ? AND {_OPEN}", [(token,) for token in begun])
            db.execute(f"{cut_off} WHERE status = 'running'")
            db.execute(
                "UPDATE attempts SET status = 'cancelled', reason = 'its campaign ended before it began' "
                "WHERE status = 'queued'"
            )

    def _note_repeated(self) -> None:
        """Name the runs that were cut off again and again: they may be what ends the process."""
        with self._reading() as db:
            repeated = db.execute(
                "SELECT key, count(*), max(x) FROM attempts WHERE status = 'interrupted' "
                "AND key NOT IN (SELECT key FROM runs) GROUP BY key HAVING count(*) = 3"
            ).fetchall()
        for key, times, x in repeated:
            inputs = ", ".join(f"{v:g}" for v in np.frombuffer(x, dtype="<f8"))
            self.note(
                f"The run {key[:12]} at ({inputs}) was cut off {times} times with its process; "
                "if it is what ends the process, run the campaign with isolate=True."
            )

    def _open_among(self, tokens: Sequence[int]) -> set[int]:
        """Which attempts may still publish: of this writer, and running."""
        found: set[int] = set()
        with self._reading() as db:
            for token in tokens:
                entry = db.execute(f"SELECT 1 FROM attempts WHERE token = ? AND {_MINE}", (token, self._epoch))
                if entry.fetchone():
                    found.add(token)
        return found

    def _take_up(self, path: Path, epoch: int) -> None:
        try:
            rows = [(key, token, row.cost_s) for key, token, row in read_records(path)]
        except TornArray:
            self._set_aside(path.name)
            return
        self._enter(path.name, rows, epoch)

    def _enter(self, file: str, rows: Sequence[tuple[str, int, float]], epoch: int | None = None) -> list[bool]:
        """Enter the rows of a file into the ledger, all in one transaction."""
        accepted = []
        self._unsynced.append(self._arrays / file)
        with self._transaction() as db:
            for key, token, cost_s in rows:
                current = db.execute(
                    f"UPDATE attempts SET status = 'ok', cost_s = ?, ended = ? WHERE token = ? AND key = ? AND {_MINE}",
                    (cost_s, time.time(), token, key, self._epoch if epoch is None else epoch),
                ).rowcount
                fresh = (
                    current and db.execute("INSERT OR IGNORE INTO runs VALUES (?, ?, ?)", (key, token, file)).rowcount
                )
                accepted.append(bool(fresh))
        return accepted

    def _read(self, file: str) -> dict[str, Row]:
        try:
            return {key: row for key, _, row in read_records(self._arrays / file)}
        except TornArray:
            return {}

    def _set_aside(self, file: str) -> None:
        if self._read_only:
            return
        with self._transaction() as db:
            torn = db.execute("SELECT token FROM runs WHERE file = ?", (file,)).fetchall()
            db.execute("DELETE FROM runs WHERE file = ?", (file,))
            db.executemany(
                "UPDATE attempts SET status = 'failed', reason = 'its array file is torn' WHERE token = ?", torn
            )
        path = self._arrays / file
        with contextlib.suppress(FileNotFoundError):
            path.rename(path.with_suffix(".torn"))
        self.note(
            f"The array file '{path}' is missing or torn (a loss of power, or it was changed by hand): "
            f"it was set aside and its {max(len(torn), 1)} runs count as not run."
        )

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._guard:
            if self._read_only:
                raise StoreError(
                    f"The store at '{self._directory}' is open read-only; open it with Store(path) to run."
                )
            try:
                self._sync_when_due()
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                    self._connection.execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise
            except (sqlite3.Error, OSError) as error:
                raise self._broken(error) from error

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._guard:
            try:
                yield self._connection
            except sqlite3.Error as error:
                raise self._broken(error) from error

    def _sync_when_due(self) -> None:
        due = time.monotonic() - self._synced_at > SYNC_EVERY_S
        # FULL makes this one commit durable, with all before it; the arrays it names are synced first.
        self._connection.execute(f"PRAGMA synchronous={'FULL' if due else 'NORMAL'}")
        if due:
            self._sync_arrays()

    def _sync_arrays(self) -> None:
        for path in [*self._unsynced, self._arrays]:
            with contextlib.suppress(FileNotFoundError):
                _fsync(path)
        self._unsynced.clear()
        self._synced_at = time.monotonic()

    def _broken(self, error: Exception) -> StoreError:
        return StoreError(
            f"The store at '{self._directory}' cannot be used ({error}); the runs published so far are kept: "
            "check free space, permissions and the disk, then run again to go on."
        )


def _make(directory: Path) -> None:
    try:
        for part in (directory, directory / "arrays", directory / "locks"):
            part.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"The store at '{directory}' cannot be made ({error.strerror}); give a directory that can be written."
        ) from error


def _take_lock(directory: Path) -> FileLock:
    path = directory / "writer.lock"
    try:
        return FileLock(path)
    except BlockingIOError:
        pid, host, _ = owner_of(path)
        raise StoreError(
            f"The store at '{directory}' is in use by process {pid} on {host}; wait for it, "
            "give another directory, or look on with Store.open(path, read_only=True)."
        ) from None
    except OSError as error:
        raise StoreError(
            f"The store at '{directory}' cannot be locked ({error.strerror}); put it on a local disk you can write."
        ) from error


def _connect(directory: Path, lock: FileLock | None) -> sqlite3.Connection:
    try:
        return open_ledger(directory / "ledger.sqlite", read_only=lock is None)
    except BaseException:
        _let_go(None, lock)
        raise


def _let_go(connection: sqlite3.Connection | None, lock: FileLock | None) -> None:
    if connection is not None:
        connection.close()
    if lock is not None:
        lock.release()


def _groups(rows: Sequence[tuple[str, int, Row]]) -> list[list[tuple[str, int, Row]]]:
    if same_layout([row for _, _, row in rows]):
        return [list(rows)] if rows else []
    return [[row] for row in rows]


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
