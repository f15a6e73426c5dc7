"""Where a real specimen was tested: printed CF/PEEK, its volumes homogenised, its coupon in creep.

- the **volumes**: ``rve_homogenisation`` of ``data/cf-peek-creep``, stress and strain of sub-volumes of the CT of a
  print under a step of load, homogenised by the authors with their viscoelastic law of PEEK. The file of their average
  is left out: it is no volume of its own.
- the **load** of the coupon: the stress that the test recorded. The strain that it recorded is used for nothing but
  the comparison and the noise of the record.
- **accuracy of strain**: the instrument is not named. Half a per cent of the largest strain is what class 0.5 of
  ISO 9513 allows an extensometer of its reading; it is a part of the band by itself, and shares are told without too.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scalebridge.bridge.fusion import Discrepancy, Estimate, discrepancy
from scalebridge.errors import InputError
from scalebridge.macro.creep import CreepCompliance

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
HERE = Path(__file__).resolve().parents[2] / "data" / "cf-peek-creep"
READ_AT = 7.9
CONFIDENCE = 0.95
ACCURACY = 0.005
SCATTER = ("volumes", "fit of the compliance")


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


def compliances(found: list[History]) -> list[CreepCompliance]:
    """The creep compliance of each volume, in 1/MPa."""
    return [CreepCompliance.fitted(v.time, v.stress, v.strain) for v in found]


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


def modulus_of_another(found: list[History]) -> Estimate:
    """The modulus in MPa of a further volume of the same print: a coupon scatters at most as one."""
    each = np.array([v.secant(READ_AT) for v in found])
    n = len(each)
    return Estimate(float(each.mean()), float(each.std(ddof=1) * np.sqrt(1.0 + 1.0 / n)), "volumes", degrees=n - 1.0)


def modulus_of_coupon(test: History) -> Estimate:
    """The measured modulus in MPa; the accuracy of strain, as two deviations, is the only error that can be named."""
    read = test.secant(READ_AT)
    return Estimate(read, 0.5 * ACCURACY * read, "coupon")


@dataclass(frozen=True, eq=False)
class Creep:
    """The test, its strain as predicted, and both moduli."""

    test: History
    band: Band
    modulus: Estimate
    measured_modulus: Estimate
    gap: Discrepancy

    @property
    def inside(self) -> float:
        """Share of the points of the test within the band."""
        return float(self.band.holds(self.test.strain).mean())

    @property
    def inside_by_scatter(self) -> float:
        """Share of the recovery within the scatter of the volumes and the fit alone."""
        return float(self.band.holds(self.test.strain, *SCATTER)[spans(self.test)["recovery"]].mean())

    @property
    def leftover(self) -> tuple[float, float]:
        """Least and largest of test less prediction, from 12 s into recovery on, as shares of the largest strain."""
        after = np.flatnonzero(spans(self.test)["recovery"])
        after = after[self.test.time[after] > self.test.time[after[0]] + 0.2]
        gap = (self.test.strain - self.band.mean)[after] / self.test.strain.max()
        return float(gap.min()), float(gap.max())


def crept() -> Creep:
    """Predict the coupon of the volumes, under the load that its test recorded."""
    found, test = volumes(), coupon()
    modulus, measured = modulus_of_another(found), modulus_of_coupon(test)
    return Creep(test, predicted(compliances(found), test), modulus, measured, discrepancy(modulus, measured))
