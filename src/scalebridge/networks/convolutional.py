"""Convolutional networks of images and numbers, to numbers or to a field of the image's size."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from scalebridge.networks.random_state import own_random_state


class _ImageAndNumbers(nn.Module):
    """Rows ``[b, c h w + p]`` as images, p constant channels and two of the place: ``[b, c + p + 2, h, w]``."""

    def __init__(self, image: tuple[int, int, int], numbers: int) -> None:
        super().__init__()
        self.image = image
        self.channels = image[0] + numbers + 2
        y, x = (torch.linspace(-1, 1, n) for n in image[1:])
        self.register_buffer("place", torch.stack(torch.meshgrid(y, x, indexing="ij")), persistent=False)

    def forward(self, rows: Tensor) -> Tensor:
        size = self.image[0] * self.image[1] * self.image[2]
        image = rows[:, :size].reshape(-1, *self.image)
        numbers = rows[:, size:, None, None].expand(-1, -1, *self.image[1:])
        place = self.get_buffer("place").to(rows).expand(len(rows), -1, -1, -1)
        return torch.cat([image, numbers, place], dim=1)


class ImageToNumbers(nn.Module):
    """Convolutions that halve the image, a mean over places, and layers that join it to the numbers.

    Args:
        image: channels, rows, columns.
        numbers: p, given beside the image.
        outputs: numbers out.
        widths: channels after each halving.
        hidden: width of the layer that joins image and numbers.
        seed: of the first weights.

    ``[b, c h w + p]`` to ``[b, outputs]``.
    """

    def __init__(
        self,
        image: tuple[int, int, int],
        numbers: int,
        outputs: int,
        widths: Sequence[int] = (16, 32, 64),
        hidden: int = 64,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.numbers = numbers
        self.read = _ImageAndNumbers(image, numbers)
        sizes = (self.read.channels, *widths)
        with own_random_state(seed):
            self.body = nn.Sequential(*(_convolution(a, b, stride=2) for a, b in itertools.pairwise(sizes)))
            self.head = nn.Sequential(nn.Linear(2 * sizes[-1] + numbers, hidden), nn.SiLU(), nn.Linear(hidden, outputs))

    def forward(self, rows: Tensor) -> Tensor:
        """Mean and mean square of every channel over the places, then the layers."""
        maps = self.body(self.read(rows))
        pooled = [maps.mean(dim=(2, 3)), maps.square().mean(dim=(2, 3))]
        out: Tensor = self.head(torch.cat([*pooled, rows[:, rows.shape[1] - self.numbers :]], dim=1))
        return out


class ImageToField(nn.Module):
    """Down to few pixels and up again, each level joined to its own size on the way (a small U-Net, smooth).

    Args:
        image: channels, rows, columns.
        numbers: p, given beside the image.
        fields: of the image's rows and columns.
        widths: channels at full size and after each halving.
        seed: of the first weights.

    ``[b, c h w + p]`` to ``[b, fields h w]``.

    Source: O. Ronneberger, P. Fischer, T. Brox, U-Net (2015).
    """

    def __init__(
        self,
        image: tuple[int, int, int],
        numbers: int,
        fields: int = 1,
        widths: Sequence[int] = (16, 32, 64),
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.read = _ImageAndNumbers(image, numbers)
        pairs = list(itertools.pairwise(widths))
        with own_random_state(seed):
            self.first = _convolution(self.read.channels, widths[0])
            self.down = nn.ModuleList(_convolution(a, b, stride=2) for a, b in pairs)
            self.across = nn.Sequential(_convolution(widths[-1], widths[-1]), _convolution(widths[-1], widths[-1]))
            self.up = nn.ModuleList(_convolution(a + b, a) for a, b in reversed(pairs))
            self.last = nn.Conv2d(widths[0], fields, 1)

    def forward(self, rows: Tensor) -> Tensor:
        """Fields of the image's size, flat."""
        levels = [self.first(self.read(rows))]
        for down in self.down:
            levels.append(down(levels[-1]))
        x = self.across(levels.pop())
        for up in self.up:
            beside = levels.pop()
            x = functional.interpolate(x, size=beside.shape[2:], mode="bilinear", align_corners=False)
            x = up(torch.cat([x, beside], dim=1))
        out: Tensor = self.last(x)
        return out.flatten(1)


def _convolution(channels: int, width: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, width, 3, stride=stride, padding=1), nn.SiLU())
