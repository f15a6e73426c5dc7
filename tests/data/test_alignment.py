"""Frames, images, clocks, resampling and blocks, each with the uncertainty it adds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scalebridge.data import Dataset, Frame, TimeFrame, from_columns, read_series
from scalebridge.data.alignment.blocks import block_average, block_means
from scalebridge.data.alignment.clocks import (
    correct_drift,
    fit_drift,
    lag,
    overlaps,
    series_lag,
    shift_time,
    to_epoch,
    to_utc,
)
from scalebridge.data.alignment.coordinates import local_metres, register
from scalebridge.data.alignment.images import image_shift
from scalebridge.data.alignment.resampling import fit_matern, resample
from scalebridge.data.alignment.transforms import fit_transform
from scalebridge.errors import InputError, ShapeError, UnitError


def turn(angle: float) -> np.ndarray:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


MAPS = {"rigid": turn(0.4), "similarity": 2.5 * turn(-1.1), "affine": np.array([[1.2, 0.3], [-0.1, 0.8]])}


@pytest.mark.parametrize("kind", sorted(MAPS))
def test_a_map_is_found_from_exact_landmarks(kind: str) -> None:
    source = np.random.default_rng(0).uniform(0, 10, (6, 2))
    found = fit_transform(source, source @ MAPS[kind].T + [3.0, -2.0], kind)
    np.testing.assert_allclose(found.matrix, MAPS[kind], atol=1e-12)
    np.testing.assert_allclose(found.shift, [3, -2], atol=1e-11)
    assert found.noise < 1e-12 and found.left_out < 1e-11


@pytest.mark.parametrize("kind", sorted(MAPS))
def test_the_deviation_of_a_mapped_point_is_that_of_repeated_fits(kind: str) -> None:
    source = np.random.default_rng(1).uniform(0, 10, (8, 2))
    at, mapped, said = np.array([[2.0, 3.0], [15.0, -4.0]]), [], []
    for seed in range(400):
        noise = 0.05 * np.random.default_rng(seed).standard_normal((8, 2))
        found = fit_transform(source, source @ MAPS[kind].T + noise, kind)
        mapped.append(found(at))
        said.append(found.std(at) ** 2)
    np.testing.assert_allclose(np.sqrt(np.mean(said, axis=0)), np.std(mapped, axis=0), rtol=0.12)


def test_a_turn_in_space_is_found_and_no_reflection_taken_for_one() -> None:
    rng = np.random.default_rng(2)
    source = rng.uniform(size=(7, 3))
    q = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    q *= np.sign(np.linalg.det(q))
    np.testing.assert_allclose(fit_transform(source, source @ q.T).matrix, q, atol=1e-12)
    mirrored = fit_transform(source, source * [1, 1, -1])
    assert np.linalg.det(mirrored.matrix) == pytest.approx(1.0) and mirrored.noise > 0.05


def test_landmarks_that_do_not_tell_are_refused() -> None:
    line = np.outer(np.arange(5.0), [1.0, 2.0])
    with pytest.raises(InputError, match="on one line"):
        fit_transform(line, line, "affine")
    with pytest.raises(InputError, match="needs 3"):
        fit_transform(line[:2], line[:2], "affine")
    with pytest.raises(ShapeError, match=r"\[n, 2\]"):
        fit_transform(line, line[:3])
    with pytest.raises(InputError, match="valid: rigid"):
        fit_transform(line, line, "bent")


def test_coordinates_are_registered_with_their_deviation_and_come_back() -> None:
    rng = np.random.default_rng(3)
    source = rng.uniform(0, 100, (6, 2))
    target = 0.01 * source @ turn(0.2).T + 0.001 * rng.standard_normal((6, 2))
    data = from_columns({"x [pixel]": [10.0, 90.0], "y [pixel]": [20.0, 500.0]})
    data = replace(data, coordinates=Frame(("x", "y"), "image", "pixel"))
    placed = register(data, fit_transform(source, target, "similarity"), "specimen", "mm")
    assert placed.coordinates is not None and placed.coordinates.name == "specimen"
    assert placed.space["x"].unit == "mm" and placed.std["x"][1] > 3 * placed.std["x"][0] > 0
    assert placed.undo()["x"][0] == 10.0
    with pytest.raises(InputError, match="no coordinates"):
        register(from_columns({"x": [1.0]}), fit_transform(source, target))


def test_degrees_become_metres_on_the_ellipsoid() -> None:
    # A degree of latitude at 45 degrees is 111 131.8 m, of longitude 78 846.8 m (WGS84).
    data = from_columns({"lat": ["N45.0005", "44.9995"], "lon": ["E10.0005", "9.9995 E"]})
    placed = local_metres(data, "lat", "lon")
    assert placed["north"][0] - placed["north"][1] == pytest.approx(111.1318, rel=1e-5)
    assert placed["east"][0] - placed["east"][1] == pytest.approx(78.8468, rel=1e-5)


def test_a_sign_beside_a_letter_and_a_unit_that_is_no_angle_are_refused() -> None:
    with pytest.raises(InputError, match=r"'-38.2 S' in row 1"):
        local_metres(from_columns({"lat": ["-38.2 S"], "lon": ["E10"]}), "lat", "lon")
    with pytest.raises(UnitError, match="'lat'"):
        local_metres(from_columns({"lat [m]": [45.0], "lon [degree]": [10.0]}), "lat", "lon")
    turned = from_columns({"lat [rad]": np.radians([45.0005, 44.9995]), "lon [degree]": [10.0, 10.0]})
    north = local_metres(turned, "lat", "lon")["north"]
    assert north[0] - north[1] == pytest.approx(111.1318, rel=1e-5)


def test_degrees_that_are_none_or_far_away_are_refused() -> None:
    with pytest.raises(InputError, match="'E45' in row 1"):
        local_metres(from_columns({"lat": ["E45"], "lon": ["E10"]}), "lat", "lon")
    with pytest.raises(InputError, match="100 km"):
        local_metres(from_columns({"lat": [45.0, 47.0], "lon": [10.0, 10.0]}), "lat", "lon")


@pytest.mark.parametrize("shift", [(0.0, 0.0), (3.4, -7.62), (-11.3, 0.5)], ids=str)
def test_an_image_is_laid_over_another_to_a_tenth_of_a_pixel(shift: tuple[float, float]) -> None:
    from scipy.ndimage import gaussian_filter
    from scipy.ndimage import shift as moved

    rng = np.random.default_rng(4)
    scene = gaussian_filter(rng.standard_normal((200, 200)), 2.0)
    seen = moved(scene, [-s for s in shift], order=3, mode="wrap")[30:158, 30:158]
    found = image_shift(scene[30:158, 30:158], seen + 0.02 * rng.standard_normal((128, 128)))
    np.testing.assert_allclose(found.pixels, shift, atol=0.15)
    assert found.agreement > 0.9 and (found.std < 0.5).all()


def test_images_that_show_something_else_hardly_agree() -> None:
    rng = np.random.default_rng(5)
    assert image_shift(rng.standard_normal((96, 96)), rng.standard_normal((96, 96))).agreement < 0.3
    with pytest.raises(InputError, match="without contrast"):
        image_shift(np.ones((64, 64)), np.ones((64, 64)))
    with pytest.raises(ShapeError, match="crop or pad"):
        image_shift(np.ones((64, 64)), np.ones((64, 60)))


def series(t: np.ndarray, x: np.ndarray, epoch: str = "1970-01-01T00:00:00Z") -> Dataset:
    made = from_columns({"t [s]": t, "x": x}, name="series.csv")
    return replace(made, time=TimeFrame("t", epoch))


def test_epochs_change_and_the_moment_stays() -> None:
    moved = to_epoch(series(np.array([86400.0]), np.ones(1)), "1970-01-02T00:00:00Z")
    assert moved["t"][0] == 0.0 and moved.time is not None and moved.time.epoch.startswith("1970-01-02")


def test_summer_time_is_known_and_the_hour_shown_twice_is_refused() -> None:
    january, july = 1641038400.0, 1656676800.0  # 12:00 on 1 January and 1 July 2022, as the clock shows it
    data = series(np.array([january, july]), np.ones(2))
    moved = to_utc(data, "America/Chicago")
    np.testing.assert_allclose(moved["t"] - data["t"], [6 * 3600, 5 * 3600])
    np.testing.assert_allclose(to_utc(data, "+02:00")["t"] - data["t"], -7200)
    twice = series(np.array([1667698200.0]), np.ones(1))  # 6 November 2022, 01:30
    with pytest.raises(InputError, match="twice or never"):
        to_utc(twice, "America/Chicago")
    with pytest.raises(InputError, match="Nobody said"):
        to_utc(data)


@pytest.mark.parametrize("zone", ["+2", "", "+99:00", "Nowhere/At_all"], ids=repr)
def test_zones_that_are_none_are_refused(zone: str) -> None:
    with pytest.raises(InputError, match="not known"):
        to_utc(series(np.zeros(1), np.ones(1)), zone)


def test_times_that_are_none_are_refused() -> None:
    with pytest.raises(InputError, match=r"row 1 of 'series.csv'.*milliseconds"):
        to_utc(series(np.array([1.6e12]), np.ones(1)), "+02:00")
    with pytest.raises(InputError, match="'yesterday' is no time"):
        to_epoch(series(np.zeros(1), np.ones(1)), "yesterday")


@pytest.mark.parametrize("shown", ["2022-11-06 01:30", "2022-03-13 02:30"], ids=["twice", "never"])
def test_a_reader_refuses_an_hour_that_the_clock_showed_twice_or_never(tmp_path: Path, shown: str) -> None:
    (tmp_path / "clock.csv").write_text(f"time,x\n2022-01-01 12:00,1\n{shown},2\n")
    with pytest.raises(InputError, match=r"row 3 of .*twice or never"):
        read_series(tmp_path / "clock.csv", zone="America/Chicago")
    with pytest.raises(InputError, match=r"zone .*'\+2'"):
        read_series(tmp_path / "clock.csv", zone="+2")


def test_times_whose_zone_is_stated_are_in_utc_already() -> None:
    data = replace(series(np.arange(3.0), np.ones(3)), time=TimeFrame("t", zone="+02:00"))
    assert to_utc(data) is data and to_utc(data, "+02:00") is data
    with pytest.raises(InputError, match="not '-06:00'"):
        to_utc(data, "-06:00")


def test_a_clock_read_with_its_zone_and_one_taken_to_utc_agree(tmp_path: Path) -> None:
    file = tmp_path / "clock.csv"
    file.write_text("time,x\n2022-07-01 12:00,1\n2022-07-01 13:00,2\n")
    said, later = read_series(file, zone="America/Chicago"), to_utc(read_series(file), "America/Chicago")
    np.testing.assert_array_equal(said["time"], later["time"])


def test_a_lag_is_found_with_an_honest_deviation() -> None:
    off = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        signal = np.convolve(rng.standard_normal(800), np.hanning(41), "same")
        t = np.arange(600) + 100.0
        a = np.interp(t, np.arange(800), signal) + 0.5 * rng.standard_normal(600)
        b = np.interp(t - 7.3, np.arange(800), signal) + 0.5 * rng.standard_normal(600)
        found = series_lag(a, b, 1.0)
        off.append((found.seconds - 7.3) / found.std)
    assert np.mean(off) == pytest.approx(0, abs=0.5) and 0.7 < np.std(off) < 1.4


def test_two_series_of_different_sampling_are_brought_together() -> None:
    def wave(t: np.ndarray) -> np.ndarray:
        return np.asarray(np.sin(t / 7) + 0.5 * np.sin(t / 2.3 + 1))

    a, b = np.arange(0, 300, 0.5), np.sort(np.random.default_rng(6).uniform(0, 300, 500))
    first, second = series(a, wave(a)), series(b, wave(b - 4.0))
    found = lag(first, second, "x")
    assert found.seconds == pytest.approx(4.0, abs=0.2)
    np.testing.assert_allclose(shift_time(second, found)["t"], b - found.seconds)
    with pytest.raises(InputError, match="overlap"):
        lag(first, series(b + 1e6, wave(b)), "x")
    with pytest.raises(InputError, match="different epochs"):
        lag(first, series(b, wave(b), epoch="2000-01-01T00:00:00Z"), "x")


def test_a_clock_that_runs_fast_is_corrected_with_an_honest_deviation() -> None:
    shown, off = np.linspace(0, 1e5, 20), []
    for seed in range(200):
        true = 12 + (1 - 2e-5) * shown + 0.3 * np.random.default_rng(seed).standard_normal(20)
        found = fit_drift(shown, true)
        off.append((found(np.array([2e5])) - (12 + (1 - 2e-5) * 2e5)) / found.std(np.array([2e5])))
    assert np.std(off) == pytest.approx(1.0, abs=0.15)
    corrected = correct_drift(series(shown, shown), found)
    assert corrected["t"][0] == pytest.approx(12, abs=1) and corrected.std["t"][0] > corrected.std["t"][10]


def test_a_random_walk_between_samples_stays_within_its_deviation() -> None:
    ratios = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        walk = np.cumsum(rng.standard_normal(400))
        kept = np.unique(np.r_[0, 399, rng.integers(0, 400, 60)])
        made = resample(series(kept.astype(float), walk[kept]), np.arange(400.0))
        far = made.std["x"] > 0
        ratios.append((((made["x"] - walk) / np.where(far, made.std["x"], 1))[far] ** 2).mean())
    assert np.mean(ratios) == pytest.approx(1, abs=0.15)


def test_where_the_record_ends_a_walk_is_not_known() -> None:
    assert np.isnan(resample(series(np.arange(5.0), np.arange(5.0)), [-1.0, 7.0])["x"]).all()


def test_a_field_between_scattered_places_stays_within_its_deviation() -> None:
    from scipy.ndimage import gaussian_filter

    ratios = []
    for seed in range(2):
        rng = np.random.default_rng(seed)
        grid = gaussian_filter(rng.standard_normal((80, 80)), 6)
        i, j = rng.integers(0, 80, (2, 260))
        data = from_columns({"x [m]": i.astype(float), "y [m]": j.astype(float), "z": grid[i, j] / grid.std()})
        data = replace(data.rows(np.unique(i * 80 + j, return_index=True)[1]), coordinates=Frame(("x", "y")))
        p, q = rng.integers(0, 80, (2, 300))
        made = resample(data, np.column_stack([p, q]).astype(float), ["z"], covariance="matern")
        known = made.std["z"] > 1e-3
        ratios.append(np.mean(((made["z"] - grid[p, q] / grid.std()) / made.std["z"])[known] ** 2))
        assert np.corrcoef(made["z"], grid[p, q])[0, 1] > 0.9
    # A field smoother than Matern 3/2 is known better than said, never worse.
    assert 0.1 < np.mean(ratios) < 1.5


def test_kriging_tells_noise_from_variation() -> None:
    rng = np.random.default_rng(7)
    x = np.sort(rng.uniform(0, 10, 250))[:, None]
    made = fit_matern(x, np.sin(2 * x[:, 0]) + 0.2 * rng.standard_normal(250))
    assert np.sqrt(made.noise) == pytest.approx(0.2, rel=0.25)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9], ids=str)
def test_the_deviation_of_a_block_mean_counts_correlated_samples_once(rho: float) -> None:
    off = []
    for seed in range(40):
        e = np.random.default_rng(seed).standard_normal(4000)
        x = np.empty(4000)
        x[0] = e[0] / np.sqrt(1 - rho**2)
        for i in range(1, 4000):
            x[i] = rho * x[i - 1] + e[i]
        mean, std, _ = block_means(x, np.arange(4000) // 200, 20)
        off.append(mean / std)
    assert np.std(off) == pytest.approx(1.0, abs=0.15)


def test_blocks_stand_at_their_middles_and_skip_gaps() -> None:
    t = np.arange(0, 60.0)
    made = block_average(series(t, np.where(t == 3, np.nan, t)), 20.0)
    assert made["t"].tolist() == [10, 30, 50] and made["samples"].tolist() == [20, 20, 20]
    np.testing.assert_allclose(made["x"], [(190 - 3) / 19, 29.5, 49.5])
    assert len(made.undo()) == 60
    with pytest.raises(InputError, match="never go back"):
        block_average(series(t[::-1], t), 5.0)


def test_resampling_refuses_what_it_cannot_go_along() -> None:
    with pytest.raises(InputError, match="neither time nor coordinates"):
        resample(from_columns({"x": np.arange(9.0)}), [1.0])
    with pytest.raises(InputError, match="not several"):
        resample(series(np.array([0.0, 1, 1, 2]), np.arange(4.0)), [0.5])
    with pytest.raises(ShapeError, match='covariance="matern"'):
        data = from_columns({"x [m]": np.arange(9.0), "y [m]": np.arange(9.0), "z": np.arange(9.0)})
        resample(replace(data, coordinates=Frame(("x", "y"))), np.ones((2, 2)))


def test_limits_are_neither_resampled_nor_averaged() -> None:
    data = series(np.arange(9.0), np.arange(9.0))
    data = data.with_column("x", data["x"], None, np.arange(9) == 4)
    with pytest.raises(InputError, match="only limits, the first in row 5"):
        resample(data, [0.5])
    with pytest.raises(InputError, match="only limits, the first in row 5"):
        block_average(data, 3.0)


def test_blocks_are_averaged_again() -> None:
    twice = block_average(block_average(series(np.arange(64.0), np.arange(64.0)), 4.0), 16.0)
    np.testing.assert_allclose(twice["x"], [7.5, 23.5, 39.5, 55.5])


def test_a_map_without_landmarks_to_spare_leaves_the_deviation_unknown() -> None:
    placed = from_columns({"x [m]": [1.0], "y [m]": [2.0]})
    placed = replace(placed, coordinates=Frame(("x", "y")))
    exact = fit_transform(np.eye(3)[:, :2], np.eye(3)[:, :2] + 1, "affine")
    assert np.isnan(register(placed, exact).std["x"]).all()


def test_correlations_of_overlaps_are_those_of_their_definition() -> None:
    rng = np.random.default_rng(0)
    a = np.cumsum(rng.standard_normal(90))
    b = np.roll(a, 7) + 0.1 * rng.standard_normal(90)
    told = overlaps(a - a.mean(), b - b.mean(), np.arange(-30, 31))
    by_hand = [np.corrcoef(a[max(-s, 0) : 90 - max(s, 0)], b[max(s, 0) : 90 + min(s, 0)])[0, 1] for s in range(-30, 31)]
    np.testing.assert_allclose(told, by_hand, atol=1e-12)
