"""Simply supported plates against published series: Reddy 2004; Timoshenko and Woinowsky-Krieger 1959."""

import math

import numpy as np
import pytest

from scalebridge.macro.laminate import Laminate, Ply, Strength, SupportedPlate, first_ply_failure
from scalebridge.macro.laminate.laminate import SHEAR_CORRECTION

ISOTROPIC = Ply(1.0, 1.0, 0.3, 1.0 / 2.6, G23=1.0 / 2.6)


def cross_ply(slenderness: float, ratio: float, G12: float, G23: float, shear: bool = True) -> SupportedPlate:
    """A square [0/90]s of thickness and E2 one; G13 is G12. The tables are of a shear correction of 5/6."""
    ply = Ply(ratio, 1.0, 0.25, G12, G23=G23)
    laminate = Laminate.of(ply, "[0/90]s", 0.25, shear_correction=SHEAR_CORRECTION)
    return SupportedPlate(laminate, slenderness, slenderness, shear)


@pytest.mark.parametrize(("slenderness", "published"), [(4, 1.7095), (10, 0.6627), (20, 0.4912), (100, 0.4337)])
def test_a_cross_ply_under_half_waves_bends_as_reddy_tabulates(slenderness: int, published: float) -> None:
    """100 w E2 h^3 / (q a^4) by first-order shear, E1/E2 = 25 (Reddy, J. Appl. Mech. 51 (1984) 745, table 2)."""
    found = cross_ply(slenderness, 25.0, 0.5, 0.2).deflection(1.0, load="sinusoidal")
    assert 100 * found / slenderness**4 == pytest.approx(published, abs=6e-5)


def test_without_shear_the_same_plate_bends_as_classical_theory_says() -> None:
    found = cross_ply(10.0, 25.0, 0.5, 0.2, shear=False).deflection(1.0, load="sinusoidal")
    assert 100 * found / 1e4 == pytest.approx(0.4312, abs=6e-5)


def test_a_cross_ply_under_uniform_pressure_bends_as_reddy_tabulates() -> None:
    assert 100 * cross_ply(10.0, 25.0, 0.5, 0.2).deflection(1.0) / 1e4 == pytest.approx(1.0250, abs=6e-5)


@pytest.mark.parametrize(
    ("ratio", "shear", "classical"),
    [(3, 5.399, 5.754), (10, 9.965, 11.492), (20, 15.351, 19.712), (30, 19.757, 27.936), (40, 23.453, 36.160)],
)
def test_a_cross_ply_buckles_as_reddy_and_phan_tabulate(ratio: int, shear: float, classical: float) -> None:
    """N b^2 / (E2 h^3) of a square of b/h = 10 (Reddy and Phan, J. Sound Vib. 98 (1985) 157)."""
    for with_shear, published in ((True, shear), (False, classical)):
        found = cross_ply(10.0, float(ratio), 0.6, 0.5, with_shear).buckling()
        assert 100 * found.load == pytest.approx(published, abs=6e-4)
        assert found.half_waves == (1, 1)


def test_an_isotropic_square_has_timoshenkos_deflection_and_moment() -> None:
    plate = SupportedPlate(Laminate.of(ISOTROPIC, [0.0], 0.01), 1.0, 1.0, shear=False)
    bending = plate.laminate.D[0, 0]
    assert plate.deflection(1.0) * bending == pytest.approx(0.00406235, abs=5e-9)
    assert plate.moments(1.0) == pytest.approx([-0.0479, -0.0479, 0.0], abs=5e-5)
    # The twisting moment at a corner (Timoshenko, table 8: corner force 0.065 q a^2 = 2 Mxy).
    assert abs(plate.moments(1.0, at=(0.0, 0.0))[2]) == pytest.approx(0.0325, abs=5e-4)


def test_an_isotropic_square_buckles_at_four_times_eulers_strip() -> None:
    plate = SupportedPlate(Laminate.of(ISOTROPIC, [0.0], 0.01), 1.0, 1.0, shear=False)
    assert plate.buckling().load == pytest.approx(4 * math.pi**2 * plate.laminate.D[0, 0], rel=1e-12)
    assert plate.buckling(1.0, 1.0).load == pytest.approx(2 * math.pi**2 * plate.laminate.D[0, 0], rel=1e-12)


