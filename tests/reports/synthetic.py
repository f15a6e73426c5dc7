"""A realistic saved answer: a quarter plate with a hole, as `bridge` and `studies` would have left it."""

import json
from pathlib import Path

import numpy as np


def plate(n: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Points [p, 2] and quadrilaterals [e, 4] of a quarter plate with a hole."""
    angle, radius = np.meshgrid(np.linspace(0, np.pi / 2, n + 1), np.linspace(0, 1, n + 1) ** 1.5)
    outer = np.minimum(1 / np.maximum(np.cos(angle), 1e-9), 1 / np.maximum(np.sin(angle), 1e-9))
    r = 0.25 + radius * (outer - 0.25)
    points = np.stack([r * np.cos(angle), r * np.sin(angle)], axis=-1).reshape(-1, 2)
    i, j = np.meshgrid(np.arange(n), np.arange(n), indexing="ij")
    first = (i * (n + 1) + j).ravel()
    return points, np.stack([first, first + 1, first + n + 2, first + n + 1], axis=1)


def law(x: np.ndarray) -> np.ndarray:
    """A softening stress in MPa for Mandel strains [n, 3]."""
    size = np.sqrt((x**2).sum(axis=1, keepdims=True)) + 1e-12
    return 9000.0 * x * (1 + (size / 0.008) ** 2) ** -0.35


def answer(value: float = 41.37, half: float = 0.33, unit: str = "N/mm", seed: int = 0) -> tuple[dict, dict]:
    """Content of answer.json and arrays.npz, consistent with ANSWER's schema version 1."""
    rng = np.random.default_rng(seed)
    points, cells = plate()
    centre = points[cells].mean(axis=1)
    gauss = (0.58 * (points[cells] - centre[:, None]) + centre[:, None]).reshape(-1, 2)
    r2 = (gauss**2).sum(axis=1)
    amplify = 1 + 0.9 * (0.0625 / r2) * (gauss[:, 0] ** 2 / r2 - 0.2)
    states = (
        0.009
        * amplify[:, None]
        * np.stack([-0.3 + 0.1 * gauss[:, 1], 0.9 + 0 * r2, 0.35 * gauss[:, 0] * gauss[:, 1]], 1)
    )
    weight = np.abs(gauss[:, :1]) * np.array([[0.1, 0.8, 0.2]]) * 1e-3 * (0.3 + r2[:, None])
    runs = [_run(rng, states, i) for i in range(38)]
    arrays = {
        "states": states,
        "sensitivity": weight,
        "probability": weight.sum(1) / weight.sum(),
        "state_std": weight.sum(1),
        "predicted": law(states),
        "predicted_std": 0.01 * np.abs(law(states)),
        "field.points": points,
        "field.cells": cells,
        "field.displacement": 0.01 * points * np.array([[-0.3, 1.0]]),
        **_micrograph(rng),
    }
    return _record(value, half, unit, runs, len(states)), arrays


def _run(rng: np.random.Generator, states: np.ndarray, i: int) -> dict:
    phase = "start" if i < 4 else "check" if i == 15 else "verify" if i % 19 > 10 else "learn"
    x = states[rng.integers(len(states))]
    y = law(x[None])[0]
    missed = 1 + rng.normal(size=3) * (0.2 / (1 + i))
    return {
        "id": f"r{i}",
        "key": f"{i:064x}",
        "phase": phase,
        "why": {
            "start": "first look at the response around the first state asked for",
            "learn": f"reduces the doubt in the reaction force by {40 / (i + 1):.0f} %",
            "verify": f"drawn with probability {0.01 * (1 + i % 4):.3f} to audit the surrogate",
            "check": "reserved to test that the response is odd",
        }[phase],
        "status": "ok",
        "reason": "",
        "cost_s": float(rng.uniform(0.6, 2.4)),
        "replicate": 0,
        "reused": i < 3,
        "x": x.tolist(),
        "y": y.tolist(),
        "predicted": None if phase == "start" else (y * missed).tolist(),
    }


def _micrograph(rng: np.random.Generator) -> dict[str, np.ndarray]:
    y, x = np.mgrid[:180, :180]
    centres = np.stack(np.meshgrid(np.arange(6, 180, 14), np.arange(6, 180, 14)), -1).reshape(-1, 2) + rng.uniform(
        -3, 3, (169, 2)
    )
    near = np.min((x[..., None] - centres[:, 0]) ** 2 + (y[..., None] - centres[:, 1]) ** 2, axis=-1) < 36
    image = np.clip(90 + 70 * near + rng.normal(size=near.shape) * 12, 0, 255).astype(np.uint8)
    window = near[40:136, 52:148]
    stress = np.where(window, 95, 55) * (1 + 0.3 * np.sin(x[:96, :96] / 7.0) * np.cos(y[:96, :96] / 9.0))
    return {
        "extra.image": image,
        "extra.window": np.array([40, 52, 96]),
        "extra.rve_labels": window.astype(np.int8),
        "extra.rve_stress": stress,
    }


def _step(runs: int, phase: str, value: float, reach: float | None, std: float) -> dict:
    low, high = (None, None) if reach is None else (value - reach, value + reach)
    return {
        "micro_runs": runs,
        "macro_solves": runs,
        "phase": phase,
        "value": value,
        "low": low,
        "high": high,
        "expected_half_width": std,
        "note": "",
    }


def _path(value: float, half: float) -> list[dict]:
    """A start far off, learning, a first look too wide, learning, a second look."""
    first = [
        _step(k, "learn", value * (1 + 0.25 * 0.66 ** (k - 4)), None, 0.08 * value * 0.7 ** (k - 4))
        for k in range(5, 16)
    ]
    then = [_step(k, "learn", value * (1 + 0.002 * 0.7 ** (k - 23)), None, half / 4) for k in range(24, 31)]
    return [
        _step(4, "start", value * 1.32, None, value * 0.1),
        *first,
        _step(23, "verify", value * 1.004, 2.5 * half, half / 3),
        *then,
        _step(38, "verify", value, half, half / 6),
    ]


def _models(n: int) -> dict:
    def space(name: str, unit: str) -> list[dict]:
        return [{"name": name, "unit": unit, "shape": [3], "components": [f"{name} {c}" for c in ("11", "22", "12")]}]

    identity = {"name": "composite", "grid": "96 x 96", "phases": "matrix, fibre"}
    macro = {
        "name": "plate",
        "n_states": n,
        "closure_inputs": space("strain", "1"),
        "closure_outputs": space("stress", "MPa"),
    }
    return {"micro": {"name": "composite", "version": "1", "identity": identity}, "macro": macro}


def _asked(value: float, half: float, unit: str) -> dict:
    parts = {"closure": 0.52, "remainder": 0.06, "micro_discretisation": 0.1, "mesh": 0.32}
    return {
        "qoi": "reaction_force",
        "value": value,
        "unit": unit,
        "interval": [value - half, value + half],
        "half_width": half,
        "parts": {name: share * half for name, share in parts.items()},
        "confidence": 0.95,
        "rtol": 0.01,
        "atol": None,
        "tolerance": abs(value) * 0.01,
        "converged": True,
        "reason": "the half-width is within the tolerance after 2 verification rounds",
        "input_interval": [value * 0.972, value * 1.021],
        "input_sources": {
            "segmentation": [value * 0.985, value * 1.012],
            "window": [value * 0.974, value * 1.018],
        },
    }


def _record(value: float, half: float, unit: str, runs: list[dict], n: int) -> dict:
    round_ = {
        "value": value,
        "estimate": value,
        "draws": 8,
        "observed_std": half,
        "predicted_std": half,
        "level": 0.025,
    }
    return {
        "schema_version": 1,
        "title": "Plate with a hole, glass-fibre composite under transverse tension",
        "created": "2026-01-31 12:00",
        **_asked(value, half, unit),
        **_models(n),
        "mesh_mode": "include",
        "micro_runs": len(runs),
        "executed_runs": len(runs) - 3,
        "reused_runs": 3,
        "macro_solves": 28,
        "wall_s": 143.2,
        "micro_seconds": 48.9,
        "seed": 0,
        "unseen_mass": 1 - 0.05 ** (1 / 16),
        "versions": {"scalebridge": "0.1.0", "python": "3.11.9", "numpy": "2.3.1", "torch": "2.13.0"},
        "notes": ["The window holds 61 fibres; its pixel size was calibrated by the fibre diameter."],
        "direct_runs": 6 * n,
        "path": _path(value, half),
        "rounds": [round_] * 2,
        "runs": runs,
        "quantities": {},
    }


def save(directory: Path, record: dict, arrays: dict) -> Path:
    """Write an answer as `bridge.Answer.save` does."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "answer.json").write_text(json.dumps(record))
    np.savez(directory / "arrays.npz", **arrays)
    return directory


def refused() -> tuple[dict, dict]:
    """An answer without interval."""
    record, arrays = answer()
    record |= {
        "interval": [None, None],
        "half_width": None,
        "parts": {"closure": None, "remainder": None, "micro_discretisation": None, "mesh": None},
        "converged": False,
        "reason": "the load lies past a limit point: Newton's tangent has lost its sign at 0.82 of the load; lower it",
        "unseen_mass": None,
        "input_interval": None,
        "path": record["path"][:9],
        "rounds": [],
    }
    return record, {k: v for k, v in arrays.items() if not k.startswith("extra")}
