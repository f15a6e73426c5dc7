"""Images to phases: read, segment with a stated uncertainty, choose and check a window.

Names are imported on first use (PEP 562), so that ``import scalebridge`` brings no image library.

::

    image = sb.microstructure.read("slice.png", pixel_size="1.1 um")
    phases = sb.microstructure.segment(image, separate=True)
    phases.fraction, phases.fraction_std, phases.notes
    check = sb.microstructure.representative(phases, size=96)
    rve = sb.microstructure.periodise(check.nearest)

One table of named numbers for an image of any kind, as features of a study::

    table = sb.microstructure.describe(image, pixel_size="1.1 um")
    table["bright_chord"].describe(), table.vector(["bright_fraction", "grey_entropy"])

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
    from scalebridge.microstructure.correlation import (
        TwoPoint,
        cross_correlation,
        directional_correlation,
        integral_range,
        two_point,
    )
    from scalebridge.microstructure.cropping import Window, window, windows
    from scalebridge.microstructure.denoising import denoise, noise_std
    from scalebridge.microstructure.descriptors.cells import Voronoi, voronoi
    from scalebridge.microstructure.descriptors.chords import Chords, chord_lengths, lineal_path
    from scalebridge.microstructure.descriptors.cracking import Cracks, cracks
    from scalebridge.microstructure.descriptors.describing import describe
    from scalebridge.microstructure.descriptors.fractions import Fraction, phase_fraction
    from scalebridge.microstructure.descriptors.functionals import Minkowski, euler_number, minkowski
    from scalebridge.microstructure.descriptors.gradient_orientation import OrientationField, structure_tensor
    from scalebridge.microstructure.descriptors.grains import GrainSize, grain_size
    from scalebridge.microstructure.descriptors.neighbours import Neighbours, nearest_neighbours
    from scalebridge.microstructure.descriptors.orientation import OrientationTensor, orientation_tensor
    from scalebridge.microstructure.descriptors.point_pairs import PairCorrelation, pair_correlation
    from scalebridge.microstructure.descriptors.points import Points, points_in
    from scalebridge.microstructure.descriptors.region_shapes import Regions, regions
    from scalebridge.microstructure.descriptors.resin import ResinZones, resin_zones
    from scalebridge.microstructure.descriptors.separation import separated
    from scalebridge.microstructure.descriptors.table import Descriptor, Descriptors
    from scalebridge.microstructure.descriptors.textures import texture
    from scalebridge.microstructure.descriptors.thickness import Granulometry, granulometry, local_thickness
    from scalebridge.microstructure.descriptors.tortuosity import GeometricTortuosity, geometric_tortuosity
    from scalebridge.microstructure.descriptors.window_sizes import WindowSizes, window_sizes
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
    "Chords": "descriptors.chords",
    "Connected": "connectivity",
    "Cracks": "descriptors.cracking",
    "Descriptor": "descriptors.table",
    "Descriptors": "descriptors.table",
    "FibreDiameter": "fibres",
    "Fraction": "descriptors.fractions",
    "GeometricTortuosity": "descriptors.tortuosity",
    "GrainSize": "descriptors.grains",
    "Granulometry": "descriptors.thickness",
    "Laminate": "structures",
    "Micrograph": "micrograph",
    "Minkowski": "descriptors.functionals",
    "Neighbours": "descriptors.neighbours",
    "OrientationField": "descriptors.gradient_orientation",
    "OrientationTensor": "descriptors.orientation",
    "PairCorrelation": "descriptors.point_pairs",
    "Points": "descriptors.points",
    "Regions": "descriptors.region_shapes",
    "Representativity": "representativity",
    "ResinZones": "descriptors.resin",
    "Scatter": "boxes",
    "Segmentation": "segmentation",
    "ShortFibres": "short_fibres",
    "Structure": "structures",
    "SubVoxels": "subvoxel",
    "TwoPoint": "correlation",
    "Volume": "volume",
    "Voronoi": "descriptors.cells",
    "Voxelised": "voxels",
    "VtiImage": "vti",
    "Window": "cropping",
    "WindowSizes": "descriptors.window_sizes",
    "as_volume": "volume",
    "balls": "structures",
    "body_centred_spheres": "structures",
    "checkerboard": "structures",
    "chord_lengths": "descriptors.chords",
    "coarsen": "subvoxel",
    "connected": "connectivity",
    "cracks": "descriptors.cracking",
    "cross_correlation": "correlation",
    "cylinder": "structures",
    "denoise": "denoising",
    "describe": "descriptors.describing",
    "directional_correlation": "correlation",
    "euler_number": "descriptors.functionals",
    "fibre_diameter": "fibres",
    "field_of_view": "visible",
    "from_array": "micrograph",
    "from_fractions": "subvoxel",
    "from_level_set": "subvoxel",
    "geometric_tortuosity": "descriptors.tortuosity",
    "grain_size": "descriptors.grains",
    "granulometry": "descriptors.thickness",
    "integral_range": "correlation",
    "laminate": "structures",
    "lineal_path": "descriptors.chords",
    "local_thickness": "descriptors.thickness",
    "minkowski": "descriptors.functionals",
    "nearest_neighbours": "descriptors.neighbours",
    "noise_std": "denoising",
    "orientation_tensor": "descriptors.orientation",
    "outlines": "overlays",
    "pair_correlation": "descriptors.point_pairs",
    "percolates": "connectivity",
    "periodise": "periodic",
    "phase_fraction": "descriptors.fractions",
    "pixel_size_from_fibre": "fibres",
    "points_in": "descriptors.points",
    "random_disks": "packing",
    "random_fibres": "packing",
    "random_short_fibres": "short_fibres",
    "random_spheres": "packing",
    "read": "micrograph",
    "read_volume": "reading",
    "read_vti": "vti",
    "rectangles": "overlays",
    "regions": "descriptors.region_shapes",
    "representative": "representativity",
    "resin_zones": "descriptors.resin",
    "scatter": "boxes",
    "segment": "segmentation",
    "separated": "descriptors.separation",
    "sphere": "structures",
    "structure_tensor": "descriptors.gradient_orientation",
    "subvolumes": "boxes",
    "texture": "descriptors.textures",
    "two_point": "correlation",
    "voronoi": "descriptors.cells",
    "voxelise": "voxels",
    "window": "cropping",
    "window_sizes": "descriptors.window_sizes",
    "windows": "cropping",
    "write_vti": "vti",
}

__all__ = [
    "Balls",
    "Checkerboard",
    "Chords",
    "Connected",
    "Cracks",
    "Descriptor",
    "Descriptors",
    "FibreDiameter",
    "Fraction",
    "GeometricTortuosity",
    "GrainSize",
    "Granulometry",
    "Laminate",
    "Micrograph",
    "Minkowski",
    "Neighbours",
    "OrientationField",
    "OrientationTensor",
    "PairCorrelation",
    "Points",
    "Regions",
    "Representativity",
    "ResinZones",
    "Scatter",
    "Segmentation",
    "ShortFibres",
    "Structure",
    "SubVoxels",
    "TwoPoint",
    "Volume",
    "Voronoi",
    "Voxelised",
    "VtiImage",
    "Window",
    "WindowSizes",
    "as_volume",
    "balls",
    "body_centred_spheres",
    "checkerboard",
    "chord_lengths",
    "coarsen",
    "connected",
    "cracks",
    "cross_correlation",
    "cylinder",
    "denoise",
    "describe",
    "directional_correlation",
    "euler_number",
    "fibre_diameter",
    "field_of_view",
    "from_array",
    "from_fractions",
    "from_level_set",
    "geometric_tortuosity",
    "grain_size",
    "granulometry",
    "integral_range",
    "laminate",
    "lineal_path",
    "local_thickness",
    "minkowski",
    "nearest_neighbours",
    "noise_std",
    "orientation_tensor",
    "outlines",
    "pair_correlation",
    "percolates",
    "periodise",
    "phase_fraction",
    "pixel_size_from_fibre",
    "points_in",
    "random_disks",
    "random_fibres",
    "random_short_fibres",
    "random_spheres",
    "read",
    "read_volume",
    "read_vti",
    "rectangles",
    "regions",
    "representative",
    "resin_zones",
    "scatter",
    "segment",
    "separated",
    "sphere",
    "structure_tensor",
    "subvolumes",
    "texture",
    "two_point",
    "voronoi",
    "voxelise",
    "window",
    "window_sizes",
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
