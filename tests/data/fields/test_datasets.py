import numpy as np
import pytest

import scalebridge as sb
from scalebridge.data import Field, fields_dataset, from_columns, read_mesh, sampled, write_mesh
from scalebridge.errors import InputError, ShapeError, UnitError
from scalebridge.learn.reduced_outputs import ReducedOutputs
from tests.data.fields.meshes import cube, square

RNG = np.random.default_rng(0)


def warm(mesh, conductivity, width, unit="K"):
    """A warm strip whose position and width are the parameters, an analytic field on any mesh."""
    x, y = mesh.points[:, 0], mesh.points[:, 1]
    values = 300 + 50 * np.exp(-(((x - 0.5) / width) ** 2)) * (1 + y / conductivity)
    field = Field("T", "K", values, "points", mesh)
    return field.in_units(unit)


def runs(n, seed=0):
    """Runs at random parameters, each on a mesh of its own."""
    rng = np.random.default_rng(seed)
    k, w = rng.uniform(1, 4, n), rng.uniform(0.3, 0.6, n)
    meshes = [square(10 + i % 5, "quad" if i % 2 else "triangle", seed=i) for i in range(n)]
    rows = [{"T": warm(m, *p)} for m, *p in zip(meshes, k, w, strict=True)]
    return fields_dataset(rows, {"k": ("W/(m*K)", k), "width": ("m", w)})


def test_runs_become_rows_with_columns_of_fields():
    data = fields_dataset(
        [{"T": warm(square(3), 2, 0.4)}, None, {"T": warm(square(4), 2, 0.5, "degC")}],
        {"load": ("N", [1.0, 2.0, 3.0]), "note": [0, 1, 2]},
        index=["a", "b", "c"],
    )
    assert [(v.name, v.unit, v.kind) for v in data.space] == [
        ("run", "1", "category"), ("load", "N", "array"), ("note", "1", "array"), ("T", "K", "field"),
    ]  # fmt: skip
    assert data.gaps("T").tolist() == [False, True, False]
    np.testing.assert_allclose(data["T"][2].values, warm(square(4), 2, 0.5).values)
    told = data.describe()
    assert "T [K]: 2 fields at points, 3" in told and "on 2 meshes, 1 gaps" in told
    assert "unit not stated" in told and "2 fields at points" in data._repr_html_()


def test_a_dataset_of_fields_is_saved_and_loaded_with_its_meshes(tmp_path):
    mesh = cube(2)
    rows = [
        {
            "T": Field("T", "K", RNG.normal(size=27), "points", mesh, time=0.5 * i, description="warm"),
            "S": Field("S", "MPa", RNG.normal(size=(8, 6)), "cells", mesh, time=0.5 * i),
        }
        for i in range(3)
    ]
    data = fields_dataset(rows)
    assert data["time"].tolist() == [0, 0.5, 1]
    data.save(tmp_path / "a.sbd")
    back = sb.data.load(tmp_path / "a.sbd")
    assert back.digest == data.digest
    assert back["T"][1].time == 0.5 and back["T"][1].description == "warm" and back["S"][0].shape == (6,)
    np.testing.assert_array_equal(back["S"][2].values, rows[2]["S"].values)
    assert back["T"][0].mesh is back["T"][2].mesh
    # One mesh and six arrays of values, however many fields share it.
    assert (tmp_path / "a.sbd").stat().st_size < 27 * 24 + 8 * 64 + 3 * (27 * 8 + 8 * 48) + 8000
    converted = data.in_units({"S": "Pa"})
    assert converted.space["S"].unit == "Pa" and converted["S"][0].values[0, 0] == rows[0]["S"].values[0, 0] * 1e6
    assert converted.undo() is data and converted.digest != data.digest


def test_fields_go_into_a_table_of_columns_and_units_are_held():
    field = warm(square(2), 2, 0.4)
    data = from_columns({"name": ["a"], "T [K]": [field]})
    assert data.space["T"].kind == "field" and data["T"][0] is field
    with pytest.raises(InputError, match=r"in 'K', and its column in 'degC'; use in_units\('degC'\)"):
        from_columns({"T [degC]": [field]})


