"""Dense packings of fibres and spheres, of equal or different diameters, with resin-rich zones.

::

    fibres = sb.microstructure.packed_fibres(0.7, 200, scatter=0.08, gap=0.03, zones=0.1, seed=1)
    rve = sb.micro.RVE(fibres.subvoxels(64), [resin, glass])

Balls start at random places, are pushed apart (`relaxation`) and then mixed by hard-ball Monte Carlo (`mixing`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.generated.mixing import mixed
from scalebridge.microstructure.generated.relaxation import relaxed
from scalebridge.microstructure.generated.unequal_balls import UnequalBalls, ball_volumes
from scalebridge.microstructure.generated.zones import Zones, drawn_zones
from scalebridge.microstructure.structures import Axis, check_axis

Floats = NDArray[np.float64]

JAMMED = {2: 0.84, 3: 0.64}
"""Fractions at which equal balls pushed apart from random places jam (O'Hern et al. 2003); a little more if unequal."""

STARTS = (4, 20)
"""Random starts of many and of few balls; few are quick, and jam at fractions that scatter more."""

THINNEST, WIDEST = 0.05, 5.0
"""Least relative diameter, and largest deviation of the logarithm of diameters that is tried."""


def packed_disks(
    fraction: float,
    count: int = 100,
    *,
    diameters: ArrayLike | None = None,
    scatter: float = 0.0,
    gap: float = 0.0,
    zones: float = 0.0,
    zone_size: float = 0.25,
    sweeps: int = 200,
    seed: int = 0,
) -> UnequalBalls:
    """Return ``count`` discs at random places that do not overlap, of just this fraction; to about 0.8.

    Args:
        fraction: of the discs.
        count: number of discs; their mean radius follows.
        diameters: of each disc relative to each other, ``[count]`` in any unit; or
        scatter: coefficient of variation of a log-normal distribution of diameters, met by its quantiles.
        gap: least distance between surfaces, in mean radii.
        zones: share of the cell in which no centre lies: resin-rich zones; the rest is denser.
        zone_size: typical extent of a zone, in sides of the cell.
        sweeps: passes of hard-ball Monte Carlo; 0 leaves the discs as they were pushed apart, 500 bring them to the
            equilibrium of hard discs (a fraction of 0.5; denser ones need more), 200 most of the way.
        seed: of everything random.

    Raises:
        InputError: a fraction that cannot be reached, diameters, gap or zones that make no sense.
    """
    return _packed(2, fraction, count, diameters, scatter, gap, zones, zone_size, sweeps, seed, None)


def packed_fibres(
    fraction: float,
    count: int = 100,
    *,
    axis: Axis = "x",
    diameters: ArrayLike | None = None,
    scatter: float = 0.0,
    gap: float = 0.0,
    zones: float = 0.0,
    zone_size: float = 0.25,
    sweeps: int = 200,
    seed: int = 0,
) -> UnequalBalls:
    """Return endless fibres along ``axis``; in the plane across as `packed_disks`."""
    check_axis(axis, 3)
    return _packed(2, fraction, count, diameters, scatter, gap, zones, zone_size, sweeps, seed, axis)


def packed_spheres(
    fraction: float,
    count: int = 100,
    *,
    diameters: ArrayLike | None = None,
    scatter: float = 0.0,
    gap: float = 0.0,
    zones: float = 0.0,
    zone_size: float = 0.25,
    sweeps: int = 200,
    seed: int = 0,
) -> UnequalBalls:
    """Return spheres, to a fraction of about 0.6; the rest as `packed_disks`."""
    return _packed(3, fraction, count, diameters, scatter, gap, zones, zone_size, sweeps, seed, None)


def lognormal_diameters(count: int, scatter: float) -> Floats:
    """Return ``count`` relative diameters whose mean is 1 and whose coefficient of variation is ``scatter``.

    Raises:
        InputError: a scatter that so few diameters cannot have.
    """
    from scipy.special import ndtri

    if scatter == 0.0 or count == 1:
        return np.ones(count)
    normal = ndtri((np.arange(count) + 0.5) / count)
    found = np.exp(np.sqrt(np.log1p(scatter**2)) * normal)
    # The outer quantiles lack the tails; what is left of the moments is set right.
    found = 1.0 + (found - found.mean()) * scatter / found.std()
    return np.asarray(found if found.min() >= THINNEST else _stretched(normal, scatter))


def _stretched(normal: Floats, scatter: float) -> Floats:
    """Log-normal diameters whose variation is right by that of their logarithms: none comes near to zero."""
    from scipy.optimize import brentq

    def diameters(width: float) -> Floats:
        found = np.exp(width * (normal - normal[-1]))
        return np.asarray(found / found.mean())

    def excess(width: float) -> float:
        return float(diameters(width).std()) - scatter

    if excess(WIDEST) < 0.0:
        raise InputError(
            f"{len(normal)} diameters cannot have a scatter of {scatter}; take more balls or a smaller scatter."
        )
    return diameters(float(brentq(excess, 1e-6, WIDEST)))


def _packed(
    dim: int,
    fraction: float,
    count: int,
    diameters: ArrayLike | None,
    scatter: float,
    gap: float,
    zones: float,
    zone_size: float,
    sweeps: int,
    seed: int,
    axis: Axis | None,
) -> UnequalBalls:
    _check(fraction, count, scatter, gap, zones, zone_size, sweeps)
    rng = np.random.default_rng(seed)
    radii = _radii(fraction, count, dim, diameters, scatter, rng)
    sizes = radii + 0.5 * gap * radii.mean()
    taken = float(ball_volumes(sizes, dim).sum()) / (1.0 - zones)
    _refuse_crowd(taken, fraction, gap, zones, sizes, dim)
    starts = max(STARTS[0], min(STARTS[1], 1000 // count))
    for _ in range(starts):
        kept_free = drawn_zones(zones, zone_size, dim, rng) if zones > 0.0 else None
        found = _placed(sizes, dim, sweeps, rng, kept_free)
        if found is not None:
            return UnequalBalls(found, radii, axis)
    raise InputError(
        f"{count} balls of a fraction of {fraction} with a gap of {gap} radii, {taken:.3g} of the room left to them, "
        f"could not be parted from {starts} random starts; take a lower fraction, a smaller gap or fewer zones."
    )


def _placed(sizes: Floats, dim: int, sweeps: int, rng: np.random.Generator, zones: Zones | None) -> Floats | None:
    start = rng.random((len(sizes), dim))
    found = relaxed(start, sizes, zones.force if zones is not None else None)
    if found is None:
        return None
    return mixed(found, sizes, sweeps, rng, zones.allowed if zones is not None else None)


def _radii(
    fraction: float, count: int, dim: int, diameters: ArrayLike | None, scatter: float, rng: np.random.Generator
) -> Floats:
    if diameters is not None and scatter != 0.0:
        raise InputError(f"Both diameters and a scatter of {scatter} were given; give one of the two.")
    relative = lognormal_diameters(count, scatter) if diameters is None else np.asarray(diameters, dtype=np.float64)
    if relative.shape != (count,) or not (np.isfinite(relative).all() and (relative > 0.0).all()):
        raise InputError(
            f"The diameters of {count} balls have the shape {relative.shape}; give {count} positive numbers."
        )
    relative = rng.permutation(relative)
    return np.asarray(0.5 * relative * (fraction / float(ball_volumes(0.5 * relative, dim).sum())) ** (1.0 / dim))


def _check(
    fraction: float, count: int, scatter: float, gap: float, zones: float, zone_size: float, sweeps: int
) -> None:
    if not 0.0 < fraction < 1.0:
        raise InputError(f"The fraction of the balls is {fraction}; it must lie in (0, 1).")
    if count < 1 or sweeps < 0 or not (math.isfinite(gap) and gap >= 0.0):
        raise InputError(
            f"{count} balls with a gap of {gap} radii and {sweeps} sweeps were asked for; give at least one ball, no "
            "overlap and no negative number of sweeps."
        )
    limits: Sequence[tuple[str, float, float, float]] = (
        ("scatter of the diameters", scatter, 0.0, 1.0),
        ("share of the zones", zones, 0.0, 0.9),
    )
    for name, value, low, high in limits:
        if not low <= value <= high:
            raise InputError(f"The {name} is {value}; it must lie in [{low:g}, {high:g}].")
    if not 0.02 <= zone_size <= 1.0:
        raise InputError(f"The size of the zones is {zone_size}; it must lie in [0.02, 1], in sides of the cell.")


def _refuse_crowd(taken: float, fraction: float, gap: float, zones: float, sizes: Floats, dim: int) -> None:
    # Unequal balls pack a little denser: small ones fill the room between large ones.
    spread = float(sizes.std() / sizes.mean())
    if len(sizes) > 1 and taken > JAMMED[dim] + 0.1 * spread:
        raise InputError(
            f"A fraction of {fraction} with a gap of {gap} radii and zones of {zones} takes {taken:.3g} of the room "
            f"left to the balls, which jam at about {JAMMED[dim]} in {dim} dimensions; take a lower fraction, a "
            "smaller gap or fewer zones."
        )
    if 2.0 * float(sizes.max()) > 1.0:
        raise InputError(
            f"The largest of {len(sizes)} balls is {2.0 * float(sizes.max()):.3g} sides of the cell wide with its gap "
            "and meets its own image; take more or thinner ones."
        )
