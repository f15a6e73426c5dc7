"""Result files (.rst) read by our own reader."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.simulators.ansys.records import Records, open_records
from scalebridge.simulators.ansys.results import read_results
from tests.simulators.ansys.reference import DATA, EXTRA, compare_results
from tests.simulators.ansys.writing import packed, record, result_file
from tests.simulators.damaging import check_reader


def tensors(values: np.ndarray) -> np.ndarray:
    return values[:, [0, 3, 5, 3, 1, 4, 5, 4, 2]].reshape(-1, 3, 3)


def read_all(path: Path) -> None:
    results = read_results(path)
    for k in range(len(results.sets)):
        results.fields(k + 1)


def test_the_packed_static_file_is_what_ansys_mapdl_reader_says() -> None:
    compare_results(DATA / "static_file.rst", "testfiles_dist_rst_static_file.rst")


@pytest.mark.parametrize(
    "name", ["examples_file.rst", "testfiles_dist_rst_static_file.rst", "elements_shell181_shell181_box.rst"]
)
def test_the_real_results_are_what_ansys_mapdl_reader_says(name: str) -> None:
    if EXTRA is None:
        pytest.skip("SCALEBRIDGE_EXTRA_DATA names no folder")
    compare_results(EXTRA / "ansys-results" / name, name)


def test_stress_and_strain_of_a_shell_have_the_same_directions() -> None:
    if EXTRA is None:
        pytest.skip("SCALEBRIDGE_EXTRA_DATA names no folder")
    fields = read_results(EXTRA / "ansys-results" / "elements_shell181_shell181_box.rst").fields()
    for side in ("", "_top"):
        stress, strain = (tensors(fields[f"{name}{side}"].values) for name in ("stress", "elastic_strain"))
        commutator = stress @ strain - strain @ stress
        assert np.abs(commutator).max() < 1e-7 * np.abs(stress).max() * np.abs(strain).max()


def test_stress_and_strain_of_the_real_file_obey_one_law() -> None:
    fields = read_results(DATA / "static_file.rst").fields()
    known = ~np.isnan(fields["stress"].values[:, 0])
    stress, strain = (tensors(fields[n].values[known]) for n in ("stress", "elastic_strain"))
    deviator = [t - np.trace(t, axis1=1, axis2=2)[:, None, None] * np.eye(3) / 3 for t in (stress, strain)]
    shear = np.sum(deviator[0] * deviator[1]) / np.sum(deviator[1] ** 2) / 2
    assert np.allclose(deviator[0], 2 * shear * deviator[1], atol=1e-5 * np.abs(stress).max())


def test_nodes_elements_and_tags_are_read(tmp_path: Path) -> None:
    results = read_results(result_file(tmp_path / "a.rst"))
    (block,) = results.mesh.cells
    assert results.nodes.tolist() == list(range(11, 19)) and block.type == "hexahedron"
    assert block.nodes.tolist() == [list(range(8))]
    assert {k: v.tolist() for k, v in block.tags.items()} == {
        "element": [41],
        "material": [7],
        "type": [1],
        "real": [3],
        "section": [2],
    }
    (only,) = results.sets
    assert (only.number, only.step, only.substep, only.value, only.measure) == (1, 1, 2, 0.25, "time")


@pytest.mark.parametrize("order", ["<", ">"])
def test_values_at_nodes_are_read_in_either_byte_order(tmp_path: Path, order: str) -> None:
    fields = read_results(result_file(tmp_path / "a.rst", order=order)).fields()
    assert np.array_equal(fields["displacement"].values, np.arange(24.0).reshape(8, 3))
    assert np.array_equal(fields["stress"].values, np.tile([1.0, 2, 3, 4, 5, 6], (8, 1)))


def test_a_node_in_a_turned_system_gives_its_vector_in_global_directions(tmp_path: Path) -> None:
    values = np.tile([1.0, 0.0, 0.0], (8, 1))
    fields = read_results(result_file(tmp_path / "a.rst", angles=(90.0, 0.0, 0.0), values=values)).fields()
    assert np.allclose(fields["displacement"].values, [0.0, 1.0, 0.0], atol=1e-15)


def test_a_tensor_in_a_turned_system_keeps_its_invariants(tmp_path: Path) -> None:
    plain = read_results(result_file(tmp_path / "a.rst")).fields()["stress"].values
    turned = read_results(result_file(tmp_path / "b.rst", euler=(30.0, 40.0, 50.0))).fields()["stress"].values
    assert not np.allclose(plain, turned)
    assert np.allclose(np.linalg.eigvalsh(tensors(plain)), np.linalg.eigvalsh(tensors(turned)), rtol=1e-6)
    about_z = read_results(result_file(tmp_path / "c.rst", euler=(90.0, 0.0, 0.0))).fields()["stress"].values
    assert np.allclose(about_z[0], [2, 1, 3, -4, 6, -5], atol=1e-6)


@pytest.mark.parametrize("missing", [2.0**100, float("nan"), float("inf")])
@pytest.mark.parametrize("euler", [(0.0, 0.0, 0.0), (30.0, 40.0, 50.0)])
def test_a_stress_that_is_not_there_is_no_stress_of_zero(
    tmp_path: Path, missing: float, euler: tuple[float, float, float]
) -> None:
    path = result_file(tmp_path / "a.rst", stress=(1.0, 2.0, missing, 4.0, 5.0, 6.0), euler=euler)
    assert "stress" not in read_results(path).fields()
    some = np.tile(np.array([1, 2, 3, 4, 5, 6], dtype=np.float32), 8)
    before = result_file(path, euler=euler).read_bytes()
    changed = some.copy()
    changed[6 * 3 + 2] = missing  # one component at the fourth corner
    path.write_bytes(before.replace(some.tobytes(), changed.tobytes()))
    stress = read_results(path).fields()["stress"].values
    assert np.flatnonzero(np.isnan(stress).any(axis=1)).tolist() == [3] and np.isnan(stress[3]).all()


def test_an_old_file_holds_eleven_numbers_a_node(tmp_path: Path) -> None:
    stress = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 9.0, 9.0, 9.0, 9.0, 9.0)
    values = read_results(result_file(tmp_path / "a.rst", stress=stress)).fields()["stress"].values
    assert np.array_equal(values, np.tile(stress[:6], (8, 1)))


def test_numbers_at_nodes_have_their_name_and_missing_ones_are_nan(tmp_path: Path) -> None:
    values = np.arange(8.0).reshape(8, 1)
    values[3] = 2.0**100
    path = result_file(tmp_path / "a.rth", degrees=(20,), values=values)
    temperature = read_results(path).fields(names=["temperature"], units={"temperature": "K"})["temperature"]
    assert temperature.unit == "K" and np.flatnonzero(np.isnan(temperature.values)).tolist() == [3]


def test_units_are_taken_from_the_header_and_never_guessed(tmp_path: Path) -> None:
    unknown = read_results(result_file(tmp_path / "a.rst"))
    assert {f.unit for f in unknown.fields().values()} == {"1"} and "does not state" in unknown.notes[0]
    stated = read_results(result_file(tmp_path / "b.rst", units=6))
    fields = stated.fields()
    assert (stated.mesh.unit, fields["displacement"].unit, fields["stress"].unit) == ("mm", "mm", "MPa")
    assert read_results(tmp_path / "a.rst", length="mm").fields(units={"stress": "MPa"})["stress"].unit == "MPa"
    with pytest.raises(InputError, match="states its units"):
        read_results(tmp_path / "b.rst", length="m")
    with pytest.raises(InputError, match="states that 'stress' is in 'MPa'"):
        stated.fields(units={"stress": "Pa"})


def test_the_number_of_a_set_is_a_frequency_or_a_time(tmp_path: Path) -> None:
    modal = read_results(result_file(tmp_path / "a.rst", analysis=2))
    assert modal.sets[0].measure == "frequency" and modal.fields()["stress"].time is None
    transient = read_results(result_file(tmp_path / "b.rst", analysis=4))
    assert transient.fields()["stress"].time == 0.25
    harmonic = read_results(result_file(tmp_path / "c.rst", analysis=3, imaginary=True))
    assert harmonic.sets[0].imaginary and "imaginary part" in harmonic.fields()["stress"].description


def test_an_unknown_field_or_set_is_one_sentence(tmp_path: Path) -> None:
    results = read_results(result_file(tmp_path / "a.rst"))
    with pytest.raises(InputError, match="did you mean 'stress'"):
        results.fields(names=["stres"])
    with pytest.raises(InputError, match="sets 1 to 1, and none 2"):
        results.fields(2)


def _records(tmp_path: Path, content: bytes) -> Records:
    path = tmp_path / "r.bin"
    path.write_bytes(record([0] * 100) + content)
    return open_records(path)


@pytest.mark.parametrize(
    ("content", "items"),
    [
        (record([1, -2, 3], "i2"), [1, -2, 3, 0]),
        (record([1.5, -2.0], "f4"), [1.5, -2.0]),
        (packed(struct.pack("<iid", 3, 0b100, 7.5), 0x08000000), [0, 0, 7.5]),
        (packed(struct.pack("<hhi2h", 5, 0, 0b10001, 4, -8), 0xC8000000), [4, 0, 0, 0, -8]),
        (packed(struct.pack("<9i", 8, 3, 2, 9, -3, 2, 5, 6, -5), 0x90000000) + b"", None),
        (packed(struct.pack("<11i", 8, 3, 2, 9, -3, 2, 5, 6, -5, -3, 1), 0x90000000), [0, 0, 9, 5, 6, 1, 1, 1]),
    ],
)
def test_packed_records_are_unpacked(tmp_path: Path, content: bytes, items: list[float] | None) -> None:
    records = _records(tmp_path, content)
    if items is None:
        with pytest.raises(InputError, match="windowed sparse form that does not hold"):
            records.wholes(103, "a record", 100)
    else:
        read = records.reals if any(isinstance(item, float) for item in items) else records.wholes
        assert read(103, "a record", 100).tolist() == items


def test_numbers_of_the_wrong_kind_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="real numbers where whole ones belong"):
        _records(tmp_path, record([1.5], "f8")).wholes(103, "a record", 100)
    with pytest.raises(InputError, match="whole numbers where real ones belong"):
        _records(tmp_path, record([1])).reals(103, "a record", 100)


def test_a_record_that_claims_more_than_the_file_has_is_one_sentence(tmp_path: Path) -> None:
    records = _records(tmp_path, struct.pack("<iIi", 2**30, 1 << 31, 1))
    with pytest.raises(InputError, match="at byte 412 has a size of 1073741824 words, more than are left"):
        records.wholes(103, "a record", 100)
    huge = _records(tmp_path, packed(struct.pack("<ii", 2**31 - 1, 0), 0x90000000))
    with pytest.raises(InputError, match="does not hold"):
        huge.wholes(103, "a record", 1000)


def test_another_file_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.rst"
    path.write_bytes(b"no results at all" * 100)
    with pytest.raises(InputError, match="no binary file of ANSYS"):
        read_results(path)
    full = tmp_path / "a.full"
    full.write_bytes(record([4] + [0] * 99) + record([0] * 80))
    with pytest.raises(InputError, match="file number 4, and 12 is that of results"):
        read_results(full)


def test_damaged_results_end_in_a_sentence(tmp_path: Path) -> None:
    content = result_file(tmp_path / "a.rst").read_bytes()
    assert check_reader(read_all, content, tmp_path / "d.rst") > 5
    check_reader(read_all, (DATA / "static_file.rst").read_bytes(), tmp_path / "d.rst", share=0.3)


def test_short_reals_that_are_no_numbers_are_gaps_without_a_warning() -> None:
    no_number = 0x7F800001  # a NaN that signals where it is turned into a longer one
    words = np.array([1, 1 << 30, no_number, 1, 0], dtype=np.int32)
    records = Records("made here", words)
    assert np.isnan(records.reals(0, "a record", 1)).all()
    together = records.together(np.array([0]))
    assert together is not None and together.dtype == np.float64 and np.isnan(together).all()
