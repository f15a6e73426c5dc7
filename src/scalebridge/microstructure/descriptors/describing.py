"""An image of any kind to a table of descriptors: the one call of this room."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.errors import InputError, did_you_mean
from scalebridge.microstructure.descriptors.image_groups import IMAGE_GROUPS
from scalebridge.microstructure.descriptors.phase_groups import CRACKED, PHASE_GROUPS, SEGMENTED, Phase, Row, candidates
from scalebridge.microstructure.descriptors.subject import Labels, Subject, subject_of
from scalebridge.microstructure.descriptors.table import Descriptor, Descriptors
from scalebridge.microstructure.micrograph import Micrograph
from scalebridge.microstructure.segmentation import Segmentation
from scalebridge.microstructure.volume import Volume

GROUPS = (*PHASE_GROUPS, *IMAGE_GROUPS)
"""Names of the groups of descriptors, in the order of the table."""


def describe(
    image: Micrograph | Volume | Segmentation | ArrayLike,
    pixel_size: str | None = None,
    which: Sequence[str] | None = None,
    seed: int = 0,
    *,
    inside: ArrayLike | None = None,
    phases: Sequence[str] | None = None,
) -> Descriptors:
    """Describe a microstructure by named numbers, each with its deviation, unit and meaning.

    A grey image is segmented into void, dark and bright, and where the segmentation refuses, its texture and
    orientation remain. What does not apply is absent, with the reason. Deviations hold the scatter within the image
    and, of a `Segmentation`, what changes when it is moved a deviation to either side; not that among images.

    Args:
        image: a micrograph or volume; a segmentation; an array ``[ny, nx]`` or ``[nz, ny, nx]`` of booleans or of at
            most eight whole numbers (phases), of more whole numbers in over 16 bits or with a sign (a number per
            region, as of grains, 0 for none), else of grey values.
        pixel_size: edge of a pixel with its unit, as ``"1.1 um"``; ``None`` for the image's own, or pixels.
        which: groups of descriptors, of `GROUPS`; all when ``None``.
        seed: of what is drawn at random; no descriptor is as yet, so that it changes nothing.
        inside: the pixels that show material ``[*grid]``; found by `field_of_view` in a grey micrograph.
        phases: names of the phases, as ``("epoxy", "glass")``; a phase called void, crack or pore is followed as
            cracks.

    Raises:
        InputError: an unknown group; an image, a pixel size or names that cannot be used.
        ShapeError: an array of another number of dimensions.
    """
    chosen = _chosen(which)
    if isinstance(image, Segmentation) and inside is not None:
        raise InputError("A segmentation has a field of view of its own; give inside= to segment() instead.")
    subject = subject_of(image, pixel_size, inside, phases)
    return describe_subject(subject, chosen)


def describe_subject(subject: Subject, groups: Sequence[str] = GROUPS) -> Descriptors:
    """Describe what is in the one form already; see `describe`."""
    collected = _Collected(subject.unit)
    sides = [_phases(subject, None), *_moved(subject)]
    for group in groups:
        if group in IMAGE_GROUPS:
            collected.add(group, group, partial(IMAGE_GROUPS[group], subject))
        else:
            _describe_phases(collected, group, subject, sides)
    return Descriptors(collected.found, collected.absent, f"'{subject.name}'", subject.notes)


@dataclass(frozen=True, eq=False)
class _Collected:
    """What was found and what not, so far."""

    unit: str
    found: dict[str, Descriptor] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def add(self, group: str, name: str, measure: Callable[[], list[Row]]) -> None:
        """Take the rows of a group, or note why there are none."""
        try:
            rows = measure()
        except InputError as error:
            self.absent[name] = str(error)
            return
        for row in rows:
            if math.isfinite(row.value):
                self.found[row.name] = _descriptor(row, group, self.unit)
            else:
                self.absent[row.name] = row.reason


def _describe_phases(collected: _Collected, group: str, subject: Subject, sides: list[list[Phase]]) -> None:
    if not sides[0]:
        collected.absent[group] = subject.refusal
        return
    try:
        chosen = candidates(group, sides[0])
    except InputError as error:
        collected.absent[group] = str(error)
        return
    for phase in chosen:
        k = sides[0].index(phase)
        others = [side[k] for side in sides[1:]] if group in SEGMENTED else []
        collected.add(group, f"{phase.name}_{group}", partial(_with_segmentation, group, phase, others))


def _with_segmentation(group: str, phase: Phase, moved: list[Phase]) -> list[Row]:
    """Rows of a phase, with half the change between the segmentations moved to either side in the deviation."""
    rows = PHASE_GROUPS[group](phase)
    if len(moved) != 2 or all(np.array_equal(each.mask, phase.mask) for each in moved):
        return rows
    try:
        low, high = ({row.name: row.value for row in PHASE_GROUPS[group](each)} for each in moved)
    except InputError:
        return rows
    return [
        replace(row, std=math.hypot(row.std or 0.0, (high[row.name] - low[row.name]) / 2))
        if row.name in low and row.name in high
        else row
        for row in rows
    ]


def _phases(subject: Subject, labels: Labels | None) -> list[Phase]:
    if subject.labels is None:
        return []
    names = subject.phases
    # The matrix is the background: the first phase, or the second after a void.
    background = 1 if len(names) > 2 and names[0] in CRACKED else 0
    shown = subject.labels if labels is None else labels
    return [
        Phase(
            name,
            np.asarray((shown == k) & subject.inside),
            subject.inside,
            subject.edge,
            float(subject.fraction_std[k]),
            k == background and len(names) > 1,
        )
        for k, name in enumerate(names)
    ]


def _moved(subject: Subject) -> list[list[Phase]]:
    """Phases of the segmentations a deviation to either side, where there are such."""
    if subject.moved is None:
        return []
    try:
        return [_phases(subject, subject.moved(side)) for side in (-1.0, 1.0)]
    except InputError:
        return []


def _descriptor(row: Row, group: str, unit: str) -> Descriptor:
    return Descriptor(row.name, row.value, row.std, row.unit or _power(unit, row.power), row.meaning, group)


def _power(unit: str, power: int) -> str:
    if power == 0:
        return "1"
    whole = unit if abs(power) == 1 else f"{unit}^{abs(power)}"
    return whole if power > 0 else f"1/{whole}"


def _chosen(which: Sequence[str] | None) -> tuple[str, ...]:
    if which is None:
        return GROUPS
    names = (which,) if isinstance(which, str) else tuple(which)
    for name in names:
        if name not in GROUPS:
            raise InputError(f"There is no group of descriptors '{name}'{did_you_mean(name, GROUPS)}")
    return tuple(name for name in GROUPS if name in names)
