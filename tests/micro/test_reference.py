"""The reference medium: exact inverse of the discrete operator, norms with known values, memory."""

from __future__ import annotations

import itertools

import pytest
import torch

from scalebridge.errors import InputError, ShapeError
from scalebridge.micro.rve import reference
from scalebridge.micro.rve.discretisations import DISCRETISATIONS, make
from scalebridge.micro.rve.discretisations.discretisation import Discretisation
from scalebridge.micro.rve.grid import Grid
from scalebridge.micro.rve.moduli import unfolded
from scalebridge.micro.rve.reference import ReferenceMedium

CPU = torch.device("cpu")
SHAPES = [(8, 6), (7, 9), (1, 6), (6, 1), (2, 2), (4, 6, 8), (5, 3, 7), (1, 6, 5), (6, 1, 1)]
LAME = (1.7, 0.6)
CONDUCTIVITY = torch.tensor([[2.0, 0.3, -0.1], [0.3, 1.0, 0.2], [-0.1, 0.2, 0.7]], dtype=torch.float64)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def pair(
    name: str, kind: reference.Kind, shape: tuple[int, ...], b: int = 2, dtype: torch.dtype = torch.float64
) -> tuple[Discretisation, ReferenceMedium]:
    grid = Grid(shape, (0.7, 1.3, 0.9)[: len(shape)])
    d = grid.dim
    discretisation = make(name, grid, b, d if kind == "elastic" else 1, CPU, dtype)
    constants = LAME if kind == "elastic" else CONDUCTIVITY[:d, :d]
    return discretisation, ReferenceMedium(discretisation.metric(), kind, constants, b, grid, CPU, dtype)


def operate(discretisation: Discretisation, kind: reference.Kind, u: torch.Tensor) -> torch.Tensor:
    """The operator of the homogeneous medium, by its stress."""
    d = discretisation.grid.dim
    g = discretisation.gradient(u, u.new_empty((u.shape[0], discretisation.points, u.shape[1], d, *u.shape[2:])))
    if kind == "scalar":
        return discretisation.divergence(
            torch.einsum("jl,bqcl...->bqcj...", CONDUCTIVITY[:d, :d].to(u), g).contiguous(), torch.empty_like(u)
        )
    lam, mu = LAME
    stress = mu * (g + g.transpose(2, 3))
    for j in range(d):
        stress[:, :, j, j] += lam * torch.einsum("bqjj...->bq...", g)
    return discretisation.divergence(stress, torch.empty_like(u))


