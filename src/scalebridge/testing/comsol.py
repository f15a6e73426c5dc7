"""A stand-in for MPh 1.4 and COMSOL: the same calls, the same exceptions, one model of physics.

``Comsol(..., library="scalebridge.testing.comsol")`` uses it in place of ``mph``. It loads a real ``.mph`` file for
its parameters, studies, datasets and exports, and knows the physics of a plate capacitor without fringe field, as
the demonstration model of MPh has it: ``es.intWe``, ``V``, ``x``, ``y``, at rest, in time and over a sweep.

What it follows: `mph.start` (one client per process, from one thread), `Client.load`, `remove`, `disconnect`,
`Model.parameter` (a new name makes a new parameter), `parameters`, `studies`, `datasets`, `exports`, `solve`,
`evaluate` (squeezed arrays; the first of "inner" is 1), `export`, `clear`, `problems`. Java's exceptions are
`FlException`.

Faults are asked for in the environment variable ``SCALEBRIDGE_FAKE_COMSOL``, a JSON object: ``start`` or ``solve``
-> ``"licence"``, ``"missing"`` (start), ``"unconverged"``, ``"problem"``, ``"lost"``, ``"hang"``, ``"crash"``;
``when`` -> ``[parameter, value]`` from which on the solve misbehaves; ``log`` -> a file to which each call is appended.
"""

from __future__ import annotations

import ast
import json
import math
import operator
import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.quantities.units import registry
from scalebridge.simulators.comsol.model_file import read_model
from scalebridge.testing.fakes import append_line

_TIMES = np.linspace(0.0, 1.0, 11)
_EPSILON_0 = 8.8541878128e-12
_POINTS = np.array([(x, y) for y in (0.0, 0.5, 1.0) for x in (0.0, 0.25, 0.5, 0.75, 1.0)])
_FIELDS = ("x", "y", "V")


class FlException(Exception):
    """An exception of COMSOL's Java side as Python sees it (com.comsol.util.exceptions.FlException)."""

    def __init__(self, *messages: str) -> None:
        lines = "\n".join(f"\t{message}" for message in messages)
        super().__init__(f"com.comsol.util.exceptions.FlException: {messages[0]}\nMessages:\n{lines}")


