"""Voids, rigid phases and high contrasts converge or are refused with a reason; single precision beside double."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.errors import InputError
from tests.theory.shapes import Floats, Labels, ball, conductors, elastic_pair

MATRIX = sb.micro.Elastic(1.0, 0.3)


def body_centred(n: int, radius: float) -> Labels:
    """Balls at the corners and in the middle of the cell."""
    x = (np.arange(n) + 0.5) / n
    found = np.zeros((n, n, n), dtype=np.int64)
    for centre in (0.0, 0.5):
        gaps = [np.minimum(np.abs(a - centre), 1.0 - np.abs(a - centre)) for a in np.meshgrid(x, x, x, indexing="ij")]
        found |= sum(g * g for g in gaps) <= radius**2
    return found


def solved(image: Labels, materials: list[Any], **options: Any) -> tuple[Floats, int]:
    """Stiffness and the largest number of iterations of a load case."""
    made = sb.micro.RVE(image, materials, tolerance=2e-6, **options)
    c = made.stiffness()
    return c, int(made.solver.effective.cg.max())


@pytest.mark.parametrize(("scheme", "limit"), [("rotated", 40), ("hexahedra", 30)])
@pytest.mark.parametrize("shape", ["sphere", "body-centred"])
def test_pores_are_solved_in_as_many_iterations_as_a_contrast_of_a_thousand(
    scheme: str, limit: int, shape: str
) -> None:
    image = ball(24) if shape == "sphere" else body_centred(24, 0.35)
    c, iterations = solved(image, [MATRIX, sb.micro.Void()], discretisation=scheme)
    assert iterations <= limit
    nearest = sb.micro.nearest_isotropic(c)
    porosity = float(image.mean())
    of_bulk, of_shear = sb.micro.hashin_shtrikman([1 - porosity, porosity], [1 / 1.2, 0.0], [1 / 2.6, 0.0])
    assert 0.5 * of_bulk.upper < nearest.bulk < of_bulk.upper
    assert 0.5 * of_shear.upper < nearest.shear < of_shear.upper


@pytest.mark.parametrize("scheme", ["rotated", "hexahedra"])
def test_pores_are_the_limit_of_a_vanishing_phase_and_rigid_balls_that_of_a_stiff_one(scheme: str) -> None:
    image, gaps = ball(12), []
    void = solved(image, [MATRIX, sb.micro.Void()], discretisation=scheme)[0]
    for contrast in (1e-2, 1e-3, 1e-4):
        gaps.append(np.abs(solved(image, elastic_pair(contrast), discretisation=scheme)[0] - void).max())
    assert all(a / b == pytest.approx(10.0, rel=0.1) for a, b in pairwise(gaps))
    rigid = solved(image, [MATRIX, sb.micro.Rigid()], discretisation=scheme)[0]
    stiff = solved(image, elastic_pair(1e7), discretisation=scheme)[0]
    np.testing.assert_allclose(rigid, stiff, rtol=1e-6, atol=1e-9)
    assert np.linalg.eigvalsh(stiff - void).min() > 0.0


@pytest.mark.parametrize("contrast", [1e-4, 1e4, 1e6])
@pytest.mark.parametrize("scheme", ["rotated", "hexahedra"])
def test_iterations_do_not_grow_beyond_a_contrast_of_a_thousand(scheme: str, contrast: float) -> None:
    assert solved(ball(24), elastic_pair(contrast), discretisation=scheme)[1] <= 36


def test_voxels_thrown_at_random_converge_at_any_contrast_on_hexahedra_and_with_patience_on_the_rotated_scheme() -> (
    None
):
    image = np.random.default_rng(0).integers(0, 2, (10, 10, 10))
    for second in (sb.micro.Elastic(1e4, 0.3), sb.micro.Elastic(1e-4, 0.3), sb.micro.Void(), sb.micro.Rigid()):
        assert solved(image, [MATRIX, second], discretisation="hexahedra")[1] < 80
    for contrast in (1e4, 1e-4):
        assert solved(image, elastic_pair(contrast))[1] < 2000


def test_voids_that_hold_by_edges_and_corners_alone_are_refused_with_the_scheme_that_solves_them() -> None:
    image = np.random.default_rng(0).integers(0, 2, (16, 16, 16))
    with pytest.raises(
        InputError, match=r"not found in \d+ iterations at the contrast inf; use discretisation='hexahedra'"
    ):
        sb.micro.RVE(image, [MATRIX, sb.micro.Void()]).stiffness()


def test_solid_that_does_not_hang_together_carries_nothing() -> None:
    c = sb.micro.RVE(ball(12), [sb.micro.Void(), MATRIX]).stiffness()
    assert np.abs(c).max() < 1e-10


@pytest.mark.parametrize("scheme", ["rotated", "hexahedra"])
def test_conduction_takes_insulators_and_near_perfect_conductors(scheme: str) -> None:
    image = ball(24)
    options: dict[str, Any] = {"discretisation": scheme, "tolerance": 1e-9}
    share = float(image.mean())
    insulated = sb.micro.RVE(image, conductors(1.0, 0.0), **options).conductivity()[0, 0]
    perfect = sb.micro.RVE(image, conductors(1.0, 1e9), **options).conductivity()[0, 0]
    # Maxwell's values, exact to second order in the fraction, are bounds.
    assert (1 - share) / (1 + share / 2) * 0.97 < insulated < (1 - share) / (1 + share / 2)
    assert (1 + 2 * share) / (1 - share) < perfect < 1.04 * (1 + 2 * share) / (1 - share)


@pytest.mark.parametrize(
    ("scheme", "contrast"), [("rotated", 10.0), ("rotated", 1e4), ("hexahedra", 10.0), ("moulinec_suquet", 10.0)]
)
def test_single_precision_moves_an_effective_tensor_by_less_than_a_millionth(scheme: str, contrast: float) -> None:
    exact = sb.micro.RVE(ball(14), elastic_pair(contrast), tolerance=1e-9, discretisation=scheme).stiffness()
    made = sb.micro.RVE(ball(14), elastic_pair(contrast), discretisation=scheme, precision="single")
    np.testing.assert_allclose(made.stiffness(), exact, rtol=0, atol=1e-6 * exact.max())


SINGLE: dict[str, tuple[list[Any], float]] = {
    "contrast 10": (elastic_pair(10.0), 1e-6),
    "contrast 1000": (elastic_pair(1000.0), 1e-6),
    "void": ([MATRIX, sb.micro.Void()], 1e-6),
    "rigid": ([MATRIX, sb.micro.Rigid()], 1e-5),
    "power law": ([sb.micro.PowerLaw(1.0, 0.35, 0.01, 0.2), sb.micro.Elastic(20.0, 0.2)], 1e-6),
}


@pytest.mark.parametrize("case", SINGLE)
@pytest.mark.parametrize("n", [16, 48])
def test_single_precision_balances_every_load_and_gives_stress_and_tangent_to_a_millionth(case: str, n: int) -> None:
    (materials, limit), strain = SINGLE[case], [[0.02, -0.01, 0.01], [0.0, 0.0, 0.0]]
    found = [sb.micro.RVE(ball(n, dim=2), materials, precision=p).homogenise(strain) for p in ("double", "single")]
    double, single = found
    assert single.converged.all(), single.reason
    assert np.abs(single.stress - double.stress).max() < limit * np.abs(double.stress).max()
    assert np.abs(single.tangent - double.tangent).max() < limit * double.tangent.max()


def test_single_precision_in_space_balances_mixed_loads() -> None:
    options: dict[str, Any] = {"stress": [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]}
    strain = [[0.01, np.nan, np.nan, 0.0, 0.0, 0.0]]
    made = [sb.micro.RVE(ball(12), elastic_pair(50.0), precision=p) for p in ("double", "single")]
    double, single = (m.homogenise(strain, **options) for m in made)
    assert single.converged.all(), single.reason
    np.testing.assert_allclose(single.stress, double.stress, rtol=0, atol=1e-6 * double.stress.max())
    np.testing.assert_allclose(single.measure, double.measure, rtol=0, atol=1e-7)
