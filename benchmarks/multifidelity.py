"""Are intervals honest with five dear runs? Multi-fidelity fusion beside SMT's MFK and a single-fidelity process.

``python -m benchmarks.multifidelity --json FILE [--seed N] [--more 20]``. Four published pairs of functions (low and
high runs): Forrester (11, 4), Park (30, 5), Currin (12, 5), borehole (60, 5); 1000 test points; without noise.

``published``: seeds 123, 184, 202, 289, 732 with the designs of emukit's benchmark notebook (centred Latin hypercubes
from numpy's legacy generator). Forrester is not in that notebook, and a centred design of one input is the same for
every seed: it has Latin hypercubes with a point anywhere in each cell, as all functions have in ``more``, the further
seeds. Park is the published formula, with x3 squared (emukit's code has x3). ``three_levels``: Branin with the two
cheap versions of Perdikaris et al. 2017 (80, 30 and 10 runs), beside the fusion of two of its levels.

Of each method: R^2, RMSE, mean negative log likelihood of a normal law (the notebook's), coverage at 95 %, and
``width``: the median half-width of the interval over what an oracle needs, the constant half-width around the method's
own mean that covers 95 % of its test errors. All are means over the seeds; ``least`` is the least coverage of a seed.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm, qmc

import scalebridge as sb
from benchmarks import _peers
from scalebridge.learn import GaussianProcess
from scalebridge.learn.multi_fidelity import MultiFidelity
from scalebridge.problems import scalar

SIZES = {"forrester": (11, 4), "park": (30, 5), "currin": (12, 5), "borehole": (60, 5)}
PUBLISHED = (123, 184, 202, 289, 732)
TESTS, LEVEL = 1000, 0.95
COVERED, WIDEST, ERROR = 0.9, 2.0, 1.05
ENVIRONMENT = Path("out/peers/multifidelity")
PEERS = ("smt==2.15.0", "scikit-learn==1.9.1")
SCRIPT = Path(__file__).with_name("_multifidelity_peers.py")
Problem = dict[str, np.ndarray]
Answer = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def centred(seed: int, sizes: Iterable[int], d: int) -> list[np.ndarray]:
    """Designs in the unit box as emukit's notebook draws them, its (unused) noise included; the last is the test's."""
    rng = np.random.RandomState(seed)

    def design(n: int) -> np.ndarray:
        return np.stack([rng.permutation((np.arange(n) + 0.5) / n) for _ in range(d)], axis=1)

    made = [design(n) for n in sizes]
    for n in sizes:
        rng.randn(n, 1)
    return [*made, design(TESTS)]


def scattered(seed: int, sizes: Iterable[int], d: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [qmc.LatinHypercube(d, rng=rng).random(n) for n in (*sizes, TESTS)]


def problem(name: str, seed: int, design: Callable[..., list[np.ndarray]]) -> Problem:
    high, low = getattr(scalar, name)(), getattr(scalar, name)("low")
    lower, upper = high.inputs.lower, high.inputs.upper
    x = [lower + (upper - lower) * unit for unit in design(seed, SIZES[name], high.inputs.size)]
    return {
        "x_low": x[0], "y_low": low(x[0]), "x_high": x[1], "y_high": high(x[1]), "points": x[2], "truth": high(x[2]),
    }  # fmt: skip


def told(posterior: Any) -> Answer:
    tail = 0.5 * (1 - LEVEL)
    return posterior.mean, posterior.std, posterior.quantile(tail), posterior.quantile(1 - tail)


def fused(name: str, data: Problem) -> Answer:
    high = getattr(scalar, name)()
    made = MultiFidelity(high.inputs, high.outputs, costs=(1.0, 20.0)).with_level(0, data["x_low"], data["y_low"])
    return told(made.fit(data["x_high"], data["y_high"]).posterior(data["points"]))


def single(name: str, data: Problem) -> Answer:
    high = getattr(scalar, name)()
    return told(
        GaussianProcess(high.inputs, high.outputs).fit(data["x_high"], data["y_high"]).posterior(data["points"])
    )


def figures(answer: Answer, truth: np.ndarray) -> dict[str, float]:
    mean, std, low, high = answer
    error = np.abs(mean - truth)
    oracle = float(np.quantile(error, LEVEL))
    return {
        "r2": float(1 - np.mean(error**2) / np.var(truth)),
        "rmse": float(np.sqrt(np.mean(error**2))),
        "mnll": float(-np.mean(norm.logpdf(truth, mean, np.maximum(std, 1e-12 * np.abs(truth).max())))),
        "coverage": float(np.mean((truth >= low) & (truth <= high))),
        "half_width": float(np.median(high - low) / 2),
        "oracle": oracle,
        "width": float(np.median(high - low) / 2 / oracle),
    }


def summary(rows: list[dict[str, float]]) -> dict[str, float]:
    found = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
    return {**found, "least": min(row["coverage"] for row in rows), "seeds": len(rows)}


def peer_answers(problems: dict[str, Problem]) -> tuple[dict[str, Answer], dict[str, Any]]:
    """Mean and interval of SMT's MFK on the same data, and what is to be said of the run."""
    python, reason = _peers.python_with(PEERS, ENVIRONMENT, Path("constraints.txt"))
    if python is None:
        return {}, {"skipped": reason}
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "problems.npz", Path(folder) / "answers.npz"
        np.savez(asked, **{f"{key}/{part}": a for key, data in problems.items() for part, a in data.items()})  # type: ignore[arg-type]
        said, reason = _peers.run(python, SCRIPT, asked, answered)
        if reason:
            return {}, {"skipped": reason}
        theirs = dict(np.load(answered, allow_pickle=False))
    found = {}
    reach = float(norm.ppf(0.5 + LEVEL / 2))
    for key in problems:
        if f"{key}/mean" in theirs:
            mean, std = theirs[f"{key}/mean"], np.sqrt(np.maximum(theirs[f"{key}/variance"], 0))
            found[key] = (mean, std, mean - reach * std, mean + reach * std)
    return found, json.loads(said.splitlines()[-1])


