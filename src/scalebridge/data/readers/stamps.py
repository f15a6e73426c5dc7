"""Time stamps as people and loggers write them, to seconds since an epoch."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.frames import UNIX_EPOCH, TimeFrame
from scalebridge.data.readers.cells import Column
from scalebridge.data.selection import step_of
from scalebridge.data.zones import seconds_ahead, zone_named
from scalebridge.errors import InputError
from scalebridge.quantities.units import conversion

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?)?", re.ASCII)
_OTHER = (
    ("%Y/%m/%d %H:%M:%S", re.compile(r"\d{4}/\d{1,2}/\d{1,2} \d{1,2}:\d{2}:\d{2}", re.ASCII)),
    ("%Y/%m/%d %H:%M", re.compile(r"\d{4}/\d{1,2}/\d{1,2} \d{1,2}:\d{2}", re.ASCII)),
    ("%Y/%m/%d", re.compile(r"\d{4}/\d{1,2}/\d{1,2}", re.ASCII)),
    ("%d.%m.%Y %H:%M:%S", re.compile(r"\d{1,2}\.\d{1,2}\.\d{4} \d{1,2}:\d{2}:\d{2}", re.ASCII)),
    ("%d.%m.%Y %H:%M", re.compile(r"\d{1,2}\.\d{1,2}\.\d{4} \d{1,2}:\d{2}", re.ASCII)),
    ("%d.%m.%Y", re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}", re.ASCII)),
    ("%Y%m%dT%H%M%S", re.compile(r"\d{8}T\d{6}", re.ASCII)),
)
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})( \d{1,2}:\d{2}(:\d{2})?)?", re.ASCII)
ORDERS = ("increasing", "any")


@dataclass(frozen=True)
class Clock:
    """How a column of time is to be read.

    Args:
        column: its name.
        format: a ``strptime`` format, where the stamps are neither ISO nor of another kind that is plain to read.
        zone: of stamps that state none, such as ``"UTC"``, ``"+02:00"``, ``"America/Chicago"``.
        order: ``"increasing"``, or ``"any"`` where stamps may repeat or go back.
        epoch: of a column of numbers, as ISO text.
    """

    column: str
    format: str | None = None
    zone: str | None = None
    order: str = "increasing"
    epoch: str = UNIX_EPOCH

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise InputError(f"The order of time stamps was given as '{self.order}'; give {' or '.join(ORDERS)}.")


Place = Callable[[int], str]


def is_stamp(text: str) -> bool:
    """Whether a text is a time stamp of a kind that is read without a format."""
    text = text.strip()
    return bool(_ISO.fullmatch(text) or _SLASHED.fullmatch(text) or any(p.fullmatch(text) for _, p in _OTHER))


def seconds_of(
    column: Column, clock: Clock, name: str, owner: str, place: Place
) -> tuple[NDArray[np.float64], TimeFrame, list[str]]:
    """Seconds ``[n]`` since an epoch, their frame, and notes.

    Raises:
        InputError: a stamp that cannot be read, a gap, stamps that repeat or go back, days and months that cannot be
            told apart, zones that are stated in some rows only.
    """
    if not column.is_text:
        return _of_numbers(column, clock, name, owner, place)
    texts = [str(text).strip() for text in column.values.tolist()]
    reader = _reader(texts, clock, name, owner)
    seconds = np.empty(len(texts))
    aware = np.zeros(len(texts), dtype=np.bool_)
    for row, text in enumerate(texts):
        try:
            seconds[row], aware[row] = reader(text)
        except (ValueError, OverflowError):
            what = f"the time stamp '{text[:40]}'" if text else "no time stamp"
            raise InputError(
                f"{owner} holds {what} in {place(row)}, column '{name}', which cannot be read; write ISO 8601, as in "
                "'2022-07-11 09:30:00', or give its format, as in format='%d.%m.%Y %H:%M'."
            ) from None
    if aware.any() and not aware.all():
        row = int(np.flatnonzero(~aware)[0])
        raise InputError(
            f"{owner} states a zone in some time stamps and none in {place(row)}, column '{name}'; state it everywhere."
        )
    zone, notes = ("UTC" if aware.any() else clock.zone), []
    if zone is None:
        notes.append(f"The time stamps of '{name}' state no zone; give zone='UTC' or the place's, if it matters.")
    elif not aware.any():
        seconds = _to_utc(seconds, zone, owner, place)
    _check_order(seconds, clock, name, owner, place)
    return seconds, TimeFrame(name, UNIX_EPOCH, zone, step_of(seconds)), notes


def _of_numbers(
    column: Column, clock: Clock, name: str, owner: str, place: Place
) -> tuple[NDArray[np.float64], TimeFrame, list[str]]:
    notes = []
    unit = column.unit
    if unit is None:
        notes.append(f"The numbers of the time '{name}' state no unit and were taken for seconds.")
    factor, _ = conversion(unit or "s", "s", f"The time '{name}'")
    with np.errstate(over="ignore"):
        seconds = factor * np.asarray(column.values, dtype=np.float64)
    gaps = np.flatnonzero(~np.isfinite(seconds))
    if len(gaps):
        raise InputError(f"{owner} holds no time in {place(int(gaps[0]))}, column '{name}'; leave the row out.")
    _check_order(seconds, clock, name, owner, place)
    return seconds, TimeFrame(name, clock.epoch, clock.zone, step_of(seconds)), notes


def _reader(texts: list[str], clock: Clock, name: str, owner: str) -> Callable[[str], tuple[float, bool]]:
    first = next((text for text in texts if text), "")
    if clock.format is not None:
        return lambda text: _seconds(datetime.strptime(text, str(clock.format)))
    if _ISO.fullmatch(first):
        return _iso
    for known, pattern in _OTHER:
        if pattern.fullmatch(first):
            return lambda text: _seconds(datetime.strptime(text, known))
    if _SLASHED.fullmatch(first):
        return _slashed(texts, name, owner)
    return _iso


def _iso(text: str) -> tuple[float, bool]:
    if not _ISO.fullmatch(text):
        raise ValueError(text)
    text = text.replace("UTC", "Z").replace(" Z", "Z").replace(",", ".")
    return _seconds(datetime.fromisoformat(text))


def _slashed(texts: list[str], name: str, owner: str) -> Callable[[str], tuple[float, bool]]:
    """03/04/2021 is March or April: told by a day beyond 12, else refused."""
    pairs = [(int(m[1]), int(m[2])) for m in (_SLASHED.fullmatch(text) for text in texts) if m]
    day_first, month_first = any(a > 12 for a, _ in pairs), any(b > 12 for _, b in pairs)
    if day_first == month_first:
        raise InputError(
            f"{owner} writes times as '{next(t for t in texts if t)}' in the column '{name}', where day and month "
            "cannot be told apart; give format='%d/%m/%Y' or format='%m/%d/%Y', with ' %H:%M' if there are hours."
        )
    date = "%d/%m/%Y" if day_first else "%m/%d/%Y"
    clocks = {0: "", 1: " %H:%M", 2: " %H:%M:%S"}
    return lambda text: _seconds(datetime.strptime(text, date + clocks.get(text.count(":"), "")))


def _seconds(moment: datetime) -> tuple[float, bool]:
    aware = moment.tzinfo is not None
    return (moment if aware else moment.replace(tzinfo=UTC)).timestamp(), aware


def _to_utc(seconds: NDArray[np.float64], zone: str, owner: str, place: Place) -> NDArray[np.float64]:
    """Seconds of a zone's own clock to seconds of UTC."""
    if zone == "UTC":
        return seconds
    start, tz = datetime(1970, 1, 1), zone_named(zone)
    ahead = [
        seconds_ahead(start, second, tz, f"{place(row)} of {owner[0].lower()}{owner[1:]}")
        for row, second in enumerate(seconds.tolist())
    ]
    return np.asarray(seconds - np.array(ahead))


def _check_order(seconds: NDArray[np.float64], clock: Clock, name: str, owner: str, place: Place) -> None:
    if clock.order == "any":
        return
    bad = np.flatnonzero(~(np.diff(seconds) > 0))
    if len(bad):
        row = int(bad[0]) + 1
        what = "repeats" if seconds[row] == seconds[row - 1] else f"goes back by {seconds[row - 1] - seconds[row]:g} s"
        more = f" ({len(bad) - 1} more such rows)" if len(bad) > 1 else ""
        raise InputError(
            f"The time '{name}' of {owner[0].lower()}{owner[1:]} {what} in {place(row)}{more}; sort or repair the "
            "rows, or read with order='any'."
        )
