"""Load paths of an RVE as users drive them: arrays in, arrays out, a state to go on from, a file to resume from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.micro.rve.checkpoint import read_checkpoint, write_checkpoint
from scalebridge.micro.rve.loads import Prescribed, checked_load
from scalebridge.models import Runs
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from scalebridge.micro.rve.history import Standing, Step
    from scalebridge.micro.rve.model import RVE


@dataclass(frozen=True)
class RVEState:
    """Where an RVE stands on its path: all that the next step needs. Plain arrays; never changed in place.

    Args:
        fluctuation: ``[c, *grid]``.
        macro: ``[g]``, mean measure.
        stress: ``[g]``, mean stress.
        trend: ``[c, *grid]``, by how much the last substep's change of ``fluctuation`` differed from the elastic one.
        trend_macro: ``[g]``, the same of ``macro``.
        trend_push: ``[g]``, the elastic change of ``macro`` that went with it.
        internal: per group of voxels of one law, its internal variables ``[Q, m, s]``; empty for a law without memory.
        time: in s.
    """

    fluctuation: Floats
    macro: Floats
    stress: Floats
    trend: Floats
    trend_macro: Floats
    trend_push: Floats
    internal: tuple[Floats, ...]
    time: float

    @property
    def arrays(self) -> dict[str, Floats]:
        """Every array by name, the internal variables numbered."""
        names = ("fluctuation", "macro", "stress", "trend", "trend_macro", "trend_push")
        return {n: getattr(self, n) for n in names} | {f"internal_{k}": a for k, a in enumerate(self.internal)}


@dataclass(frozen=True)
class PathResponse:
    """What an RVE answered along a path of ``n`` steps; after a step that failed there are no more.

    Args:
        time: ``[n]``, in s.
        measure: ``[n, g]``, mean strain (Mandel), deformation gradient or gradient.
        stress: ``[n, g]``, mean stress.
        tangent: ``[n, g, g]``, consistent with the last substep; ``None`` where it was not asked for. With a law that
            softens it is the secant one: the stress by the measure at frozen damage.
        hill_mandel: ``[n]``, |<s:e> - <s>:<e>| / <|s:e|>.
        residual: ``[n]``, stress out of balance over stress.
        newton: ``[n]``, Newton iterations.
        cg: ``[n]``, conjugate-gradient iterations, those of the tangent included.
        substeps: ``[n]``.
        reason: empty; or why the path ended before its last step.
        state: at the end, to go on from.
    """

    time: Floats
    measure: Floats
    stress: Floats
    tangent: Floats | None
    hill_mandel: Floats
    residual: Floats
    newton: NDArray[np.int64]
    cg: NDArray[np.int64]
    substeps: NDArray[np.int64]
    reason: str
    state: RVEState

    @property
    def converged(self) -> bool:
        """Whether every step was found."""
        return not self.reason


def follow_path(
    rve: RVE,
    measure: ArrayLike,
    stress: ArrayLike | None,
    time: ArrayLike | None,
    tangent: bool,
    start: RVEState | None,
    checkpoint: str | Path | None,
    progress: Callable[[int, int], object] | None = None,
) -> PathResponse:
    """Follow a path; see `RVE.path`."""
    from scalebridge.micro.rve.history import follow

    load = checked_load(rve.inputs.check(measure, "The path of the RVE"), stress)
    if not load.finite.all():
        row = int(np.argmin(load.finite))
        raise InputError(f"Step {row} of the path is not finite; prescribe a stress where a strain is NaN.")
    times = _checked_times(time, len(load.measure), 0.0 if start is None else start.time)
    key = _key(rve, load, times, start, tangent)
    rows, state = ([], start) if checkpoint is None else _resumed(Path(checkpoint), key, start)
    solver = rve.solver
    with rve.lock:
        standing = to_standing(rve, state)
        first = len(rows)

        def done(step: Step) -> None:
            rows.append(_row(step))
            if checkpoint is not None and not step.reason:
                write_checkpoint(Path(checkpoint), key, rows, to_state(step.standing))
            if progress is not None and not step.reason:
                progress(len(rows), len(times))

        rest = load.rows(np.arange(first, len(times))).load(solver.composite.device)
        standing = follow(solver, rest, times[first:].tolist(), standing, tangent, done)
    return _response(rows, to_state(standing), times)


def step_rows(rve: RVE, state: Sequence[RVEState], x: Floats, dt: float) -> tuple[tuple[RVEState, ...], Runs]:
    """Take one step of ``dt`` seconds to ``x [b, g]`` from ``b`` states; see `RVE.step`."""
    if len(state) != len(x):
        raise ShapeError(f"The RVE was asked for a step of {len(x)} rows from {len(state)} states; give one per row.")
    ended: list[RVEState] = []
    paths: list[PathResponse | None] = []
    seconds = np.zeros(len(x))
    for row, strain in enumerate(x):
        if not np.isfinite(strain).all():
            ended.append(state[row])
            paths.append(None)
            continue
        begun = perf_counter()
        found = follow_path(rve, strain[None], None, [state[row].time + dt], True, state[row], None)
        seconds[row] = perf_counter() - begun
        ended.append(found.state if found.converged else state[row])
        paths.append(found)
    return tuple(ended), _runs(paths, x.shape[1], seconds)


def to_standing(rve: RVE, state: RVEState | None) -> Standing:
    """Return a state as the solver keeps it; the virgin state for ``None``.

    Raises:
        ShapeError: the state of another RVE.
    """
    import torch

    from scalebridge.micro.rve.cg import Vector
    from scalebridge.micro.rve.composite import Memory
    from scalebridge.micro.rve.history import Standing, Trend, virgin

    fresh = virgin(rve.solver)
    if state is None:
        return fresh
    shapes = [(0, 0, 0) if held is None else tuple(held.shape[1:]) for held in fresh.memory.states]
    if state.fluctuation.shape != fresh.state.field.shape[1:] or [a.shape for a in state.internal] != shapes:
        raise ShapeError(
            "The state belongs to another RVE: its fields do not fit this image or its laws; start with rve.state0(1)."
        )
    like = fresh.state.field

    def tensor(values: Floats) -> torch.Tensor:
        return torch.as_tensor(values, dtype=like.dtype, device=like.device)[None]

    states = [
        None if known is None else tensor(given)
        for known, given in zip(fresh.memory.states, state.internal, strict=True)
    ]
    means = (state.macro, state.stress, state.trend_macro, state.trend_push)
    macro, pulled, beyond, push = (torch.as_tensor(v, device=like.device)[None] for v in means)
    trend = Trend(push, Vector(tensor(state.trend), beyond))
    return Standing(Vector(tensor(state.fluctuation), macro), pulled, Memory(tuple(states), 0.0), state.time, trend)


def to_state(standing: Standing) -> RVEState:
    """Return where the solver stands as plain arrays."""
    internal = [np.zeros((0, 0, 0)) if s is None else s[0].cpu().numpy() for s in standing.memory.states]
    return RVEState(
        standing.state.field[0].cpu().numpy(),
        standing.state.macro[0].cpu().numpy(),
        standing.stress[0].cpu().numpy(),
        standing.trend.beyond.field[0].cpu().numpy(),
        standing.trend.beyond.macro[0].cpu().numpy(),
        standing.trend.push[0].cpu().numpy(),
        tuple(internal),
        standing.time,
    )


def _checked_times(time: ArrayLike | None, n: int, begin: float) -> Floats:
    if time is None:
        return begin + np.arange(1.0, n + 1.0)
    times = np.asarray(time, dtype=np.float64)
    if times.shape != (n,):
        raise ShapeError(f"The path of the RVE has {n} steps and times of shape {times.shape}; give one time per step.")
    if not (np.isfinite(times).all() and (np.diff(times, prepend=begin) > 0.0).all()):
        raise InputError(f"The times of the path must be finite and rise from {begin:g} s.")
    return times


def _row(step: Step) -> dict[str, Any]:
    return {
        "time": step.standing.time,
        "measure": step.standing.state.macro[0].cpu().numpy(),
        "stress": step.standing.stress[0].cpu().numpy(),
        "tangent": np.zeros((0, 0)) if step.tangent is None else step.tangent[0].cpu().numpy(),
        "hill_mandel": float(step.hill_mandel[0]),
        "residual": float(step.outcome.relative[0]),
        "newton": int(step.outcome.newton[0]),
        "cg": int(step.outcome.cg[0]),
        "substeps": step.substeps,
        "reason": step.reason,
    }


def _response(rows: list[dict[str, Any]], state: RVEState, times: Floats) -> PathResponse:
    reason = rows[-1]["reason"] if rows else ""
    kept = [r for r in rows if not r["reason"]]
    g = len(state.macro)

    def column(name: str, *shape: int) -> Any:
        return np.array([r[name] for r in kept]) if kept else np.zeros((0, *shape))

    tangent = column("tangent", g, g)
    found = tangent if tangent.size or not kept else None
    ended = f"step {len(kept)} of {len(times)}: {reason}; the state is the last in equilibrium" if reason else ""
    return PathResponse(
        column("time"),
        column("measure", g),
        column("stress", g),
        found,
        column("hill_mandel"),
        column("residual"),
        column("newton").astype(np.int64),
        column("cg").astype(np.int64),
        column("substeps").astype(np.int64),
        ended,
        state,
    )


def _runs(paths: Sequence[PathResponse | None], g: int, seconds: Floats) -> Runs:
    b = len(paths)
    values, jacobian = np.full((b, g), np.nan), np.full((b, g, g), np.nan)
    status, reason = [], []
    for row, found in enumerate(paths):
        good = found is not None and found.converged
        status.append("ok" if good else "failed")
        reason.append("" if good else "the load is not finite" if found is None else found.reason)
        if found is not None and good and found.tangent is not None:
            values[row], jacobian[row] = found.stress[-1], found.tangent[-1]
    return Runs(values, np.array(status), tuple(reason), seconds, jacobian=jacobian)


def _key(rve: RVE, load: Prescribed, times: Floats, start: RVEState | None, tangent: bool) -> str:
    digest = hashlib.sha256(repr(sorted(rve.identity().items())).encode())
    for array in (load.measure, load.stress, load.free, times):
        digest.update(np.ascontiguousarray(array).tobytes())
    if start is not None:
        for array in start.arrays.values():
            digest.update(np.ascontiguousarray(array).tobytes())
    digest.update(str(tangent).encode())
    return digest.hexdigest()


def _resumed(file: Path, key: str, start: RVEState | None) -> tuple[list[dict[str, Any]], RVEState | None]:
    found = read_checkpoint(file, key)
    if found is None:
        return [], start
    rows, arrays = found
    return rows, RVEState(**arrays)
