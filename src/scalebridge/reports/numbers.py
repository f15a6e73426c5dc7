"""Numbers as people read them: digits that the uncertainty justifies, seconds, units."""

from __future__ import annotations

import math
import re

MINUS = "−"
_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def exponent(x: float) -> int:
    """Return the decimal exponent of ``x``; 0 for zero or what is not finite."""
    return math.floor(math.log10(abs(x))) if x and math.isfinite(x) else 0


def power_of_ten(n: int) -> str:
    """Return ``"10⁻⁹"`` for -9."""
    return "10" + str(n).translate(_SUPERSCRIPT)


def fixed(x: float, decimals: int) -> str:
    """Return ``x`` with so many decimals, a true minus sign, thin spaces between thousands."""
    if not math.isfinite(x):
        return "–"
    text = f"{abs(x):,.{max(decimals, 0)}f}".replace(",", "\u202f")
    negative = x < 0 and text.strip("0.\u202f") != ""
    return (MINUS if negative else "") + text


def plain(x: float | None, digits: int = 4) -> str:
    """Return ``x`` with so many significant digits; ``–`` for nothing."""
    if x is None or not math.isfinite(x):
        return "–"
    if x == 0:
        return "0"
    e = exponent(float(f"{x:.{digits - 1}e}"))
    if -4 < e < 6:
        return fixed(x, digits - 1 - e)
    return f"{fixed(x / 10.0**e, digits - 1)} × {power_of_ten(e)}"


def uncertain(value: float, half_width: float | None) -> tuple[str, str, str]:
    """Return value, half-width and power of ten as texts, with two digits of the half-width.

    The power of ten is empty for everyday magnitudes.
    """
    if half_width is None or not math.isfinite(value):
        return plain(value, 5), "", ""
    largest = max(abs(value), half_width)
    e = exponent(largest)
    shift = 0 if -3 <= e < 6 else e
    factor = 10.0**-shift
    decimals = 1 - exponent(half_width * factor) if half_width > 0 else 6
    decimals = min(max(decimals, 0), 12)
    return fixed(value * factor, decimals), fixed(half_width * factor, decimals), power_of_ten(shift) if shift else ""


def pair(low: float, high: float) -> str:
    """Return an interval ``[low, high]`` with digits that tell its ends apart."""
    low, high = min(low, high), max(low, high)
    largest = low if abs(low) >= abs(high) else high
    shown, _, power = uncertain(largest, (high - low) / 2 or None)
    decimals = len(shown.rsplit(".", 1)[1]) if "." in shown else 0
    factor = 10.0 ** -exponent(largest) if power else 1.0
    ends = f"[{fixed(low * factor, decimals)}, {fixed(high * factor, decimals)}]"
    return f"{ends} × {power}" if power else ends


def count(n: float | None) -> str:
    """Return a count, thin spaces between thousands; ``–`` for nothing."""
    if n is None or not math.isfinite(n):
        return "–"
    return fixed(n, 0) if abs(n) < 1e7 else plain(n, 3)


def percent(x: float | None) -> str:
    """Return a share as per cent, at most two significant digits below ten."""
    if x is None or not math.isfinite(x):
        return "–"
    digits = 3 if abs(x) >= 0.1 else 2
    text = f"{100 * x:.{digits}g}"
    text = plain(100 * x, digits) if "e" in text else text
    return f"{text.replace('-', MINUS)}\u00a0%"


def seconds(s: float | None) -> str:
    """Return a duration as people say it."""
    if s is None or not math.isfinite(s):
        return "–"
    if s < 1:
        return f"{plain(1000 * s, 2)} ms"
    if s < 90:
        return f"{plain(s, 2)} s"
    if s < 5400:
        return f"{plain(s / 60, 2)} min"
    if s < 36 * 3600:
        return f"{plain(s / 3600, 2)} h"
    return f"{plain(s / 86400, 2)} days"


def unit_text(unit: str) -> str:
    """Return a unit as it is printed: ``W/(m·K)``, ``m²``; nothing for ``"1"``."""
    if unit in ("", "1", "dimensionless"):
        return ""
    text = re.sub(r"\s*(?:\*\*|\^)\s*(-?\d+)", lambda m: m.group(1).translate(_SUPERSCRIPT), unit)
    return text.replace("*", "·").replace("micrometer", "µm")


_PREFIXES = {-9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}


def prefixed(unit: str, largest: float) -> tuple[float, str]:
    """Return ``(factor, unit)`` that bring numbers up to ``largest`` into an everyday range: ``(1e-6, "MPa")``.

    A unit that takes no prefix is kept, with a power of ten in front where the numbers need one.
    """
    e = exponent(largest)
    shift = 0 if -3 <= e < 4 else 3 * (e // 3)
    if shift == 0:
        return 1.0, unit_text(unit)
    factor = 10.0**-shift
    if unit in ("Pa", "N", "W", "J", "m", "s") and shift in _PREFIXES:
        return factor, _PREFIXES[shift] + unit
    return factor, " ".join(part for part in (power_of_ten(shift), unit_text(unit)) if part)


def with_unit(text: str, unit: str) -> str:
    """Append the unit, where there is one."""
    shown = unit_text(unit)
    return f"{text}\u00a0{shown}" if shown else text
