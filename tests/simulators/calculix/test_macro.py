"""A solid in CalculiX with our closure, against our own solid; CalculiX is the stand-in here."""

from __future__ import annotations

import re

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.macro import MeanDisplacement, MeanStrain, MeanStress, ReactionForce, Solid, meshes
from scalebridge.models.program import Limits
from scalebridge.simulators.calculix import CalculixSolid, Ccx
from scalebridge.testing.calculix import carried_out_here, fake_ccx
from tests.macro.laws import Elastic, PowerLaw, Softening, answer

QOIS = {
    "force": ReactionForce("right", "x"),
    "height": MeanDisplacement("top", "y"),
    "stress": MeanStress("xx"),
    "strain": MeanStrain("yy"),
}


def plate(cells="triangle", order=1, n=2, pull=2e-4, **changed):
    """A quarter of a plate with a hole, pulled to the right and pressed on top."""
    mesh = meshes.plate_with_hole("40 mm", "20 mm", "4 mm", n, part="quarter", cells=cells)
    held = {"left": (0, None), "bottom": (None, 0), "right": (pull, None)}
    return Solid(mesh, held, {"top": (0, 1e7)}, **{"qois": QOIS, "order": order, "thickness": "2 mm", **changed})


@pytest.fixture
def ccx(monkeypatch):
    """The stand-in, in this process."""
    monkeypatch.setattr(Ccx, "run", carried_out_here)
    return "ccx"


def agrees(ours, theirs, rtol):
    """Quantities, states and sensitivities of two solutions."""
    assert theirs.converged, theirs.reason
    size = max(abs(v) for v in ours.qois.values())
    assert size > 0
    for name, value in ours.qois.items():
        assert theirs.qois[name] == pytest.approx(value, rel=rtol)
        weights = ours.sensitivity(name)
        np.testing.assert_allclose(theirs.sensitivity(name), weights, atol=3e-6 * np.abs(weights).max())
    np.testing.assert_allclose(theirs.states, ours.states, atol=rtol * np.abs(ours.states).max())


@pytest.mark.parametrize("cells", ["triangle", "quadrilateral"])
def test_it_agrees_with_our_solid_far_below_the_digits_that_calculix_prints(ccx, cells):
    solid = plate(cells)
    agrees(solid.solve(PowerLaw()), CalculixSolid(solid, ccx).solve(PowerLaw()), 1e-10)


def graded(corner, levels):
    """A rectangle with small cells in one corner, somewhere in the plane."""
    mesh, corner = meshes.rectangle(0.04, 0.02, 2, 1).mesh, np.array(corner)
    plain = type(mesh)(mesh.p + corner[:, None], mesh.t)
    for level in range(levels):
        away = plain.p[:, plain.t].mean(1).T - corner - [0.04, 0.02]
        plain = plain.refined(np.flatnonzero(np.linalg.norm(away, axis=1) < 0.04 * 0.5**level))
    return plain.with_boundaries(
        {"left": lambda x: x[0] - corner[0] < 1e-9, "right": lambda x: x[0] - corner[0] > 0.04 - 1e-9}
    )


@pytest.mark.parametrize(("corner", "levels"), [((0.0, 0.0), 11), ((40.0, -70.0), 2)])
def test_small_cells_and_a_body_far_from_the_origin_have_their_points_told_apart(ccx, corner, levels):
    qois = {"force": ReactionForce("right", "x"), "stress": MeanStress("yy")}
    solid = Solid(graded(corner, levels), {"left": (0, 0), "right": (2e-4, None)}, qois=qois)
    agrees(solid.solve(PowerLaw()), CalculixSolid(solid, ccx).solve(PowerLaw()), 1e-8)


def test_a_linear_law_is_exact_after_few_analyses(ccx):
    solid = plate()
    solution = CalculixSolid(solid, ccx).solve(Elastic())
    ours = solid.solve(Elastic())
    assert solution.qois["force"] == pytest.approx(ours.qois["force"], rel=1e-11)
    assert solution.fields["n_analyses"] <= 5


def test_an_unsymmetric_tangent_has_its_own_adjoint(ccx):
    def turned(x):
        matrix = Elastic().matrix + 3e8 * np.array([[0.0, 0, 1], [0, 0, 0.5], [-1, 0.3, 0]])
        return answer(x @ matrix.T + 1e-2 * PowerLaw()(x).values, matrix + 1e-2 * PowerLaw()(x).tangent)

    solid = plate()
    agrees(solid.solve(turned), CalculixSolid(solid, ccx).solve(turned), 1e-8)


