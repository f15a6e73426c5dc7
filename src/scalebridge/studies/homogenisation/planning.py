"""What a homogenisation would solve and take; nothing is run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from scalebridge.studies.homogenisation.inputs import origins_of, part_taken, physics_of, sample_from
from scalebridge.studies.homogenisation.sample import Reading, Sample
from scalebridge.studies.homogenisation.solving import Settings, make_rve


@dataclass(frozen=True)
class ImagePlan:
    """What `homogenise_image` would solve; nothing is run.

    Args:
        taken: which part of the image, in words.
        grid: voxels along each axis, as they are solved.
        fractions: of each phase by name.
        memory: what the largest solve takes, and what is free.
        fits: whether it fits.
        seconds: a rule of thumb on one core: iterations by the contrast times the time of one, and of other solves.
        solves: how many images are solved, by purpose.
    """

    taken: str
    grid: tuple[int, ...]
    fractions: Mapping[str, float]
    memory: str
    fits: bool
    seconds: float
    solves: Mapping[str, int]


VOXELS_PER_SECOND = 4e6
"""Voxels of one load case that one iteration passes in a second on one core, with Numba: measured 3.5e6 to 7e6."""


def plan_image(
    source: str | Path | Sample | NDArray[Any],
    materials: Mapping[str, Any] | None = None,
    conductivity: Mapping[str, Any] | None = None,
    *,
    reading: Reading | None = None,
    settings: Settings | None = None,
    window_size: int | None = None,
    windows: int | None = None,
    seed: int = 0,
    error: Literal["finer", "coarser"] | None = None,
    vary_segmentation: bool = False,
    fields: bool = True,
) -> ImagePlan:
    """Return what `homogenise_image` would do with the same arguments, and what that takes.

    Raises:
        InputError: an image or materials that cannot be used.
    """
    chosen, physics = settings or Settings(), physics_of(materials, conductivity)
    sample = sample_from(source, list(next(iter(physics.values()))), reading)
    origins = origins_of(sample, window_size, windows, seed)
    solved, taken = part_taken(sample, window_size, chosen.composite, vary_segmentation)
    plans, seconds = [], 0.0
    count = 0 if origins is None else len(origins)
    for laws in physics.values():
        rve = make_rve(solved.labels, [laws[name] for name in solved.phases], solved.voxel_size, chosen)
        plans.append((rve.finer if error == "finer" and chosen.composite == 1 else rve).plan())
        cases = rve.inputs.size
        one = cases * _iterations(rve) * rve.phases.size / VOXELS_PER_SECOND
        other = {"finer": 2.0**rve.phases.ndim, "coarser": 0.5**rve.phases.ndim}.get(str(error), 0.0)
        part = 0.0 if window_size is None else window_size**rve.phases.ndim / solved.labels.size
        seconds += one * (1.0 + fields / cases + other + 2.0 * vary_segmentation + count * part)
    largest = max(plans, key=lambda plan: plan.bytes)
    solves = {"the image": 1, f"the {error} grid": int(error is not None), "windows": count}
    solves |= {"other thresholds": 2 * vary_segmentation}
    return ImagePlan(
        taken,
        rve.phases.shape,
        dict(zip(solved.phases, map(float, rve.fractions), strict=True)),
        str(largest),
        largest.fits,
        seconds,
        {words: n for words, n in solves.items() if n},
    )


def _iterations(rve: Any) -> float:
    """Iterations of one load case by the contrast: a sphere takes 17 at 10 and 31 at 100; touching phases take more."""
    contrast = min(float(rve.solver.contrast), 1e4)
    return 5.4 * math.sqrt(contrast) if contrast < 40.0 else 34.0 + 8.0 * math.log10(contrast / 40.0)
