"""Printed CF/PEEK, read and predicted: volumes of the CT homogenised by the authors, beside their test of a coupon.

What is taken from where:

- the **volumes**: ``rve_homogenisation/LowTemp``, stress and strain of sub-volumes under a step of load, homogenised by
  the authors with their viscoelastic law of PEEK. The file of their average is left out: it is no volume of its own.
- the **load** of the coupon: the stress that the test recorded. The strain that it recorded is used for nothing but
  the comparison and the noise of the record.
- **accuracy of strain**: the instrument is not named. Half a per cent of the largest strain is what class 0.5 of
  ISO 9513 allows an extensometer of its reading; it is a part of the band by itself, and shares are told without too.
- **clock**: stress and strain of the record may be one sample apart.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.macro.creep import CreepCompliance

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
HERE = Path(__file__).resolve().parents[1] / "data" / "cf-peek-creep"
READ_AT = 7.9
CONFIDENCE = 0.95
ACCURACY = 0.005


@dataclass(frozen=True, eq=False)
class History:
    """Time in min, stress in MPa and strain along the load, each ``[n]``."""

    time: Floats
    stress: Floats
    strain: Floats
    name: str = ""

    def secant(self, at: float) -> float:
        """Stress over strain in MPa at a time in min."""
        return float(np.interp(at, self.time, self.stress) / np.interp(at, self.time, self.strain))


def volumes(folder: Path = HERE, case: str = "LowTemp") -> list[History]:
    """The histories of the volumes along the direction that is loaded, the average of all left out."""
    files = sorted((folder / "rve_homogenisation" / case).glob("*C_hom*.txt"))
    found = []
    for file in files:
        if "averaged" in file.name:
            continue
        table = np.loadtxt(file, delimiter=",", skiprows=1)
        along = int(np.abs(table[:, 1:7]).max(axis=0).argmax())
        name = re.sub(r"\D*(\d+_\d+)\D*$", r"\1", file.stem)[-7:]
        found.append(History(table[:, 0], table[:, 1 + along], table[:, 7 + along], name))
    if len(found) < 2:
        place = folder / "rve_homogenisation" / case
        raise InputError(
            f"'{place}' holds {len(found)} volumes (*C_hom*.txt); at least two are needed for their scatter, so give "
            "another --data or --case."
        )
    return found


def coupon(folder: Path = HERE, test: str = "F_lowTemp") -> History:
    """The test: the mean over coupons as the authors processed it."""
    file = folder / "experiment" / test / "StressStrainProcessed.json"
    if not file.exists():
        raise InputError(f"There is no test '{file}'; give another --data or --test.")
    told = json.loads(file.read_text())
    time, stress, strain = (np.array(told[name], dtype=np.float64) for name in ("Time", "Stress", "Strain_axial"))
    return History(time, stress, strain, test)


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


@dataclass(frozen=True, eq=False)
class Band:
    """The strain of a coupon predicted at its times.

    Args:
        mean: ``[n]``.
        parts: half-widths by source, each ``[n]``.
    """

    mean: Floats
    parts: dict[str, Floats]

    def half(self, *names: str) -> Floats:
        """Half-width ``[n]`` of the parts named, or of all, in quadrature."""
        found: Floats = np.linalg.norm([self.parts[name] for name in names or self.parts], axis=0)
        return found

    def holds(self, strain: Floats, *names: str) -> Mask:
        """Which points lie within."""
        inside: Mask = np.abs(strain - self.mean) <= self.half(*names)
        return inside


def predicted(made: list[CreepCompliance], test: History, stress: Floats | None = None) -> Band:
    """The strain of a coupon under its load, from the compliances of the volumes.

    One coupon scatters at most as one volume, which is far smaller, so the interval is that of a further volume:
    Student's t with n - 1 degrees times the deviation times sqrt(1 + 1/n).
    """
    from scipy.stats import t as student

    each = np.array([c.strain(test.time, test.stress if stress is None else stress) for c in made])
    n, mean = len(each), each.mean(axis=0)
    quantile = float(student.ppf(0.5 + 0.5 * CONFIDENCE, n - 1))
    largest = float(mean.max())
    shifted = np.stack([np.concatenate([mean[:1], mean[:-1]]), np.concatenate([mean[1:], mean[-1:]])])
    parts = {
        "volumes": quantile * np.sqrt(1.0 + 1.0 / n) * each.std(axis=0, ddof=1),
        "fit of the compliance": np.full_like(mean, max(c.misfit for c in made) * largest),
        "clock, one sample": np.abs(shifted - mean).max(axis=0),
        "accuracy of strain": np.full_like(mean, ACCURACY * largest),
        "noise of the record": np.full_like(mean, 1.96 * record_noise(test.strain)),
    }
    return Band(mean, parts)


def record_noise(strain: Floats) -> float:
    """Standard deviation of the noise of a record, by its second differences (robust against ramps)."""
    second = np.diff(strain, 2)
    return float(1.4826 * np.median(np.abs(second - np.median(second))) / np.sqrt(6.0))


def spans(test: History) -> dict[str, Mask]:
    """The parts of a creep test: ramps (load between 1 and 99 % of the largest), hold and recovery."""
    share = test.stress / test.stress.max()
    held = share >= 0.99
    after = test.time > test.time[held][-1]
    low = share <= 0.01
    return {"hold": held, "recovery": after & low, "ramps": ~held & ~(after & low)}


def creep_part(folder: Path, test_name: str = "F_lowTemp", case: str = "LowTemp") -> dict[str, Any]:
    """The creep curve: share of the measured points within the band, its width, and what is left over."""
    test, made = coupon(folder, test_name), compliances(volumes(folder, case))
    band = predicted(made, test)
    physical = ("volumes", "fit of the compliance")
    corners = nominal(folder, test_name)
    offset = clock_offset(test, corners)
    prescribed = np.interp(test.time - offset, *corners)
    beside = predicted(made, test, prescribed)
    inside, scatter, gap = band.holds(test.strain), band.holds(test.strain, *physical), test.strain - band.mean
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


def compliances(found: list[History]) -> list[CreepCompliance]:
    """The creep compliance of each volume, in 1/MPa."""
    return [CreepCompliance.fitted(v.time, v.stress, v.strain) for v in found]
