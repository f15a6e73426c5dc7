"""Axes in readable units: a power of ten on the label instead of an offset on the ticks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scalebridge.reports import numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Beyond this, equal steps hide all but the largest values.
WIDE = 30.0


def quantity_axis(ax: Axes, which: str, name: str, unit: str) -> None:
    """Label an axis with name and unit; very large or small values get one power of ten on the label."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

    axis = ax.xaxis if which == "x" else ax.yaxis
    low, high = ax.get_xlim() if which == "x" else ax.get_ylim()
    factor, shown = numbers.prefixed(unit, max(abs(low), abs(high)))
    if axis.get_scale() == "log":
        axis.set_major_formatter(FuncFormatter(lambda x, _: numbers.plain(x * factor, 1)))
        axis.set_minor_formatter(NullFormatter())
    else:
        axis.set_major_locator(MaxNLocator(6 if which == "x" else 5, steps=[1, 2, 2.5, 5, 10]))
        ticks = np.asarray(axis.get_major_locator().tick_values(low, high)) * factor
        step = float(np.min(np.diff(ticks))) if len(ticks) > 1 else 1.0
        decimals = next((k for k in range(10) if abs(round(step, k) - step) < 1e-6 * step), 10)
        axis.set_major_formatter(FuncFormatter(lambda x, _: numbers.fixed(x * factor, decimals)))
    words = name.replace("_", " ")
    label = f"{words} in {shown}" if shown else words
    if which == "x":
        ax.set_xlabel(label, loc="right")
    else:
        ax.set_ylabel(label, loc="top")


def by_decades(ax: Axes, which: str, values: NDArray[np.float64]) -> None:
    """Let an axis run by decades where all that it shows is positive and spans more than one of them."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if low > 0 and high >= WIDE * low:
        (ax.set_xscale if which == "x" else ax.set_yscale)("log")


def equivalent(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Euclidean norm of each row; for Mandel components, the norm of the tensor ``[n]``."""
    norm: NDArray[np.float64] = np.sqrt(np.sum(np.asarray(x, dtype=np.float64) ** 2, axis=1))
    return norm
