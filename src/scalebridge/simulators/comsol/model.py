"""`Comsol`: a model of COMSOL Multiphysics, driven live through MPh."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.data.fields import CellBlock, Field, Mesh
from scalebridge.data.headers import identifier
from scalebridge.errors import InputError, did_you_mean
from scalebridge.models import Adapted, Runs, Scale, Structure
from scalebridge.models.program.process import limit
from scalebridge.models.supervisor import Outcome
from scalebridge.quantities import Floats, Space
from scalebridge.quantities.units import magnitude
from scalebridge.simulators import live
from scalebridge.simulators.comsol import session
from scalebridge.simulators.comsol.evaluation import Evaluation, Exported
from scalebridge.simulators.comsol.units import in_base_units

_LIBRARY = "mph"


@dataclass(frozen=True)
class Comsol:
    """A model of COMSOL Multiphysics, driven live through MPh (``pip install "scalebridge[comsol]"``).

    COMSOL is started once per thread, in a supervised process of its own that is used again for the next row;
    where a row takes too long that process is ended with all that it started. Parameters go in and values come
    back in base units of the SI, whatever the model shows.

    Never run against a licence by its authors: the calls follow MPh 1.4 as documented, and are compared with the
    signatures of the installed package.

    Args:
        file: the ``.mph`` file.
        inputs: parameters of the model by name: a space or a mapping such as ``{"d": ("mm", 1, 5)}``.
        outputs: space or mapping.
        results: from each output to an expression, an `Evaluation` or an `Exported`.
        study: its name; all studies where left out.
        fresh: clear meshes and solutions before each row, so that no row depends on the one before.
        cores: of the machine; all where left out.
        release: of COMSOL, as ``"6.2"``; the newest where left out.
        timeout: seconds of a row, or a text such as ``"10 min"``.
        start_timeout: seconds in which COMSOL must have started and loaded the model.
        name: for people; the file's own by default.
        version: raise it when the results change.
        scale: extent and grain.
        structure: what is known of the response.
        library: module that offers MPh's interface (`scalebridge.testing.comsol` stands in for it in tests).

    Raises:
        InputError: no such file, inputs that are no numbers, an output that nothing reads, no time, no cores.
    """

    file: str | Path
    inputs: Any
    outputs: Any
    results: Mapping[str, str | Evaluation | Exported]
    _: KW_ONLY
    study: str | None = None
    fresh: bool = True
    cores: int | None = None
    release: str | None = None
    timeout: float | str | None = None
    start_timeout: float | str | None = "5 min"
    name: str = ""
    version: str = "1"
    scale: Scale | None = None
    structure: Structure = field(default_factory=Structure)
    library: str = _LIBRARY

    def __post_init__(self) -> None:
        path = Path(self.file)
        object.__setattr__(self, "name", self.name or path.stem)
        owner = f"The COMSOL model '{self.name}'"
        if not path.is_file():
            raise InputError(f"{owner}: there is no file '{path}'; give the path of a .mph file.")
        object.__setattr__(self, "inputs", Space(self.inputs))
        object.__setattr__(self, "outputs", Space(self.outputs))
        for variable in self.inputs:
            if variable.shape != ():
                raise InputError(f"{owner}: the input '{variable.name}' is an array, and parameters are numbers.")
            in_base_units(variable.unit, f"{owner}: '{variable.name}'")
        _check_results(self, owner)
        limit(self.timeout, "s", f"{owner}: timeout")
        limit(self.start_timeout, "s", f"{owner}: start_timeout")
        if self.cores is not None and (not isinstance(self.cores, int) or self.cores < 1):
            raise InputError(f"{owner} was given cores = {self.cores!r}; give a number from 1, or None for all.")

    @property
    def batched(self) -> bool:
        """Rows are run one by one; each is kept as it ends."""
        return False

    def identity(self) -> Mapping[str, str]:
        """Name, version, digest of the model file, study, what is read, release, and the library unless it is MPh."""
        return {
            "name": f"comsol.{self.name}",
            "version": self.version,
            "source": self._source(),
            "variables": repr([(v.name, v.unit, v.shape) for v in (*self.inputs, *self.outputs)]),
            "results": repr(sorted((k, repr(v)) for k, v in self.results.items())),
            "settings": repr((self.study, self.fresh, self.release)),
        } | ({} if self.library == _LIBRARY else {"library": self.library})

    def run(self, x: Floats) -> Runs:
        """Run the rows ``x [b, d]`` one after the other.

        Raises:
            InputError: no MPh, no COMSOL, a parameter, study or dataset that the model does not have.
        """
        x = self.inputs.check(x, f"The model '{self.name}'")
        rows = [self._row(row) for row in x]
        return Runs.join(rows) if rows else Runs(np.zeros((0, self.outputs.size)))

    def fields(
        self,
        expressions: Mapping[str, str],
        *,
        at: Mapping[str, float | str],
        dataset: str | None = None,
        coordinates: Sequence[str] = ("x", "y", "z"),
    ) -> dict[str, Field]:
        """Solve for one input and evaluate expressions at the points of a dataset (last time or frequency).

        Args:
            expressions: from expression to unit, as in ``{"T": "K"}``.
            at: value of every input, a number in its unit or a text such as ``"2 mm"``.
            dataset: its name; the default one where left out.
            coordinates: expressions of the places; ``("x", "y")`` in two dimensions, ``("r", "z")`` in axial symmetry.

        Raises:
            InputError: as `run`; a run that failed.
        """
        x = np.array(
            [magnitude(at[v.name], v.unit, f"The input '{v.name}'") if v.name in at else np.nan for v in self.inputs]
        )
        if not np.isfinite(x).all() or set(at) - set(self.inputs.names):
            raise InputError(
                f"The model '{self.name}' takes {', '.join(self.inputs.names)}; 'at' gives {', '.join(at)}."
            )
        names = [*coordinates, *expressions]
        units = [in_base_units(u, f"'{e}'") for e, u in (*((c, "m") for c in coordinates), *expressions.items())]
        outcome = self._asked(session.fields, (self._wanted(), self._values(x), names, [u[2] for u in units], dataset))
        status, found = live.judged(self._key, outcome)
        if status != "ok":
            raise InputError(f"The model '{self.name}' gave no fields at {dict(at)}: {found}.")
        n = len(coordinates)
        mesh = Mesh(found[:n].T, (CellBlock("vertex", np.arange(found.shape[1])[:, None]),), "m", name=self.name)
        made = {}
        for k, (expression, unit) in enumerate(expressions.items()):
            factor, offset, _ = units[n + k]
            values = (found[n + k] - offset) / factor
            made[identifier(expression)] = Field(identifier(expression), unit, values, "points", mesh, None, expression)
        return made

    def rename(self, **names: str) -> Adapted:
        """Return the same model with variables renamed."""
        return Adapted(self, names=names)

    def fix(self, **values: str | float) -> Adapted:
        """Return the same model with inputs held constant."""
        return Adapted(self, fixed=values)

    def _row(self, x: Floats) -> Runs:
        if not np.isfinite(x).all():
            return Runs.refused(1, self.outputs.size, "failed", "the input is not finite")
        start = time.perf_counter()
        outcome = self._asked(session.run, (self._wanted(), self._values(x)))
        status, found = live.judged(self._key, outcome)
        seconds = time.perf_counter() - start
        if status != "ok":
            return Runs.refused(1, self.outputs.size, status, found, seconds)
        columns = []
        for variable in self.outputs:
            values = found[variable.name]
            if len(values) != variable.size:
                why = f"'{variable.name}' has {len(values)} values, declared are {variable.size}"
                return Runs.refused(1, self.outputs.size, "failed", why, seconds)
            factor, offset, _ = in_base_units(variable.unit, f"'{variable.name}'")
            columns.append((values - offset) / factor)
        return Runs(np.concatenate(columns)[None], cost_s=np.array([seconds]))

    def _asked(self, function: Any, arguments: tuple[Any, ...]) -> Outcome:
        wanted = self._wanted()
        return live.ask(
            self._key,
            live.Call(session.start, (wanted,), limit(self.start_timeout, "s", "start_timeout")),
            live.Call(function, arguments, limit(self.timeout, "s", "timeout")),
            session.close,
        )

    def _values(self, x: Floats) -> dict[str, str]:
        values = {}
        for variable, value in zip(self.inputs, x.tolist(), strict=True):
            factor, offset, unit = in_base_units(variable.unit, f"'{variable.name}'")
            values[variable.name] = f"{factor * value + offset!r}[{unit}]"
        return values

    @property
    def _key(self) -> str:
        return f"comsol {replace(self._wanted(), source='')!r}"

    def _source(self) -> str:
        path = Path(self.file)
        if not path.is_file():
            raise InputError(f"The COMSOL model '{self.name}': the file '{path}' is gone; put it back.")
        state = path.stat()
        return _digest(path.resolve(), state.st_mtime_ns, state.st_size, state.st_ino)

    def _wanted(self) -> session.Wanted:
        return session.Wanted(
            self.library,
            str(Path(self.file).resolve()),
            self._source(),
            self.study,
            self.cores,
            self.release,
            self.fresh,
            self.inputs.names,
            tuple((v.name, _result(self.results[v.name]), in_base_units(v.unit, "")[2]) for v in self.outputs),
        )


def stop() -> int:
    """Stop COMSOL where this thread keeps it running, and let its licence go; return how many there were."""
    return live.stop("comsol ")


@lru_cache(maxsize=64)
def _digest(path: Path, modified: int, size: int, inode: int) -> str:
    """Digest of a file, computed once for each state of it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _result(result: str | Evaluation | Exported) -> Evaluation | Exported:
    return Evaluation(result) if isinstance(result, str) else result


def _check_results(model: Comsol, owner: str) -> None:
    for name, result in model.results.items():
        if name not in model.outputs.names:
            raise InputError(f"{owner} reads '{name}', which is no output{did_you_mean(name, model.outputs.names)}")
        if not isinstance(result, str | Evaluation | Exported):
            raise InputError(f"{owner} is to read '{name}' by {result!r}; give an expression, Evaluation or Exported.")
    for name in model.outputs.names:
        if name not in model.results:
            raise InputError(f"{owner} declares the output '{name}' and no result reads it; add it to results.")
        in_base_units(model.outputs[name].unit, f"{owner}: '{name}'")
