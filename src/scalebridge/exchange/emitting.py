"""C statements for the operators of a graph, each with its derivative by the point (forward mode)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.exchange.tracing import Step, Trace

# Value, and derivative by the chain rule, from operands a, b, their derivatives da, db and the answer y.
# A derivative that is None vanishes.
Slope = Callable[[str, str, str | None, str | None, str], str | None]
_COUNTER = re.compile(r"\bk\b")
_ALIASES = ("Reshape", "Unsqueeze", "Squeeze", "Identity")


@dataclass
class Memory:
    """Where values live: places in one array of doubles, and constant arrays by name."""

    trace: Trace
    places: dict[str, int] = field(default_factory=dict)
    size: int = 0
    tables: dict[tuple[str, bytes], str] = field(default_factory=dict)

    def place(self, name: str) -> int:
        """The first entry of a value that depends on the point."""
        if name not in self.places:
            self.places[name] = self.size
            self.size += int(np.prod(self.trace.shapes[name], dtype=int))
        return self.places[name]

    def table(self, values: NDArray[Any], kind: str = "double") -> str:
        """The name of a constant array; equal ones share one."""
        flat = np.ascontiguousarray(values, dtype=np.float64 if kind == "double" else np.int64).ravel()
        return self.tables.setdefault((kind, flat.tobytes()), f"k{len(self.tables)}")

    def declarations(self) -> list[str]:
        """C declarations of the constant arrays."""
        lines = []
        for (kind, content), name in self.tables.items():
            flat = np.frombuffer(content, np.float64 if kind == "double" else np.int64)
            words = ", ".join(number(v) if kind == "double" else str(v) for v in flat)
            lines.append(f"static const {kind} {name}[{flat.size}] = {{{words}}};")
        return lines


@dataclass(frozen=True)
class Operand:
    """How an entry is read in C, and its derivative by component ``j`` of the point; None where that vanishes."""

    text: str
    slope: str | None


def statements(trace: Trace, memory: Memory, size: int, slopes: bool) -> list[str]:
    """Return the C statements of a trace whose point has ``size`` components."""
    writer = _Writer(trace, memory, size, slopes)
    for step in trace.steps:
        writer.write(step)
    return writer.lines


class _Writer:
    def __init__(self, trace: Trace, memory: Memory, size: int, slopes: bool) -> None:
        self._trace = trace
        self._memory = memory
        self._d = size
        self._slopes = slopes
        self.lines: list[str] = []

    def write(self, step: Step) -> None:
        """Add the statements of one operator."""
        if step.kind in _ALIASES:
            self._memory.places[step.output] = self._memory.place(step.inputs[0])
        elif step.kind in _UNARY or step.kind in _BINARY:
            self._elementwise(step)
        elif step.kind in ("Transpose", "Gather", "Expand", "Concat"):
            self._moved(step)
        elif step.kind in ("ReduceSum", "ReduceMean"):
            self._reduced(step)
        elif step.kind == "Gemm":
            self._product(step)
        elif step.kind == "TreeEnsemble":
            self._trees(step)
        else:
            raise InputError(f"The operator {step.kind} of the surrogate's graph has no form in C.")

    def _elementwise(self, step: Step) -> None:
        shape = self._trace.shapes[step.output]
        value, slope = _UNARY.get(step.kind) or _BINARY[step.kind]
        operands = [self._operand(name, shape) for name in step.inputs]
        first, second = operands[0], operands[1] if len(operands) > 1 else Operand("", None)
        out = f"v[{_plus('k', self._memory.place(step.output))}]"
        told = slope(first.text, second.text, first.slope, second.slope, out)
        self._loop(shape, [f"{out} = {value.format(a=first.text, b=second.text)};", *self._derivative(out, told)])

    def _operand(self, name: str, shape: Sequence[int]) -> Operand:
        """How an entry is read at the indices ``i0, i1, ...`` of ``shape``."""
        own = self._trace.shapes[name]
        constant = self._trace.constants.get(name)
        if constant is not None and constant.size == 1:
            return Operand(number(constant.ravel()[0]), None)
        index = _index(_strides(own, shape), shape)
        if constant is not None:
            return Operand(f"{self._memory.table(constant)}[{index}]", None)
        at = _plus(index, self._memory.place(name))
        return Operand(f"v[{at}]", f"t[({at}) * {self._d} + j]")

    def _loop(self, shape: Sequence[int], body: Sequence[str]) -> None:
        """Run statements at every index of a shape, ``k`` counting them."""
        axes = [a for a, n in enumerate(shape) if n > 1]
        heads = [f"for (int i{a} = 0; i{a} < {shape[a]}; ++i{a})" for a in axes]
        if any(_COUNTER.search(line) for line in body):
            body = [f"const int k = {_index(_strides(shape, shape), shape)};", *body]
        self.lines += [" ".join([*heads, "{"]), *(f"    {line}" for line in body), "}"]

    def _derivative(self, out: str, told: str | None) -> Iterator[str]:
        if self._slopes:
            at = out.removeprefix("v[").removesuffix("]")
            yield f"for (int j = 0; j < {self._d}; ++j) t[({at}) * {self._d} + j] = {told or '0.0'};"

    def _moved(self, step: Step) -> None:
        """Entries copied to other places; from where is found by moving their numbers."""
        parts = step.inputs if step.kind == "Concat" else step.inputs[:1]
        starts, total = [], 0
        for name in parts:
            starts.append(total)
            total += int(np.prod(self._trace.shapes[name], dtype=int))
        numbers = [
            np.arange(np.prod(self._trace.shapes[name], dtype=int)).reshape(self._trace.shapes[name]) + start
            for name, start in zip(parts, starts, strict=True)
        ]
        source = self._rearranged(step, numbers).ravel()
        place = self._memory.place(step.output)
        for name, start in zip(parts, starts, strict=True):
            size = int(np.prod(self._trace.shapes[name], dtype=int))
            to = np.flatnonzero((source >= start) & (source < start + size))
            if to.size:
                self._copy(name, place, to, source[to] - start)

    def _rearranged(self, step: Step, numbers: list[NDArray[Any]]) -> NDArray[Any]:
        shape = self._trace.shapes[step.output]
        if step.kind == "Concat":
            return np.concatenate(numbers, axis=step.attributes["axis"])
        if step.kind == "Expand":
            return np.broadcast_to(numbers[0], shape)
        if step.kind == "Transpose":
            return np.transpose(numbers[0], step.attributes["perm"])
        at = self._trace.constants.get(step.inputs[1])
        if at is None:
            raise InputError("A surrogate whose graph looks up places that depend on the point has no form in C.")
        taken: NDArray[Any] = np.take(numbers[0], at, axis=step.attributes.get("axis", 0)).reshape(shape)
        return taken

    def _copy(self, name: str, place: int, to: NDArray[Any], source: NDArray[Any]) -> None:
        constant = self._trace.constants.get(name)
        target = _plus(self._counted(to), place)
        if constant is not None:
            self._loop((to.size,), self._into(target, f"{self._memory.table(constant.ravel()[source])}[k]", None))
            return
        at = _plus(self._counted(source), self._memory.place(name))
        self._loop((to.size,), self._into(target, f"v[{at}]", f"t[({at}) * {self._d} + j]"))

    def _into(self, target: str, value: str, slope: str | None) -> list[str]:
        return [f"v[{target}] = {value};", *self._derivative(f"v[{target}]", slope)]

    def _counted(self, numbers: NDArray[Any]) -> str:
        """An expression in ``k`` for numbers: a straight line where they lie on one, else a table."""
        step = int(numbers[1] - numbers[0]) if numbers.size > 1 else 1
        if np.array_equal(numbers, numbers[0] + step * np.arange(numbers.size)):
            return _plus("k" if step == 1 else f"{step} * k", int(numbers[0]))
        return f"{self._memory.table(numbers, 'int')}[k]"

    def _reduced(self, step: Step) -> None:
        shape = self._trace.shapes[step.inputs[0]]
        if len(step.inputs) > 1:
            axes = [int(a) % len(shape) for a in self._trace.constants[step.inputs[1]].ravel()]
        else:
            axes = list(range(len(shape)))
        kept = tuple(1 if a in axes else n for a, n in enumerate(shape))
        place, size = self._memory.place(step.output), int(np.prod(kept, dtype=int))
        self._zero(place, size)
        count = np.prod([shape[a] for a in axes]) if step.kind == "ReduceMean" else 1
        scale = "" if count == 1 else f" / {float(count)}"
        operand = self._operand(step.inputs[0], shape)
        to = _plus(_index(_strides(kept, shape), shape), place)
        body = [f"v[{to}] += {operand.text}{scale};"]
        if self._slopes:
            body.append(
                f"for (int j = 0; j < {self._d}; ++j) t[({to}) * {self._d} + j] += {operand.slope or '0.0'}{scale};"
            )
        self._loop(shape, body)

    def _zero(self, place: int, size: int) -> None:
        self._loop((size,), self._into(_plus("k", place), "0.0", None))

    def _product(self, step: Step) -> None:
        """``a [n, l] @ b [l, m]``, and ``+ c`` where there is one."""
        if any(step.attributes.get(name, usual) != usual for name, usual in _GEMM.items()) or len(step.inputs) > 2:
            raise InputError("A product of matrices with further options has no form in C.")
        (rows, inner), columns = self._trace.shapes[step.inputs[0]], self._trace.shapes[step.inputs[1]][1]
        place = self._memory.place(step.output)
        self._zero(place, rows * columns)
        shape = (rows, inner, columns)
        a = self._strided(step.inputs[0], f"i0 * {inner} + i1", shape, (0, 1))
        b = self._strided(step.inputs[1], f"i1 * {columns} + i2", shape, (1, 2))
        to = _plus(_fixed(f"i0 * {columns} + i2", shape), place)
        body = [f"v[{to}] += {a.text} * {b.text};"]
        told = _sum([_times(b.text, a.slope), _times(a.text, b.slope)])
        if self._slopes and told is not None:
            body.append(f"for (int j = 0; j < {self._d}; ++j) t[({to}) * {self._d} + j] += {told};")
        self._loop(shape, body)

    def _strided(self, name: str, index: str, shape: Sequence[int], axes: tuple[int, int]) -> Operand:
        at = _fixed(index, shape)
        constant = self._trace.constants.get(name)
        if constant is not None:
            return Operand(f"{self._memory.table(constant)}[{at}]", None)
        at = _plus(at, self._memory.place(name))
        return Operand(f"v[{at}]", f"t[({at}) * {self._d} + j]")

    def _trees(self, step: Step) -> None:
        """Sums of leaves, which are constant by pieces."""
        get, x = step.attributes, self._memory.place(step.inputs[0])
        place = self._memory.place(step.output)
        self._zero(place, int(get["n_targets"]))
        integers = ("featureids", "truenodeids", "falsenodeids", "trueleafs", "falseleafs")
        names = {name: self._memory.table(np.asarray(get[f"nodes_{name}"]), "int") for name in integers}
        split, weight = (self._memory.table(_array(get[name])) for name in ("nodes_splits", "leaf_weights"))
        target = self._memory.table(np.asarray(get["leaf_targetids"]), "int")
        roots = np.asarray(get["tree_roots"])
        self.lines += [
            f"for (int k = 0; k < {roots.size}; ++k) {{",
            f"    int at = {self._memory.table(roots, 'int')}[k], leaf = 0;",
            "    while (!leaf) {",
            f"        const int low = v[{x} + {names['featureids']}[at]] <= {split}[at];",
            f"        leaf = low ? {names['trueleafs']}[at] : {names['falseleafs']}[at];",
            f"        at = low ? {names['truenodeids']}[at] : {names['falsenodeids']}[at];",
            "    }",
            f"    v[{place} + {target}[at]] += {weight}[at];",
            "}",
        ]


_GEMM = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0}


def _times(a: str, b: str | None) -> str | None:
    return None if b is None else f"{a} * {b}"


def _sum(parts: Sequence[str | None]) -> str | None:
    kept = [p for p in parts if p is not None]
    return " + ".join(kept) if kept else None


def _chain(factor: str) -> Slope:
    return lambda a, b, da, db, y: None if da is None else f"{factor.format(a=a, b=b, y=y)} * {da}"


def _chosen(sign: str) -> Slope:
    return lambda a, b, da, db, y: f"({a} {sign} {b} ? {db or '0.0'} : {da or '0.0'})"


def _divided(a: str, b: str, da: str | None, db: str | None, y: str) -> str | None:
    top = _sum([da, None if db is None else f"-({y} * {db})"])
    return None if top is None else f"({top}) / {b}"


_UNARY: dict[str, tuple[str, Slope]] = {
    "Exp": ("exp({a})", _chain("{y}")),
    "Log": ("log({a})", lambda a, b, da, db, y: None if da is None else f"{da} / {a}"),
    "Neg": ("-{a}", _chain("-1.0")),
    "Sqrt": ("sqrt({a})", _chain("({y} > 0.0 ? 0.5 / {y} : 0.0)")),
    "Abs": ("fabs({a})", _chain("({a} < 0.0 ? -1.0 : 1.0)")),
    "Tanh": ("tanh({a})", _chain("(1.0 - {y} * {y})")),
    "Cast": ("(double)(float){a}", _chain("1.0")),
}
_BINARY: dict[str, tuple[str, Slope]] = {
    "Add": ("{a} + {b}", lambda a, b, da, db, y: _sum([da, db])),
    "Sub": ("{a} - {b}", lambda a, b, da, db, y: _sum([da, None if db is None else f"-{db}"])),
    "Mul": ("{a} * {b}", lambda a, b, da, db, y: _sum([_times(b, da), _times(a, db)])),
    "Div": ("{a} / {b}", _divided),
    # What is no number stays none, as in NumPy: a bound must not make a value of it.
    "Max": ("({a} < {b} ? {b} : {a})", _chosen("<")),
    "Min": ("({a} > {b} ? {b} : {a})", _chosen(">")),
    "Pow": ("pow({a}, {b})", _chain("{b} * pow({a}, {b} - 1.0)")),
}


def _array(value: Any) -> NDArray[Any]:
    from onnx import numpy_helper

    return numpy_helper.to_array(value) if hasattr(value, "data_type") else np.asarray(value)


def number(value: Any) -> str:
    """A double as C reads it back, to the last bit."""
    double = float(value)
    if np.isinf(double):
        return "HUGE_VAL" if double > 0 else "(-HUGE_VAL)"
    text = repr(double)
    return f"({text})" if double < 0 else text


def _strides(own: Sequence[int], shape: Sequence[int]) -> list[int]:
    """Strides of an array of shape ``own`` broadcast to ``shape``."""
    padded = [1] * (len(shape) - len(own)) + list(own)
    strides, step = [0] * len(shape), 1
    for a in reversed(range(len(shape))):
        strides[a] = step if padded[a] > 1 else 0
        step *= padded[a]
    return strides


def _index(strides: Sequence[int], shape: Sequence[int]) -> str:
    parts = [f"i{a}" if s == 1 else f"i{a} * {s}" for a, s in enumerate(strides) if s and shape[a] > 1]
    return " + ".join(parts) or "0"


def _fixed(index: str, shape: Sequence[int]) -> str:
    """An index in which axes of length one, that have no loop, are zero."""
    for a, n in enumerate(shape):
        if n == 1:
            index = index.replace(f"i{a}", "0")
    return index


def _plus(index: str, start: int) -> str:
    return index if start == 0 else str(start) if index == "0" else f"{start} + {index}"
