"""From a slice to a ply: phases, windows, the homogenised constants of the windows and what is uncertain of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import scalebridge as sb
from scalebridge.macro.laminate import Ply, Source
from scalebridge.micro.rve.transverse import nearest_transversely_isotropic

Floats = NDArray[np.float64]
Labels = NDArray[np.uint8]

SLICE = Path(__file__).resolve().parents[2] / "data" / "glass-fibre" / "glass0864_cut.png"
# The seam of resin with a stitch is another material: it is no part of the ply's windows.
SEAM = (0, 80, 380, 150)
SIZE = 64
CONSTANTS = ("E1", "E2", "nu12", "G12", "G23")


@dataclass(frozen=True)
class Constituents:
    """E-glass and epoxy: moduli in GPa."""

    glass: float = 72.0
    epoxy: float = 3.5
    epoxy_nu: float = 0.35

    @property
    def laws(self) -> list[sb.micro.Elastic]:
        """Of the labels 0 matrix and 1 fibre."""
        return [sb.micro.Elastic(self.epoxy * 1e9, self.epoxy_nu), sb.micro.Elastic(self.glass * 1e9, 0.22)]


# One standard deviation each, as data sheets scatter.
DEVIATIONS = {"glass": 1.0, "epoxy": 0.15, "epoxy_nu": 0.01}
NOMINAL = Constituents()


def constants(labels: Labels, constituents: Constituents = NOMINAL) -> Floats:
    """Ply constants ``[r, 5]`` (E1, E2, nu12, G12, G23; Pa) of windows ``[r, n, n]``, uniform along the fibres."""
    found = sb.micro.homogenise_many(labels, constituents.laws, plane="generalised", tolerance=1e-3)
    each = [nearest_transversely_isotropic(tensor, axis=3) for tensor in found.tensors]
    return np.array([[c.E_L, c.E_T, c.nu_L, c.G_L, c.G_T] for c in each])


def mean_of(rows: Floats) -> Floats:
    """Geometric mean ``[5]`` of rows ``[r, 5]``."""
    found: Floats = np.exp(np.log(rows).mean(axis=0))
    return found


@dataclass(frozen=True, eq=False)
class Slice:
    """A slice as phases, its windows, and their constants ``[r, 5]``."""

    phases: sb.microstructure.Segmentation
    windows: list[sb.microstructure.Window]
    rows: Floats

    @property
    def best(self) -> Floats:
        """Constants of the ply ``[5]``."""
        return mean_of(self.rows)

    def cut(self, offset: float = 0.0, size: int = SIZE) -> Labels:
        """The windows ``[r, size, size]`` of the segmentation moved by ``offset`` of its deviations."""
        labels = self.phases.at(offset)
        return np.stack([labels[r : r + size, c : c + size] for r, c in (w.origin for w in self.windows)])


def read_slice() -> Slice:
    """Read, segment, cut and homogenise."""
    image = sb.microstructure.read(SLICE)
    phases = sb.microstructure.segment(image)
    windows = sb.microstructure.windows(phases, SIZE, avoid=[SEAM])
    return Slice(phases, windows, constants(np.stack([w.labels for w in windows])))


def sources(found: Slice, few: int = 5) -> list[Source]:
    """What is uncertain of the ply's constants; changes are measured on the first ``few`` windows."""
    images = found.cut()[:few]
    here = found.rows[:few]
    low, high = (mean_of(constants(found.cut(offset)[:few])) for offset in (-1.0, 1.0))
    finer = np.log(mean_of(constants(images.repeat(2, axis=1).repeat(2, axis=2))) / mean_of(here))
    return [
        Source.of_scatter("windows", found.rows),
        Source.between("segmentation", low, high),
        Source("pixels", finer),
        Source("constituents", np.array([_moved(images, mean_of(here), name) for name in DEVIATIONS])),
    ]


def _moved(images: Labels, best: Floats, name: str) -> Floats:
    """Change of the logarithms ``[5]`` when one constant of the constituents rises by its deviation."""
    values = {**vars(NOMINAL), name: getattr(NOMINAL, name) + DEVIATIONS[name]}
    found: Floats = np.log(mean_of(constants(images, Constituents(**values))) / best)
    return found


def ply_of(values: Floats) -> Ply:
    """The ply of constants ``[5]``."""
    E1, E2, nu12, G12, G23 = (float(v) for v in values)
    return Ply(E1, E2, nu12, G12, G23=G23)
