"""The look of figures: one palette, colours that follow the page (light, dark, print), SVG to place inline.

A figure is drawn in stand-in colours, which the export replaces by the page's CSS variables;
so one SVG serves light, dark and paper. The palette is told apart under the usual colour vision
deficiencies (after Okabe and Ito), and every phase has a marker of its own besides.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

# Stand-ins: hex values that nothing else uses.
INK, MUTED, GRID, PAPER, SOFT = "#010101", "#020202", "#030303", "#040404", "#050505"
ACCENT, WARN = "#060606", "#070707"
PHASE = {
    "start": "#0a0a01",
    "learn": "#0a0a02",
    "verify": "#0a0a03",
    "check": "#0a0a04",
    "finer": "#0a0a05",
    "input": "#0a0a06",
    "mesh": "#0a0a07",
}
PART = {
    "closure": "#0b0b01",
    "remainder": "#0b0b02",
    "micro_discretisation": "#0b0b03",
    "mesh": "#0b0b04",
    "input": "#0b0b05",
}
MARKER = {"start": "s", "learn": "o", "verify": "D", "check": "p", "finer": "^", "input": "v", "mesh": "X"}
PHASE_WORDS = {
    "start": "start",
    "learn": "learn where it matters",
    "verify": "verify",
    "check": "check an assumption",
    "finer": "finer micro model",
    "input": "uncertain inputs",
    "mesh": "refine the mesh",
}
_VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--rule",
    PAPER: "--paper",
    SOFT: "--soft",
    ACCENT: "--accent",
    WARN: "--warn",
    **{colour: f"--phase-{name}" for name, colour in PHASE.items()},
    **{colour: f"--part-{name.replace('_', '-')}" for name, colour in PART.items()},
}
STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": ["sans-serif"],
    "font.size": 11.0,
    "axes.titlesize": 11.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10.0,
    "axes.labelsize": 11.0,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "axes.linewidth": 1.0,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "text.color": INK,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 10.5,
    "ytick.labelsize": 10.5,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 10.5,
    "lines.solid_capstyle": "round",
}


def canvas(width: float, height: float) -> Figure:
    """Return an empty figure of so many CSS pixels."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width / 72, height / 72), layout="constrained")


def colours() -> Colormap:
    """Return the sequential colour map: dark to light, even in lightness."""
    from matplotlib.colors import LinearSegmentedColormap

    stops = ["#0b0a1a", "#2b1f4f", "#3b3d8a", "#3a6ea5", "#3c9fae", "#6bc9a6", "#c4e8a9", "#fbf7d0"]
    return LinearSegmentedColormap.from_list("scalebridge", stops)


def svg(figure: Figure, label: str, name: str) -> str:
    """Return a figure as inline SVG that takes its colours and its type from the page.

    Args:
        figure: the figure, drawn under `STYLE`.
        label: what it shows, for those who cannot see it.
        name: keeps the identifiers of two figures on one page apart.
    """
    import matplotlib

    buffer = io.StringIO()
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", dpi=200, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(
        r'<svg [^>]*?(viewBox="[^"]+")[^>]*>', rf'<svg \1 role="img" aria-label="{_escape(label)}">', text, count=1
    )
    text = re.sub(r"font-family: [^;\"]*", "font-family: var(--sans)", text)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    return re.sub(r'\bid="', f'id="{name}-', re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", text))


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
