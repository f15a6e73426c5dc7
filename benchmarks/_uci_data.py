"""The sets of `benchmarks.uci`, the twenty published splits, and the published figures; NumPy alone."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parents[1] / "data" / "uci-regression"
COUNT = 20


def read(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Inputs ``[n, d]`` and the output ``[n, 1]`` of a set."""
    table = np.loadtxt(DATA / f"{name}.txt")
    told = known(name)
    return table[:, told["features"]], table[:, [told["target"]]]


def splits(name: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows to learn from and to test on: permutations in turn by seed 1 of NumPy's old generator, as published."""
    n = len(np.loadtxt(DATA / f"{name}.txt"))
    old, digest, made = np.random.RandomState(1), hashlib.sha256(), []
    for _ in range(COUNT):
        rows = old.choice(range(n), n, replace=False)
        digest.update(rows.astype("<i8").tobytes())
        made.append((rows[: round(0.9 * n)], rows[round(0.9 * n) :]))
    if digest.hexdigest() != known(name)["splits_sha256"]:
        raise RuntimeError(f"This NumPy draws other splits of '{name}' than those published.")
    return made


def known(name: str) -> dict[str, Any]:
    """Columns, digest of the published splits, and MC dropout's results by split."""
    told: dict[str, Any] = json.loads((DATA / "published.json").read_text())[name]
    return told
