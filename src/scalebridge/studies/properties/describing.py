"""Descriptors of many images: each image once, kept by its digest, so that a second call goes on where one ended."""

from __future__ import annotations

import hashlib
import json
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import scalebridge
from scalebridge.errors import InfrastructureError, InputError
from scalebridge.studies.properties.features import Column

POOLED = 12
"""Images from which a second process pays."""

Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Described:
    """What is known of one image.

    Args:
        sha256: of the file.
        values: descriptors by name.
        columns: what they are.
        notes: warnings of reading and segmenting.
    """

    sha256: str
    values: Mapping[str, float]
    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()


def described(
    paths: Sequence[Path],
    pixel_size: str | None = None,
    kept: Path | None = None,
    workers: int = 1,
    told: Told = lambda _done, _all: None,
) -> dict[Path, Described]:
    """Describe every image.

    Args:
        paths: of the images.
        pixel_size: edge of a pixel of all of them, as ``"1.1 um"``; ``None`` when unknown.
        kept: folder where descriptors are kept from call to call; ``None`` for no such.
        workers: processes, where there are images enough; more than one only from a script with a main guard.
        told: called with the images done and all.

    Raises:
        InputError: an image that cannot be trusted.
        InfrastructureError: the folder cannot be written.
    """
    found: dict[Path, Described] = {}
    missing = []
    for path in paths:
        known = None if kept is None else _recall(_place(kept, path, pixel_size))
        if known is None:
            missing.append(path)
        else:
            found[path] = known
    told(len(found), len(paths))
    for path, one in _computed(missing, pixel_size, workers):
        found[path] = one
        if kept is not None:
            _keep(_place(kept, path, pixel_size), one)
        told(len(found), len(paths))
    return {path: found[path] for path in paths}


def describe_file(path: Path, pixel_size: str | None = None) -> Described:
    """Describe one image file.

    Raises:
        InputError: an image that cannot be trusted.
    """
    from scalebridge.microstructure import describe, read
    from scalebridge.microstructure.decoding import file_digest

    image = read(path, pixel_size, luminance=True)
    told = describe(image)
    columns = tuple(Column(name, d.unit, d.meaning, "descriptor") for name, d in told.items())
    return Described(file_digest(path), {name: float(d.value) for name, d in told.items()}, columns, tuple(told.notes))


def _computed(paths: Sequence[Path], pixel_size: str | None, workers: int) -> Iterator[tuple[Path, Described]]:
    if workers == 1 or len(paths) < POOLED:
        yield from ((path, describe_file(path, pixel_size)) for path in paths)
        return
    from multiprocessing import get_context

    # Spawned, not forked: torch and thread pools of the parent do not survive a fork.
    with ProcessPoolExecutor(workers, get_context("spawn"), _quiet) as pool:
        waiting = {pool.submit(describe_file, path, pixel_size): path for path in paths}
        try:
            for done in as_completed(waiting):
                yield waiting[done], done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _quiet() -> None:
    """One thread each, and Ctrl-C is the parent's."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _place(kept: Path, path: Path, pixel_size: str | None) -> Path:
    from scalebridge.microstructure.decoding import file_digest

    if not path.is_file():
        raise InputError(f"The image '{path}' is not there any more; give the folder again.")
    # Of another version of the package, or of another pixel size, nothing is taken.
    told = hashlib.sha256(f"{scalebridge.__version__} {pixel_size}".encode()).hexdigest()[:12]
    return kept / f"{file_digest(path)}-{told}.json"


def _recall(file: Path) -> Described | None:
    """What was kept; nothing where the file is not there, of another version or torn."""
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        columns = tuple(Column(**entry) for entry in content["columns"])
        return Described(content["sha256"], content["values"], columns, tuple(content["notes"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(file: Path, one: Described) -> None:
    content = {
        "sha256": one.sha256,
        "values": dict(one.values),
        "columns": [vars(c) for c in one.columns],
        "notes": list(one.notes),
    }
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        part.write_text(json.dumps(content), encoding="utf-8")
        part.replace(file)
    except OSError as error:
        raise InfrastructureError(f"'{file.parent}' cannot be written: {error.strerror}.") from error


def columns_of(found: Iterable[Described]) -> tuple[Column, ...]:
    """Every descriptor that some image has, in the order met first; those of the dark phase, mostly a matrix, last.

    Of two that tell the same the first is kept: the share of the fibres rather than that of what is between them.
    """
    seen: dict[str, Column] = {}
    for one in found:
        for column in one.columns:
            seen.setdefault(column.name, column)
    return tuple(sorted(seen.values(), key=lambda column: column.name.startswith("dark_")))
