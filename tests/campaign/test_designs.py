"""Designs fill their space, are the same for the same seed, respect runs already made, and refuse in a sentence."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from scalebridge import InputError, Space, Variable
from scalebridge.campaign import designs
from scalebridge.campaign.designs import Design
from scalebridge.campaign.designs.optimal import polynomial

SPACE = {"T": ("K", 80, 700), "rho": ("kg/m^3", 1, 1500), "strain": Variable("strain", shape=(2,), bounds=(-0.1, 0.1))}
UNIT = {"a": ("1", 0, 1), "b": ("1", 0, 1)}
MADE: dict[str, Callable[..., Design]] = {
    "sobol": designs.sobol,
    "halton": designs.halton,
    "latin_hypercube": designs.latin_hypercube,
    "maximin": designs.maximin,
    "optimal": designs.optimal,
}


@pytest.mark.parametrize("name", MADE)
def test_rows_lie_in_the_bounds_and_depend_on_the_seed_alone(name: str) -> None:
    design = MADE[name](SPACE, 18, seed=3)
    assert design.x.shape == (18, 4) and len(design) == 18 and design.method == name
    assert design.space.inside(design.x).all()
    np.testing.assert_array_equal(design.x, MADE[name](SPACE, 18, seed=3).x)
    if name != "optimal":
        assert not np.array_equal(design.x, MADE[name](SPACE, 18, seed=4).x)
    assert not design.x.flags.writeable


@pytest.mark.parametrize("name", MADE)
def test_an_extension_keeps_the_runs_already_made_and_is_the_same_again(name: str) -> None:
    design = MADE[name](SPACE, 16, seed=1)
    longer = designs.extend(design, 5)
    np.testing.assert_array_equal(longer.x[:16], design.x)
    assert longer.new.shape == (5, 4) and longer.given == 16 and longer.space.inside(longer.x).all()
    np.testing.assert_array_equal(longer.x, designs.extend(design, 5).x)
    assert len(designs.extend(longer, 2)) == 23


@pytest.mark.parametrize("name", ["sobol", "halton"])
def test_a_sequence_goes_on_where_it_stopped(name: str) -> None:
    by_parts = designs.extend(designs.extend(MADE[name](SPACE, 5), 3), 8)
    np.testing.assert_allclose(by_parts.x, MADE[name](SPACE, 16).x, rtol=1e-14)


@pytest.mark.parametrize("seed", range(5))
def test_sobol_halton_and_latin_rows_are_more_even_than_random_ones(seed: int) -> None:
    space = {f"x{i}": ("1", 0, 1) for i in range(4)}
    random = designs.given(np.random.default_rng(seed).random((64, 4)), space).describe().discrepancy
    sobol = designs.sobol(space, 64, seed).describe().discrepancy
    assert sobol < 0.5 * random
    assert designs.halton(space, 64, seed).describe().discrepancy < 0.7 * random
    plain = designs.latin_hypercube(space, 64, seed).describe().discrepancy
    assert plain < random
    assert designs.latin_hypercube(space, 64, seed, optimise=True).describe().discrepancy < 0.7 * plain


def test_the_discrepancy_of_sobol_falls_faster_than_that_of_random_points() -> None:
    space = {f"x{i}": ("1", 0, 1) for i in range(3)}
    sizes = np.array([16, 64, 256, 1024])
    found = [np.mean([designs.sobol(space, int(n), s).describe().discrepancy for s in range(4)]) for n in sizes]
    order = -np.polyfit(np.log(sizes), np.log(found), 1)[0]
    # Random points: 0.5.
    assert order > 0.8


def test_every_slice_of_a_latin_hypercube_holds_one_row_and_so_after_doubling() -> None:
    design = designs.latin_hypercube(SPACE, 12, seed=2)
    for rows in (design, designs.extend(design, 12)):
        slices = np.floor(rows.unit * len(rows)).astype(int)
        assert (np.sort(slices, axis=0) == np.arange(len(rows))[:, None]).all()


def test_an_extended_latin_hypercube_puts_each_new_row_in_an_empty_slice() -> None:
    longer = designs.extend(designs.latin_hypercube(UNIT, 7), 4)
    slices = np.floor(longer.unit * 11).astype(int)
    for column in slices.T:
        assert len(set(column[7:])) == 4 and not set(column[7:]) & set(column[:7])


def test_maximin_keeps_rows_farther_apart_than_latin_hypercubes_and_is_one() -> None:
    best = max(designs.latin_hypercube(UNIT, 14, s).describe().minimum_distance for s in range(20))
    design = designs.maximin(UNIT, 14)
    assert design.describe().minimum_distance > 1.2 * best
    assert (np.sort(np.floor(design.unit * 14), axis=0) == np.arange(14)[:, None]).all()


def test_rows_of_your_own_are_extended_by_the_farthest_points() -> None:
    corners = designs.given([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], UNIT)
    longer = designs.extend(corners, 1)
    np.testing.assert_allclose(longer.new, [[0.5, 0.5]], atol=0.03)
    assert designs.extend(designs.given(np.zeros((0, 2)), UNIT), 3).x.shape == (3, 2)


def test_one_row_and_one_component_are_enough() -> None:
    for make in (designs.sobol, designs.halton, designs.latin_hypercube, designs.maximin):
        assert make({"x": ("m", 1, 2)}, 1).x.shape == (1, 1)
        assert make({"x": ("m", 1, 2)}, 5).x.shape == (5, 1)
    assert designs.latin_hypercube(UNIT, 1, optimise=True).describe().minimum_distance == math.inf


def test_a_logarithmic_scale_spreads_decades_evenly() -> None:
    design = designs.sobol({"k": ("1", 1e-6, 1.0), "T": ("K", 0, 1)}, 64, log=["k"])
    decades = np.bincount(np.floor(np.log10(design.x[:, 0])).astype(int) + 6, minlength=6)
    assert decades.min() >= 9 and decades.max() <= 12
    assert abs(np.mean(design.x[:, 1]) - 0.5) < 0.02
    np.testing.assert_allclose(design.cube.to_space(design.unit), design.x, rtol=1e-12)


def test_a_grid_holds_every_combination_with_its_bounds() -> None:
    np.testing.assert_allclose(designs.grid(UNIT, 9).x, [[a, b] for a in (0, 0.5, 1) for b in (0, 0.5, 1)], atol=1e-15)
    by_name = designs.grid({"a": ("m", 1, 3), "b": ("m", 10, 20)}, levels={"a": 3, "b": 1})
    np.testing.assert_allclose(by_name.x, [[1, 15], [2, 15], [3, 15]])
    assert len(designs.grid(SPACE, levels=2)) == 16


def test_quality_of_a_known_design_is_known() -> None:
    told = designs.given([[0.25, 0.5], [0.75, 0.5]], UNIT).describe()
    assert told.minimum_distance == 0.5
    assert told.coverage == pytest.approx(math.hypot(0.25, 0.5), abs=0.03)
    # Hickernell's centred discrepancy of one point in the middle of one component: sqrt(1/12).
    assert designs.given([[0.5]], {"x": ("1", 0, 1)}).describe().discrepancy == pytest.approx(math.sqrt(1 / 12))
    assert "2 rows in 2 components" in str(told)


@pytest.mark.parametrize("criterion", ["D", "A", "I"])
def test_the_optimal_rows_for_a_parabola_are_both_ends_and_the_middle(criterion: str) -> None:
    design = designs.optimal({"x": ("m", -3, 3)}, 3, criterion=criterion)
    np.testing.assert_allclose(design.x.ravel(), [-3, 0, 3], atol=1e-12)


def test_d_optimal_rows_of_a_parabola_are_shared_out_equally_and_others_are_not() -> None:
    def counts(criterion: str) -> list[int]:
        x = designs.optimal({"x": ("1", -1, 1)}, 12, criterion=criterion).x.ravel()
        return [int((x == v).sum()) for v in (-1, 0, 1)]

    assert counts("D") == [4, 4, 4]
    # A and I: a quarter, a half, a quarter (Atkinson, Donev, Tobias, Optimum Experimental Designs, 2007).
    assert counts("A") == [3, 6, 3]
    assert counts("I") == [3, 6, 3]


def test_the_d_optimal_rows_of_a_cubic_are_fekete_points() -> None:
    x = designs.optimal({"x": ("1", -1, 1)}, 4, degree=3).x.ravel()
    np.testing.assert_allclose(x, [-1, -math.sqrt(0.2), math.sqrt(0.2), 1], atol=0.025)


def test_the_six_d_optimal_rows_of_a_quadratic_in_the_square_are_the_published_ones() -> None:
    # M. J. Box and N. R. Draper, Technometrics 13 (1971) 731: det = 5.738e-3 of (X'X / n) at the optimum.
    u = designs.optimal({"a": ("1", -1, 1), "b": ("1", -1, 1)}, 6).x
    f = np.stack([np.ones(6), u[:, 0], u[:, 1], u[:, 0] ** 2, u[:, 1] ** 2, u[:, 0] * u[:, 1]], axis=1)
    a = (4 - math.sqrt(13)) / 3
    b = [[-1, -1], [1, -1], [-1, 1], [-a, -a], [1, 3 * a], [3 * a, 1]]
    v = np.array(b)
    g = np.stack([np.ones(6), v[:, 0], v[:, 1], v[:, 0] ** 2, v[:, 1] ** 2, v[:, 0] * v[:, 1]], axis=1)
    assert abs(np.linalg.det(f)) >= 0.98 * abs(np.linalg.det(g))


@pytest.mark.parametrize("criterion", ["D", "A", "I"])
def test_optimal_rows_beat_random_ones_by_their_own_criterion(criterion: str) -> None:
    space = {f"x{i}": ("1", 0, 1) for i in range(3)}

    def value(u: np.ndarray) -> float:
        f = polynomial(u, 2)
        if criterion == "A":
            c = 2 * u - 1
            f = np.column_stack([np.ones(len(u)), c, c**2, c[:, 0] * c[:, 1], c[:, 0] * c[:, 2], c[:, 1] * c[:, 2]])
        m = f.T @ f
        if np.linalg.matrix_rank(f) < f.shape[1]:
            return math.inf
        return float(-np.linalg.slogdet(m)[1] if criterion == "D" else np.trace(np.linalg.inv(m)))

    ours = value(designs.optimal(space, 14, criterion=criterion).unit)
    rng = np.random.default_rng(0)
    assert all(ours < value(rng.random((14, 3))) for _ in range(50))
    assert all(ours < value(rng.integers(0, 3, (14, 3)) / 2) + 1e-9 for _ in range(50))


def test_optimal_rows_come_from_the_candidates_given() -> None:
    pool = np.array([[0.0], [0.2], [0.7], [0.9]])
    design = designs.optimal({"x": ("1", 0, 1)}, 3, candidates=pool)

    assert set(np.round(design.x.ravel(), 9)) <= {0.0, 0.2, 0.7, 0.9} and len(set(design.x.ravel())) == 3
    assert set(np.round(designs.extend(design, 2).x.ravel(), 9)) <= {0.0, 0.2, 0.7, 0.9}


def test_an_extended_optimal_design_adds_what_the_first_rows_lack() -> None:
    lopsided = Design(
        np.array([[-1.0], [-1.0], [0.0]]), Space({"x": ("1", -1, 1)}), "optimal",
        options={"criterion": "D", "degree": 2},
    )  # fmt: skip
    np.testing.assert_allclose(designs.extend(lopsided, 1).new, [[1.0]])


def test_products_of_legendre_polynomials_are_orthonormal_on_the_cube() -> None:
    f = polynomial(np.random.default_rng(0).random((200_000, 2)), 3)
    np.testing.assert_allclose(f.T @ f / len(f), np.eye(10), atol=0.05)


BAD: dict[str, tuple[Callable[[], Any], str]] = {
    "no bounds": (lambda: designs.sobol({"T": "K"}, 4), "needs bounds for 'T', which has no lower and no upper one"),
    "half a bound": (lambda: designs.halton({"T": ("K", 0, None)}, 4), "has no upper one"),
    "no variables": (lambda: designs.sobol({}, 4), "without variables"),
    "no rows": (lambda: designs.latin_hypercube(UNIT, 0), "n = 0; give a whole number of at least 1"),
    "half a row": (lambda: designs.sobol(UNIT, 2.5), "n = 2.5"),  # type: ignore[arg-type]
    "true rows": (lambda: designs.sobol(UNIT, True), "n = True"),
    "log of zero": (lambda: designs.sobol(UNIT, 4, log=True), "cannot put 'a' on a logarithmic scale"),
    "log of nothing": (lambda: designs.sobol(UNIT, 4, log=["c"]), "which is no variable; valid: a, b"),
    "no such grid": (lambda: designs.grid(UNIT, 10), "n = 10 is none of these; give 9 or 16"),
    "two grids": (lambda: designs.grid(UNIT, 9, levels=3), "give one of the two"),
    "levels of nobody": (lambda: designs.grid(UNIT, levels={"a": 2, "c": 3}), "levels of 'c'"),
    "levels of one": (lambda: designs.grid(UNIT, levels={"a": 2}), "lacks the levels of 'b'"),
    "a huge grid": (lambda: designs.grid(UNIT, levels=4000), "16000000 rows; use designs.sobol"),
    "a longer grid": (lambda: designs.extend(designs.grid(UNIT, 9), 1), "cannot be extended"),
    "nothing more": (lambda: designs.extend(designs.sobol(UNIT, 4), 0), "give a whole number of at least 1"),
    "few rows": (lambda: designs.optimal(UNIT, 5), "has 6 coefficients and 5 rows; give n of at least 6"),
    "criterion": (lambda: designs.optimal(UNIT, 6, criterion="E"), "the criterion 'E'; valid: D, A, I"),
    "candidates alike": (
        lambda: designs.optimal(UNIT, 6, candidates=np.zeros((9, 2))),
        "cannot tell the 6 coefficients of degree 2 apart",
    ),
    "candidates outside": (lambda: designs.optimal(UNIT, 6, candidates=[[0, 2]]), "candidates outside the bounds"),
    "rows outside": (lambda: designs.given([[0.5, 0.5], [0.5, 1.5]], UNIT), "row 1 = [0.5, 1.5] outside the bounds"),
    "rows of text": (lambda: designs.given([["a", "b"]], UNIT), "not numbers"),
    "narrow rows": (lambda: designs.given([[0.5]], UNIT), "with the columns a, b"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_answered_in_one_sentence(name: str) -> None:
    call, told = BAD[name]
    with pytest.raises(InputError) as caught:
        call()
    message = str(caught.value)
    assert told in message and "\n" not in message


def test_a_category_is_refused_with_what_to_do() -> None:
    space = Space({"phase": ("1", 0, 1)})
    object.__setattr__(space.variables[0], "kind", "category")
    with pytest.raises(InputError, match="cannot place 'phase', which is a category"):
        designs.sobol(space, 4)
