"""Study files: reading TOML, overriding keys, writing TOML."""

from __future__ import annotations

import copy
import json
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scalebridge.errors import InputError


def read_toml(file: Path) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises:
        InputError: no such file, a folder, not readable, not TOML (with the line).
    """
    if file.is_dir():
        raise InputError(f"'{file}' is a folder; give the study file in it, such as '{file / 'study.toml'}'.")
    if not file.is_file():
        beside = sorted(p.name for p in file.parent.glob("*.toml")) if file.parent.is_dir() else []
        hint = f"; there is {', '.join(beside)} in that folder" if beside else ""
        raise InputError(f"There is no study file '{file}'{hint}. 'scalebridge init' writes one to start from.")
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise InputError(f"'{file}' is not UTF-8 text ({error.reason}); a study is a TOML text file.") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"'{file}' is not valid TOML: {error}.") from error
    except OSError as error:
        raise InputError(f"'{file}' cannot be read: {error.strerror}.") from error


def overridden(content: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """Return the content with keys replaced; each override is ``a.b=c``, the value written as in TOML.

    Raises:
        InputError: an override of another form, or a key below one that holds no table.
    """
    result: dict[str, Any] = copy.deepcopy(dict(content))
    for text in overrides:
        key, equals, value = text.partition("=")
        path = key.strip().split(".")
        if not equals or not all(path):
            raise InputError(f"The override '{text}' is not of the form a.b=c; write for example question.rtol=0.02.")
        _set(result, path, _value(value.strip()), text)
    return result


def replaced(content: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content with keys replaced, each named ``a.b``."""
    result: dict[str, Any] = copy.deepcopy(dict(content))
    for key, value in changes.items():
        _set(result, key.split("."), value, key)
    return result


def _set(table: Any, path: Sequence[str], value: Any, text: str) -> None:
    for depth, key in enumerate(path[:-1]):
        if isinstance(table, list):
            table = _item(table, key, text)
        else:
            table = table.setdefault(key, {})
        if not isinstance(table, (dict, list)):
            where = ".".join(path[: depth + 1])
            raise InputError(f"The override '{text}' reaches below '{where}', which holds {table!r} and no table.")
    if isinstance(table, list):
        table[_index(table, path[-1], text)] = value
    else:
        table[path[-1]] = value


def _item(items: list[Any], key: str, text: str) -> Any:
    return items[_index(items, key, text)]


def _index(items: list[Any], key: str, text: str) -> int:
    if not key.isdigit() or int(key) >= len(items):
        raise InputError(
            f"The override '{text}' has '{key}' where a list of {len(items)} stands; give a number from 0 to "
            f"{len(items) - 1}."
        )
    return int(key)


def _value(text: str) -> Any:
    """A TOML value, or the text itself: ``mesh=include`` needs no quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def toml_text(content: Mapping[str, Any]) -> str:
    """Return a mapping as TOML text: plain keys first, then tables, lists of tables as ``[[name]]``."""
    lines: list[str] = []
    _write(content, (), lines)
    return "\n".join(lines).strip() + "\n"


def _write(table: Mapping[str, Any], path: tuple[str, ...], lines: list[str]) -> None:
    nested = {k: v for k, v in table.items() if _is_table(v) or _is_tables(v)}
    for key, value in table.items():
        if key not in nested and value is not None:
            lines.append(f"{_key(key)} = {_inline(value)}")
    for key, value in nested.items():
        name = ".".join(_key(k) for k in (*path, key))
        if _is_tables(value):
            for item in value:
                lines += ["", f"[[{name}]]"]
                _write(item, (*path, key), lines)
            continue
        if any(not (_is_table(v) or _is_tables(v)) for v in value.values()) or not value:
            lines += ["", f"[{name}]"]
        _write(value, (*path, key), lines)


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, Mapping) for v in value)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _text(key)


def _text(text: str) -> str:
    """A basic string; TOML wants one control character escaped that JSON leaves."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _inline(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else ("nan" if math.isnan(value) else f"{'-' * (value < 0)}inf")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {_inline(v)}" for k, v in value.items() if v is not None) + " }"
    return "[" + ", ".join(_inline(v) for v in value) + "]"
