r"""Specimens with micrographs and test results whose law is known.

Panels of a unidirectional composite: each has its fibre fraction and its share of voids, each specimen scatters about
its panel, and each of its micrographs is another packing of that fraction. The strength follows the law

.. math:: \sigma = (1200 f + 30 (1 - f)) (1 - 8 v) + p + e

in MPa, with fibre fraction f, void share v, a deviation p of the panel that no micrograph shows (8 MPa) and one e of
the specimen (12 MPa). The modulus of elasticity is :math:`72 f + 3.5 (1 - f)` GPa with a scatter of 2 %.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scalebridge.microstructure import random_disks

PANEL_STD, SPECIMEN_STD = 8.0, 12.0
"""Deviations of the strength in MPa that the micrographs do not show."""

FIBRE = 8.0
"""Diameter of a fibre in pixels."""


@dataclass(frozen=True)
class Specimen:
    """One row of the table and what is behind it.

    Args:
        name: its identifier.
        panel: the panel that it was cut from.
        fraction: of its fibres.
        voids: share of its voids.
        strength: in MPa, as tested.
        explained: in MPa, what the law makes of fraction and voids.
        modulus: in GPa, as tested.
    """

    name: str
    panel: str
    fraction: float
    voids: float
    strength: float
    explained: float
    modulus: float


def specimens(panels: int = 10, each: int = 5, seed: int = 0) -> list[Specimen]:
    """Draw specimens panel by panel."""
    rng = np.random.default_rng(seed)
    made: list[Specimen] = []
    for p in range(panels):
        fraction, voids, own = rng.uniform(0.28, 0.48), rng.choice([0.0, 0.0, 0.01, 0.02]), PANEL_STD * rng.normal()
        for _ in range(each):
            f = float(np.clip(fraction + 0.02 * rng.normal(), 0.25, 0.5))
            v = float(max(0.0, voids * (1 + 0.3 * rng.normal())))
            explained = (1200 * f + 30 * (1 - f)) * (1 - 8 * v)
            strength = explained + own + SPECIMEN_STD * rng.normal()
            modulus = (72 * f + 3.5 * (1 - f)) * (1 + 0.02 * rng.normal())
            made.append(Specimen(f"S{len(made) + 1:03d}", f"P{p + 1:02d}", f, v, strength, explained, modulus))
    return made


def micrograph(specimen: Specimen, seed: int, size: int = 192) -> NDArray[np.uint8]:
    """Draw one micrograph of a specimen, ``[size, size]``: fibres bright, matrix grey, voids dark, blur and noise."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    count = max(4, round(specimen.fraction * size**2 / (np.pi * (FIBRE / 2) ** 2)))
    fibres = random_disks(specimen.fraction, count, seed=seed).labels(size) > 0
    grey = np.where(fibres, 0.66, 0.4)
    rows, columns = np.mgrid[:size, :size]
    area = specimen.voids * size**2
    while area > 12:
        radius = min(np.sqrt(area / np.pi), rng.uniform(3.0, 7.0))
        row, column = rng.uniform(0, size, 2)
        grey[(rows - row) ** 2 + (columns - column) ** 2 < radius**2] = 0.08
        area -= np.pi * radius**2
    grey = gaussian_filter(grey, 0.8) + 0.035 * rng.normal(size=grey.shape)
    return np.asarray(np.clip(255 * grey, 0, 255), dtype=np.uint8)


def save(specimen: Specimen, file: str | Path, seed: int, size: int = 192) -> None:
    """Write one `micrograph` of a specimen."""
    from PIL import Image

    Image.fromarray(micrograph(specimen, seed, size)).save(file)


def write(
    folder: str | Path, panels: int = 10, each: int = 5, images: int = 2, seed: int = 0, size: int = 192
) -> list[Specimen]:
    """Write ``micrographs/`` and ``specimens.csv`` as laboratories leave them; return the specimens.

    The rows of the table stand in another order than the files, one specimen has no micrograph, one micrograph no
    row, and one strength was not measured.

    Args:
        folder: made if it is not there.
        panels: how many.
        each: specimens of each panel.
        images: micrographs of each specimen.
        seed: of every random choice.
        size: of a micrograph in pixels.
    """
    place = Path(folder)
    pictures = place / "micrographs"
    pictures.mkdir(parents=True, exist_ok=True)
    made = specimens(panels, each, seed)
    for number, specimen in enumerate(made[:-1]):
        for k in range(images):
            save(specimen, pictures / f"{specimen.name}_{k + 1}.png", seed + 7919 * (number * images + k + 1), size)
    save(made[0], pictures / "X999_1.png", seed + 1, size)
    order = np.random.default_rng(seed).permutation(len(made))
    with (place / "specimens.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["SpecimenID", "Panel", "TensileStrength [MPa]", "ModulusOfElasticity [GPa]"])
        for row in order:
            s = made[row]
            strength = "" if row == 1 else f"{s.strength:.1f}"
            table.writerow([s.name, s.panel, strength, f"{s.modulus:.2f}"])
    return made
