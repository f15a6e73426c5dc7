"""A small U-Net trained from masks: what a pixel is, told from a wide neighbourhood."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.learned.agreement import Agreement, stack, table
from scalebridge.microstructure.learned.class_map import ClassMap, class_map
from scalebridge.microstructure.learned.features import normalised
from scalebridge.microstructure.learned.training_pairs import Pairs, checked_pairs
from scalebridge.microstructure.masks import UNMARKED, LabelMask
from scalebridge.microstructure.micrograph import Micrograph
from scalebridge.microstructure.shrinking import shrunk, shrunk_labels
from scalebridge.microstructure.visible import checked_view, field_of_view

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from scalebridge.networks.training import Epoch, Trained

TURNS = ("all", "mirror")


@dataclass(frozen=True)
class UNetClassifier:
    """A small U-Net trained on patches; `fit` returns the trained one.

    Attributes:
        width: channels at full size.
        depth: number of halvings.
        patch: edge of a training patch in pixels, of the shrunk image; a multiple of ``2**depth``.
        patches: training patches per epoch.
        epochs: number of passes.
        batch: patches in a batch.
        members: networks trained from different seeds and averaged (a deep ensemble).
        turns: ``"all"`` flips and turns by quarters, in training and in the averaged prediction, or ``"mirror"``, left
            and right only, where up and down are not the same (layers on a substrate).
        shrink: factor by which images are made smaller first, for things much larger than a patch.
        held_out: share of the images (at least one of three) kept for validation; 0 trains on all.
        seed: of all that is drawn.
    """

    width: int = 16
    depth: int = 4
    patch: int = 128
    patches: int = 64
    epochs: int = 20
    batch: int = 4
    members: int = 1
    turns: str = "all"
    shrink: int = 1
    held_out: float = 0.2
    learning_rate: float = 2e-3
    seed: int = 0

    def fit(
        self,
        images: Sequence[Micrograph],
        masks: Sequence[LabelMask],
        *,
        progress: Callable[[Epoch], None] | None = None,
    ) -> TrainedUNet:
        """Train on images and full or partial masks, and validate on images held out.

        The loss is the cross entropy, each class weighted by one over the root of its share, plus one minus the mean
        Dice of the probabilities (Milletari 2016), so that rare classes count.

        Raises:
            InputError: an option out of range, images and masks that do not pair, a class never marked, or images
                smaller than a patch.
        """
        self._check()
        pairs = checked_pairs(images, masks)
        held = _held_out(len(pairs.images), self.held_out, self.seed)
        kept = [k for k in range(len(pairs.images)) if k not in held]
        grey = [shrunk(_prepared(pairs.images[k]), self.shrink) for k in kept]
        labels = [shrunk_labels(pairs.masks[k].labels, len(pairs.classes), self.shrink) for k in kept]
        _refuse_small(grey, self.patch, pairs, kept)
        trained = tuple(
            self._trained(grey, labels, len(pairs.classes), member, progress) for member in range(self.members)
        )
        found = TrainedUNet(self, tuple(each.module for each in trained), pairs.classes, None, trained)
        if not held:
            return found
        agreement = found.tested([pairs.images[k] for k in held], [pairs.masks[k] for k in held])
        return TrainedUNet(self, found.modules, pairs.classes, agreement, trained)

    def _check(self) -> None:
        if self.turns not in TURNS:
            raise InputError(f"The turns of the U-Net are '{self.turns}'; valid: {', '.join(TURNS)}.")
        if self.patch % 2**self.depth or min(self.patch, self.patches, self.shrink, self.members) < 1:
            raise InputError(
                f"The U-Net got patch {self.patch}, patches {self.patches}, shrink {self.shrink} and members "
                f"{self.members}; all must be at least 1, and the patch a multiple of {2**self.depth}."
            )
        if not 0 <= self.held_out < 1:
            raise InputError(f"The held-out share of the U-Net is {self.held_out}; it must lie in [0, 1).")

    def _trained(
        self,
        grey: list[NDArray[np.float64]],
        labels: list[NDArray[np.int16]],
        classes: int,
        member: int,
        progress: Callable[[Epoch], None] | None,
    ) -> Trained:
        from scalebridge.microstructure.learned.patches import batches
        from scalebridge.networks.random_state import own_random_state
        from scalebridge.networks.training import train
        from scalebridge.networks.unet import UNet

        seed = self.seed * 1009 + member
        with own_random_state(seed):
            module = UNet(1, classes, self.width, self.depth)

        def data(generator: torch.Generator) -> Iterable[tuple[Tensor, ...]]:
            return batches(
                grey,
                labels,
                size=self.patch,
                count=self.patches,
                batch=self.batch,
                turns=self.turns,
                generator=generator,
            )

        loss = _loss(np.concatenate([each.ravel() for each in labels]), classes)
        return train(
            module, loss, data, epochs=self.epochs, batch=self.batch, seed=seed, learning_rate=self.learning_rate,
            weight_decay=1e-4, progress=progress,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class TrainedUNet:
    """Trained networks; build it by `UNetClassifier.fit`.

    Attributes:
        settings: how they were trained.
        modules: one network per member.
        classes: names, in the order of the outputs.
        agreement: with held-out images; ``None`` without any.
        history: the training of each member.
    """

    settings: UNetClassifier
    modules: tuple[nn.Module, ...]
    classes: tuple[str, ...]
    agreement: Agreement | None
    history: tuple[Trained, ...]

    def segment(self, image: Micrograph, inside: NDArray[np.bool_] | None = None) -> ClassMap:
        """Return the classes of an image; the probability is the mean over members, flips and turns.

        Raises:
            InputError: a field of view that is no boolean mask of the image's shape, or empty.
        """
        visible = checked_view(image, inside)
        grey = shrunk(_prepared(image), self.settings.shrink)
        told = self._averaged(grey)
        return class_map(
            image, _enlarged(told, image.shape, self.settings.shrink), self.classes, visible, self.agreement
        )

    def tested(self, images: Sequence[Micrograph], masks: Sequence[LabelMask]) -> Agreement:
        """Return the agreement with masks that were not trained on, one table per image."""
        pairs = checked_pairs(images, masks, self.classes)
        tables = [
            table(mask.labels, self.segment(image).labels, len(self.classes))
            for image, mask in zip(pairs.images, pairs.masks, strict=True)
        ]
        return stack(tables, self.classes)

    def _averaged(self, grey: NDArray[np.float64]) -> NDArray[np.float32]:
        quarters = range(4) if self.settings.turns == "all" else range(1)
        total = np.zeros((len(self.classes), *grey.shape))
        for module in self.modules:
            for quarter in quarters:
                for mirrored in (False, True):
                    turned = np.rot90(grey, quarter)
                    told = _probability(module, turned[:, ::-1] if mirrored else turned, 2**self.settings.depth)
                    told = told[:, :, ::-1] if mirrored else told
                    total += np.rot90(told, -quarter, axes=(1, 2))
        return np.asarray(total / (2 * len(quarters) * len(self.modules)), dtype=np.float32)


def _prepared(image: Micrograph) -> NDArray[np.float64]:
    return normalised(image.grey, field_of_view(image))


def _enlarged(told: NDArray[np.float32], shape: tuple[int, int], factor: int) -> NDArray[np.float32]:
    if factor == 1:
        return told
    import torch
    from torch.nn import functional

    size = [side * factor for side in told.shape[1:]]
    wide = functional.interpolate(torch.from_numpy(told)[None], size=size, mode="bilinear", align_corners=False)
    return np.ascontiguousarray(wide[0].numpy()[:, : shape[0], : shape[1]])


def _probability(module: nn.Module, grey: NDArray[np.float64], multiple: int) -> NDArray[np.float32]:
    import torch

    rows, columns = grey.shape
    pad = ((0, -rows % multiple), (0, -columns % multiple))
    full = torch.from_numpy(np.pad(grey, pad, mode="edge").astype(np.float32))[None, None]
    with torch.no_grad():
        told = torch.softmax(module(full), dim=1)[0].numpy()
    return np.asarray(told[:, :rows, :columns])


def _held_out(count: int, share: float, seed: int) -> list[int]:
    if share == 0 or count < 3:
        return []
    number = min(max(1, round(share * count)), count - 2)
    return sorted(int(k) for k in np.random.default_rng(seed).permutation(count)[:number])


def _refuse_small(grey: list[NDArray[np.float64]], patch: int, pairs: Pairs, kept: list[int]) -> None:
    for k, each in zip(kept, grey, strict=True):
        if min(each.shape) < patch:
            raise InputError(
                f"The image '{pairs.images[k].name}' has {each.shape[0]} x {each.shape[1]} pixels (shrunk), and the "
                f"patches of the U-Net have {patch}; give a smaller patch= or a larger image."
            )


def _loss(labels: NDArray[np.int16], classes: int) -> Callable[[nn.Module, tuple[Tensor, ...]], Tensor]:
    import torch
    from torch.nn import functional

    counts = np.bincount(labels[labels >= 0], minlength=classes)
    weight = 1 / np.sqrt(np.maximum(counts, 1) / counts.sum())
    weights = torch.from_numpy((weight / weight.mean()).astype(np.float32))

    def loss(module: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        grey, truth = batch
        logits = module(grey)
        entropy = functional.cross_entropy(logits, truth, weight=weights, ignore_index=UNMARKED)
        marked = (truth >= 0)[:, None]
        hot = functional.one_hot(truth.clamp(min=0), classes).permute(0, 3, 1, 2) * marked
        told = torch.softmax(logits, dim=1) * marked
        overlap = 2 * (told * hot).sum(dim=(0, 2, 3)) + 1.0
        dice = overlap / (told.sum(dim=(0, 2, 3)) + hot.sum(dim=(0, 2, 3)) + 1.0)
        return torch.nan_to_num(entropy) + (1 - dice).mean()

    return loss
