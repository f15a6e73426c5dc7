"""Materials as people type them: ``"matrix: E=3.5 GPa, nu=0.35"``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from scalebridge.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from scalebridge.micro.rve import Conductor, Phase, Rigid

EXAMPLE = "'matrix: E=3.5 GPa, nu=0.35'"
CONDUCTING_EXAMPLE = "'matrix: 0.2 W/(m*K)'"

# Constants by law, with their units; the order is that of the law's own arguments.
ELASTIC = {"E": "Pa", "nu": "1"}
TRANSVERSE = {"E_L": "Pa", "E_T": "Pa", "nu_L": "1", "nu_T": "1", "G_L": "Pa"}
ORTHOTROPIC = {
    **dict.fromkeys(("E1", "E2", "E3"), "Pa"),
    **dict.fromkeys(("nu12", "nu13", "nu23"), "1"),
    **dict.fromkeys(("G12", "G13", "G23"), "Pa"),
}
LAWS = {"an elastic phase": ELASTIC, "a transversely isotropic phase": TRANSVERSE, "an orthotropic phase": ORTHOTROPIC}
WORDS = ("void", "rigid")


def named_texts(texts: Iterable[str], conductivities: bool = False) -> dict[str, str]:
    """Return the constants of each phase by its name, in the order given, from ``"NAME: constants"``.

    Raises:
        InputError: a text without name or constants, a phase twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, colon, rest = (part.strip() for part in text.partition(":"))
        if not colon or not name or not rest:
            example = CONDUCTING_EXAMPLE if conductivities else EXAMPLE
            raise InputError(f"'{text}' does not say which phase has which constants; write it as {example}.")
        if name in found:
            raise InputError(f"The phase '{name}' is given twice; give one text per phase.")
        found[name] = rest
    return found


def conductors(texts: Mapping[str, str]) -> dict[str, Conductor]:
    """Return one conductor per phase name from values such as ``"0.2 W/(m*K)"``, or ``"0"``.

    All take the unit of the first: heat in W/(m*K), charge in S/m, diffusion in m^2/s.

    Raises:
        InputError: a value without unit or negative, units of different kinds.
    """
    units = [_unit_of(name, given) for name, given in texts.items()]
    unit = next((u for u in units if u), "W/(m*K)")
    return {name: _conductor(name, given, unit) for name, given in texts.items()}


def material(name: str, text: str) -> Phase | Rigid:
    """Return the law of the phase ``name`` from its constants.

    Args:
        name: of the phase, for messages.
        text: ``E=, nu=`` (isotropic); ``E_L=, E_T=, nu_L=, nu_T=, G_L=, axis=`` (with an axis of symmetry along
            direction 1, 2 or 3); ``E1=, E2=, E3=, nu12=, nu13=, nu23=, G12=, G13=, G23=`` (orthotropic); ``void``;
            ``rigid``. Moduli with a unit.

    Raises:
        InputError: constants unknown, missing, without unit or out of range.
    """
    from scalebridge.micro.rve import Rigid, Void

    if text.strip().lower() == "void":
        return Void()
    if text.strip().lower() == "rigid":
        return Rigid()
    pairs = _pairs(name, text)
    try:
        return _law(name, pairs)
    except InputError as error:
        prefix = f"The material of '{name}': "
        raise error if str(error).startswith("The material of") else InputError(prefix + _lower(str(error))) from error


def _law(name: str, pairs: Mapping[str, str]) -> Phase:
    from scalebridge.micro.rve import Elastic, Orthotropic

    what = _kind(name, pairs)
    known = LAWS[what]
    missing = [key for key in known if key not in pairs]
    if missing:
        raise InputError(
            f"The material of '{name}' lacks {_listed(missing)}; {what} takes {_listed(list(known))}"
            f"{', and axis' if known is TRANSVERSE else ''}."
        )
    values = [_value(name, key, pairs[key], unit) for key, unit in known.items()]
    if known is TRANSVERSE:
        return _along(values, _axis(name, pairs))
    return Elastic(*values) if known is ELASTIC else Orthotropic(*values)


