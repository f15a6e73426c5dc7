"""An encoder that learns from the user's own images, without labels."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.deep.encoder import Encoder
from scalebridge.microstructure.deep.patches import Prepared, names_of, places, prepared

if TYPE_CHECKING:
    from torch import Generator

    from scalebridge.networks.training import Batch, Epoch

# Steps of training between two that are told of.
EPOCH = 25


def learn_features(
    images: Iterable[Any],
    *,
    patch: int = 64,
    steps: int = 500,
    batch: int = 64,
    widths: Sequence[int] = (16, 32, 64, 64),
    seed: int = 0,
    progress: Callable[[Epoch], None] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Encoder:
    """Train a small encoder on random patches of images, so that patches that lie near each other are alike.

    Two patches that overlap, each turned, mirrored, of other contrast and brightness and noisy, are to have the same
    features, while features over all patches are to vary and to be uncorrelated (VICReg). What survives is what does
    not depend on place, direction, light and noise: fractions, sizes, shapes and neighbourhoods. Grey values are
    normalised image by image; how bright an image is as a whole is no feature. About a minute for 500 steps on one
    thread, whatever the number of images.

    Args:
        images: micrographs, files of images, or arrays ``[rows, columns]`` of grey values; no labels.
        patch: edge of a patch in pixels; a few times the largest thing to be seen, at least 16.
        steps: of the training, rounded up to a multiple of 25 where there are more; the time is proportional to them.
        batch: pairs in a step.
        widths: channels of the layers, each of which halves the patch; the last is the number of features.
        seed: of patches, views, first weights and training: the same seed gives the same encoder.
        progress: called after every 25 steps.
        checkpoint: file from which an interrupted training goes on.

    Raises:
        InputError: no images, images smaller than a patch, options out of their range.

    Source: A. Bardes, J. Ponce, Y. LeCun, VICReg (2022).
    """
    from scalebridge.networks.encoder import PatchEncoder
    from scalebridge.networks.self_supervised import train_without_labels

    for name, value, lowest in (("patch", patch, 16), ("steps", steps, 1), ("batch", batch, 2)):
        if isinstance(value, bool) or not isinstance(value, int) or value < lowest:
            raise InputError(f"learn_features got {name} = {value!r}; give a whole number of at least {lowest}.")
    if patch < 2 ** len(widths):
        raise InputError(
            f"learn_features got patch = {patch} for {len(widths)} layers that halve it; give at least "
            f"{2 ** len(widths)} pixels, or fewer widths."
        )
    ready = prepared(images)
    pairs = _Pairs(ready, patch, batch, min(EPOCH, steps))
    net = PatchEncoder(widths, seed)
    told = train_without_labels(
        net, widths[-1], pairs, epochs=-(-steps // EPOCH), seed=seed, progress=progress, checkpoint=checkpoint
    )
    weights = {name: v.detach().cpu().numpy().copy() for name, v in net.state_dict().items()}
    return Encoder(patch, tuple(widths), weights, names_of(ready), seed, np.array(told.training))


class _Pairs:
    """Batches of pairs of patches ``[b, s, s]``; the second lies at most half a patch away from the first."""

    def __init__(self, images: Sequence[Prepared], patch: int, batch: int, steps: int) -> None:
        self.grey = [image.normalised.astype(np.float32) for image in images]
        self.places = [places(image, patch) for image in images]
        self.patch, self.batch, self.steps = patch, batch, steps

    def __call__(self, generator: Generator) -> Iterator[Batch]:
        """Those of one epoch."""
        import torch

        rng = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
        for _ in range(self.steps):
            chosen = rng.integers(len(self.grey), size=self.batch)
            first, second = zip(*(self._pair(int(k), rng) for k in chosen), strict=True)
            yield torch.as_tensor(np.stack(first)), torch.as_tensor(np.stack(second))

    def _pair(self, k: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        grey, size = self.grey[k], self.patch
        at = self.places[k][rng.integers(len(self.places[k]))]
        near = np.clip(at + rng.integers(-size // 2, size // 2 + 1, 2), 0, np.array(grey.shape) - size)
        (r, c), (i, j) = at.tolist(), near.tolist()
        return grey[r : r + size, c : c + size], grey[i : i + size, j : j + size]
