"""Load paths: control, substeps, restart, checkpoints, the model with memory, the consistent tangent."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import scalebridge as sb
from scalebridge.errors import InputError, ShapeError
from scalebridge.micro.rve.equilibrium import Equilibrium
from scalebridge.micro.rve.phases.phase import Advance

Floats = NDArray[np.float64]
METAL = sb.micro.J2("70 GPa", 0.3, "200 MPa", hardening="1 GPa", kinematic="2 GPa")
HARD = sb.micro.Elastic("400 GPa", 0.2)
POLYMER = sb.micro.GeneralisedMaxwell("5 GPa", "0.4 GPa", (("0.6 GPa", 1.0, "0.2 GPa"), ("0.3 GPa", 10.0, 0.0)))
FREE = np.nan


def disk(n: int = 8) -> NDArray[np.int64]:
    x = (np.arange(n) + 0.5) / n - 0.45
    return np.asarray(np.add.outer(x**2, 1.3 * x**2) < 0.09, dtype=np.int64)


def ball(n: int = 6) -> NDArray[np.int64]:
    x = (np.arange(n) + 0.5) / n - 0.45
    return np.asarray(x[:, None, None] ** 2 + x[:, None] ** 2 + 1.4 * x**2 < 0.09, dtype=np.int64)


def plane_rve(**options: Any) -> sb.micro.RVE:
    return sb.micro.RVE(disk(), [METAL, HARD], **{"tolerance": 1e-9, **options})


def ramp(end: list[float], steps: int) -> Floats:
    return np.outer(np.linspace(0.0, 1.0, steps + 1)[1:], end)


def test_strain_control_ends_at_the_strain_asked_for_and_dissipates() -> None:
    there = ramp([0.01, -0.004, 0.006], 4)
    path = plane_rve().path(np.vstack([there, there[:-1][::-1], np.zeros((1, 3))]))
    assert path.converged
    assert path.time.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    np.testing.assert_array_equal(path.measure[3], there[-1])
    assert path.residual.max() <= 1e-9
    assert path.hill_mandel.max() < 1e-8
    strain, stress = (np.vstack([np.zeros((1, 3)), a]) for a in (path.measure, path.stress))
    assert np.sum(0.5 * (stress[1:] + stress[:-1]) * np.diff(strain, axis=0)) > 0.0
    assert np.abs(path.stress[-1]).max() > 1e7


@pytest.mark.parametrize("plane", ["strain", "stress", "generalised"])
def test_stress_control_finds_the_strain_that_strain_control_takes_back(plane: str) -> None:
    made = plane_rve(plane=plane)
    g = made.inputs.size
    pulled = ramp([1.6e8, 0.0, 0.0, 5e7, 0.0, 0.0][:g], 3)
    by_stress = made.path(np.full((3, g), FREE), stress=pulled)
    assert by_stress.converged
    np.testing.assert_allclose(by_stress.stress, pulled, atol=1e-8 * 1.6e8)
    by_strain = made.path(by_stress.measure)
    np.testing.assert_allclose(by_strain.stress, pulled, atol=1e-6 * 1.6e8)


def test_mixed_control_keeps_each_component_at_what_was_prescribed() -> None:
    path = sb.micro.RVE(ball(), [METAL, HARD], tolerance=1e-9).path(
        np.outer(np.linspace(0, 0.01, 4)[1:], [1, FREE, FREE, 0, 0, 0.3]), stress=np.zeros(6)
    )
    np.testing.assert_array_equal(path.measure[:, 0], np.linspace(0, 0.01, 4)[1:])
    assert np.abs(path.stress[:, 1:3]).max() < 1e-7 * path.stress[:, 0].max()
    assert (path.measure[:, 1:3] < 0).all()


class Flaky:
    """A law that is not a number beyond a strain that grows from one step to the next, as Newton's method sees it."""

    name = "flaky"
    kinematics = "small strain"
    parameters = ()
    state_size = 1

    def __init__(self, reach: float) -> None:
        self.reach, self.law = reach, HARD

    def state0(self) -> tuple[float, ...]:
        return (0.0,)

    def advance(self, measure: torch.Tensor, state: torch.Tensor, dt: float) -> Advance:
        size = measure.norm(dim=-1, keepdim=True)
        stress = self.law.stress(measure).where(size < state + self.reach, torch.nan)
        return Advance(stress, self.law.tangent(measure), size)


def test_a_step_that_fails_is_taken_in_halves_to_the_same_end() -> None:
    made = sb.micro.RVE(disk(), [Flaky(0.004), HARD], tolerance=1e-9)
    path = made.path([[0.01, 0.0, 0.0]], tangent=True)
    assert path.converged
    assert path.substeps[0] > 3
    elastic = sb.micro.RVE(disk(), [HARD, HARD], tolerance=1e-9).homogenise([[0.01, 0.0, 0.0]])
    np.testing.assert_allclose(path.stress, elastic.stress, rtol=1e-8)
    assert path.tangent is not None
    np.testing.assert_allclose(path.tangent, elastic.tangent, rtol=1e-8, atol=1.0)


