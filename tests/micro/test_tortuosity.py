"""Diffusion through pores: exact cells, invariants, mistakes."""

from __future__ import annotations

import math

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.errors import InputError
from scalebridge.micro import tortuosity


def slab() -> np.ndarray:
    image = np.ones((12, 10, 8), dtype=int)
    image[3:7] = 0
    return image


def staircase() -> np.ndarray:
    """Pores of one voxel that climb along x and y at once, in two dimensions."""
    image = np.ones((6, 6), dtype=bool)
    for k in range(6):
        image[k, k] = image[k, (k + 1) % 6] = False
    return image


def random_pores(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(shape) < 0.6


@pytest.mark.parametrize("boundary", ["periodic", "mirror"])
def test_straight_pores_have_tortuosity_one_and_none_across(boundary: str) -> None:
    found = tortuosity(slab(), boundary=boundary)  # type: ignore[arg-type]
    assert found.tortuosity[:2] == pytest.approx([1.0, 1.0], abs=1e-12)
    assert math.isinf(found.tortuosity[2])
    assert np.diag(found.relative) == pytest.approx([1 / 3, 1 / 3, 0.0], abs=1e-12)
    assert "do not connect through the cell along z" in found.note


def test_open_space_diffuses_freely() -> None:
    found = tortuosity(np.zeros((4, 5, 6), dtype=int))
    np.testing.assert_allclose(found.relative, np.eye(3), atol=1e-12)


def test_a_staircase_is_solved_exactly() -> None:
    # Twelve links in series over a period of six voxels along each axis: D = area * 6 / 12 / 6 per period.
    found = tortuosity(staircase(), fluid=False)
    np.testing.assert_allclose(found.relative, np.full((2, 2), 1.0 / 12.0), rtol=1e-9)
    assert found.tortuosity == pytest.approx([4.0, 4.0], rel=1e-9)


def test_the_tensor_is_symmetric_and_follows_a_permutation_of_the_axes() -> None:
    image = random_pores((12, 13, 14))
    found = tortuosity(image, fluid=True, tolerance=1e-10)
    np.testing.assert_allclose(found.relative, found.relative.T, atol=1e-12)
    turned = tortuosity(image.transpose(2, 1, 0), fluid=True, tolerance=1e-10)
    np.testing.assert_allclose(turned.relative, found.relative[::-1, ::-1], rtol=1e-8)


def test_a_dense_solve_gives_the_same() -> None:
    image = random_pores((5, 6), seed=3)
    found = tortuosity(image, fluid=True, boundary="mirror", axes="x", tolerance=1e-12)
    n = int(image.sum())
    number = np.full(image.shape, -1)
    number[image] = np.arange(n)
    matrix, pull = np.zeros((n, n)), np.zeros(n)
    for (y, x), i in np.ndenumerate(number):
        if i < 0:
            continue
        for j in (number[y, x + 1] if x < 5 else -1, number[y + 1, x] if y < 4 else -1):
            if j >= 0:
                matrix[[i, j], [i, j]] += 1.0
                matrix[[i, j], [j, i]] -= 1.0
        if x in (0, 5):
            matrix[i, i] += 2.0
            pull[i] += 2.0 * 6.0 * (x == 5)
    field = np.linalg.lstsq(matrix, pull, rcond=None)[0]
    flux = sum(2.0 * field[i] for i in number[:, 0] if i >= 0)
    assert found.relative[0, 0] == pytest.approx(flux / 5.0, rel=1e-9)


def gap_to_maxwell(n: int) -> float:
    """Relative gap between a body-centred array of insulating spheres, 6 % of the volume, and Maxwell's formula."""
    radius = (0.03 * 3 / (4 * math.pi)) ** (1 / 3)
    x = (np.arange(n) + 0.5) / n
    z, y, x = np.meshgrid(x, x, x, indexing="ij")
    from_corner = sum(np.minimum(a, 1 - a) ** 2 for a in (x, y, z))
    solid = (from_corner < radius**2) | (sum((a - 0.5) ** 2 for a in (x, y, z)) < radius**2)
    f = solid.mean()
    return float(2 * (1 - f) / (2 + f) / tortuosity(solid, fluid=False, axes="x").relative[0, 0] - 1)


def test_body_centred_spheres_tend_to_maxwell_where_they_are_dilute() -> None:
    # Exact to order f^(10/3) for this array; the steps of the voxels are an error of first order.
    gaps = [gap_to_maxwell(n) for n in (20, 40, 80)]
    assert gaps[0] / gaps[1] == pytest.approx(2.0, abs=0.4)
    assert gaps[1] / gaps[2] == pytest.approx(2.0, abs=0.4)
    assert 2 * gaps[2] - gaps[1] == pytest.approx(0.0, abs=1e-3)


def test_unequal_edges_of_a_voxel_are_taken() -> None:
    # Edges 2 along y and 1 along x: six links of conductance 2 and six of 1/2 in series, in a cell of 6 by 12.
    found = tortuosity(staircase(), fluid=False, voxel_size=(2.0, 1.0))
    np.testing.assert_allclose(np.diag(found.relative), [6.0**2 / 15 / 72, 12.0**2 / 15 / 72], rtol=1e-9)


def test_mistakes_are_answered_in_one_sentence() -> None:
    with pytest.raises(InputError, match="no voxel"):
        tortuosity(np.ones((4, 4), dtype=int))
    with pytest.raises(InputError, match=r"asked for along 'w'; valid: 'all'"):
        tortuosity(slab(), axes="w")
    with pytest.raises(InputError, match="boundary of a tortuosity is 'open'"):
        tortuosity(slab(), boundary="open")  # type: ignore[arg-type]


def test_is_found_in_the_package() -> None:
    assert sb.micro.tortuosity is tortuosity
