"""The discretisations: adjoint pairs, symbols, null modes, and the same matrices as finite element assembly."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
import skfem
import torch
from skfem.models.elasticity import linear_elasticity

from scalebridge.errors import InputError, ShapeError
from scalebridge.micro.rve.discretisations import DISCRETISATIONS, make, multilinear
from scalebridge.micro.rve.discretisations.discretisation import Discretisation
from scalebridge.micro.rve.grid import Grid

CPU = torch.device("cpu")
SHAPES = [(8, 6), (7, 9), (8, 5), (1, 6), (6, 1), (2, 2), (4, 6, 8), (5, 3, 7), (5, 4, 2), (1, 6, 5), (6, 1, 1)]
NAMES = list(DISCRETISATIONS)


def noise(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).to(dtype)


def grid_of(shape: tuple[int, ...]) -> Grid:
    return Grid(shape, (0.7, 1.3, 0.9)[: len(shape)])


def made(name: str, grid: Grid, b: int = 1, c: int = 1, dtype: torch.dtype = torch.float64) -> Discretisation:
    return make(name, grid, b, c, CPU, dtype)


def gradient(discretisation: Discretisation, u: torch.Tensor) -> torch.Tensor:
    grid = discretisation.grid
    out = torch.full((u.shape[0], discretisation.points, u.shape[1], grid.dim, *grid.shape), torch.nan, dtype=u.dtype)
    return discretisation.gradient(u, out)


def divergence(discretisation: Discretisation, flux: torch.Tensor) -> torch.Tensor:
    grid = discretisation.grid
    out = torch.full((flux.shape[0], flux.shape[2], *grid.shape), torch.nan, dtype=flux.dtype)
    return discretisation.divergence(flux, out)


def fluxes(discretisation: Discretisation, b: int, c: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return noise(b, discretisation.points, c, discretisation.grid.dim, *discretisation.grid.shape, dtype=dtype)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("cache", [multilinear.CACHE, 256])
def test_divergence_is_the_adjoint_of_the_gradient(
    name: str, shape: tuple[int, ...], cache: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(multilinear, "CACHE", cache)  # also where a field is swept in many blocks
    discretisation = made(name, grid_of(shape), 3, 2)
    u, flux = noise(3, 2, *shape), fluxes(discretisation, 3, 2)
    g, f = gradient(discretisation, u), divergence(discretisation, flux)
    work = (flux * g).flatten(1).sum(1) / discretisation.points
    scale = (flux * g).abs().flatten(1).sum(1) / discretisation.points + 1e-300
    assert float(((f * u).flatten(1).sum(1) - work).abs().div(scale).max()) < 1e-13


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", SHAPES)
def test_metric_is_the_spectrum_of_the_operator_on_a_unit_impulse(name: str, shape: tuple[int, ...]) -> None:
    grid = grid_of(shape)
    discretisation = made(name, grid)
    impulse = torch.zeros((1, 1, *shape), dtype=torch.float64)
    impulse[(0, 0, *[0] * grid.dim)] = 1.0
    g = gradient(discretisation, impulse)
    metric = discretisation.metric()
    assert metric.shape == (grid.dim, grid.dim, *grid.half)
    assert metric.dtype == torch.float64
    for j, k in itertools.product(range(grid.dim), repeat=2):
        flux = torch.zeros_like(g)
        flux[:, :, :, j] = g[:, :, :, k]
        spectrum = torch.fft.rfftn(divergence(discretisation, flux)[0, 0])
        # Components j k and k j are conjugate; the metric is their real, symmetric value.
        torch.testing.assert_close(
            spectrum, metric[j, k].to(torch.complex128), rtol=0.0, atol=1e-13 * float(metric.abs().max())
        )


@pytest.mark.parametrize("name", ["rotated", "hexahedra"])
@pytest.mark.parametrize("shape", [(5, 6), (4, 5, 6)])
def test_gradient_is_exact_for_a_field_that_is_linear_inside_the_cell(name: str, shape: tuple[int, ...]) -> None:
    grid = grid_of(shape)
    d = grid.dim
    slopes = torch.tensor([0.2, -0.3, 0.5], dtype=torch.float64)[:d]
    coordinates = torch.meshgrid(
        *[h * torch.arange(n, dtype=torch.float64) for n, h in zip(shape, grid.spacing, strict=True)], indexing="ij"
    )
    u = sum(slopes[j] * coordinates[d - 1 - j] for j in range(d))
    assert isinstance(u, torch.Tensor)
    g = gradient(made(name, grid), u[None, None])
    inside = g[(..., *[slice(0, -1)] * d)]
    expected = slopes.view(1, 1, 1, d, *[1] * d).expand_as(inside)
    torch.testing.assert_close(inside, expected, rtol=0.0, atol=1e-14)


@pytest.mark.parametrize("name", ["rotated", "hexahedra"])
def test_gradient_at_a_point_is_that_of_the_multilinear_interpolation(name: str) -> None:
    grid = Grid((3, 4, 5), (0.7, 1.3, 0.9))
    u = noise(1, 1, *grid.shape)
    g = gradient(made(name, grid), u)[0, :, 0]
    gauss = [0.5] if name == "rotated" else [0.5 - 0.5 / math.sqrt(3), 0.5 + 0.5 / math.sqrt(3)]
    for q, point in enumerate(itertools.product(gauss, repeat=3)):  # (z, y, x), x the fastest
        for j in range(3):
            expected = torch.zeros(grid.shape, dtype=torch.float64)
            for corner in itertools.product((0, 1), repeat=3):
                weight = 1.0
                for axis, (i, w) in enumerate(zip(corner, point, strict=True)):
                    if axis == 2 - j:
                        weight *= (2 * i - 1) / grid.spacing[axis]
                    else:
                        weight *= w if i else 1.0 - w
                expected += weight * torch.roll(u[0, 0], [-i for i in corner], (0, 1, 2))
            torch.testing.assert_close(g[q, j], expected, rtol=0.0, atol=1e-13)


@pytest.mark.parametrize("shape", [(7, 8), (5, 8, 6), (1, 5, 6)])
def test_collocation_is_exact_for_waves_below_the_nyquist_frequency(shape: tuple[int, ...]) -> None:
    grid = grid_of(shape)
    d = grid.dim
    mesh = torch.meshgrid(*[torch.arange(n, dtype=torch.float64) / n for n in shape], indexing="ij")
    waves = [0 if n == 1 else (n - 1) // 2 for n in shape]
    phase = 2.0 * math.pi * sum((w * x for w, x in zip(waves, mesh, strict=True)), torch.zeros(shape)) + 0.4
    g = gradient(made("moulinec_suquet", grid), torch.sin(phase)[None, None])
    for j in range(d):
        axis = d - 1 - j
        k = 2.0 * math.pi * waves[axis] / (shape[axis] * grid.spacing[axis])
        torch.testing.assert_close(g[0, 0, 0, j], k * torch.cos(phase), rtol=0.0, atol=1e-12)


def test_nyquist_waves_of_even_axes_have_no_derivative_along_them_in_collocation() -> None:
    grid = Grid((6, 8), (1.0, 1.0))
    y, x = torch.meshgrid(torch.arange(6), torch.arange(8), indexing="ij")
    u = ((-1.0) ** (x + y)).to(torch.float64)[None, None]
    assert float(gradient(made("moulinec_suquet", grid), u).abs().max()) < 1e-14


@pytest.mark.parametrize("shape", [(6, 8), (4, 6, 8)])
def test_hourglass_modes_strain_nothing_and_their_metric_is_exactly_zero(shape: tuple[int, ...]) -> None:
    grid = grid_of(shape)
    discretisation = made("rotated", grid)
    metric = discretisation.metric()
    mesh = torch.meshgrid(*[torch.arange(n) for n in shape], indexing="ij")
    null = 1
    for axes in itertools.product((0, 1), repeat=grid.dim):
        if sum(axes) < 2:
            continue
        u = (-1.0) ** sum(a * x for a, x in zip(axes, mesh, strict=True))
        assert isinstance(u, torch.Tensor)
        assert float(gradient(discretisation, u.to(torch.float64)[None, None]).abs().max()) == 0.0
        where = tuple(a * n // 2 for a, n in zip(axes, shape, strict=True))
        assert float(metric[(slice(None), slice(None), *where)].abs().max()) == 0.0
    if grid.dim == 2:
        null += 1
        assert int((metric == 0.0).all(0).all(0).sum()) == null


def test_full_integration_has_no_null_mode_but_the_mean() -> None:
    metric = made("hexahedra", grid_of((4, 6, 8))).metric()
    trace = torch.einsum("jj...->...", metric)
    assert int((trace == 0.0).sum()) == 1
    assert float(trace.flatten()[1:].min()) > 0.1


@pytest.mark.parametrize("name", NAMES)
def test_an_axis_of_one_voxel_has_zero_derivative(name: str) -> None:
    g = gradient(made(name, grid_of((5, 1, 4))), noise(1, 1, 5, 1, 4))
    assert float(g[:, :, :, 1].abs().max()) == 0.0
    assert float(g[:, :, :, 0].abs().max()) > 0.1


@pytest.mark.parametrize("shape", [(3, 4), (4, 3), (3, 4, 2), (2, 3, 3)])
def test_hexahedra_are_the_finite_elements_of_scikit_fem(shape: tuple[int, ...]) -> None:
    lam, mu = 1.7, 0.6
    grid = grid_of(shape)
    d = grid.dim
    discretisation = made("hexahedra", grid, 1, d)
    u = noise(1, d, *shape)
    g = gradient(discretisation, u)
    trace = torch.einsum("bqjj...->bq...", g)
    stress = mu * (g + g.transpose(2, 3))
    for j in range(d):
        stress[:, :, j, j] += lam * trace
    force = divergence(discretisation, stress)[0]

    axes = [h * np.arange(n + 1) for n, h in zip(shape, grid.spacing, strict=True)][::-1]  # x, y, z
    mesh = skfem.MeshQuad.init_tensor(*axes) if d == 2 else skfem.MeshHex.init_tensor(*axes)
    element = skfem.ElementQuad1() if d == 2 else skfem.ElementHex1()
    basis = skfem.Basis(mesh, skfem.ElementVector(element), intorder=4)
    stiffness = linear_elasticity(lam, mu).assemble(basis)
    spacing = np.array(grid.spacing[::-1])[:, None]
    index = np.rint(mesh.p / spacing).astype(int) % np.array(shape[::-1])[:, None]
    field = np.zeros(basis.N)
    for i in range(d):
        field[basis.nodal_dofs[i]] = u[0, i].numpy()[tuple(index[::-1])]
    assembled = stiffness @ field
    expected = np.zeros((d, *shape))
    for i in range(d):
        np.add.at(expected[i], tuple(index[::-1]), assembled[basis.nodal_dofs[i]])
    expected /= math.prod(grid.spacing)
    assert np.abs(force.numpy() - expected).max() < 1e-12 * np.abs(expected).max()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(7, 6), (4, 5, 6)])
def test_float32_fields_are_those_of_float64_to_their_precision(name: str, shape: tuple[int, ...]) -> None:
    grid = grid_of(shape)
    double, single = made(name, grid, 2, 2), made(name, grid, 2, 2, torch.float32)
    u, flux = noise(2, 2, *shape), fluxes(double, 2, 2)
    for exact, rough in [
        (gradient(double, u), gradient(single, u.float())),
        (divergence(double, flux), divergence(single, flux.float())),
    ]:
        assert rough.dtype == torch.float32
        assert float((rough - exact).abs().max()) < 1e-6 * float(exact.abs().max()) * 4


def test_blocks_of_any_size_give_the_same_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    grid = grid_of((6, 5, 4))
    u, flux = noise(3, 3, *grid.shape), noise(3, 8, 3, 3, *grid.shape)
    reference = made("hexahedra", grid, 3, 3)
    g, f = gradient(reference, u), divergence(reference, flux)
    for cache in (8 * 20 * 4, 8 * 120, 8 * 120 * 2, 8 * 120 * 3 * 2):  # layers, components, two of them, rows
        monkeypatch.setattr(multilinear, "CACHE", cache)
        blocked = made("hexahedra", grid, 3, 3)
        torch.testing.assert_close(gradient(blocked, u), g, rtol=0.0, atol=1e-15)
        torch.testing.assert_close(divergence(blocked, flux), f, rtol=0.0, atol=1e-14)


@pytest.mark.parametrize("name", ["rotated", "hexahedra"])
def test_calls_after_the_first_take_no_memory_of_the_size_of_a_field(name: str) -> None:
    grid = Grid((24, 32, 40), (1.0, 1.0, 1.0))
    discretisation = made(name, grid, 1, 3)
    u, flux = noise(1, 3, *grid.shape), fluxes(discretisation, 1, 3)
    force = torch.empty_like(u)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        discretisation.gradient(u, flux)
        discretisation.divergence(flux, force)
    taken = sum(max(0, e.self_cpu_memory_usage) for e in profile.key_averages())
    assert taken < 1024


def test_an_unknown_discretisation_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r"no discretisation 'rotatd'.*did you mean 'rotated'"):
        made("rotatd", grid_of((4, 4)))


@pytest.mark.parametrize("name", NAMES)
def test_fields_of_another_shape_are_refused(name: str) -> None:
    discretisation = made(name, grid_of((4, 4)), 2, 2)
    with pytest.raises(ShapeError, match=r"given a field \(1, 2, 4, 4\)"):
        gradient(discretisation, noise(1, 2, 4, 4))


def test_the_list_of_discretisations_is_at_hand_without_torch() -> None:
    code = "import sys, scalebridge.micro.rve.discretisations as d; print(*d.DISCRETISATIONS, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [*NAMES, "False"]
