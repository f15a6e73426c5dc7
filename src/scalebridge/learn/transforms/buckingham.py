"""Dimensionless groups from units, in exact rational numbers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from scalebridge.errors import InputError
from scalebridge.quantities import Space
from scalebridge.quantities.units import check_unit, conversion, registry

Row = tuple[Fraction, ...]
# More sets of repeating variables than this are not tried.
MOST_SETS = 20_000


@dataclass(frozen=True)
class Exponents:
    """Exponents of the groups.

    Args:
        repeating: indices of the repeating inputs.
        groups: exponents of all ``d`` inputs, one row for each group.
        scales: exponents of all ``d`` inputs in the combination of each output's dimension.
    """

    repeating: tuple[int, ...]
    groups: tuple[Row, ...]
    scales: tuple[Row, ...]


def base_units(space: Space) -> list[tuple[float, float, dict[str, Fraction]]]:
    """For each component: factor and offset to base units, and exponents of the dimensions there.

    Raises:
        UnitError: a unit that is no straight line of base units (decibels).
    """
    found = []
    for v in space:
        factor, offset, powers = 1.0, 0.0, {}
        if v.unit != "1":
            check_unit(v.unit, f"The variable '{v.name}'")
            base = registry().Quantity(1.0, v.unit).to_base_units().units
            factor, offset = conversion(v.unit, str(base), f"The variable '{v.name}'")
            for name, power in dict(registry().Unit(v.unit).dimensionality).items():
                powers[str(name)] = Fraction(str(power)).limit_denominator(24)
        found += [(factor, offset, powers)] * v.size
    return found


def find_groups(
    inputs: Space,
    outputs: Space,
    powers: Sequence[dict[str, Fraction]],
    wanted: Sequence[dict[str, Fraction]],
    positive: Sequence[bool],
    named: Sequence[int] = (),
) -> Exponents:
    """The groups of repeating variables that give the smallest exponents, or of those named.

    Args:
        inputs, outputs: spaces, for words.
        powers: exponents of the dimensions of each input.
        wanted: the same of each output.
        positive: which inputs are positive: only these can be repeated.
        named: inputs to repeat.

    Raises:
        InputError: no such groups.

    Source: E. Buckingham, On physically similar systems, Physical Review 4 (1914) 345-376.
    """
    dimensions = sorted({name for p in [*powers, *wanted] for name in p})
    columns = [tuple(p.get(name, Fraction(0)) for name in dimensions) for p in powers]
    goals = [tuple(p.get(name, Fraction(0)) for name in dimensions) for p in wanted]
    _check_outputs(outputs, goals, columns, inputs)
    rank = len(_independent(columns))
    candidates = [i for i, column in enumerate(columns) if any(column) and positive[i]]
    if named:
        sets = [tuple(named)]
        _check_named(inputs, columns, positive, named, rank)
    else:
        sets = list(itertools.islice(itertools.combinations(candidates, rank), MOST_SETS))
    best: tuple[tuple[Fraction, ...], Exponents] | None = None
    for chosen in sets:
        basis = [columns[i] for i in chosen]
        if len(_independent(basis)) < rank:
            continue
        groups = _groups_of(chosen, columns, goals, positive)
        if best is None or _cost(groups) < best[0]:
            best = (_cost(groups), groups)
    if best is None:
        signed = [inputs.component_names[i] for i, ok in enumerate(positive) if any(columns[i]) and not ok]
        raise InputError(
            "Dimensionless finds no set of positive inputs that repeats all dimensions"
            + (f" ({', '.join(signed)} may be zero or negative)" if signed else "")
            + "; declare lower bounds of at least zero, or add the input that is missing."
        )
    return best[1]


def _groups_of(chosen: Sequence[int], columns: list[Row], goals: list[Row], positive: Sequence[bool]) -> Exponents:
    basis, d = [columns[i] for i in chosen], len(columns)
    groups, scales = [], []
    for i in range(d):
        if i in chosen:
            continue
        solved = _solve(basis, columns[i])
        assert solved is not None
        # Whole exponents read better; a variable that may be negative keeps the power one.
        power = lcm(*(a.denominator for a in solved)) if positive[i] and solved else 1
        row = [Fraction(0)] * d
        row[i] = Fraction(power)
        for k, a in zip(chosen, solved, strict=True):
            row[k] = -power * a
        # More factors above the line than below: Reynolds' number, not its inverse.
        if positive[i] and sum(a < 0 for a in row) > sum(a > 0 for a in row):
            row = [-a for a in row]
        groups.append(tuple(row))
    for goal in goals:
        row, solved = [Fraction(0)] * d, _solve(basis, goal)
        assert solved is not None
        for k, a in zip(chosen, solved, strict=True):
            row[k] = a
        scales.append(tuple(row))
    return Exponents(tuple(chosen), tuple(groups), tuple(scales))


def _cost(groups: Exponents) -> tuple[Fraction, ...]:
    rows = [*groups.groups, *groups.scales]
    sizes = sum((abs(a) for row in rows for a in row), Fraction(0))
    broken = Fraction(sum(a.denominator > 1 for row in rows for a in row))
    return (sizes + broken, Fraction(sum(bool(a) for row in rows for a in row)))


def _check_outputs(outputs: Space, goals: list[Row], columns: list[Row], inputs: Space) -> None:
    for name, goal in zip(outputs.component_names, goals, strict=True):
        if any(goal) and _solve([columns[i] for i in _independent(columns)], goal) is None:
            variable = outputs[name.split("[")[0]]
            raise InputError(
                f"Dimensionless cannot form the dimension of the output '{name}' ({variable.unit}) from the inputs "
                f"{', '.join(f'{v.name} ({v.unit})' for v in inputs)}; add the input that is missing, such as a "
                "constant of nature, or leave this output to a surrogate of its own."
            )


def _check_named(inputs: Space, columns: list[Row], positive: Sequence[bool], named: Sequence[int], rank: int) -> None:
    names = ", ".join(inputs.component_names[i] for i in named)
    for i in named:
        if not positive[i]:
            raise InputError(
                f"Dimensionless is to repeat '{inputs.component_names[i]}', which may be zero or negative; repeat "
                "inputs that are positive."
            )
    if len(named) != rank or len(_independent([columns[i] for i in named])) < rank:
        raise InputError(
            f"Dimensionless is to repeat {names}, from which not all dimensions follow once each; name {rank} "
            "inputs of independent dimensions, or none to have them chosen."
        )


def _independent(rows: Sequence[Row]) -> list[int]:
    """Indices of the first rows that are linearly independent."""
    kept: list[int] = []
    reduced: list[list[Fraction]] = []
    for index, row in enumerate(rows):
        rest = list(row)
        for r in reduced:
            pivot = next(k for k, a in enumerate(r) if a)
            if rest[pivot]:
                factor = rest[pivot] / r[pivot]
                rest = [a - factor * b for a, b in zip(rest, r, strict=True)]
        if any(rest):
            reduced.append(rest)
            kept.append(index)
    return kept


def _solve(basis: Sequence[Row], goal: Row) -> tuple[Fraction, ...] | None:
    """Coefficients of independent rows that sum to ``goal``; None where there are none."""
    n = len(basis)
    table = [[*(row[k] for row in basis), goal[k]] for k in range(len(goal))]
    done = 0
    for column in range(n):
        pivot = next((r for r in range(done, len(table)) if table[r][column]), None)
        if pivot is None:
            return None
        table[done], table[pivot] = table[pivot], table[done]
        table[done] = [a / table[done][column] for a in table[done]]
        for r in range(len(table)):
            if r != done and table[r][column]:
                table[r] = [a - table[r][column] * b for a, b in zip(table[r], table[done], strict=True)]
        done += 1
    if any(row[n] for row in table[done:]):
        return None
    return tuple(table[k][n] for k in range(n))


def written(exponents: Row, names: Sequence[str]) -> str:
    """``"rho v D mu^-1"`` of a row of exponents."""
    words = [n if a == 1 else f"{n}^{a}" for n, a in zip(names, exponents, strict=True) if a]
    return " ".join(words) or "1"
