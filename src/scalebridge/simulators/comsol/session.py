"""What runs in the supervised process: one client of COMSOL, one model, row after row. Needs MPh.

Every call that is made of MPh stands here; a test compares each with the signatures of the installed package.
"""

from __future__ import annotations

import faulthandler
import importlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities.units import conversion
from scalebridge.simulators.comsol.evaluation import Evaluation, Exported, part_of, reduced
from scalebridge.simulators.comsol.export import read_export
from scalebridge.simulators.comsol.refusals import is_lost, reason, refused_start


@dataclass(frozen=True)
class Wanted:
    """What a session is asked for.

    Args:
        library: the module that offers MPh's interface.
        file: the model.
        source: digest of its content: a file that was changed is loaded again.
        study: its name; all where None.
        cores, version: of COMSOL.
        fresh: clear meshes and solutions before each row, so that it does not depend on the one before.
        inputs: names of the parameters.
        results: what is read, and the unit that COMSOL is asked for, by output.
    """

    library: str
    file: str
    source: str
    study: str | None
    cores: int | None
    version: str | None
    fresh: bool
    inputs: tuple[str, ...]
    results: tuple[tuple[str, Evaluation | Exported, str], ...]


# The client and the model of this process: COMSOL allows one client per process.
_HELD: dict[str, Any] = {}


def start(wanted: Wanted) -> None:
    """Start the client and load the model.

    Raises:
        InputError: no MPh, no COMSOL, a parameter, study, dataset or export that the model does not have.
        RuntimeError: it does not start, as without a licence.
    """
    try:
        library = importlib.import_module(wanted.library)
    except ImportError:
        raise InputError("COMSOL is driven through MPh: pip install 'scalebridge[comsol]' (it needs Java).") from None
    # Java uses the signals that Python's fault handler would report (JPype, "Errors reported by Python fault handler").
    faulthandler.disable()
    try:
        client = library.start(cores=wanted.cores, version=wanted.version)
        model = client.load(wanted.file)
    except Exception as error:
        raise refused_start(error) or RuntimeError(reason(error)) from None
    _check(model, wanted)
    _HELD.update(client=client, model=model)


def run(wanted: Wanted, values: Mapping[str, str]) -> tuple[str, Any]:
    """Set the parameters, solve and read.

    Returns:
        ``("ok", {output: [n]})``, ``("failed", reason)``, or ``("lost", reason)`` where the server is gone.
    """
    model = _HELD["model"]
    try:
        if wanted.fresh:
            model.clear()
        for name, value in values.items():
            model.parameter(name, value)
        model.solve(wanted.study)
        problems = [str(p["message"]) for p in model.problems() if p["category"] == "error"]
        if problems:
            return "failed", reason(RuntimeError(problems[0]))
    except Exception as error:
        return "lost" if is_lost(error) else "failed", reason(error)
    found: dict[str, NDArray[np.float64]] = {}
    for name, result, unit in wanted.results:
        try:
            found[name] = _read(model, result, unit)
        except Exception as error:
            return "failed", f"'{name}': {reason(error)}"
    return "ok", found


def fields(
    wanted: Wanted, values: Mapping[str, str], expressions: Sequence[str], units: Sequence[str], dataset: str | None
) -> tuple[str, Any]:
    """Solve as `run` and evaluate expressions at the points of a dataset: ``("ok", [e, n])``."""
    status, found = run(wanted, values)
    if status != "ok":
        return status, found
    model = _HELD["model"]
    try:
        table = np.asarray(model.evaluate(list(expressions), list(units), dataset, "last"))
    except Exception as error:
        return "failed", reason(error)
    if np.iscomplexobj(table) and (table.imag != 0).any():
        return "failed", "a value is complex; evaluate real(...), imag(...) or abs(...)"
    table = table.real
    return "ok", table.reshape(len(expressions), -1).astype(np.float64)


def close() -> None:
    """Give the model up and let the server go; a local server of MPh ends with its client."""
    client, model = _HELD.pop("client", None), _HELD.pop("model", None)
    if client is None:
        return
    client.remove(model)
    if client.port:
        client.disconnect()


def _check(model: Any, wanted: Wanted) -> None:
    """COMSOL takes a parameter that it does not know for a new one: names are checked first."""
    owner = f"The COMSOL model '{Path(wanted.file).name}'"
    for name in wanted.inputs:
        known = list(model.parameters())
        if name not in known:
            raise InputError(f"{owner} has no parameter '{name}'{did_you_mean(name, known)}")
    if wanted.study is not None and wanted.study not in model.studies():
        raise InputError(f"{owner} has no study '{wanted.study}'{did_you_mean(wanted.study, model.studies())}")
    for _, result, _ in wanted.results:
        if isinstance(result, Exported) and result.node not in model.exports():
            raise InputError(f"{owner} has no export '{result.node}'{did_you_mean(result.node, model.exports())}")
        dataset = getattr(result, "dataset", None)
        if dataset is not None and dataset not in model.datasets():
            raise InputError(f"{owner} has no dataset '{dataset}'{did_you_mean(dataset, model.datasets())}")


def _read(model: Any, result: Evaluation | Exported, unit: str) -> NDArray[np.float64]:
    if isinstance(result, Exported):
        return _exported(model, result, unit)
    inner: Any = list(result.inner) if isinstance(result.inner, tuple) else result.inner
    raw = np.asarray(model.evaluate(result.expression, unit, result.dataset, inner, result.outer))
    return reduced(part_of(raw, result.part), result.statistic).astype(np.float64)


def _exported(model: Any, result: Exported, unit: str) -> NDArray[np.float64]:
    with tempfile.TemporaryDirectory(prefix="scalebridge-comsol-") as folder:
        file = Path(folder) / "export.txt"
        model.export(result.node, str(file))
        export = read_export(file)
    step = export.steps[-1] if result.step is None else result.step
    for k, column in enumerate(export.columns):
        if column.name == result.column and column.step == step:
            factor, offset = conversion(column.unit, unit, f"the column '{column.text}'")
            values = factor * part_of(np.asarray(export.values[:, k]), result.part) + offset
            return reduced(values, result.statistic).astype(np.float64)
    known = [column.name for column in export.columns if column.step == step]
    raise ValueError(f"the export '{result.node}' has no column '{result.column}'{did_you_mean(result.column, known)}")
