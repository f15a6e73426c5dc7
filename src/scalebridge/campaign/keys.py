"""Content-addressed keys: what a result depends on, as digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import numpy as np

from scalebridge.quantities import Floats


def model_key(identity: Mapping[str, str]) -> str:
    """Digest of a model's identity (qualified name, version, source, settings), 64 hexadecimal digits."""
    return hashlib.sha256(canonical(identity).encode()).hexdigest()


def canonical(identity: Mapping[str, str]) -> str:
    """The identity as text that does not depend on the order of its entries."""
    return json.dumps({str(k): str(v) for k, v in identity.items()}, sort_keys=True)


def run_keys(model: str, x: Floats, replicate: int) -> list[str]:
    """Keys of the runs at ``x [b, d]``: digests of model key, the float64 bytes of the row and the replicate.

    ``-0.0`` and ``0.0`` are the same input.
    """
    # Adding a positive zero turns -0.0 into 0.0 and changes nothing else.
    rows = np.ascontiguousarray(x, dtype="<f8") + 0.0
    head = hashlib.sha256(f"{model}/{replicate}/".encode())
    keys = []
    for row in rows:
        digest = head.copy()
        digest.update(row.tobytes())
        keys.append(digest.hexdigest())
    return keys


def seed_of(key: str, seed: int = 0) -> int:
    """Seed of a stochastic run, derived from its key; the same key has the same seed on every machine."""
    return int(hashlib.sha256(f"seed/{seed}/{key}".encode()).hexdigest()[:8], 16)
