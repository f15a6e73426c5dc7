"""Which image belongs to which specimen: by identifier, never by the order of rows or files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from scalebridge.data.alignment.identifiers import normal_form
from scalebridge.errors import InputError


@dataclass(frozen=True)
class Matched:
    """Images by specimen, and what found no partner.

    Args:
        images: paths of each specimen that has any, sorted by name; several micro samples per specimen.
        without_image: identifiers of the table without an image.
        without_row: images whose identifier the table does not hold.
        near: sentences on names that differ from an identifier in case, blanks or leading zeros only.
    """

    images: dict[str, tuple[Path, ...]]
    without_image: tuple[str, ...]
    without_row: tuple[Path, ...]
    near: tuple[str, ...] = ()


def match_images(paths: Sequence[Path], root: Path, identifiers: Sequence[str], pattern: str | None = None) -> Matched:
    """Join images to identifiers.

    Without a pattern, an image belongs to the identifier that is its name, the name of a folder above it, or the
    beginning of its name up to a character that is no letter and no digit: ``S01.png``, ``S01/left.png``,
    ``S01_2.png``. With a pattern, to the text of its group in the path below ``root``.

    Args:
        paths: of the images.
        root: folder that they lie below.
        identifiers: of the table; they differ.
        pattern: regular expression with one group, as ``r"specimen_(\\w+)_\\d+"``.

    Raises:
        InputError: a pattern that is none, an image that may belong to two specimens, or none that belongs to any.
    """
    reading = None if pattern is None else _compiled(pattern)
    known = set(identifiers)
    found: dict[str, list[Path]] = {name: [] for name in identifiers}
    strangers, near = [], []
    for path in paths:
        below = PurePosixPath(path.relative_to(root).as_posix())
        name = _by_name(below, known) if reading is None else _by_pattern(below, reading)
        if name in known:
            found[name].append(path)
            continue
        strangers.append(path)
        near += _near_miss(below, name, identifiers)
    if not any(found.values()):
        raise InputError(_nothing(paths, root, identifiers, near, pattern))
    # Sorted: neither the order of rows nor that of files changes anything.
    images = {name: tuple(found[name]) for name in sorted(found) if found[name]}
    return Matched(images, tuple(n for n in identifiers if not found[n]), tuple(strangers), tuple(near))


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        reading = re.compile(pattern)
    except re.error as error:
        raise InputError(
            f"The pattern '{pattern}' is no regular expression ({error}); write one group around the identifier, as in "
            r"'specimen_(\w+)_\d+'."
        ) from error
    if reading.groups != 1:
        raise InputError(
            f"The pattern '{pattern}' has {reading.groups} groups; put one pair of round brackets around the "
            r"identifier, as in 'specimen_(\w+)_\d+'."
        )
    return reading


def _by_pattern(below: PurePosixPath, reading: re.Pattern[str]) -> str:
    met = reading.search(str(below))
    return "" if met is None else met.group(1)


def _by_name(below: PurePosixPath, known: set[str]) -> str:
    """The identifier that a path tells, empty if none.

    Raises:
        InputError: it tells two.
    """
    folders = [folder for folder in below.parts[:-1] if folder in known]
    stem = below.stem
    own = _head(stem, known)
    # A bare number in the folder of a specimen is the number of its image.
    told = set(folders[-1:]) if folders and stem.isdigit() else {*folders, own} - {""}
    if len(told) > 1:
        raise InputError(
            f"The image '{below}' may belong to the specimens {' and '.join(map(repr, sorted(told)))}: its folder says "
            "one, its name another; rename it, or say where the identifier stands by a pattern."
        )
    return next(iter(told), "")


def _head(stem: str, known: set[str]) -> str:
    """The identifier that a name is, or begins with up to a character that is no letter and no digit; empty if none.

    A beginning that is shaped as identifiers are, but is none, is a specimen that the table does not hold: ``2-3_1`` is
    not of ``2`` where there is a ``2-4``.
    """
    shapes = {_shape(name) for name in known}
    ends = [k for k, sign in enumerate(stem) if not sign.isalnum()]
    for head in (stem, *(stem[:k] for k in reversed(ends))):
        if head in known:
            return head
        if _shape(head) in shapes:
            return ""
    return ""


def _shape(text: str) -> str:
    """Numbers as one sign, letters as another."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "0", text))


def _near_miss(below: PurePosixPath, name: str, identifiers: Sequence[str]) -> list[str]:
    tried = [name] if name else [below.stem, *below.parts[:-1], re.split(r"[^0-9A-Za-z]", below.stem)[0]]
    for identifier in identifiers:
        if any(normal_form(text) == normal_form(identifier) for text in tried if text):
            return [f"the image '{below}' is not '{identifier}' of the table, but nearly"]
    return []


def _nothing(
    paths: Sequence[Path], root: Path, identifiers: Sequence[str], near: Sequence[str], pattern: str | None
) -> str:
    below = paths[0].relative_to(root).as_posix()
    shown = ", ".join(f"'{name}'" for name in identifiers[:3])
    hint = f": {near[0]}" if near else ""
    told = "" if pattern is None else f" by the pattern '{pattern}'"
    return (
        f"None of the {len(paths)} images in '{root}' belongs to a specimen of the table{told}{hint}. Images are named "
        f"as '{below}', specimens as {shown}; name images by the specimen, as in S01.png, S01_2.png or S01/2.png, or "
        r"say where the identifier stands, as in --pattern 'specimen_(\w+)_\d+'."
    )


def identified(paths: Sequence[Path], root: Path, pattern: str | None = None) -> dict[Path, str]:
    """The specimen of each image where no table says which there are: its folder below ``root``, else its own name.

    Args:
        paths: of the images.
        root: folder that they lie below.
        pattern: as in `match_images`.

    Raises:
        InputError: a pattern that is none, or an image in which it finds nothing.
    """
    if pattern is None:
        return {p: p.relative_to(root).parts[0] if p.parent != root else p.stem for p in paths}
    reading, found = _compiled(pattern), {}
    for path in paths:
        below = PurePosixPath(path.relative_to(root).as_posix())
        found[path] = _by_pattern(below, reading)
        if not found[path]:
            raise InputError(f"The pattern '{pattern}' finds no specimen in '{below}'; give one that fits every image.")
    return found
