"""An ordered set of variables, and how arrays and named values convert into each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError, did_you_mean
from scalebridge.quantities.units import conversion
from scalebridge.quantities.variable import Variable

Floats = NDArray[np.float64]
Entry = Variable | str | tuple[Any, ...]


@dataclass(frozen=True)
class Space:
    """An ordered set of `Variable`; a batch of samples is ``[b, size]``, flattened in C order.

    Args:
        variables: the variables, in order; or a mapping from name to a unit ``"K"`` or ``("K", lo, hi)``.
    """

    variables: tuple[Variable, ...]

    def __init__(self, variables: Any) -> None:
        items = _variables(variables)
        names = [v.name for v in items]
        for name in names:
            if names.count(name) > 1:
                raise InputError(
                    f"The variable '{name}' stands {names.count(name)} times in one space; names must differ."
                )
        object.__setattr__(self, "variables", items)

    def __iter__(self) -> Iterator[Variable]:
        return iter(self.variables)

    def __len__(self) -> int:
        return len(self.variables)

    def __getitem__(self, name: str) -> Variable:
        for variable in self.variables:
            if variable.name == name:
                return variable
        raise InputError(f"There is no variable '{name}'{did_you_mean(name, self.names)}")

    @property
    def names(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(v.name for v in self.variables)

    @property
    def numeric(self) -> Space:
        """The variables of a fixed size: those that a batch ``[b, size]`` can hold (no categories, no fields)."""
        return Space([v for v in self.variables if v.is_fixed])

    @property
    def size(self) -> int:
        """Number of components of one sample.

        Raises:
            InputError: a category or a field is among the variables; `numeric` leaves them out.
        """
        return sum(v.size for v in self.variables)

    @property
    def lower(self) -> Floats:
        """Lower bounds ``[size]``, ``-inf`` where there is none."""
        return np.concatenate([np.full(v.size, v.limits[0]) for v in self.variables] or [np.zeros(0)])

    @property
    def upper(self) -> Floats:
        """Upper bounds ``[size]``, ``inf`` where there is none."""
        return np.concatenate([np.full(v.size, v.limits[1]) for v in self.variables] or [np.zeros(0)])

    @property
    def component_names(self) -> tuple[str, ...]:
        """Names of the components: ``"T"`` for a number, ``"strain[1]"`` for an array."""
        return tuple(
            v.name if v.shape == () else f"{v.name}[{','.join(map(str, index))}]"
            for v in self.variables
            for index in np.ndindex(*v.shape)
        )

    def check(self, x: ArrayLike, owner: str) -> Floats:
        """Return ``x`` as float64 ``[b, size]``; raise `ShapeError` naming ``owner`` otherwise."""
        array = _numbers(x, f"{owner} got values that are not numbers; it takes an array [b, {self.size}].")
        if array.ndim != 2 or array.shape[1] != self.size:
            raise ShapeError(
                f"{owner} got an array of shape {array.shape}; "
                f"it takes [b, {self.size}] with the columns {', '.join(self.component_names)}."
            )
        return array

    def unpack(self, x: Floats) -> dict[str, Floats]:
        """Split ``[b, size]`` into a mapping from name to ``[b, *shape]``."""
        parts: dict[str, Floats] = {}
        start = 0
        for v in self.variables:
            parts[v.name] = x[:, start : start + v.size].reshape(len(x), *v.shape)
            start += v.size
        return parts

    def pack(self, values: Mapping[str, ArrayLike], owner: str = "A space") -> Floats:
        """Join a mapping from name to ``[b, *shape]`` into ``[b, size]``.

        Raises:
            InputError: a missing or unknown name, or a shape that does not fit.
        """
        for name in values:
            if name not in self.names:
                raise InputError(f"{owner} got a value '{name}' it does not know{did_you_mean(name, self.names)}")
        columns = []
        for v in self.variables:
            if v.name not in values:
                raise InputError(f"{owner} lacks the value '{v.name}'; it gave {', '.join(values) or 'none'}.")
            array = _numbers(values[v.name], f"{owner} gave '{v.name}' in values that are not numbers.")
            if array.shape[1:] != v.shape or array.ndim != 1 + len(v.shape):
                raise ShapeError(
                    f"{owner} gave '{v.name}' in the shape {array.shape[1:]} per sample; declared is {v.shape}."
                )
            columns.append(array.reshape(len(array), v.size))
            if len(columns[-1]) != len(columns[0]):
                raise ShapeError(
                    f"{owner} gave {len(columns[-1])} samples of '{v.name}' and {len(columns[0])} of "
                    f"'{self.names[0]}'; give as many of each."
                )
        return np.concatenate(columns, axis=1)

    def inside(self, x: Floats) -> NDArray[np.bool_]:
        """Which rows of ``[b, size]`` keep the bounds."""
        kept: NDArray[np.bool_] = np.all((x >= self.lower) & (x <= self.upper), axis=1)
        return kept

    def conversion_to(self, other: Space, owner: str) -> tuple[NDArray[np.int64], Floats, Floats]:
        """How to read a sample of ``other`` from a sample ``x [b, size]`` of this space.

        Returns:
            ``(index, factor, offset)``, each ``[other.size]``: ``y = factor * x[:, index] + offset``.

        Raises:
            InputError: a name is missing on either side, shapes or kinds differ.
            UnitError: units that do not convert.
        """
        for name in self.names:
            if name not in other.names:
                raise InputError(
                    f"{owner}: '{name}' on one side has no partner on the other{did_you_mean(name, other.names)} "
                    "Use model.rename(...) to match names or model.fix(...) to hold one constant."
                )
        starts = dict(zip(self.names, np.cumsum([0, *(v.size for v in self.variables)])[:-1], strict=True))
        index: list[int] = []
        factor: list[float] = []
        offset: list[float] = []
        for v in other:
            mine = self[v.name] if v.name in self.names else None
            if mine is None:
                raise InputError(
                    f"{owner}: '{v.name}' is asked for, but the other side has only {', '.join(self.names)}; "
                    "use model.rename(...) to match names or model.fix(...) to hold it constant."
                )
            if mine.shape != v.shape or mine.kind != v.kind:
                raise ShapeError(
                    f"{owner}: '{v.name}' is {mine.kind} {mine.shape} on one side and {v.kind} {v.shape} on the other; "
                    "declare the same shape and kind on both."
                )
            a, b = conversion(mine.unit, v.unit, f"{owner}: '{v.name}'")
            index += range(starts[v.name], starts[v.name] + v.size)
            factor += [a] * v.size
            offset += [b] * v.size
        return np.array(index, dtype=np.int64), np.array(factor), np.array(offset)


def _numbers(values: ArrayLike, refusal: str) -> Floats:
    try:
        array = np.asarray(values)
        if np.iscomplexobj(array):
            raise TypeError("complex numbers")
        return array.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise ShapeError(refusal) from error


def _variables(entries: Any) -> tuple[Variable, ...]:
    if isinstance(entries, Space):
        return entries.variables
    if isinstance(entries, Mapping):
        return tuple(_variable(name, entry) for name, entry in entries.items())
    if isinstance(entries, Sequence) and not isinstance(entries, str) and all(isinstance(v, Variable) for v in entries):
        return tuple(entries)
    raise InputError(
        f"A space was given as {entries!r}; give a list of Variable or a mapping such as "
        '{"T": ("K", 80, 700), "rho": "kg/m^3"}.'
    )


def _variable(name: str, entry: Any) -> Variable:
    if isinstance(entry, Variable):
        return entry if entry.name == name else entry.renamed(name)
    if isinstance(entry, str):
        return Variable(name, entry)
    if isinstance(entry, tuple) and len(entry) == 3 and isinstance(entry[0], str):
        return Variable(name, entry[0], bounds=(entry[1], entry[2]))
    raise InputError(
        f'The variable \'{name}\' was declared as {entry!r}; write a unit "K", a triple ("K", 80, 700) or a Variable.'
    )
