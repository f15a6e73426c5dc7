"""What a run of a study would do, why and at what cost; nothing is run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scalebridge.studies.resolve import Resolved, resolve
from scalebridge.studies.running import store_directory

if TYPE_CHECKING:
    from scalebridge.studies.schema import Study


@dataclass(frozen=True)
class Step:
    """One phase: how many micro runs it takes, and why."""

    phase: str
    runs: str
    why: str


@dataclass(frozen=True)
class Plan:
    """The phases of a run in order, and a summary with the cost as far as it is known."""

    steps: tuple[Step, ...]
    stored_runs: int
    seconds_per_run: float | None
    summary: str


def plan(study: Study, out: Path) -> Plan:
    """Resolve a study and say what a run into ``out`` would do.

    Raises:
        InputError: the study cannot be used.
    """
    resolved = resolve(study)
    stored, seconds = _stored(store_directory(study, out))
    return Plan(_steps(resolved), stored, seconds, _summary(resolved, stored, seconds))


def _steps(resolved: Resolved) -> tuple[Step, ...]:
    from scalebridge.bridge.audit import DRAWS
    from scalebridge.bridge.solve import RUNS_WITHOUT_LOOK
    from scalebridge.models import structure_of

    macro, micro, question = resolved.macro.model, resolved.micro.model, resolved.study.question
    d = macro.closure_inputs.size
    steps = [
        Step("start", f"about {d + 2}", "a first law of the material around the states the macro model asks for"),
        Step(
            "learn",
            f"up to {RUNS_WITHOUT_LOOK} before a look",
            "where a run reduces the doubt in the answer most; none once the surrogate thinks the tolerance is met",
        ),
        Step(
            "verify",
            f"{DRAWS} a round",
            "drawn at random by influence, against the surrogate frozen before: what the interval rests on",
        ),
    ]
    checks = 1 + int(structure_of(micro).even)
    steps.append(Step("check", f"about {checks}", "the same input twice (noise, history), a declared symmetry broken"))
    if getattr(micro, "finer", None) is not None:
        steps.append(Step("finer", "4", "the finer version of the micro model, for its discretisation error"))
    if question.mesh == "include":
        steps.append(Step("mesh", "0", "refine the macro mesh until its error takes at most half of the tolerance"))
    if resolved.n_input_runs:
        named = ", ".join(f"{len(m)} × {name}" for name, m in resolved.micro.alternatives.items())
        why = f"{named}, at {question.input_states} states each, for the input interval beside the answer"
        steps.append(Step("input", str(resolved.n_input_runs), why))
    return tuple(steps)


def _summary(resolved: Resolved, stored: int, seconds: float | None) -> str:
    question: Any = resolved.study.question
    budget = f"At most {question.budget} micro runs in all" if question.budget else "No budget is set"
    states = getattr(resolved.macro.model, "n_states", None)
    direct = f"; direct FE² would make {states} of them in every Newton iteration" if states else ""
    kept = f" The store holds {stored} runs already, which are not made again." if stored else ""
    cost = (
        f" A run has taken {seconds:.2g} s so far, so the whole some {seconds * (question.budget or 40):.0f} s at most."
        if seconds is not None and question.budget
        else ""
        if seconds is not None
        else " What a run costs is known after the first."
    )
    return f"{budget}{direct}.{kept}{cost}"


def _stored(directory: Path) -> tuple[int, float | None]:
    from scalebridge.campaign import Store

    if not (directory / "ledger.sqlite").is_file():
        return 0, None
    with Store.open(directory, read_only=True) as store:
        done = [a.cost_s for a in store.attempts() if a.status == "ok"]
        return len(store), (sum(done) / len(done) if done else None)
