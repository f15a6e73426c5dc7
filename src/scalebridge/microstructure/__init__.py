"""Images to phases: read, segment with a stated uncertainty, choose and check a window.

Names are imported on first use (PEP 562), so that ``import scalebridge`` brings no image library.

::

    image = sb.microstructure.read("slice.png", pixel_size="1.1 um")
    phases = sb.microstructure.segment(image, separate=True)
    phases.fraction, phases.fraction_std, phases.notes
    check = sb.microstructure.representative(phases, size=96)
    rve = sb.microstructure.periodise(check.nearest)

Volumes, meshes and generated structures::

    volume = sb.microstructure.read_volume("stack.tif", voxel_size="2.25 um").threshold()
    pores = sb.microstructure.connected(volume.labels(), phase=1)
    voxels = sb.microstructure.voxelise("cell.msh", shape=64, subvoxels=4)
    ball = sb.microstructure.sphere(fraction=0.1).subvoxels(32)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scalebridge.microstructure.boxes import Scatter, scatter, subvolumes
    from scalebridge.microstructure.connectivity import Connected, connected, percolates
    from scalebridge.microstructure.correlation import integral_range, two_point
    from scalebridge.microstructure.cropping import Window, window, windows
    from scalebridge.microstructure.denoising import denoise, noise_std
    from scalebridge.microstructure.fibres import FibreDiameter, fibre_diameter, pixel_size_from_fibre
    from scalebridge.microstructure.micrograph import Micrograph, from_array, read
    from scalebridge.microstructure.overlays import outlines, rectangles
    from scalebridge.microstructure.packing import random_disks, random_fibres, random_spheres
    from scalebridge.microstructure.periodic import periodise
    from scalebridge.microstructure.reading import read_volume
    from scalebridge.microstructure.representativity import Representativity, representative
    from scalebridge.microstructure.segmentation import Segmentation, segment
    from scalebridge.microstructure.short_fibres import ShortFibres, random_short_fibres
    from scalebridge.microstructure.structures import (
        Balls,
        Checkerboard,
        Laminate,
        Structure,
        balls,
        body_centred_spheres,
        checkerboard,
        cylinder,
        laminate,
        sphere,
    )
    from scalebridge.microstructure.subvoxel import SubVoxels, coarsen, from_fractions, from_level_set
    from scalebridge.microstructure.visible import field_of_view
    from scalebridge.microstructure.volume import Volume, as_volume
    from scalebridge.microstructure.voxels import Voxelised, voxelise
    from scalebridge.microstructure.vti import VtiImage, read_vti, write_vti

_HOME = {
    "Balls": "structures",
    "Checkerboard": "structures",
    "Connected": "connectivity",
    "FibreDiameter": "fibres",
    "Laminate": "structures",
    "Micrograph": "micrograph",
    "Representativity": "representativity",
    "Scatter": "boxes",
    "Segmentation": "segmentation",
    "ShortFibres": "short_fibres",
    "Structure": "structures",
    "SubVoxels": "subvoxel",
    "Volume": "volume",
    "Voxelised": "voxels",
    "VtiImage": "vti",
    "Window": "cropping",
    "as_volume": "volume",
    "balls": "structures",
    "body_centred_spheres": "structures",
    "checkerboard": "structures",
    "coarsen": "subvoxel",
    "connected": "connectivity",
    "cylinder": "structures",
    "denoise": "denoising",
    "fibre_diameter": "fibres",
    "field_of_view": "visible",
    "from_array": "micrograph",
    "from_fractions": "subvoxel",
    "from_level_set": "subvoxel",
    "integral_range": "correlation",
    "laminate": "structures",
    "noise_std": "denoising",
    "outlines": "overlays",
    "percolates": "connectivity",
    "periodise": "periodic",
    "pixel_size_from_fibre": "fibres",
    "random_disks": "packing",
    "random_fibres": "packing",
    "random_short_fibres": "short_fibres",
    "random_spheres": "packing",
    "read": "micrograph",
    "read_volume": "reading",
    "read_vti": "vti",
    "rectangles": "overlays",
    "representative": "representativity",
    "scatter": "boxes",
    "segment": "segmentation",
    "sphere": "structures",
    "subvolumes": "boxes",
    "two_point": "correlation",
    "voxelise": "voxels",
    "window": "cropping",
    "windows": "cropping",
    "write_vti": "vti",
}

__all__ = [
    "Balls",
    "Checkerboard",
    "Connected",
    "FibreDiameter",
    "Laminate",
    "Micrograph",
    "Representativity",
    "Scatter",
    "Segmentation",
    "ShortFibres",
    "Structure",
    "SubVoxels",
    "Volume",
    "Voxelised",
    "VtiImage",
    "Window",
    "as_volume",
    "balls",
    "body_centred_spheres",
    "checkerboard",
    "coarsen",
    "connected",
    "cylinder",
    "denoise",
    "fibre_diameter",
    "field_of_view",
    "from_array",
    "from_fractions",
    "from_level_set",
    "integral_range",
    "laminate",
    "noise_std",
    "outlines",
    "percolates",
    "periodise",
    "pixel_size_from_fibre",
    "random_disks",
    "random_fibres",
    "random_short_fibres",
    "random_spheres",
    "read",
    "read_volume",
    "read_vti",
    "rectangles",
    "representative",
    "scatter",
    "segment",
    "sphere",
    "subvolumes",
    "two_point",
    "voxelise",
    "window",
    "windows",
    "write_vti",
]


def __getattr__(name: str) -> Any:
    """Import the module of a public name on first use."""
    if name in _HOME:
        return getattr(importlib.import_module(f"scalebridge.microstructure.{_HOME[name]}"), name)
    raise AttributeError(f"module 'scalebridge.microstructure' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
