"""Training patches for networks: random cuts of images and masks, flipped, turned and changed in grey."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

JITTER = 0.2
"""Largest change of contrast and of brightness, in deviations of the image."""

RARE = 0.5
"""Share of the patches that are centred on a pixel of a class drawn evenly, so that rare classes are seen."""

ALL, MIRROR = "all", "mirror"


def batches(
    images: Sequence[NDArray[np.float64]],
    labels: Sequence[NDArray[np.int16]],
    *,
    size: int,
    count: int,
    batch: int,
    turns: str,
    generator: torch.Generator,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield ``count`` patches in batches: grey ``[b, 1, size, size]`` and classes ``[b, size, size]`` (-1 unmarked).

    Args:
        images: normalised grey values, each at least ``size`` pixels on a side.
        labels: the class of every pixel.
        size: edge of a patch in pixels.
        count: patches in all.
        batch: patches in a batch.
        turns: ``"all"`` for the eight flips and turns, ``"mirror"`` where up and down differ.
        generator: what all is drawn from.
    """
    rng = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
    for start in range(0, count, batch):
        drawn = [_patch(images, labels, size, turns, rng) for _ in range(min(batch, count - start))]
        grey = torch.from_numpy(np.stack([each[0] for each in drawn])[:, None].astype(np.float32))
        yield grey, torch.from_numpy(np.stack([each[1] for each in drawn]).astype(np.int64))


def _patch(
    images: Sequence[NDArray[np.float64]],
    labels: Sequence[NDArray[np.int16]],
    size: int,
    turns: str,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
    k = int(rng.integers(len(images)))
    row, column = _corner(labels[k], size, rng)
    grey = images[k][row : row + size, column : column + size]
    told = labels[k][row : row + size, column : column + size]
    if turns == ALL:
        quarter = int(rng.integers(4))
        grey, told = np.rot90(grey, quarter), np.rot90(told, quarter)
    if rng.random() < 0.5:
        grey, told = grey[:, ::-1], told[:, ::-1]
    contrast, brightness = rng.uniform(-JITTER, JITTER, 2)
    return grey * (1 + contrast) + brightness, told


def _corner(labels: NDArray[np.int16], size: int, rng: np.random.Generator) -> tuple[int, int]:
    most = labels.shape[0] - size, labels.shape[1] - size
    if rng.random() < RARE:
        present = np.unique(labels[labels >= 0])
        places = np.flatnonzero(labels.ravel() == rng.choice(present))
        row, column = divmod(int(rng.choice(places)), labels.shape[1])
        return int(np.clip(row - size // 2, 0, most[0])), int(np.clip(column - size // 2, 0, most[1]))
    return int(rng.integers(most[0] + 1)), int(rng.integers(most[1] + 1))
