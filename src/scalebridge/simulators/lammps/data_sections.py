"""The header and the sections of a data file, line by line."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.quantities import Floats
from scalebridge.simulators.lammps.boxes import Box, tilted_box
from scalebridge.simulators.lammps.text_files import MOST_NUMBERS, check_kept, text_of
from scalebridge.simulators.lammps.unit_styles import UNIT_STYLES

_PLAIN = ("id", "type", "x", "y", "z")
_BONDED = ("id", "mol", "type", "x", "y", "z")
_CHARGED = ("id", "mol", "type", "q", "x", "y", "z")
ATOM_STYLES: dict[str, tuple[str, ...]] = {
    "amoeba": _CHARGED,
    "angle": _BONDED,
    "atomic": _PLAIN,
    "body": ("id", "type", "body", "mass", "x", "y", "z"),
    "bond": _BONDED,
    "bpm/sphere": ("id", "mol", "type", "diameter", "density", "x", "y", "z"),
    "charge": ("id", "type", "q", "x", "y", "z"),
    "dielectric": (*_CHARGED, "normx", "normy", "normz", "area", "ed", "em", "epsilon", "curvature"),
    "dipole": ("id", "type", "q", "x", "y", "z", "mux", "muy", "muz"),
    "dpd": ("id", "type", "theta", "x", "y", "z"),
    "edpd": ("id", "type", "edpd_temp", "edpd_cv", "x", "y", "z"),
    "electron": ("id", "type", "q", "espin", "eradius", "x", "y", "z"),
    "ellipsoid": ("id", "type", "ellipsoid", "density", "x", "y", "z"),
    "full": _CHARGED,
    "line": ("id", "mol", "type", "line", "density", "x", "y", "z"),
    "mdpd": ("id", "type", "rho", "x", "y", "z"),
    "molecular": _BONDED,
    "peri": ("id", "type", "volume", "density", "x", "y", "z"),
    "smd": ("id", "type", "mol", "volume", "mass", "kradius", "cradius", "x0", "y0", "z0", "x", "y", "z"),
    "sph": ("id", "type", "rho", "esph", "cv", "x", "y", "z"),
    "sphere": ("id", "type", "diameter", "density", "x", "y", "z"),
    "spin": ("id", "type", "x", "y", "z", "spx", "spy", "spz", "sp"),
    "tri": ("id", "mol", "type", "triangle", "density", "x", "y", "z"),
}
# Columns of whole numbers.
WHOLE = ("id", "type", "mol", "ix", "iy", "iz", "ellipsoid", "body", "line", "triangle", "espin")
# Sections of ids of atoms: the word of their types, and how many atoms a row has.
TOPOLOGY = {
    "Bonds": ("bond", 2),
    "Angles": ("angle", 3),
    "Dihedrals": ("dihedral", 4),
    "Impropers": ("improper", 4),
}
_LABELS = tuple(f"{word} Type Labels" for word in ("Atom", "Bond", "Angle", "Dihedral", "Improper"))
# Words of coefficients and labels, and lines of the header.
MOST_WORDS = 4_000_000
MOST_COUNTS = 1000
_SECTION = re.compile(r"^[A-Z][A-Za-z/ ]+$")
_BOX = {"xlo xhi": 0, "ylo yhi": 1, "zlo zhi": 2}
_VECTORS = ("avec", "bvec", "cvec")


@dataclass
class ParsedData:
    """A data file as it is read."""

    title: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    low: Floats = field(default_factory=lambda: np.full(3, np.nan))
    high: Floats = field(default_factory=lambda: np.full(3, np.nan))
    tilt: tuple[float, float, float] = (0.0, 0.0, 0.0)
    vectors: dict[str, list[float]] = field(default_factory=dict)
    atom_style: str = ""
    names: tuple[str, ...] = ()
    atoms: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    units: str | None = None
    step: int | None = None
    masses: dict[int, float] = field(default_factory=dict)
    velocities: Floats | None = None
    turning: Floats | None = None
    topology: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    coefficients: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    types: dict[str, dict[str, int]] = field(default_factory=dict)
    other: dict[str, int] = field(default_factory=dict)
    n_words: int = 0

    def box(self, owner: str) -> Box:
        """The box that the header says; that of LAMMPS by default where it says none.

        Raises:
            InputError: some of three vectors, a box of no volume.
        """
        made = self._box(owner)
        if not (np.isfinite(made.volume) and made.volume > 0):
            raise InputError(f"{owner} has a box of the volume {made.volume:g} in its header; it is damaged there.")
        return made

    def _box(self, owner: str) -> Box:
        if self.vectors and not set(_VECTORS) <= set(self.vectors):
            raise InputError(f"{owner} has the vectors {', '.join(self.vectors)} in its header and not all of a box.")
        if self.vectors:
            edges = np.array([self.vectors[word] for word in _VECTORS])
            return Box(np.array(self.vectors.get("abc origin", [0.0, 0.0, 0.0])), edges)
        low, high = np.where(np.isnan(self.low), -0.5, self.low), np.where(np.isnan(self.high), 0.5, self.high)
        return tilted_box(low, high, self.tilt, ("pp", "pp", "pp"))


@dataclass
class _Section:
    """A section as it is read: numbers where it is a table, words where it is not."""

    name: str
    said: str
    first_line: int
    labelled: int = -1
    kind: str = "Atom"
    announced: int | None = None
    has_labels: bool = False
    n_rows: int = 0
    width: int = 0
    numbers: array[float] = field(default_factory=lambda: array("d"))
    words: list[tuple[str, ...]] = field(default_factory=list)

    def table(self) -> NDArray[np.float64]:
        """Its numbers ``[n, width]``."""
        return np.frombuffer(self.numbers, dtype=np.float64).reshape(self.n_rows, self.width)


def parse_data(lines: Iterable[tuple[int, bytes]], owner: str, atom_style: str | None) -> ParsedData:
    """Read numbered lines of a data file.

    Raises:
        InputError: a header or a section that is none, or does not hold what it announces.
    """
    made = ParsedData()
    section: _Section | None = None
    for number, raw in lines:
        if number == 1:
            _read_title(made, text_of(raw)[:1000])
            continue
        if section is not None and section.announced and _is_plain_row(section, raw):
            continue
        text = text_of(raw)
        bare, _, said = text.partition("#")
        words = bare.split()
        if not words:
            continue
        if _is_section(bare.strip()):
            _finish(made, section, owner)
            section = _begun(made, " ".join(words), said.strip(), number, owner, atom_style)
        elif section is None:
            _header(made, words, f"{owner}, line {number},")
        else:
            _row(made, section, words, f"{owner}, line {number},")
    _finish(made, section, owner)
    if not made.names:
        raise InputError(f"{owner} has no section Atoms; give a file that read_data takes.")
    return made


def _begun(made: ParsedData, name: str, said: str, number: int, owner: str, style: str | None) -> _Section:
    """A section that begins."""
    section = _Section(name, said, number, announced=_announced(made, name))
    if name == "Atoms":
        made.atom_style = _style(said, style, owner)
        section.labelled = ATOM_STYLES[made.atom_style].index("type")
    elif name in TOPOLOGY:
        section.labelled, section.kind = 1, TOPOLOGY[name][0].capitalize()
    elif name == "Masses":
        section.labelled = 0
    section.has_labels = section.kind in made.types
    return section


def _is_plain_row(section: _Section, raw: bytes) -> bool:
    """Take in a row of plain numbers, which most lines are; whether the line is one."""
    words = raw.split()
    if not words or len(words) != section.width or section.has_labels or section.n_rows >= (section.announced or 0):
        return False
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        return False
    if not math.isfinite(sum(numbers)) or 2 * len(section.numbers) > MOST_NUMBERS:
        return False
    section.n_rows += 1
    section.numbers.extend(numbers)
    return True


def _row(made: ParsedData, section: _Section, words: list[str], owner: str) -> None:
    section.n_rows += 1
    announced = section.announced
    if announced is None:
        if section.name.endswith(("Coeffs", "Labels")):
            section.words.append(tuple(words))
            made.n_words += len(words)
            check_kept(made.n_words, MOST_WORDS, "words of coefficients", owner)
        return
    if section.n_rows > announced:
        raise InputError(
            f"{owner} is row {section.n_rows} of {section.name}, and the header announces {announced}; it is damaged "
            "there."
        )
    section.width = section.width or len(words)
    if len(words) != section.width:
        raise InputError(f"{owner} has {len(words)} columns where {section.width} stand; it is damaged there.")
    section.numbers.extend(_floats(words, made.types.get(section.kind, {}), section.labelled, owner))
    check_kept(2 * len(section.numbers), MOST_NUMBERS, "numbers", owner)


def _read_title(made: ParsedData, title: str) -> None:
    made.title = title
    if (found := re.search(r"units = (\w+)", made.title)) and found[1] in UNIT_STYLES:
        made.units = found[1]
    if found := re.search(r"timestep = (\d{1,18})\b", made.title):
        made.step = int(found[1])


def _is_section(text: str) -> bool:
    return bool(_SECTION.match(text)) and not text.endswith(("types", "lo", "hi"))


def _header(made: ParsedData, words: list[str], owner: str) -> None:
    """A line of the header: numbers and then what they are."""
    numbers: list[float] = []
    for word in words:
        try:
            numbers.append(float(word))
        except ValueError:
            break
    what = " ".join(words[len(numbers) :])
    if not numbers or not what or not np.isfinite(numbers).all():
        raise InputError(f"{owner} holds '{' '.join(words)[:60]}' in the header, which is none; it is damaged there.")
    if what in _BOX and len(numbers) == 2:
        made.low[_BOX[what]], made.high[_BOX[what]] = numbers
    elif what == "xy xz yz" and len(numbers) == 3:
        made.tilt = (numbers[0], numbers[1], numbers[2])
    elif what in (*_VECTORS, "abc origin") and len(numbers) == 3:
        made.vectors[what] = numbers
    elif len(numbers) == 1 and 0 <= numbers[0] < 2**62 and numbers[0] == int(numbers[0]):
        made.counts[what[:100]] = int(numbers[0])
        check_kept(len(made.counts), MOST_COUNTS, "lines of the header", owner)
    else:
        raise InputError(f"{owner} holds '{' '.join(words)[:60]}' in the header, which is none; it is damaged there.")


def _announced(made: ParsedData, section: str) -> int | None:
    """How many lines the header says a section has."""
    if section in ("Atoms", "Velocities"):
        return made.counts.get("atoms", 0)
    if section in TOPOLOGY:
        return made.counts.get(section.lower(), 0)
    if section == "Masses":
        return made.counts.get("atom types", 0)
    return None


def _finish(made: ParsedData, section: _Section | None, owner: str) -> None:
    """Take in a section that has ended."""
    if section is None:
        return
    name, announced = section.name, section.announced
    if announced is not None and section.n_rows != announced:
        raise InputError(
            f"{owner} announces {announced} rows of {name}, and the section in line {section.first_line} holds "
            f"{section.n_rows}; it is cut off or damaged: write it again."
        )
    if name == "Atoms":
        _atoms(made, section, owner)
    elif name == "Velocities":
        _velocities(made, section, owner)
    elif name == "Masses":
        _need(section, 2, owner)
        made.masses = {int(row[0]): float(row[1]) for row in section.table()}
    elif name in TOPOLOGY:
        width = 2 + TOPOLOGY[name][1]
        _need(section, width, owner)
        made.topology[name] = section.table().reshape(-1, width).astype(np.int64)
        _check_ends(made, name, owner)
    elif name in _LABELS:
        rows = (row for row in section.words if len(row) == 2 and row[0].isdigit() and len(row[0]) < 10)
        made.types[name.split()[0]] = {row[1]: int(row[0]) for row in rows}
    elif name.endswith("Coeffs"):
        made.coefficients[name] = tuple(section.words)
    else:
        made.other[name] = section.n_rows


def _style(said: str, given: str | None, owner: str) -> str:
    word = said.split()[0] if said else ""
    chosen = word if word in ATOM_STYLES else given
    if chosen is None and word:
        raise InputError(
            f"{owner} has atoms of the style '{word}', whose columns are not known here; valid: "
            f"{', '.join(ATOM_STYLES)}. Dump such atoms, or say atom_style= where the file means one of these."
        )
    if chosen is None:
        raise InputError(
            f"{owner} does not say the style of its atoms; give atom_style=, one of {', '.join(ATOM_STYLES)}."
        )
    return chosen


def _need(section: _Section, width: int, owner: str) -> None:
    if section.n_rows and section.width != width:
        raise InputError(
            f"{owner} has {section.width} columns in the section {section.name} of line {section.first_line}, and "
            f"{width} stand there; it is damaged."
        )


def _atoms(made: ParsedData, section: _Section, owner: str) -> None:
    names = ATOM_STYLES[made.atom_style]
    width = section.width or len(names)
    if width not in (len(names), len(names) + 3):
        raise InputError(
            f"{owner} has {width} columns in the section Atoms of line {section.first_line}; atoms of the style "
            f"{made.atom_style} have {len(names)}, or {len(names) + 3} with images: give another atom_style."
        )
    made.names = names if width == len(names) else (*names, "ix", "iy", "iz")
    table = section.table().reshape(-1, width)
    table = table[np.argsort(table[:, 0], kind="stable")]
    if len(np.unique(table[:, 0])) < len(table):
        raise InputError(f"{owner} has an atom's id twice in the section Atoms; it is damaged.")
    table.flags.writeable = False
    made.atoms = table


def _velocities(made: ParsedData, section: _Section, owner: str) -> None:
    table = section.table()
    table = table[np.argsort(table[:, 0], kind="stable")] if len(table) else np.zeros((0, 4))
    if table.shape[1] < 4 or not np.array_equal(table[:, 0], made.atoms[:, 0] if len(made.atoms) else []):
        raise InputError(f"{owner} has velocities of other atoms than those of the section Atoms; it is damaged.")
    made.velocities = np.array(table[:, 1:4])
    made.turning = np.array(table[:, 4:]) if table.shape[1] > 4 else None


def _check_ends(made: ParsedData, section: str, owner: str) -> None:
    known = made.atoms[:, 0] if len(made.atoms) else np.zeros(0)
    lost = ~np.isin(made.topology[section][:, 2:], known)
    if lost.any():
        raise InputError(
            f"{owner} has {section} with the atom {made.topology[section][:, 2:][lost][0]}, which is none."
        )


def _floats(words: list[str], labels: dict[str, int], labelled: int, owner: str) -> Iterator[float]:
    for column, word in enumerate(words):
        try:
            number = float(labels[word]) if column == labelled and word in labels else float(word)
            if not math.isfinite(number):
                raise ValueError
            yield number
        except ValueError:
            raise InputError(f"{owner} holds '{word[:40]}' where a finite number stands; damaged there.") from None
