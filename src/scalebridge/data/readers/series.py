"""Time series: tables with a column of time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scalebridge.data.dataset import Dataset
from scalebridge.data.readers.stamps import is_stamp
from scalebridge.data.readers.table import read_table
from scalebridge.errors import InputError

NAMES = ("time", "timestamp", "datetime", "date", "t", "date_time", "zeit")
SAMPLE = 20


def read_series(
    path: str | Path,
    *,
    time: str | None = None,
    format: str | None = None,
    zone: str | None = None,
    order: str = "increasing",
    **table: Any,
) -> Dataset:
    """Read a table whose rows follow each other in time; the column of time becomes seconds since an epoch.

    Args:
        path: a file of any kind that `read_table` reads.
        time: the column of time; by default the first that holds time stamps, else one that is called so.
        format: of its stamps for ``strptime``, where they are neither ISO 8601 nor otherwise plain.
        zone: of stamps that state none, such as ``"UTC"``, ``"+02:00"`` or ``"America/Chicago"``.
        order: ``"increasing"``, or ``"any"`` where stamps may repeat or go back.
        **table: further options of `read_table`.

    Returns:
        a dataset with its `TimeFrame`; ``time.step`` is there where the rows are equally far apart.

    Raises:
        InputError: as `read_table`; no column of time; a stamp that cannot be read, repeats or goes back.
    """
    chosen = time
    if chosen is None:
        # Column types are found by reading; text among numbers is judged by the second reading.
        chosen = _time_column(read_table(path, **{**table, "unreadable": "gap"}), path)
    return read_table(path, time=chosen, format=format, zone=zone, order=order, **table)


def _time_column(dataset: Dataset, path: str | Path) -> str:
    for v in dataset.space:
        if v.kind == "category":
            known = [t for t in dataset[v.name][:SAMPLE].tolist() if t]
            if known and all(is_stamp(t) for t in known):
                return v.name
    for name in dataset.space.names:
        if name.lower() in NAMES:
            return name
    raise InputError(
        f"The table '{path}' has no column of time among {', '.join(dataset.space.names[:12])}; name it by time=, with "
        "its format= if it is no ISO 8601."
    )
