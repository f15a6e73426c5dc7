"""Logs of every style, of real runs; cut off, ended by errors, and with lines in between."""

from __future__ import annotations

import gzip
import math
import re
import time
from pathlib import Path

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.simulators.lammps.logs import read_log

DATA = Path(__file__).parents[3] / "data"
STYLES, LJ, ARGON = DATA / "lammps-styles", DATA / "lammps-lj-logs", DATA / "argon-md"


def written(folder: Path, text: str, name: str = "log.lammps") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("style", ["one", "multi", "yaml"])
def test_the_same_run_reads_the_same_in_every_thermo_style(style: str) -> None:
    log = read_log(STYLES / f"log.{style}")
    assert log.complete and len(log) == 2 and log.version.startswith("22 Jul 2025") and log.units == "lj"
    first, second = log
    assert first["Step"].tolist() == [0, 50, 100, 150, 200] and second["Step"].tolist() == [200, 250, 300]
    np.testing.assert_allclose(
        first["Temp"],
        [1.44, 0.7074578005, 0.822193264198, 0.7870508998, 0.863025459312],
        rtol=1e-4 if style == "multi" else 1e-7,
    )
    np.testing.assert_allclose(second["Press"][-1], 0.301362160994, rtol=2e-4 if style == "multi" else 1e-6)
    assert (first.n_steps, first.n_atoms, first.n_processes, first.kind) == (200, 108, 1, "run")
    assert log.seeds == (87287,) and log.wall_time == "0:00:00"


def test_one_log_may_hold_renamed_columns_printed_lines_a_minimisation_and_a_rerun() -> None:
    log = read_log(STYLES / "log.custom")
    assert [block.kind for block in log] == ["run", "run", "run", "minimize", "run", "rerun"]
    assert log.complete
    first = log[0]
    assert first.texts == ("Step", "Time", "Temp", "Pressure", "c_msd[4]", "v_doubled", "Density", "CPU")
    assert first.notes == ("2 lines between the rows were no rows and were left out.",)
    np.testing.assert_allclose(first["v_doubled"], 2 * first["Temp"], rtol=1e-11)
    # The last row of the lines, the first of the YAML and that of the several lines are of the same state.
    assert log[0]["c_msd[4]"][-1] == log[1]["c_msd[4]"][0]
    assert log[1]["Pressure"][-1] == log[2]["Pressure"][0]
    assert log[5]["Step"].tolist() == [450, 500]


def test_a_run_that_ends_in_an_error_keeps_its_rows_and_the_words_of_the_error() -> None:
    log = read_log(STYLES / "log.error")
    assert not log.complete and log.error == "ERROR: Lost atoms: original 108 current 3"
    assert not log[-1].complete and "Lost atoms" in log[-1].reason
    assert log[-1]["Temp"].tolist() == [1.44, 1.2385013e32]
    with pytest.raises(InputError, match="stopped with: ERROR: Lost atoms"):
        log[5]


def test_logs_of_2020_give_their_rows_and_units() -> None:
    log = read_log(LJ / "LJ_melt" / "log.lammps")
    assert log.version == "3 Mar 2020" and log.complete and len(log[0]) == 11
    np.testing.assert_allclose(log[0]["PotEng"][[0, -1]], [-6.7733681, log[0]["v_e2body"][-1]], rtol=1e-6)
    assert log[0].n_atoms == 4000 and log[0].loop_time == 24.0282


def test_a_log_of_hundreds_of_runs_gives_a_block_each() -> None:
    log = read_log(LJ / "distance_2LJ_beads" / "log.lammps")
    assert len(log) == 521 and log.complete and len(log.warnings) > 500
    distance = 0.4 + 0.01 * np.arange(521)
    energy = np.array([block["c_pe"][0] for block in log])
    inside = (distance > 0.8) & (distance < 2.49)
    exact = 4 * (distance**-12.0 - distance**-6.0)
    # The box is periodic: beyond half of it the nearest image counts.
    np.testing.assert_allclose(energy[inside], exact[inside] * energy[inside][0] / exact[inside][0], atol=2e-5)


