"""Where in a case a number stands, and putting another one there, units converted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.errors import InputError, UnitError, did_you_mean
from scalebridge.quantities.units import conversion, registry
from scalebridge.simulators.openfoam.dimensions import unit_of
from scalebridge.simulators.openfoam.foam_file import unpacked

_FORM = re.compile(r"(?P<file>[^:\[\]]+):(?P<keys>[^\[\]]+)(\[(?P<component>[0-8])\])?")
# The seven base quantities in the order of OpenFOAM's dimension sets, by pint's names.
_BASE = ("[mass]", "[length]", "[time]", "[temperature]", "[substance]", "[current]", "[luminosity]")
# Entries of a boundary condition that are in the dimensions of the field itself.
_VALUES = ("internalField", "value", "inletValue", "outletValue", "refValue", "uniformValue", "p0")
_SWITCHES = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}
# Files whose numbers OpenFOAM reads with or without dimensions; with them it checks them itself.
_DIMENSIONED_FILES = ("transportProperties",)


@dataclass(frozen=True)
class Place:
    """An entry of a dictionary of a case.

    Args:
        file: relative to the case, as in ``"0/U"``.
        keys: the way to it, as in ``("boundaryField", "inlet", "value")``.
        component: of a vector or tensor that stands there; ``None``: the whole entry.
    """

    file: str
    keys: tuple[str, ...]
    component: int | None = None

    def __str__(self) -> str:
        part = "" if self.component is None else f"[{self.component}]"
        return f"{self.file}:{'/'.join(self.keys)}{part}"


def place_of(text: str) -> Place:
    """Return the place that a text such as ``"0/U:boundaryField/inlet/value[0]"`` names.

    Raises:
        InputError: it is not of the form ``file:entry/entry`` or leads out of the case.
    """
    match = _FORM.fullmatch(text) if isinstance(text, str) else None
    keys = tuple(match["keys"].split("/")) if match else ()
    if match is None or not all(keys):
        raise InputError(
            f"The place {text!r} is not of the form 'file:entry', as in 'constant/transportProperties:nu', "
            "'0/U:boundaryField/inlet/value' or, for one component, '0/U:boundaryField/inlet/value[0]'."
        )
    file = Path(match["file"])
    if file.is_absolute() or ".." in file.parts:
        raise InputError(
            f"The place '{text}' leads out of the case; name a file in it, as in 'system/controlDict:...'."
        )
    return Place(str(file), keys, None if match["component"] is None else int(match["component"]))


def put(folder: Path, place: Place, value: Any, unit: str | None, owner: str) -> None:
    """Write a value where another one stands, in SI units, with dimensions where the entry has them.

    Args:
        folder: of the case.
        place: where; the entry must be there already, so that a misspelt one is no new one.
        value: number, array or, without a unit, text.
        unit: of the value; ``None``: it is written as it is.
        owner: who places it, for sentences.

    Raises:
        InputError: the file or the entry is missing, the value does not fit it, foamlib is not installed.
        UnitError: the unit is not one of the entry's dimensions, or an angle where it has none.
    """
    foamlib = _foamlib()
    file = _opened(foamlib, folder, place, owner)
    try:
        with file:
            file[place.keys] = _written(foamlib, file, place, value, unit, owner)
    except InputError:
        raise
    except foamlib.FoamFileDecodeError as error:
        raise InputError(
            f"{owner} is placed at '{place}', but '{place.file}' is no dictionary that can be read: "
            f"{' '.join(str(error).split())}. Entries that OpenFOAM knows and foamlib does not (#eval {{...}}, "
            "#codeStream) may stay: write the number to a file of its own that this one includes (#include), and place "
            "it there."
        ) from error
    except (ValueError, TypeError) as error:
        raise InputError(f"{owner} cannot be written at '{place}': {error}.") from error


def _written(foamlib: Any, file: Any, place: Place, value: Any, unit: str | None, owner: str) -> Any:
    """What is to stand at a place: in the shape, the unit and with the dimensions of what stands there."""
    old = _entry(file, place, owner)
    dimensions = _dimensions(file, place, old)
    if unit is not None:
        value = _in_si(value, unit, dimensions, f"{owner} at '{place}'")
    new = _fitted(old, value, place, owner)
    if isinstance(old, foamlib.Dimensioned):
        return foamlib.Dimensioned(value=new, dimensions=dimensions, name=old.name)
    if unit not in (None, "1") and Path(place.file).name in _DIMENSIONED_FILES:
        return foamlib.Dimensioned(value=new, dimensions=exponents(str(unit)), name=place.keys[-1])
    return new


def exponents(unit: str) -> list[float]:
    """Return the exponents of mass, length, time, temperature, amount, current and luminosity of a unit."""
    found: Any = registry().Unit("dimensionless" if unit == "1" else unit).dimensionality
    return [_whole(found.get(name, 0.0)) for name in _BASE]


def _whole(power: Any) -> float:
    """An exponent as OpenFOAM writes it: 2, not 2.0."""
    return int(power) if float(power).is_integer() else float(power)


def _foamlib() -> Any:
    try:
        import foamlib
    except ImportError as error:
        raise InputError(
            "Changing the dictionaries of an OpenFOAM case needs the package foamlib, which is under the GPL and "
            'therefore optional: pip install "scalebridge[openfoam]".'
        ) from error
    return foamlib


def _opened(foamlib: Any, folder: Path, place: Place, owner: str) -> Any:
    path = folder / place.file
    packed = path.with_name(f"{path.name}.gz")
    if packed.is_file() and not path.is_file():
        path.write_bytes(unpacked(packed))
        packed.unlink()
    if not path.is_file():
        known = sorted(str(p.relative_to(folder)) for p in folder.glob("*/*") if p.is_file())
        raise InputError(
            f"{owner} is placed at '{place}', but the case has no file '{place.file}'{did_you_mean(place.file, known)}"
        )
    return foamlib.FoamFieldFile(path)


def _entry(file: Any, place: Place, owner: str) -> Any:
    at: Any = file
    for depth, key in enumerate(place.keys):
        try:
            known = [str(name) for name in at]
        except TypeError:
            known = []
        if key not in known:
            inside = f" in '{'/'.join(place.keys[:depth])}'" if depth else ""
            raise InputError(
                f"{owner} is placed at '{place}', but there is no entry '{key}'{inside}{did_you_mean(key, known)}"
            )
        if known.count(key) > 1:
            raise InputError(
                f"{owner} is placed at '{place}', but a dictionary on the way stands there twice, with '{key}' in "
                "both; leave one of them, the later, which is the one that OpenFOAM takes."
            )
        at = at[key]
    return at


def _dimensions(file: Any, place: Place, old: Any) -> list[float] | None:
    """Dimensions of an entry, seven exponents; ``None`` where the file does not say."""
    found = getattr(old, "dimensions", None)
    if found is None and place.keys[0] in ("internalField", "boundaryField") and place.keys[-1] in _VALUES:
        found = file.dimensions if "dimensions" in file else None
    return None if found is None else [_whole(power) for power in found]


def _in_si(value: Any, unit: str, dimensions: list[float] | None, owner: str) -> Any:
    if not any(dimensions or ()) and _is_angle(unit):
        raise UnitError(
            f"{owner} is in '{unit}', and OpenFOAM does not say whether it wants degrees or radians there; give the "
            "number that it wants, in '1' (a rate in '1/s')."
        )
    wanted = unit_of(exponents(unit) if dimensions is None else dimensions)
    try:
        factor, offset = conversion(unit, wanted, owner)
    except UnitError as error:
        raise UnitError(
            f"{owner} is in '{unit}', but the entry there is in '{wanted}'; a kinematic viscosity, for instance, is in "
            "m^2/s, and in an incompressible case a pressure in m^2/s^2."
        ) from error
    return np.asarray(value, dtype=np.float64) * factor + offset


def _is_angle(unit: str) -> bool:
    """Whether a unit holds an angle, which counts as no dimension."""
    _, root = registry().get_root_units("dimensionless" if unit == "1" else unit)
    return "radian" in str(root)


def _fitted(old: Any, value: Any, place: Place, owner: str) -> Any:
    """The new value in the shape of the old one."""
    if isinstance(value, str | bool):
        return _SWITCHES.get(str(value).lower(), value)
    new = np.asarray(value, dtype=np.float64)
    held = getattr(old, "value", old)
    shape: tuple[int, ...] = np.shape(held) if not isinstance(held, str) and _is_numeric(held) else ()
    if place.component is not None:
        if new.shape != () or len(shape) != 1 or place.component >= shape[0]:
            raise InputError(f"{owner} is placed at '{place}', but the entry there has the shape {shape}.")
        changed = np.array(held, dtype=np.float64)
        changed[place.component] = float(new)
        return changed.tolist() if isinstance(held, list) else changed
    if new.shape != shape:
        raise InputError(
            f"{owner} has the shape {new.shape}, but the entry at '{place}' has {shape}; for one component of a "
            f"vector, write '{place}[0]'."
        )
    if new.shape:
        return new.tolist() if isinstance(held, list) else new
    number = float(new)
    return int(number) if isinstance(held, int) and number.is_integer() else number


def _is_numeric(held: Any) -> bool:
    try:
        np.asarray(held, dtype=np.float64)
    except (ValueError, TypeError):
        return False
    return True
