"""A small convolutional encoder of grey patches."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from torch import Tensor, nn

from scalebridge.networks.random_state import own_random_state


class PatchEncoder(nn.Module):
    """Grey patches ``[b, s, s]`` to features ``[b, k]``: convolutions that halve, then the mean over places.

    Args:
        widths: channels after each halving; the last is k.
        seed: of the first weights.
    """

    def __init__(self, widths: Sequence[int] = (16, 32, 64, 64), seed: int = 0) -> None:
        super().__init__()
        self.widths = tuple(widths)
        with own_random_state(seed):
            self.body = nn.Sequential(*(_halving(a, b) for a, b in itertools.pairwise((1, *self.widths))))

    def forward(self, patches: Tensor) -> Tensor:
        """``[b, s, s]`` to ``[b, k]``."""
        maps: Tensor = self.body(patches[:, None])
        return maps.mean(dim=(2, 3))


def _halving(channels: int, width: int) -> nn.Sequential:
    size = 5 if channels == 1 else 3
    convolution = nn.Conv2d(channels, width, size, stride=2, padding=size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(width), nn.ReLU())
