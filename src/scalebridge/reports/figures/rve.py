"""The micro model: the image it came from, its phases, a solved stress field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.reports import numbers, theme
from scalebridge.reports.saved import Saved

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Matrix, fibre, third phase: readable on light and on dark paper, apart in lightness.
PHASES = ("#d9e3ea", "#3a6ea5", "#e0a23b", "#7a4b94")


def rve_figure(saved: Saved) -> str | None:
    """Draw image, phases and stress of the RVE, as far as the study saved them; ``None`` without any."""
    image, labels, stress = (saved.extra(n) for n in ("image", "rve_labels", "rve_stress"))
    shown = [a for a in (image, labels, stress) if a is not None]
    if not shown:
        return None
    figure = theme.canvas(1040, 60 + 960 / max(len(shown), 2))
    axes = figure.subplots(1, len(shown), squeeze=False).ravel()
    rest = iter(axes)
    if image is not None:
        _image(next(rest), image, saved.extra("window"))
    if labels is not None:
        _labels(next(rest), labels)
    if stress is not None:
        _stress(next(rest), stress, saved.side_unit("outputs"))
    return theme.svg(figure, "The micrograph with the window, the phases, a solved stress field", "rve")


def _bare(ax: Axes, title: str) -> None:
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set_title(title)
    ax.set_anchor("N")


def _image(ax: Axes, image: NDArray[Any], window: NDArray[Any] | None) -> None:
    from matplotlib.patches import Rectangle

    ax.imshow(image, cmap="gray", interpolation="none")
    _bare(ax, "the image, and the window")
    if window is not None:
        y, x, size = (float(v) for v in window[:3])
        ax.add_patch(Rectangle((x - 0.5, y - 0.5), size, size, fill=False, ec="#ffffff", lw=3.4))
        ax.add_patch(Rectangle((x - 0.5, y - 0.5), size, size, fill=False, ec=theme.PHASE["verify"], lw=1.8))


def _labels(ax: Axes, labels: NDArray[Any]) -> None:
    from matplotlib.colors import ListedColormap

    n = int(labels.max()) + 1
    ax.imshow(labels, cmap=ListedColormap(PHASES[:n]), vmin=-0.5, vmax=n - 0.5, interpolation="none")
    share = ", ".join(f"{100 * np.mean(labels == k):.0f} %" for k in range(n))
    _bare(ax, f"its {n} phases ({share})")


def _stress(ax: Axes, stress: NDArray[Any], unit: str) -> None:
    factor, words = numbers.prefixed(unit, float(np.nanquantile(stress, 0.995)))
    top = factor * float(np.nanquantile(stress, 0.995)) or 1.0
    shown = ax.imshow(factor * stress, cmap=theme.colours(), vmin=0.0, vmax=top, interpolation="none")
    _bare(ax, "von Mises stress, solved")
    assert ax.figure is not None
    bar = ax.figure.colorbar(shown, ax=ax, shrink=0.8, aspect=24, pad=0.03, anchor=(0.0, 1.0), panchor=(0.5, 1.0))
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)
    bar.set_label(words)
