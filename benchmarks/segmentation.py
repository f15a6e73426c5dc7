"""Segmentation against masks drawn by people: a superalloy and an environmental barrier coating.

``python -m benchmarks.segmentation --json FILE [--seed N] [--data DIR] [--only PART] [--out DIR]``. ``DIR``, by default
the folder named by the environment variable ``SCALEBRIDGE_EXTRA_DATA``, holds ``superalloy-ebc-nasa``. Parts are
``super1`` (Dice of a pixel forest and a U-Net trained on its training images) and ``ebc`` (Dice of the oxide; cracks by
precision and recall, within some pixels and by object, never by accuracy: they are 0.3 % of the pixels). Without
training images of the coating each is judged by what the others teach. Overlays of prediction and mask go to ``--out``.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path("superalloy-ebc-nasa")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, default=os.environ.get("SCALEBRIDGE_EXTRA_DATA"))
    parser.add_argument("--only", choices=["super1", "ebc"], action="append")
    parser.add_argument("--epochs", type=int, default=20, help="passes of the U-Net on the superalloy")
    parser.add_argument("--out", type=Path, default=Path("out") / "segmentation")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    figures: dict[str, Any] = {"benchmark": "segmentation", "seed": options.seed}
    if options.data is None or not (options.data / FOLDER).exists():
        figures["skipped"] = "no data folder: give --data or set SCALEBRIDGE_EXTRA_DATA"
        print(f"segmentation skipped: {figures['skipped']}.", flush=True)
    else:
        figures |= _parts(options.data / FOLDER, options)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(figures, indent=1))


def _parts(data: Path, options: argparse.Namespace) -> dict[str, Any]:
    import torch

    from benchmarks import _coating, _superalloy

    torch.set_num_threads(1)
    parts: dict[str, Callable[[], Any]] = {
        "ebc": lambda: _coating.part(data, options.out, options.seed),
        "super1": lambda: _superalloy.part(data, options.out, options.seed, options.epochs),
    }
    return {name: parts[name]() for name in options.only or parts}


if __name__ == "__main__":
    main()
