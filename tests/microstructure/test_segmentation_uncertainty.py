"""The stated deviation of the fibre fraction against packings whose fraction is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import scalebridge as sb

ms = sb.microstructure
pytestmark = pytest.mark.theory

SCANS = [
    {"blur": 0.7, "noise": 9 / 255},
    {"blur": 1.0, "noise": 9 / 255, "sharpen": 0.5},
    {"blur": 1.4, "noise": 9 / 255, "sharpen": 0.8},
    {"blur": 1.2, "noise": 4 / 255},
    {"blur": 1.0, "noise": 5 / 255, "dark": 0.44, "bright": 0.55},
]


@pytest.mark.parametrize("separate", [True, False])
def test_the_true_fraction_lies_within_two_stated_deviations(slice_of: Callable, separate: bool) -> None:
    errors, scores = [], []
    for fraction in (0.35, 0.45, 0.55, 0.65):
        for scan in SCANS:
            truth = slice_of(fraction, **scan)
            found = ms.segment(ms.from_array(truth.grey), separate=separate)
            errors.append(found.fraction[1] - truth.fraction)
            scores.append(errors[-1] / found.fraction_std[1])
    assert np.abs(scores).max() < 2
    # Not so wide as to say nothing: errors fill a fair part of the deviation.
    assert np.sqrt(np.mean(np.square(scores))) > 0.3
    if separate:
        assert np.abs(errors).max() < 0.035 and abs(np.mean(errors)) < 0.012


def test_the_fibre_diameter_is_found_within_two_stated_deviations(slice_of: Callable) -> None:
    for fraction in (0.4, 0.6):
        for scan in SCANS:
            truth = slice_of(fraction, **scan)
            found = ms.fibre_diameter(ms.segment(ms.from_array(truth.grey)))
            assert abs(found.pixels - 2 * truth.radius) < 2 * found.pixels_std
