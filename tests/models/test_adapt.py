"""Models under other names and with inputs held constant."""

from __future__ import annotations

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.errors import InputError, UnitError
from scalebridge.models import Adapted, Model, Structure, structure_of
from scalebridge.problems import random_conduction_laminate
from scalebridge.testing import check_model


@sb.model(inputs={"T": ("K", 80, 700), "rho": "kg/m^3"}, outputs={"mu": "Pa*s"})
def gas(T: float, rho: float) -> dict[str, float]:
    return {"mu": T + 10 * rho}


def test_renamed_variables_carry_the_same_values() -> None:
    other = gas.rename(T="temperature", mu="viscosity")
    assert isinstance(other, Model)
    assert other.inputs.names == ("temperature", "rho")
    assert other.outputs.names == ("viscosity",)
    assert other.inputs["temperature"].bounds == (80, 700)
    np.testing.assert_array_equal(other.run(np.array([[100.0, 2.0]])).values, [[120.0]])
    check_model(other)


def test_a_constant_is_read_in_its_own_unit_and_leaves_the_inputs() -> None:
    fixed = gas.fix(rho="1.2 g/cm^3")
    assert fixed.inputs.names == ("T",)
    np.testing.assert_allclose(fixed.run(np.array([[100.0]])).values, [[12100.0]])
    check_model(fixed)


def test_renaming_and_fixing_follow_one_another() -> None:
    model = gas.rename(T="t").fix(rho=2.0).rename(mu="m")
    assert (model.inputs.names, model.outputs.names) == (("t",), ("m",))
    assert model.run(np.array([[1.0]])).values[0, 0] == 21.0
    swapped = gas.rename(T="rho", rho="T")
    assert swapped.run(np.array([[1.0, 2.0]])).values[0, 0] == 21.0


def test_a_name_does_not_change_what_a_run_is_worth_and_a_constant_does() -> None:
    assert gas.rename(T="t").identity() == gas.identity()
    assert gas.fix(rho=1.0).identity() != gas.fix(rho=2.0).identity()
    assert gas.fix(rho="1 kg/m^3").identity() == gas.fix(rho=1).identity()


def test_a_jacobian_loses_the_columns_of_constants() -> None:
    class Linear:
        name, version, scale = "linear", "1", None
        inputs, outputs = sb.Space({"a": "1", "b": "1", "c": "1"}), sb.Space({"y": "1"})

        def identity(self) -> dict[str, str]:
            return {"name": "linear"}

        def run(self, x: np.ndarray) -> sb.Runs:
            x = self.inputs.check(x, "linear")
            slope = np.array([[1.0, 2.0, 3.0]])
            return sb.Runs(x @ slope.T, jacobian=np.tile(slope, (len(x), 1, 1)))

    runs = Adapted(Linear(), fixed={"b": 5.0}).run(np.array([[1.0, 1.0]]))
    assert runs.values[0, 0] == 14.0
    assert runs.jacobian.tolist() == [[[1.0, 3.0]]]


def test_the_structure_outlives_a_new_name_but_not_a_constant() -> None:
    laminate = random_conduction_laminate(np.random.default_rng(0))
    assert structure_of(Adapted(laminate, names={"flux": "q"})) == Structure(potential=True, even=True)
    assert structure_of(gas.fix(rho=1.0)) == Structure()
    assert structure_of(object()) == Structure()


@pytest.mark.parametrize(
    ("adapt", "message"),
    [
        (lambda: gas.rename(TT="t"), "no variable 'TT' to rename; did you mean 'T'"),
        (lambda: gas.rename(T="rho"), "'rho' stands 2 times"),
        (lambda: gas.rename(T="a b"), "no identifier"),
        (lambda: gas.fix(roh=1.0), "no input 'roh' to hold constant; did you mean 'rho'"),
        (lambda: gas.fix(mu=1.0), "no input 'mu' to hold constant"),
        (lambda: gas.fix(rho=float("nan")), "held at nan; give a finite number"),
        (lambda: Adapted(random_conduction_laminate(np.random.default_rng(0)), fixed={"gradient": 1.0}), "is an array"),
    ],
)
def test_a_wrong_adaptation_is_refused_where_it_is_written(adapt: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        adapt()


def test_a_constant_of_the_wrong_unit_is_refused_where_it_is_written() -> None:
    with pytest.raises(UnitError, match="'3 K' does not convert to 'kg/m"):
        gas.fix(rho="3 K")
