"""Units as people write them in headers and cells, to units that pint knows."""

from __future__ import annotations

import re
from functools import lru_cache

from scalebridge.errors import UnitError
from scalebridge.quantities.units import check_unit

NONE = {"", "-", "–", "1", "[-]", "none", "nd", "dimensionless", "unitless"}
_WRITTEN = {
    "wt.%": "percent",
    "wt%": "percent",
    "wt.-%": "percent",
    "mass%": "percent",
    "vol.%": "percent",
    "vol%": "percent",
    "at.%": "percent",
    "at%": "percent",
    "mol%": "percent",
    "%": "percent",
    "deg c": "degC",
    "deg. c": "degC",
    "ºc": "degC",
    "°c": "degC",
    "℃": "degC",
    "celsius": "degC",
    "degrees celsius": "degC",
    "deg f": "degF",
    "°f": "degF",
    "decdegrees": "degree",
    "decimal degrees": "degree",
    "degrees_north": "degree",
    "degrees_east": "degree",
    "degree_north": "degree",
    "degree_east": "degree",
    "sec": "s",
    "secs": "s",
    "hrs": "h",
    "yrs": "year",
    "micron": "um",
    "microns": "um",
}
_TEMPERATURE = {"C": "degC", "F": "degF"}
# pint evaluates powers: a tower of them, or a long number, would not come back.
_HARMLESS = re.compile(r"^[A-Za-zµμ°ΩÅ%‰²³⁰¹⁴-⁹⁻_./*^()·\s\d-]{1,40}$")
_DANGEROUS = re.compile(r"\d{3,}|(\^|\*\*)[^A-Za-z]*(\^|\*\*)|[()].*(\^|\*\*)\s*\(|\d\s*(\^|\*\*)")
_POWER = re.compile(r"(?<=[A-Za-zµμΩÅ])(-?\d{1,2})\b")


@lru_cache(maxsize=4096)
def unit_from_text(text: str, name: str = "") -> str | None:
    """The unit that ``text`` writes, as pint spells it; ``None`` if it is none that is known.

    ``name`` is that of the quantity: "C" is degrees Celsius where it speaks of a temperature, else coulomb; what is
    called a ratio has no unit in "(L/W)".
    """
    text = text.strip()
    if text.lower() in NONE:
        return "1"
    if text in _TEMPERATURE and re.search("temp", name, re.IGNORECASE):
        return _TEMPERATURE[text]
    if text.lower() in _WRITTEN:
        return _WRITTEN[text.lower()]
    if re.search(r"\bratio\b", name, re.IGNORECASE):
        return "1"
    if not _HARMLESS.match(text) or _DANGEROUS.search(text):
        return None
    for candidate in (text, _POWER.sub(r"^\1", text)):
        candidate = re.sub(r"\s*·\s*", "*", candidate)
        try:
            check_unit(candidate, "")
        except (UnitError, ArithmeticError, MemoryError):
            continue
        return candidate
    return None
