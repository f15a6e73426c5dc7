"""A random forest that tells the class of a pixel from its surroundings, trained from masks or from strokes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.learned.agreement import Agreement, stack, table
from scalebridge.microstructure.learned.class_map import ClassMap, class_map
from scalebridge.microstructure.learned.features import Features, local_features, normalised
from scalebridge.microstructure.learned.training_pairs import Pairs, checked_pairs, regions
from scalebridge.microstructure.masks import LabelMask
from scalebridge.microstructure.micrograph import Micrograph
from scalebridge.microstructure.visible import checked_view, field_of_view

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier

Rows = NDArray[np.int64]

FEWEST = 50
"""Least number of training pixels of an image that can be asked for."""


@dataclass(frozen=True)
class PixelClassifier:
    """A random forest on local features; `fit` returns the trained one.

    ::

        strokes = sb.microstructure.read_mask("strokes.png", {"between": 1, "centre": 2}, unmarked=0)
        trained = sb.microstructure.PixelClassifier().fit([image], [strokes])
        found = trained.segment(other)
        found.probability, found.fraction, found.fraction_std, trained.agreement.describe()

    Attributes:
        scales: deviations of the Gaussians in pixels; the largest should span the things to be told.
        trees: number of trees.
        pixels: most training pixels of an image; half drawn evenly over the classes, half over the pixels, and weighted
            back, so that rare classes are seen and their probability is not blown up.
        folds: most groups held out in turn.
        seed: of the drawing and of the forest.
    """

    scales: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0)
    trees: int = 60
    pixels: int = 8000
    folds: int = 5
    seed: int = 0

    def fit(self, images: Sequence[Micrograph], masks: Sequence[LabelMask]) -> TrainedClassifier:
        """Train on images and their masks or strokes, and validate on groups held out.

        Groups are whole images; with fewer than three images, regions: each stroke with all that touches it, or the
        quarters of a full mask. Features reach eight of the largest scale (64 pixels by default), so that regions of
        one image share surroundings along their borders, and agreement on them is a little too good; whole images
        share none.

        Raises:
            InputError: an option out of range, images and masks that do not pair, masks of different classes, a
                class never marked, or so rare that no training pixel has it.
        """
        self._check()
        pairs = checked_pairs(images, masks)
        rows = list(self._rows(pairs))
        features = np.concatenate([each[0] for each in rows])
        labels = np.concatenate([each[1] for each in rows])
        if len(np.unique(labels)) < len(pairs.classes):
            raise InputError(
                f"A class is so rare that none of the {labels.size} training pixels drawn has it; raise pixels="
                f"{self.pixels}, or mark more of it."
            )
        weights = np.concatenate([each[2] for each in rows])
        groups = np.concatenate([each[3] for each in rows])
        agreement = self._validated(features, labels, weights, groups, pairs.classes)
        forest = self._forest().fit(features, labels, sample_weight=weights)
        return TrainedClassifier(self, forest, pairs.classes, agreement)

    def _check(self) -> None:
        if self.trees < 1 or self.folds < 2 or self.pixels < FEWEST:
            raise InputError(
                f"The forest got trees {self.trees}, folds {self.folds} and pixels {self.pixels}; at least 1 tree, 2 "
                f"folds and {FEWEST} pixels are needed."
            )

    def _rows(self, pairs: Pairs) -> Iterator[tuple[Features, Rows, NDArray[np.float64], Rows]]:
        rng = np.random.default_rng(self.seed)
        start = 0
        for image, mask in zip(pairs.images, pairs.masks, strict=True):
            group = np.zeros(image.shape, dtype=np.int64) if len(pairs.images) > 2 else regions(mask)
            flat, weight = _drawn(mask.labels, len(pairs.classes), self.pixels, rng)
            features = local_features(normalised(image.grey, field_of_view(image)), self.scales)
            yield (
                features.reshape(-1, features.shape[-1])[flat],
                mask.labels.ravel()[flat].astype(np.int64),
                weight,
                start + group.ravel()[flat],
            )
            start += int(group.max()) + 1

    def _forest(self) -> RandomForestClassifier:
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(
            self.trees, min_samples_leaf=5, max_features="sqrt", random_state=self.seed, n_jobs=1
        )

    def _validated(
        self, features: Features, labels: Rows, weights: NDArray[np.float64], groups: Rows, classes: tuple[str, ...]
    ) -> Agreement | None:
        from sklearn.model_selection import GroupKFold

        count = len(np.unique(groups))
        if count < 2:
            return None
        called = np.full(len(labels), -1, dtype=np.int64)
        for train, held in GroupKFold(min(self.folds, count)).split(features, labels, groups):
            if len(np.unique(labels[train])) == len(classes):
                forest = self._forest().fit(features[train], labels[train], sample_weight=weights[train])
                called[held] = forest.predict(features[held])
        told = called >= 0
        tables = [
            _weighted(labels[told & (groups == group)], called[told & (groups == group)],
                      weights[told & (groups == group)], len(classes))
            for group in np.unique(groups[told])
        ]  # fmt: skip
        return stack(tables, classes) if tables else None


@dataclass(frozen=True, eq=False)
class TrainedClassifier:
    """A trained forest; build it by `PixelClassifier.fit`.

    Attributes:
        settings: how it was trained.
        forest: scikit-learn's forest.
        classes: names, in the order of the labels.
        agreement: with held-out groups; ``None`` where the marks leave none.
    """

    settings: PixelClassifier
    forest: RandomForestClassifier
    classes: tuple[str, ...]
    agreement: Agreement | None

    def segment(self, image: Micrograph, inside: NDArray[np.bool_] | None = None) -> ClassMap:
        """Return the classes of an image with their probabilities and fractions.

        Args:
            image: the image, of the kind trained on.
            inside: its field of view; found when ``None``.

        Raises:
            InputError: a field of view that is no boolean mask of the image's shape, or empty.
        """
        visible = checked_view(image, inside)
        features = local_features(normalised(image.grey, visible), self.settings.scales)
        told = self.forest.predict_proba(features.reshape(-1, features.shape[-1])).astype(np.float32)
        probability = np.ascontiguousarray(told.T.reshape(len(self.classes), *image.shape))
        return class_map(image, probability, self.classes, visible, self.agreement)

    def tested(self, images: Sequence[Micrograph], masks: Sequence[LabelMask]) -> Agreement:
        """Return the agreement with masks that were not trained on, one table per image."""
        pairs = checked_pairs(images, masks, self.classes)
        tables = [
            table(mask.labels, self.segment(image).labels, len(self.classes))
            for image, mask in zip(pairs.images, pairs.masks, strict=True)
        ]
        return stack(tables, self.classes)


def _drawn(
    labels: NDArray[np.int16], classes: int, most: int, rng: np.random.Generator
) -> tuple[Rows, NDArray[np.float64]]:
    """Draw flat pixel numbers, and the pixels that each stands for."""
    flat = labels.ravel()
    marked = np.flatnonzero(flat >= 0)
    counts = np.bincount(flat[marked], minlength=classes)
    chance = np.minimum(most / 2 / marked.size + most / 2 / classes / np.maximum(counts, 1)[flat[marked]], 1.0)
    taken = rng.random(marked.size) < chance
    return marked[taken], 1 / chance[taken]


def _weighted(truth: Rows, called: Rows, weights: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    counts = np.bincount(truth * classes + called, weights=weights, minlength=classes**2)
    return np.asarray(counts.reshape(classes, classes), dtype=np.float64)