def _kind(name: str, pairs: Mapping[str, str]) -> str:
    """Return the law that has the constants given; those of no law are refused."""
    every = [key for known in LAWS.values() for key in known] + ["axis"]
    for key in pairs:
        if key == "k":
            raise InputError(
                f"The material of '{name}' has the conductivity k; give it by --conductivity '{name}: {pairs[key]}'."
            )
        if key not in every:
            raise InputError(f"The material of '{name}' has no constant '{key}'{did_you_mean(key, every)}")
    found = [what for what, known in LAWS.items() if any(key in known for key in pairs)]
    if len(found) == 1 and ("axis" not in pairs or found[0] == "a transversely isotropic phase"):
        return found[0]
    if len(found) > 1:
        raise InputError(f"The material of '{name}' mixes constants of {_listed(found)}; give those of one law.")
    raise InputError(
        f"The material of '{name}' gives an axis without E_L, E_T, nu_L, nu_T and G_L; only a transversely isotropic "
        "phase has an axis."
    )


def _along(values: list[Any], axis: int) -> Phase:
    """Return the transversely isotropic law whose axis is direction ``axis``, without a field of orientations."""
    from scalebridge.micro.rve import Orthotropic, TransverselyIsotropic

    law = TransverselyIsotropic(*values)
    if axis == 1:
        return law
    nu_tl, across = law.nu_L * law.E_T / law.E_L, law.E_T / (2.0 * (1.0 + law.nu_T))
    if axis == 2:
        return Orthotropic(law.E_T, law.E_L, law.E_T, nu_tl, law.nu_T, law.nu_L, law.G_L, across, law.G_L)
    return Orthotropic(law.E_T, law.E_T, law.E_L, law.nu_T, nu_tl, nu_tl, across, law.G_L, law.G_L)


def _axis(name: str, pairs: Mapping[str, str]) -> int:
    given = pairs.get("axis")
    if given not in ("1", "2", "3"):
        said = "lacks axis" if given is None else f"has axis={given}"
        raise InputError(
            f"The material of '{name}' {said}; write axis=1 (x, along rows), 2 (y, down columns) or 3 (out of the "
            "plane of a slice: fibres cut across)."
        )
    return int(given)


def _value(name: str, key: str, text: str, unit: str) -> Any:
    """Return a ratio as a number, a modulus as its text once it has a unit; the law checks the rest."""
    from scalebridge.quantities.units import magnitude

    owner = f"The material of '{name}': {key}"
    if unit == "1":
        return magnitude(text, "1", owner)
    if _is_number(text):
        raise InputError(f"The material of '{name}' has {key}={text} without a unit; write {key}={text} GPa or MPa.")
    magnitude(text, unit, owner)
    return text


def _conductor(name: str, text: str, unit: str) -> Conductor:
    from scalebridge.micro.rve import Conductor

    value = text.partition("=")[2].strip() if text.strip().startswith("k") else text.strip()
    if value.lower() == "void":
        value = "0"
    try:
        return Conductor(value, unit)
    except InputError as error:
        raise InputError(f"The conductivity of '{name}': {_lower(str(error))}") from error


def _unit_of(name: str, text: str) -> str | None:
    """Return the unit of a conductivity as one of the three kinds; ``None`` for zero, which needs none."""
    from scalebridge.errors import UnitError
    from scalebridge.quantities.units import magnitude

    value = text.partition("=")[2].strip() if text.strip().startswith("k") else text.strip()
    if value.lower() == "void" or (_is_number(value) and float(value) == 0.0):
        return None
    if _is_number(value):
        raise InputError(f"The conductivity of '{name}' is {value} without a unit; write '{name}: {value} W/(m*K)'.")
    for unit in ("W/(m*K)", "S/m", "m^2/s"):
        try:
            magnitude(value, unit, name)
        except UnitError:
            continue
        return unit
    raise InputError(
        f"The conductivity of '{name}' is '{value}', which is no conductivity; write a number and a unit, as in "
        f"'{name}: 0.2 W/(m*K)', in S/m for charge or in m^2/s for diffusion."
    )


def _pairs(name: str, text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(","):
        key, sign, value = (piece.strip() for piece in part.partition("="))
        if not sign or not value:
            raise InputError(
                f"The material of '{name}' holds '{part.strip()}', which is neither a constant such as E=3.5 GPa nor "
                f"one of {' and '.join(WORDS)}."
            )
        if key in found:
            raise InputError(f"The material of '{name}' gives {key} twice.")
        found[key] = value
    return found


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:] if text[:4] == "The " else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
