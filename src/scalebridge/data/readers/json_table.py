"""JSON to a `Dataset`: a mapping from column to values, or a list of records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scalebridge.data.dataset import Dataset
from scalebridge.data.headers import headers
from scalebridge.data.readers.assembling import Parts, assembled, place_of, read_as_text
from scalebridge.data.readers.cells import Cells, as_column, as_text
from scalebridge.data.readers.opening import check_cells, decoding
from scalebridge.data.readers.wanted import Wanted
from scalebridge.errors import InputError


def read_json(path: Path, wanted: Wanted) -> Dataset:
    """Read JSON as `read_table` says; messages count values from 1."""
    with decoding(path, "table"):
        tree = json.loads(
            path.read_bytes().decode(wanted.encoding or "utf-8-sig"),
            object_pairs_hook=lambda pairs: _mapping(pairs, wanted.owner),
            parse_constant=str,
            parse_float=str,
            parse_int=str,
        )
    columns = _columns(tree, wanted.owner)
    check_cells(max(map(len, columns.values())), len(columns), path, "table")
    made = headers(list(columns), wanted.owner, units=wanted.units)
    text = read_as_text(made, wanted.text, wanted.index, wanted.owner)
    chosen = list(range(len(made)))
    if wanted.columns is not None:
        names = dict.fromkeys((*wanted.columns, *((wanted.clock.column,) if wanted.clock else ())))
        chosen = [place_of(made, name, wanted.owner, "a column") for name in names]
    texts = list(columns.values())
    read = []
    for i in chosen:
        header = made[i]
        cells = Cells(
            wanted.owner, header.text, _place, header.unit, wanted.gaps, name=header.name, unreadable=wanted.unreadable
        )
        read.append(as_text(texts[i], cells) if i in text else as_column(texts[i], cells))
    parts = Parts(wanted.file, wanted.owner, [made[i] for i in chosen], read, _place, "table", wanted.options)
    return assembled(parts, name=path.name, index=wanted.index, time=wanted.clock)


def _columns(tree: Any, owner: str) -> dict[str, list[str]]:
    if isinstance(tree, list) and tree and all(isinstance(record, dict) for record in tree):
        names = list(dict.fromkeys(name for record in tree for name in record))
        return {name: [_text(record.get(name), name, i, owner) for i, record in enumerate(tree)] for name in names}
    if not isinstance(tree, dict) or not tree or not all(isinstance(values, list) for values in tree.values()):
        raise InputError(f"{owner} is neither a mapping from column to a list of values nor a list of records.")
    columns = {name: [_text(v, name, i, owner) for i, v in enumerate(values)] for name, values in tree.items()}
    first = next(iter(columns))
    for name, values in columns.items():
        if len(values) != len(columns[first]) or not values:
            raise InputError(
                f"{owner} has {len(values)} values of '{name}' and {len(columns[first])} of '{first}'; give as many of "
                "each, and at least one."
            )
    return columns


def _text(value: Any, name: str, row: int, owner: str) -> str:
    if value is None:
        return ""
    if isinstance(value, list | dict):
        raise InputError(f"{owner} holds a nested value in {_place(row)}, column '{name}'; give one number or text.")
    return str(value)


def _mapping(pairs: list[tuple[str, Any]], owner: str) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{owner} has two entries named '{twice[:60]}'; names must differ, so rename one of them.")
    return made


def _place(row: int) -> str:
    return f"row {row + 1}"
