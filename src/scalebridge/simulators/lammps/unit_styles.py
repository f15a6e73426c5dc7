"""What the numbers in a LAMMPS file are measured in, by the ``units`` style and the kind of quantity.

Source: LAMMPS documentation, command ``units``. In units lj everything is reduced and has the unit "1".
"""

from __future__ import annotations

from types import MappingProxyType

from scalebridge.errors import InputError, did_you_mean

KINDS = (
    *("mass", "length", "time", "energy", "velocity", "force", "torque", "temperature", "pressure", "viscosity"),
    *("charge", "dipole", "electric_field", "density"),
)

_TABLE = {
    "lj": ("1",) * len(KINDS),
    "real": (
        *("g/mol", "angstrom", "fs", "kcal/mol", "angstrom/fs", "kcal/mol/angstrom", "kcal/mol", "K", "atm", "poise"),
        *("elementary_charge", "elementary_charge*angstrom", "V/angstrom", "g/cm^3"),
    ),
    "metal": (
        *("g/mol", "angstrom", "ps", "eV", "angstrom/ps", "eV/angstrom", "eV", "K", "bar", "poise"),
        *("elementary_charge", "elementary_charge*angstrom", "V/angstrom", "g/cm^3"),
    ),
    "si": ("kg", "m", "s", "J", "m/s", "N", "N*m", "K", "Pa", "Pa*s", "C", "C*m", "V/m", "kg/m^3"),
    "cgs": (
        *("g", "cm", "s", "erg", "cm/s", "dyne", "dyne*cm", "K", "dyne/cm^2", "poise"),
        *("statcoulomb", "statcoulomb*cm", "statvolt/cm", "g/cm^3"),
    ),
    "electron": (
        *("dalton", "bohr", "fs", "hartree", "hartree**0.5/dalton**0.5", "hartree/bohr", "hartree", "K", "Pa", "Pa*fs"),
        *("elementary_charge", "debye", "V/cm", "dalton/bohr^3"),
    ),
    "micro": (
        *("pg", "um", "us", "pg*um^2/us^2", "um/us", "pg*um/us^2", "pg*um^2/us^2", "K", "pg/(um*us^2)", "pg/(um*us)"),
        *("pC", "pC*um", "V/um", "pg/um^3"),
    ),
    "nano": (
        *("ag", "nm", "ns", "ag*nm^2/ns^2", "nm/ns", "ag*nm/ns^2", "ag*nm^2/ns^2", "K", "ag/(nm*ns^2)", "ag/(nm*ns)"),
        *("elementary_charge", "elementary_charge*nm", "V/nm", "ag/nm^3"),
    ),
}

UNIT_STYLES = MappingProxyType(
    {style: MappingProxyType(dict(zip(KINDS, units, strict=True))) for style, units in _TABLE.items()}
)
# Steps of each style where a script sets none.
TIMESTEPS = MappingProxyType(
    {"lj": 0.005, "real": 1.0, "metal": 0.001, "si": 1e-8, "cgs": 1e-8, "electron": 0.001, "micro": 2.0, "nano": 4.5e-4}
)


def unit_of(kind: str, style: str | None) -> str | None:
    """The unit of a kind of quantity; ``None`` where the style is not known.

    Args:
        kind: one of `KINDS`, ``"1"``, or a product of a kind with a power, such as ``"length^3"`` or
            ``"energy*velocity"``.
        style: of LAMMPS' ``units``, or ``None`` where no file says it.
    """
    if kind == "1" or style is None:
        return "1" if kind == "1" else None
    table = UNIT_STYLES[style]
    if style == "lj" and all(factor.partition("^")[0] in table for factor in kind.split("*")):
        return "1"
    parts: list[str] = []
    for factor in kind.split("*"):
        word, _, power = factor.partition("^")
        unit = table.get(word, word)
        compound = any(sign in unit for sign in "*/^")
        bracketed = f"({unit})" if compound and (power or parts) else unit
        parts.append(f"{bracketed}^{power}" if power else bracketed)
    return "*".join(parts)


def si_unit(kind: str, style: str) -> float:
    """One of the style's unit of length, time, energy, pressure or velocity in SI, per particle; 1 in units lj."""
    from scalebridge.quantities.units import conversion

    if style == "lj":
        return 1.0
    unit = UNIT_STYLES[style][kind]
    goal = {"length": "m", "time": "s", "energy": "J", "pressure": "Pa", "velocity": "m/s"}[kind]
    return conversion(f"{unit}/avogadro_constant" if unit.endswith("/mol") else unit, goal, f"The {kind}")[0]


def checked_style(style: str | None, owner: str) -> str | None:
    """A style of units that LAMMPS knows, or ``None``.

    Raises:
        InputError: another word.
    """
    if style is not None and style not in UNIT_STYLES:
        raise InputError(f"{owner} is said to have units '{style}'{did_you_mean(str(style), UNIT_STYLES)}")
    return style
