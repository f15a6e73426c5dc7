"""A ResNet with weights from a file, as what gives features of patches."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.deep.patches import Prepared, cut

if TYPE_CHECKING:
    from scalebridge.networks import ResNet

BATCH = 16
# A ResNet halves a patch five times.
SMALLEST = 32


@dataclass(frozen=True, eq=False)
class Pretrained:
    """A ResNet, cut off after a stage, that sees grey patches as three equal channels, normalised as ImageNet.

    Args:
        net: with its weights.
        patch: edge of a patch in pixels.
        stage: whose maps are averaged.
        file: where the weights came from.
    """

    net: ResNet
    patch: int
    stage: int
    file: str

    @property
    def name(self) -> str:
        """What features by it are called."""
        return f"resnet{self.net.depth}_stage{self.stage}"

    def answer(self, image: Prepared, origins: NDArray[np.int64]) -> NDArray[np.float64]:
        """Features ``[p, k]`` of the patches of an image at ``origins [p, 2]``."""
        import torch

        from scalebridge.networks import as_imagenet

        patches = torch.as_tensor(cut(image.grey.astype(np.float32), origins, self.patch))
        with torch.no_grad():
            parts = [self.net.features(as_imagenet(part), self.stage).numpy() for part in patches.split(BATCH)]
        return np.concatenate(parts).astype(np.float64)


def pretrained(path: str | os.PathLike[str], patch: int, stage: int) -> Pretrained:
    """Read the weights of a ResNet.

    Raises:
        InputError: a file that cannot be read, patches too small, no such stage.
    """
    from scalebridge.networks import read_resnet

    if patch < SMALLEST or stage not in (1, 2, 3, 4):
        raise InputError(
            f"deep_features got patch = {patch} and stage = {stage!r} for a ResNet; give at least {SMALLEST} pixels "
            "and a stage from 1 to 4."
        )
    return Pretrained(read_resnet(path), patch, stage, Path(path).name)
