"""What was given, checked: laws by physics, the sample, its windows, the part that is solved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.studies.homogenisation.material_text import conductors, material
from scalebridge.studies.homogenisation.sample import Reading, Sample, read_sample, sample_of
from scalebridge.studies.homogenisation.scatter import window_origins
from scalebridge.studies.homogenisation.solving import trimmed


def physics_of(
    materials: Mapping[str, Any] | None, conductivity: Mapping[str, Any] | None
) -> dict[str, dict[str, Any]]:
    """Return the laws by physics and phase, from laws or texts.

    Raises:
        InputError: none at all, texts that cannot be read, laws that are not linear, phases of one physics only.
    """
    found: dict[str, dict[str, Any]] = {}
    if materials:
        found["stiffness"] = {n: material(n, m) if isinstance(m, str) else m for n, m in materials.items()}
    if conductivity:
        read = conductors({n: k for n, k in conductivity.items() if isinstance(k, str)})
        found["conductivity"] = {n: read.get(n, k) for n, k in conductivity.items()}
    if not found:
        raise InputError(
            "Neither materials nor conductivities were given; give one per phase, as --material 'matrix: E=3.5 GPa, "
            "nu=0.35' or --conductivity 'matrix: 0.2 W/(m*K)'."
        )
    for kind, laws in found.items():
        for name, law in laws.items():
            if not getattr(law, "linear", law.name == "rigid"):
                raise InputError(f"The {kind} takes linear laws, and '{name}' is {law.name}; use sb.micro.RVE for it.")
    if len(found) == 2 and set(found["stiffness"]) != set(found["conductivity"]):
        odd = sorted(set(found["stiffness"]) ^ set(found["conductivity"]))
        raise InputError(
            f"The phase '{odd[0]}' has a material or a conductivity, not both; give both for every phase, or run the "
            "two apart."
        )
    return found


def sample_from(source: Any, names: Sequence[str], reading: Reading | None) -> Sample:
    """Return the sample of a file, an array or a sample, with these phases.

    Raises:
        InputError: other phases; what the readers refuse.
    """
    if isinstance(source, Sample):
        if set(names) != set(source.phases):
            raise InputError(
                f"The phases of '{source.name}' are {', '.join(source.phases)}, and materials were given for "
                f"{', '.join(names)}; give one per phase."
            )
        return source
    if isinstance(source, str | Path):
        return read_sample(source, names, reading)
    return sample_of(source, names, None if reading is None else reading.pixel_size)


def origins_of(sample: Sample, size: int | None, count: int | None, seed: int) -> NDArray[np.int64] | None:
    """Return the first corners of the windows asked for ``[n, d]``.

    Raises:
        InputError: a count without a size; a size that does not fit.
    """
    if size is None:
        if count is not None:
            raise InputError(f"{count} windows were asked for; say by --window-size how large they are.")
        return None
    return window_origins(sample, size, count, seed)


def part_taken(sample: Sample, size: int | None, composite: int, vary: bool) -> tuple[Sample, str]:
    """Return the image, or where it is not all inside of the field of view a window of it; and which, in words.

    Raises:
        InputError: no window size where one is needed, no phase in the window, or a segmentation to vary where there
            is none.
    """
    if vary and sample.segmentation is None:
        raise InputError(
            f"The phases of '{sample.name}' are labels, or parted by levels, so their uncertainty is not known; "
            "leave out --vary-segmentation."
        )
    if sample.inside is None or sample.segmentation is None:
        used = trimmed(sample.labels, composite).shape
        part = "" if used == sample.labels.shape else f" but its last rows, to {' x '.join(map(str, used))}"
        return sample, f"the whole image{part}"
    if size is None:
        raise InputError(
            f"{1 - sample.inside.mean():.1%} of the image '{sample.name}' lies outside of the field of view and is no "
            "material; cut a rectangle inside of it by --crop, or take windows inside of it by --window-size."
        )
    if vary:
        raise InputError("--vary-segmentation takes a whole image inside of the field of view; cut one by --crop.")
    from scalebridge.microstructure import representative

    nearest = representative(sample.segmentation, size).nearest
    words = f"the window of {size} pixels at row {nearest.origin[0]}, column {nearest.origin[1]}, whose statistics are "
    present = np.unique(nearest.labels)
    if len(present) < len(sample.phases):
        raise InputError(
            f"The window of {size} pixels nearest to the statistics of '{sample.name}' holds no "
            f"{next(n for k, n in enumerate(sample.phases) if k not in present)}; take a larger --window-size."
        )
    return replace(sample, labels=nearest.labels, inside=None), words + "nearest to those of the image"


def described_phases(physics: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return what is said of each phase: the user's own text, or the law in words."""
    from scalebridge.micro.rve.notebook import law_words

    names = list(next(iter(physics.values())))
    word = {"stiffness": "material", "conductivity": "conductivity"}
    found: dict[str, dict[str, str]] = {name: {} for name in names}
    for kind, laws in physics.items():
        for name, law in laws.items():
            said = given[kind][name]
            found[name][word[kind]] = said if isinstance(said, str) else law_words(law)
    return found
