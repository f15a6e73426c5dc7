"""Fibres one by one: packings of known centres and radii, and the marked fibres of real slices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import center_of_mass, gaussian_filter, label
from scipy.spatial import cKDTree
from skimage.draw import disk

import scalebridge as sb
from scalebridge.microstructure.fibre_detection import Fibres, detect_fibres
from scalebridge.microstructure.fibre_drawing import fibre_figure
from tests.microstructure.conftest import pack

ms = sb.microstructure
DATA = Path(__file__).parents[2] / "data"
SIZE, FINE = 180, 5


def scan(
    fraction: float, *, blur: float = 1.0, noise: float = 9 / 255, contrast: float = 0.24
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Grey values of a packing of unequal discs, their centres (row, column) and radii, in pixels."""
    rng = np.random.default_rng(4)
    centres = pack(SIZE, fraction, 4.3, seed=4)
    radii = 4.3 * (1 - 0.12 * rng.random(len(centres)))
    fine = np.zeros((SIZE * FINE, SIZE * FINE))
    for centre, radius in zip(centres, radii, strict=True):
        fine[disk(tuple(centre * FINE - 0.5), radius * FINE, shape=fine.shape)] = 1
    cover = gaussian_filter(fine.reshape(SIZE, FINE, SIZE, FINE).mean(axis=(1, 3)), blur)
    speckle = gaussian_filter(rng.standard_normal(cover.shape), 0.7)
    grey = 0.43 + contrast * cover + noise * speckle / speckle.std()
    return np.round(np.clip(grey, 0, 1) * 255) / 255, centres - 0.5, radii


SCANS = [
    pytest.param({"fraction": 0.35}, id="dilute"),
    pytest.param({"fraction": 0.55, "blur": 0.7}, id="sharp"),
    pytest.param({"fraction": 0.65, "blur": 1.2, "noise": 5 / 255}, id="dense and blurred"),
    pytest.param({"fraction": 0.6, "noise": 5 / 255, "contrast": 0.11}, id="low contrast"),
]


@pytest.mark.parametrize("given", SCANS)
def test_fibres_of_a_known_packing_are_found_where_and_as_wide_as_they_are(given: dict[str, float]) -> None:
    grey, centres, radii = scan(**given)
    found = detect_fibres(ms.from_array(grey))
    within = ((centres > radii[:, None] + 1) & (centres < SIZE - 2 - radii[:, None])).all(axis=1)
    away, nearest = cKDTree(found.centres).query(centres[within])
    hit = away < 0.5 * radii[within]
    assert hit.mean() > 0.99
    true_away, _ = cKDTree(centres).query(found.centres[found.whole])
    assert np.mean(true_away < 2) > 0.99
    error = found.diameters[nearest[hit]] - 2 * radii[within][hit]
    assert abs(error.mean()) < 0.1
    assert abs(found.diameter - 2 * radii.mean()) < 2 * found.diameter_std
    score = error / found.diameters_std[nearest[hit]]
    assert 0.6 < np.sqrt(np.mean(score**2)) < 1.5
    assert np.sqrt(np.mean(away[hit] ** 2)) < 0.4


def test_an_image_without_noise_is_read_as_one_of_eight_bits() -> None:
    grey, centres, radii = scan(0.45, noise=0.0)
    found = detect_fibres(ms.from_array(grey))
    whole = (centres > 8).all(axis=1) & (centres < SIZE - 8).all(axis=1)
    distance, near = cKDTree(found.centres).query(centres[whole])
    assert (distance < 1.0).mean() > 0.97
    assert float(np.mean(found.diameters[near] - 2 * radii[whole])) == pytest.approx(0.0, abs=0.3)


def marked(kind: str) -> tuple[sb.microstructure.Micrograph, NDArray[np.uint8]]:
    """The part of a slice around the user's marks, and the marks: 1 not a centre, 2 a centre."""
    from PIL import Image

    marks = np.asarray(Image.open(DATA / f"{kind}-fibre" / f"{kind}_labels.png"))
    rows, columns = np.nonzero(marks)
    part = tuple(slice(max(each.min() - 20, 0), each.max() + 20) for each in (rows, columns))
    image = ms.read(DATA / f"{kind}-fibre" / f"{kind}.png")
    return ms.from_array(image.grey[part], name=image.name), marks[part]


