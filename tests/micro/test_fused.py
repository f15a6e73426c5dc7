"""The fused loops against the same equations written out: averages and differences, dense tangents, full transforms."""

from __future__ import annotations

import itertools
import math

import pytest

pytest.importorskip("numba")

import numpy as np
import torch

from scalebridge.errors import InputError, ShapeError
from scalebridge.micro.rve.fused.loops import LONGEST
from scalebridge.micro.rve.fused.plane import FusedPlaneSolver
from scalebridge.micro.rve.fused.solver import FusedSolver
from scalebridge.micro.rve.grid import Grid
from scalebridge.micro.rve.moduli import LabelModuli, Moduli, PointModuli, folded

GRIDS = [(4, 6, 8), (5, 3, 7), (4, 3, 6), (1, 5, 6), (5, 1, 4), (4, 6, 1), (2, 2, 2), (1, 1, 5), (1, 1, 1), (9, 4, 17)]
EDGES = (0.7, 1.3, 0.4)
LAME = (1.2, 0.8)
TOLERANCE = {torch.float64: 1e-12, torch.float32: 3e-6}
DTYPES = pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
KINDS = pytest.mark.parametrize("kind", ["isotropic", "table", "field"])


def noise(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def gradient(u: torch.Tensor, grid: Grid) -> torch.Tensor:
    """Gradient ``[d, d, *grid]`` (component, direction): the difference along an axis, averaged along the others."""
    dim = grid.dim
    rows = []
    for c in range(dim):
        for direction in range(dim):
            value = u[c]
            for axis in range(dim):
                after = torch.roll(value, -1, axis)
                along = axis == dim - 1 - direction
                value = (after - value) / grid.spacing[axis] if along else (after + value) / 2.0
            rows.append(value)
    return torch.stack(rows).view(dim, dim, *grid.shape)


def strain(u: torch.Tensor, grid: Grid) -> torch.Tensor:
    """Strain ``[g, *grid]``, Mandel."""
    g, root = gradient(u, grid), math.sqrt(0.5)
    if grid.dim == 2:
        return torch.stack([g[0, 0], g[1, 1], root * (g[0, 1] + g[1, 0])])
    shears = [root * (g[i, j] + g[j, i]) for i, j in ((1, 2), (0, 2), (0, 1))]
    return torch.stack([g[0, 0], g[1, 1], g[2, 2], *shears])


def tangents(kind: str, grid: Grid) -> tuple[Moduli, torch.Tensor]:
    """Moduli of a kind and the same as full matrices ``[*grid, g, g]``."""
    size = grid.dim * (grid.dim + 1) // 2
    labels = torch.randint(0, 3, grid.shape, generator=torch.Generator().manual_seed(2)).to(torch.uint8)
    lame = torch.tensor([[1.0, 0.7], [0.3, 2.0], [4.0, 1.5]], dtype=torch.float64)
    ones = torch.zeros(size, dtype=torch.float64)
    ones[: grid.dim] = 1.0
    full = lame[:, 0, None, None] * torch.outer(ones, ones) + 2.0 * lame[:, 1, None, None] * torch.eye(size)
    if kind == "isotropic":
        return LabelModuli(labels, folded(full), lame), full[labels.long()]
    root = noise(3, size, size, seed=3)
    full = root @ root.mT + 0.5 * torch.eye(size, dtype=torch.float64)
    if kind == "table":
        return LabelModuli(labels.to(torch.int32), folded(full)), full[labels.long()]
    root = noise(*grid.shape, size, size, seed=4)
    full = root @ root.mT + 0.5 * torch.eye(size, dtype=torch.float64)
    return PointModuli(folded(full).movedim(-1, 0)[None, None].contiguous()), full


def stress(e: torch.Tensor, full: torch.Tensor) -> torch.Tensor:
    return torch.einsum("...ij,j...->i...", full, e)


def work(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a * b).sum())


def basis(grid: Grid) -> list[torch.Tensor]:
    size = grid.dim * grid.voxels
    return [row.view(grid.dim, *grid.shape) for row in torch.eye(size, dtype=torch.float64)]


def solver(grid: Grid, dtype: torch.dtype) -> FusedSolver:
    return FusedSolver(grid, LAME, dtype)


