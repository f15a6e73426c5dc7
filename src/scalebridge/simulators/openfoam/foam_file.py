"""OpenFOAM's own files: a header, a dictionary, and lists in text or binary.

Every size that a file claims is compared with the bytes that remain before anything is allocated.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError

# Bytes of one file, unpacked: what is larger is read in parts of a decomposed case.
MOST_BYTES = 1 << 29
_DEEPEST = 32
_BLANK = re.compile(rb"(?:\s+|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
# No word is longer: a damaged file may hold no blank at all.
_WORD = re.compile(rb'"(?:[^"\\\n]|\\.){0,4096}"|[^\s;{}()\[\]"]{1,4096}(?:\([^\s;{}()]{0,4096}\))*|[;{}()\[\]]')
_DIGITS = re.compile(rb"\d{1,18}(?!\d)")
_PARENTHESIS = re.compile(rb"\)")
_PARENTHESES = re.compile(rb"\)\s*\)")
_BRACE = re.compile(rb"\}")
_BLANKED = bytes.maketrans(b"()", b"  ")
_CHUNK = 1 << 23
COMPONENTS = {"label": 1, "scalar": 1, "vector": 3, "symmTensor": 6, "tensor": 9}


@dataclass(frozen=True, eq=False)
class FoamList:
    """A list as a file writes it.

    Args:
        kind: of its entries: ``label``, ``scalar``, ``vector``, ``symmTensor`` or ``tensor``.
        values: ``[n, components]``; of a list of one value (``8{(1 0 0)}``) ``[1, components]``.
        size: how many entries it has.
    """

    kind: str
    values: NDArray[Any]
    size: int

    def expanded(self) -> NDArray[Any]:
        """The entries ``[size, components]``; only for a size that is known to be right."""
        shape = (self.size, self.values.shape[1])
        return self.values if len(self.values) == self.size else np.broadcast_to(self.values[:1], shape)


@dataclass(frozen=True)
class Header:
    """The entries of ``FoamFile`` that say how the rest is written."""

    kind: str = ""
    binary: bool = False
    label: int = 4
    scalar: int = 8
    order: str = "<"


def unpacked(path: Path) -> bytes:
    """The bytes of a file, or of the same with ``.gz``.

    Raises:
        InputError: it is missing, damaged, or larger than 512 MiB.
    """
    found = path if path.is_file() else path.with_name(path.name + ".gz")
    try:
        if found.suffix == ".gz":
            with gzip.open(found, "rb") as packed:
                data = packed.read(MOST_BYTES + 1)
        else:
            with found.open("rb") as plain:
                data = plain.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"There is no file '{path}' (nor with .gz); name a case that was run.") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"The file '{found}' is damaged: it cannot be unpacked ({error}); write it again.") from None
    except OSError as error:
        raise InputError(f"The file '{found}' cannot be read ({error.strerror}).") from None
    if len(data) > MOST_BYTES:
        raise InputError(f"The file '{found}' is larger than 512 MiB; decompose the case, and it is read in parts.")
    return data


def beginning(path: Path, size: int = 4096) -> bytes:
    """The first bytes of a file, unpacked; empty where it cannot be read."""
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            return file.read(size)
    except (OSError, EOFError, zlib.error):
        return b""


def text_of(entries: Mapping[str, Any], key: str) -> str:
    """The words of an entry as one text; empty where there is none."""
    words = entries.get(key, [])
    return " ".join(word for word in words if isinstance(word, str)).strip('"') if isinstance(words, list) else ""


class FoamFile:
    """A reading position in one file.

    Args:
        path: for messages.
        data: its bytes; read from ``path`` where not given.

    Raises:
        InputError: no such file, a damaged header.
    """

    def __init__(self, path: Path, data: bytes | None = None) -> None:
        self.path = path
        self.data = unpacked(path) if data is None else data
        self.position = 0
        self.header = Header()
        if self.peek() == "FoamFile":
            self.word()
            self.header = self._header(self.dictionary())

    def fail(self, problem: str, position: int | None = None) -> NoReturn:
        """Raise the sentence that names the file and the line."""
        at = self.position if position is None else position
        line = self.data.count(b"\n", 0, at) + 1
        raise InputError(f"The file '{self.path}' is damaged at line {line}: {problem}; write it again.")

    def _header(self, entries: Mapping[str, Any]) -> Header:
        arch = text_of(entries, "arch") or "LSB;label=32;scalar=64"
        sizes = {name: re.search(rf"{name}=(\d+)", arch) for name in ("label", "scalar")}
        label, scalar = (
            int(found[1]) if found else default for found, default in zip(sizes.values(), (32, 64), strict=True)
        )
        if label not in (32, 64) or scalar not in (32, 64):
            self.fail(f"its header says labels of {label} and scalars of {scalar} bits, which are 32 or 64")
        order = ">" if arch.startswith("MSB") else "<"
        return Header(text_of(entries, "class"), text_of(entries, "format") == "binary", label // 8, scalar // 8, order)

    def peek(self) -> str:
        """The next word, not taken; empty at the end."""
        blank = _BLANK.match(self.data, self.position)
        if blank is not None:
            self.position = blank.end()
        found = _WORD.match(self.data, self.position)
        return found[0].decode(errors="replace") if found else ""

    def word(self) -> str:
        """Take the next word; raise at the end of the file."""
        word = self.peek()
        if not word:
            self.fail("it ends early" if self.position >= len(self.data) else "a text in quotes does not end")
        self.position = _WORD.match(self.data, self.position).end()  # type: ignore[union-attr]
        return word

    def take(self, wanted: str) -> None:
        """Take a word that must stand here."""
        at = self.position
        found = self.word()
        if found != wanted:
            self.fail(f"'{found[:40]}' stands where '{wanted}' must", at)

    def count(self) -> int:
        """Take a number of entries."""
        word = self.peek()
        found = _DIGITS.match(self.data, self.position)
        if found is None:
            self.fail(f"'{word[:40]}' stands where the length of a list must")
        self.position = found.end()
        return int(found[0])

    def dictionary(self, depth: int = 0) -> dict[str, Any]:
        """Take ``{ ... }``: from keyword to words, to a dictionary or to ``[*words, FoamList]``."""
        if depth > _DEEPEST:
            self.fail(f"dictionaries stand in each other more than {_DEEPEST} deep")
        self.take("{")
        entries: dict[str, Any] = {}
        while self.peek() != "}":
            key = self.word()
            entries[key.strip('"')] = self.dictionary(depth + 1) if self.peek() == "{" else self.entry()
        self.word()
        return entries

    def entry(self) -> list[Any]:
        """Take the words of an entry and its ``;``; a list of numbers after ``nonuniform`` is a `FoamList`."""
        words: list[Any] = []
        while (word := self.word()) != ";":
            words.append(word)
            if word in "{}":
                self.fail(f"'{word}' stands in an entry, which has no ';'")
            if word.startswith("List<") and words[:1] == ["nonuniform"]:
                words.append(self.list_of(word[5:].rstrip(">")))
        return words

    def list_of(self, kind: str) -> FoamList:
        """Take a list of numbers of a kind, in text or binary: ``3(1 2 3)``, ``3{0}`` or ``0``."""
        if kind not in COMPONENTS:
            self.fail(f"lists of '{kind[:40]}' are not known (known: {', '.join(COMPONENTS)})")
        width, at = COMPONENTS[kind], self.position
        size = self.count()
        if self.peek() == "{":
            self.word()
            return FoamList(kind, self._written(kind, 1, width, _BRACE, at), size)
        if size == 0 and not self.data.startswith(b"(", self.position):
            return FoamList(kind, np.zeros((0, width)), 0)
        if self.header.binary:
            return FoamList(kind, self._raw(kind, size, width).reshape(size, width), size)
        self.take("(")
        ends = _PARENTHESES if width > 1 and size else _PARENTHESIS
        return FoamList(kind, self._written(kind, size, width, ends, at), size)

    def labels(self) -> NDArray[np.int64]:
        """Take a list of labels ``[n]``."""
        found = self.list_of("label")
        if len(found.values) != found.size:
            self.fail("a list of labels repeats one")
        return found.values[:, 0].astype(np.int64, copy=False)

    def end_of_lists(self) -> int:
        """Move behind the end ``))`` of a list of lists; return where the inner one ends."""
        found = _PARENTHESES.search(self.data, self.position)
        if found is None:
            self.fail("a list does not end")
        self.position = found.end()
        return found.start()

    def _raw(self, kind: str, size: int, width: int) -> NDArray[Any]:
        self.take("(")
        letter, item = ("i", self.header.label) if kind == "label" else ("f", self.header.scalar)
        end = self.position + size * width * item
        if end > len(self.data) or self.data[end : end + 1] != b")":
            self.fail(f"a list claims {size} entries, and does not end after as many")
        values = np.frombuffer(self.data, f"{self.header.order}{letter}{item}", size * width, self.position)
        self.position = end + 1
        return values.astype(np.int64 if kind == "label" else np.float64)

    def _written(self, kind: str, size: int, width: int, ends: re.Pattern[bytes], at: int) -> NDArray[Any]:
        """Numbers in text up to a closing bracket ``[size, width]``."""
        start, found = self.position, ends.search(self.data, self.position)
        if found is None:
            self.fail("a list does not end", at)
        self.position = found.end()
        if width > 1 and (opened := self.data.count(b"(", start, found.start())) != size:
            self.fail(f"a list of {size} entries opens {opened} brackets", at)
        values = self.numbers(start, found.start(), kind == "label")
        if values.size != size * width:
            self.fail(f"a list of {size} entries of {width} components holds {values.size} numbers", at)
        return values.reshape(size, width)

    def numbers(self, start: int, end: int, whole: bool = False) -> NDArray[Any]:
        """The numbers between two positions, brackets read as blanks."""
        kind, parts = np.int64 if whole else np.float64, []
        while start < end:
            stop = min(start + _CHUNK, end)
            while stop < end and self.data[stop] not in b" \t\r\n()":
                stop += 1
            try:
                part = np.fromstring(self.data[start:stop].translate(_BLANKED), dtype=kind, sep=" ")
            except (ValueError, DeprecationWarning):
                self.fail(f"what is no {'whole ' if whole else ''}number stands in a list", start)
            parts.append(part)
            start = stop
        return np.concatenate(parts) if parts else np.zeros(0, dtype=kind)
