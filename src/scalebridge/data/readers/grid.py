"""Gridded data - NetCDF, HDF5, Zarr, NPZ - to a `Dataset`."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.dataset import Dataset
from scalebridge.data.frames import UNIX_EPOCH, TimeFrame
from scalebridge.data.headers import Header, headers
from scalebridge.data.readers.arrays import Stored, stored
from scalebridge.data.readers.conventions import check_calendar, since, unpacked
from scalebridge.data.readers.opening import check_cells, decoding, opened
from scalebridge.data.selection import step_of
from scalebridge.data.source import File, Source
from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Space, Variable

MOST_MEMBERS = 1_000_000
ORDERS = ("increasing", "any")
POINTS = "points"


def read_grid(
    path: str | Path,
    *,
    variables: Sequence[str] | None = None,
    rows: str | None = None,
    order: str = "increasing",
) -> Dataset:
    """Read arrays that share an axis: a row for every place along it, what varies with the other axes as arrays.

    NetCDF (classic by SciPy, NetCDF-4 by h5netcdf), HDF5, Zarr (a folder or ``.zarr.zip``) and NPZ; all but the first
    and the last need the extra ``data``. CF conventions: units, ``_FillValue``, ``scale_factor``, ``valid_range``,
    times such as "days since 1850-01-01". Codecs that could run code are refused.

    Args:
        path: the file, or the folder of a Zarr store.
        variables: names of the arrays; all by default that lie along the rows.
        rows: the dimension that becomes the rows; by default that of the times, else the first that most share.
            ``"points"``: a row for every point of the grid, beside its coordinates.
        order: ``"increasing"``, or ``"any"`` where times may repeat or go back.

    Raises:
        InputError: damaged, too large to be read at once (judged before it is read), unknown names, arrays that share
            no axis, times in another calendar, that repeat or go back, infinite values.
    """
    source = Path(path)
    if order not in ORDERS:
        raise InputError(f"The order of times was given as '{order}'; give {' or '.join(ORDERS)}.")
    file = _folder(source) if source.is_dir() else opened(path, "grid")
    owner = f"The grid '{path}'"
    with stored(source) as members:
        chosen = _chosen(members, variables, owner)
        if rows == POINTS:
            along = _on_points(chosen, members, owner)
            check_cells(len(along), max(int(np.prod(m.shape)) for m in along), path, "grid")
        else:
            dimension, length = _rows(chosen, rows, owner)
            along = [m for m in chosen if m.shape and _first(m) == (dimension, length)]
        left_out = sorted(m.name for m in members if m not in along)
        check_cells(1, sum(int(np.prod(m.shape)) for m in along), path, "grid")
        with decoding(path, "grid"):
            values = [m.fetch() for m in along]
    if rows == POINTS:
        values = _spread(along, values)
        # Times repeat where every point has a row.
        order = "any"
    return _dataset(source, file, along, values, left_out, owner, order)


def _dataset(
    path: Path,
    file: File,
    along: Sequence[Stored],
    values: Sequence[NDArray[Any]],
    left_out: Sequence[str],
    owner: str,
    order: str,
) -> Dataset:
    names = [m.name for m in along]
    made = headers(names, owner, stated=["" if _is_time(m) else str(m.attributes.get("units", "")) for m in along])
    columns: dict[str, NDArray[Any]] = {}
    variables, unstated, time = [], [], None
    for header, member, array in zip(made, along, values, strict=True):
        what = f"{owner}, variable '{member.name}',"
        if array.dtype.kind in "US":
            columns[header.name] = array.astype(np.str_).reshape(len(array), -1)[:, 0]
            variables.append(Variable(header.name, kind="category"))
        elif _is_time(member):
            columns[header.name], epoch = _times(array, member, what, order)
            variables.append(Variable(header.name, "s", description=str(member.attributes.get("long_name", ""))))
            time = time or TimeFrame(header.name, epoch, "UTC", step_of(columns[header.name]))
        else:
            columns[header.name] = unpacked(array, member.attributes, what)
            variables.append(_variable(header, member, array.shape[1:]))
            unstated += [] if header.unit else [header.name]
    notes = [h.note for h in made if h.note]
    notes += [f"Left out, as they do not lie along the rows: {', '.join(left_out[:12])}."] if left_out else []
    source = Source((file,), "grid", {"variables": names}, tuple(notes), tuple(unstated))
    return Dataset(Space(variables), columns, name=path.name, time=time, source=source)


def _variable(header: Header, member: Stored, shape: tuple[int, ...]) -> Variable:
    told = str(member.attributes.get("long_name", member.attributes.get("standard_name", ""))) or header.description
    return Variable(header.name, header.unit or "1", shape, description=told[:300])


def _chosen(members: Sequence[Stored], variables: Sequence[str] | None, owner: str) -> list[Stored]:
    usable = [m for m in members if m.kind in "biufUSO" and m.shape and all(n > 0 for n in m.shape)]
    if not usable:
        raise InputError(f"{owner} holds no array of numbers; check that it is the right file.")
    if variables is None:
        return usable
    by_name = {m.name: m for m in usable}
    for name in variables:
        if name not in by_name:
            raise InputError(f"{owner} has no array '{name}'{did_you_mean(name, by_name)}")
    wanted = {by_name[name].name for name in variables}
    # The coordinate of the rows comes with what lies along it.
    firsts = {m.dimensions[0] for m in usable if m.name in wanted}
    return [m for m in usable if m.name in wanted or (m.name in firsts and len(m.shape) == 1)]


def _on_points(chosen: Sequence[Stored], members: Sequence[Stored], owner: str) -> list[Stored]:
    """The arrays over the largest grid among those chosen, and the coordinates of its axes first."""
    grid = max(chosen, key=lambda m: len(m.shape))
    if len(set(grid.dimensions)) < len(grid.dimensions) or not all(grid.dimensions):
        raise InputError(
            f"{owner} does not name the axes of '{grid.name}', so its points have no coordinates; leave out "
            "rows='points'."
        )
    shapes = dict(zip(grid.dimensions, grid.shape, strict=True))
    axes = [m for m in members if m.dimensions == (m.name,) and m.shape == (shapes.get(m.name),)]
    fields = [m for m in chosen if m.dimensions == grid.dimensions and m not in axes]
    order = {name: i for i, name in enumerate(grid.dimensions)}
    return [*sorted(axes, key=lambda m: order[m.name]), *fields]


def _spread(along: Sequence[Stored], values: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """Every array with one value per point, in C order of the grid."""
    grid = max(along, key=lambda m: len(m.shape))
    made = []
    for member, array in zip(along, values, strict=True):
        axes = [slice(None) if name in member.dimensions else None for name in grid.dimensions]
        made.append(np.broadcast_to(array[tuple(axes)], grid.shape).reshape(-1))
    return made


def _rows(members: Sequence[Stored], rows: str | None, owner: str) -> tuple[str, int]:
    firsts = Counter(_first(m) for m in members)
    if rows is not None:
        found = [pair for pair in firsts if pair[0] == rows]
        if not found:
            names = [name for name, _ in firsts if name]
            raise InputError(f"{owner} has no array whose first dimension is '{rows}'{did_you_mean(rows, names)}")
        return found[0]
    times = [_first(m) for m in members if _is_time(m)]
    if times:
        return times[0]
    best = max(firsts.values())
    most = [pair for pair, count in firsts.items() if count == best]
    if len(most) > 1 and not any(name for name, _ in most):
        told = ", ".join(f"{m.name} {m.shape}" for m in members[:8])
        raise InputError(
            f"{owner} holds arrays that share no axis ({told}); choose those of one length by variables=[...]."
        )
    # A dimension that only its own coordinate has is no row of data.
    widest = max(most, key=lambda pair: max(len(m.shape) for m in members if _first(m) == pair))
    return widest


def _first(member: Stored) -> tuple[str, int]:
    return member.dimensions[0], member.shape[0]


def _is_time(member: Stored) -> bool:
    return len(member.shape) == 1 and since(str(member.attributes.get("units", ""))) is not None


def _times(array: NDArray[Any], member: Stored, owner: str, order: str) -> tuple[NDArray[np.float64], str]:
    check_calendar(member.attributes, owner)
    found = since(str(member.attributes["units"]))
    assert found is not None
    factor, epoch = found
    plain = {k: v for k, v in member.attributes.items() if k != "units"}
    with np.errstate(over="ignore"):
        seconds = factor * unpacked(array, plain, owner)
    bad = np.flatnonzero(~np.isfinite(seconds))
    if len(bad):
        raise InputError(f"{owner} has no time at position {bad[0] + 1}; leave it out.")
    back = np.flatnonzero(~(np.diff(seconds) > 0))
    if len(back) and order != "any":
        raise InputError(
            f"{owner} repeats or goes back at position {back[0] + 2} (from {array[back[0]]} to {array[back[0] + 1]} "
            f"{member.attributes['units']}); sort the times, or read with order='any'."
        )
    return seconds, epoch.isoformat().replace("+00:00", "Z") or UNIX_EPOCH


def _folder(path: Path) -> File:
    """Name, digest and size of a Zarr folder: of all its files in the order of their names."""
    total, size = hashlib.sha256(), 0
    try:
        members = sorted(p for p in path.rglob("*") if p.is_file() and not p.is_symlink())
        if not members or len(members) > MOST_MEMBERS:
            raise InputError(f"The grid '{path}' is a folder of {len(members)} files and no Zarr store.")
        for member in members:
            content = member.read_bytes()
            size += len(content)
            total.update(f"{member.relative_to(path).as_posix()} {len(content)}\n".encode() + content)
    except OSError as error:
        raise InputError(f"The grid '{path}' cannot be read ({error.strerror or error}).") from error
    return File(str(path), total.hexdigest(), size)
