"""Training without labels: two views of one place are to have the same features, different places other ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from scalebridge.networks.random_state import own_random_state
from scalebridge.networks.training import Batch, Batches, Epoch, Trained, train

# Weights of the parts of the loss, those of the paper.
INVARIANCE, VARIANCE, COVARIANCE = 25.0, 25.0, 1.0
# A deviation is kept away from zero under the root.
SMALL = 1e-4
# Grey values of normalised patches are stretched, shifted and spoilt by noise up to these shares of their deviation.
CONTRAST, BRIGHTNESS, NOISE = 0.3, 0.3, 0.3


def vicreg(a: Tensor, b: Tensor) -> Tensor:
    """Distance of pairs ``[b, k]``, features that vary too little, and features that vary together.

    Source: A. Bardes, J. Ponce, Y. LeCun, VICReg (2022).
    """
    apart = (a - b).square().mean()
    still, linked = _still(a) + _still(b), _linked(a) + _linked(b)
    loss: Tensor = INVARIANCE * apart + VARIANCE * still + COVARIANCE * linked
    return loss


def view(patches: Tensor, generator: torch.Generator) -> Tensor:
    """Patches ``[b, s, s]`` turned, mirrored, of other contrast and brightness, and noisy; each by chance."""
    turn = torch.randint(8, (len(patches),), generator=generator)
    turned = torch.empty_like(patches)
    for k in range(8):
        some = torch.rot90(patches[turn == k], k % 4, (1, 2))
        turned[turn == k] = some.flip(1) if k >= 4 else some
    contrast, brightness, noise = torch.rand((3, len(patches), 1, 1), generator=generator)
    spoilt = torch.randn(patches.shape, generator=generator) * (NOISE * noise)
    seen: Tensor = turned * (1 + CONTRAST * (2 * contrast - 1)) + BRIGHTNESS * (2 * brightness - 1) + spoilt
    return seen


def train_without_labels(
    encoder: nn.Module,
    width: int,
    pairs: Batches,
    *,
    epochs: int,
    seed: int,
    learning_rate: float = 2e-3,
    progress: Callable[[Epoch], None] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Trained:
    """Train an encoder ``[b, s, s]`` to ``[b, width]`` in place on pairs of patches by VICReg.

    Args:
        encoder: any module of patches.
        width: of its features.
        pairs: as the ``data`` of `train`: batches of two tensors ``[b, s, s]``, of which `view` has not been taken.
        epochs, seed, learning_rate, progress, checkpoint: as in `train`.
    """
    whole = _Expanded(encoder, width, 2 * width, seed)

    def loss(module: nn.Module, batch: Batch) -> Tensor:
        first, second = batch
        z = module(torch.cat([first, second]))
        return vicreg(z[: len(first)], z[len(first) :])

    def views(generator: torch.Generator) -> Iterator[Batch]:
        for first, second in pairs(generator):
            yield view(first, generator), view(second, generator)

    told = train(
        whole,
        loss,
        views,
        epochs=epochs,
        seed=seed,
        learning_rate=learning_rate,
        weight_decay=1e-4,
        progress=progress,
        checkpoint=checkpoint,
    )
    encoder.eval()
    return told


class _Expanded(nn.Module):
    """An encoder and, for the loss alone, two layers after it."""

    def __init__(self, encoder: nn.Module, width: int, wide: int, seed: int) -> None:
        super().__init__()
        self.encoder = encoder
        with own_random_state(seed):
            self.expander = nn.Sequential(
                nn.Linear(width, wide), nn.BatchNorm1d(wide), nn.ReLU(), nn.Linear(wide, wide)
            )

    def forward(self, patches: Tensor) -> Tensor:
        out: Tensor = self.expander(self.encoder(patches))
        return out


def _still(z: Tensor) -> Tensor:
    """How far the deviations lie below one."""
    return torch.relu(1 - (z.var(dim=0) + SMALL).sqrt()).mean()


def _linked(z: Tensor) -> Tensor:
    """Squares of the covariances between features."""
    centred = z - z.mean(dim=0)
    covariance = centred.T @ centred / (len(z) - 1)
    return (covariance.square().sum() - covariance.diagonal().square().sum()) / z.shape[1]
