"""Oxide and cracks of an environmental barrier coating: without training, and trained on the other images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import _overlay, _tolerant
from benchmarks._cost import costed
from scalebridge import microstructure
from scalebridge.microstructure.cracks import find_cracks
from scalebridge.microstructure.layers import find_layers
from scalebridge.microstructure.learned.pixel_classifier import PixelClassifier
from scalebridge.microstructure.learned.unet_classifier import UNetClassifier
from scalebridge.microstructure.masks import LabelMask, read_mask
from scalebridge.microstructure.micrograph import Micrograph

Mask = NDArray[np.bool_]
Pair = tuple[Micrograph, LabelMask]

CLASSES = {"background": 0, "oxide": 1, "crack": 2}
TOLERANCE = 5.0
ENOUGH = 5


def pairs(folder: Path, part: str) -> list[Pair]:
    """Images of a part with their masks; none where the part is absent."""
    found = []
    for path in sorted((folder / part).glob("*.png")):
        image = microstructure.read(path)
        found.append((image, read_mask(folder / f"{part}_annot" / path.name, CLASSES, image=image)))
    return found


def splits(data: Path) -> Iterator[tuple[list[Pair], list[Pair]]]:
    """Training and judged images: the parts of that name, or each validation image with the others as training."""
    training, judged = pairs(data / "EBC1", "train"), pairs(data / "EBC1", "val")
    if training:
        yield training, judged
        return
    for k, each in enumerate(judged):
        yield judged[:k] + judged[k + 1 :], [each]


def part(data: Path, out: Path, seed: int) -> dict[str, Any]:
    """Every method on every judged image, and the one that did best on the training images."""
    rows = [row for training, judged in splits(data) for row in _split(training, judged, out, seed)]
    methods = sorted({name for row in rows for name in row["oxide_dice"]})
    pooled = {
        name: _pooled(np.array([row["oxide_counts"][name] for row in rows if name in row["oxide_counts"]]))
        for name in [*methods, "chosen"]
    }
    for name, value in pooled.items():
        each = ", ".join(f"{row['oxide_dice'][name]:.3f}" for row in rows if name in row["oxide_dice"])
        print(f"EBC oxide by {name}: Dice {value:.3f} pooled ({each})", flush=True)
    for name in rows[0]["cracks"]:
        told = [f"{key} {_mean([row['cracks'][name][key] for row in rows])}" for key in rows[0]["cracks"][name]]
        print(f"EBC cracks by {name}: {', '.join(told)}", flush=True)
    return {"images": rows, "oxide_dice_pooled": pooled, "crack_tolerance_px": TOLERANCE}


def _split(training: list[Pair], judged: list[Pair], out: Path, seed: int) -> list[dict[str, Any]]:
    images, masks = [pair[0] for pair in training], [pair[1] for pair in training]
    forest = PixelClassifier(scales=(2.0, 4.0, 8.0, 16.0), trees=30, pixels=6000, folds=3, seed=seed)
    trained, cost = costed(forest.fit, images, masks)
    merit = {
        "layers": float(np.mean([_dice(*_counts(find_layers(i).labels == 1, m.of("oxide"))) for i, m in training])),
        "forest": float(trained.agreement.dice[1]),
    }
    costs, network = {"forest": cost}, None
    if len(training) >= ENOUGH:
        settings = UNetClassifier(shrink=4, turns="mirror", patch=96, epochs=30, patches=48, seed=seed)
        network, network_cost = costed(settings.fit, images, masks)
        merit["unet"] = float(network.agreement.dice[1])
        costs["unet"] = network_cost
    best = max(merit, key=lambda name: merit[name])
    return [
        _judged(image, mask, trained, network, best, out) | {"merit": merit, "cost": costs} for image, mask in judged
    ]


def _judged(image: Micrograph, mask: LabelMask, forest: Any, network: Any, best: str, out: Path) -> dict[str, Any]:
    band = find_layers(image).labels == 1
    told = forest.segment(image)
    oxide = {"layers": band, "forest": told.of("oxide")}
    if network is not None:
        oxide["unet"] = network.segment(image).of("oxide")
    oxide["chosen"] = oxide[best]
    truth = mask.of("crack")
    likely = told.probability[told.classes.index("crack")]
    cracks = {
        "lines": find_cracks(image, band).mask,
        "forest": (likely > 0.5) & band,
        "forest_0.2": (likely > 0.2) & band,
    }
    stem = Path(image.name).stem
    _overlay.save(image.grey, oxide["chosen"], mask.of("oxide"), out / f"ebc_oxide_{stem}.png")
    for name in ("lines", "forest_0.2"):
        _overlay.save(image.grey, cracks[name], truth, out / f"ebc_cracks_{name}_{stem}.png")
    counts = {name: _counts(found, mask.of("oxide")) for name, found in oxide.items()}
    return {
        "image": Path(image.name).name, "chosen": best, "oxide_counts": counts,
        "oxide_dice": {name: _dice(*each) for name, each in counts.items()},
        "cracks": {name: _thin(found, truth) for name, found in cracks.items()},
        "crack_share": float(truth.mean()),
    }  # fmt: skip


def _mean(values: list[float | None]) -> str:
    there = [value for value in values if value is not None]
    return f"{np.mean(there):.2f}" if there else "none found"


def _thin(found: Mask, truth: Mask) -> dict[str, float | None]:
    by_pixel, by_object = (
        _tolerant.pixelwise(found, truth, TOLERANCE),
        _tolerant.objectwise(found, truth, TOLERANCE),
    )
    return {
        "precision": by_pixel[0], "recall": by_pixel[1],
        "object_precision": by_object[0], "object_recall": by_object[1],
    }  # fmt: skip


def _counts(found: Mask, truth: Mask) -> tuple[int, int, int]:
    return int((found & truth).sum()), int(found.sum()), int(truth.sum())


def _dice(both: float, found: float, truth: float) -> float:
    return 2 * both / max(found + truth, 1)


def _pooled(counts: NDArray[np.float64]) -> float:
    return _dice(*(float(value) for value in counts.sum(axis=0)))