def test_a_step_that_cannot_be_taken_ends_the_path_with_the_reason_and_the_last_state() -> None:
    made = sb.micro.RVE(disk(), [Flaky(1e-5), HARD], tolerance=1e-9)
    path = made.path(ramp([0.02, 0.0, 0.0], 4))
    assert not path.converged
    assert path.reason.startswith("step 0 of 4: equilibrium not found: Newton stopped at a relative residual of")
    assert path.stress.shape == (0, 3) and path.time.shape == (0,)
    assert np.isfinite(path.state.fluctuation).all()
    assert 0.0 <= path.state.macro[0] < 0.005


def test_a_path_taken_in_two_parts_is_the_path_taken_at_once() -> None:
    made, load = plane_rve(), ramp([0.012, -0.004, 0.006], 6)
    whole = made.path(load, tangent=True)
    first = made.path(load[:3], tangent=True)
    second = made.path(load[3:], tangent=True, start=first.state)
    np.testing.assert_array_equal(np.vstack([first.stress, second.stress]), whole.stress)
    np.testing.assert_array_equal(second.newton, whole.newton[3:])
    np.testing.assert_array_equal(second.time, whole.time[3:])
    assert second.tangent is not None and whole.tangent is not None
    np.testing.assert_array_equal(second.tangent, whole.tangent[3:])


def test_a_state_of_another_rve_is_refused() -> None:
    state = plane_rve().path([[1e-3, 0, 0]]).state
    with pytest.raises(ShapeError, match="belongs to another RVE"):
        sb.micro.RVE(disk(10), [METAL, HARD]).path([[1e-3, 0, 0]], start=state)
    with pytest.raises(ShapeError, match="belongs to another RVE"):
        sb.micro.RVE(disk(), [POLYMER, HARD]).path([[1e-3, 0, 0]], start=state)


