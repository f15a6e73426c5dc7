"""Sampled lines and surfaces in every format hold the same values; measured profiles of the tutorials are tables."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.data.fields.geometry import measures
from scalebridge.errors import InputError
from scalebridge.simulators.openfoam.samples import read_samples

SERIES = Path(__file__).parents[3] / "data" / "openfoam-output" / "series"
MEASURED = Path(os.environ.get("SCALEBRIDGE_EXTRA_DATA", "nowhere")) / "openfoam-validation"


@pytest.mark.parametrize("name", ["setsraw", "setscsv", "setsvtk"])
@pytest.mark.parametrize(("line", "n"), [("line", 5), ("cross", 4)])
def test_a_line_holds_the_same_in_every_format(name, line, n):
    found, wanted = read_samples(SERIES, name, line), read_samples(SERIES, "setscsv", line)
    assert {k: (f.unit, f.shape, f.location) for k, f in found.items()} == {
        "U": ("m/s", (3,), "points"),
        "p": ("m^2/s^2", (), "points"),
    }
    for key, field in found.items():
        np.testing.assert_allclose(field.values, wanted[key].values, rtol=1e-6)
        assert field.time == 0.03 and len(field.values) == n
        assert [b.type for b in field.mesh.cells] == ["line"]


def test_an_axis_of_distance_lies_along_x_and_xyz_in_space():
    by_distance, in_space = read_samples(SERIES, "setsraw", "line"), read_samples(SERIES, "setsvtk", "line")
    np.testing.assert_allclose(by_distance["p"].mesh.points[:, 0], [0, 0.0245, 0.049, 0.0735, 0.098])
    np.testing.assert_allclose(in_space["p"].mesh.points[1], [0.0255, 0.05, 0.05], rtol=1e-6)


HEAD = "# vtk DataFile Version 2.0\n{title}\nASCII\nDATASET POLYDATA\nPOINTS 3 double\n0 0 0\n1 0 0\n1 1 0\n"


def _sampled(tmp_path, name, text):
    place = tmp_path / "case" / "postProcessing" / "samples" / "0.5"
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_text(text)
    return tmp_path / "case"


@pytest.mark.parametrize(
    ("title", "cells", "wanted"),
    [
        ("line", "", [1, 4, 6, 2, 5, 3]),
        ("time='0.5'", "POLYGONS 1 4\n3 0 1 2\n", [1, 2, 3, 4, 5, 6]),
        ("sampleSurface", "POLYGONS 1 4\n3 0 1 2\n", [1, 4, 6, 2, 5, 3]),
    ],
)
def test_symmetric_tensors_of_legacy_vtk_are_in_the_order_of_who_wrote_them(tmp_path, title, cells, wanted):
    # As v1912 writes a field that is (1 2 3 4 5 6) in OpenFOAM: sets in OpenFOAM's order, surfaces in VTK's.
    values = "POINT_DATA 3\nFIELD attributes 2\nS 6 3 float\n" + "1 2 3 4 5 6\n" * 3
    values += "T 9 3 float\n" + "1 2 3 4 5 6 7 8 9\n" * 3
    found = read_samples(_sampled(tmp_path, "line.vtk", HEAD.format(title=title) + cells + values), "samples", "line")
    assert found["S"].values.tolist() == [wanted] * 3
    assert found["T"].values[0].tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def test_tensors_on_a_raw_surface_are_read_under_the_wrong_headings_of_v1912(tmp_path):
    symmetric = "# S  FACE_DATA 1\n#  xx  xy  xz  yy  yz  zz  S_0  S_1  S_2  S_3  S_4  S_5\n0.5 0.25 0 1 2 3 4 5 6\n"
    whole = "# T  FACE_DATA 1\n#  xx  xy  xz  yx  yy  yz  zx  zy  zz  " + "  ".join(f"T_{i}" for i in range(9)) + "\n"
    case = _sampled(tmp_path, "S_plane.raw", symmetric)
    _sampled(tmp_path, "T_plane.raw", whole + "0.5 0.25 0 1 2 3 4 5 6 7 8 9\n")
    found = read_samples(case, "samples", "plane")
    assert found["S"].values.tolist() == [[1, 4, 6, 2, 5, 3]]
    assert found["T"].values.tolist() == [[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]
    assert found["S"].mesh.points.tolist() == [[0.5, 0.25, 0.0]]


def test_columns_that_could_be_read_in_two_ways_are_refused(tmp_path):
    shutil.copytree(SERIES / "postProcessing", tmp_path / "postProcessing")
    for path in (tmp_path / "postProcessing" / "setsraw" / "0.03").glob("cross_U*"):
        path.unlink()
    with pytest.raises(InputError, match="one of places and a vector, or three of places and a number"):
        read_samples(tmp_path, "setsraw", "cross")


@pytest.mark.parametrize("name", ["surfraw", "surfascii", "surflegacy", "surffoam"])
@pytest.mark.parametrize("surface", ["lid", "middle"])
def test_a_surface_holds_the_same_in_every_format(name, surface):
    found, wanted = read_samples(SERIES, name, surface), read_samples(SERIES, "surffoam", surface)
    for key in ("U", "p"):
        np.testing.assert_allclose(np.sort(found[key].values, axis=0), np.sort(wanted[key].values, axis=0), rtol=1e-6)
        assert found[key].unit == wanted[key].unit
    if name != "surfraw":
        assert measures(found["p"].mesh).sum() == pytest.approx(0.01, rel=1e-6)
        assert found["p"].location == ("cells" if surface == "lid" else "points")


def test_a_set_whose_name_begins_with_that_of_another_is_another(tmp_path):
    shutil.copytree(SERIES, tmp_path / "case")
    place = tmp_path / "case" / "postProcessing" / "setsraw" / "0.03"
    for name in ("p", "U"):
        shutil.copy(place / f"cross_{name}.xy", place / f"line_2_{name}.xy")
    assert len(read_samples(tmp_path / "case", "setsraw", "line")["U"].values) == 5
    assert len(read_samples(tmp_path / "case", "setsraw", "line_2")["U"].values) == 4


def test_the_wrong_sizes_of_v1912_are_told_with_the_way_out():
    with pytest.raises(InputError, match="surfaceFormat foam"):
        read_samples(SERIES, "surfvtk", "lid")


def test_what_is_not_there_is_told():
    with pytest.raises(InputError, match=r"no sample 'lin'.*did you mean 'line'"):
        read_samples(SERIES, "setsraw", "lin")
    with pytest.raises(InputError, match=r"no sample 'lids'.*did you mean 'lid'"):
        read_samples(SERIES, "surfraw", "lids")
    with pytest.raises(InputError, match=r"no time 0.5"):
        read_samples(SERIES, "setsraw", "line", time=0.5)


def test_a_function_object_that_writes_below_a_folder_of_its_kind_is_found(tmp_path):
    shutil.copytree(SERIES / "postProcessing" / "setscsv", tmp_path / "postProcessing" / "sets" / "streamlines")
    assert "p" in read_samples(tmp_path, "sets/streamlines", "line")
    for name in ("streamlines", "sets"):
        with pytest.raises(InputError, match="sets/streamlines"):
            read_samples(tmp_path, name, "line")


def test_damage_is_told_with_file_and_line(tmp_path):
    shutil.copytree(SERIES / "postProcessing", tmp_path / "postProcessing")
    path = tmp_path / "postProcessing" / "setscsv" / "0.03" / "line_p.csv"
    lines = path.read_text().splitlines(keepends=True)
    for changed, sentence in (
        ([*lines[:2], "0.1,zero\n"], "line 3: what is no number stands there"),
        ([*lines[:2], "0.1\n"], "line 3: 1 values stand there, and 2 in the rows above"),
        ([*lines[:2], lines[2].rstrip()], "line 3: the file ends within the line"),
        (["distance,p,T\n", *lines[1:]], "line 1: 3 headings stand over 2 columns"),
    ):
        path.write_text("".join(changed))
        with pytest.raises(InputError, match=f"line_p.csv' is damaged at {sentence}"):
            read_samples(tmp_path, "setscsv", "line")


@pytest.mark.skipif(not MEASURED.is_dir(), reason="needs openfoam-validation in SCALEBRIDGE_EXTRA_DATA")
def test_measured_profiles_of_the_tutorials_are_tables():
    plate = sb.data.read_table(
        MEASURED / "T3A_exptData" / "T3A.dat",
        names=["x", "c_f", "Tu"],
        units={"x": "mm", "c_f": "1", "Tu": "%"},
        header=0,
    )
    assert len(plate) == 16 and plate["c_f"][0] == 0.005203 and plate["Tu"][-1] < plate["Tu"][0]
    files = sorted((MEASURED / "buoyantCavity_exptData").glob("*.dat"))
    assert len(files) == 14
    for path in files:
        kind, unit = ("T", "degC") if path.name.startswith("mt") else ("V", "m/s")
        profile = sb.data.read_table(path, names=["x", kind], units={"x": "mm", kind: unit}, header=0)
        assert len(profile) > 25 and not np.isnan(profile.numeric()).any()
        assert profile["x"].min() >= 0 and profile["x"].max() <= 76.0
