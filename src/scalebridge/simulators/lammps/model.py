"""A LAMMPS input script as a model."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.errors import InputError, did_you_mean
from scalebridge.models import Adapted, Model, Runs, Scale, Structure
from scalebridge.models.function import source_digest
from scalebridge.models.program import working_folder
from scalebridge.models.program.folders import check_keep
from scalebridge.models.program.process import limit
from scalebridge.models.supervisor import SupervisedProcess
from scalebridge.quantities import Floats, Space, Variable
from scalebridge.simulators.lammps.library import version_of_module, version_of_program
from scalebridge.simulators.lammps.measured import Measured, as_runs
from scalebridge.simulators.lammps.run_logs import LOG, echoed
from scalebridge.simulators.lammps.running import Ran, Resources, lay_out, run_as_program, run_in_process
from scalebridge.simulators.lammps.script import digests, named_files, read_script
from scalebridge.simulators.lammps.sources import FromFolder, Live, NotFoundInRun, Source
from scalebridge.simulators.lammps.unit_styles import UNIT_STYLES
from scalebridge.simulators.lammps.units import Converted, converted

WAYS = ("process", "in process")
START_FROM = "start_from"
# The largest seed that all of LAMMPS' random number generators take.
_SEEDS = 899_999_999


class Lammps:
    """A model from a LAMMPS input script.

    ::

        melt = sb.simulators.lammps.Lammps(
            "in.melt",
            inputs={"T": ("K", 80, 150)},  # the script uses ${T}
            outputs={"pressure": Thermo("Press", unit="MPa")},
            seed="seed",  # and ${seed}, another in every replicate
        )
        melt.run([[94.4]])

    Every input is given to the script as the variable of its name (a component of an array as ``name_1``, ...), a
    number in the unit that the script's ``units`` mean; files beside the script that its commands name come along.

    Args:
        script: path of an input script, or its text on several lines.
        inputs: `Space` or mapping; names are those of the script's variables.
        outputs: name -> where it is found: `Thermo`, `Printed`, `Formula`, `GreenKubo`, `FromFolder`, `Live`.
        how: ``"process"``: the program ``lmp``; ``"in process"``: the Python module, in a supervised process.
        seed: the variable that takes the seed of a replicate; ``None`` for a script without chance.
        units: the style of units, where the script takes it from a variable or a restart file.
        script_units: input -> what one in the script means, where ``units`` does not say it: a unit, or a quantity
            such as ``"119.8 K"`` for reduced numbers.
        constants: further variables of the script and what they are set to.
        files: further files that the script reads.
        start_from: a restart or data file to begin with; the script finds its name in ``${start_from}``.
        timeout: for one run: seconds, or a text such as ``"10 min"``.
        resources: program, MPI processes, threads, further limits.
        folder: where working folders are made; the system's folder for temporary files by default.
        keep: which working folders stay: ``"never"``, ``"failed"``, ``"always"``.
        version: raised when the results change for a reason that script and files do not show.
        scale: extent and grain.
        structure: what is known of the response.
        finer: the same model at a finer discretisation, where there is one.
        name: for people; the script's name by default.

    Raises:
        InputError: no such script or file, a variable that the script does not take, outputs that are no sources, a
            ``timeout`` or ``keep`` that is none.
        UnitError: units that do not convert.
    """

    def __init__(
        self,
        script: str | Path,
        inputs: Any,
        outputs: Mapping[str, Source],
        *,
        how: str = "process",
        seed: str | None = None,
        units: str | None = None,
        script_units: Mapping[str, str] | None = None,
        constants: Mapping[str, str | float] | None = None,
        files: Sequence[str | Path] = (),
        start_from: str | Path | None = None,
        timeout: float | str | None = None,
        resources: Resources | None = None,
        folder: str | Path | None = None,
        keep: str = "never",
        version: str = "1",
        scale: Scale | None = None,
        structure: Structure | None = None,
        finer: Model | None = None,
        name: str | None = None,
    ) -> None:
        given = named_files([*files, *([] if start_from is None else [start_from])])
        self.script = read_script(script, given)
        self.name = name or self.script.name
        self.inputs = Space(inputs)
        self.outputs = _output_space(outputs, how, self.name)
        self.sources = dict(outputs)
        self.how = how
        self.seed = seed
        self.units = units or self.script.units
        self.constants = {name: _constant(name, value) for name, value in (constants or {}).items()}
        self.start_from = None if start_from is None else Path(start_from)
        self.resources = _with_timeout(resources or Resources(), timeout, f"The model '{self.name}'")
        self.folder, self.keep = folder, keep
        self.version, self.scale, self.structure, self.finer = version, scale, structure or Structure(), finer
        self.files = {**self.script.files(self.constants), **given}
        self._to_script, self._from_script = self._conversions(script_units or {})
        self._check(script_units or {})

    def __repr__(self) -> str:
        return f"Lammps('{self.name}': {', '.join(self.inputs.names)} -> {', '.join(self.outputs.names)})"

    @property
    def stochastic(self) -> bool:
        """Whether it takes a seed per row."""
        return self.seed is not None

    @property
    def batched(self) -> bool:
        """Every row is a run of its own, also where several share a process: a campaign keeps each as it ends."""
        return False

    @property
    def functions(self) -> tuple[Any, ...]:
        """What reads the results, classes and functions: the files that these are from travel with the model."""
        own = [source.function for source in self.sources.values() if isinstance(source, FromFolder | Live)]
        return (*own, *(type(part) for part in (*own, *self.sources.values())))

    def identity(self) -> Mapping[str, str]:
        """Name, version, that of LAMMPS, and digests of the script, of the files it reads and of the settings."""
        settings = {
            "units": self.units,
            "seed": self.seed,
            "constants": self.constants,
            "conversions": repr((self._to_script, self._from_script)),
            "outputs": {name: _described(source) for name, source in self.sources.items()},
            "start_from": None if self.start_from is None else self.start_from.name,
            "shared by": [self.resources.processes, self.resources.threads, *self.resources.arguments],
        }
        text = json.dumps(settings, sort_keys=True)
        read = {**self.files, **self.script.files_elsewhere(self.constants)}
        return {
            "name": f"lammps.{self.name}",
            "version": self.version,
            "script": hashlib.sha256(self.script.text.encode()).hexdigest()[:16],
            "settings": hashlib.sha256(text.encode()).hexdigest()[:16],
            "lammps": self._lammps_version(),
            **{f"file {name}": digest for name, digest in digests(read).items()},
        }

    def _lammps_version(self) -> str:
        if self.how == "process":
            return version_of_program(self.resources.program)
        return version_of_module(self.resources.module)

    def rename(self, **names: str) -> Adapted:
        """Return the same model with variables renamed."""
        return Adapted(self, names=names)

    def fix(self, **values: str | float) -> Adapted:
        """Return the same model with inputs held constant."""
        return Adapted(self, fixed=values)

    def run(self, x: Floats, seeds: Sequence[int] | None = None) -> Runs:
        """Run ``x [b, d]`` one after another; ``seeds`` one per row where the model takes them.

        Raises:
            InputError: LAMMPS is missing, or ``x`` does not fit the inputs.
        """
        sources = self.sources.values()
        return as_runs(
            self.measure(x, seeds),
            self.outputs.names,
            noise=any(source.has_noise for source in sources),
            error=any(source.has_error for source in sources),
        )

    def variables(self, row: Floats, seed: int) -> dict[str, str]:
        """Return what the script's variables are set to for one row ``[d]`` of inputs."""
        found = dict(self.constants)
        unpacked = self.inputs.unpack(np.asarray(row, dtype=np.float64)[None])
        for variable in self.inputs:
            numbers = np.ravel(unpacked[variable.name])
            line = self._to_script[variable.name]
            for script_name, number in zip(_script_names(variable), numbers, strict=True):
                found[script_name] = _spelled(line.to_script(float(number)))
        if self.seed is not None:
            found[self.seed] = str(1 + seed % _SEEDS)
        if self.start_from is not None:
            found[START_FROM] = self.start_from.name
        return found

    def measure(self, x: Floats, seeds: Sequence[int] | None = None) -> list[Measured]:
        """Run ``x [b, d]`` as `run` does and return every output of each row with its deviations by parts."""
        x = self.inputs.check(x, f"The model '{self.name}'")
        chosen = tuple(seeds) if seeds is not None else tuple(range(len(x)))
        with self._child() as child:
            return [self._measured(row, seed, child) for row, seed in zip(x, chosen, strict=True)]

    def _measured(self, row: Floats, seed: int, child: _Child) -> Measured:
        if not np.isfinite(row).all():
            return Measured("failed", "the input is not finite")
        with working_folder(self.folder, self.keep, name="lammps") as folder:
            lay_out(folder.path, self.script, self.files, self.variables(row, seed))
            result = self._read(self._ran(folder.path, child))
            if result.status != "ok":
                folder.failed()
                if self.keep != "never":
                    result = replace(result, reason=f"{result.reason} (see '{folder.kept}')")
        return result

    def _ran(self, folder: Path, child: _Child) -> Ran:
        formulas = tuple(dict.fromkeys(text for source in self.sources.values() for text in source.formulas))
        if self.how == "process":
            return run_as_program(folder, self.script, formulas, self.resources)
        taking = {name: source.function for name, source in self.sources.items() if isinstance(source, Live)}
        return run_in_process(folder, self.script, formulas, taking, self.resources, child.process())

    def _read(self, ran: Ran) -> Measured:
        if ran.finished is None:
            return Measured(ran.status, ran.reason, ran.seconds)
        finished, readings = replace(ran.finished, units=self.units), {}
        log = echoed(finished.folder / LOG)
        if log.stopped:
            reason = "LAMMPS stopped a run at the time limit that the script sets by 'timer timeout'; give it more time"
            return Measured("timeout", reason, ran.seconds)
        if log.units not in (None, self.units):
            reason = f"the script ran in units {log.units}, and '{self.name}' was made for units {self.units}"
            return Measured("failed", f"{reason}; say units='{log.units}'", ran.seconds)
        for name, source in self.sources.items():
            try:
                found = source.read(finished, name)
            except NotFoundInRun as error:
                return Measured("failed", f"the output '{name}' is not there: {error}", ran.seconds)
            if not np.isfinite([found.value, found.noise_std, found.error_std]).all():
                return Measured("failed", f"the output '{name}' is {found.value:g}", ran.seconds)
            readings[name] = self._from_script[name].reading(found)
        return Measured("ok", "", ran.seconds, readings)

    @contextlib.contextmanager
    def _child(self) -> Iterator[_Child]:
        child = _Child()
        try:
            yield child
        finally:
            child.close()

    def _conversions(self, given: Mapping[str, str]) -> tuple[dict[str, Converted], dict[str, Converted]]:
        if self.units not in UNIT_STYLES:
            raise InputError(f"The model '{self.name}' has units '{self.units}'{did_you_mean(self.units, UNIT_STYLES)}")
        to_script = {
            v.name: converted(v.unit, self.units, given.get(v.name), f"The input '{v.name}' of '{self.name}'")
            for v in self.inputs
        }
        from_script = {
            name: converted(
                source.unit, self.units, source.counted_in(self.units), f"The output '{name}' of '{self.name}'"
            )
            for name, source in self.sources.items()
        }
        return to_script, from_script

    def _check(self, script_units: Mapping[str, str]) -> None:
        if self.how not in WAYS:
            raise InputError(f"The model '{self.name}' is to run how='{self.how}'{did_you_mean(self.how, WAYS)}")
        check_keep(self.keep, f"The model '{self.name}'")
        for name in script_units:
            if name not in self.inputs.names:
                raise InputError(f"script_units of '{self.name}' has '{name}'{did_you_mean(name, self.inputs.names)}")
        if self.how == "in process" and self.resources.processes > 1:
            raise InputError(
                f"The model '{self.name}' asks for {self.resources.processes} processes in process; the Python module "
                'runs on one, so take how="process", or threads.'
            )
        names = [script_name for variable in self.inputs for script_name in _script_names(variable)]
        for name in [
            *names,
            *self.constants,
            *([self.seed] if self.seed else []),
            *([START_FROM] if self.start_from else []),
        ]:
            self.script.check_variable(name)