@pytest.mark.parametrize(
    ("load", "options", "error", "words"),
    [
        ([[1e-3, 0, 0], [2e-3, 0, 0]], {"time": [1.0, 1.0]}, InputError, "must be finite and rise from 0 s"),
        ([[1e-3, 0, 0]], {"time": [0.0]}, InputError, "must be finite and rise from 0 s"),
        ([[1e-3, 0, 0]], {"time": [np.nan]}, InputError, "must be finite and rise"),
        ([[1e-3, 0, 0]], {"time": [1.0, 2.0]}, ShapeError, "one time per step"),
        ([[1e-3, FREE, 0]], {}, InputError, "Step 0 of the path is not finite; prescribe a stress where"),
        ([[1e-3, FREE, 0], [FREE, 0, 0]], {"stress": [0, 0, 0]}, InputError, "NaN in different components"),
        ([[1e-3, FREE, 0]], {"stress": [0, np.inf, 0]}, InputError, "must be finite wherever"),
        ([[1e-3, 0, 0, 0]], {}, ShapeError, "strain"),
    ],
)
def test_a_load_that_makes_no_sense_is_answered_in_one_sentence(
    load: list[list[float]], options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        plane_rve().path(load, **options)


def test_a_law_without_memory_follows_paths_too() -> None:
    power = sb.micro.PowerLaw("3.5 GPa", 0.35, "50 MPa", 0.15)
    made = sb.micro.RVE(disk(), [power, HARD], tolerance=1e-10)
    load = ramp([0.01, 0.0, 0.004], 3)
    path, alone = made.path(load, tangent=True), made.homogenise(load)
    np.testing.assert_allclose(path.stress, alone.stress, rtol=1e-8)
    assert path.tangent is not None
    np.testing.assert_allclose(path.tangent, alone.tangent, rtol=1e-5, atol=1e-5 * alone.tangent.max())


CASES = {
    "J2, plane strain": (disk(), METAL, "strain"),
    "J2, plane stress": (disk(), METAL, "stress"),
    "J2, generalised": (disk(), METAL, "generalised"),
    "J2, in space": (ball(), METAL, "strain"),
    "Maxwell, plane strain": (disk(), POLYMER, "strain"),
    "Maxwell, plane stress": (disk(), POLYMER, "stress"),
    "Maxwell, in space": (ball(), POLYMER, "strain"),
}


@pytest.mark.theory
@pytest.mark.parametrize("case", CASES)
def test_tangent_of_a_step_is_the_derivative_of_its_stress(case: str) -> None:
    image, law, plane = CASES[case]
    made = sb.micro.RVE(image, [law, HARD], tolerance=1e-11, plane=plane)  # type: ignore[arg-type]
    g, dt, h = made.inputs.size, 0.7, 2e-7
    direction = np.array([1.0, -0.3, 0.4, 0.2, -0.1, 0.3])[:g]
    (state,), _ = made.step(made.state0(1), 0.006 * direction[None], dt)
    end = 0.01 * direction[::-1]
    _, runs = made.step((state,), end[None], dt)
    assert runs.ok.all() and runs.jacobian is not None
    probes = np.concatenate([end + h * np.eye(g), end - h * np.eye(g)])
    _, moved = made.step((state,) * (2 * g), probes, dt)
    slope = (moved.values[:g] - moved.values[g:]).T / (2 * h)
    np.testing.assert_allclose(runs.jacobian[0], slope, rtol=0, atol=2e-6 * np.abs(slope).max())


def test_state_is_not_changed_by_a_step_and_a_step_can_be_repeated() -> None:
    made = plane_rve()
    (state,), _ = made.step(made.state0(1), np.array([[0.006, 0.0, 0.0]]))
    before = {name: values.copy() for name, values in state.arrays.items()}
    first, one = made.step((state,), np.array([[0.008, 0.001, 0.0]]))
    made.step((state,), np.array([[-0.004, 0.0, 0.01]]))
    again, two = made.step((state,), np.array([[0.008, 0.001, 0.0]]))
    for name, values in state.arrays.items():
        np.testing.assert_array_equal(values, before[name])
        np.testing.assert_array_equal(first[0].arrays[name], again[0].arrays[name])
    np.testing.assert_array_equal(one.values, two.values)


def test_rows_of_a_step_are_independent_and_a_failed_row_keeps_its_state() -> None:
    made = plane_rve()
    states = made.state0(3)
    x = np.array([[0.006, 0.0, 0.0], [np.nan, 0.0, 0.0], [0.0, 0.006, 0.0]])
    ended, runs = made.step(states, x)
    assert runs.status.tolist() == ["ok", "failed", "ok"]
    assert runs.reason[1] == "the load is not finite"
    assert ended[1] is states[1]
    assert ended[0].time == ended[2].time == 1.0
    alone, _ = made.step(states[:1], x[:1])
    np.testing.assert_array_equal(alone[0].internal[0], ended[0].internal[0])
    with pytest.raises(ShapeError, match="give one per row"):
        made.step(states[:2], x)


def test_a_row_that_finds_no_equilibrium_keeps_its_state() -> None:
    made = sb.micro.RVE(disk(), [Flaky(1e-5), HARD])
    states = made.state0(1)
    ended, runs = made.step(states, np.array([[0.02, 0.0, 0.0]]))
    assert not runs.ok[0] and "equilibrium not found" in runs.reason[0]
    assert np.isnan(runs.values).all()
    assert ended[0] is states[0]


def test_a_path_goes_on_after_a_row_of_steps() -> None:
    made, load = plane_rve(), ramp([0.012, -0.004, 0.006], 4)
    states = made.state0(1)
    for row in load:
        states, runs = made.step(states, row[None])
    np.testing.assert_allclose(runs.values, made.path(load).stress[-1:], rtol=1e-8)


def test_virgin_states_take_no_memory() -> None:
    (state, *others) = sb.micro.RVE(ball(12), [METAL, HARD]).state0(100)
    assert all(other is state for other in others)
    assert all(not any(a.strides[:-1]) for a in state.internal if a.size)


def test_progress_is_told_after_each_step() -> None:
    seen: list[tuple[int, int]] = []
    plane_rve().path(ramp([0.003, 0, 0], 3), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the calls of Newton's method."""
    calls = [0]
    newton = Equilibrium.newton

    def counting(*args: Any) -> Any:
        calls[0] += 1
        return newton(*args)

    monkeypatch.setattr(Equilibrium, "newton", counting)
    return calls


def test_a_path_that_is_interrupted_goes_on_from_its_last_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, load, file = plane_rve(), ramp([0.012, -0.004, 0.006], 5), tmp_path / "path.npz"
    whole = made.path(load, tangent=True)

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made.path(load, tangent=True, checkpoint=file, progress=stop)
    calls = counted(monkeypatch)
    resumed = made.path(load, tangent=True, checkpoint=file)
    assert calls[0] == 2
    for field in dataclasses.fields(resumed):
        if field.name not in ("state", "reason"):
            np.testing.assert_array_equal(getattr(resumed, field.name), getattr(whole, field.name))
    for name, values in resumed.state.arrays.items():
        np.testing.assert_array_equal(values, whole.state.arrays[name])
    made.path(load, tangent=True, checkpoint=file)
    assert calls[0] == 2
    assert [p.name for p in tmp_path.iterdir()] == ["path.npz"]


SCRIPT = """
import sys, numpy as np, scalebridge as sb
from tests.micro.test_paths import plane_rve, ramp
def told(done, total):
    print(done, flush=True)
path = plane_rve().path(ramp([0.012, -0.004, 0.006], 40), checkpoint=sys.argv[1], progress=told)
np.save(sys.argv[2], path.stress)
"""


@pytest.mark.theory
def test_a_path_that_is_killed_goes_on_and_redoes_no_finished_step(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "path.npz"), str(tmp_path / "stress.npy")]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as victim:
        assert victim.stdout is not None
        lines = [victim.stdout.readline() for _ in range(4)]
        os.kill(victim.pid, signal.SIGKILL)
        lines += victim.stdout.read().splitlines()
    assert victim.returncode == -signal.SIGKILL
    finished = int([line for line in lines if line.strip()][-1])
    assert 4 <= finished < 40
    rest = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root).stdout.split()
    # The step whose file was written but not yet told is not redone either.
    assert int(rest[0]) in (finished + 1, finished + 2)
    assert rest == [str(k) for k in range(int(rest[0]), 41)]
    np.testing.assert_array_equal(
        np.load(tmp_path / "stress.npy"), plane_rve().path(ramp([0.012, -0.004, 0.006], 40)).stress
    )


