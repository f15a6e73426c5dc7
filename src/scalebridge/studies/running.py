"""Run a study: solve, carry the uncertain inputs, save the answer and its report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scalebridge.errors import InfrastructureError
from scalebridge.models.program.process import limit
from scalebridge.studies.papers import write_papers
from scalebridge.studies.resolve import Resolved, resolve

if TYPE_CHECKING:
    from scalebridge.bridge import Answer, Progress
    from scalebridge.studies.schema import Study

Listener = Callable[["Progress"], None]


@dataclass(frozen=True)
class Outcome:
    """What a run of a study left.

    Args:
        answer: the answer.
        directory: where ``answer.json``, ``arrays.npz``, ``report.html`` and the store lie.
        report: the HTML report.
    """

    answer: Answer
    directory: Path
    report: Path


def store_directory(study: Study, out: Path) -> Path:
    """Return where the runs of a study are kept."""
    return out / "store" if study.run.store is None else study.folder / study.run.store


def run(study: Study, out: str | Path, progress: str | Listener = "auto", resolved: Resolved | None = None) -> Outcome:
    """Answer a study and leave answer, report and store in a directory; a run cut off before is resumed.

    Raises:
        InputError: the study cannot be used.
        InfrastructureError: the directory cannot be written.
    """
    from scalebridge.campaign import Store
    from scalebridge.reports import report_saved

    directory = _made(Path(out))
    started = time.perf_counter()
    with threads(study.run.threads), Store(_made(store_directory(study, directory))) as store:
        models = resolve(study) if resolved is None else resolved
        answer = _solved(models, store, progress)
        answer = _completed(answer, models, store, directory, progress)
    answer = replace(answer, record={**answer.record, "wall_s": time.perf_counter() - started})
    try:
        answer.save(directory)
    except OSError as error:
        raise InfrastructureError(f"The answer cannot be written to '{directory}': {error.strerror}.") from error
    write_papers(answer, directory)
    return Outcome(answer, directory, report_saved(directory))


def _solved(models: Resolved, store: Any, progress: str | Listener) -> Answer:
    from scalebridge.bridge import solve

    question, where = models.study.question, models.study.run
    budget = None if question.budget is None else question.budget - models.n_input_runs
    return solve(
        models.macro.model,
        models.micro.model,
        qoi=question.names,
        rtol=question.rtol,
        atol=question.atol,
        confidence=question.confidence,
        budget=budget,
        mesh=question.mesh,
        store=store,
        executor=where.executor,
        timeout=limit(where.timeout, "s", "[run] timeout"),
        seed=where.seed,
        progress=progress,
    )


def _completed(answer: Answer, models: Resolved, store: Any, directory: Path, progress: str | Listener) -> Answer:
    """Add the input interval, the pictures, and what the report should say of the study."""
    from scalebridge.studies.direct import direct_runs
    from scalebridge.studies.inputs import with_input_interval

    answer = with_input_interval(answer, models, store, _teller(answer, progress))
    study, states = models.study, answer.arrays.get("states")
    macro = {**answer.record["macro"], **_declared(study, study.couplings[0].macro)}
    if states is not None:
        macro["n_states"] = len(states)
    micro = {**answer.record["micro"], **_declared(study, study.couplings[0].micro)}
    record = {
        **answer.record,
        "title": study.title,
        "created": time.strftime("%Y-%m-%d %H:%M"),
        "unit": models.macro.units.get(answer.qoi, answer.record.get("unit", "1")),
        "budget": study.question.budget,
        "direct_runs": direct_runs(models, answer),
        "study": study.to_toml(),
        "store": str(store.directory),
        "macro": macro,
        "micro": micro,
    }
    arrays = {**answer.arrays, **_extra(answer, models, directory)}
    notes = tuple(dict.fromkeys((*answer.notes, *_budget_note(models), *models.notes)))
    return replace(answer, record=record, arrays=arrays, notes=notes)


def _declared(study: Study, name: str) -> dict[str, str]:
    """Name of a model in the study, and its kind, or the file and name of what was written by hand."""
    entry = study.models[name]
    return {"name": name, "kind": entry.kind or str(getattr(entry, "function", ""))}


def _budget_note(models: Resolved) -> tuple[str, ...]:
    budget, kept = models.study.question.budget, models.n_input_runs
    if budget is None or not kept:
        return ()
    return (f"Of the budget of {budget} micro runs, {kept} were kept for uncertain inputs.",)


def _teller(answer: Answer, progress: str | Listener) -> Callable[[str], None]:
    from scalebridge.bridge import Progress
    from scalebridge.bridge.progress import listener

    heard = listener(progress)
    first = answer.quantities[answer.qoi]
    half = first.half_width if np.isfinite(first.half_width) else None

    def tell(words: str) -> None:
        heard(Progress(answer.micro_runs, "input", answer.value, half, first.tolerance, words, 0.97))

    return tell


def _extra(answer: Answer, models: Resolved, directory: Path) -> dict[str, Any]:
    """Arrays for the report; a stress field solved by an earlier run of the same question is taken from it."""
    arrays: dict[str, Any] = {f"extra.{name}": value for name, value in models.micro.arrays.items()}
    state = _telling_state(answer)
    if models.micro.picture is None or state is None:
        return arrays
    earlier = _earlier(directory)
    known = earlier.get("extra.rve_strain_state")
    same = known is not None and np.array_equal(known, state) and _same_labels(earlier, arrays)
    if same:
        return arrays | {k: v for k, v in earlier.items() if k in ("extra.rve_stress", "extra.rve_strain_state")}
    return arrays | {f"extra.{name}": value for name, value in models.micro.picture(state).items()}


def _telling_state(answer: Answer) -> Any:
    """The run at which the response was largest: the most telling picture of the micro model."""
    runs = [r for r in answer.runs if r.y is not None and r.phase != "input"]
    if not runs:
        return None
    return np.array(max(runs, key=lambda r: float(np.linalg.norm(r.y or ()))).x)


def _earlier(directory: Path) -> Mapping[str, Any]:
    try:
        with np.load(directory / "arrays.npz", allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files if name.startswith("extra.")}
    except (OSError, ValueError):
        return {}


def _same_labels(earlier: Mapping[str, Any], arrays: Mapping[str, Any]) -> bool:
    before, now = earlier.get("extra.rve_labels"), arrays.get("extra.rve_labels")
    return before is not None and now is not None and np.array_equal(before, now)


def _made(directory: Path) -> Path:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InfrastructureError(f"The directory '{directory}' cannot be made: {error.strerror}.") from error
    return directory


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Let torch use so many threads; ``None`` leaves it alone."""
    if count is None:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
