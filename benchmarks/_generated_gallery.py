"""One picture of every kind of generated microstructure, two of them matched to real or generated images.

python -m benchmarks._generated_gallery --out DIR
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scalebridge import microstructure
from scalebridge.microstructure.generated.gaussian_field import gaussian_medium
from scalebridge.microstructure.generated.grains import foam, random_grains
from scalebridge.microstructure.generated.matching_fibres import match_fibres
from scalebridge.microstructure.generated.packings import packed_disks, packed_spheres
from scalebridge.microstructure.generated.spinodal import cahn_hilliard, spinodal
from scalebridge.microstructure.generated.woven import woven

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Image = NDArray[Any]
GLASS = Path(__file__).parents[1] / "data" / "glass-fibre" / "glass0864_cut.png"
FLAT = 360
SOLID = 96
VIEW = np.array([-0.62, 0.58, -0.53])
PIXELS = 300


def flat_pictures() -> dict[str, Callable[[], Image]]:
    """Two-dimensional kinds: title, and the image."""
    cooled = cahn_hilliard(192, dim=2, mean=-0.2, time=600.0, seed=1)
    return {
        "fibres, 0.60, gap 0.05": lambda: packed_disks(0.6, 150, gap=0.05, scatter=0.06, seed=1).labels(FLAT),
        "fibres, 0.78": lambda: packed_disks(0.78, 150, scatter=0.1, seed=2).labels(FLAT),
        "fibres, resin-rich zones": lambda: packed_disks(0.55, 300, zones=0.2, zone_size=0.3, seed=3).labels(FLAT),
        "grains, log-normal areas": lambda: coloured(random_grains(150, dim=2, scatter=0.7, seed=4).grain(FLAT)),
        "grain boundaries": lambda: random_grains(60, dim=2, scatter=0.4, thickness=0.012, seed=5).labels(FLAT),
        "Gaussian field, 0.35": lambda: gaussian_medium(
            0.35, correlation=lambda r: np.exp(-((r / 0.05) ** 2)), dim=2, seed=6
        ).labels(FLAT),
        "spinodal, random waves": lambda: spinodal(0.5, wavelength=0.1, dim=2, seed=7).labels(FLAT),
        "spinodal, Cahn-Hilliard": lambda: cooled.field,
    }


def solid_pictures() -> dict[str, Callable[[], Image]]:
    """Three-dimensional kinds: title, and what is drawn as a body (positive labels, by colour)."""
    fabric = woven("twill", 0.45, thickness=0.25, width=0.85, section="elliptic")
    return {
        "spheres, 0.50": lambda: packed_spheres(0.5, 60, scatter=0.3, seed=1).labels(SOLID),
        "grains": lambda: 1 + random_grains(60, scatter=0.4, seed=2).grain(SOLID),
        "spinodal, 0.35": lambda: spinodal(0.35, wavelength=0.35, seed=3).labels(SOLID),
        "open foam, 0.10": lambda: foam(12, 0.10, cells="open", seed=4).labels(SOLID),
        "twill": lambda: fabric.labels((SOLID // 3, SOLID, SOLID)),
    }


def coloured(grains: Image) -> Image:
    """Grains in colours that neighbours hardly share."""
    shuffled = np.random.default_rng(0).permutation(int(grains.max()) + 1)
    return np.asarray(shuffled[grains])


def seen_body(labels: Image) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Label of the first voxel that is not zero, and its depth, ``[rows, columns]`` in a parallel view; NaN if none.

    Args:
        labels: ``[nz, ny, nx]``.
    """
    extent = np.array(labels.shape[::-1], dtype=np.float64)
    right = np.cross(VIEW, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    up = np.cross(right, VIEW)
    half = 0.5 * float(np.linalg.norm(extent))
    at = np.linspace(-half, half, PIXELS)
    depth = np.arange(-half, half, 0.5)
    found = np.full((PIXELS, PIXELS), np.nan)
    far = np.full((PIXELS, PIXELS), np.nan)
    for row, height in enumerate(at):
        start = 0.5 * extent + at[:, None] * right + height * up
        voxel = np.floor(start[:, None, :] + depth[:, None] * VIEW / np.linalg.norm(VIEW)).astype(np.int64)
        held = ((voxel >= 0) & (voxel < labels.shape[::-1])).all(axis=-1)
        x, y, z = np.where(held[..., None], voxel, 0).T
        met = np.where(held, labels[z, y, x].T, 0)
        first = (met > 0).argmax(axis=1)
        some = (met > 0).any(axis=1)
        found[row, some] = met[np.arange(PIXELS), first][some]
        far[row, some] = depth[first][some]
    return found, far


def draw_body(axes: Axes, labels: Image, title: str) -> None:
    """Draw the voxels of positive labels in a parallel view, shaded by slope and depth."""
    from matplotlib import colormaps
    from scipy.ndimage import gaussian_filter

    label, far = seen_body(labels)
    share = label / max(int(labels.max()), 1)
    if labels.max() > 2:
        share = np.random.default_rng(1).random(int(labels.max()) + 1)[np.nan_to_num(label).astype(int)]
    smooth = gaussian_filter(np.where(np.isnan(far), np.nanmax(far), far), 1.5)
    rise, run = np.gradient(smooth)
    light = (0.5 + 0.35 * rise - 0.25 * run) / np.sqrt(1.0 + rise**2 + run**2) + 0.3
    picture = colormaps["cividis"](0.2 + 0.75 * np.nan_to_num(share))
    picture[..., :3] *= np.clip(light, 0.15, 1.1)[..., None]
    picture[np.isnan(label)] = 1.0
    axes.imshow(np.clip(picture, 0.0, 1.0), origin="lower")
    axes.set_title(title, fontsize=9)
    axes.set_axis_off()


def draw_flat(axes: Axes, image: Image, title: str) -> None:
    """Draw an image with its title."""
    axes.imshow(image, cmap="cividis", origin="lower", interpolation="nearest")
    axes.set_title(title, fontsize=9)
    axes.set_axis_off()


def gallery(out: Path) -> Path:
    """Draw all kinds into one picture and return its path."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(15, 9.6), layout="constrained")
    places = iter(range(1, 16))
    for title, make in flat_pictures().items():
        draw_flat(figure.add_subplot(3, 5, next(places)), make(), title)
    slice_ = microstructure.read(GLASS).grey[150:300, 200:350]
    draw_flat(figure.add_subplot(3, 5, next(places)), slice_, "glass fibres, measured")
    matched = match_fibres(microstructure.from_array((255 * slice_).astype(np.uint8)), count=250)
    cut = round(150 / matched.size * FLAT)
    tiled = np.tile(matched.structure.labels(FLAT), (2, 2))[:cut, :cut]
    draw_flat(figure.add_subplot(3, 5, next(places)), tiled, "glass fibres, matched")
    for title, body in solid_pictures().items():
        draw_body(figure.add_subplot(3, 5, next(places)), body(), title)
    out.mkdir(parents=True, exist_ok=True)
    path = out / "generated.png"
    figure.savefig(path, dpi=110)
    plt.close(figure)
    return path


def main() -> None:
    """Draw the gallery into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder of the picture")
    print(gallery(parser.parse_args().out))


if __name__ == "__main__":
    main()
