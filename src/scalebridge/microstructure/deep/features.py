"""Features of images by a network, each with what it scatters over the patches."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.deep.encoder import Encoder
from scalebridge.microstructure.deep.learning import learn_features
from scalebridge.microstructure.deep.patches import Prepared, names_of, prepared, tiles
from scalebridge.microstructure.deep.pretrained import pretrained


class PatchFeatures(Protocol):
    """What gives features of patches: an `Encoder`, or a ResNet."""

    @property
    def name(self) -> str:
        """What the features are called."""

    @property
    def patch(self) -> int:
        """Edge of a patch in pixels."""

    def answer(self, image: Prepared, origins: NDArray[np.int64]) -> NDArray[np.float64]:
        """Features ``[p, k]`` of the patches of an image at ``origins [p, 2]``."""


@dataclass(frozen=True, eq=False)
class DeepFeatures:
    """Features of images.

    Args:
        values: ``[n, 2 k]``: of every feature the mean over an image's patches, then the deviation.
        std: ``[n, 2 k]``, their standard errors, from the scatter over the patches as if these were independent.
        names: of the features ``[2 k]``.
        images: what the images are called ``[n]``.
        patches: how many each image gave ``[n]``.
        encoder: what made them.
    """

    values: NDArray[np.float64]
    std: NDArray[np.float64]
    names: tuple[str, ...]
    images: tuple[str, ...]
    patches: NDArray[np.int64]
    encoder: PatchFeatures

    def __len__(self) -> int:
        return len(self.values)

    def __str__(self) -> str:
        return (
            f"{len(self.names)} features of {len(self)} images by {self.encoder.name}, from {self.patches.min()} to "
            f"{self.patches.max()} patches of {self.encoder.patch} pixels each"
        )


def deep_features(
    images: Iterable[Any],
    encoder: Encoder | str | os.PathLike[str] | None = None,
    *,
    patch: int | None = None,
    stage: int = 3,
    seed: int = 0,
    progress: Callable[[Any], None] | None = None,
) -> DeepFeatures:
    """Features of images by a network.

    ::

        features = sb.microstructure.deep_features(images)                        # learned from these images
        features = sb.microstructure.deep_features(images, "resnet18-f37072fd.pth")  # weights from a file of yours

    Args:
        images: micrographs, files of images, or arrays ``[rows, columns]`` of grey values.
        encoder: one that `learn_features` made, or a file: ``.npz`` of one, ``.pth`` or ``.safetensors`` with the
            weights of a ResNet-18, 34 or 50 by torchvision's names; None learns one from these images. Features of
            other images are comparable only by the same encoder: keep ``features.encoder``.
        patch: edge of a patch in pixels; by default 64 for a new encoder, 128 for a ResNet.
        stage: of a ResNet, 1 to 4, whose maps are averaged.
        seed: of the learning of a new encoder.
        progress: called while it learns.

    Raises:
        InputError: images too small for four patches, a file that cannot be read, a patch size for an encoder that
            has its own.
    """
    ready = prepared(images)
    network = _network(ready, encoder, patch, stage, seed, progress)
    means, deviations, counts = [], [], []
    for image in ready:
        values = network.answer(image, tiles(image, network.patch))
        means.append(values.mean(axis=0))
        deviations.append(values.std(axis=0, ddof=1))
        counts.append(len(values))
    mean, deviation, count = np.stack(means), np.stack(deviations), np.array(counts)[:, None]
    kinds = [f"{network.name}_{kind}_{k + 1}" for kind in ("mean", "deviation") for k in range(mean.shape[1])]
    # The error of a mean, and of a deviation for a normal law.
    std = np.concatenate([deviation / np.sqrt(count), deviation / np.sqrt(2 * (count - 1))], axis=1)
    return DeepFeatures(
        np.concatenate([mean, deviation], axis=1), std, tuple(kinds), names_of(ready), count[:, 0], network
    )


def _network(
    ready: list[Prepared],
    encoder: Encoder | str | os.PathLike[str] | None,
    patch: int | None,
    stage: int,
    seed: int,
    progress: Callable[[Any], None] | None,
) -> PatchFeatures:
    if encoder is None:
        for image in ready:
            tiles(image, patch or 64)
        whole = [image.micrograph for image in ready]
        return learn_features(whole, patch=patch or 64, seed=seed, progress=progress)
    if isinstance(encoder, str | os.PathLike):
        if not str(encoder).endswith(".npz"):
            return pretrained(encoder, patch or 128, stage)
        encoder = Encoder.load(encoder)
    if not hasattr(encoder, "answer"):
        raise InputError(
            f"deep_features got encoder = {type(encoder).__name__}; give what learn_features() made, or the path of a "
            "file of weights."
        )
    if patch not in (None, encoder.patch):
        raise InputError(
            f"deep_features got patch = {patch}, but the encoder was trained on patches of {encoder.patch} pixels; "
            "leave patch out."
        )
    return encoder
