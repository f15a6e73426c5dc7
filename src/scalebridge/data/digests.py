"""SHA-256 of what a dataset holds: the same on every platform, whatever it was read from."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.quantities import Space

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset


def digest(dataset: Dataset) -> str:
    """SHA-256 of variables, columns, deviations, censoring, frames and edges; not of name, source or steps."""
    total = hashlib.sha256()
    described: dict[str, Any] = {
        "rows": len(dataset),
        "space": described_space(dataset.space),
        "index": dataset.index,
        "coordinates": None if dataset.coordinates is None else vars(dataset.coordinates),
        "time": None if dataset.time is None else vars(dataset.time),
        "edges": None if dataset.edges is None else dataset.edges.digest,
    }
    for part in ("columns", "std", "censored"):
        held = getattr(dataset, part)
        described[part] = {name: column_digest(held[name]) for name in sorted(held)}
    total.update(json.dumps(described, sort_keys=True).encode())
    return total.hexdigest()


def described_space(space: Space) -> list[dict[str, Any]]:
    """Variables as plain values; infinite bounds as None."""
    return [
        {
            "name": v.name,
            "unit": v.unit,
            "shape": list(v.shape),
            "bounds": None if v.bounds is None else [None if b is None else float(b) for b in v.bounds],
            "kind": v.kind,
            "description": v.description,
        }
        for v in space
    ]


def column_digest(column: NDArray[Any]) -> str:
    """SHA-256 of one column: kind, shape and content in a fixed byte order, every gap alike."""
    total = hashlib.sha256()
    if column.dtype == object:
        for item in column:
            total.update(_field_digest(item).encode())
    elif column.dtype.kind == "U":
        for text in column.tolist():
            content = text.encode("utf-8", "surrogatepass")
            total.update(len(content).to_bytes(8, "little") + content)
    else:
        _feed(total, column)
    return total.hexdigest()


def _field_digest(item: Any) -> str:
    if item is None:
        return "gap"
    total = hashlib.sha256()
    if isinstance(item, np.ndarray):
        _feed(total, item)
    elif hasattr(item, "mesh"):
        total.update(f"field {item.name} {item.unit} {item.location} {item.time} {item.mesh.digest}".encode())
        _feed(total, item.values)
    elif hasattr(item, "grey"):
        total.update(f"micrograph {item.pixel_size}".encode())
        _feed(total, item.grey)
    else:
        total.update(f"volume {item.voxel_size}".encode())
        _feed(total, np.asarray(item.values))
    return total.hexdigest()


def _feed(total: Any, array: NDArray[Any]) -> None:
    total.update(f"{array.dtype.kind}{array.dtype.itemsize}{array.shape}".encode())
    block = max(1, 2**24 // max(1, array[:1].nbytes))
    for start in range(0, len(array), block):
        part = np.ascontiguousarray(array[start : start + block])
        if part.dtype.kind == "f":
            # One bit pattern for every gap, and one for zero.
            part = np.where(np.isnan(part), np.nan, part + 0.0).astype(array.dtype, copy=False)
        total.update(part.astype(part.dtype.newbyteorder("<"), copy=False).tobytes())
