"""Frozen records as plain JSON and back: numbers, texts, lists; what is not finite becomes null."""

from __future__ import annotations

import json
import math
import os
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from scalebridge.errors import InfrastructureError, InputError


def plain(value: Any) -> Any:
    """A record, or anything in it, as JSON has it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def write(record: dict[str, Any], path: str | os.PathLike[str] | None) -> str:
    """A record as JSON text, written where told.

    Raises:
        InfrastructureError: the file cannot be written.
    """
    text = json.dumps(plain(record), indent=1, allow_nan=False)
    if path is not None:
        try:
            Path(path).write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise InfrastructureError(f"'{path}' cannot be written: {error.strerror}.") from error
    return text


def read(path: str | os.PathLike[str], kind: str) -> dict[str, Any]:
    """A record that `write` left.

    Raises:
        InputError: no such file, no JSON, another kind of record or a newer one.
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"There is no file '{path}' to read; write one with to_json(path).") from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"'{path}' is no JSON text ({error}); write it again with to_json(path).") from error
    if not isinstance(record, dict) or record.get("kind") != kind:
        raise InputError(f"'{path}' holds no record of the kind '{kind}'; write one with to_json(path).")
    if record.get("schema_version", 0) > 1:
        raise InputError(f"'{path}' was written by a newer scalebridge; install that.")
    return record


def numbers(value: Any) -> Any:
    """Lists of JSON as tuples, nulls as NaN."""
    if isinstance(value, list):
        return tuple(numbers(v) for v in value)
    return math.nan if value is None else value
