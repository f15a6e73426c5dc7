"""What runs in the supervised process: one Mechanical APDL, row after row. Needs PyMAPDL.

Every call that is made of PyMAPDL stands here; a test compares each with the signatures of the package.
"""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, did_you_mean
from scalebridge.simulators.ansys.output import errors_in, reason
from scalebridge.simulators.ansys.readings import Nodal, Reading, Scalar, Value, reduced


@dataclass(frozen=True)
class Wanted:
    """What a session is asked for.

    Args:
        library: the module that offers PyMAPDL's interface.
        exec_file: the program.
        cores: of the machine.
        start_timeout: seconds in which it must have started.
        script: APDL input.
        results: what is read, by output.
    """

    library: str
    exec_file: str
    cores: int | None
    start_timeout: int
    script: str
    results: tuple[tuple[str, Reading], ...]


# Degrees of freedom. What elements give is 0 at nodes without a value, as mid-side nodes are (PyMAPDL, PostProcessing).
_AT_ALL_NODES = ("nodal_displacement", "nodal_rotation", "nodal_temperature", "nodal_pressure", "nodal_voltage")
# Results of structures, of heat and of magnetic fields.
_RESULTS = ("*.rst", "*.rth", "*.rmg")
# The program of this process, and its folder.
_HELD: dict[str, Any] = {}


def start(wanted: Wanted) -> None:
    """Start the program in a folder of its own.

    Raises:
        InputError: no PyMAPDL, a nodal result that it does not know.
        RuntimeError: it does not start, as without a licence.
    """
    try:
        library = importlib.import_module(wanted.library)
    except ImportError:
        raise InputError("Mechanical APDL is driven through PyMAPDL: pip install 'scalebridge[ansys]'.") from None
    folder = tempfile.mkdtemp(prefix="mapdl-")
    try:
        mapdl = library.launch_mapdl(
            exec_file=wanted.exec_file,
            run_location=folder,
            jobname="file",
            nproc=wanted.cores,
            start_instance=True,
            override=True,
            cleanup_on_exit=True,
            loglevel="CRITICAL",
            start_timeout=wanted.start_timeout,
        )
    except Exception as error:
        raise RuntimeError(_said(error)) from None
    post = mapdl.post_processing
    for _, result in wanted.results:
        # Asked of the class: numbers are properties, which would be computed here.
        if isinstance(result, Nodal) and not hasattr(type(post), result.quantity):
            known = [name for name in dir(post) if name.startswith("nodal_")]
            raise InputError(f"PyMAPDL has no result '{result.quantity}'{did_you_mean(result.quantity, known)}")
    _HELD.update(mapdl=mapdl, folder=Path(folder))


def run(wanted: Wanted, values: Mapping[str, float]) -> tuple[str, Any]:
    """Clear, set the parameters, run the script and read.

    Returns:
        ``("ok", {output: [n]})``, ``("failed", reason)``, or ``("lost", reason)`` where the program is gone.
    """
    mapdl = _HELD["mapdl"]
    try:
        mapdl.finish()
        mapdl.clear()
        _forget_results(_HELD["folder"])
        for name, value in values.items():
            mapdl.parameters[name] = value
        said = str(mapdl.input_strings(wanted.script))
    except Exception as error:
        return _failed(error)
    errors = errors_in(said.encode().splitlines())
    if errors:
        return "failed", reason(errors[0])
    found: dict[str, NDArray[np.float64]] = {}
    for name, result in wanted.results:
        try:
            found[name] = _read(mapdl, result)
        except Exception as error:
            status, words = _failed(error)
            return status, f"'{name}': {words}"
    return "ok", found


def result_file(wanted: Wanted, values: Mapping[str, float]) -> tuple[str, Any]:
    """Run as `run`; the path of the result file that it wrote."""
    status, found = run(wanted, values)
    if status != "ok":
        return status, found
    mapdl = _HELD["mapdl"]
    try:
        mapdl.finish()
        named = mapdl.result_file  # None where PyMAPDL finds none
    except Exception as error:
        return _failed(error)
    if not named or not Path(named).is_file():
        return "failed", "the script wrote no result file; does it SOLVE?"
    return "ok", str(named)


def close() -> None:
    """End the program and let its licence go."""
    mapdl = _HELD.pop("mapdl", None)
    if mapdl is not None:
        mapdl.exit()


def _forget_results(folder: Path) -> None:
    """Remove the result files of the row before, which a row that does not solve would take for its own."""
    for pattern in _RESULTS:
        for file in folder.glob(pattern):
            file.unlink()


def _read(mapdl: Any, result: Reading) -> NDArray[np.float64]:
    if isinstance(result, Value):
        raw = mapdl.get_value(
            result.entity, result.number, result.item, result.item_number, result.item2, result.item2_number
        )
        return np.atleast_1d(np.asarray(raw, dtype=np.float64))
    if isinstance(result, Scalar):
        return np.atleast_1d(np.asarray(mapdl.parameters[result.name], dtype=np.float64))
    mapdl.finish()
    mapdl.post1()
    mapdl.set("LAST")
    values = _nodal(mapdl, result.quantity, result.component)
    if result.statistic is not None and result.quantity not in _AT_ALL_NODES and (values == 0).any():
        known = (values != 0) | (_nodal(mapdl, "nodal_eqv_stress", None) != 0)
        values = values[known] if known.any() else values
    return reduced(values, result.statistic)


def _nodal(mapdl: Any, quantity: str, component: str | None) -> NDArray[np.float64]:
    asked = getattr(mapdl.post_processing, quantity)
    arguments = () if component is None else (component,)
    # Numbers are methods of no argument or properties, according to the release.
    return np.asarray(asked(*arguments) if callable(asked) else asked, dtype=np.float64)


def _failed(error: Exception) -> tuple[str, str]:
    gone = {"MapdlExitedError", "MapdlConnectionError"} & {kind.__name__ for kind in type(error).__mro__}
    return "lost" if gone else "failed", _said(error)


def _said(error: BaseException) -> str:
    text = str(error).strip()
    found = errors_in(text.encode().splitlines())
    return reason(found[0] if found else text or type(error).__name__)
