"""``scalebridge run``: answer a study, show the answer, compare with direct FE² where asked."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scalebridge.cli.answers import answer_lines, compact
from scalebridge.cli.progress import ProgressLine
from scalebridge.cli.surface import DONE, INTERRUPTED, NOT_CONVERGED
from scalebridge.cli.tables import console, print_json
from scalebridge.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from scalebridge.bridge import Answer
    from scalebridge.studies import Study


def run_study(file: Path, overrides: Sequence[str], out: Path, validate: str | None, as_json: bool) -> int:
    """Run a study into ``out``; return the exit code."""
    from scalebridge.studies import Study

    if validate not in (None, "direct"):
        raise InputError(f"--validate {validate}{did_you_mean(validate, ['direct'])}")
    study = Study.load(file, overrides)
    try:
        with ProgressLine(quiet=as_json) as progress:
            if validate == "direct":
                return _validate(study, out, progress, as_json)
            return _run(study, out, progress, as_json)
    except KeyboardInterrupt:
        print(f"interrupted; {_kept(study, out)} the same command resumes.", file=sys.stderr)
        return INTERRUPTED


def _run(study: Study, out: Path, progress: ProgressLine, as_json: bool) -> int:
    from scalebridge.studies.running import run

    outcome = run(study, out, progress)
    answer = outcome.answer
    record = answer.to_dict()
    if as_json:
        print_json({**compact(record), "report": str(outcome.report), "answer": str(out / "answer.json")})
    else:
        progress.__exit__(None, None, None)
        screen = console()
        for line in answer_lines(record):
            screen.print(line, markup=False, soft_wrap=True)
        screen.print(f"report: {outcome.report}", markup=False, soft_wrap=True)
    return exit_code_of(answer)


def exit_code_of(answer: Answer) -> int:
    """Return 0 for a converged answer without failed runs, else 1."""
    failed = any(r.status != "ok" for r in answer.runs)
    return DONE if answer.converged and not failed else NOT_CONVERGED


def _validate(study: Study, out: Path, progress: ProgressLine, as_json: bool) -> int:
    from scalebridge.studies.validation import validate

    comparison = validate(study, out / "validate", progress, progress.counted)
    if as_json:
        print_json(comparison.to_dict())
    else:
        progress.__exit__(None, None, None)
        unit = "" if comparison.unit == "1" else f" {comparison.unit}"
        relative = f" ({100 * abs(comparison.error / comparison.direct):.2g} %)" if comparison.direct else ""
        low, high = comparison.interval
        inside = "inside" if comparison.covered else "outside"
        print(f"{comparison.qoi} on the coarse mesh of {comparison.n_states} states")
        print(f"direct FE²    {comparison.direct:.6g}{unit}    {comparison.direct_runs} micro runs")
        print(f"this bridge   {comparison.value:.6g}{unit}    {comparison.micro_runs} micro runs")
        print(f"error         {comparison.error:+.3g}{unit}{relative}, {inside} the interval [{low:.6g}, {high:.6g}]")
    return DONE if comparison.converged and comparison.covered else NOT_CONVERGED


def _kept(study: Study, out: Path) -> str:
    from scalebridge.campaign import Store
    from scalebridge.errors import ScaleBridgeError
    from scalebridge.studies.running import store_directory

    place = store_directory(study, out)
    try:
        with Store.open(place, read_only=True) as store:
            return f"{len(store)} micro runs are kept in '{place}' and"
    except ScaleBridgeError:
        return "nothing had been run, and"
