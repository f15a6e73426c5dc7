"""The answer: value, interval by parts, every micro run and why, how to reproduce it."""

from __future__ import annotations

import contextlib
import json
import math
import os
import platform
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.bridge.audit import Audit
from scalebridge.bridge.interval import unseen_mass
from scalebridge.bridge.session import MicroRun, Session
from scalebridge.bridge.stage import Stage
from scalebridge.bridge.verdict import Verdict
from scalebridge.errors import InputError
from scalebridge.models import Surrogate
from scalebridge.quantities import Space

SURROGATE = "surrogate.zip"
SCHEMA_VERSION = 1
PARTS = ("closure", "remainder", "micro_discretisation", "mesh")


@dataclass(frozen=True)
class Quantity:
    """One quantity of interest: ``interval`` is ``(-inf, inf)`` where nothing can be promised."""

    value: float
    interval: tuple[float, float]
    parts: Mapping[str, float | None]
    tolerance: float | None
    converged: bool

    @property
    def half_width(self) -> float:
        """Half the width of the interval."""
        return 0.5 * (self.interval[1] - self.interval[0])


@dataclass(frozen=True)
class Answer:
    """What `solve` returns; the first quantity asked for is the one its own attributes speak of.

    Args:
        qoi: name of the first quantity.
        quantities: name -> `Quantity`, every one that was asked for.
        confidence: of the intervals.
        converged: whether every interval is within its tolerance.
        reason: one sentence, why it is or is not.
        runs: every row the micro model was asked for.
        macro_solves: how often the macro problem was solved.
        surrogate: fitted on every run; pass it to a next `solve` on the same material.
        input_interval: what uncertain inputs add, beside the interval; ``None`` where not asked.
        notes: sentences the reader should know, what the interval does not promise among them.
        path: interval against micro runs, in order.
        record: the rest of ``answer.json``.
        arrays: states, sensitivities and fields, by name.
    """

    qoi: str
    quantities: Mapping[str, Quantity]
    confidence: float
    converged: bool
    reason: str
    runs: Sequence[MicroRun]
    macro_solves: int
    surrogate: Surrogate | None
    input_interval: tuple[float, float] | None
    notes: Sequence[str]
    path: Sequence[Mapping[str, Any]]
    record: Mapping[str, Any]
    arrays: Mapping[str, Any] = field(default_factory=dict)

    @property
    def value(self) -> float:
        """Value of the first quantity."""
        return self.quantities[self.qoi].value

    @property
    def interval(self) -> tuple[float, float]:
        """Interval of the first quantity."""
        return self.quantities[self.qoi].interval

    @property
    def half_width(self) -> float:
        """Half-width of the interval of the first quantity."""
        return self.quantities[self.qoi].half_width

    @property
    def parts(self) -> Mapping[str, float | None]:
        """What the half-width is made of."""
        return self.quantities[self.qoi].parts

    @property
    def micro_runs(self) -> int:
        """Rows the micro model was asked for, failed and verification rows included."""
        return len(self.runs)

    @staticmethod
    def of(
        session: Session,
        stage: Stage | None,
        audits: Sequence[Audit],
        verdict: Verdict | None,
        reason: str,
        surrogate: Surrogate | None,
    ) -> Answer:
        """Gather an answer from where a solve ended."""
        quantities = _quantities(session, stage, verdict)
        converged = verdict is not None and verdict.converged
        draws = sum(a.draws.n_drawn for a in audits)
        if audits:
            mass = unseen_mass(len(audits[0].draws.rows), session.question.confidence)
            session.note(
                "No interval from a few draws is free of assumptions: "
                f"with {100 * session.question.confidence:g} % the first {len(audits[0].draws.rows)} draws have seen "
                f"any set of states that holds at least {mass:.2f} of the draw probability; a rarer fault can hide."
            )
        if session.question.mesh == "report":
            session.note("The interval speaks of the quantity on the given mesh.")
        beyond = "" if stage is None else session.coupling.beyond(stage.solution.states)
        if beyond:
            session.note(f"{beyond[0].upper()}{beyond[1:]}; widen them if it holds there.")
            reason = f"{reason}; {beyond}"
        qoi = session.question.qois[0]
        first = quantities[qoi]
        session.tell("done", reason, first.value, first.half_width, first.tolerance)
        return Answer(
            qoi,
            quantities,
            session.question.confidence,
            converged,
            reason,
            tuple(session.runs),
            session.macro_solves,
            surrogate,
            None,
            tuple(session.notes),
            tuple(session.path),
            _record(session, audits, draws),
            _arrays(stage),
        )

    def to_dict(self) -> dict[str, Any]:
        """The content of ``answer.json``."""
        first = self.quantities[self.qoi]
        return {
            "schema_version": SCHEMA_VERSION,
            "qoi": self.qoi,
            "value": first.value,
            "interval": list(first.interval),
            "half_width": first.half_width,
            "parts": dict(first.parts),
            "confidence": self.confidence,
            "tolerance": first.tolerance,
            "converged": self.converged,
            "reason": self.reason,
            "micro_runs": self.micro_runs,
            "executed_runs": sum(not r.reused for r in self.runs),
            "reused_runs": sum(r.reused for r in self.runs),
            "macro_solves": self.macro_solves,
            "micro_seconds": sum(r.cost_s for r in self.runs),
            "input_interval": None if self.input_interval is None else list(self.input_interval),
            "notes": list(self.notes),
            "path": [dict(step) for step in self.path],
            "runs": [asdict(r) for r in self.runs],
            "quantities": {
                name: {**asdict(q), "interval": list(q.interval), "half_width": q.half_width}
                for name, q in self.quantities.items()
            },
            **self.record,
        }

    def save(self, directory: str | Path) -> Path:
        """Write ``answer.json``, ``arrays.npz`` and the surrogate into a directory, each whole or not at all.

        The surrogate is ``surrogate.zip``, as `scalebridge.learn.save` writes it; a surrogate of a user's own class,
        which that refuses, is left out.
        """
        target = Path(directory)
        target.mkdir(parents=True, exist_ok=True)
        text = json.dumps(_plain(self.to_dict()), indent=2, allow_nan=False)
        _write_whole(target / "answer.json", lambda path: path.write_text(text, encoding="utf-8"))
        _write_whole(target / "arrays.npz", lambda path: _savez(path, self.arrays))
        _save_surrogate(self.surrogate, target / SURROGATE)
        return target

    def report(self, path: str | Path) -> Path:
        """Write a one-file HTML report that opens offline."""
        from scalebridge.reports import write_report

        return write_report(_plain(self.to_dict()), self.arrays, path)

    def _repr_html_(self) -> str:
        from scalebridge.reports import summary_html

        return summary_html(_plain(self.to_dict()))


