"""What exports write, and what they refuse."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.exchange import export_c, export_micro_manager, export_python, export_umat
from scalebridge.exchange.emitting import number
from scalebridge.learn import GaussianProcess, PolynomialChaos, RandomForest
from tests.exchange.cases import potential, runs, strain_to_stress

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")

# Of the schema of preCICE's adapters, version 0.4.
DATA_NAME = re.compile(r"^[A-Z][a-zA-Z0-9]*(?:-[A-Za-z0-9]+)*$")


@pytest.fixture(scope="module")
def plane() -> GaussianProcess:
    return potential(3, runs=8)


def test_a_header_says_what_its_numbers_are_and_is_the_same_twice(plane: GaussianProcess, tmp_path: Path) -> None:
    first = export_c(plane, tmp_path / "law.h").read_text()
    assert "x [3]: strain[3] [1]" in first and "y [3]: stress[3] [Pa]" in first and "of 8 runs" in first
    assert export_c(plane, tmp_path / "law.h").read_text() == first
    assert [p.name for p in tmp_path.iterdir()] == ["law.h"]


def test_numbers_are_written_to_the_last_bit() -> None:
    values = [*np.random.default_rng(0).standard_normal(50), 1e-300, -5e-324, 1.7e308, 0.1]
    assert [float(number(v).strip("()")) for v in values] == values
    assert (number(np.inf), number(-np.inf)) == ("HUGE_VAL", "(-HUGE_VAL)")


@pytest.mark.parametrize("name", ["2law", "law-2", "double", "a" * 32, "law; system(1)", ""])
def test_names_that_c_does_not_take_are_refused(name: str, plane: GaussianProcess, tmp_path: Path) -> None:
    with pytest.raises(sb.InputError, match="no name in C"):
        export_c(plane, tmp_path / "law.h", name=name)
    assert list(tmp_path.iterdir()) == []


def test_a_comment_cannot_end_early(tmp_path: Path) -> None:
    text = "a */ int hidden; /*"
    inputs = sb.Space([sb.Variable("x", bounds=(-1, 1), description=text)])
    x = np.linspace(-1, 1, 12)[:, None]
    fitted = PolynomialChaos(inputs, sb.Space({"y": "1"})).fit(x, x**2)
    header = export_c(fitted, tmp_path / "law.h").read_text()
    assert header.index("*/") > header.index("identity")


def test_what_is_no_law_of_strain_is_refused_by_name(tmp_path: Path) -> None:
    x, y = runs()
    plain = RandomForest(sb.Space({"a": "1", "b": "1", "c": "1"}), sb.Space([sb.Variable("stress", "Pa", (3,))]))
    with pytest.raises(sb.InputError, match=r"one symmetric input .* maps a, b, c to stress"):
        export_umat(plain.fit(x, y), tmp_path)
    with pytest.raises(sb.InputError, match="did you mean 'fortran'"):
        export_umat(potential(3, runs=8), tmp_path, language="Fortran")
    with pytest.raises(sb.InputError, match="temperature of the UMAT is 'T'"):
        export_umat(potential(3, runs=8), tmp_path, temperature="T")
    with pytest.raises(sb.UnitError, match="do not convert"):
        export_umat(potential(3, runs=8), tmp_path, stress_unit="m")
    assert list(tmp_path.iterdir()) == []


def test_exports_refuse_what_is_not_fitted_and_folders_that_are_not_there(
    plane: GaussianProcess, tmp_path: Path
) -> None:
    with pytest.raises(sb.InputError, match="fit"):
        export_c(GaussianProcess(*strain_to_stress(3)), tmp_path / "law.h")
    with pytest.raises(sb.InputError, match="make it first"):
        export_python(plane, tmp_path / "nowhere")
    with pytest.raises(sb.InputError, match="A dict cannot be exported"):
        export_c({}, tmp_path / "law.h")


def test_a_missing_package_is_named_with_what_to_install(
    plane: GaussianProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(sb.InputError, match=r'pip install "scalebridge\[onnx\]"'):
        export_c(plane, tmp_path / "law.h")


def test_the_configuration_of_the_micro_manager_is_that_of_its_schema(plane: GaussianProcess, tmp_path: Path) -> None:
    files = export_micro_manager(plane, tmp_path, name="foam", data={"stress": "Mean-Stress"}, dimensions=2)
    assert sorted(f.name for f in files) == [
        "foam.c",
        "foam.h",
        "foam.py",
        "foam_micro.py",
        "micro-manager-config.json",
    ]
    told = json.loads((tmp_path / "micro-manager-config.json").read_text())
    interface = told["interfaces"][0]
    # Three components on a mesh of two dimensions are no vector.
    assert [d["name"] for d in interface["write_data"]] == ["Mean-Stress-1", "Mean-Stress-2", "Mean-Stress-3", "Inside"]
    assert [d["name"] for d in interface["read_data"]] == ["Strain-1", "Strain-2", "Strain-3"]
    assert all(DATA_NAME.match(entry["name"]) for entry in interface["write_data"] + interface["read_data"])
    assert len(told["micro_manager"]["simulation_params"]["macro_domain_bounds"]) == 4
    assert told["micro_manager"]["micro_file_names"] == ["foam_micro"]
    with pytest.raises(sb.InputError, match="'heat flux'"):
        export_micro_manager(plane, tmp_path, data={"stress": "heat flux"})
    with pytest.raises(sb.InputError, match="did you mean 'stress'"):
        export_micro_manager(plane, tmp_path, data={"stres": "Stress"})


def test_two_values_never_share_one_name_of_the_coupling(plane: GaussianProcess, tmp_path: Path) -> None:
    for data in ({"stress": "Strain"}, {"stress": "Inside"}):
        with pytest.raises(sb.InputError, match=f"Two values would be preCICE's data '{data['stress']}"):
            export_micro_manager(plane, tmp_path, data=data)
    assert list(tmp_path.iterdir()) == []


def test_arrays_that_are_no_vectors_of_the_mesh_are_parted(tmp_path: Path) -> None:
    export_micro_manager(potential(6, runs=8), tmp_path)
    told = json.loads((tmp_path / "micro-manager-config.json").read_text())["interfaces"][0]
    assert [d["name"] for d in told["read_data"]] == [f"Strain-{k}" for k in range(1, 7)]
    assert "('Stress-6', 0)" in (tmp_path / "law_micro.py").read_text()


def test_a_module_is_not_named_as_what_it_imports_or_as_a_keyword(plane: GaussianProcess, tmp_path: Path) -> None:
    for name in ("numpy", "math", "ctypes", "class", "lambda", "None"):
        with pytest.raises(sb.InputError, match="a module or a word of Python's own"):
            export_python(plane, tmp_path, name=name)


def test_what_a_solve_learned_is_exported_as_onnx_too(tmp_path: Path) -> None:
    from scalebridge.bridge.coupling import connect

    @sb.model(inputs={"T": "K"}, outputs={"k": "W/(m*K)"})
    def foam(T: float) -> dict[str, float]:
        return {"k": 0.03 + 1e-10 * T**3}

    wall = sb.macro.Heat(sb.macro.meshes.interval("10 cm", 8), temperature={"left": "900 degC", "right": "20 degC"})
    spaces = connect(wall, foam.rename(T="temperature", k="conductivity"))
    x = np.linspace(300, 1100, 8)[:, None]
    fitted = GaussianProcess(spaces.inputs, spaces.outputs, average=0).fit(x, 0.03 + 1e-10 * x**3)
    sb.exchange.export_onnx(fitted, tmp_path / "k.onnx")
    assert (tmp_path / "k.onnx").stat().st_size > 0
