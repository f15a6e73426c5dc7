"""Kind ``lammps``: `scalebridge.simulators.lammps.Lammps` from a script, or `LennardJonesFluid`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, Field

from scalebridge.errors import InputError
from scalebridge.studies.entry import STRICT, Built, Entry

if TYPE_CHECKING:
    from scalebridge.simulators.lammps.sources import Source


_OF_SCRIPT = ("inputs", "outputs", "seed", "constants", "units", "script_units", "start_from", "files", "version")
_OF_GREEN_KUBO = ("coefficient", "temperature", "columns", "blocks", "volume", "timestep", "per_volume")


class Output(BaseModel):
    """Where one output of the script is found; one of ``thermo``, ``printed``, ``formula``, ``green_kubo``."""

    model_config = STRICT

    thermo: str | None = Field(None, description="column of the thermo output, averaged", examples=["Press"])
    printed: str | None = Field(None, description="regular expression with one group", examples=["eta = (\\S+)"])
    formula: str | None = Field(None, description="variable, compute or formula at the end", examples=["v_eta"])
    green_kubo: str | None = Field(None, description="file of fix ave/correlate", examples=["stress.dat"])
    coefficient: str | None = Field(None, description="of green_kubo: viscosity, thermal_conductivity, diffusion")
    temperature: str | float | None = Field(None, description="of green_kubo: number or formula", examples=["v_T"])
    columns: list[str] | None = Field(None, description="of green_kubo: quantities to use", examples=[["c_p[4]"]])
    blocks: Literal["last", "all"] | None = Field(None, description="of green_kubo: last (ave running), all (ave one)")
    volume: str | float | None = Field(None, description="of green_kubo: number or formula, else vol")
    timestep: str | float | None = Field(None, description="of green_kubo: number or formula, else dt")
    per_volume: bool | None = Field(None, description="of green_kubo: heat flux divided by the volume already")
    unit: str = Field("1", description="unit of the output", examples=["MPa"])
    script_unit: str | None = Field(None, description="what one in the script means", examples=["41.9 MPa"])

    def source(self, owner: str) -> Source:
        """Return the source.

        Raises:
            InputError: none or several places are named, a Green-Kubo integral lacks what it needs.
        """
        from scalebridge.simulators.lammps import Formula, GreenKubo, Printed, Thermo

        places: dict[str, type[Thermo | Printed | Formula]] = {"thermo": Thermo, "printed": Printed, "formula": Formula}
        named = [name for name in (*places, "green_kubo") if getattr(self, name) is not None]
        if len(named) != 1:
            raise InputError(
                f"{owner} names {' and '.join(named) or 'no place'}; give one of thermo, printed, formula, green_kubo."
            )
        given = {name: getattr(self, name) for name in _OF_GREEN_KUBO if getattr(self, name) is not None}
        if self.green_kubo is None and given:
            raise InputError(
                f"{owner} has {next(iter(given))}, which belongs to green_kubo; leave it out of {named[0]}."
            )
        if self.green_kubo is None:
            return places[named[0]](getattr(self, named[0]), unit=self.unit, script_unit=self.script_unit)
        if self.coefficient is None or self.temperature is None:
            raise InputError(f"{owner} is a Green-Kubo integral; say its coefficient and temperature too.")
        if self.columns is not None:
            given["columns"] = tuple(self.columns)
        kind = given.pop("coefficient")
        return GreenKubo(self.green_kubo, kind, unit=self.unit, script_unit=self.script_unit, **given)


class Fluid(BaseModel):
    """A Lennard-Jones fluid in the box, in place of a script."""

    model_config = STRICT

    properties: list[str] = Field(description="what is wanted", examples=[["viscosity"]])
    epsilon: str | float | None = Field(None, description="depth of the potential", examples=["119.8 K"])
    sigma: str | float | None = Field(None, description="distance of zero potential", examples=["3.405 angstrom"])
    mass: str | float | None = Field(None, description="of an atom or a mole", examples=["39.948 g/mol"])
    temperatures: tuple[float, float] | None = Field(None, description="bounds of the input temperature")
    densities: tuple[float, float] | None = Field(None, description="bounds of the input density")
    n_atoms: int = Field(256, description="4 k^3 atoms", examples=[500])
    cutoff: float = Field(2.5, description="of the potential, in sigma", examples=[3.5])
    n_steps: int = Field(480_000, description="of the production run", examples=[1_000_000])
    finer_cutoff: float | None = Field(None, description="cut-off of the finer model that the bridge compares with")


class Settings(Entry):
    """A model run by LAMMPS: a script with its inputs and outputs, or a Lennard-Jones fluid."""

    role: ClassVar[str | None] = "micro"
    kind: Literal["lammps"] = "lammps"
    script: str | None = Field(None, description="input script", examples=["in.melt"])
    inputs: dict[str, str | list[Any]] | None = Field(
        None, description="variables of the script: unit, or [unit, low, high]", examples=[{"T": ["K", 80, 150]}]
    )
    outputs: dict[str, Output] | None = Field(
        None, description="where results are found", examples=[{"pressure": {"thermo": "Press", "unit": "MPa"}}]
    )
    fluid: Fluid | None = Field(None, description="a Lennard-Jones fluid in place of a script")
    seed: str | None = Field(None, description="variable that takes the seed", examples=["seed"])
    constants: dict[str, str | float] = Field(default_factory=dict, description="further variables of the script")
    units: str | None = Field(None, description="style of units, where only the run tells it", examples=["metal"])
    script_units: dict[str, str] = Field(default_factory=dict, description="input -> what one in the script means")
    start_from: str | None = Field(None, description="restart or data file that the script reads as ${start_from}")
    files: list[str] = Field(default_factory=list, description="further files that the script reads")
    how: Literal["process", "in process"] = Field("process", description="the program lmp, or the Python module")
    program: str | None = Field(None, description="path of lmp", examples=["/opt/lammps/bin/lmp"])
    processes: int = Field(1, ge=1, description="MPI processes of one run")
    threads: int = Field(1, ge=1, description="threads of each process")
    timeout: str | float | None = Field(None, description="time a run may take", examples=["10 min"])
    keep: Literal["never", "failed", "always"] = Field("never", description="which working folders stay")
    version: str = Field("1", description="of a script, raised when the results change")

    def build(self, name: str, folder: Path) -> Built:
        """Make the model."""
        owner = f"[models.{name}]"
        try:
            return Built(self._fluid(owner) if self.script is None else self._script(owner, folder))
        except InputError as error:
            text = str(error)
            raise InputError(text if text.startswith("[") else f"{owner}: {text}") from error

    def _fluid(self, owner: str) -> Any:
        from scalebridge.simulators.lammps import LennardJonesFluid

        if self.fluid is None:
            raise InputError(
                f"{owner} has neither a script nor a fluid; add script = 'in.melt' or [models.NAME.fluid]."
            )
        given = [n for n in _OF_SCRIPT if n in self.model_fields_set and getattr(self, n) is not None]
        if given:
            raise InputError(f"{owner} has {given[0]}, which belongs to a script; leave it out of a fluid.")
        settings = {field: getattr(self.fluid, field) for field in Fluid.model_fields}
        return LennardJonesFluid(**settings, how=self.how, resources=self._resources(owner), keep=self.keep)

    def _script(self, owner: str, folder: Path) -> Any:
        from scalebridge.simulators.lammps import Lammps

        if self.fluid is not None:
            raise InputError(f"{owner} has both a script and a fluid; leave one out.")
        if not self.inputs or not self.outputs:
            raise InputError(f"{owner} has a script without {'inputs' if not self.inputs else 'outputs'}; add them.")
        return Lammps(
            folder / str(self.script),
            {k: tuple(v) if isinstance(v, list) else v for k, v in self.inputs.items()},
            {k: v.source(f"{owner} outputs.{k}") for k, v in self.outputs.items()},
            how=self.how,
            seed=self.seed,
            constants=self.constants,
            units=self.units,
            script_units=self.script_units,
            start_from=None if self.start_from is None else folder / self.start_from,
            files=[folder / file for file in self.files],
            resources=self._resources(owner),
            keep=self.keep,
            version=self.version,
        )

    def _resources(self, owner: str) -> Any:
        from scalebridge.models.program import Limits
        from scalebridge.simulators.lammps import Resources

        limits = Limits(timeout=self.timeout, owner=owner)
        return Resources(program=self.program, processes=self.processes, threads=self.threads, limits=limits)
