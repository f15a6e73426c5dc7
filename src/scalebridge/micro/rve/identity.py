"""What makes one RVE differ from another, as digests and texts."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.models.function import source_digest


def digest_of(*arrays: NDArray[Any]) -> str:
    """Return a digest of the contents of arrays."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:16]


def material_identity(law: Any) -> str:
    """Return a law's type and constants; with a digest of its source where it is a user's own."""
    kind = type(law)
    constants = ", ".join(f"{p.name}={p.value!r} {p.unit}" for p in getattr(law, "parameters", ()))
    function = getattr(law, "function", None)
    # Our own laws change with the version of the RVE; a user's law with its source.
    own = kind.__module__.startswith("scalebridge.")
    source = f" {source_digest(function)}" if function is not None else "" if own else f" {source_digest(kind)}"
    return f"{kind.__module__}.{kind.__qualname__}({constants}){source}"
