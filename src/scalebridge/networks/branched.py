"""Networks with one branch for each group of inputs, joined by a trunk."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from scalebridge.networks.layers import LinearMembers
from scalebridge.networks.mlp import layers_of
from scalebridge.networks.random_state import own_random_state


class Branched(nn.Module):
    """One branch of layers per group of inputs, a trunk that joins them, and a line beside it; K members at once.

    Args:
        groups: columns of the inputs that each branch sees.
        outputs: numbers out.
        widths: of the layers of a branch.
        trunk: of the layers after the branches are joined.
        members: K.
        seed: of the first weights.

    ``[b, d]`` to ``[K, b, outputs]``.
    """

    def __init__(
        self,
        groups: Sequence[Sequence[int]],
        outputs: int,
        widths: Sequence[int] = (32, 16),
        trunk: Sequence[int] = (32,),
        members: int = 1,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.groups = tuple(tuple(group) for group in groups)
        with own_random_state(seed):
            self.lines = nn.ModuleList(LinearMembers(members, len(group), outputs) for group in self.groups)
            self.branches = nn.ModuleList(layers_of(members, len(group), widths) for group in self.groups)
            self.trunk = layers_of(members, len(self.groups) * widths[-1], trunk)
            self.last = LinearMembers(members, trunk[-1] if trunk else len(self.groups) * widths[-1], outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Every member's answer."""
        parts = [x[:, list(group)] for group in self.groups]
        joined = torch.cat([branch(part) for branch, part in zip(self.branches, parts, strict=True)], dim=-1)
        out: Tensor = self.last(self.trunk(joined))
        for line, part in zip(self.lines, parts, strict=True):
            out = out + line(part)
        return out
