"""Transport coefficients and means from the files that ``lennard_jones.in`` writes, in reduced units."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from scalebridge.data.averaging import mean_of_series
from scalebridge.simulators.lammps.corrections import lennard_jones_tail, yeh_hummer
from scalebridge.simulators.lammps.green_kubo import green_kubo
from scalebridge.simulators.lammps.green_kubo_source import full_blocks, reading_of
from scalebridge.simulators.lammps.lennard_jones import STRUCTURE_BEYOND, cutoff_share
from scalebridge.simulators.lammps.reading import Reading
from scalebridge.simulators.lammps.sources import NotFoundInRun

TIME_CUTOFF, PAIR_CUTOFF, BOX = "Green-Kubo time cut-off", "pair cut-off", "size of the box"
# What is not known of the correction for the box, as a share of it.
_BOX_SHARE = 0.2
# Atoms that move less than this (mean square, sigma^2) in half a block belong to a solid.
_FLOWING = 0.2


class NotAFluid(NotFoundInRun):
    """The atoms stay where they are."""


@dataclass(frozen=True)
class FluidFiles:
    """Reads one output of a run of the fluid.

    Args:
        output: its name.
        n_atoms: number of atoms.
        cutoff: of the potential.
        timestep: of the run.
        half: steps of half a block.
    """

    output: str
    n_atoms: int
    cutoff: float
    timestep: float
    half: int

    def __call__(self, folder: Path) -> Reading:
        """Return the output from the files in ``folder``.

        Raises:
            Exception: where it cannot be had, with the reason.
        """
        temperature, density = map(float, (folder / "state.txt").read_text(encoding="utf-8").split())
        diffusion = self._diffusion_in_box(folder)
        if self.output in ("pressure", "energy"):
            return self._mean(folder, density)
        if self.output != "diffusion":
            return self._green_kubo(folder, self.output, temperature, density)
        return self._in_all_space(diffusion, folder, temperature, density)

    def _mean(self, folder: Path, density: float) -> Reading:
        column = {"energy": 1, "pressure": 2}[self.output]
        series = np.loadtxt(folder / "means.txt", ndmin=2)[:, column]
        mean = mean_of_series(series, name=self.output)
        if not mean.enough:
            raise NotFoundInRun(f"the {self.output} is {mean.remark}")
        per = self.n_atoms if self.output == "energy" else 1
        tail = lennard_jones_tail(density, 1.0, 1.0, self.cutoff, "lj")
        part = STRUCTURE_BEYOND * abs(tail.energy if self.output == "energy" else tail.pressure)
        return Reading(mean.value / per, mean.std_error / per, {PAIR_CUTOFF: part}, mean.degrees)

    def _green_kubo(self, folder: Path, output: str, temperature: float, density: float) -> Reading:
        file, kind = {
            "viscosity": ("stress.correlation", "viscosity"),
            "conductivity": ("heat.correlation", "thermal_conductivity"),
        }[output]
        integral = green_kubo(
            full_blocks(folder / file),
            kind,
            temperature=temperature,
            volume=self.n_atoms / density,
            units="lj",
            timestep=self.timestep,
        )
        found = reading_of(integral)
        parts = {
            TIME_CUTOFF: sum(found.parts.values()),
            PAIR_CUTOFF: abs(found.value) * cutoff_share(output, temperature, density, self.cutoff),
        }
        return replace(found, parts=parts)

    def _diffusion_in_box(self, folder: Path) -> Reading:
        """Self-diffusion from the second half of every block, where displacements grow as time does."""
        pairs = np.loadtxt(folder / "displacement.txt", ndmin=2)
        if float(pairs[:, 0].mean()) < _FLOWING:
            raise NotAFluid("the atoms stay where they are, so this is a solid; give a lower density")
        slopes = (pairs[:, 1] - pairs[:, 0]) / (6.0 * self.half * self.timestep)
        return Reading(float(slopes.mean()), float(slopes.std(ddof=1)) / math.sqrt(len(slopes)), {}, len(slopes) - 1)

    def _in_all_space(self, found: Reading, folder: Path, temperature: float, density: float) -> Reading:
        viscosity = self._green_kubo(folder, "viscosity", temperature, density)
        correction = yeh_hummer(temperature, viscosity.value, math.cbrt(self.n_atoms / density), "lj")
        value = found.value + correction
        unsure = _BOX_SHARE + (viscosity.noise_std + viscosity.error_std) / viscosity.value
        parts = {
            BOX: unsure * correction,
            PAIR_CUTOFF: value * cutoff_share("diffusion", temperature, density, self.cutoff),
        }
        return Reading(value, found.noise_std, parts, found.degrees)
