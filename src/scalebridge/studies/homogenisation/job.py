"""One run: the image, its field, and the other versions of it that were asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.quantities import Floats
from scalebridge.studies.homogenisation.figures_of_merit import (
    constants_along_axes,
    isotropic_constants,
    limits,
    transverse_constants,
)
from scalebridge.studies.homogenisation.outcome import Difference, Effective
from scalebridge.studies.homogenisation.sample import Sample
from scalebridge.studies.homogenisation.scatter import over_windows
from scalebridge.studies.homogenisation.solving import Settings, hill_mandel, make_rve, solve, unit_load

if TYPE_CHECKING:
    from scalebridge.micro.rve import LocalFields

Progress = Callable[[str, float], None]
MANDEL = {3: ("11", "22", "12"), 6: ("11", "22", "33", "23", "13", "12")}


@dataclass
class Job:
    """One run: settings, what is asked for beside the tensor, and how much of the work is behind."""

    settings: Settings
    error: str | None
    vary: bool
    fields: bool
    progress: Progress
    fractions: Any = ()
    steps: float = 1.0
    behind: float = 0.0

    def __post_init__(self) -> None:
        if self.error == "finer" and self.settings.composite > 1 and self.settings.composite % 2:
            raise InputError(
                f"Composite voxels of {self.settings.composite} pixels cannot be halved; take an even --composite, or "
                "--error coarser."
            )

    def count(self, physics: Mapping[str, Any], origins: Any) -> None:
        """Estimate the work in solves of the whole image."""
        each = 1.0 + self.fields + 4.0 * (self.error == "finer") + 0.3 * (self.error == "coarser") + 2.0 * self.vary
        windows = 0 if origins is None else 0.3 * len(origins)
        self.steps = len(physics) * (each + windows)

    def tell(self, words: str, work: float) -> None:
        """Say what comes next, and add the work that is behind."""
        self.behind += work
        self.progress(words, min(self.behind / self.steps, 1.0))

    def _case(self, words: str, done: int, cases: int) -> None:
        self.progress(f"{words}, load case {done} of {cases}", min((self.behind + done / cases) / self.steps, 1.0))

    def effective(self, sample: Sample, laws: Sequence[Any], kind: str) -> tuple[Effective, LocalFields | None]:
        """Solve the image, its field, and the versions asked for."""
        dim = sample.labels.ndim
        words = f"{kind} of {' x '.join(map(str, sample.labels.shape))}"
        self.tell(words, 0.0)
        rve = make_rve(sample.labels, laws, sample.voxel_size, self.settings)
        answer = solve(rve, lambda done, cases: self._case(words, done, cases))
        self.fractions = answer.fractions
        self.tell("localising a field" if self.fields else "bounds", 1.0)
        field = rve.localise(unit_load(answer.tensor, kind)) if self.fields and not answer.reason else None
        gap = None if field is None else hill_mandel(field, rve)
        found = _effective(answer, laws, kind, dim, self.settings, gap)
        self.tell(kind, float(self.fields))
        if not answer.reason:
            found = replace(
                found,
                discretisation=self._discretisation(found, sample, laws, rve),
                segmentation=self._segmentation(found, sample, laws),
            )
        return found, field

    def with_windows(
        self, found: Effective, sample: Sample, laws: Sequence[Any], origins: NDArray[np.int64], size: int
    ) -> Effective:
        """Add the scatter over windows."""
        dim, share = sample.labels.ndim, 0.3

        def told(done: int, total: int) -> None:
            self.tell(f"{found.kind}: window {done} of {total}", share * (done - told_before[0]))
            told_before[0] = done

        told_before = [0]
        self.tell(f"{found.kind}: window 1 of {len(origins)}", 0.0)
        windows = over_windows(
            sample, laws, origins, size, self.settings, lambda t: all_constants(t, found.kind, dim), told
        )
        return replace(found, windows=windows)

    def _discretisation(self, found: Effective, sample: Sample, laws: Sequence[Any], rve: Any) -> Difference | None:
        if self.error is None:
            return None
        self.tell(f"{found.kind} on the {self.error} grid", 0.0)
        s, size, dim = self.settings, sample.voxel_size, sample.labels.ndim
        if self.error == "coarser":
            factor = 2 * s.composite
            other = make_rve(sample.labels, laws, size, replace(s, composite=factor))
            words, work = f"composite voxels of {factor} pixels along each axis", 0.3
        elif s.composite > 1:
            other = make_rve(sample.labels, laws, size, replace(s, composite=s.composite // 2))
            words, work = f"voxels of {s.composite // 2} pixels along each axis", 4.0
        else:
            other, words, work = rve.finer, "every pixel split in two along each axis", 4.0
        solved = solve(other)
        self.tell(found.kind, work)
        return _difference(found, words, all_constants(solved.tensor, found.kind, dim))

    def _segmentation(self, found: Effective, sample: Sample, laws: Sequence[Any]) -> tuple[Difference, ...]:
        if not self.vary or sample.segmentation is None:
            return ()
        made, place = [], sample.labels.shape
        for offset in (-1.0, 1.0):
            self.tell(f"{found.kind} with the segmentation at {offset:+.0f} deviation", 0.0)
            labels = sample.segmentation.at(offset)[: place[0], : place[1]]
            solved = solve(make_rve(labels, laws, sample.voxel_size, self.settings))
            share = sample.segmentation.fraction[-1] + offset * sample.segmentation.fraction_std[-1]
            words = f"{sample.phases[-1]} fraction {share:.4f} ({offset:+.0f} deviation)"
            made.append(_difference(found, words, all_constants(solved.tensor, found.kind, labels.ndim)))
            self.tell(found.kind, 1.0)
        return tuple(made)


def _effective(
    answer: Any, laws: Sequence[Any], kind: str, dim: int, settings: Settings, gap: float | None
) -> Effective:
    from scalebridge.micro.rve import voigt

    tensor, g = answer.tensor, len(answer.tensor)
    return Effective(
        kind=kind,
        unit="Pa" if kind == "stiffness" else laws[0].unit,
        components=MANDEL[g] if kind == "stiffness" else tuple(str(i + 1) for i in range(g)),
        tensor=tensor,
        voigt=voigt(tensor) if kind == "stiffness" else tensor,
        constants=constants_along_axes(tensor, kind),
        transverse=transverse_constants(tensor, kind, dim),
        isotropic=isotropic_constants(tensor, kind, dim),
        limits=limits(tensor, answer.fractions, laws, kind, settings.plane, dim),
        hill_mandel=gap,
        iterations=answer.iterations,
        seconds=answer.seconds,
        converged=not answer.reason,
        reason=answer.reason,
    )


def all_constants(tensor: Floats, kind: str, dim: int) -> dict[str, float]:
    """Return the constants along the axes and of the nearest symmetric tensors; empty where singular or not found."""
    along = constants_along_axes(tensor, kind)
    if not along:
        return {}
    near = {**transverse_constants(tensor, kind, dim), **isotropic_constants(tensor, kind, dim)}
    near.pop("distance", None)
    return along | near


def _difference(found: Effective, words: str, other: dict[str, float]) -> Difference:
    base = found.all_constants
    change = {k: (v - base[k]) / abs(base[k]) if base.get(k) else math.nan for k, v in other.items()}
    return Difference(words, other, change)
