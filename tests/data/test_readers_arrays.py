"""Images, grids, points and graphs to datasets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scalebridge import data
from scalebridge.errors import InputError

DATA = Path(__file__).parents[2] / "data"


def images(folder: Path, names: list[str]) -> Path:
    from PIL import Image

    rng = np.random.default_rng(0)
    for name in names:
        Image.fromarray(rng.integers(0, 255, (20, 24), dtype=np.uint8)).save(folder / name)
    return folder


def test_a_folder_of_images_has_a_row_each_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    images(tmp_path, ["S10.png", "S9.png", "S1.tif"])
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / ".hidden.png").write_bytes(b"")
    d = data.read(tmp_path, pixel_size="2 um")
    assert d["SpecimenID"].tolist() == ["S1", "S9", "S10"]
    assert d.index == "file"
    assert d["image"][0].shape == (20, 24)
    assert d["image"][0].pixel_size == "2 um"
    assert any("notes.txt" in note for note in d.source.notes)
    assert len(d.source.files) == 3


def test_identifiers_are_taken_from_names_by_an_expression(tmp_path: Path) -> None:
    images(tmp_path, ["B7_top_2.png", "B7_top_10.png", "B8_top_1.png"])
    d = data.read_images(tmp_path, identifier=r"(?P<SpecimenID>B\d+)_top_(?P<slice>\d+)")
    assert d["SpecimenID"].tolist() == ["B7", "B7", "B8"]
    assert d["slice"].tolist() == ["2", "10", "1"]
    with pytest.raises(InputError, match=r"B7_top_2\.png' does not match"):
        data.read_images(tmp_path, identifier=r"(?P<SpecimenID>C\d+)")
    with pytest.raises(InputError, match="has no named group"):
        data.read_images(tmp_path, identifier=r"B\d+")


def test_the_same_image_twice_is_said(tmp_path: Path) -> None:
    images(tmp_path, ["a.png"])
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes())
    assert any("2 files hold the same image as 'a.png'" in note for note in data.read(tmp_path).source.notes)


def test_a_stack_is_a_volume(tmp_path: Path) -> None:
    from PIL import Image

    rng = np.random.default_rng(0)
    pages = [Image.fromarray(rng.integers(0, 255, (20, 20), dtype=np.uint8)) for _ in range(18)]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    assert data.read(tmp_path / "stack.tif")["image"][0].shape == (18, 20, 20)


def test_a_real_slice_is_read_with_its_digest() -> None:
    d = data.read(DATA / "glass-fibre" / "glass0864_cut.png")
    assert d["image"][0].sha256 == d.source.files[0].sha256


def netcdf(path: Path, units: bytes = b"days since 1850-01-01", calendar: bytes = b"standard") -> Path:
    from scipy.io import netcdf_file

    with netcdf_file(path, "w") as file:
        file.createDimension("time", 4)
        file.createDimension("x", 3)
        time = file.createVariable("time", "f8", ("time",))
        time[:], time.units, time.calendar = [0.0, 0.5, 1.0, 1.5], units, calendar
        t = file.createVariable("T", "i2", ("time", "x"))
        t[:], t.units, t.scale_factor, t.add_offset = np.arange(12).reshape(4, 3), b"K", 0.5, 200.0
        t._FillValue = np.int16(4)
        t.long_name = b"temperature"
        x = file.createVariable("x", "f4", ("x",))
        x[:] = [1, 2, 3]
    return path


def test_classic_netcdf_is_unpacked_by_its_conventions(tmp_path: Path) -> None:
    d = data.read(netcdf(tmp_path / "a.nc"))
    assert d["T"][0].tolist() == [200.0, 200.5, 201.0]
    assert np.argwhere(np.isnan(d["T"])).tolist() == [[1, 1]]
    assert (d.space["T"].unit, d.space["T"].shape, d.space["T"].description) == ("K", (3,), "temperature")
    assert d.time is not None
    assert (d.time.epoch, d.time.step, d.time.zone) == ("1850-01-01T00:00:00Z", 43200.0, "UTC")
    assert any("x" in note for note in d.source.notes)


def test_a_grid_may_have_a_row_for_every_point(tmp_path: Path) -> None:
    d = data.read_grid(netcdf(tmp_path / "a.nc"), rows="points")
    assert d.keys() == ("time", "x", "T")
    assert len(d) == 12
    assert d["x"].tolist() == [1.0, 2.0, 3.0] * 4
    assert d["time"][:4].tolist() == [0.0, 0.0, 0.0, 43200.0]
    assert d["T"][5] == 202.5
    np.savez(tmp_path / "a.npz", a=np.zeros((3, 2)))
    with pytest.raises(InputError, match="does not name the axes of 'a'"):
        data.read_grid(tmp_path / "a.npz", rows="points")


@pytest.mark.parametrize(
    ("units", "epoch", "step"),
    [
        (b"hours since 2000-01-01 06:00", "2000-01-01T06:00:00Z", 1800.0),
        (b"seconds since 1970-1-1T00:00:00Z", "1970-01-01T00:00:00Z", 0.5),
        (b"minutes since 2001-02-03 04:05:06 +02:00", "2001-02-03T02:05:06Z", 30.0),
    ],
    ids=["hours", "seconds", "zone"],
)
def test_times_since_an_epoch_are_seconds(tmp_path: Path, units: bytes, epoch: str, step: float) -> None:
    frame = data.read(netcdf(tmp_path / "a.nc", units)).time
    assert frame is not None
    assert (frame.epoch, frame.step) == (epoch, step)


def test_calendars_of_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="variable 'time', is in the calendar '360_day'"):
        data.read(netcdf(tmp_path / "a.nc", calendar=b"360_day"))


def test_netcdf_4_hdf5_zarr_and_npz_hold_the_same_grid(tmp_path: Path) -> None:
    h5netcdf = pytest.importorskip("h5netcdf", reason="needs the extra data")
    h5py, zarr = pytest.importorskip("h5py"), pytest.importorskip("zarr")
    a, b = np.arange(4.0), np.arange(8.0).reshape(4, 2)
    with h5netcdf.File(tmp_path / "a.nc", "w") as file:
        file.dimensions = {"n": 4, "k": 2}
        file.create_variable("a", ("n",), data=a)
        file.create_variable("b", ("n", "k"), data=b)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a"], file["b"] = a, b
    group = zarr.open_group(tmp_path / "a.zarr", mode="w")
    group.create_array("a", data=a)
    group.create_array("b", data=b)
    np.savez(tmp_path / "a.npz", a=a, b=b)
    read = [data.read(tmp_path / name) for name in ("a.nc", "a.h5", "a.zarr", "a.npz")]
    assert all(np.array_equal(d["a"], a) and np.array_equal(d["b"], b) for d in read)
    assert read[2].source.files[0].sha256 == data.read(tmp_path / "a.zarr").source.files[0].sha256


def test_hdf5_names_units_and_texts_come_along(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="needs the extra data")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["run/stress"] = np.arange(3.0)
        file["run/stress"].attrs["units"] = "MPa"
        file["run/id"] = ["a", "b", "c"]
        file["run/other"] = np.zeros(5)
    d = data.read(tmp_path / "a.h5")
    assert d.keys() == ("run_id", "run_stress")
    assert (d.space["run_stress"].unit, d["run_id"].tolist()) == ("MPa", ["a", "b", "c"])
    assert data.read_grid(tmp_path / "a.h5", variables=["run/other"]).keys() == ("run_other",)
    with pytest.raises(InputError, match="no array 'run/others'; did you mean 'run/other'"):
        data.read_grid(tmp_path / "a.h5", variables=["run/others"])


def test_a_grid_too_large_is_refused_from_its_header(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="needs the extra data")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", shape=(40_000, 40_000), dtype="f8", chunks=True, compression="gzip")
    with pytest.raises(InputError, match="more than the 200 million"):
        data.read(tmp_path / "a.h5")


def test_arrays_that_share_no_axis_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.zeros(3), b=np.zeros(4))
    with pytest.raises(InputError, match=r"share no axis \(a \(3,\), b \(4,\)\)"):
        data.read(tmp_path / "a.npz")


PLY = "ply\nformat {} 1.0\nelement vertex 2\nproperty float x\nproperty float y\nproperty uchar c\nend_header\n"


@pytest.mark.parametrize("order", ["ascii", "binary_little_endian", "binary_big_endian"])
def test_points_from_ply_in_every_encoding(tmp_path: Path, order: str) -> None:
    sign = "<" if "little" in order else ">"
    rows = np.array([(1.5, 2.5, 3), (4.5, 5.5, 6)], dtype=[("x", f"{sign}f4"), ("y", f"{sign}f4"), ("c", "u1")])
    body = b"1.5 2.5 3\n4.5 5.5 6\n" if order == "ascii" else rows.tobytes()
    (tmp_path / "a.ply").write_bytes(PLY.format(order).encode() + body)
    d = data.read_points(tmp_path / "a.ply", unit="mm", frame="stage")
    assert d.numeric().tolist() == [[1.5, 2.5, 3.0], [4.5, 5.5, 6.0]]
    assert d.coordinates is not None
    assert (d.coordinates.columns, d.coordinates.unit, d.coordinates.name) == (("x", "y"), "mm", "stage")
    (tmp_path / "a.ply").write_bytes(PLY.format(order).encode() + body[: len(body) // 2])
    with pytest.raises(InputError, match="promises 2 points and holds 1"):
        data.read(tmp_path / "a.ply")


def test_points_from_text_and_of_atoms(tmp_path: Path) -> None:
    (tmp_path / "a.xyz").write_text("0 0 0 7\n1 2 3 8\n")
    assert data.read(tmp_path / "a.xyz").keys() == ("x", "y", "z", "value_1")
    (tmp_path / "b.xyz").write_text("2\nargon\nAr 0 0 0\nAr 1 2 3\n")
    assert data.read(tmp_path / "b.xyz", unit="angstrom")["z"].tolist() == [0.0, 3.0]
    (tmp_path / "b.xyz").write_text("3\nargon\nAr 0 0 0\nAr 1 2 3\n")
    with pytest.raises(InputError, match="promises 3 points and holds 2"):
        data.read(tmp_path / "b.xyz")
    (tmp_path / "c.csv").write_text("x [mm],y [mm],v\n1,2,3\n,5,6\n")
    with pytest.raises(InputError, match="has no 'x' at point 2"):
        data.read_points(tmp_path / "c.csv")


def test_a_graph_from_a_pair_of_tables(tmp_path: Path) -> None:
    (tmp_path / "nodes.csv").write_text("pore,r [um]\na,1\nb,2\nc,3\n")
    (tmp_path / "edges.csv").write_text("from,to,l [um]\na,b,5\nc,a,6\n")
    d = data.read(tmp_path / "nodes.csv", edges=tmp_path / "edges.csv")
    assert d.edges is not None
    assert d.edges["source"].tolist() == [0.0, 2.0]
    assert (d.edges["target"].tolist(), d.edges.space["l"].unit) == ([1.0, 0.0], "um")
    (tmp_path / "edges.csv").write_text("from,to\na,z\n")
    with pytest.raises(InputError, match="names the node 'z' in row 1 below its header, column 'to'"):
        data.read_graph(tmp_path / "nodes.csv", edges=tmp_path / "edges.csv")


def test_a_graph_from_graphml(tmp_path: Path) -> None:
    import networkx as nx

    graph = nx.path_graph(3)
    nx.set_node_attributes(graph, {0: 1.0, 2: 2.5}, "radius")
    nx.write_graphml(graph, tmp_path / "a.graphml")
    d = data.read(tmp_path / "a.graphml")
    assert d.edges is not None
    assert (len(d), len(d.edges), d.index) == (3, 2, "node")
    assert d.gaps("radius").tolist() == [False, True, False]


def statoil(folder: Path) -> Path:
    (folder / "P_node1.dat").write_text("2 1.0 1.0 1.0\n1 .1 .2 .3 1 2 1 0 1\n2 .4 .5 .6 1 1 0 1 1\n")
    (folder / "P_node2.dat").write_text("1 1e-3 .01 .03 0\n2 2e-3 .02 .04 0\n")
    (folder / "P_link1.dat").write_text("2\n1 -1 1 .005 .03 .1\n2 1 2 .006 .04 .2\n")
    (folder / "P_link2.dat").write_text("1 -1 1 .1 .1 .1 1e-4 0\n2 1 2 .1 .1 .15 2e-4 0\n")
    return folder / "P_link1.dat"


def test_a_pore_network_keeps_reservoirs_apart(tmp_path: Path) -> None:
    d = data.read(statoil(tmp_path))
    assert d.edges is not None
    assert (d["inlet"].tolist(), d["volume"].tolist()) == ([1.0, 0.0], [1e-3, 2e-3])
    assert (d.edges["source"].tolist(), d.edges["target"].tolist(), d.edges["radius"].tolist()) == ([0], [1], [0.006])
    (tmp_path / "P_node2.dat").write_text("1 1e-3 .01 .03 0\n")
    with pytest.raises(InputError, match=r"P_node2\.dat' holds 1 rows, and 2 belong to it"):
        data.read(tmp_path / "P_node1.dat")


def test_an_hdf5_file_that_is_not_read_to_its_end_is_given_up(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="needs the extra data")
    from scalebridge.microstructure.formats.probing import probe

    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a"] = np.arange(3.0)
    probe(tmp_path / "a.h5", "grid")
    with pytest.raises(InputError, match=r"a\.h5' is not read to its end in 0 s"):
        probe(tmp_path / "a.h5", "grid", seconds=0.01)
    content = (tmp_path / "a.h5").read_bytes()
    (tmp_path / "a.h5").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"a\.h5' cannot be decoded .*truncated"):
        probe(tmp_path / "a.h5", "grid")