@DTYPES
@KINDS
@pytest.mark.parametrize("shape", GRIDS)
def test_force_is_the_adjoint_of_the_gradient_applied_to_the_stress(
    shape: tuple[int, ...], kind: str, dtype: torch.dtype
) -> None:
    grid = Grid(shape, EDGES)
    moduli, full = tangents(kind, grid)
    u, v, e = noise(3, *shape), noise(3, *shape, seed=5), noise(6, seed=6)
    sigma = stress(strain(u, grid) + e.view(6, 1, 1, 1), full)
    made, out = solver(grid, dtype), torch.empty((3, *shape), dtype=dtype)
    energy = made.force(moduli, e, u.to(dtype), out)
    scale = float(sigma.abs().sum())
    assert work(out.double(), v) == pytest.approx(work(sigma, strain(v, grid)), abs=10 * TOLERANCE[dtype] * scale)
    assert energy == pytest.approx(work(sigma, strain(u, grid) + e.view(6, 1, 1, 1)), rel=10 * TOLERANCE[dtype])
    mean = made.mean_stress(moduli, e, u.to(dtype))
    torch.testing.assert_close(mean, sigma.mean((1, 2, 3)), rtol=0.0, atol=TOLERANCE[dtype] * scale)


@DTYPES
@KINDS
@pytest.mark.parametrize("shape", [(2, 3, 4), (3, 1, 2), (1, 2, 3)])
def test_operator_equals_the_dense_one_node_by_node(shape: tuple[int, ...], kind: str, dtype: torch.dtype) -> None:
    grid = Grid(shape, EDGES)
    moduli, full = tangents(kind, grid)
    strains = [strain(v, grid) for v in basis(grid)]
    made = solver(grid, dtype)
    u = noise(3, *shape)
    expected = torch.tensor([work(stress(strain(u, grid), full), e) for e in strains], dtype=torch.float64)
    out = torch.empty((3, *shape), dtype=dtype)
    product = made.apply(moduli, u.to(dtype), out)
    bound = TOLERANCE[dtype] * float(expected.abs().max()) * 10
    torch.testing.assert_close(out.double().flatten(), expected, rtol=0.0, atol=bound)
    assert product == pytest.approx(work(expected.view_as(u), u), rel=10 * TOLERANCE[dtype])


@KINDS
@pytest.mark.parametrize("shape", [s for s in GRIDS if math.prod(s) < 300])
def test_solution_is_in_equilibrium_on_any_grid(shape: tuple[int, ...], kind: str) -> None:
    grid = Grid(shape, EDGES)
    moduli, full = tangents(kind, grid)
    stiffness, iterations, kept = solver(grid, torch.float64).homogenise(moduli, 1e-10, 500, keep_fluctuations=True)
    assert kept is not None and bool((iterations >= 0).all())
    for j in range(6):
        e = torch.eye(6, dtype=torch.float64)[j].view(6, 1, 1, 1)
        sigma = stress(strain(kept[j], grid) + e, full)
        torch.testing.assert_close(stiffness[:, j], sigma.mean((1, 2, 3)), rtol=1e-7, atol=1e-8)
        for v in (noise(3, *shape, seed=7), noise(3, *shape, seed=8)):
            assert work(sigma, strain(v, grid)) == pytest.approx(0.0, abs=1e-7 * float(sigma.abs().sum()))


@pytest.mark.parametrize("shape", [(3, 4, 2), (3, 5, 1)])
def test_preconditioner_solves_a_homogeneous_medium_in_one_iteration(shape: tuple[int, ...]) -> None:
    grid = Grid(shape, EDGES)
    lame = torch.tensor([LAME], dtype=torch.float64)
    moduli = LabelModuli(torch.zeros(shape, dtype=torch.uint8), torch.zeros((1, 21), dtype=torch.float64), lame)
    made = solver(grid, torch.float64)
    force, x = torch.empty((3, *shape), dtype=torch.float64), torch.zeros((3, *shape), dtype=torch.float64)
    made.apply(moduli, noise(3, *shape), force)
    outcome = made.solve(moduli, force.clone(), x, 1e-12, 5)
    assert outcome.converged.tolist() == [True] and outcome.iterations.tolist() == [1]
    again = torch.empty_like(force)
    made.apply(moduli, x, again)
    torch.testing.assert_close(again, force, rtol=1e-10, atol=1e-10)


