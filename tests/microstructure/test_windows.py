"""Windows, their periodisation, and whether they are representative."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.microstructure.correlation import fraction_std

ms = sb.microstructure
SEAM = [(0, 88, 380, 145)]


def test_a_window_is_cut_where_the_user_says(glass_phases: sb.microstructure.Segmentation) -> None:
    found = ms.window(glass_phases, 96, (100, 200))
    np.testing.assert_array_equal(found.labels, glass_phases.labels[100:196, 200:296])
    assert found.fraction[1] == pytest.approx(found.labels.mean())
    assert found.rectangle == (100, 200, 196, 296)
    high = ms.window(glass_phases, 96, (100, 200), labels=glass_phases.at(1))
    assert high.fraction[1] > found.fraction[1]


def test_a_window_outside_of_image_or_field_of_view_is_refused(glass_phases: sb.microstructure.Segmentation) -> None:
    for size, origin, words in (
        (96, (300, 300), "its origin may go to row 284, column 266"),
        (96, (0, 0), "outside of the field of view"),
        (400, (0, 0), "from 16 to 362"),
        (8, (0, 0), "from 16 to 362"),
    ):
        with pytest.raises(sb.InputError, match=words):
            ms.window(glass_phases, size, origin)


def test_grid_windows_do_not_overlap_and_lie_inside(glass_phases: sb.microstructure.Segmentation) -> None:
    found = ms.windows(glass_phases, 64, avoid=SEAM)
    covered = np.zeros(glass_phases.inside.shape, dtype=int)
    for top, left, bottom, right in ms.rectangles(found):
        covered[top:bottom, left:right] += 1
    assert len(found) >= 15 and covered.max() == 1
    assert glass_phases.inside[covered > 0].all()
    assert covered[:, 88:145].sum() == 0


def test_random_windows_repeat_with_their_seed(glass_phases: sb.microstructure.Segmentation) -> None:
    one, same, other = (ms.windows(glass_phases, 64, count=6, seed=seed) for seed in (1, 1, 2))
    assert [w.origin for w in one] == [w.origin for w in same] != [w.origin for w in other]
    assert all(glass_phases.inside[w.rectangle[0] : w.rectangle[2], w.rectangle[1] : w.rectangle[3]].all() for w in one)


def test_no_room_for_windows_is_said(glass_phases: sb.microstructure.Segmentation) -> None:
    with pytest.raises(sb.InputError, match="No window of 300 pixels fits"):
        ms.windows(glass_phases, 300, avoid=SEAM)
    with pytest.raises(sb.InputError, match="at least 1"):
        ms.windows(glass_phases, 64, count=0)
    with pytest.raises(sb.InputError, match=r"\(top, left, bottom, right\)"):
        ms.windows(glass_phases, 64, avoid=[(5, 5, 5, 9)])
    with pytest.raises(sb.InputError, match="boolean mask"):
        ms.windows(glass_phases, 64, inside=np.ones((4, 4), dtype=bool))


def test_mirroring_closes_opposite_edges_and_keeps_fractions(glass_phases: sb.microstructure.Segmentation) -> None:
    found = ms.window(glass_phases, 64, (100, 200))
    mirrored = ms.periodise(found, "mirror")
    assert mirrored.shape == (128, 128)
    np.testing.assert_array_equal(mirrored[0], mirrored[-1])
    np.testing.assert_array_equal(mirrored[:, 0], mirrored[:, -1])
    assert mirrored.mean() == found.labels.mean()
    np.testing.assert_array_equal(ms.periodise(found), found.labels)
    with pytest.raises(sb.InputError, match="did you mean 'mirror'"):
        ms.periodise(found, "miror")


def test_two_point_correlation_has_its_exact_limits() -> None:
    stripes = np.zeros((64, 64), dtype=bool)
    stripes[:, ::2] = True
    lags = ms.two_point(stripes, reach=8)
    assert lags[0] == pytest.approx(0.5)
    blocks = np.random.default_rng(0).random((128, 128)) < 0.3
    curve = ms.two_point(blocks, reach=8)
    assert curve[0] == pytest.approx(blocks.mean())
    np.testing.assert_allclose(curve[1:], blocks.mean() ** 2, atol=0.005)


def test_two_point_correlation_counts_only_pairs_inside() -> None:
    rng = np.random.default_rng(1)
    phase = rng.random((96, 96)) < 0.4
    inside = np.hypot(*(np.mgrid[:96, :96] - 47.5)) < 40
    spoiled = np.where(inside, phase, True)
    np.testing.assert_allclose(ms.two_point(phase, inside, reach=6), ms.two_point(spoiled, inside, reach=6), atol=1e-12)


def test_the_integral_range_of_independent_blocks_is_their_area() -> None:
    cells = np.kron(np.random.default_rng(2).random((80, 80)) < 0.5, np.ones((5, 5), dtype=bool))
    assert ms.integral_range(cells, size=50) == pytest.approx(25, rel=0.15)


def test_the_expected_scatter_of_windows_is_what_windows_show() -> None:
    cells = np.kron(np.random.default_rng(3).random((160, 160)) < 0.5, np.ones((3, 3), dtype=bool))
    shares = cells.reshape(15, 32, 15, 32).mean(axis=(1, 3))
    assert fraction_std(cells, None, 32) == pytest.approx(shares.std(ddof=1), rel=0.15)


def test_representativity_of_the_glass_slice(glass_phases: sb.microstructure.Segmentation) -> None:
    checks = {size: ms.representative(glass_phases, size, avoid=SEAM) for size in (64, 96)}
    assert checks[64].expected_std > checks[96].expected_std
    assert checks[96].observed_std == pytest.approx(checks[96].expected_std, rel=0.4)
    nearest = checks[96].nearest
    assert nearest.fraction[1] == pytest.approx(checks[96].region_fraction, abs=0.02)
    assert not 88 - 96 < nearest.origin[1] < 145
    assert not checks[96].representative and checks[96].windows_needed > 4
    assert checks[96].avoided_fractions.mean() < checks[96].region_fraction - 0.02
    assert "average" in checks[96].verdict and "touch what is avoided" in checks[96].verdict


def test_a_loose_precision_makes_a_window_representative(glass_phases: sb.microstructure.Segmentation) -> None:
    check = ms.representative(glass_phases, 96, avoid=SEAM, precision=0.2)
    assert check.representative and "it is representative" in check.verdict
    with pytest.raises(sb.InputError, match="precision"):
        ms.representative(glass_phases, 96, precision=0.0)


def test_outlines_lie_on_the_fibres_inside(glass_phases: sb.microstructure.Segmentation) -> None:
    lines = ms.outlines(glass_phases)
    assert lines.any() and (glass_phases.labels[lines] == 1).all() and glass_phases.inside[lines].all()


def test_the_fibre_diameter_calibrates_the_pixel(glass_phases: sb.microstructure.Segmentation) -> None:
    found = ms.fibre_diameter(glass_phases)
    assert found.pixels == pytest.approx(7.5, abs=0.3) and found.count > 1000
    size = ms.pixel_size_from_fibre(found.pixels, "17 um")
    image = ms.from_array(glass_phases.image.grey, pixel_size=size)
    assert image.length(found.pixels) == pytest.approx(17, rel=1e-5)


@pytest.mark.parametrize(("pixels", "diameter"), [(0.0, "17 um"), (float("nan"), "17 um"), (8, "17 kg"), (8, "-1 um")])
def test_a_calibration_without_a_length_is_refused(pixels: float, diameter: str) -> None:
    with pytest.raises(sb.InputError, match="fibre diameter"):
        ms.pixel_size_from_fibre(pixels, diameter)


def test_a_diameter_without_round_fibres_is_refused(slice_of: Callable) -> None:
    grey = np.where((np.arange(96) // 24) % 2 == 0, 0.3, 0.7) * np.ones((96, 1))
    noisy = np.clip(grey + 0.02 * np.random.default_rng(4).standard_normal(grey.shape), 0, 1)
    with pytest.raises(sb.InputError, match="round fibres"):
        ms.fibre_diameter(ms.segment(ms.from_array(noisy)))
