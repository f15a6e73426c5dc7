"""Samples taken to other times or places, with the uncertainty that this adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.data.alignment.bridging import bridge
from scalebridge.data.cleansing.single import measured, single
from scalebridge.errors import InputError, ShapeError
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset

COVARIANCES = ("brownian", "matern")
NEIGHBOURS, FITTED = 48, 200
ROOT3 = float(np.sqrt(3.0))


@dataclass(frozen=True)
class Matern:
    """Covariance ``variance (1 + sqrt3 r) exp(-sqrt3 r)`` of the scaled distance r, and white noise.

    Args:
        mean: of the process.
        variance: of the process.
        lengths: ``[d]``, of correlation along each coordinate.
        noise: variance of a sample's own noise.
    """

    mean: float
    variance: float
    lengths: Floats
    noise: float

    def __call__(self, a: Floats, b: Floats) -> Floats:
        """Covariance ``[..., n, m]`` of points ``a [..., n, d]`` and ``b [..., m, d]``."""
        apart = (a[..., :, None, :] - b[..., None, :, :]) / self.lengths
        r = ROOT3 * np.sqrt((apart**2).sum(axis=-1))
        return np.asarray(self.variance * (1 + r) * np.exp(-r))


def resample(
    dataset: Dataset,
    at: ArrayLike,
    columns: Sequence[str] | None = None,
    *,
    along: str | Sequence[str] | None = None,
    covariance: str = "brownian",
    seed: int = 0,
) -> Dataset:
    """Columns at other times or places, as a step; ``std`` holds the conditional deviation.

    Args:
        at: ``[m]`` times, or ``[m, d]`` places, in the columns' own units.
        columns: of numbers, one per row; by default all such but those along which it goes. Others are left out.
        along: the columns of time or place; by default the time, else the coordinates.
        covariance: ``"brownian"``: straight between neighbours in one coordinate, uncertain as a random walk is;
            ``"matern"``: kriging with a Matern 3/2 covariance fitted by its likelihood, in up to three coordinates,
            from the 48 nearest samples.
        seed: of the samples to which the covariance is fitted.

    Returns:
        A dataset of m rows; where nothing is known (outside the record of a walk) a gap.

    Raises:
        InputError: nothing to go along, gaps in it, values that are only limits, an unknown covariance, samples at
            one place.
        ShapeError: places of another dimension.

    Source: C. E. Rasmussen, C. K. I. Williams, Gaussian processes for machine learning (2006), chapter 2.
    """
    names = _along(dataset, along)
    x = np.column_stack([single(dataset, n) for n in names])
    goal = np.asarray(at, dtype=np.float64)
    goal = goal[:, None] if goal.ndim == 1 else goal
    if covariance not in COVARIANCES:
        raise InputError(f"The covariance {covariance!r} is not known; valid: {', '.join(COVARIANCES)}.")
    if goal.ndim != 2 or goal.shape[1] != len(names) or (covariance == "brownian" and len(names) != 1):
        raise ShapeError(
            f"'{dataset.name}' goes along {', '.join(names)} and was asked for points of shape {goal.shape}; give "
            f"[m, {len(names)}]" + (', or covariance="matern".' if len(names) > 1 else ".")
        )
    if not np.isfinite(x).all() or not np.isfinite(goal).all():
        raise InputError(f"{', '.join(names)} of '{dataset.name}' or the points asked for have gaps; drop these first.")
    wanted = columns if columns is not None else [n for n in dataset.numeric_names if dataset.space[n].shape == ()]
    chosen = [n for n in wanted if n not in names]
    made = {n: goal[:, i] for i, n in enumerate(names)}
    std = {}
    for name in chosen:
        known = ~dataset.gaps(name)
        noise = dataset.std[name][known] if name in dataset.std else None
        taken = (x[known], measured(dataset, name)[known], goal, noise)
        with np.errstate(over="ignore", invalid="ignore"):
            made[name], std[name] = _walked(*taken) if covariance == "brownian" else _kriged(*taken, seed)
    kept = [*names, *chosen]
    time = dataset.time if dataset.time and dataset.time.column in names else None
    frame = dataset.coordinates if dataset.coordinates and set(dataset.coordinates.columns) <= set(names) else None
    after = replace(
        dataset,
        space=type(dataset.space)([dataset.space[n] for n in kept]),
        columns={n: made[n] for n in kept},
        std=std,
        censored={},
        index=None,
        time=None if time is None else replace(time, step=None),
        coordinates=frame,
        edges=None,
    )
    sentence = f"Resampled {', '.join(chosen)} at {len(goal)} points along {', '.join(names)} ({covariance})."
    return dataset.stepped(after, "resample", {"along": list(names), "covariance": covariance}, sentence)


def _along(dataset: Dataset, along: str | Sequence[str] | None) -> tuple[str, ...]:
    if along is not None:
        return (along,) if isinstance(along, str) else tuple(along)
    if dataset.time is not None:
        return (dataset.time.column,)
    if dataset.coordinates is not None:
        return dataset.coordinates.columns
    raise InputError(f"'{dataset.name}' has neither time nor coordinates; say along which columns, as in along='x'.")


def _walked(x: Floats, y: Floats, at: Floats, noise: Floats | None) -> tuple[Floats, Floats]:
    return bridge(x[:, 0], y, at[:, 0], noise)


def _kriged(x: Floats, y: Floats, at: Floats, noise: Floats | None, seed: int) -> tuple[Floats, Floats]:
    from scipy.spatial import cKDTree

    made = fit_matern(x, y, seed)
    k = min(NEIGHBOURS, len(x))
    _, near = cKDTree(x / made.lengths).query(at / made.lengths, k=k)
    near = near.reshape(len(at), k)
    own = np.full(len(x), made.noise) if noise is None else np.where(np.isnan(noise), made.noise, noise**2)
    points = x[near]
    joint = made(points, points)
    joint[:, np.arange(k), np.arange(k)] += own[near] + 1e-10 * made.variance
    cross = made(points, at[:, None, :])[..., 0]
    weights = np.linalg.solve(joint, cross[..., None])[..., 0]
    mean = made.mean + (weights * (y[near] - made.mean)).sum(axis=1)
    variance = made.variance - (weights * cross).sum(axis=1)
    return mean, np.sqrt(np.maximum(variance, 0.0))


def fit_matern(x: Floats, y: Floats, seed: int = 0) -> Matern:
    """The Matern 3/2 covariance of greatest likelihood, by scikit-learn, from at most 200 of the samples.

    Raises:
        InputError: fewer than eight samples.
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor, kernels

    if len(x) < 8:
        raise InputError(f"A covariance is to be fitted to {len(x)} samples; give eight at least, or take brownian.")
    rng = np.random.default_rng(seed)
    # Half in one neighbourhood: a thin sample alone would show no short distances.
    rows = np.arange(len(x))
    if len(x) > FITTED:
        centre = x[int(rng.integers(len(x)))]
        close = np.argsort((((x - centre) / np.maximum(np.ptp(x, axis=0), 1e-300)) ** 2).sum(axis=1))
        rows = np.unique(np.concatenate([close[: FITTED // 2], rng.permutation(len(x))[: FITTED // 2]]))
    extent = np.maximum(np.ptp(x, axis=0), 1e-300)
    mean, size = float(y.mean()), float(y.std()) or 1.0
    kernel = kernels.ConstantKernel(1.0, (1e-3, 1e3)) * kernels.Matern(
        np.full(x.shape[1], 0.2), (1e-3, 1e2), nu=1.5
    ) + kernels.WhiteKernel(1e-2, (1e-8, 1e1))
    with warnings.catch_warnings():
        # A bound met is an answer: noise that is not there, a length beyond the record.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = GaussianProcessRegressor(kernel, random_state=seed).fit(x[rows] / extent, (y[rows] - mean) / size)
    told = np.exp(fitted.kernel_.theta)
    return Matern(mean, float(told[0]) * size**2, np.asarray(told[1:-1]) * extent, float(told[-1]) * size**2)
