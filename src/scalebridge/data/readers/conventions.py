"""The CF conventions: missing values, packing, units and times of NetCDF variables.

B. Eaton et al., NetCDF Climate and Forecast (CF) Metadata Conventions 1.11, sections 2.5, 3.1, 4.4 and 8.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError

_SINCE = re.compile(r"^\s*(?P<unit>[a-z]+)\s+since\s+(?P<epoch>.+?)\s*$", re.IGNORECASE)
_DATE = re.compile(
    r"(?P<y>\d{1,4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})"
    r"(?:[T ]+(?P<h>\d{1,2})(?::(?P<min>\d{1,2})(?::(?P<s>\d{1,2})(\.\d+)?)?)?)?"
    r"\s*(?P<zone>Z|UTC|[+-]\d{1,2}(:?\d{2})?)?",
    re.ASCII,
)
_SECONDS = {"second": 1.0, "sec": 1.0, "s": 1.0, "minute": 60.0, "min": 60.0, "hour": 3600.0, "hr": 3600.0, "h": 3600.0}
_SECONDS |= {"day": 86400.0, "d": 86400.0, "millisecond": 1e-3, "ms": 1e-3, "week": 604800.0}
_CALENDARS = {"standard", "gregorian", "proleptic_gregorian"}


def unpacked(values: NDArray[Any], attributes: Mapping[str, Any], owner: str) -> NDArray[np.float64]:
    """Numbers with gaps as NaN and packing undone.

    Raises:
        InputError: values that are no numbers, attributes that are none, infinite values.
    """
    if values.dtype.kind not in "biuf":
        raise InputError(f"{owner} holds {values.dtype} values, no numbers; leave it out by variables=[...].")
    numbers = values.astype(np.float64)
    missing = np.isnan(numbers)
    for key in ("_FillValue", "missing_value"):
        if key in attributes:
            for mark in np.atleast_1d(np.asarray(attributes[key])).ravel().tolist():
                missing |= values == mark if isinstance(mark, int | float) else False
    low, high = _range(attributes)
    missing |= (numbers < low) | (numbers > high)
    factor, offset = (
        _number(attributes, key, default, owner) for key, default in (("scale_factor", 1.0), ("add_offset", 0.0))
    )
    with np.errstate(over="ignore", invalid="ignore"):
        numbers = numbers * factor + offset
    numbers[missing] = np.nan
    bad = np.argwhere(~np.isfinite(numbers) & ~missing)
    if len(bad):
        place = tuple(int(k) for k in bad[0])
        raise InputError(f"{owner} holds an infinite value at {place}; mark such values by _FillValue.")
    return numbers


def since(units: str) -> tuple[float, datetime] | None:
    """Seconds per unit and the epoch of "days since 1850-01-01"; ``None`` if that is not what ``units`` says."""
    match = _SINCE.match(units)
    if match is None:
        return None
    word = match["unit"].lower()
    factor = _SECONDS.get(word, _SECONDS.get(word.rstrip("s")))
    date = _DATE.fullmatch(match["epoch"])
    if factor is None or date is None:
        return None
    try:
        epoch = datetime(int(date["y"]), int(date["m"]), int(date["d"]), tzinfo=UTC)
        epoch += timedelta(hours=int(date["h"] or 0), minutes=int(date["min"] or 0), seconds=int(date["s"] or 0))
        return factor, epoch - _zone(date["zone"])
    except (ValueError, OverflowError):
        return None


def check_calendar(attributes: Mapping[str, Any], owner: str) -> None:
    """Refuse calendars of models (360 days, no leap years), in which seconds since an epoch mean something else."""
    calendar = str(attributes.get("calendar", "standard")).lower()
    if calendar not in _CALENDARS:
        raise InputError(f"{owner} is in the calendar '{calendar}', which is not read; convert it to the standard one.")


def _zone(text: str | None) -> timedelta:
    if text in (None, "Z", "UTC"):
        return timedelta()
    sign, digits = (-1 if text[0] == "-" else 1), text[1:].replace(":", "").ljust(4, "0")
    hours, minutes = (digits[:2], digits[2:]) if len(text[1:]) != 1 else (text[1:], "0")
    return sign * timedelta(hours=int(hours), minutes=int(minutes or 0))


def _range(attributes: Mapping[str, Any]) -> tuple[float, float]:
    pair = np.atleast_1d(np.asarray(attributes.get("valid_range", [])))
    if pair.shape == (2,) and pair.dtype.kind in "iuf":
        return float(pair[0]), float(pair[1])
    low, high = attributes.get("valid_min", -np.inf), attributes.get("valid_max", np.inf)
    return (
        float(low) if isinstance(low, int | float) else -np.inf,
        float(high) if isinstance(high, int | float) else np.inf,
    )


def _number(attributes: Mapping[str, Any], key: str, default: float, owner: str) -> float:
    value = attributes.get(key, default)
    if not isinstance(value, int | float) or not np.isfinite(value):
        raise InputError(f"{owner} has {key} = {value!r}, which is no finite number; repair the file's attributes.")
    return float(value)
