"""A surrogate as a Python module of NumPy and a C compiler alone: for interpreters that have no ScaleBridge."""

from __future__ import annotations

import keyword
import os
import sys
from pathlib import Path
from typing import Any

from scalebridge.errors import InputError
from scalebridge.exchange.c_code import header_text
from scalebridge.exchange.tracing import checked
from scalebridge.exchange.writing import checked_name, write_text


def export_python(surrogate: Any, folder: str | os.PathLike[str], *, name: str = "law") -> list[Path]:
    """Write a fitted surrogate as ``NAME.h``, ``NAME.c`` and ``NAME.py``; older files are replaced.

    ``NAME.py`` needs NumPy and a C compiler (``cc``, or the variable ``CC``), which it calls once, on first use, to
    make a library beside itself. ``NAME.evaluate(x)`` takes ``x [n, d]`` and returns values ``[n, m]``, the exact
    derivative ``[n, m, d]`` and ``inside [n]``: the callable that an external operator of FEniCSx, a user's own
    solver or a coupling library asks at its quadrature points. Units and order are in the header's comment.

    Args:
        surrogate: fitted; of the methods that have a graph.
        folder: must exist.
        name: of files and module.

    Returns:
        The paths written.

    Raises:
        InputError: as `export_c`.
    """
    place = Path(folder)
    if checked_name(name) in (*sys.stdlib_module_names, "numpy") or keyword.iskeyword(name):
        raise InputError(
            f"The module would be called '{name}', as a module or a word of Python's own; give another name."
        )
    d, m = checked(surrogate).inputs.size, surrogate.outputs.size
    files = {
        f"{name}.h": header_text(surrogate, name, std=False),
        f"{name}.c": _C.format(name=name, d=d, m=m),
        f"{name}.py": _PYTHON.format(name=name, d=d, m=m),
    }
    return [write_text(place / file, text) for file, text in files.items()]


_C = """#include "{name}.h"

/* x [n, {d}], y [n, {m}], dydx [n, {m}, {d}], inside [n] */
void {name}_batch(long n, const double *x, double *y, double *dydx, int *inside) {{
    for (long i = 0; i < n; ++i) {{
        {name}_evaluate(x + i * {d}, y + i * {m}, dydx + i * {m} * {d});
        inside[i] = {name}_inside(x + i * {d});
    }}
}}
"""

_PYTHON = '''"""The surrogate in {name}.h, written by scalebridge: needs NumPy and, on first use, a C compiler."""

import ctypes
import hashlib
import os
import shlex
import shutil
import subprocess
import threading
from pathlib import Path

import numpy as np

N_INPUTS, N_OUTPUTS = {d}, {m}
_HERE = Path(__file__).resolve().parent
_LIBRARY = None


def evaluate(x):
    """Values [n, {m}], derivative [n, {m}, {d}] and whether inside [n], at x [n, {d}]."""
    x = np.ascontiguousarray(x, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] != N_INPUTS:
        raise ValueError(f"{name}.evaluate got x of shape {{x.shape}}; give [n, {{N_INPUTS}}]")
    n = len(x)
    y, slope = np.empty((n, N_OUTPUTS)), np.empty((n, N_OUTPUTS, N_INPUTS))
    inside = np.zeros(n, dtype=np.intc)
    _library().{name}_batch(ctypes.c_long(n), *(ctypes.c_void_p(a.ctypes.data) for a in (x, y, slope, inside)))
    return y, slope, inside.astype(bool)


def _library():
    global _LIBRARY
    if _LIBRARY is None:
        source, header = _HERE / "{name}.c", _HERE / "{name}.h"
        digest = hashlib.sha256(source.read_bytes() + header.read_bytes()).hexdigest()[:12]
        library = _HERE / f"{name}-{{digest}}.so"
        if not library.is_file():
            _compile(source, library)
        _LIBRARY = ctypes.CDLL(str(library))
        getattr(_LIBRARY, "{name}_batch").restype = None
    return _LIBRARY


def _compile(source, library):
    found = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    compiler = shlex.split(os.environ.get("CC", "")) or ([found] if found else [])
    if not compiler or shutil.which(compiler[0]) is None:
        raise RuntimeError("{name}.py needs a C compiler once: install one, or name it in the variable CC")
    part = library.with_suffix(f".{{os.getpid()}}-{{threading.get_ident()}}.so")
    command = [*compiler, "-O2", "-shared", "-fPIC", "-o", str(part), str(source), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{{compiler[0]}} could not compile {{source}}: {{done.stderr[-400:]}}")
    part.replace(library)
'''
