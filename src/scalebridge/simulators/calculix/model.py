"""A deck with placeholders, run by CalculiX, as a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.data.fields.field import Field
from scalebridge.errors import InputError
from scalebridge.models import Adapted, Runs, Scale, Structure
from scalebridge.models.program import NoValue, Program
from scalebridge.models.program.results import described
from scalebridge.quantities import Floats, Space
from scalebridge.quantities.units import magnitude
from scalebridge.simulators.calculix.deck import WIDTH
from scalebridge.simulators.calculix.included import check_included
from scalebridge.simulators.calculix.results import moved_away, only
from scalebridge.simulators.calculix.running import Ccx, reached, reported, unfinished, uninterpreted

_LOG, _END = "ccx.log", 4096
# CalculiX ends with 201 where it reports an error, and with 0 after some errors as well.
_EXITS = (0, 1, 201)


@dataclass(frozen=True)
class CalculiX:
    """A CalculiX deck as a `Model`: placeholders are filled in, ``ccx`` runs, its results are read.

    Args:
        deck: an ``.inp`` file with placeholders such as ``{{ E [MPa] }}``; a folder, or a mapping from names to texts
            and paths, that holds one deck and the files it includes (``job`` says which where there are several).
        inputs: space of the inputs, or a mapping such as ``{"E": ("Pa", 1e9, 4e9)}``.
        outputs: the same for the outputs.
        results: from each output to `Printed`, `Nodal`, a parser of `scalebridge.models.program`, or a function of the
            folder.
        job: name of the deck to run, without ``.inp``; the only one if None.
        skipped: names of cards that CalculiX may leave out because it does not know them, as ``("*PREPRINT",)``; any
            other is a failed row.
        program: name or path of the solver.
        threads: that each run may use.
        timeout: of a run: seconds, or a text such as ``"10 min"``.
        memory: bytes of the process, or a text such as ``"4 GB"``.
        folder: where working folders are made; the system's folder for temporary files by default.
        keep: working folders that stay: ``never``, ``failed`` or ``always``.
        name: for people; the deck's by default.
        version: raise it when the results change for a reason that neither deck nor release of CalculiX tells.
        scale: extent and grain.
        structure: what is known of the response.

    Raises:
        InputError: no deck or several, a file that does not come with it, unknown placeholders, inputs that none uses;
            a missing program, when it runs.

    An error that CalculiX reports, an analysis that did not converge or did not reach its end, and a value that is not
    there are rows with the status ``failed`` and CalculiX's own words.
    """

    deck: Any
    inputs: Any
    outputs: Any
    results: Mapping[str, Any]
    _: KW_ONLY
    job: str | None = None
    skipped: Sequence[str] = ()
    program: str = "ccx"
    threads: int = 1
    timeout: float | str | None = None
    memory: float | str | None = None
    folder: str | Path | None = None
    keep: str = "never"
    name: str = ""
    version: str = "1"
    scale: Scale | None = None
    structure: Structure = field(default_factory=Structure)
    runner: Program = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        job = self.job or _only_deck(self.deck)
        if not job.replace("_", "").replace("-", "").replace(".", "").isalnum() or job.startswith("-"):
            raise InputError(f"The deck is called '{job}.inp'; give it a name of letters, digits, '_' and '-'.")
        if isinstance(self.skipped, str):
            raise InputError(f"skipped = '{self.skipped}' is one text; give a list, as in ['{self.skipped}'].")
        check_included(self.deck)
        ccx = Ccx(self.program, self.threads)
        object.__setattr__(self, "name", self.name or job)
        object.__setattr__(self, "inputs", Space(self.inputs))
        object.__setattr__(self, "outputs", Space(self.outputs))
        runner = Program(
            [self.program, "-i", job],
            self.inputs,
            self.outputs,
            {name: _Finished(job, reading, tuple(self.skipped)) for name, reading in self.results.items()},
            template=self.deck,
            width=WIDTH,
            stdout=_LOG,
            exit_codes=_EXITS,
            environment=ccx.environment,
            timeout=self.timeout,
            memory=self.memory,
            folder=self.folder,
            keep=self.keep,
            name=self.name,
            version=self.version,
            scale=self.scale,
            structure=self.structure,
        )
        object.__setattr__(self, "runner", runner)

    @property
    def stochastic(self) -> bool:
        """Whether the deck asks for ``{{ seed }}``."""
        return self.runner.stochastic

    @property
    def batched(self) -> bool:
        """Rows are run one by one; a campaign runs them side by side."""
        return False

    @property
    def functions(self) -> tuple[Callable[..., Any], ...]:
        """Functions among the results."""
        return self.runner.functions

    def identity(self) -> Mapping[str, str]:
        """What the result depends on beside the inputs: deck, results, version, and the release of CalculiX."""
        release = Ccx(self.program).release
        return {**self.runner.identity(), "name": f"calculix.{self.name}", "calculix": release}

    def run(self, x: Floats, seeds: tuple[int, ...] | None = None) -> Runs:
        """Run the rows ``x [b, d]`` one after the other."""
        _ = Ccx(self.program).path
        return self.runner.run(x, seeds)

    def fields(self, *, at: Mapping[str, Any], system: str | None = None) -> dict[str, Field]:
        """Run for one input and return the nodal fields of the last step by their names in CalculiX.

        Args:
            at: value of every input, a number in its unit or a text such as ``"210 GPa"``; an array of its shape where
                it is no single number.
            system: units of the deck, as of `read_frd`.

        Raises:
            InputError: as `run`; other names than those of the inputs; a run that failed, with its reason.
        """
        if set(at) != set(self.inputs.names):
            raise InputError(
                f"The model '{self.name}' takes {', '.join(self.inputs.names)}; 'at' gives {', '.join(map(str, at))}."
            )
        values = {
            v.name: [at[v.name] if v.shape else magnitude(at[v.name], v.unit, f"The input '{v.name}'")]
            for v in self.inputs
        }
        x = self.inputs.pack(values, f"The model '{self.name}'")
        found: dict[str, Field] = {}

        def kept(folder: Path) -> Mapping[str, Any]:
            from scalebridge.simulators.calculix.frd import read_frd

            _check_finished(folder, self.job or _only_deck(self.deck), self.skipped)
            found.update(read_frd(only(folder, "frd"), system).last)
            return {variable.name: np.zeros(variable.shape) for variable in self.outputs}

        _ = Ccx(self.program).path
        runs = replace(self.runner, results=kept).run(x)
        if not runs.ok[0]:
            raise InputError(f"The model '{self.name}' gave no fields at {dict(at)}: {runs.reason[0].rstrip('.')}.")
        return found

    def rename(self, **names: str) -> Adapted:
        """Return the same model with variables renamed."""
        return Adapted(self, names=names)

    def fix(self, **values: str | float) -> Adapted:
        """Return the same model with inputs held constant."""
        return Adapted(self, fixed=values)


@dataclass(frozen=True, repr=False)
class _Finished:
    """A reading that first asks whether CalculiX finished its job."""

    job: str
    reading: Any
    skipped: tuple[str, ...] = ()

    def __repr__(self) -> str:
        # It tells models apart: of a function the source counts, not its place in memory.
        skipped = f", skipped {sorted(self.skipped)}" if self.skipped else ""
        return f"Finished({self.job!r}, {described(self.reading)}{skipped})"

    @property
    def unit(self) -> str | None:
        """Of the reading."""
        return getattr(self.reading, "unit", None)

    def read(self, folder: Path) -> Any:
        """Return the value; raise `NoValue` in CalculiX's words where there is none."""
        _check_finished(folder, self.job, self.skipped)
        return self.reading.read(folder) if hasattr(self.reading, "read") else self.reading(folder)


def _check_finished(folder: Path, job: str, skipped: Sequence[str]) -> None:
    log = folder / _LOG
    with open(log, "rb") as file:
        file.seek(max(0, log.stat().st_size - _END))
        end = file.read(_END).decode("ascii", errors="replace")
    words = reported(log) or unfinished(end) or uninterpreted(log, skipped)
    if words is not None:
        raise NoValue(words + reached(folder / f"{job}.sta"))
    if (words := moved_away(folder)) is not None:
        raise NoValue(words)


def _only_deck(deck: Any) -> str:
    """Name of the only deck of a template, without its suffix."""
    if isinstance(deck, Mapping):
        names = [str(name) for name in deck]
    else:
        path = Path(deck)
        if not path.exists():
            raise InputError(f"There is no deck '{deck}' (looked for in '{Path.cwd()}').")
        names = [p.name for p in path.iterdir()] if path.is_dir() else [path.name]
    decks = sorted(n.removesuffix(".inp") for n in names if n.endswith(".inp"))
    if len(decks) != 1:
        raise InputError(
            f"The template holds {', '.join(decks) or 'no .inp file'}; name the deck to run, as in job='plate'."
            if decks
            else "The template holds no .inp file; give a CalculiX deck."
        )
    return decks[0]