class Model:
    """A loaded model (`mph.Model`)."""

    def __init__(self, file: Path) -> None:
        self._file = file
        said = read_model(file)
        self._parameters = {p.name: p.expression for p in said.parameters}
        self._names = {part: list(said.names(part)) for part in ("studies", "datasets", "exports")}
        self._solved: dict[str, dict[str, float]] = {}
        self._problems: list[dict[str, Any]] = []

    def name(self) -> str:
        """Name of the model."""
        return self._file.stem

    def parameter(self, name: str, value: str | float | None = None, *, evaluate: bool = False) -> Any:
        """Return or set a parameter; a name that is not known is made."""
        if value is not None:
            _log(f"parameter {name} {value}")
            self._parameters[name] = str(value)
            return None
        if name not in self._parameters:
            raise ValueError(f'Parameter "{name}" is not defined.')
        return self._values()[name] if evaluate else self._parameters[name]

    def parameters(self, evaluate: bool = False) -> dict[str, Any]:
        """Parameters by name, as expressions or as numbers in base units."""
        return dict(self._values() if evaluate else self._parameters)

    def studies(self) -> list[str]:
        """Names of the studies."""
        return list(self._names["studies"])

    def datasets(self) -> list[str]:
        """Names of the datasets."""
        return list(self._names["datasets"])

    def exports(self) -> list[str]:
        """Names of the exports."""
        return list(self._names["exports"])

    def problems(self) -> list[dict[str, Any]]:
        """Warnings and errors of the nodes."""
        return list(self._problems)

    def clear(self) -> None:
        """Forget solutions and meshes."""
        self._solved = {}
        self._problems = []

    def solve(self, study: str | None = None) -> None:
        """Solve a study, or all."""
        if study is not None and study not in self.studies():
            raise LookupError(f'Study "{study}" does not exist.')
        values = self._values()
        _log(f"solve {study}")
        self._misbehave(values)
        for name in self.studies() if study is None else [study]:
            self._solved[name] = values

    def evaluate(
        self,
        expression: str | list[str],
        unit: str | list[str] | None = None,
        dataset: str | None = None,
        inner: str | list[int] | None = None,
        outer: int | None = None,
    ) -> Any:
        """Evaluate expressions: numbers, or arrays over times and points, squeezed."""
        if not (inner is None or inner in ("first", "last") or isinstance(inner, list)):
            raise TypeError(
                'Argument "inner", if specified, must be either "first", "last", or a list/array of integers.'
            )
        if outer is not None and not isinstance(outer, int):
            raise TypeError('Argument "outer", if specified, must be an integer index.')
        if dataset is not None and dataset not in self.datasets():
            raise ValueError(f'Dataset "{dataset}" does not exist.')
        if not self._solved:
            raise RuntimeError("The solution has not been computed.")
        many = isinstance(expression, list)
        texts = expression if isinstance(expression, list) else [expression]
        units = unit if isinstance(unit, list) else [unit] * len(texts)
        in_time = dataset is not None and "time" in dataset
        table = [self._one(text, in_time) for text in texts]
        chosen = [_chosen(values, inner, in_time) for values in table]
        converted = [_in_unit(values, u) for values, u in zip(chosen, units, strict=True)]
        return np.array([c.squeeze() for c in np.broadcast_arrays(*converted)]) if many else converted[0].squeeze()

    def export(self, node: str | None = None, file: str | Path | None = None) -> None:
        """Write the potential as a spreadsheet."""
        if node not in self.exports():
            raise ValueError(f'Node "exports/{node}" does not exist in model tree.')
        points, potential = self._one("x", False), self._one("V", False)
        rows = [f"{x:.16g} {y:.16g} {v:.16g}" for x, y, v in zip(points, self._one("y", False), potential, strict=True)]
        head = ["% Model: capacitor.mph", "% Version: COMSOL 5.5.0.359", "% Dimension: 2", "% Length unit: m"]
        Path(str(file)).write_text("\n".join([*head, "% x  y  V (V)", *rows]) + "\n", encoding="utf-8")

    def _values(self) -> dict[str, float]:
        known: dict[str, Any] = {"pi": math.pi}
        for name, text in self._parameters.items():
            known[name] = float(computed(text, known))
        return {name: known[name] for name in self._parameters}

    def _one(self, text: str, in_time: bool) -> NDArray[np.float64]:
        """Values of one expression: ``[1 or times]``, or ``[times, points]`` of a field."""
        p = next(iter(self._solved.values()))
        charge = 1.0 - np.exp(-_TIMES / 0.1) if in_time else np.ones(1)
        width, voltage = p["d"], p["U"] * charge
        known: dict[str, Any] = {**p, "pi": math.pi, "epsilon0_const": _EPSILON_0, "t": _TIMES if in_time else 0.0}
        known["es.intWe"] = 0.5 * _EPSILON_0 * p["l"] * p["w"] / width * voltage**2
        known["ec.Z"] = np.array([1.0 + 2.0j])
        if not set(re.findall(r"[A-Za-z_]\w*", text)) & set(_FIELDS):
            return np.atleast_1d(computed(text, known))
        known |= {"x": width * _POINTS[:, 0], "y": p["l"] * _POINTS[:, 1]}
        known["V"] = (voltage[:, None] * _POINTS[:, 0])[slice(None) if in_time else 0]
        return np.asarray(computed(text, known))

    def _misbehave(self, values: dict[str, float]) -> None:
        fault = _faults().get("solve")
        name, limit = _faults().get("when", ["d", -math.inf])
        if fault is None or values.get(name, -math.inf) < limit:
            return
        _do(fault)
        if fault == "unconverged":
            raise FlException(
                "Failed to find a solution.",
                "Maximum number of Newton iterations reached.",
                "Returned solution is not converged.",
            )
        if fault == "lost":
            raise FlException("Connection to server lost.")
        if fault == "problem":
            self._problems = [
                {"message": "No convergence in a step.", "category": "error", "node": None, "selection": ""}
            ]