def load(directory: str | Path) -> Answer:
    """Read an answer saved by `Answer.save`, with its surrogate where that could be kept.

    Raises:
        InputError: no answer there, or one of another schema version.
    """
    source = Path(directory)
    try:
        data = json.loads((source / "answer.json").read_text(encoding="utf-8"))
        with np.load(source / "arrays.npz", allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError) as error:
        raise InputError(f"There is no readable answer in '{source}': {error}; run the study first.") from error
    if data.get("schema_version") != SCHEMA_VERSION:
        raise InputError(
            f"The answer in '{source}' has the schema version {data.get('schema_version')}; "
            f"this version of ScaleBridge reads {SCHEMA_VERSION}."
        )
    known = set(_EMPTY.to_dict())
    quantities = {
        name: Quantity(_number(q["value"]), _interval(q["interval"]), q["parts"], q["tolerance"], q["converged"])
        for name, q in data["quantities"].items()
    }
    runs = [
        MicroRun(**{**r, "x": tuple(r["x"]), "y": _row(r["y"]), "predicted": _row(r["predicted"])})
        for r in data["runs"]
    ]
    given = data["input_interval"]
    surrogate, lost = _surrogate_of(source / SURROGATE)
    return Answer(
        data["qoi"],
        quantities,
        data["confidence"],
        data["converged"],
        data["reason"],
        tuple(runs),
        data["macro_solves"],
        surrogate,
        None if given is None else _interval(given),
        (*data["notes"], *lost),
        tuple(data["path"]),
        {k: v for k, v in data.items() if k not in known},
        arrays,
    )


