"""A saved homogenisation as its report reads it: ``homogenisation.json`` and ``arrays.npz``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.reports import numbers
from scalebridge.reports.saved import finite, span
from scalebridge.reports.stored import stored_arrays, stored_record

SCHEMA_VERSION = 1
AGAIN = "homogenise the image again"
WORDS = {
    "E1": "Young's modulus along 1 (x)",
    "E2": "along 2 (y)",
    "E3": "along 3",
    "nu12": "contraction along 2 under a pull along 1",
    "nu13": "along 3 under a pull along 1",
    "nu23": "along 3 under a pull along 2",
    "G12": "shear modulus in the plane 12",
    "G13": "in the plane 13",
    "G23": "in the plane 23",
    "k11": "conductivity along 1 (x)",
    "k22": "along 2 (y)",
    "k33": "along 3",
    "E_L": "Young's modulus along 3, out of the slice",
    "E_T": "Young's modulus in the slice, mean over directions",
    "nu_L": "contraction across under a pull along 3",
    "nu_T": "contraction in the slice under a pull in it",
    "G_L": "shear modulus in planes along 3",
    "G_T": "shear modulus in the slice",
    "E": "Young's modulus",
    "nu": "Poisson's ratio",
    "bulk": "bulk modulus",
    "shear": "shear modulus",
    "k": "conductivity",
}
ISOTROPIC = 0.1
"""Relative distance beyond which the nearest isotropic constants say too little to be shown first."""


def symbol(name: str) -> str:
    """Return the name of a constant as it is printed: ``E₁``, ``ν₁₂``, ``E_T``."""
    text = name.replace("nu", "ν").replace("bulk", "K").replace("shear", "G")
    head, _, tail = text.partition("_")
    if tail:
        return f"{head}_{tail}"
    return head[0] + head[1:].translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def symbol_html(name: str) -> str:
    """Return the name of a constant for the page, its index set low."""
    text = symbol(name)
    head, _, tail = text.partition("_")
    return f"{head}<sub>{tail}</sub>" if tail else text


def symbol_math(name: str) -> str:
    """Return the name of a constant for a figure, its index set low."""
    text = symbol(name)
    return f"$\\mathregular{{{text}}}$" if "_" in text else text


@dataclass(frozen=True)
class Part:
    """One effective tensor of a record.

    Args:
        kind: ``"stiffness"`` or ``"conductivity"``.
        content: its table in the record.
    """

    kind: str
    content: Mapping[str, Any]

    @property
    def unit(self) -> str:
        """Unit of the tensor."""
        return str(self.content.get("unit", "1"))

    @property
    def tensor(self) -> NDArray[np.float64]:
        """The tensor in Mandel components ``[g, g]``; NaN where it was not found."""
        return np.array(self.content.get("mandel") or self.content.get("tensor"), dtype=np.float64)

    @property
    def shown(self) -> NDArray[np.float64]:
        """The tensor as it is printed: in Voigt's components ``[g, g]``."""
        return np.array(self.content.get("voigt") or self.content.get("tensor"), dtype=np.float64)

    def group(self, name: str) -> dict[str, float]:
        """Return ``constants``, ``transverse`` or ``isotropic``, finite entries only, without the distance."""
        given = self.content.get(name) or {}
        return {k: v for k, raw in given.items() if k != "distance" and (v := finite(raw)) is not None}

    def distance(self, name: str) -> float | None:
        """Return the relative distance to the nearest tensor of that group."""
        return finite((self.content.get(name) or {}).get("distance"))

    def bounds(self, name: str) -> tuple[float, float] | None:
        """Return lower and upper bound of a constant."""
        limits = self.content.get("bounds") or {}
        strict = (limits.get("hashin_shtrikman") or {}).get(name)
        applies = strict is not None and limits.get("hashin_shtrikman_within") is not None
        return span(strict if applies else (limits.get("constants") or {}).get(name))

    @property
    def windows(self) -> Mapping[str, Any] | None:
        """The table of windows, where there are any."""
        return self.content.get("windows")

    def over_windows(self, name: str) -> tuple[float, float | None] | None:
        """Return mean and standard deviation of a constant over windows."""
        found = ((self.windows or {}).get("constants") or {}).get(name) or {}
        mean = finite(found.get("mean"))
        return None if mean is None else (mean, finite(found.get("std")))

    def change(self, name: str) -> float | None:
        """Return the relative change of a constant on the other grid."""
        return finite(((self.content.get("discretisation") or {}).get("change") or {}).get(name))

    def rows(self) -> Iterator[tuple[str, list[tuple[str, float]]]]:
        """Yield the groups of constants that say most: a title and its constants."""
        if transverse := self.group("transverse"):
            yield "isotropic in the slice, nearest", list(transverse.items())
        isotropic = self.group("isotropic")
        near = self.distance("isotropic")
        if isotropic and near is not None and near <= ISOTROPIC and not transverse:
            yield "isotropic, nearest", list(isotropic.items())
        if along := self.group("constants"):
            yield "along the axes", list(along.items())

    def headline(self) -> tuple[str, float] | None:
        """Return the constant to be shown in large type."""
        for _, rows in self.rows():
            names = dict(rows)
            for name in ("E_T", "E", "k", "E1", "k11"):
                if name in names:
                    return name, names[name]
        return None

    def unit_of(self, name: str) -> str:
        """Return the unit of a constant."""
        return "1" if name.startswith("nu") else self.unit


