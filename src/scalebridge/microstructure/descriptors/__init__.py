"""Numbers that describe a microstructure in 2-D and 3-D, and `describe`, which gathers them in one table.

Names are imported on first use, no image library before. Every function takes an indicator of a phase and the part of
the image that shows material; lengths are in the unit of the spacing given, pixels by default.

::

    table = sb.microstructure.describe(image, pixel_size="1.1 um")
    table["bright_fraction"].describe(), table.vector(["bright_chord", "grey_entropy"])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalebridge.lazy import attach

if TYPE_CHECKING:
    from scalebridge.microstructure.descriptors.cells import Voronoi, voronoi
    from scalebridge.microstructure.descriptors.chords import Chords, chord_lengths, lineal_path
    from scalebridge.microstructure.descriptors.cracking import CrackWays, crack_ways
    from scalebridge.microstructure.descriptors.describing import GROUPS, describe
    from scalebridge.microstructure.descriptors.distance_maps import distances
    from scalebridge.microstructure.descriptors.fractions import Fraction, phase_fraction
    from scalebridge.microstructure.descriptors.functionals import Minkowski, euler_number, minkowski
    from scalebridge.microstructure.descriptors.gradient_orientation import OrientationField, structure_tensor
    from scalebridge.microstructure.descriptors.grains import GrainSize, grain_size
    from scalebridge.microstructure.descriptors.neighbours import Neighbours, nearest_neighbours
    from scalebridge.microstructure.descriptors.orientation import OrientationTensor, orientation_tensor
    from scalebridge.microstructure.descriptors.point_pairs import PairCorrelation, pair_correlation
    from scalebridge.microstructure.descriptors.points import Points, points_in
    from scalebridge.microstructure.descriptors.region_shapes import Regions, measured, regions
    from scalebridge.microstructure.descriptors.resin import ResinZones, resin_zones
    from scalebridge.microstructure.descriptors.separation import separated
    from scalebridge.microstructure.descriptors.table import Descriptor, Descriptors
    from scalebridge.microstructure.descriptors.textures import texture
    from scalebridge.microstructure.descriptors.thickness import Granulometry, granulometry, local_thickness
    from scalebridge.microstructure.descriptors.tortuosity import GeometricTortuosity, geometric_tortuosity
    from scalebridge.microstructure.descriptors.window_statistics import WindowSizes, window_sizes

_HOME = {
    "Chords": "chords",
    "CrackWays": "cracking",
    "Descriptor": "table",
    "Descriptors": "table",
    "Fraction": "fractions",
    "GROUPS": "describing",
    "GeometricTortuosity": "tortuosity",
    "GrainSize": "grains",
    "Granulometry": "thickness",
    "Minkowski": "functionals",
    "Neighbours": "neighbours",
    "OrientationField": "gradient_orientation",
    "OrientationTensor": "orientation",
    "PairCorrelation": "point_pairs",
    "Points": "points",
    "Regions": "region_shapes",
    "ResinZones": "resin",
    "Voronoi": "cells",
    "WindowSizes": "window_statistics",
    "chord_lengths": "chords",
    "crack_ways": "cracking",
    "describe": "describing",
    "distances": "distance_maps",
    "euler_number": "functionals",
    "geometric_tortuosity": "tortuosity",
    "grain_size": "grains",
    "granulometry": "thickness",
    "lineal_path": "chords",
    "local_thickness": "thickness",
    "measured": "region_shapes",
    "minkowski": "functionals",
    "nearest_neighbours": "neighbours",
    "orientation_tensor": "orientation",
    "pair_correlation": "point_pairs",
    "phase_fraction": "fractions",
    "points_in": "points",
    "regions": "region_shapes",
    "resin_zones": "resin",
    "separated": "separation",
    "structure_tensor": "gradient_orientation",
    "texture": "textures",
    "voronoi": "cells",
    "window_sizes": "window_statistics",
}

__all__ = [
    "GROUPS",
    "Chords",
    "CrackWays",
    "Descriptor",
    "Descriptors",
    "Fraction",
    "GeometricTortuosity",
    "GrainSize",
    "Granulometry",
    "Minkowski",
    "Neighbours",
    "OrientationField",
    "OrientationTensor",
    "PairCorrelation",
    "Points",
    "Regions",
    "ResinZones",
    "Voronoi",
    "WindowSizes",
    "chord_lengths",
    "crack_ways",
    "describe",
    "distances",
    "euler_number",
    "geometric_tortuosity",
    "grain_size",
    "granulometry",
    "lineal_path",
    "local_thickness",
    "measured",
    "minkowski",
    "nearest_neighbours",
    "orientation_tensor",
    "pair_correlation",
    "phase_fraction",
    "points_in",
    "regions",
    "resin_zones",
    "separated",
    "structure_tensor",
    "texture",
    "voronoi",
    "window_sizes",
]

__getattr__, __dir__ = attach(__name__, _HOME)
