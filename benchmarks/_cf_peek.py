"""Printed CF/PEEK in creep: the measured curve beside the band of the volumes, span by span.

What is read, and what the band is made of, is that of the example: `examples.composite_properties.printed`. Here the
clock is looked at too: stress and strain of the record may be one sample apart from the load as it was prescribed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from examples.composite_properties.printed import (
    CONFIDENCE,
    HERE,
    READ_AT,
    SCATTER,
    Floats,
    History,
    compliances,
    coupon,
    modulus_of_another,
    modulus_of_coupon,
    predicted,
    spans,
    volumes,
)

__all__ = [
    "CONFIDENCE", "HERE", "READ_AT", "compliances", "coupon", "creep_part", "modulus_of_another", "modulus_of_coupon",
    "volumes",
]  # fmt: skip


def nominal(folder: Path = HERE, test: str = "F_lowTemp") -> tuple[Floats, Floats]:
    """The load as it was prescribed: corner times in min and stresses in MPa, from zero."""
    text = (folder / "experiment" / test / "StressTimeSeries.txt").read_text()
    pairs = re.findall(r"\(\s*([\d.eE+-]+)\s*,\s*([\d.eE+-]+)\s*\)", text)
    corners = np.array([(0.0, 0.0), *((float(t), float(s)) for t, s in pairs)])
    return corners[:, 0], corners[:, 1]


def clock_offset(test: History, corners: tuple[Floats, Floats]) -> float:
    """By how many min the test's clock runs ahead of the prescribed load's: both reach half of the load."""
    half = 0.5 * float(test.stress.max())
    first = int(np.argmax(test.stress >= half))
    reached = np.interp(half, test.stress[first - 1 : first + 1], test.time[first - 1 : first + 1])
    return float(reached - np.interp(half, corners[1][:2], corners[0][:2]))


def creep_part(folder: Path, test_name: str = "F_lowTemp", case: str = "LowTemp") -> dict[str, Any]:
    """The creep curve: share of the measured points within the band, its width, and what is left over."""
    test, made = coupon(folder, test_name), compliances(volumes(folder, case))
    band = predicted(made, test)
    corners = nominal(folder, test_name)
    offset = clock_offset(test, corners)
    prescribed = np.interp(test.time - offset, *corners)
    beside = predicted(made, test, prescribed)
    inside, scatter, gap = band.holds(test.strain), band.holds(test.strain, *SCATTER), test.strain - band.mean
    parted = spans(test)
    return {
        "points": len(test.time), "share_inside": float(inside.mean()),
        "share_inside_by_span": {name: float(inside[at].mean()) for name, at in parted.items()},
        "points_by_span": {name: int(at.sum()) for name, at in parted.items()},
        "share_inside_by_scatter_alone": {name: float(scatter[at].mean()) for name, at in parted.items()},
        "half_width_over_largest_strain": {
            name: float((band.half()[at] / test.strain.max()).mean()) for name, at in parted.items()
        },
        "half_width_over_strain_in_hold": float((band.half() / band.mean)[parted["hold"]].mean()),
        "parts_over_largest_strain": {
            name: {k: float((p[at] / test.strain.max()).mean()) for k, p in band.parts.items()}
            for name, at in parted.items()
        },
        "discrepancy_over_largest_strain": {
            name: [float(gap[at].min() / test.strain.max()), float(gap[at].max() / test.strain.max())]
            for name, at in parted.items() if name != "ramps"
        },
        "largest_strain": float(test.strain.max()), "clock_offset_min": offset,
        "share_inside_under_prescribed_load": float(beside.holds(test.strain).mean()),
        "share_inside_under_prescribed_load_by_span": {
            name: float(beside.holds(test.strain)[at].mean()) for name, at in parted.items()
        },
    }  # fmt: skip
