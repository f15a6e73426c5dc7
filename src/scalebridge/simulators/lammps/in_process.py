"""LAMMPS through its Python module, in a supervised process that may crash without us."""

from __future__ import annotations

import os
import re
import resource
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scalebridge.simulators.lammps.library import library_error, load

_COMPUTE = re.compile(r"c_(\w+)(?:\[(\d+)\])?")


@dataclass(frozen=True)
class Answer:
    """What the child found.

    Args:
        error: what LAMMPS said when it stopped; empty where it came to the end.
        formula: that was being evaluated when it stopped; empty where it was still in the script.
        numbers: formula -> its value at the end.
        taken: output -> what its own function took from the live LAMMPS.
    """

    error: str = ""
    formula: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    taken: Mapping[str, Any] = field(default_factory=dict)


def run_script(
    folder: str,
    script: str,
    arguments: Sequence[str],
    formulas: Sequence[str],
    taking: Mapping[str, Callable[[Any], Any]],
    module: str = "lammps",
    memory: int | None = None,
    file_size: int | None = None,
) -> Answer:
    """Run a script in ``folder`` with a LAMMPS of this process; to be called in a child of its own.

    Args:
        folder: working folder.
        script: name of the script in it.
        arguments: of LAMMPS' command line.
        formulas: to evaluate at the end, such as ``v_eta``, ``c_msd[4]`` or ``2*v_eta``.
        taking: output -> function of the live ``lammps`` object.
        module: the Python module that has the class ``lammps``.
        memory: bytes of address space of this process.
        file_size: bytes of any one file; the process is killed by the system where one grows past it.

    Raises:
        InputError: LAMMPS or its MPI library is missing.
    """
    os.chdir(folder)
    _limit(resource.RLIMIT_AS, memory)
    _limit(resource.RLIMIT_FSIZE, file_size)
    # Python ignores this signal, and then a write past the limit would be lost without a word.
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    loaded = load(module)
    try:
        instance = loaded.lammps(cmdargs=list(arguments))
    except OSError as error:
        words = library_error(error)
        return Answer(error=words or str(error))
    formula, numbers = "", {}
    try:
        instance.file(script)
        for formula in formulas:
            numbers[formula] = value_of(instance, formula)
        formula = ""
        return Answer(numbers=numbers, taken={name: take(instance) for name, take in taking.items()})
    except Exception as error:
        # LAMMPS raises plain exceptions, and MPIAbortException, whose text is the message.
        return Answer(error=str(getattr(error, "message", None) or error), formula=formula)
    finally:
        instance.close()


def value_of(instance: Any, formula: str) -> float:
    """Return the number of a variable, a compute or an element of one, or a formula of them.

    Raises:
        Exception: as LAMMPS raises it, where there is no such thing.
    """
    compute = _COMPUTE.fullmatch(formula)
    if compute and compute[2] is None:
        return _number(instance.extract_compute(compute[1], 0, 0), formula)
    if compute:
        vector = instance.extract_compute(compute[1], 0, 1)
        # Without an element the pointer is still there; LAMMPS itself knows the length.
        length = int(instance.extract_compute(compute[1], 0, 3)) if vector else 0
        if not 1 <= int(compute[2]) <= length:
            raise ValueError(f"ERROR: the compute '{compute[1]}' has {length} elements, and '{formula}' is asked for")
        return _number(vector[int(compute[2]) - 1], formula)
    # A variable too goes by the formula, as in a program: LAMMPS hands its value on with 15 digits.
    if hasattr(instance, "eval"):
        return _number(instance.eval(formula), formula)
    instance.command(f'variable scalebridge_value equal "{formula}"')
    return _number(instance.extract_variable("scalebridge_value"), formula)


def _limit(which: int, most: int | None) -> None:
    hard = resource.getrlimit(which)[1]
    if most is not None:
        resource.setrlimit(which, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _number(value: Any, formula: str) -> float:
    if value is None:
        raise ValueError(f"ERROR: there is no '{formula}' at the end of the script")
    return float(value)
