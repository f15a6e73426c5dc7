"""Descriptors of a 1000 x 1000 image and a 256 cube: seconds and peak memory, beside other libraries' plain calls.

``python -m benchmarks.microstructure --json FILE [--seed N] [--side 1000] [--cube 256] [--no-porespy]``. PoreSpy is
installed into an environment of its own; where that fails, the reason stands in the file. Each call runs in a process
of its own on one thread, after a call on a small part that imports and compiles what it needs. Where both compute the
same thing the values are compared. PoreSpy's two-point function pads the image to twice its size, so it is given (as
ours is) a part of half the cube's side.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from benchmarks._peers import python_with, run

PORESPY = "porespy==3.2.0"
ENVIRONMENT = Path("out/porespy")
SCRIPT = Path(__file__).with_name("_porespy_calls.py")
CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"

PAIRS = {
    "surface": "surface_skimage",
    "euler": "euler_skimage",
    "distance": "distance_scipy",
    "regions": "regions_skimage",
    "orientation": "orientation_skimage",
}
"""Ours, and scikit-image's or SciPy's plain calls for the same."""

SHARED = ("chords", "local_thickness", "two_point")
"""What PoreSpy computes too."""

GREY = ("orientation", "describe_grey", "segmentation_alone")

AGREE = {"surface": 0.1, "euler": 0.0, "distance": 1e-5, "regions": 1e-9, "chords": 0.0, "two_point": 1e-3}
"""Largest relative difference of values that compute the same thing; `local_thickness` to a share of the pixels."""


def images(shape: tuple[int, ...], seed: int) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """A level cut of a smooth random field, and a noisy, blurred picture of it."""
    rng = np.random.default_rng(seed)
    width = 4.0
    field = gaussian_filter(rng.standard_normal(shape, dtype=np.float32), width, mode="wrap")
    mask = field > 0.1 * field.std()
    grey = (
        0.3 + 0.4 * gaussian_filter(mask.astype(np.float32), 0.8) + 0.03 * rng.standard_normal(shape, dtype=np.float32)
    )
    return mask, np.clip(grey, 0, 1)


def ours_or_plain(name: str, path: Path) -> dict[str, Any]:
    return _answer(*run(Path(sys.executable), Path("-m"), "benchmarks._microstructure_calls", name, path))


def by_porespy(python: Path | None, reason: str, name: str, path: Path) -> dict[str, Any]:
    if python is None:
        return {"skipped": reason}
    return _answer(*run(python, SCRIPT, name, path))


def _answer(said: str, failed: str) -> dict[str, Any]:
    found: dict[str, Any] = {"skipped": failed} if failed else json.loads(said.splitlines()[-1])
    return found


def difference(name: str, one: list[float], other: list[float]) -> float:
    """Largest difference of the values, relative to the largest; for counts by size, the share that differs."""
    n = max(len(one), len(other))
    a, b = (np.pad(np.asarray(x, dtype=float), (0, n - len(x))) for x in (one, other))
    if name == "local_thickness":
        return float(np.abs(a - b).sum() / 2 / a.sum())
    return float(np.abs(a - b).max() / np.abs(b).max())


def compared(name: str, ours: dict[str, Any], other: dict[str, Any], by: str) -> dict[str, Any]:
    row: dict[str, Any] = {"descriptor": name, "ours": ours, "peer": by, "theirs": other}
    if "value" in other and "value" in ours and name != "orientation":
        row["difference"] = difference(name, ours["value"], other["value"])
        row["agree"] = row["difference"] <= AGREE.get(name, 0.01)
    for each in (ours, other):
        each["value"] = each.get("value", [])[:5]
    return row


def told(row: dict[str, Any]) -> str:
    def cost(each: dict[str, Any]) -> str:
        return (
            f"skipped ({each['skipped']})" if "skipped" in each else f"{each['cpu_s']:.2f} s, {each['peak_MB']:.0f} MB"
        )

    line = f"  {row['descriptor']:<18} ours {cost(row['ours']):<18}"
    if "theirs" in row:
        line += f" {row['peer']} {cost(row['theirs'])}"
    return line + (f"; values differ by {row['difference']:.1e}" if "difference" in row else "")


def measured(shape: tuple[int, ...], seed: int, folder: Path, python: Path | None, reason: str) -> list[dict[str, Any]]:
    """All rows of one image, told as they come."""
    mask, grey = images(shape, seed)
    side = min(shape) if len(shape) == 2 else min(shape) // 2
    part = np.ascontiguousarray(mask[(slice(0, side),) * len(shape)])
    paths = {name: folder / f"{name}.npy" for name in ("mask", "grey", "part")}
    for name, values in (("mask", mask), ("grey", grey), ("part", part)):
        np.save(paths[name], values)
    rows = []
    for row in _rows(paths, python, reason, len(shape)):
        print(told(row), flush=True)
        rows.append(row)
    return rows


def _rows(paths: dict[str, Path], python: Path | None, reason: str, dim: int) -> Iterator[dict[str, Any]]:
    for name, plain in PAIRS.items():
        path = paths["grey" if name in GREY else "mask"]
        by = "scipy" if plain.endswith("scipy") else "scikit-image"
        yield compared(name, ours_or_plain(name, path), ours_or_plain(plain, path), by)
    for name in SHARED:
        path = paths["part" if name == "two_point" else "mask"]
        yield compared(name, ours_or_plain(name, path), by_porespy(python, reason, name, path), "PoreSpy")
    for name in ("describe", "describe_grey", *(("segmentation_alone",) if dim == 2 else ())):
        path = paths["grey" if name in GREY else "mask"]
        yield {"descriptor": name, "ours": ours_or_plain(name, path)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--side", type=int, default=1000)
    parser.add_argument("--cube", type=int, default=256)
    parser.add_argument("--no-porespy", action="store_true")
    options = parser.parse_args()
    python, reason = (None, "not asked for") if options.no_porespy else python_with([PORESPY], ENVIRONMENT, CONSTRAINTS)
    figures: dict[str, Any] = {"benchmark": "microstructure", "seed": options.seed, "porespy": reason or PORESPY}
    with tempfile.TemporaryDirectory() as folder:
        for name, shape in (("image", (options.side,) * 2), ("volume", (options.cube,) * 3)):
            print(f"{name} of {' x '.join(map(str, shape))}:")
            rows = measured(shape, options.seed, Path(folder), python, reason)
            figures[name] = {"shape": shape, "rows": rows}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
