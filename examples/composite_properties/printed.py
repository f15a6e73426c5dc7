"""Where a real specimen was tested: printed CF/PEEK, its volumes homogenised, its coupon in creep.

Volumes of the CT of a print were homogenised by the authors of the data (data/cf-peek-creep/SOURCE.txt); the creep
compliance of each volume predicts the strain of a coupon under the load that its test recorded.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from scalebridge.bridge.fusion import Discrepancy, Estimate, discrepancy
from scalebridge.macro.creep import CreepCompliance

Floats = NDArray[np.float64]
FOLDER = Path(__file__).resolve().parents[2] / "data" / "cf-peek-creep"
READ_AT = 7.9
# No instrument is named: half a per cent of the largest strain, as class 0.5 of ISO 9513 allows an extensometer.
ACCURACY = 0.005


@dataclass(frozen=True, eq=False)
class Creep:
    """Time in min, stress in MPa, strains of the test and predicted ``[n]``, and half-widths of 95 % by parts."""

    time: Floats
    stress: Floats
    measured: Floats
    predicted: Floats
    scatter: Floats
    accuracy: float
    modulus: Estimate
    measured_modulus: Estimate
    gap: Discrepancy

    @property
    def half(self) -> Floats:
        """Half-width of the band ``[n]``."""
        found: Floats = np.hypot(self.scatter, self.accuracy)
        return found

    @property
    def inside(self) -> float:
        """Share of the points of the test within the band."""
        return float((np.abs(self.measured - self.predicted) <= self.half).mean())

    @property
    def recovering(self) -> NDArray[np.bool_]:
        """Points after the load was taken off."""
        loaded = np.flatnonzero(self.stress > 0.5 * self.stress.max())
        after: NDArray[np.bool_] = (np.arange(len(self.time)) > loaded[-1]) & (self.stress < 0.01 * self.stress.max())
        return after

    @property
    def inside_by_scatter(self) -> float:
        """Share of the recovery within the scatter of the volumes alone."""
        gap = np.abs(self.measured - self.predicted)
        return float((gap <= self.scatter)[self.recovering].mean())

    @property
    def leftover(self) -> tuple[float, float]:
        """Least and largest of test less prediction, from 12 s into recovery on, as shares of the largest strain."""
        later = np.flatnonzero(self.recovering)
        later = later[self.time[later] > self.time[later[0]] + 0.2]
        gap = (self.measured - self.predicted)[later] / self.measured.max()
        return float(gap.min()), float(gap.max())


def crept() -> Creep:
    """Predict the coupon of each volume; a coupon scatters at most as a further volume."""
    told = json.loads((FOLDER / "experiment" / "F_lowTemp" / "StressStrainProcessed.json").read_text())
    time, stress, strain = (np.array(told[k], dtype=np.float64) for k in ("Time", "Stress", "Strain_axial"))
    files = sorted((FOLDER / "rve_homogenisation" / "LowTemp").glob("*RVE*.txt"))
    tables = [np.loadtxt(f, delimiter=",", skiprows=1) for f in files]
    fitted = [CreepCompliance.fitted(t[:, 0], t[:, 3], t[:, 9]) for t in tables]
    each = np.array([c.strain(time, stress) for c in fitted])
    n = len(each)
    wider = np.sqrt(1.0 + 1.0 / n)
    moduli = [np.interp(READ_AT, t[:, 0], t[:, 3]) / np.interp(READ_AT, t[:, 0], t[:, 9]) for t in tables]
    modulus = Estimate(float(np.mean(moduli)), float(wider * np.std(moduli, ddof=1)), "volumes", degrees=n - 1.0)
    read = float(np.interp(READ_AT, time, stress) / np.interp(READ_AT, time, strain))
    test = Estimate(read, 0.5 * ACCURACY * read, "coupon")
    scatter = student.ppf(0.975, n - 1) * wider * each.std(axis=0, ddof=1)
    return Creep(
        time, stress, strain, each.mean(axis=0), scatter, ACCURACY * float(each.mean(axis=0).max()), modulus, test,
        discrepancy(modulus, test),
    )  # fmt: skip
