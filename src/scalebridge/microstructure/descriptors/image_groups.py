"""The groups of descriptors that an image has as a whole: texture of its grey values, orientation, grains."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from scalebridge.errors import InputError
from scalebridge.microstructure.descriptors.gradient_orientation import structure_tensor
from scalebridge.microstructure.descriptors.grains import grain_size
from scalebridge.microstructure.descriptors.orientation import orientation_tensor
from scalebridge.microstructure.descriptors.parts import std_of_mean
from scalebridge.microstructure.descriptors.phase_groups import Row
from scalebridge.microstructure.descriptors.region_shapes import measured
from scalebridge.microstructure.descriptors.subject import Subject
from scalebridge.microstructure.descriptors.textures import texture

TEXTURES = {
    "mean": "mean grey value",
    "std": "standard deviation of the grey values",
    "contrast": "standard deviation of the scaled grey values",
    "skewness": "skewness of the scaled grey values",
    "kurtosis": "excess kurtosis of the scaled grey values",
    "entropy": "entropy of the scaled histogram in bits",
    "gradient_mean": "mean gradient of the scaled grey values per pixel",
    "gradient_variation": "its standard deviation over its mean",
    "cooccurrence": "co-occurrence matrix at this distance in pixels (Haralick)",
    "binary_pattern": "share of a uniform local binary pattern at this radius in pixels",
    "spectrum_slope": "slope of log power on log frequency",
    "spectrum_wavelength": "wavelength at the mean frequency",
    "spectrum_anisotropy": "anisotropy of the power spectrum: 0 none, 1 one direction",
    "correlation_length": "distance at which the correlation of grey values falls below 1/e",
    "bright_below": "bright details narrower than so many pixels, in deviations",
    "dark_below": "dark details narrower than so many pixels, in deviations",
}
"""What the statistics of grey values mean, by their name or its beginning."""

_LENGTHS = ("spectrum_wavelength", "correlation_length")


def grey_values(s: Subject) -> list[Row]:
    """Texture of the grey values, which needs no segmentation."""
    if s.grey is None:
        raise InputError("labels have no grey values; give the image itself")
    grey = s.grey

    def measure(box: tuple[slice, ...]) -> dict[str, float]:
        return texture(grey[box], s.inside[box])

    value, std = measure(()), std_of_mean(measure, s.inside)
    rows = []
    for name, found in value.items():
        length = name in _LENGTHS
        scale = s.edge if length else 1.0
        spread = std[name] * scale if name in std else None
        rows.append(Row(f"grey_{name}", found * scale, spread, int(length), _meaning(name)))
    return rows


def orientation(s: Subject) -> list[Row]:
    """Orientation of lines in the grey values, or of the edges of the last phase."""
    if s.grey is not None:
        shown = s.grey
    elif s.labels is not None:
        shown = s.phase(len(s.phases) - 1).astype(np.float64)
    else:
        raise InputError("regions have orientations of their own, in the group grains")
    field = structure_tensor(shown, s.visible)
    tensor = orientation_tensor(field)
    rows = [
        Row("alignment", tensor.alignment, None, 0, "alignment of lines: 0 random, 1 one direction"),
        Row("misalignment", tensor.mean_misalignment, None, 0, "mean angle of lines from their main direction", "deg"),
        Row("coherence", float(field.coherence[field.inside].mean()), None, 0, "how clear directions are: 0 to 1"),
    ]
    names = "xyz"[: s.dim]
    for i in range(s.dim):
        for j in range(i, s.dim):
            told = f"component {names[i]}{names[j]} of the orientation tensor (y down the rows)"
            value, std = float(tensor.second[i, j]), float(tensor.second_std[i, j])
            rows.append(Row(f"orientation_{names[i]}{names[j]}", value, std, 0, told))
    return rows


def grains(s: Subject) -> list[Row]:
    """Grain size and shape."""
    if s.grains is None:
        raise InputError("the image holds no number per grain; give labels of grains, from a watershed")
    found = grain_size(s.grains, s.visible, f"{s.edge!r} um" if s.unit == "um" else None)
    number = np.unique(s.grains, return_inverse=True)[1].reshape(s.grains.shape) + int(s.grains.min() > 0)
    shape = measured(number.astype(np.int32), s.visible, s.edge)
    whole = shape.elongation[shape.whole]
    rows = [
        Row("grain_intercept", found.intercept, found.intercept_std, 1, "mean lineal intercept (ASTM E112)"),
        Row("grain_density", found.per_area, None, -s.dim, "grains per area or volume, cut ones half"),
    ]
    if found.diameters.size:
        d = found.diameters
        rows += [
            Row("grain_diameter", found.diameter, _finite(found.diameter_std), 1, "mean equivalent diameter"),
            Row("grain_diameter_variation", float(d.std() / d.mean()), None, 0, "its standard deviation over its mean"),
            Row("grain_elongation", float(whole.mean()), None, 0, "mean ratio of the longest to the shortest axis"),
        ]
    if s.unit == "um":
        told = "ASTM grain size number by intercepts"
        rows.append(Row("grain_astm", found.astm_intercept, found.astm_intercept_std, 0, told))
    return rows


IMAGE_GROUPS: dict[str, Callable[[Subject], list[Row]]] = {
    "texture": grey_values,
    "orientation": orientation,
    "grains": grains,
}
"""Groups that an image has as a whole, by name."""


def _meaning(name: str) -> str:
    if name in TEXTURES:
        return TEXTURES[name]
    start = next(start for start in TEXTURES if name.startswith(start))
    return f"{TEXTURES[start]}: {name.removeprefix(start + '_').replace('_', ' ')}"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