def test_columns_carry_the_units_of_the_style_and_of_the_user() -> None:
    log = read_log(ARGON / "log.liquid94K.lammps")
    assert (log.units, log.timestep, log.seeds) == ("real", 4.0, (102486,))
    data = log[-1].dataset(units={"v_eta": "Pa*s", "v_kappa": "W/(m*K)"})
    units = {v.name: v.unit for v in data.space}
    assert units["Press"] == "atm" and units["Time"] == "fs" and units["TotEng"] == "kcal/mol"
    assert units["c_msd_4"] == "angstrom^2" and units["v_eta"] == "Pa*s"
    assert data.source.unstated == ("v_Jx", "v_Jy", "v_Jz")
    assert len(data) == 161 and data.in_units({"Press": "MPa"})["Press"][0] == pytest.approx(208.45226 * 0.101325)


def test_the_mean_of_a_column_has_its_unit_and_an_honest_interval() -> None:
    block = read_log(ARGON / "log.liquid94K.lammps")[-1]
    pressure = block.mean("Press")
    assert pressure.unit == "atm" and pressure.enough and pressure.n_samples == 161
    assert pressure.value == pytest.approx(23.5 / 0.101325, rel=0.01)
    assert pressure.interval[0] < 231.6 < pressure.interval[1]
    assert not read_log(STYLES / "log.one")[0].mean("Temp").enough


@pytest.mark.parametrize(
    ("style", "units"),
    [
        ("lj", ("1", "1", "1", "1", "s")),
        ("metal", ("K", "bar", "eV", "angstrom^3", "s")),
        ("si", ("K", "Pa", "J", "m^3", "s")),
        ("cgs", ("K", "dyne/cm^2", "erg", "cm^3", "s")),
        ("electron", ("K", "Pa", "hartree", "bohr^3", "s")),
        ("micro", ("K", "pg/(um*us^2)", "pg*um^2/us^2", "um^3", "s")),
        ("nano", ("K", "ag/(nm*ns^2)", "ag*nm^2/ns^2", "nm^3", "s")),
    ],
)
def test_every_style_of_units_is_known(tmp_path: Path, style: str, units: tuple[str, ...]) -> None:
    text = (STYLES / "log.one").read_text().replace("units lj", f"units {style}")
    text = re.sub(r"E_pair +E_mol +TotEng +Press", "Press PotEng Volume CPU", text)
    data = read_log(written(tmp_path, text))[0].dataset()
    assert tuple(data.space[name].unit for name in ("Temp", "Press", "PotEng", "Volume", "CPU")) == units


def test_the_vector_of_a_compute_has_not_the_unit_of_its_scalar(tmp_path: Path) -> None:
    text = "LAMMPS (22 Jul 2025)\nunits metal\ncompute g all gyration\ncompute t all temp\ncompute m all msd\n"
    text += "Per MPI rank memory allocation (min/avg/max) = 3\n Step c_g c_g[1] c_t c_t[1] c_m c_m[4]\n 0 1 2 3 4 5 6\n"
    data = read_log(written(tmp_path, text))[0].dataset()
    assert [v.unit for v in data.space][1:] == ["angstrom", "angstrom^2", "K", "eV", "1", "angstrom^2"]
    assert data.source is not None and data.source.unstated == ("c_m",)


def test_a_log_cut_anywhere_gives_its_whole_rows_and_says_that_it_is_cut(tmp_path: Path) -> None:
    for style in ("one", "yaml", "multi", "custom"):
        content = (STYLES / f"log.{style}").read_bytes()
        whole = read_log(STYLES / f"log.{style}")
        start = content.index(b"Per MPI rank")
        for end in range(start + 200, len(content), 97):
            (tmp_path / "log").write_bytes(content[:end])
            log = read_log(tmp_path / "log")
            for k, block in enumerate(log):
                reference = whole[k].values
                assert len(block) <= len(reference)
                if len(block):
                    np.testing.assert_array_equal(block.values, reference[: len(block)])
                assert block.complete == (block.reason == "") and (block.complete or k == len(log) - 1)


def test_numbers_that_are_none_stay_in_the_rows(tmp_path: Path) -> None:
    text = "Per MPI rank memory allocation (min/avg/max) = 1\n Step Temp Press\n 0 1 nan\n 1 -nan inf\n"
    text += "Loop time of 1 on 1 procs for 1 steps with 2 atoms\n"
    block = read_log(written(tmp_path, text))[0]
    assert math.isnan(block["Press"][0]) and math.isnan(block["Temp"][1]) and block["Press"][1] == math.inf


