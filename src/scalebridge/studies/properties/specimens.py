"""Images and a table of specimens, joined by identifier."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.data import Dataset
from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Floats
from scalebridge.studies.properties.identifiers import Matched, match_images

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp")
LEAST_GROUPS = 4
GROUPED = re.compile(
    r"batch|panel|plate|tree|lot|charge|coil|sheet|billet|print|build|mix|donor|patient|group", re.IGNORECASE
)
"""Words by which columns of groups are called; columns of whole numbers that are called so are taken for names."""


@dataclass(frozen=True, eq=False)
class Specimens:
    """Rows that have images, and what was left out.

    Args:
        table: the rows of the table, in its order, as read.
        by: the column of the identifiers.
        targets: columns that are to be predicted.
        images: folder of the images.
        matched: images by specimen.
        group_column: the column whose groups are held back together; ``None`` for none.
        notes: how the groups were chosen.
    """

    table: Dataset
    by: str
    targets: tuple[str, ...]
    images: Path
    matched: Matched
    group_column: str | None
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Identifiers of the rows with images, in the order of the table."""
        return tuple(self.matched.images)

    @property
    def paths(self) -> list[Path]:
        """All images that belong to a row."""
        return [path for files in self.matched.images.values() for path in files]

    def column(self, name: str) -> NDArray[Any]:
        """A column at the rows with images ``[n]``."""
        row = {identifier: k for k, identifier in enumerate(labels(self.table, self.by))}
        column: NDArray[Any] = self.table[name][[row[identifier] for identifier in self.names]]
        return column

    def taken(self) -> Dataset:
        """The rows of the table that have images."""
        return self.table.rows([name in self.matched.images for name in labels(self.table, self.by)])

    def numbers(self, name: str) -> Floats:
        """A numeric column at the rows with images ``[n]``; NaN for a gap.

        Raises:
            InputError: a column of text.
        """
        if self.table.space[name].kind != "array" or self.table.space[name].shape != ():
            raise InputError(
                f"The column '{name}' of '{self.table.name}' holds text (such as '{self.table[name][0]}'), and a "
                "number is needed; give a column of numbers."
            )
        return np.asarray(self.column(name), dtype=np.float64)

    def groups(self) -> tuple[NDArray[np.int64], list[str]]:
        """The group ``[n]`` of each row with images, and the groups' names; every row its own without a column.

        Raises:
            InputError: rows without a group.
        """
        if self.group_column is None:
            return np.arange(len(self.names)), list(self.names)
        text = np.array([_label(v) for v in self.column(self.group_column).tolist()])
        if (text == "").any():
            lost = [self.names[k] for k in np.flatnonzero(text == "")[:3]]
            raise InputError(
                f"The column '{self.group_column}' of '{self.table.name}' is empty for {', '.join(lost)}; give every "
                "specimen its group, or '--groups none' if none belong together."
            )
        names, index = np.unique(text, return_inverse=True)
        return np.asarray(index, dtype=np.int64), names.tolist()

    def images_digest(self) -> str:
        """SHA-256 over names and content of the images that belong to a row."""
        from scalebridge.microstructure.decoding import file_digest

        told = hashlib.sha256()
        for path in self.paths:
            told.update(f"{path.relative_to(self.images).as_posix()} {file_digest(path)}\n".encode())
        return told.hexdigest()


def read_specimens(
    images: str | Path,
    table: str | Path | Dataset,
    by: str,
    targets: Sequence[str],
    *,
    groups: str | None = "auto",
    pattern: str | None = None,
) -> Specimens:
    """Read a table, find the images of its rows.

    Args:
        images: folder of images, searched through with the folders in it.
        table: file, or a dataset.
        by: the column of identifiers, one row each.
        targets: columns that are to be predicted.
        groups: the column whose groups are never parted; ``"auto"`` for the one column of names that repeat, ``None``
            for none.
        pattern: see `match_images`.

    Raises:
        InputError: a missing file, folder or column, no images, or none that belongs to a row.
    """
    from scalebridge.data import read

    if not targets:
        raise InputError("No property was named; give --target with the column to predict, as TensileStrength.")
    known = table if isinstance(table, Dataset) else read(table, index=by)
    identifier, names = column_named(known, by), tuple(column_named(known, name) for name in targets)
    if identifier in names:
        raise InputError(f"'{by}' identifies the specimens and is to be predicted too; give another --target.")
    folder = Path(images)
    paths = image_files(folder)
    matched = match_images(paths, folder, _identifiers(known, identifier), pattern)
    _refuse_copies(matched)
    column, notes = _group_column(known, identifier, names, groups)
    return Specimens(known, identifier, names, folder, matched, column, notes)


