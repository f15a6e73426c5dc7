"""The small U-Net: shapes, the same answer twice, what it learns in seconds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import scalebridge as sb
from scalebridge.microstructure.learned.patches import batches
from scalebridge.microstructure.learned.unet_classifier import TrainedUNet, UNetClassifier
from scalebridge.microstructure.masks import as_mask
from scalebridge.networks.unet import UNet

ms = sb.microstructure
TINY = UNetClassifier(width=8, depth=2, patch=32, patches=24, epochs=6, batch=4, learning_rate=5e-3)


def rings(seed: int) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
    """Discs with a bright rim and the grey of the matrix inside: only the surroundings tell the inside."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:64, :64]
    labels = np.zeros((64, 64), dtype=np.int16)
    grey = np.full((64, 64), 0.5)
    for row, column in ((16, 18), (20, 48), (46, 14), (45, 44)):
        away = np.hypot(y - row - rng.uniform(-3, 3), x - column - rng.uniform(-3, 3))
        labels[away < 9] = 1
        grey[(away >= 9) & (away < 11)] = 0.9
    return np.clip(grey + 0.02 * rng.standard_normal(grey.shape), 0, 1), labels


@pytest.fixture(scope="module")
def trained() -> TrainedUNet:
    torch.set_num_threads(1)
    given = [rings(seed) for seed in range(5)]
    masks = [as_mask(labels, ("around", "inside")) for _, labels in given]
    return TINY.fit([ms.from_array(grey) for grey, _ in given], masks)


def test_it_learns_in_seconds_what_only_the_surroundings_tell(trained: TrainedUNet) -> None:
    grey, labels = rings(20)
    agreement = trained.tested([ms.from_array(grey)], [as_mask(labels, ("around", "inside"))])
    assert agreement.dice.min() > 0.9
    assert trained.agreement is not None and len(trained.agreement.tables) == 1


def test_its_probability_turns_with_the_image(trained: TrainedUNet) -> None:
    grey = rings(21)[0]
    told = trained.segment(ms.from_array(grey)).probability
    turned = trained.segment(ms.from_array(np.rot90(grey).copy())).probability
    np.testing.assert_allclose(np.rot90(told, 1, axes=(1, 2)), turned, atol=1e-4)
    np.testing.assert_allclose(told.sum(axis=0), 1, atol=1e-4)


def test_the_same_seed_gives_the_same_network() -> None:
    given = [rings(seed) for seed in range(2)]
    masks = [as_mask(labels, ("around", "inside")) for _, labels in given]
    images = [ms.from_array(grey) for grey, _ in given]
    brief = UNetClassifier(width=4, depth=1, patch=16, patches=4, epochs=1)
    one, two = brief.fit(images, masks), brief.fit(images, masks)
    assert one.agreement is None and np.isnan(one.segment(images[0]).fraction_std).all()
    np.testing.assert_array_equal(one.segment(images[0]).probability, two.segment(images[0]).probability)


def test_the_network_keeps_the_size_and_refuses_what_it_cannot_halve() -> None:
    net = UNet(1, 3, width=4, depth=2)
    assert net(torch.zeros(2, 1, 16, 24)).shape == (2, 3, 16, 24)
    with pytest.raises(sb.ShapeError, match="multiples of 4"):
        net(torch.zeros(1, 1, 17, 16))
    with pytest.raises(sb.InputError, match="multiple of 4"):
        UNet(1, 2, width=3)


def test_patches_hold_the_rare_class_and_keep_grey_and_mask_together() -> None:
    labels = np.zeros((64, 64), dtype=np.int16)
    labels[40:42, 10:12] = 1
    grey = labels.astype(np.float64)
    drawn = list(batches([grey], [labels], size=16, count=40, batch=8, turns="all", generator=torch.Generator()))
    hit = [bool((told == 1).any()) for _, batch in drawn for told in batch]
    assert np.mean(hit) > 0.2
    for values, told in drawn:
        for one, truth in zip(values[:, 0], told, strict=True):
            if (truth == 1).any():
                assert one[truth == 1].min() > one[truth == 0].max()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (UNetClassifier(turns="some"), "valid: all, mirror"),
        (UNetClassifier(patch=100), "multiple of 16"),
        (UNetClassifier(held_out=1.0), "must lie in"),
        (UNetClassifier(patch=128), "64 x 64 pixels"),
    ],
    ids=["turns", "patch", "held out", "image too small"],
)
def test_wrong_settings_are_answered_in_one_sentence(settings: UNetClassifier, words: str) -> None:
    grey, labels = rings(0)
    with pytest.raises(sb.InputError, match=words):
        settings.fit([ms.from_array(grey)], [as_mask(labels, ("around", "inside"))])
