"""Laminated beams against exact solutions."""

import numpy as np
import pytest
from scipy.integrate import solve_bvp

from scalebridge.macro.laminate import Beam, Laminate, Ply

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
    assert beam.moment(force, load) == pytest.approx(np.abs(inner(np.linspace(0, half, 101))[0]).max(), rel=1e-12)


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
