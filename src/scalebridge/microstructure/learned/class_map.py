"""What a learned segmentation says of an image: probabilities of every pixel, and fractions with deviations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, did_you_mean
from scalebridge.microstructure.learned.agreement import Agreement, corrected, fraction_deviation
from scalebridge.microstructure.micrograph import Micrograph


@dataclass(frozen=True, eq=False)
class ClassMap:
    """Classes of an image with their probabilities.

    Attributes:
        image: the image.
        probability: of each class at every pixel, ``[classes, rows, columns]`` float32, sum one.
        classes: names, in the order of ``probability`` and ``labels``.
        labels: the most probable class, ``[rows, columns]`` int16.
        inside: the field of view, ``[rows, columns]``.
        called: share of each label within the field of view, ``[classes]``.
        fraction: ``called`` set right by the confusion on held-out pixels, ``[classes]``; as called without any.
        fraction_std: deviation of ``fraction``, from the held-out groups; NaN where these lack a class.
        agreement: the validation that these rest on; ``None`` without one.
    """

    image: Micrograph
    probability: NDArray[np.float32]
    classes: tuple[str, ...]
    labels: NDArray[np.int16]
    inside: NDArray[np.bool_]
    called: NDArray[np.float64]
    fraction: NDArray[np.float64]
    fraction_std: NDArray[np.float64]
    agreement: Agreement | None

    def of(self, name: str) -> NDArray[np.bool_]:
        """Return the pixels of a class, ``[rows, columns]``.

        Raises:
            InputError: no such class.
        """
        if name not in self.classes:
            raise InputError(f"The map has no class '{name}'{did_you_mean(name, self.classes)}")
        return np.asarray((self.labels == self.classes.index(name)) & self.inside)

    @property
    def doubt(self) -> NDArray[np.float32]:
        """Probability that a pixel's label is wrong, ``[rows, columns]``."""
        return np.asarray(1 - self.probability.max(axis=0))

    def describe(self) -> str:
        """Return the fractions with their deviations, in one line."""
        rows = zip(self.classes, self.fraction, self.fraction_std, strict=True)
        return ", ".join(f"{name} {value:.4f} ± {std:.4f}" for name, value, std in rows)


def class_map(
    image: Micrograph,
    probability: NDArray[np.float32],
    classes: tuple[str, ...],
    inside: NDArray[np.bool_],
    agreement: Agreement | None,
) -> ClassMap:
    """Return the labels and the fractions that follow from probabilities ``[classes, rows, columns]``."""
    labels = probability.argmax(axis=0).astype(np.int16)
    called = np.bincount(labels[inside], minlength=len(classes)) / max(int(inside.sum()), 1)
    # A class without held-out pixels has no known rate of being called right: nothing can be set right by it.
    if agreement is None or not agreement.pooled.any(axis=1).all():
        fraction, std = called, np.full(len(classes), np.nan)
    else:
        fraction = corrected(called, agreement.pooled)
        std = fraction_deviation(called, agreement.tables)
    return ClassMap(image, probability, classes, labels, inside, called, fraction, std, agreement)
