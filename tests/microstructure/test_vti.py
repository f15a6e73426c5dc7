"""VTK images: files written by VTK are read, files of ours come back, hostile ones are refused in a sentence."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest

import scalebridge as sb

ms = sb.microstructure
# Written by VTK 9.7: 2 x 2 x 3 cells (z, y, x), labels = k mod 3, flux = three components k / 8, T = k / 4 at points.
BY_VTK = Path(__file__).parent / "vtk"
READABLE = sorted(path.name for path in BY_VTK.glob("*.vti") if "lz4" not in path.name)
GRID = (3, 4, 5)
RNG = np.random.default_rng(0)


def refusal(path: Path) -> str:
    with pytest.raises(sb.InputError) as caught:
        ms.read_vti(path)
    text = str(caught.value)
    assert text.endswith(".") and "\n" not in text and path.name in text
    return text


def damaged(tmp_path: Path, source: str, old: bytes, new: bytes) -> Path:
    data = (BY_VTK / source).read_bytes()
    assert old in data
    target = tmp_path / "damaged.vti"
    target.write_bytes(data.replace(old, new))
    return target


@pytest.mark.parametrize("name", READABLE)
def test_every_encoding_that_vtk_writes_is_read_to_the_bit(name: str) -> None:
    image = ms.read_vti(BY_VTK / name)
    assert image.spacing == (1.0, 1.0, 1.0) and image.metres_per_unit is None
    labels = image.cells["labels"]
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, (np.arange(12) % 3).reshape(2, 2, 3))
    np.testing.assert_array_equal(image.cells["flux"], np.moveaxis(np.arange(36).reshape(2, 2, 3, 3) / 8, -1, 0))
    np.testing.assert_array_equal(image.points["T"], np.arange(36, dtype=np.float32).reshape(3, 3, 4) / 4)
    assert image.points["T"].dtype == np.float32 and image.points["T"].dtype.isnative


@pytest.mark.parametrize("name", READABLE)
@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.8, 0.95])
def test_a_truncated_file_is_refused(name: str, share: float, tmp_path: Path) -> None:
    data = (BY_VTK / name).read_bytes()
    # What follows the last array is not needed.
    end = data.rfind(b"</AppendedData>") if b"</AppendedData>" in data else len(data)
    cut = tmp_path / name
    cut.write_bytes(data[: int(share * end)])
    assert "truncated" in refusal(cut)


def test_fields_with_components_and_points_come_back(tmp_path: Path) -> None:
    cells = {
        "labels": RNG.integers(0, 3, GRID),
        "flux": RNG.standard_normal((3, *GRID)),
        "pores & <grains>": RNG.random(GRID) < 0.5,
        "single": RNG.standard_normal(GRID).astype(np.float32),
    }
    points = {"T": RNG.standard_normal([n + 1 for n in GRID])}
    path = ms.write_vti(tmp_path / "a.vti", cells, (1e-6, 2e-6, 3e-6), (1.0, 2.0, 3.0), points=points)
    image = ms.read_vti(path)
    for name, value in cells.items():
        np.testing.assert_array_equal(image.cells[name], value)
    np.testing.assert_array_equal(image.points["T"], points["T"])
    assert image.cells["single"].dtype == np.float32 and image.cells["labels"].dtype == np.int64
    assert image.spacing == (1e-6, 2e-6, 3e-6) and image.origin == (1.0, 2.0, 3.0) and image.metres_per_unit == 1.0
    assert [p.name for p in tmp_path.iterdir()] == ["a.vti"]


def test_mandel_components_become_tensor_components_in_the_order_of_vtk(tmp_path: Path) -> None:
    tensor = RNG.standard_normal((3, 3, *GRID))
    tensor = tensor + tensor.swapaxes(0, 1)
    root = np.sqrt(2.0)
    mandel = [tensor[0, 0], tensor[1, 1], tensor[2, 2], root * tensor[1, 2], root * tensor[0, 2], root * tensor[0, 1]]
    path = ms.write_vti(tmp_path / "a.vti", {"stress": np.array(mandel)}, (1.0,) * 3, mandel=["stress"])
    written = ms.read_vti(path).cells["stress"]
    expected = [tensor[i, j] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (0, 2))]
    np.testing.assert_allclose(written, expected, rtol=1e-14)
    for k, axis in enumerate(("XX", "YY", "ZZ", "XY", "YZ", "XZ")):
        assert f'ComponentName{k}="{axis}"'.encode() in path.read_bytes()


def test_periodic_fields_at_nodes_are_continued_to_the_far_faces(tmp_path: Path) -> None:
    u = RNG.standard_normal((3, *GRID))
    path = ms.write_vti(tmp_path / "a.vti", {"labels": np.zeros(GRID, int)}, (1.0,) * 3, points={"u": u})
    written = ms.read_vti(path).points["u"]
    np.testing.assert_array_equal(written[:, :-1, :-1, :-1], u)
    np.testing.assert_array_equal(written[:, -1], written[:, 0])
    np.testing.assert_array_equal(written[..., -1], written[..., 0])


def test_a_plane_image_has_one_layer_and_vectors_of_three_components(tmp_path: Path) -> None:
    labels, q = RNG.integers(0, 2, (4, 5)), RNG.standard_normal((2, 4, 5))
    image = ms.read_vti(ms.write_vti(tmp_path / "a.vti", {"labels": labels, "q": q}, (1e-6, 2e-6)))
    np.testing.assert_array_equal(image.cells["labels"], labels[None])
    np.testing.assert_array_equal(image.cells["q"][:, 0], [*q, np.zeros((4, 5))])
    assert image.spacing[1:] == (1e-6, 2e-6)


def test_a_volume_of_ours_keeps_its_voxel_size(tmp_path: Path) -> None:
    labels = RNG.integers(0, 2, GRID).astype(np.uint8)
    volume = ms.read_volume(ms.write_vti(tmp_path / "a.vti", {"labels": labels}, (2e-6, 3e-6, 4e-6)))
    np.testing.assert_array_equal(volume.labels(), labels)
    assert volume.voxel_size == (2e-6, 3e-6, 4e-6)


def test_a_volume_is_chosen_among_the_scalars() -> None:
    path = BY_VTK / "inline_zlib.vti"
    assert ms.read_volume(path).shape == (2, 2, 3)
    assert ms.read_volume(path, dataset="T").shape == (3, 3, 4)
    with pytest.raises(sb.InputError, match="no array 'Labels'; did you mean 'labels'"):
        ms.read_volume(path, dataset="Labels")


def test_oblong_voxels_without_a_unit_ask_for_the_voxel_size(tmp_path: Path) -> None:
    path = damaged(tmp_path, "ascii.vti", b'Spacing="1 1 1"', b'Spacing="1 1 2"')
    with pytest.raises(sb.InputError, match=r"no cubes.*voxel_size="):
        ms.read_volume(path)
    assert ms.read_volume(path, voxel_size=("2 um", "1 um", "1 um")).voxel_size == pytest.approx((2e-6, 1e-6, 1e-6))


def test_entities_another_dataset_and_other_compressors_are_refused(tmp_path: Path) -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb">]><VTKFile '
    assert "entities" in refusal(damaged(tmp_path, "ascii.vti", b"<VTKFile ", bomb))
    assert "UnstructuredGrid, not ImageData" in refusal(
        damaged(tmp_path, "ascii.vti", b'type="ImageData"', b'type="UnstructuredGrid"')
    )
    assert "LZ4" in refusal(BY_VTK / "appended_lz4.vti")
    other = tmp_path / "picture.vti"
    other.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert "another format" in refusal(other)


def test_lying_lengths_are_refused_before_memory_is_taken(tmp_path: Path) -> None:
    huge = damaged(tmp_path, "appended_raw.vti", b'"0 3 0 2 0 2"', b'"0 3000000 0 2000000 0 2000000"')
    assert "where" in refusal(huge)
    assert "extent" in refusal(damaged(tmp_path, "ascii.vti", b'"0 3 0 2 0 2"', b'"0 -3 0 2 0 2"'))
    offset = damaged(tmp_path, "appended_raw.vti", b'offset="0"', b'offset="987654321"')
    assert "beyond its end" in refusal(offset)


def test_a_block_that_swells_beyond_what_is_announced_is_refused(tmp_path: Path) -> None:
    import zlib

    bomb = zlib.compress(bytes(50_000_000), 9)
    header = base64.b64encode(np.array([1, 12, 0, len(bomb)], dtype="<u8").tobytes())
    body = header + base64.b64encode(bomb)
    start = (
        b'<VTKFile type="ImageData" byte_order="LittleEndian" header_type="UInt64" compressor="vtkZLibDataCompressor">'
    )
    data = start + (
        b'<ImageData WholeExtent="0 3 0 2 0 2"><Piece Extent="0 3 0 2 0 2"><CellData>'
        b'<DataArray type="UInt8" Name="a" format="binary">' + body
    )
    data += b"</DataArray></CellData></Piece></ImageData></VTKFile>"
    path = tmp_path / "bomb.vti"
    path.write_bytes(data)
    assert "13 bytes where 12" in refusal(path)


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    path, labels = tmp_path / "a.vti", np.zeros(GRID)
    for arrays, spacing, message in [
        ({}, (1.0,) * 3, "no array"),
        ({"a": labels}, (1.0, 0.0, 1.0), "spacing"),
        ({"a": labels}, (1.0,), "spacing"),
        ({"a": labels, "b": np.zeros((3, 4, 6))}, (1.0,) * 3, "'b' has the shape"),
        ({"a": labels.astype(complex)}, (1.0,) * 3, "complex128"),
        ({"a": np.zeros((2, 3, *GRID))}, (1.0,) * 3, "'a' has the shape"),
    ]:
        with pytest.raises(sb.InputError, match=message):
            ms.write_vti(path, arrays, spacing)
    with pytest.raises(sb.ShapeError, match="Mandel"):
        ms.write_vti(path, {"a": np.zeros((3, *GRID))}, (1.0,) * 3, mandel=["a"])
    assert not list(tmp_path.iterdir())
