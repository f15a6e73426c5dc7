"""The laminate references against closed forms, and the package's laws at a point against the references' own."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from scalebridge.micro.rve.phases.j2 import J2
from scalebridge.micro.rve.phases.maxwell import GeneralisedMaxwell
from scalebridge.micro.rve.phases.neo_hooke import NeoHooke
from tests.theory.rank_one import (
    Hooke,
    Prony,
    Rubber,
    VonMises,
    hereditary,
    laminate,
    mandel,
    series_relaxation,
    stiffness,
)

Floats = NDArray[np.float64]
SOFT, HARD = Hooke(1.0, 0.3), Hooke(10.0, 0.3)


def shear(values: Floats) -> Floats:
    """Tensors ``[t, 3, 3]`` with the component 12."""
    pattern = np.zeros((3, 3))
    pattern[0, 1] = pattern[1, 0] = 1.0
    return values[:, None, None] * pattern


def random_strains(count: int, size: float, seed: int = 0) -> Floats:
    x = np.random.default_rng(seed).normal(size=(count, 3, 3)) * size
    return 0.5 * (x + x.transpose(0, 2, 1))


def test_elastic_laminate_has_the_known_constants() -> None:
    c = stiffness((SOFT, HARD), 0.5, [1, 0, 0])
    expected = {
        (0, 0): 2.44755245, (0, 1): 1.04895105, (1, 1): 6.49350649, (1, 2): 2.26273726,
    }  # fmt: skip
    for (i, j), value in expected.items():
        assert c[i, j] == pytest.approx(value, abs=5e-9)
    assert c[5, 5] / 2 == pytest.approx(0.69930070, abs=5e-9)
    assert c[3, 3] / 2 == pytest.approx(2.11538462, abs=5e-9)
    np.testing.assert_allclose(c, c.T, atol=1e-13)


def test_elastic_laminate_turns_with_its_normal() -> None:
    normal = np.array([0.3, -0.5, 0.8])
    q, _ = np.linalg.qr(np.column_stack([normal, [1, 0, 0], [0, 1, 0]]))
    strain = random_strains(1, 1.0)
    turned = laminate((SOFT, HARD), 0.3, normal, strain).stress[0]
    upright = laminate((SOFT, HARD), 0.3, [1, 0, 0], q.T @ strain @ q).stress[0]
    np.testing.assert_allclose(q.T @ turned @ q, upright, atol=1e-13)


def test_plastic_laminate_sheared_along_its_layers_yields_in_the_weak_one() -> None:
    # The same stress in both layers: t = 2 G (e - plastic) in each, and after yield t = y/sqrt3 + h/3 * 2 (plastic).
    weak, strong, f = VonMises(10.0, 0.3, 0.02, h=0.5), Hooke(40.0, 0.3), 0.4
    values = np.linspace(0.0, 0.02, 21)[1:]
    found = laminate((weak, strong), f, [1, 0, 0], shear(values)).stress[:, 0, 1]
    g1, g2, y = 10 / 2.6, 40 / 2.6, 0.02 / math.sqrt(3)
    hard = g1 * (0.5 / 3) / (g1 + 0.5 / 3)
    # Piecewise linear: compliances in series, before and after the yield of the weak layer.
    before = 1 / (f / g1 + (1 - f) / g2)
    after = 1 / (f / hard + (1 - f) / g2)
    start = y / before / 2
    exact = np.where(values < start, 2 * before * values, y + 2 * after * (values - start))
    np.testing.assert_allclose(found, exact, rtol=1e-11)


def test_plastic_laminate_loaded_and_unloaded_keeps_its_invariants() -> None:
    laws = (VonMises(10.0, 0.3, 0.02, h=0.1, s=0.01, r=50.0, k=0.3), VonMises(30.0, 0.2, 0.05))
    path = np.concatenate([np.linspace(0, 1, 8)[1:], np.linspace(1, -0.5, 12)[1:]])[:, None, None]
    found = laminate(laws, 0.35, [1, 2, 0], path * random_strains(1, 0.02))
    n = np.array([1, 2, 0]) / math.sqrt(5)
    np.testing.assert_allclose(
        0.35 * found.layers[:, 0] + 0.65 * found.layers[:, 1], path * random_strains(1, 0.02), atol=1e-16
    )
    jump = (found.stresses[:, 0] - found.stresses[:, 1]) @ n
    assert np.abs(jump).max() < 1e-12
    for plastic, accumulated in found.states:
        assert accumulated > 0.0
        assert abs(np.trace(plastic)) < 1e-15
    # Hill-Mandel: the mean of the work is the work of the means.
    work = np.einsum("tlij,tlij,l->t", found.stresses, found.layers, [0.35, 0.65])
    np.testing.assert_allclose(work, np.einsum("tij,tij->t", found.stress, path * random_strains(1, 0.02)), rtol=1e-9)


def test_rubber_laminate_in_simple_shear_has_layers_in_series_and_along_them_in_parallel() -> None:
    soft, hard, f = Rubber(1.0, 2.0), Rubber(5.0, 3.0), 0.3
    amount = 0.8
    across, along = np.eye(3), np.eye(3)
    across[1, 0] = along[1, 2] = amount
    series = laminate((soft, hard), f, [1, 0, 0], across[None], finite=True)
    # Simple shear of neo-Hooke: P21 = mu (amount), and det F = 1 in both layers.
    assert series.stress[0, 1, 0] == pytest.approx(amount / (f / 1.0 + (1 - f) / 5.0), rel=1e-11)
    parallel = laminate((soft, hard), f, [1, 0, 0], along[None], finite=True)
    assert parallel.stress[0, 1, 2] == pytest.approx(amount * (f * 1.0 + (1 - f) * 5.0), rel=1e-11)


def test_rubber_laminate_at_small_strain_is_the_elastic_one() -> None:
    mu, lam = (1.0, 5.0), (2.0, 3.0)
    rubbers = tuple(Rubber(m, k) for m, k in zip(mu, lam, strict=True))
    elastic = tuple(Hooke(m * (3 * k + 2 * m) / (k + m), k / 2 / (k + m)) for m, k in zip(mu, lam, strict=True))
    strain = random_strains(1, 1e-4)
    small = laminate(elastic, 0.3, [1, 1, 0], strain).stress
    large = laminate(rubbers, 0.3, [1, 1, 0], np.eye(3) + strain, finite=True).stress
    np.testing.assert_allclose(large, small, atol=1e-3 * np.abs(small).max())


ONE = (1.0, [(0.7, 2.0), (0.4, 30.0)])
TWO = (0.5, [(6.0, 8.0)])


def test_relaxation_in_series_starts_and_ends_elastic_and_is_itself_for_one_material() -> None:
    f = 0.3
    rest, parts, taus = series_relaxation(f, ONE, TWO)
    assert rest == pytest.approx(1 / (f / 1.0 + (1 - f) / 0.5), rel=1e-13)
    assert rest + parts.sum() == pytest.approx(1 / (f / 2.1 + (1 - f) / 6.5), rel=1e-12)
    assert (parts > 0).all() and (taus > 0).all()
    same, parts, taus = series_relaxation(f, (1.0, [(0.7, 2.0)]), (1.0, [(0.7, 2.0)]))
    t = np.linspace(0, 10, 7)[:, None]
    np.testing.assert_allclose(same + np.exp(-t / taus) @ parts, 1 + 0.7 * np.exp(-t[:, 0] / 2.0), rtol=1e-9)


def test_viscoelastic_laminate_stepped_in_time_converges_with_order_two_to_the_exact_one() -> None:
    f, t_end, size = 0.3, 20.0, 0.01
    laws = tuple(Prony(2.0, g, tuple((gi, ti, 0.0) for gi, ti in rows)) for g, rows in (ONE, TWO))
    exact = hereditary(series_relaxation(f, ONE, TWO), [0.0, t_end], [0.0, size])[-1]
    errors = []
    for steps in (10, 20, 40):
        times = np.linspace(0.0, t_end, steps + 1)[1:]
        found = laminate(laws, f, [1, 0, 0], shear(size * times / t_end), list(times))
        errors.append(abs(found.stress[-1, 0, 1] / exact - 1))
    assert errors[-1] < 1e-4
    assert math.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.2)
    assert math.log2(errors[1] / errors[2]) == pytest.approx(2.0, abs=0.1)


def test_package_j2_agrees_with_the_references_own_along_a_random_path() -> None:
    law, own = J2(70.0, 0.3, 0.2, 1.0, 0.15, 30.0, 2.0), VonMises(70.0, 0.3, 0.2, 1.0, 0.15, 30.0, 2.0)
    state, mine = torch.zeros(1, 13, dtype=torch.float64), own.start()
    for strain in random_strains(12, 0.01):
        found = law.advance(torch.as_tensor(mandel(strain))[None], state, 1.0)
        stress, mine = own.update(strain, mine, 1.0)
        np.testing.assert_allclose(found.stress[0].numpy(), mandel(stress), rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(found.state[0, :6].numpy(), mandel(mine[0]), rtol=1e-10, atol=1e-15)
        assert float(found.state[0, 12]) == pytest.approx(mine[1], rel=1e-11)
        state = found.state


def test_package_maxwell_agrees_with_the_references_own_along_a_random_path() -> None:
    branches = ((0.7, 2.0, 0.0), (0.4, 30.0, 0.5))
    law, own = GeneralisedMaxwell(3.0, 1.0, branches), Prony(3.0, 1.0, branches)
    state, mine = torch.zeros(1, 18, dtype=torch.float64), own.start()
    for strain, dt in zip(random_strains(8, 0.01), (0.0, 0.1, 5.0, 1e-6, 40.0, 2.0, 0.0, 1.0), strict=True):
        found = law.advance(torch.as_tensor(mandel(strain))[None], state, dt)
        stress, mine = own.update(strain, mine, dt)
        np.testing.assert_allclose(found.stress[0].numpy(), mandel(stress), rtol=1e-12, atol=1e-15)
        state = found.state


def test_package_neo_hooke_agrees_with_the_references_own() -> None:
    law, own = NeoHooke.from_lame(2.0, 3.0), Rubber(2.0, 3.0)
    for noise in np.random.default_rng(2).normal(size=(10, 3, 3)) * 0.15:
        f = np.eye(3) + noise
        found = law.stress(torch.as_tensor(f.reshape(9))).numpy().reshape(3, 3)
        np.testing.assert_allclose(found, own.update(f, None, 0.0)[0], rtol=1e-11, atol=1e-12)
