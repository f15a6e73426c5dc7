"""Effective conductivity as a model of the temperature: contract, derivative, likely mistakes."""

from __future__ import annotations

import copy
import math
import subprocess
import sys
from typing import Any

import cloudpickle
import numpy as np
import pytest

import scalebridge as sb
from scalebridge.errors import InputError, UnitError
from scalebridge.microstructure.subvoxel import from_level_set
from scalebridge.testing import check_model

FALLING = sb.micro.TemperatureConductor({"300 K": 4.0, 400.0: 3.0, "500 K": "2.5 W/(m*K)"})
RISING = sb.micro.TemperatureConductor(lambda t: 0.2 * math.sqrt(t / 300.0))
IMAGE = np.random.default_rng(0).integers(0, 3, (6, 7))
MATERIALS = [FALLING, RISING, sb.micro.Conductor(1.0)]
X = np.array([[310.0], [355.0], [420.0], [490.0]])


def disk() -> Any:
    return from_level_set(lambda x, y: 0.3 - np.hypot(x - 0.5, y - 0.5), (8, 8))


MODELS = {
    "mean": sb.micro.ConductivityModel(IMAGE, MATERIALS),
    "along": sb.micro.ConductivityModel(IMAGE, MATERIALS, component="11", voxel_size=("1 um", "2 um")),
    "off the diagonal": sb.micro.ConductivityModel(IMAGE, MATERIALS, component="12", tolerance=1e-9),
    "prism": sb.micro.ConductivityModel(IMAGE, MATERIALS, component="33", plane="generalised"),
    "volume": sb.micro.ConductivityModel(np.stack([IMAGE, IMAGE.T[:6, :6].repeat(2, 1)[:, :7]]), MATERIALS),
    "composite voxels": sb.micro.ConductivityModel(disk(), [FALLING, RISING]),
    "pores": sb.micro.ConductivityModel(IMAGE % 2, [FALLING, sb.micro.Void("conduction")], discretisation="hexahedra"),
    "one phase": sb.micro.ConductivityModel(np.zeros((2, 2)), [FALLING], homogeneous=True),
}


@pytest.mark.parametrize("name", MODELS)
def test_conductivity_keeps_the_contract_of_a_model(name: str) -> None:
    check_model(MODELS[name], X[1:3], jacobian_rtol=1e-6)


@pytest.mark.parametrize("component", ["mean", "11", "12"])
def test_derivative_is_exact_to_the_accuracy_of_the_fields(component: str) -> None:
    made = sb.micro.ConductivityModel(IMAGE, MATERIALS, component=component, tolerance=1e-11)
    step = 0.05
    # Central differences of fourth order.
    near, far = (made.run(X + m * step).values - made.run(X - m * step).values for m in (1, 2))
    slope = (8.0 * near - far) / (12.0 * step)
    found = made.run(X).jacobian
    assert found is not None
    np.testing.assert_allclose(found[:, :, 0], slope, rtol=1e-8, atol=1e-12)


def test_each_row_is_the_rve_at_its_temperature() -> None:
    model = MODELS["mean"]
    runs = model.run(X)
    for row, kelvin in enumerate(X[:, 0]):
        k = sb.micro.RVE(IMAGE, [FALLING.at(kelvin), RISING.at(kelvin), MATERIALS[2]]).conductivity()
        assert runs.values[row, 0] == pytest.approx(np.trace(k) / 2.0, rel=1e-9)
        np.testing.assert_allclose(model.at(kelvin).conductivity(), k, rtol=1e-12)


def test_one_phase_answers_its_own_table_and_slope() -> None:
    runs = MODELS["one phase"].run(np.array([[350.0], [450.0], [400.0], [500.0]]))
    np.testing.assert_allclose(runs.values[:, 0], [3.5, 2.75, 3.0, 2.5])
    # At an entry the line above it, at the last the line below.
    np.testing.assert_allclose(runs.jacobian[:, 0, 0], [-0.01, -0.005, -0.005, -0.005])  # type: ignore[index]


def test_slope_of_a_function_is_its_derivative() -> None:
    assert RISING.slope(432.0) == pytest.approx(0.2 / (2.0 * math.sqrt(300.0 * 432.0)), rel=1e-10)
    with pytest.raises(InputError, match="lies outside the table"):
        FALLING.slope(299.0)


def test_bounds_are_what_the_tables_share() -> None:
    other = sb.micro.TemperatureConductor({350.0: 1.0, 900.0: 2.0})
    assert sb.micro.ConductivityModel(np.eye(2), [FALLING, other]).inputs["temperature"].bounds == (350.0, 500.0)
    free = sb.micro.ConductivityModel(np.eye(2), [RISING, MATERIALS[2]])
    assert free.inputs["temperature"].bounds == (0.0, None)
    assert free.outputs["conductivity"].bounds == (0.0, None)
    assert MODELS["off the diagonal"].outputs["conductivity"].bounds is None


def test_a_temperature_outside_a_table_is_a_failed_row_with_the_reason() -> None:
    runs = MODELS["mean"].run(np.array([[299.0], [350.0], [np.nan], [-5.0], [501.0]]))
    assert runs.status.tolist() == ["failed", "ok", "failed", "failed", "failed"]
    assert "299 K lies outside the table of a conductor, which runs from 300 K to 500 K" in runs.reason[0]
    assert "must be positive and finite" in runs.reason[2]
    assert "must be positive and finite" in runs.reason[3]
    assert np.isnan(runs.values[[0, 2, 3, 4]]).all()
    assert len(MODELS["mean"].run(np.zeros((0, 1)))) == 0


