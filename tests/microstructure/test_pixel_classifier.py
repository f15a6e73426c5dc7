"""A forest on local features: from masks, from strokes, with fractions that can be checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import scalebridge as sb
from scalebridge.microstructure.learned.agreement import corrected, fraction_deviation, stack, table
from scalebridge.microstructure.learned.features import feature_names, local_features
from scalebridge.microstructure.learned.pixel_classifier import PixelClassifier, TrainedClassifier
from scalebridge.microstructure.masks import LabelMask, as_mask, read_mask

ms = sb.microstructure
DATA = Path(__file__).parents[2] / "data"
SMALL = PixelClassifier(scales=(1.0, 2.0), trees=15, pixels=1500)


def texture(seed: int, share: float) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
    """Two phases of the same mean grey: one smooth, one rough; no threshold tells them."""
    rng = np.random.default_rng(seed)
    rows = np.arange(96)[:, None] + 12 * np.sin(np.arange(96) / 9)
    rough = rows > 96 * (1 - share)
    return np.clip(0.5 + np.where(rough, 0.12, 0.02) * rng.standard_normal((96, 96)), 0, 1), rough.astype(np.int16)


@pytest.fixture(scope="module")
def trained() -> TrainedClassifier:
    given = [texture(seed, share) for seed, share in ((1, 0.3), (2, 0.5), (3, 0.6), (4, 0.4))]
    images = [ms.from_array(grey) for grey, _ in given]
    return SMALL.fit(images, [as_mask(labels, ("smooth", "rough")) for _, labels in given])


def test_textures_of_one_mean_grey_are_told_apart(trained: TrainedClassifier) -> None:
    grey, labels = texture(9, 0.45)
    assert trained.tested([ms.from_array(grey)], [as_mask(labels, ("smooth", "rough"))]).dice.min() > 0.93


def test_probabilities_sum_to_one_and_doubt_lies_at_the_boundary(trained: TrainedClassifier) -> None:
    grey, labels = texture(9, 0.45)
    found = trained.segment(ms.from_array(grey))
    np.testing.assert_allclose(found.probability.sum(axis=0), 1, atol=1e-5)
    wrong = found.labels != labels
    assert found.doubt[wrong].mean() > 2 * found.doubt[~wrong].mean()


def test_the_true_fraction_lies_within_three_stated_deviations(trained: TrainedClassifier) -> None:
    for seed, share in ((11, 0.35), (12, 0.55), (13, 0.5)):
        grey, labels = texture(seed, share)
        found = trained.segment(ms.from_array(grey))
        assert abs(found.fraction[1] - labels.mean()) < 3 * found.fraction_std[1]
        assert 0 < found.fraction_std[1] < 0.1


def test_the_same_seed_gives_the_same_answer_and_validation_holds_images_out(trained: TrainedClassifier) -> None:
    given = [texture(seed, share) for seed, share in ((1, 0.3), (2, 0.5), (3, 0.6), (4, 0.4))]
    masks = [as_mask(labels, ("smooth", "rough")) for _, labels in given]
    again = SMALL.fit([ms.from_array(grey) for grey, _ in given], masks)
    assert again.agreement is not None and trained.agreement is not None
    assert len(again.agreement.tables) == 4
    np.testing.assert_array_equal(again.agreement.tables, trained.agreement.tables)


def test_strokes_on_a_real_slice_teach_where_fibres_are() -> None:
    image = ms.read(DATA / "glass-fibre" / "glass.png")
    strokes = read_mask(DATA / "glass-fibre" / "glass_labels.png", {"between": 1, "centre": 2}, image=image, unmarked=0)
    found = PixelClassifier(scales=(1.0, 2.0), trees=20).fit([image], [strokes])
    inner = found.segment(image).of("centre")
    bright = ms.segment(image, separate=False).labels == 1
    # Centres lie in fibres, and nearly every fibre is a mark's neighbour in feature space.
    assert bright[inner].mean() > 0.97
    assert 0.05 < inner.mean() < bright.mean()


def test_fractions_are_left_as_called_where_a_class_was_never_held_out() -> None:
    image = ms.read(DATA / "glass-fibre" / "glass.png")
    strokes = read_mask(DATA / "glass-fibre" / "glass_labels.png", {"between": 1, "centre": 2}, unmarked=0)
    trained = SMALL.fit([image], [strokes])
    assert trained.agreement is not None and trained.agreement.pooled[0].sum() == 0
    found = trained.segment(image)
    np.testing.assert_array_equal(found.fraction, found.called)
    assert np.isnan(found.fraction_std).all()


def test_a_correction_by_the_confusion_brings_back_the_true_fractions() -> None:
    truth = np.array([0.7, 0.3])
    rates = np.array([[0.9, 0.1], [0.2, 0.8]])
    np.testing.assert_allclose(corrected(truth @ rates, rates * 1000), truth, atol=1e-9)
    same = np.stack([rates * np.array([[600.0], [400.0]]), rates * np.array([[300.0], [700.0]])])
    np.testing.assert_allclose(fraction_deviation(truth, same), 0, atol=1e-9)


def test_dice_precision_and_recall_follow_from_the_table() -> None:
    truth = np.array([[0, 0, 0, 1], [1, 1, -1, -1]], dtype=np.int16)
    found = np.array([[0, 0, 1, 1], [1, 0, 0, 1]], dtype=np.int16)
    told = stack([table(truth, found, 2)], ("a", "b"))
    np.testing.assert_allclose(told.precision, [2 / 3, 2 / 3])
    np.testing.assert_allclose(told.recall, [2 / 3, 2 / 3])
    np.testing.assert_allclose(told.dice, [2 / 3, 2 / 3])


def test_features_have_their_names_and_know_a_dark_line() -> None:
    grey = np.ones((40, 40))
    grey[:, 20] = 0
    maps = local_features(grey, (1.0, 3.0))
    names = feature_names((1.0, 3.0))
    assert maps.shape == (40, 40, len(names))
    valley = maps[..., names.index("valley at 1")]
    assert np.argmax(valley[20]) == 20 and valley[20, 20] > 10 * abs(maps[20, 20, names.index("ridge at 1")])


def one(labels: NDArray[np.int16], classes: tuple[str, ...] = ("a", "b")) -> LabelMask:
    return as_mask(labels, classes)


def test_images_and_masks_that_do_not_pair_are_refused(slice_of: Callable) -> None:
    image = ms.from_array(slice_of(0.5).grey)
    full = (slice_of(0.5).cover > 0.5).astype(np.int16)
    with pytest.raises(sb.InputError, match="1 images and 0 masks"):
        SMALL.fit([image], [])
    with pytest.raises(sb.InputError, match="same order"):
        SMALL.fit([image], [one(full[:50])])
    with pytest.raises(sb.InputError, match="class c is marked in no mask"):
        SMALL.fit([image], [one(full, ("a", "b", "c"))])
    with pytest.raises(sb.InputError, match="read all masks with the same classes"):
        SMALL.fit([image, image], [one(full), one(full, ("a", "c"))])
