"""A folder of versions: every dataset once, by its digest, and a log of who said what of it.

The law: a dataset's file is complete before the log names it, files are never changed, and a line of the log is
appended whole. A process that dies leaves at most a file that no line names and half a last line, which is ignored.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from scalebridge.data.versions.changes import Changes, changes
from scalebridge.errors import InputError, StoreError

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset

LOG, FOLDER, SUFFIX = "log.jsonl", "datasets", ".sbdata"
TORN = "# the line above is torn: its writer died"
SHORTEST = 4


@dataclass(frozen=True)
class Version:
    """One entry of the log.

    Attributes:
        digest: SHA-256 of the dataset's content.
        message: what the author said of it.
        name: of the dataset.
        rows, columns: its size.
        added: when, ISO text in UTC.
    """

    digest: str
    message: str
    name: str
    rows: int
    columns: int
    added: str

    def __str__(self) -> str:
        return f"{self.digest[:12]}  {self.added}  {self.rows} x {self.columns}  {self.message}"


@dataclass(frozen=True)
class Versions:
    """Versions of data in a folder.

    ::

        versions = sb.data.Versions("data/versions")
        versions.add(dataset, "as measured")
        print(versions.diff("3f2a", "latest"))

    Args:
        folder: made on the first `add`.
    """

    folder: str | os.PathLike[str]

    def add(self, dataset: Dataset, message: str, *, history: bool = True) -> Version:
        """Keep a dataset; content that is there already is not written again, but the message is logged.

        Args:
            dataset: what to keep.
            message: one line on what it is or why it changed.
            history: whether its former steps are kept with it, so that `Dataset.undo` works.

        Raises:
            InputError: no message.
            StoreError: the folder cannot be written.
        """
        text = " ".join(message.split())
        if not text:
            raise InputError("A version of data needs a message; say in a line what it is or why it changed.")
        version = Version(
            dataset.digest,
            text,
            dataset.name,
            len(dataset),
            len(dataset.space),
            datetime.now(UTC).isoformat(timespec="seconds"),
        )
        target = self._file(dataset.digest)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                dataset.save(target, history=history)
                _to_disk(target)
            _append(Path(self.folder) / LOG, json.dumps(vars(version), ensure_ascii=False))
        except (OSError, InputError) as error:
            raise StoreError(f"The version '{text}' could not be kept in '{self.folder}': {error}") from error
        return version

    def list(self) -> tuple[Version, ...]:
        """All versions, the oldest first.

        Raises:
            StoreError: a line of the log, other than a torn last one, cannot be read.
        """
        log = Path(self.folder) / LOG
        if not log.exists():
            return ()
        lines = log.read_text(encoding="utf-8").split("\n")
        found = []
        for number, line in enumerate(lines, 1):
            if not line or line == TORN:
                continue
            try:
                found.append(Version(**json.loads(line)))
            except (ValueError, TypeError) as error:
                # No newline after it, or what the next writer put there: the one before died.
                if number == len(lines) or lines[number] == TORN:
                    continue
                raise StoreError(f"Line {number} of '{log}' is no version; restore the file from a copy.") from error
        return tuple(found)

    def get(self, digest: str) -> Dataset:
        """The dataset of a digest, or of the first few digits of one; ``"latest"`` for the last added.

        Raises:
            InputError: none or several begin so.
            StoreError: the file is gone or holds something else.
        """
        from scalebridge.data.archive import load

        wanted = self.find(digest)
        try:
            dataset = load(self._file(wanted))
        except InputError as error:
            raise StoreError(f"The version {wanted[:12]} cannot be read: {error}") from error
        if dataset.digest != wanted:
            raise StoreError(
                f"The file of version {wanted[:12]} holds {dataset.digest[:12]}, so it was changed; restore it from a "
                "copy."
            )
        return dataset

    def find(self, digest: str) -> str:
        """The whole digest that begins with ``digest``."""
        known = list(dict.fromkeys(version.digest for version in self.list()))
        if digest == "latest" and known:
            return self.list()[-1].digest
        found = [d for d in known if d.startswith(digest)] if len(digest) >= SHORTEST else []
        if len(found) != 1:
            said = f"{len(found)} versions begin so" if found else "no version begins so"
            raise InputError(
                f"The version '{digest}' of '{self.folder}' was asked for and {said}; give at least {SHORTEST} digits "
                f"of one of: {', '.join(d[:12] for d in (found or known)[-8:]) or 'none, add one first'}."
            )
        return found[0]

    def diff(self, old: str, new: str = "latest") -> Changes:
        """What changed between two versions, by their digests."""
        return changes(self.get(old), self.get(new))

    def _file(self, digest: str) -> Path:
        return Path(self.folder) / FOLDER / f"{digest}{SUFFIX}"


def _append(path: Path, line: str) -> None:
    """Append one whole line and see it on the disk; a torn line before it is closed first."""
    torn = path.exists() and path.stat().st_size > 0 and path.read_bytes()[-1:] != b"\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, ((f"\n{TORN}\n" if torn else "") + line + "\n").encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
