"""A small U-Net: an image to the log-odds of a class at every pixel."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from scalebridge.errors import InputError, ShapeError


class UNet(nn.Module):
    """Convolutions that halve the image ``depth`` times and double it back, with a bridge at every size.

    Args:
        inputs: channels of the image.
        outputs: classes.
        width: channels at full size; they double at every halving.
        depth: number of halvings. A pixel sees about ``8 * 2**depth`` pixels around it.

    ``[b, inputs, rows, columns]`` to ``[b, outputs, rows, columns]``, rows and columns multiples of ``2**depth``. Group
    normalisation, which does not depend on the batch, in place of batch normalisation; bilinear doubling, which leaves
    no checkerboard.

    Raises:
        InputError: a width that is no multiple of 4, or a depth below 1.

    Source: O. Ronneberger, P. Fischer, T. Brox, U-Net (2015); Y. Wu, K. He, Group normalization (2018).
    """

    def __init__(self, inputs: int, outputs: int, width: int = 16, depth: int = 4) -> None:
        super().__init__()
        if width < 4 or width % 4 or depth < 1:
            raise InputError(f"The U-Net got width {width} and depth {depth}; give a multiple of 4, and at least 1.")
        sizes = [width * 2**level for level in range(depth + 1)]
        self.depth = depth
        self.down = nn.ModuleList(_twice(a, b) for a, b in zip([inputs, *sizes[:-1]], sizes, strict=True))
        self.up = nn.ModuleList(_twice(b + a, a) for a, b in zip(sizes[-2::-1], sizes[:0:-1], strict=True))
        self.head = nn.Conv2d(width, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Log-odds of every class at every pixel."""
        if x.shape[-1] % 2**self.depth or x.shape[-2] % 2**self.depth:
            raise ShapeError(
                f"The U-Net got an image of {x.shape[-2]} x {x.shape[-1]} pixels; multiples of {2**self.depth} are "
                "needed, pad it."
            )
        bridges = []
        for level, block in enumerate(self.down):
            x = block(functional.max_pool2d(x, 2) if level else x)
            bridges.append(x)
        for block, bridge in zip(self.up, bridges[-2::-1], strict=True):
            wide = functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = block(torch.cat([wide, bridge], dim=1))
        logits: Tensor = self.head(x)
        return logits


def _twice(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="replicate", bias=False),
        nn.GroupNorm(4, outputs),
        nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1, padding_mode="replicate", bias=False),
        nn.GroupNorm(4, outputs),
        nn.ReLU(),
    )