def test_a_solve_goes_on_from_its_own_restart(ccx):
    macro = CalculixSolid(plate(), ccx)
    first = macro.solve(PowerLaw())
    again = macro.solve(PowerLaw(), first.restart)
    assert again.fields["n_analyses"] < first.fields["n_analyses"]
    assert again.qois["force"] == pytest.approx(first.qois["force"], rel=1e-10)
    with pytest.raises(InputError, match="give the `restart` of an earlier solution of its own"):
        macro.solve(PowerLaw(), 3.0)


def test_a_load_beyond_the_peak_is_no_solution_and_says_so(ccx):
    solid = plate(pull=2e-2)
    assert not solid.solve(Softening()).converged
    solution = CalculixSolid(solid, ccx).solve(Softening())
    assert not solution.converged and "load factor" in solution.reason


def test_a_closure_without_numbers_is_no_solution(ccx):
    solution = CalculixSolid(plate(), ccx).solve(lambda x: answer(x * np.nan, np.zeros((len(x), 3, 3))))
    assert not solution.converged and "not finite" in solution.reason


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("error", "ERROR in calinput: no material was assigned to element 1"),
        ("quiet error", "ERROR in calinput: no material"),
        ("not converged", "too many cutbacks; its last solved increment is 1 of step 1, at time 0.25"),
        ("half a file", "line|rows|printed"),
        ("not a number", "no number"),
        ("crash", "SIGKILL|killed"),
        ("nothing", "ended before its job was finished"),
        ("hang", "not ended after 1 s|1 s"),
    ],
)
def test_an_analysis_that_fails_is_a_reason(tmp_path, fault, words):
    macro = CalculixSolid(plate(), fake_ccx(tmp_path, fault), limits=Limits(timeout=1.0 if fault == "hang" else 60.0))
    solution = macro.solve(Elastic())
    assert not solution.converged
    assert re.search(words, solution.reason), solution.reason


def test_threads_are_told_to_the_program_by_its_own_variables():
    assert set(Ccx(threads=3).environment.values()) == {"3"}
    assert {"OMP_NUM_THREADS", "CCX_NPROC_EQUATION_SOLVER"} < set(Ccx().environment)
    with pytest.raises(InputError, match="0 threads; give a whole number from 1"):
        Ccx(threads=0)


def test_a_body_of_which_every_displacement_is_prescribed_has_its_reactions(ccx):
    sides = {side: (lambda x: 1e-3 * x[0], 0.0) for side in ("left", "right", "bottom", "top")}
    solid = Solid(meshes.rectangle(1.0, 1.0, 1), sides, qois={"f": ReactionForce("right", "x")})
    for sign in (1.0, -1.0):
        law = Elastic(young=sign * 3e9)
        solution = CalculixSolid(solid, ccx).solve(law)
        assert solution.qois["f"] == pytest.approx(solid.solve(law).qois["f"], rel=1e-10)
        np.testing.assert_allclose(solution.sensitivity("f"), solid.solve(law).sensitivity("f"), atol=1e-6)


def test_the_program_is_run_and_no_folder_is_left(tmp_path):
    program = fake_ccx(tmp_path)
    folders = tmp_path / "folders"
    macro = CalculixSolid(plate(), program, folder=folders)
    solution = macro.solve(Elastic())
    solution.sensitivity("force")
    assert solution.converged and list(folders.iterdir()) == []


def test_decks_of_a_solve_that_failed_are_kept_where_asked(ccx, tmp_path):
    macro = CalculixSolid(plate(), ccx, folder=tmp_path, keep="failed")
    assert macro.solve(Elastic()).converged and list(tmp_path.iterdir()) == []
    assert not macro.solve(lambda x: answer(x * np.nan, np.zeros((len(x), 3, 3)))).converged
    assert len(list(tmp_path.iterdir())) == 1


def test_what_it_cannot_solve_is_refused_when_it_is_made():
    with pytest.raises(InputError, match="no plane-strain element like a quadrilateral of order 2"):
        CalculixSolid(plate("quadrilateral", 2))
    with pytest.raises(InputError, match=r"give a scalebridge\.macro\.Solid"):
        CalculixSolid("plate.inp")
    with pytest.raises(InputError, match=r"CalculixSolid was given keep='fail'.*did you mean 'failed'"):
        CalculixSolid(plate(), keep="fail")
    with pytest.raises(InputError, match="apt-get install calculix-ccx"):
        CalculixSolid(plate(), "no_such_ccx").solve(Elastic())
