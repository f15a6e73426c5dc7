from __future__ import annotations

import numpy as np
import pytest

from scalebridge import InputError, UnitError, macro
from scalebridge.models import ClosureValue, MacroModel
from scalebridge.models.macro import AdaptiveMacro
from tests.macro.laws import Elastic, PowerLaw, Softening, adjoint_ratio

QOIS = {
    "force": macro.ReactionForce("right", "y"),
    "support": macro.ReactionForce("top", "y"),
    "corner": macro.MeanStress("yy", macro.Region(near=(0.05, 0.05), radius="20 mm")),
    "shear": macro.MeanStress("xy", macro.Region(box=((0, 0.05), (0, 0.05)))),
    "strain": macro.MeanStrain("yy", macro.Region(box=((0, 0.05), (0.05, 0.1)))),
    "drift": macro.MeanDisplacement("right", "x"),
}


def bracket(n=4, order=1, cells="triangle", **options):
    options = {"displacement": {"top": (0, 0), "right": (None, "-2 mm")}, "qois": QOIS, **options}
    return macro.Solid(macro.meshes.l_bracket("100 mm", n, cells), order=order, **options)


def bar(right, law_load="displacement", n=6, cells="triangle", order=1, **options):
    held = {"left": (0, None), "bottom": (None, 0)}
    mesh = macro.meshes.rectangle("60 mm", "30 mm", n, cells=cells)
    if law_load == "displacement":
        return macro.Solid(mesh, {**held, "right": (right, None)}, order=order, **options)
    return macro.Solid(mesh, held, {"right": (right, None)}, order=order, **options)


@pytest.mark.parametrize(
    ("cells", "order"), [("triangle", 1), ("triangle", 2), ("quadrilateral", 1), ("quadrilateral", 2)]
)
def test_uniform_strain_is_reproduced_exactly_on_every_element(cells, order):
    strain = np.array([[0.01, 0.004], [0.004, -0.006]])
    whole = {side: tuple(lambda x, row=row: row[0] * x[0] + row[1] * x[1] for row in strain) for side in SIDES}
    mesh = macro.meshes.plate_with_hole(0.04, 0.06, 0.008, 4, cells=cells)
    solution = macro.Solid(mesh, {**whole, "hole": whole["left"]}, order=order).solve(PowerLaw())
    assert solution.converged
    np.testing.assert_allclose(
        solution.states, np.tile([0.01, -0.006, 0.004 * np.sqrt(2)], (len(solution.states), 1)), atol=1e-12
    )


SIDES = ("left", "right", "bottom", "top")


@pytest.mark.parametrize(
    ("cells", "order"), [("triangle", 1), ("triangle", 2), ("quadrilateral", 1), ("quadrilateral", 2)]
)
@pytest.mark.parametrize("qoi", QOIS)
def test_adjoint_is_the_derivative_of_every_quantity_of_interest(cells, order, qoi):
    difference, predicted = adjoint_ratio(bracket(2, order, cells), PowerLaw(), qoi, 1e3, 0.01)
    assert predicted == pytest.approx(difference, rel=1e-6)


def test_adjoint_is_right_under_traction_where_nothing_is_prescribed_on_the_loaded_edge():
    model = bar("5 MPa", "traction", qois={"stretch": macro.MeanDisplacement("right", "x")})
    difference, predicted = adjoint_ratio(model, PowerLaw(), "stretch", 1e2, 0.01)
    assert predicted == pytest.approx(difference, rel=1e-6)


def test_reactions_balance_and_follow_the_thickness():
    thin, thick = (bracket(thickness=t).solve(PowerLaw()) for t in ("1 mm", "4 mm"))
    assert thin.qois["force"] == pytest.approx(-thin.qois["support"], rel=1e-6)
    assert thick.qois["force"] == pytest.approx(4 * thin.qois["force"], rel=1e-6)


