"""Nonlinear laws in the RVE: a user's own beside the built-in ones, the three discretisations, softening."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

import scalebridge as sb
from scalebridge.micro.rve.phases.probe import Constants

M = sb.micro
pytestmark = pytest.mark.theory
SCHEMES = ("rotated", "hexahedra", "moulinec_suquet")
HARD = M.Elastic("400 GPa", 0.2)
METAL = M.J2("70 GPa", 0.3, "200 MPa", hardening="1 GPa")
POWER = M.PowerLaw("3.5 GPa", 0.35, "50 MPa", 0.15)


def disk(n: int = 8) -> NDArray[np.int64]:
    x = (np.arange(n) + 0.5) / n - 0.45
    return np.asarray(np.add.outer(x**2, 1.3 * x**2) < 0.09, dtype=np.int64)


def ball(n: int = 5) -> NDArray[np.int64]:
    x = (np.arange(n) + 0.5) / n - 0.5
    return np.asarray(x[:, None, None] ** 2 + x[:, None] ** 2 + x**2 < 0.09, dtype=np.int64)


def power_energy(strain: Tensor, E: Tensor, nu: Tensor, strength: Tensor, n: Tensor) -> Tensor:
    bulk, shear = E / (3 * (1 - 2 * nu)), E / (2 * (1 + nu))
    trace = strain[:3].sum()
    square = (strain * strain).sum() - trace * trace / 3
    start = strength / (3 * shear)
    ratio = 2 / 3 * square / start**2
    return 0.5 * bulk * trace**2 + 3 * shear * start**2 / (n + 1) * ((1 + ratio) ** (0.5 * (n + 1)) - 1)


def own_power() -> M.TorchLaw:
    constants: Constants = {"E": ("3.5 GPa", "Pa"), "nu": 0.35, "strength": ("50 MPa", "Pa"), "n": 0.15}
    return M.TorchLaw(power_energy, parameters=constants, even=True)


@pytest.mark.parametrize("image", [disk(), ball()], ids=["plane", "space"])
def test_own_law_by_its_energy_answers_as_the_built_in_one(image: NDArray[np.int64]) -> None:
    strains = np.array([[0.01, -0.004, 0.006], [0.0, 0.02, -0.01]])
    strains = strains if image.ndim == 2 else np.hstack([strains, 0.5 * strains])
    own, built_in = (M.RVE(image, [law, HARD], tolerance=1e-9).homogenise(strains) for law in (own_power(), POWER))
    assert own.converged.all()
    np.testing.assert_allclose(own.stress, built_in.stress, rtol=0, atol=1e-8 * np.abs(built_in.stress).max())
    np.testing.assert_allclose(own.tangent, built_in.tangent, rtol=0, atol=1e-6 * built_in.tangent.max())
    np.testing.assert_allclose(own.energy, built_in.energy, rtol=1e-8)


def radial_return(
    strain: Tensor, state: Tensor, dt: float, E: Tensor, nu: Tensor, strength: Tensor, hardening: Tensor
) -> tuple[Tensor, Tensor]:
    bulk, shear = E / (3 * (1 - 2 * nu)), E / (2 * (1 + nu))
    one = torch.cat([strain.new_ones(3), strain.new_zeros(3)])
    elastic = strain - state[:6]
    trial = 2 * shear * (elastic - elastic[:3].sum() / 3 * one)
    square = (trial * trial).sum()
    norm = torch.where(square > 0, square, 1.0).sqrt()
    over = norm - math.sqrt(2 / 3) * (strength + hardening * state[6])
    gamma = torch.where((over > 0) & (square > 0), over / (2 * shear + 2 / 3 * hardening), 0.0)
    flow = gamma * trial / norm
    new = torch.cat([state[:6] + flow, (state[6] + math.sqrt(2 / 3) * gamma)[None]])
    return bulk * strain[:3].sum() * one + trial - 2 * shear * flow, new


def own_metal() -> M.TorchHistoryLaw:
    constants: Constants = {
        "E": ("70 GPa", "Pa"),
        "nu": 0.3,
        "strength": ("200 MPa", "Pa"),
        "hardening": ("1 GPa", "Pa"),
    }
    return M.TorchHistoryLaw(radial_return, state_size=7, parameters=constants)


@pytest.mark.parametrize(("image", "plane"), [(disk(), "strain"), (disk(), "stress"), (ball(), "strain")])
def test_own_law_with_memory_answers_as_the_built_in_one(image: NDArray[np.int64], plane: Any) -> None:
    g = 3 if image.ndim == 2 else 6
    way = np.array([0.4, 0.8, 1.2, 0.4, -0.6])
    load = np.outer(way, 0.01 * np.array([1.0, -0.3, 0.5, 0.2, 0.1, -0.4])[:g])
    own, built_in = (
        M.RVE(image, [law, HARD], tolerance=1e-10, plane=plane).path(load, tangent=True) for law in (own_metal(), METAL)
    )
    assert own.converged and own.tangent is not None and built_in.tangent is not None
    np.testing.assert_allclose(own.stress, built_in.stress, rtol=0, atol=1e-8 * np.abs(built_in.stress).max())
    np.testing.assert_allclose(own.tangent, built_in.tangent, rtol=0, atol=1e-6 * built_in.tangent.max())


def rubber_energy(f: Tensor, mu: Tensor, lam: Tensor) -> Tensor:
    rows = f.reshape(3, 3)
    volume: Tensor = (rows[0] * torch.linalg.cross(rows[1], rows[2])).sum()
    energy: Tensor = 0.5 * mu * ((f * f).sum() - 3 - 2 * volume.log()) + 0.5 * lam * volume.log() ** 2
    return energy


def test_own_law_at_finite_strain_answers_as_the_built_in_one() -> None:
    own = M.TorchLaw(rubber_energy, parameters={"mu": 1.0, "lam": 2.0}, kinematics="finite strain")
    f = np.array([[1.2, 0.3, 0.0, 0.1, 0.9, 0.0, 0.0, 0.1, 1.1]])
    stiff = M.NeoHooke(10.0, 0.3)
    first = M.RVE(ball(), [own, stiff], tolerance=1e-9).homogenise(f)
    second = M.RVE(ball(), [M.NeoHooke.from_lame(1.0, 2.0), stiff], tolerance=1e-9).homogenise(f)
    assert first.converged.all()
    np.testing.assert_allclose(first.stress, second.stress, rtol=0, atol=1e-8)
    np.testing.assert_allclose(first.tangent, second.tangent, rtol=0, atol=1e-6)


def test_identity_of_an_own_law_depends_on_its_source_and_its_constants() -> None:
    def stiffer(factor: float) -> Callable[[Tensor], Tensor]:
        if factor == 1.0:
            return lambda strain: 5e8 * (strain * strain).sum()
        return lambda strain: 6e8 * (strain * strain).sum()

    made = [M.RVE(disk(), [M.TorchLaw(stiffer(k)), HARD]).identity()["material.0"] for k in (1.0, 1.0, 2.0)]
    assert made[0] == made[1] != made[2]
    constants = {"E": 70e9, "nu": 0.3, "strength": 2e8, "hardening": 1e9}
    laws = [
        M.TorchHistoryLaw(radial_return, state_size=7, parameters=constants | {"nu": nu}) for nu in (0.3, 0.3, 0.31)
    ]
    named = [M.RVE(disk(), [law, HARD]).identity()["material.0"] for law in laws]
    assert named[0] == named[1] != named[2]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("image", [disk(), ball()], ids=["plane", "space"])
def test_power_law_has_a_potential_in_every_discretisation(image: NDArray[np.int64], scheme: str) -> None:
    made, h = M.RVE(image, [POWER, HARD], tolerance=1e-10, discretisation=scheme), 1e-6
    g = made.inputs.size
    strain = 0.01 * np.array([1.0, -0.4, 0.6, 0.2, -0.3, 0.5])[:g]
    found = made.homogenise(np.vstack([strain, strain + h * np.eye(g), strain - h * np.eye(g)]))
    assert found.converged.all() and found.hill_mandel.max() < 1e-8
    slope = (found.energy[1 : g + 1] - found.energy[g + 1 :]) / (2 * h)
    np.testing.assert_allclose(found.stress[0], slope, rtol=0, atol=1e-7 * np.abs(slope).max())
    slopes = (found.stress[1 : g + 1] - found.stress[g + 1 :]).T / (2 * h)
    np.testing.assert_allclose(found.tangent[0], slopes, rtol=0, atol=1e-5 * np.abs(slopes).max())


@pytest.mark.parametrize(("scheme", "points"), [("rotated", 1), ("hexahedra", 8), ("moulinec_suquet", 1)])
def test_plasticity_keeps_a_state_per_point_of_every_discretisation(scheme: str, points: int) -> None:
    made, h = M.RVE(ball(), [METAL, HARD], tolerance=1e-10, discretisation=scheme), 1e-6
    strain = 0.008 * np.array([1.0, -0.4, 0.1, 0.2, -0.3, 0.5])
    (state,), _ = made.step(made.state0(1), strain[None])
    assert state.internal[0].shape == (points, int((ball() == 0).sum()), 13)
    assert state.internal[0][..., 12].max() > 1e-3
    end = 1.4 * strain[::-1]
    _, runs = made.step((state,), end[None])
    directions = np.array([[1.0, 0, 0, 0, 0, 0], [0, 0, 0, 1.0, 0, 1.0]])
    _, moved = made.step((state,) * 4, np.vstack([end + h * directions, end - h * directions]))
    slopes = (moved.values[:2] - moved.values[2:]) / (2 * h)
    assert runs.jacobian is not None
    np.testing.assert_allclose(directions @ runs.jacobian[0].T, slopes, rtol=0, atol=2e-6 * np.abs(slopes).max())


def test_discretisations_meet_under_refinement() -> None:
    load = np.outer([0.5, 1.0], [0.012, -0.004, 0.006])

    def ends(n: int) -> dict[str, Any]:
        made = {s: M.RVE(disk(n), [METAL, HARD], discretisation=s, tolerance=1e-7) for s in SCHEMES}
        return {scheme: rve.path(load).stress[-1] for scheme, rve in made.items()}

    coarse, fine = ends(9), ends(27)
    for scheme in ("hexahedra", "moulinec_suquet"):
        gaps = [np.abs(found[scheme] - found["rotated"]).max() for found in (coarse, fine)]
        assert gaps[1] < 0.5 * gaps[0]
        assert gaps[1] < 0.03 * np.abs(fine["rotated"]).max()


def softening(strain: Tensor, E: Tensor, peak: Tensor) -> Tensor:
    return 0.5 * E * peak**2 * (1 - torch.exp(-(strain * strain).sum() / peak**2))


@pytest.mark.parametrize("shear", [0.005, 0.02, 0.05, 0.2])
def test_a_law_that_softens_is_answered_in_equilibrium_or_refused_and_never_by_nan(shear: float) -> None:
    law = M.TorchLaw(softening, parameters={"E": 1.0, "peak": 0.02})
    made = M.RVE(disk(), [law, M.Elastic(5.0, 0.3)])
    load = np.array([[0.0, 0.3 * shear, shear]])
    for found in (made.homogenise(load), made.path(load)):
        good = bool(np.all(found.converged))
        assert good or "not found" in str(found.reason)
        if good:
            assert np.isfinite(found.stress).all() and found.residual.max() <= 1e-6
    assert np.isfinite(made.path(load).state.fluctuation).all()
