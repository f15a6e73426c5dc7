"""Fully connected networks, several at once."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from torch import Tensor, nn

from scalebridge.networks.layers import LinearMembers
from scalebridge.networks.random_state import own_random_state


class MLP(nn.Module):
    """A line plus a fully connected network, for each of K members.

    The line carries what is linear and how the answer goes on beyond the data; the layers, smooth ones (SiLU), carry
    the rest. The derivative exists everywhere.

    Args:
        inputs, outputs: numbers in and out.
        widths: of the layers between.
        members: K, networks of other first weights.
        seed: of the first weights.

    ``[b, inputs]`` to ``[K, b, outputs]``.
    """

    def __init__(
        self, inputs: int, outputs: int, widths: Sequence[int] = (64, 64), members: int = 1, seed: int = 0
    ) -> None:
        super().__init__()
        with own_random_state(seed):
            self.line = LinearMembers(members, inputs, outputs)
            self.layers = layers_of(members, inputs, widths)
            self.last = LinearMembers(members, widths[-1] if widths else inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Every member's answer."""
        out: Tensor = self.line(x) + self.last(self.layers(x))
        return out


def layers_of(members: int, inputs: int, widths: Sequence[int]) -> nn.Sequential:
    """Linear layers of these widths, each followed by SiLU."""
    pairs = itertools.pairwise((inputs, *widths))
    return nn.Sequential(*(nn.Sequential(LinearMembers(members, a, b), nn.SiLU()) for a, b in pairs))