def test_a_function_that_turns_negative_is_a_failed_row() -> None:
    made = sb.micro.ConductivityModel(np.eye(2), [sb.micro.TemperatureConductor(lambda t: 400.0 - t), MATERIALS[2]])
    runs = made.run(np.array([[350.0], [450.0]]))
    assert runs.status.tolist() == ["ok", "failed"]
    assert "must be zero or a positive finite number" in runs.reason[1]


def test_finer_splits_every_voxel_and_composite_voxels_say_why_they_cannot() -> None:
    finer = MODELS["along"].finer
    assert finer.rve.phases.shape == (12, 14)
    assert finer.component == "11"
    gap = np.abs(finer.run(X).values - MODELS["along"].run(X).values).max()
    assert 1e-4 < gap < 0.5
    with pytest.raises(InputError, match="composite voxels cannot be split"):
        _ = MODELS["composite voxels"].finer


def test_identity_changes_with_table_function_component_and_image_only() -> None:
    def made(**options: Any) -> dict[str, str]:
        return dict(sb.micro.ConductivityModel(IMAGE, MATERIALS, **options).identity())

    first = made()
    assert made(voxel_size="2 um") == first
    assert made(component="11") != first
    assert first["name"] == "scalebridge.micro.ConductivityModel"
    hotter = sb.micro.TemperatureConductor({300.0: 4.0, 400.0: 3.0, 500.0: 2.6})
    assert sb.micro.ConductivityModel(IMAGE, [hotter, *MATERIALS[1:]]).identity() != first
    other = sb.micro.TemperatureConductor(lambda t: 0.3 * math.sqrt(t / 300.0))
    assert sb.micro.ConductivityModel(IMAGE, [FALLING, other, MATERIALS[2]]).identity() != first
    assert sb.micro.ConductivityModel(IMAGE.T, MATERIALS).identity() != first


def test_copies_answer_alike_functions_of_the_temperature_included() -> None:
    made = sb.micro.ConductivityModel(np.eye(4), [FALLING, RISING])
    expected = made.run(X).values
    np.testing.assert_array_equal(copy.deepcopy(made).run(X).values, expected)
    np.testing.assert_array_equal(cloudpickle.loads(cloudpickle.dumps(made)).run(X).values, expected)


def test_making_the_model_does_not_import_torch() -> None:
    code = (
        "import sys, numpy as np, scalebridge as sb;"
        "m = sb.micro.ConductivityModel(np.eye(2), [sb.micro.Conductor(1.0),"
        "sb.micro.TemperatureConductor({300: 1.0, 400: 2.0})]); m.identity(), m.inputs, m.outputs;"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


CHARGE = sb.micro.TemperatureConductor({300.0: 1.0, 400.0: 2.0}, unit="S/m")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda m: m(np.eye(2), [MATERIALS[2], MATERIALS[2]]),
            r"No phase .* depends on the temperature; use sb\.micro\.RVE",
        ),
        (lambda m: m(np.eye(2), [FALLING, sb.micro.Elastic(1.0, 0.3)]), r"Material 1 .* which is no conductor"),
        (lambda m: m(np.eye(2), [FALLING, sb.micro.Void()]), r"Material 1 .* which is no conductor"),
        (lambda m: m(np.eye(2), [FALLING, CHARGE]), r"are in S/m and W/\(m\*K\); give all in one unit"),
        (
            lambda m: m(np.eye(2), [FALLING, sb.micro.TemperatureConductor({500.0: 1.0, 600.0: 2.0})]),
            r"no range in common: one begins at 500 K and one ends at 500 K",
        ),
        (lambda m: m(np.eye(2), [FALLING, MATERIALS[2]], component="13"), r"component of the conductivity is '13'"),
        (lambda m: m(np.eye(2), [FALLING]), r"label 1 .* has no material"),
        (lambda m: m(np.zeros((2, 2)), [FALLING]), r"pass homogeneous=True"),
    ],
)
def test_impossible_conductivity_models_are_refused_in_one_sentence(make: Any, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        make(sb.micro.ConductivityModel)
    assert "\n" not in str(caught.value)


def test_an_rve_given_a_table_names_what_to_use() -> None:
    with pytest.raises(InputError, match=r"Material 0 .* k\(T\).*conductor\.at\('300 K'\).*ConductivityModel"):
        sb.micro.RVE(np.eye(2), [FALLING, MATERIALS[2]])


def test_a_conductivity_of_charge_is_no_closure_of_heat() -> None:
    made = sb.micro.ConductivityModel(np.eye(2), [CHARGE, sb.micro.Conductor(1.0, unit="S/m")])
    assert made.outputs["conductivity"].unit == "S/m"
    bar = sb.macro.Heat(sb.macro.meshes.interval(1.0, 2), temperature={"left": 300.0, "right": 400.0})
    with pytest.raises(UnitError):
        sb.solve(bar, made, qoi="heat_flow_left", rtol=0.1)
