"""Figures of merit of answers at specimens held back, and what they say in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scalebridge.learn.held_out import HeldOut, cluster_error
from scalebridge.studies.properties.learning import Learned

TOLD = 0.99
"""Confidence from which a difference is told."""


def figures(held: HeldOut, groups: NDArray[np.int64]) -> dict[str, float]:
    """Error, share of the variance explained, coverage with its error, and width of the intervals.

    Args:
        held: answers of one property.
        groups: ``[n]``, specimens that are not independent.
    """
    y, mean = held.y[:, 0], held.mean[:, 0]
    error = mean - y
    inside = held.covered[:, 0].astype(np.float64)
    return {
        "rmse": float(np.sqrt(np.mean(error**2))),
        "mae": float(np.mean(np.abs(error))),
        "bias": float(error.mean()),
        "r2": float(1 - np.sum(error**2) / np.sum((y - y.mean()) ** 2)),
        "crps": float(held.crps.mean()),
        "coverage": float(inside.mean()),
        "coverage_std": _share_error(inside, groups[held.rows]),
        "width": float(np.mean(held.upper - held.lower)),
    }


def better_than_mean(learned: Learned, groups: NDArray[np.int64]) -> bool:
    """Whether the procedure beats the mean of the others by more than chance."""
    gain, error = _gain(learned, groups)
    return gain > _reach(groups) * error


def verdict(learned: Learned, groups: NDArray[np.int64], level: float, unit: str) -> str:
    """What was learned, in one or two sentences."""
    f, m = figures(learned.procedure, groups), figures(learned.mean_only, groups)
    if not better_than_mean(learned, groups):
        errors = f"{f['rmse']:.3g} against {m['rmse']:.3g} {unit}".strip()
        return (
            f"The images do not tell '{learned.target}' better than the mean of the others does ({errors}): use the "
            "mean, or look for what the images lack."
        )
    share = f"{100 * max(f['r2'], 0):.0f} %"
    told = f"{_capital(learned.chosen.label)}: {share} of the variance at specimens held back is explained."
    short = level - f["coverage"]
    # The share's own scatter where the level is true: few misses make a share look better known than it is.
    error = max(f["coverage_std"], float(np.sqrt(level * (1 - level) / len(np.unique(groups)))) / 2)
    if abs(short) > _reach(groups) * error:
        told += (
            f" The intervals hold {'too little' if short > 0 else 'more than they claim'}; read them with that in mind."
        )
    return told


def _reach(groups: NDArray[np.int64]) -> float:
    """Standard errors over groups that a difference must have to be told: Student's t."""
    from scipy.stats import t

    return float(t.ppf(0.5 * (1 + TOLD), max(len(np.unique(groups)) - 1, 1)))


def _gain(learned: Learned, groups: NDArray[np.int64]) -> tuple[float, float]:
    ours, theirs = learned.procedure, learned.mean_only
    order = np.argsort(ours.rows), np.argsort(theirs.rows)
    gain = theirs.crps[order[1], 0] - ours.crps[order[0], 0]
    return float(gain.mean()), cluster_error(gain, groups[ours.rows[order[0]]])


def _share_error(inside: NDArray[np.float64], groups: NDArray[np.int64]) -> float:
    """Standard error of a share; of one that is all or nothing, that of one miss more."""
    found = cluster_error(inside, groups)
    n = len(inside)
    return max(found, float(np.sqrt(max(inside.mean() * (1 - inside.mean()), (n - 1) / n**2) / n)))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
