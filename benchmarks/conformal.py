"""Do conformal intervals hold their level, and how wide are they? Coverage over many draws, beside MAPIE and crepes.

``python -m benchmarks.conformal --json FILE [--seed N] [--repeats 500] [--peer-repeats 100]``. Every repeat draws 160
rows of sin(3 x1) + x2^2 with normal noise, of one size (homoscedastic) or growing with abs(x1) (heteroscedastic),
calibrates at 90 % on top of ridge regression, ten nearest neighbours and a forest of fifty trees, and tests on 100 new
rows. The forest, which is slow, takes a fifth of the repeats with cv+. Errors are of the mean over repeats.

Written to FILE: ``coverage`` (each method; ``met`` where it lies in [.87, .93]), ``peers`` (widths and the largest gap
between our ends and theirs, on the same folds), ``bands`` (simultaneous coverage of random fields), ``online`` (drift),
``recalibration`` (CRPS, NLL, coverage before and after).
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import _peers
from benchmarks._cheap_learners import Cheap, forest, neighbours, ridge
from scalebridge.learn import Conformal, Online, Recalibrated
from scalebridge.learn.calibration import score
from scalebridge.learn.calibration.metrics import mean_width, simultaneous_coverage
from scalebridge.learn.calibration.online import RATES

LEVEL, RANGE, ROWS, NEW = 0.9, (0.87, 0.93), 160, 100
ENVIRONMENT = Path("out/peers/conformal")
PEERS = ("mapie==1.6.0", "crepes==0.9.1", "scikit-learn==1.9.1")
SCRIPT = Path(__file__).with_name("_conformal_peers.py")
FIELD = 32


def draw(rng: np.random.Generator, n: int, kind: str) -> tuple[np.ndarray, np.ndarray]:
    x = rng.uniform(-1, 1, (n, 3))
    size = 0.2 if kind == "homoscedastic" else 0.05 + 0.4 * np.abs(x[:, 0])
    return x, (np.sin(3 * x[:, 0]) + x[:, 1] ** 2 + size * rng.standard_normal(n))[:, None]


def side(x: np.ndarray) -> np.ndarray:
    return x[:, 0] > 0


def summary(values: Sequence[float]) -> dict[str, float]:
    """Mean and the Monte-Carlo error of it."""
    return {"mean": float(np.mean(values)), "error": float(np.std(values, ddof=1) / np.sqrt(len(values)))}


def cases() -> list[tuple[str, Cheap, dict[str, Any]]]:
    """Name of the learner, the learner, options."""
    learners = {"ridge": ridge(3), "neighbours": neighbours(3), "forest": forest(3, trees=50)}
    found: list[tuple[str, Cheap, dict[str, Any]]] = [
        (name, learner, {"method": method, "score": how})
        for name, learner in learners.items()
        for method in ("split", "cv+")
        for how in ("absolute", "normalised", "quantile")
    ]
    return [
        *found,
        ("neighbours", learners["neighbours"], {"method": "split", "score": "absolute", "groups": side}),
        ("neighbours", learners["neighbours"], {"method": "cv+", "score": "absolute", "groups": side}),
        ("ridge", learners["ridge"], {"method": "jackknife+", "score": "absolute"}),
        # Ten trees change much from fold to fold, for which cv+ pays in width: more coverage than asked for.
        ("small forest", forest(3), {"method": "cv+", "score": "absolute"}),
        ("small forest", forest(3), {"method": "cv+", "score": "normalised"}),
    ]


def cover(learner: Cheap, options: dict[str, Any], kind: str, repeats: int, seed: int) -> dict[str, Any]:
    """Coverage and width of one method over draws of everything."""
    rows = 40 if options["method"] == "jackknife+" else ROWS
    found: dict[str, list[float]] = {"coverage": [], "width": [], "least_group": []}
    for repeat in range(repeats):
        rng = np.random.default_rng([seed, repeat])
        x, y = draw(rng, rows, kind)
        at, truth = draw(rng, NEW, kind)
        # Forty-nine calibration rows: the rank is forty-five fiftieths, no more than asked for.
        made = Conformal(learner, level=LEVEL, share=49 / ROWS, seed=repeat, **options)  # type: ignore[arg-type]
        lower, upper = made.fit(x, y).posterior(at).interval()
        inside = ((truth >= lower) & (truth <= upper))[:, 0]
        found["coverage"].append(float(inside.mean()))
        found["width"].append(float(mean_width(lower, upper)[0]))
        found["least_group"].append(float(min(inside[side(at)].mean(), inside[~side(at)].mean())))
    told = {k: summary(v) for k, v in found.items()}
    return {"repeats": repeats, **told, "met": RANGE[0] <= told["coverage"]["mean"] <= RANGE[1]}


def coverages(repeats: int, seed: int) -> list[dict[str, Any]]:
    found = []
    for name, learner, options in cases():
        few = max(2, repeats // 5) if name.endswith("forest") and options["method"] == "cv+" else repeats
        for kind in ("homoscedastic", "heteroscedastic"):
            told = cover(learner, options, kind, few, seed)
            what = f"{options['method']} {options['score']}" + (" by groups" if "groups" in options else "")
            found.append({"learner": name, "method": what, "problem": kind, **told})
            print(line(f"{name} {what} {kind}", told), flush=True)
    return found


def line(name: str, told: dict[str, Any]) -> str:
    c, w = told["coverage"], told["width"]
    return f"{name:52s} coverage {c['mean']:.4f} ± {c['error']:.4f}  width {w['mean']:.3f}  met {told['met']}"


def ours(kind: str, repeats: int, seed: int) -> tuple[dict[str, np.ndarray], dict[str, list[np.ndarray]], np.ndarray]:
    """The problems for the peers, our intervals ``[n, 2]`` on them, and the truth."""
    learner = neighbours(3)
    wanted = {
        "split absolute": {"method": "split", "score": "absolute"},
        "split normalised": {"method": "split", "score": "normalised"},
        "split quantile": {"method": "split", "score": "quantile"},
        "cv+ absolute": {"method": "cv+", "score": "absolute"},
        "split absolute by groups": {"method": "split", "score": "absolute"},
    }
    problems: dict[str, list[np.ndarray]] = {k: [] for k in ("x", "y", "held", "fold", "at")}
    intervals: dict[str, list[np.ndarray]] = {k: [] for k in wanted}
    truths = []
    for repeat in range(repeats):
        rng = np.random.default_rng([seed, repeat])
        (x, y), (at, truth) = draw(rng, ROWS, kind), draw(rng, NEW, kind)
        held = fold = None
        for name, options in wanted.items():
            made = Conformal(learner, level=LEVEL, share=49 / ROWS, seed=repeat, **options).fit(x, y)  # type: ignore[arg-type]
            known = made.fitted
            assert known is not None
            if name.endswith("by groups"):
                # The same rows for all: only what is calibrated apart differs.
                made = replace(made, groups=side, fitted=replace(known, groups=side(x[known.rows])))
            held = np.isin(np.arange(ROWS), known.rows) if options["method"] == "split" else held
            fold = known.part if options["method"] == "cv+" else fold
            intervals[name].append(np.concatenate(made.posterior(at).interval(), axis=1))
        for key, value in zip(problems, (x, y[:, 0], held, fold, at), strict=True):
            problems[key].append(np.asarray(value))
        truths.append(truth[:, 0])
    return {k: np.stack(v) for k, v in problems.items()}, intervals, np.stack(truths)


def against_peers(repeats: int, seed: int) -> dict[str, Any]:
    """Coverage and width of ours and theirs, and the largest gap between the ends."""
    python, reason = _peers.python_with(PEERS, ENVIRONMENT)
    if python is None:
        return {"skipped": reason}
    found: dict[str, Any] = {"rows": []}
    for kind in ("homoscedastic", "heteroscedastic"):
        problems, intervals, truth = ours(kind, repeats, seed)
        with tempfile.TemporaryDirectory() as folder:
            asked, answered = Path(folder) / "problems.npz", Path(folder) / "intervals.npz"
            np.savez(asked, **problems)  # type: ignore[arg-type]
            said, reason = _peers.run(python, SCRIPT, asked, answered)
            if reason:
                return {"skipped": reason}
            found |= json.loads(said.splitlines()[-1])
            theirs = dict(np.load(answered, allow_pickle=False))
        for name, ends in theirs.items():
            own = np.stack(intervals[name.split(" ", 1)[1]])
            row = {"problem": kind, "method": name, "largest_gap": float(np.abs(own - ends).max())}
            for who, e in (("ours", own), ("theirs", ends)):
                inside = (truth >= e[:, :, 0]) & (truth <= e[:, :, 1])
                row |= {
                    f"coverage_{who}": float(inside.mean()),
                    f"width_{who}": float((e[:, :, 1] - e[:, :, 0]).mean()),
                }
            found["rows"].append(row)
            print("  ".join(f"{k} {v:.4g}" if isinstance(v, float) else str(v) for k, v in row.items()), flush=True)
    return found


def bands(repeats: int, seed: int) -> dict[str, Any]:
    """Simultaneous coverage of a Gaussian random field on 32 points whose mean depends on the inputs."""
    grid = np.linspace(0, 1, FIELD)
    root = np.linalg.cholesky(np.exp(-((grid[:, None] - grid) ** 2) / 0.08) + 1e-8 * np.eye(FIELD))
    found: dict[str, dict[str, list[float]]] = {}
    for repeat in range(repeats):
        rng = np.random.default_rng([seed, repeat])
        x = rng.uniform(-1, 1, (1000, 3))
        noise = (rng.standard_normal((1000, FIELD)) @ root.T) * (0.2 + grid)
        y = x[:, :1] * np.sin(6 * grid) + x[:, 1:2] * grid + noise
        for name, n, options in (
            ("split, 100 rows", 100, {"method": "split", "share": 0.39}),
            ("cv+, 100 rows", 100, {"method": "cv+"}),
            ("split, 800 rows", 800, {"method": "split", "share": 0.5}),
        ):
            made = Conformal(ridge(3, FIELD), level=LEVEL, seed=repeat, **options).fit(x[:n], y[:n])  # type: ignore[arg-type]
            posterior = made.posterior(x[900:])
            ends = {"supremum": posterior.band(), "each point alone": posterior.interval()}
            if n == 800:
                ends["bonferroni"] = posterior.band(how="bonferroni")
            for how, (lower, upper) in ends.items():
                place = found.setdefault(f"{name}, {how}", {"coverage": [], "width": []})
                place["coverage"].append(simultaneous_coverage(y[900:], lower, upper))
                place["width"].append(float(mean_width(lower, upper).mean()))
    told: dict[str, Any] = {}
    for name, values in found.items():
        told[name] = {k: summary(v) for k, v in values.items()}
        told[name]["met"] = RANGE[0] <= told[name]["coverage"]["mean"] <= RANGE[1]
        print(line(f"band, {name}", told[name]), flush=True)
    return told


def online(streams: int, seed: int) -> dict[str, Any]:
    """Coverage of streams whose noise grows fivefold and jumps half-way, and the worst run of 200 rows."""
    found: dict[str, dict[str, list[float]]] = {}
    for stream in range(streams):
        rng = np.random.default_rng([seed, stream])
        x, y = draw(rng, ROWS, "homoscedastic")
        model = ridge(3).fit(x[:80], y[:80])
        at = rng.uniform(-1, 1, (1500, 3))
        time_ = np.linspace(0, 1, 1500)
        size = 0.2 * (1 + 4 * time_ + 5 * (time_ > 0.5))
        truth = (np.sin(3 * at[:, 0]) + at[:, 1] ** 2 + size * rng.standard_normal(1500))[:, None]
        lower, upper = Online.start(model, x[80:], y[80:], score="absolute").interval(at)  # type: ignore[arg-type]
        inside = {"never updated": ((truth >= lower) & (truth <= upper))[:, 0]}
        for name, rates in (("ACI, rate 0.005", (0.005,)), ("ACI, rate 0.05", (0.05,)), ("DtACI", RATES)):
            state = Online.start(model, x[80:], y[80:], score="absolute", rates=rates, window=200)  # type: ignore[arg-type]
            seen = []
            for i in range(1500):
                later = state.update(at[i : i + 1], truth[i : i + 1])
                seen.append(later.misses == state.misses)
                state = later
            inside[name] = np.array(seen)
        for name, kept in inside.items():
            runs = np.convolve(kept, np.ones(200) / 200, mode="valid")
            place = found.setdefault(name, {"coverage": [], "worst_200": []})
            place["coverage"].append(float(kept.mean()))
            place["worst_200"].append(float(runs.min()))
    told = {name: {k: summary(v) for k, v in values.items()} for name, values in found.items()}
    for name, values in told.items():
        print(f"online, {name:20s} " + "  ".join(f"{k} {v['mean']:.3f} ± {v['error']:.3f}" for k, v in values.items()))
    return told


def recalibration(repeats: int, seed: int) -> dict[str, Any]:
    """CRPS, NLL and coverage of the neighbours' own law and of the recalibrated ones."""
    found: dict[str, dict[str, list[float]]] = {}
    for repeat in range(repeats):
        rng = np.random.default_rng([seed, repeat])
        (x, y), (at, truth) = draw(rng, ROWS, "heteroscedastic"), draw(rng, NEW, "heteroscedastic")
        learner: Any = neighbours(3)
        laws = {"as it is": learner.fit(x, y), "conformal": Conformal(learner, seed=repeat).fit(x, y)} | {
            by: Recalibrated(learner, by=by, seed=repeat).fit(x, y) for by in ("likelihood", "crps", "isotonic")
        }
        for name, fitted in laws.items():
            told = score(fitted.posterior(at), truth, level=LEVEL)
            place = found.setdefault(name, {"crps": [], "nll": [], "coverage": [], "width": []})
            for k, values in place.items():
                values.append(float(getattr(told, k)[0]))
    told_all = {name: {k: summary(v) for k, v in values.items()} for name, values in found.items()}
    for name, values in told_all.items():
        print(f"law, {name:12s} " + "  ".join(f"{k} {v['mean']:.4f} ± {v['error']:.4f}" for k, v in values.items()))
    return told_all


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=500)
    parser.add_argument("--peer-repeats", type=int, default=100)
    options = parser.parse_args()
    begun = time.perf_counter()
    few = max(2, options.repeats // 5)
    figures = {
        "benchmark": "conformal",
        "seed": options.seed,
        "level": LEVEL,
        "range": RANGE,
        "peers": against_peers(options.peer_repeats, options.seed),
        "bands": bands(few, options.seed),
        "online": online(max(2, options.repeats // 25), options.seed),
        "recalibration": recalibration(few, options.seed),
        "coverage": coverages(options.repeats, options.seed),
    }
    figures["seconds"] = time.perf_counter() - begun
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(figures, indent=1))
    met = [row["met"] for row in figures["coverage"]]  # type: ignore[index]
    print(f"{sum(met)} of {len(met)} in [{RANGE[0]}, {RANGE[1]}]; {figures['seconds']:.0f} s")


if __name__ == "__main__":
    main()
