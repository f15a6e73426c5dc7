"""Synthetic slices of known fibre fraction, and the real glass slice of the main job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

import scalebridge as sb

GLASS = Path(__file__).parents[2] / "data" / "glass-fibre" / "glass0864_cut.png"


@dataclass(frozen=True)
class Slice:
    """A rendered packing of equal discs: grey values and the truth behind them."""

    grey: NDArray[np.float64]
    cover: NDArray[np.float64]
    radius: float

    @property
    def fraction(self) -> float:
        return float(self.cover.mean())


def pack(size: int, fraction: float, radius: float, seed: int) -> NDArray[np.float64]:
    """Push random discs apart in a periodic square."""
    rng = np.random.default_rng(seed)
    centres = rng.random((round(fraction * size**2 / np.pi / radius**2), 2)) * size
    for _ in range(200):
        pairs = cKDTree(centres, boxsize=size).query_pairs(2 * radius + 0.1, output_type="ndarray")
        if len(pairs) == 0:
            break
        gap = centres[pairs[:, 0]] - centres[pairs[:, 1]]
        gap -= size * np.round(gap / size)
        distance = np.hypot(*gap.T) + 1e-9
        push = 0.3 * (2 * radius + 0.1 - distance)[:, None] * gap / distance[:, None]
        np.add.at(centres, pairs[:, 0], push)
        np.add.at(centres, pairs[:, 1], -push)
        centres %= size
    return centres


def render(centres: NDArray[np.float64], size: int, radius: float, fine: int = 4) -> NDArray[np.float64]:
    """Area share of discs in every pixel."""
    grid = (np.arange(size * fine) + 0.5) / fine
    points = np.stack(np.meshgrid(grid, grid, indexing="ij"), axis=-1).reshape(-1, 2)
    distance, _ = cKDTree(centres, boxsize=size).query(points)
    return (distance < radius).reshape(size, fine, size, fine).mean(axis=(1, 3))


@pytest.fixture(scope="session")
def slice_of() -> Callable[..., Slice]:
    """Return a function that renders a slice as a scanner would: blur, correlated noise, eight bits."""
    packings: dict[tuple[int, float, float], NDArray[np.float64]] = {}

    def make(
        fraction: float = 0.5,
        *,
        size: int = 160,
        radius: float = 4.3,
        blur: float = 1.0,
        noise: float = 8 / 255,
        dark: float = 0.43,
        bright: float = 0.67,
        sharpen: float = 0.0,
    ) -> Slice:
        key = (size, fraction, radius)
        if key not in packings:
            packings[key] = render(pack(size, fraction, radius, seed=7), size, radius)
        cover = packings[key]
        shown = gaussian_filter(cover, blur, mode="wrap")
        shown += sharpen * (shown - gaussian_filter(shown, 2.0, mode="wrap"))
        speckle = gaussian_filter(np.random.default_rng(3).standard_normal(cover.shape), 0.7)
        grey = dark + (bright - dark) * shown + noise * speckle / speckle.std()
        return Slice(np.round(np.clip(grey, 0, 1) * 255) / 255, cover, radius)

    return make


@pytest.fixture(scope="session")
def glass() -> sb.microstructure.Micrograph:
    """Return the slice of the main job."""
    return sb.microstructure.read(GLASS)


@pytest.fixture(scope="session")
def glass_phases(glass: sb.microstructure.Micrograph) -> sb.microstructure.Segmentation:
    """Return the segmentation of the slice of the main job."""
    return sb.microstructure.segment(glass)