def test_runs_that_do_not_fit_together_are_refused():
    field = warm(square(2), 2, 0.4)
    with pytest.raises(ShapeError, match="for 2 runs"):
        fields_dataset([{"T": field}] * 2, {"load": ("N", [1.0])})
    with pytest.raises(InputError, match="parameter and a field named 'T'"):
        fields_dataset([{"T": field}], {"T": ("N", [1.0])})
    with pytest.raises(UnitError, match="do not convert"):
        fields_dataset([{"T": field}, {"T": field.with_values(field.values, unit="m")}])
    with pytest.raises(ShapeError, match="in row 2"):
        fields_dataset([{"T": field}, {"T": field.gradient()}])
    with pytest.raises(InputError, match="none of them has a field"):
        fields_dataset([None, {}])


def test_fields_on_different_meshes_are_sampled_at_the_same_places():
    data = runs(6)
    places = RNG.uniform(0.05, 0.95, (30, 2))
    table = sampled(data, "T", at=places)
    assert table["T"].shape == (6, 30) and table.space["T"].unit == "K" and table.space["T"].kind == "array"
    exact = warm(sb.data.Mesh(places), data["k"][3], data["width"][3]).values
    np.testing.assert_allclose(table["T"][3], exact, atol=1.0)
    np.testing.assert_allclose(table.steps[-1].options["places"], np.column_stack([places, np.zeros(30)]))
    assert table.undo()["T"][0] is data["T"][0]
    first = sampled(data, "T", name="T_places")
    np.testing.assert_array_equal(first["T_places"][0], data["T"][0].values)
    assert first.space["T"].kind == "field"


def test_a_place_outside_of_a_mesh_is_refused_or_a_gap():
    data = runs(3)
    with pytest.raises(
        InputError, match=r"row 1 of 'fields' has no value at 1 of 2 places, the first at \(1.5, 0.5, 0\)"
    ):
        sampled(data, "T", at=[[0.5, 0.5], [1.5, 0.5]])
    gaps = sampled(data, "T", at=[[0.5, 0.5], [1.5, 0.5]], outside="gap")
    assert np.isnan(gaps["T"][:, 1]).all() and not np.isnan(gaps["T"][:, 0]).any()
    with pytest.raises(InputError, match="holds no fields on meshes"):
        sampled(data, "k")


def test_a_surrogate_learns_fields_from_different_meshes_and_its_intervals_hold():
    data, places = runs(40), RNG.uniform(0.02, 0.98, (60, 2))
    table = sampled(data, "T", at=places, order=2)
    surrogate = ReducedOutputs(table.only(["k", "width"]).space, table.only("T").space)
    fitted = surrogate.fit(table.numeric(["k", "width"]), table.numeric(["T"]))
    rng = np.random.default_rng(9)
    x = np.column_stack([rng.uniform(1.2, 3.8, 50), rng.uniform(0.33, 0.57, 50)])
    posterior = fitted.posterior(x)
    truth = np.array([warm(sb.data.Mesh(places), *row).values for row in x])
    rmse = np.sqrt(np.mean((posterior.mean - truth) ** 2))
    assert rmse < 0.01 * (truth.max() - truth.min())
    inside = (truth >= posterior.quantile(0.025)) & (truth <= posterior.quantile(0.975))
    assert inside.mean() > 0.9


def test_a_file_is_a_row_and_a_series_has_a_row_for_each_step(tmp_path):
    for k in range(3):
        field = warm(square(3), 2, 0.3 + 0.1 * k)
        write_mesh(tmp_path / f"out_{k}.vtu", field.mesh, [field])
    one = sb.data.read(tmp_path / "out_1.vtu", unit="m")
    assert len(one) == 1 and one.space["T"].kind == "field" and one["T"][0].mesh.unit == "m"
    np.testing.assert_array_equal(one["T"][0].values, read_mesh(tmp_path / "out_1.vtu")[1]["T"].values)
    assert one.source.files[0].name.endswith("out_1.vtu") and len(one.source.files) == 1
    series = sb.data.read(tmp_path / "out_*.vtu", times=[0.0, 1.0, 2.0])
    assert series["time"].tolist() == [0, 1, 2] and len(series.source.files) == 3