def test_residual_is_measured_in_the_norms_it_names() -> None:
    shape = (4, 5, 6)
    grid = Grid(shape, EDGES)
    moduli, _ = tangents("isotropic", grid)
    made, f = solver(grid, torch.float64), torch.empty((3, *shape), dtype=torch.float64)
    made.apply(moduli, noise(3, *shape), f)
    x = torch.zeros_like(f)
    by_force = made.solve(moduli, f.clone(), x, 0.0, 0, norm="force")
    assert float(by_force.residual) == pytest.approx(float((f * f).sum(0).mean().sqrt()), rel=1e-12)
    homogeneous = LabelModuli(
        torch.zeros(shape, dtype=torch.uint8), torch.zeros((1, 21)), torch.tensor([LAME], dtype=torch.float64)
    )
    made.solve(homogeneous, f.clone(), x, 1e-14, 3)
    by_energy = made.solve(moduli, f.clone(), torch.zeros_like(f), 0.0, 0)
    assert float(by_energy.residual) == pytest.approx(math.sqrt(work(f, x) / grid.voxels), rel=1e-10)


def test_hourglass_modes_strain_nothing_and_stay_out_of_the_solution() -> None:
    shape = (4, 6, 8)
    grid = Grid(shape, EDGES)
    moduli, _ = tangents("isotropic", grid)
    made = solver(grid, torch.float64)
    z, y, x = torch.meshgrid(*(torch.arange(n) for n in shape), indexing="ij")
    out = torch.empty((3, *shape), dtype=torch.float64)
    signs = [(-1.0) ** (x + y), (-1.0) ** (y + z), (-1.0) ** (x + z), (-1.0) ** (x + y + z)]
    for sign in signs:
        hourglass = sign.to(torch.float64).expand(3, *shape).contiguous()
        assert abs(made.apply(moduli, hourglass, out)) < 1e-20 and float(out.abs().max()) < 1e-14
    _, _, kept = made.homogenise(moduli, 1e-9, 200, keep_fluctuations=True)
    assert kept is not None
    for sign in signs:
        assert float((kept * sign).sum((2, 3, 4)).abs().max()) < 1e-10


@DTYPES
def test_laminate_is_exact_and_its_idle_shear_takes_no_iteration(dtype: torch.dtype) -> None:
    E = torch.tensor([1.0, 10.0], dtype=torch.float64)
    lame = torch.stack([E * 0.3 / (1.3 * 0.4), E / 2.6], 1)
    labels = (torch.arange(8) >= 4).to(torch.uint8).expand(3, 4, 8).contiguous()
    made = FusedSolver(Grid((3, 4, 8), (1.0, 1.0, 1.0)), (float(lame[0, 0]), float(lame[0, 1])), dtype)
    stiffness, iterations, _ = made.homogenise(LabelModuli(labels, torch.zeros((2, 21)), lame), 1e-6)
    bound = {"rtol": 1e-8 if dtype == torch.float64 else 2e-6, "atol": 0.0}
    found = [
        stiffness[0, 0],
        stiffness[0, 1],
        stiffness[1, 1],
        stiffness[1, 2],
        stiffness[5, 5] / 2,
        stiffness[3, 3] / 2,
    ]
    exact = [2.44755245, 1.04895105, 6.49350649, 2.26273726, 0.69930070, 2.11538462]
    torch.testing.assert_close(torch.stack(found), torch.tensor(exact, dtype=torch.float64), **bound)
    assert int(iterations[3]) == 0
    assert bool(torch.isfinite(stiffness).all())


@KINDS
def test_one_phase_gives_its_own_stiffness_without_an_iteration(kind: str) -> None:
    shape = (3, 4, 5)
    grid = Grid(shape, EDGES)
    moduli, full = tangents(kind, Grid((1, 1, 1), EDGES))
    if isinstance(moduli, LabelModuli):
        moduli = LabelModuli(moduli.labels.expand(shape).contiguous(), moduli.table, moduli.lame)
    else:
        moduli = PointModuli(moduli.field.expand(1, 1, 21, *shape).contiguous())
    stiffness, iterations, _ = solver(grid, torch.float64).homogenise(moduli, 1e-6)
    torch.testing.assert_close(stiffness, full[0, 0, 0], rtol=1e-12, atol=1e-12)
    assert int(iterations.max()) <= 1