class _Child:
    """The supervised process of one batch: started when first needed, and anew where a run has cost it."""

    def __init__(self) -> None:
        self._process: SupervisedProcess | None = None

    def process(self) -> SupervisedProcess:
        """Return a living one."""
        if self._process is None or not self._process.alive:
            self.close()
            self._process = SupervisedProcess({"OMP_NUM_THREADS": "1"})
        return self._process

    def close(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.close()


def _output_space(outputs: Mapping[str, Source], how: str, owner: str) -> Space:
    if not isinstance(outputs, Mapping) or not outputs:
        raise InputError(
            f"The model '{owner}' has no outputs; give a mapping such as {{'pressure': Thermo('Press', unit='MPa')}}."
        )
    for name, source in outputs.items():
        if not isinstance(source, Source):
            raise InputError(
                f"The output '{name}' of '{owner}' is a {type(source).__name__}; say where it is found with Thermo, "
                "Printed, Formula, GreenKubo, FromFolder or Live of scalebridge.simulators.lammps."
            )
        if isinstance(source, Live) and how != "in process":
            raise InputError(
                f"The output '{name}' of '{owner}' is taken from the live LAMMPS, which a program does not show; "
                'take how="in process".'
            )
    return Space([Variable(n, s.unit, bounds=s.bounds, description=s.description) for n, s in outputs.items()])


def _script_names(variable: Variable) -> list[str]:
    if variable.shape == ():
        return [variable.name]
    return [f"{variable.name}_{i + 1}" for i in range(variable.size)]


def _constant(name: str, value: str | float) -> str:
    spelled = value if isinstance(value, str) else _spelled(float(value))
    if not spelled or set(spelled) & set("\"'$&#\n\r\0"):
        raise InputError(
            f"The constant '{name}' is {value!r}; LAMMPS takes a number or a word without quotes, $, & or #."
        )
    return spelled


def _spelled(number: float) -> str:
    # A command that takes a whole number refuses "256.0".
    return str(int(number)) if number == int(number) and abs(number) < 2**53 else repr(number)


def _with_timeout(resources: Resources, timeout: float | str | None, owner: str) -> Resources:
    if timeout is None:
        return resources
    return replace(resources, limits=replace(resources.limits, timeout=limit(timeout, "s", f"{owner}: timeout")))


def _described(source: Source) -> list[str]:
    values = [(f.name, getattr(source, f.name)) for f in fields(source) if f.name != "description"]
    return [type(source).__name__, *(f"{n}={source_digest(v) if callable(v) else v!r}" for n, v in values)]
