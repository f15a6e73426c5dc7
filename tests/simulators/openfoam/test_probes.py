"""Probes: scalars, vectors, tensors, places outside of the mesh."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.simulators.openfoam.probes import read_probes

SERIES = Path(__file__).parents[3] / "data" / "openfoam-output" / "series"


def case(tmp_path, **files):
    """A case with probes of these fields."""
    folder = tmp_path / "postProcessing" / "probes" / "0"
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return tmp_path


def test_probes_hold_places_times_values_and_units():
    probes = read_probes(SERIES)
    np.testing.assert_allclose(probes.points, [[0.05, 0.05, 0.05], [0.02, 0.09, 0.03], [5, 5, 5]])
    np.testing.assert_allclose(probes.time, [0.005, 0.01, 0.015, 0.02, 0.025, 0.03])
    assert probes["U"].shape == (6, 3, 3) and probes["p"].shape == (6, 3)
    assert probes.units == {"U": "m/s", "p": "m^2/s^2"}
    assert probes["p"][3, 0] == 0.065222502


def test_a_probe_outside_of_the_mesh_is_marked_and_holds_no_value():
    probes = read_probes(SERIES)
    assert probes.inside.tolist() == [True, True, False]
    assert np.isnan(probes["U"][:, 2]).all() and not np.isnan(probes["U"][:, :2]).any()


def test_one_probe_is_a_dataset():
    series = read_probes(SERIES).at(1)
    assert {v.name: (v.unit, v.shape) for v in series.space} == {
        "time": ("s", ()),
        "U": ("m/s", (3,)),
        "p": ("m^2/s^2", ()),
    }
    with pytest.raises(InputError, match="no probe 3; they are numbered 0 to 2"):
        read_probes(SERIES).at(3)


def test_symmetric_and_full_tensors_take_the_order_of_fields(tmp_path):
    head = "# Probe 0 (0 0 0)\n# Probe 1 (1 0 0)\n#       Probe             0             1\n#        Time\n"
    full = "(1 2 3 4 5 6 7 8 9)"
    found = read_probes(
        case(tmp_path, R=f"{head}1 (11 12 13 22 23 33) (1 2 3 4 5 6)\n", gradU=f"{head}1 {full} {full}\n")
    )
    assert found["R"][0, 0].tolist() == [11, 22, 33, 12, 23, 13]
    assert found["gradU"][0, 1].tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    assert found.units == {"R": "1", "gradU": "1"}


def test_the_old_heading_by_axes_is_read(tmp_path):
    text = "#             x            0            1\n#             y            2            3\n"
    text += "#             z            4            5\n#          Time\n 0.1   7   -1e+300\n"
    found = read_probes(case(tmp_path, T=text), units={"T": "K"})
    assert found.points.tolist() == [[0, 2, 4], [1, 3, 5]] and found.units == {"T": "K"}
    assert found["T"][0, 0] == 7 and found.inside.tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("# Time\n1 2\n", "line 1: the places of the probes must stand"),
        ("# Probe 0 (0 0 zero)\n# Time\n1 2\n", "line 1: the place of a probe is no three numbers"),
        ("# Probe 0 (0 0 0)\n# Probe 1 (0 0 0)\n# Time\n1 2\n", "line 4: 1 values stand there for 2 probes"),
        ("# Probe 0 (0 0 0)\n# Time\n1 2\n2 2", "line 4: the file ends within the line"),
    ],
)
def test_damage_is_told_with_file_and_line(tmp_path, text, sentence):
    with pytest.raises(InputError, match=f"/p' is damaged at {sentence}"):
        read_probes(case(tmp_path, p=text))


def test_an_unknown_field_is_answered_with_the_known_ones():
    with pytest.raises(InputError, match="no one table 'u'; valid: U, p"):
        read_probes(SERIES, fields=["u"])
