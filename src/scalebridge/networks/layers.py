"""Layers that several networks share: many small linear maps at once, and members that answer side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn


class LinearMembers(nn.Module):
    """One linear layer for each of K members, computed together.

    Args:
        members: K.
        inputs, outputs: of each layer.

    ``[b, inputs]`` or ``[K, b, inputs]`` to ``[K, b, outputs]``. Ten small networks trained so cost little more than
    one: what they cost is calls, not numbers.
    """

    def __init__(self, members: int, inputs: int, outputs: int) -> None:
        super().__init__()
        reach = max(1, inputs) ** -0.5
        self.weight = nn.Parameter(torch.empty(members, inputs, outputs).uniform_(-reach, reach))
        self.bias = nn.Parameter(torch.empty(members, 1, outputs).uniform_(-reach, reach))

    def forward(self, x: Tensor) -> Tensor:
        """Every member's own map."""
        return torch.matmul(x, self.weight) + self.bias


class Members(nn.Module):
    """Modules of any kind that answer side by side.

    Args:
        modules: each from ``[b, d]`` to ``[b, m]``.

    ``[b, d]`` to ``[K, b, m]``.
    """

    def __init__(self, modules: Iterable[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(modules)

    def forward(self, x: Tensor) -> Tensor:
        """Every member's answer."""
        return torch.stack([member(x) for member in self.members])


class Reordered(nn.Module):
    """A module that sees its inputs in another order.

    Args:
        order: columns of the inputs, as the module wants them.
        module: from ``[b, d]``.
    """

    def __init__(self, order: Sequence[int], module: nn.Module) -> None:
        super().__init__()
        self.order, self.module = list(order), module

    def forward(self, x: Tensor) -> Tensor:
        """The module's answer."""
        out: Tensor = self.module(x[:, self.order])
        return out
