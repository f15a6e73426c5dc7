"""The real CalculiX: known solutions, and our closure in it against our own solid."""

from __future__ import annotations

import re
import runpy
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.errors import InputError
from scalebridge.macro import MeanDisplacement, MeanStrain, MeanStress, ReactionForce, Solid, meshes
from scalebridge.simulators.calculix import CalculiX, CalculixSolid, Ccx, Nodal, Printed, deck, read_frd
from scalebridge.testing import check_macro, check_model
from tests.macro.laws import Elastic, PowerLaw, Softening, answer
from tests.simulators.calculix.test_macro import QOIS, agrees, plate

pytestmark = [
    pytest.mark.adapters,
    pytest.mark.skipif(shutil.which("ccx") is None, reason="ccx is not installed (apt-get install calculix-ccx)"),
]


def cantilever(nx, ny):
    """A deck of ``CPS8`` elements: length 10 mm, height 1 mm, clamped left, sheared right."""
    grid = {}
    for j in range(2 * ny + 1):
        for i in range(2 * nx + 1):
            if i % 2 == 0 or j % 2 == 0:
                grid[i, j] = len(grid)
    points = np.array([[10.0 * i / (2 * nx), j / (2 * ny), 0.0] for i, j in grid])
    offsets = [(0, 0), (2, 0), (2, 2), (0, 2), (1, 0), (2, 1), (1, 2), (0, 1)]
    cells = np.array([[grid[2 * i + a, 2 * j + b] for a, b in offsets] for j in range(ny) for i in range(nx)])
    left, right = ([grid[i, j] + 1 for j in range(2 * ny + 1)] for i in (0, 2 * nx))
    # A parabolic traction of 0.1 N for a thickness of 0.1 mm, by Simpson's rule on each edge.
    y = np.linspace(0, 1, 2 * ny + 1)
    rule = np.zeros_like(y)
    for j in range(ny):
        rule[2 * j : 2 * j + 3] += np.array([1, 4, 1]) / (6 * ny)
    loads = 6 * y * (1 - y) * rule
    return "\n".join(
        [
            *deck.nodes(points),
            *deck.elements("CPS8", cells),
            *deck.members("NSET", "LEFT", left),
            *deck.members("NSET", "RIGHT", right),
            "*MATERIAL, NAME=M",
            "*ELASTIC",
            "{{ young [MPa] }}, 0.3",
            # Thin: CalculiX makes solid elements of these, whose shear through the thickness stiffens a thick one.
            "*SOLID SECTION, ELSET=ALL_ELEMENTS, MATERIAL=M",
            "0.1",
            "*BOUNDARY",
            "LEFT, 1, 2",
            "*STEP",
            "*STATIC",
            "*CLOAD",
            *(f"{node}, 2, {deck.number(value)}" for node, value in zip(right, 0.1 * loads / loads.sum(), strict=True)),
            "*NODE PRINT, NSET=RIGHT",
            "U",
            "*NODE PRINT, NSET=LEFT, TOTALS=ONLY",
            "RF",
            "*NODE FILE",
            "U",
            "*EL FILE",
            "S",
            "*END STEP",
            "",
        ]
    )


def test_a_cantilever_has_the_deflection_of_timoshenko_and_the_stress_of_the_bending_moment():
    model = CalculiX(
        {"beam.inp": cantilever(20, 4)},
        {"young": ("Pa", 1e9, 3e11)},
        {"deflection": "m", "reaction": "N", "stress": "Pa", "mises": "Pa"},
        {
            "deflection": Printed("displacements", "vy", "RIGHT", "mean", unit="mm"),
            "reaction": Printed("total force", "fy", "LEFT"),
            "stress": Nodal("STRESS", 0, at=[(5.0, 0.0, 0.0)], unit="MPa"),
            "mises": Nodal("STRESS", "mises", "max", unit="MPa"),
        },
    )
    young = 2.1e5  # MPa
    runs = model.run(np.array([[young * 1e6]]))
    deflection, reaction, stress, mises = runs.values[0]
    bending, shear = 1000 / (3 * young / 12), 10 / (5 / 6 * young / 2.6)
    assert deflection * 1e3 == pytest.approx(bending + shear, rel=5e-3)
    assert reaction == pytest.approx(-0.1, rel=1e-6)
    # M y / I in the middle: 5 N mm * 0.5 mm / (1/12) mm^4, compressed below.
    assert abs(stress) * 1e-6 == pytest.approx(30.0, rel=1e-2)
    assert mises * 1e-6 > 50
    assert re.fullmatch(r"\d+\.\d+.*", model.identity()["calculix"])
    check_model(model)


