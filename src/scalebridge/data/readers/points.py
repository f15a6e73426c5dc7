"""Point clouds: XYZ, delimited text and PLY to a `Dataset` with a coordinate `Frame`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.data.dataset import Dataset
from scalebridge.data.frames import Frame
from scalebridge.data.readers.opening import opened
from scalebridge.data.readers.ply import read_ply
from scalebridge.data.readers.table import read_table
from scalebridge.data.source import Source
from scalebridge.errors import InputError
from scalebridge.quantities import Space, Variable

AXES = ("x", "y", "z")


def read_points(
    path: str | Path,
    *,
    columns: Sequence[str] | None = None,
    unit: str | None = None,
    frame: str = "local",
    **table: Any,
) -> Dataset:
    """Read points in two or three dimensions with what is known at them.

    By suffix: ``.ply`` (ASCII or binary), ``.xyz`` (three to any number of columns; atoms' count and comment line too),
    anything else as `read_table` reads it.

    Args:
        path: the file.
        columns: names of the coordinates; ``x``, ``y`` and ``z`` by default.
        unit: of the coordinates, where the file states none.
        frame: what the coordinate frame is called.
        **table: further options of `read_table`.

    Raises:
        InputError: no coordinates, gaps in them, different units of the axes, or as `read_table`.
    """
    source = Path(path)
    suffix = source.suffix.lower()
    if suffix == ".ply":
        dataset = read_ply(source, opened(path, "point cloud"))
    elif suffix == ".xyz":
        dataset = _read_xyz(source, table)
    else:
        dataset = read_table(path, **table)
    return _framed(dataset, columns, unit, frame, f"The point cloud '{path}'")


def _read_xyz(path: Path, table: dict[str, Any]) -> Dataset:
    """Rows of coordinates; "Ar 0.1 0.2 0.3" after a count and a comment is an atom."""
    from scalebridge.data.readers.delimited import layout

    opened(path, "point cloud")
    lines = layout(path, f"The point cloud '{path}'", encoding=None, delimiter=None, comment="#").sample
    head = lines[0].split() if lines else []
    if len(head) == 1 and head[0].isdigit() and len(lines) > 2:
        return _read_atoms(path, int(head[0]))
    words = head if len(head) > 1 else (lines[0].split(",") if lines else [])
    if all(_is_number(word) for word in words):
        width = len(words)
        names = [*AXES[: min(width, 3)], *(f"value_{i}" for i in range(1, width - 2))]
        table = {"names": names, **table}
    return read_table(path, **table)


def _read_atoms(path: Path, count: int) -> Dataset:
    owner = f"The point cloud '{path}'"
    rows = path.read_text(encoding="utf-8").splitlines()[2:]
    rows = [row for row in rows if row.strip()]
    if len(rows) != count:
        raise InputError(
            f"{owner} promises {count} points and holds {len(rows)}; it may be cut off, or hold several frames, of "
            "which one is read: export it again."
        )
    elements, places = [], np.empty((count, 3))
    for i, row in enumerate(rows):
        words = row.split()
        try:
            elements.append(words[0])
            places[i] = [float(word) for word in words[1:4]]
        except (ValueError, IndexError):
            raise InputError(f"{owner} holds '{row[:40]}' in row {i + 3}; give an element and three numbers.") from None
    bad = np.argwhere(~np.isfinite(places))
    if len(bad):
        raise InputError(f"{owner} holds a coordinate that is not finite in row {bad[0][0] + 3}; correct it.")
    file = opened(path, "point cloud")
    return Dataset(
        Space([Variable("element", kind="category"), *(Variable(axis) for axis in AXES)]),
        {"element": np.array(elements), **{axis: places[:, k] for k, axis in enumerate(AXES)}},
        name=path.name,
        source=Source((file,), "points", {}, (), AXES),
    )


def _framed(dataset: Dataset, columns: Sequence[str] | None, unit: str | None, frame: str, owner: str) -> Dataset:
    lower = {name.lower(): name for name in dataset.numeric_names}
    chosen = tuple(columns) if columns is not None else tuple(lower[axis] for axis in AXES if axis in lower)
    if len(chosen) < 2 and columns is None:
        raise InputError(
            f"{owner} has no columns x, y (and z) of numbers but {', '.join(dataset.space.names[:12])}; name the "
            "coordinates by columns=[...]."
        )
    for name in chosen:
        dataset.numeric([name])
        missing = np.flatnonzero(dataset.gaps(name))
        if len(missing):
            raise InputError(f"{owner} has no '{name}' at point {missing[0] + 1}; leave such points out of the file.")
    stated = [dataset.space[name].unit for name in chosen]
    if len(set(stated)) > 1:
        raise InputError(f"{owner} states the units {', '.join(stated)} for its axes; give one unit for all.")
    chosen_unit = stated[0]
    if unit is not None and chosen_unit == "1":
        space = Space([replace(v, unit=unit) if v.name in chosen else v for v in dataset.space])
        source = replace(dataset.source, unstated=tuple(n for n in dataset.source.unstated if n not in chosen))
        dataset, chosen_unit = replace(dataset, space=space, source=source), unit
    elif unit is not None and unit != chosen_unit:
        raise InputError(f"{owner} states coordinates in '{chosen_unit}', and unit='{unit}' was given; leave one out.")
    return replace(dataset, coordinates=Frame(chosen, frame, chosen_unit))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
