"""Both ways beside a test: one that they should pass, and one of a material that is not what the data sheet says.

Specimens of this glass do not exist, so the tests are virtual coupons: squares at random places of the slice, solved.
What they are made of is not what the models believe: the threshold between fibre and resin lies elsewhere within its
uncertainty, and in the second set the resin has half of its modulus, as if tested hot without a note.
"""

import numpy as np
from numpy.typing import NDArray
from slices import NOMINAL, SEAM, SIZE, Constituents, Slice, constants

import scalebridge as sb
from scalebridge.bridge.fusion import Estimate, Fusion, fuse

Floats = NDArray[np.float64]

COUPONS = 16
TRUE_OFFSET = 0.5
READING = 0.02
SOFTENED = 0.5
SHARED = ("windows", "segmentation", "constituents")


def tested(found: Slice, resin: float, seed: int) -> Floats:
    """Transverse moduli ``[n]`` in GPa of virtual coupons whose resin has ``resin`` of the modulus believed."""
    labels = found.phases.at(TRUE_OFFSET)
    places = sb.microstructure.windows(found.phases, SIZE, COUPONS, seed, avoid=[SEAM])
    images = np.stack([labels[r : r + SIZE, c : c + SIZE] for r, c in (p.origin for p in places)])
    moduli = constants(images, Constituents(epoxy=resin * NOMINAL.epoxy))[:, 1] / 1e9
    found_moduli: Floats = moduli * (1.0 + READING * np.random.default_rng(seed).standard_normal(len(moduli)))
    return found_moduli


def by_physics(found: Slice, parts: dict[str, float]) -> Estimate:
    """The slice's transverse modulus in GPa as homogenised, its parts being standard deviations."""
    return Estimate(float(found.best[1]) / 1e9, name="physics", parts=parts)


def held_against(physics: Estimate, learned: Estimate, readings: Floats) -> Fusion:
    """Fuse both, and hold them against readings."""
    return fuse(physics, learned, tests=readings, shared=SHARED, unit="GPa")