HEAT = """*NODE, NSET=ALL
1, 0., 0., 0.
2, 1., 0., 0.
3, 1., 1., 0.
4, 0., 1., 0.
5, 0., 0., 2.
6, 1., 0., 2.
7, 1., 1., 2.
8, 0., 1., 2.
*ELEMENT, TYPE=DC3D8, ELSET=BAR
1, 1, 2, 3, 4, 5, 6, 7, 8
*NSET, NSET=BOTTOM
1, 2, 3, 4
*NSET, NSET=TOP
5, 6, 7, 8
*MATERIAL, NAME=M
*CONDUCTIVITY
{{ conductivity [W/(m*K)] }}
*SOLID SECTION, ELSET=BAR, MATERIAL=M
*STEP
*HEAT TRANSFER, STEADY STATE
*BOUNDARY
BOTTOM, 11, 11, 300.
TOP, 11, 11, {{ hot [K] }}
*NODE PRINT, NSET=TOP, TOTALS=ONLY
RFL
*NODE FILE
NT
*END STEP
"""


def test_a_bar_conducts_as_fourier_says():
    model = CalculiX(
        {"heat.inp": HEAT},
        {"conductivity": ("W/(m*K)", 0.1, 100), "hot": ("K", 300, 500)},
        {"flow": "W", "middle": "K"},
        {"flow": Printed("total heat generation"), "middle": Nodal("NDTEMP", None, at=[(0.5, 0.5, 1.0)])},
    )
    runs = model.run(np.array([[5.0, 400.0]]))
    np.testing.assert_allclose(runs.values[0], [5.0 * 100 / 2, 350.0], rtol=1e-6)
    at = {"hot": 400.0, "conductivity": "50 mW/(cm*K)"}
    temperature = model.fields(at=at, system="m, kg, s")["NDTEMP"]
    assert temperature.unit == "K" and temperature.statistic("mean") == pytest.approx(350.0)
    with pytest.raises(InputError, match=r"'heat' gave no fields at \{'hot': 400\.0, .*no material was assigned"):
        replace(model, deck={"heat.inp": HEAT.replace("MATERIAL=M\n*STEP", "MATERIAL=NO\n*STEP")}).fields(at=at)


def test_errors_of_the_real_program_are_rows_with_its_sentence():
    def failed(text):
        model = CalculiX(
            {"d.inp": text}, {"hot": ("K", 300, 500)}, {"flow": "W"}, {"flow": Printed("total heat generation")}
        )
        runs = model.run(np.array([[400.0]]))
        assert runs.status[0] == "failed"
        return runs.reason[0]

    plain = HEAT.replace("{{ conductivity [W/(m*K)] }}", "5.")
    assert "no material was assigned to element 1" in failed(
        plain.replace("*SOLID SECTION, ELSET=BAR, MATERIAL=M\n", "")
    )
    assert "could not interpret the card *HEATTRANSFR" in failed(plain.replace("HEAT TRANSFER", "HEAT TRANSFR"))
    # A card that it leaves out in a second step is only a warning.
    second = plain[plain.index("*STEP") :].replace("*BOUNDARY", "*BOUNDRAY")
    assert "could not interpret the line '*BOUNDRAY'" in failed(plain + second)
    # As is a parameter.
    misspelt = plain.replace("*BOUNDARY", "*BOUNDARY, AMPLITUD=RAMP")
    assert "could not interpret the line '*BOUNDARY,AMPLITUD=RAMP'" in failed(misspelt)
    assert "printed no 'total heat generation'" in failed(plain.replace("TOP, TOTALS=ONLY\nRFL", "TOP\nNT"))