def test_traction_is_carried_by_the_support():
    solution = bar("5 MPa", "traction", thickness="2 mm").solve(PowerLaw())
    assert solution.qois["reaction_left_x"] == pytest.approx(-5e6 * 0.03 * 0.002, rel=1e-7)


def test_body_force_is_carried_by_the_support():
    model = bar(None, body_force=("1 MN/m^3", 0.0))
    assert model.solve(Elastic()).qois["reaction_left_x"] == pytest.approx(-1e6 * 0.06 * 0.03, rel=1e-7)


def test_reaction_of_a_bar_is_positive_in_tension():
    young, poisson = 3e9, 0.3
    solution = bar("0.06 mm").solve(Elastic(young, poisson))
    assert solution.qois["reaction_right_x"] == pytest.approx(young / (1 - poisson**2) * 1e-3 * 0.03, rel=1e-9)


def test_restart_moves_nothing():
    model = bracket(8)
    first = model.solve(PowerLaw())
    again = model.solve(PowerLaw(), first.restart)
    for name, value in first.qois.items():
        assert again.qois[name] == pytest.approx(value, rel=1e-8)
    assert first.algebraic_error["force"] < 1e-6 * abs(first.qois["force"])


def test_a_solution_of_a_coarser_mesh_starts_one_on_a_finer_mesh():
    coarse = bracket(4)
    fine = coarse.refined_everywhere()
    start = coarse.solve(PowerLaw()).restart
    assert fine.solve(PowerLaw(), start).qois["force"] == pytest.approx(fine.solve(PowerLaw()).qois["force"], rel=1e-8)


def test_a_law_of_almost_perfect_plasticity_is_solved_in_load_steps():
    solution = bracket(8, displacement={"top": (0, 0), "right": (None, "-20 mm")}).solve(
        PowerLaw(exponent=0.01, onset=1e-4)
    )
    assert solution.converged
    assert solution.qois["force"] == pytest.approx(-solution.qois["support"], rel=1e-6)


def test_a_load_past_the_limit_point_is_refused_with_the_load_factor():
    # The peak of the bar's nominal stress is found by hand from its own response below the peak.
    carried = [t for t in range(1, 12) if bar(f"{t} MPa", "traction").solve(Softening()).converged]
    peak = carried[-1]
    solution = bar(f"{2 * peak} MPa", "traction").solve(Softening())
    assert not solution.converged
    assert solution.qois == {}
    assert "limit point near load factor 0.5" in solution.reason


def test_an_unstable_equilibrium_past_the_peak_is_refused():
    solution = bar("2 mm").solve(Softening())
    assert not solution.converged
    assert "limit point" in solution.reason


def test_a_closure_that_answers_nan_is_a_solution_that_failed_with_a_reason():
    def broken(x):
        good = PowerLaw()(x)
        return ClosureValue(
            np.where(np.abs(x).max(1, keepdims=True) > 5e-3, np.nan, good.values), good.tangent, good.inside
        )

    solution = bracket().solve(broken)
    assert not solution.converged
    assert "not finite" in solution.reason
    assert np.isfinite(solution.states).all()


def test_a_closure_in_single_precision_is_solved_to_its_round_off():
    def coarse(x):
        good = PowerLaw()(x)
        return ClosureValue(good.values.astype(np.float32).astype(float), good.tangent, good.inside)

    solution, exact = bracket(8).solve(coarse), bracket(8).solve(PowerLaw())
    assert solution.converged, solution.reason
    assert solution.qois["force"] == pytest.approx(exact.qois["force"], rel=1e-6)
    assert 0 < solution.algebraic_error["force"] < 1e-6 * abs(exact.qois["force"])


def test_states_outside_the_domain_of_the_closure_are_reported_and_used():
    def doubtful(x):
        good = PowerLaw()(x)
        return ClosureValue(good.values, good.tangent, np.zeros(len(x), dtype=bool))

    solution = bracket().solve(doubtful)
    assert solution.converged
    assert not solution.fields["inside"].any()


