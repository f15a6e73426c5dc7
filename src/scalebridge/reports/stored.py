"""What reports are drawn from, read back: a JSON record of a known schema, and the arrays beside it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError


def stored_record(file: Path, version: int, command: str, again: str) -> dict[str, Any]:
    """Return the content of a JSON record.

    Args:
        file: the record.
        version: of its schema.
        command: that writes it, as told to who gave another directory.
        again: what to do where it cannot be read, as ``"fit anew"``.

    Raises:
        InputError: none there, no JSON, or one of another schema.
    """
    if not file.is_file():
        raise InputError(
            f"There is no {file.name} in '{file.parent}'; give the directory that 'scalebridge {command}' wrote."
        )
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"'{file}' is not JSON ({error}); {again}.") from error
    found = content.get("schema_version") if isinstance(content, dict) else None
    if found != version:
        raise InputError(f"'{file}' has schema_version {found}; this ScaleBridge reads {version}: {again}.")
    return dict(content)


def stored_arrays(file: Path, again: str) -> dict[str, NDArray[Any]]:
    """Return the arrays of an archive without pickle; none where it is not there.

    Raises:
        InputError: an archive that is damaged.
    """
    if not file.is_file():
        return {}
    try:
        with np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"'{file}' cannot be read ({error}); {again}.") from error
