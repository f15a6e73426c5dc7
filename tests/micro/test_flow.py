"""Flow through a pore space: what must hold whatever the pores."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.micro.flow import DARCY, PoreFlow, Progress
from scalebridge.micro.flow.connectivity import through_pores
from scalebridge.micro.flow.staggered import End, staggered
from scalebridge.testing import check_model

Mask = NDArray[np.bool_]


def random_pores(seed: int, dim: int = 3, share: float = 0.7, n: int = 8) -> Mask:
    shape = (n, n + 1, n + 2)[:dim]
    return np.asarray(np.random.default_rng(seed).random(shape) < share)


def blob_pores(n: int = 20, dim: int = 3, seed: int = 0) -> Mask:
    """Smooth random pores, periodic."""
    rng = np.random.default_rng(seed)
    noise = np.fft.rfftn(rng.standard_normal((n,) * dim))
    k2 = sum(np.meshgrid(*[np.fft.fftfreq(n) ** 2] * (dim - 1), np.fft.rfftfreq(n) ** 2, indexing="ij"))
    field = np.fft.irfftn(noise * np.exp(-80.0 * k2), s=(n,) * dim, axes=range(dim))
    return np.asarray(field > np.quantile(field, 0.5))


def solved_directly(fluid: Mask, boundary: str, edges: tuple[float, ...]) -> NDArray[np.float64]:
    """The same discrete problem by dense least squares, isolated pores included."""
    dim = fluid.ndim
    found = np.zeros((dim, dim))
    for axis in range(dim):
        side: End = "slip" if boundary == "mirror" else "wall"
        ends: list[End] = [side] * dim
        ends[axis] = "open"
        g = staggered(fluid, edges, ["periodic"] * dim if boundary == "periodic" else ends)
        a, d = g.momentum.toarray(), g.gradient.toarray()
        whole = np.block([[a, d], [d.T, np.zeros((d.shape[1],) * 2)]])
        load = np.zeros(len(whole))
        load[g.part(axis)] = g.volume[g.part(axis)]
        x = np.linalg.lstsq(whole, load, rcond=1e-12)[0]
        for other in range(dim):
            if other == axis or boundary == "periodic":
                flow = (g.volume[g.part(other)] * x[g.part(other)]).sum() / (fluid.size * np.prod(edges))
                found[dim - 1 - other, dim - 1 - axis] = flow
    return found


@pytest.mark.parametrize("boundary", ["periodic", "mirror", "walls"])
@pytest.mark.parametrize("seed", range(4))
def test_the_solver_agrees_with_a_dense_direct_solve_of_any_small_image(boundary: str, seed: int) -> None:
    fluid = random_pores(seed, 2 + seed % 2, 0.75, 5)
    edges = (1.7, 0.6, 1.0)[-fluid.ndim :]
    found = PoreFlow(fluid, fluid=True, boundary=boundary, voxel_size=edges, tolerance=1e-9).permeability()  # type: ignore[arg-type]
    np.testing.assert_allclose(found.voxel2, solved_directly(fluid, boundary, edges), rtol=0, atol=1e-9)


def test_the_tensor_is_symmetric_before_its_correction_and_positive_definite() -> None:
    model = PoreFlow(blob_pores(), fluid=True, tolerance=1e-8)
    flux = np.stack([model.localise(-np.eye(3)[k]).darcy_flux for k in range(3)], axis=1)
    np.testing.assert_allclose(flux, flux.T, rtol=0, atol=1e-7 * np.abs(flux).max())
    np.testing.assert_allclose(flux, model.permeability().voxel2, rtol=0, atol=1e-7 * np.abs(flux).max())
    assert np.linalg.eigvalsh(flux).min() > 0


@pytest.mark.parametrize("boundary", ["periodic", "mirror"])
def test_mass_is_conserved_in_every_voxel_and_the_flux_is_the_same_through_every_section(boundary: str) -> None:
    flow = PoreFlow(blob_pores(), fluid=True, boundary=boundary, tolerance=1e-9).localise([-1.0, 0.4, 0.2])  # type: ignore[arg-type]
    outflow = sum(np.diff(face, axis=2 - k) for k, face in enumerate(flow.faces))
    assert np.abs(outflow).max() < 1e-8 * flow.speed.max()
    if boundary == "periodic":
        for k, face in enumerate(flow.faces):
            through = face.mean(axis=tuple(a for a in range(3) if a != 2 - k))
            np.testing.assert_allclose(through, flow.darcy_flux[k], rtol=0, atol=1e-7 * np.abs(flow.darcy_flux).max())


def test_what_the_pressure_gradient_works_is_dissipated() -> None:
    macro = np.array([3.0, -1.0, 0.5])
    model = PoreFlow(blob_pores(seed=1), fluid=True, voxel_size="2 um", viscosity="1 mPa*s", tolerance=1e-8)
    flow = model.localise(macro)
    assert flow.dissipation == pytest.approx(-macro @ flow.darcy_flux, rel=1e-8)
    assert max(model.permeability().power_gap) < 1e-4
    assert (flow.velocity_unit, flow.pressure_unit) == ("m/s", "Pa")


def test_turning_the_image_turns_the_tensor() -> None:
    fluid = blob_pores(16, seed=2)
    model = PoreFlow(fluid, fluid=True, tolerance=1e-9).permeability().voxel2
    for order in ((1, 0, 2), (2, 0, 1), (0, 2, 1)):
        turned = PoreFlow(fluid.transpose(order), fluid=True, tolerance=1e-9).permeability().voxel2
        # Direction x is the last axis: axis a of the turned image is axis order[a] of the first.
        of = [2 - order[2 - k] for k in range(3)]
        np.testing.assert_allclose(turned, model[np.ix_(of, of)], rtol=0, atol=1e-8 * np.abs(model).max())


def test_flipping_an_axis_changes_the_sign_of_its_off_diagonal_entries() -> None:
    fluid = blob_pores(16, seed=3)
    one = PoreFlow(fluid, fluid=True, tolerance=1e-9).permeability().voxel2
    two = PoreFlow(fluid[:, :, ::-1], fluid=True, tolerance=1e-9).permeability().voxel2
    sign = np.array([-1.0, 1.0, 1.0])
    np.testing.assert_allclose(two, one * np.outer(sign, sign), rtol=0, atol=1e-8 * np.abs(one).max())


def test_mirror_is_the_periodic_flow_through_the_image_and_its_reflections() -> None:
    fluid = random_pores(5, 3, 0.75, 5)
    whole = fluid
    for axis in range(3):
        whole = np.concatenate([whole, np.flip(whole, axis)], axis=axis)
    half = PoreFlow(fluid, fluid=True, boundary="mirror", tolerance=1e-9)
    full = PoreFlow(whole, fluid=True, tolerance=1e-9)
    np.testing.assert_allclose(half.permeability().voxel2, full.permeability().voxel2, rtol=0, atol=1e-9)
    macro = np.array([-1.0, 0.3, 2.0])
    nz, ny, nx = fluid.shape
    one, two = half.localise(macro), full.localise(macro)
    np.testing.assert_allclose(one.velocity, two.velocity[:, :nz, :ny, :nx], rtol=0, atol=1e-7)
    loose = two.pressure[:nz, :ny, :nx] - one.pressure
    assert np.ptp(loose[one.flowing]) < 1e-6


def test_permeability_goes_with_the_square_of_the_voxel_and_speaks_darcy() -> None:
    fluid = blob_pores(12)
    fine, coarse = (PoreFlow(fluid, fluid=True, voxel_size=s).permeability("x") for s in ("1 um", "3 um"))
    assert coarse.m2[0, 0] == pytest.approx(9.0 * fine.m2[0, 0], rel=1e-12)
    assert fine.m2[0, 0] == pytest.approx(1e-12 * fine.voxel2[0, 0], rel=1e-12)
    assert fine.darcy[0, 0] == pytest.approx(fine.m2[0, 0] / 9.869233e-13, rel=1e-12)
    assert fine.millidarcy[0, 0] == pytest.approx(1e3 * fine.m2[0, 0] / DARCY, rel=1e-12)


def test_a_stretched_voxel_is_the_channel_it_stretches() -> None:
    fluid = np.ones((7, 4), dtype=bool)
    fluid[0] = False
    tall = PoreFlow(fluid, fluid=True, voxel_size=("2 um", "1 um"), tolerance=1e-9).permeability("x")
    # Height 12 of edges along x, in voxels of 2: K = (h^2/12 + 4/6) times the porosity.
    assert tall.voxel2[0, 0] == pytest.approx((144.0 / 12.0 + 4.0 / 6.0) * 6.0 / 7.0, rel=1e-8)


def test_the_error_that_is_stated_holds_at_every_tolerance() -> None:
    fluid = blob_pores(24, seed=4)
    truth = PoreFlow(fluid, fluid=True, tolerance=1e-10).permeability().voxel2
    for tolerance in (1e-1, 1e-2, 1e-3, 1e-4, 1e-6):
        found = PoreFlow(fluid, fluid=True, tolerance=tolerance).permeability()
        assert max(found.error) <= tolerance
        assert np.abs(np.diag(found.voxel2 / truth) - 1.0).max() <= tolerance


def test_isolated_pores_are_left_out_and_counted() -> None:
    fluid = np.zeros((20, 12), dtype=bool)
    fluid[2:6] = True
    alone = PoreFlow(fluid, fluid=True).permeability("x")
    fluid[10:14, 3:7] = True
    found = PoreFlow(fluid, fluid=True).permeability("x")
    assert alone.isolated == 0.0
    assert found.isolated == pytest.approx(16 / 64)
    assert found.porosity == pytest.approx(64 / 240)
    np.testing.assert_allclose(found.voxel2, alone.voxel2, rtol=1e-12)


def test_pores_that_do_not_connect_answer_zero_with_a_sentence() -> None:
    fluid = np.zeros((6, 6), dtype=bool)
    fluid[1:3] = True
    found = PoreFlow(fluid, fluid=True).permeability()
    assert found.voxel2[1, 1] == found.voxel2[0, 1] == 0.0
    assert found.note == "The pores do not connect through the cell along y: no flow there"
    closed = PoreFlow(np.eye(6), fluid=1).permeability()
    assert not closed.voxel2.any()
    assert "along x and y" in closed.note and "along x and y" in str(closed)
    still = PoreFlow(np.eye(6), fluid=1).localise([1.0, 1.0])
    assert not still.velocity.any() and not still.flowing.any()


def test_a_pore_that_winds_around_the_cell_reaches_through_along_both_axes() -> None:
    n = 6
    stair = np.zeros((n, n), dtype=bool)
    for k in range(n):
        stair[k, k] = stair[k, (k + 1) % n] = True
    assert [bool(m.any()) for m in through_pores(stair, periodic=True)] == [True, True]
    assert [bool(m.any()) for m in through_pores(stair[:, ::-1], periodic=True)] == [True, True]
    # Cut open, the corner voxel (n-1, 0) is a pore of its own; the staircase still goes from end to end.
    assert [bool(m.any()) for m in through_pores(stair, periodic=False)] == [True, True]
    ring = np.zeros((n, n), dtype=bool)
    ring[[0, 2], 1:4] = ring[0:3, [1]] = ring[0:3, [3]] = True
    assert [bool(m.any()) for m in through_pores(ring, periodic=True)] == [False, False]


def test_a_dead_end_at_the_side_is_no_way_through_a_periodic_cell() -> None:
    fluid = np.zeros((5, 5), dtype=bool)
    fluid[1, :3] = fluid[3, 2:] = fluid[2, 2] = True
    assert not through_pores(fluid, periodic=True)[1].any()
    assert through_pores(fluid, periodic=False)[1].any()
    assert not PoreFlow(fluid, fluid=True).permeability("x").voxel2.any()
    assert PoreFlow(fluid, fluid=True, boundary="mirror").permeability("x").voxel2[0, 0] > 0


def test_only_the_axes_asked_for_are_solved() -> None:
    model = PoreFlow(blob_pores(12), fluid=True, tolerance=1e-8)
    full, one, two = model.permeability(), model.permeability("y"), model.permeability(["z", "x"])
    assert one.voxel2.shape == (1, 1) and len(one.iterations) == 1
    assert one.voxel2[0, 0] == pytest.approx(full.voxel2[1, 1], rel=1e-7)
    np.testing.assert_allclose(two.voxel2, full.voxel2[np.ix_([2, 0], [2, 0])], rtol=1e-5)


def test_progress_is_told_after_every_iteration() -> None:
    heard: list[Progress] = []
    found = PoreFlow(blob_pores(12), fluid=True).permeability("xz", progress=heard.append)
    assert [sum(h.axis == a for h in heard) for a in "xz"] == list(found.iterations)
    assert heard[-1].error <= 1e-6
    assert heard[-1].permeability == pytest.approx(found.voxel2[1, 1], rel=1e-3)


def test_labels_and_masks_name_the_same_pores() -> None:
    fluid = blob_pores(10)
    labels = np.where(fluid, 3, np.where(random_pores(0, 3, 0.5, 10)[:, :10, :10], 1, 2))
    truth = PoreFlow(fluid, fluid=True).permeability("x").voxel2
    for phases, named in ((labels, 3), (labels, fluid), (~fluid, False), ((~fluid).astype(float), None)):
        np.testing.assert_array_equal(PoreFlow(phases, fluid=named).permeability("x").voxel2, truth)
    both = PoreFlow(labels, fluid=[3, 1])
    assert both.porosity == pytest.approx(np.isin(labels, [1, 3]).mean())


def test_as_a_model_it_keeps_the_contract() -> None:
    model = PoreFlow(blob_pores(10), fluid=True, voxel_size="5 um", viscosity="1 mPa*s")
    check_model(model, 1e5 * np.random.default_rng(0).standard_normal((3, 3)), jacobian_rtol=1e-6)
    runs = model.run(np.array([[1.0, 0.0, 0.0], [np.nan, 0.0, 0.0]]))
    assert runs.status.tolist() == ["ok", "failed"]
    np.testing.assert_allclose(runs.values[0], -model.permeability().m2[:, 0] / 1e-3, rtol=1e-9)


def test_it_travels_to_another_process_and_back() -> None:
    model = PoreFlow(blob_pores(10), fluid=True, voxel_size="5 um")
    again = pickle.loads(pickle.dumps(model))  # noqa: S301
    assert again.identity() == model.identity()
    np.testing.assert_array_equal(again.permeability("x").voxel2, model.permeability("x").voxel2)


def test_identity_knows_every_setting() -> None:
    fluid = blob_pores(8)
    made = [
        PoreFlow(fluid, fluid=True),
        PoreFlow(~fluid, fluid=True),
        PoreFlow(fluid, fluid=True, voxel_size=1e-6),
        PoreFlow(fluid, fluid=True, viscosity=1e-3),
        PoreFlow(fluid, fluid=True, boundary="mirror"),
        PoreFlow(fluid, fluid=True, tolerance=1e-4),
    ]
    assert len({str(sorted(m.identity().items())) for m in made}) == len(made)


def test_finer_halves_the_voxels_and_keeps_the_pores() -> None:
    model = PoreFlow(blob_pores(8), fluid=True, voxel_size="4 um", viscosity=1e-3, boundary="mirror")
    finer = model.finer
    assert finer.voxel_size == pytest.approx((2e-6,) * 3)
    assert finer.porosity == model.porosity
    assert finer.scale is not None and model.scale is not None
    assert finer.scale.length[1] == pytest.approx(model.scale.length[1])  # type: ignore[index]


def test_the_memory_is_known_before_it_is_taken() -> None:
    model = PoreFlow(blob_pores(32), fluid=True)
    taken = model.permeability("x").memory
    assert 0.5 * taken < model.expected_memory < 2.0 * taken


def test_naming_it_loads_neither_torch_nor_scipy() -> None:
    loaded = "sorted({'torch', 'scipy', 'numba'} & set(sys.modules))"
    code = f"import sys, scalebridge as sb; sb.micro.PoreFlow; print({loaded})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_permeability_without_voxel_size_has_no_darcy() -> None:
    with pytest.raises(InputError, match="given no voxel size; pass for example voxel_size='5 um', or read voxel2"):
        _ = PoreFlow(blob_pores(8), fluid=True).permeability("x").darcy