def test_a_damaged_row_is_named_by_its_line(tmp_path: Path) -> None:
    text = (STYLES / "log.one").read_text()
    line = next(k for k, row in enumerate(text.splitlines(), 1) if row.startswith("       100"))
    with pytest.raises(InputError, match=rf"line {line}, holds '0.8x221933' in the column 'Temp'"):
        read_log(written(tmp_path, text.replace("0.82219326", "0.8x221933")))


HEAD = "Per MPI rank memory allocation (min/avg/max) = 3 | 3 | 3 Mbytes\n"
LOOP = "Loop time of 1 on 1 procs for 100 steps with 4 atoms\n"


def run_of(said: str, rows: str, header: str = "Step Press", loop: str = LOOP) -> str:
    """A log of one run: what was said before, and rows parted by commas."""
    return f"LAMMPS (22 Jul 2025)\n{said}\nrun 100\n{HEAD} {header}\n" + rows.replace(",", "\n") + f"\n{loop}"


EVEN, MIXED = "0 1,50 2,100 3", "0 1,20 1000,40 1000,50 2,60 1000,80 1000,100 3"


@pytest.mark.parametrize(
    ("said", "rows", "header"),
    [
        ("thermo 50\nfix p all print 20 '$(step) $(2*(lx+1))'", MIXED, "Step Press"),
        ("thermo 50\nfix p all print 20 &\n '${a} $b'", MIXED, "Step Press"),
        ("thermo 5\nfix p all print 10 '$(step) 3'", "0 1,5 2,10 3,10 2,15 2", "Step Press"),
        ("fix p all print 20 '$(temp) 7'", "1 1,2 7,3 7,4 4", "Temp Press"),
        ("", "0 1,10 2,10 1000,20 3", "Step Press"),
    ],
)
def test_printed_lines_that_look_like_rows_are_refused_in_a_sentence(
    tmp_path, said: str, rows: str, header: str
) -> None:
    with pytest.raises(
        InputError, match="cannot be told from lines that were printed among them, which hold 2 numbers"
    ):
        read_log(written(tmp_path, run_of(said, rows, header)))


def test_echoed_commands_of_a_megabyte_take_no_time(tmp_path: Path) -> None:
    for text in ("${" * 300_000, "(" * 600_000, "$(" * 100_000 + ")" * 100_000):
        began = time.perf_counter()
        assert len(read_log(written(tmp_path, run_of(f"thermo 50\nfix p all print 1 '{text}'", EVEN)))) == 1
        assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    ("said", "rows", "n"),
    [
        ("thermo 50\nfix p all print 20 '$(step) $(2*(lx+1))'", EVEN, 3),
        ("thermo 50\nfix p all print 20 '$(step) $(lx) $(ly)'", EVEN, 3),
        ("fix p all print 20 'at $(step)'\nthermo ${n}\nthermo 7", "3 1,7 2,14 2,20 2", 4),
        ("fix p all print 20 '$(step) 7' screen no", "3 1,7 2,20 2", 3),
        ("fix p all print 20 '$(step) 7'\nunfix p", "3 1,7 2,20 2", 3),
        ("fix p all print 20 '$(step) 7'\nclear", "3 1,7 2,20 2", 3),
    ],
)
def test_rows_that_no_printed_line_can_stand_among_are_read(tmp_path: Path, said: str, rows: str, n: int) -> None:
    assert len(read_log(written(tmp_path, run_of(said, rows)))[0]) == n


def test_every_block_has_the_units_and_meanings_that_held_when_it_ran(tmp_path: Path) -> None:
    first = run_of("units real\ntimestep 4.0\nvariable a equal press", "0 1 2,50 3 4", "Step Press v_a")
    more = f"variable a equal temp\nrun 100\n{HEAD} Step Press v_a\n0 1 2\n{LOOP}"
    cleared = f"clear\nunits metal\nrun 100\n{HEAD} Step Press v_a\n0 1 2\n{LOOP}"
    log = read_log(written(tmp_path, first + more + cleared))
    assert [block.units for block in log] == ["real", "real", "metal"] and log.units == "metal" and log.timestep is None
    units = [[variable.unit for variable in block.dataset().space] for block in log]
    assert units == [["1", "atm", "atm"], ["1", "atm", "K"], ["1", "bar", "K"]]


