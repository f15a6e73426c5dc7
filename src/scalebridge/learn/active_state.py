"""What active learning knows: arrays, so that a checkpoint is a saved state."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scalebridge.errors import InputError
from scalebridge.quantities import Floats

SAVED = ("x", "y", "noise_std", "pending", "failed", "surprise", "asked")


@dataclass(frozen=True)
class ActiveState:
    """Runs told, runs under way and places where a run failed.

    Args:
        x: inputs of the runs told ``[b, d]``.
        y: their values ``[b, m]``.
        noise_std: deviation of these ``[b, m]``.
        pending: asked for and not told yet ``[p, d]``.
        failed: places where a run failed ``[f, d]``.
        surprise: errors of predictions in units of their deviation ``[s, m]``, each made before its run was told.
        asked: how many runs were asked for in all.
        surrogate: fitted on the runs; it follows from them and is not saved.
    """

    x: Floats
    y: Floats
    noise_std: Floats
    pending: Floats
    failed: Floats
    surprise: Floats
    asked: int = 0
    surrogate: Any = field(default=None, repr=False, compare=False)

    @staticmethod
    def empty(d: int, m: int) -> ActiveState:
        """Nothing known of ``d`` inputs and ``m`` outputs."""
        none, nothing = np.zeros((0, d)), np.zeros((0, m))
        return ActiveState(none, nothing, nothing, none, none, nothing)

    @property
    def spent(self) -> int:
        """Runs told, under way and failed."""
        return len(self.x) + len(self.pending) + len(self.failed)

    @property
    def visited(self) -> Floats:
        """Every place where a run was made, is under way or failed."""
        return np.concatenate([self.x, self.pending, self.failed])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the arrays to an npz file (no pickle)."""
        arrays: dict[str, Any] = {name: getattr(self, name) for name in SAVED}
        with open(path, "wb") as file:
            np.savez(file, **arrays)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> ActiveState:
        """Read what `save` wrote.

        Raises:
            InputError: no such file, or not a whole one of this kind.
        """
        try:
            # Opened here: NumPy leaves a torn file open.
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as saved:
                arrays = {name: saved[name] for name in SAVED}
            asked = int(arrays.pop("asked"))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(
                f"No state of active learning can be read from '{path}' ({type(error).__name__}); "
                "give a whole file that state.save wrote."
            ) from error
        return ActiveState(**arrays, asked=asked)

    def __repr__(self) -> str:
        return f"ActiveState({len(self.x)} runs told, {len(self.pending)} under way, {len(self.failed)} failed)"