class Client:
    """The one client of a process (`mph.Client`)."""

    def __init__(self, cores: int | None, version: str | None, port: int | None) -> None:
        self.cores, self.version, self.port, self.standalone = cores or os.cpu_count(), version or "6.2", port, False
        self._models: list[Model] = []

    def load(self, file: Path | str) -> Model:
        """Load a model."""
        if not Path(file).is_file():
            raise FlException(f"File not found: {file}")
        _log(f"load {Path(file).name}")
        self._models.append(Model(Path(file)))
        return self._models[-1]

    def models(self) -> list[Model]:
        """Models that are held."""
        return list(self._models)

    def remove(self, model: Model) -> None:
        """Give a model up."""
        if model not in self._models:
            raise ValueError("Model does not exist.")
        self._models.remove(model)

    def disconnect(self) -> None:
        """Leave the server, which then ends."""
        if not self.port:
            raise RuntimeError("The client is not connected to a server.")
        _log("disconnect")
        self.port = None


_CLIENT: list[Client] = []
_THREAD: list[threading.Thread] = []


def start(cores: int | None = None, version: str | None = None, port: int = 0) -> Client:
    """Start the client, or return the one there is (`mph.start`)."""
    if _THREAD and _THREAD[0] is not threading.current_thread():
        raise RuntimeError("Cannot access client instance from different thread.")
    if not _CLIENT:
        _log("start")
        fault = _faults().get("start")
        if fault == "missing":
            raise RuntimeError("Could not find a supported Comsol installation.")
        if fault == "licence":
            raise RuntimeError("Starting server failed: Could not obtain license for COMSOL.")
        _do(fault)
        _THREAD.append(threading.current_thread())
        _CLIENT.append(Client(cores, version, port or 2036))
    return _CLIENT[0]


def _faults() -> dict[str, Any]:
    text = os.environ.get("SCALEBRIDGE_FAKE_COMSOL")
    return dict(json.loads(text)) if text else {}


def _do(fault: str | None) -> None:
    if fault == "hang":
        time.sleep(3600)
    if fault == "crash":
        os._exit(66)
    if fault == "licence":
        raise FlException("License error: -4.", "Licensed number of users already reached.")


def _log(line: str) -> None:
    path = _faults().get("log")
    if path:
        append_line(path, f"{os.getpid()} {line}")


_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def computed(text: str, known: dict[str, Any]) -> Any:
    """An expression of numbers, names and + - * / ^, with a unit in brackets behind it."""
    body, _, unit = text.partition("[")
    factor = 1.0
    if unit:
        factor = (
            registry()
            .Quantity(1.0, unit.rstrip("]").strip() if unit.strip("] ") != "1" else "")
            .to_base_units()
            .magnitude
        )
    try:
        tree = ast.parse(body.strip().replace("^", "**"), mode="eval").body
    except SyntaxError:
        raise FlException("Syntax error in expression.", f"Expression: {text}") from None
    return _node(tree, known) * factor


def _node(node: ast.expr, known: dict[str, Any]) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        return _BINARY[type(node.op)](_node(node.left, known), _node(node.right, known))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_node(node.operand, known)
    name = ast.unparse(node)
    if name not in known:
        raise FlException("Undefined variable.", f"Variable: {name}")
    return known[name]


def _chosen(values: NDArray[Any], inner: str | list[int] | None, in_time: bool) -> NDArray[Any]:
    if inner is None or not in_time or len(values) != len(_TIMES):
        return values
    if inner in ("first", "last"):
        return np.asarray(values[0 if inner == "first" else -1])
    return np.asarray(values[np.array(inner) - 1])


def _in_unit(values: NDArray[Any], unit: str | None) -> NDArray[Any]:
    if unit in (None, "1"):
        return values
    return np.asarray(values / registry().Quantity(1.0, str(unit)).to_base_units().magnitude)
