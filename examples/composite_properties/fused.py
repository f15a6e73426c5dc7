"""Both ways beside a test: one that they should pass, and one of a material that is not what the data sheet says.

Specimens of this glass do not exist, so the tests are virtual coupons: squares of the slice that do not overlap,
solved. There is no room for others than the windows of the physics, so that the scatter of windows, counted on both
sides, makes the discrepancy rather too wide than too narrow.
What they are made of is not what the models believe: the threshold between fibre and resin lies elsewhere within its
uncertainty, and in the second set the resin has half of its modulus, as if tested hot without a note.
"""

import numpy as np
from numpy.typing import NDArray
from slices import NOMINAL, Constituents, Slice, constants

from scalebridge.bridge.fusion import Estimate, Fusion, fuse

Floats = NDArray[np.float64]

TRUE_OFFSET = 0.5
READING = 0.02
SOFTENED = 0.5
SHARED = ("windows", "segmentation", "pixels", "constituents")


def tested(found: Slice, resin: float, seed: int) -> Floats:
    """Transverse moduli ``[n]`` in GPa of virtual coupons whose resin has ``resin`` of the modulus believed."""
    moduli = constants(found.cut(TRUE_OFFSET), Constituents(epoxy=resin * NOMINAL.epoxy))[:, 1] / 1e9
    found_moduli: Floats = moduli * (1.0 + READING * np.random.default_rng(seed).standard_normal(len(moduli)))
    return found_moduli


def by_physics(found: Slice, parts: dict[str, float]) -> Estimate:
    """The slice's transverse modulus in GPa as homogenised, its parts being standard deviations."""
    return Estimate(float(found.best[1]) / 1e9, name="physics", parts=parts)


def held_against(physics: Estimate, learned: Estimate, readings: Floats) -> Fusion:
    """Fuse both, and hold them against readings."""
    return fuse(physics, learned, tests=readings, shared=SHARED, unit="GPa")
