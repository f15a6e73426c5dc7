"""Volumes: every format comes back to the bit, and what cannot be trusted is refused in a sentence."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import tifffile
from PIL import Image

import scalebridge as sb

ms = sb.microstructure
ROOT = Path(__file__).parents[2]
BEREA = ROOT / "data" / "berea-sandstone" / "berea_64.npz"
EXTRA = os.environ.get("SCALEBRIDGE_EXTRA_DATA")
RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 255, (5, 6, 7), dtype=np.uint8)


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(sb.InputError) as caught:
        ms.read_volume(path, **options)
    text = str(caught.value)
    assert text.endswith((".", "?")) and "\n" not in text and path.name in text
    return text


def two_phases(fraction: float = 0.3, noise: float = 0.05, shape: tuple[int, ...] = (24, 25, 26)) -> Any:
    labels = RNG.random(shape) < fraction
    return labels, 0.4 + 0.3 * labels + noise * RNG.standard_normal(shape)


class TestFormats:
    @pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32", "float64", "bool"])
    def test_npy_npz_raw_and_mat_keep_values_and_type(self, dtype: str, tmp_path: Path) -> None:
        values = (GREY > 100) if dtype == "bool" else GREY.astype(dtype)
        np.save(tmp_path / "a.npy", values)
        np.savez_compressed(tmp_path / "a.npz", im=values)
        values.tofile(tmp_path / "a.raw")
        scipy.io.savemat(tmp_path / "a.mat", {"im": values, "note": "text"})
        for name, options in [("a.npy", {}), ("a.npz", {}), ("a.raw", {"shape": values.shape, "dtype": dtype})]:
            volume = ms.read_volume(tmp_path / name, **options)
            np.testing.assert_array_equal(volume.values, values)
            assert volume.values.dtype == values.dtype and not volume.values.flags.writeable
        np.testing.assert_array_equal(ms.read_volume(tmp_path / "a.mat").values, values)

    def test_big_endian_samples_become_native(self, tmp_path: Path) -> None:
        GREY.astype(">u2").tofile(tmp_path / "a.bin")
        volume = ms.read_volume(tmp_path / "a.bin", shape=GREY.shape, dtype=">u2")
        assert volume.values.dtype == np.uint16 and volume.values.dtype.isnative
        np.testing.assert_array_equal(volume.values, GREY)

    def test_axes_are_turned_to_z_y_x(self, tmp_path: Path) -> None:
        np.save(tmp_path / "a.npy", GREY.transpose(2, 1, 0))
        volume = ms.read_volume(tmp_path / "a.npy", axes="xyz", voxel_size=(3e-6, 2e-6, 1e-6))
        np.testing.assert_array_equal(volume.values, GREY)
        assert volume.voxel_size == (3e-6, 2e-6, 1e-6)
        assert "order of x, y, z" in refusal_of_axes(tmp_path / "a.npy")

    @pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
    @pytest.mark.parametrize("dtype", ["uint8", "uint16"])
    def test_tiff_pages_are_slices(self, compression: str | None, dtype: str, tmp_path: Path) -> None:
        values = GREY.astype(dtype) * (1 if dtype == "uint8" else 257)
        first, *rest = [Image.fromarray(page) for page in values]
        first.save(tmp_path / "a.tif", save_all=True, append_images=rest, compression=compression)
        np.testing.assert_array_equal(ms.read_volume(tmp_path / "a.tif").values, values)

    def test_imagej_and_ome_stacks_tell_their_voxel_size(self, tmp_path: Path) -> None:
        tifffile.imwrite(
            tmp_path / "j.tif",
            GREY,
            imagej=True,
            resolution=(0.5, 0.25),
            metadata={"spacing": 3.0, "unit": "um", "axes": "ZYX"},
        )
        assert ms.read_volume(tmp_path / "j.tif").voxel_size == pytest.approx((3e-6, 4e-6, 2e-6))
        told = {"axes": "ZYX", "PhysicalSizeX": 2.0, "PhysicalSizeY": 4.0, "PhysicalSizeZ": 30.0}
        tifffile.imwrite(tmp_path / "o.ome.tif", GREY, metadata={**told, "PhysicalSizeZUnit": "nm"})
        assert ms.read_volume(tmp_path / "o.ome.tif").voxel_size == pytest.approx((3e-8, 4e-6, 2e-6))
        tifffile.imwrite(tmp_path / "p.tif", GREY, imagej=True, metadata={"axes": "ZYX"})
        assert ms.read_volume(tmp_path / "p.tif").voxel_size is None

    def test_a_folder_is_read_in_the_order_of_its_numbers(self, tmp_path: Path) -> None:
        for k, page in enumerate(np.concatenate([GREY, GREY])):
            Image.fromarray(page).save(tmp_path / f"slice{k + 1}.png")
        (tmp_path / "notes.txt").write_text("scan of Tuesday")
        np.testing.assert_array_equal(ms.read_volume(tmp_path).values, np.concatenate([GREY, GREY]))

    def test_large_npy_and_raw_files_are_mapped_not_copied(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("scalebridge.microstructure.formats.arrays.MAP_FROM", 10)
        np.save(tmp_path / "a.npy", GREY)
        GREY.tofile(tmp_path / "a.raw")
        for volume in (
            ms.read_volume(tmp_path / "a.npy"),
            ms.read_volume(tmp_path / "a.raw", shape=GREY.shape, dtype="uint8"),
        ):
            assert isinstance(volume.values, np.memmap)
            np.testing.assert_array_equal(volume.threshold([99]).values, GREY > 99)

    def test_an_array_is_chosen_by_name_or_because_it_is_the_only_volume(self, tmp_path: Path) -> None:
        path = tmp_path / "a.npz"
        np.savez(path, im=GREY, edge=np.array(2.25), slice=GREY[0])
        np.testing.assert_array_equal(ms.read_volume(path).values, GREY)
        np.savez(path, im=GREY, im2=GREY + 1)
        assert "choose one by dataset=: 'im' (5 x 6 x 7), 'im2'" in refusal(path)
        np.testing.assert_array_equal(ms.read_volume(path, dataset="im2").values, GREY + 1)
        assert "did you mean 'im2'" in refusal(path, dataset="im_2")
        np.savez(path, a=GREY[0])
        assert "no array of three dimensions ('a' (6 x 7))" in refusal(path)


class TestHdf5:
    def test_without_h5py_a_sentence_says_what_to_install(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "h5py", None)
        for name, head in (("a.h5", b"\x89HDF\r\n\x1a\n"), ("a.mat", b"MATLAB 7.3 MAT-file".ljust(128))):
            (tmp_path / name).write_bytes(head)
            assert refusal(tmp_path / name).endswith("run pip install scalebridge[hdf5].")

    def test_a_dataset_is_read_from_a_group_and_matlab_7_is_turned(self, tmp_path: Path) -> None:
        h5py = pytest.importorskip("h5py")
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file.create_dataset("scan/im", data=GREY, compression="gzip", chunks=True)
            file.create_dataset("scan/profile", data=GREY[0, 0])
            file["scan/elsewhere"] = h5py.ExternalLink("/etc/passwd", "x")
            file["note"] = "text"
        np.testing.assert_array_equal(ms.read_volume(tmp_path / "a.h5").values, GREY)
        np.testing.assert_array_equal(ms.read_volume(tmp_path / "a.h5", dataset="/scan/im").values, GREY)
        assert "no array 'im'" in refusal(tmp_path / "a.h5", dataset="im")
        with h5py.File(tmp_path / "a.mat", "w", userblock_size=512) as file:
            file.create_dataset("im", data=GREY.T)
        with (tmp_path / "a.mat").open("r+b") as stream:
            stream.write(b"MATLAB 7.3 MAT-file".ljust(128))
        np.testing.assert_array_equal(ms.read_volume(tmp_path / "a.mat").values, GREY)
        data = (tmp_path / "a.h5").read_bytes()
        (tmp_path / "b.h5").write_bytes(data[: len(data) // 2])
        assert "truncated" in refusal(tmp_path / "b.h5")


class TestRefusals:
    def test_missing_unknown_and_foreign_files(self, tmp_path: Path) -> None:
        assert "does not exist" in refusal(tmp_path / "no.tif")
        (tmp_path / "a.stk").write_bytes(b"abc")
        assert "suffix '.stk', which is not known" in refusal(tmp_path / "a.stk")
        for suffix in (".tif", ".npy", ".npz", ".vti", ".mat"):
            for content in (b"", b"\x89PNG\r\n\x1a\n" + bytes(64), b"hello world, this is text\n" * 20):
                path = tmp_path / f"foreign{suffix}"
                path.write_bytes(content)
                assert "another format" in refusal(path), suffix

    @pytest.mark.parametrize("suffix", [".tif", ".npy", ".npz", ".mat"])
    @pytest.mark.parametrize("share", [0.05, 0.5, 0.97])
    def test_truncated_files(self, suffix: str, share: float, tmp_path: Path) -> None:
        whole, cut = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
        noise = RNG.integers(0, 255, (20, 30, 30), dtype=np.uint8)
        if suffix == ".tif":
            first, *rest = [Image.fromarray(page) for page in noise]
            first.save(whole, save_all=True, append_images=rest)
        elif suffix == ".npy":
            np.save(whole, noise)
        elif suffix == ".npz":
            np.savez_compressed(whole, im=noise)
        else:
            scipy.io.savemat(whole, {"im": noise}, do_compression=True)
        data = whole.read_bytes()
        cut.write_bytes(data[: int(share * len(data))])
        assert "truncated" in refusal(cut)

    def test_pickled_objects_are_never_loaded(self, tmp_path: Path) -> None:
        class Trap:
            def __reduce__(self) -> Any:
                return (os.mkdir, (str(tmp_path / "sprung"),))

        trap = np.array([[[Trap()]]], dtype=object)
        np.save(tmp_path / "a.npy", trap, allow_pickle=True)
        np.savez(tmp_path / "a.npz", im=trap)
        refusal(tmp_path / "a.npy")
        refusal(tmp_path / "a.npz")
        assert not (tmp_path / "sprung").exists()

    def test_raw_binary_needs_shape_type_and_the_right_size(self, tmp_path: Path) -> None:
        path = tmp_path / "a.raw"
        GREY.astype(np.uint16).tofile(path)
        assert "shape=(200, 200, 200), dtype='uint8'" in refusal(path)
        assert "would fit uint16" in refusal(path, shape=GREY.shape, dtype="uint8")
        assert "holds 420 bytes" in refusal(path, shape=(5, 6, 8), dtype="uint16")
        assert "no type of numbers" in refusal(path, shape=GREY.shape, dtype="grey")
        assert "no type of numbers" in refusal(path, shape=GREY.shape, dtype=object)
        for shape in ((30, 7), (5, 6, -7), (5.0, 6, 7), (0, 6, 7)):
            assert "three positive whole numbers" in refusal(path, shape=shape, dtype="uint16")
        np.save(tmp_path / "a.npy", GREY)
        assert "its own shape" in refusal(tmp_path / "a.npy", shape=GREY.shape)
        assert "one array only" in refusal(tmp_path / "a.npy", dataset="im")

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            (GREY[0], "one slice of 6 x 7; give a stack"),
            (np.zeros((2, 3, 4, 5)), "has 4 dimensions"),
            (np.zeros((3, 0, 4)), "empty"),
            (np.array(5.0), "dimensions"),
            (np.full((2, 3, 4), np.nan), "24 values that are not finite, the first at (z, y, x) = (0, 0, 0)"),
            (
                np.array([[[0.0, 1.0], [np.inf, 1.0]]] * 2),
                "2 values that are not finite, the first at (z, y, x) = (0, 1",
            ),
            (np.zeros((2, 3, 4), complex), "complex128"),
        ],
    )
    def test_arrays_that_are_no_volumes(self, values: Any, message: str, tmp_path: Path) -> None:
        with pytest.raises(sb.InputError) as caught:
            ms.as_volume(values)
        assert message in str(caught.value) and str(caught.value).endswith(".")
        np.savez(tmp_path / "a.npz", im=values)
        refusal(tmp_path / "a.npz", dataset="im")

    def test_axes_of_length_one_beyond_three_are_dropped(self) -> None:
        assert ms.as_volume(GREY[None, ..., None]).shape == GREY.shape
        assert ms.as_volume(GREY[:1]).shape == (1, 6, 7)

    def test_stacks_in_colour_or_of_several_sizes(self, tmp_path: Path) -> None:
        tifffile.imwrite(tmp_path / "c.tif", np.zeros((4, 5, 6, 3), np.uint8), photometric="rgb")
        assert "in colour" in refusal(tmp_path / "c.tif")
        pages = [Image.fromarray(GREY[0]), Image.fromarray(GREY[0, :3])]
        pages[0].save(tmp_path / "s.tif", save_all=True, append_images=pages[1:])
        assert "differ in size" in refusal(tmp_path / "s.tif")
        Image.fromarray(GREY[0]).save(tmp_path / "one.tif")
        assert "one slice" in refusal(tmp_path / "one.tif")

    def test_folders_with_nothing_odd_or_missing_slices(self, tmp_path: Path) -> None:
        assert "holds no images" in refusal(tmp_path)
        for k in (1, 2, 4):
            Image.fromarray(GREY[k]).save(tmp_path / f"s_{k:03}.tif")
        assert "missing" in refusal(tmp_path) and "'s_002.tif' and 's_004.tif'" in refusal(tmp_path)
        Image.fromarray(GREY[3, :5]).save(tmp_path / "s_003.tif")
        assert "'s_003.tif'" in refusal(tmp_path) and "odd one out" in refusal(tmp_path)

    @pytest.mark.parametrize("size", ["0 um", -1.0, (1e-6, 2e-6), "three", "3 kg", float("nan")])
    def test_voxel_sizes_that_are_no_lengths(self, size: Any) -> None:
        with pytest.raises(sb.InputError, match="voxel size of 'array'"):
            ms.as_volume(GREY, voxel_size=size)


class TestPhases:
    def test_whole_numbers_are_labels_as_they_are(self) -> None:
        labels = RNG.integers(0, 3, (4, 5, 6))
        for values in (labels, labels.astype(np.float32), labels.astype(np.uint16)):
            volume = ms.as_volume(values)
            np.testing.assert_array_equal(volume.labels(), labels)
            np.testing.assert_allclose(volume.fractions, np.bincount(labels.ravel()) / labels.size)
        missing = np.where(labels == 1, 2, labels)
        np.testing.assert_array_equal(ms.as_volume(missing).labels(), missing)
        np.testing.assert_array_equal(ms.as_volume(labels == 1).labels(), labels == 1)

    def test_other_values_are_named_or_refused(self) -> None:
        values = np.where(GREY > 100, 255, 0)
        with pytest.raises(sb.InputError, match=r"255, which is no label.*labels\(\(0, 255\)\)"):
            ms.as_volume(values).labels()
        np.testing.assert_array_equal(ms.as_volume(values).labels((0, 255)), GREY > 100)
        np.testing.assert_array_equal(ms.as_volume(values).labels((255, 0)), GREY <= 100)
        values[0, 0, 0] = 7
        with pytest.raises(sb.InputError, match=r"1 voxels of the volume 'array' have other values .* such as 7"):
            ms.as_volume(values).labels((0, 255))
        with pytest.raises(sb.InputError, match="no label"):
            ms.as_volume(values + 0.5).labels()

    def test_otsu_parts_two_and_three_phases(self) -> None:
        labels, grey = two_phases()
        parted = ms.as_volume(grey, "2 um").threshold()
        assert (parted.labels() != labels).mean() < 0.002
        assert parted.voxel_size == (2e-6,) * 3 and "parted at" in parted.source
        np.testing.assert_allclose(parted.fractions[1], labels.mean(), atol=0.002)
        three = RNG.integers(0, 3, (20, 20, 20))
        for scale, dtype in ((60, np.uint8), (9000, np.uint16), (0.3, np.float32)):
            grey = (three * scale).astype(dtype)
            np.testing.assert_array_equal(ms.as_volume(grey).threshold(phases=3).values, three)

    def test_given_levels_are_counted_by_what_exceeds_them(self) -> None:
        parted = ms.as_volume(GREY).threshold([50, 100])
        np.testing.assert_array_equal(parted.values, (GREY > 50).astype(int) + (GREY > 100))

    def test_levels_without_sense_and_images_of_one_phase_are_refused(self) -> None:
        noise = ms.as_volume(RNG.standard_normal((20, 20, 20)))
        with pytest.raises(sb.InputError, match="one phase"):
            noise.threshold()
        with pytest.raises(sb.InputError, match="too few"):
            ms.as_volume(np.ones((3, 3, 3))).threshold()
        for levels in ([], [2.0, 1.0], [np.nan]):
            with pytest.raises(sb.InputError, match="rising"):
                noise.threshold(levels)
        with pytest.raises(sb.InputError, match="leave phase 1"):
            noise.threshold([99.0])
        with pytest.raises(sb.InputError, match="7 phases"):
            noise.threshold(phases=7)

    def test_a_crop_is_a_view_that_must_fit(self) -> None:
        volume = ms.as_volume(GREY, 1e-6)
        part = volume.crop((1, 2, 3), (2, 3, 4))
        np.testing.assert_array_equal(part.values, GREY[1:3, 2:5, 3:7])
        assert part.voxel_size == (1e-6,) * 3 and np.shares_memory(part.values, volume.values)
        for origin, size in (((4, 0, 0), 2), ((0, 0, 0), 6), ((-1, 0, 0), 1), ((0, 0), 1), ((0, 0, 0), 0)):
            with pytest.raises(sb.InputError, match="leaves the volume"):
                volume.crop(origin, size)

    def test_a_volume_shows_itself_and_escapes_its_name(self) -> None:
        shown = ms.as_volume(GREY, "2.25 um", name="<b>scan</b>")._repr_html_()
        assert "&lt;b&gt;" in shown and "<b>" not in shown and shown.count("data:image/png;base64,") == 3
        assert ms.as_volume(GREY, "2.25 um").describe() == (
            "array: 5 x 6 x 7 voxels (z, y, x), uint8, voxel 2.25 x 2.25 x 2.25 um."
        )
        assert np.asarray(ms.as_volume(GREY)).sum() == GREY.sum()


class TestBoxes:
    def test_a_grid_of_cubes_does_not_overlap_and_random_ones_are_repeatable(self) -> None:
        volume = ms.as_volume(np.arange(7 * 8 * 9).reshape(7, 8, 9))
        boxes = ms.subvolumes(volume, 3)
        held = np.concatenate([box.values.ravel() for box in boxes])
        assert len(boxes) == 2 * 2 * 3 and len(np.unique(held)) == len(held) == 12 * 27
        first, again = (ms.subvolumes(volume, 3, count=5, seed=4) for _ in range(2))
        assert all((a.values == b.values).all() for a, b in zip(first, again, strict=True))
        for size, count in ((0, None), (8, None), (3, 0)):
            with pytest.raises(sb.InputError, match="cube"):
                ms.subvolumes(volume, size, count)

    def test_independent_voxels_scatter_as_the_binomial_does(self) -> None:
        labels = (np.random.default_rng(1).random((80, 80, 80)) < 0.3).astype(np.uint8)
        found = ms.scatter(ms.as_volume(labels), 10)
        assert found.fractions.shape == (512, 2)
        np.testing.assert_allclose(found.std, np.sqrt(0.3 * 0.7 / 1000), rtol=0.1)
        np.testing.assert_allclose(found.correlation_length, 1.0, rtol=0.1)
        assert found.boxes_needed(0.02) == pytest.approx(0.7 / 0.3 / 1000 / 0.02**2, rel=0.25)
        assert found.describe().startswith("512 boxes of 10 voxels")
        with pytest.raises(sb.InputError, match="one has no scatter"):
            ms.scatter(ms.as_volume(labels), 60)


class TestConnectivity:
    def test_the_sides_need_to_be_joined_through_faces(self) -> None:
        labels = np.zeros((3, 4, 5), dtype=int)
        labels[1, 2, :] = 1
        assert ms.percolates(labels, 1, "x") and not ms.percolates(labels, 1, "y") and not ms.percolates(labels, 1, "z")
        assert all(ms.percolates(labels, 0, axis) for axis in ("x", "y", "z"))
        labels[1, 2, 2] = 0
        labels[1, 1, 2] = 1
        assert not ms.percolates(labels, 1, "x")
        assert ms.percolates(np.eye(4, dtype=int)[::-1] + np.eye(4, k=1, dtype=int)[::-1], 1, "y")

    def test_a_periodic_phase_percolates_when_it_meets_its_own_image(self) -> None:
        apart = np.zeros((4, 6), dtype=int)
        apart[0, :3], apart[3, 2:], apart[3, 0] = 1, 1, 1
        # Rows 3 and 0 meet across the edge; together they wind along x.
        assert not ms.percolates(apart, 1, "x") and ms.percolates(apart, 1, "x", periodic=True)
        assert not ms.percolates(apart, 1, "y", periodic=True)
        offset = np.zeros((6, 6), dtype=int)
        offset[2, :3], offset[4, 3:], offset[2:5, 3] = 1, 1, 1
        # It spans from side to side, but its ends do not meet.
        assert ms.percolates(offset, 1, "x") and not ms.percolates(offset, 1, "x", periodic=True)

    def test_a_helix_winds_along_both_directions(self) -> None:
        labels = np.zeros((4, 4), dtype=int)
        for k in range(4):
            labels[k, k] = labels[k, (k + 1) % 4] = 1
        for axis in ("x", "y"):
            assert ms.percolates(labels, 1, axis, periodic=True)

    def test_isolated_parts_are_removed_and_counted(self) -> None:
        labels = np.zeros((5, 8, 9), dtype=np.uint8)
        labels[2, 3, :] = 1
        labels[0, 7, 0], labels[4, 0, 4:6] = 1, 1
        for periodic in (False, True):
            cleaned = ms.connected(labels, 1, periodic=periodic)
            assert cleaned.removed == pytest.approx(3 / 12) and cleaned.clusters == 2 and cleaned.axes == ("x",)
            assert cleaned.labels.sum() == 9 and cleaned.labels.dtype == np.uint8
            assert cleaned.describe().startswith("25.00% of the phase was removed, in 2 isolated parts")
        labels[0, 0, 0] = 2
        with pytest.raises(sb.InputError, match="say by fill="):
            ms.connected(labels, 1)
        assert (ms.connected(labels, 1, fill=2).labels == 2).sum() == 4

    def test_nothing_that_flows_is_refused(self) -> None:
        labels = np.zeros((4, 4, 4), dtype=int)
        labels[1, 1, 1] = 1
        with pytest.raises(sb.InputError, match="connects no two opposite faces"):
            ms.connected(labels, 1)
        with pytest.raises(sb.InputError, match="no voxel; the labels are 0, 1"):
            ms.percolates(labels, 5, "x")
        with pytest.raises(sb.InputError, match="integers"):
            ms.percolates(labels + 0.5, 1, "x")
        with pytest.raises(sb.InputError, match="none of an image"):
            ms.percolates(labels[0] + 1, 1, "z")
        with pytest.raises(sb.ShapeError, match="not empty"):
            ms.connected(np.zeros(4, int), 0)


class TestBerea:
    def test_the_cut_has_the_porosity_of_its_source_and_percolates(self) -> None:
        volume = ms.read_volume(BEREA, voxel_size="5.345 um")
        assert volume.shape == (64, 64, 64)
        assert volume.fractions[1] == pytest.approx(0.1987, abs=5e-5)
        assert all(ms.percolates(volume.labels(), 1, axis) for axis in ("x", "y", "z"))
        cleaned = ms.connected(volume.labels(), 1)
        assert 0.01 < cleaned.removed < 0.03
        assert 2 * 5.0 < ms.scatter(volume, 16).correlation_length[1] < 40

    @pytest.mark.skipif(EXTRA is None, reason="SCALEBRIDGE_EXTRA_DATA is not set")
    def test_the_cut_lies_in_the_whole_image(self) -> None:
        assert EXTRA is not None
        whole = ms.read_volume(Path(EXTRA) / "pore-networks-icl" / "berea_100_to_300.npz", dataset="im")
        assert whole.shape == (200,) * 3 and whole.fractions[1] == pytest.approx(0.19871525)
        cut = whole.crop((85, 102, 17), 64)
        np.testing.assert_array_equal(cut.labels(), ms.read_volume(BEREA).labels())
        assert ms.connected(whole.labels(), 1, periodic=True).removed < 0.02

    @pytest.mark.skipif(EXTRA is None, reason="SCALEBRIDGE_EXTRA_DATA is not set")
    def test_a_matlab_image_of_a_laboratory_is_read(self) -> None:
        assert EXTRA is not None
        volume = ms.read_volume(Path(EXTRA) / "berea-image-deepore" / "Sample_large.mat")
        assert min(volume.shape) > 100 and 0.1 < volume.fractions.min() < 0.3


def refusal_of_axes(path: Path) -> str:
    return refusal(path, axes="xyy")


def test_reading_a_volume_brings_no_library_of_another_format() -> None:
    for name in ("reading", "volume", "vti", "structures", "packing", "voxels", "connectivity", "boxes"):
        module = importlib.import_module(f"scalebridge.microstructure.{name}")
        assert not {"scipy", "skimage", "meshio", "h5py", "tifffile", "PIL"} & set(vars(module))
