"""How far a training has come, in a file of tensors and numbers."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from scalebridge.errors import InputError
from scalebridge.networks.weights import load_tensors

FORMAT = "scalebridge-training"


def copied(module: nn.Module) -> dict[str, Tensor]:
    """The module's weights and buffers as they stand now."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


@dataclass(frozen=True)
class Progress:
    """Where a training stands.

    Args:
        history: training loss, held-out loss (NaN without held-out rows) and learning rate of every epoch.
        best: number of the epoch whose weights are kept, -1 before the first.
        weights: those weights.
    """

    history: tuple[tuple[float, float, float], ...]
    best: int
    weights: Mapping[str, Tensor]

    @classmethod
    def start(cls, module: nn.Module) -> Progress:
        """Before the first epoch."""
        return cls((), -1, copied(module))

    def after(self, module: nn.Module, line: tuple[float, float, float]) -> Progress:
        """With one epoch more; its weights are kept if none were better on the held-out rows."""
        history, held = (*self.history, line), line[1]
        if self.history and not math.isnan(held) and held >= self.history[self.best][1]:
            return Progress(history, self.best, self.weights)
        return Progress(history, len(self.history), copied(module))


def write_checkpoint(
    path: Path,
    module: nn.Module,
    optimiser: torch.optim.Optimizer,
    settings: Mapping[str, float],
    done: Progress,
) -> None:
    """Write where a training stands; the file is replaced when the new one is whole."""
    content = {
        "format": FORMAT,
        "settings": dict(settings),
        "module": module.state_dict(),
        "optimiser": optimiser.state_dict(),
        "history": torch.tensor(done.history, dtype=torch.float64),
        "best": done.best,
        "weights": dict(done.weights),
    }
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        torch.save(content, part)
        part.replace(path)
    except OSError as error:
        raise InputError(f"The checkpoint '{path}' cannot be written ({error}); give a folder that exists.") from error
    finally:
        part.unlink(missing_ok=True)


def read_checkpoint(
    path: Path, module: nn.Module, optimiser: torch.optim.Optimizer, settings: Mapping[str, float]
) -> Progress:
    """Put module and optimiser where they stood; return the progress.

    Raises:
        InputError: a damaged or foreign file, or one of another module or other settings.
    """
    content = _content(path)
    changed = [
        f"{k} = {content['settings'].get(k)}, now {v}" for k, v in settings.items() if content["settings"].get(k) != v
    ]
    if changed:
        raise _refused(path, f"it was written with {'; '.join(changed)}")
    try:
        module.load_state_dict(content["module"])
        optimiser.load_state_dict(content["optimiser"])
    except (RuntimeError, ValueError, KeyError) as error:
        raise _refused(path, "it belongs to another network") from error
    history = tuple((float(a), float(b), float(c)) for a, b, c in content["history"].tolist())
    return Progress(history, int(content["best"]), content["weights"])


def _content(path: Path) -> dict[str, Any]:
    try:
        content = load_tensors(path)
        known = content["format"] == FORMAT
    except Exception as error:  # whatever a foreign file makes the reader raise
        raise _refused(path, "it is damaged, cut short, or no checkpoint of a training") from error
    if not known:
        raise _refused(path, "it is no checkpoint of a training")
    return dict(content)


def _refused(path: Path, reason: str) -> InputError:
    return InputError(
        f"The checkpoint '{path.name}' cannot be gone on with: {reason}; delete it to begin anew, or give another path."
    )