@pytest.mark.parametrize("name", DISCRETISATIONS)
@pytest.mark.parametrize("kind", ["elastic", "scalar"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("cache", [reference.CACHE, 512])
def test_solve_inverts_the_operator_of_the_homogeneous_medium_but_for_its_null_part(
    name: str, kind: reference.Kind, shape: tuple[int, ...], cache: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "CACHE", cache)  # also in parts
    discretisation, medium = pair(name, kind, shape)
    force = noise(2, medium.components, *shape)
    null = (medium.inverse == 0.0).all(0)
    kept = torch.fft.rfftn(force, dim=discretisation.grid.axes).masked_fill(null, 0.0)
    balanced = torch.fft.irfftn(kept, s=shape, dim=discretisation.grid.axes)
    u = medium.solve(force, torch.full_like(force, torch.nan))
    torch.testing.assert_close(operate(discretisation, kind, u), balanced, rtol=0.0, atol=1e-12)


@pytest.mark.parametrize("name", DISCRETISATIONS)
def test_null_frequencies_are_those_without_a_metric(name: str) -> None:
    discretisation, medium = pair(name, "elastic", (4, 6, 8))
    without = (discretisation.metric() == 0.0).all(0).all(0)
    assert torch.equal((medium.inverse == 0.0).all(0), without)
    assert bool(torch.isfinite(medium.inverse).all())
    assert int(without.sum()) >= 1


def test_inverse_holds_the_triangle_of_symmetric_matrices() -> None:
    discretisation, medium = pair("hexahedra", "elastic", (4, 6, 5))
    metric = discretisation.metric().movedim((0, 1), (-2, -1))
    lam, mu = LAME
    trace = metric.diagonal(dim1=-2, dim2=-1).sum(-1)
    operator = (lam + mu) * metric + mu * trace[..., None, None] * torch.eye(3, dtype=torch.float64)
    product = operator @ unfolded(medium.inverse.movedim(0, -1), 3)
    identity = torch.eye(3, dtype=torch.float64).expand_as(product).clone()
    identity[0, 0, 0] = 0.0
    torch.testing.assert_close(product, identity, rtol=0.0, atol=1e-13)


def test_hourglass_forces_are_left_out() -> None:
    y, x = torch.meshgrid(torch.arange(6), torch.arange(8), indexing="ij")
    force = ((-1.0) ** (x + y)).to(torch.float64).expand(2, 2, 6, 8).contiguous()
    _, medium = pair("rotated", "elastic", (6, 8))
    assert float(medium.solve(force, torch.empty_like(force)).abs().max()) < 1e-15


@pytest.mark.parametrize("shape", [(9, 8), (6, 5, 8)])
def test_parts_and_whole_agree_and_the_answer_may_overwrite_the_force(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, whole = pair("rotated", "elastic", shape, 3)
    monkeypatch.setattr(reference, "CACHE", 700)
    _, parts = pair("rotated", "elastic", shape, 3)
    force = noise(3, len(shape), *shape)
    expected = whole.solve(force, torch.empty_like(force))
    torch.testing.assert_close(parts.solve(force, torch.empty_like(force)), expected, rtol=0.0, atol=1e-14)
    for medium in (whole, parts):
        field = force.clone()
        torch.testing.assert_close(medium.solve(field, field), expected, rtol=0.0, atol=1e-14)


def test_plane_strain_is_the_solid_of_one_layer() -> None:
    shape = (1, 6, 8)
    grid, plane = Grid(shape, (1.0, 0.9, 1.1)), Grid(shape[1:], (0.9, 1.1))
    solid, flat = (make("rotated", g, 1, g.dim, CPU, torch.float64) for g in (grid, plane))
    of_solid = ReferenceMedium(solid.metric(), "elastic", LAME, 1, grid, CPU, torch.float64)
    of_plane = ReferenceMedium(flat.metric(), "elastic", LAME, 1, plane, CPU, torch.float64)
    force = noise(1, 3, *shape)
    u = of_solid.solve(force, torch.empty_like(force))
    v = of_plane.solve(force[:, :2, 0].contiguous(), torch.empty((1, 2, 6, 8), dtype=torch.float64))
    torch.testing.assert_close(u[:, :2, 0], v, rtol=0.0, atol=1e-14)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("d", [2, 3])
def test_stress_norm_of_elasticity_is_the_root_of_stress_times_strain(d: int, dtype: torch.dtype) -> None:
    shape = (4, 5, 6)[:d]
    discretisation, medium = pair("hexahedra", "elastic", shape, dtype=dtype)
    g = d * (d + 1) // 2
    strain = noise(2, discretisation.points, g, *shape)
    lam, mu = LAME
    stress = 2.0 * mu * strain
    stress[:, :, :d] += lam * strain[:, :, :d].sum(2, keepdim=True)
    expected = (stress * strain).sum(2).flatten(1).mean(1).sqrt()
    tolerance = 1e-13 if dtype == torch.float64 else 1e-7
    torch.testing.assert_close(medium.stress_norm(stress.to(dtype)), expected, rtol=tolerance, atol=0.0)


def test_stress_norms_of_finite_strain_and_of_conduction() -> None:
    shape = (4, 5, 6)
    _, elastic = pair("rotated", "elastic", shape)
    piola = noise(2, 1, 9, *shape)
    torch.testing.assert_close(
        elastic.stress_norm(piola), (piola.square().sum(2).flatten(1).mean(1) / (2.0 * LAME[1])).sqrt()
    )
    _, scalar = pair("rotated", "scalar", shape)
    slope = noise(2, 1, 3, *shape)
    flux = torch.einsum("jl,bql...->bqj...", CONDUCTIVITY, slope).contiguous()
    torch.testing.assert_close(scalar.stress_norm(flux), (flux * slope).sum(2).flatten(1).mean(1).sqrt())


def test_stress_norm_adds_in_float64_where_float32_would_lose_the_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "CACHE", 1000)
    _, scalar = pair("rotated", "scalar", (64, 64), 1, torch.float32)
    flux = torch.full((1, 1, 2, 64, 64), 1e-4, dtype=torch.float32)
    flux[0, 0, :, 0, 0] = 1e4
    small, large = float(flux[0, 0, 0, 1, 1]), 1e4
    total = torch.linalg.inv(CONDUCTIVITY[:2, :2]).sum()
    expected = (total * ((64 * 64 - 1) * small**2 + large**2) / 64**2).sqrt()
    found = scalar.stress_norm(flux)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found[0], expected, rtol=1e-14, atol=0.0)


def test_a_row_that_is_not_finite_leaves_its_neighbours_alone() -> None:
    _, medium = pair("rotated", "elastic", (4, 5))
    stress, force = noise(2, 1, 3, 4, 5), noise(2, 2, 4, 5)
    norm, u = medium.stress_norm(stress), medium.solve(force, torch.empty_like(force))
    stress[0, 0, 0, 0, 0] = force[0, 0, 0, 0] = torch.nan
    assert torch.isfinite(medium.stress_norm(stress)).tolist() == [False, True]
    torch.testing.assert_close(medium.stress_norm(stress)[1], norm[1])
    torch.testing.assert_close(medium.solve(force, torch.empty_like(force))[1], u[1])


@pytest.mark.parametrize("kind", ["elastic", "scalar"])
def test_float32_solves_to_its_precision_with_an_inverse_made_in_float64(kind: reference.Kind) -> None:
    shape = (6, 5, 8)
    _, double = pair("rotated", kind, shape)
    _, single = pair("rotated", kind, shape, dtype=torch.float32)
    force = noise(2, double.components, *shape)
    exact = double.solve(force, torch.empty_like(force))
    rough = single.solve(force.float(), torch.empty_like(force, dtype=torch.float32))
    assert single.inverse.dtype == torch.float32
    assert torch.equal(single.inverse, double.inverse.float())
    assert float((rough - exact).abs().max()) < 1e-6 * float(exact.abs().max())


def test_a_large_solve_takes_temporaries_of_the_cache_and_not_of_the_field() -> None:
    shape = (64, 64, 64)
    _, medium = pair("rotated", "elastic", shape, 1)
    force = noise(1, 3, *shape)
    with torch.profiler.profile(
        activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True, record_shapes=False
    ) as profile:
        medium.solve(force, force)
    largest = max(e.self_cpu_memory_usage / max(1, e.count) for e in profile.key_averages())
    field = force.nbytes
    assert largest <= 2 * reference.CACHE < field


@pytest.mark.parametrize(
    ("kind", "constants", "why"),
    [
        ("elastic", (1.0, 0.0), "not stable"),
        ("elastic", (-1.0, 1.0), "not stable"),
        ("elastic", (1.0, float("nan")), "not stable"),
        ("elastic", (1.0, 1.0, 1.0), "takes Lamé's constants"),
        ("scalar", [[1.0, 0.0], [0.0, -1.0]], "positive definite"),
        ("scalar", [[1.0, 0.5], [0.0, 1.0]], "symmetric"),
        ("scalar", [1.0, 1.0], "takes a conductivity"),
    ],
)
def test_constants_that_are_no_stable_medium_are_refused(
    kind: reference.Kind, constants: list[float], why: str
) -> None:
    grid = Grid((4, 4), (1.0, 1.0))
    metric = make("rotated", grid, 1, 1, CPU, torch.float64).metric()
    with pytest.raises(InputError, match=why):
        ReferenceMedium(metric, kind, constants, 1, grid, CPU, torch.float64)


def test_fields_and_stresses_of_another_shape_are_refused() -> None:
    _, medium = pair("rotated", "elastic", (4, 5))
    for force, out in itertools.permutations([noise(2, 2, 4, 5), noise(1, 2, 4, 5)]):
        with pytest.raises(ShapeError, match="was given"):
            medium.solve(force, out)
    with pytest.raises(ShapeError, match="5 components"):
        medium.stress_norm(noise(2, 1, 5, 4, 5))
