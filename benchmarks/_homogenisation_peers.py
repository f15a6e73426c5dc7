"""Other programs on the sphere of `benchmarks.homogenisation`: muGrid in an environment of its own, FANS from PATH."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._peers import ONE_THREAD, python_with, run

MUGRID = "muGrid==1.6.1"
ENVIRONMENT = Path("out/mugrid")
SCRIPT = Path(__file__).with_name("_mugrid_sphere.py")
MANDEL = (1.0, 1.0, 1.0, 2.0, 2.0, 2.0)


def mugrid_python() -> tuple[Path | None, str]:
    """Return an interpreter that has muGrid, making its environment where there is none, or the reason why not."""
    return python_with([MUGRID], ENVIRONMENT)


def mugrid(python: Path, n: int, contrast: float, precision: str, rtol: float) -> dict[str, Any]:
    """CPU seconds, iterations and values of muGrid, one thread."""
    said, reason = run(python, SCRIPT, n, contrast, precision, rtol)
    if reason:
        return {"skipped": reason}
    figures: dict[str, Any] = json.loads(said.splitlines()[-1])
    return figures


def fans_missing() -> str:
    """Return why FANS cannot be run, or nothing."""
    if shutil.which("FANS") is None:
        return "no executable FANS on PATH"
    try:
        import h5py  # noqa: F401
    except ImportError:
        return "h5py, which writes its image, is not installed"
    return ""


def fans(labels: np.ndarray, lame: np.ndarray, rtol: float) -> dict[str, Any]:
    """CPU seconds and values of FANS (HEX8R, relative L2 residual), the whole process, one rank.

    Args:
        labels: ``[n, n, n]``.
        lame: ``[p, 2]``.
    """
    import h5py

    question = {
        "microstructure": {"filepath": "sphere.h5", "datasetname": "/ms", "L": [1.0, 1.0, 1.0]},
        "problem_type": "mechanical",
        "strain_type": "small",
        "materials": [
            {
                "phases": list(range(len(lame))),
                "matmodel": "LinearElasticIsotropic",
                "material_properties": {
                    "bulk_modulus": (lame[:, 0] + 2.0 / 3.0 * lame[:, 1]).tolist(),
                    "shear_modulus": lame[:, 1].tolist(),
                },
            }
        ],
        "FE_type": "HEX8R",
        "method": "cg",
        "error_parameters": {"measure": "L2", "type": "relative", "tolerance": rtol},
        "n_it": 1000,
        "macroscale_loading": [[row] for row in np.eye(6).tolist()],
        "results": ["stress_average", "absolute_error"],
    }
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        with h5py.File(place / "sphere.h5", "w") as file:
            file["ms"] = labels.astype(np.uint16)
        (place / "sphere.json").write_text(json.dumps(question))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        ended = subprocess.run(
            ["FANS", "sphere.json", "result.h5"], cwd=place, capture_output=True, text=True,
            env={**os.environ, **ONE_THREAD},
        )  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if ended.returncode:
            return {"skipped": f"FANS ended with {ended.returncode}: {ended.stderr.strip()[-200:]}"}
        stress: dict[str, np.ndarray] = {}
        errors: dict[str, np.ndarray] = {}
        with h5py.File(place / "result.h5") as file:
            file.visititems(lambda name, item: _take(name, item, stress, errors))
    columns = [stress[name] for name in sorted(stress)]
    return {
        "solve_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "iterations": [int(np.count_nonzero(errors[name]) - 1) for name in sorted(errors)],
        # Its shear is Mandel's, like ours.
        "C11_C12_C44": [float(columns[0][0]), float(columns[0][1]), float(columns[3][3]) / MANDEL[3]],
    }


def _take(name: str, item: Any, stress: dict[str, np.ndarray], errors: dict[str, np.ndarray]) -> None:
    if name.endswith("stress_average"):
        stress[name] = np.ravel(item[()])
    elif name.endswith("absolute_error"):
        errors[name] = np.ravel(item[()])
