"""Surrogates as ONNX graphs: a model without code, for any program that runs ONNX."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.errors import InputError
from scalebridge.learn.archive import LIBRARIES
from scalebridge.learn.onnx.graph import Answer, Graph
from scalebridge.quantities import Floats, Space

# What runtimes read since 2024: trees in double precision came with the fifth version of the operators of learning.
OPSET, LEARNING_OPSET, IR = 18, 5, 9
# A protocol buffer holds no more; larger graphs would need a second file beside the first.
MOST_BYTES = 2_000_000_000
WRITTEN = (
    "GaussianProcess, SparseGaussianProcess, HeteroscedasticGaussianProcess, PolynomialChaos, RandomForest, "
    "QuantileForest, GradientBoosting, ScikitLearn with a linear regressor or trees, Ensemble of these, and Auto and "
    "Recalibrated with one of these inside"
)


def export_onnx(surrogate: Any, path: str | os.PathLike[str]) -> None:
    """Write the mean and the standard deviation of a fitted surrogate as one ONNX file; an older one is replaced.

    The graph takes one input for every input variable, ``[rows, *shape]`` in its unit, and answers with two outputs
    for every output variable ``y``, ``y_mean`` and ``y_std``, and with ``inside [rows]``, whether a row lies in the
    domain. All numbers are float64. Names, units, bounds, domain, runs and versions stand in the metadata under
    ``scalebridge``, as JSON. Nothing outside the file is referred to. A graph keeps no law beyond mean and deviation:
    joint samples and quantiles need `save`.

    Args:
        surrogate: fitted; of the methods that have a graph.
        path: of the file; its folder must exist.

    Raises:
        InputError: the extra ``onnx`` is missing; not fitted; the method has no graph; names that collide; no folder.
    """
    try:
        onnx = import_module("onnx")
    except ImportError as error:
        raise InputError(
            'Exporting to ONNX needs the package onnx; install it with pip install "scalebridge[onnx]".'
        ) from error
    title = f"The surrogate '{getattr(surrogate, 'name', type(surrogate).__name__)}'"
    if not hasattr(surrogate, "posterior"):
        raise InputError(f"A {type(surrogate).__name__} cannot be exported to ONNX; give a fitted surrogate.")
    # Asks for the runs: a surrogate that is not fitted refuses, in its own words.
    about = json.dumps(_about(surrogate), sort_keys=True, allow_nan=False)
    g = Graph()
    inputs, outputs = list(surrogate.inputs), list(surrogate.outputs)
    x = _joined(g, surrogate.inputs)
    try:
        told = answered(g, surrogate, x)
        inside = contained(g, surrogate.domain, x)
    except InputError as error:
        raise InputError(f"{title} cannot be exported to ONNX: {error}") from error
    values = {"mean": told.mean, "std": told.std}
    names = [f"{v.name}_{what}" for v in outputs for what in values] + ["inside"]
    _check_names(title, [v.name for v in inputs], names)
    for what, value in values.items():
        _parted(g, surrogate.outputs, value, what)
    g.nodes.append(onnx.helper.make_node("Identity", [inside], ["inside"], name="inside"))
    model = _model(onnx, g, surrogate, about)
    content = model.SerializeToString(deterministic=True)
    if len(content) > MOST_BYTES:
        raise InputError(
            f"{title} would make an ONNX file of {len(content) / 1e9:.1f} GB, and one holds at most 2 GB; fit fewer "
            "trees or runs."
        )
    onnx.checker.check_model(model, full_check=True)
    _write(Path(path), content)


def answered(g: Graph, surrogate: Any, x: str) -> Answer:
    """Mean and deviation ``[n, m]`` of a fitted surrogate at ``x [n, d]``, the outputs' bounds kept.

    Raises:
        InputError: the method has no graph.
    """
    told = _answered(g, surrogate, x)
    low, high = surrogate.outputs.lower, surrogate.outputs.upper
    mean = told.mean
    if np.isfinite(low).any():
        mean = g.node("Max", mean, low)
    if np.isfinite(high).any():
        mean = g.node("Min", mean, high)
    return Answer(mean, told.std)


def _answered(g: Graph, surrogate: Any, x: str) -> Answer:
    from scalebridge.learn import (
        Auto,
        Ensemble,
        GaussianProcess,
        GradientBoosting,
        PolynomialChaos,
        QuantileForest,
        RandomForest,
        Recalibrated,
        ScikitLearn,
    )
    from scalebridge.learn.gaussian_process import Fitted
    from scalebridge.learn.heteroscedastic_gaussian_process import HeteroscedasticGaussianProcess
    from scalebridge.learn.onnx import gaussian, polynomials, predictors
    from scalebridge.learn.sparse_gaussian_process import SparseGaussianProcess

    if isinstance(surrogate, GaussianProcess):
        known = surrogate.state
        return gaussian.averaged(g, known, x) if isinstance(known, Fitted) else gaussian.potential(g, known, x)
    if isinstance(surrogate, SparseGaussianProcess):
        return gaussian.sparse(g, surrogate.state, x)
    if isinstance(surrogate, HeteroscedasticGaussianProcess):
        return gaussian.heteroscedastic(g, surrogate.state, x)
    if isinstance(surrogate, PolynomialChaos):
        return polynomials.polynomial_chaos(g, surrogate.state, x)
    if isinstance(surrogate, RandomForest):
        return predictors.random_forest(g, surrogate.state, x)
    if isinstance(surrogate, QuantileForest):
        return predictors.quantile_forest(g, surrogate.state, x)
    if isinstance(surrogate, ScikitLearn) and hasattr(surrogate.estimator, "predict_proba"):
        raise InputError("a classifier's posterior is that of probabilities, which has no graph yet.")
    if isinstance(surrogate, GradientBoosting | ScikitLearn):
        return predictors.cross_validated(g, surrogate.state, x)
    if isinstance(surrogate, Ensemble):
        return _mixture(g, [answered(g, member, x) for member in surrogate.state])
    if isinstance(surrogate, Auto):
        inner = answered(g, surrogate.chosen, x)
        return Answer(inner.mean, g.multiply(inner.std, surrogate.state.factor))
    if isinstance(surrogate, Recalibrated):
        inner = answered(g, surrogate.model, x)
        factor = surrogate.posterior(surrogate.runs.x[:1]).factor
        return Answer(inner.mean, g.multiply(inner.std, factor))
    raise InputError(f"the method {type(surrogate).__name__} has no graph; these have one: {WRITTEN}.")


def _mixture(g: Graph, members: list[Answer]) -> Answer:
    """Mean and deviation of "one of the members, all as likely", by the law of total variance."""
    from scalebridge.learn.onnx.predictors import variance_between

    count = float(len(members))
    means = g.stacked([member.mean for member in members], 2)
    inner = g.divide(g.squares(g.stacked([member.std for member in members], 2), 2), count)
    std = g.root(g.add(inner, variance_between(g, means, len(members), 0)))
    return Answer(g.divide(g.total(means, 2), count), std)


def contained(g: Graph, domain: Any, x: str) -> str:
    """Which rows ``[n]`` lie in a domain.

    Raises:
        InputError: a domain that is made of no boxes.
    """
    from scalebridge.learn.box import Box
    from scalebridge.learn.calibration.wrapped import EitherDomain

    if isinstance(domain, EitherDomain):
        return g.node("Or", contained(g, domain.model, x), contained(g, domain.runs, x))
    if isinstance(domain, Box):
        kept = g.node("And", g.node("GreaterOrEqual", x, domain.lower), g.node("LessOrEqual", x, domain.upper))
        outside = g.total(g.node("Where", kept, 0.0, 1.0), 1)
        return g.node("Equal", outside, 0.0)
    raise InputError(f"its domain, a {type(domain).__name__}, has no graph.")


def _joined(g: Graph, space: Space) -> str:
    """All components ``[n, d]`` from one value per variable."""
    return g.joined([g.shaped(v.name, (v.size,)) for v in space], 1)


def _parted(g: Graph, space: Space, value: str, what: str) -> None:
    """One output per variable from ``value [n, m]``."""
    from onnx import helper

    start = 0
    for v in space:
        part = g.shaped(g.take(value, np.arange(start, start + v.size), 1), v.shape)
        g.nodes.append(helper.make_node("Identity", [part], [f"{v.name}_{what}"], name=f"{v.name}_{what}"))
        start += v.size


def _model(onnx: Any, g: Graph, surrogate: Any, about: str) -> Any:
    helper, double = onnx.helper, onnx.TensorProto.DOUBLE

    def told(name: str, v: Any, words: str) -> Any:
        return helper.make_tensor_value_info(name, double, ["rows", *v.shape], doc_string=f"{words} [{v.unit}]")

    inputs = [told(v.name, v, v.description or v.name) for v in surrogate.inputs]
    outputs = [
        told(f"{v.name}_{what}", v, f"{words} of {v.description or v.name}")
        for what, words in (("mean", "mean"), ("std", "standard deviation"))
        for v in surrogate.outputs
    ]
    inside = helper.make_tensor_value_info(
        "inside", onnx.TensorProto.BOOL, ["rows"], doc_string="whether the row lies in the domain"
    )
    graph = helper.make_graph(g.nodes, "surrogate", inputs, [*outputs, inside], g.constants)
    model = helper.make_model(
        graph,
        producer_name="scalebridge",
        producer_version=version("scalebridge"),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", LEARNING_OPSET)],
        ir_version=IR,
    )
    helper.set_model_props(model, {"scalebridge": about})
    return model


def _about(surrogate: Any) -> dict[str, Any]:
    """What the surrogate is, in words and numbers."""
    x, y, _ = surrogate.data
    certificate: Any = getattr(surrogate, "certificate", None)
    return {
        "format": "scalebridge-onnx",
        "format_version": 1,
        "name": surrogate.name,
        "identity": dict(surrogate.identity()),
        "inputs": [asdict(v) for v in surrogate.inputs],
        "outputs": [asdict(v) for v in surrogate.outputs],
        "domain": _domain(surrogate.domain),
        "runs": {"count": len(x), "sha256": hashlib.sha256(_bytes(x) + _bytes(y)).hexdigest()},
        "certificate": certificate.as_dict() if hasattr(certificate, "as_dict") else certificate,
        "versions": {name: version(name) for name in (*LIBRARIES, "onnx")},
    }


def _domain(domain: Any) -> dict[str, Any]:
    """Its bounds, component by component; of a domain of two boxes, both."""
    if hasattr(domain, "lower"):
        return {"lower": domain.lower.tolist(), "upper": domain.upper.tolist()}
    return {name: _domain(getattr(domain, name)) for name in ("model", "runs") if hasattr(domain, name)}


def _bytes(array: Floats) -> bytes:
    return np.ascontiguousarray(array).tobytes()


def _check_names(title: str, inputs: list[str], outputs: list[str]) -> None:
    taken = [name for name in outputs if name in inputs or outputs.count(name) > 1]
    if taken:
        raise InputError(
            f"{title} cannot be exported to ONNX: the graph's output '{taken[0]}' has the name of another value; "
            "rename that variable."
        )


def _write(path: Path, content: bytes) -> None:
    if not path.parent.is_dir():
        raise InputError(f"'{path}' cannot be written: the folder '{path.parent}' does not exist; make it first.")
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
