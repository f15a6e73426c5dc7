"""The homogenisation kernel on real input: Berea sandstone, fibre slices, and printed short-fibre PEEK.

``python -m benchmarks.real_media --json FILE [--seed N] [--data DIR] [--only PART]``. ``DIR``, by default the
folder named by the environment variable ``SCALEBRIDGE_EXTRA_DATA``, holds ``pore-networks-icl``,
``fibre-ct-insegt`` and ``cf-peek-creep-multiscale``; a part without its data is skipped with a reason. Parts are
``berea``, ``slices`` and ``peek``.
Cases run one at a time in processes of their own with one thread, so that memory and time are theirs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import _berea, _fibre_slices, _short_fibre_peek
from benchmarks._cost import costed
from benchmarks.permeability import FILE

NEEDED = {"berea": FILE, "slices": _fibre_slices.FOLDER, "peek": _short_fibre_peek.FOLDER}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, default=os.environ.get("SCALEBRIDGE_EXTRA_DATA"))
    parser.add_argument("--only", choices=sorted(NEEDED), action="append")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    data: Path = options.data or Path()
    parts: dict[str, Callable[[], Any]] = {
        "berea": lambda: _berea.part(data, options.seed),
        "slices": lambda: _fibre_slices.part(data, options.seed, 36),
        "peek": lambda: _short_fibre_peek.part(data, options.seed, 64, 5),
    }
    figures: dict[str, Any] = {"benchmark": "real_media", "seed": options.seed, "machine": platform.processor() or "?"}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    for name in options.only or parts:
        figures[name] = _attempt(name, parts[name], options.data)
        options.json.write_text(json.dumps(figures, indent=1))


def _attempt(name: str, run: Callable[[], Any], data: Path | None) -> dict[str, Any]:
    if data is None:
        reason = "no data folder: give --data or set SCALEBRIDGE_EXTRA_DATA"
    elif not (data / NEEDED[name]).exists():
        reason = f"{data} holds no {NEEDED[name]}"
    else:
        answer, cost = costed(run)
        return {"skipped": None, "figures": answer, "wall_s": cost["wall_s"]}
    print(f"{name} skipped: {reason}.", flush=True)
    return {"skipped": reason}


if __name__ == "__main__":
    main()