@dataclass(frozen=True)
class Record:
    """A saved homogenisation.

    Args:
        content: of ``homogenisation.json``.
        arrays: of ``arrays.npz``; empty where there are none.
    """

    content: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def parts(self) -> list[Part]:
        """The tensors that were asked for."""
        kinds = ("stiffness", "conductivity")
        return [Part(kind, self.content[kind]) for kind in kinds if self.content.get(kind)]

    @property
    def image(self) -> Mapping[str, Any]:
        """What is known of the image."""
        return self.content.get("image") or {}

    @property
    def phases(self) -> list[Mapping[str, Any]]:
        """Name, fraction and material of each phase."""
        return list(self.content.get("phases") or [])

    @property
    def converged(self) -> bool:
        """Whether all that was asked for was found."""
        return bool(self.content.get("converged"))

    @property
    def flat(self) -> bool:
        """Whether the image is a slice."""
        return len(self.image.get("shape") or ()) == 2

    def planes(self, name: str) -> list[tuple[str, NDArray[Any]]]:
        """Return the slices of an array: itself, or the middle ones across z, y and x."""
        if name in self.arrays:
            return [("", self.arrays[name])]
        across = ((f"middle in {axis}", self.arrays.get(f"{name}_{axis}")) for axis in "zyx")
        return [(words, values) for words, values in across if values is not None]


def load_record(directory: str | Path) -> Record:
    """Read a saved homogenisation.

    Raises:
        InputError: none there, or one of another schema.
    """
    content = stored_record(Path(directory) / "homogenisation.json", SCHEMA_VERSION, "homogenise --out DIR", AGAIN)
    return Record(content, stored_arrays(Path(directory) / "arrays.npz", AGAIN))


def spread_of(part: Part, name: str) -> NDArray[np.float64]:
    """Return a constant of each window ``[n]``, NaN where it has none."""
    table = ((part.windows or {}).get("constants") or {}).get(name) or {}
    return np.array([np.nan if v is None else v for v in table.get("values", [])], dtype=np.float64)


def value_text(value: float, unit: str, digits: int = 4) -> str:
    """Return a number with its unit in an everyday range: ``14.23 GPa``."""
    factor, shown = numbers.prefixed(unit, abs(value)) if unit != "1" else (1.0, "")
    text = numbers.plain(factor * value, digits)
    return f"{text}\u00a0{shown}" if shown else text


def pair_text(low: float, high: float, unit: str) -> str:
    """Return an interval in one unit: ``[1.740, 5.254] GPa``."""
    factor, shown = numbers.prefixed(unit, max(abs(low), abs(high))) if unit != "1" else (1.0, "")
    text = f"[{numbers.plain(factor * low, 4)}, {numbers.plain(factor * high, 4)}]"
    return f"{text}\u00a0{shown}" if shown else text


def spread_text(mean: float, std: float | None, unit: str) -> str:
    """Return a mean and its deviation in one unit: ``14.1 ± 0.4 GPa``."""
    factor, shown = numbers.prefixed(unit, abs(mean)) if unit != "1" else (1.0, "")
    if std is None:
        text = numbers.plain(factor * mean, 4)
    else:
        value, half, power = numbers.uncertain(factor * mean, factor * std)
        text = f"({value} ± {half}) × {power}" if power else f"{value} ± {half}"
    return f"{text}\u00a0{shown}" if shown else text
