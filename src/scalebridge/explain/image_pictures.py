"""A map of attribution, drawn beside and over its image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from scalebridge.explain.images import Attribution


def drawn(a: Attribution) -> Figure:
    """Image, map, and map over image; signs in two colours where there are signs."""
    from matplotlib.figure import Figure

    height, width = a.map.shape
    figure = Figure(figsize=(12, 0.6 + 3.7 * height / width), layout="constrained")
    axes = figure.subplots(1, 3)
    grey = a.image.mean(axis=0)
    signed = bool((a.map < 0).any())
    top = float(np.quantile(np.abs(a.map), 0.995)) or 1.0
    how = {"cmap": "RdBu_r", "vmin": -top, "vmax": top} if signed else {"cmap": "magma", "vmin": 0.0, "vmax": top}
    axes[0].imshow(grey, cmap="gray")
    shown = axes[1].imshow(a.map, **how)
    axes[2].imshow(grey, cmap="gray")
    axes[2].imshow(a.map, **how, alpha=np.clip(np.abs(a.map) / top, 0.0, 0.85))
    for ax, title in zip(axes, ("image", a.method, f"{a.method} over the image"), strict=True):
        ax.set(xticks=[], yticks=[], title=title)
    figure.colorbar(shown, ax=axes[1], shrink=0.8, label="raises or lowers the output" if signed else "")
    return figure
