"""An RVE in a notebook: a picture of its phases and what they are made of."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scalebridge.micro.rve.model import RVE

LARGEST = 240
"""Pixels on the longer side of the picture."""

# Apart in lightness; repeated where there are more phases.
COLOURS = ("#d9e3ea", "#3a6ea5", "#e0a23b", "#7a4b94", "#5b9e7a", "#b5544a", "#8a8f98", "#2b3550")


def rve_html(rve: RVE) -> str:
    """Return an RVE as a card: the phases (of a volume, its middle slices), materials and fractions, options."""
    shape = " × ".join(str(n) for n in rve.phases.shape)
    size = "" if rve.voxel_size is None else f" of {' × '.join(f'{1e6 * h:.4g}' for h in rve.voxel_size)} µm"
    plane = f", plane {rve.plane}" if rve.phases.ndim == 2 else ""
    mixed = "" if rve.mixed is None else f", {len(rve.mixed.index)} composite"
    head = "".join(f'<th style="text-align:left">{word}</th>' for word in ("label", "fraction", "material"))
    rows = "".join(
        f'<tr><td><span style="display:inline-block;width:.8em;height:.8em;background:{_colour(k)}"></span> {k}</td>'
        f'<td style="text-align:right">{100 * share:.2f} %</td>'
        f'<td style="text-align:left">{escape(law_words(law))}</td></tr>'
        for k, (share, law) in enumerate(zip(rve.fractions, rve.materials, strict=True))
    )
    pictures = "".join(
        f'<img alt="{escape(name)}" title="{escape(name)}" src="{_png(values)}" '
        'style="image-rendering:pixelated;margin:4px 8px 4px 0">'
        for name, values in _slices(rve.phases)
    )
    return (
        '<div style="font:14px/1.5 system-ui,sans-serif"><b>RVE</b> '
        f"{shape} voxels{size}{mixed}{plane}; {escape(rve.discretisation)}, {rve.precision}"
        f"<div>{pictures}</div><table><tr>{head}</tr>{rows}</table></div>"
    )


def _slices(phases: NDArray[np.int64]) -> list[tuple[str, NDArray[np.int64]]]:
    if phases.ndim == 2:
        return [("phases", phases)]
    return [
        (f"middle in {axis}", np.take(phases, n // 2, k))
        for k, (axis, n) in enumerate(zip("zyx", phases.shape, strict=True))
    ]


def _png(values: NDArray[np.int64]) -> str:
    """Return labels as a small picture, a data address: large ones thinned, small ones enlarged by whole factors."""
    from PIL import Image

    step = -(-max(values.shape) // LARGEST)
    shown = values[::step, ::step]
    grown = max(1, LARGEST // max(shown.shape))
    shown = np.kron(shown, np.ones((grown, grown), dtype=np.int64)) % len(COLOURS)
    image = Image.fromarray(shown.astype(np.uint8))
    image.putpalette([int(c[i : i + 2], 16) for c in COLOURS for i in (1, 3, 5)])
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _colour(label: int) -> str:
    return COLOURS[label % len(COLOURS)]


def law_words(law: Any) -> str:
    """Return name and constants of a law, moduli in GPa."""
    shown = []
    for each in getattr(law, "parameters", ()):
        if each.unit == "1/K" and each.value == 0.0:
            continue
        scale, unit = (1e-9, " GPa") if each.unit == "Pa" else (1.0, "" if each.unit == "1" else f" {each.unit}")
        shown.append(f"{each.name} = {scale * each.value:.4g}{unit}")
    return f"{law.name}: {', '.join(shown)}" if shown else str(law.name)
