"""Residual networks whose weights carry torchvision's names, so that its published files can be read.

No weights come with the package and none are fetched: `read_resnet` takes a file of yours.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from scalebridge.errors import InputError, ShapeError
from scalebridge.networks.random_state import own_random_state
from scalebridge.networks.weights import put_weights, read_weights

# Mean and standard deviation of the red, green and blue values in [0, 1] that the published weights were trained with.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
WIDTHS = (64, 128, 256, 512)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    expansion: ClassVar[int] = 1

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _conv(channels, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _conv(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(channels, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """``[b, channels, h, w]`` to ``[b, width, h / stride, w / stride]``."""
        y = torch.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    """A 3x3 convolution between two of 1x1, beside a shortcut; the 3x3 one strides, as in torchvision."""

    expansion: ClassVar[int] = 4

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _conv(channels, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _conv(width, width, 3, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = _conv(width, 4 * width, 1)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = _shortcut(channels, 4 * width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """``[b, channels, h, w]`` to ``[b, 4 width, h / stride, w / stride]``."""
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


DEPTHS: dict[int, tuple[type[BasicBlock] | type[Bottleneck], tuple[int, int, int, int]]] = {
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (Bottleneck, (3, 4, 6, 3)),
}


class ResNet(nn.Module):
    """A residual network of 18, 34 or 50 layers with torchvision's names of weights.

    Args:
        depth: 18, 34 or 50.
        classes: outputs of the last layer ``fc``.
        seed: of the first weights (He's normal law).

    Raises:
        InputError: another depth.

    Source: K. He et al., Deep residual learning for image recognition (2016); the names and the strides of
    torchvision.models.resnet.
    """

    def __init__(self, depth: int = 18, classes: int = 1000, seed: int = 0) -> None:
        super().__init__()
        if depth not in DEPTHS:
            raise InputError(f"A ResNet of depth {depth!r} is not in the box; valid: {', '.join(map(str, DEPTHS))}.")
        block, counts = DEPTHS[depth]
        self.depth = depth
        with own_random_state(seed):
            self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
            self.bn1 = nn.BatchNorm2d(64)
            channels = 64
            for i, (width, count) in enumerate(zip(WIDTHS, counts, strict=True)):
                blocks: list[nn.Module] = []
                for k in range(count):
                    blocks.append(block(channels, width, 2 if i and not k else 1))
                    channels = width * block.expansion
                self.add_module(f"layer{i + 1}", nn.Sequential(*blocks))
            self.fc = nn.Linear(channels, classes)
            for module in self.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"ResNet-{self.depth}"

    def maps(self, x: Tensor, stage: int = 4) -> Tensor:
        """Feature maps ``[b, c, h', w']`` after a stage: 0 (stem) or 1 to 4.

        Raises:
            InputError: no such stage.
            ShapeError: images that are not ``[b, 3, h, w]``.
        """
        if stage not in range(5):
            raise InputError(f"{self.title} has no stage {stage!r}; valid: 0 (stem) and 1 to 4.")
        if x.ndim != 4 or x.shape[1] != 3:
            raise ShapeError(f"{self.title} got images {list(x.shape)}; give [b, 3, h, w], grey ones by as_imagenet().")
        x = nn.functional.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 3, stride=2, padding=1)
        for i in range(1, stage + 1):
            x = self.get_submodule(f"layer{i}")(x)
        return x

    def features(self, x: Tensor, stage: int = 4) -> Tensor:
        """Means over the feature maps of a stage, ``[b, c]``."""
        return self.maps(x, stage).mean(dim=(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        """``[b, 3, h, w]`` to the outputs of the last layer ``[b, classes]``."""
        out: Tensor = self.fc(self.features(x))
        return out


def read_resnet(path: str | os.PathLike[str]) -> ResNet:
    """A network with the weights of a file; depth and number of classes are read from it.

    Args:
        path: ``.pth`` (read as tensors alone) or ``.safetensors``, with torchvision's names (conv1.weight,
            layer1.0.conv1.weight, ..., fc.bias).

    Returns:
        In evaluation mode.

    Raises:
        InputError: a file that cannot be read; names missing, not known or of another shape, in one sentence.
    """
    weights, name = read_weights(path), Path(path).name
    classes = weights["fc.bias"].numel() if "fc.bias" in weights else 1000
    net = ResNet(_depth(weights), max(1, classes))
    put_weights(net, weights, name, net.title)
    return net.eval()


def as_imagenet(grey: Tensor) -> Tensor:
    """Grey images ``[b, h, w]`` in [0, 1] as ``[b, 3, h, w]``: the channel three times, normalised as ImageNet."""
    mean, std = (grey.new_tensor(v).reshape(1, 3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    return (grey[:, None].expand(-1, 3, -1, -1) - mean) / std


def _depth(weights: dict[str, Tensor]) -> int:
    if any(".conv3." in name for name in weights):
        return 50
    return 34 if any(name.startswith("layer3.5.") for name in weights) else 18


def _conv(channels: int, width: int, size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, width, size, stride=stride, padding=size // 2, bias=False)


def _shortcut(channels: int, width: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and channels == width:
        return None
    return nn.Sequential(_conv(channels, width, 1, stride), nn.BatchNorm2d(width))
