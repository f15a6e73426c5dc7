"""A surrogate as C: one header that needs the standard library alone and answers as the surrogate does."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.errors import InputError
from scalebridge.exchange.emitting import Memory, number, statements
from scalebridge.exchange.tracing import graph_of, traced
from scalebridge.exchange.writing import checked_name, write_text
from scalebridge.quantities import Floats, Space

POINT = "x"


def export_c(surrogate: Any, path: str | os.PathLike[str], *, name: str | None = None) -> Path:
    """Write a fitted surrogate as one C header; an older one is replaced.

    The header (C99) has functions that keep nothing between calls and may be called by several threads at once where
    the compiler knows thread-local data (C11, or GCC and Clang): ``NAME_value(x, y)``, ``NAME_evaluate(x, y, dydx)``
    with the exact derivative, ``NAME_std(x, std)``, the posterior deviation, and ``NAME_inside(x)``, the guard:
    1 in the surrogate's domain and within the bounds of its inputs. ``x [d]`` and ``y [m]`` are in the order and the
    units of the surrogate's spaces, which the header's comment names, ``dydx [m * d]`` row by row. Outside the guard
    the answer continues as the surrogate does, by its prior mean.

    Args:
        surrogate: fitted; of the methods that have a graph (see `scalebridge.learn.export_onnx`).
        path: of the header; its folder must exist.
        name: that functions begin with; by default the name of the file.

    Returns:
        The path written.

    Raises:
        InputError: the extra ``onnx`` is missing (the graph is built with it), the method has no graph, a name that
            C does not take, no folder.
    """
    file = Path(path)
    title = checked_name(file.stem if name is None else name)
    return write_text(file, header_text(surrogate, title))


def header_text(surrogate: Any, name: str, std: bool = True) -> str:
    """Return the text of the header, with or without the deviation; see `export_c`."""
    graph, mean, deviation = graph_of(surrogate, POINT)
    d, m = surrogate.inputs.size, surrogate.outputs.size
    point = np.asarray(surrogate.data[0][0], dtype=np.float64)
    declarations: dict[str, None] = {}
    bodies = []
    known: dict[tuple[str, bytes], str] = {}
    functions = [("value", mean, False), ("evaluate", mean, True), ("std", deviation, False)]
    for what, wanted, slopes in functions if std else functions[:2]:
        memory = Memory(traced(graph, POINT, point, [wanted]), tables=known)
        memory.place(POINT)
        lines = statements(memory.trace, memory, d, slopes)
        told = memory.trace.constants.get(wanted)
        at = f"v[{memory.place(wanted)} + k]" if told is None else f"{memory.table(told)}[k]"
        slope = f"t[({memory.place(wanted)} + k) * {d} + j]" if told is None else "0.0"
        bodies.append(_function(name, what, d, m, memory.size, slopes, lines, at, slope))
    declarations.update(dict.fromkeys(Memory(memory.trace, tables=known).declarations()))
    guard = f"{name.upper()}_H"
    return "\n".join(
        [
            *_comment(surrogate, name),
            f"#ifndef {guard}",
            f"#define {guard}",
            *_PREAMBLE.format(name=name.upper(), d=d, m=m).splitlines(),
            "",
            *(line.replace(" k", f" {name}_k", 1) for line in declarations),
            *_inside(surrogate, name, d),
            *(_renamed(body, name, len(known)) for body in bodies),
            f"#endif /* {guard} */",
            "",
        ]
    )


_PREAMBLE = """#include <math.h>

#define {name}_INPUTS {d}
#define {name}_OUTPUTS {m}

#ifndef SCALEBRIDGE_LOCAL
#if defined(__GNUC__)
#define SCALEBRIDGE_LOCAL static __thread
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L && !defined(__STDC_NO_THREADS__)
#define SCALEBRIDGE_LOCAL static _Thread_local
#else
#define SCALEBRIDGE_LOCAL static
#endif
#if defined(__GNUC__)
#define SCALEBRIDGE_FUNCTION static __attribute__((unused))
#else
#define SCALEBRIDGE_FUNCTION static
#endif
#endif"""


