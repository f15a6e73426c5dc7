"""What a cosmic-ray neutron probe sees of soil cores: horizontal and vertical weights, revised by Schrön et al.

Source: M. Schrön et al., Improving calibration and validation of cosmic-ray neutron sensors in the light of spatial
sensitivity, Hydrol. Earth Syst. Sci. 21 (2017) 5009-5030, equations 1-6 and appendix A; M. Köhli et al., Water Resour.
Res. 51 (2015) 5772-5790.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.data.alignment.footprint import FootprintMean, footprint_mean
from scalebridge.data.alignment.grouping import groups_of
from scalebridge.errors import InputError
from scalebridge.quantities import Floats

FARTHEST, NEAR, MIDDLE = 600.0, 1.0, 50.0
# Change of the field's mean at which the iteration rests, and the most rounds; it contracts by about a fifth a round.
REST, ROUNDS = 1e-8, 200
SEA_LEVEL = 1013.25


@dataclass(frozen=True)
class SiteConditions:
    """Conditions during the survey.

    Args:
        humidity: absolute, of the air, in g/m^3.
        pressure: of the air, in hPa.
        bulk_density: of the dry soil, mean of the field, in g/cm^3.
        vegetation: its height in m.
        other_water: water in minerals and organic matter, in m^3/m^3, which neutrons count with the rest.

    Raises:
        InputError: values outside those for which the weights were computed.
    """

    humidity: float
    pressure: float
    bulk_density: float
    vegetation: float = 0.0
    other_water: float = 0.0

    def __post_init__(self) -> None:
        for name, low, high, unit in (
            ("humidity", 0.1, 50.0, "g/m^3"),
            ("pressure", 300.0, 1100.0, "hPa"),
            ("bulk_density", 0.1, 2.7, "g/cm^3"),
            ("vegetation", 0.0, 100.0, "m"),
            ("other_water", 0.0, 0.5, "m^3/m^3"),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(
                    f"The {name} of the probe's site is {value:g} {unit}; its weights are known between {low:g} and "
                    f"{high:g}: check the unit."
                )


def absolute_humidity(temperature: Floats, relative: Floats) -> Floats:
    """Water in the air in g/m^3 from its temperature in degC and relative humidity in %.

    Source: G. S. Campbell, J. M. Norman, An introduction to environmental biophysics (1998), equation 3.8.
    """
    saturated = 611.0 * np.exp(17.502 * temperature / (temperature + 240.97))
    return np.asarray(2.16679 * saturated * relative / 100 / (temperature + 273.15))


def rescaled_distance(r: Floats, theta: float, site: SiteConditions) -> Floats:
    """Distance in m at which ground counts as it would at sea level without plants."""
    air = 0.4922 / (0.86 - np.exp(-site.pressure / SEA_LEVEL))
    plants = 1 - 0.17 * (1 - np.exp(-0.41 * site.vegetation)) * (1 + np.exp(-9.25 * theta))
    return np.asarray(r / air / plants)


def penetration_depth(r: Floats, theta: float, bulk_density: float) -> Floats:
    """Depth in cm above which 86 % of the neutrons had their last contact with the soil, at distance ``r`` in m."""
    wet = (20.0 + theta) / (0.0429 + theta)
    return np.asarray((8.321 + 0.14249 * (0.96655 + np.exp(-r / 100)) * wet) / bulk_density)


def radial_weight(r: Floats, humidity: float, theta: float) -> Floats:
    """Weight of the ring at (rescaled) distance ``r`` in m, the growth of its area included."""
    near, far = _to_middle(r, humidity, theta), _beyond(r, humidity, theta)
    return np.where(r <= MIDDLE, near, far) * np.where(r <= NEAR, 1 - np.exp(-3.7 * r), 1.0)


def _to_middle(r: Floats, h: float, theta: float) -> Floats:
    a0 = 8735 * (1 + 0.00978 * h) * np.exp(-22.689 * theta) + 11720 * (1 + 0.003632 * h) - 9306 * theta
    decay = np.exp(-6.6577 * theta / (1 + 12.2755 * theta))
    a1 = ((-0.027925 + 6.851e-5 * h) * decay + 0.028544) * (1 + 0.002455 * h)
    a2 = 247970 * (1 + 0.00191 * h) * np.exp(-23.289 * theta) + 374655 - 258552 * theta
    a3 = 0.054818 * np.exp(-21.032 * theta) + 0.6373 - 0.0791 * theta + 5.425e-4 * h
    return np.asarray(a0 * np.exp(-a1 * r) + a2 * np.exp(-a3 * r))


def _beyond(r: Floats, h: float, theta: float) -> Floats:
    b0 = (39006 - 15002337 / (2009.24 * theta + h - 0.13)) * (0.01181 - theta) * np.exp(-3.146 * theta)
    b0 += -16.7417 * h * theta + 3727
    b1 = 6.031e-5 * (h + 98.5) + 0.0013826 * theta
    b2 = 11747 * (1 - 0.00475 * h) * np.exp(-55.033 * theta * (1 - 0.00604 * h)) + 4521 - 3347.4 * theta
    decay = np.exp(-13.29 * theta / (1 + 0.0405 * h + 26.74 * theta))
    b3 = ((-0.01543 + 8.81e-5 * h) * decay + 0.01807) * (2 + 0.0011 * h)
    return np.asarray(b0 * np.exp(-b1 * r) + b2 * (2 + 0.01998 * h) * np.exp(-b3 * r))


def neutron_probe_mean(
    theta: Floats, top: Floats, bottom: Floats, distance: Floats, profile: ArrayLike, site: SiteConditions
) -> FootprintMean:
    """The water content of the soil that a probe would see, from layers of cores.

    The paper's iteration: layers to a profile by ``exp(-2 d / D86)`` at their middle, profiles to the field by their
    distance, with the field's mean in both weights until it rests.

    Args:
        theta: volumetric water content of each layer ``[n]`` in m^3/m^3.
        top, bottom: depths of each layer ``[n]`` in cm.
        distance: of its core from the probe ``[n]`` in m.
        profile: which core it belongs to ``[n]``, text or numbers.
        site: conditions.

    Returns:
        Profiles with their weights; the plain mean is that of all layers.

    Raises:
        InputError: layers upside down, distances beyond 600 m, two distances of one core, water contents that are
            no fraction.
    """
    _check(theta, top, bottom, distance)
    groups = groups_of(np.asarray(profile).astype(np.str_))
    r = distance[groups.first]
    moved = np.flatnonzero(distance != r[groups.of])
    if len(moved):
        row = int(moved[0])
        raise InputError(
            f"Row {row + 1} of the soil samples puts the core {groups.names[groups.of[row]]} at {distance[row]:g} m "
            f"and an earlier row at {r[groups.of[row]]:g} m; give a core one distance, or each of two cores a name."
        )
    middle, mean = 0.5 * (top + bottom), float(theta.mean())
    for _ in range(ROUNDS):
        wet = mean + site.other_water
        scaled = rescaled_distance(r, wet, site)
        depth = penetration_depth(scaled, wet, site.bulk_density)
        vertical = np.exp(-2 * middle / depth[groups.of])
        profiles = groups.sum(vertical * theta) / groups.sum(vertical)
        told = footprint_mean(profiles, radial_weight(scaled, site.humidity, wet), tuple(groups.names.tolist()))
        if abs(told.mean - mean) < REST:
            break
        mean = told.mean
    return FootprintMean(told.mean, told.std, float(theta.mean()), told.values, told.weights, told.names)


def _check(theta: Floats, top: Floats, bottom: Floats, distance: Floats) -> None:
    for wrong, what, valid in (
        (~((theta >= 0) & (theta <= 1)), "a water content", "between 0 and 1 m^3/m^3"),
        (~((top >= 0) & (bottom > top)), "a layer", "from a top to a deeper bottom, in cm"),
        (~((distance >= 0) & (distance <= FARTHEST)), "a distance", f"of at most {FARTHEST:g} m"),
    ):
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise InputError(
                f"Row {row + 1} of the soil samples has {what} that is not {valid} (theta {theta[row]:g}, "
                f"{top[row]:g} to {bottom[row]:g} cm, {distance[row]:g} m); check units and gaps."
            )