def test_start_states_are_strains_of_the_size_that_the_displacement_causes():
    model = bracket(8)
    states = model.start_states
    visited = model.solve(Elastic()).states
    assert states.shape == (6, 3)
    assert np.linalg.norm(states, axis=1).max() == pytest.approx(np.linalg.norm(visited, axis=1).max(), rel=1e-9)
    assert bar("1 MPa", "traction").start_states is None


def test_solid_keeps_the_contract_of_a_macro_model():
    model = bracket()
    assert isinstance(model, MacroModel)
    assert isinstance(model, AdaptiveMacro)
    solution = model.solve(PowerLaw())
    assert solution.states.shape == (96, 3)
    assert solution.sensitivity("force").shape == (96, 3)
    assert solution.fields["displacement"].shape == solution.fields["points"].shape


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"displacement": {"topp": (0, 0)}}, "no boundary 'topp'; did you mean 'top'?"),
        ({"traction": {"rigth": (1, 0)}}, "no boundary 'rigth'; did you mean 'right'?"),
        ({"displacement": {"right": (None, "1 mm")}}, "let the body move"),
        ({"displacement": {"top": (0,)}}, "give 2 values"),
        ({"displacement": {"top": (0, "1 parrot")}}, "not a quantity"),
        ({"displacement": {"top": (0, True)}}, "give a number in m"),
        ({"displacement": {"top": (0, float("nan"))}}, "not finite"),
        ({"displacement": {"top": (0, 0), "left": (0, "1 mm")}}, "at the corner where they meet"),
        ({"qois": {"f": macro.ReactionForce("rihgt", "x")}}, "did you mean 'right'?"),
        ({"qois": {"f": macro.ReactionForce("right", "z")}}, "direction 'z'"),
        ({"qois": {"f": macro.ReactionForce("right", "x")}}, "on 'right' along x was asked for, but nothing is"),
        ({"qois": {"f": macro.MeanStress("zz")}}, "component 'zz'"),
        ({"qois": {"f": {"kind": "reaction_forse", "boundary": "right"}}}, "did you mean 'reaction_force'?"),
        ({"qois": {"f": {"kind": "reaction_force", "boundry": "right"}}}, "did you mean 'boundary'?"),
        ({"qois": {"f": "force"}}, "give one of scalebridge.macro"),
        ({"order": 3}, "the order 1 or 2"),
        ({"thickness": "-1 mm"}, "positive length"),
    ],
)
def test_a_likely_mistake_gets_one_clear_sentence(options, words):
    with pytest.raises(InputError, match=r"(?s)^[^\n]+$") as caught:
        bracket(2, **options)
    assert words in str(caught.value)


def test_a_displacement_in_a_wrong_unit_is_refused():
    with pytest.raises(UnitError, match="does not convert to 'm'"):
        bracket(displacement={"top": (0, 0), "right": (None, "2 s")})


def test_an_unknown_quantity_of_interest_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="did you mean 'force'"):
        bracket().solve(PowerLaw()).sensitivity("forse")


def test_a_start_of_another_kind_is_refused():
    with pytest.raises(InputError, match="restart"):
        bracket().solve(PowerLaw(), np.zeros(3))


def test_mappings_declare_the_same_problem_as_objects():
    model = macro.Solid(
        {"kind": "l_bracket", "size": "100 mm", "n": 4},
        {"top": (0, 0), "right": ("free", "-2 mm")},
        qois={
            "force": {"kind": "reaction_force", "boundary": "right", "direction": "y"},
            "corner": {"kind": "mean_stress", "component": "yy", "region": {"near": [0.05, 0.05], "radius": "20 mm"}},
        },
    )
    mine, theirs = model.solve(PowerLaw()).qois, bracket().solve(PowerLaw()).qois
    assert mine == {name: pytest.approx(theirs[name]) for name in ("force", "corner")}
