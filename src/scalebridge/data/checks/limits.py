"""Checks of values that are limits: marked as such, or suspected."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scalebridge.data.checks.asked import Asked
from scalebridge.data.checks.finding import Finding

FLAGS = ("run_out", "runout", "censored", "censor", "suspended", "suspension")


def censoring(asked: Asked) -> Iterator[Finding]:
    """Values that are limits, marked or suspected."""
    data = asked.dataset
    for name, flags in data.censored.items():
        count = int(np.count_nonzero(flags))
        if count:
            yield Finding(
                "censoring",
                "warn" if name == asked.target else "note",
                f"{count} of {len(data)} values of '{name}' are limits, not measurements.",
                "Fit with a likelihood of limits (learn.CensoredRegression); a plain fit is biased.",
                (name,),
            )
    for v in data.space:
        if v.name.lower().replace("-", "_") in FLAGS and not data.censored:
            yield Finding(
                "censoring",
                "stop" if asked.target else "warn",
                f"The column '{v.name}' says which rows ran out, but no value is marked as a limit.",
                f"mark_censored(dataset, target, flag='{v.name}') marks them; a plain fit would take run-outs for "
                "failures.",
                (v.name,),
            )
    if asked.goal is not None and asked.target not in data.censored and len(data) >= 20:
        values = asked.known(asked.target or "")
        for end, what in ((values.max(initial=-np.inf), "highest"), (values.min(initial=np.inf), "lowest")):
            share = float((values == end).mean()) if len(values) else 0.0
            distinct = len(np.unique(values))
            if share > 0.05 and distinct > 20:
                yield Finding(
                    "censoring",
                    "warn",
                    f"{share:.0%} of the target '{asked.target}' are exactly its {what} value {end:.6g}.",
                    "If that is where the instrument or test stops, mark these rows with mark_censored.",
                    (asked.target or "",),
                )
