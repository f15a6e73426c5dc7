"""Tables of viscosities and their knots."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.models import ClosureValue
from scalebridge.quantities import Floats
from scalebridge.simulators.openfoam.viscosity import Knots, ViscosityTable, use_table, visited_rates


def _power_law(x: Floats) -> ClosureValue:
    rate = x[:, 0]
    return ClosureValue((0.5 * rate**-0.5)[:, None], (-0.25 * rate**-1.5)[:, None, None], rate < 90.0)


def test_knots_reach_one_beyond_the_rates_on_either_side() -> None:
    rates = Knots.covering(1.0, 100.0, 8, 1e-3).rates
    np.testing.assert_allclose(rates[[0, 1, -2, -1]], 10.0 ** np.array([-0.125, 0.0, 2.0, 2.125]))
    assert len(rates) == 19


def test_knots_below_the_floor_are_left_out() -> None:
    assert Knots.covering(0.0, 100.0, 8, 1e-2) == Knots.covering(1.0, 100.0, 8, 1e-9)


def test_nearly_the_same_rates_have_the_same_knots() -> None:
    assert Knots.covering(0.31, 57.0, 8, 1e-3) == Knots.covering(0.3101, 57.02, 8, 1e-3)


def test_knots_are_extended_without_moving_those_there() -> None:
    knots = Knots.covering(1.0, 10.0, 8, 1e-3)
    assert knots.holding(0.9, 12.0, 1e-3) == knots
    longer = knots.holding(0.5, 90.0, 1e-3)
    assert longer.rates[0] < 0.5 and longer.rates[-1] > 90.0
    assert np.isin(knots.rates, longer.rates).all()


def test_rates_without_a_logarithm_are_refused() -> None:
    with pytest.raises(InputError, match="no logarithm"):
        Knots.covering(1.0, 0.0, 8, 1e-3)


def test_bumps_are_one_at_their_knot_and_make_every_cubic() -> None:
    knots = Knots.covering(1.0, 10.0, 8, 1e-3)
    bumps = np.array([knots.bump(k) for k in range(len(knots.rates))])
    np.testing.assert_allclose(bumps[:, np.isin(knots.rows, knots.rates)], np.eye(len(knots.rates)), atol=1e-15)
    for power in range(4):
        made = np.log(knots.rates) ** power @ bumps
        np.testing.assert_allclose(made, np.log(knots.rows) ** power, atol=1e-12)


def test_a_table_of_two_knots_has_bumps_too() -> None:
    knots = Knots(0, 1)
    np.testing.assert_allclose(knots.bump(0) + knots.bump(1), 1.0)
    assert knots.bump(0)[0] == 1.0 and knots.bump(0)[-1] == 0.0


def test_a_power_law_is_met_between_the_rows_to_3e_5() -> None:
    table = ViscosityTable.of(_power_law, Knots.covering(1.0, 100.0, 8, 1e-3))
    rate = np.geomspace(1.0, 100.0, 9973)
    found = np.interp(rate, table.knots.rows, table.viscosity)
    assert np.abs(found / (0.5 * rate**-0.5) - 1).max() < 3e-5


def test_a_bump_raises_the_viscosity_at_its_knot_alone() -> None:
    table = ViscosityTable.of(_power_law, Knots.covering(1.0, 100.0, 8, 1e-3))
    moved, height = table.shifted(5, 1e-3)
    at = np.isin(table.knots.rows, table.knots.rates)
    change = (moved.viscosity - table.viscosity)[at]
    assert change[5] == pytest.approx(height) == pytest.approx(1e-3 * table.viscosity[at][5])
    assert np.count_nonzero(change) == 1
    assert table.touches(5, table.knots.rates[[5]]) and not table.touches(5, table.knots.rates[[7]] * 1.05 * 1.5)
    assert table.touches(0, np.array([1e-9]))


@pytest.mark.parametrize("value", [-1.0, 0.0, np.nan, np.inf])
def test_a_viscosity_that_is_none_is_a_sentence(value: float) -> None:
    def closure(x: Floats) -> ClosureValue:
        return ClosureValue(np.where(x > 10, value, 1.0), np.zeros((len(x), 1, 1)), np.ones(len(x), dtype=bool))

    flaw = ViscosityTable.of(closure, Knots.covering(1.0, 100.0, 8, 1e-3)).flaw
    assert "at a shear rate of 10.24 1/s" in flaw or "at a shear rate of 10" in flaw
    assert "positive and finite" in flaw


def test_where_the_surrogate_is_not_trusted_is_told() -> None:
    table = ViscosityTable.of(_power_law, Knots.covering(1.0, 100.0, 8, 1e-3))
    assert "from 90" in table.outside or "from 91" in table.outside
    assert "to 133 1/s" in table.outside


def test_a_stress_that_falls_is_found() -> None:
    def banded(x: Floats) -> ClosureValue:
        viscosity = np.where(x > 20, 20.0 / x * (20.0 / x) ** 0.5, 1.0)
        return ClosureValue(viscosity, np.zeros((len(x), 1, 1)), np.ones(len(x), dtype=bool))

    knots = Knots.covering(1.0, 100.0, 8, 1e-3)
    falling = ViscosityTable.of(banded, knots).falling
    assert falling.min() == pytest.approx(10 ** (10 / 8)) and falling.max() == knots.rates[-1]
    assert len(ViscosityTable.of(_power_law, knots).falling) == 0


def test_the_table_is_written_over_the_density_with_all_digits(tmp_path: Path) -> None:
    (tmp_path / "constant").mkdir()
    table = ViscosityTable.of(_power_law, Knots.covering(1.0, 10.0, 8, 1e-3))
    table.write(tmp_path, 800.0)
    text = (tmp_path / "constant/viscosityTable").read_text()
    rows = np.array([line.strip("()").split() for line in text.splitlines()[1:-1]], dtype=np.float64)
    np.testing.assert_array_equal(rows[:, 0], table.knots.rows)
    np.testing.assert_array_equal(rows[:, 1], table.viscosity / 800.0)


def test_the_transport_model_is_set_after_what_stands_there(tmp_path: Path) -> None:
    (tmp_path / "constant").mkdir()
    (tmp_path / "constant/transportProperties").write_text("transportModel Newtonian;\n")
    use_table(tmp_path)
    text = (tmp_path / "constant/transportProperties").read_text()
    assert text.startswith("transportModel Newtonian;") and text.index("strainRateFunction;") > 20
    assert "outOfBounds clamp;" in text
    with pytest.raises(InputError, match="no 'constant/transportProperties'"):
        use_table(tmp_path / "constant")


def test_strain_rates_are_those_of_the_symmetric_gradient(tmp_path: Path) -> None:
    (tmp_path / "gradU").write_text(
        "internalField nonuniform List<tensor> 2((0 0 0 3 0 0 0 0 0)\n(1 0 0 0 -1 0 0 0 0));\n"
        "boundaryField { wall { value uniform (0 2e1 0 0 0 0 0 0 0); } }"
    )
    np.testing.assert_allclose(visited_rates(tmp_path / "gradU"), [3.0, 2.0, 20.0])
