"""The RVE as a model: invariants, contract, failures with a reason."""

from __future__ import annotations

import copy
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

import scalebridge as sb
from scalebridge.micro.rve.control import Control, Load
from scalebridge.micro.rve.equilibrium import Equilibrium
from scalebridge.micro.rve.homogenise import Homogenised, Homogeniser
from scalebridge.micro.rve.voxels.plane import PlaneStrain
from scalebridge.models import Model
from scalebridge.testing import check_model

MATRIX = sb.micro.PowerLaw("3.5 GPa", 0.35, "50 MPa", 0.15)
FIBRE = sb.micro.Elastic("72 GPa", 0.22)
STRAINS = np.array([[0.01, -0.004, 0.006], [0.0, 0.02, -0.01], [0.002, 0.001, 0.0]])


def disks(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    """A few overlapping disks: no symmetry at all."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = np.zeros(shape, dtype=np.int64)
    for _ in range(4):
        cy, cx = rng.random(2) * shape
        dy = (y + 0.5 - cy + shape[0] / 2) % shape[0] - shape[0] / 2
        dx = (x + 0.5 - cx + shape[1] / 2) % shape[1] - shape[1] / 2
        image[dx**2 + dy**2 < (0.2 * min(shape)) ** 2] = 1
    return image


def rve(shape: tuple[int, int] = (16, 18), **options: object) -> sb.micro.RVE:
    return sb.micro.RVE(disks(shape), [MATRIX, FIBRE], **options)  # type: ignore[arg-type]


def test_is_a_model_with_a_potential_that_is_even() -> None:
    made = rve(voxel_size="1.3 um")
    assert isinstance(made, Model)
    assert made.structure == sb.Structure(potential=True, even=True)
    assert made.inputs["strain"].kind == made.outputs["stress"].kind == "symmetric"
    assert made.scale is not None
    assert made.scale.span("length") == pytest.approx((1.3e-6, 1.3e-6 * 18))
    runs = made.run(STRAINS)
    assert runs.values.shape == (3, 3)
    assert runs.jacobian is not None and runs.jacobian.shape == (3, 3, 3)
    assert runs.ok.all() and (runs.cost_s > 0).all()


@pytest.mark.parametrize("fused", [True, False])
def test_keeps_the_contract_of_a_model(fused: bool) -> None:
    made = rve((9, 10), tolerance=1e-9)
    made.__dict__["solver"] = Homogeniser(made.solver.composite, made.solver.control, fused=fused)
    check_model(made, np.vstack([STRAINS, -0.5 * STRAINS]))


def test_mean_power_is_the_power_of_the_means() -> None:
    response = rve(tolerance=1e-8).homogenise(STRAINS)
    assert response.converged.all()
    assert response.hill_mandel.max() < 1e-8
    assert response.residual.max() <= 1e-8


def test_stress_is_the_gradient_of_the_mean_energy() -> None:
    made, step = rve(tolerance=1e-9), 1e-6
    for k, unit in enumerate(np.eye(3)):
        up, down = made.homogenise(STRAINS + step * unit), made.homogenise(STRAINS - step * unit)
        slope = (up.energy - down.energy) / (2 * step)
        np.testing.assert_allclose(slope, made.homogenise(STRAINS).stress[:, k], rtol=1e-6, atol=1e1)


def test_tangent_is_the_derivative_of_the_mean_stress() -> None:
    made, step = rve(tolerance=1e-10), 1e-6
    tangent = made.homogenise(STRAINS).tangent
    for k, unit in enumerate(np.eye(3)):
        up, down = made.homogenise(STRAINS + step * unit), made.homogenise(STRAINS - step * unit)
        slope = (up.stress - down.stress) / (2 * step)
        np.testing.assert_allclose(tangent[:, :, k], slope, rtol=1e-6, atol=1e-6 * np.abs(tangent).max())


def test_tangent_is_symmetric() -> None:
    tangent = rve().homogenise(STRAINS).tangent
    np.testing.assert_allclose(tangent, tangent.transpose(0, 2, 1), rtol=0, atol=1e-12 * np.abs(tangent).max())


def test_stress_and_tangent_at_the_default_tolerance_agree_with_a_tight_one() -> None:
    loose, tight = rve().homogenise(STRAINS), rve(tolerance=1e-11).homogenise(STRAINS)
    np.testing.assert_allclose(loose.stress, tight.stress, rtol=1e-7, atol=1e-7 * np.abs(tight.stress).max())
    np.testing.assert_allclose(loose.tangent, tight.tangent, rtol=1e-5, atol=1e-6 * np.abs(tight.tangent).max())
    np.testing.assert_allclose(loose.energy, tight.energy, rtol=1e-9)


def test_response_is_odd() -> None:
    made = rve()
    np.testing.assert_allclose(made.run(-STRAINS).values, -made.run(STRAINS).values, rtol=1e-10)


@pytest.mark.parametrize("shift", [(1, 0), (3, 5)])
def test_response_does_not_change_when_the_image_is_shifted(shift: tuple[int, int]) -> None:
    moved = sb.micro.RVE(np.roll(disks((16, 18)), shift, (0, 1)), [MATRIX, FIBRE])
    np.testing.assert_allclose(moved.run(STRAINS).values, rve().run(STRAINS).values, rtol=1e-6)


@pytest.mark.parametrize("shape", [(15, 17), (16, 15), (17, 12), (12, 24)])
def test_odd_even_and_oblong_grids_converge(shape: tuple[int, int]) -> None:
    response = rve(shape).homogenise(STRAINS)
    assert response.converged.all()
    assert response.hill_mandel.max() < 1e-6


def test_transposed_image_answers_with_axes_exchanged() -> None:
    turned = sb.micro.RVE(disks((16, 18)).T, [MATRIX, FIBRE])
    order = [1, 0, 2]
    np.testing.assert_allclose(turned.run(STRAINS[:, order]).values[:, order], rve().run(STRAINS).values, rtol=1e-6)


def plain(made: sb.micro.RVE) -> Homogeniser:
    """The solver without Numba, which takes rows together on a CPU."""
    solver = Homogeniser(made.solver.composite, made.solver.control, fused=False)
    assert solver.chunk > 3
    return solver


def test_a_row_does_not_depend_on_its_batch() -> None:
    solver, strains = plain(rve()), torch.as_tensor(STRAINS)
    together = solver.run(Load.of_measure(strains))
    for i, strain in enumerate(strains):
        alone = solver.run(Load.of_measure(strain[None]))
        torch.testing.assert_close(alone.stress[0], together.stress[i], rtol=1e-9, atol=0.0)
        assert alone.newton[0] == together.newton[i]
        assert alone.cg[0] == together.cg[i]


def test_a_batch_with_a_zero_strain_and_a_hopeless_one_leaves_the_others_alone() -> None:
    solver = plain(rve())
    strains = torch.as_tensor(np.vstack([STRAINS[0], np.zeros(3), [1e200, 0.0, 0.0], STRAINS[1]]))
    batch = solver.run(Load.of_measure(strains))
    assert [bool(r) for r in batch.reason] == [False, False, True, False]
    assert float(batch.stress[1].abs().max()) == 0.0
    torch.testing.assert_close(
        batch.stress[[0, 3]], solver.run(Load.of_measure(strains[[0, 3]])).stress, rtol=1e-9, atol=0.0
    )


@pytest.mark.parametrize("shape", [(16, 18), (15, 17), (1, 6), (6, 1), (2, 2)])
def test_fused_loops_take_the_same_iterations_to_the_same_answer(shape: tuple[int, int]) -> None:
    pytest.importorskip("numba")
    image = disks(shape)
    image.flat[0], image.flat[-1] = 0, 1
    composite = sb.micro.RVE(image, [MATRIX, FIBRE]).solver.composite
    strains = torch.as_tensor(STRAINS)
    with_numba = Homogeniser(composite, Control(), fused=True).run(Load.of_measure(strains))
    without = Homogeniser(composite, Control(), fused=False).run(Load.of_measure(strains))
    largest = float(without.stress.abs().max())
    torch.testing.assert_close(with_numba.stress, without.stress, rtol=1e-9, atol=1e-12 * largest)
    torch.testing.assert_close(with_numba.tangent, without.tangent, rtol=1e-9, atol=1e-1)
    assert (with_numba.newton == without.newton).all()
    assert int((with_numba.cg - without.cg).abs().max()) <= 2


def test_three_phases_and_labels_of_any_integer_type_are_taken() -> None:
    image = disks((16, 16)).astype(np.uint8)
    image[:4, :4] = 2
    made = sb.micro.RVE(image, [MATRIX, FIBRE, sb.micro.Elastic("1 GPa", 0.4)])
    assert made.run(STRAINS).ok.all()
    assert made.fractions == pytest.approx([np.mean(image == k) for k in range(3)])


def test_one_phase_answers_its_own_law_where_it_is_meant() -> None:
    made = sb.micro.RVE(np.zeros((5, 4)), [MATRIX], homogeneous=True)
    response = made.homogenise(STRAINS)
    x = torch.as_tensor(STRAINS)
    law = PlaneStrain(MATRIX)
    np.testing.assert_allclose(response.stress, law.stress(x).numpy(), rtol=1e-12)
    np.testing.assert_allclose(response.tangent, law.tangent(x).numpy(), rtol=1e-12, atol=1e-3)
    assert response.cg.max() == 0


def test_zero_strain_beside_others_answers_zero_stress_and_the_stiffness() -> None:
    made = rve()
    response = made.homogenise(np.vstack([STRAINS[0], np.zeros(3), STRAINS[1]]))
    assert response.converged.all()
    assert np.abs(response.stress[1]).max() == 0.0
    assert response.energy[1] == 0.0
    np.testing.assert_allclose(response.tangent[1], made.stiffness(), rtol=1e-9, atol=1e-3)


def test_small_strains_answer_with_the_stiffness() -> None:
    made = rve()
    small = 1e-7 * STRAINS
    np.testing.assert_allclose(made.run(small).values, small @ made.stiffness(), rtol=1e-7)


def test_a_strain_that_is_not_finite_is_a_failed_row_with_its_reason() -> None:
    x = STRAINS.copy()
    x[1, 2] = np.nan
    runs = rve().run(x)
    assert runs.status.tolist() == ["ok", "failed", "ok"]
    assert runs.reason[1] == "the load is not finite"
    assert np.isnan(runs.values[1]).all()
    assert len(rve().run(np.full((1, 3), np.inf)).values) == 1


def test_no_rows_are_no_trouble() -> None:
    assert len(rve().run(np.zeros((0, 3)))) == 0


def test_a_strain_that_overflows_is_a_failed_row_with_its_reason() -> None:
    runs = rve().run(np.array([STRAINS[0], [1e200, 0.0, 0.0]]))
    assert runs.status.tolist() == ["ok", "failed"]
    assert "equilibrium not found" in runs.reason[1]


def test_newton_that_runs_out_of_iterations_is_rescued_by_load_steps_or_says_so() -> None:
    made, strain = rve(), torch.tensor([[0.05, -0.02, 0.03]], dtype=torch.float64)
    direct = Homogeniser(made.solver.composite, made.solver.control).run(Load.of_measure(strain))
    short = Homogeniser(made.solver.composite, replace(made.solver.control, newton_limit=int(direct.newton[0]) - 1))
    rescued = short.run(Load.of_measure(strain))
    assert rescued.reason == ("",)
    assert rescued.newton[0] > direct.newton[0]
    torch.testing.assert_close(rescued.stress, direct.stress, rtol=1e-6, atol=0.0)
    hopeless = Homogeniser(made.solver.composite, replace(made.solver.control, newton_limit=1)).run(
        Load.of_measure(strain)
    )
    assert "Newton stopped at a relative residual of" in hopeless.reason[0]


def test_a_batch_that_lies_is_caught_by_a_single_solve(monkeypatch: pytest.MonkeyPatch) -> None:
    solver, strains = plain(rve()), torch.as_tensor(STRAINS)
    honest = solver.run(Load.of_measure(strains))
    collect = Homogeniser._collect

    def lying(self: Homogeniser, load: Load, solved: object) -> Homogenised:
        found = collect(self, load, solved)  # type: ignore[arg-type]
        return replace(found, stress=found.stress * 1.5) if len(load.measure) > 1 else found

    monkeypatch.setattr(Homogeniser, "_collect", lying)
    torch.testing.assert_close(solver.run(Load.of_measure(strains)).stress, honest.stress, rtol=1e-8, atol=0.0)


@dataclass(frozen=True)
class Softening(sb.micro.PowerLaw):
    """A law whose stress turns over: beyond its peak there is no stable equilibrium."""

    def __init__(self) -> None:
        super().__init__(1.0, 0.3, 0.01, 0.5)

    def stress(self, strain: torch.Tensor) -> torch.Tensor:
        return super().stress(strain) * torch.exp(-((strain / 0.02) ** 2).sum(-1, keepdim=True))

    def tangent(self, strain: torch.Tensor) -> torch.Tensor:
        flat = strain.reshape(-1, 6)
        each = torch.func.vmap(torch.func.jacrev(self.stress))(flat)
        return (0.5 * (each + each.mT)).reshape(*strain.shape, 6)


def test_a_law_that_softens_ends_in_a_reason_or_in_equilibrium_never_in_nan() -> None:
    made = sb.micro.RVE(disks((8, 8)), [Softening(), sb.micro.Elastic(5.0, 0.3)])
    runs = made.run(np.array([[0.001, 0.0, 0.0], [0.08, 0.0, 0.05]]))
    assert runs.status[0] == "ok"
    assert runs.ok[1] or runs.reason[1]
    assert np.isfinite(runs.values[runs.ok]).all()


def test_a_users_own_law_is_keyed_by_its_source_and_ours_by_its_constants() -> None:
    own = sb.micro.RVE(disks((8, 8)), [Softening(), FIBRE]).identity()
    assert "Softening(E=1.0 Pa" in own["material.0"]
    assert (
        own["material.1"]
        == "scalebridge.micro.rve.phases.elastic.Elastic(E=72000000000.0 Pa, nu=0.22 1, expansion=0.0 1/K)"
    )


def test_identity_changes_with_image_materials_and_tolerance_only() -> None:
    first = rve().identity()
    assert rve(voxel_size="1 um").identity() == first
    assert rve(tolerance=1e-7).identity() != first
    assert sb.micro.RVE(disks((16, 18), seed=1), [MATRIX, FIBRE]).identity() != first
    assert sb.micro.RVE(disks((16, 18)), [MATRIX, sb.micro.Elastic("73 GPa", 0.22)]).identity() != first


def test_finer_splits_every_pixel_and_moves_the_answer_a_little() -> None:
    made = rve((24, 24), voxel_size="2 um")
    assert made.finer.phases.shape == (48, 48)
    assert made.finer.voxel_size == pytest.approx((1e-6, 1e-6))
    coarse, fine = made.run(STRAINS).values, made.finer.run(STRAINS).values
    gap = np.abs(fine - coarse).max() / np.abs(coarse).max()
    assert 1e-6 < gap < 0.1


def test_fields_average_to_the_macroscopic_answer() -> None:
    made = rve(voxel_size="1 um")
    fields = made.localise(STRAINS[0])
    assert fields.reason == ""
    np.testing.assert_allclose(fields.strain.mean((1, 2)), STRAINS[0], rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(fields.stress.mean((1, 2)), made.run(STRAINS[:1]).values[0], rtol=1e-5)
    assert fields.von_mises.shape == made.phases.shape
    assert fields.displacement.shape == (2, 17, 19)
    stretch = fields.displacement[0, :, -1] - fields.displacement[0, :, 0]
    np.testing.assert_allclose(stretch, STRAINS[0, 0] * 18e-6, rtol=1e-9)
    matrix = made.phases == 0
    q, q0 = fields.equivalent_strain[matrix], MATRIX.yield_strain
    law = 50e6 * q / q0 * (1 + (q / q0) ** 2) ** ((0.15 - 1) / 2)
    np.testing.assert_allclose(fields.von_mises[matrix], law, rtol=1e-9)


def test_copies_travel_without_theirsolver() -> None:
    made = rve()
    before = made.run(STRAINS).values
    sent = copy.deepcopy(made)
    assert "solver" not in sent.__dict__
    np.testing.assert_array_equal(sent.run(STRAINS).values, before)


def test_image_cannot_be_changed_under_its_key() -> None:
    image = disks((8, 8))
    made = sb.micro.RVE(image, [MATRIX, FIBRE])
    key = made.identity()
    image[:] = 0
    assert made.identity() == key
    with pytest.raises(ValueError, match="read-only"):
        made.phases[0, 0] = 1


def test_making_an_rve_does_not_import_torch() -> None:
    code = (
        "import sys, numpy as np, scalebridge as sb;"
        "r = sb.micro.RVE(np.eye(4), [sb.micro.Elastic(1.0, 0.3), sb.micro.Elastic(2.0, 0.3)]);"
        "r.identity(), r.inputs, r.structure; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_work_arrays_are_kept_between_calls() -> None:
    made = rve()
    made.run(STRAINS)
    eq = made.solver.equilibrium(1)
    assert isinstance(eq, Equilibrium)
    places = {k: v.data_ptr() for k, v in vars(eq).items() if isinstance(v, torch.Tensor)}
    made.run(2.0 * STRAINS)
    again = made.solver.equilibrium(1)
    assert again is eq
    assert places == {k: v.data_ptr() for k, v in vars(again).items() if isinstance(v, torch.Tensor)}


def test_two_threads_may_run_the_same_rve() -> None:
    made = rve()
    expected = made.run(STRAINS).values
    fresh = rve()
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: fresh.run(STRAINS).values, range(4)))
    for answer in answers:
        np.testing.assert_allclose(answer, expected, rtol=1e-9)


@pytest.mark.parametrize("options", [{}, {"discretisation": "hexahedra"}])
def test_the_load_cases_of_a_stiffness_are_counted(options: dict[str, str]) -> None:
    image = np.zeros((4, 4, 4), dtype=int)
    image[:2] = 1
    heard: list[tuple[int, int]] = []
    made = sb.micro.RVE(image, [FIBRE, sb.micro.Elastic("3 GPa", 0.3)], **options)  # type: ignore[arg-type]
    made.stiffness(progress=lambda done, cases: heard.append((done, cases)))
    assert heard == [(k, 6) for k in range(1, 7)]
