"""Point samples as an instrument with a footprint sees them: soil cores under a neutron probe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scalebridge.data import Dataset, read_series, read_table
from scalebridge.data.alignment.coordinates import local_metres
from scalebridge.data.alignment.footprint import footprint_mean
from scalebridge.data.alignment.neutron_probe import (
    SiteConditions,
    absolute_humidity,
    neutron_probe_mean,
    penetration_depth,
    radial_weight,
)
from scalebridge.data.alignment.soil import probe_average, probe_footprint, site_conditions
from scalebridge.errors import InputError, ShapeError

SET = Path(__file__).parents[2] / "data" / "soil-crnp-kansas"
UNITS = {
    "theta_v": "m^3/m^3",
    "top_depth": "cm",
    "bottom_depth": "cm",
    "distance_from_station": "m",
    "bulk_density": "g/cm^3",
}
SITE = SiteConditions(8.27, 962.6, 1.33)


def cores() -> Dataset:
    """Fourteen cores of four layers each."""
    return read_table(SET / "soil_data.csv", units=UNITS)


def surveyed() -> SiteConditions:
    """Conditions from 8 to 16 o'clock on the day of the survey, from the station's own record."""
    station = read_series(SET / "station_survey_day.csv", zone="-06:00")
    midnight = station[station.time.column][0] if station.time else 0.0
    return site_conditions(
        station,
        temperature="air_temperature_Avg",
        relative_humidity="relative_humidity_Avg",
        pressure="barometric_pressure_Avg",
        bulk_density=float(cores()["bulk_density"].mean()),
        start=midnight + 8 * 3600,
        end=midnight + 16 * 3600,
    )


def test_the_published_weights_are_kept() -> None:
    # By hand from the formulas of the paper's appendix, with theta = .25 and h = 8 g/m^3.
    np.testing.assert_allclose(penetration_depth(np.array([0.0, 100.0]), 0.25, 1.4), [19.781, 15.333], rtol=1e-4)
    near, far = radial_weight(np.array([5.0, 200.0]), 8.0, 0.25)
    assert near > 20 * far > 0
    assert float(absolute_humidity(np.array(20.0), np.array(50.0))) == pytest.approx(8.65, rel=0.01)


@pytest.mark.parametrize("theta", [0.02, 0.1, 0.25, 0.5], ids=str)
@pytest.mark.parametrize("humidity", [1.0, 8.0, 25.0], ids=str)
def test_weights_are_positive_and_the_two_published_fits_meet_within_a_quarter(theta: float, humidity: float) -> None:
    weights = radial_weight(np.array([0.5, 5.0, 49.999, 50.001, 200.0, 400.0]), humidity, theta)
    assert (weights > 0).all()
    assert 0.75 < weights[3] / weights[2] < 1 / 0.75


def test_uniform_soil_is_seen_as_it_is() -> None:
    data = cores()
    top, bottom, r = (data[n] for n in ("top_depth", "bottom_depth", "distance_from_station"))
    told = neutron_probe_mean(np.full(56, 0.25), top, bottom, r, data["core_number"], SITE)
    assert told.mean == pytest.approx(0.25, abs=1e-12) and told.std == pytest.approx(0, abs=1e-12)


def test_the_wet_ground_below_counts_less_than_in_the_plain_mean() -> None:
    told = probe_footprint(cores(), surveyed())
    assert told.plain == pytest.approx(0.3253, abs=1e-4)
    assert told.mean == pytest.approx(0.2737, abs=1e-3)
    assert 6 < told.effective < 14 and told.std == pytest.approx(0.0107, abs=1e-4)


def test_the_field_is_a_dataset_of_one_row_that_can_be_undone() -> None:
    field = probe_average(cores(), surveyed())
    assert len(field) == 1 and field["theta_v"][0] == pytest.approx(0.2737, abs=1e-3) and field.std["theta_v"][0] > 0
    assert "plain mean 0.3253" in field.steps[-1].sentence and len(field.undo()) == 56


def test_swapped_arguments_of_the_radial_weight_are_refused_for_their_negative_weights() -> None:
    """The value .205 that goes with this survey comes from such a call; the check of weights stops it."""
    data = cores()
    r = data["distance_from_station"] / (0.4922 / (0.86 - np.exp(-962.56 / 1013.25)))
    swapped = radial_weight(r, 0.27, 0.0)
    assert (swapped < 0).any()
    with pytest.raises(InputError, match="order of the arguments"):
        footprint_mean(data["theta_v"], swapped)


def test_conditions_come_from_the_hours_of_the_survey() -> None:
    site = surveyed()
    assert site.humidity == pytest.approx(8.27, abs=0.01) and site.pressure == pytest.approx(962.56, abs=0.01)


def test_positions_in_degrees_give_the_distances_of_the_cores() -> None:
    placed = local_metres(cores(), "latitude", "longitude", origin=(38.23461, -97.57095))
    away = np.hypot(placed["east"], placed["north"])
    np.testing.assert_allclose(away[:40], placed["distance_from_station"][:40], atol=2.0)
    # Two cores said to stand at 100 m were taken nearer by their own coordinates.
    assert away[40] == pytest.approx(81, abs=1) and away[48] == pytest.approx(93, abs=1)


@pytest.mark.parametrize("first", [0.125, 0.3, 0.8], ids=str)
def test_the_standard_error_of_a_footprint_is_that_of_repeated_surveys(first: float) -> None:
    """Also where one core dominates: the scatter of the others tells how much it may be off."""
    weights = np.array([first, *np.full(7, (1 - first) / 7)])
    draws = np.random.default_rng(0).standard_normal((4000, 8))
    said = [footprint_mean(values, weights).std ** 2 for values in draws]
    assert np.sqrt(np.mean(said)) == pytest.approx(np.sqrt((weights**2).sum()), rel=0.03)


def test_one_core_with_all_the_weight_has_no_scatter_to_tell_its_error() -> None:
    assert np.isnan(footprint_mean(np.array([1.0, 2.0]), np.array([1.0, 0.0])).std)


def test_a_core_at_two_distances_is_refused() -> None:
    data = cores()
    moved = np.where(np.arange(56) == 6, 77.0, data["distance_from_station"])
    with pytest.raises(InputError, match=r"Row 7 .*at 77 m and an earlier row at"):
        probe_footprint(data.with_column("distance_from_station", moved), SITE)


def test_what_the_weights_do_not_cover_is_refused() -> None:
    data = cores()
    with pytest.raises(InputError, match="not stated"):
        probe_footprint(read_table(SET / "soil_data.csv"), SITE)
    with pytest.raises(InputError, match="at most 600 m"):
        probe_footprint(data.with_column("distance_from_station", np.full(56, 700.0)), SITE)
    with pytest.raises(InputError, match="between 0 and 1"):
        probe_footprint(data.with_column("theta_v", 100 * data["theta_v"]), SITE)
    with pytest.raises(InputError, match="check the unit"):
        SiteConditions(8.0, 96.3, 1.3)
    with pytest.raises(ShapeError):
        footprint_mean(np.ones(3), np.ones(2))