def test_a_long_plate_buckles_in_square_half_waves() -> None:
    plate = SupportedPlate(Laminate.of(ISOTROPIC, [0.0], 0.01), 3.0, 1.0, shear=False)
    assert plate.buckling().half_waves == (3, 1)


@pytest.mark.parametrize("thickness", [0.02, 0.1, 0.3])
def test_shear_adds_the_moment_sum_over_the_shear_stiffness(thickness: float) -> None:
    """Exact for polygons: w = w_thin + (Mx + My) / ((1 + nu) k G h) (Wang, J. Eng. Mech. 121 (1995) 1204)."""
    laminate = Laminate.of(ISOTROPIC, [0.0], thickness)
    thin, thick = (SupportedPlate(laminate, 1.0, 1.4, shear) for shear in (False, True))
    added = -thin.moments(1.0)[:2].sum() / 1.3 / laminate.H[0, 0]
    assert thick.deflection(1.0) == pytest.approx(thin.deflection(1.0) + added, rel=1e-5)
    # Moments of a simply supported isotropic plate do not know of shear.
    assert thick.moments(1.0) == pytest.approx(thin.moments(1.0), rel=1e-9, abs=1e-12)


def test_turning_plate_and_load_by_a_right_angle_changes_nothing() -> None:
    ply = Ply(40.0, 1.0, 0.25, 0.6, G23=0.5)
    lying = SupportedPlate(Laminate.of(ply, "[0/90]s", 0.25), 20.0, 13.0)
    standing = SupportedPlate(Laminate.of(ply, "[90/0]s", 0.25), 13.0, 20.0)
    assert lying.deflection(1.0) == pytest.approx(standing.deflection(1.0), rel=1e-12)
    assert lying.buckling(1.0, 0.4).load == pytest.approx(standing.buckling(0.4, 1.0).load, rel=1e-12)
    assert lying.moments(1.0)[:2] == pytest.approx(standing.moments(1.0)[:2][::-1], rel=1e-12)


def test_pressure_and_reserve_factor_are_inverse() -> None:
    strength = Strength(1140e6, 570e6, 35e6, 114e6, 72e6)
    ply = Ply(53.48e9, 17.7e9, 0.278, 5.83e9, G23=6.3e9, strength=strength)
    plate = SupportedPlate(Laminate.of(ply, "[0/90]s", 2.5e-4), 0.15, 0.1)
    one, two = (plate.first_ply_failure(p).reserve for p in (1e3, 2e3))
    assert one == pytest.approx(2 * two, rel=1e-12)
    assert np.isfinite(one)


STRONG = Ply(46e9, 16e9, 0.25, 7e9, G23=6e9, strength=Strength("1280 MPa", "800 MPa", "40 MPa", "145 MPa", "73 MPa"))


def test_a_pressure_from_above_pulls_the_lower_face() -> None:
    plate = SupportedPlate(Laminate.of(STRONG, "[90]", 2e-3), 0.3, 0.2)
    found = first_ply_failure(plate.laminate, moment=plate.moments(1e3))
    assert (found.face, found.mode) == ("bottom", "matrix tension")


def test_the_first_failure_is_looked_for_all_over_the_plate() -> None:
    """Of [90] the twist at a corner is worse than the bending in the middle."""
    plate = SupportedPlate(Laminate.of(STRONG, "[90]", 2e-3), 0.3, 0.2)
    found = plate.first_ply_failure(1e3, "tsai_hill")
    centre = first_ply_failure(plate.laminate, moment=plate.moments(1e3), criterion="tsai_hill")
    assert found.at is not None and found.at != (0.5, 0.5)
    assert found.reserve < 0.97 * centre.reserve
    there = first_ply_failure(plate.laminate, moment=plate.moments(1e3, at=found.at), criterion="tsai_hill")
    assert there.reserve == pytest.approx(found.reserve, rel=1e-12)
