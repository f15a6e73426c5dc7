"""The cylinder array: its mesh, its inputs, what it does without OpenFOAM."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.errors import InputError
from scalebridge.simulators.openfoam.cylinder_mesh import block_mesh
from scalebridge.simulators.openfoam.cylinders import SANGANI_ACRIVOS, CylinderArray, drag_of


def test_the_blocks_lie_between_the_circle_and_the_square():
    text = block_mesh(0.3, 24)
    vertices = [tuple(map(float, row)) for row in re.findall(r"\(([-\d.e]+) ([-\d.e]+) ([-\d.e]+)\)", text)][:16]
    radius = math.sqrt(0.3 / math.pi)
    np.testing.assert_allclose([math.hypot(x, y) for x, y, _ in vertices[:4]], radius)
    np.testing.assert_allclose(np.abs([v[:2] for v in vertices[4:8]]), 0.5)
    assert text.count("hex (") == 4 and text.count("(12 24 1)") == 4 and text.count("arc ") == 8
    assert text.count("neighbourPatch") == 4


def test_a_finer_array_halves_the_cells_and_is_another_model():
    array = CylinderArray("20 um", "permeability")
    assert array.finer.resolution == 48 and array.identity() != array.finer.identity()
    assert array.outputs["permeability"].unit == "m^2"
    assert CylinderArray(timeout="2 min").finer.timeout == 960.0 and CylinderArray(timeout=None).finer.timeout is None
    creeping = array.fix(reynolds_number=0)
    assert creeping.inputs.names == ("solid_fraction",) and creeping.finer.model.resolution == 48


def test_the_mean_velocity_is_that_of_the_fluid():
    case = CylinderArray().case(0.2, 2.0)
    found = re.search(r"Ubar\s+\(([\d.e-]+) 0 0\)", case.template["system/fvOptions"])
    diameter = 2 * math.sqrt(0.2 / math.pi)
    assert float(found[1]) * (1 - 0.2) * diameter == pytest.approx(2.0)


def test_the_case_of_numbers_of_numpy_is_that_of_plain_ones():
    case = CylinderArray().case(np.float64(0.25), np.float64(1.0))
    assert case.digest() == CylinderArray().case(0.25, 1.0).digest()


def test_with_inertia_two_meshes_that_agree_by_chance_leave_a_deviation(monkeypatch):
    monkeypatch.setattr(CylinderArray, "_drag", lambda *given: (200.0, "ok", ""))
    rows = np.array([[0.35, 0.0], [0.35, 10.0], [0.35, 20.0]])
    np.testing.assert_allclose(CylinderArray().run(rows).error_std[:, 0], [0.0, 0.2, 0.4])
    np.testing.assert_allclose(CylinderArray().finer.run(rows).error_std[:, 0], [0.0, 0.05, 0.1])


@pytest.mark.parametrize(("drag", "status", "meshes"), [(200.0, "ok", 2), (None, "failed", 1)])
def test_six_rows_of_a_campaign_are_six_runs(monkeypatch, drag, status, meshes):
    solved = []

    def solve(array, fraction, reynolds, resolution):
        solved.append((fraction, resolution))
        return drag, status, ""

    monkeypatch.setattr(CylinderArray, "_drag", solve)
    rows = np.column_stack([np.linspace(0.1, 0.6, 6), np.zeros(6)])
    with sb.Campaign(CylinderArray(), retries=0) as campaign:
        runs = campaign.run(rows, phase="learn", why="to count runs")
    assert runs.status.tolist() == [status] * 6 and len(solved) == len(set(solved)) == 6 * meshes


@pytest.mark.parametrize("row", [(0.7, 0.0), (0.2, 50.0), (0.01, 0.0)])
def test_a_row_outside_of_the_bounds_is_a_status(row):
    runs = CylinderArray().run(np.array([row]))
    assert runs.status.tolist() == ["outside"] and f"{row[0]:g}" in runs.reason[0]


def test_a_case_without_results_is_a_failed_row_with_its_reason(fake):
    runs = CylinderArray().run(np.array([[0.2, 0.0]]))
    assert runs.status.tolist() == ["failed"] and np.isnan(runs.values).all() and runs.reason[0]


def test_without_openfoam_the_user_is_told_how_to_get_it(no_openfoam):
    with pytest.raises(InputError, match="apt-get install openfoam"):
        CylinderArray().run(np.array([[0.2, 0.0]]))


def test_a_row_that_is_no_number_fails():
    assert CylinderArray().run(np.array([[np.nan, 0.0]])).reason == ("the input is not finite",)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"quantity": "dragg"}, "did you mean 'drag'"),
        ({"resolution": 10}, "a multiple of 4"),
        ({"resolution": 24.0}, "a multiple of 4"),
        ({"diameter": "0 m"}, "one that is positive"),
        ({"keep": "fail"}, "The array of cylinders was given keep='fail'; did you mean 'failed'"),
        ({"timeout": 0}, "The array of cylinders: timeout = 0 leaves the program nothing"),
        ({"timeout": "2 mm"}, "timeout = '2 mm' does not convert to 's'"),
    ],
)
def test_bad_options_are_told(options, sentence):
    with pytest.raises(InputError, match=sentence):
        CylinderArray(**options)


def test_drag_is_the_force_on_the_solid_and_on_the_area_it_takes(tmp_path):
    tables = {
        "forces/0/force.dat": "# Time total_x total_y total_z pressure_x pressure_y pressure_z viscous_x viscous_y "
        "viscous_z\n1 0.06 0 0 0.03 0 0 0.03 0 0\n",
        "meanVelocity/0/volFieldValue.dat": "# Time volAverage(U)\n1 (0.02 0 0)\n",
    }
    for name, text in tables.items():
        path = tmp_path / "postProcessing" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    # F = 0.06 / 0.1 / (1 - c), U = 0.02 (1 - c).
    assert drag_of(tmp_path, 0.5) == pytest.approx(0.6 / 0.5 / 0.01)


def test_the_published_drag_is_that_of_the_series_of_its_paper_where_the_array_is_dilute():
    for c in (0.05, 0.1):
        series = 4 * math.pi / (-math.log(c) / 2 - 0.738 + c - 0.887 * c**2 + 2.038 * c**3)
        assert SANGANI_ACRIVOS[c] == pytest.approx(series, rel=2e-3)
