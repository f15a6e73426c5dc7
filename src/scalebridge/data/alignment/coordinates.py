"""Coordinates of a dataset taken into another frame: by landmarks, or from the globe to metres around a point."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scalebridge.data.alignment.transforms import Transform
from scalebridge.data.cleansing.single import single
from scalebridge.data.frames import Frame
from scalebridge.errors import InputError
from scalebridge.quantities import Floats, Space, Variable
from scalebridge.quantities.units import conversion

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset

# WGS84: half the equator's diameter in m, and the square of the eccentricity.
RADIUS, ECCENTRICITY2 = 6_378_137.0, 6.694379990141e-3
_DEGREES = re.compile(r"^\s*([NSEW])?\s*([+-]?\d+(?:\.\d+)?)\s*°?\s*([NSEW])?\s*$")


def register(dataset: Dataset, transform: Transform, frame: str = "registered", unit: str | None = None) -> Dataset:
    """The coordinates mapped into another frame, the fit's uncertainty added to their ``std``, as a step.

    Where there were just enough landmarks nothing is known of the fit, and ``std`` is NaN.

    Args:
        dataset: with coordinates.
        transform: fitted in the coordinates' unit.
        frame: name of the new frame.
        unit: of the new frame, where the map changes it (pixels to millimetres); the old one by default.

    Raises:
        InputError: a dataset without coordinates, or of another dimension than the map.
    """
    old = dataset.coordinates
    if old is None or len(old.columns) != len(transform.shift):
        has = "no coordinates" if old is None else f"{len(old.columns)} coordinates"
        raise InputError(f"'{dataset.name}' has {has}; the map takes {len(transform.shift)}: name them in a Frame.")
    points = dataset.numeric(old.columns)
    mapped, added = transform(points), transform.std(points)
    own = np.column_stack([dataset.std.get(n, np.zeros(len(dataset))) for n in old.columns])
    carried = np.sqrt(own**2 @ (transform.matrix**2).T)
    made = Frame(old.columns, frame, unit or old.unit)
    std = dict(dataset.std) | {n: np.hypot(carried[:, i], added[:, i]) for i, n in enumerate(old.columns)}
    variables = [replace(v, unit=made.unit, bounds=None) if v.name in old.columns else v for v in dataset.space]
    columns = dict(dataset.columns) | {n: mapped[:, i] for i, n in enumerate(old.columns)}
    after = replace(dataset, space=Space(variables), columns=columns, std=std, coordinates=made)
    sentence = (
        f"Registered {', '.join(old.columns)} from '{old.name}' to '{frame}' ({transform.kind}, landmarks scatter by "
        f"{transform.noise:.3g}{'' if made.unit == '1' else f' {made.unit}'}, left out {transform.left_out:.3g})."
    )
    options = {"kind": transform.kind, "matrix": transform.matrix.tolist(), "shift": transform.shift.tolist()}
    return dataset.stepped(after, "register", options, sentence)


def local_metres(dataset: Dataset, latitude: str, longitude: str, origin: tuple[float, float] | None = None) -> Dataset:
    """Columns ``east`` and ``north`` in metres around a point, from latitude and longitude (WGS84), as a step.

    The plane touches the ellipsoid at the origin: off by about ``r^3 / (3 R^2)``, 1 mm at 5 km, 8 m at 100 km, so
    farther than 100 km is refused.

    Args:
        latitude, longitude: names of columns as numbers (south and west negative; degrees where no unit is
            stated) or text like "N38.2".
        origin: ``(latitude, longitude)``; the mean of the rows by default.

    Raises:
        InputError: values that are no degrees, or rows more than 100 km from the origin.
        UnitError: columns in a unit that is no angle.
    """
    lat, lon = degrees(dataset, latitude, "NS", 90.0), degrees(dataset, longitude, "EW", 180.0)
    if not np.isfinite(lat + lon).any():
        raise InputError(f"'{dataset.name}' has no row with both '{latitude}' and '{longitude}'; name other columns.")
    lat0, lon0 = origin if origin is not None else (float(np.nanmean(lat)), float(np.nanmean(lon)))
    sine = np.sin(np.radians(lat0))
    bent = 1 - ECCENTRICITY2 * sine**2
    along = RADIUS * (1 - ECCENTRICITY2) / bent**1.5
    across = RADIUS / np.sqrt(bent) * np.cos(np.radians(0.5 * (lat + lat0)))
    turned = (lon - lon0 + 180) % 360 - 180
    north, east = along * np.radians(lat - lat0), across * np.radians(turned)
    far = np.flatnonzero(np.hypot(east, north) > 1e5)
    if len(far):
        raise InputError(
            f"Row {far[0] + 1} of '{dataset.name}' lies {np.hypot(east, north)[far[0]] / 1000:.0f} km from the origin "
            f"({lat0:.4f}, {lon0:.4f}); a local plane holds for 100 km: split the data, or check the signs."
        )
    after = dataset.with_column(Variable("east", "m"), east).with_column(Variable("north", "m"), north)
    after = replace(after, coordinates=Frame(("east", "north"), f"local metres at {lat0:.6f}, {lon0:.6f}", "m"))
    sentence = f"Took {latitude}, {longitude} to metres around {lat0:.6f}, {lon0:.6f}."
    options = {"latitude": latitude, "longitude": longitude, "origin": [lat0, lon0]}
    return dataset.stepped(after, "local_metres", options, sentence)


def degrees(dataset: Dataset, name: str, letters: str, most: float) -> Floats:
    """A column of latitudes or longitudes ``[n]`` in degrees, positive to the first letter's opposite: N and E."""
    column, unit = dataset[name], dataset.space[name].unit
    if column.dtype.kind == "U":
        values = np.array([_degree(t, letters) for t in column.tolist()])
    else:
        factor = 1.0 if unit == "1" else conversion(unit, "degree", f"The column '{name}' of '{dataset.name}'")[0]
        values = factor * single(dataset, name)
    bad = (
        np.flatnonzero(np.abs(values) > most)
        if column.dtype.kind != "U"
        else np.flatnonzero((column != "") & ~(np.abs(values) <= most))
    )
    if len(bad):
        raise InputError(
            f"'{name}' of '{dataset.name}' is '{column[bad[0]]}' in row {bad[0] + 1}, which is no degree between "
            f"-{most:g} and {most:g}; write 38.2346 with its sign, or {letters[0]}38.2346 without."
        )
    return np.asarray(values, dtype=np.float64)


def _degree(text: str, letters: str) -> float:
    found = _DEGREES.match(text)
    turned = found and (found[1] or found[3])
    if (
        not found
        or (found[1] and found[3])
        or (turned and found[2][0] in "+-")
        or (turned or letters[0]) not in letters
    ):
        return float("nan")
    return float(found[2]) * (-1.0 if turned in ("S", "W") else 1.0)
