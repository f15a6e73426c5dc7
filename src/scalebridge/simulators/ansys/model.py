"""`Mapdl`: Mechanical APDL driven live through PyMAPDL."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.data.fields import Field
from scalebridge.errors import InputError, did_you_mean
from scalebridge.models import Adapted, Runs, Scale, Structure
from scalebridge.models.program.process import limit
from scalebridge.quantities import Floats, Space
from scalebridge.quantities.units import magnitude
from scalebridge.simulators import live
from scalebridge.simulators.ansys import session
from scalebridge.simulators.ansys.executable import executable
from scalebridge.simulators.ansys.readings import Nodal, Reading, Scalar, Value
from scalebridge.simulators.ansys.results import read_results
from scalebridge.simulators.ansys.script import check_inputs, file_of

# APDL cuts names at 32 characters.
_LONGEST_NAME = 32
_LIBRARY = "ansys.mapdl.core"


@dataclass(frozen=True)
class Mapdl:
    """Mechanical APDL driven live through PyMAPDL (``pip install "scalebridge[ansys]"``).

    The program is started once per thread, in a supervised process of its own that is used again for the next row;
    a row that takes too long ends that process and all that it started. Each row clears the database, sets the
    inputs as parameters and runs the script. APDL has no units: an input arrives as the number in its declared unit,
    and an output is taken for one in its own.

    Never run against a licence by its authors: the calls follow PyMAPDL as documented, and are compared with the
    signatures of the package.

    Args:
        script: APDL input, a file or a text (with a line break); it uses the inputs as parameters of their names.
        inputs: a space or a mapping such as ``{"thick": ("mm", 1, 5)}``.
        outputs: space or mapping.
        results: from each output to `Value` (of *GET), `Scalar` (a parameter that the script sets) or `Nodal`.
        exec_file: the program; found in its usual places where left out.
        cores: of the machine; as the program likes where left out.
        timeout: seconds of a row, or a text such as ``"10 min"``.
        start_timeout: seconds in which it must have started.
        name: for people.
        version: raise it when the results change, as by a new release.
        scale: extent and grain.
        structure: what is known of the response.
        library: module that offers PyMAPDL's interface (`scalebridge.testing.ansys` stands in for it in tests).

    Raises:
        InputError: no such file, inputs that are no numbers or no names of APDL, a script that takes its inputs away
            (/CLEAR, or a number of its own), an output that nothing reads, no time, no cores.
    """

    script: str | Path
    inputs: Any
    outputs: Any
    results: Mapping[str, Reading]
    _: KW_ONLY
    exec_file: str | Path | None = None
    cores: int | None = None
    timeout: float | str | None = None
    start_timeout: float | str = "2 min"
    name: str = ""
    version: str = "1"
    scale: Scale | None = None
    structure: Structure = field(default_factory=Structure)
    library: str = _LIBRARY

    def __post_init__(self) -> None:
        file = file_of(self.script)
        object.__setattr__(self, "script", file or self.script)
        object.__setattr__(self, "name", self.name or (file.stem if file else "mapdl"))
        owner = f"The ANSYS model '{self.name}'"
        if file and not file.is_file():
            raise InputError(f"{owner}: there is no file '{self.script}'; give an APDL input file, or its text.")
        object.__setattr__(self, "inputs", Space(self.inputs))
        object.__setattr__(self, "outputs", Space(self.outputs))
        for variable in self.inputs:
            if variable.shape != () or len(variable.name) > _LONGEST_NAME or variable.name.startswith("_"):
                raise InputError(
                    f"{owner}: the input '{variable.name}' is no parameter of APDL, which is one number with a name of "
                    "at most 32 letters, digits and '_' that starts with a letter."
                )
        _check_results(self, owner)
        limit(self.timeout, "s", f"{owner}: timeout")
        if limit(self.start_timeout, "s", f"{owner}: start_timeout") is None:
            raise InputError(f"{owner} was given start_timeout = {self.start_timeout!r}; give seconds, or '2 min'.")
        if self.cores is not None and (not isinstance(self.cores, int) or self.cores < 1):
            raise InputError(f"{owner} was given cores = {self.cores!r}; give a number from 1, or None.")
        check_inputs(self.text, self.inputs.names, owner)

    @property
    def batched(self) -> bool:
        """Rows are run one by one; each is kept as it ends."""
        return False

    @property
    def text(self) -> str:
        """The APDL input."""
        if isinstance(self.script, Path):
            return self.script.read_text(encoding="utf-8", errors="replace")
        return self.script

    def identity(self) -> Mapping[str, str]:
        """Name, version, digest of the script, what is read, and the library unless it is PyMAPDL."""
        return {
            "name": f"ansys.{self.name}",
            "version": self.version,
            "source": hashlib.sha256(self.text.encode()).hexdigest()[:16],
            "variables": repr([(v.name, v.unit, v.shape) for v in (*self.inputs, *self.outputs)]),
            "results": repr(sorted((k, repr(v)) for k, v in self.results.items())),
        } | ({} if self.library == _LIBRARY else {"library": self.library})

    def run(self, x: Floats) -> Runs:
        """Run the rows ``x [b, d]`` one after the other.

        Raises:
            InputError: no PyMAPDL, no Mechanical APDL, a nodal result that there is not.
        """
        x = self.inputs.check(x, f"The model '{self.name}'")
        rows = [self._row(row) for row in x]
        return Runs.join(rows) if rows else Runs(np.zeros((0, self.outputs.size)))

    def fields(
        self,
        *,
        at: Mapping[str, float | str],
        names: Sequence[str] | None = None,
        units: Mapping[str, str] | None = None,
        length: str | None = None,
    ) -> dict[str, Field]:
        """Run for one input and read the last set of the result file; see `Results.fields`.

        Args:
            at: value of every input, a number in its unit or a text such as ``"2 mm"``.
            names, units: as of `Results.fields`.
            length: as of `read_results`.

        Raises:
            InputError: as `run`; a run that failed.
        """
        if set(at) != set(self.inputs.names):
            raise InputError(
                f"The model '{self.name}' takes {', '.join(self.inputs.names)}; 'at' gives {', '.join(at)}."
            )
        x = np.array([magnitude(at[v.name], v.unit, f"The input '{v.name}'") for v in self.inputs])
        status, found = self._asked(session.result_file, x)
        if status != "ok":
            raise InputError(f"The model '{self.name}' gave no fields at {dict(at)}: {found}.")
        return read_results(found, length=length).fields(names=names, units=units)

    def rename(self, **names: str) -> Adapted:
        """Return the same model with variables renamed."""
        return Adapted(self, names=names)

    def fix(self, **values: str | float) -> Adapted:
        """Return the same model with inputs held constant."""
        return Adapted(self, fixed=values)

    def _row(self, x: Floats) -> Runs:
        m = self.outputs.size
        if not np.isfinite(x).all():
            return Runs.refused(1, m, "failed", "the input is not finite")
        start = time.perf_counter()
        status, found = self._asked(session.run, x)
        seconds = time.perf_counter() - start
        if status != "ok":
            return Runs.refused(1, m, status, found, seconds)
        for variable in self.outputs:
            n = len(found[variable.name])
            if n != variable.size:
                why = f"'{variable.name}' has {n} values, declared are {variable.size}"
                return Runs.refused(1, m, "failed", why, seconds)
        values = np.concatenate([found[v.name] for v in self.outputs])
        return Runs(values[None], cost_s=np.array([seconds]))

    def _asked(self, function: Any, x: Floats) -> tuple[str, Any]:
        start_timeout = magnitude(self.start_timeout, "s", "start_timeout")
        wanted = session.Wanted(
            self.library,
            executable(self.exec_file),
            self.cores,
            max(int(start_timeout), 1),
            self.text,
            tuple((v.name, self.results[v.name]) for v in self.outputs),
        )
        values = dict(zip(self.inputs.names, x.tolist(), strict=True))
        key = f"ansys {wanted!r}"
        outcome = live.ask(
            key,
            # The program's own limit comes first: it says more.
            live.Call(session.start, (wanted,), start_timeout + 30),
            live.Call(function, (wanted, values), limit(self.timeout, "s", "timeout")),
            session.close,
        )
        return live.judged(key, outcome)


def stop() -> int:
    """Stop Mechanical APDL where this thread keeps it running, and let its licence go; return how many there were."""
    return live.stop("ansys ")


def _check_results(model: Mapdl, owner: str) -> None:
    for name, result in model.results.items():
        if name not in model.outputs.names:
            raise InputError(f"{owner} reads '{name}', which is no output{did_you_mean(name, model.outputs.names)}")
        if not isinstance(result, Value | Scalar | Nodal):
            raise InputError(f"{owner} is to read '{name}' by {result!r}; give Value, Scalar or Nodal.")
    for name in model.outputs.names:
        if name not in model.results:
            raise InputError(f"{owner} declares the output '{name}' and no result reads it; add it to results.")
