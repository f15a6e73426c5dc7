"""Datasets of soil cores and of a station's record, as a neutron probe sees them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scalebridge.data.alignment.footprint import FootprintMean
from scalebridge.data.alignment.identifiers import keys
from scalebridge.data.alignment.neutron_probe import SiteConditions, absolute_humidity, neutron_probe_mean
from scalebridge.data.cleansing.single import single
from scalebridge.errors import InputError
from scalebridge.quantities import Floats, Space, Variable
from scalebridge.quantities.units import conversion

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset


def site_conditions(
    station: Dataset,
    *,
    temperature: str,
    relative_humidity: str,
    pressure: str,
    bulk_density: float,
    start: float | None = None,
    end: float | None = None,
    vegetation: float = 0.0,
    other_water: float = 0.0,
) -> SiteConditions:
    """Mean conditions at the probe over the time of the survey, gaps left out.

    Args:
        station: a record with the columns named, units stated; a time frame where start or end is given.
        temperature, relative_humidity, pressure: names of its columns.
        bulk_density: in g/cm^3.
        start, end: seconds in the record's time frame.
        vegetation, other_water: see `SiteConditions`.

    Raises:
        InputError: no such columns, no unit, or no record in that time.
    """
    kept = np.ones(len(station), dtype=np.bool_)
    if start is not None or end is not None:
        if station.time is None:
            raise InputError(f"'{station.name}' has no time column; give one, or leave start and end out.")
        seconds = station[station.time.column]
        kept = (seconds >= (-np.inf if start is None else start)) & (seconds <= (np.inf if end is None else end))
    t, rh, p = (
        in_unit(station, n, u)[kept]
        for n, u in ((temperature, "degC"), (relative_humidity, "percent"), (pressure, "hPa"))
    )
    if not (np.isfinite(t + rh).any() and np.isfinite(p).any()):
        raise InputError(f"'{station.name}' has no record of weather between {start} and {end}; widen the time.")
    humidity = float(np.nanmean(absolute_humidity(t, rh)))
    return SiteConditions(humidity, float(np.nanmean(p)), bulk_density, vegetation, other_water)


def probe_footprint(
    cores: Dataset,
    site: SiteConditions,
    *,
    theta: str = "theta_v",
    top: str = "top_depth",
    bottom: str = "bottom_depth",
    distance: str = "distance_from_station",
    profile: str = "core_number",
) -> FootprintMean:
    """The water content that a neutron probe sees of a dataset of layers of cores.

    Args:
        cores: one row per layer, units stated.
        site: conditions during the survey.
        theta, top, bottom, distance, profile: names of its columns.

    Raises:
        InputError: a column that is not there, whose unit is not stated or of another kind, or a gap.
    """
    wet, above, below, r = (
        in_unit(cores, n, u) for n, u in ((theta, "1"), (top, "cm"), (bottom, "cm"), (distance, "m"))
    )
    return neutron_probe_mean(wet, above, below, r, keys(cores, profile), site)


def probe_average(
    cores: Dataset,
    site: SiteConditions,
    *,
    theta: str = "theta_v",
    top: str = "top_depth",
    bottom: str = "bottom_depth",
    distance: str = "distance_from_station",
    profile: str = "core_number",
) -> Dataset:
    """`probe_footprint` as a dataset of one row, the field: the mean with its standard error in ``std``, as a step."""
    told = probe_footprint(cores, site, theta=theta, top=top, bottom=bottom, distance=distance, profile=profile)
    made = {theta: [told.mean], "plain_mean": [told.plain], "effective_profiles": [told.effective]}
    wet = replace(cores.space[theta], bounds=None)
    plain = replace(wet, name="plain_mean", description=f"of all layers, {wet.description}".rstrip(", "))
    after = replace(
        cores,
        space=Space([wet, plain, Variable("effective_profiles")]),
        columns={name: np.array(value) for name, value in made.items()},
        std={theta: np.array([told.std])},
        censored={},
        index=None,
        coordinates=None,
        time=None,
        edges=None,
    )
    return cores.stepped(after, "probe_average", {**vars(site), "profile": profile}, told.sentence())


def in_unit(dataset: Dataset, name: str, unit: str) -> Floats:
    """A column in ``unit``; refused where nobody stated its own, unless a pure number is wanted."""
    stated = dataset.space[name].unit
    if unit != "1" and stated == "1":
        raise InputError(
            f"The unit of '{name}' of '{dataset.name}' is not stated; read it with units={{'{name}': '{unit}'}} or "
            "whatever it is in."
        )
    factor, offset = conversion(stated, unit, f"The column '{name}' of '{dataset.name}'")
    return np.asarray(factor * single(dataset, name) + offset, dtype=np.float64)
