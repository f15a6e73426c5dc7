"""Each descriptor alone: what it takes, what it refuses, and what the edge of the image does to it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import scalebridge as sb

ms = sb.microstructure


def test_resin_zones_are_the_room_where_a_fibre_is_missing() -> None:
    rows, columns = np.mgrid[:200, :200]
    fibre = np.zeros((200, 200), dtype=bool)
    for row in range(10, 200, 20):
        for column in range(10, 200, 20):
            if (row, column) not in ((90, 90), (90, 110)):
                fibre |= np.hypot(rows - row, columns - column) < 8.5
    found = ms.resin_zones(fibre)
    assert found.diameter == pytest.approx(17, abs=1)
    inner = found.zones.whole
    assert inner.sum() == 1 and found.zones.size[inner][0] == pytest.approx(2 * 20 * 18, rel=0.4)
    centre = found.zones.centre[inner][0]
    np.testing.assert_allclose(centre, [90, 100], atol=1.5)
    assert found.distance < found.distance_95
    assert ms.resin_zones(fibre, diameter=60.0).share == 0.0
    with pytest.raises(sb.InputError, match="one of them is absent"):
        ms.resin_zones(np.ones((20, 20), dtype=bool))


def test_touching_discs_are_parted() -> None:
    rows, columns = np.mgrid[:120, :120]
    places = [(30, 30), (30, 49), (49, 40), (85, 85)]
    discs = np.logical_or.reduce([np.hypot(rows - r, columns - c) < 10 for r, c in places])
    labels = ms.separated(discs)
    assert labels.max() == 4 and not labels[~discs].any()
    assert len({int(labels[place]) for place in places}) == 4
    assert ms.separated(np.zeros((20, 20), dtype=bool)).max() == 0


def test_regions_cut_by_the_edge_are_told_from_whole_ones() -> None:
    image = np.zeros((60, 60), dtype=bool)
    image[:5, 10:15] = image[20:30, 20:30] = image[40:44, 40:52] = True
    found = ms.regions(image)
    assert found.whole.tolist() == [False, True, True] and found.fraction == pytest.approx(image.mean())
    inside = np.ones((60, 60), dtype=bool)
    inside[:, :20] = False
    assert ms.regions(image, inside).whole.tolist() == [False, True]
    assert len(ms.regions(image, smallest=30)) == 2 and ms.regions(image, smallest=30).labels.max() == 2
    assert len(ms.regions(np.eye(9, dtype=bool))) == 1 and len(ms.regions(np.eye(9, dtype=bool), by_corners=False)) == 9
    with pytest.raises(sb.InputError, match="3-D"):
        _ = ms.regions(np.ones((3, 3, 3), dtype=bool)).angle


def test_no_crack_has_no_length() -> None:
    found = ms.crack_ways(np.zeros((20, 20), dtype=bool))
    assert found.longest == 0.0 and found.density == 0.0 and found.path.shape == (0, 2)
    pore = ms.crack_ways(np.hypot(*(np.mgrid[:40, :40] - 20.0)) < 9)
    assert pore.slender.tolist() == [False] and pore.longest == pytest.approx(18, rel=0.1)


def test_a_crack_has_its_length_whichever_way_it_runs() -> None:
    rows, columns = np.mgrid[:200, :200] - 100.0
    for angle in (0, 20, 45, 70, 90):
        turn = np.radians(angle)
        along, across = columns * np.cos(turn) + rows * np.sin(turn), rows * np.cos(turn) - columns * np.sin(turn)
        found = ms.crack_ways((np.abs(along) < 60) & (np.abs(across) < 2.5))
        # Ways over pixels are up to 8 % longer than straight ones.
        assert found.longest == pytest.approx(120, rel=0.09)


def test_points_outside_of_their_window_or_twice_are_refused() -> None:
    for places, words in (
        ([[5.0, 30.0]], "outside of the window"),
        ([[5.0, 5.0], [5.0, 5.0]], "same place"),
        ([[np.nan, 5.0]], "not finite"),
        ([[1.0, 2.0, 3.0]], r"\[n, d\]"),
    ):
        with pytest.raises(sb.InputError, match=words):
            ms.points_in(places, (20, 20))
    few = ms.points_in([[3.0, 3.0], [6.0, 6.0]], (20, 20))
    for statistic in (ms.nearest_neighbours, ms.voronoi, ms.pair_correlation):
        with pytest.raises(sb.InputError, match="at least 5"):
            statistic(few)
    line = ms.points_in([[10.0, float(k)] for k in range(5, 15)], (20, 20))
    with pytest.raises(sb.InputError, match="one line"):
        ms.voronoi(line)


def test_masks_and_fields_of_view_that_make_no_sense_are_refused() -> None:
    good = np.eye(20, dtype=bool)
    for phase, inside, words in (
        (np.zeros(5, dtype=bool), None, "has the shape"),
        (np.full((5, 5), 3), None, "other than 0 and 1"),
        (np.full((5, 5), 0.5), None, "other than 0 and 1"),
        (good, np.ones((5, 5), dtype=bool), "give one shape"),
        (good, np.zeros((20, 20), dtype=bool), "empty"),
    ):
        for measure in (ms.minkowski, ms.chord_lengths, ms.lineal_path, ms.local_thickness, ms.regions):
            with pytest.raises(sb.InputError, match=words):
                measure(phase, inside)
    with pytest.raises(sb.InputError, match="positive and finite"):
        ms.minkowski(good, spacing=-1.0)
    with pytest.raises(sb.InputError, match="reach may go"):
        ms.two_point(good, reach=20)
    with pytest.raises(sb.InputError, match="direction"):
        ms.directional_correlation(good, good, (0, 0))
    with pytest.raises(sb.InputError, match="give 0 to 1"):
        ms.lineal_path(good, axes=[])


def test_grain_sizes_need_grains_and_for_the_standard_a_pixel_size() -> None:
    rows, columns = np.mgrid[:60, :60]
    blocks = (rows // 20 * 3 + columns // 20 + 1).astype(np.int32)
    found = ms.grain_size(blocks)
    assert found.unit == "px" and found.intercept == pytest.approx(118 / 4, rel=0.02) and found.count == 5.0
    with pytest.raises(sb.InputError, match="pixel size is not known; give pixel_size"):
        _ = found.astm_intercept
    with pytest.raises(sb.InputError, match="has no size to tell"):
        ms.grain_size(np.ones((20, 20), dtype=np.int32))
    with pytest.raises(sb.InputError, match="whole numbers"):
        ms.grain_size(np.ones((20, 20)))


def test_vectors_without_length_or_weights_without_sense_are_refused() -> None:
    for vectors, weights, words in (
        ([[0.0, 0.0]], None, "no length"),
        ([[1.0, 0.0]], [-1.0], "0 or more"),
        ([[1.0]], None, r"\[n, 2\]"),
    ):
        with pytest.raises(sb.InputError, match=words):
            ms.orientation_tensor(vectors, weights)
    with pytest.raises(sb.InputError, match="no direction anywhere"):
        ms.orientation_tensor(ms.structure_tensor(np.ones((20, 20))))


def test_the_field_of_view_keeps_its_edge_out_of_the_orientation() -> None:
    rows, columns = np.mgrid[:150, :150]
    inside = np.hypot(rows - 74.5, columns - 74.5) < 75
    layers = np.where(inside, 0.6 + 0.2 * np.sin(columns / 3), 0.0)
    tensor = ms.orientation_tensor(ms.structure_tensor(layers, inside))
    assert tensor.second[1, 1] > 0.99
    assert ms.orientation_tensor(ms.structure_tensor(layers)).second[1, 1] < 0.98


def test_slabs_of_a_large_volume_meet_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    from scalebridge.microstructure.descriptors import gradient_orientation, masks

    grey = gaussian_filter(np.random.default_rng(0).standard_normal((40, 30, 31)), 2)
    whole = ms.structure_tensor(grey)
    phase = grey > 0
    before = ms.minkowski(phase), ms.chord_lengths(phase).mean, ms.regions(phase).axes
    monkeypatch.setattr(masks.slab_ranges, "__defaults__", (30 * 31 * 3,))
    monkeypatch.setattr(gradient_orientation, "slab_ranges", lambda shape, _=0: masks.slab_ranges(shape, 7 * 30 * 31))
    cut = ms.structure_tensor(grey)
    np.testing.assert_allclose(cut.energy, whole.energy, rtol=1e-4)
    assert before[0] == ms.minkowski(phase) and before[1] == ms.chord_lengths(phase).mean
    np.testing.assert_allclose(ms.regions(phase).axes, before[2])
