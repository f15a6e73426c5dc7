"""Images to phases: the real slice, synthetic slices of known fraction, refusals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, gaussian_filter, label

import scalebridge as sb

ms = sb.microstructure
RNG = np.random.default_rng(5)


def test_the_fibre_fraction_of_the_glass_slice_and_its_deviation(glass_phases: sb.microstructure.Segmentation) -> None:
    assert glass_phases.phases == ("matrix", "fibre")
    assert glass_phases.fraction[1] == pytest.approx(0.571, abs=0.005)
    assert glass_phases.fraction_std[1] == pytest.approx(0.033, abs=0.005)
    assert glass_phases.fraction.sum() == pytest.approx(1)
    assert any("pixel size is not known" in note for note in glass_phases.notes)
    assert any("0.7% of the image lies outside" in note for note in glass_phases.notes)
    assert not any("contrast" in note for note in glass_phases.notes)


def test_the_plain_otsu_threshold_is_at_hand(glass: sb.microstructure.Micrograph) -> None:
    from skimage.filters import threshold_otsu

    plain = ms.segment(glass, separate=False, denoising="none")
    inside = glass.grey[glass.grey > 0]
    assert plain.fraction[1] == pytest.approx((inside > threshold_otsu(inside)).mean(), abs=0.005)


def test_touching_fibres_are_parted(glass_phases: sb.microstructure.Segmentation) -> None:
    merged = ms.segment(glass_phases.image, separate=False)
    assert label(merged.labels == 1)[1] < 60
    assert label(glass_phases.labels == 1)[1] > 1400


def test_fibres_of_a_known_packing_are_found_one_by_one(slice_of: Callable) -> None:
    truth = slice_of(0.5)
    found = ms.segment(ms.from_array(truth.grey))
    expected = round(truth.fraction * truth.grey.size / np.pi / truth.radius**2)
    # Fibres cut by the border of the image are counted on both sides.
    assert expected <= label(found.labels == 1)[1] <= 1.15 * expected


def test_boundaries_lie_within_a_pixel_or_two_of_the_true_ones(slice_of: Callable) -> None:
    truth = slice_of(0.5)
    found = ms.segment(ms.from_array(truth.grey)).labels == 1
    fibre = truth.cover > 0.5
    depth = np.maximum(distance_transform_edt(fibre), distance_transform_edt(~fibre))
    assert np.mean(found == fibre) > 0.9
    assert np.mean((found == fibre)[depth > 1.5]) > 0.99
    assert np.mean((found == fibre)[depth > 2.5]) > 0.999


def test_at_moves_the_fraction_by_the_deviations_asked_for(glass_phases: sb.microstructure.Segmentation) -> None:
    assert glass_phases.at(0) is glass_phases.labels
    for offset in (-2, -1, 1, 2):
        share = (glass_phases.at(offset) == 1)[glass_phases.inside].mean()
        expected = glass_phases.fraction[1] + offset * glass_phases.fraction_std[1]
        assert share == pytest.approx(expected, abs=0.003)
    low, high = glass_phases.at(-1), glass_phases.at(1)
    assert np.mean((low == 1) & (high == 0)) < 0.002
    for offset in (50.0, float("nan")):
        with pytest.raises(sb.InputError, match="nearer to 0"):
            glass_phases.at(offset)


def test_lower_contrast_gives_a_larger_deviation_and_a_note(slice_of: Callable) -> None:
    clear = ms.segment(ms.from_array(slice_of(0.6, bright=0.67, noise=6 / 255).grey))
    faint = ms.segment(ms.from_array(slice_of(0.6, bright=0.52, noise=9 / 255).grey))
    assert faint.fraction_std[1] > 1.3 * clear.fraction_std[1]
    assert any(note.startswith("Low contrast") for note in faint.notes)
    assert not any(note.startswith("Low contrast") for note in clear.notes)


def test_voids_are_a_third_phase_or_a_note(slice_of: Callable) -> None:
    grey = slice_of(0.55).grey.copy()
    y, x = np.mgrid[: grey.shape[0], : grey.shape[1]]
    void = ((y - 60) ** 2 + (x - 70) ** 2 < 9**2) | ((y - 120) ** 2 + (x - 0) ** 2 < 9**2)
    grey[void] = 0.15
    image = ms.from_array(gaussian_filter(grey, 0.5))
    three = ms.segment(image, 3)
    assert three.phases == ("void", "matrix", "fibre")
    assert three.fraction[0] == pytest.approx(void.mean(), abs=2 * three.fraction_std[0])
    assert np.mean((three.labels == 0) == void) > 0.998
    assert any("is void and counts as matrix" in note for note in ms.segment(image).notes)
    shares = [(three.at(offset) == 0).mean() for offset in (-1, 1)]
    assert shares[0] == shares[1] == (three.labels == 0).mean()


def test_glass_without_voids_has_none(glass: sb.microstructure.Micrograph) -> None:
    assert ms.segment(glass, 3).fraction[0] == 0


@pytest.mark.parametrize(
    "grey",
    [
        0.5 + 0.05 * RNG.standard_normal((96, 96)),
        0.5 + 0.2 * gaussian_filter(RNG.standard_normal((96, 96)), 1.5),
        np.clip(0.4 + 0.02 * RNG.standard_normal((96, 96)) + np.linspace(0, 0.3, 96), 0, 1),
        np.where(np.mgrid[:96, :96][0] < 20, 0.0, 0.5 + 0.03 * RNG.standard_normal((96, 96))),
        np.where(np.arange(96**2).reshape(96, 96) % 3001 == 50, 1.0, 0.5),
    ],
    ids=["white noise", "correlated noise", "one phase under shading", "resin beside black", "hot pixels"],
)
def test_an_image_of_one_phase_is_refused(grey: np.ndarray) -> None:
    with pytest.raises(sb.InputError, match="holds one phase"):
        ms.segment(ms.from_array(grey))


def test_few_fibres_on_one_side_are_two_phases(slice_of: Callable) -> None:
    truth = slice_of(0.5, noise=4 / 255)
    grey = truth.grey.copy()
    grey[30:] = slice_of(0.5, bright=0.43, noise=4 / 255).grey[30:]
    found = ms.segment(ms.from_array(grey))
    assert found.fraction[1] == pytest.approx(truth.cover[:30].sum() / truth.cover.size, abs=2 * found.fraction_std[1])


def test_phases_given_as_two_values_come_back(slice_of: Callable) -> None:
    cover = slice_of(0.5).cover > 0.5
    found = ms.segment(ms.from_array(cover), separate=False)
    assert found.inside.all() and np.mean((found.labels == 1) == cover) > 0.999
    assert not any("contrast" in note for note in found.notes)


def test_shading_is_said(slice_of: Callable) -> None:
    grey = slice_of(0.5, dark=0.3, bright=0.5).grey + np.linspace(0, 0.3, 160)
    assert any(note.startswith("Shading") for note in ms.segment(ms.from_array(grey)).notes)


def test_an_inverted_or_scaled_grey_axis_changes_nothing_but_the_levels(slice_of: Callable) -> None:
    grey = slice_of(0.5).grey
    one = ms.segment(ms.from_array(grey))
    other = ms.segment(ms.from_array(0.5 * grey + 0.2))
    assert np.mean(one.labels != other.labels) < 0.005


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"phases": 4}, "4 phases"),
        ({"threshold": "otzu"}, "did you mean 'otsu'"),
        ({"denoising": "total_variatoin"}, "did you mean 'total_variation'"),
        ({"inside": np.ones((3, 3), dtype=bool)}, "a boolean mask of shape"),
        ({"inside": np.zeros((160, 160), dtype=bool)}, "is empty"),
    ],
)
def test_wrong_options_are_answered_in_one_sentence(slice_of: Callable, options: dict, words: str) -> None:
    with pytest.raises(sb.InputError, match=words):
        ms.segment(ms.from_array(slice_of(0.5).grey), **options)


@pytest.mark.parametrize("how", ["total_variation", "median", "non_local_means"])
def test_every_denoiser_lowers_noise_and_keeps_the_mean(slice_of: Callable, how: str) -> None:
    grey = slice_of(0.5).grey
    inside = np.ones(grey.shape, dtype=bool)
    clean = ms.denoise(grey, inside, how)
    assert ms.noise_std(clean, inside) < 0.8 * ms.noise_std(grey, inside)
    assert clean.mean() == pytest.approx(grey.mean(), abs=0.003)


def test_noise_is_estimated_within_a_third_below(slice_of: Callable) -> None:
    for noise in (4 / 255, 9 / 255):
        grey = slice_of(0.35, noise=noise).grey
        found = ms.noise_std(grey, np.ones(grey.shape, dtype=bool))
        assert 0.67 * noise < found < 1.1 * noise
