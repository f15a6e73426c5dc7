"""Level cuts of fields: exact fractions, one geometry at every resolution, Cahn-Hilliard's invariants."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

import scalebridge as sb
from scalebridge.microstructure.generated.gaussian_field import gaussian_field, gaussian_medium
from scalebridge.microstructure.generated.indicator import field_correlation, indicator_covariance, level_of
from scalebridge.microstructure.generated.level_cut import LevelCut, level_cut
from scalebridge.microstructure.generated.spinodal import cahn_hilliard, spinodal

Floats = NDArray[np.float64]


def bell(r: Floats) -> Floats:
    return np.asarray(np.exp(-((r / 0.08) ** 2)))


MEDIA = {
    "bell in 2-D": lambda: gaussian_medium(0.3, correlation=bell, dim=2, points=128, seed=1),
    "bell in 3-D": lambda: gaussian_medium(0.4, correlation=bell, points=32, seed=2),
    "waves in 2-D": lambda: spinodal(0.5, wavelength=0.2, dim=2, seed=3),
    "waves in 3-D": lambda: spinodal(0.35, wavelength=0.4, seed=4, points=32),
    "even and odd sides": lambda: level_cut(np.random.default_rng(0).standard_normal((9, 8, 7)), 0.5),
}
EACH = pytest.mark.parametrize("name", MEDIA)


@EACH
def test_the_fraction_is_met_on_other_grids_too(name: str) -> None:
    medium = MEDIA[name]()
    n = 48 if medium.dim == 3 else 200
    assert medium.labels(n).mean() == pytest.approx(medium.fraction, abs=0.01 if name != "even and odd sides" else 0.06)
    shares = medium.fractions(n // 2)
    assert shares.mean() == pytest.approx(float(medium.labels(n).mean()), abs=4e-3)
    assert medium.subvoxels(n // 2).volume(1) == pytest.approx(float(shares.mean()), abs=1e-6)


@EACH
def test_the_fraction_on_the_fields_own_grid_is_exact_to_a_voxel(name: str) -> None:
    values = np.random.default_rng(1).random((50, 50))
    for fraction in (0.1, 0.37, 0.9):
        assert abs(level_cut(values, fraction).fraction - fraction) <= 1 / 2500


@EACH
def test_every_resolution_samples_one_field(name: str) -> None:
    medium = MEDIA[name]()
    coarse, fine = medium.field(16), medium.field(48)
    # The centre of the middle one of three voxels is that of the large voxel; waves too short for 16 are lost there.
    middle = fine[(slice(1, None, 3),) * medium.dim]
    if medium.waves.shape[-1] <= 8:
        np.testing.assert_allclose(coarse, middle, atol=1e-12)
    finer = medium.field(144)[(slice(1, None, 3),) * medium.dim] if medium.dim == 2 else fine
    assert np.corrcoef(finer.ravel(), fine.ravel())[0, 1] > 0.999


@EACH
def test_the_medium_is_periodic(name: str) -> None:
    field = MEDIA[name]().field(64)
    for axis in range(field.ndim):
        steps = np.abs(np.diff(field, axis=axis, append=np.take(field, [0], axis)))
        across = np.take(steps, -1, axis)
        assert across.mean() < 2.0 * steps.mean()


def test_a_field_is_one_cosine_where_its_spectrum_is_one_wave() -> None:
    x = (np.arange(32) + 0.5) / 32
    medium = level_cut(np.cos(2 * np.pi * x)[None, :] + np.zeros((32, 1)), 0.5)
    fine = (np.arange(100) + 0.5) / 100
    np.testing.assert_allclose(medium.field(100), np.broadcast_to(np.cos(2 * np.pi * fine), (100, 100)), atol=1e-12)
    np.testing.assert_allclose(medium.fractions(10).mean(axis=0), [1, 1, 0.5, 0, 0, 0, 0, 0.5, 1, 1], atol=1e-9)
    assert isinstance(medium, LevelCut) and medium.fraction == 0.5


def test_the_variance_of_a_field_is_the_sum_of_its_power() -> None:
    power = np.zeros((24, 24))
    power[2, 3] = power[-2, -3] = 0.7
    power[0, 1] = power[0, -1] = 0.3
    found = [gaussian_field(power, seed=seed).var() for seed in range(400)]
    assert np.mean(found) == pytest.approx(2.0, rel=0.12)
    spectrum = np.abs(np.fft.fft2(gaussian_field(power, seed=1)))
    assert np.count_nonzero(spectrum > 1e-9) == 4


def test_the_relation_of_field_and_phase_is_that_of_the_arcsine_at_one_half() -> None:
    rho = np.linspace(-1, 1, 21)
    np.testing.assert_allclose(indicator_covariance(rho, 0.5), np.arcsin(rho) / (2 * np.pi), atol=1e-14)


@pytest.mark.parametrize("fraction", [0.02, 0.2, 0.5, 0.85])
def test_the_relation_of_field_and_phase_has_its_ends_and_its_inverse(fraction: float) -> None:
    ends = indicator_covariance([-1.0, 0.0, 1.0], fraction)
    least = max(2 * fraction - 1, 0.0) - fraction**2
    np.testing.assert_allclose(ends, [least, 0.0, fraction * (1 - fraction)], atol=1e-6)
    rho = np.linspace(-0.6, 0.9999, 40)
    covariance = indicator_covariance(rho, fraction)
    np.testing.assert_allclose(
        indicator_covariance(field_correlation(covariance, fraction), fraction), covariance, atol=1e-8
    )
    np.testing.assert_allclose(field_correlation([1.0, -1.0], fraction), [1.0, -1.0], atol=0.2)


def test_the_relation_of_field_and_phase_is_that_of_two_correlated_numbers() -> None:
    from scipy.stats import multivariate_normal

    level = level_of(0.3)
    for rho in (-0.4, 0.2, 0.9):
        both = multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf([-level, -level])
        assert indicator_covariance(rho, 0.3) + 0.09 == pytest.approx(float(both), abs=1e-6)


def test_a_decomposition_keeps_its_mass_and_loses_energy_at_every_record() -> None:
    for step in (0.1, 1.0, 5.0):
        made = cahn_hilliard(48, mean=0.2, time=100.0, step=step, dim=2, records=60, seed=1)
        np.testing.assert_allclose(made.mass, 0.2, atol=1e-12)
        assert (np.diff(made.energy) <= 1e-12).all() and made.energy[-1] < made.energy[0]


def test_a_decomposition_parts_into_phases_near_minus_one_and_one() -> None:
    made = cahn_hilliard((20, 24, 28), time=150.0, seed=2)
    assert np.percentile(np.abs(made.field), 50) > 0.75 and np.abs(made.field).max() < 1.15
    assert made.medium().fraction == pytest.approx(0.5, abs=0.05)
    assert made.medium(0.3).labels((20, 24, 28)).mean() == pytest.approx(0.3, abs=1e-3)


def test_the_fastest_wave_of_a_decomposition_is_the_linear_one() -> None:
    made = cahn_hilliard(128, time=25.0, step=0.05, noise=1e-3, dim=2, seed=3)
    # Largest growth of k^2 (1 - k^2) is at k = sqrt(1/2); the mean over the band lies near.
    assert made.length[-1] == pytest.approx(2 * np.pi * np.sqrt(2.0), rel=0.1)


@EACH
def test_the_same_seed_gives_the_same_bits(name: str) -> None:
    one, other = MEDIA[name](), MEDIA[name]()
    assert (one.waves == other.waves).all() and one.level == other.level
    assert (cahn_hilliard(16, time=5.0).field == cahn_hilliard(16, time=5.0).field).all()


def test_fields_that_cannot_be_are_refused() -> None:
    refused: list[tuple[Callable[[], object], str]] = [
        (lambda: gaussian_medium(0.3), "one of the two"),
        (lambda: gaussian_medium(1.3, correlation=bell), r"must lie in \(0, 1\)"),
        (lambda: gaussian_medium(0.3, correlation=bell, dim=1), "2 or 3"),
        (lambda: gaussian_medium(0.3, correlation=lambda r: np.exp(-r), dim=2), "half the cell"),
        (lambda: gaussian_medium(0.3, correlation=lambda r: (r < 0.2) * 1.0, dim=2), "No field has this correlation"),
        (lambda: gaussian_medium(0.3, correlation=lambda r: 0.5 * bell(r), dim=2), "at distance 0 is 0.5"),
        (lambda: gaussian_medium(0.3, spectrum=lambda k: -k, dim=2), "negative"),
        (lambda: gaussian_medium(0.3, correlation=lambda r: r * np.nan, dim=2), "not finite"),
        (lambda: gaussian_field(np.zeros((4, 4))), "not zero everywhere"),
        (lambda: gaussian_field(np.zeros(4)), "two or three dimensions"),
        (lambda: level_cut(np.ones((4, 4)), 0.5), "constant"),
        (lambda: level_cut(np.arange(16.0).reshape(4, 4), 1.0), r"must lie in \(0, 1\)"),
        (lambda: spinodal(wavelength=0.8), r"in \(0, 0.5\]"),
        (lambda: cahn_hilliard(32, mean=0.7), "within 0.577"),
        (lambda: cahn_hilliard(4), "8 or more"),
        (lambda: cahn_hilliard(32, time=-1.0), "must be positive"),
        (lambda: indicator_covariance(1.5, 0.5), r"\[-1, 1\]"),
        (lambda: spinodal(dim=2).labels((4, 4, 4)), "2 dimensions"),
        (lambda: spinodal(dim=2).fractions(4, samples=0), "at least 1"),
    ]
    for make, message in refused:
        with pytest.raises(sb.InputError, match=message) as caught:
            make()
        assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