def compare(problems: dict[str, Problem]) -> dict[str, Any]:
    """Figures of each method on each function over its seeds."""
    theirs, note = peer_answers(problems)
    found: dict[str, Any] = {"smt": note, "functions": {}}
    for name in SIZES:
        keys = [key for key in problems if key.startswith(f"{name}/")]
        rows: dict[str, list[dict[str, float]]] = {}
        for key in keys:
            answers = {"fused": fused(name, problems[key]), "single": single(name, problems[key])}
            answers |= {"smt": theirs[key]} if key in theirs else {}
            for who, answer in answers.items():
                rows.setdefault(who, []).append(figures(answer, problems[key]["truth"]))
        summed = {who: summary(each) for who, each in rows.items()}
        ours = summed["fused"]
        met = {"coverage": ours["coverage"] >= COVERED, "width": ours["width"] <= WIDEST}
        if "smt" in summed:
            met["rmse"] = ours["rmse"] <= ERROR * summed["smt"]["rmse"]
        found["functions"][name] = {**summed, "met": met, "rows": rows}
        for who, s in summed.items():
            print(line(f"{name} {who}", s), flush=True)
    return found


def line(name: str, s: dict[str, float]) -> str:
    shown = ("r2", "rmse", "mnll", "coverage", "least", "width")
    return f"{name:24s} " + "  ".join(f"{key} {s[key]:8.4g}" for key in shown) + f"  ({s['seeds']:.0f} seeds)"


def branin(x: np.ndarray, version: int) -> np.ndarray:
    """Branin on [-5, 10] x [0, 15] and its cheap versions: 2 is the function itself, 1 and 0 cheaper.

    P. Perdikaris, M. Raissi, A. Damianou, N. Lawrence, G. E. Karniadakis, Proc. R. Soc. A 473 (2017) 20160751.
    """
    a, b = x[:, 0], x[:, 1]
    if version == 2:
        bend = b - 5.1 / (4 * np.pi**2) * a**2 + 5 / np.pi * a - 6
        return (bend**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(a) + 10)[:, None]
    if version == 1:
        return 10 * np.sqrt(branin(x - 2, 2)) + (2 * (a - 0.5) - 3 * (3 * b - 1) - 1)[:, None]
    return branin(1.2 * (x + 2), 1) - (3 * b - 1)[:, None]


def three_levels(seeds: Iterable[int]) -> dict[str, Any]:
    """The fusion of three levels, of the cheapest or the middle one with the dearest, and the dearest alone."""
    inputs, outputs = sb.Space({"x1": ("1", -5, 10), "x2": ("1", 0, 15)}), sb.Space({"y": "1"})
    rows: dict[str, list[dict[str, float]]] = {}
    for seed in seeds:
        units = scattered(seed, (80, 30, 10), 2)
        x = [np.array([-5.0, 0.0]) + 15 * unit for unit in units]
        y = [branin(x[k], k) for k in range(3)]
        truth = branin(x[3], 2)
        for name, levels in {"three levels": (0, 1), "without the middle": (0,), "without the cheapest": (1,)}.items():
            made = MultiFidelity(inputs, outputs, costs=(1.0, 5.0, 20.0)[: len(levels) + 1])
            for place, k in enumerate(levels):
                made = made.with_level(place, x[k], y[k])
            rows.setdefault(name, []).append(figures(told(made.fit(x[2], y[2]).posterior(x[3])), truth))
        alone = GaussianProcess(inputs, outputs).fit(x[2], y[2]).posterior(x[3])
        rows.setdefault("dearest alone", []).append(figures(told(alone), truth))
    summed = {name: summary(each) for name, each in rows.items()}
    for name, s in summed.items():
        print(line(name, s), flush=True)
    return summed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--more", type=int, default=20, help="further seeds")
    options = parser.parse_args()
    begun = time.perf_counter()
    published = {
        f"{name}/{seed}": problem(name, seed, scattered if name == "forrester" else centred)
        for name in SIZES
        for seed in PUBLISHED
    }
    further = range(10_000 + options.seed, 10_000 + options.seed + options.more)
    more = {f"{name}/{seed}": problem(name, seed, scattered) for name in SIZES for seed in further}
    found: dict[str, Any] = {"benchmark": "multifidelity", "seed": options.seed, "level": LEVEL}
    print("published designs and seeds")
    found["published"] = compare(published)
    print("three levels")
    found["three_levels"] = three_levels(range(options.seed, options.seed + 5))
    if more:
        print("further seeds")
        found["more"] = compare(more)
    found["seconds"] = time.perf_counter() - begun
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(found, indent=1))
    for name, of in found["published"]["functions"].items():
        print(f"{name:10s} met: {of['met']}")
    print(f"{found['seconds']:.0f} s")


if __name__ == "__main__":
    main()
