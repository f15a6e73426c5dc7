"""Discretisations of an RVE, one file each."""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from scalebridge.errors import InputError, did_you_mean

if TYPE_CHECKING:
    import torch

    from scalebridge.micro.rve.discretisations.discretisation import Discretisation
    from scalebridge.micro.rve.grid import Grid

# Name, which is also the module, and class; imported when asked for, because they bring torch.
DISCRETISATIONS = MappingProxyType(
    {"rotated": "Rotated", "hexahedra": "Hexahedra", "moulinec_suquet": "MoulinecSuquet"}
)


def make(name: str, grid: Grid, b: int, c: int, device: torch.device, dtype: torch.dtype) -> Discretisation:
    """Return the discretisation of that name for fields ``[b, c, *grid]``.

    Raises:
        InputError: a name that is not in `DISCRETISATIONS`.
    """
    if name not in DISCRETISATIONS:
        raise InputError(f"There is no discretisation '{name}' of an RVE{did_you_mean(name, DISCRETISATIONS)}")
    module = importlib.import_module(f"{__name__}.{name}")
    return cast("Discretisation", getattr(module, DISCRETISATIONS[name])(grid, b, c, device, dtype))
