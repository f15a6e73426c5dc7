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

CHUNK = 256
"""Discs whose patches are handled at once: of about one size, and small enough to stay in a cache."""

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
    """Some of the discs and the pixels around each: flat indices ``[n, p]``, where they lie, and the drawn profile."""

    discs: NDArray[np.int64]
    values: Grey
    index: NDArray[np.int64]
    valid: Mask
    weight: Grey
    cosine: Grey
    sine: Grey
    profile: Grey
    slope: Grey

    @property
    def drawn(self) -> Grey:
        """Grey values of each disc on its own, ``[n, p]``."""
        return np.where(self.valid, self.values[:, 3:4] * self.profile, 0.0)


def patches(discs: Discs, inside: Mask) -> list[Patches]:
    """Cut the pixels around each centre and draw each disc on its own, in chunks of discs of about one size."""
    order = np.argsort(discs.values[:, 2], kind="stable")
    return [_patch(discs, order[k : k + CHUNK], inside) for k in range(0, len(order), CHUNK)]


def _patch(discs: Discs, chosen: NDArray[np.int64], inside: Mask) -> Patches:
    from scipy.special import ndtr

    values = discs.values[chosen]
    reach = float(values[:, 2].max()) + 3 * discs.blur
    rows, columns = inside.shape
    span = np.arange(-int(np.ceil(reach)) - 1, int(np.ceil(reach)) + 2)
    square = np.stack(np.meshgrid(span, span, indexing="ij")).reshape(2, -1)
    dy, dx = square[:, np.hypot(*square) <= reach + 1]
    centre = np.rint(values[:, :2]).astype(np.int64)
    y, x = centre[:, :1] + dy, centre[:, 1:] + dx
    within = (y >= 0) & (y < rows) & (x >= 0) & (x < columns)
    index = np.where(within, y * columns + x, 0)
    v, u = y - values[:, :1], x - values[:, 1:2]
    distance = np.maximum(np.hypot(v, u), 1e-9)
    cosine, sine = u / distance, v / distance
    radius = values[:, 2:3]
    stretch = values[:, 4:5] * (cosine**2 - sine**2) + values[:, 5:6] * 2 * cosine * sine
    z = (radius * (1 + stretch) - discs.blur**2 / (2 * radius) - distance) / discs.blur
    valid = within & inside.ravel()[index]
    # Pixels beyond the disc's own edge tell of it less and less, and of its neighbours more.
    weight = np.where(valid, ndtr(z + 2.0), 0.0)
    slope = np.exp(-0.5 * z**2) / (np.sqrt(2 * np.pi) * discs.blur)
    return Patches(chosen, values, index, valid, weight, cosine, sine, ndtr(z), slope)


def draw(discs: Discs, cuts: list[Patches], shape: tuple[int, ...]) -> Grey:
    """Return the image of the discs, ``[rows, columns]``."""
    total = np.full(shape[0] * shape[1], discs.matrix)
    for cut in cuts:
        total += np.bincount(cut.index.ravel(), weights=cut.drawn.ravel(), minlength=total.size)
    return total.reshape(shape)


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
        cuts = patches(current, inside)
        rest = (grey - draw(current, cuts, grey.shape)).ravel()
        moved = current.values.copy()
        for cut in cuts:
            step = _step(cut, rest, current.blur, noise, prior)
            moved[cut.discs] += DAMPING * np.clip(step, -_limits(prior), _limits(prior))
        moved[:, 2] = np.clip(moved[:, 2], SMALLEST * prior[0], LARGEST * prior[0])
        moved[:, 4:] = np.clip(moved[:, 4:], -0.4, 0.4)
        current = replace(current, values=moved)
    return current


def explained(discs: Discs, grey: Grey, inside: Mask) -> tuple[Grey, Grey]:
    """Return the share of the grey variance around each disc that it explains, ``[n]``, and the residual image.

    Around: within its patch, with its neighbours taken away; a share below zero is reported as zero.
    """
    cuts = patches(discs, inside)
    rest = grey - draw(discs, cuts, grey.shape)
    share = np.zeros(len(discs.values))
    for cut in cuts:
        left = rest.ravel()[cut.index]
        own = left + cut.drawn
        total = np.maximum(cut.weight.sum(axis=1, keepdims=True), 1e-9)
        mean = (cut.weight * own).sum(axis=1, keepdims=True) / total
        variance = (cut.weight * (own - mean) ** 2).sum(axis=1)
        share[cut.discs] = 1 - (cut.weight * left**2).sum(axis=1) / np.maximum(variance, 1e-12)
    return np.clip(share, 0.0, 1.0), rest


def information(discs: Discs, grey: Grey, inside: Mask) -> tuple[Grey, Grey]:
    """Return the normal matrices ``[n, 6, 6]`` for a noise of one, and the rms residual of each disc, ``[n]``."""
    cuts = patches(discs, inside)
    rest = (grey - draw(discs, cuts, grey.shape)).ravel()
    normal, residual = np.zeros((len(discs.values), 6, 6)), np.zeros(len(discs.values))
    for cut in cuts:
        jacobian = _jacobian(cut, discs.blur)
        normal[cut.discs] = (jacobian * cut.weight[..., None]).swapaxes(1, 2) @ jacobian
        total = np.maximum(cut.weight.sum(axis=1), 1e-9)
        residual[cut.discs] = np.sqrt((cut.weight * rest[cut.index] ** 2).sum(axis=1) / total)
    return normal, residual


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
    bare = replace(discs, matrix=0.0)
    drawn = draw(bare, patches(bare, inside), grey.shape)
    between = inside & (drawn < 0.1 * float(np.median(discs.values[:, 3])))
    level = float(np.median(grey[between])) if between.any() else discs.matrix
    return level, float(np.mean((grey - level - drawn)[inside] ** 2))


def _limits(prior: tuple[float, float, float]) -> Grey:
    return np.array([0.5, 0.5, 0.3, 0.3 * prior[2], 0.1, 0.1])


def _step(cut: Patches, rest: Grey, blur: float, noise: float, prior: tuple[float, float, float]) -> Grey:
    """The Gauss-Newton step of each disc with the others held, ``[n, 6]``."""
    jacobian = _jacobian(cut, blur)
    scaled = (jacobian * (cut.weight / noise**2)[..., None]).swapaxes(1, 2)
    mean = np.array([0.0, 0.0, prior[0], prior[2], 0.0, 0.0])
    precision = np.array([1e-6, 1e-6, 1 / prior[1] ** 2, 9 / prior[2] ** 2, 1 / ELLIPSE**2, 1 / ELLIPSE**2])
    away = mean - cut.values
    away[:, :2] = 0.0
    pull = (scaled @ rest[cut.index][..., None])[..., 0] + precision * away
    return np.asarray(np.linalg.solve(scaled @ jacobian + np.diag(precision), pull[..., None])[..., 0], np.float64)


def _jacobian(cut: Patches, blur: float) -> Grey:
    radius = cut.values[:, 2:3]
    double, skew = cut.cosine**2 - cut.sine**2, 2 * cut.cosine * cut.sine
    edge = cut.values[:, 3:4] * cut.slope
    stretch = 1 + cut.values[:, 4:5] * double + cut.values[:, 5:6] * skew + blur**2 / (2 * radius**2)
    return np.stack(
        [edge * cut.sine, edge * cut.cosine, edge * stretch, cut.profile, edge * radius * double, edge * radius * skew],
        axis=-1,
    )
