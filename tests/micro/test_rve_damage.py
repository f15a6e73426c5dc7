"""Damage with a length in the RVE: the law where the strain is uniform, results that do not depend on the mesh."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import scalebridge as sb
from scalebridge.errors import InputError
from scalebridge.microstructure import SubVoxels

Floats = NDArray[np.float64]
M = sb.micro
pytestmark = pytest.mark.theory
E, NU, START, FAILURE = 20e9, 0.2, 1e-4, 1e-3
FREE = np.nan


def law(length: str | float = 2.0, start: float = START, failure: float = FAILURE, **options: Any) -> M.IsotropicDamage:
    return M.IsotropicDamage(E, NU, start, failure, length, **{"residual": 1e-9, **options})


def softened(strain: Floats, largest: Floats) -> Floats:
    """Uniaxial stress at a strain when the largest one so far is known."""
    k = np.maximum(largest, START)
    return np.asarray(E * strain * START / k * np.exp(-(k - START) / (FAILURE - START)))


def pulled(strain: Floats, g: int) -> tuple[Floats, Floats]:
    load = np.full((len(strain), g), FREE)
    load[:, 0] = strain
    return load, np.zeros(g)


def work(path: M.PathResponse) -> Floats:
    """Work done so far ``[n]`` in J/m^3."""
    strain, stress = (np.vstack([np.zeros((1, a.shape[1])), a]) for a in (path.measure, path.stress))
    return np.asarray(np.cumsum((0.5 * (stress[1:] + stress[:-1]) * np.diff(strain, axis=0)).sum(1)))


@pytest.mark.parametrize("scheme", ["rotated", "hexahedra", "moulinec_suquet"])
@pytest.mark.parametrize(("shape", "plane"), [((3, 4), "stress"), ((3, 4), "generalised"), ((3, 2, 4), "strain")])
def test_uniform_bar_follows_the_law_there_back_and_on(shape: tuple[int, ...], plane: Any, scheme: str) -> None:
    made = M.RVE(np.zeros(shape), [law()], homogeneous=True, plane=plane, discretisation=scheme)
    strain = START * np.array([0.5, 1.0, 3.0, 6.0, 2.0, 0.0, 5.0, 8.0])
    load, free = pulled(strain, made.inputs.size)
    path = made.path(load, stress=free)
    assert path.converged
    exact = softened(strain, np.maximum.accumulate(strain))
    np.testing.assert_allclose(path.stress[:, 0], exact, rtol=2e-7, atol=1e-3)
    np.testing.assert_allclose(path.measure[:, 1], -NU * strain, rtol=1e-9, atol=1e-15)


def test_layer_that_softens_beside_an_elastic_one_of_the_same_strain_follows_the_law() -> None:
    # The averaged strain of a uniform strain is that strain, although the elastic layer has none to average.
    image = np.repeat([0, 0, 0, 1, 1], 2)[:, None] * np.ones((1, 3), dtype=np.int64)
    made = M.RVE(image, [law(length=4.0, residual=0.0), M.Elastic(E, NU)], tolerance=1e-10)
    strain = START * np.array([1.0, 3.0, 6.0, 2.0])
    load = np.zeros((4, 3))
    load[:, 0], load[:, 1] = strain, FREE
    path = made.path(load, stress=np.zeros(3))
    alone = M.RVE(np.zeros((2, 2)), [law(residual=0.0)], homogeneous=True, tolerance=1e-10)
    assert path.converged and path.stress[2, 0] < 0.8 * E * strain[2]
    # Layers along x carry in parallel; both contract freely in y, so each is a bar in plane strain.
    bars = alone.path(load, stress=np.zeros(3)).stress[:, 0]
    np.testing.assert_allclose(path.stress[:, 0], 0.6 * bars + 0.4 * E / (1 - NU**2) * strain, rtol=1e-2)
    lateral = path.measure[:, 1] / strain
    np.testing.assert_allclose(lateral, -NU / (1 - NU), rtol=1e-6)


def notched(n: int, length: float) -> M.RVE:
    """A bar of one metre, Poisson's ratio zero, one voxel of which is weaker by a tenth."""
    image = np.zeros((1, n), dtype=np.int64)
    image[0, n // 2] = 1
    made = [M.IsotropicDamage(E, 0.0, start, 30 * START, length) for start in (START, 0.9 * START)]
    return M.RVE(image, made, voxel_size=1.0 / n)


STRETCH = np.outer(np.linspace(0.0, 10.0 * START, 26)[1:], [1.0, 0.0, 0.0])


def test_work_of_fracture_settles_under_refinement_where_the_length_is_fixed() -> None:
    paths = [notched(n, 0.1).path(STRETCH) for n in (11, 21, 41, 81)]
    assert all(path.converged for path in paths)
    energies = np.array([work(path)[-1] for path in paths])  # 1615, 1632, 1638, 1641 J/m^3
    change = np.diff(energies)
    assert np.all(np.abs(change[1:]) < 0.5 * np.abs(change[:-1]))
    assert np.abs(change[-1]) < 2e-3 * energies[-1]
    curves = [path.stress[:, 0] for path in paths]
    assert np.abs(curves[3] - curves[2]).max() < 5e-3 * curves[3].max()


def test_work_of_fracture_of_the_local_law_vanishes_with_the_voxel_until_the_bar_snaps_back() -> None:
    coarse, fine = (notched(n, 0.0).path(STRETCH) for n in (11, 21))
    assert coarse.converged and fine.converged
    ratio = work(fine)[-1] / work(coarse)[-1]  # 250 over 469 J/m^3: all of it in one voxel
    assert ratio == pytest.approx(11 / 21, rel=0.05)
    snapped = notched(81, 0.0).path(STRETCH)
    assert not snapped.converged
    assert "or the material snaps back: prescribe a strain" in snapped.reason
    assert np.isfinite(snapped.stress).all() and np.isfinite(snapped.state.fluctuation).all()


def disk(n: int) -> NDArray[np.int64]:
    x = (np.arange(n) + 0.5) / n - 0.5
    return np.asarray(np.add.outer(x**2, x**2) < 0.04, dtype=np.int64)


def composite(n: int, **options: Any) -> M.RVE:
    matrix = law("0.1 mm", failure=20 * START)
    return M.RVE(disk(n), [matrix, M.Elastic("70 GPa", 0.2)], **{"voxel_size": 1e-3 / n, **options})


def test_composite_softens_alike_on_two_meshes_and_in_few_iterations() -> None:
    load, free = pulled(START * np.linspace(0, 8, 17)[1:], 3)
    coarse, fine = (composite(n).path(load, stress=free) for n in (16, 32))
    assert coarse.converged and fine.converged
    assert fine.newton.max() <= 12 and fine.substeps.max() <= 2
    assert fine.stress[:, 0].max() > 1.4 * fine.stress[-1, 0]
    # The disk itself differs by its voxels.
    np.testing.assert_allclose(work(coarse), work(fine), rtol=0.02)


def test_unloading_is_secant_and_the_cycle_dissipates() -> None:
    up = START * np.linspace(0, 6, 7)[1:]
    load, free = pulled(np.concatenate([up, [0.5 * up[-1], 0.0, 0.5 * up[-1], up[-1]]]), 3)
    path = composite(16, tolerance=1e-8).path(load, stress=free, tangent=True)
    assert path.converged
    stress = path.stress[:, 0]
    np.testing.assert_allclose(stress[6:], stress[5] * np.array([0.5, 0.0, 0.5, 1.0]), rtol=1e-6, atol=1e-6 * stress[5])
    np.testing.assert_allclose(path.measure[6] / path.measure[5], [0.5, 0.5, path.measure[6, 2] / path.measure[5, 2]])
    done = work(path)
    elastic = 0.5 * (path.stress * path.measure).sum(1)
    dissipated = done - elastic
    assert np.diff(dissipated[:6]).min() > 0.0
    assert np.ptp(dissipated[5:]) < 1e-6 * dissipated[5]
    # At frozen damage: the tangent takes the whole strain to the stress.
    assert path.tangent is not None
    np.testing.assert_allclose(
        np.einsum("tij,tj->ti", path.tangent, path.measure), path.stress, rtol=0, atol=1e-6 * stress.max()
    )


def test_load_beyond_the_peak_is_refused_and_the_last_state_kept() -> None:
    made = M.RVE(np.zeros((2, 2)), [law()], homogeneous=True, plane="stress")
    peak = E * START
    path = made.path(np.full((3, 3), FREE), stress=np.outer([0.9, 0.999, 1.01], [peak, 0.0, 0.0]))
    assert path.reason.startswith(("step 2 of 3: the material breaks", "step 2 of 3: equilibrium not found"))
    assert "prescribe a strain" in path.reason
    assert len(path.stress) == 2
    assert 0.999 * peak <= path.state.stress[0] <= 1.0001 * peak


def test_damage_beside_plasticity_and_a_turned_law_is_followed_too() -> None:
    image = disk(12)
    image[:3] = 2
    axes = np.broadcast_to(np.linalg.qr(np.array([[1.0, 0.2, 0.3], [0.1, 1, 0.5], [0, 0.2, 1]]))[0], (12, 12, 3, 3))
    axes = axes * np.sign(np.linalg.det(axes))[..., None, None]
    laws = [law(failure=20 * START), M.J2("70 GPa", 0.3, "8 MPa", hardening="1 GPa"), M.Elastic("30 GPa", 0.2)]
    load, free = pulled(START * np.linspace(0, 5, 11)[1:], 3)
    path = M.RVE(image, laws).path(load, stress=free)
    turned = M.RVE(image, laws, orientation=axes).path(load, stress=free)
    assert path.converged and turned.converged
    np.testing.assert_allclose(turned.stress, path.stress, rtol=0, atol=1e-5 * np.abs(path.stress).max())
    assert (np.diff(work(path)) > 0).all()


def test_length_is_in_the_unit_of_the_voxels_or_in_voxels() -> None:
    load = np.outer(START * np.array([1.0, 2.0, 4.0]), [1.0, 0.0, 0.0])
    laws = [[law(length, failure=20 * START), M.Elastic("70 GPa", 0.2)] for length in (2.0, "6 um")]
    in_voxels = M.RVE(disk(12), laws[0])
    in_metres = M.RVE(disk(12), laws[1], voxel_size="3 um")
    np.testing.assert_array_equal(in_metres.path(load).stress, in_voxels.path(load).stress)
    wider = M.RVE(disk(12), laws[1], voxel_size="1 um")
    assert np.abs(wider.path(load).stress - in_metres.path(load).stress).max() > 1e3
    assert wider.identity() != in_metres.identity()
    assert in_metres.finer.path(load).converged
    with pytest.raises(InputError, match="has a length, in voxels as there is no voxel_size"):
        _ = in_voxels.finer


def test_two_lengths_are_each_averaged_over_their_own() -> None:
    image = np.zeros((1, 24), dtype=np.int64)
    image[0, 8:16] = 1
    laws = [law(length, failure=20 * START) for length in (1.0, 3.0)]
    same = [law(1.0, failure=20 * START)] * 2
    load = np.outer(START * np.array([1.5, 3.0]), [1.0, 0.0, 0.0])
    # Uniform strain: no length matters.
    np.testing.assert_allclose(M.RVE(image, laws).path(load).stress, M.RVE(image, same).path(load).stress, rtol=1e-9)


def test_a_law_that_softens_has_no_potential_needs_a_path_and_shares_no_voxel() -> None:
    made = composite(8)
    assert made.structure == sb.Structure(potential=False, even=False)
    with pytest.raises(InputError, match="depends on the path"):
        made.homogenise([[1e-4, 0.0, 0.0]])
    one = np.array([0])
    mixed = SubVoxels(disk(8), one, one, one + 1, np.array([0.5]), np.array([[1.0, 0.0]]))
    with pytest.raises(InputError, match="cannot share a voxel"):
        M.RVE(mixed, made.materials).stiffness()


def test_stiffness_at_rest_is_that_of_the_undamaged_material() -> None:
    sound = M.RVE(disk(12), [M.Elastic(E, NU), M.Elastic("70 GPa", 0.2)])
    made = composite(12)
    np.testing.assert_allclose(made.stiffness(), sound.stiffness(), rtol=1e-9, atol=1.0)
