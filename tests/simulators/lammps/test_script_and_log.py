"""What a script includes and reads, and what its log says of the run, before results are taken at their word."""

from pathlib import Path

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.simulators.lammps import Formula, Printed, Resources, Thermo
from scalebridge.simulators.lammps.script import read_script
from tests.simulators.lammps.scripts import MELT
from tests.simulators.lammps.test_model import STATE, melt


def test_units_of_an_included_file_are_those_of_the_script_and_the_last_ones_count(
    program: Resources, tmp_path: Path
) -> None:
    (tmp_path / "head.in").write_text("units real\nrun 0\nclear\nunits metal\n", encoding="utf-8")
    (tmp_path / "in.melt").write_text(MELT.replace("units           lj", "include head.in"), encoding="utf-8")
    model = melt(program, tmp_path / "in.melt", outputs={"p": Thermo("Press", unit="bar")})
    assert model.units == "metal" and model.run(STATE[:1]).values[0, 0] == pytest.approx(1.2, abs=0.01)
    with pytest.raises(InputError, match=r"from a restart file.*say units="):
        melt(program, MELT.replace("units           lj", "read_restart melt.restart"))


@pytest.mark.parametrize("how", ["process", "in process"])
def test_a_script_that_runs_in_other_units_than_the_model_was_made_for_fails_in_words(
    program: Resources, how: str
) -> None:
    script = MELT.replace("units           lj", 'if "1 == 1" then "units real"')
    runs = melt(program, script, how=how).run(STATE[:1])
    assert runs.status[0] == "failed" and runs.reason[0] == (
        "the script ran in units real, and 'script.in' was made for units lj; say units='real'"
    )
    assert melt(program, script, how=how, units="real").run(STATE[:1]).ok.all()


@pytest.mark.parametrize("how", ["process", "in process"])
def test_a_log_that_goes_on_in_another_file_is_read_to_its_end(program: Resources, how: str) -> None:
    outputs = {"p": Thermo("Press"), "first": Thermo("Press", run=0), "twice": Printed(r"twice = (\S+)")}
    script = MELT.replace("print           ", "log next.log\nrun 4000\nprint ")
    runs = melt(program, script, outputs=outputs, how=how).run(STATE)
    assert runs.ok.all(), runs.reason
    assert runs.values[:, 1] == pytest.approx(STATE[:, 0] * STATE[:, 1], abs=0.01)
    assert runs.values[:, 2] == pytest.approx(2 * STATE[:, 0])
    assert (runs.values[:, 0] != runs.values[:, 1]).all()
    told = melt(program, MELT + "log none\nrun 50\n", outputs=outputs, how=how).run(STATE[:1])
    assert told.status[0] == "failed" and "the script ends its log by 'log none'" in told.reason[0]


def test_a_run_that_its_own_time_limit_stopped_is_no_result(program: Resources) -> None:
    script = MELT.replace("run             4000", "timer timeout 0:00:10\nrun             4000")
    for source in (Thermo("Press"), Formula("v_twice")):
        runs = melt(program, script, outputs={"x": source}).run(STATE[:1])
        assert runs.status[0] == "timeout" and "the time limit that the script sets" in runs.reason[0]


def test_a_mean_over_a_run_that_was_halted_is_no_result(program: Resources) -> None:
    script = MELT.replace("run             4000", "fix h all halt 10 v_twice > 3 error continue\nrun 4000")
    runs = melt(program, script, outputs={"p": Thermo("Press")}).run(STATE[:1])
    assert runs.status[0] == "failed" and "'run 4000' ended after 2000 of its 4000 steps" in runs.reason[0]


def test_a_run_in_pieces_is_one_run(program: Resources) -> None:
    pieces = MELT.replace("run             4000", 'run 1000\nrun 4000 every 400 "print hello"')
    outputs = {"p": Thermo("Press"), "first": Thermo("Press", run=0)}
    runs = melt(program, pieces, outputs=outputs).run(STATE[[0] * 8], range(8))
    assert runs.ok.all() and runs.noise_std is not None
    # 401 rows, and 101 of the run before them.
    expected = [0.01 / np.sqrt(401), 0.01 / np.sqrt(101)]
    assert np.median(runs.noise_std, axis=0) == pytest.approx(expected, rel=0.5)
    assert (
        "has 2 blocks and no block 2" in melt(program, pieces, outputs={"p": Thermo("P", run=2)}).run(STATE).reason[0]
    )


def test_a_mean_of_few_independent_rows_has_the_interval_of_its_degrees(program: Resources) -> None:
    model = melt(program, MELT.replace("run             4000", "run 400"), outputs={"p": Thermo("Press")})
    (row,) = model.measure(STATE[:1], (1,))
    assert row.status == "ok" and 4 <= row.readings["p"].degrees < 1000


def test_files_of_included_files_come_along(program: Resources, tmp_path: Path) -> None:
    (tmp_path / "in.melt").write_text(MELT.replace("thermo          10", "include sub.in"), encoding="utf-8")
    (tmp_path / "sub.in").write_text("include pair.in\n", encoding="utf-8")
    (tmp_path / "pair.in").write_text("thermo ${every}\n", encoding="utf-8")
    model = melt(program, tmp_path / "in.melt", constants={"every": 10})
    assert set(model.files) == {"sub.in", "pair.in"} and model.run(STATE[:1]).ok.all()
    with pytest.raises(InputError, match="no variable 'evry'; did you mean 'every'"):
        melt(program, tmp_path / "in.melt", constants={"evry": 10})


def test_includes_in_a_circle_come_to_an_end(tmp_path: Path) -> None:
    (tmp_path / "a.in").write_text("include b.in\nrun 0\n", encoding="utf-8")
    (tmp_path / "b.in").write_text("units metal\ninclude a.in\ninclude b.in\n", encoding="utf-8")
    assert read_script(tmp_path / "a.in").units == "metal"


def test_potentials_that_lammps_finds_elsewhere_are_part_of_the_identity(
    program: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "potentials").mkdir()
    tables = [tmp_path / "potentials" / "Cu.eam", tmp_path / "Ni.eam", tmp_path / "Al.eam"]
    monkeypatch.setenv("LAMMPS_POTENTIALS", f"/no/such:{tmp_path / 'potentials'}")
    commands = f"pair_coeff * * Cu.eam\npair_coeff * * {tables[1]}\npair_coeff * * ${{table}}\nthermo          10"
    model = melt(program, MELT.replace("thermo          10", commands), constants={"table": str(tables[2])})
    seen = []
    for content in ("one", "two"):
        for table in tables:
            table.write_text(content, encoding="utf-8")
            seen.append(tuple(sorted(model.identity().items())))
    # One identity for every table that came or changed.
    assert len(set(seen)) == 6 and model.files == {}


def test_the_version_of_lammps_is_part_of_the_identity(program: Resources, tmp_path: Path) -> None:
    assert melt(program).identity()["lammps"] == "22 Jul 2025 - Update 4"
    other = tmp_path / "lmp"
    other.write_text("#!/bin/sh\necho 'Large-scale Atomic/Molecular Massively Parallel Simulator - 1 Jan 2024'\n")
    other.chmod(0o755)
    assert melt(Resources(program=other)).identity()["lammps"] == "1 Jan 2024"
    assert melt(Resources(program="/no/lmp")).identity()["lammps"] == "not found"