def test_a_body_that_is_not_held_is_no_result():
    text = (
        HEAT[: HEAT.index("*MATERIAL")].replace("DC3D8", "C3D8")
        + """*MATERIAL, NAME=M
*ELASTIC
210000., 0.3
*SOLID SECTION, ELSET=BAR, MATERIAL=M
*BOUNDARY
1, 1, 1
*STEP
*STATIC
*CLOAD
7, 3, {{ force [N] }}
*NODE FILE
U
*NODE PRINT, NSET=ALL
U
*END STEP
"""
    )
    model = CalculiX({"d.inp": text}, {"force": "N"}, {"u": "mm"}, {"u": Printed("displacements", "vz", unit="mm")})
    runs = model.run(np.array([[1.0]]))
    assert runs.status[0] == "failed" and "not held against every motion" in runs.reason[0]


def test_an_analysis_that_does_not_converge_says_how_far_it_came():
    text = """*NODE, NSET=ALL
1, 0., 0.
2, 1., 0.
3, 1., 1.
4, 0., 1.
*ELEMENT, TYPE=CPS4, ELSET=E
1, 1, 2, 3, 4
*MATERIAL, NAME=M
*ELASTIC
1000., 0.3
*PLASTIC
1., 0.
1., 1.
*SOLID SECTION, ELSET=E, MATERIAL=M
1.
*BOUNDARY
1, 1, 2
4, 1
2, 2
*STEP, INC=20
*STATIC
0.25, 1.
*CLOAD
2, 1, {{ force [N] }}
3, 1, {{ force [N] }}
*NODE PRINT, NSET=ALL
U
*END STEP
"""
    model = CalculiX(
        {"d.inp": text}, {"force": "N"}, {"u": "m"}, {"u": Printed("displacements", "vx", statistic="max")}
    )
    runs = model.run(np.array([[0.3], [2.0]]))
    assert runs.status.tolist() == ["ok", "failed"]
    assert "last solved increment is" in runs.reason[1]


def test_a_patch_of_distorted_cells_carries_a_constant_strain_exactly():
    mesh = meshes.rectangle(1.0, 1.0, 3, 3, cells="quadrilateral")
    mesh.mesh.doflocs[:, 5:10] += np.random.default_rng(0).uniform(-0.05, 0.05, (2, 5)) * (
        (mesh.mesh.p[:, 5:10] > 0.01) & (mesh.mesh.p[:, 5:10] < 0.99)
    ).all(0)
    sides = {side: (lambda x: 1e-3 * x[0] + 2e-3 * x[1], lambda x: 5e-4 * x[1]) for side in mesh.boundaries}
    solution = CalculixSolid(Solid(mesh, sides, qois={"s": MeanStress("xx")})).solve(PowerLaw())
    expected = np.array([1e-3, 5e-4, np.sqrt(2) * 1e-3])
    np.testing.assert_allclose(solution.states, np.tile(expected, (len(solution.states), 1)), rtol=1e-10)


@pytest.mark.parametrize(("cells", "order"), [("triangle", 1), ("triangle", 2), ("quadrilateral", 1)])
@pytest.mark.parametrize("law", [Elastic(), PowerLaw()])
def test_our_closure_in_calculix_agrees_with_our_solid(cells, order, law):
    solid = plate(cells, order, n=6)
    agrees(solid.solve(law), CalculixSolid(solid).solve(law), 1e-9)


@pytest.mark.parametrize(("length", "thickness"), [(1e-9, 1e-9), (1e-6, 1e-10), (1e3, 1.0)])
def test_bodies_of_nanometres_and_of_kilometres_are_solved_alike(length, thickness):
    mesh = meshes.rectangle(4 * length, 2 * length, 4, 3, cells="quadrilateral")
    held = {"left": (0, 0), "right": (0.02 * length, None)}
    qois = {"force": ReactionForce("right", "x"), "stress": MeanStress("xx")}
    solid = Solid(mesh, held, {"top": (0, 1e6)}, qois=qois, thickness=thickness)
    ours, theirs = solid.solve(PowerLaw()), CalculixSolid(solid).solve(PowerLaw())
    agrees(ours, theirs, 1e-9)
    nodes = solid.discrete.space.on("right")
    assert theirs.fields["reaction"][nodes, 0].sum() == pytest.approx(ours.qois["force"], rel=1e-6)


def test_corners_where_the_law_changes_within_an_element_are_solved_too():
    held = {"qois": {"u": MeanDisplacement("right", "y"), "s": MeanStrain("xx")}}
    solid = Solid(meshes.l_bracket("20 mm", 4), {"top": (0, 0)}, {"right": (None, -5e6)}, order=2, **held)
    ours = solid.solve(PowerLaw())
    assert np.abs(ours.states).max() > 0.04
    agrees(ours, CalculixSolid(solid).solve(PowerLaw()), 1e-9)


