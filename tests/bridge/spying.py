"""Looks into a solve without changing it: every audit and the stage it was drawn with."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from scalebridge.bridge.audit import Audit
from scalebridge.bridge.stage import Stage

# The package exports the function of the same name.
solving: Any = importlib.import_module("scalebridge.bridge.solve")


@dataclass
class Seen:
    """Audits in order, and after each the stage of the refitted surrogate at which it was looked."""

    audits: list[Audit] = field(default_factory=list)
    looks: list[Stage] = field(default_factory=list)


@contextmanager
def watched() -> Iterator[Seen]:
    """Record the audits of every solve inside."""
    seen = Seen()
    audit, judge = solving.audit, solving.judge

    def watched_audit(*arguments: Any) -> Audit:
        seen.audits.append(audit(*arguments))
        return seen.audits[-1]

    def watched_judge(*arguments: Any) -> Any:
        seen.looks.append(arguments[3])
        return judge(*arguments)

    solving.audit, solving.judge = watched_audit, watched_judge
    try:
        yield seen
    finally:
        solving.audit, solving.judge = audit, judge