def _quantities(session: Session, stage: Stage | None, verdict: Verdict | None) -> dict[str, Quantity]:
    found = {}
    for qoi in session.question.qois:
        if verdict is None:
            value = math.nan if stage is None else stage.value(qoi)
            found[qoi] = Quantity(value, (-math.inf, math.inf), dict.fromkeys(PARTS), None, False)
            continue
        q = verdict.quantities[qoi]
        found[qoi] = Quantity(q.value, (q.low, q.high), dict(q.parts), q.tolerance or None, q.converged)
    return found


def _record(session: Session, audits: Sequence[Audit], draws: int) -> dict[str, Any]:
    question, coupling = session.question, session.coupling
    qoi = question.qois[0]
    rounds = [
        {
            "value": a.rounds[qoi].value,
            "estimate": a.rounds[qoi].estimate,
            "draws": len(a.draws.rows),
            "observed_std": math.sqrt(a.rounds[qoi].observed),
            "predicted_std": math.sqrt(a.rounds[qoi].predicted),
            "level": question.alpha / 2 ** (k + 1),
        }
        for k, a in enumerate(audits)
    ]
    return {
        "rtol": question.rtol,
        "atol": question.atol,
        "mesh_mode": question.mesh,
        "unit": str(getattr(session.macro, "units", {}).get(qoi, "1")),
        "seed": question.seed,
        "budget": question.budget,
        "wall_s": time.perf_counter() - session.started,
        "unseen_mass": unseen_mass(len(audits[0].draws.rows), question.confidence) if audits else None,
        "rounds": rounds,
        "versions": versions(),
        "micro": {
            "name": coupling.micro.name,
            "version": coupling.micro.version,
            "identity": dict(coupling.micro.identity()),
        },
        "macro": {
            "name": type(session.macro).__name__,
            "closure_inputs": _described(coupling.inputs),
            "closure_outputs": _described(coupling.outputs),
        },
    }


def _described(space: Space) -> list[dict[str, Any]]:
    return [
        {"name": v.name, "unit": v.unit, "shape": list(v.shape), "components": list(Space([v]).component_names)}
        for v in space
    ]


def _arrays(stage: Stage | None) -> dict[str, Any]:
    if stage is None:
        return {}
    qoi = next(iter(stage.weights))
    arrays: dict[str, Any] = {
        "states": stage.solution.states,
        "sensitivity": stage.weights[qoi],
        "probability": stage.probability,
        "state_std": stage.deviation[qoi],
        "predicted": stage.values,
        "predicted_std": stage.posterior.std,
    }
    for name, value in (stage.solution.fields or {}).items():
        arrays[f"field.{name}"] = np.asarray(value)
    return arrays


def versions() -> dict[str, str]:
    """Versions of what an answer depends on."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version()}
    for name in ("scalebridge", "numpy", "scipy", "torch", "scikit-fem"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _plain(value: Any) -> Any:
    """JSON values: numbers that are not finite become null."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _interval(ends: Sequence[float | None]) -> tuple[float, float]:
    low, high = ends
    return (-math.inf if low is None else float(low), math.inf if high is None else float(high))


def _row(row: Sequence[float] | None) -> tuple[float, ...] | None:
    return None if row is None else tuple(row)


def _savez(path: Path, arrays: Mapping[str, Any]) -> None:
    with path.open("wb") as stream:
        np.savez_compressed(stream, **arrays)


def _save_surrogate(surrogate: Surrogate | None, path: Path) -> None:
    from scalebridge.learn import save

    path.unlink(missing_ok=True)
    if surrogate is not None:
        with contextlib.suppress(InputError):
            save(surrogate, path)


def _surrogate_of(path: Path) -> tuple[Surrogate | None, tuple[str, ...]]:
    """The saved surrogate, where there is one that can be read; the rest of an answer does without it."""
    from scalebridge.learn import load as load_surrogate

    if not path.is_file():
        return None, ()
    try:
        return load_surrogate(path), ()
    except InputError as error:
        return None, (f"The surrogate of this answer is not there any more: {error}",)


def _write_whole(path: Path, write: Any) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        write(Path(name))
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


_EMPTY = Answer("", {"": Quantity(0.0, (0.0, 0.0), {}, None, False)}, 0.95, False, "", (), 0, None, None, (), (), {})
