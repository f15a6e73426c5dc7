"""Damaged copies of files, and what a reader owes them: a result, or one sentence."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.errors import InputError

# 2000 of each kind are tried by hand before a release.
N_MUTATIONS = int(os.environ.get("SCALEBRIDGE_MUTATIONS", "60"))


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """One damage of many kinds, at a random place."""
    data = bytearray(content)
    kind = int(rng.integers(9))
    at = int(rng.integers(len(data)))
    length = int(rng.integers(1, 200))
    if kind == 0:
        return bytes(data[:at])
    if kind == 1:
        for k in rng.integers(0, len(data), size=int(rng.integers(1, 30))):
            data[k] = int(rng.integers(256))
    elif kind == 2:
        del data[at : at + length]
    elif kind == 3:
        data[at:at] = data[at : at + length]
    elif kind == 4:
        data[at : at + length] = bytes(length)
    elif kind == 5:
        data[at : at + 4] = int(rng.choice([2**31 - 1, -1, -(2**31), 10**9, 0, 7])).to_bytes(4, "little", signed=True)
    elif kind == 6:
        words = [
            b"9999999999",
            b"-5",
            b"nan",
            b"inf",
            b"1e999",
            b"\xff\xfe",
            b"(999i9)",
            b"\n",
            b"%",
            b"@",
            b"\x00" * 9,
        ]
        data[at:at] = words[int(rng.integers(len(words)))]
    elif kind == 7:
        digits = [k for k, b in enumerate(data[:20000]) if 48 <= b <= 57] or [0]
        for k in rng.choice(digits, size=3):
            data[k] = int(rng.choice(list(b"0123456789")))
    else:
        lines = bytes(data).split(b"\n")
        k = int(rng.integers(len(lines)))
        return (
            b"\n".join(lines[:k] + lines[k + 1 :]) if rng.random() < 0.5 else b"\n".join([*lines[:k], *lines[k - 1 :]])
        )
    return bytes(data)


def check_reader(read: Callable[[Path], Any], content: bytes, path: Path, share: float = 1.0) -> int:
    """Read many damaged copies; each gives a result or one sentence. Returns how many were refused."""
    rng, refused = np.random.default_rng(0), 0
    for _ in range(max(int(share * N_MUTATIONS), 1)):
        path.write_bytes(damaged(content, rng))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                read(path)
            except InputError as error:
                refused += 1
                assert "\n" not in str(error) and len(str(error)) < 1000, str(error)
    return refused
