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

from typing import TYPE_CHECKING

from scalebridge.lazy import attach

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
    from scalebridge.microstructure.cracks import Cracks, find_cracks
    from scalebridge.microstructure.cropping import Window, window, windows
    from scalebridge.microstructure.deep.encoder import Encoder
    from scalebridge.microstructure.deep.features import DeepFeatures, deep_features
    from scalebridge.microstructure.deep.learning import learn_features
    from scalebridge.microstructure.denoising import denoise, noise_std
    from scalebridge.microstructure.descriptors.cells import Voronoi, voronoi
    from scalebridge.microstructure.descriptors.chords import Chords, chord_lengths, lineal_path
    from scalebridge.microstructure.descriptors.cracking import CrackWays, crack_ways
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
    from scalebridge.microstructure.descriptors.window_statistics import WindowSizes, window_sizes
    from scalebridge.microstructure.fibre_detection import Fibres, detect_fibres
    from scalebridge.microstructure.fibre_drawing import fibre_figure
    from scalebridge.microstructure.fibres import FibreDiameter, fibre_diameter, pixel_size_from_fibre
    from scalebridge.microstructure.generated.gaussian_field import gaussian_field, gaussian_medium
    from scalebridge.microstructure.generated.grains import Grains, foam, random_grains
    from scalebridge.microstructure.generated.indicator import field_correlation, indicator_covariance
    from scalebridge.microstructure.generated.level_cut import LevelCut, level_cut
    from scalebridge.microstructure.generated.matched import Matched
    from scalebridge.microstructure.generated.matching import match
    from scalebridge.microstructure.generated.matching_fibres import match_fibres
    from scalebridge.microstructure.generated.matching_gaussian import match_gaussian
    from scalebridge.microstructure.generated.matching_grains import match_grains
    from scalebridge.microstructure.generated.packings import packed_disks, packed_fibres, packed_spheres
    from scalebridge.microstructure.generated.spinodal import Decomposition, cahn_hilliard, spinodal
    from scalebridge.microstructure.generated.unequal_balls import UnequalBalls, unequal_balls
    from scalebridge.microstructure.generated.woven import Weave, woven
    from scalebridge.microstructure.layers import Layers, find_layers
    from scalebridge.microstructure.learned.pixel_classifier import PixelClassifier
    from scalebridge.microstructure.learned.unet_classifier import UNetClassifier
    from scalebridge.microstructure.masks import LabelMask, as_mask, read_mask
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
    "CrackWays": "descriptors.cracking",
    "Cracks": "cracks",
    "Decomposition": "generated.spinodal",
    "DeepFeatures": "deep.features",
    "Descriptor": "descriptors.table",
    "Descriptors": "descriptors.table",
    "Encoder": "deep.encoder",
    "FibreDiameter": "fibres",
    "Fibres": "fibre_detection",
    "Fraction": "descriptors.fractions",
    "GeometricTortuosity": "descriptors.tortuosity",
    "GrainSize": "descriptors.grains",
    "Grains": "generated.grains",
    "Granulometry": "descriptors.thickness",
    "LabelMask": "masks",
    "Laminate": "structures",
    "Layers": "layers",
    "LevelCut": "generated.level_cut",
    "Matched": "generated.matched",
    "Micrograph": "micrograph",
    "Minkowski": "descriptors.functionals",
    "Neighbours": "descriptors.neighbours",
    "OrientationField": "descriptors.gradient_orientation",
    "OrientationTensor": "descriptors.orientation",
    "PairCorrelation": "descriptors.point_pairs",
    "PixelClassifier": "learned.pixel_classifier",
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
    "UNetClassifier": "learned.unet_classifier",
    "UnequalBalls": "generated.unequal_balls",
    "Volume": "volume",
    "Voronoi": "descriptors.cells",
    "Voxelised": "voxels",
    "VtiImage": "vti",
    "Weave": "generated.woven",
    "Window": "cropping",
    "WindowSizes": "descriptors.window_statistics",
    "as_mask": "masks",
    "as_volume": "volume",
    "balls": "structures",
    "body_centred_spheres": "structures",
    "cahn_hilliard": "generated.spinodal",
    "checkerboard": "structures",
    "chord_lengths": "descriptors.chords",
    "coarsen": "subvoxel",
    "connected": "connectivity",
    "crack_ways": "descriptors.cracking",
    "cross_correlation": "correlation",
    "cylinder": "structures",
    "deep_features": "deep.features",
    "denoise": "denoising",
    "describe": "descriptors.describing",
    "detect_fibres": "fibre_detection",
    "directional_correlation": "correlation",
    "euler_number": "descriptors.functionals",
    "fibre_diameter": "fibres",
    "fibre_figure": "fibre_drawing",
    "field_correlation": "generated.indicator",
    "field_of_view": "visible",
    "find_cracks": "cracks",
    "find_layers": "layers",
    "foam": "generated.grains",
    "from_array": "micrograph",
    "from_fractions": "subvoxel",
    "from_level_set": "subvoxel",
    "gaussian_field": "generated.gaussian_field",
    "gaussian_medium": "generated.gaussian_field",
    "geometric_tortuosity": "descriptors.tortuosity",
    "grain_size": "descriptors.grains",
    "granulometry": "descriptors.thickness",
    "indicator_covariance": "generated.indicator",
    "integral_range": "correlation",
    "laminate": "structures",
    "learn_features": "deep.learning",
    "level_cut": "generated.level_cut",
    "lineal_path": "descriptors.chords",
    "local_thickness": "descriptors.thickness",
    "match": "generated.matching",
    "match_fibres": "generated.matching_fibres",
    "match_gaussian": "generated.matching_gaussian",
    "match_grains": "generated.matching_grains",
    "minkowski": "descriptors.functionals",
    "nearest_neighbours": "descriptors.neighbours",
    "noise_std": "denoising",
    "orientation_tensor": "descriptors.orientation",
    "outlines": "overlays",
    "packed_disks": "generated.packings",
    "packed_fibres": "generated.packings",
    "packed_spheres": "generated.packings",
    "pair_correlation": "descriptors.point_pairs",
    "percolates": "connectivity",
    "periodise": "periodic",
    "phase_fraction": "descriptors.fractions",
    "pixel_size_from_fibre": "fibres",
    "points_in": "descriptors.points",
    "random_disks": "packing",
    "random_fibres": "packing",
    "random_grains": "generated.grains",
    "random_short_fibres": "short_fibres",
    "random_spheres": "packing",
    "read": "micrograph",
    "read_mask": "masks",
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
    "spinodal": "generated.spinodal",
    "structure_tensor": "descriptors.gradient_orientation",
    "subvolumes": "boxes",
    "texture": "descriptors.textures",
    "two_point": "correlation",
    "unequal_balls": "generated.unequal_balls",
    "voronoi": "descriptors.cells",
    "voxelise": "voxels",
    "window": "cropping",
    "window_sizes": "descriptors.window_statistics",
    "windows": "cropping",
    "woven": "generated.woven",
    "write_vti": "vti",
}

