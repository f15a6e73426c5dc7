"""TIFF stacks, and folders of numbered slices."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.decoding import decode
from scalebridge.microstructure.formats.loaded import Loaded, damaged

SLICES = {".tif", ".tiff", ".png", ".bmp", ".jpg", ".jpeg"}
_METRES = {"nm": 1e-9, "um": 1e-6, "µm": 1e-6, "μm": 1e-6, "micron": 1e-6, "mm": 1e-3, "cm": 1e-2, "m": 1.0}


def load_tiff(path: Path) -> Loaded:
    """Read a multi-page TIFF; the voxel size is taken from ImageJ's or OME's metadata where they tell it.

    Raises:
        InputError: truncated, foreign, in colour, or with pages of several sizes.
    """
    import tifffile

    try:
        with _complaints() as heard, tifffile.TiffFile(path) as file:
            sets = [series for series in file.series if series.kind != "thumbnail"]
            if heard:
                raise ValueError(heard[0])
            _check_pages(path, sets)
            try:
                values = sets[0].asarray()
            except ValueError as error:
                if "imagecodecs" not in str(error):
                    raise
                # Pillow brings the codecs (LZW and others) that tifffile leaves to a further package.
                values = _by_pillow(path)
            if heard:
                raise ValueError(heard[0])
            return Loaded(values, _voxel_size(file))
    except InputError:
        raise
    except Exception as error:  # decoders raise whatever their library raises on damaged bytes
        raise damaged(path, "TIFF", error) from None


def load_folder(path: Path) -> Loaded:
    """Read the images of a folder as slices, in the order of the numbers in their names.

    Raises:
        InputError: no images, a missing number, or slices that differ in size or type.
    """
    files = [f for f in path.iterdir() if f.suffix.lower() in SLICES and not f.name.startswith(".")]
    if not files:
        raise InputError(
            f"The folder '{path}' holds no images; give a folder of slices ({', '.join(sorted(SLICES))}) or a file."
        )
    files.sort(key=lambda f: _natural(f.name))
    _check_numbers(path, files)
    first = decode(files[0])
    values = np.empty((len(files), *first.shape), dtype=first.dtype)
    for k, file in enumerate(files):
        one = decode(file) if k else first
        if one.shape != first.shape or one.dtype != first.dtype:
            raise InputError(
                f"The slice '{file.name}' of '{path}' has {one.shape[0]} x {one.shape[1]} pixels of {one.dtype}, the "
                f"first slice {first.shape[0]} x {first.shape[1]} of {first.dtype}; take the odd one out."
            )
        values[k] = one
    return Loaded(values)


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what tifffile logs as an error: it gives a shorter stack, and no exception, when pages are lost."""
    heard: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    ear, log = Ear(logging.ERROR), logging.getLogger("tifffile")
    speaks, log.propagate = log.propagate, False
    log.addHandler(ear)
    try:
        yield heard
    finally:
        log.removeHandler(ear)
        log.propagate = speaks


def _check_pages(path: Path, sets: list[Any]) -> None:
    if not sets:
        raise ValueError("it holds no pages")
    if len(sets) > 1:
        sizes = ", ".join(" x ".join(map(str, s.shape)) for s in sets[:4])
        raise InputError(f"The pages of '{path}' differ in size or type ({sizes}); save one stack of equal pages.")
    if "S" in sets[0].axes:
        raise InputError(
            f"The stack '{path}' is in colour, and phases are told apart by grey value; convert it to grey."
        )


def _by_pillow(path: Path) -> NDArray[Any]:
    from PIL import Image, ImageSequence

    with Image.open(path) as image:
        if image.mode in {"P", "RGB", "RGBA"}:
            raise InputError(f"The stack '{path}' is in the mode {image.mode}; convert it to grey.")
        return np.stack([np.array(frame) for frame in ImageSequence.Iterator(image)])


def _voxel_size(file: Any) -> tuple[float, float, float] | None:
    """Edges along z, y, x in m; ``None`` unless all three are told in a unit of length."""
    if file.is_imagej:
        told = file.imagej_metadata or {}
        metre = _METRES.get(str(told.get("unit", "")).replace("\\u00B5", "µ"))
        per_unit = [file.pages[0].tags.get(tag) for tag in ("YResolution", "XResolution")]
        if metre is None or "spacing" not in told or None in per_unit:
            return None
        # A resolution is a fraction, (pixels, units).
        edges = [float(told["spacing"]), *(tag.value[1] / max(tag.value[0], 1) for tag in per_unit)]
        return _positive([metre * edge for edge in edges])
    if file.is_ome:
        text = file.ome_metadata or ""
        sizes = [re.search(rf'PhysicalSize{axis}="([^"]+)"', text) for axis in "ZYX"]
        units = [re.search(rf'PhysicalSize{axis}Unit="([^"]+)"', text) for axis in "ZYX"]
        metres = [_METRES.get(unit[1] if unit else "µm") for unit in units]
        return _positive([float(s[1]) * m for s, m in zip(sizes, metres, strict=True) if s and m])
    return None


def _positive(edges: list[float]) -> tuple[float, float, float] | None:
    if len(edges) != 3 or not all(np.isfinite(edge) and edge > 0 for edge in edges):
        return None
    return edges[0], edges[1], edges[2]


def _natural(name: str) -> tuple[tuple[int, int, str], ...]:
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.findall(r"[0-9]+|[^0-9]+", name))


def _check_numbers(path: Path, files: list[Path]) -> None:
    """Refuse a gap in the numbering: a lost slice would move everything behind it."""
    found = [re.findall(r"\d+", file.stem) for file in files]
    if len(files) < 3 or not all(found):
        return
    numbers = np.array([int(each[-1][-18:]) for each in found])
    steps = np.diff(numbers)
    if np.all(steps > 0) and np.any(steps != steps.min()):
        k = int(np.argmax(steps != steps.min()))
        raise InputError(
            f"Slices are missing in '{path}' between '{files[k].name}' and '{files[k + 1].name}'; complete the folder, "
            "or number the slices in equal steps."
        )
