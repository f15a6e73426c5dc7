"""Prediction over mask: green where both agree, red what was missed, blue what is too much."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def save(grey: NDArray[np.float64], found: NDArray[np.bool_], truth: NDArray[np.bool_], path: Path) -> None:
    """Write the overlay of ``[rows, columns]`` as PNG."""
    from PIL import Image

    shown = np.repeat((np.clip(grey, 0, 1) * 255)[:, :, None], 3, axis=2)
    for mask, colour in (
        (found & truth, (0, 200, 0)),
        (~found & truth, (255, 0, 0)),
        (found & ~truth, (0, 80, 255)),
    ):
        shown[mask] = 0.55 * shown[mask] + 0.45 * np.array(colour)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(shown.astype(np.uint8)).save(path)
