"""One loop that trains every network in the box: seeded, stopped early on held-out rows, resumable."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor, nn

from scalebridge.errors import InputError, ShapeError
from scalebridge.networks.checkpoint import Progress, read_checkpoint, write_checkpoint
from scalebridge.networks.random_state import own_random_state

Batch: TypeAlias = tuple[Tensor, ...]
Batches: TypeAlias = Callable[[torch.Generator], Iterable[Batch]]
Loss: TypeAlias = Callable[[nn.Module, Batch], Tensor]

# The learning rate falls along half a cosine to this share of what it was.
LAST_RATE = 0.01


@dataclass(frozen=True)
class Epoch:
    """One pass over the data, for those who watch.

    Args:
        number: from 0.
        training: mean loss of the pass, while the weights were still changing.
        validation: loss on the held-out rows after it, NaN without any.
        learning_rate: that of the pass.
    """

    number: int
    training: float
    validation: float
    learning_rate: float


@dataclass(frozen=True)
class Trained:
    """What `train` did; the module given holds the best weights.

    Args:
        module: the one given, in evaluation mode.
        history: one `Epoch` for each pass, the learning curve.
        best: number of the epoch whose weights were kept.
        stopped: why it ended: "epochs", "patience" or "interrupted" (Ctrl-C).
    """

    module: nn.Module
    history: tuple[Epoch, ...]
    best: int
    stopped: str

    @property
    def training(self) -> tuple[float, ...]:
        """Loss of every pass."""
        return tuple(epoch.training for epoch in self.history)

    @property
    def validation(self) -> tuple[float, ...]:
        """Loss on the held-out rows after every pass."""
        return tuple(epoch.validation for epoch in self.history)

    def __str__(self) -> str:
        kept, last = self.history[self.best], self.history[-1]
        held = "" if math.isnan(kept.validation) else f", {kept.validation:.4g} on held-out rows"
        return (
            f"{last.number + 1} epochs (stopped by {self.stopped}); kept epoch {kept.number + 1}: "
            f"loss {kept.training:.4g}{held}"
        )


def train(
    module: nn.Module,
    loss: Loss,
    data: Sequence[Tensor] | Batches,
    *,
    epochs: int = 200,
    batch: int = 64,
    seed: int = 0,
    validation: Sequence[Tensor] | None = None,
    patience: int | None = None,
    learning_rate: float = 1e-3,
    weight_decay: float = 0.0,
    clip: float = 1.0,
    progress: Callable[[Epoch], None] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Trained:
    """Train a module in place with AdamW, a cosine schedule and clipped gradients; return what happened.

    The same seed gives the same weights, whether the run was interrupted and resumed or not; torch's own random
    state is left as it was. Ctrl-C keeps the best weights so far and says so in ``stopped``.

    Args:
        module: any torch module, on the device where it is to be trained.
        loss: ``loss(module, batch) -> scalar``, the mean over the rows of a batch.
        data: tensors with the same number of rows ``[n, ...]``, shuffled into batches at every epoch; or
            ``data(generator)``, an iterable of batches for one epoch that draws from the generator alone.
        epochs: how many passes at most; the schedule reaches its end after as many.
        batch: rows in a batch, at most; batches are of equal size, give or take a row.
        seed: of the shuffling and of whatever the module draws (dropout).
        validation: held-out tensors ``[k, ...]`` in the order of ``data``; with them the weights of the best epoch
            are kept, without them those of the last.
        patience: epochs without a better loss on the held-out rows after which training ends; None: never.
        learning_rate: at the start; falls along half a cosine to a hundredth.
        weight_decay: of AdamW (decoupled).
        clip: norm to which a longer gradient is cut.
        progress: called with every `Epoch`.
        checkpoint: file to which every epoch is written and from which a run of the same settings goes on;
            tensors and numbers only, read with ``weights_only=True``.

    Raises:
        InputError: an option out of its range, a loss or gradient that is not finite (where and when), or a
            checkpoint of another module or of other settings.
        ShapeError: tensors whose rows do not pair.

    Source: I. Loshchilov, F. Hutter, SGDR (2017), Decoupled weight decay regularization (2019).
    """
    _check(module, epochs, batch, patience, learning_rate, clip)
    rows = None if callable(data) else _paired(data, "data")
    held = None if validation is None else _paired(validation, "validation")
    settings = {"epochs": epochs, "batch": batch, "seed": seed, "learning_rate": learning_rate}
    optimiser = torch.optim.AdamW(module.parameters(), lr=learning_rate, weight_decay=weight_decay)
    done = Progress.start(module)
    path = None if checkpoint is None else Path(checkpoint)
    if path is not None and path.exists():
        done = read_checkpoint(path, module, optimiser, settings)
    try:
        while (stopped := _ended(done, epochs, patience, held is not None)) is None:
            number = len(done.history)
            rate = learning_rate * _share(number, epochs)
            generator = torch.Generator().manual_seed(_mixed(seed, number))
            batches = data(generator) if callable(data) else _shuffled(rows or (), batch, generator)
            with own_random_state(_mixed(seed, number), _devices(module)):
                fell = _pass(module, loss, batches, optimiser, rate, clip, number)
            told = Epoch(number, fell, math.nan if held is None else _held_out(module, loss, held, batch), rate)
            done = done.after(module, (told.training, told.validation, told.learning_rate))
            if path is not None:
                write_checkpoint(path, module, optimiser, settings, done)
            if progress is not None:
                progress(told)
    except KeyboardInterrupt:
        if not done.history:
            raise
        stopped = "interrupted"
    module.load_state_dict(done.weights)
    module.eval()
    return Trained(module, tuple(Epoch(i, *line) for i, line in enumerate(done.history)), done.best, stopped)


def _check(module: nn.Module, epochs: int, batch: int, patience: int | None, learning_rate: float, clip: float) -> None:
    for name, value, lowest in (("epochs", epochs, 1), ("batch", batch, 1), ("patience", patience or 1, 1)):
        if isinstance(value, bool) or not isinstance(value, int) or value < lowest:
            raise InputError(f"Training got {name} = {value!r}; give a whole number of at least {lowest}.")
    for name, number in (("learning_rate", learning_rate), ("clip", clip)):
        if not (math.isfinite(number) and number > 0):
            raise InputError(f"Training got {name} = {number!r}; give a positive number, as in 1e-3.")
    if not any(p.requires_grad for p in module.parameters()):
        raise InputError("Training got a module without weights to train; give one whose parameters require gradients.")


def _paired(tensors: Sequence[Tensor], side: str) -> Batch:
    """The tensors as a batch of all rows; raise `ShapeError` where their rows do not pair."""
    kept = tuple(tensors)
    counts = [len(t) if t.ndim else 0 for t in kept]
    if not kept or min(counts) == 0 or len(set(counts)) > 1:
        raise ShapeError(
            f"Training got {side} of {counts or 'no'} rows; give tensors with the same number of rows, at least one."
        )
    return kept


def _share(number: int, epochs: int) -> float:
    return LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * number / epochs))


def _mixed(seed: int, number: int) -> int:
    """A seed of its own for every epoch, so that a resumed run draws what the whole one would have."""
    return (seed * 1_000_003 + number) % 2**63


def _devices(module: nn.Module) -> list[int]:
    return sorted({p.device.index or 0 for p in module.parameters() if p.is_cuda})


def _shuffled(rows: Batch, batch: int, generator: torch.Generator) -> Iterator[Batch]:
    """All rows in random order, in batches of equal size: no last batch of one row upsets a normalisation."""
    order = torch.randperm(len(rows[0]), generator=generator)
    for at in order.tensor_split(math.ceil(len(order) / batch)):
        yield tuple(t[at.to(t.device)] for t in rows)


def _on(module: nn.Module, batch: Batch) -> Batch:
    device = next(module.parameters()).device
    return tuple(t.to(device) for t in batch)


def _pass(
    module: nn.Module,
    loss: Loss,
    batches: Iterable[Batch],
    optimiser: torch.optim.Optimizer,
    rate: float,
    clip: float,
    number: int,
) -> float:
    """One epoch; return the mean loss over its rows."""
    module.train()
    for group in optimiser.param_groups:
        group["lr"] = rate
    total, count = 0.0, 0
    for k, given in enumerate(batches):
        step = _on(module, given)
        value = loss(module, step)
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        norm = torch.nn.utils.clip_grad_norm_(module.parameters(), clip)
        if not (math.isfinite(value.item()) and math.isfinite(norm.item())):
            raise _diverged(number, k, value.item(), norm.item())
        optimiser.step()
        total, count = total + value.item() * len(step[0]), count + len(step[0])
    if not count:
        raise InputError(f"Training got no batches in epoch {number + 1}; give data with at least one row.")
    return total / count


def _diverged(number: int, k: int, value: float, norm: float) -> InputError:
    what = f"the loss is {value}" if not math.isfinite(value) else f"the gradient's norm is {norm}"
    return InputError(
        f"Training stopped in epoch {number + 1}, batch {k + 1}: {what}; look for values in the data that are not "
        "finite or not scaled, or lower learning_rate."
    )


def _held_out(module: nn.Module, loss: Loss, held: Batch, batch: int) -> float:
    """Mean loss over the held-out rows, in evaluation mode."""
    module.eval()
    total, n = 0.0, len(held[0])
    with torch.no_grad():
        for at in torch.arange(n).tensor_split(math.ceil(n / batch)):
            part = _on(module, tuple(t[at.to(t.device)] for t in held))
            total += loss(module, part).item() * len(at)
    if not math.isfinite(total):
        raise InputError(
            f"The loss on the {n} held-out rows is {total / n}; look for values in them that are not finite."
        )
    return total / n


def _ended(done: Progress, epochs: int, patience: int | None, held: bool) -> str | None:
    """Why training is over, None while it is not."""
    if len(done.history) >= epochs:
        return "epochs"
    if held and patience is not None and done.history and len(done.history) - 1 - done.best >= patience:
        return "patience"
    return None
