"""The ledger's tables, and opening a ledger file safely."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from scalebridge.errors import StoreError

SCHEMA_VERSION = 1
# "SBrg": marks the file as ours before anything in it is believed.
APPLICATION_ID = 0x53427267

TABLES = """
CREATE TABLE drivers(epoch INTEGER PRIMARY KEY AUTOINCREMENT, pid INTEGER, host TEXT, started REAL);
CREATE TABLE models(model TEXT PRIMARY KEY, settings TEXT, name TEXT, version TEXT, source TEXT, identity TEXT);
CREATE TABLE attempts(token INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, model TEXT NOT NULL, x BLOB,
    replicate INTEGER, phase TEXT, why TEXT, epoch INTEGER, status TEXT NOT NULL, reason TEXT, cost_s REAL,
    started REAL, ended REAL);
CREATE INDEX attempts_by_key ON attempts(key);
CREATE INDEX attempts_open ON attempts(token) WHERE status IN ('queued', 'running');
CREATE TABLE runs(key TEXT PRIMARY KEY, token INTEGER UNIQUE NOT NULL, file TEXT NOT NULL);
CREATE TABLE notes(number INTEGER PRIMARY KEY AUTOINCREMENT, written REAL, text TEXT NOT NULL);
"""


def open_ledger(path: Path, read_only: bool) -> sqlite3.Connection:
    """Open (and, as the writer, create) the ledger file.

    Raises:
        StoreError: not a ledger, damaged, of a newer version, or not to be opened.
    """
    try:
        try:
            return _open(path, "mode=ro" if read_only else "mode=rwc", read_only)
        except sqlite3.OperationalError:
            # Beside a write-ahead log SQLite wants to write; where nobody may, and no log is left, it need not.
            if not read_only or path.with_name(f"{path.name}-wal").exists():
                raise
            return _open(path, "mode=ro&immutable=1", read_only)
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"The ledger '{path}' cannot be used ({error}); nothing was changed: "
            "restore it from a copy, or move the store's directory away and begin a new one."
        ) from error


def _open(path: Path, mode: str, read_only: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=30.0, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA busy_timeout=30000")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if application != APPLICATION_ID and not empty:
            raise StoreError(f"The file '{path}' is a database, but no ledger of ScaleBridge; give another directory.")
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"The store at '{path.parent}' has the schema version {version}, this ScaleBridge knows up to "
                f"{SCHEMA_VERSION}; nothing was changed: open it with a newer ScaleBridge."
            )
        if read_only and empty:
            raise StoreError(f"The store at '{path.parent}' is only being made; look again in a moment.")
        if not read_only:
            _prepare(connection, empty)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, empty: bool) -> None:
    damage = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if damage != "ok":
        raise sqlite3.DatabaseError(damage)
    # Write-ahead log: a viewer, even a stopped one, never blocks the writer.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    if empty:
        connection.executescript(
            f"BEGIN;{TABLES}PRAGMA application_id={APPLICATION_ID};PRAGMA user_version={SCHEMA_VERSION};COMMIT;"
        )
