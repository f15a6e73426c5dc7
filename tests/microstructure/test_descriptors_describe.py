"""One table of descriptors for images of any kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

import scalebridge as sb
from scalebridge.microstructure import descriptors
from scalebridge.microstructure.descriptors import textures

ms = sb.microstructure


def noise(shape: tuple[int, ...], width: float, seed: int = 0) -> NDArray[np.float64]:
    return gaussian_filter(np.random.default_rng(seed).standard_normal(shape), width)


def grains(size: int = 160, count: int = 60) -> NDArray[np.int64]:
    germs = np.random.default_rng(1).uniform(0, size, (count, 2))
    rows, columns = np.mgrid[:size, :size]
    return cKDTree(germs).query(np.stack([rows, columns], -1).reshape(-1, 2))[1].reshape(size, size) + 1


@pytest.fixture(scope="module")
def glass_table(glass: ms.Micrograph) -> ms.Descriptors:
    return ms.describe(glass, pixel_size="1.1 um")


def test_a_micrograph_of_fibres_has_a_table_of_named_numbers(glass_table: ms.Descriptors) -> None:
    assert glass_table["bright_fraction"].value == pytest.approx(0.53, abs=0.06)
    assert 0.005 < (glass_table["bright_fraction"].std or 0) < 0.1
    # Glass fibres of this slice are about 8.6 pixels across, and cannot be nearer than that.
    assert glass_table["bright_width"].value == pytest.approx(8.6 * 1.1, rel=0.25)
    assert glass_table["bright_clark_evans"].value > 1.3
    assert glass_table["bright_chord"].unit == "um" and glass_table["bright_surface"].unit == "1/um"
    assert all(np.isfinite(each.value) and each.meaning for each in glass_table.values())
    assert all(name.isidentifier() for name in glass_table)


def test_the_table_prints_and_shows_reasons_for_what_is_absent(glass_table: ms.Descriptors) -> None:
    shown = str(glass_table)
    assert "bright_fraction" in shown and " ± " in shown and "absent: grains" in shown
    assert "<table>" in glass_table._repr_html_()
    assert set(glass_table.absent).isdisjoint(glass_table)


def test_vectors_come_in_the_order_asked_for_and_say_why_one_is_missing(glass_table: ms.Descriptors) -> None:
    names = ["grey_entropy", "bright_fraction"]
    np.testing.assert_array_equal(glass_table.vector(names), [glass_table[name].value for name in names])
    assert glass_table.vector().shape == (len(glass_table),) == glass_table.std().shape
    with pytest.raises(sb.InputError, match=r"'grains' .* is absent: .*labels of grains"):
        glass_table.vector(["grains"])
    with pytest.raises(sb.InputError, match="did you mean 'bright_fraction'"):
        glass_table.vector(["brigth_fraction"])
    with pytest.raises(sb.InputError, match=r"'strange' .* print the table .* absent are "):
        glass_table.vector(["strange"])
    assert np.isnan(glass_table.vector(["grain_diameter"], gaps=True)).all()
    assert [each.group for each in glass_table.group("fraction").values()] == ["fraction"] * 6


def test_a_length_with_a_unit_needs_a_pixel_size(glass: ms.Micrograph, glass_table: ms.Descriptors) -> None:
    plain = ms.describe(glass, which=["chords"])
    assert plain["bright_chord"].unit == "px" and any("pixel size is not known" in note for note in plain.notes)
    with pytest.raises(sb.InputError, match=r"because the pixel size is not known; give describe\(..., pixel_size"):
        plain["bright_chord"].in_unit("um")
    known = glass_table["bright_chord"]
    assert known.in_unit("mm") == pytest.approx(known.value / 1000)
    assert known.value == pytest.approx(1.1 * plain["bright_chord"].value)


def test_the_same_image_has_the_same_table_twice(glass_phases: ms.Segmentation) -> None:
    one, same = (ms.describe(glass_phases, which=["fraction", "neighbours", "texture"]) for _ in range(2))
    np.testing.assert_array_equal(one.vector(), same.vector())
    np.testing.assert_array_equal(one.std(), same.std())


def test_the_uncertainty_of_the_segmentation_is_in_the_deviations(glass_phases: ms.Segmentation) -> None:
    whole = ms.describe(glass_phases, which=["surface", "fraction"])
    labels = ms.describe(glass_phases.labels, inside=glass_phases.inside, which=["surface", "fraction"])
    assert whole["fibre_surface"].value == labels["phase_1_surface"].value
    assert (whole["fibre_surface"].std or 0) > (labels["phase_1_surface"].std or 0)
    assert (whole["fibre_fraction"].std or 0) > glass_phases.fraction_std[-1]


def test_an_image_that_cannot_be_segmented_still_has_texture() -> None:
    values = 0.5 + 0.1 * np.random.default_rng(0).standard_normal((120, 130))
    table = ms.describe(np.clip(values, 0, 1))
    assert "holds one phase" in table.absent["fraction"]
    assert table["grey_entropy"].value > 4 and "alignment" in table
    assert not any(name.startswith("bright_f") for name in table)


def test_labels_of_phases_take_the_names_given() -> None:
    image = noise((140, 150), 4) > 0.02
    table = ms.describe(image, "0.5 um", phases=("void", "matrix"))
    assert table["void_fraction"].value == pytest.approx(1 - image.mean())
    assert "void_crack_density" in table and "labels have no grey values" in table.absent["texture"]
    with pytest.raises(sb.InputError, match="do not fit the 2 phases"):
        ms.describe(image, phases=("a", "b", "c"))
    assert "name the phases by phases=" in ms.describe(image, which=["cracks"]).absent["cracks"]


def test_values_of_0_and_255_are_two_phases() -> None:
    image = noise((90, 90), 4) > 0
    eight_bits = image.astype(np.uint8) * 255
    which = ["fraction", "surface", "chords"]
    np.testing.assert_array_equal(
        ms.describe(eight_bits, which=which).vector(), ms.describe(image, which=which).vector()
    )


def test_grains_have_a_size_and_no_phases() -> None:
    table = ms.describe(grains(), pixel_size="2 um")
    assert table["grain_density"].value == pytest.approx(60 / 320**2, rel=0.3)
    assert table["grain_intercept"].std is not None and "grain_astm" in table
    assert table.absent["fraction"] == "The image holds a number per region, and no phases."
    assert "grain_astm" not in ms.describe(grains())


def test_a_volume_is_described_as_a_slice_is() -> None:
    phase = noise((48, 50, 52), 4) > 0
    table = ms.describe(phase, pixel_size="2 um")
    assert table["phase_1_surface"].unit == "1/um" and table["phase_1_euler"].unit == "1/um^3"
    assert {"phase_1_tortuosity_z", "orientation_zz", "phase_1_thickness"} <= set(table)
    grey = ms.as_volume((noise((40, 40, 40), 3) > 0) + 0.05 * noise((40, 40, 40), 0), voxel_size="3 um")
    found = ms.describe(grey, which=["fraction", "texture"])
    assert found["bright_independent_length"].unit == "um" and "grey_correlation_length" in found
    flat = ms.as_volume(phase.astype(np.uint8), voxel_size=("1 um", "1 um", "2 um"))
    with pytest.raises(sb.InputError, match="need cubes"):
        ms.describe(flat)


def test_black_corners_are_no_material() -> None:
    image = noise((200, 200), 5) > 0
    rows, columns = np.mgrid[:200, :200]
    inside = np.hypot(rows - 99.5, columns - 99.5) < 100
    cut = ms.describe(np.where(inside, image, 0).astype(np.uint8), inside=inside)
    names = ["phase_1_fraction", "phase_1_surface", "phase_1_chord", "phase_1_thickness", "phase_1_correlation_length"]
    whole = ms.describe(image)
    assert cut["phase_1_fraction"].value == pytest.approx(image[inside].mean(), abs=1e-12)
    np.testing.assert_allclose(cut.vector(names), whole.vector(names), rtol=0.15)
    # The other choice of what lies in the corners changes nothing at all.
    other = ms.describe(np.where(inside, image, 1).astype(np.uint8), inside=inside)
    np.testing.assert_allclose(other.vector(), cut.vector(), rtol=1e-12)


def test_black_corners_of_a_grey_image_do_not_change_its_texture() -> None:
    grey = 0.4 + 0.4 * (noise((160, 160), 4) > 0) + 0.02 * noise((160, 160), 0)
    rows, columns = np.mgrid[:160, :160]
    inside = np.hypot(rows - 79.5, columns - 79.5) < 80
    for statistic in ("moments", "gradients", "cooccurrence", "binary_patterns", "spectrum", "grey_granulometry"):
        measure = getattr(textures, statistic)
        one, other = (measure(np.where(inside, grey, fill), inside) for fill in (0.0, 1.0))
        assert one.keys() == other.keys()
        np.testing.assert_allclose(list(one.values()), list(other.values()), atol=1e-9, err_msg=statistic)


@pytest.mark.parametrize(
    ("given", "options", "words"),
    [
        (np.zeros((4, 4, 4, 4)), {}, "has the shape"),
        (np.zeros((40, 40), dtype=complex), {}, "complex128 values"),
        (np.eye(40, dtype=bool), {"which": ["fractions"]}, "did you mean 'fraction'"),
        (np.eye(40, dtype=bool), {"pixel_size": "2 kg"}, "does not convert"),
        (np.eye(40, dtype=bool), {"pixel_size": "-2 um"}, "give a positive length"),
        (np.eye(40, dtype=bool), {"inside": np.zeros((40, 40), dtype=bool)}, "not empty is needed"),
        (np.eye(40, dtype=bool), {"inside": np.ones((4, 4), dtype=bool)}, "boolean mask of shape"),
    ],
    ids=["dimensions", "complex", "group", "unit", "negative", "empty", "other shape"],
)
def test_what_cannot_be_described_is_refused_in_one_sentence(
    given: object, options: dict[str, object], words: str
) -> None:
    with pytest.raises(sb.InputError, match=words):
        ms.describe(given, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("image", [np.zeros((30, 30), bool), np.ones((30, 30), bool), np.eye(30, dtype=bool)])
def test_one_phase_alone_or_next_to_nothing_has_reasons_and_no_nan(image: NDArray[np.bool_]) -> None:
    table = ms.describe(image)
    assert np.isfinite(table.vector()).all() and table.absent


def test_every_name_of_the_rooms_imports_and_is_no_modules_name() -> None:
    # A module of the same name would take the place of what it defines as soon as it is imported.
    for room in (ms, descriptors):
        modules = {path.stem for path in Path(room.__file__ or "").parent.iterdir()}
        assert set(room.__all__) & modules == set()
        assert all(callable(getattr(room, name)) or isinstance(getattr(room, name), tuple) for name in room.__all__)


def test_windows_tell_from_which_size_a_descriptor_is_known() -> None:
    image = noise((240, 240), 3) > 0
    found = ms.window_sizes(image, "phase_1_surface", precision=0.1, pixel_size="2 um")
    assert found.std[0] > found.std[-1] and found.representative
    assert "phase_1_surface" in found.verdict and " um)" in found.verdict
    finer = ms.window_sizes(image, "phase_1_surface", precision=0.01)
    assert finer.needed > found.needed and "extrapolated" in finer.verdict
    own = ms.window_sizes(image, lambda labels, inside: float(labels[inside].mean()), precision=0.1)
    assert own.whole == pytest.approx(image.mean())
    with pytest.raises(sb.InputError, match="is absent: labels have no grey values"):
        ms.window_sizes(image, "grey_entropy")
    with pytest.raises(sb.InputError, match="must be positive"):
        ms.window_sizes(image, "phase_1_surface", precision=0)
