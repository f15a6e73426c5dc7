"""The kind ``lammps``: a script or a fluid, declared in a study."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.simulators.lammps import GreenKubo, Lammps, LennardJonesFluid
from scalebridge.studies.kinds import parsed
from scalebridge.testing.lammps import fake_program
from tests.simulators.lammps.scripts import MELT

SCRIPT = {
    "kind": "lammps",
    "script": "in.melt",
    "inputs": {"T": ["1", 0.5, 2.0]},
    "outputs": {
        "pressure": {"thermo": "Press"},
        "twice": {"printed": "twice = (\\S+)"},
        "again": {"formula": "v_twice"},
    },
    "seed": "seed",
}


def built(table: dict[str, Any], folder: Path) -> Any:
    return parsed("melt", table).build("melt", folder).model


def test_a_script_of_a_study_is_a_model_that_runs(tmp_path: Path) -> None:
    (tmp_path / "in.melt").write_text(MELT, encoding="utf-8")
    model = built({**SCRIPT, "program": str(fake_program(tmp_path))}, tmp_path)
    assert isinstance(model, Lammps)
    runs = model.run(np.array([[1.5]]), (1,))
    assert runs.ok.all() and runs.values[0] == pytest.approx([0.8 * 1.5, 3.0, 3.0], abs=0.01)


def test_a_green_kubo_output_is_declared_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "in.melt").write_text(MELT, encoding="utf-8")
    outputs = {"viscosity": {"green_kubo": "stress.dat", "coefficient": "viscosity", "temperature": "v_T"}}
    source = built({**SCRIPT, "outputs": outputs}, tmp_path).sources["viscosity"]
    assert source == GreenKubo("stress.dat", "viscosity", temperature="v_T")


def test_a_green_kubo_output_takes_all_that_the_class_takes(tmp_path: Path) -> None:
    (tmp_path / "in.melt").write_text(MELT, encoding="utf-8")
    more = {"columns": ["c_q[1]", "c_q[2]"], "blocks": "all", "volume": 64.0, "timestep": "v_dt", "per_volume": True}
    table = {"green_kubo": "heat.dat", "coefficient": "thermal_conductivity", "temperature": 1.5, **more}
    source = built({**SCRIPT, "outputs": {"kappa": table}}, tmp_path).sources["kappa"]
    expected = {**more, "columns": ("c_q[1]", "c_q[2]")}
    assert source == GreenKubo("heat.dat", "thermal_conductivity", temperature=1.5, **expected)


def test_a_fluid_of_a_study_is_the_one_in_the_box(tmp_path: Path) -> None:
    fluid = {"properties": ["viscosity"], "epsilon": "119.8 K", "sigma": "3.405 angstrom", "mass": "39.948 g/mol"}
    made = built({"kind": "lammps", "fluid": {**fluid, "temperatures": [85, 150], "cutoff": 3.0}}, tmp_path)
    assert isinstance(made, LennardJonesFluid) and made.cutoff == 3.0
    assert made.inputs["temperature"].limits == (85, 150) and made.outputs["viscosity"].unit == "Pa*s"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"script": None}, r"\[models.melt\] has neither a script nor a fluid"),
        ({"script": "in.nothing"}, r"\[models.melt\]: The LAMMPS script .*in.nothing' cannot be read"),
        ({"outputs": None}, "a script without outputs"),
        ({"outputs": {"p": {}}}, "outputs.p names no place"),
        ({"outputs": {"p": {"thermo": "Press", "formula": "v_T"}}}, "names thermo and formula"),
        ({"outputs": {"p": {"green_kubo": "f"}}}, "say its coefficient and temperature"),
        ({"outputs": {"p": {"termo": "Press"}}}, "termo"),
        (
            {"outputs": {"p": {"thermo": "Press", "temperature": 3.0}}},
            "outputs.p has temperature, which belongs to green_kubo; leave it out of thermo",
        ),
        (
            {
                **dict.fromkeys(("script", "inputs", "outputs", "seed")),
                "fluid": {"properties": ["viscosity"]},
                "version": "2",
            },
            "has version, which belongs to a script",
        ),
        ({"fluid": {"properties": ["viscosity"]}}, "both a script and a fluid"),
        ({"script": None, "fluid": {"properties": ["viscosity"]}}, "has inputs, which belongs to a script"),
        ({"inputs": {"temperature": "1"}}, "no variable 'temperature'"),
        ({"processes": 0}, "processes"),
    ],
)
def test_a_table_that_makes_no_sense_is_one_sentence(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    (tmp_path / "in.melt").write_text(MELT, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        built({**SCRIPT, **change}, tmp_path)


def test_a_script_of_a_study_takes_times_in_words_and_keeps_what_failed(tmp_path: Path) -> None:
    (tmp_path / "in.melt").write_text(MELT, encoding="utf-8")
    model = built({**SCRIPT, "timeout": "10 min", "keep": "failed", "units": "lj"}, tmp_path)
    assert (model.resources.limits.timeout, model.keep, model.units) == (600.0, "failed", "lj")
    fluid = built({"kind": "lammps", "fluid": {"properties": ["viscosity"]}, "timeout": "1 hour"}, tmp_path)
    assert fluid.resources.limits.timeout == 3600.0


def test_a_script_of_a_study_begins_from_the_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "in.go").write_text('units lj\nread_restart ${start_from}\nprint "twice = ${T}"\n', encoding="utf-8")
    (tmp_path / "melt.restart").write_bytes(b"")
    outputs = {"twice": {"printed": "twice = (\\S+)"}}
    table = {"kind": "lammps", "script": "in.go", "inputs": {"T": "1"}, "outputs": outputs, "units": "lj"}
    model = built({**table, "start_from": "melt.restart"}, tmp_path)
    assert model.variables(np.array([1.0]), 0)["start_from"] == "melt.restart"
    with pytest.raises(InputError, match="units, which belongs to a script"):
        built({"kind": "lammps", "fluid": {"properties": ["viscosity"]}, "units": "lj"}, tmp_path)
