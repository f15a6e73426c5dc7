"""A script is a model: variables in, results with deviations out, failures as rows."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pytest

from scalebridge.campaign import Campaign, Store
from scalebridge.errors import InputError, UnitError
from scalebridge.models.program import Limits
from scalebridge.quantities import Space, Variable
from scalebridge.simulators.lammps import Formula, FromFolder, Lammps, Live, Printed, Reading, Resources, Thermo
from scalebridge.testing import check_model
from tests.simulators.lammps.scripts import MELT

INPUTS = {"T": ("1", 0.5, 2.0), "rho": ("1", 0.6, 0.9)}
OUTPUTS = {"energy": Thermo("PotEng"), "pressure": Thermo("Press"), "twice": Printed(r"twice = (\S+)")}
STATE = np.array([[1.5, 0.8], [0.7, 0.65]])


def melt(program: Resources, script: str | Path = MELT, **options: Any) -> Lammps:
    given: dict[str, Any] = {"inputs": INPUTS, "outputs": OUTPUTS, "seed": "seed", "resources": program, **options}
    return Lammps(script, **given)


@pytest.mark.parametrize("how", ["process", "in process"])
def test_inputs_reach_the_script_and_means_come_back_with_their_deviation(program: Resources, how: str) -> None:
    states = np.repeat(STATE, 4, axis=0)
    runs = melt(program, how=how).run(states, range(8))
    assert runs.ok.all(), runs.reason
    temperature, density = states.T
    assert runs.noise_std is not None
    assert np.all(np.abs(runs.values[:, 0] - (1.5 * temperature - 10 * density)) < 5 * runs.noise_std[:, 0])
    assert np.all(np.abs(runs.values[:, 1] - density * temperature) < 5 * runs.noise_std[:, 1])
    # 401 independent rows of deviation 0.01; where chance makes a series look unsettled, it is larger.
    assert np.allclose(np.median(runs.noise_std[:, :2], axis=0), 0.01 / np.sqrt(401), rtol=0.3)
    assert np.all(runs.noise_std[:, :2] > 0.7 * 0.01 / np.sqrt(401))
    assert runs.values[:, 2] == pytest.approx(2 * temperature, rel=1e-12)
    assert np.all(runs.noise_std[:, 2] == 0) and (runs.cost_s > 0).all()


def test_both_ways_give_the_same_bits_with_the_same_seed(program: Resources) -> None:
    outputs = {**OUTPUTS, "formula": Formula("3*v_twice - 1", noise_std="v_T/100"), "moved": Formula("c_moved[4]")}
    one, other = (melt(program, outputs=outputs, how=how).run(STATE, (3, 4)) for how in ("process", "in process"))
    assert one.ok.all() and other.ok.all(), (one.reason, other.reason)
    # The compute draws a number of its own in the stand-in.
    assert np.array_equal(one.values[:, :4], other.values[:, :4])
    assert one.values[:, 3] == pytest.approx(6 * STATE[:, 0] - 1, rel=1e-14)
    assert one.noise_std is not None and one.noise_std[:, 3] == pytest.approx(STATE[:, 0] / 100)
    assert one.values[:, 4] == pytest.approx(0.2 * 4000 * 0.005, abs=0.02)


def test_it_keeps_the_contract_of_a_model(program: Resources) -> None:
    check_model(melt(program, how="in process"), STATE)


def test_another_seed_is_another_run_and_the_same_seed_the_same(program: Resources) -> None:
    model = melt(program)
    assert model.stochastic
    first, again, other = (model.run(STATE[:1], (seed,)).values for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first[:, :2], other[:, :2])


def test_seeds_of_any_size_are_ones_that_every_generator_of_lammps_takes(program: Resources) -> None:
    model = melt(program)
    for seed in (0, 2**63, 899_999_998, 899_999_999):
        assert 1 <= int(model.variables(STATE[0], seed)["seed"]) <= 899_999_999


def test_a_campaign_gives_every_replicate_its_own_seed(program: Resources) -> None:
    campaign = Campaign(melt(program))
    first, second, again = (campaign.run(STATE[:1], phase="p", why="w", replicate=r).values for r in (0, 1, 0))
    assert np.array_equal(first, again) and not np.array_equal(first, second)


@pytest.mark.parametrize("how", ["process", "in process"])
@pytest.mark.parametrize(("style", "status"), [("lj/cut", "ok"), ("lj/cutt", "failed")])
def test_six_rows_of_a_campaign_are_six_runs_whether_they_fail_or_not(
    program: Resources, tmp_path: Path, how: str, style: str, status: str
) -> None:
    # Without chance: rows solved together would be compared with one solved alone.
    script = MELT.replace("pair_style", f'print "run" append {tmp_path / "runs"} screen no\npair_style')
    options: dict[str, Any] = {"outputs": {"x": Printed(r"twice = (\S+)")}, "seed": None, "how": how}
    model = melt(program, script, constants={"style": style}, **options)
    with Campaign(model, retries=0) as campaign:
        runs = campaign.run(np.linspace([0.5, 0.6], [2.0, 0.9], 6), phase="p", why="w")
    assert set(runs.status) == {status}, runs.reason
    assert (tmp_path / "runs").read_text(encoding="utf-8") == "run\n" * 6


@pytest.mark.parametrize("how", ["process", "in process"])
def test_a_campaign_that_dies_keeps_the_rows_that_were_finished(program: Resources, tmp_path: Path, how: str) -> None:
    counts = tmp_path / "runs"

    def read(folder: Path) -> float:
        if counts.read_text(encoding="utf-8") == "run\n" * 2:
            raise KeyboardInterrupt
        return 1.0

    script = f'{MELT}print "run" append {counts} screen no\n'
    model = melt(program, script, outputs={"x": FromFolder(read)}, how=how)
    states = np.array([[0.6, 0.7], [0.7, 0.7], [0.9, 0.7]])
    with pytest.raises(KeyboardInterrupt), Store(tmp_path / "store") as store, Campaign(model, store) as campaign:
        campaign.run(states, phase="p", why="w")
    with Store(tmp_path / "store") as store, Campaign(model, store) as campaign:
        assert campaign.run(states, phase="p", why="w").ok.all()
    # The first of the two that were begun is there, the other one is run again.
    assert counts.read_text(encoding="utf-8") == "run\n" * 4


@pytest.mark.parametrize("how", ["process", "in process"])
@pytest.mark.parametrize(
    ("style", "reason"),
    [
        (
            "lj/cutt",
            "LAMMPS stopped at line 9 of 'script.in': pair_style ${style} 2.5: Unrecognized pair style 'lj/cutt'",
        ),
        (
            "pace",
            "is part of the ML-PACE package which is not enabled in this LAMMPS binary; use a LAMMPS that was built",
        ),
        ("lost", "LAMMPS stopped at line 16 of 'script.in': run 4000: Lost atoms: original 256 current 250; the atoms"),
        ("nan", "the output 'energy' is not there: the thermo column 'PotEng' is nan in row 1"),
        ("crash", "SIGKILL"),
    ],
)
def test_trouble_in_lammps_is_a_failed_row_that_names_line_and_cure(
    program: Resources, how: str, style: str, reason: str
) -> None:
    script = MELT.replace("style index lj/cut", f"style index {style}")
    runs = melt(program, script, how=how).run(STATE, (1, 2))
    assert list(runs.status) == ["failed", "failed"]
    assert all(reason in told for told in runs.reason), runs.reason
    assert np.isnan(runs.values).all()


@pytest.mark.parametrize("how", ["process", "in process"])
def test_a_run_that_hangs_ends_at_its_time_and_the_next_row_goes_on(program: Resources, how: str) -> None:
    script = MELT.replace("atom_style", 'if "${T} == 1.5" then "pair_style hang"\natom_style')
    runs = melt(program, script, how=how, timeout=2.0).run(STATE, (1, 2))
    assert list(runs.status) == ["timeout", "ok"], runs.reason
    assert runs.reason[0] == "LAMMPS had not ended after 2 s"


def test_the_time_of_a_run_is_a_number_or_a_text_and_so_in_its_limits(program: Resources) -> None:
    assert melt(program, timeout="10 min").resources.limits.timeout == 600
    assert melt(program, timeout=30).resources.limits.timeout == 30
    limited = replace(program, limits=Limits(timeout="1 h", memory="4 GB"))
    assert melt(limited).resources.limits.timeout == 3600
    assert melt(limited, timeout="2 s").resources.limits == Limits(timeout=2, memory=4_000_000_000)
    script = MELT.replace("style index lj/cut", "style index hang")
    runs = melt(program, script, timeout="2000 ms").run(STATE[:1])
    assert runs.reason == ("LAMMPS had not ended after 2 s",)


def test_a_model_shows_its_script_and_what_it_takes_and_gives(program: Resources) -> None:
    assert repr(melt(program)) == "Lammps('script.in': T, rho -> energy, pressure, twice)"


def test_a_row_of_nan_is_refused_before_lammps_sees_it(program: Resources) -> None:
    runs = melt(program).run(np.array([[np.nan, 0.8]]))
    assert runs.status[0] == "failed" and runs.reason == ("the input is not finite",)


def test_results_that_are_not_there_fail_the_row_in_words(program: Resources) -> None:
    told = {
        "no column 'Pres'; did you mean 'Press'?": Thermo("Pres"),
        "has 1 blocks and no block 3": Thermo("Press", run=3),
        "no line of 'log.lammps' reads like": Printed(r"viscosity = (\S+)"),
        "the file 'profile.txt' cannot be read": Printed(r"(\S+)", file="profile.txt"),
        "'=' in 'log.lammps' is no number": Printed(r"twice (\S+)"),
        "the output 'x' is not there: ZeroDivisionError: division by zero": FromFolder(lambda folder: 1 / 0),
        "the formula 'v_nothing' cannot be evaluated at the end of the script: Invalid variable": Formula("v_nothing"),
    }
    for words, source in told.items():
        runs = melt(program, outputs={"x": source}).run(STATE[:1])
        assert runs.status[0] == "failed" and words in runs.reason[0], (words, runs.reason)
        assert "/tmp" not in runs.reason[0]


def test_a_series_too_short_for_an_error_says_how_much_longer_it_must_be(program: Resources) -> None:
    runs = melt(program, MELT.replace("run             4000", "run 50"), outputs={"p": Thermo("Press")}).run(STATE[:1])
    assert runs.status[0] == "failed" and "times longer" in runs.reason[0]


def test_a_script_that_quits_early_lacks_its_formulas(program: Resources) -> None:
    runs = melt(program, MELT + "quit\n", outputs={"x": Formula("v_twice")}).run(STATE[:1])
    assert runs.ok.all() or "before 'v_twice' could be evaluated" in runs.reason[0]


def test_units_of_the_script_are_those_lammps_counts_in(program: Resources) -> None:
    script = MELT.replace("units           lj", "units real")
    outputs = {"pressure": Thermo("Press", unit="MPa"), "energy": Thermo("PotEng", unit="J/mol")}
    model = Lammps(script, {"T": ("degC", -200, 0)}, outputs, seed="seed", resources=program)
    assert float(model.variables(np.array([-173.15]), 0)["T"]) == pytest.approx(100, rel=1e-14)
    runs = model.run(np.array([[-173.15]]))
    assert runs.noise_std is not None
    # 80 atm, and (150 - 8) kcal/mol.
    assert runs.values[0] == pytest.approx([80 * 0.101325, 142 * 4184], rel=1e-4)
    assert runs.noise_std[0, 0] == pytest.approx(0.101325 * 0.01 / 20, rel=0.3)


def test_reduced_numbers_take_units_where_the_user_says_what_one_is(program: Resources) -> None:
    outputs = {"pressure": Thermo("Press", unit="MPa", script_unit="41.9 MPa")}
    model = Lammps(MELT, {"T": ("K", 80, 200)}, outputs, script_units={"T": "119.8 K"}, resources=program)
    assert float(model.variables(np.array([119.8]), 0)["T"]) == pytest.approx(1.0, rel=1e-15)
    assert model.run(np.array([[119.8]])).values[0, 0] == pytest.approx(0.8 * 41.9, rel=1e-3)


def test_units_that_cannot_be_told_are_refused_when_the_model_is_made(program: Resources) -> None:
    with pytest.raises(UnitError, match="units lj, which are reduced numbers"):
        Lammps(MELT, {"T": "K"}, OUTPUTS, resources=program)
    with pytest.raises(UnitError, match="name no unit of that kind"):
        Lammps(MELT.replace("lj\n", "real\n", 1), {"T": "W/(m*K)"}, OUTPUTS, resources=program)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"inputs": {"temperature": "1"}}, "no variable 'temperature'"),
        ({"inputs": {"twice": "1"}}, "Line 14 of 'script.in' sets the variable 'twice' with the style 'equal'"),
        ({"seed": "sed"}, "no variable 'sed'; did you mean 'seed'"),
        ({"outputs": {}}, "has no outputs"),
        ({"outputs": {"p": "Press"}}, "is a str; say where it is found with Thermo"),
        ({"outputs": {"p": Live(len)}}, "taken from the live LAMMPS"),
        ({"how": "inprocess"}, "how='inprocess'; did you mean 'in process'"),
        ({"how": "in process", "resources": Resources(processes=2)}, "asks for 2 processes in process"),
        ({"script_units": {"rh": "1"}}, "script_units of 'script.in' has 'rh'"),
        ({"files": ["no.such"]}, "there is no such file"),
        ({"constants": {"style": "lj/cut; rm"}}, None),
        ({"constants": {"style": 'a" quote'}}, "without quotes"),
        ({"units": "imperial"}, "has units 'imperial'"),
        ({"keep": "fail"}, "The model 'script.in' was given keep='fail'; did you mean 'failed'"),
        ({"timeout": 0}, "The model 'script.in': timeout = 0 leaves the program nothing; give more than 0"),
        ({"timeout": "10 kelvin"}, "The model 'script.in': timeout"),
        ({"timeout": "soon"}, "The model 'script.in': timeout"),
    ],
)
def test_what_cannot_be_is_said_when_the_model_is_made(program: Resources, options: Any, words: str | None) -> None:
    if words is None:
        assert melt(program, **options).constants == {"style": "lj/cut; rm"}
        return
    with pytest.raises(InputError, match=words.replace("(", r"\(")):
        melt(program, **options)


def test_sources_that_make_no_sense_are_refused() -> None:
    for make, words in (
        (lambda: Thermo("Press", statistic="median"), "'median'"),
        (lambda: Printed("a (b"), "no regular expression"),
        (lambda: Printed("no group"), "has 0 groups"),
        (lambda: Formula('v_x" shell rm'), "none that LAMMPS takes"),
    ):
        with pytest.raises(InputError, match=words):
            make()


def test_a_missing_script_or_program_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'in.nothing' cannot be read \(No such file or directory\)"):
        Lammps("in.nothing", INPUTS, OUTPUTS)
    with pytest.raises(InputError, match="The LAMMPS program '/no/lmp' \\(program\\) is not there"):
        melt(Resources(program="/no/lmp")).run(STATE)


def test_a_component_of_an_array_is_a_variable_of_its_own(program: Resources) -> None:
    script = MELT.replace("${T} ${T} 0.5", "${x_1} ${x_2} 0.5")
    model = Lammps(script, Space([Variable("x", shape=(2,))]), OUTPUTS, resources=program)
    assert model.variables(np.array([1.0, -2.5e-7]), 0) == {"x_1": "1", "x_2": "-2.5e-07"}
    assert model.run(np.array([[1.0, -2.5e-7]])).ok.all()


def test_files_beside_the_script_come_along_and_are_part_of_its_identity(program: Resources, tmp_path: Path) -> None:
    (tmp_path / "in.melt").write_text(MELT.replace("thermo          10", "include more.in"), encoding="utf-8")
    (tmp_path / "more.in").write_text("thermo 10\n", encoding="utf-8")
    model = melt(program, tmp_path / "in.melt")
    assert model.run(STATE[:1]).ok.all()
    before = model.identity()
    assert before["name"] == "lammps.in.melt" and "file more.in" in before
    (tmp_path / "more.in").write_text("thermo 20\n", encoding="utf-8")
    after = melt(program, tmp_path / "in.melt").identity()
    assert {k for k in before if before[k] != after[k]} == {"file more.in"}
    assert melt(program, outputs={"p": Thermo("Press", discard=3)}).identity() != melt(program).identity()


def test_a_run_can_begin_from_a_restart(program: Resources, tmp_path: Path) -> None:
    restart = tmp_path / "equilibrated.restart"
    restart.write_bytes(b"LammpS RestartT\0")
    script = MELT.replace("lattice         fcc ${rho}", "read_restart ${start_from}")
    model = melt(program, script, start_from=restart)
    assert model.variables(STATE[0], 0)["start_from"] == "equilibrated.restart"
    assert model.run(STATE[:1]).ok.all() and "file equilibrated.restart" in model.identity()
    with pytest.raises(InputError, match="no variable 'start_from'"):
        melt(program, start_from=restart)


def test_a_function_takes_numbers_from_the_live_lammps(program: Resources) -> None:
    outputs = {"T": Live(lambda lmp: Reading(lmp.extract_variable("twice"), 0.5, {"half": 0.1}))}
    runs = melt(program, outputs=outputs, how="in process").run(STATE)
    assert runs.values[:, 0] == pytest.approx(2 * STATE[:, 0])
    assert runs.noise_std is not None and runs.error_std is not None
    assert runs.noise_std[:, 0] == pytest.approx(0.5) and runs.error_std[:, 0] == pytest.approx(0.1)


def test_no_folder_is_left_unless_it_is_asked_for(program: Resources, tmp_path: Path) -> None:
    place = tmp_path / "runs"
    bad = MELT.replace("style index lj/cut", "style index nan")
    assert melt(program, folder=place).run(STATE[:1]).ok.all()
    melt(program, bad, folder=place).run(STATE[:1])
    assert not list(place.iterdir())
    kept = melt(program, bad, folder=place, keep="failed").run(STATE[:1])
    (folder,) = place.iterdir()
    assert kept.reason[0].endswith(f"(see '{folder}')") and (folder / "log.lammps").is_file()


def test_a_model_travels_to_another_process(program: Resources) -> None:
    copy = cloudpickle.loads(cloudpickle.dumps(melt(program)))
    assert np.array_equal(copy.run(STATE[:1], (1,)).values, melt(program).run(STATE[:1], (1,)).values)


def test_a_reader_of_a_file_loaded_by_hand_travels_to_workers(program: Resources, tmp_path: Path) -> None:
    file = tmp_path / "own_reading.py"
    file.write_text("def twice(folder):\n    return helper()\n\n\ndef helper():\n    return 2.0\n", encoding="utf-8")
    spec = importlib.util.spec_from_file_location("own_reading", file)
    assert spec is not None and spec.loader is not None
    sys.modules["own_reading"] = module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        model = melt(program, outputs={"x": FromFolder(module.twice)})
        with Campaign(model, executor="processes", retries=0) as campaign:
            runs = campaign.run(STATE, phase="p", why="w")
    finally:
        del sys.modules["own_reading"]
    assert runs.ok.all() and runs.values[:, 0].tolist() == [2.0, 2.0], runs.reason
