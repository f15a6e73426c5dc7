"""Macroscopic loads as users give them: a measure, with the stress where the measure is NaN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    import torch

    from scalebridge.micro.rve.control import Load


@dataclass(frozen=True)
class Prescribed:
    """Loads of ``b`` rows.

    Args:
        measure: ``[b, g]``, zero in the free components.
        stress: ``[b, g]``, zero elsewhere.
        free: ``[g]``, where the stress is prescribed.
        finite: ``[b]``, which rows can be run.
    """

    measure: Floats
    stress: Floats
    free: NDArray[np.bool_]
    finite: NDArray[np.bool_]

    def rows(self, rows: NDArray[np.int64]) -> Prescribed:
        """Return some rows."""
        return Prescribed(self.measure[rows], self.stress[rows], self.free, self.finite[rows])

    def load(self, device: torch.device) -> Load:
        """Return these loads as tensors."""
        import torch

        from scalebridge.micro.rve.control import Load

        columns = (self.measure, self.stress, self.free.astype(np.float64))
        return Load(*(torch.as_tensor(c, device=device) for c in columns))


def checked_load(measure: Floats, stress: ArrayLike | None) -> Prescribed:
    """Return the load of ``measure [b, g]`` and of ``stress [g]`` or ``[b, g]`` where it is NaN.

    Raises:
        ShapeError: a stress of another shape.
        InputError: rows with NaN in different components; a stress that is not finite.
    """
    if stress is None:
        finite: NDArray[np.bool_] = np.asarray(np.isfinite(measure).all(axis=1))
        return Prescribed(measure, np.zeros_like(measure), np.zeros(measure.shape[1], dtype=bool), finite)
    given = np.asarray(stress, dtype=np.float64)
    if given.shape not in ((measure.shape[1],), measure.shape):
        raise ShapeError(
            f"The stress prescribed on the RVE has shape {given.shape}; it must be [{measure.shape[1]}] or that of the "
            f"strain, {list(measure.shape)}, read where the strain is NaN."
        )
    where = np.isnan(measure)
    if len(measure) and (where != where[0]).any():
        raise InputError("The rows of a mixed load are NaN in different components; run those rows apart.")
    free = where[0] if len(measure) else np.zeros(measure.shape[1], dtype=bool)
    pulled = np.where(free, np.broadcast_to(given, measure.shape), 0.0)
    if not np.isfinite(pulled).all():
        raise InputError("The stress prescribed on the RVE must be finite wherever the strain is NaN.")
    kept = np.where(free, 0.0, measure)
    return Prescribed(kept, pulled, free, np.asarray(np.isfinite(kept).all(axis=1)))
