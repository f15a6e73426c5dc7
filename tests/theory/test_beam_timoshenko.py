"""Laminated beams against exact solutions."""

import numpy as np
import pytest
from scipy.integrate import solve_bvp

from scalebridge.macro.laminate import Beam, Laminate, Layer, Ply, Strength, first_ply_failure

E, NU, LENGTH, WIDTH, HEIGHT = 70e9, 0.3, 0.5, 0.02, 0.03
G = E / (2 * (1 + NU))
STEEL = Laminate.of(Ply(E, E, NU, G, G23=G), "[0/0]s", HEIGHT / 4)
INERTIA, AREA = WIDTH * HEIGHT**3 / 12, WIDTH * HEIGHT


def test_an_isotropic_beam_has_the_stiffnesses_of_its_section() -> None:
    beam = Beam(STEEL, LENGTH, WIDTH)
    assert beam.bending_stiffness == pytest.approx(E * INERTIA, rel=1e-12)
    assert beam.shear_stiffness == pytest.approx(5 / 6 * G * AREA, rel=1e-12)


@pytest.mark.parametrize("support", ["cantilever", "supported"])
@pytest.mark.parametrize("load", ["point", "uniform"])
@pytest.mark.parametrize("shear", [True, False])
def test_deflections_solve_timoshenkos_equations(support: str, load: str, shear: bool) -> None:
    """EI phi' = M, w' = V/kGA - phi, integrated numerically; of a supported beam one half."""
    force, beam = 100.0, Beam(STEEL, LENGTH, WIDTH, support, shear)
    bending, sheared = E * INERTIA, 5 / 6 * G * AREA if shear else np.inf
    half = LENGTH if support == "cantilever" else LENGTH / 2

    def inner(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Moment and shear force at x, from the support."""
        if support == "cantilever":
            if load == "point":
                return -force * (LENGTH - x), np.full_like(x, force)
            return -force / LENGTH * (LENGTH - x) ** 2 / 2, force / LENGTH * (LENGTH - x)
        if load == "point":
            return force / 2 * x, np.full_like(x, force / 2)
        return force / 2 * x - force / LENGTH * x**2 / 2, force / 2 - force / LENGTH * x

    def slope(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        moment, shear_force = inner(x)
        return np.array([shear_force / sheared - y[1], moment / bending])

    def ends(start: np.ndarray, stop: np.ndarray) -> np.ndarray:
        return np.array([start[0], start[1] if support == "cantilever" else stop[1]])

    x = np.linspace(0.0, half, 41)
    found = solve_bvp(slope, ends, x, np.zeros((2, x.size)), tol=1e-9)
    assert beam.deflection(force, load) == pytest.approx(abs(found.y[0, -1]), rel=1e-6)
    sign = 1.0 if support == "cantilever" else -1.0
    assert sign * beam.moment(force, load) == pytest.approx(
        np.abs(inner(np.linspace(0, half, 101))[0]).max(), rel=1e-12
    )


def test_a_sandwich_of_cross_plies_bends_by_its_outer_plies() -> None:
    """E I = b sum E_k (z_top^3 - z_bottom^3) / 3 where Poisson's ratios are zero."""
    ply = Ply(140e9, 10e9, 0.0, 5e9, G23=3e9)
    laminate = Laminate.of(ply, "[0/90]s", 1e-3)
    expected = 0.01 * 2 / 3 * (10e9 * 1e-9 + 140e9 * (8e-9 - 1e-9))
    assert Beam(laminate, 0.1, 0.01).bending_stiffness == pytest.approx(expected, rel=1e-9)


def test_an_unsymmetric_strip_is_softer_than_its_bending_stiffness() -> None:
    ply = Ply(140e9, 10e9, 0.25, 5e9, G23=3e9)
    beam = Beam(Laminate.of(ply, [0.0, 90.0], 1e-3), 0.1, 0.01)
    assert beam.bending_stiffness < 0.9 * 0.01 * beam.laminate.D[0, 0]


def test_a_sandwich_shears_in_its_core() -> None:
    """k G A = G b d^2 / c of thin stiff skins on a soft core c thick, d between the middles of the skins."""
    skin = Ply("130 GPa", "9 GPa", 0.3, "5 GPa", G23="3 GPa")
    foam = Ply("50 MPa", "50 MPa", 0.25, "20 MPa", G23="20 MPa")
    layers = (Layer(skin, 0.0, "1 mm"), Layer(foam, 0.0, "20 mm"), Layer(skin, 0.0, "1 mm"))
    beam = Beam(Laminate(layers), 0.5, 0.04)
    assert beam.shear_stiffness == pytest.approx(20e6 * 0.04 * 0.021**2 / 0.02, rel=0.005)
    assert Beam(Laminate(layers, shear_correction=5 / 6), 0.5, 0.04).shear_stiffness > 10 * beam.shear_stiffness


def test_shear_of_a_cross_ply_has_the_energy_of_its_stresses() -> None:
    """tau = -V integral of E z / D, written out layer by layer: [0/90/0], Poisson's ratios of zero."""
    ply = Ply(140e9, 10e9, 0.0, 5e9, G23=3e9)
    laminate = Laminate.of(ply, [0.0, 90.0, 0.0], 1e-3)
    z = np.linspace(-1.5e-3, 1.5e-3, 300001)
    inner = np.abs(z) < 0.5e-3
    modulus, shear = np.where(inner, 10e9, 140e9), np.where(inner, 3e9, 5e9)
    dz = z[1] - z[0]
    tau = -np.cumsum(modulus * z) * dz / laminate.D[0, 0]
    assert laminate.H[0, 0] == pytest.approx(1.0 / ((tau**2 / shear).sum() * dz), rel=1e-4)


def test_turning_a_laminate_turns_its_shear_stiffness() -> None:
    ply = Ply(140e9, 10e9, 0.3, 5e9, G23=3e9)
    lying, standing = (Laminate.of(ply, s, 1e-3).H for s in ("[0/90/90]", "[90/0/0]"))
    assert lying == pytest.approx(standing[::-1, ::-1], rel=1e-9, abs=1e-3)


def test_a_press_from_above_pulls_the_lower_face_of_a_supported_beam_and_the_upper_one_of_a_cantilever() -> None:
    """Of an unsymmetric strip, weak across in tension, with the 90 below: loaded, beam and plate have one sign."""
    strong = Strength("1280 MPa", "800 MPa", "40 MPa", "145 MPa", "73 MPa")
    strip = Laminate.of(Ply(46e9, 16e9, 0.25, 7e9, G23=6e9, strength=strong), [90.0, 0.0], 1e-3)
    pressed, lifted = (Beam(strip, 0.08, 0.015).first_ply_failure(f) for f in (100.0, -100.0))
    assert (pressed.layer, pressed.mode) == (0, "matrix tension") and lifted.reserve > 2.0 * pressed.reserve
    hung = Beam(strip, 0.02, 0.015, "cantilever").first_ply_failure(100.0)
    assert hung.reserve == pytest.approx(lifted.reserve, rel=1e-9)
    upper = strip.loaded(moment=(1.0, 0.0, 0.0)).stresses[1, 1, 0]
    assert upper > 0.0 and first_ply_failure(strip, moment=(-1.0, 0.0, 0.0)).layer == 0
