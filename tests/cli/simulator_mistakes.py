"""Likely mistakes in studies whose models are simulators; none of these needs the simulator."""

from pathlib import Path

SPACES = 'inputs={temperature=["K", 200, 400]}, outputs={conductivity="W/(m*K)"}'
PRINTED = '{printed="k = (\\\\S+)", unit="W/(m*K)", script_unit="W/(m*K)"}'
SCRIPT = """\
units lj
variable temperature index 300
print "k = $(0.03*v_temperature/293)"
"""


def write_simulators(folder: Path) -> None:
    """Write an input script of LAMMPS and a reader."""
    (folder / "in.foam").write_text(SCRIPT)
    (folder / "reading.py").write_text("def conductivity(case):\n    return {}\n")


def program(rest: str) -> str:
    """A micro model of the kind program."""
    command = 'command=["no-such-solver", "{{ temperature }}"]'
    return f'models.foam={{kind="program", {command}, {SPACES}, {rest}}}'


def lammps(rest: str, name: str = "temperature") -> str:
    """The same of the kind lammps."""
    spaces = f'inputs={{{name}=["K", 200, 400]}}, outputs={{conductivity={PRINTED}}}, script_units={{{name}="K"}}'
    return f'models.foam={{kind="lammps", script="in.foam", {spaces}{rest}}}'


def ansys(script: str, rest: str) -> str:
    """The same of the kind ansys, in batch."""
    return f'models.foam={{kind="ansys", script="{script}", {SPACES}, {READ}, command=["ansys"]{rest}}}'


READ_KG = 'results={conductivity={file="k.txt", pattern="{number}", unit="kg"}}'
FLUID = 'models.foam={kind="lammps", fluid={properties=["viscosity"]}, seed="s"}'
READ = 'results={conductivity={file="k.txt", pattern="k = {number}"}}'
MESH = '{kind="rectangle", width="10 mm", height="5 mm", nx=2, ny=1}'
SIMULATORS = {
    "run_timeout_of_no_time": ("check", 'run.timeout="3 m"'),
    "program_not_installed": ("run", program(READ)),
    "program_output_that_nothing_reads": ("check", program('results={k={file="k.txt", pattern="{number}"}}')),
    "program_result_read_twice": ("check", program('results={conductivity={file="k", npy=true, npz="a"}}')),
    "program_unit_of_another_kind": ("check", program(READ_KG)),
    "lammps_variable_unknown": ("check", lammps("", name="temprature")),
    "lammps_way_unknown": ("check", lammps(', how="in-process"')),
    "lammps_program_not_there": ("run", lammps(', program="/no/such/lmp"')),
    "lammps_fluid_with_a_script_key": ("check", FLUID),
    "openfoam_reader_unknown": (
        "check",
        'models.foam={kind="openfoam", case="case", inputs={temperature={place="0/T:a", unit="K"}}, '
        'outputs={conductivity="W/(m*K)"}, results="reading.py:conductivty"}',
    ),
    "calculix_unit_of_no_deck": (
        "check",
        f'models.wall={{kind="calculix", mesh={MESH}, mesh_unit="mm", displacement={{left=[0, 0]}}}}',
    ),
    "ansys_script_missing": ("check", ansys("x.inp", "")),
    "ansys_live_key_of_a_batch": ("check", ansys("in.foam", ", cores=2")),
    "comsol_file_missing": (
        "check",
        f'models.foam={{kind="comsol", file="foam.mph", {SPACES}, results={{conductivity="k"}}}}',
    ),
}
