"""Where the trials of a search are kept, so that one that was killed goes on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from scalebridge.errors import InputError
from scalebridge.learn.held_out import reason_of
from scalebridge.models import Surrogate

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import BaseStorage

# How every line of Optuna's journals begins.
JOURNAL = b'{"op_code"'


def study_in(storage: str | os.PathLike[str] | None, surrogate: Surrogate, digest: str) -> Study:
    """Optuna's record of a search, new or as it was left; trials of processes that are no more are marked as failed.

    Raises:
        InputError: a storage that cannot be used, or one of another search: of another ``digest``.
    """
    import optuna

    try:
        study = optuna.create_study(
            study_name=surrogate.name, storage=_storage(storage), direction="minimize", load_if_exists=True
        )
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"The storage '{storage}' of the search cannot be used: {reason_of(error)}; give a new file, or one that a "
            "search wrote."
        ) from error
    known = study.user_attrs.get("digest")
    if known is None:
        study.set_user_attr("digest", digest)
    elif known != digest:
        raise InputError(
            f"The storage '{storage}' holds a search of '{surrogate.name}' with other data, splits, options or ranges; "
            "give another file."
        )
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        if not _alive(str(trial.user_attrs.get("process", ":0"))):
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    return study


def _storage(storage: str | os.PathLike[str] | None) -> BaseStorage | None:
    import optuna
    from optuna.storages.journal import JournalFileBackend

    if storage is None:
        return None
    if "://" in str(storage):
        return optuna.storages.RDBStorage(str(storage))
    path = Path(storage)
    if not path.absolute().parent.is_dir():
        raise InputError(f"The storage '{path}' cannot be written: its folder does not exist; make it first.")
    if path.suffix in (".db", ".sqlite", ".sqlite3"):
        return optuna.storages.RDBStorage(f"sqlite:///{path.absolute()}")
    _cut_torn_line(path)
    return optuna.storages.JournalStorage(JournalFileBackend(str(path)))


def _cut_torn_line(path: Path) -> None:
    """Cut the line that a killed search did not finish: Optuna would write the next one behind it and read neither."""
    from optuna.storages.journal import JournalFileSymlinkLock

    if not path.is_file() or not path.stat().st_size:
        return
    lock = JournalFileSymlinkLock(str(path))
    lock.acquire()
    try:
        with path.open("r+b") as file:
            content = file.read()
            # Only of a file that is a journal.
            if content.startswith(JOURNAL) and not content.endswith(b"\n"):
                file.truncate(content.rfind(b"\n") + 1)
    finally:
        lock.release()


def process_name() -> str:
    """Machine and number of this process."""
    return f"{os.uname().nodename if hasattr(os, 'uname') else ''}:{os.getpid()}"


def _alive(process: str) -> bool:
    """Whether a process of this machine still runs; of others, whose trials are left alone, it is assumed."""
    host, _, number = process.rpartition(":")
    if not hasattr(os, "uname") or int(number) <= 0 or int(number) == os.getpid():
        return False
    if host != os.uname().nodename:
        return True
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
