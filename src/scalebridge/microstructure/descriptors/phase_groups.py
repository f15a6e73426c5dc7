"""The groups of descriptors that one phase has."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scalebridge.errors import InputError
from scalebridge.microstructure.connectivity import Axis
from scalebridge.microstructure.correlation import decayed_length
from scalebridge.microstructure.descriptors.cells import voronoi
from scalebridge.microstructure.descriptors.chords import chord_lengths, lineal_path
from scalebridge.microstructure.descriptors.cracking import crack_ways
from scalebridge.microstructure.descriptors.fractions import phase_fraction
from scalebridge.microstructure.descriptors.functionals import minkowski
from scalebridge.microstructure.descriptors.masks import Mask
from scalebridge.microstructure.descriptors.neighbours import nearest_neighbours
from scalebridge.microstructure.descriptors.orientation import orientation_tensor
from scalebridge.microstructure.descriptors.parts import std_of_mean
from scalebridge.microstructure.descriptors.point_pairs import pair_correlation
from scalebridge.microstructure.descriptors.points import points_in
from scalebridge.microstructure.descriptors.region_shapes import Regions, measured, regions
from scalebridge.microstructure.descriptors.resin import resin_zones
from scalebridge.microstructure.descriptors.separation import separated, typical_diameter
from scalebridge.microstructure.descriptors.thickness import local_thickness
from scalebridge.microstructure.descriptors.tortuosity import geometric_tortuosity

SMALLEST = 4
"""Regions of fewer pixels are noise."""

CRACKED = ("void", "voids", "crack", "cracks", "pore", "pores")
"""Names of phases along which cracks are sought."""

SHAPES = (
    "diameter",
    "diameter_variation",
    "elongation",
    "elongated_share",
    "alignment",
    "largest",
    "largest_share",
)
"""What regions tell, where there are any."""

LARGE = 1 << 21
"""Voxels above which the shortest ways through a volume are too slow to be sought unasked."""


@dataclass(frozen=True)
class Row:
    """A descriptor before its unit: ``power`` of length, or ``unit`` as it is; of value nan, with the reason why."""

    name: str
    value: float
    std: float | None
    power: int
    meaning: str
    unit: str = ""
    reason: str = "it is not defined here"


@dataclass(frozen=True, eq=False)
class Phase:
    """One phase of an image.

    Attributes:
        name: of the phase.
        mask: where it is, ``[*grid]``.
        inside: the pixels that count, ``[*grid]``.
        edge: edge of a pixel.
        fraction_std: deviation of its fraction by the segmentation.
        background: whether it is the first of several phases, in which the others lie.
    """

    name: str
    mask: Mask
    inside: Mask
    edge: float
    fraction_std: float
    background: bool

    @cached_property
    def visible(self) -> Mask | None:
        """The field of view, ``None`` when that is all."""
        return None if self.inside.all() else self.inside

    @cached_property
    def regions(self) -> Regions:
        """Its connected regions: cracks hang together by corners, what a line of one pixel parts does not."""
        return regions(self.mask, self.visible, self.edge, SMALLEST, by_corners=self.name in CRACKED)

    @cached_property
    def bodies(self) -> Regions:
        """Its regions with touching ones parted."""
        return measured(separated(self.mask, self.visible), self.visible, self.edge)


def fraction(p: Phase) -> list[Row]:
    """Fraction, with the deviations of sample and segmentation."""
    found = phase_fraction(p.mask, p.visible, p.fraction_std)
    length = found.correlation_length * p.edge
    side = "side of the square or cube that counts as one draw"
    if not found.gathered:
        side += "; at least, and the deviation of the fraction too: it still rises at a quarter of the image"
    return [
        Row(f"{p.name}_fraction", found.value, found.std, 0, f"share of the field of view that is {p.name}"),
        Row(f"{p.name}_independent_length", length, None, 1, side),
    ]


def surface(p: Phase) -> list[Row]:
    """Specific surface and Euler number."""
    _need(p)
    found = minkowski(p.mask, p.visible, p.edge)
    dim, what = p.mask.ndim, "perimeter per area" if p.mask.ndim == 2 else "surface per volume"
    told = "parts less holes" if dim == 2 else "parts less tunnels plus cavities"
    return [
        Row(f"{p.name}_surface", found.surface, _known(found.surface_std), -1, f"{what} of {p.name} (Cauchy-Crofton)"),
        Row(f"{p.name}_euler", found.euler, _known(found.euler_std), -dim, f"Euler number density, {told}"),
    ]


def chords(p: Phase) -> list[Row]:
    """Chord lengths and lineal path."""
    _need(p)

    def measure(box: tuple[slice, ...]) -> dict[str, float]:
        return _chords(p.mask[box], p.inside[box], p.edge)

    value, std = measure(()), std_of_mean(measure, p.inside)
    meanings = {
        "chord": (1, f"mean length of lines in {p.name}"),
        "chord_variation": (0, "standard deviation of chords over their mean"),
        "chord_ratio": (0, "mean chord along x over that along y"),
        "lineal_path": (1, "length over which the lineal path decays: its integral over the fraction"),
    }
    return _rows(p, value, std, meanings)


def _chords(mask: Mask, inside: Mask, edge: float) -> dict[str, float]:
    visible = None if inside.all() else inside
    every = chord_lengths(mask, visible, edge)
    along, across = (chord_lengths(mask, visible, edge, [mask.ndim - k]) for k in (1, 2))
    reach = min(max(8, int(8 * every.mean / edge)) if np.isfinite(every.mean) else 8, max(mask.shape) - 1)
    path = lineal_path(mask, visible, reach)
    path = path[np.isfinite(path)]
    found = {"chord": every.mean, "chord_variation": every.std / every.mean, "chord_ratio": along.mean / across.mean}
    if path.size and path[0] > 0:
        found["lineal_path"] = float(np.trapezoid(path)) / float(path[0]) * edge
    return found


def correlation(p: Phase) -> list[Row]:
    """Two-point correlation."""
    _need(p)

    def measure(box: tuple[slice, ...]) -> dict[str, float]:
        part, seen = p.mask[box], p.inside[box]
        length = decayed_length(part, None if seen.all() else seen, 64 if part.ndim == 2 else 32)
        return {"correlation_length": length * p.edge}

    told = {"correlation_length": (1, "length over which the two-point correlation gathers")}
    return _rows(p, measure(()), std_of_mean(measure, p.inside), told)


def thickness(p: Phase) -> list[Row]:
    """Local thickness."""
    _need(p)
    width = local_thickness(p.mask, p.visible, None) * np.float32(p.edge)

    def measure(box: tuple[slice, ...]) -> dict[str, float]:
        held = width[box][width[box] > 0]
        if not held.size:
            raise InputError("no pixel")
        mean = float(held.mean(dtype=np.float64))
        return {"thickness": mean, "thickness_variation": float(held.std(dtype=np.float64)) / mean}

    value = measure(()) | {"thickness_largest": float(width.max())}
    return _rows(
        p,
        value,
        std_of_mean(measure, p.inside),
        {
            "thickness": (1, f"mean local thickness of {p.name}: the widest ball that holds a point"),
            "thickness_variation": (0, "its standard deviation over its mean"),
            "thickness_largest": (1, "the widest ball"),
        },
    )


def shapes(p: Phase) -> list[Row]:
    """Connected regions: number, size, shape, orientation."""
    found = p.regions
    dim, n = p.mask.ndim, len(found)
    density = n / found.seen
    rows = [Row(f"{p.name}_regions", density, np.sqrt(n) / found.seen, -dim, f"connected regions of {p.name} per size")]
    if not n:
        why = f"there is no region of {p.name} of {SMALLEST} pixels"
        return rows + [Row(f"{p.name}_{name}", math.nan, None, 0, "", reason=why) for name in SHAPES]
    largest, total = float(found.size.max()), float(found.size.sum())
    aligned = orientation_tensor(found.direction[:, ::-1], found.size).alignment
    stretched = float(found.size[found.elongated].sum() / total)
    d, e = found.diameter, found.elongation
    return [
        *rows,
        _mean(f"{p.name}_diameter", d, 1, "mean equivalent diameter of its regions"),
        Row(f"{p.name}_diameter_variation", float(d.std() / d.mean()), None, 0, "its standard deviation over its mean"),
        _mean(f"{p.name}_elongation", e, 0, "mean ratio of the longest to the shortest axis of its regions"),
        Row(f"{p.name}_elongated_share", stretched, None, 0, "share of it in regions with a ratio from 3"),
        Row(f"{p.name}_alignment", aligned, None, 0, "alignment of its regions: 0 random, 1 one direction"),
        Row(f"{p.name}_largest", largest, None, dim, "size of its largest region"),
        Row(f"{p.name}_largest_share", largest / total, None, 0, "share of it that hangs together in one region"),
    ]


def crack_rows(p: Phase) -> list[Row]:
    """Cracks along their ways."""
    if p.mask.ndim != 2:
        raise InputError("cracks are followed in slices; the volume has regions instead")
    found = crack_ways(p.mask, p.visible, p.edge, SMALLEST)
    held = found.slender
    rows = [
        Row(f"{p.name}_crack_count", float(held.sum()), None, 0, "regions at least three times as long as wide"),
        Row(f"{p.name}_crack_density", found.density, None, -1, "length of cracks per area"),
        Row(f"{p.name}_crack_longest", float(found.length[held].max(initial=0.0)), None, 1, "longest way in a crack"),
    ]
    return (
        [*rows, _mean(f"{p.name}_crack_width", found.width[held], 1, "mean opening of cracks")] if held.any() else rows
    )


def neighbours(p: Phase) -> list[Row]:
    """Neighbours of the centres of its regions, touching ones parted."""
    _need(p)
    bodies = p.bodies
    centre = bodies.centre[bodies.size >= SMALLEST * p.edge**p.mask.ndim] / p.edge
    # The centroid of a bent region may lie outside of the field of view.
    centre = centre[p.inside[tuple(np.rint(centre).astype(int).T)]] if len(centre) else centre
    points = points_in(np.unique(centre, axis=0), p.inside, p.edge)
    near = nearest_neighbours(points)
    ratio, random = near.std / near.mean, near.clark_evans
    rows = [
        Row(f"{p.name}_centres", len(points) / bodies.seen, None, -p.mask.ndim, f"centres of {p.name} per size"),
        Row(f"{p.name}_width", typical_diameter(bodies), None, 1, "equivalent diameter above which half of it lies"),
        Row(f"{p.name}_neighbour", near.mean, near.mean_std, 1, "mean distance to the nearest centre"),
        Row(f"{p.name}_neighbour_variation", ratio, None, 0, "standard deviation of that over its mean"),
        Row(f"{p.name}_clark_evans", random, near.clark_evans_std, 0, "that over random: 1 random, above regular"),
    ]
    cells = voronoi(points)
    distance, height = pair_correlation(points).peak
    few = "the points are too few for a ring of the pair correlation to hold the pairs it needs"
    return [
        *rows,
        Row(
            f"{p.name}_voronoi_variation",
            cells.variation,
            cells.variation_std,
            0,
            "scatter of Voronoi cells; random .53",
        ),
        Row(f"{p.name}_pair_peak", height, None, 0, "highest value of the pair correlation", reason=few),
        Row(f"{p.name}_pair_distance", distance, None, 1, "distance of that highest value", reason=few),
    ]


def free_zones(p: Phase) -> list[Row]:
    """Zones without the phase: resin-rich ones, where it is a fibre."""
    _need(p)
    found = resin_zones(p.mask, p.visible, p.edge, typical_diameter(p.bodies))
    dim = p.mask.ndim
    rows = [
        Row(f"{p.name}_free_share", found.share, None, 0, f"share where a further {p.name} would fit: resin-rich"),
        Row(f"{p.name}_free_largest", found.largest, None, dim, "largest such zone"),
        Row(f"{p.name}_free_distance", found.distance, None, 1, f"mean distance outside to the nearest {p.name}"),
        Row(f"{p.name}_free_distance_95", found.distance_95, None, 1, "its 95th percentile"),
    ]
    told = f"scatter of the fraction of {p.name} over windows of five widths"
    return [*rows, Row(f"{p.name}_local_std", found.local_std, None, 0, told)] if np.isfinite(found.local_std) else rows


def ways(p: Phase) -> list[Row]:
    """Geometric tortuosity along the axes that the phase connects."""
    if p.mask.size > LARGE:
        raise InputError(f"the volume has over {LARGE} voxels; call geometric_tortuosity() on it, or on a part")
    _need(p)
    axes: tuple[Axis, ...] = ("x", "y") if p.mask.ndim == 2 else ("x", "y", "z")
    rows: list[Row] = []
    for axis in axes:
        try:
            found = geometric_tortuosity(p.mask, axis, p.visible)
        except InputError as error:
            rows.append(Row(f"{p.name}_tortuosity_{axis}", math.nan, None, 0, "", reason=str(error)))
            continue
        rows.append(Row(f"{p.name}_tortuosity_{axis}", found.value, None, 0, f"shortest way over straight one, {axis}"))
    return rows


PHASE_GROUPS: dict[str, Callable[[Phase], list[Row]]] = {
    "fraction": fraction,
    "surface": surface,
    "chords": chords,
    "correlation": correlation,
    "thickness": thickness,
    "shapes": shapes,
    "cracks": crack_rows,
    "neighbours": neighbours,
    "free_zones": free_zones,
    "tortuosity": ways,
}
"""Groups that every phase has, by name."""

SEGMENTED = ("surface", "chords", "correlation", "thickness")
"""Groups whose deviation includes that of the segmentation, by describing it a deviation to either side too."""


def candidates(group: str, phases: list[Phase]) -> list[Phase]:
    """Return the phases for which a group makes sense.

    Raises:
        InputError: for none of them.
    """
    if group == "cracks":
        kept = [p for p in phases if p.name in CRACKED]
        if not kept:
            raise InputError("no phase is called void, crack or pore; name the phases by phases=")
        return kept
    if group in ("neighbours", "free_zones"):
        # The background has no centres, and no void is missing where there is none.
        return [p for p in phases if not p.background and (group == "neighbours" or p.name not in CRACKED)]
    return phases


def _need(p: Phase) -> None:
    if not p.mask.any() or not (p.inside & ~p.mask).any():
        raise InputError(f"{p.name} fills {'none' if not p.mask.any() else 'all'} of the field of view")


def _known(std: float) -> float | None:
    return std if np.isfinite(std) else None


def _mean(name: str, values: np.ndarray, power: int, meaning: str) -> Row:
    std = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
    return Row(name, float(values.mean()), std, power, meaning)


def _rows(p: Phase, value: dict[str, float], std: dict[str, float], meanings: dict[str, tuple[int, str]]) -> list[Row]:
    return [
        Row(f"{p.name}_{key}", value[key], std.get(key), power, meaning)
        for key, (power, meaning) in meanings.items()
        if key in value and np.isfinite(value[key])
    ]
