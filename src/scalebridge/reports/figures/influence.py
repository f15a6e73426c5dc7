"""How much of the answer hangs on each state."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scalebridge.reports.saved import Saved


def influence(saved: Saved) -> NDArray[np.float64] | None:
    """Return the influence of each state on the answer ``[n]``: sum over outputs of |w|·rms of the output.

    ``None`` where the answer was saved without sensitivities.
    """
    weights, states = saved.array("sensitivity"), saved.array("states")
    if weights is None or states is None or len(weights) != len(states):
        return None
    predicted = saved.array("predicted")
    scale = np.ones(weights.shape[1]) if predicted is None else np.sqrt(np.mean(predicted**2, axis=0))
    total: NDArray[np.float64] = np.abs(weights) @ np.where(np.isfinite(scale) & (scale > 0), scale, 1.0)
    return total