def _identifiers(table: Dataset, by: str) -> list[str]:
    """Texts that identify the rows.

    Raises:
        InputError: a gap, or one that stands twice.
    """
    texts = labels(table, by)
    for row, text in enumerate(texts):
        if text == "" or text in texts[:row]:
            what = "is empty" if text == "" else f"repeats '{text}'"
            raise InputError(
                f"The column '{by}' of '{table.name}' {what} in row {row + 1} of the data; each specimen needs one "
                "row: average repeats, or identify them apart."
            )
    return texts


def _refuse_copies(matched: Matched) -> None:
    """Refuse one picture for two specimens: it would stand on both sides of a fold."""
    from scalebridge.microstructure.decoding import file_digest

    seen: dict[str, tuple[str, Path]] = {}
    for name, files in matched.images.items():
        for path in files:
            other, first = seen.setdefault(file_digest(path), (name, path))
            if other != name:
                raise InputError(
                    f"The images '{first}' of '{other}' and '{path}' of '{name}' are the same file; one picture cannot "
                    "speak for two specimens: put the right one there, or leave one out."
                )


def column_named(table: Dataset, text: str, purpose: str = "") -> str:
    """Name of the column that is called ``text``, as the dataset spells it or as the file does.

    Raises:
        InputError: none is, or two are.
    """
    from scalebridge.data.headers import identifier, split

    if text in table:
        return text
    called = {v.name: {v.description, split(v.description)[0] if v.description else "", v.name} for v in table.space}
    found = [name for name, texts in called.items() if text in texts or identifier(text) == name]
    if len(found) == 1:
        return found[0]
    told = f"; it may mean {' or '.join(map(repr, found))}." if found else did_you_mean(text, table.keys())
    raise InputError(f"'{table.name}' has no column '{text}'{purpose}{told}")


def image_files(folder: Path) -> list[Path]:
    """Image files below a folder, sorted by path.

    Raises:
        InputError: no such folder, or none in it.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise InputError(f"The folder of images '{folder}' {what}; give the folder that holds them.")
    hidden = (path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() in SUFFIXES)
    found = sorted(path for path in hidden if not any(part.startswith(".") for part in path.relative_to(folder).parts))
    if not found:
        raise InputError(f"There is no image in '{folder}' ({', '.join(SUFFIXES)}); give the folder that holds them.")
    return found


def _group_column(
    table: Dataset, by: str, targets: Sequence[str], wanted: str | None
) -> tuple[str | None, tuple[str, ...]]:
    """The column of groups, and how it was chosen."""
    if wanted is None:
        return None, ()
    if wanted != "auto":
        return column_named(table, wanted, " to group by"), ()
    repeated = {
        name: len(set(labels(table, name)))
        for name in table
        if name != by and name not in targets and _names_groups(table, name)
    }
    likely = [n for n, count in repeated.items() if count >= LEAST_GROUPS and (_called(n) or 2 * count <= len(table))]
    if not likely:
        few = [f"'{n}' ({count})" for n, count in repeated.items() if count > 1]
        told = f"Columns of names repeat, but have too few groups to hold back or too many: {', '.join(few)}."
        return None, ((told,) if few else ())
    # The finest of those that are called as groups are; of others the finest.
    chosen = max(likely, key=lambda n: (_called(n), repeated[n]))
    told = f"Specimens of one '{chosen}' were held back together, for it is a column of names that repeat."
    others = [f"'{n}'" for n in repeated if n != chosen]
    beside = f" {', '.join(others)} repeat too: name another one by --groups if specimens are alike by it."
    return chosen, (told + (beside if others else ""),)


def _names_groups(table: Dataset, name: str) -> bool:
    """Whether a column holds names, some of which repeat, without a gap."""
    if table.space[name].kind != "category" and not _numbered(table, name):
        return False
    texts = labels(table, name)
    return "" not in texts and 1 < len(set(texts)) < len(texts)


def _called(name: str) -> bool:
    return any(GROUPED.fullmatch(word) for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name))


def _numbered(table: Dataset, name: str) -> bool:
    """Whether a column of whole numbers is called as one that names groups."""
    variable = table.space[name]
    plain = variable.kind == "array" and variable.shape == () and variable.unit == "1" and _called(name)
    known = table[name][np.isfinite(table[name])] if plain else np.array([0.5])
    return bool(np.all(known % 1 == 0))


def labels(table: Dataset, name: str) -> list[str]:
    """A column as texts ``[n]``; a gap is empty."""
    return [_label(v) for v in table[name].tolist()]


def _label(value: Any) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else str(int(value)) if value.is_integer() else repr(value)
    return str(value)
