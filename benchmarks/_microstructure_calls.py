"""The same descriptors by ours and by scikit-image's (or SciPy's) plain calls, each on a mask or grey image.

``python -m benchmarks._microstructure_calls CALL FILE.npy`` prints one line of JSON: seconds, peak memory above what
the image and a first call on a small part took (which imports what is needed), and values.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import scalebridge as sb
from benchmarks._cost import costed
from scalebridge.microstructure import correlation
from scalebridge.microstructure.descriptors import distances
from scalebridge.microstructure.descriptors.runs import runs

ms = sb.microstructure
Image = NDArray[Any]


def surface(mask: Image) -> list[float]:
    """Perimeter or surface of the objects in the image, in pixel edges or faces."""
    padded = np.pad(mask, 1)
    return [ms.minkowski(padded).surface * float(np.prod([n - 1 for n in padded.shape]))]


def surface_skimage(mask: Image) -> list[float]:
    from skimage.measure import marching_cubes, mesh_surface_area, perimeter_crofton

    if mask.ndim == 2:
        return [float(perimeter_crofton(mask, directions=4))]
    vertices, faces, _, _ = marching_cubes(np.pad(mask, 1).astype(np.float32), 0.5)
    return [float(mesh_surface_area(vertices, faces))]


def euler(mask: Image) -> list[float]:
    return [float(ms.euler_number(mask, by_corners=True))]


def euler_skimage(mask: Image) -> list[float]:
    from skimage.measure import euler_number

    return [float(euler_number(mask, connectivity=mask.ndim))]


def distance(mask: Image) -> list[float]:
    found = distances(mask)
    return [float(found.mean(dtype=np.float64)), float(found.max())]


def distance_scipy(mask: Image) -> list[float]:
    from scipy.ndimage import distance_transform_edt

    found = distance_transform_edt(mask)
    return [float(found.mean()), float(found.max())]


def regions(mask: Image) -> list[float]:
    found = ms.regions(mask)
    return [float(len(found)), float(found.axes[:, 0].mean()), float(found.axes[:, -1].mean())]


def regions_skimage(mask: Image) -> list[float]:
    from skimage.measure import label, regionprops_table

    labels = label(mask, connectivity=mask.ndim)
    names = ("area", "centroid", "inertia_tensor_eigvals")
    table = regionprops_table(labels, properties=names)
    return [float(len(table["area"])), *_axes(table, mask.ndim)]


def _axes(table: dict[str, Image], dim: int) -> tuple[float, float]:
    """Mean longest and shortest full axis, from the eigenvalues of the inertia tensor as scikit-image has them."""
    values = np.stack([table[f"inertia_tensor_eigvals-{k}"] for k in range(dim)], axis=-1)
    second = (values.sum(axis=1, keepdims=True) / (dim - 1)) - values + 1 / 12
    axes = 2 * np.sqrt((4.0 if dim == 2 else 5.0) * np.sort(second, axis=1))
    return float(axes[:, -1].mean()), float(axes[:, 0].mean())


def orientation(grey: Image) -> list[float]:
    """Directions, coherence and energy by the structure tensor."""
    field = ms.structure_tensor(grey, rho=3.0, step=1)
    return [float(field.energy.mean()), float(field.coherence.mean())]


def orientation_skimage(grey: Image) -> list[float]:
    """Structure tensor and its eigenvalues, which it gives without directions; derivatives are other ones (Sobel)."""
    from skimage.feature import structure_tensor, structure_tensor_eigenvalues

    values = structure_tensor_eigenvalues(structure_tensor(grey, sigma=3.0))
    coherence = (values[-2] - values[-1]) / np.maximum(values[-2] + values[-1], 1e-30)
    return [float(values.sum(axis=0).mean()), float(coherence.mean())]


def two_point(mask: Image) -> list[float]:
    """S2 in PoreSpy's bins: lags of k to k + 1 pixels without weights."""
    reach = min(mask.shape) // 2
    products, pairs = correlation.pair_sums(mask, None, reach)
    bins = correlation.lag_lengths(mask.ndim, reach).astype(np.int64)
    near = bins < reach
    value = (products / pairs)[near]
    return [float(x) for x in np.bincount(bins[near], value) / np.bincount(bins[near])]


def chords(mask: Image) -> list[int]:
    """Numbers of the chords that end inside, by length, along the last axis of every other line inside."""
    lines = mask[(slice(2, -2, 2),) * (mask.ndim - 1)]
    found = runs(lines, None, mask.ndim - 1).complete
    return [int(n) for n in found[: int(np.flatnonzero(found).max(initial=0)) + 1]]


def local_thickness(mask: Image) -> list[int]:
    """Pixels by the radius of the largest ball of a whole radius that holds them."""
    largest = int(distances(mask).max())
    found = ms.local_thickness(mask, radii=range(1, largest + 1))
    return [int(n) for n in np.bincount((found / 2).astype(np.int64).ravel())]


def describe(mask: Image) -> list[float]:
    return [float(len(ms.describe(mask)))]


def describe_grey(grey: Image) -> list[float]:
    image = ms.from_array(grey) if grey.ndim == 2 else ms.as_volume(grey)
    return [float(len(ms.describe(image)))]


def segmentation_alone(grey: Image) -> list[float]:
    return [float(ms.segment(ms.from_array(grey), 3).fraction[-1])]


CALLS: dict[str, Callable[[Image], list[Any]]] = {
    name: call for name, call in globals().items() if callable(call) and getattr(call, "__module__", "") == __name__
}


def main() -> None:
    call, image = CALLS[sys.argv[1]], np.load(sys.argv[2])
    call(np.ascontiguousarray(image[(slice(0, 40),) * image.ndim]))
    value, cost = costed(call, image)
    print(json.dumps({**cost, "value": value}))


if __name__ == "__main__":
    main()
