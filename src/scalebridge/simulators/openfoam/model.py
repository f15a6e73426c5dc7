"""An OpenFOAM case as a model: parameters in, results of the finished case out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.errors import InputError, ScaleBridgeError, did_you_mean
from scalebridge.models import Runs, Scale, Structure
from scalebridge.models.adapt import Adapted
from scalebridge.models.program import working_folder
from scalebridge.models.program.folders import check_keep
from scalebridge.models.program.sources import digest
from scalebridge.quantities import Floats, Space
from scalebridge.simulators.openfoam.case import Case
from scalebridge.simulators.openfoam.installation import release

Reader = Callable[[Path], Any]


@dataclass(frozen=True, eq=False)
class OpenFoam:
    """A case whose entries are inputs and whose results are outputs; a `Model`, as micro or anywhere else.

    ::

        OpenFoam(
            Case("cylinder"),
            inputs={"viscosity": ("m^2/s", 1e-6, 1e-3)},
            places={"viscosity": "constant/transportProperties:nu"},
            outputs={"drag": "N"},
            results={"drag": lambda case: read_forces(case)["total_force"][-1, 0]},
        )

    Every run is a copy of the case in a folder of its own, which is removed afterwards. A run whose mesh, solver or
    reader fails, that diverges, does not converge or takes too long is a row with that status and its reason.

    Args:
        case: the case.
        inputs: space or a mapping such as ``{"speed": ("mm/s", 1, 10)}``, in any units: they are written in SI.
        outputs: space or mapping.
        places: input -> place or places where it stands: ``"file:entry/entry"``, with ``[0]`` for one component.
        results: output -> function from the folder of the finished case to its value, in the output's unit; or one
            function to all of them by name.
        name: for people.
        version: raised when the results change in a way that neither the case nor the readers show.
        scale: extent and grain.
        structure: what is known of the response.
        keep: which working folders stay: ``never``, ``failed`` or ``always``.
        folder: where they are made; the system's folder for temporary files by default.

    Raises:
        InputError: an input without a place, a place given twice, an output without a reader, an unknown ``keep``.
    """

    case: Case
    inputs: Any
    outputs: Any
    places: Mapping[str, str | Sequence[str]]
    results: Mapping[str, Reader] | Reader
    name: str = "openfoam"
    version: str = "1"
    scale: Scale | None = None
    structure: Structure = field(default_factory=Structure)
    keep: str = "never"
    folder: str | Path | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", Space(self.inputs))
        object.__setattr__(self, "outputs", Space(self.outputs))
        _matched(self.inputs.names, self.places, "input", "place")
        for place in self._flat:
            self.case.check_place(place)
            if self._flat.count(place) > 1:
                raise InputError(f"The place '{place}' of the OpenFOAM model is given twice, and takes one value only.")
        if isinstance(self.results, Mapping):
            _matched(self.outputs.names, self.results, "output", "reader")
        check_keep(self.keep, "The OpenFOAM model")

    @property
    def functions(self) -> tuple[Reader, ...]:
        """What reads the results: the files that these are from travel with the model."""
        return tuple(self.results.values()) if isinstance(self.results, Mapping) else (self.results,)

    @property
    def batched(self) -> bool:
        """Rows are run one by one; each is kept as it ends."""
        return False

    def identity(self) -> Mapping[str, str]:
        """Variables, the release of OpenFOAM, and digests of the case, of where the inputs go, and of the readers."""
        results = dict(self.results) if isinstance(self.results, Mapping) else {"": self.results}
        return {
            "name": f"openfoam.{self.name}",
            "version": self.version,
            "openfoam": release(),
            "variables": repr([(v.name, v.unit, v.shape) for v in (*self.inputs, *self.outputs)]),
            "case": self.case.digest(),
            "places": str(sorted((name, str(place)) for name, place in self.places.items())),
            "results": str({name: digest(reader) for name, reader in sorted(results.items())}),
        }

    def run(self, x: Floats) -> Runs:
        """Run the case for every row of ``x [b, d]``.

        Raises:
            InputError: OpenFOAM is not installed, or the case has no such place.
        """
        x = self.inputs.check(x, f"The model '{self.name}'")
        rows = [self._row(row) for row in x]
        return Runs.join(rows) if rows else Runs(np.zeros((0, self.outputs.size)))

    def rename(self, **names: str) -> Adapted:
        """Return the same model with variables renamed."""
        return Adapted(self, names=names)

    def fix(self, **values: str | float) -> Adapted:
        """Return the same model with inputs held constant."""
        return Adapted(self, fixed=values)

    @property
    def _flat(self) -> list[str]:
        return [place for places in self.places.values() for place in _several(places)]

    def _row(self, row: Floats) -> Runs:
        start = time.perf_counter()
        if not np.isfinite(row).all():
            return Runs.refused(1, self.outputs.size, "failed", "the input is not finite")
        with working_folder(self.folder, self.keep, self.name) as folder:
            self.case.prepare(folder.path, self._values(row))
            run = self.case.run(folder.path)
            values, reason = self._read(folder.path) if run.ok else (None, run.reason)
            seconds = time.perf_counter() - start
            if values is None:
                folder.failed()
                status = "failed" if run.ok else run.status
                return Runs.refused(1, self.outputs.size, status, reason, seconds)
        return Runs(values[None], cost_s=np.array([seconds]))

    def _values(self, row: Floats) -> dict[str, tuple[Any, str | None]]:
        """Place -> value and unit."""
        by_name = self.inputs.unpack(row[None])
        return {
            place: (by_name[variable.name][0], variable.unit)
            for variable in self.inputs
            for place in _several(self.places[variable.name])
        }

    def _read(self, folder: Path) -> tuple[Floats | None, str]:
        try:
            if isinstance(self.results, Mapping):
                found = {name: self.results[name](folder) for name in self.outputs.names}
            else:
                found = dict(self.results(folder))
            missing = [name for name in self.outputs.names if name not in found]
            if missing:
                return None, f"the results hold no '{missing[0]}'{did_you_mean(missing[0], found)}"
            columns = {name: np.asarray(found[name], dtype=np.float64)[None] for name in self.outputs.names}
            return self.outputs.pack(columns)[0], ""
        except Exception as error:
            kind = "" if isinstance(error, ScaleBridgeError) else f"{type(error).__name__}: "
            # The working folder is another one in every run, and gone.
            said = str(error).replace(f"{folder}/", "").replace(str(folder), self.name)
            return None, f"the results were not read: {kind}{said}"


def _several(places: str | Sequence[str]) -> tuple[str, ...]:
    return (places,) if isinstance(places, str) else tuple(places)


def _matched(names: Sequence[str], given: Mapping[str, Any], what: str, needed: str) -> None:
    for name in names:
        if name not in given:
            raise InputError(f"The {what} '{name}' of the OpenFOAM model has no {needed}{did_you_mean(name, given)}")
    for name in given:
        if name not in names:
            raise InputError(f"The {needed} '{name}' of the OpenFOAM model is of no {what}{did_you_mean(name, names)}")
