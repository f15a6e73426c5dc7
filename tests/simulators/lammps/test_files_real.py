"""Against the real LAMMPS: restart files, tail corrections, and what this installation writes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.models.program import carry_out
from scalebridge.simulators.lammps.averages import read_averages
from scalebridge.simulators.lammps.corrections import lennard_jones_tail
from scalebridge.simulators.lammps.data_files import read_data, write_data
from scalebridge.simulators.lammps.dumps import read_dump
from scalebridge.simulators.lammps.library import find_program
from scalebridge.simulators.lammps.logs import Log, read_log
from scalebridge.simulators.lammps.restarts import read_restart, read_restart_header

STYLES = Path(__file__).parents[3] / "data" / "lammps-styles"


def missing() -> str:
    try:
        find_program()
    except InputError as error:
        return str(error)
    return ""


pytestmark = [pytest.mark.adapters, pytest.mark.skipif(bool(missing()), reason=missing() or "LAMMPS is there")]

FLUID = """
units {units}
lattice fcc {lattice}
region box block 0 4 0 4 0 4
create_box 1 box
create_atoms 1 box
mass 1 {mass}
velocity all create {temperature} 4928459
pair_style lj/cut {cut_off}
pair_coeff 1 1 {epsilon} {sigma}
{more}
fix 1 all nve
thermo_style custom step temp pe press vol
thermo_modify norm yes
thermo 10
run 20
"""
LJ = {"units": "lj", "lattice": 0.8442, "mass": 1, "temperature": 1.44, "cut_off": 2.5, "epsilon": 1, "sigma": 1}
ARGON = {
    "units": "real",
    "lattice": 5.78015,
    "mass": 39.948,
    "temperature": 94.4,
    "cut_off": 10.2,
    "epsilon": 0.238067,
    "sigma": 3.405,
}


def run(folder: Path, text: str) -> Log:
    found = find_program()
    (folder / "in.run").write_text(text, encoding="utf-8")
    argv = [found.program, "-in", "in.run", "-log", "log.run", "-screen", "none"]
    ended = carry_out(argv, folder, environment={"OMP_NUM_THREADS": "1", **found.environment})
    assert ended.status == "ok", ended.reason
    return read_log(folder / "log.run")


@pytest.mark.parametrize("given", [LJ, ARGON], ids=["lj", "real"])
def test_the_tail_is_what_lammps_adds(tmp_path: Path, given: dict) -> None:
    plain = run(tmp_path, FLUID.format(**given, more=""))[0]
    mended = run(tmp_path, FLUID.format(**given, more="pair_modify tail yes"))[0]
    tail = lennard_jones_tail(
        256 / plain["Volume"][0], given["epsilon"], given["sigma"], given["cut_off"], given["units"]
    )
    in_style = tail.pressure / (101325.0 if given["units"] == "real" else 1.0)
    np.testing.assert_allclose(mended["Press"] - plain["Press"], in_style, rtol=2e-5)
    np.testing.assert_allclose(mended["PotEng"] - plain["PotEng"], tail.energy, rtol=2e-5)


@pytest.mark.parametrize("name", ["out", "tri"])
def test_a_restart_file_is_read_through_lammps(name: str) -> None:
    header = read_restart_header(STYLES / f"{name}.restart")
    data = read_restart(STYLES / f"{name}.restart")
    text = read_data(STYLES / ("out.data" if name == "out" else "tri.data"))
    assert (len(data), data.step, data.units) == (header.n_atoms, header.step, header.units)
    np.testing.assert_allclose(data.positions(unwrapped=True), text.positions(unwrapped=True), atol=1e-9)
    np.testing.assert_allclose(data.velocities, text.velocities, atol=1e-9)


def test_a_restart_file_that_lammps_cannot_read_is_its_sentence(tmp_path: Path) -> None:
    path = tmp_path / "cut.restart"
    path.write_bytes((STYLES / "out.restart").read_bytes()[:2000])
    with pytest.raises(InputError, match="LAMMPS could not read the restart file"):
        read_restart(path)


def test_a_data_file_that_we_wrote_is_read_by_lammps(tmp_path: Path) -> None:
    data = read_data(STYLES / "plain.data")
    write_data(data, tmp_path / "ours.data")
    text = "units metal\natom_style full\nbond_style harmonic\npair_style lj/cut 2.5\nread_data ours.data\n"
    run(tmp_path, text + "write_data theirs.data types numeric\n")
    theirs = read_data(tmp_path / "theirs.data")
    np.testing.assert_allclose(theirs.atoms[:, :7], data.atoms[:, :7], atol=1e-9)
    assert len(theirs.topology["Bonds"]) == len(data.topology["Bonds"])


@pytest.mark.parametrize("style", ["one", "multi", "yaml"])
def test_this_installation_writes_logs_dumps_and_averages_that_are_read(tmp_path: Path, style: str) -> None:
    more = "dump d all custom 10 out.dump.gz id type xs ys zs ix iy iz c_e\n"
    more += "fix a all ave/time 1 10 10 c_thermo_temp file t\n"
    text = FLUID.format(**LJ, more="compute e all pe/atom\n" + more).replace(
        "thermo_style custom step temp pe press vol\n", f"thermo_style {style}\n"
    )
    log = run(tmp_path, text)
    assert log.complete and log[0]["Step"].tolist() == [0, 10, 20] and log.seeds == (4928459,)
    dump = read_dump(tmp_path / "out.dump.gz")
    assert [snapshot.step for snapshot in dump] == [0, 10, 20]
    energies = [snapshot["c_e"].mean() for snapshot in dump]
    total = log[0]["PotEng"] if "PotEng" in log[0] else log[0]["E_pair"]
    np.testing.assert_allclose(energies, total, atol=1e-4)
    assert read_averages(tmp_path / "t").column("TimeStep").tolist() == [10, 20]


def test_a_zstd_dump_is_read_or_its_sentence_says_how_to_unpack_it(tmp_path: Path) -> None:
    program = shutil.which("zstd")
    if program is None:
        pytest.skip("there is no zstd here")
    subprocess.run([program, "-q", str(STYLES / "tri.dump"), "-o", str(tmp_path / "tri.zst")], check=True)
    try:
        assert len(read_dump(tmp_path / "tri.zst")) == 3
    except InputError as error:
        assert "zstd -d" in str(error)
