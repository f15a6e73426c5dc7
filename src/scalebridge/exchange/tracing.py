"""A surrogate's graph for one point, with every shape known and all that does not depend on the point worked out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.learn.onnx.graph import Graph
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class Step:
    """One operator of the graph that depends on the point."""

    kind: str
    inputs: tuple[str, ...]
    output: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class Trace:
    """The operators that some values need, in order.

    Args:
        steps: of values that depend on the point.
        shapes: of every value that a step reads or writes.
        constants: values that depend on no point.
    """

    steps: tuple[Step, ...]
    shapes: Mapping[str, tuple[int, ...]]
    constants: Mapping[str, NDArray[Any]]


def traced(graph: Graph, name: str, point: Floats, wanted: Sequence[str]) -> Trace:
    """Follow a graph at one point ``[d]`` of the input ``name [1, d]``.

    Raises:
        InputError: the extra ``onnx`` is missing.
    """
    from onnx import helper, numpy_helper

    values = evaluated(graph, name, point)
    constants = {c.name: numpy_helper.to_array(c) for c in graph.constants}
    needed, steps = set(wanted), []
    for node in reversed(_depending(graph, name)):
        if node.output[0] in needed:
            needed.update(node.input)
            attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            steps.append(Step(node.op_type, tuple(node.input), node.output[0], attributes))
    written = {step.output for step in steps} | {name}
    known = {n: np.asarray(constants[n] if n in constants else values[n]) for n in needed - written}
    shapes = {n: np.shape(values[n]) for n in (needed & written) | {name}}
    shapes |= {n: np.shape(array) for n, array in known.items()}
    return Trace(tuple(reversed(steps)), shapes, known)


def _depending(graph: Graph, name: str) -> list[Any]:
    """The nodes that depend on the input; its shape, which is fixed here, is no dependence."""
    depends, found = {name}, []
    for node in graph.nodes:
        if node.op_type != "Shape" and depends.intersection(node.input):
            depends.update(node.output)
            found.append(node)
    return found


def evaluated(graph: Graph, name: str, point: Floats) -> dict[str, NDArray[Any]]:
    """Every value of the graph at a point, by the reference implementation of the operators."""
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    from scalebridge.learn.onnx_export import IR, LEARNING_OPSET, OPSET

    outputs = [node.output[0] for node in graph.nodes]
    x = helper.make_tensor_value_info(name, TensorProto.DOUBLE, [1, point.size])
    told = [helper.make_value_info(n, helper.make_tensor_type_proto(TensorProto.UNDEFINED, None)) for n in outputs]
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", LEARNING_OPSET)]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "surrogate", [x], told, graph.constants), opset_imports=opsets, ir_version=IR
    )
    found = ReferenceEvaluator(model).run(None, {name: point.reshape(1, -1)})
    return {name: point.reshape(1, -1), **dict(zip(outputs, found, strict=True))}


def graph_of(surrogate: Any, name: str) -> tuple[Graph, str, str]:
    """Return the graph of a fitted surrogate with the names of its mean and deviation ``[1, m]``.

    Raises:
        InputError: the extra ``onnx`` is missing, or the method has no graph.
    """
    from scalebridge.learn.onnx_export import answered

    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise InputError(
            'Exporting a surrogate needs the package onnx; install it with pip install "scalebridge[onnx]".'
        ) from error
    title = f"The surrogate '{checked(surrogate).name}'"
    graph = Graph()
    try:
        told = answered(graph, surrogate, name)
    except InputError as error:
        raise InputError(f"{title} cannot be exported: {error}") from error
    return graph, told.mean, told.std


def checked(surrogate: Any) -> Any:
    """Return a surrogate.

    Raises:
        InputError: anything else.
    """
    if not hasattr(surrogate, "predict") or not hasattr(surrogate, "domain"):
        raise InputError(
            f"A {type(surrogate).__name__} cannot be exported; give a fitted surrogate, as answer.surrogate is."
        )
    return surrogate