def test_nothing_to_solve_is_solved() -> None:
    grid = Grid((3, 4, 5), EDGES)
    moduli, _ = tangents("table", grid)
    x = torch.zeros((3, *grid.shape), dtype=torch.float64)
    outcome = solver(grid, torch.float64).solve(moduli, torch.zeros_like(x), x, 0.0, 10)
    assert outcome.converged.tolist() == [True] and outcome.iterations.tolist() == [0]
    assert float(x.abs().max()) == 0.0 and float(outcome.residual) == 0.0


def test_kept_fluctuations_make_the_stiffness_symmetric_and_second_order() -> None:
    grid = Grid((6, 5, 7), EDGES)
    moduli, _ = tangents("table", grid)
    made = solver(grid, torch.float64)
    exact = made.homogenise(moduli, 1e-12)[0]
    plain = made.homogenise(moduli, 1e-3)[0]
    better = made.homogenise(moduli, 1e-3, keep_fluctuations=True)[0]
    torch.testing.assert_close(better, better.mT, rtol=0.0, atol=1e-12)
    assert float((better - exact).abs().max()) < 0.05 * float((plain - exact).abs().max())


def test_units_do_not_leave_the_range_of_float32() -> None:
    shape = (6, 5, 7)
    moduli, _ = tangents("isotropic", Grid(shape, EDGES))
    assert isinstance(moduli, LabelModuli) and moduli.lame is not None
    plain = solver(Grid(shape, EDGES), torch.float32).homogenise(moduli)[0]
    pascals = LabelModuli(moduli.labels, moduli.table, 1e11 * moduli.lame)
    small = Grid(shape, tuple(1e-9 * h for h in EDGES))
    made = FusedSolver(small, (1e11 * LAME[0], 1e11 * LAME[1]), torch.float32).homogenise(pascals)[0]
    torch.testing.assert_close(made / 1e11, plain, rtol=1e-5, atol=1e-6)


def test_a_solve_that_meets_its_limit_or_a_singular_tangent_says_so() -> None:
    grid = Grid((4, 5, 6), EDGES)
    moduli, _ = tangents("isotropic", grid)
    assert solver(grid, torch.float64).homogenise(moduli, 1e-9, limit=2)[1].tolist() == [-1] * 6
    empty = PointModuli(torch.zeros((1, 1, 21, *grid.shape), dtype=torch.float64))
    x, f = torch.zeros((3, *grid.shape), dtype=torch.float64), noise(3, *grid.shape)
    outcome = solver(grid, torch.float64).solve(empty, f, x, 1e-9, 10)
    assert outcome.converged.tolist() == [False] and bool(torch.isfinite(x).all())
    f[0, 0, 0, 0] = torch.nan
    assert solver(grid, torch.float64).solve(moduli, f, x, 1e-9, 10).converged.tolist() == [False]


@pytest.mark.parametrize(
    ("contrast", "iterations", "exact"),
    [
        (10.0, 17, (1.615130, 0.656496, 0.460501)),
        (100.0, 31, (1.682453, 0.664597, 0.479226)),
        (1000.0, 34, (1.690837, 0.665227, 0.481651)),
    ],
)
def test_sphere_gives_the_values_and_iterations_of_fans(
    contrast: float, iterations: int, exact: tuple[float, ...]
) -> None:
    n = 32
    z, y, x = (np.mgrid[:n, :n, :n] + 0.5) / n - 0.5
    labels = torch.from_numpy((x * x + y * y + z * z < 0.09).astype(np.uint8))
    E = torch.tensor([1.0, contrast], dtype=torch.float64)
    lame = torch.stack([E * 0.3 / (1.3 * 0.4), E / 2.6], 1)
    made = FusedSolver(Grid((n, n, n), (1.0 / n,) * 3), (float(lame[0, 0]), float(lame[0, 1])))
    stiffness, counts, _ = made.homogenise(LabelModuli(labels, torch.zeros((2, 21)), lame), 1e-6)
    found = torch.stack([stiffness[0, 0], stiffness[0, 1], stiffness[3, 3] / 2])
    torch.testing.assert_close(found, torch.tensor(exact, dtype=torch.float64), rtol=0.0, atol=1e-6)
    assert int(counts.max()) == iterations


