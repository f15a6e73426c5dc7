"""Gaussian processes of other libraries on the runs of `benchmarks.scalar`: reads one npz of cases, writes one of laws.

Runs in an environment of its own: ``python _scalar_peers.py cases.npz laws.npz``. Inputs come in the unit cube. Each
library as its documentation has it: scikit-learn with an anisotropic squared exponential, a learned noise and restarts;
BoTorch's SingleTaskGP with its transforms; SMT's KRG with its defaults.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import json
import sys
import time
import warnings
from typing import Any

import numpy as np

RESTARTS = 5


def scikit_learn(x: np.ndarray, y: np.ndarray, at: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    shape = ConstantKernel(1.0, (1e-3, 1e6)) * RBF(np.ones(x.shape[1]), (1e-2, 1e3))
    kernel = shape + WhiteKernel(1e-6, (1e-12, 1e1))
    made = GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=RESTARTS, random_state=seed)
    mean, std = made.fit(x, y).predict(at, return_std=True)
    return mean, std


def botorch(x: np.ndarray, y: np.ndarray, at: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    import torch
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from botorch.models.transforms import Normalize, Standardize
    from gpytorch.mlls import ExactMarginalLogLikelihood

    torch.manual_seed(seed)
    model = SingleTaskGP(
        torch.from_numpy(x),
        torch.from_numpy(y)[:, None],
        input_transform=Normalize(x.shape[1]),
        outcome_transform=Standardize(1),
    )
    fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    with torch.no_grad():
        posterior = model.posterior(torch.from_numpy(at))
        return posterior.mean[:, 0].numpy(), posterior.variance[:, 0].sqrt().numpy()


def smt(x: np.ndarray, y: np.ndarray, at: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    from smt.surrogate_models import KRG

    made = KRG(print_global=False, seed=seed)
    made.set_training_values(x, y)
    made.train()
    return made.predict_values(at)[:, 0], np.sqrt(np.maximum(made.predict_variances(at)[:, 0], 0))


PEERS: dict[str, Any] = {"scikit-learn": scikit_learn, "botorch": botorch, "smt": smt}


def main() -> None:
    warnings.filterwarnings("ignore")
    with np.load(sys.argv[1], allow_pickle=False) as cases:
        arrays = dict(cases)
    found: dict[str, np.ndarray] = {}
    seconds: dict[str, float] = {}
    skipped: dict[str, str] = {}
    for case in sorted({key.rsplit("|", 1)[0] for key in arrays}):
        x, y, at = (arrays[f"{case}|{part}"] for part in ("x", "y", "at"))
        for name, peer in PEERS.items():
            begun = time.perf_counter()
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    mean, std = peer(x, y, at, int(case.rsplit("|", 1)[1]))
            except Exception as error:
                skipped[f"{name}|{case}"] = f"{type(error).__name__}: {error}".splitlines()[0]
                continue
            seconds[f"{name}|{case}"] = time.perf_counter() - begun
            found[f"{name}|{case}|mean"], found[f"{name}|{case}|std"] = mean, std
    packages = ("scikit-learn", "botorch", "gpytorch", "torch", "smt")
    versions = {name: importlib.metadata.version(name) for name in packages}
    np.savez(sys.argv[2], **found)  # type: ignore[arg-type]
    print(json.dumps({"versions": versions, "seconds": seconds, "skipped": skipped}))


if __name__ == "__main__":
    main()
