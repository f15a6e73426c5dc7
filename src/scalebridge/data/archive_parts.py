"""A dataset as a tree of plain values beside its arrays, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.dataset import Dataset
from scalebridge.data.digests import described_space
from scalebridge.data.frames import Frame, TimeFrame
from scalebridge.data.source import File, Source
from scalebridge.data.steps import Changed, Step
from scalebridge.quantities import Space, Variable

Keep = Callable[[NDArray[Any]], str]
Fetch = Callable[[str], NDArray[Any]]


def described(dataset: Dataset, keep: Keep, history: bool) -> dict[str, Any]:
    """``dataset`` as plain values; ``keep`` stores an array and says under which name."""
    source, time, frame = dataset.source, dataset.time, dataset.coordinates
    return {
        "name": dataset.name,
        "space": described_space(dataset.space),
        "columns": {name: _column(column, keep) for name, column in dataset.columns.items()},
        "index": dataset.index,
        "coordinates": None if frame is None else dict(vars(frame)),
        "time": None if time is None else dict(vars(time)),
        "std": {name: keep(column) for name, column in dataset.std.items()},
        "censored": {name: keep(column) for name, column in dataset.censored.items()},
        "edges": None if dataset.edges is None else described(dataset.edges, keep, history),
        "source": {
            "files": [vars(file) for file in source.files],
            "reader": source.reader,
            "options": dict(source.options),
            "notes": list(source.notes),
            "unstated": list(source.unstated),
        },
        "steps": _steps(dataset, keep, history),
    }


def restored(tree: Mapping[str, Any], fetch: Fetch) -> Dataset:
    """The dataset of a tree that `described` made."""
    variables = [
        Variable(**{**entry, "shape": tuple(entry["shape"]), "bounds": _bounds(entry["bounds"])})
        for entry in tree["space"]
    ]
    # Steps nest: each one's former dataset holds the steps before it.
    steps: list[Step] = []
    for entry in tree["steps"]:
        before = None
        if entry["before"] is not None:
            former = restored({**entry["before"], "steps": []}, fetch)
            before = _with_steps(former, tuple(steps))
        steps.append(_step(entry, before, fetch))
    source = tree["source"]
    return Dataset(
        Space(variables),
        {name: _restored_column(entry, fetch) for name, entry in tree["columns"].items()},
        name=tree["name"],
        index=tree["index"],
        coordinates=None if tree["coordinates"] is None else Frame(**_tuples(tree["coordinates"])),
        time=None if tree["time"] is None else TimeFrame(**tree["time"]),
        std={name: fetch(key) for name, key in tree["std"].items()},
        censored={name: fetch(key) for name, key in tree["censored"].items()},
        edges=None if tree["edges"] is None else restored(tree["edges"], fetch),
        source=Source(
            tuple(File(**file) for file in source["files"]),
            source["reader"],
            source["options"],
            tuple(source["notes"]),
            tuple(source["unstated"]),
        ),
        steps=tuple(steps),
    )


def _steps(dataset: Dataset, keep: Keep, history: bool) -> list[dict[str, Any]]:
    return [
        {
            "name": step.name,
            "options": dict(step.options),
            "sentence": step.sentence,
            "changed": {
                name: {"rows": keep(part.rows), "former": _column(part.former, keep)}
                for name, part in (step.changed.items() if history else ())
            },
            "before": _former(step.before, keep) if history and step.before is not None else None,
        }
        for step in dataset.steps
    ]


def _former(dataset: Dataset, keep: Keep) -> dict[str, Any]:
    # Its steps are those that stand before this one in the list: they are not written again.
    return described(_with_steps(dataset, ()), keep, history=False)


def _step(entry: Mapping[str, Any], before: Dataset | None, fetch: Fetch) -> Step:
    changed = {
        name: Changed(fetch(part["rows"]), _restored_column(part["former"], fetch))
        for name, part in entry["changed"].items()
    }
    return Step(entry["name"], entry["options"], entry["sentence"], changed, before)


def _with_steps(dataset: Dataset, steps: tuple[Step, ...]) -> Dataset:
    from dataclasses import replace

    return replace(dataset, steps=steps)


def _column(column: NDArray[Any], keep: Keep) -> Any:
    if column.dtype == object:
        return {"fields": [_item(item, keep) for item in column]}
    return keep(column)


def _item(item: Any, keep: Keep) -> Any:
    if item is None:
        return None
    if isinstance(item, np.ndarray):
        return {"array": keep(item)}
    if hasattr(item, "mesh"):
        from scalebridge.data.fields.archiving import described as described_field

        return described_field(item, keep)
    if hasattr(item, "grey"):
        told = {"name": item.name, "sha256": item.sha256, "dtype": item.dtype, "pixel_size": item.pixel_size}
        return {"micrograph": keep(item.grey), **told}
    size = None if item.voxel_size is None else list(item.voxel_size)
    return {"volume": keep(np.asarray(item.values)), "voxel_size": size, "source": item.source}


def _restored_column(entry: Any, fetch: Fetch) -> NDArray[Any]:
    if isinstance(entry, str):
        return fetch(entry)
    column = np.empty(len(entry["fields"]), dtype=object)
    meshes: dict[str, Any] = {}
    for row, item in enumerate(entry["fields"]):
        column[row] = _restored_item(item, fetch, meshes)
    return column


def _restored_item(item: Any, fetch: Fetch, meshes: dict[str, Any]) -> Any:
    if item is None:
        return None
    if "mesh" in item:
        from scalebridge.data.fields.archiving import restored as restored_field

        return restored_field(item, fetch, meshes)
    if "array" in item:
        return fetch(item["array"])
    if "micrograph" in item:
        from scalebridge.microstructure.micrograph import Micrograph

        return Micrograph(fetch(item["micrograph"]), item["name"], item["sha256"], item["dtype"], item["pixel_size"])
    from scalebridge.microstructure.volume import Volume

    size = None if item["voxel_size"] is None else tuple(item["voxel_size"])
    return Volume(fetch(item["volume"]), size, item["source"])


def _bounds(bounds: Any) -> tuple[float | None, float | None] | None:
    return None if bounds is None else (bounds[0], bounds[1])


def _tuples(frame: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **frame,
        "columns": tuple(frame["columns"]),
        "origin": tuple(frame["origin"]),
        "axes": tuple(tuple(row) for row in frame["axes"]),
    }
