"""Surrogates of known laws, and what compiles their exports."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

import scalebridge as sb
from scalebridge.learn import (
    Auto,
    GaussianProcess,
    GradientBoosting,
    PolynomialChaos,
    RandomForest,
    Recalibrated,
    ScikitLearn,
    SparseGaussianProcess,
)

STIFFNESS = np.array(
    [
        [3.0, 1.0, 1.0, 0.1, 0.0, 0.0],
        [1.0, 2.5, 1.0, 0.0, 0.2, 0.0],
        [1.0, 1.0, 2.0, 0.0, 0.0, 0.0],
        [0.1, 0.0, 0.0, 1.1, 0.0, 0.1],
        [0.0, 0.2, 0.0, 0.0, 1.2, 0.0],
        [0.0, 0.0, 0.0, 0.1, 0.0, 1.3],
    ]
)


def law(x: np.ndarray) -> np.ndarray:
    """A softening law with a potential, ``[n, m]``."""
    stiffness = STIFFNESS[: x.shape[1], : x.shape[1]]
    energy = 0.5 * np.sum(x @ stiffness * x, axis=1, keepdims=True)
    return (x @ stiffness) * (1 + energy) ** -0.3


def strain_to_stress(m: int, unit: str = "Pa") -> tuple[sb.Space, sb.Space]:
    strain = sb.Space([sb.Variable("strain", "1", (m,), kind="symmetric")])
    return strain, sb.Space([sb.Variable("stress", unit, (m,), kind="symmetric")])


def potential(m: int, runs: int = 25, even: bool = True) -> GaussianProcess:
    x = np.random.default_rng(m).uniform(-1, 1, (runs, m))
    structure = sb.Structure(potential=True, even=even)
    return GaussianProcess(*strain_to_stress(m), structure=structure).fit(x, law(x))


def methods() -> dict[str, Any]:
    """Unfitted surrogates of three inputs and three outputs, one of every family that has a form in C."""
    from sklearn.ensemble import ExtraTreesRegressor

    spaces = strain_to_stress(3)
    bounded = sb.Space([sb.Variable("stress", "Pa", (3,), bounds=(-1.0, 1.0))])
    return {
        "potential": GaussianProcess(*spaces, structure=sb.Structure(potential=True)),
        "odd potential": GaussianProcess(*spaces, structure=sb.Structure(potential=True, even=True)),
        "process around a fitted trend": GaussianProcess(*spaces, trend="fitted"),
        "odd process around a fitted trend": GaussianProcess(
            *spaces, trend="fitted", structure=sb.Structure(even=True)
        ),
        "process": GaussianProcess(*spaces, average=2),
        "bounded process": GaussianProcess(spaces[0], bounded, profile="matern72", average=0),
        "sparse process": SparseGaussianProcess(*spaces, inducing=12),
        "polynomials": PolynomialChaos(*spaces),
        "forest": RandomForest(*spaces, trees=10),
        "boosting": GradientBoosting(*spaces, iterations=20),
        "averaged trees": ScikitLearn(*spaces, ExtraTreesRegressor(10, random_state=0)),
        "recalibrated": Recalibrated(PolynomialChaos(*spaces)),
        "auto": Auto(*spaces, candidates=("random_forest", "polynomial_chaos")),
    }


def runs(n: int = 60, m: int = 3) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(5).uniform(-1, 1, (n, m))
    return x, law(x)


def points(m: int = 3) -> np.ndarray:
    """Points inside, outside, at zero and at a run."""
    inside = np.random.default_rng(6).uniform(-1, 1, (40, m))
    return np.concatenate([inside, 3 * inside[:6], np.zeros((1, m)), runs(m=m)[0][:2]])


def compiled(folder: Path, sources: list[Path], *compilers: str) -> ctypes.CDLL:
    """Compile sources without a warning and link them into a library."""
    objects = []
    for source in sources:
        strict = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror"] if source.suffix == ".c" else ["-std=f2003"]
        command = [compilers[source.suffix == ".f90"], *strict, "-O1", "-fPIC", "-c", str(source), "-o"]
        objects.append(str(folder / f"{source.stem}.o"))
        done = subprocess.run([*command, objects[-1]], capture_output=True, text=True, cwd=folder)
        assert done.returncode == 0, done.stderr[:2000]
    library = folder / "library.so"
    link = [compilers[-1], "-shared", "-o", str(library), *objects, "-lm"]
    assert subprocess.run(link, capture_output=True).returncode == 0
    return ctypes.CDLL(str(library))


def pointer(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
