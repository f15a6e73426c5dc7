"""A transport coefficient of a run as an output: a Green-Kubo integral of a correlation file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from scalebridge.errors import InputError, did_you_mean
from scalebridge.simulators.lammps.averages import read_averages
from scalebridge.simulators.lammps.correlations import Correlation, read_correlation
from scalebridge.simulators.lammps.green_kubo import KINDS, Transport, green_kubo
from scalebridge.simulators.lammps.reading import Reading
from scalebridge.simulators.lammps.sources import Finished, NotFoundInRun, Source

BLOCKS = ("last", "all")


@dataclass(frozen=True)
class GreenKubo(Source):
    """A transport coefficient from a file of ``fix ave/correlate``, with its deviation and that of its cut-off in time.

    Args:
        file: that the fix writes in the working folder.
        kind: ``"viscosity"``, ``"thermal_conductivity"`` or ``"diffusion"``.
        temperature: number in the script's units, or a formula such as ``"v_T"``.
        volume: number in the script's units, or a formula.
        timestep: number in the script's units, or a formula.
        columns: quantities whose autocorrelations are used, such as ``("v_pxy", "v_pxz")``; all by default, but for a
            viscosity those of normal stresses.
        blocks: ``"last"`` for a fix with ``ave running``; ``"all"`` for one with ``ave one``, whose full blocks are
            replicates.
        per_volume: whether the script divided a heat flux by the volume already, as in ``c_flux[1]/vol``.
        unit: of the output; the coefficient is converted from SI, and is reduced in units lj.
    """

    file: str
    kind: str
    temperature: str | float
    volume: str | float = "vol"
    timestep: str | float = "dt"
    columns: tuple[str, ...] | None = None
    blocks: str = "last"
    per_volume: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"There is no Green-Kubo integral for '{self.kind}'{did_you_mean(self.kind, KINDS)}")
        if self.blocks not in BLOCKS:
            raise InputError(f"A Green-Kubo output takes blocks='{self.blocks}'{did_you_mean(self.blocks, BLOCKS)}")

    @property
    def formulas(self) -> tuple[str, ...]:
        """Those of temperature, volume and time step."""
        return tuple(text for text in (self.temperature, self.volume, self.timestep) if isinstance(text, str))

    def counted_in(self, style: str) -> str | None:
        """SI, or reduced numbers."""
        return self.script_unit or ("1" if style == "lj" else KINDS[self.kind].unit)

    def read(self, run: Finished, name: str) -> Reading:
        """Return the integral."""
        numbers = [run.number(text) for text in (self.temperature, self.volume, self.timestep)]
        try:
            path = run.folder / self.file
            source = full_blocks(path) if self.blocks == "all" else [read_correlation(path)]
            found = green_kubo(
                source,
                self.kind,
                temperature=numbers[0],
                volume=numbers[1],
                timestep=numbers[2],
                units=run.units,
                columns=self.columns,
                per_volume=self.per_volume,
            )
        except InputError as error:
            raise NotFoundInRun(str(error).replace(f"{run.folder}/", "")) from error
        return reading_of(found)


def reading_of(found: Transport) -> Reading:
    """Return a coefficient with its deviations.

    Raises:
        NotFoundInRun: the correlation had not decayed by its last lag.
    """
    if found.remark:
        raise NotFoundInRun(found.remark)
    parts = {f"Green-Kubo time {name}": part for name, part in found.parts.items()}
    return Reading(found.value, found.noise_std, parts, found.degrees)


def full_blocks(path: Path) -> list[Correlation]:
    """Return the blocks of a fix with ``ave one`` that hold as many samples as the last one.

    Raises:
        InputError: as `read_correlation`.
    """
    last = read_correlation(path)
    blocks = [block for block in read_averages(path).blocks if len(block) == len(last.lags)]
    return [
        replace(last, values=block[:, 3:], counts=block[:, 2])
        for block in blocks
        if block[0, 2] >= 0.9 * last.counts[0]
    ]
