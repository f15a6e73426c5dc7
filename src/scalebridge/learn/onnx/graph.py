"""A graph of ONNX operators under construction; numbers in it are float64."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A value in the graph by its name, or an array that becomes a constant.
Value = str | NDArray[Any] | float


@dataclass(frozen=True)
class Answer:
    """Names of the mean and of the standard deviation, ``[n, m]`` each."""

    mean: str
    std: str


@dataclass
class Graph:
    """Nodes and constants; every method adds a node and returns the name of its answer.

    Names hold a dot, so that none is that of a variable, which is an identifier.
    """

    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def node(self, kind: str, *inputs: Value, **attributes: Any) -> str:
        """The operator ``kind`` on values."""
        from onnx import helper

        names, told = [self.name(value) for value in inputs], f"{kind}.{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, names, [told], name=told, **attributes))
        return told

    def name(self, value: Value) -> str:
        """The name of a value; an array or a number becomes a constant inside the graph."""
        from onnx import numpy_helper

        if isinstance(value, str):
            return value
        told = f"constant.{len(self.constants)}"
        array = np.ascontiguousarray(value).reshape(np.shape(value))
        self.constants.append(numpy_helper.from_array(array, told))
        return told

    def add(self, a: Value, b: Value) -> str:
        """``a + b``."""
        return self.node("Add", a, b)

    def subtract(self, a: Value, b: Value) -> str:
        """``a - b``."""
        return self.node("Sub", a, b)

    def multiply(self, a: Value, b: Value) -> str:
        """``a b``, entry by entry."""
        return self.node("Mul", a, b)

    def divide(self, a: Value, b: Value) -> str:
        """``a / b``, entry by entry."""
        return self.node("Div", a, b)

    def dot(self, a: Value, b: Value) -> str:
        """``a @ b`` of two matrices.

        Not by ``MatMul``: onnxruntime draws factors near it into an attribute, and rounds them to single precision.
        """
        return self.node("Gemm", a, b)

    def root(self, a: Value) -> str:
        """The square root."""
        return self.node("Sqrt", a)

    def total(self, a: Value, axis: int, *, keep: bool = False) -> str:
        """Sum along an axis."""
        return self.node("ReduceSum", a, np.array([axis]), keepdims=int(keep))

    def squares(self, a: Value, axis: int) -> str:
        """Sum of squares along an axis."""
        return self.total(self.multiply(a, a) if isinstance(a, str) else np.square(a), axis)

    def least(self, a: Value, lowest: float) -> str:
        """The larger of ``a`` and a number."""
        return self.node("Max", a, lowest)

    def take(self, a: Value, at: Any, axis: int) -> str:
        """``numpy.take``."""
        return self.node("Gather", a, at if isinstance(at, str) else np.asarray(at, dtype=np.int64), axis=axis)

    def shaped(self, a: Value, shape: Sequence[int]) -> str:
        """``a [n, ...]`` in the shape ``[n, *shape]``."""
        return self.node("Reshape", a, np.array([0, *shape], dtype=np.int64))

    def widened(self, a: Value, axis: int) -> str:
        """An axis of length one put in."""
        return self.node("Unsqueeze", a, np.array([axis]))

    def stacked(self, parts: Sequence[str], axis: int) -> str:
        """``numpy.stack``."""
        return self.joined([self.widened(part, axis) for part in parts], axis)

    def joined(self, parts: Sequence[str], axis: int) -> str:
        """``numpy.concatenate``."""
        return parts[0] if len(parts) == 1 else self.node("Concat", *parts, axis=axis)

    def rows(self, row: NDArray[Any], like: str) -> str:
        """The same ``row [k]`` for every row of ``like [n, ...]``: ``[n, k]``."""
        count = self.take(self.node("Shape", like), np.array([0]), 0)
        return self.node("Expand", row[None], self.joined([count, self.name(np.array([1]))], 0))

    def quadrature(self, parts: Sequence[Value]) -> str:
        """The root of the sum of squares of values that broadcast."""
        total = self.multiply(parts[0], parts[0])
        for part in parts[1:]:
            total = self.add(total, self.multiply(part, part))
        return self.root(total)
