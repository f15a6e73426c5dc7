"""A user's own law: derivatives by autograd, the same as laws written in full, and bad laws refused at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from scalebridge.errors import InputError
from scalebridge.micro.rve.phases.j2 import J2
from scalebridge.micro.rve.phases.neo_hooke import NeoHooke
from scalebridge.micro.rve.phases.phase import HistoryPhase, Phase, with_parameters
from scalebridge.micro.rve.phases.torch_law import TorchHistoryLaw, TorchLaw
from tests.micro.mandel import gradients, row_jacobian, strains

Tensor = torch.Tensor
LAME = {"lam": (6.0, "Pa"), "mu": (4.0, "Pa")}


def hooke_energy(strain: Tensor, lam: float, mu: float) -> Tensor:
    return 0.5 * lam * strain[..., :3].sum(-1) ** 2 + mu * (strain * strain).sum(-1)


def hooke_stress(strain: Tensor, lam: float, mu: float) -> Tensor:
    volume = strain[..., :3].sum(-1, keepdim=True)
    return 2 * mu * strain + lam * torch.cat(
        [volume.expand(*volume.shape[:-1], 3), torch.zeros_like(strain[..., 3:])], -1
    )


def cubic_stress(strain: Tensor, mu: float) -> Tensor:
    return mu * strain * (1.0 + (strain * strain).sum(-1, keepdim=True))


def neo_hooke_energy(f: Tensor, mu: float, lam: float) -> Tensor:
    rows = f.reshape(3, 3)
    log = (rows[0] @ torch.linalg.cross(rows[1], rows[2])).log()
    return 0.5 * mu * ((f * f).sum() - 3.0 - 2.0 * log) + 0.5 * lam * log**2


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("given", ["energy", "stress"])
def test_hookes_law_in_one_line_agrees_with_the_formula(given: str, batched: bool) -> None:
    function: Any = {given: hooke_energy if given == "energy" else hooke_stress}
    law = TorchLaw(**function, parameters=LAME, linear=True, even=True, batched=batched)
    assert isinstance(law, Phase)
    x = strains(20).reshape(4, 5, 6)
    torch.testing.assert_close(law.energy(x), hooke_energy(x, 6.0, 4.0), rtol=1e-12, atol=1e-16)
    torch.testing.assert_close(law.stress(x), hooke_stress(x, 6.0, 4.0), rtol=1e-12, atol=1e-16)
    tangent = row_jacobian(lambda y: hooke_stress(y, 6.0, 4.0), strains(20)).reshape(4, 5, 6, 6)
    torch.testing.assert_close(law.tangent(x), tangent, rtol=1e-12, atol=1e-14)
    assert [(p.name, p.value, p.unit) for p in law.parameters] == [("lam", 6.0, "Pa"), ("mu", 4.0, "Pa")]
    assert law.function is next(iter(function.values()))


def test_finite_strain_energy_agrees_with_the_law_in_the_box() -> None:
    ours = NeoHooke.from_lame(2.0, 3.0)
    own = TorchLaw(neo_hooke_energy, parameters={"mu": 2.0, "lam": 3.0}, kinematics="finite strain", name="own rubber")
    f = gradients()
    for member in ("energy", "stress", "tangent"):
        torch.testing.assert_close(getattr(own, member)(f), getattr(ours, member)(f), rtol=1e-10, atol=1e-11)


def test_conductivity_that_grows_with_the_gradient_is_a_law_too() -> None:
    def energy(g: Tensor, k: float) -> Tensor:
        return 0.5 * k * (g @ g) + 0.25 * (g @ g) ** 2

    constants = {"k": (2.0, "W/(m*K)")}
    law = TorchLaw(energy, parameters=constants, kinematics="conduction", even=True, probe=1.0)
    g = torch.tensor([[1.0, 2.0, 2.0]], dtype=torch.float64)
    torch.testing.assert_close(law.stress(g), (2.0 + 9.0) * g, rtol=1e-13, atol=0.0)


def test_energy_of_a_law_given_by_its_stress_is_its_integral() -> None:
    law = TorchLaw(stress=cubic_stress, parameters={"mu": 3.0}, even=True)
    x = strains(20, 0.5)
    square = (x * x).sum(-1)
    torch.testing.assert_close(law.energy(x), 3.0 * (square / 2 + square**2 / 4), rtol=1e-13, atol=0.0)


def test_many_points_in_chunks_give_what_one_point_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scalebridge.micro.rve.phases.differentiate.CHUNK", 7)
    law = TorchLaw(stress=cubic_stress, parameters={"mu": 3.0})
    x = strains(23)
    torch.testing.assert_close(law.stress(x), torch.stack([law.stress(row) for row in x]), rtol=0.0, atol=0.0)
    torch.testing.assert_close(law.tangent(x), torch.stack([law.tangent(row) for row in x]), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("batched", [False, True])
def test_constants_may_be_tensors_one_or_one_per_point(batched: bool) -> None:
    law = TorchLaw(hooke_energy, parameters=LAME, batched=batched)
    x = strains(12).reshape(4, 3, 6)
    mu = torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64, requires_grad=True)
    many = with_parameters(law, {"mu": mu, "lam": torch.tensor(7.0, dtype=torch.float64)})
    for i in range(3):
        expected = hooke_stress(x[:, i], 7.0, float(mu.detach()[i]))
        torch.testing.assert_close(many.stress(x)[:, i], expected, rtol=1e-12, atol=1e-15)
    (gradient,) = torch.autograd.grad(many.energy(x).sum(), mu)
    torch.testing.assert_close(gradient, (x * x).sum((0, 2)), rtol=1e-12, atol=0.0)
    (second,) = torch.autograd.grad(many.tangent(x).diagonal(dim1=-2, dim2=-1).sum(), mu)
    torch.testing.assert_close(second, torch.full((3,), 4 * 6 * 2.0, dtype=torch.float64), rtol=1e-12, atol=0.0)


def test_single_precision_stays_single() -> None:
    law = TorchLaw(hooke_energy, parameters=LAME)
    for member in ("energy", "stress", "tangent"):
        assert getattr(law, member)(strains().float()).dtype == torch.float32


def radial_return(strain: Tensor, state: Tensor, dt: float, bulk: float, shear: float, y: float, h: float):  # type: ignore[no-untyped-def]
    one = torch.cat([torch.ones(3, dtype=strain.dtype), torch.zeros(3, dtype=strain.dtype)])
    volume = strain[:3].sum()
    trial = 2 * shear * (strain - volume / 3 * one - state[:6])
    norm = ((trial * trial).sum() + 1e-300).sqrt()
    gamma = (norm - (2 / 3) ** 0.5 * (y + h * state[6])).clamp(min=0.0) / (2 * shear + 2 / 3 * h)
    flow = gamma * trial / norm
    stress = bulk * volume * one + trial - 2 * shear * flow
    return stress, torch.cat([state[:6] + flow, (state[6] + (2 / 3) ** 0.5 * gamma)[None]])


PLASTIC = {"bulk": 50.0, "shear": 25.0, "y": 0.1, "h": 2.0}


def test_plasticity_of_ones_own_agrees_with_the_law_in_the_box_tangent_included() -> None:
    own = TorchHistoryLaw(radial_return, state_size=7, parameters=PLASTIC, name="own plasticity", probe=0.01)
    assert isinstance(own, HistoryPhase)
    E, nu = 9 * 50.0 * 25.0 / (150.0 + 25.0), (150.0 - 50.0) / (300.0 + 50.0)
    ours = J2(E, nu, 0.1, hardening=2.0)
    mine, box = torch.zeros(30, 7, dtype=torch.float64), torch.zeros(30, 13, dtype=torch.float64)
    for step in range(3):
        x = strains(30, 0.004, step)
        a, b = own.advance(x, mine, 1.0), ours.advance(x, box, 1.0)
        torch.testing.assert_close(a.stress, b.stress, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(a.tangent, b.tangent, rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(a.state, b.state[:, [0, 1, 2, 3, 4, 5, 12]], rtol=1e-10, atol=1e-14)
        mine, box = a.state, b.state


def test_the_time_step_reaches_the_function() -> None:
    def creeping(strain: Tensor, state: Tensor, dt: float, G: float, tau: float) -> tuple[Tensor, Tensor]:
        viscous = (state + dt / tau * strain) / (1 + dt / tau)
        return 2 * G * (strain - viscous), viscous

    law = TorchHistoryLaw(creeping, state_size=6, parameters={"G": (1.0, "Pa"), "tau": ("2 s", "s")})
    x, zero = strains(5), torch.zeros(5, 6, dtype=torch.float64)
    for dt in (0.0, 1.0, 8.0):
        found = law.advance(x.reshape(5, 1, 6), zero.reshape(5, 1, 6), dt)
        torch.testing.assert_close(found.stress[:, 0], 2 * x / (1 + dt / 2), rtol=1e-13, atol=0.0)
        expected = (2 / (1 + dt / 2)) * torch.eye(6).double().expand(5, 6, 6)
        torch.testing.assert_close(found.tangent[:, 0], expected, rtol=1e-13, atol=1e-15)


def determinant(f: Tensor) -> Tensor:
    return (torch.linalg.det(f.reshape(3, 3)) - 1.0) ** 2


def one_sided(strain: Tensor) -> Tensor:
    return strain[0] * strain.roll(1) + strain


def in_place(strain: Tensor, state: Tensor, dt: float) -> tuple[Tensor, Tensor]:
    state += strain
    return strain * 1.0, state * 1.0


def stepping(strain: Tensor, state: Tensor, dt: float) -> tuple[Tensor, Tensor]:
    return strain.roll(1), state


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: TorchLaw(), "needs one function: give energy=... or stress=..., and not both"),
        (lambda: TorchLaw(hooke_energy, stress=hooke_stress), "needs one function"),
        (lambda: TorchLaw(hooke_energy, parameters={"name": 1.0}), "constant 'name' of the law 'own law' cannot have"),
        (lambda: TorchLaw(hooke_energy, parameters={"a b": 1.0}), "constant 'a b' of the law"),
        (lambda: TorchLaw(hooke_energy, parameters={"lam": math.nan}), "constant lam of the law 'own law' is nan"),
        (lambda: TorchLaw(hooke_energy, parameters={"lam": 1.0}), "failed where it was tried, with TypeError: .*'mu'"),
        (
            lambda: TorchLaw(hooke_stress, parameters=LAME),
            r"gives a energy of shape \[6\] per point; it must be a scalar",
        ),
        (lambda: TorchLaw(stress=hooke_energy, parameters=LAME), r"gives a stress of shape \[\] per point; .* \[6\]"),
        (
            lambda: TorchLaw(lambda e: (e * e).sum() + 1.0),
            "energy of the law 'own law' is 1.0 at rest; it must be zero",
        ),
        (lambda: TorchLaw(lambda e: e.sum() + (e * e).sum()), "stress of the law 'own law' is .* at rest"),
        (lambda: TorchLaw(lambda e: e.norm() ** 3), "not finite at or near rest; in torch a norm or a root of zero"),
        (
            lambda: TorchLaw(determinant, kinematics="finite strain"),
            "torch.linalg.det no second one at F = 1: .*cross",
        ),
        (lambda: TorchLaw(stress=one_sided), "unsymmetric tangent .* derives from no potential"),
        (lambda: TorchLaw(stress=cubic_stress, parameters={"mu": 1.0}, linear=True, probe=0.1), "said to be linear"),
        (lambda: TorchLaw(lambda e: (e * e).sum() + (e**3).sum(), even=True, probe=0.1), "said to be even"),
        (lambda: TorchLaw(lambda e: (e * e).sum() if e[0] > 0 else 0 * e[0]), "without branches on values"),
        (
            lambda: TorchLaw(hooke_energy, parameters=LAME, kinematics="large"),
            "cannot take kinematics 'large'; valid: small",
        ),  # type: ignore[arg-type]
        (lambda: TorchLaw(hooke_energy, parameters=LAME, probe=0.0), "tried at a measure of size 0.0"),
        (lambda: TorchHistoryLaw(in_place, state_size=6), "attempted to call in-place operation"),
        (lambda: TorchHistoryLaw(stepping, state_size=6), "unsymmetric tangent"),
        (lambda: TorchHistoryLaw(stepping, state_size=6, state0=(0.0,)), "state_size 6 and a state0 of 1 numbers"),
        (
            lambda: TorchHistoryLaw(lambda e, s, dt: (e[:3], s), state_size=1),
            r"gives a stress of shape \[3\] per point",
        ),
        (
            lambda: TorchHistoryLaw(lambda e, s, dt: (2 * e, s[:2]), state_size=3),
            r"gives a state of shape \[2\] per point",
        ),
    ],
)
def test_a_law_that_cannot_be_used_is_refused_at_construction(make: Callable[[], object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        make()


def test_a_tangent_that_loses_its_symmetry_later_is_refused_there() -> None:
    def late(strain: Tensor) -> Tensor:
        return strain + (strain[0] - 0.5).clamp(min=0.0) * strain.roll(1)

    law = TorchLaw(stress=late)
    with pytest.raises(InputError, match="unsymmetric tangent"):
        law.tangent(torch.ones(1, 6, dtype=torch.float64))
