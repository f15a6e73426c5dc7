"""The pictures of the page on micrographs: fibres found in a glass and a carbon slice, and the voids of the carbon.

python -m benchmarks._micrograph_figures --out DIR
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from scalebridge import microstructure
from scalebridge.microstructure.micrograph import Micrograph

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DATA = Path(__file__).parents[1] / "data"
FIBRES = {
    "fibres-glass.png": (DATA / "glass-fibre" / "glass0864_cut.png", (0, 0, 200, 250)),
    "fibres-carbon.png": (DATA / "carbon-fibre" / "carbon.png", (40, 100, 240, 347)),
}
"""Slice and the part of it that is shown: top, left, bottom, right."""
VOIDS = DATA / "carbon-fibre" / "carbon.png"
SHADES = {"dark": "tab:red", "enclosed": "gold"}


def fibre_pictures() -> Iterator[tuple[str, Figure]]:
    """Every slice with the circles found in it; counts and diameters are printed."""
    for name, (path, box) in FIBRES.items():
        fibres = microstructure.detect_fibres(microstructure.read(path))
        print(f"{path.name}: {fibres.describe()}; circles take {fibres.fraction:.3f}", flush=True)
        yield name, microstructure.fibre_figure(fibres, box=box)


def void_picture() -> Figure:
    """The carbon slice with both outlines of its voids."""
    from matplotlib.figure import Figure

    image = microstructure.read(VOIDS)
    figure = Figure(figsize=(7, 7.4), layout="constrained")
    draw_voids(figure.add_subplot(), image)
    return figure


def draw_voids(axes: Axes, image: Micrograph) -> None:
    """Draw the image and the outlines of what is void by either rule; the shares stand in the title."""
    axes.imshow(image.grey, cmap="gray")
    told = []
    for extent, colour in SHADES.items():
        found = microstructure.segment(image, 3, voids=extent)
        axes.contour(found.labels == 0, levels=[0.5], colors=colour, linewidths=1.0)
        told.append(f"{extent} {100 * found.fraction[0]:.2f} ± {100 * found.fraction_std[0]:.2f} %")
        print(f"{Path(image.name).name}: voids, {told[-1]}", flush=True)
    axes.set_title(f"voids: {told[0]} (red), {told[1]} (yellow)", fontsize=9)
    axes.set_axis_off()


def main() -> None:
    """Draw all pictures into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder of the pictures")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for name, figure in fibre_pictures():
        figure.savefig(out / name, dpi=90)
    void_picture().savefig(out / "voids-carbon.png", dpi=90)


if __name__ == "__main__":
    main()
