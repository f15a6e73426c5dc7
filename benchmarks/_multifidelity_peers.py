"""SMT's multi-fidelity kriging on the data of `benchmarks.multifidelity`: reads one npz, writes one of answers.

Runs in an environment of its own: ``python _multifidelity_peers.py problems.npz answers.npz``. All options are SMT's
defaults.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time
import warnings

import numpy as np
from smt.applications.mfk import MFK


def main() -> None:
    warnings.filterwarnings("ignore")
    problems = np.load(sys.argv[1], allow_pickle=False)
    answers: dict[str, np.ndarray] = {}
    failed: dict[str, str] = {}
    begun = time.perf_counter()
    for name in sorted({key.rsplit("/", 1)[0] for key in problems}):
        data = {part: problems[f"{name}/{part}"] for part in ("x_low", "y_low", "x_high", "y_high", "points")}
        made = MFK(print_global=False)
        try:
            made.set_training_values(data["x_low"], data["y_low"], name=0)
            made.set_training_values(data["x_high"], data["y_high"])
            made.train()
            answers[f"{name}/mean"] = np.asarray(made.predict_values(data["points"]))
            answers[f"{name}/variance"] = np.asarray(made.predict_variances(data["points"]))
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}".splitlines()[0]
    np.savez(sys.argv[2], **answers)  # type: ignore[arg-type]
    seconds = time.perf_counter() - begun
    print(json.dumps({"version": importlib.metadata.version("smt"), "seconds": seconds, "failed": failed}))


if __name__ == "__main__":
    main()
