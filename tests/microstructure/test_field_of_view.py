"""Black outside of the field of view is not void; dark inside is."""

from __future__ import annotations

import numpy as np

import scalebridge as sb

ms = sb.microstructure


def disc(size: int, row: float, column: float, radius: float) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    return (y - row) ** 2 + (x - column) ** 2 < radius**2


def textured(size: int = 128) -> np.ndarray:
    return np.clip(0.5 + 0.1 * np.random.default_rng(1).standard_normal((size, size)), 0.2, 1)


def test_a_round_field_of_view_is_found_exactly() -> None:
    inside = disc(128, 63.5, 63.5, 60)
    np.testing.assert_array_equal(ms.field_of_view(np.where(inside, textured(), 0.0)), inside)


def test_corners_as_small_as_ten_pixels_are_found() -> None:
    grey = textured()
    corner = np.add.outer(np.arange(128), np.arange(128)) < 6
    grey[corner] = 0
    np.testing.assert_array_equal(ms.field_of_view(grey), ~corner)


def test_voids_inside_and_at_the_rim_of_the_field_of_view_stay() -> None:
    inside = disc(128, 63.5, 63.5, 60)
    grey = np.where(inside, textured(), 0.0)
    grey[disc(128, 64, 64, 8)] = 0.0
    grey[disc(128, 64, 121, 8) & inside] = 0.1
    np.testing.assert_array_equal(ms.field_of_view(grey), inside)


def test_a_black_void_cut_by_the_border_of_a_full_image_stays() -> None:
    grey = textured()
    grey[disc(128, 64, 0, 12)] = 0.0
    assert ms.field_of_view(grey).all()


def test_an_image_without_black_surround_is_all_inside() -> None:
    assert ms.field_of_view(textured()).all()


def test_the_glass_slice_loses_its_black_corners_and_nothing_else(glass: sb.microstructure.Micrograph) -> None:
    np.testing.assert_array_equal(ms.field_of_view(glass), glass.grey > 0)
