"""What clocks on the wall show, and how far they are ahead of UTC."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo

from scalebridge.errors import InputError

_FIXED = re.compile(r"([+-])(\d{2}):?(\d{2})", re.ASCII)


def zone_named(said: str) -> tzinfo:
    """The zone of a name, or of a fixed offset such as ``"-06:00"``.

    Raises:
        InputError: a zone that is not known.
    """
    from zoneinfo import ZoneInfo

    try:
        fixed = _FIXED.fullmatch(said)
        if fixed:
            away = timedelta(hours=int(fixed[2]), minutes=int(fixed[3]))
            return timezone(away if fixed[1] == "+" else -away)
        return ZoneInfo(said)
    except (KeyError, ValueError, OSError):
        raise InputError(
            f"The zone '{said}' is not known here; write 'UTC', '+02:00' or a place such as 'Europe/Berlin'."
        ) from None


def seconds_ahead(start: datetime, seconds: float, zone: tzinfo, where: str) -> float:
    """Seconds by which the zone's clock is ahead of UTC when it shows ``seconds`` after ``start``; 0 for a gap.

    Args:
        start: on the zone's own clock, without a zone.
        seconds: since then; NaN for a gap.
        zone: of the clock.
        where: the row, in words, for messages.

    Raises:
        InputError: a time that the clock showed twice or never (summer time), or beyond the calendar.
    """
    if seconds != seconds:
        return 0.0
    try:
        local = start + timedelta(seconds=seconds)
        first, second = (local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    except (OverflowError, ValueError):
        raise InputError(
            f"The time {seconds:.6g} s in {where} is beyond the calendar; if it counts milliseconds, divide it by 1000."
        ) from None
    if first is None or first != second:
        raise InputError(
            f"The clock in '{zone}' showed {local} ({where}) twice or never, as summer time changes; give times in "
            "UTC or with their offset, or leave that hour out."
        )
    return first.total_seconds()
