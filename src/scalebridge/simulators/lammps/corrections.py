"""What a cut-off and a small box take away from a Lennard-Jones fluid, by formula.

Sources: M. P. Allen, D. J. Tildesley, Computer Simulation of Liquids, 2nd ed. (2017), eqs. 2.144-2.145 (tails);
I.-C. Yeh, G. Hummer, J. Phys. Chem. B 108 (2004) 15873 (diffusion).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scalebridge.errors import InputError
from scalebridge.simulators.lammps.green_kubo import BOLTZMANN
from scalebridge.simulators.lammps.unit_styles import UNIT_STYLES, checked_style, si_unit

# Of a cubic box with periodic boundaries.
YEH_HUMMER = 2.837297


@dataclass(frozen=True)
class Tail:
    """What the pairs beyond the cut-off would add, were they there.

    Attributes:
        pressure: in ``pressure_unit``, to be added to that of a truncated potential.
        energy: per atom in ``energy_unit``, to be added.
        pressure_unit: ``"Pa"``; ``"1"`` in units lj.
        energy_unit: that of the style.
    """

    pressure: float
    energy: float
    pressure_unit: str
    energy_unit: str


def lennard_jones_tail(number_density: float, epsilon: float, sigma: float, cut_off: float, units: str) -> Tail:
    """Long-range corrections of pressure and energy for a Lennard-Jones fluid truncated at ``cut_off``.

    They take the fluid beyond the cut-off for uniform; LAMMPS adds the same with ``pair_modify tail yes``. They mend
    the truncation alone: what remains of a difference to experiment is the pair potential's own.

    Args:
        number_density: atoms per volume, in the style's units.
        epsilon, sigma, cut_off: in the style's units; one kind of atom.
        units: LAMMPS' style of units.

    Raises:
        InputError: numbers that are not positive, an unknown style.
    """
    given = {"number density": number_density, "epsilon": epsilon, "sigma": sigma, "cut-off": cut_off}
    _check_positive(given, "tail of a Lennard-Jones fluid")
    checked_style(units, "The fluid")
    third, ninth = (sigma / cut_off) ** 3, (sigma / cut_off) ** 9
    front = math.pi * number_density * epsilon * sigma**3
    pressure = 16 / 3 * front * number_density * (2 / 3 * ninth - third)
    energy = 8 / 3 * front * (ninth / 3 - third)
    if units == "lj":
        return Tail(pressure, energy, "1", "1")
    to_pascal = si_unit("energy", units) / si_unit("length", units) ** 3
    return Tail(pressure * to_pascal, energy, "Pa", UNIT_STYLES[units]["energy"])


def yeh_hummer(temperature: float, viscosity: float, box_length: float, units: str) -> float:
    """What a periodic cubic box takes from the diffusion coefficient: to be added, in m^2/s (reduced in units lj).

    Args:
        temperature: in the style's unit.
        viscosity: in Pa s (reduced in units lj), which depends little on the size of the box.
        box_length: in the style's unit of length.
        units: LAMMPS' style of units.

    Raises:
        InputError: numbers that are not positive, an unknown style.
    """
    _check_positive({"temperature": temperature, "viscosity": viscosity, "box length": box_length}, "correction")
    checked_style(units, "The box")
    boltzmann = 1.0 if units == "lj" else BOLTZMANN
    length = box_length * si_unit("length", units)
    return YEH_HUMMER * boltzmann * temperature / (6 * math.pi * viscosity * length)


def _check_positive(given: dict[str, float], what: str) -> None:
    for name, value in given.items():
        if not (value > 0 and math.isfinite(value)):
            raise InputError(f"The {name} of the {what} is {value}; give a positive number.")
