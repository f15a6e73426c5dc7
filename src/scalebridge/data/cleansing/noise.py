"""Noise: how large it is, from repeats or from differences, and smoothing that says what it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scalebridge.data.alignment.grouping import grouped
from scalebridge.data.cleansing.single import measured, single
from scalebridge.errors import InputError
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset


def noise_std(dataset: Dataset, column: str, repeats: str | None = None) -> tuple[float, int]:
    """Standard deviation of the noise of a column and its degrees of freedom.

    Args:
        column: of numbers, one per row.
        repeats: a column that tells which rows repeat one measurement: the pooled deviation within them. Without, from
            second differences along the rows, which a smooth signal hardly touches.

    Raises:
        InputError: no repeats, or fewer than five rows in a series.

    Source: T. Gasser, L. Sroka, C. Jennen-Steinmetz, Residual variance and residual pattern in nonlinear regression,
    Biometrika 73 (1986) 625-633.
    """
    values = single(dataset, column)
    if repeats is not None:
        groups = grouped(dataset, repeats)
        count = groups.sum((~np.isnan(values)).astype(np.float64))
        mean = groups.sum(values) / np.maximum(count, 1)
        with np.errstate(over="ignore"):
            square = groups.sum((values - mean[groups.of]) ** 2)
        free = int(np.maximum(count - 1, 0).sum())
        if not free:
            raise InputError(f"'{dataset.name}' has no '{repeats}' with two values of '{column}'; noise needs repeats.")
        return float(np.sqrt(square.sum() / free)), free
    return difference_noise(values), int((~np.isnan(values)).sum() - 2)


def difference_noise(values: Floats) -> float:
    """Standard deviation of white noise on an evenly sampled smooth signal, gaps left out, robust to outliers."""
    known = values[~np.isnan(values)]
    if len(known) < 5:
        raise InputError(f"Noise from differences needs five values and got {len(known)}; give repeats instead.")
    second = (known[1:-1] - 0.5 * (known[:-2] + known[2:])) / np.sqrt(1.5)
    # The median does not see a few steps or outliers; where most differences are zero the mean square has to do.
    robust = float(np.median(np.abs(second))) / 0.6744897501960817
    return robust or float(np.sqrt(np.mean(second**2)))


def with_noise(dataset: Dataset, column: str, repeats: str | None = None) -> Dataset:
    """The dataset with the noise of a column as its ``std``, as a step."""
    std, free = noise_std(dataset, column, repeats)
    after = dataset.with_column(column, dataset[column], np.full(len(dataset), std), dataset.censored.get(column))
    how = f"from repeats of '{repeats}'" if repeats else "from differences along the rows"
    sentence = f"Noise of '{column}' {std:.4g} {how} ({free} degrees of freedom)."
    return dataset.stepped(after, "with_noise", {"column": column, "repeats": repeats}, sentence)


def smooth(dataset: Dataset, column: str, window: int = 7, order: int = 2, noise: float | None = None) -> Dataset:
    """A column smoothed by local polynomials along the rows, with the deviation that noise leaves in it.

    Evenly spaced rows without gaps are taken for granted. The bias where the signal bends faster than the window is
    not in the deviation.

    Args:
        window: rows in a fit, odd.
        order: of the polynomial, below ``window``.
        noise: standard deviation of the values; from the column's own ``std``, where that is unknown from
            differences.

    Raises:
        InputError: gaps, values that are only limits, a window that is even, too short or longer than the column.

    Source: A. Savitzky, M. J. E. Golay, Anal. Chem. 36 (1964) 1627-1639.
    """
    values = measured(dataset, column)
    if window % 2 == 0 or not 0 <= order < window or window > len(values):
        raise InputError(
            f"The column '{column}' of '{dataset.name}' has {len(values)} rows and was to be smoothed over {window} "
            f"with order {order}; give an odd window, an order below it, and no more than there are rows."
        )
    if np.isnan(values).any():
        row = int(np.flatnonzero(np.isnan(values))[0])
        raise InputError(f"The column '{column}' of '{dataset.name}' has a gap in row {row + 1}; fill gaps first.")
    own = dataset.std.get(column, np.full(len(values), np.nan)) if noise is None else np.full(len(values), noise)
    size = np.where(np.isnan(own), difference_noise(values), own) if np.isnan(own).any() else own
    with np.errstate(over="ignore", invalid="ignore"):
        smoothed, std = local_polynomials(values, size, window, order)
    after = dataset.with_column(column, smoothed, std)
    sentence = (
        f"Smoothed '{column}' over {window} rows with order {order}; noise {np.mean(size):.4g} left {std.mean():.4g}."
    )
    return dataset.stepped(after, "smooth", {"column": column, "window": window, "order": order}, sentence)


def local_polynomials(values: Floats, noise: Floats, window: int, order: int) -> tuple[Floats, Floats]:
    """Fits of polynomials over windows, each at its own row, and what noise leaves in them, ``[n]`` both.

    At the ends the window stays inside and the row moves out of its middle.
    """
    n, half = len(values), window // 2
    smoothed, variance = np.empty(n), np.empty(n)
    middle = _weights(half, window, order)
    inner = slice(half, n - half)
    smoothed[inner] = np.convolve(values, middle[::-1], mode="valid")
    variance[inner] = np.convolve(noise**2, middle[::-1] ** 2, mode="valid")
    for row in (*range(half), *range(n - half, n)):
        start = 0 if row < half else n - window
        weights, part = _weights(row - start, window, order), slice(start, start + window)
        smoothed[row], variance[row] = weights @ values[part], weights**2 @ noise[part] ** 2
    return smoothed, np.sqrt(variance)


def _weights(place: int, window: int, order: int) -> Floats:
    """Weights ``[window]`` of the value, at one place of the window, of a polynomial fitted to it."""
    at = (np.arange(window) - place) / window
    return np.asarray(np.linalg.pinv(np.vander(at, order + 1, increasing=True))[0], dtype=np.float64)
