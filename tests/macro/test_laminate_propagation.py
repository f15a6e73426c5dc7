"""Ply constants to a component: as a model, and with their uncertainty."""

import math
from collections.abc import Mapping

import numpy as np
import pytest

from scalebridge.errors import InputError, ShapeError
from scalebridge.macro.laminate import (
    Beam,
    Laminate,
    Ply,
    Source,
    Strength,
    SupportedPlate,
    ply_model,
    propagate,
)
from scalebridge.models import FunctionModel
from scalebridge.testing import check_model

BEST = np.array([45.6e9, 16.2e9, 0.278, 5.83e9, 5.79e9])


def panel(ply: Ply) -> Mapping[str, float]:
    plate = SupportedPlate(Laminate.of(ply, "[0/90]s", 5e-4), 0.15, 0.1, terms=9)
    return {"deflection": plate.deflection(1000.0), "buckling": plate.buckling().load}


def strip(ply: Ply) -> Mapping[str, float]:
    return {"stiffness": Beam(Laminate.of(ply, "[0]", 1e-3), 0.1, 0.01, shear=False).bending_stiffness}


PANEL = ply_model(panel, {"deflection": "m", "buckling": "N/m"})
STRIP = ply_model(strip, {"stiffness": "N*m^2"})


def alone(k: int, std: float, name: str = "modulus") -> Source:
    row = np.zeros(5)
    row[k] = std
    return Source(name, row)


def test_a_component_of_plies_is_a_model() -> None:
    check_model(PANEL, BEST * np.array([[0.9], [1.0], [1.1]]))


def test_what_else_a_ply_has_is_kept() -> None:
    seen: list[Ply] = []

    def looked(ply: Ply) -> Mapping[str, float]:
        seen.append(ply)
        return {"one": 1.0}

    strength = Strength(1e9, 1e9, 1e7, 1e8, 5e7)
    ply_model(looked, {"one": "1"}, like=Ply(1e9, 1e9, 0.3, 1e9, alpha2=3e-5, strength=strength)).run(BEST[None])
    assert (seen[0].strength, seen[0].alpha2, seen[0].E1) == (strength, 3e-5, 45.6e9)


@pytest.mark.parametrize("method", ["monte carlo", "linear"])
def test_a_beam_along_its_fibres_varies_as_their_modulus(method: str) -> None:
    """E I goes with E1, so one deviation of ln E1 is one of ln E I: exact for any method."""
    found = propagate(STRIP, BEST, [alone(0, 0.02)], method=method, draws=3000)["stiffness"]
    assert found.half_width / found.value == pytest.approx(1.96 * 0.02, rel=0.05)
    assert found.parts["modulus"] == pytest.approx(found.half_width, rel=1e-9 if method == "linear" else 0.05)


def test_parts_of_independent_sources_add_in_squares() -> None:
    sources = [alone(0, 0.03, "fibres"), alone(1, 0.05, "matrix"), alone(4, 0.1, "shear")]
    found = propagate(PANEL, BEST, sources, method="linear")["deflection"]
    assert math.hypot(*found.parts.values()) == pytest.approx(found.half_width, rel=1e-12)
    drawn = propagate(PANEL, BEST, sources, draws=1000, seed=1)["deflection"]
    assert drawn.half_width == pytest.approx(found.half_width, rel=0.08)
    for name, part in found.parts.items():
        assert drawn.parts[name] == pytest.approx(part, rel=0.1)


def test_the_same_seed_gives_the_same_interval() -> None:
    ends = [propagate(PANEL, BEST, [alone(0, 0.05)], draws=50, seed=s)["buckling"].interval for s in (3, 3, 4)]
    assert ends[0] == ends[1] != ends[2]


def test_a_source_between_two_ends_lies_one_deviation_to_each_side() -> None:
    found = Source.between("segmentation", BEST / 1.1, BEST * 1.1).deviations
    assert found == pytest.approx(np.full((1, 5), math.log(1.1)))


def test_the_interval_of_scattered_windows_covers_their_mean() -> None:
    """Student's t is exact for the mean of Gaussian rows: 95 % of 400 trials with 6 windows, up to counting."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        rows = BEST * np.exp(0.1 * rng.standard_normal((6, 1)) + 0.01 * rng.standard_normal((6, 5)))
        centre = np.exp(np.log(rows).mean(axis=0))
        found = propagate(STRIP, centre, [Source.of_scatter("windows", rows)], method="linear")["stiffness"]
        held += found.interval[0] <= STRIP.run(BEST[None]).values[0, 0] <= found.interval[1]
    assert abs(held / 400 - 0.95) < 3 * math.sqrt(0.95 * 0.05 / 400)


def test_the_scatter_of_one_window_is_wider_than_of_the_mean() -> None:
    rows = BEST * np.exp(0.1 * np.random.default_rng(1).standard_normal((9, 5)))
    one, mean = (Source.of_scatter("windows", rows, mean=m).deviations for m in (False, True))
    assert one == pytest.approx(3.0 * mean)


def test_few_rows_are_widened_for_the_confidence_asked() -> None:
    rows = BEST * np.exp(0.1 * np.random.default_rng(1).standard_normal((4, 5)))
    with pytest.raises(InputError, match=r"confidence=0\.99"):
        propagate(STRIP, BEST, [Source.of_scatter("windows", rows)], method="linear", confidence=0.99)
    found = propagate(
        STRIP, BEST, [Source.of_scatter("windows", rows, confidence=0.99)], method="linear", confidence=0.99
    )["stiffness"]
    std = np.log(rows[:, 0]).std(ddof=1) / 2.0
    assert found.half_width / found.value == pytest.approx(5.84091 * std, rel=1e-5)


def test_what_cannot_be_propagated_is_refused() -> None:
    with pytest.raises(InputError, match="did you mean 'linear'"):
        propagate(STRIP, BEST, [alone(0, 0.1)], method="lineer")
    with pytest.raises(InputError, match="at least one Source"):
        propagate(STRIP, BEST, [])
    with pytest.raises(ShapeError, match="'two' has deviations of 2"):
        propagate(STRIP, BEST, [Source("two", np.ones(2))])
    with pytest.raises(ShapeError, match="5 positive"):
        propagate(STRIP, -BEST, [alone(0, 0.1)])
    with pytest.raises(ShapeError, match="three rows"):
        Source.of_scatter("windows", BEST * np.ones((2, 1)))


def test_a_component_that_fails_is_a_sentence() -> None:
    def broken(ply: Ply) -> Mapping[str, float]:
        raise RuntimeError("no section")

    made: FunctionModel = ply_model(broken, {"x": "1"})
    with pytest.raises(InputError, match="no section"):
        propagate(made, BEST, [alone(0, 0.1)])
