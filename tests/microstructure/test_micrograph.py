"""Reading images: what is accepted, and one sentence for what is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import scalebridge as sb
from scalebridge.microstructure import decoding

ms = sb.microstructure
RNG = np.random.default_rng(0)
NOISE = RNG.integers(1, 255, (40, 50), dtype=np.uint8)


def saved(path: Path, image: Image.Image) -> Path:
    image.save(path)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(sb.InputError) as caught:
        ms.read(path)
    text = str(caught.value)
    assert text.endswith(".") and "\n" not in text and path.name in text
    return text


def test_importing_scalebridge_leaves_the_image_libraries_alone() -> None:
    heavy = ("skimage", "PIL", "scipy", "scalebridge.microstructure")
    code = f"import scalebridge, sys; print([m for m in {heavy} if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_every_public_name_resolves_lazily() -> None:
    for name in ms.__all__:
        assert callable(getattr(ms, name)), name
    with pytest.raises(AttributeError, match="no attribute 'segmentt'"):
        _ = ms.segmentt


def test_an_eight_bit_image_keeps_values_shape_and_provenance(tmp_path: Path) -> None:
    image = ms.read(saved(tmp_path / "a.png", Image.fromarray(NOISE)), pixel_size="1.1 um")
    np.testing.assert_array_equal(image.grey, NOISE / 255.0)
    assert image.shape == (40, 50) and image.dtype == "uint8" and len(image.sha256 or "") == 64
    assert image.length(10, "mm") == pytest.approx(0.011)
    assert not image.grey.flags.writeable


def test_sixteen_bits_are_scaled_by_their_full_range(tmp_path: Path) -> None:
    wide = NOISE.astype(np.uint16) * 257
    for name in ("a.png", "a.tif"):
        image = ms.read(saved(tmp_path / name, Image.fromarray(wide)))
        np.testing.assert_allclose(image.grey, NOISE / 255.0, rtol=1e-12)


def test_float_tiff_in_the_unit_range_is_read(tmp_path: Path) -> None:
    values = (NOISE / 255.0).astype(np.float32)
    image = ms.read(saved(tmp_path / "a.tif", Image.fromarray(values)))
    np.testing.assert_allclose(image.grey, values)


def test_grey_stored_as_rgb_or_with_opaque_alpha_is_grey(tmp_path: Path) -> None:
    grey = Image.fromarray(NOISE)
    for mode in ("RGB", "RGBA", "LA"):
        image = ms.read(saved(tmp_path / f"{mode}.png", grey.convert(mode)))
        np.testing.assert_array_equal(image.grey, NOISE / 255.0)


def test_colour_transparency_palettes_and_stacks_are_refused(tmp_path: Path) -> None:
    colour = RNG.integers(0, 255, (40, 50, 3), dtype=np.uint8)
    assert "colour" in refusal(saved(tmp_path / "c.png", Image.fromarray(colour)))
    holed = np.dstack([NOISE, NOISE, NOISE, np.full_like(NOISE, 255)])
    holed[:5, :, 3] = 0
    assert "transparent in 12.5%" in refusal(saved(tmp_path / "t.png", Image.fromarray(holed)))
    assert "palette" in refusal(saved(tmp_path / "p.png", Image.fromarray(NOISE).convert("P")))
    frames = [Image.fromarray(NOISE), Image.fromarray(NOISE)]
    frames[0].save(tmp_path / "s.tif", save_all=True, append_images=frames[1:])
    assert "stack of 2 frames" in refusal(tmp_path / "s.tif")


def test_missing_empty_foreign_and_truncated_files_are_refused(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "none.png")
    assert "is a folder" in refusal(tmp_path)
    (tmp_path / "empty.png").write_bytes(b"")
    assert "no image format" in refusal(tmp_path / "empty.png")
    (tmp_path / "text.png").write_text("not an image")
    assert "no image format" in refusal(tmp_path / "text.png")
    whole = saved(tmp_path / "whole.png", Image.fromarray(NOISE)).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    assert "truncated" in refusal(tmp_path / "cut.png")


def test_mutated_files_are_read_or_refused_and_never_crash(tmp_path: Path) -> None:
    whole = saved(tmp_path / "whole.png", Image.fromarray(NOISE)).read_bytes()
    refused = 0
    for trial in range(60):
        data = bytearray(whole)
        for place in RNG.integers(0, len(data), 3):
            data[place] = RNG.integers(0, 256)
        path = tmp_path / f"m{trial}.png"
        path.write_bytes(bytes(data[: RNG.integers(len(data) // 2, len(data) + 1)]))
        try:
            assert np.isfinite(ms.read(path).grey).all()
        except sb.InputError:
            refused += 1
    assert refused > 30


def test_an_image_too_large_is_refused_from_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "LARGEST_PIXELS", 1_000_000)
    path = saved(tmp_path / "big.png", Image.new("1", (2000, 1000)))
    assert "1000 x 2000 pixels" in refusal(path)


def test_constant_tiny_and_non_finite_images_are_refused(tmp_path: Path) -> None:
    assert "same grey value" in refusal(saved(tmp_path / "k.png", Image.fromarray(np.full((40, 40), 7, np.uint8))))
    assert "8 x 50 pixels" in refusal(saved(tmp_path / "s.png", Image.fromarray(NOISE[:8])))
    values = (NOISE / 255.0).astype(np.float32)
    values[3, 4] = np.nan
    assert "row 3, column 4" in refusal(saved(tmp_path / "n.tif", Image.fromarray(values)))


def test_arrays_of_another_range_rank_or_kind_are_refused() -> None:
    for array, words in (
        (NOISE * 1.0, "full scale is not known"),
        (NOISE[None], r"shape \(1, 40, 50\)"),
        (NOISE.astype(complex), "complex128"),
    ):
        with pytest.raises(sb.InputError, match=words):
            ms.from_array(array)


def test_an_unknown_pixel_size_is_said_and_asked_for() -> None:
    image = ms.from_array(NOISE)
    assert "pixel size unknown" in image.describe()
    with pytest.raises(sb.InputError, match=r"pixel_size='1.1 um'"):
        image.length(3)


@pytest.mark.parametrize("size", ["1.1", "-1 um", "3 kg", "much", "nan um", 1.1])
def test_a_pixel_size_that_is_no_positive_length_is_refused(size: str) -> None:
    with pytest.raises(sb.InputError, match="pixel size"):
        ms.from_array(NOISE, pixel_size=size)


def test_a_colour_image_is_read_by_its_luminance_where_that_is_asked_for(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    colour = rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)
    Image.fromarray(colour).save(tmp_path / "colour.png")
    with pytest.raises(sb.errors.InputError, match="is in colour"):
        sb.microstructure.read(tmp_path / "colour.png")
    grey = sb.microstructure.read(tmp_path / "colour.png", luminance=True).grey
    np.testing.assert_allclose(grey, colour @ [0.299, 0.587, 0.114] / 255, atol=0.5 / 255 + 1e-12)