def test_the_reactions_that_calculix_prints_are_those_of_the_answer():
    solid = plate(n=6)
    solution = CalculixSolid(solid).solve(PowerLaw())
    nodes = solid.discrete.space.on("right")
    assert solution.fields["reaction"][nodes, 0].sum() == pytest.approx(solution.qois["force"], rel=1e-6)


def test_it_keeps_the_contract_of_a_macro_model():
    kept = {name: qoi for name, qoi in QOIS.items() if name != "strain"}
    check_macro(CalculixSolid(plate(n=4, qois=kept)), PowerLaw())


def test_a_mesh_is_refined_until_its_error_is_within_the_tolerance():
    solid = plate(n=2, qois={"force": ReactionForce("right", "x")})
    law = Elastic()

    @sb.model(inputs=solid.closure_inputs, outputs=solid.closure_outputs, batched=True)
    def micro(strain):
        return {"stress": law(strain).values}

    ours, theirs = (
        sb.solve(macro, micro, qoi="force", rtol=0.05, mesh="include", progress="none")
        for macro in (solid, CalculixSolid(solid))
    )
    assert theirs.converged and theirs.parts["mesh"] > 0
    assert theirs.parts["mesh"] == pytest.approx(ours.parts["mesh"], rel=1e-6)
    assert theirs.interval == pytest.approx(ours.interval, rel=1e-6)


def test_a_load_beyond_the_peak_is_told_by_calculix_too():
    solution = CalculixSolid(plate(pull=2e-2)).solve(Softening())
    assert not solution.converged and "load factor" in solution.reason


def test_an_unstable_equilibrium_is_found_by_the_stiffness_that_calculix_writes():
    solid = plate(n=2, pull=1e-6, qois={"force": ReactionForce("right", "x")})

    def falling(x):
        matrix = Elastic().matrix - 8e9 * np.outer([0, 0, 1], [0, 0, 1])
        return answer(x @ matrix.T, np.broadcast_to(matrix, (len(x), 3, 3)))

    ours, theirs = solid.solve(falling), CalculixSolid(solid).solve(falling)
    assert not ours.converged and not theirs.converged
    assert "not positive definite" in theirs.reason


def test_an_answer_costs_the_same_micro_runs_with_calculix_as_with_our_solid():
    law = PowerLaw()
    solid = plate(n=2, qois={"force": ReactionForce("right", "x")})

    @sb.model(inputs=solid.closure_inputs, outputs=solid.closure_outputs, batched=True)
    def micro(strain):
        return {"stress": law(strain).values}

    ours, theirs = (
        sb.solve(macro, micro, qoi="force", rtol=0.01, progress="none") for macro in (solid, CalculixSolid(solid))
    )
    assert ours.converged and theirs.converged
    assert theirs.micro_runs == ours.micro_runs
    assert theirs.value == pytest.approx(ours.value, rel=1e-6)
    low, high = theirs.interval
    assert low <= solid.solve(law).qois["force"] <= high


def test_the_example_of_a_plate_ends_in_its_numbers(capsys, monkeypatch):
    script = Path(__file__).parents[3] / "examples" / "calculix_plate" / "calculix_plate.py"
    monkeypatch.setattr("sys.argv", [str(script)])
    runpy.run_path(str(script), run_name="__main__")
    assert "runs of the cell" in capsys.readouterr().out


def test_results_in_text_and_binary_are_the_same(tmp_path):
    text = cantilever(4, 2).replace("{{ young [MPa] }}", "1000.")
    for name, content in (
        ("text", text),
        ("binary", text.replace("NODE FILE", "NODE OUTPUT").replace("EL FILE", "ELEMENT OUTPUT")),
    ):
        (tmp_path / f"{name}.inp").write_text(content)
        assert Ccx().run(tmp_path, name).status == "ok"
    one, other = read_frd(tmp_path / "text.frd", "mm, t, s"), read_frd(tmp_path / "binary.frd", "mm, t, s")
    assert one.mesh.cells[0].type == "quad8"
    for name, field in one.last.items():
        size = np.abs(field.values).max() or 1.0
        np.testing.assert_allclose(other.last[name].values, field.values, atol=1e-5 * size)
