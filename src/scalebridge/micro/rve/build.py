"""From an RVE to its solver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from scalebridge.errors import InputError
from scalebridge.micro.rve.assembly import assemble, labels_only
from scalebridge.micro.rve.control import Control
from scalebridge.micro.rve.grid import Grid
from scalebridge.micro.rve.homogenise import Homogeniser

if TYPE_CHECKING:
    from scalebridge.micro.rve.model import RVE


def build(rve: RVE) -> Homogeniser:
    """Return the solver of an RVE.

    Raises:
        InputError: its device is not available.
    """
    voxels = rve.mixed if rve.mixed is not None else labels_only(rve.phases)
    dtype = torch.float64 if rve.precision == "double" else torch.float32
    device = available_device(rve.device)
    unit = 1.0 if rve.voxel_size is None else rve.voxel_size[-1]
    grid, axes = grid_of(rve), rve.orientation
    if axes is not None and grid.dim > rve.phases.ndim:
        axes = axes[None]
    composite = assemble(voxels, rve.materials, grid, rve.plane, axes, device, dtype, unit)
    return Homogeniser(composite, Control(tolerance=rve.tolerance), rve.discretisation)


def grid_of(rve: RVE) -> Grid:
    """Return the grid of an RVE; one layer of voxels in generalised plane strain."""
    size = rve.voxel_size or (1.0,) * rve.phases.ndim
    # Relative to the last axis, so that the numbers inside do not depend on the unit of length.
    spacing = tuple(h / size[-1] for h in size)
    if rve.phases.ndim == 2 and rve.plane == "generalised":
        return Grid((1, *rve.phases.shape), (1.0, *spacing))
    return Grid(rve.phases.shape, spacing)


def available_device(name: str) -> torch.device:
    """Return the device of that name.

    Raises:
        InputError: a name torch does not know, or a device this machine has not.
    """
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(f"The device '{name}' of the RVE is not available here; use 'cpu'.") from error
    return device