@pytest.mark.parametrize("rest", ["", "       50   1.68"])
def test_a_log_appended_to_one_of_a_killed_run_is_read_with_its_own_words(tmp_path: Path, rest: str) -> None:
    header, row = "Step Temp E_pair E_mol TotEng Press", "0 3 -6.7 0 -2.2 -3.7,50 1.6 -4.8 0 -2.2 5.5"
    killed = run_of("units real\npair_coeff 1 1 1.0 1.0 2.5", row, header, loop="") + rest
    after = run_of("units metal\ntimestep 0.002\npair_coeff 1 1 1.0 1.0 2.5", row, header)
    log = read_log(written(tmp_path, killed + after.replace("run 100", "run 200")))
    assert [(len(block), block.complete, block.units, block.command) for block in log] == [
        (2, False, "real", "run 100"),
        (2, True, "metal", "run 200"),
    ]
    assert "ended from outside" in log[0].reason and log.timestep == 0.002
    assert ("The last row was cut off and left out." in log[0].notes) == bool(rest)


def test_warnings_between_rows_are_kept_and_are_no_rows(tmp_path: Path) -> None:
    text = (
        (STYLES / "log.one")
        .read_text()
        .replace("        50 ", "WARNING: bond is too long (src/a.cpp:1)\n        50 ", 1)
    )
    log = read_log(written(tmp_path, text))
    assert len(log[0]) == 5 and log.warnings == ("WARNING: bond is too long (src/a.cpp:1)",) and log[0].notes == ()


def test_a_printed_line_that_begins_with_step_is_no_header(tmp_path: Path) -> None:
    text = (STYLES / "log.one").read_text()
    printed = text.replace("units lj", "Step one: heat the crystal\nunits lj", 1)
    log = read_log(written(tmp_path, printed))
    assert log.complete and len(log) == 2 and log.units == "lj"
    # A run without its setup (pre no) prints the header and nothing before it.
    bare = "\n".join(row for row in text.splitlines() if not row.startswith("Per MPI rank"))
    assert [len(block) for block in read_log(written(tmp_path, bare))] == [5, 3]


def test_a_packed_log_reads_like_a_plain_one(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress((STYLES / "log.one").read_bytes()))
    np.testing.assert_array_equal(read_log(path)[0].values, read_log(STYLES / "log.one")[0].values)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"hello\n", "neither LAMMPS' name nor a block"),
        (b"LAMMPS (1 Jan 2022)\n\0\0\0\n", "line 2, holds zero bytes"),
        (b"x" * (2**20 + 10), "line 1, is longer than"),
        (gzip.compress(b"LAMMPS (1 Jan 2022)\n" * 1000, mtime=0)[:-30], "packed and damaged or cut off"),
    ],
)
def test_what_is_no_log_is_one_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "log"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_log(path)


def test_a_missing_log_a_folder_and_a_wrong_style_are_one_sentence(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "no", "There is no log"), (tmp_path, "is a folder")):
        with pytest.raises(InputError, match=words):
            read_log(path)
    with pytest.raises(InputError, match="did you mean 'real'"):
        read_log(STYLES / "log.one", units="reel")
    with pytest.raises(InputError, match="no column 'Tempp'; did you mean 'Temp'"):
        read_log(STYLES / "log.one")[0]["Tempp"]
    with pytest.raises(InputError, match="has no column 'Prss'"):
        read_log(STYLES / "log.one")[0].dataset(units={"Prss": "Pa"})


def test_a_script_that_failed_before_any_run_says_so(tmp_path: Path) -> None:
    log = read_log(written(tmp_path, "LAMMPS (1 Jan 2022)\nERROR: Unknown pair style (src/force.cpp:1)\n"))
    assert not log.complete
    with pytest.raises(InputError, match=r"no run began in it\. LAMMPS stopped with: ERROR: Unknown pair"):
        log[-1]
