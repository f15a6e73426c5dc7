"""Woven cells: exact yarn volume, no yarn in another, directions along the yarns, periodic."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.microstructure.generated.weave_patterns import weave_pattern
from scalebridge.microstructure.generated.woven import Section, Weave, profile, section_area, woven

SECTIONS: tuple[Section, ...] = ("lenticular", "elliptic", "rounded")
CASES = list(itertools.product(("plain", "basket", "twill", "satin"), SECTIONS))
EACH = pytest.mark.parametrize(("pattern", "section"), CASES, ids=[f"{p}, {s}" for p, s in CASES])


def made(pattern: str, section: Section, **options: float) -> Weave:
    return woven(pattern, width=0.85, thickness=0.2, section=section, **options)


@EACH
def test_no_yarn_enters_another_and_the_gap_is_kept(pattern: str, section: Section) -> None:
    for gap in (0.0, 0.04):
        fabric = made(pattern, section, gap=gap)
        n = 40 * len(fabric.over)
        warp, weft = fabric._warps(n, n), fabric._wefts(n, n)
        both = (warp[1] > 0.0) & (weft[1] > 0.0)
        clear = np.abs(warp[0] - weft[0]) - warp[1] - weft[1]
        assert clear[both].min() >= gap - 1e-3


@EACH
def test_the_volume_of_the_yarns_is_exact(pattern: str, section: Section) -> None:
    fabric = made(pattern, section)
    n = 12 * len(fabric.over)
    found = fabric.labels((90, n, n)) > 0
    assert found.mean() == pytest.approx(fabric.fraction, abs=0.01)
    lower = made(pattern, section, fraction=0.3)
    assert lower.fraction == pytest.approx(0.3, rel=1e-12)
    assert lower.subvoxels((20, n // 2, n // 2)).volume(0) == pytest.approx(0.7, abs=0.01)


@EACH
def test_the_yarn_above_is_that_of_the_pattern(pattern: str, section: Section) -> None:
    fabric = made(pattern, section)
    repeat = len(fabric.over)
    labels = fabric.labels((60, 5 * repeat, 5 * repeat))
    for j, i in itertools.product(range(repeat), repeat=2):
        column = labels[:, 5 * j + 2, 5 * i + 2]
        met = column[column > 0]
        assert met[-1] == (1 if fabric.over[j, i] else 2) and met[0] == (2 if fabric.over[j, i] else 1)


@EACH
def test_directions_are_tangents_of_the_yarns(pattern: str, section: Section) -> None:
    fabric = made(pattern, section)
    repeat = len(fabric.over)
    shape = (40, 20 * repeat, 20 * repeat)
    labels, direction = fabric.labels(shape), fabric.directions(shape)
    np.testing.assert_allclose(np.linalg.norm(direction, axis=-1), 1.0)
    assert (direction[labels == 1][:, 1] == 0.0).all() and (direction[labels == 1][:, 0] > 0.0).all()
    assert (direction[labels == 2][:, 0] == 0.0).all() and (direction[labels == 2][:, 1] > 0.0).all()
    # The middle line of the first warp rises as its direction says.
    level = fabric._warps(*shape[1:])[0][10]
    slope = np.gradient(level, fabric.cell[0] / shape[2])
    middle = np.clip(((level / fabric.height + 0.5) * shape[0]).astype(int), 0, shape[0] - 1)
    along = direction[middle, 10, np.arange(shape[2])]
    inner = slice(2, -2)
    assert np.abs(along[inner, 2] / along[inner, 0] - slope[inner]).max() < 0.35 * np.abs(slope).max() + 1e-9
    assert np.corrcoef(along[inner, 2], slope[inner])[0, 1] > 0.95


@EACH
def test_the_cell_is_periodic_and_has_as_much_warp_as_weft(pattern: str, section: Section) -> None:
    fabric = made(pattern, section)
    n = 16 * len(fabric.over)
    labels = fabric.labels((30, n, n))
    assert (labels == 1).sum() == pytest.approx((labels == 2).sum(), rel=0.02)
    larger = woven(np.tile(fabric.over, (2, 2)), width=0.85, thickness=0.2, section=section)
    np.testing.assert_array_equal(larger.labels((30, 2 * n, 2 * n)), np.tile(labels, (1, 2, 2)))


def test_numbers_of_yarns_and_lengths_are_those_of_the_cell() -> None:
    fabric = woven("satin", 0.4, spacing=2.5e-3)
    yarn = fabric.yarn((20, 40, 40))
    assert set(np.unique(yarn)) == {-1, *range(10)}
    assert fabric.cell == pytest.approx((12.5e-3, 12.5e-3, fabric.height))
    assert np.prod(fabric.voxel_size((20, 40, 40))) * 20 * 40 * 40 == pytest.approx(np.prod(fabric.cell))


@pytest.mark.parametrize("section", SECTIONS)
def test_the_area_of_a_section_is_that_of_its_profile(section: Section) -> None:
    at = (np.arange(200_000) + 0.5) / 200_000 - 0.5
    assert profile(at, section).mean() == pytest.approx(section_area(section), abs=1e-6)
    known = {"lenticular": 2 / 3, "elliptic": np.pi / 4}
    assert section not in known or section_area(section) == pytest.approx(known[section], rel=1e-12)


def test_crimp_is_the_length_of_a_cosine() -> None:
    fabric = woven("plain", width=0.6, thickness=0.1)
    assert fabric.flat == 0.0
    # For small slopes the excess length of a cosine of amplitude a and half wave p is (pi a / p)^2 / 4.
    assert fabric.crimp == pytest.approx((np.pi * 0.05) ** 2 / 4, rel=0.01)
    assert woven("plain", width=0.9, thickness=0.1, section="rounded").steepest > fabric.steepest


def test_patterns_float_as_their_names_say() -> None:
    assert weave_pattern("plain").sum(axis=1).tolist() == [1, 1]
    assert (weave_pattern("twill").sum(axis=1) == 2).all()
    assert (weave_pattern("satin").sum(axis=1) == 4).all() and (weave_pattern("satin").sum(axis=0) == 4).all()
    np.testing.assert_array_equal(weave_pattern([[1, 0], [0, 1]]), weave_pattern("plain"))


def test_weaves_that_cannot_be_are_refused() -> None:
    refused: list[tuple[Callable[[], object], str]] = [
        (lambda: woven("plane"), "did you mean 'plain'"),
        (lambda: woven([[2, 0]]), "zeros and ones"),
        (lambda: woven(section="square"), "section 'square'"),  # type: ignore[arg-type]
        (lambda: woven(width=1.0), "width of the yarns is 1"),
        (lambda: woven(thickness=0.0), "thickness must lie"),
        (lambda: woven(spacing=-1.0), "spacing of the yarns is -1"),
        (lambda: woven("plain", 0.8), "fraction of 0.8 cannot be had.*fill 0.6 of"),
        (lambda: woven("plain", -0.1), "fraction of -0.1 cannot be had"),
        (lambda: woven().labels((4, 4)), "three positive numbers"),
    ]
    for make, message in refused:
        with pytest.raises(sb.InputError, match=message) as caught:
            make()
        assert str(caught.value).endswith((".", "?")) and "\n" not in str(caught.value)
