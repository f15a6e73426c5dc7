"""Generalised Maxwell: exact relaxation, exact ramps, the limits of speed."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from scalebridge.errors import InputError
from scalebridge.micro.rve.phases.maxwell import GeneralisedMaxwell
from scalebridge.micro.rve.phases.phase import HistoryPhase, with_parameters
from tests.micro.mandel import rotations, row_jacobian, strains, turned

LAW = GeneralisedMaxwell(3.0, 1.0, [(0.7, 2.0), (0.4, 30.0, 0.5)])
ONE = torch.tensor([1.0, 1, 1, 0, 0, 0], dtype=torch.float64)


def virgin(count: int, law: GeneralisedMaxwell = LAW) -> torch.Tensor:
    return torch.zeros((count, law.state_size), dtype=torch.float64)


def elastic(x: torch.Tensor, bulk: float, shear: float) -> torch.Tensor:
    third = x[..., :3].mean(-1, keepdim=True)
    return 3 * bulk * third * ONE + 2 * shear * (x - third * ONE)


def shear_at(t: float) -> float:
    return 1.0 + 0.7 * math.exp(-t / 2.0) + 0.4 * math.exp(-t / 30.0)


def bulk_at(t: float) -> float:
    return 3.0 + 0.5 * math.exp(-t / 30.0)


def test_law_keeps_the_contract_of_a_law_with_memory() -> None:
    assert isinstance(LAW, HistoryPhase)
    assert len(LAW.state0()) == LAW.state_size == 18
    assert [p.name for p in LAW.parameters] == [
        "bulk", "shear", "shear_1", "tau_1", "bulk_1", "shear_2", "tau_2", "bulk_2",
    ]  # fmt: skip
    assert [p.unit for p in LAW.parameters] == ["Pa", "Pa", "Pa", "s", "Pa", "Pa", "s", "Pa"]


def test_stress_relaxes_by_the_exact_exponentials_after_a_jump() -> None:
    x, t = strains(10), 0.0
    found = LAW.advance(x, virgin(10), 0.0)
    for dt in (0.0, 0.1, 3.0, 40.0, 1e4):
        t += dt
        found = LAW.advance(x, found.state, dt)
        torch.testing.assert_close(found.stress, elastic(x, bulk_at(t), shear_at(t)), rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize("parts", [[5.0], [1.0, 4.0], [0.01, 0.3, 2.0, 2.69]])
def test_a_ramp_gives_the_hereditary_integral_whatever_the_steps(parts: list[float]) -> None:
    rate, t, state = strains(10, 0.003), 0.0, virgin(10)
    for dt in parts:
        t += dt
        found = LAW.advance(rate * t, state, dt)
        state = found.state
    # stress = integral of the relaxation modulus over the age, times the rate.
    bulk, shear = (quad(g, 0.0, t, epsabs=1e-14)[0] for g in (bulk_at, shear_at))
    torch.testing.assert_close(found.stress, elastic(rate, bulk, shear), rtol=1e-12, atol=1e-15)


def test_consistent_tangent_is_the_derivative_of_the_update_and_depends_on_the_step() -> None:
    state = LAW.advance(strains(10), virgin(10), 1.0).state
    x = strains(10, seed=6)
    for dt in (0.0, 0.5, 50.0):
        found = LAW.advance(x, state, dt)
        step = row_jacobian(lambda y, dt=dt: LAW.advance(y, state, dt).stress, x)
        torch.testing.assert_close(found.tangent, step, rtol=1e-13, atol=1e-13)
        assert torch.equal(found.tangent, found.tangent.mT)


def test_fast_is_instantaneous_and_slow_is_long_term() -> None:
    x = strains(10)
    for law, dt in ((LAW.instantaneous(), 0.0), (LAW.instantaneous(), 1e-14), (LAW.long_term(), math.inf)):
        bulk, shear = law.E / 3 / (1 - 2 * law.nu), law.E / 2 / (1 + law.nu)
        torch.testing.assert_close(
            LAW.advance(x, virgin(10), dt).stress, elastic(x, bulk, shear), rtol=1e-12, atol=1e-15
        )
    assert pytest.approx(9 * 3.5 * 2.1 / (3 * 3.5 + 2.1), rel=1e-14) == LAW.instantaneous().E


def test_dashpots_only_ever_dissipate() -> None:
    state, dt = virgin(30), 0.7
    old, work, lost = torch.zeros(30, 6).double(), torch.zeros(30).double(), torch.zeros(30).double()
    for step in range(8):
        x = strains(30, seed=40 + step)
        start = state.clone()
        # The work of the exact stress on the straight way, by Simpson's rule on a fine division of the step.
        stresses = [LAW.advance(old, state, 0.0).stress]
        for part in np.linspace(0.0, 1.0, 41)[1:]:
            found = LAW.advance(old + float(part) * (x - old), start, dt * float(part))
            stresses.append(found.stress)
        weights = torch.tensor([1.0] + [4.0, 2.0] * 19 + [4.0, 1.0]).double() / 120
        work = work + sum(w * (s * (x - old)).sum(1) for w, s in zip(weights, stresses, strict=True))
        state, old = found.state, x
        springs = [(x, 3.0, 1.0), (state[:, 6:12], 0.0, 0.7), (state[:, 12:], 0.5, 0.4)]
        stored = sum(0.5 * (e * elastic(e, k, g)).sum(1) for e, k, g in springs)
        assert float((work - stored - lost).min()) > -1e-10
        lost = work - stored


def test_law_is_isotropic_and_linear() -> None:
    q, x, y = rotations(20), strains(20, seed=1), strains(20, seed=2)

    def response(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return LAW.advance(b, LAW.advance(a, virgin(20), 2.0).state, 3.0).stress

    torch.testing.assert_close(response(turned(x, q), turned(y, q)), turned(response(x, y), q), rtol=1e-11, atol=1e-15)
    torch.testing.assert_close(
        response(2 * x + y, 2 * y - x), 2 * response(x, y) + response(y, -x), rtol=1e-11, atol=1e-15
    )


def test_relative_coefficients_are_parts_of_the_instantaneous_moduli() -> None:
    law = GeneralisedMaxwell.from_prony("3 GPa", 0.35, [(0.3, 1.0), (0.2, 10.0, 0.1)])
    bulk, shear = 3e9 / 3 / 0.3, 3e9 / 2.7
    assert law.shear == pytest.approx(0.5 * shear, rel=1e-14)
    assert law.bulk == pytest.approx(0.9 * bulk, rel=1e-14)
    np.testing.assert_allclose(law.branches, [(0.3 * shear, 1.0, 0.0), (0.2 * shear, 10.0, 0.1 * bulk)], rtol=1e-14)
    assert pytest.approx(3e9, rel=1e-14) == law.instantaneous().E
    assert law.instantaneous().nu == pytest.approx(0.35, rel=1e-14)


def test_equal_laws_are_equal_and_texts_are_read() -> None:
    law = GeneralisedMaxwell("3 GPa", "1 GPa", [("0.7 GPa", "2 min")])
    assert law == GeneralisedMaxwell(3e9, 1e9, [(0.7e9, 120.0)])
    assert hash(law) == hash(GeneralisedMaxwell(3e9, 1e9, [(0.7e9, 120.0)]))
    assert law != GeneralisedMaxwell(3e9, 1e9, [(0.7e9, 121.0)])
    assert repr(law).startswith("GeneralisedMaxwell(bulk=3000000000.0, shear=1000000000.0, branches=((")


@pytest.mark.parametrize("name", [p.name for p in LAW.parameters])
def test_stress_can_be_differentiated_by_every_constant(name: str) -> None:
    def total(value: object) -> torch.Tensor:
        law = with_parameters(LAW, {name: value})
        state = law.advance(strains(4, seed=1), virgin(4), 1.5).state
        return law.advance(strains(4, seed=2), state, 4.0).stress.sum()

    start = float(getattr(LAW, name))
    value = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(total(value), value)
    h = 1e-3
    far, near = (float(total(start + k * h)) - float(total(start - k * h)) for k in (2, 1))
    assert float(gradient) == pytest.approx((8 * near - far) / 12 / h, rel=1e-7, abs=1e-12)


def test_constants_may_differ_from_point_to_point() -> None:
    x, old = strains(6, seed=1).reshape(2, 3, 6), strains(6, seed=2).reshape(2, 3, 6)
    values = {p.name: torch.tensor([0.8, 1.0, 1.3]).double() * p.value for p in LAW.parameters}
    law = with_parameters(LAW, values)
    found = law.advance(x, law.advance(old, virgin(6).reshape(2, 3, 18), 1.0).state, 2.0)
    for i in range(3):
        one = with_parameters(LAW, {n: float(v[i]) for n, v in values.items()})
        alone = one.advance(x[:, i], one.advance(old[:, i], virgin(2), 1.0).state, 2.0)
        torch.testing.assert_close(found.stress[:, i], alone.stress, rtol=1e-13, atol=1e-16)
        torch.testing.assert_close(found.tangent[:, i], alone.tangent, rtol=1e-13, atol=1e-14)
    single = LAW.advance(x.float(), virgin(6).reshape(2, 3, 18).float(), 1.0)
    assert {single.stress.dtype, single.tangent.dtype, single.state.dtype} == {torch.float32}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: GeneralisedMaxwell(0.0, 1.0, [(1.0, 1.0)]), "bulk modulus bulk of a Maxwell phase is 0.0"),
        (lambda: GeneralisedMaxwell(1.0, -1.0, [(1.0, 1.0)]), "shear of a Maxwell phase is -1.0; it must be zero or"),
        (lambda: GeneralisedMaxwell(1.0, 1.0, []), "has no branches; give at least one"),
        (lambda: GeneralisedMaxwell(1.0, 1.0, [(1.0, 0.0)]), "relaxation time of branch 1 of a Maxwell phase is 0.0"),
        (lambda: GeneralisedMaxwell(1.0, 1.0, [(1.0, 1.0), (-1.0, 1.0)]), "shear modulus of branch 2 .* is -1.0"),
        (lambda: GeneralisedMaxwell(1.0, 1.0, [(0.0, 1.0)]), "Branch 1 of a Maxwell phase has no stiffness"),
        (lambda: GeneralisedMaxwell(1.0, 1.0, [(1.0,)]), "Branch 1 of a Maxwell phase has 1 entries"),
        (lambda: GeneralisedMaxwell.from_prony(1.0, 0.3, [(0.6, 1.0), (0.4, 2.0)]), "g_i .* add up to 1;"),
        (lambda: GeneralisedMaxwell.from_prony(1.0, 0.3, [(0.1, 1.0, 1.2)]), "k_i .* add up to 1.2;"),
        (lambda: GeneralisedMaxwell.from_prony(1.0, 0.3, [(0.1, 1.0, 0.0, 4.0)]), "has 4 entries"),
        (lambda: LAW.advance(strains(1), virgin(1), -1.0), "time step of a Maxwell phase is -1.0"),
        (lambda: LAW.advance(strains(1), virgin(1), math.nan), "time step of a Maxwell phase is nan"),
    ],
)
def test_impossible_input_is_refused_in_one_sentence(make: Callable[[], object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        make()


def test_a_fluid_flows_to_zero_shear_stress() -> None:
    fluid = GeneralisedMaxwell(2.0, 0.0, [(1.0, 1.0)])
    found = fluid.advance(strains(5), virgin(5, fluid), math.inf)
    torch.testing.assert_close(found.stress, elastic(strains(5), 2.0, 0.0), rtol=1e-13, atol=1e-16)
    with pytest.raises(InputError, match="it must be a positive"):
        fluid.long_term()
