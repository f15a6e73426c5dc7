"""Checks of units: stated, mixed, and plausible for what a column is called."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from scalebridge.data.checks.asked import Asked, listed
from scalebridge.data.checks.finding import Finding
from scalebridge.data.cleansing.gaps import called

_WORDS = re.compile(r"[a-z]+")
# These have no sign, whatever the material.
POSITIVE = {"density", "mass", "weight", "thickness", "width", "length", "diameter", "area", "volume", "cycles", "age"}
POSITIVE |= {"speed", "count", "counts", "humidity", "precipitation", "duration", "radius"}
# A difference, a rate or a logarithm of anything may be negative.
SIGNED = {"change", "difference", "delta", "error", "residual", "rate", "log", "shift", "gradient", "normalised", "z"}
FRACTIONS = {"fraction", "porosity", "saturation", "probability"}
# Stiffness and strength of solids lie between those of a gel and of diamond, in Pa.
STIFFNESS, STRENGTH = (1e2, 2e12), (1e2, 2e11)


def units(asked: Asked) -> Iterator[Finding]:
    """Numbers whose unit nobody stated, and one unit family written in several units."""
    data = asked.dataset
    unstated = [n for n in data.source.unstated if n in data.space.names and data.space[n].unit == "1"]
    if unstated:
        severity = "warn" if len(unstated) < len(data.numeric_names) or asked.target in unstated else "note"
        yield Finding(
            "units",
            severity,
            f"Nobody stated the unit of {len(unstated)} columns: {listed(unstated)}.",
            'State them when reading (units={"T": "degC"}) or in the header ("T [degC]"); "1" for pure numbers.',
            tuple(unstated),
        )
    families: dict[str, dict[str, list[str]]] = {}
    for name in asked.numbers:
        unit = data.space[name].unit
        if unit != "1" and _dimension(unit) != "dimensionless":
            families.setdefault(_dimension(unit), {}).setdefault(_spelt(unit), []).append(name)
    mixed = [
        " and ".join(f"{m[0]} [{data.space[m[0]].unit}]" for m in kinds.values())
        for kinds in families.values()
        if len(kinds) > 1
    ]
    if mixed:
        yield Finding(
            "units",
            "note",
            f"One kind of quantity is written in several units: {'; '.join(mixed[:4])}.",
            "Convert to one (in_units) before columns are compared or added.",
        )


def mixed_magnitudes(asked: Asked) -> Iterator[Finding]:
    """A column in two clusters a thousand apart: Pa among MPa, g among kg."""
    for name in asked.features + ((asked.target,) if asked.goal is not None and asked.target else ()):
        values = asked.known(name)
        values = values[values > 0]
        if len(values) < 10:
            continue
        logs = np.sort(np.log10(values))
        steps = np.diff(logs)
        at = int(np.argmax(steps))
        # An empty stretch wider than either side is itself: two units, not one wide range.
        sides = max(logs[at] - logs[0], logs[-1] - logs[at + 1])
        few = min(at + 1, len(logs) - at - 1)
        if steps[at] > 2.0 and steps[at] > 2 * sides and few >= 2 and few / len(logs) < 0.5:
            small = data_rows(asked, name, 10 ** (0.5 * (logs[at] + logs[at + 1])), few == at + 1)
            yield Finding(
                "mixed units",
                "stop" if name == asked.target else "warn",
                f"'{name}' falls in two clusters a factor of {10 ** steps[at]:.3g} apart; {few} of {len(values)} "
                f"values are in the smaller one ({listed([called(asked.dataset, r) for r in small], 4)}).",
                "Check whether these rows were written in another unit (Pa for MPa, g for kg), and convert them.",
                (name,),
                tuple(small[:10]),
            )


def data_rows(asked: Asked, name: str, border: float, below: bool) -> list[int]:
    """Rows of a column on one side of a border."""
    column = asked.dataset[name]
    with np.errstate(invalid="ignore"):
        return np.flatnonzero((column < border) & (column > 0) if below else column > border).tolist()


def plausibility(asked: Asked) -> Iterator[Finding]:
    """Values that the name or unit of a column does not allow: below absolute zero, a negative mass."""
    data = asked.dataset
    for name in asked.numbers:
        values, variable = asked.known(name), data.space[name]
        if not len(values):
            continue
        words = set(_WORDS.findall(f"{name} {variable.description}".lower()))
        low, high, why = _limits(variable.unit, words)
        bounds = variable.limits
        low, high = max(low, bounds[0]), min(high, bounds[1])
        column = data[name]
        with np.errstate(invalid="ignore"):
            rows = np.flatnonzero((column < low) | (column > high))
        if len(rows):
            yield Finding(
                "plausibility",
                "stop" if len(rows) < 0.5 * len(values) else "warn",
                f"'{name}' is {column[rows[0]]:.6g} {variable.unit if variable.unit != '1' else ''} in "
                f"{called(data, int(rows[0]))} ({len(rows)} such rows); it lies between {low:.4g} and "
                f"{high:.4g} ({why or 'declared bounds'}).",
                "Correct the value or the unit; a code such as -999 is a gap.",
                (name,),
                tuple(rows[:10].tolist()),
            )
        codes = [c for c in (-9999.0, -999.0, -99.0, 9999.0, 99999.0) if (values == c).sum() >= 2]
        ordinary = values[~np.isin(values, codes)]
        if (
            codes
            and len(ordinary)
            and (max(codes) > 5 * np.abs(ordinary).max() or min(codes) < min(-50.0, 2 * ordinary.min()))
        ):
            yield Finding(
                "plausibility",
                "stop",
                f"'{name}' is {codes[0]:g} in {int((values == codes[0]).sum())} rows, far from its "
                "other values: a code for a gap.",
                "Read it as a gap.",
                (name,),
            )


def _limits(unit: str, words: set[str]) -> tuple[float, float, str]:
    from scalebridge.quantities.units import conversion

    if words & SIGNED:
        return -np.inf, np.inf, ""
    kind = "dimensionless" if unit == "1" else _dimension(unit)
    if kind == "[temperature]" and not unit.startswith("delta"):
        return conversion("K", unit, "absolute zero")[1], np.inf, "absolute zero"
    if kind == "[mass] / [length] / [time] ** 2" and words & {"modulus", "stiffness", "strength"}:
        factor, _ = conversion("Pa", unit, "a modulus")
        low, high = STRENGTH if "strength" in words else STIFFNESS
        return low * factor, high * factor, "solids"
    if unit == "1" and words & FRACTIONS:
        return 0.0, 1.0, "fractions"
    if words & POSITIVE:
        return 0.0, np.inf, f"a {sorted(words & POSITIVE)[0]}"
    return -np.inf, np.inf, ""


def _spelt(unit: str) -> str:
    """One spelling of a unit: degree for degrees and deg."""
    from scalebridge.quantities.units import registry

    return f"{registry().Unit(unit):~}" or unit


def _dimension(unit: str) -> str:
    from scalebridge.quantities.units import registry

    return str(registry().Unit(unit).dimensionality)
