"""A check of codes for gaps that were averaged: a logger that records -7999 for nothing means it with the rest."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scalebridge.data.checks.asked import Asked, listed
from scalebridge.data.checks.finding import Finding
from scalebridge.data.cleansing.outliers import Outlier, outliers

# Robust deviations from the median beyond which no reading of the instrument lies, and rows that may.
FAR, FEW = 20.0, 0.05
# An average of this many readings shows at least one hundredth of the way to the code.
READINGS = 100


def averaged(asked: Asked) -> Iterator[Finding]:
    """Values far off on the way to a code that was read as a gap: averages that hold it."""
    for code in _declared(asked.dataset.source.options.get("gaps", ())):
        found: dict[str, list[Outlier]] = {}
        for far in outliers(asked.dataset, list(asked.numbers), threshold=FAR):
            way = (far.value - (middle := float(np.median(asked.known(far.column))))) / (code - middle)
            if 1 / READINGS < way < 1:
                found.setdefault(far.column, []).append(far)
        for name, values in found.items():
            if len(values) > max(FEW * len(asked.dataset), 1):
                continue
            shown = [f"{v.value:.6g} in {v.identifier}" for v in values]
            yield Finding(
                "codes",
                "stop",
                f"'{name}' lies far off in {len(values)} of {len(asked.dataset)} rows, on the way to {code:g}, which "
                f"was read as a gap: {listed(shown, 3)}; averages that hold the code look so.",
                f"Make them gaps, as in blank_outliers(dataset, ['{name}'], threshold={FAR:g}), or average the raw "
                "readings again without the code.",
                (name,),
                tuple(v.row for v in values)[:10],
            )


def _declared(gaps: object) -> list[float]:
    """Those of the texts read as gaps that are numbers."""
    found = []
    for text in gaps if isinstance(gaps, list | tuple) else ():
        try:
            number = float(text)
        except ValueError:
            continue
        found += [number] if np.isfinite(number) else []
    return found