def test_a_checkpoint_of_another_path_is_refused_and_left_alone(tmp_path: Path) -> None:
    made, file = plane_rve(), tmp_path / "path.npz"
    load = ramp([0.003, 0.0, 0.0], 2)
    made.path(load, checkpoint=file)
    kept = file.read_bytes()
    others: list[Callable[[], object]] = [
        lambda: made.path(2 * load, checkpoint=file),
        lambda: made.path(load, time=[1.0, 3.0], checkpoint=file),
        lambda: made.path(load, tangent=True, checkpoint=file),
        lambda: made.path(load, time=[2.0, 3.0], start=made.path(load[:1]).state, checkpoint=file),
        lambda: plane_rve(tolerance=1e-8).path(load, checkpoint=file),
        lambda: sb.micro.RVE(disk(), [METAL, POLYMER]).path(load, checkpoint=file),
    ]
    for other in others:
        with pytest.raises(InputError, match="belongs to another path"):
            other()
    assert file.read_bytes() == kept


@pytest.mark.parametrize("content", ["cut", "foreign", "text", "empty", "changed"])
def test_a_checkpoint_that_cannot_be_read_is_refused_in_one_sentence(tmp_path: Path, content: str) -> None:
    made, file = plane_rve(), tmp_path / "path.npz"
    made.path(ramp([0.003, 0.0, 0.0], 2), checkpoint=file)
    whole = file.read_bytes()
    if content == "cut":
        file.write_bytes(whole[: len(whole) // 2])
    elif content == "foreign":
        np.savez(file, a=np.zeros(3))
    elif content == "changed":
        middle = len(whole) // 2
        file.write_bytes(whole[:middle] + bytes(64) + whole[middle + 64 :])
    else:
        file.write_bytes(b"" if content == "empty" else b"not a checkpoint")
    with pytest.raises(InputError, match=r"cannot be read .*remove it to begin the path anew"):
        made.path(ramp([0.003, 0.0, 0.0], 2), checkpoint=file)


def test_a_checkpoint_that_cannot_be_written_is_answered_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="could not be written"):
        plane_rve().path([[1e-3, 0, 0]], checkpoint=tmp_path / "nowhere" / "path.npz")


def test_time_matters_to_a_law_of_rate_and_not_to_plasticity() -> None:
    load = ramp([0.004, 0.0, 0.0], 2)
    slow, fast = ([100.0, 200.0], [0.01, 0.02])
    viscous = sb.micro.RVE(disk(), [POLYMER, HARD])
    assert viscous.path(load, time=slow).stress[-1, 0] < 0.99 * viscous.path(load, time=fast).stress[-1, 0]
    plastic = plane_rve()
    np.testing.assert_array_equal(plastic.path(load, time=slow).stress, plastic.path(load, time=fast).stress)


def test_single_precision_follows_a_path_to_its_own_accuracy() -> None:
    load = ramp([0.01, 0.0, 0.004], 4)
    double, single = (
        sb.micro.RVE(disk(), [METAL, HARD], tolerance=1e-5, precision=precision).path(load)
        for precision in ("double", "single")
    )
    assert single.converged
    assert single.state.fluctuation.dtype == np.float32
    np.testing.assert_allclose(single.stress, double.stress, atol=1e-4 * np.abs(double.stress).max())


def test_steps_of_a_proportional_load_start_where_the_last_ones_point() -> None:
    made = sb.micro.RVE(disk(16), [METAL, HARD])
    path = made.path(ramp([0.02, -0.01, 0.0], 10))
    assert path.newton[5:].max() <= 3
