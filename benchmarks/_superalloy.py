"""Precipitates of a superalloy: trained on ten masks, judged on the validation masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks import _overlay
from benchmarks._cost import costed
from scalebridge import microstructure
from scalebridge.microstructure.learned.agreement import Agreement, stack, table
from scalebridge.microstructure.learned.pixel_classifier import PixelClassifier
from scalebridge.microstructure.learned.unet_classifier import UNetClassifier
from scalebridge.microstructure.masks import LabelMask, read_mask
from scalebridge.microstructure.micrograph import Micrograph

CLASSES: Any = {"matrix": "rest", "large": (0, 0, 255), "small": (255, 0, 0)}


def pairs(folder: Path, part: str) -> tuple[list[Micrograph], list[LabelMask]]:
    """Images of a part with their masks."""
    paths = sorted((folder / part).glob("*.png"))
    images = [microstructure.read(path) for path in paths]
    masks = [
        read_mask(folder / f"{part}_annot" / f"{path.stem}_mask.png", CLASSES, image=image)
        for path, image in zip(paths, images, strict=True)
    ]
    return images, masks


def figures_of(agreement: Agreement) -> dict[str, Any]:
    """Dice pooled and by image, precision and recall, by class."""
    rows = zip(agreement.classes, agreement.dice, agreement.precision, agreement.recall, strict=True)
    told = {name: {"dice": d, "precision": p, "recall": r} for name, d, p, r in rows}
    for number, name in enumerate(agreement.classes):
        told[name]["dice_by_image"] = agreement.dice_by_group[:, number].tolist()
    return told


def part(data: Path, out: Path, seed: int, epochs: int) -> dict[str, Any]:
    """Both models, with their cost and the fractions of the validation images."""
    training, judged = pairs(data / "Super1", "train"), pairs(data / "Super1", "val")
    models: dict[str, PixelClassifier | UNetClassifier] = {
        "forest": PixelClassifier(trees=40, pixels=4000, seed=seed),
        "unet": UNetClassifier(epochs=epochs, patches=56, seed=seed),
    }
    answers: dict[str, Any] = {"training_images": len(training[0]), "validation_images": len(judged[0])}
    for name, model in models.items():
        trained, cost = costed(model.fit, *training)
        maps = [trained.segment(image) for image in judged[0]]
        tables = [table(mask.labels, found.labels, len(CLASSES)) for mask, found in zip(judged[1], maps, strict=True)]
        agreement = stack(tables, trained.classes)
        answers[name] = {
            "validation": figures_of(agreement),
            "held_out_of_training": trained.agreement and figures_of(trained.agreement),
            "training_cost": cost,
            "large_fraction": [
                {
                    "true": float(mask.fraction[1]),
                    "found": float(found.fraction[1]),
                    "std": float(found.fraction_std[1]),
                }
                for mask, found in zip(judged[1], maps, strict=True)
            ],
        }
        for image, mask, found in zip(*judged, maps, strict=True):
            stem = Path(image.name).stem
            _overlay.save(image.grey, found.of("large"), mask.of("large"), out / f"super1_{name}_{stem}.png")
        print(f"Super1 {name}: {agreement.describe()}; training {cost['cpu_s']:.0f} s of processor time", flush=True)
    return answers
