"""Circles of the fibres over the image they were found in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalebridge.errors import InputError
from scalebridge.microstructure.fibre_detection import Fibres

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS = (("whole", "tab:red"), ("cut by the edge", "gold"), ("misaligned", "deepskyblue"))


def fibre_figure(fibres: Fibres, box: tuple[int, int, int, int] | None = None) -> Figure:
    """Draw the circles over the image: red counts, yellow is cut by the edge, blue is misaligned.

    Args:
        fibres: what `detect_fibres` returned.
        box: part to show, ``(top, left, bottom, right)`` in pixels, the last two excluded; ``None`` shows all.

    Raises:
        InputError: a box that is empty or not within the image.
    """
    from matplotlib.collections import EllipseCollection
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    top, left, bottom, right = _checked(fibres, box)
    figure = Figure(figsize=(7, 7 * (bottom - top) / (right - left) + 0.8), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(fibres.image.grey, cmap="gray", interpolation="nearest")
    chosen = (fibres.whole, fibres.cut, fibres.misaligned & ~fibres.cut)
    for mask, (_, colour) in zip(chosen, KINDS, strict=True):
        size = fibres.diameters[mask]
        places = fibres.centres[mask][:, ::-1]
        axes.add_collection(
            EllipseCollection(
                size, size, 0.0, units="xy", offsets=places, offset_transform=axes.transData,
                facecolors="none", edgecolors=colour, linewidths=0.8,
            )
        )  # fmt: skip
    axes.set_xlim(left - 0.5, right - 0.5)
    axes.set_ylim(bottom - 0.5, top - 0.5)
    axes.set_axis_off()
    axes.set_title(fibres.describe(), fontsize=8)
    keys = [Line2D([], [], marker="o", ls="", mfc="none", mec=colour, label=name) for name, colour in KINDS]
    figure.legend(handles=keys, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    return figure


def _checked(fibres: Fibres, box: tuple[int, int, int, int] | None) -> tuple[int, int, int, int]:
    rows, columns = fibres.image.shape
    if box is None:
        return 0, 0, rows, columns
    top, left, bottom, right = box
    if not (0 <= top < bottom <= rows and 0 <= left < right <= columns):
        raise InputError(
            f"The part {box} to show is not within the {rows} x {columns} pixels of '{fibres.image.name}'; "
            "give (top, left, bottom, right)."
        )
    return top, left, bottom, right
