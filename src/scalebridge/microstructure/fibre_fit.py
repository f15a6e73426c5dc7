r"""Circles fitted to an image of fibres all at once: blurred discs on a matrix, by Gauss-Newton.

The image is :math:`b + \sum_i a_i \Phi((R_i(\theta) - \sigma^2 / 2R_i - d_i) / \sigma)` with d the distance to
the centre of disc i, a its grey step, sigma the blur and Phi the normal distribution: the profile of a straight edge
after a Gaussian blur, moved inwards as that of a curved edge is. R carries an ellipse,
:math:`R (1 + e_1 \cos 2\theta + e_2 \sin 2\theta)`. All discs are drawn together, so that the edge between fibres
in contact, where no single profile has an edge, is explained by the two of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float64]
Mask = NDArray[np.bool_]

DAMPING = 0.7
"""Share of a step that is taken: neighbours move at the same time."""

SMALLEST, LARGEST = 0.35, 2.2
"""Radii that a disc may take, in typical ones."""

ELLIPSE = 0.08
"""Deviation of the two ellipse coefficients expected before the image is seen."""


@dataclass(frozen=True, eq=False)
class Discs:
    """Discs and what they are drawn on: ``values [n, 6]`` of row, column, radius, step, e1, e2."""

    values: Grey
    matrix: float
    blur: float

    def only(self, chosen: Mask | NDArray[np.int64]) -> Discs:
        """Return some of the discs."""
        return replace(self, values=self.values[chosen])


@dataclass(frozen=True, eq=False)
class Patches:
    """The pixels around each disc: flat indices ``[n, p]``, offsets from the centre, and the drawn profile."""

    index: NDArray[np.int64]
    valid: Mask
    weight: Grey
    distance: Grey
    cosine: Grey
    sine: Grey
    profile: Grey
    slope: Grey


def patches(discs: Discs, inside: Mask, reach: float) -> Patches:
    """Cut the pixels within ``reach`` pixels of each centre and draw each disc on its own."""
    from scipy.special import ndtr

    rows, columns = inside.shape
    span = np.arange(-int(np.ceil(reach)) - 1, int(np.ceil(reach)) + 2)
    square = np.stack(np.meshgrid(span, span, indexing="ij")).reshape(2, -1)
    dy, dx = square[:, np.hypot(*square) <= reach + 1]
    centre = np.rint(discs.values[:, :2]).astype(np.int64)
    y, x = centre[:, :1] + dy, centre[:, 1:] + dx
    within = (y >= 0) & (y < rows) & (x >= 0) & (x < columns)
    index = np.where(within, y * columns + x, 0)
    v, u = y - discs.values[:, :1], x - discs.values[:, 1:2]
    distance = np.maximum(np.hypot(v, u), 1e-9)
    radius, e1, e2 = discs.values[:, 2:3], discs.values[:, 4:5], discs.values[:, 5:6]
    cosine, sine = u / distance, v / distance
    double, skew = cosine**2 - sine**2, 2 * cosine * sine
    edge = radius * (1 + e1 * double + e2 * skew) - discs.blur**2 / (2 * radius)
    z = (edge - distance) / discs.blur
    valid = within & inside.ravel()[index]
    # Pixels beyond the disc's own edge tell of it less and less, and of its neighbours more.
    weight = np.where(valid, ndtr((edge + 2.0 * discs.blur - distance) / discs.blur), 0.0)
    slope = np.exp(-0.5 * z**2) / (np.sqrt(2 * np.pi) * discs.blur)
    return Patches(index, valid, weight, distance, cosine, sine, ndtr(z), slope)


def draw(discs: Discs, cut: Patches, shape: tuple[int, int]) -> Grey:
    """Return the image of the discs, ``[rows, columns]``."""
    drawn = np.where(cut.valid, discs.values[:, 3:4] * cut.profile, 0.0)
    total = np.bincount(cut.index.ravel(), weights=drawn.ravel(), minlength=shape[0] * shape[1])
    return np.asarray(discs.matrix + total.reshape(shape))


def refine(
    discs: Discs, grey: Grey, inside: Mask, noise: float, prior: tuple[float, float, float], steps: int
) -> Discs:
    """Move the discs ``steps`` times towards the least squared error.

    Args:
        discs: where to start.
        grey: the image, ``[rows, columns]``.
        inside: pixels that count.
        noise: standard deviation of a pixel about the model.
        prior: typical radius, its deviation, and the typical step of grey (deviation: a third of it).
        steps: number of Gauss-Newton steps.
    """
    current = discs
    for _ in range(steps):
        normal, pull = _system(current, grey, inside, noise, prior)
        step = np.linalg.solve(normal, pull[..., None])[..., 0]
        moved = current.values + DAMPING * np.clip(step, -_limits(prior), _limits(prior))
        moved[:, 2] = np.clip(moved[:, 2], SMALLEST * prior[0], LARGEST * prior[0])
        moved[:, 4:] = np.clip(moved[:, 4:], -0.4, 0.4)
        current = replace(current, values=moved)
    return current


def explained(discs: Discs, grey: Grey, inside: Mask) -> tuple[Grey, Grey]:
    """Return the share of the grey variance around each disc that it explains, ``[n]``, and the residual image.

    Around: within its patch, with its neighbours taken away; a share below zero is reported as zero.
    """
    cut = patches(discs, inside, _reach(discs))
    rest = grey - draw(discs, cut, (grey.shape[0], grey.shape[1]))
    left = rest.ravel()[cut.index]
    own = left + discs.values[:, 3:4] * cut.profile
    total = np.maximum(cut.weight.sum(axis=1, keepdims=True), 1e-9)
    mean = (cut.weight * own).sum(axis=1, keepdims=True) / total
    variance = (cut.weight * (own - mean) ** 2).sum(axis=1)
    share = 1 - (cut.weight * left**2).sum(axis=1) / np.maximum(variance, 1e-12)
    return np.clip(share, 0.0, 1.0), rest


def information(discs: Discs, grey: Grey, inside: Mask) -> tuple[Grey, Grey]:
    """Return the normal matrices ``[n, 6, 6]`` for a noise of one, and the rms residual of each disc, ``[n]``."""
    cut = patches(discs, inside, _reach(discs))
    rest = (grey - draw(discs, cut, (grey.shape[0], grey.shape[1]))).ravel()[cut.index]
    jacobian = _jacobian(discs, cut)
    normal = (jacobian * cut.weight[..., None]).swapaxes(1, 2) @ jacobian
    total = np.maximum(cut.weight.sum(axis=1), 1e-9)
    return normal, np.sqrt((cut.weight * rest**2).sum(axis=1) / total)


def fit_globals(discs: Discs, grey: Grey, inside: Mask) -> Discs:
    """Return the discs with a blur nearer to the least squared error, and the level of the matrix.

    One step to the vertex of the parabola through three blurs; the caller repeats it as the discs move.
    """
    blurs = discs.blur * np.array([0.85, 1.0, 1.15])
    error = np.array([_level(replace(discs, blur=float(blur)), grey, inside)[1] for blur in blurs])
    curve = np.polyfit(blurs, error, 2)
    vertex = -curve[1] / (2 * curve[0]) if curve[0] > 0 else blurs[int(np.argmin(error))]
    best = replace(discs, blur=float(np.clip(vertex, max(0.4, 0.7 * discs.blur), min(2.5, 1.4 * discs.blur))))
    return replace(best, matrix=_level(best, grey, inside)[0])


def _level(discs: Discs, grey: Grey, inside: Mask) -> tuple[float, float]:
    """The level of the matrix, the median where no disc lies, and the mean squared error with it."""
    cut = patches(discs, inside, _reach(discs))
    bare = replace(discs, matrix=0.0)
    drawn = draw(bare, cut, (grey.shape[0], grey.shape[1]))
    between = inside & (drawn < 0.1 * float(np.median(discs.values[:, 3])))
    level = float(np.median(grey[between])) if between.any() else discs.matrix
    return level, float(np.mean((grey - level - drawn)[inside] ** 2))


def _reach(discs: Discs) -> float:
    return float(discs.values[:, 2].max(initial=1.0)) + 3 * discs.blur


def _limits(prior: tuple[float, float, float]) -> Grey:
    return np.array([0.5, 0.5, 0.3, 0.3 * prior[2], 0.1, 0.1])


def _system(
    discs: Discs, grey: Grey, inside: Mask, noise: float, prior: tuple[float, float, float]
) -> tuple[Grey, Grey]:
    cut = patches(discs, inside, _reach(discs))
    rest = (grey - draw(discs, cut, (grey.shape[0], grey.shape[1]))).ravel()[cut.index]
    jacobian = _jacobian(discs, cut)
    scaled = (jacobian * (cut.weight / noise**2)[..., None]).swapaxes(1, 2)
    normal = scaled @ jacobian
    pull = (scaled @ rest[..., None])[..., 0]
    mean = np.array([0.0, 0.0, prior[0], prior[2], 0.0, 0.0])
    precision = np.array([1e-6, 1e-6, 1 / prior[1] ** 2, 9 / prior[2] ** 2, 1 / ELLIPSE**2, 1 / ELLIPSE**2])
    away = mean - discs.values
    away[:, :2] = 0.0
    normal += np.diag(precision)
    pull += precision * away
    return normal, pull


def _jacobian(discs: Discs, cut: Patches) -> Grey:
    radius, step = discs.values[:, 2:3], discs.values[:, 3:4]
    double, skew = cut.cosine**2 - cut.sine**2, 2 * cut.cosine * cut.sine
    edge = step * cut.slope
    stretch = 1 + discs.values[:, 4:5] * double + discs.values[:, 5:6] * skew + discs.blur**2 / (2 * radius**2)
    return np.stack(
        [edge * cut.sine, edge * cut.cosine, edge * stretch, cut.profile, edge * radius * double, edge * radius * skew],
        axis=-1,
    )