def test_fields_and_grids_that_do_not_fit_are_refused() -> None:
    grid = Grid((4, 5, 6), EDGES)
    moduli, _ = tangents("isotropic", grid)
    made = solver(grid, torch.float64)
    x = torch.zeros((3, 4, 5, 6), dtype=torch.float64)
    with pytest.raises(ShapeError, match="make one for these"):
        made.apply(moduli, x.float(), x)
    with pytest.raises(ShapeError, match="not of one image"):
        made.apply(tangents("isotropic", Grid((4, 5, 7), EDGES))[0], x, x.clone())
    with pytest.raises(ShapeError, match="not one row of 21"):
        made.apply(tangents("field", Grid((4, 5, 7), EDGES))[0], x, x.clone())
    assert isinstance(moduli, LabelModuli) and moduli.lame is not None
    with pytest.raises(InputError, match="0 to 1 only"):
        made.apply(LabelModuli(moduli.labels, moduli.table[:2], moduli.lame[:2]), x, x.clone())
    with pytest.raises(InputError, match="three dimensions"):
        FusedSolver(Grid((4, 5), (1.0, 1.0)), LAME)
    with pytest.raises(InputError, match="at most"):
        FusedSolver(Grid((1, 1, LONGEST + 1), EDGES), LAME)


PLANES = [(6, 8), (5, 7), (1, 6), (6, 1), (2, 2), (8, 5)]


@DTYPES
@KINDS
@pytest.mark.parametrize("shape", PLANES)
def test_plane_solver_balances_the_stress(shape: tuple[int, int], kind: str, dtype: torch.dtype) -> None:
    grid = Grid(shape, (0.7, 1.3))
    moduli, full = tangents(kind, grid)
    forces = [strain(v, grid) for v in basis(grid)]

    def force(e: torch.Tensor) -> torch.Tensor:
        sigma = stress(e, full)
        return torch.tensor([work(sigma, b) for b in forces], dtype=torch.float64).view(2, *shape)

    unit = torch.tensor([0.3, -0.2, 1.0], dtype=torch.float64).view(3, 1, 1)
    right = -force(unit.expand(3, *shape))
    x = torch.zeros((2, *shape), dtype=dtype)
    made = FusedPlaneSolver(grid, LAME, dtype)
    outcome = made.solve(moduli, right.to(dtype).clone(), x, (1e-10 if dtype == torch.float64 else 1e-5), 300)
    assert outcome.converged.tolist() == [True]
    left = force(unit + strain(x.double(), grid))
    assert float(left.abs().max()) < (1e-8 if dtype == torch.float64 else 3e-4) * max(1.0, float(right.abs().max()))


def test_plane_solver_refuses_what_does_not_fit() -> None:
    grid = Grid((4, 5), (1.0, 1.0))
    moduli, _ = tangents("isotropic", grid)
    made = FusedPlaneSolver(grid, LAME)
    x = torch.zeros((2, 4, 5), dtype=torch.float64)
    with pytest.raises(ShapeError, match="make one for these"):
        made.solve(moduli, x, x.float(), 1e-6, 5)
    with pytest.raises(ShapeError, match="not of one image"):
        made.solve(tangents("field", Grid((4, 6), (1.0, 1.0)))[0], x, x.clone(), 1e-6, 5)
    with pytest.raises(InputError, match="two dimensions"):
        FusedPlaneSolver(Grid((4, 5, 6), EDGES), LAME)


def test_labels_of_either_integer_type_give_the_same() -> None:
    grid = Grid((3, 4, 6), EDGES)
    moduli, _ = tangents("isotropic", grid)
    assert isinstance(moduli, LabelModuli)
    wide = LabelModuli(moduli.labels.to(torch.int32), moduli.table, moduli.lame)
    made = solver(grid, torch.float64)
    for a, b in itertools.pairwise([made.homogenise(moduli)[0], made.homogenise(wide)[0]]):
        torch.testing.assert_close(a, b, rtol=0.0, atol=0.0)
