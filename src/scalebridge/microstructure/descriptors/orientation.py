r"""Orientation tensors and misalignment of a field of directions, or of vectors.

:math:`a_{ij} = \langle p_i p_j \rangle` and :math:`a_{ijkl} = \langle p_i p_j p_k p_l \rangle` (Advani and Tucker,
J. Rheol. 31 (1987) 751): I / d for random directions, 1 in one place for aligned ones. Components are x, y, z.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.errors import InputError, ShapeError
from scalebridge.microstructure.descriptors.gradient_orientation import OrientationField
from scalebridge.microstructure.descriptors.masks import Floats

FINE = 100_000
"""Directions above which misalignments are gathered in bins of a tenth of a degree."""


@dataclass(frozen=True, eq=False)
class OrientationTensor:
    """Moments of directions.

    Attributes:
        second: ``a_ij``, ``[d, d]``, trace 1.
        fourth: ``a_ijkl``, ``[d, d, d, d]``.
        second_std: standard deviation of ``a_ij`` from parts of the image ``[d, d]``; nan for vectors.
        misalignment: angles from the main direction in degrees, ascending, ``[n]``.
        weight: their weights, summing to 1, ``[n]``.
    """

    second: Floats
    fourth: Floats
    second_std: Floats
    misalignment: Floats
    weight: Floats

    @property
    def principal(self) -> Floats:
        """Principal directions as rows, the main one first, ``[d, d]``."""
        return np.asarray(np.linalg.eigh(self.second)[1].T[::-1])

    @property
    def alignment(self) -> float:
        """Largest eigenvalue scaled: 0 for random directions, 1 for one direction (Hermans' order in 3-D)."""
        d = len(self.second)
        return float((d * np.linalg.eigvalsh(self.second)[-1] - 1) / (d - 1))

    @property
    def mean_misalignment(self) -> float:
        """Mean angle from the main direction in degrees."""
        return float(self.weight @ self.misalignment)

    def misalignment_quantile(self, level: float) -> float:
        """Return the angle in degrees below which a share ``level`` of the weight lies."""
        place = int(np.searchsorted(np.cumsum(self.weight), level * (1 - 1e-12)))
        return float(self.misalignment[min(place, len(self.misalignment) - 1)])


def orientation_tensor(
    directions: OrientationField | ArrayLike, weights: ArrayLike | None = None, *, phase: ArrayLike | None = None
) -> OrientationTensor:
    """Return the orientation tensors of a field, or of vectors.

    A field is weighted by energy times coherence: places without a direction say nothing.

    Args:
        directions: a field, or vectors ``[n, d]`` of any length (x, y(, z)).
        weights: of the vectors ``[n]``, such as volumes; equal when ``None``.
        phase: with a field: the phase to which it is limited, ``[*grid]`` of the image.

    Raises:
        ShapeError: vectors that are no ``[n, 2]`` or ``[n, 3]``; a phase of another shape.
        InputError: no vector, a vector without length, weights that are negative or all zero.
    """
    if isinstance(directions, OrientationField):
        return _of_field(directions, phase)
    vectors = np.asarray(directions, dtype=np.float64)
    if vectors.ndim != 2 or vectors.shape[1] not in (2, 3):
        raise ShapeError(f"The directions have the shape {vectors.shape}; [n, 2] or [n, 3] is needed.")
    length = np.linalg.norm(vectors, axis=1)
    if not len(vectors) or not (np.isfinite(length) & (length > 0)).all():
        raise InputError("A direction has no length or is not finite, or there is none; leave such ones out.")
    weight = np.ones(len(vectors)) if weights is None else np.asarray(weights, dtype=np.float64)
    if weight.shape != length.shape or not (np.isfinite(weight).all() and (weight >= 0).all() and weight.sum() > 0):
        raise InputError("The weights of directions must be one number of 0 or more for each, and not all 0.")
    none = np.full((vectors.shape[1],) * 2, np.nan)
    return _of_vectors(vectors / length[:, None], weight / weight.sum(), none)


def _of_vectors(unit: Floats, weight: Floats, std: Floats) -> OrientationTensor:
    fourth = _fourth(unit, weight)
    second = np.einsum("ijkk->ij", fourth)
    main = np.linalg.eigh(second)[1][:, -1]
    angle = np.degrees(np.arccos(np.clip(np.abs(unit @ main), 0.0, 1.0)))
    if len(angle) > FINE:
        angle, weight = _binned(angle, weight)
    order = np.argsort(angle)
    return OrientationTensor(second, fourth, std, angle[order], weight[order])


def _fourth(unit: Floats, weight: Floats) -> Floats:
    """Weighted mean of the products of four components, from those of pairs of pairs."""
    d = unit.shape[1]
    pairs = list(itertools.combinations_with_replacement(range(d), 2))
    total = np.zeros((len(pairs), len(pairs)))
    for start in range(0, len(unit), 1 << 18):
        part = unit[start : start + (1 << 18)]
        products = np.stack([part[:, i] * part[:, j] for i, j in pairs])
        total += (products * weight[start : start + (1 << 18)]) @ products.T
    place = {pair: k for k, pair in enumerate(pairs)}
    number = np.array([[place[min(i, j), max(i, j)] for j in range(d)] for i in range(d)])
    return np.asarray(total[number[:, :, None, None], number[None, None, :, :]])


def _binned(angle: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Weights in bins of a tenth of a degree, at their mean angle."""
    place = np.minimum((10 * angle).astype(np.int64), 899)
    total = np.bincount(place, weights=weight, minlength=900)
    mean = np.bincount(place, weights=weight * angle, minlength=900)
    held = total > 0
    return np.asarray(mean[held] / total[held]), np.asarray(total[held], dtype=np.float64)


def _of_field(field: OrientationField, phase: ArrayLike | None) -> OrientationTensor:
    weight = (field.energy * field.coherence).astype(np.float64) * field.inside
    if phase is not None:
        places = np.asarray(phase, dtype=bool)[(slice(field.step // 2, None, field.step),) * weight.ndim]
        if places.shape != weight.shape:
            raise ShapeError(f"The phase has places {places.shape} and the field {weight.shape}; give the same image.")
        weight = weight * places
    if not weight.sum() > 0:
        raise InputError("The image shows no direction anywhere: it is flat, or the phase is empty.")
    held = weight > 0
    unit = field.direction[:, held].astype(np.float64).T
    return _of_vectors(unit, weight[held] / weight.sum(), _scatter(field, weight))


def _scatter(field: OrientationField, weight: Floats, tiles: int = 4) -> Floats:
    """Deviation of the mean tensor over tiles of the image, as if tiles were independent draws (a ratio of means)."""
    d = weight.ndim
    number = np.zeros(weight.shape, dtype=np.int64)
    for axis, n in enumerate(weight.shape):
        part = np.minimum(np.arange(n) * tiles // n, tiles - 1)
        number = number * tiles + part.reshape([-1 if k == axis else 1 for k in range(d)])
    flat = number.ravel()
    mass = np.bincount(flat, weights=weight.ravel(), minlength=tiles**d)
    std = np.zeros((d, d))
    for i, j in itertools.combinations_with_replacement(range(d), 2):
        product = (field.direction[i] * field.direction[j] * weight).ravel()
        total = np.bincount(flat, weights=product, minlength=tiles**d)
        rest = total - mass * total.sum() / mass.sum()
        n = int((mass > 0).sum())
        std[i, j] = std[j, i] = np.sqrt((rest**2).sum() * n / max(n - 1, 1)) / mass.sum()
    return std
