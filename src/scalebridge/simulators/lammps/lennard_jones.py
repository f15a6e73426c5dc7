"""The Lennard-Jones fluid in reduced units: scales of a substance, and what a cut-off leaves out."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scalebridge.errors import InputError
from scalebridge.quantities.units import magnitude
from scalebridge.simulators.lammps.corrections import lennard_jones_tail
from scalebridge.simulators.lammps.green_kubo import BOLTZMANN

AVOGADRO = 6.02214076e23
# Rosenfeld's exponents: the reduced coefficient goes as exp(a * excess entropy).
_EXCESS_ENTROPY = {"viscosity": -0.8, "conductivity": -0.5, "diffusion": 0.8}
# By how much g(r) beyond the cut-off differs from 1, over its shells together.
STRUCTURE_BEYOND = 0.05
# Critical temperature and density, the bend of the mean of both densities, the height and exponent of half their
# difference.
_CRITICAL, _MEAN, _HALF = (1.3077, 0.3146), (0.1546, 0.0372), (0.4979, 0.3358)
UNITS = {
    "viscosity": "Pa*s",
    "conductivity": "W/(m*K)",
    "diffusion": "m^2/s",
    "pressure": "Pa",
    "energy": "J/mol",
}


@dataclass(frozen=True)
class Substance:
    """Parameters of a Lennard-Jones substance in SI units.

    Args:
        epsilon: depth of the potential, J.
        sigma: distance of zero potential, m.
        mass: of an atom, kg.
    """

    epsilon: float
    sigma: float
    mass: float

    @property
    def temperature(self) -> float:
        """Kelvin per reduced temperature."""
        return self.epsilon / BOLTZMANN

    @property
    def density(self) -> float:
        """kg/m^3 per reduced density."""
        return self.mass / self.sigma**3

    def scale(self, output: str) -> float:
        """SI value of one in reduced units, in the unit of `UNITS`."""
        speed = math.sqrt(self.epsilon / self.mass)
        return {
            "viscosity": math.sqrt(self.mass * self.epsilon) / self.sigma**2,
            "conductivity": BOLTZMANN * speed / self.sigma**2,
            "diffusion": self.sigma * speed,
            "pressure": self.epsilon / self.sigma**3,
            "energy": self.epsilon * AVOGADRO,
        }[output]


def substance(epsilon: str | float, sigma: str | float, mass: str | float) -> Substance:
    """Return a substance from texts with units, such as ``("119.8 K", "3.405 angstrom", "39.948 g/mol")``.

    Args:
        epsilon: J, a text with an energy, or a temperature (times Boltzmann's constant).
        sigma: m, or a text.
        mass: kg of one atom, or a text with a mass or a molar mass.

    Raises:
        InputError: a quantity that is not positive.
        UnitError: a text without a fitting unit.
    """
    made = Substance(
        _either(epsilon, "J", "K", BOLTZMANN, "epsilon"),
        magnitude(sigma, "m", "sigma"),
        _either(mass, "kg", "kg/mol", 1.0 / AVOGADRO, "mass"),
    )
    for name in ("epsilon", "sigma", "mass"):
        if not 0 < getattr(made, name) < math.inf:
            raise InputError(f"The Lennard-Jones fluid has {name} = {locals()[name]}; give a positive quantity.")
    return made


def coexistence(temperature: float) -> tuple[float, float] | None:
    """Densities of vapour and liquid that are in equilibrium; ``None`` above the critical temperature.

    Of the whole potential, in reduced units, from 0.65 up: a law of scaling with a bent mean, fitted to the equation of
    state within 0.004.

    Source: M. Thol et al., J. Phys. Chem. Ref. Data 45 (2016) 023101.
    """
    below = _CRITICAL[0] - temperature
    if below <= 0:
        return None
    mean = _CRITICAL[1] + _MEAN[0] * below + _MEAN[1] * below**2
    half = _HALF[0] * below ** _HALF[1]
    return max(mean - half, 0.0), mean + half


def cutoff_share(output: str, temperature: float, density: float, cutoff: float) -> float:
    """Relative deviation that the forces left out beyond the cut-off leave in a transport coefficient.

    For g(r) = 1 they cancel. What is left is the structure there, `STRUCTURE_BEYOND` of the tail's energy u, which
    moves the excess entropy by about u/T, and with it the coefficient as Rosenfeld found it to go.

    Source: Y. Rosenfeld, J. Phys.: Condens. Matter 11 (1999) 5415.
    """
    entropy = STRUCTURE_BEYOND * abs(lennard_jones_tail(density, 1.0, 1.0, cutoff, "lj").energy) / temperature
    return math.expm1(abs(_EXCESS_ENTROPY[output]) * entropy)


def _either(value: str | float, unit: str, other: str, factor: float, name: str) -> float:
    """Return a quantity in ``unit``; one given in ``other`` times ``factor``."""
    from scalebridge.quantities.units import registry

    if isinstance(value, str):
        try:
            other_way = registry().Quantity(value).check(other)
        except Exception:
            other_way = False
        if other_way:
            return factor * magnitude(value, other, name)
    return magnitude(value, unit, name)
