"""X-ray slices across glass and carbon fibres: the transverse modulus, its scatter and what the segmentation adds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._cost import fresh
from scalebridge import micro, microstructure
from scalebridge.micro.rve.transverse import nearest_transversely_isotropic

Floats = NDArray[np.float64]
FOLDER = Path("fibre-ct-insegt")
PRECISION = 0.02
# Windows whose pixels are split, to see what the pixels cost.
SPLIT_WINDOWS = 3


@dataclass(frozen=True)
class Fibres:
    """Constants of a transversely isotropic phase, Pa."""

    E_L: float
    E_T: float
    nu_L: float
    nu_T: float
    G_L: float

    @property
    def plane_bulk(self) -> float:
        """Bulk modulus in the plane across, at no strain along."""
        return 1.0 / (4.0 / self.E_T - 1.0 / self.G_T - 4.0 * self.nu_L**2 / self.E_L)

    @property
    def G_T(self) -> float:
        """Shear modulus in the plane across."""
        return self.E_T / (2.0 * (1.0 + self.nu_T))

    def across_image(self) -> micro.Orthotropic:
        """As a law with its axis along direction 3, out of the image."""
        back = self.nu_L * self.E_T / self.E_L
        return micro.Orthotropic(
            self.E_T, self.E_T, self.E_L, self.nu_T, back, back, self.G_T, self.G_L, self.G_L
        )  # fmt: skip


def isotropic(E: float, nu: float) -> Fibres:
    """An isotropic phase in the same words."""
    return Fibres(E, E, nu, nu, E / (2.0 * (1.0 + nu)))


RESIN = isotropic(3.5e9, 0.35)
GLASS = isotropic(72e9, 0.22)
CARBON = Fibres(230e9, 13.4e9, 0.256, 0.3, 27.3e9)
MATERIALS = {"glass": GLASS, "carbon": CARBON}


def bounds(fibre: Fibres, matrix: Fibres, f: float) -> dict[str, float]:
    """Transverse modulus in GPa from the fibre fraction alone.

    Hill's and Hashin's bounds of the plane-strain bulk and the transverse shear modulus (Hashin 1965, 1979), from
    which E_T = 4 k G / (k + m G) with m = 1 + 4 k nu_L^2 / E_L (the lower pair, the matrix around fibres, is also
    Mori and Tanaka's estimate); Halpin and Tsai with xi = 2.
    """
    pairs = [(_mixed(matrix, fibre, f), "mori_tanaka"), (_mixed(fibre, matrix, 1.0 - f), "upper")]
    found = {name: _transverse(k, g, fibre, matrix, f) / 1e9 for (k, g), name in pairs}
    eta = (fibre.E_T / matrix.E_T - 1.0) / (fibre.E_T / matrix.E_T + 2.0)
    found["halpin_tsai"] = matrix.E_T * (1.0 + 2.0 * eta * f) / (1.0 - eta * f) / 1e9
    return found


def _mixed(around: Fibres, held: Fibres, f: float) -> tuple[float, float]:
    k, g = around.plane_bulk, around.G_T
    bulk = k + f / (1.0 / (held.plane_bulk - k) + (1.0 - f) / (k + g))
    shear = g + f / (1.0 / (held.G_T - g) + (1.0 - f) * (k + 2.0 * g) / (2.0 * g * (k + g)))
    return bulk, shear


def _transverse(k: float, g: float, fibre: Fibres, matrix: Fibres, f: float) -> float:
    # The rule of mixtures is near enough for what is a correction.
    along = f * fibre.E_L + (1.0 - f) * matrix.E_L
    poisson = f * fibre.nu_L + (1.0 - f) * matrix.nu_L
    return 4.0 * k * g / (k + (1.0 + 4.0 * k * poisson**2 / along) * g)


def moduli(images: NDArray[np.uint8], fibre: Fibres, split: int = 1) -> tuple[Floats, Floats]:
    """Transverse moduli ``[r]`` in GPa of windows ``[r, n, n]``, and the mean stiffness ``[6, 6]`` in Pa.

    Labels 0, 1, 2: void, matrix, fibre. Uniform along the fibres: generalised plane strain.
    """
    laws = [micro.Void(), micro.Elastic(E=RESIN.E_T, nu=RESIN.nu_T), fibre.across_image()]
    fine = np.repeat(np.repeat(images, split, axis=1), split, axis=2)
    lowest = int(fine.min())  # a batch without voids has no material for them
    batch = micro.homogenise_many(fine - lowest, laws[lowest:], plane="generalised", tolerance=1e-4)
    each = [nearest_transversely_isotropic(c, axis=3).E_T / 1e9 for c in batch.tensors]
    return np.array(each), batch.mean


def labelled(kind: microstructure.Segmentation, offset: float = 0.0) -> NDArray[np.uint8]:
    """Labels 0 void, 1 matrix, 2 fibre, at an offset in deviations of the fibre fraction."""
    return kind.at(offset) + np.uint8(3 - len(kind.phases))


def cut(labels: NDArray[np.uint8], places: list[tuple[int, int]], size: int) -> NDArray[np.uint8]:
    """Windows ``[r, size, size]``."""
    return np.stack([labels[row : row + size, column : column + size] for row, column in places])


def slice_figures(path: Path, size: int, seed: int, count: int) -> dict[str, Any]:
    """Everything about one slice."""
    fibre = MATERIALS["carbon" if "carbon" in path.name else "glass"]
    kind = microstructure.segment(microstructure.read(path), phases=3 if "carbon" in path.name else 2, voids="enclosed")
    grid = microstructure.windows(kind, size)
    rng = np.random.default_rng(seed)
    chosen = [grid[k].origin for k in rng.permutation(len(grid))[:count]]
    images = cut(labelled(kind), chosen, size)
    each, mean = moduli(images, fibre)
    fractions = (images == 2).mean(axis=(1, 2))
    few = images[:SPLIT_WINDOWS]
    split = {str(s): float(moduli(few, fibre, s)[0].mean()) for s in (1, 2, 4)}
    diameter = microstructure.fibre_diameter(kind).pixels
    offset = {str(o): float(moduli(cut(labelled(kind, o), chosen, size), fibre)[0].mean()) for o in (-1.0, 1.0)}
    seen = float(kind.fraction[-1] / (kind.fraction[-1] + kind.fraction[-2]))
    slope = np.polyfit(fractions, each, 1)
    std = float(each.std(ddof=1))
    return {
        "image": path.name, "phases": list(kind.phases), "fractions": kind.fraction.tolist(),
        "fraction_std": kind.fraction_std.tolist(), "notes": list(kind.notes), "window": size, "windows": len(each),
        "window_over_fibre": size / diameter, "fibre_pixels": diameter,
        "E_T_GPa": each.tolist(), "window_fractions": fractions.tolist(),
        "window_voids": (images == 0).mean(axis=(1, 2)).tolist(),
        "mean_GPa": float(each.mean()), "std_GPa": std, "standard_error_GPa": std / math.sqrt(len(each)),
        "of_mean_stiffness_GPa": nearest_transversely_isotropic(mean, axis=3).E_T / 1e9,
        "windows_needed": max(1, math.ceil((std / (PRECISION * each.mean())) ** 2)), "precision": PRECISION,
        "explained_by_fraction": float(np.corrcoef(fractions, each)[0, 1] ** 2), "GPa_per_fraction": float(slope[0]),
        "segmentation_GPa": offset, "segmentation_std_GPa": abs(offset["1.0"] - offset["-1.0"]) / 2.0,
        "pixels_split_GPa": split,
        "beside_GPa": bounds(fibre, RESIN, seen), "beside": f"fibre fraction {seen:.3f} of the solid; voids left out",
    }  # fmt: skip


def part(data: Path, seed: int, count: int) -> list[dict[str, Any]]:
    """The slices of both materials."""
    rows = []
    for name in ("glass0864.png", "carbon0103.png"):
        row, cost = fresh(slice_figures, data / FOLDER / name, 128, seed, count)
        rows.append({**row, "cost": cost})
        beside = row["beside_GPa"]
        print(
            f"{name}: E_T {row['mean_GPa']:.2f} GPa, windows ± {row['std_GPa']:.2f} ({row['windows_needed']} needed "
            f"for {PRECISION:.0%}), segmentation ± {row['segmentation_std_GPa']:.2f}; pixels split in 4 "
            f"{row['pixels_split_GPa']['4']:.2f} against {row['pixels_split_GPa']['1']:.2f}; Hashin "
            f"{beside['mori_tanaka']:.2f} to {beside['upper']:.2f}, Halpin-Tsai {beside['halpin_tsai']:.2f}; "
            f"{cost['wall_s']:.0f} s, {cost['peak_MB']:.0f} MB", flush=True,
        )  # fmt: skip
    return rows
