"""Plies, stacking sequences and laminates: what they take, and what they refuse."""

import subprocess
import sys

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.errors import InputError, ShapeError, UnitError
from scalebridge.macro.laminate import (
    Beam,
    Laminate,
    Layer,
    Ply,
    Strength,
    SupportedPlate,
    angles,
    first_ply_failure,
)

PLY = Ply("45.6 GPa", 16.2e9, 0.278, "5.83 GPa", G23="5.79 GPa")


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        ("[0]", (0,)),
        ("[0/90]s", (0, 90, 90, 0)),
        ("[0/90]2s", (0, 90, 0, 90, 90, 0, 90, 0)),
        ("[0/±45/90]S", (0, 45, -45, 90, 90, -45, 45, 0)),
        ("[ 0_2 / -30 / 22.5 ]", (0, 0, -30, 22.5)),
        ("[+-60_2]", (60, -60, 60, -60)),
    ],
)
def test_a_stacking_sequence_is_read_from_the_bottom_up(sequence: str, expected: tuple[float, ...]) -> None:
    assert angles(sequence) == expected


@pytest.mark.parametrize("sequence", ["0/90", "[0//90]", "[0/x]", "[]", "[0/90]s2", "[0]0", "[0_]"])
def test_what_is_no_sequence_is_refused_in_a_sentence(sequence: str) -> None:
    with pytest.raises(InputError, match="stacking sequence"):
        angles(sequence)


def test_amounts_are_numbers_in_si_units_or_texts() -> None:
    assert (PLY.E1, PLY.E2, PLY.G13) == (45.6e9, 16.2e9, 5.83e9)
    assert Layer(PLY, 0.0, "0.25 mm").thickness == pytest.approx(2.5e-4)
    with pytest.raises(UnitError, match="E1"):
        Ply("45 kg", 16e9, 0.28, 5e9)


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"E1": 0.0}, "E1"), ({"E2": -1.0}, "E2"), ({"G12": float("nan")}, "G12"), ({"nu12": 1.7}, "unstable")],
    ids=["no stiffness", "negative", "undefined", "unstable"],
)
def test_a_ply_that_cannot_be_is_refused(changed: dict[str, float], said: str) -> None:
    constants = {"E1": 45e9, "E2": 16e9, "nu12": 0.28, "G12": 5e9, **changed}
    with pytest.raises(InputError, match=said):
        Ply(**constants)  # type: ignore[arg-type]


def test_a_ply_is_made_of_homogenised_constants() -> None:
    rve = sb.micro.RVE(
        np.kron([[0, 0], [0, 1]], np.ones((8, 8), dtype=int)),
        [sb.micro.Elastic(3.5e9, 0.35), sb.micro.Elastic(72e9, 0.22)],
        plane="generalised",
    )
    from scalebridge.micro.rve.transverse import nearest_transversely_isotropic

    found = nearest_transversely_isotropic(rve.stiffness(), axis=3)
    ply = Ply.of(found, alpha2=30e-6)
    assert (ply.E1, ply.E2, ply.nu12, ply.G23, ply.alpha2) == (found.E_L, found.E_T, found.nu_L, found.G_T, 30e-6)
    # Fibres of a quarter of the section carry nearly all of the pull along.
    along = ply.E1
    assert along == pytest.approx(0.25 * 72e9 + 0.75 * 3.5e9, rel=0.01)
    assert Ply.of(sb.micro.engineering_constants(rve.stiffness())).E1 < 0.5 * ply.E1
    with pytest.raises(InputError, match="dict"):
        Ply.of({"E1": 1.0})


def test_an_empty_laminate_is_refused() -> None:
    with pytest.raises(InputError, match="no layers"):
        Laminate(())


def test_loads_of_another_shape_are_refused() -> None:
    with pytest.raises(ShapeError, match="moment"):
        Laminate.of(PLY, "[0]", 1e-3).loaded(moment=(1.0, 2.0))


def test_bending_with_shear_asks_for_the_modulus_across() -> None:
    bare = Laminate.of(Ply(45e9, 16e9, 0.28, 5e9), "[0/90]s", 1e-3)
    with pytest.raises(InputError, match="G23"):
        SupportedPlate(bare, 0.1, 0.1).deflection(1.0)
    assert SupportedPlate(bare, 0.1, 0.1, shear=False).deflection(1.0) > 0


@pytest.mark.parametrize("stacking", ["[0/90]", "[±45]s"])
def test_navier_refuses_laminates_for_which_it_does_not_hold(stacking: str) -> None:
    with pytest.raises(InputError, match="Navier"):
        SupportedPlate(Laminate.of(PLY, stacking, 1e-3), 0.1, 0.1)


def test_words_that_are_not_known_are_met_with_the_nearest() -> None:
    laminate = Laminate.of(PLY, "[0/90]s", 1e-3)
    with pytest.raises(InputError, match="did you mean 'uniform'"):
        SupportedPlate(laminate, 0.1, 0.1).deflection(1.0, load="uniforn")
    with pytest.raises(InputError, match="did you mean 'cantilever'"):
        Beam(laminate, 0.1, 0.01, "cantilevered")
    with pytest.raises(InputError, match="did you mean 'hashin'"):
        first_ply_failure(laminate, criterion="hashim")
    with pytest.raises(InputError, match="compression"):
        SupportedPlate(laminate, 0.1, 0.1).buckling(-1.0)


def test_failure_asks_for_strengths() -> None:
    with pytest.raises(InputError, match="Layer 0"):
        first_ply_failure(Laminate.of(PLY, "[0/90]s", 1e-3), force=(1.0, 0.0, 0.0))


def test_a_laminate_without_load_has_no_end_of_reserve() -> None:
    strong = Ply(45e9, 16e9, 0.28, 5e9, strength=Strength("1 GPa", "0.6 GPa", "40 MPa", "150 MPa", "70 MPa"))
    laminate = Laminate.of(strong, "[0/90]s", 1e-3)
    assert strong.strength == Strength(1e9, 0.6e9, 40e6, 150e6, 70e6, 75e6)
    assert all(
        np.isinf(first_ply_failure(laminate, criterion=c).reserve) for c in ("max_stress", "tsai_hill", "hashin")
    )


def test_the_room_needs_neither_torch_nor_a_finite_element_library() -> None:
    told = "import sys, scalebridge.macro.laminate; print({'torch', 'skfem', 'matplotlib', 'scipy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout == "set()\n"
    assert sb.macro.laminate.Ply is Ply
