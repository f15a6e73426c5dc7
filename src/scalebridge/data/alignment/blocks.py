"""Block averages of a series, with the variance of a mean of samples that are correlated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.alignment.clocks import correlation_time
from scalebridge.data.cleansing.single import measured, single
from scalebridge.errors import InputError
from scalebridge.quantities import Floats, Space, Variable

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset

# Blocks that numbers can count.
MOST = 2.0**53


def block_average(
    dataset: Dataset, width: float, columns: Sequence[str] | None = None, *, along: str | None = None
) -> Dataset:
    """Means over blocks of a series, at the blocks' middles, as a step; blocks without a sample are left out.

    The column ``samples`` counts the rows of each block; one of that name from an earlier average is replaced.

    The deviation in ``std`` is that of the mean as an estimate of what the samples scatter about:
    ``s^2 tau / n`` with the variance s^2 within the block and the correlation time tau of the samples, which is
    estimated from all blocks together. Samples that follow each other closely do not count as independent.

    Args:
        width: of a block, in the unit of the time.
        columns: of numbers, one per row; by default all but the time.
        along: the column of time, evenly sampled within blocks; that of the time frame by default.

    Raises:
        InputError: no time, gaps or steps back in it, a width that holds no block, values that are only limits.
    """
    name = along or (dataset.time.column if dataset.time else None)
    if name is None:
        raise InputError(f"'{dataset.name}' has no time column; say along which, as in along='t'.")
    t = single(dataset, name)
    if not np.isfinite(t).all() or (np.diff(t) < 0).any() or not width > 0 or not np.ptp(t) / width < MOST:
        raise InputError(
            f"Blocks of {width:g} along '{name}' of '{dataset.name}' need a positive width and times that never go "
            "back, without gaps; sort the rows and drop those without a time."
        )
    number = np.floor((t - t[0]) / width).astype(np.int64)
    labels, block = np.unique(number, return_inverse=True)
    wanted = columns if columns is not None else [n for n in dataset.numeric_names if dataset.space[n].shape == ()]
    chosen = [n for n in wanted if n not in (name, "samples")]
    made: dict[str, Floats] = {name: t[0] + (labels + 0.5) * width}
    std, told = {}, []
    for column in chosen:
        made[column], std[column], tau = block_means(measured(dataset, column), block.reshape(-1), len(labels))
        told.append(f"{column} {tau:.1f}")
    made["samples"] = np.bincount(block.reshape(-1), minlength=len(labels)).astype(np.float64)
    time = dataset.time if dataset.time and dataset.time.column == name else None
    after = replace(
        dataset,
        space=Space([*(dataset.space[n] for n in (name, *chosen)), Variable("samples")]),
        columns=made,
        std=std,
        censored={},
        index=None,
        time=None if time is None else replace(time, step=None),
        coordinates=None,
        edges=None,
    )
    sentence = (
        f"Averaged {len(dataset)} rows to {len(labels)} blocks of {width:g} along '{name}'; samples that count as one: "
        f"{', '.join(told)}."
    )
    return dataset.stepped(after, "block_average", {"width": width, "along": name}, sentence)


def block_means(values: Floats, block: NDArray[np.int64], n: int) -> tuple[Floats, Floats, float]:
    """Mean and its deviation ``[n]`` of each block, and the correlation time in samples; gaps are left out."""
    known = ~np.isnan(values)
    if not known.any():
        return np.full(n, np.nan), np.full(n, np.nan), 1.0
    count = np.bincount(block[known], minlength=n).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        mean = np.bincount(block[known], values[known], n) / count
        rest = np.where(known, values - mean[block], 0.0)
        free = np.maximum(count - 1, 0).sum()
        pooled = float((rest**2).sum() / free) if free else float("nan")
    with np.errstate(over="ignore", invalid="ignore"):
        tau = within_block_time(rest, block, count)
    # A mean taken off each block hides part of the variance of samples that move together.
    typical = float(np.median(count[count > 0]))
    pooled /= max(1 - tau / typical, 0.5) / max(1 - 1 / typical, 0.5)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return mean, np.sqrt(pooled * np.minimum(tau / count, 1.0)), tau


def within_block_time(rest: Floats, block: NDArray[np.int64], count: Floats) -> float:
    """Correlation time of deviations within blocks, corrected for the mean that each block lost."""
    lengths = count[count >= 8]
    if not len(lengths):
        return 1.0
    times = [correlation_time(rest[block == b]) for b in np.flatnonzero(count >= 8)[:200]]
    tau, n = float(np.mean(times)), float(np.mean(lengths))
    # Taking a mean of n off lowers every correlation by about tau / n (Bartlett's bias).
    return float(np.clip(tau * (1 + 2 * tau / n), 1.0, n))
