"""Validation by direct FE²: the bridge and a micro solve at every state, on the same coarse mesh."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from scalebridge.studies.direct import Comparison, compare
from scalebridge.studies.resolve import resolve
from scalebridge.studies.running import Listener, run, threads

if TYPE_CHECKING:
    from scalebridge.studies.schema import Study


def coarse(study: Study) -> Study:
    """Return the study with the keys of its ``[validation]`` table replaced, on its given mesh."""
    changes = {"question.mesh": "report", **study.validation}
    return study.changed(changes)


def validate(study: Study, out: Path, progress: str | Listener, tell: Callable[[int, str], None]) -> Comparison:
    """Answer the coarse study by the bridge and by direct FE²; leave both in ``out``.

    Raises:
        InputError: the study cannot be used, or direct FE² finds no solution.
    """
    smaller = coarse(study)
    resolved = resolve(smaller)
    # What is compared is one and the same micro model; its uncertain inputs have no part in it.
    resolved = replace(resolved, micro=replace(resolved.micro, alternatives={}))
    outcome = run(smaller, out, progress, resolved)
    with threads(smaller.run.threads):
        found = compare(resolved, outcome.answer, tell)
    (out / "validation.json").write_text(json.dumps(found.to_dict(), indent=2), encoding="utf-8")
    return found