__all__ = [
    "Balls",
    "Checkerboard",
    "Chords",
    "Connected",
    "CrackWays",
    "Cracks",
    "Decomposition",
    "DeepFeatures",
    "Descriptor",
    "Descriptors",
    "Encoder",
    "FibreDiameter",
    "Fibres",
    "Fraction",
    "GeometricTortuosity",
    "GrainSize",
    "Grains",
    "Granulometry",
    "LabelMask",
    "Laminate",
    "Layers",
    "LevelCut",
    "Matched",
    "Micrograph",
    "Minkowski",
    "Neighbours",
    "OrientationField",
    "OrientationTensor",
    "PairCorrelation",
    "PixelClassifier",
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
    "UNetClassifier",
    "UnequalBalls",
    "Volume",
    "Voronoi",
    "Voxelised",
    "VtiImage",
    "Weave",
    "Window",
    "WindowSizes",
    "as_mask",
    "as_volume",
    "balls",
    "body_centred_spheres",
    "cahn_hilliard",
    "checkerboard",
    "chord_lengths",
    "coarsen",
    "connected",
    "crack_ways",
    "cross_correlation",
    "cylinder",
    "deep_features",
    "denoise",
    "describe",
    "detect_fibres",
    "directional_correlation",
    "euler_number",
    "fibre_diameter",
    "fibre_figure",
    "field_correlation",
    "field_of_view",
    "find_cracks",
    "find_layers",
    "foam",
    "from_array",
    "from_fractions",
    "from_level_set",
    "gaussian_field",
    "gaussian_medium",
    "geometric_tortuosity",
    "grain_size",
    "granulometry",
    "indicator_covariance",
    "integral_range",
    "laminate",
    "learn_features",
    "level_cut",
    "lineal_path",
    "local_thickness",
    "match",
    "match_fibres",
    "match_gaussian",
    "match_grains",
    "minkowski",
    "nearest_neighbours",
    "noise_std",
    "orientation_tensor",
    "outlines",
    "packed_disks",
    "packed_fibres",
    "packed_spheres",
    "pair_correlation",
    "percolates",
    "periodise",
    "phase_fraction",
    "pixel_size_from_fibre",
    "points_in",
    "random_disks",
    "random_fibres",
    "random_grains",
    "random_short_fibres",
    "random_spheres",
    "read",
    "read_mask",
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
    "spinodal",
    "structure_tensor",
    "subvolumes",
    "texture",
    "two_point",
    "unequal_balls",
    "voronoi",
    "voxelise",
    "window",
    "window_sizes",
    "windows",
    "woven",
    "write_vti",
]

__getattr__, __dir__ = attach(__name__, _HOME)
