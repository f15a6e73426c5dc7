"""``check`` and ``plan``: what can be said before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from scalebridge.cli.surface import DONE
from scalebridge.cli.tables import console, print_json, print_pairs, print_table
from scalebridge.errors import InputError


def print_schema() -> int:
    """Print the JSON Schema of study files."""
    from scalebridge.studies import json_schema

    print_json(json_schema())
    return DONE


def check_study(file: Path | None, overrides: Sequence[str], as_json: bool) -> int:
    """Read, build and connect a study; print what it declares."""
    from scalebridge.studies import Study
    from scalebridge.studies.resolve import resolve

    if file is None:
        raise InputError("'check' needs a study file; write 'scalebridge check study.toml', or --schema.")
    study = Study.load(file, overrides)
    resolved = resolve(study)
    coupling, question = study.couplings[0], study.question
    macro, micro = resolved.macro.model, resolved.micro.model
    facts = {
        "study": study.title or str(file),
        "macro": f"{coupling.macro}: asks {_space(macro.closure_inputs)}, wants {_space(macro.closure_outputs)}",
        "states": str(getattr(macro, "n_states", "")),
        "micro": f"{coupling.micro}: {_space(micro.inputs)} to {_space(micro.outputs)}",
        "question": f"{', '.join(question.names)}, {_tolerance(question.rtol, question.atol)} "
        f"at {100 * question.confidence:g} %, mesh: {question.mesh}",
        "uncertain inputs": ", ".join(f"{len(m)} × {name}" for name, m in resolved.micro.alternatives.items()),
    }
    if as_json:
        print_json({"ok": True, **facts, "notes": list(resolved.notes)})
        return DONE
    print_pairs(facts)
    for note in resolved.notes:
        console().print(f"note: {note}", markup=False)
    print("the study is in order")
    return DONE


def plan_study(file: Path, overrides: Sequence[str], out: Path, as_json: bool) -> int:
    """Print what a run would do, phase by phase."""
    from scalebridge.studies import Study
    from scalebridge.studies.planning import plan

    found = plan(Study.load(file, overrides), out)
    if as_json:
        print_json(asdict(found))
        return DONE
    print_table(["phase", "micro runs", "why"], [(s.phase, s.runs, s.why) for s in found.steps])
    console().print(f"\n{found.summary}", markup=False)
    return DONE


def _space(space: object) -> str:
    variables = list(space)  # type: ignore[call-overload]
    return ", ".join(v.name + ("" if v.unit == "1" else f" ({v.unit})") for v in variables)


def _tolerance(rtol: float | None, atol: float | None) -> str:
    wanted = [f"±{100 * rtol:g} %"] if rtol is not None else []
    return " or ".join([*wanted, *([f"±{atol:g}"] if atol is not None else [])])
