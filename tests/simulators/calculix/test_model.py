"""A deck with placeholders as a model; CalculiX is the stand-in here."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.quantities import Space, Variable
from scalebridge.simulators.calculix import CalculiX, Nodal, Printed, dat, running
from scalebridge.simulators.calculix.results import moved_away
from scalebridge.simulators.calculix.running import uninterpreted
from scalebridge.testing.calculix import fake_ccx

DECK = """*NODE, NSET=ALL_NODES
1, 0., 0.
2, {{ length [mm] }}, 0.
3, {{ length [mm] }}, 1.
4, 0., 1.
*ELEMENT, TYPE=CPE4, ELSET=ALL_ELEMENTS
1, 1, 2, 3, 4
*MATERIAL, NAME=STEEL
*ELASTIC
{{ young [MPa] }}, 0.3
*SOLID SECTION, ELSET=ALL_ELEMENTS, MATERIAL=STEEL
1.
*BOUNDARY
1, 1, 2
4, 1
2, 2
*STEP
*STATIC
*BOUNDARY
2, 1, 1, 0.01
3, 1, 1, 0.01
*NODE PRINT, NSET=ALL_NODES
U, RF
*EL PRINT, ELSET=ALL_ELEMENTS
S
*END STEP
"""
INPUTS = {"length": ("m", 1e-3, 1e-2), "young": ("Pa", 1e9, 3e11)}


def bar(tmp_path, fault="none", deck=DECK, **changed):
    """A strip pulled by 0.01 mm."""
    given = {
        "outputs": {"stress": "Pa", "thinning": "m"},
        "results": {
            "stress": Printed("stresses", "sxx", statistic="max", unit="MPa"),
            "thinning": Printed("displacements", "vy", statistic="min", unit="mm"),
        },
        **changed,
    }
    return CalculiX(
        {"bar.inp": deck},
        INPUTS,
        given.pop("outputs"),
        given.pop("results"),
        program=fake_ccx(tmp_path, fault),
        **given,
    )


def test_values_are_in_the_units_of_the_outputs(tmp_path):
    model = bar(tmp_path)
    x = np.array([[2e-3, 2e11], [4e-3, 2e11]])
    runs = model.run(x)
    # Plane strain, free on top: sigma = E / (1 - nu²) * strain.
    np.testing.assert_allclose(runs.values[:, 0], 2e11 / 0.91 * 1e-5 / x[:, 0], rtol=1e-6)
    np.testing.assert_allclose(runs.values[:, 1], -0.3 / 0.7 * 1e-5 / x[:, 0] * 1e-3, rtol=1e-6)


def test_a_number_of_many_digits_keeps_its_exponent(tmp_path):
    # Read by CalculiX up to 20 characters, its shortest form would be 1.234...: five orders too large.
    x = np.array([[2e-3, 1.234691346912469e-05]])
    assert len(repr(x[0, 1] * 1e-6)) > 20
    np.testing.assert_allclose(bar(tmp_path).run(x).values[0, 0], x[0, 1] / 0.91 * 1e-5 / 2e-3, rtol=1e-6)
    wide = bar(tmp_path, deck=DECK.replace("{{ young [MPa] }}", "{{ young [MPa] : .17e }}")).run(x)
    assert wide.status[0] == "failed" and "reads 20 characters only" in wide.reason[0]


def test_what_the_result_depends_on_is_in_its_identity(tmp_path):
    first, other = bar(tmp_path), bar(tmp_path, deck=DECK.replace("0.3", "0.31"))
    assert first.identity() == bar(tmp_path).identity() and first.identity() != other.identity()
    assert first.identity() != bar(tmp_path, version="2").identity()

    def tallest(folder):
        return 0.0

    def smallest(folder):
        return 1.0

    one, same, another = (
        bar(tmp_path, outputs={"u": "m"}, results={"u": f}).identity() for f in (tallest, tallest, smallest)
    )
    assert one == same != another and "0x" not in one["results"]


def test_the_release_of_calculix_is_part_of_its_identity_and_asked_once(tmp_path):
    def release(text):
        program.write_text(text)
        program.chmod(0o755)
        return replace(model, program=str(program)).identity()["calculix"]

    model, program, asked = bar(tmp_path), tmp_path / "ccx_other", tmp_path / "asked"
    # As CalculiX ends: with 201.
    says = f"#!/bin/sh\necho >> {asked}\nprintf '\\nThis is Version {{}}\\n\\n'\nexit 201\n"
    assert release(says.format("2.20")) == "2.20"
    assert replace(model, program=str(program)).identity()["calculix"] == "2.20"
    assert asked.read_text() == "\n"
    assert release(says.format("2.22 (i8)")) == "2.22 (i8)"
    assert release("#!/bin/sh\n") == "unknown" == model.identity()["calculix"]
    assert release("no program") == "unknown" == replace(model, program="none").identity()["calculix"]


def test_a_program_that_does_not_say_its_release_in_time_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "_PATIENCE", 1.0)
    start = time.monotonic()
    assert bar(tmp_path, "hang").identity()["calculix"] == "unknown"
    assert time.monotonic() - start < 30


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        ("error", "failed", "ERROR in calinput: no material was assigned to element 1"),
        ("quiet error", "failed", "ERROR in calinput: no material was assigned to element 1"),
        ("not converged", "failed", "too many cutbacks; its last solved increment is 1 of step 1, at time 0.25"),
        ("half a file", "failed", "line|printed no"),
        ("not a number", "failed", "is nan"),
        ("crash", "failed", "SIGKILL|signal 9|killed"),
        ("nothing", "failed", "ended before its job was finished"),
        ("hang", "timeout", "1 s|time"),
    ],
)
def test_a_run_that_fails_is_a_status_with_a_reason(tmp_path, fault, status, words):
    folders = tmp_path / "folders"
    model = bar(tmp_path, fault, timeout=1.0 if fault == "hang" else 60.0, folder=folders)
    runs = model.run(np.array([[2e-3, 2e11]]))
    assert runs.status[0] == status and re.search(words, runs.reason[0]), runs.reason[0]
    assert list(folders.iterdir()) == []


def test_a_card_that_calculix_leaves_out_is_a_failure_unless_it_is_named(tmp_path):
    log = tmp_path / "ccx.log"
    warned = (
        " *WARNING in calinput. Card image cannot be inter    preted:\n *WARNING reading the input file. Card image:\n"
        "          {}\n\n"
    )
    log.write_text("".join(warned.format(line) for line in ("*PREPRINT,ECHO=NO", "1,2", "*CLAOD", "TIP,2,20.")))
    assert "could not interpret the line '*PREPRINT,ECHO=NO'" in uninterpreted(log)
    assert "could not interpret the line '*CLAOD'" in uninterpreted(log, ["*Preprint"])
    assert uninterpreted(log, ["*PREPRINT", "*CLAOD"]) is None
    with pytest.raises(InputError, match=r"give a list, as in \['\*PREPRINT'\]"):
        bar(tmp_path, skipped="*PREPRINT")


def test_a_parameter_that_calculix_leaves_out_is_a_failure_too_but_not_the_name_of_a_step(tmp_path):
    log = tmp_path / "ccx.log"
    warned = (
        " *WARNING reading *STEP: parameter not recognized:\n          {1}\n"
        " *WARNING reading *STEP. Card image:\n          *STEP,{0}\n\n"
    )
    both = "NAME=STEP-1,NLGEM"
    log.write_text(warned.format(both, "NAME=STEP-1"))
    assert uninterpreted(log) is None
    log.write_text(warned.format(both, "NAME=STEP-1") + warned.format(both, "NLGEM"))
    assert "could not interpret the line '*STEP,NAME=STEP-1,NLGEM' of the deck, or a parameter" in uninterpreted(log)
    assert uninterpreted(log, ["*STEP"]) is None


@pytest.mark.parametrize("named", ["INPUT=/data/steel.inc", 'input = "../steel.inc"', "INPUT=a/../../steel.inc"])
def test_a_file_that_does_not_come_with_the_deck_is_refused(tmp_path, named):
    card = f"*INCLUDE, {named}\n"
    with pytest.raises(InputError, match=r"'bar\.inp' reads '.*steel\.inc', which does not come with it"):
        bar(tmp_path, deck=DECK + card)
    (tmp_path / "deck").mkdir()
    (tmp_path / "deck" / "mesh.inc").write_text(card)
    (tmp_path / "deck" / "bar.inp").write_text(DECK + "*INCLUDE, INPUT=mesh.inc\n**" + card)
    with pytest.raises(InputError, match=r"'mesh\.inc' reads"):
        CalculiX(tmp_path / "deck", INPUTS, {"u": "m"}, {"u": Printed("displacements", "vx")})


def test_a_body_that_is_not_held_is_told_by_its_displacements(tmp_path):
    text = (Path(__file__).parents[3] / "data" / "calculix-results" / "kinds.frd").read_text()
    (tmp_path / "bar.frd").write_text(text)
    assert moved_away(tmp_path) is None
    at = text.index(" -1", text.index(" -4  DISP"))
    (tmp_path / "bar.frd").write_text(text[: at + 13] + " 1.10000E+11" + text[at + 25 :])
    assert "displacements of 1.1e+11 in a mesh of the size" in moved_away(tmp_path)


def test_the_outputs_of_a_run_read_its_results_once(tmp_path, monkeypatch):
    counted = []
    monkeypatch.setattr(dat, "read_dat", lambda path, whole=dat.read_dat: counted.append(path) or whole(path))
    names = ("max", "min", "mean")
    results = {name: Printed("displacements", "vy", statistic=name, unit="mm") for name in names}
    model = bar(tmp_path, outputs=dict.fromkeys(names, "mm"), results=results)
    runs = model.run(np.array([[2e-3, 2e11], [4e-3, 2e11]]))
    assert runs.ok.all() and len(counted) == 2
    assert runs.values[0, 1] == pytest.approx(2 * runs.values[1, 1], rel=1e-5) and runs.values[0, 1] < 0


def test_fields_are_asked_for_by_the_names_of_all_inputs(tmp_path):
    model = bar(tmp_path, "error")
    with pytest.raises(InputError, match=r"gave no fields at .*: CalculiX: ERROR in calinput: no material"):
        model.fields(at={"young": "200 GPa", "length": "2 mm"})
    for at in ({"young": 2e11}, {"young": 2e11, "length": 2e-3, "width": 1.0}, {}):
        with pytest.raises(InputError, match=r"'bar' takes length, young; 'at' gives "):
            model.fields(at=at)
    with pytest.raises(InputError, match=r"The input 'length' = '2 kg' does not convert to 'm'"):
        model.fields(at={"young": 2e11, "length": "2 kg"})


def test_an_input_of_several_numbers_is_an_array_of_the_fields_asked_for(tmp_path):
    deck = DECK.replace("2, 1, 1, 0.01", "2, 1, 1, {{ pull[0] [mm] }}").replace(
        "3, 1, 1, 0.01", "3, 1, 1, {{ pull[1] [mm] }}"
    )
    pull = Space([*Space(INPUTS), Variable("pull", "m", (2,))])
    model = CalculiX(
        {"bar.inp": deck}, pull, {"u": "m"}, {"u": Printed("displacements", "vx")}, program=fake_ccx(tmp_path)
    )
    at = {"young": "200 GPa", "length": "2 mm", "pull": [1e-5, 1e-5]}
    # The stand-in writes no .frd, so this is how far it comes.
    with pytest.raises(InputError, match=r"gave no fields at .*frd"):
        model.fields(at=at)
    with pytest.raises(InputError, match=r"gave 'pull' in the shape \(3,\) per sample; declared is \(2,\)"):
        model.fields(at={**at, "pull": [1.0, 2.0, 3.0]})


def test_a_result_that_is_not_there_is_told(tmp_path):
    results = {"stress": Printed("temperatures"), "thinning": Nodal("DISP", "norm")}
    runs = bar(tmp_path, results=results).run(np.array([[2e-3, 2e11]]))
    assert "printed no 'temperatures'; it printed displacements of ALL_NODES" in runs.reason[0]


def test_bad_input_is_refused_when_the_model_is_made(tmp_path):
    with pytest.raises(InputError, match="There is no deck"):
        CalculiX(tmp_path / "none.inp", INPUTS, {"u": "m"}, {"u": Printed("displacements", "vx")})
    with pytest.raises(InputError, match="holds a, b; name the deck to run"):
        CalculiX({"a.inp": DECK, "b.inp": DECK}, INPUTS, {"u": "m"}, {"u": Printed("displacements", "vx")})
    with pytest.raises(InputError, match="did you mean 'mean'"):
        Printed("displacements", "vx", statistic="meen")
    with pytest.raises(InputError, match="'norm' or 'mises'"):
        Nodal("STRESS", "tresca")
    with pytest.raises(InputError, match="apt-get install calculix-ccx"):
        bar(tmp_path).__class__(
            {"a.inp": DECK}, INPUTS, {"u": "m"}, {"u": Printed("forces", "fx")}, program="none"
        ).run(np.array([[2e-3, 2e11]]))
