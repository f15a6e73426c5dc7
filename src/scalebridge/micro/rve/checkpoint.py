"""A path kept in a file after each step, so that a run that was killed goes on where it stopped."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scalebridge.errors import InputError

if TYPE_CHECKING:
    from scalebridge.micro.rve.paths import RVEState

_ARRAYS = ("measure", "stress", "tangent")


def write_checkpoint(file: Path, key: str, rows: list[dict[str, Any]], state: RVEState) -> None:
    """Replace ``file`` by the steps so far and the state; a crash leaves the one before.

    Raises:
        InputError: the file cannot be written.
    """
    columns = {name: np.array([r[name] for r in rows]) for name in _ARRAYS}
    numbers = json.dumps([{k: v for k, v in r.items() if k not in _ARRAYS} for r in rows])
    arrays: dict[str, Any] = {f"state.{name}": values for name, values in state.arrays.items()}
    arrays |= columns | {"key": np.array(key), "rows": np.array(numbers), "time": np.array(state.time)}
    fresh = file.with_name(file.name + ".new")
    try:
        with fresh.open("wb") as stream:
            np.savez(stream, **arrays)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(file)
    except OSError as error:
        raise InputError(f"The checkpoint '{file}' of the path could not be written: {error.strerror}.") from error


def read_checkpoint(file: Path, key: str) -> tuple[list[dict[str, Any]], dict[str, Any]] | None:
    """Return the steps and the state of a file, or ``None`` where there is none.

    Raises:
        InputError: a file of another path, or one that is no checkpoint.
    """
    if not file.exists():
        return None
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as held:
            arrays = {name: held[name] for name in held.files}
        rows = json.loads(str(arrays["rows"]))
        found = str(arrays["key"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"The checkpoint '{file}' cannot be read ({error}); remove it to begin the path anew."
        ) from error
    if found != key:
        raise InputError(
            f"The checkpoint '{file}' belongs to another path (image, materials, loads or times differ); "
            "name another file, or remove it to begin anew."
        )
    for k, row in enumerate(rows):
        row |= {name: arrays[name][k] for name in _ARRAYS}
    held = {name.removeprefix("state."): values for name, values in arrays.items() if name.startswith("state.")}
    internal = tuple(held.pop(f"internal_{k}") for k in range(sum(name.startswith("internal_") for name in held)))
    return rows, held | {"internal": internal, "time": float(arrays["time"])}
