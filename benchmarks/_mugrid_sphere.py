"""The sphere of `benchmarks.homogenisation` with muGrid, run by an interpreter that has it: prints one line of JSON.

``python _mugrid_sphere.py N CONTRAST PRECISION RTOL``. The set-up is that of muGrid's own example
``homogenization.py`` with its defaults: trilinear elements, the fused operator, the reference preconditioner of the
mean constants, the solver's own relative residual. Written from muGrid's documentation; needs muGrid and numpy only.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import muGrid
import numpy as np
from muGrid.Preconditioners import make_reference_stiffness_preconditioner
from muGrid.Solvers import conjugate_gradients

PAIRS = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


def lame(young, nu=0.3):
    return young * nu / ((1 + nu) * (1 - 2 * nu)), young / (2 * (1 + nu))


def memory_mb(field):
    """Memory of this process in MB: VmRSS now, VmHWM at its peak; nothing where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def main(n, contrast, dtype, rtol):
    before = memory_mb("VmRSS")
    start = time.process_time()
    comm = muGrid.Communicator()
    engine = muGrid.FFTEngine((n,) * 3, comm, nb_ghosts_left=(1,) * 3, nb_ghosts_right=(1,) * 3)
    fields = engine.real_space_collection
    x, y, z = ((np.arange(n) + 0.5) / n - 0.5 for _ in range(3))
    inside = x[:, None, None] ** 2 + y[None, :, None] ** 2 + z[None, None, :] ** 2 < 0.09
    constants = []
    for name, matrix, inclusion in zip(("lambda", "mu"), lame(1.0), lame(contrast), strict=True):
        field = fields.real_field(name, dtype=dtype)
        field.p[...] = np.where(inside, inclusion, matrix)
        engine.communicate_ghosts(field)
        constants.append(field)
    operator = muGrid.IsotropicStiffnessOperator(3, [1.0 / n] * 3)
    means = [float(np.mean(field.p, dtype=np.float64)) for field in constants]

    def apply(u, f):
        engine.communicate_ghosts(u)
        operator.apply(u, *constants, f)

    def apply_reference(u, f):
        engine.communicate_ghosts(u)
        operator.apply_uniform(u, *means, f)

    preconditioner = make_reference_stiffness_preconditioner(engine, apply_reference, 3, dtype=dtype)
    right, u = (fields.real_field(name, (3,), dtype=dtype) for name in ("right", "u"))
    ready = time.process_time()
    stiffness, iterations = np.zeros((6, 6)), []
    for column, (i, j) in enumerate(PAIRS):
        strain = np.zeros((3, 3))
        strain[i, j] = strain[j, i] = 1.0 if i == j else 0.5
        flat = [float(value) for value in strain.ravel()]
        operator.apply_macro_rhs(*constants, flat, right)
        right.s[...] *= -1.0
        u.s[...] = 0.0
        count = [0]
        conjugate_gradients(
            comm, fields, right, u, hessp=apply, prec=preconditioner, rtol=rtol, maxiter=1000,
            callback=lambda iteration, state, count=count: count.__setitem__(0, iteration),
        )  # fmt: skip
        engine.communicate_ghosts(u)
        stress = np.reshape(operator.average_stress(u, *constants, flat), (3, 3))
        stiffness[:, column] = [stress[pair] for pair in PAIRS]
        iterations.append(count[0])
    end = time.process_time()
    return {
        "setup_s": ready - start,
        "solve_s": end - ready,
        "iterations": iterations,
        "C11_C12_C44": [stiffness[0, 0], stiffness[0, 1], stiffness[3, 3]],
        "peak_mb": memory_mb("VmHWM") - before,
        "version": muGrid.__version__,
    }


if __name__ == "__main__":
    try:
        print(json.dumps(main(int(sys.argv[1]), float(sys.argv[2]), np.dtype(sys.argv[3]), float(sys.argv[4]))))
    except RuntimeError as error:  # its solver refuses an accuracy that float32 does not reach
        print(json.dumps({"skipped": str(error)}))
