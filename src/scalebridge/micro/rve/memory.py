"""How much memory a solve will take, told before it starts."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from scalebridge.errors import InputError
from scalebridge.micro.rve.homogenise import KEPT_BYTES
from scalebridge.micro.rve.image import kind_of
from scalebridge.micro.rve.kinematics import Kinematics
from scalebridge.micro.rve.phases.rigid import Rigid

if TYPE_CHECKING:
    from scalebridge.micro.rve.model import RVE

GIB = 2.0**30


@dataclass(frozen=True)
class Plan:
    """What a solve will do and take.

    Args:
        bytes: peak of the fields beyond what is held now.
        available: bytes free on the device.
        rows: load cases or images solved together.
        parts: bytes by purpose.
    """

    bytes: int
    available: int
    rows: int
    parts: dict[str, int]

    @property
    def fits(self) -> bool:
        """Whether the fields fit in nine tenths of what is free."""
        return self.bytes <= 0.9 * self.available

    def __str__(self) -> str:
        """One line for people."""
        purposes = ", ".join(f"{name} {size / GIB:.2f}" for name, size in self.parts.items())
        return f"{self.bytes / GIB:.2f} GiB of {self.available / GIB:.1f} GiB free ({purposes}); {self.rows} at once"

    def check(self, what: str) -> None:
        """Raise where the fields do not fit.

        Raises:
            InputError: more memory needed than is free.
        """
        if not self.fits:
            raise InputError(
                f"{what} needs {self.bytes / GIB:.1f} GiB and {self.available / GIB:.1f} GiB are free; crop or coarsen "
                "the image, or use precision='single', which halves it."
            )


def available_bytes(device: torch.device) -> int:
    """Return the bytes free on a device; of the machine, what can be had without swapping."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def plan_of(rve: RVE) -> Plan:
    """Return what the effective tensor of an RVE (nonlinear laws: one load) will take, from the sizes alone."""
    from scalebridge.micro.rve.build import available_device, grid_of

    device = available_device(rve.device)
    grid = grid_of(rve)
    shape = _Shape(
        Kinematics(kind_of(rve.materials), grid.dim),
        2**grid.dim if rve.discretisation == "hexahedra" else 1,
        all(getattr(law, "linear", False) or isinstance(law, Rigid) for law in rve.materials),
        rve.orientation is not None,
    )
    small = shape.kinematics.kind == "small strain" and rve.discretisation == "rotated" and device.type == "cpu"
    fused = small and importlib.util.find_spec("numba") is not None
    lean = fused and grid.dim == 3 and shape.linear
    scalars = _fused_fields(shape) if lean else _torch_fields(shape, fused)
    size = grid.voxels * (8 if rve.precision == "double" else 4)
    parts = {name: int(number * size) for name, number in scalars.items()}
    if lean and parts["fluctuations"] > KEPT_BYTES:
        parts["fluctuations"] //= shape.kinematics.size
    # Labels as given, flat positions of each phase, labels in the table.
    parts["image"] = 24 * grid.voxels
    return Plan(sum(parts.values()), available_bytes(device), 1, parts)


@dataclass(frozen=True)
class _Shape:
    """What the number of fields depends on."""

    kinematics: Kinematics
    points: int
    linear: bool
    per_voxel: bool

    @property
    def entries(self) -> int:
        """Of a stored tangent."""
        return self.kinematics.size * (self.kinematics.size + 1) // 2


def _fused_fields(shape: _Shape) -> dict[str, float]:
    """Scalar fields of the fused solver in space: direction, residual and force spectra; all fluctuations."""
    c, g = shape.kinematics.unknowns, shape.kinematics.size
    tangent = 2.0 * shape.entries if shape.per_voxel else 1.0
    return {"solver": 5.0 * c, "fluctuations": float(g * c), "tangent": tangent}


def _torch_fields(shape: _Shape, fused: bool) -> dict[str, float]:
    kin, q = shape.kinematics, shape.points
    c, g, d = kin.unknowns, kin.size, kin.dim
    isotropic = shape.linear and not shape.per_voxel
    tangent = 3.0 if isotropic else 2.0 * shape.entries * q
    # A law sees its strains gathered, and makes a full tangent before it is stored.
    laws = 0.0 if isotropic else (3.0 * g + g * g) * q
    solver = c * d * q + 2.0 * g * q + (13.0 if fused else 9.0) * c + 0.5 * c * (c + 1) + 2.0 * c
    found = {"solver": solver, "fluctuations": 2.0 * g * c, "tangent": tangent, "laws": laws}
    # Temporaries of single operations; measured at 10 to 32 % of the rest.
    return found | {"temporaries": 0.35 * sum(found.values())}
