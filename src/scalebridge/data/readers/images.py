"""Images, stacks and folders of images to a `Dataset`, identifiers from the names of the files."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.data.dataset import Dataset
from scalebridge.data.readers.opening import opened
from scalebridge.data.source import File, Source
from scalebridge.errors import InputError
from scalebridge.quantities import Space, Variable

SUFFIXES = {".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp", ".gif", ".pgm", ".webp"}
VOLUMES = {".npy", ".npz", ".vti", ".mat"}
# All images of one dataset together, float64 in memory.
LARGEST_TOTAL = 400_000_000
MOST_FILES = 100_000


def read_images(
    path: str | Path | Sequence[str | Path],
    *,
    pixel_size: str | None = None,
    by: str = "SpecimenID",
    identifier: str | None = None,
    luminance: bool = False,
    glob: str = "*",
) -> Dataset:
    """Read one image, a stack, or all images of a folder: a row each, in the order of the numbers in their names.

    Columns: ``file`` (the index), the identifier, and the field ``image``, a `Micrograph`; a stack or a file of a
    volume is a `Volume`. Files of other kinds in a folder are left out, which `source.notes` says.

    Args:
        path: a file, a folder, or several files.
        pixel_size: edge of a pixel (voxel) with its unit, as ``"1.1 um"``; ``None`` when unknown.
        by: name of the column of identifiers, for joining with a table of specimens.
        identifier: a regular expression for the name without its suffix; every named group is a column, as in
            ``r"(?P<SpecimenID>B\\d+)_(?P<slice>\\d+)"``. By default the whole name is the identifier.
        luminance: take the luminance of true colour in place of refusing it.
        glob: which files of a folder, such as ``"slice_*.png"``.

    Raises:
        InputError: naming the file: missing, no image, truncated, constant, true colour, more than 400 million
            pixels (judged by the header, before anything is decoded); a folder without images; names that the
            expression does not match.
    """
    paths, left_out, name = _paths(path, glob)
    files = [opened(p, "image") for p in paths]
    pattern = _pattern(identifier)
    words = [_words(p, pattern, by) for p in paths]
    _check_total(paths)
    images = [_read(p, pixel_size, luminance) for p in paths]
    labels = list(words[0])
    texts: dict[str, Any] = {"file": [p.name for p in paths]}
    texts |= {label: [w[label] for w in words] for label in labels}
    variables = [Variable(label, kind="category") for label in texts]
    columns: dict[str, Any] = {**texts, "image": images}
    kind = "are no images" if glob == "*" else f"are no images or not called '{glob}'"
    notes = [f"Left out {len(left_out)} files that {kind}: {', '.join(left_out[:5])}."] if left_out else []
    notes += _repeats(files)
    if pixel_size is None:
        notes.append("The pixel size is not known: lengths are in pixels; give pixel_size='1.1 um'.")
    return Dataset(
        Space([*variables, Variable("image", kind="field", description="grey values in [0, 1]")]),
        columns,
        name=name,
        index="file" if len(set(texts["file"])) == len(paths) else None,
        source=Source(tuple(files), "images", {"by": by, "pixel_size": pixel_size}, tuple(notes)),
    )


def _paths(path: str | Path | Sequence[str | Path], glob: str) -> tuple[list[Path], list[str], str]:
    if not isinstance(path, str | Path):
        paths = [Path(p) for p in path]
        if not paths:
            raise InputError("No image was given; give the path of a file or of a folder.")
        return paths, [], f"{len(paths)} images"
    folder = Path(path)
    try:
        if not folder.is_dir():
            return [folder], [], folder.name
        found = [p for p in list(folder.iterdir())[: MOST_FILES + 1] if not p.name.startswith(".")]
    except (OSError, ValueError) as error:
        raise InputError(f"The folder '{path}' cannot be read ({error}); check its path and permissions.") from error
    if len(found) > MOST_FILES:
        raise InputError(f"The folder '{path}' holds more than {MOST_FILES} files; read a part of them.")
    images = [p for p in found if p.suffix.lower() in SUFFIXES and fnmatch(p.name, glob)]
    if not images:
        kinds = ", ".join(sorted({p.suffix or p.name for p in found})[:6]) or "nothing"
        raise InputError(f"The folder '{path}' holds no image but {kinds}; give a folder of PNG, TIFF or JPEG files.")
    return sorted(images, key=_natural), sorted(p.name for p in found if p not in set(images)), folder.name


def _natural(path: Path) -> list[tuple[int, int | str]]:
    """Key that puts slice 9 before slice 10."""
    return [
        (0, int(part)) if part.isdigit() and part.isascii() else (1, part)
        for part in re.split(r"(\d+)", path.name)
        if part
    ]


def _pattern(identifier: str | None) -> re.Pattern[str] | None:
    if identifier is None:
        return None
    try:
        pattern = re.compile(identifier)
    except re.error as error:
        raise InputError(f"identifier='{identifier}' is no regular expression ({error}).") from None
    if not pattern.groupindex or not all(name.isidentifier() for name in pattern.groupindex):
        raise InputError(f"identifier='{identifier}' has no named group; write it as in r'(?P<SpecimenID>B\\d+)_\\d+'.")
    return pattern


def _words(path: Path, pattern: re.Pattern[str] | None, by: str) -> dict[str, str]:
    if pattern is None:
        return {by: path.stem}
    match = pattern.search(path.stem)
    if match is None:
        raise InputError(f"The name of the image '{path}' does not match identifier='{pattern.pattern}'; rename it.")
    return {name: text or "" for name, text in match.groupdict().items()}


def _check_total(paths: Sequence[Path]) -> None:
    """Sum the pixels that the headers tell; a single image too large is left to its own refusal."""
    from PIL import Image

    total = 0
    for path in paths:
        if path.suffix.lower() not in SUFFIXES:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with Image.open(path) as image:
                    total += image.size[0] * image.size[1]
        except Exception:
            continue
        if total > LARGEST_TOTAL and len(paths) > 1:
            raise InputError(
                f"The images up to '{path}' have {total / 1e6:.0f} million pixels together, more than the "
                f"{LARGEST_TOTAL // 10**6} million that are held at once; read them in parts."
            )


def _read(path: Path, pixel_size: str | None, luminance: bool) -> Any:
    from scalebridge.microstructure.micrograph import read
    from scalebridge.microstructure.reading import read_volume

    with warnings.catch_warnings():
        # Pillow warns of metadata that it cannot read; the pixels are judged by themselves.
        warnings.simplefilter("ignore")
        if path.suffix.lower() in VOLUMES or _is_stack(path):
            return read_volume(path, voxel_size=pixel_size)
        return read(path, pixel_size, luminance=luminance)


def _is_stack(path: Path) -> bool:
    if path.suffix.lower() not in {".tif", ".tiff"}:
        return False
    from PIL import Image

    try:
        with Image.open(path) as image:
            return int(getattr(image, "n_frames", 1)) > 1
    except Exception:
        return False


def _repeats(files: Sequence[File]) -> list[str]:
    digests = np.array([file.sha256 for file in files])
    values, first, counts = np.unique(digests, return_index=True, return_counts=True)
    return [
        f"{counts[k]} files hold the same image as '{Path(files[int(first[k])].name).name}'."
        for k in np.flatnonzero(counts > 1)[: len(values)]
    ]
