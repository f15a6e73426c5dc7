"""J2 plasticity: the return, its tangent, and the curves that are known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.optimize import brentq

from scalebridge.errors import InputError
from scalebridge.micro.rve.phases.j2 import J2
from scalebridge.micro.rve.phases.phase import Advance, HistoryPhase, with_parameters
from tests.micro.mandel import rotations, row_jacobian, strains, turned

E, NU, YIELD = 70e3, 0.3, 240.0
LAWS = {
    "perfect": J2(E, NU, YIELD),
    "isotropic": J2(E, NU, YIELD, hardening=1500.0),
    "kinematic": J2(E, NU, YIELD, kinematic=3000.0),
    "mixed": J2(E, NU, YIELD, hardening=500.0, kinematic=2000.0),
    "voce": J2(E, NU, YIELD, saturation=180.0, saturation_rate=25.0),
    "all": J2(E, NU, YIELD, hardening=300.0, saturation=180.0, saturation_rate=25.0, kinematic=2000.0),
}
every_law = pytest.mark.parametrize("law", LAWS.values(), ids=LAWS.keys())


def virgin(count: int) -> torch.Tensor:
    return torch.zeros((count, 13), dtype=torch.float64)


def loaded(law: J2, path: list[torch.Tensor]) -> Advance:
    state = virgin(len(path[0]))
    for strain in path:
        found = law.advance(strain, state, 1.0)
        state = found.state
    return found


def uniaxial(law: J2, path: np.ndarray) -> np.ndarray:
    """Axial stress of a bar free to contract, by Newton on the transverse strain."""
    state, transverse, curve = virgin(1), 0.0, []
    for axial in path:
        for _ in range(50):
            strain = torch.tensor([[axial, transverse, transverse, 0.0, 0.0, 0.0]], dtype=torch.float64)
            found = law.advance(strain, state, 1.0)
            stress, tangent = found.stress[0], found.tangent[0]
            transverse -= float(stress[1] / (tangent[1, 1] + tangent[1, 2]))
            if abs(float(stress[1])) < 1e-10:
                break
        else:
            raise AssertionError("the bar does not find its transverse strain")
        state = found.state
        curve.append(float(stress[0]))
    return np.array(curve)


@every_law
def test_law_keeps_the_contract_of_a_law_with_memory(law: J2) -> None:
    assert isinstance(law, HistoryPhase)
    assert len(law.state0()) == law.state_size == 13
    assert [p.name for p in law.parameters] == list(law.__dataclass_fields__)


@every_law
def test_consistent_tangent_is_the_derivative_of_the_update(law: J2) -> None:
    state = loaded(law, [strains(40, 0.004)]).state
    for next_strain in (strains(40, 0.002, 8), strains(40, 0.02, 9)):
        found = law.advance(next_strain, state, 1.0)
        derivative = row_jacobian(lambda x: law.advance(x, state, 1.0).stress, next_strain)
        torch.testing.assert_close(found.tangent, derivative, rtol=1e-10, atol=1e-11 * E)
        torch.testing.assert_close(found.tangent, found.tangent.mT, rtol=0.0, atol=1e-11 * E)
        yielding = found.state[:, 12] > state[:, 12]
        assert int(yielding.sum()) > 0


@every_law
def test_stress_stays_on_or_inside_the_yield_surface(law: J2) -> None:
    found = loaded(law, [strains(60, 0.005), strains(60, 0.01, 7), strains(60, 0.05, 8)])
    relative = found.stress - found.state[:, 6:12]
    relative = relative - relative[:, :3].mean(1, keepdim=True) * torch.tensor([1.0, 1, 1, 0, 0, 0])
    norm = (1.5 * (relative**2).sum(1)).sqrt()
    flow = law.flow_stress(found.state[:, 12])
    torch.testing.assert_close(norm, flow, rtol=1e-12, atol=0.0)


@every_law
def test_plastic_strain_is_deviatoric_and_plastic_work_is_never_given_back(law: J2) -> None:
    state = virgin(50)
    for step in range(6):
        found = law.advance(strains(50, 0.01, 20 + step), state, 1.0)
        flow = found.state[:, :6] - state[:, :6]
        # Dissipation: what is left of the plastic work once the springs of hardening have taken theirs.
        dissipated = ((found.stress - found.state[:, 6:12]) * flow).sum(1)
        dissipated = dissipated - (law.flow_stress(found.state[:, 12]) - law.yield_stress) * (
            found.state[:, 12] - state[:, 12]
        )
        assert float(dissipated.min()) >= -1e-12 * YIELD
        torch.testing.assert_close(
            dissipated, law.yield_stress * (found.state[:, 12] - state[:, 12]), rtol=1e-9, atol=1e-10
        )
        assert float(found.state[:, :3].sum(1).abs().max()) < 1e-16
        assert bool((found.state[:, 12] >= state[:, 12]).all())
        state = found.state


@every_law
def test_law_is_isotropic(law: J2) -> None:
    q = rotations(30)
    path = [strains(30, 0.006, 1), strains(30, 0.01, 2)]
    straight, round_about = loaded(law, path), loaded(law, [turned(x, q) for x in path])
    torch.testing.assert_close(round_about.stress, turned(straight.stress, q), rtol=1e-10, atol=1e-9 * YIELD)


def test_tension_follows_the_bilinear_curve_in_closed_form() -> None:
    law = LAWS["isotropic"]
    path = np.linspace(0.0, 0.03, 31)
    # In uniaxial stress the accumulated plastic strain is the axial one: E H / (E + H) beyond yield.
    start, slope = YIELD / E, E * 1500.0 / (E + 1500.0)
    exact = np.where(path < start, E * path, YIELD + slope * (path - start))
    np.testing.assert_allclose(uniaxial(law, path), exact, rtol=1e-10, atol=1e-9)


def test_tension_with_saturation_follows_the_implicit_curve() -> None:
    law = LAWS["voce"]
    path = np.linspace(0.004, 0.2, 15)

    def stress(axial: float) -> float:
        return brentq(
            lambda s: s - (YIELD + 180.0 * -math.expm1(-25.0 * (axial - s / E))), 0.0, E * axial, xtol=1e-12, rtol=1e-15
        )

    np.testing.assert_allclose(uniaxial(law, path), [stress(a) for a in path], rtol=1e-10)


def test_cycle_with_kinematic_hardening_is_a_closed_parallelogram() -> None:
    law, modulus = LAWS["kinematic"], 3000.0
    slope, start = E * modulus / (E + modulus), YIELD / E
    up, down = np.linspace(0.0, 0.02, 21), np.linspace(0.02, -0.02, 41)[1:]
    back = np.linspace(-0.02, 0.02, 41)[1:]
    curve = uniaxial(law, np.concatenate([up, down, back]))
    top = YIELD + slope * (0.02 - start)
    # Bauschinger: reverse yield after a fall of twice the yield stress, not at minus the top.
    fall = np.where(0.02 - down < 2 * start, E * (0.02 - down), 2 * YIELD + slope * (0.02 - down - 2 * start))
    np.testing.assert_allclose(curve[20], top, rtol=1e-10)
    np.testing.assert_allclose(curve[21:61], top - fall, rtol=1e-9, atol=1e-8)
    np.testing.assert_allclose(curve[61:], -(top - fall), rtol=1e-9, atol=1e-8)


def test_perfect_plasticity_keeps_its_yield_stress_in_a_bar() -> None:
    np.testing.assert_allclose(
        uniaxial(LAWS["perfect"], np.array([0.002, 0.01, 0.1])), [140.0, 240.0, 240.0], rtol=1e-9
    )


def test_saturation_converges_from_absurd_strains_and_tiny_rates() -> None:
    for rate in (1e-8, 1.0, 1e6):
        law = J2(E, NU, YIELD, saturation=500.0, saturation_rate=rate)
        found = law.advance(strains(50, 1.0), virgin(50), 1.0)
        assert bool(found.stress.isfinite().all())


def test_a_nan_in_the_strain_is_a_nan_in_the_stress_of_that_point_only() -> None:
    for law in LAWS.values():
        x = strains(3)
        x[1, 2] = math.nan
        finite = law.advance(x, virgin(3), 1.0).stress.isfinite().all(1)
        assert finite.tolist() == [True, False, True]


@every_law
def test_below_yield_the_law_is_hookes_law(law: J2) -> None:
    x = strains(size=1e-4)
    found = law.advance(x, virgin(20), 1.0)
    lam, mu = E * NU / (1 + NU) / (1 - 2 * NU), E / 2 / (1 + NU)
    hooke = 2 * mu * x + lam * x[:, :3].sum(1, keepdim=True) * torch.tensor([1.0, 1, 1, 0, 0, 0])
    torch.testing.assert_close(found.stress, hooke, rtol=1e-13, atol=1e-12)
    assert float(found.state.abs().max()) == 0.0
    rest = law.advance(torch.zeros_like(x), virgin(20), 1.0)
    assert bool(rest.tangent.isfinite().all()) and float(rest.stress.abs().max()) == 0.0


@pytest.mark.parametrize("name", ["E", "nu", "yield_stress", "hardening", "saturation", "saturation_rate", "kinematic"])
def test_stress_can_be_differentiated_by_every_constant(name: str) -> None:
    law, x = LAWS["all"], strains(5, 0.02)
    value = torch.tensor(getattr(law, name), dtype=torch.float64, requires_grad=True)
    total = with_parameters(law, {name: value}).advance(x, virgin(5), 1.0).stress.sum()
    (gradient,) = torch.autograd.grad(total, value)

    def at(shift: float) -> float:
        moved = with_parameters(law, {name: getattr(law, name) * (1 + shift)})
        return float(moved.advance(x, virgin(5), 1.0).stress.sum())

    difference = (8 * (at(1e-4) - at(-1e-4)) - (at(2e-4) - at(-2e-4))) / 12e-4 / getattr(law, name)
    assert float(gradient) == pytest.approx(difference, rel=1e-7)


def test_constants_may_differ_from_point_to_point() -> None:
    law, x = LAWS["all"], strains(6, 0.02).reshape(2, 3, 6)
    values = {p.name: torch.linspace(0.9, 1.1, 3, dtype=torch.float64) * p.value for p in law.parameters}
    found = with_parameters(law, values).advance(x, virgin(6).reshape(2, 3, 13), 1.0)
    for i in range(3):
        one = with_parameters(law, {n: float(v[i]) for n, v in values.items()})
        alone = one.advance(x[:, i], virgin(2), 1.0)
        torch.testing.assert_close(found.stress[:, i], alone.stress, rtol=1e-12, atol=0.0)
        torch.testing.assert_close(found.tangent[:, i], alone.tangent, rtol=1e-12, atol=1e-12 * E)


@every_law
def test_single_precision_stays_single_and_agrees(law: J2) -> None:
    x = strains(30, 0.01)
    single, double = law.advance(x.float(), virgin(30).float(), 1.0), law.advance(x, virgin(30), 1.0)
    for a, b in zip(
        (single.stress, single.tangent, single.state), (double.stress, double.tangent, double.state), strict=True
    ):
        assert a.dtype == torch.float32
        torch.testing.assert_close(a.double(), b, rtol=1e-3, atol=1e-5 * float(b.abs().max()))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"E": -1.0}, "Young's modulus E of a J2 phase is -1.0; it must be a positive"),
        ({"nu": 0.5}, "Poisson's ratio nu of a J2 phase is 0.5;"),
        ({"yield_stress": 0.0}, "yield_stress of a J2 phase is 0.0"),
        ({"hardening": -5.0}, "hardening of a J2 phase is -5.0; it must be zero or a positive"),
        ({"kinematic": math.inf}, "kinematic of a J2 phase is inf"),
        ({"saturation": 10.0}, "saturation 10.0 and saturation_rate 0.0; Voce hardening needs both"),
    ],
)
def test_impossible_constants_are_refused_in_one_sentence(given: dict[str, float], words: str) -> None:
    with pytest.raises(InputError, match=words):
        J2(**{"E": E, "nu": NU, "yield_stress": YIELD, **given})


def test_constants_are_read_from_texts_with_units() -> None:
    assert J2("70 GPa", 0.3, "240 MPa", hardening="1.5 GPa") == J2(70e9, 0.3, 240e6, hardening=1.5e9)
