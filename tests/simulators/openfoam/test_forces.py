"""Forces, coefficients and tables of function objects: every format, restarts, damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.simulators.openfoam.forces import read_force_coefficients, read_forces
from scalebridge.simulators.openfoam.function_objects import read_function_object, read_residuals

SERIES = Path(__file__).parents[3] / "data" / "openfoam-output" / "series"
TIMES = [0.005, 0.01, 0.015, 0.02, 0.025, 0.03]

FOUNDATION = """# Forces
# CofR       : (0 0 0)
# Time       forces(pressure viscous) moment(pressure viscous)
1\t((1 2 3) (4 5 6)) ((0.1 0.2 0.3) (0.4 0.5 0.6))
2\t((2 3 4) (5 6 7)) ((0 0 0) (0 0 0))
"""
OLD = """# Forces
# CofR       : (0 0 0)
# Time       forces(pressure, viscous, porous) moment(pressure, viscous, porous)
1\t((1 2 3) (4 5 6) (7 8 9)) ((0 0 0) (0 0 0) (1 1 1))
"""
TABULATED = """# Force
# CofR                  : (0.000000e+00 0.000000e+00 0.000000e+00)
#
# Time                  total_x total_y total_z pressure_x pressure_y pressure_z viscous_x viscous_y viscous_z
1                       5 7 9 1 2 3 4 5 6
"""
COEFFICIENTS = {
    "coefficient.dat": "# Force coefficients\n# Time\tCd\tCd(f)\tCd(r)\tCl\tCmPitch\n1\t0.5\t0.2\t0.3\t1\t2\n",
    "forceCoeffs.dat": "# Force coefficients\n# Time        Cm           Cd           Cl\n1\t2\t0.5\t1\n",
}


def written(folder, *parts):
    """A case whose function object wrote these files: ``("0/force.dat", text)``."""
    for name, text in parts:
        path = folder / "postProcessing" / "forces" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_forces_of_v1912_are_vectors_over_both_starts():
    forces = read_forces(SERIES)
    np.testing.assert_allclose(forces["time"], TIMES)
    assert {v.name: (v.unit, v.shape) for v in forces.space} == {
        "time": ("s", ()),
        **dict.fromkeys(("total_force", "pressure_force", "viscous_force"), ("N", (3,))),
        **dict.fromkeys(("total_moment", "pressure_moment", "viscous_moment"), ("N*m", (3,))),
    }
    np.testing.assert_allclose(forces["total_force"], forces["pressure_force"] + forces["viscous_force"], atol=1e-12)
    assert forces["total_force"][3, 0] == -5.44774950e-03


@pytest.mark.parametrize("text", [FOUNDATION, OLD])
def test_the_foundations_forces_are_summed(tmp_path, text):
    forces = read_forces(written(tmp_path, ("0/forces.dat", text)))
    parts = [forces[name][0] for name in forces if name in ("pressure_force", "viscous_force", "porous_force")]
    np.testing.assert_allclose(forces["total_force"][0], np.sum(parts, axis=0))
    assert forces["pressure_force"][0].tolist() == [1, 2, 3] and forces["viscous_force"][0].tolist() == [4, 5, 6]


def test_forces_without_brackets_are_the_same(tmp_path):
    forces = read_forces(written(tmp_path, ("0/force.dat", TABULATED)))
    assert forces.keys() == ("time", "total_force", "pressure_force", "viscous_force")
    assert forces["total_force"].tolist() == [[5, 7, 9]] and forces["viscous_force"].tolist() == [[4, 5, 6]]


@pytest.mark.parametrize("file", COEFFICIENTS)
def test_coefficients_of_both_lines(tmp_path, file):
    found = read_force_coefficients(written(tmp_path, (f"0/{file}", COEFFICIENTS[file])), "forces")
    assert found["Cd"].tolist() == [0.5] and found["Cl"].tolist() == [1.0]
    assert all(v.unit == "1" for v in found.space if v.name != "time") and found.source.unstated == ()


def test_where_starts_overlap_the_later_counts(tmp_path):
    row = "{0} ({1} 0 0) ({1} 0 0) (0 0 0)\n"
    head = "# Time (total_x total_y total_z) (pressure_x pressure_y pressure_z) (viscous_x viscous_y viscous_z)\n"
    parts = {
        "0/force.dat": [(1, 1), (2, 1), (3, 1), (4, 1)],
        "2/force.dat": [(3, 2), (4, 2)],
        "2/force_2.dat": [(3, 3), (4, 3), (5, 3)],
        "10/force.dat": [(11, 4)],
    }
    texts = [(name, head + "".join(row.format(t, v) for t, v in rows)) for name, rows in parts.items()]
    found = read_forces(written(tmp_path, *texts))
    assert found["time"].tolist() == [1, 2, 3, 4, 5, 11]
    assert found["total_force"][:, 0].tolist() == [1, 1, 3, 3, 3, 4]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (FOUNDATION[:-8], "force.*line 5: the file ends within the line"),
        (FOUNDATION.replace("(5 6 7)", "(5 6)"), "line 5: 12 values stand there, and 13 in the rows above"),
        (FOUNDATION.replace("5 6 7", "5 x 7"), "line 5: 'x' is no number"),
        (FOUNDATION.replace("forces(", "farces("), "the heading 'farces"),
        (FOUNDATION.replace("pressure viscous)", "pressure)"), "headings for 6 numbers stand over 12"),
        (FOUNDATION.replace("2\t", "inf\t"), "line 5: the time is no finite number"),
        ("", "it has no row after its heading"),
    ],
)
def test_damage_is_told_with_file_and_line(tmp_path, text, sentence):
    with pytest.raises(InputError, match=sentence) as told:
        read_forces(written(tmp_path, ("0/forces.dat", text)))
    assert "forces.dat" in str(told.value) and "\n" not in str(told.value)


def test_a_wrong_name_is_answered_with_the_right_one():
    with pytest.raises(InputError, match="no results of a function object 'force'; did you mean 'forces'"):
        read_forces(SERIES, "force")
    with pytest.raises(InputError, match="force, moment; name one"):
        read_function_object(SERIES, "forces")


def test_averages_carry_the_units_of_the_cases_own_fields():
    mean = read_function_object(SERIES, "mean")
    assert {v.name: v.unit for v in mean.space} == {"time": "s", "volAverage_U": "m/s", "volAverage_p": "m^2/s^2"}
    assert mean["volAverage_U"].shape == (6, 3) and mean.source.unstated == ()
    lid = read_function_object(SERIES, "lidmean", units={"p": "m^2/s^2"})
    assert lid["areaAverage_U"][:, 0].tolist() == [1.0] * 6


def test_tensors_have_the_shape_and_order_of_those_of_fields(tmp_path):
    folder = tmp_path / "postProcessing" / "mean" / "0"
    folder.mkdir(parents=True)
    row = "0\t(1 2 3 4 5 6)\t(1 2 3 4 5 6 7 8 9)\t((1 2 3) (4 5 6))\n"
    (folder / "volFieldValue.dat").write_text("# Time\tvolAverage(S)\tvolAverage(T)\tforces(pressure viscous)\n" + row)
    mean = read_function_object(tmp_path, "mean")
    assert mean["volAverage_S"].tolist() == [[1, 4, 6, 2, 5, 3]]
    assert mean["volAverage_T"].tolist() == [[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]
    assert mean["forces_pressure_viscous"].tolist() == [[1, 2, 3, 4, 5, 6]]


def test_words_are_categories():
    found = read_function_object(SERIES, "minmax")
    assert found["field"].tolist() == ["mag(U)", "p"] * 6
    assert found["location_max"].shape == (12, 3) and found["max"][0] == 1.0


def test_residuals_of_both_lines_are_numbers_without_unit(tmp_path):
    found = read_residuals(SERIES)
    assert found["p_initial"][0] == 1.0 and found["U_solver"][0] == "smoothSolver" and found["p_iters"][1] == 10
    text = "# Residuals\n# Time  Ux   Uy   p\n1  N/A  1  0.5\n2  0.1  0.2  0.3\n"
    folder = tmp_path / "postProcessing" / "residuals" / "0"
    folder.mkdir(parents=True)
    (folder / "residuals.dat").write_text(text)
    old = read_residuals(tmp_path)
    assert np.isnan(old["Ux"][0]) and old["Ux"][1] == 0.1 and old["p"].tolist() == [0.5, 0.3]