@pytest.fixture(scope="module")
def glass_fibres() -> Fibres:
    return detect_fibres(marked("glass")[0])


@pytest.fixture(scope="module")
def carbon_fibres() -> Fibres:
    return detect_fibres(marked("carbon")[0])


@pytest.mark.parametrize(("kind", "missed"), [("glass", 1), ("carbon", 0)])
def test_marked_centres_are_found_and_no_centre_lies_where_none_is_marked(
    kind: str, missed: int, request: pytest.FixtureRequest
) -> None:
    found: Fibres = request.getfixturevalue(f"{kind}_fibres")
    marks = marked(kind)[1]
    strokes, count = label(marks == 2, np.ones((3, 3)))
    middle = np.array(center_of_mass(marks == 2, strokes, range(1, count + 1)))
    away, _ = cKDTree(found.centres).query(middle)
    assert (away > 2.1).sum() <= missed
    rows, columns = np.clip(np.rint(found.centres).astype(int), 0, np.array(marks.shape) - 1).T
    assert not np.any(marks[rows, columns] == 1)


def test_circles_hold_the_fibre_fraction_that_the_threshold_finds(glass_fibres: Fibres) -> None:
    phases = ms.segment(glass_fibres.image)
    assert glass_fibres.fraction == pytest.approx(phases.fraction[1], abs=2 * phases.fraction_std[1])


def test_stitch_fibres_in_the_plane_are_marked(glass: sb.microstructure.Micrograph) -> None:
    part = ms.from_array(glass.grey[100:240, 40:180])
    found = detect_fibres(part)
    # The stitch runs down the slice at columns 78 to 97; the packing on its left is of round fibres.
    stitch = (found.centres[:, 1] > 80) & (found.centres[:, 1] < 95)
    packing = (found.centres[:, 1] > 8) & (found.centres[:, 1] < 60) & ~found.cut
    assert found.misaligned[stitch].mean() > 0.8
    assert found.misaligned[packing].mean() < 0.03
    assert any("do not cross the slice" in note for note in found.notes)


def test_fibres_at_the_edge_are_marked_as_cut(carbon_fibres: Fibres) -> None:
    depth = np.minimum(carbon_fibres.centres, np.array(carbon_fibres.image.shape) - 1 - carbon_fibres.centres)
    over = depth.min(axis=1) < carbon_fibres.diameters / 2 - 1
    assert over.any() and carbon_fibres.cut[over].all()
    assert not carbon_fibres.cut[depth.min(axis=1) > carbon_fibres.diameters / 2 + 1].any()


def test_a_known_diameter_gives_the_pixel_size(glass_fibres: Fibres) -> None:
    size = glass_fibres.pixel_size("9 um")
    scaled = ms.from_array(glass_fibres.image.grey, pixel_size=size)
    assert scaled.length(glass_fibres.diameter) == pytest.approx(9, rel=1e-4)
    assert any("pixel_size('17 um')" in note for note in glass_fibres.notes)
    with pytest.raises(sb.InputError, match="pixel_size_from_fibre"):
        glass_fibres.image.length(glass_fibres.diameter)


def test_the_same_image_gives_the_same_fibres_twice(glass_fibres: Fibres) -> None:
    again = detect_fibres(glass_fibres.image)
    np.testing.assert_array_equal(again.centres, glass_fibres.centres)


def test_a_figure_shows_every_circle_of_its_part(glass_fibres: Fibres) -> None:
    figure = fibre_figure(glass_fibres, (0, 0, 60, 60))
    drawn = sum(len(each.get_offsets()) for each in figure.axes[0].collections)
    assert drawn == len(glass_fibres)
    assert figure.axes[0].get_xlim() == (-0.5, 59.5)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"confidence": 1.0}, r"must lie in \[0, 1\)"),
        ({"diameter": 1.0}, "at least 3"),
        ({"confidence": 0.999}, "Only"),
    ],
)
def test_wrong_options_are_answered_in_one_sentence(options: dict[str, float], words: str) -> None:
    grey = scan(0.35)[0]
    with pytest.raises(sb.InputError, match=words):
        detect_fibres(ms.from_array(grey), **options)


def test_a_part_outside_of_the_image_is_refused(glass_fibres: Fibres) -> None:
    with pytest.raises(sb.InputError, match="not within"):
        fibre_figure(glass_fibres, (0, 0, 60, 6000))