def _function(
    name: str, what: str, d: int, m: int, size: int, slopes: bool, lines: Sequence[str], at: str, slope: str
) -> str:
    """One function of the header."""
    arguments = {
        "value": f"double y[{m}]",
        "evaluate": f"double y[{m}], double dydx[{m * d}]",
        "std": f"double std[{m}]",
    }[what]
    target = "std" if what == "std" else "y"
    text = [f"SCALEBRIDGE_FUNCTION void {name}_{what}(const double x[{d}], {arguments}) {{"]
    text.append(f"    SCALEBRIDGE_LOCAL double v[{size}];")
    if slopes:
        text.append(f"    SCALEBRIDGE_LOCAL double t[{size * d}];")
    # A value that depends on no point leaves it unread.
    text.append(f"    for (int k = 0; k < {d}; ++k) v[k] = x[k];")
    text.append("    (void)v;")
    if slopes:
        text.append(f"    for (int k = 0; k < {d}; ++k) for (int j = 0; j < {d}; ++j) t[k * {d} + j] = k == j;")
        text.append("    (void)t;")
    text += [f"    {line}" for line in lines]
    text.append(f"    for (int k = 0; k < {m}; ++k) {target}[k] = {at};")
    if slopes:
        text.append(f"    for (int k = 0; k < {m}; ++k) for (int j = 0; j < {d}; ++j) dydx[k * {d} + j] = {slope};")
    return "\n".join([*text, "}", ""])


def _renamed(body: str, name: str, count: int) -> str:
    """Constant arrays under names of their own, so that two headers can stand in one file."""
    for i in reversed(range(count)):
        body = body.replace(f"k{i}[", f"{name}_k{i}[")
    return body


def _inside(surrogate: Any, name: str, d: int) -> list[str]:
    """The guard: the boxes of the domain and the bounds of the inputs."""
    boxes = [_box(low, high) for low, high in _boxes(surrogate.domain)]
    bounds = _box(surrogate.inputs.lower, surrogate.inputs.upper)
    any_box = " || ".join(f"({box})" for box in boxes)
    return [
        f"SCALEBRIDGE_FUNCTION int {name}_inside(const double x[{d}]) {{",
        f"    return ({any_box}) && ({bounds or '1'});",
        "}",
        "",
    ]


def _box(lower: Floats, upper: Floats) -> str:
    """The condition that a point lies between bounds; infinite ones ask nothing, and NaN lies nowhere."""
    asks = []
    for k, (low, high) in enumerate(zip(lower, upper, strict=True)):
        asks.append(f"x[{k}] >= {number(low)}" if np.isfinite(low) else f"x[{k}] == x[{k}]")
        if np.isfinite(high):
            asks.append(f"x[{k}] <= {number(high)}")
    return " && ".join(asks)


def _boxes(domain: Any) -> list[tuple[Floats, Floats]]:
    from scalebridge.learn.box import Box
    from scalebridge.learn.calibration.wrapped import EitherDomain

    if isinstance(domain, Box):
        return [(domain.lower, domain.upper)]
    if isinstance(domain, EitherDomain):
        return [*_boxes(domain.model), *_boxes(domain.runs)]
    raise InputError(f"The domain of the surrogate is a {type(domain).__name__}, which has no form in C; boxes have.")


def _comment(surrogate: Any, name: str) -> list[str]:
    """What stands above the code: what the numbers mean and where they come from."""
    x = surrogate.data[0]
    identity = json.dumps(dict(surrogate.identity()), sort_keys=True)
    lines = [
        f"{name}: a surrogate ({surrogate.name}) of {len(x)} runs, written by scalebridge {version('scalebridge')}.",
        f"x [{surrogate.inputs.size}]: {_described(surrogate.inputs)}",
        f"y [{surrogate.outputs.size}]: {_described(surrogate.outputs)}",
        "Symmetric tensors are in Mandel components: 11, 22, 33, then sqrt(2) times 23, 13, 12 (plane: 11, 22, 12).",
        "Outside of its domain (inside == 0) the answer is a continuation that no run supports.",
        f"identity: {identity}",
    ]
    return ["/*", *(f" * {line.replace('*/', '* /')}" for line in lines), " */"]


def _described(space: Space) -> str:
    return ", ".join(f"{v.name}{list(v.shape) if v.shape else ''} [{v.unit}]" for v in space)
