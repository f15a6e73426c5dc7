"""Parquet files to a `Dataset` (needs the extra ``data``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.data.dataset import Dataset
from scalebridge.data.headers import headers
from scalebridge.data.readers.assembling import Parts, assembled, place_of, read_as_text
from scalebridge.data.readers.cells import Column
from scalebridge.data.readers.extras import needed
from scalebridge.data.readers.opening import check_cells, decoding
from scalebridge.data.readers.wanted import Wanted
from scalebridge.errors import InputError


def read_parquet(path: Path, wanted: Wanted) -> Dataset:
    """Read a Parquet file as `read_table` says; units stand in a field's name, or in its metadata as ``unit``."""
    parquet = needed("pyarrow.parquet", f"{wanted.owner} is Parquet")
    with decoding(path, "table"):
        file = parquet.ParquetFile(path)
        schema = file.schema_arrow
        check_cells(file.metadata.num_rows, len(schema.names), path, "table")
    made = headers(schema.names, wanted.owner, units=wanted.units, stated=[_unit(f) for f in schema])
    chosen = list(range(len(made)))
    if wanted.columns is not None:
        names = dict.fromkeys((*wanted.columns, *((wanted.clock.column,) if wanted.clock else ())))
        chosen = [place_of(made, name, wanted.owner, "a column") for name in names]
    with decoding(path, "table"):
        table = parquet.read_table(path, columns=[schema.names[i] for i in chosen], memory_map=False)
    if not table.num_rows:
        raise InputError(f"{wanted.owner} holds columns and no rows; export it again.")
    text = read_as_text(made, wanted.text, wanted.index, wanted.owner)
    columns = []
    for column, i in zip(table.columns, chosen, strict=True):
        with decoding(path, "table"):
            columns.append(_column(column, i in text, f"{wanted.owner}, column '{made[i].text}',", made[i].unit))
    parts = Parts(wanted.file, wanted.owner, [made[i] for i in chosen], columns, _place, "table", wanted.options)
    return assembled(parts, name=path.name, index=wanted.index, time=wanted.clock)


def _column(column: Any, text: bool, owner: str, unit: str | None) -> Column:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return Column(_stamps(column, getattr(kind, "tz", None)), None)
    if pa.types.is_decimal(kind) or pa.types.is_boolean(kind):
        column = column.cast(pa.float64()) if pa.types.is_decimal(kind) else column.cast(pa.int8())
        kind = column.type
    if text or pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind):
        texts = ["" if v is None else str(v) for v in column.to_pylist()]
        return Column(np.array(texts, dtype=np.str_), None)
    if pa.types.is_fixed_size_list(kind):
        rows = [[np.nan] * kind.list_size if v is None else v for v in column.to_pylist()]
        return Column(_finite(np.array(rows, dtype=np.float64), owner), unit)
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise InputError(
            f"{owner} is of the type {kind}, which is no column of a table; leave it out by columns=[...]."
        )
    return Column(_finite(np.array(column.cast(pa.float64()).to_numpy(), dtype=np.float64), owner), unit)


def _finite(values: np.ndarray[Any, np.dtype[np.float64]], owner: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    bad = np.argwhere(np.isinf(values))
    if len(bad):
        raise InputError(f"{owner} holds an infinite value in row {bad[0][0] + 1}; correct it, or leave the row out.")
    return values


def _stamps(column: Any, zone: str | None) -> Any:
    import pyarrow as pa

    moments = column.cast(pa.timestamp("us")).to_numpy().astype("datetime64[us]")
    texts = np.datetime_as_string(moments, unit="us")
    suffix = "" if zone is None else "Z"
    return np.array(["" if t == "NaT" else t + suffix for t in texts.tolist()], dtype=np.str_)


def _unit(field: Any) -> str:
    told = field.metadata or {}
    raw = told.get(b"unit", told.get(b"units", b""))
    return str(raw.decode("utf-8", "replace"))


def _place(row: int) -> str:
    return f"row {row + 1}"
