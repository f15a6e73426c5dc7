"""What the benchmarks of coverage share: their options, and the file they write."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def write_coverage(description: str | None, coverage: Callable[[int, int], list[dict[str, Any]]], repeats: int) -> None:
    """Write what ``coverage(repeats, seed)`` finds to the file asked for; ``repeats`` is how many by default."""
    words = argparse.ArgumentParser(description=description)
    words.add_argument("--json", type=Path, required=True)
    words.add_argument("--seed", type=int, default=0)
    words.add_argument("--repeats", type=int, default=repeats)
    asked = words.parse_args()
    began = time.perf_counter()
    found: dict[str, Any] = {"seed": asked.seed, "coverage": coverage(asked.repeats, asked.seed)}
    found["seconds"] = round(time.perf_counter() - began, 1)
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
