"""A Lennard-Jones fluid as a micro model: transport coefficients, pressure and energy at a state."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from scalebridge.errors import InputError, did_you_mean
from scalebridge.models import Adapted, Runs, Scale, Structure
from scalebridge.quantities import Floats, Space, Variable
from scalebridge.quantities.units import magnitude
from scalebridge.simulators.lammps.fluid_reading import FluidFiles
from scalebridge.simulators.lammps.fluid_state import FluidState
from scalebridge.simulators.lammps.lennard_jones import UNITS, Substance, coexistence, substance
from scalebridge.simulators.lammps.measured import Measured, as_runs
from scalebridge.simulators.lammps.model import Lammps
from scalebridge.simulators.lammps.running import Resources
from scalebridge.simulators.lammps.sources import FromFolder

# Liquids and dense gases: where the default run is long and its window wide enough, in reduced units.
TEMPERATURES, DENSITIES = (0.7, 6.0), (0.2, 1.0)
_SCRIPT = Path(__file__).with_name("lennard_jones.in")
# Steps between samples of the stress, and of what a block is a multiple.
_EVERY, _ROUND = 5, 100
_POSITIVE = ("n_steps", "timestep", "window", "cutoff")


@dataclass(frozen=True)
class LennardJonesFluid:
    """A fluid of Lennard-Jones atoms, simulated by LAMMPS at constant volume and temperature.

    ::

        fluid = sb.simulators.lammps.LennardJonesFluid("viscosity")
        print(fluid.at(temperature=0.722, density=0.8442))

    Viscosity and thermal conductivity are integrals of autocorrelations (Green-Kubo), self-diffusion comes from
    displacements, corrected for the box. ``noise_std`` is the scatter of independent blocks of the run; ``error_std``
    holds what more of the same run would not mend: the time at which an integral is cut off, the pair forces left out
    beyond the cut-off of the potential (of transport coefficients an estimate, see `lennard_jones.cutoff_share`), the
    box. Pressure and energy have the tail of the potential added. The thermostat is Nose-Hoover with a damping time
    of 1, which leaves transport coefficients alone (J. E. Basconi, M. R. Shirts, J. Chem. Theory Comput. 9 (2013)
    2887). States between the densities of vapour and liquid in equilibrium are ``outside``.

    Args:
        properties: one name or several of ``viscosity``, ``conductivity``, ``diffusion``, ``pressure``, ``energy``
            (potential energy, per atom in reduced units, per mole in others).
        epsilon: depth of the potential, such as ``"119.8 K"``; without it everything is in reduced units.
        sigma: distance of zero potential, such as ``"3.405 angstrom"``.
        mass: of an atom or a mole, such as ``"39.948 g/mol"``.
        temperatures: bounds of the input ``temperature``, reduced or in K; by default 0.7 to 6 reduced.
        densities: bounds of the input ``density``, reduced or in kg/m^3; by default 0.2 to 1 reduced.
        n_atoms: 4 k^3 atoms, k whole: 108, 256, 500, 864, ...
        cutoff: of the potential, in sigma.
        n_steps: of the production run, after melting and settling.
        timestep: in reduced time.
        window: longest lag of the autocorrelations, in reduced time.
        n_blocks: independent blocks that errors are told from.
        finer_cutoff: cut-off of the model `finer`, by which `solve` measures what the cut-off does; its box is as
            large as it needs. ``None``: there is none, and the estimate stands.
        how: ``"process"`` or ``"in process"``, as in `Lammps`.
        timeout: for one run: seconds, or a text such as ``"10 min"``.
        resources: program, MPI processes, threads, further limits.
        folder: where working folders are made.
        keep: which of them stay.

    Raises:
        InputError: unknown properties, a number of atoms that fills no cube, settings that are not positive.
    """

    properties: str | Sequence[str] = "viscosity"
    epsilon: str | float | None = field(default=None, kw_only=True)
    sigma: str | float | None = field(default=None, kw_only=True)
    mass: str | float | None = field(default=None, kw_only=True)
    temperatures: tuple[float, float] | None = field(default=None, kw_only=True)
    densities: tuple[float, float] | None = field(default=None, kw_only=True)
    n_atoms: int = field(default=256, kw_only=True)
    cutoff: float = field(default=2.5, kw_only=True)
    n_steps: int = field(default=480_000, kw_only=True)
    timestep: float = field(default=0.006, kw_only=True)
    window: float = field(default=8.0, kw_only=True)
    n_blocks: int = field(default=16, kw_only=True)
    finer_cutoff: float | None = field(default=None, kw_only=True)
    how: str = field(default="process", kw_only=True)
    timeout: float | str | None = field(default=None, kw_only=True)
    resources: Resources = field(default_factory=Resources, kw_only=True)
    folder: str | Path | None = field(default=None, kw_only=True)
    keep: str = field(default="never", kw_only=True)

    def __post_init__(self) -> None:
        names = (self.properties,) if isinstance(self.properties, str) else tuple(self.properties)
        object.__setattr__(self, "properties", names)
        self._check(names)
        _ = self._script, self.inputs

    @property
    def name(self) -> str:
        """What it is."""
        return "lennard_jones_fluid"

    @property
    def version(self) -> str:
        """Version of script and evaluation."""
        return "2"

    @property
    def stochastic(self) -> bool:
        """It takes a seed per row."""
        return True

    @property
    def batched(self) -> bool:
        """Every row is a run of its own, as in `Lammps`."""
        return False

    @property
    def structure(self) -> Structure:
        """None is known."""
        return Structure()

    @property
    def inputs(self) -> Space:
        """Temperature and density, with their bounds."""
        kelvin, mass_density = self._scale_of_state
        units = ("1", "1") if self.substance is None else ("K", "kg/m^3")
        warm = self.temperatures or (kelvin * TEMPERATURES[0], kelvin * TEMPERATURES[1])
        dense = self.densities or (mass_density * DENSITIES[0], mass_density * DENSITIES[1])
        return Space([Variable("temperature", units[0], bounds=warm), Variable("density", units[1], bounds=dense)])

    @property
    def outputs(self) -> Space:
        """The properties; transport coefficients are positive."""
        bounds = {"pressure": None, "energy": None}
        return Space([Variable(n, self._unit(n), bounds=bounds.get(n, (0.0, None))) for n in self.properties])

    @property
    def scale(self) -> Scale | None:
        """From an atom to the box, from a step to the run; of a substance with known lengths."""
        if self.substance is None:
            return None
        box = (self.n_atoms / DENSITIES[1]) ** (1 / 3)
        length, time = (
            self.substance.sigma,
            self.substance.sigma * math.sqrt(self.substance.mass / self.substance.epsilon),
        )
        return Scale((length, box * length), (self.timestep * time, self.timestep * self.n_steps * time))

    @cached_property
    def substance(self) -> Substance | None:
        """Its parameters in SI units; ``None`` for a fluid in reduced units."""
        given = (self.epsilon, self.sigma, self.mass)
        if all(value is None for value in given):
            return None
        missing = [n for n, value in zip(("epsilon", "sigma", "mass"), given, strict=True) if value is None]
        if missing:
            raise InputError(
                f"The Lennard-Jones fluid has no {' and no '.join(missing)}; give epsilon, sigma and mass for a "
                "substance, or none of them for reduced units."
            )
        return substance(*(value for value in given if value is not None))

    @property
    def finer(self) -> LennardJonesFluid | None:
        """The same fluid with the longer cut-off, in a box that holds it at the largest density."""
        if self.finer_cutoff is None:
            return None
        densest = float(self.inputs["density"].limits[1]) / self._scale_of_state[1]
        cells = max(_cells(self.n_atoms), _cells_for(self.finer_cutoff, densest))
        return replace(self, cutoff=self.finer_cutoff, n_atoms=4 * cells**3, finer_cutoff=None)

    def identity(self) -> Mapping[str, str]:
        """That of the script with its settings, and of the substance."""
        made_of = hashlib.sha256(repr((self.substance, self.properties)).encode()).hexdigest()[:16]
        return {**self._script.identity(), "name": self.name, "version": self.version, "substance": made_of}

    def rename(self, **names: str) -> Adapted:
        """Return the same model with variables renamed."""
        return Adapted(self, names=names)

    def fix(self, **values: str | float) -> Adapted:
        """Return the same model with inputs held constant."""
        return Adapted(self, fixed=values)

    def run(self, x: Floats, seeds: Sequence[int] | None = None) -> Runs:
        """Run ``x [b, 2]`` (temperature, density); ``seeds`` one per row.

        Raises:
            InputError: LAMMPS is missing.
        """
        return as_runs(self._measure(x, seeds), self.outputs.names, noise=True, error=True)

    def at(self, temperature: str | float, density: str | float, seed: int = 0) -> FluidState:
        """Run one state and return its properties with their intervals, part by part.

        Args:
            temperature: in the unit of the input, or a text such as ``"94.4 K"``.
            density: likewise, such as ``"1.374 g/cm^3"``.
            seed: another one gives an independent run.
        """
        row = [
            magnitude(given, self.inputs[n].unit, n)
            for n, given in (("temperature", temperature), ("density", density))
        ]
        (found,) = self._measure(np.array([row]), (seed,))
        told = [
            f"{v:.6g}" if self.inputs[n].unit == "1" else f"{v:.6g} {self.inputs[n].unit}"
            for n, v in zip(self.inputs.names, row, strict=True)
        ]
        units = {name: self._unit(name) for name in self.properties}
        return FluidState(told[0], told[1], found.readings, units, found.status, found.reason, found.seconds)

    def _measure(self, x: Floats, seeds: Sequence[int] | None) -> list[Measured]:
        x = self.inputs.check(x, f"The model '{self.name}'")
        reduced = x / np.array(self._scale_of_state)
        chosen = tuple(seeds) if seeds is not None else tuple(range(len(x)))
        refused = [self._refused(*map(float, row)) for row in reduced]
        kept = [place for place, why in enumerate(refused) if why is None]
        found = iter(self._script.measure(reduced[kept], [chosen[place] for place in kept]))
        return [self._in_units(next(found)) if why is None else Measured("outside", why) for why in refused]

    def _refused(self, temperature: float, density: float) -> str | None:
        """Why a state, in reduced units, is outside what this fluid can be asked for; ``None`` where it is not."""
        if not (0 < temperature < math.inf and 0 < density < math.inf):
            return f"temperature {temperature:g} and density {density:g} are not both positive numbers"
        both = coexistence(temperature)
        if both is not None and both[0] < density < both[1]:
            vapour, liquid = (f"{self._scale_of_state[1] * end:.3g}" for end in both)
            unit = "" if self.substance is None else " kg/m^3"
            return (
                f"between the densities {vapour} and {liquid}{unit} this temperature has two phases, vapour and "
                "liquid; take a density or a temperature of one phase"
            )
        box = math.cbrt(self.n_atoms / density)
        if box >= 2 * self.cutoff:
            return None
        return (
            f"the box of {self.n_atoms} atoms is {box:.3g} sigma wide at this density, less than twice the cut-off "
            f"{self.cutoff:g}; take n_atoms={4 * _cells_for(self.cutoff, density) ** 3}"
        )

    def _in_units(self, found: Measured) -> Measured:
        return replace(found, readings={name: r.scaled(self._factor(name)) for name, r in found.readings.items()})

    @cached_property
    def _script(self) -> Lammps:
        half = _ROUND * math.ceil(self.n_steps / (2 * self.n_blocks * _ROUND))
        return Lammps(
            _SCRIPT,
            inputs={"T": "1", "rho": "1"},
            outputs={
                n: FromFolder(FluidFiles(n, self.n_atoms, self.cutoff, self.timestep, half)) for n in self.properties
            },
            how=self.how,
            seed="seed",
            constants={
                "cutoff": self.cutoff,
                "cells": _cells(self.n_atoms),
                "dt": self.timestep,
                "every": _EVERY,
                "lags": 1 + math.ceil(self.window / (_EVERY * self.timestep)),
                "half": half,
                "blocks": self.n_blocks,
                "conductivity": "yes" if "conductivity" in self.properties else "no",
            },
            timeout=self.timeout,
            resources=self.resources,
            folder=self.folder,
            keep=self.keep,
            name=self.name,
        )

    @property
    def _scale_of_state(self) -> tuple[float, float]:
        return (1.0, 1.0) if self.substance is None else (self.substance.temperature, self.substance.density)

    def _factor(self, name: str) -> float:
        return 1.0 if self.substance is None else self.substance.scale(name)

    def _unit(self, name: str) -> str:
        return "1" if self.substance is None else UNITS[name]

    def _check(self, names: tuple[str, ...]) -> None:
        for name in names:
            if name not in UNITS:
                raise InputError(f"The Lennard-Jones fluid is asked for '{name}'{did_you_mean(str(name), UNITS)}")
        if not names:
            raise InputError(f"The Lennard-Jones fluid is asked for nothing; valid: {', '.join(UNITS)}.")
        for setting in _POSITIVE:
            if not 0 < getattr(self, setting) < math.inf:
                raise InputError(f"The Lennard-Jones fluid has {setting} = {getattr(self, setting)}; give more than 0.")
        if self.n_blocks < 4:
            raise InputError(f"The Lennard-Jones fluid has n_blocks = {self.n_blocks}; at least 4 tell an error.")
        if 4 * _cells(self.n_atoms) ** 3 != self.n_atoms:
            cells = max(2, _cells(self.n_atoms))
            raise InputError(
                f"The Lennard-Jones fluid has {self.n_atoms} atoms, which fill no cubic lattice; take "
                f"{4 * cells**3} or {4 * (cells + 1) ** 3} (4 k^3)."
            )
        shortest = 2 * self.n_blocks * self.window / self.timestep
        if self.n_steps < shortest:
            raise InputError(
                f"The Lennard-Jones fluid runs {self.n_steps} steps, too few for {self.n_blocks} blocks of twice the "
                f"window {self.window:g}; take at least {math.ceil(shortest)}."
            )


def _cells(n_atoms: int) -> int:
    return max(1, round(math.cbrt(n_atoms / 4)))


def _cells_for(cutoff: float, density: float) -> int:
    """Cells along an edge of a box that is twice the cut-off wide."""
    return math.ceil(2 * cutoff * math.cbrt(density / 4))
