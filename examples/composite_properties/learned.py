"""The second way: the transverse modulus learned from descriptors of virtual specimens, validated by slice.

No specimens of this glass were tested, so the specimens are virtual: windows of generated slices, solved, with a
scatter of reading on top. A generated slice is a group: its windows never stand on both sides of a split.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from slices import SIZE, Slice, constants

import scalebridge as sb
from scalebridge.bridge.fusion import Estimate
from scalebridge.learn import Comparison
from scalebridge.microstructure.generated.packings import packed_disks

Floats = NDArray[np.float64]
Labels = NDArray[np.uint8]

SLICES = 12
WINDOWS = 4
DIAMETER = 7.5
READING = 0.02
DENSEST = 0.76
GROUPS = ("fraction", "chords", "free_zones")
# Without dimension, so that fibres of another size in pixels say the same.
DESCRIPTORS = (
    "phase_1_fraction", "phase_0_chord_variation", "phase_1_chord_variation", "phase_1_free_share", "phase_1_local_std"
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Specimens:
    """Virtual specimens: images ``[n, size, size]``, descriptors ``[n, d]``, moduli ``[n]`` in GPa, slice ``[n]``."""

    images: Labels
    x: Floats
    y: Floats
    slice: NDArray[np.int64]


def described(images: Labels) -> Floats:
    """Descriptors ``[n, d]`` of labels ``[n, size, size]``."""
    return np.array([sb.microstructure.describe(each, which=GROUPS).vector(DESCRIPTORS) for each in images])


def generated(seed: int) -> Labels:
    """Four windows ``[4, size, size]`` of a generated slice of random density, gaps, zones of resin and diameters."""
    rng = np.random.default_rng(seed)
    side = 2 * SIZE
    fraction = rng.uniform(0.45, 0.68)
    count = round(fraction * side**2 / (0.25 * np.pi * DIAMETER**2))
    scatter, zones = rng.uniform(0.0, 0.1), rng.uniform(0.0, 0.06)
    # The segmentation parts touching fibres by a line of a pixel; where there is room, these are as far apart.
    room = 2.0 * (np.sqrt(DENSEST * (1.0 - zones) / fraction) - 1.0)
    gap = rng.uniform(0.5, 1.0) * min(2.0 / DIAMETER, max(room, 0.0))
    made = packed_disks(fraction, count, scatter=scatter, gap=gap, zones=zones, sweeps=20, seed=seed)
    labels = made.labels((side, side)).astype(np.uint8)
    return np.stack([labels[i : i + SIZE, j : j + SIZE] for i in (0, SIZE) for j in (0, SIZE)])


def specimens(seed: int = 0) -> Specimens:
    """Generate, cut, describe and solve."""
    images = np.concatenate([generated(1000 * seed + k) for k in range(SLICES)])
    read = 1.0 + READING * np.random.default_rng(seed).standard_normal(len(images))
    moduli = constants(images)[:, 1] / 1e9 * read
    return Specimens(images, described(images), moduli, np.repeat(np.arange(SLICES), WINDOWS))


def trained(given: Specimens) -> Comparison:
    """Compare a Gaussian process and a forest on slices left out."""
    return _compared(given, ("gaussian_process", "random_forest"), given.slice)


def leaked(given: Specimens, name: str) -> Comparison:
    """The same learner split row by row: what a careless validation would claim."""
    return _compared(given, (name,), None)


def _compared(given: Specimens, names: tuple[str, ...], groups: NDArray[np.int64] | None) -> Comparison:
    return sb.compare(given.x, given.y, surrogates=list(names), groups=groups, splits=5, progress="none")


def slice_error(comparison: Comparison, given: Specimens) -> float:
    """Root mean square error in GPa of the mean over a slice that was left out."""
    held = comparison.best.known
    gaps = held.mean[:, 0] - held.y[:, 0]
    means = [gaps[given.slice[held.rows] == k].mean() for k in range(SLICES)]
    return float(np.sqrt(np.mean(np.square(means))))


def predicted(comparison: Comparison, images: Labels) -> Floats:
    """Transverse moduli ``[n]`` in GPa of windows."""
    found: Floats = comparison.fitted.predict(described(images))[0][:, 0]
    return found


def by_learning(comparison: Comparison, given: Specimens, found: Slice, common: dict[str, float]) -> Estimate:
    """The slice's modulus in GPa: its windows' mean, with the error of a slice that was left out.

    ``common`` holds the deviations that physics finds for the constants of glass and epoxy and for the pixels: the
    virtual specimens were solved with the same constants on the same pixels, so these errors are common to both ways,
    as are segmentation and windows.
    """
    each = predicted(comparison, found.cut())
    low, high = (predicted(comparison, found.cut(offset)).mean() for offset in (-1.0, 1.0))
    # What is not known there is the error of a slice left out, and how far the real windows lie from all specimens.
    weights = np.full((len(each), 1), 1.0 / len(each))
    beyond = comparison.fitted.posterior(described(found.cut())).functional(weights).std
    parts = {
        "windows": float(each.std(ddof=1) / np.sqrt(len(each))),
        "segmentation": float(abs(high - low) / 2.0),
        **common,
        "learning": float(np.hypot(slice_error(comparison, given), beyond)),
    }
    return Estimate(float(each.mean()), name="learning", parts=parts)
