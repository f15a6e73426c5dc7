import numpy as np
import pytest

from scalebridge.data import CellBlock, Field, Mesh
from scalebridge.data.fields.cell_types import CELL_TYPES, EDGES
from scalebridge.data.fields.midsides import SECOND_ORDER
from scalebridge.errors import InputError, ShapeError
from tests.data.fields.meshes import CELLS, cube, one_cell, square


def linear(mesh, unit="K"):
    return Field("T", unit, 1 + mesh.points @ [2.0, -3.0, 0.5], "points", mesh)


@pytest.mark.parametrize("kind", CELLS)
def test_every_type_of_cell_has_its_known_measure(kind):
    mesh, measure = one_cell(kind)
    assert mesh.measures == pytest.approx([measure], abs=1e-14)


def test_a_skewed_hexahedron_has_the_volume_that_the_divergence_theorem_gives():
    rng = np.random.default_rng(0)
    mesh = cube(1)
    points = mesh.points + rng.uniform(-0.2, 0.2, mesh.points.shape)
    moved = Mesh(points, mesh.cells)
    # Shaken points of neighbours leave no gap: the volumes of a whole cube sum to one.
    shaken = cube(4, seed=1)
    assert shaken.measures.sum() == pytest.approx(1.0, abs=1e-13)
    # Fine trilinear subdivision of the same map as an independent count.
    n = 24
    g = (np.arange(n) + 0.5) / n
    r, s, t = (a.ravel() for a in np.meshgrid(g, g, g, indexing="ij"))
    corner = points[mesh.cells[0].nodes[0]]
    signs = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]])
    d = []
    for axis in range(3):
        factors = [np.where(signs[:, i] == 1, v[:, None], 1 - v[:, None]) for i, v in enumerate((r, s, t))]
        factors[axis] = np.broadcast_to(2.0 * signs[:, axis] - 1, factors[axis].shape)
        d.append(np.prod(factors, axis=0) @ corner)
    counted = np.abs(np.linalg.det(np.stack(d, axis=-1))).mean()
    assert moved.measures[0] == pytest.approx(counted, rel=1e-3)


@pytest.mark.parametrize("kind", ["triangle", "quad", "tetra", "pyramid", "wedge", "hexahedron", "line"])
def test_a_linear_field_is_interpolated_exactly_in_every_type_of_cell(kind):
    mesh, measure = one_cell(kind)
    field = linear(mesh)
    rng = np.random.default_rng(0)
    share = rng.dirichlet(np.ones(mesh.n_points), 200)
    places = share @ mesh.points
    exact = 1 + places @ [2.0, -3.0, 0.5]
    np.testing.assert_allclose(field.at(places), exact, atol=1e-9)
    assert field.to_cells().values[0] * measure == pytest.approx(field.integral()[0], rel=1e-12)
    np.testing.assert_allclose(field.at(mesh.points), field.values, atol=1e-6)


@pytest.mark.parametrize("mesh", [square(7, seed=3), square(6, "quad", seed=4), cube(5, seed=5)], ids=lambda m: m.name)
def test_a_linear_field_is_exact_everywhere_inside_and_missing_outside(mesh):
    d = mesh.dimension
    places = np.random.default_rng(1).uniform(-0.2, 1.2, (3000, d))
    inside = ((places >= 0) & (places <= 1)).all(axis=1)
    found = linear(mesh).at(places)
    np.testing.assert_array_equal(np.isnan(found), ~inside)
    full = np.hstack([places, np.zeros((len(places), 3 - d))])
    np.testing.assert_allclose(found[inside], 1 + full[inside] @ [2.0, -3.0, 0.5], atol=1e-9)


def test_interpolation_converges_at_second_order():
    errors = []
    places = np.random.default_rng(0).uniform(0.01, 0.99, (500, 2))
    for n in (8, 16, 32):
        mesh = square(n, seed=0)
        field = Field("u", "1", np.sin(3 * mesh.points[:, 0]) * np.cos(2 * mesh.points[:, 1]), "points", mesh)
        exact = np.sin(3 * places[:, 0]) * np.cos(2 * places[:, 1])
        errors.append(np.sqrt(np.mean((field.at(places) - exact) ** 2)))
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(orders > 1.7)


def test_with_gradients_of_the_neighbours_a_quadratic_field_is_exact_inside():
    places = np.random.default_rng(0).uniform(0.26, 0.74, (300, 3))
    for mesh in (square(8, "quad"), cube(8)):
        x, y = mesh.points[:, 0], mesh.points[:, 1]
        field = Field("u", "1", np.column_stack([x**2 - 3 * x * y, y**2 + x]), "points", mesh)
        p, q = places[:, 0], places[:, 1]
        exact = np.column_stack([p**2 - 3 * p * q, q**2 + p])
        there = places[:, : mesh.dimension]
        np.testing.assert_allclose(field.at(there, order=2), exact, atol=1e-9)
        assert np.abs(field.at(there) - exact).max() > 1e-3
    with pytest.raises(InputError, match="of the order 3"):
        field.at(there, order=3)


def test_the_second_order_is_better_on_shaken_meshes_and_no_worse_at_gaps():
    places = np.random.default_rng(0).uniform(0.01, 0.99, (500, 2))
    exact = np.sin(3 * places[:, 0]) * np.cos(2 * places[:, 1])
    mesh = square(20, seed=0)
    field = Field("u", "1", np.sin(3 * mesh.points[:, 0]) * np.cos(2 * mesh.points[:, 1]), "points", mesh)
    errors = [np.sqrt(np.mean((field.at(places, order) - exact) ** 2)) for order in (1, 2)]
    assert errors[1] < 0.4 * errors[0]
    holes = field.with_values(np.where(np.arange(mesh.n_points) == 200, np.nan, field.values))
    np.testing.assert_array_equal(np.isnan(holes.at(places, 2)), np.isnan(holes.at(places)))


def test_places_are_found_in_a_graded_mesh_with_long_thin_cells():
    x, y = np.linspace(0, 1, 5), np.concatenate([[0], np.geomspace(1e-5, 1, 60)])
    points = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    n = len(y)
    a = (np.arange(4)[:, None] * n + np.arange(n - 1)).ravel()
    mesh = Mesh(points, (CellBlock("quad", np.column_stack([a, a + n, a + n + 1, a + 1])),))
    places = np.column_stack([np.full(400, 0.37), np.geomspace(1e-7, 0.99, 400)])
    field = Field("u", "m/s", mesh.points[:, 1], "points", mesh)
    np.testing.assert_allclose(field.at(places), places[:, 1], rtol=1e-9, atol=1e-12)


def test_a_curved_surface_is_sampled_on_itself_and_nowhere_else():
    mesh = square(10)
    bent = Mesh(mesh.points + np.outer(mesh.points[:, 0] ** 2, [0, 0, 1.0]), mesh.cells)
    field = Field("h", "m", bent.points[:, 2], "points", bent)
    on = bent.points[bent.cells[0].nodes].mean(axis=1)
    np.testing.assert_allclose(field.at(on), on[:, 2], atol=1e-12)
    assert np.isnan(field.at(np.add(on, [0, 0, 0.05]))).all()


def test_a_field_in_cells_is_constant_in_each_and_of_shared_borders_the_lower_number_answers():
    mesh = square(2, "quad")
    field = Field("k", "W/(m*K)", [1.0, 2.0, 3.0, 4.0], "cells", mesh)
    np.testing.assert_array_equal(field.at([[0.1, 0.1], [0.1, 0.9], [0.9, 0.1], [0.5, 0.5]]), [1, 2, 3, 1])


def test_the_integral_carries_its_unit_and_weights_by_volume():
    mesh = square(5, unit="mm", seed=2)
    value, unit = linear(mesh).integral()
    assert (value, unit) == (pytest.approx(0.5), "K*mm^2")
    assert linear(mesh).statistic("mean") == pytest.approx(0.5)
    with pytest.raises(InputError, match="whose zero is arbitrary"):
        linear(mesh, "degC").integral()


def test_statistics_of_a_linear_field_are_those_of_the_uniform_law():
    mesh = square(40, "quad")
    field = Field("x", "m", mesh.points[:, 0], "points", mesh)
    assert field.statistic("std") == pytest.approx(1 / np.sqrt(12), rel=1e-3)
    assert field.statistic("median") == pytest.approx(0.5, abs=1e-12)
    assert field.quantile(0.25) == pytest.approx(0.25, abs=0.02)
    assert (field.statistic("min"), field.statistic("max"), field.statistic("range")) == (0, 1, 1)
    with pytest.raises(InputError, match="did you mean 'mean'"):
        field.statistic("meam")


def test_refining_half_a_mesh_does_not_move_its_mean():
    coarse = Mesh([[0], [1], [2]], (CellBlock("line", [[0, 1], [1, 2]]),))
    fine = Mesh([[0], [0.25], [0.5], [0.75], [1], [2]], (CellBlock("line", [[i, i + 1] for i in range(5)]),))
    means = [Field("x", "m", m.points[:, 0] ** 1, "points", m).statistic("mean") for m in (coarse, fine)]
    assert means == pytest.approx([1.0, 1.0])


def test_gaps_are_left_out_of_statistics_and_stay_gaps_elsewhere():
    mesh = square(2, "quad")
    field = Field("k", "1", [1.0, np.nan, 3.0, 5.0], "cells", mesh)
    assert field.statistic("mean") == pytest.approx(3.0)
    assert np.isnan(field.integral()[0])
    assert np.isnan(field.at([[0.1, 0.9]])[0])
    assert not np.isnan(field.to_points().values[mesh.n_points // 2])
    alone = Field("k", "1", [np.nan] * 4, "cells", mesh)
    assert np.isnan(alone.statistic("max")) and np.isnan(alone.to_points().values).all()


def test_cells_to_points_weights_by_volume_and_back_keeps_a_constant():
    mesh = Mesh([[0], [1], [4]], (CellBlock("line", [[0, 1], [1, 2]]),))
    field = Field("k", "1", [1.0, 2.0], "cells", mesh).to_points()
    np.testing.assert_allclose(field.values, [1, (1 * 1 + 3 * 2) / 4, 2])
    constant = Field("c", "1", np.full(27 * 1, 7.0), "points", cube(2))
    np.testing.assert_allclose(constant.to_cells().values, 7, rtol=1e-14)
    np.testing.assert_allclose(constant.to_cells().to_points().values, 7, rtol=1e-14)


def test_integration_points_are_averaged_in_their_cell_and_counted_each_in_statistics():
    mesh = square(1, "quad")
    field = Field("S", "MPa", np.arange(24.0).reshape(1, 4, 6), "integration points", mesh)
    assert field.shape == (6,)
    np.testing.assert_allclose(field.to_cells().values, np.arange(24.0).reshape(4, 6).mean(axis=0)[None])
    np.testing.assert_allclose(field.statistic("max"), np.arange(18.0, 24.0))
    assert field.von_mises().shape == ()


def test_von_mises_and_principal_values_of_known_states():
    mesh = Mesh([[0, 0, 0], [1, 0, 0], [2, 0, 0]])
    # Uniaxial, pure shear, hydrostatic.
    states = [[100, 0, 0, 0, 0, 0], [0, 0, 0, 50, 0, 0], [7, 7, 7, 0, 0, 0]]
    stress = Field("S", "MPa", states, "points", mesh)
    np.testing.assert_allclose(stress.von_mises().values, [100, 50 * np.sqrt(3), 0], atol=1e-12)
    np.testing.assert_allclose(stress.principal().values, [[100, 0, 0], [50, 0, -50], [7, 7, 7]], atol=1e-12)
    np.testing.assert_allclose(stress.norm().values[1], 50 * np.sqrt(2))
    assert stress.von_mises().unit == "MPa" and stress.von_mises().in_units("Pa").values[0] == pytest.approx(1e8)
    full = Field("S", "MPa", [[[0, 50, 0], [50, 0, 0], [0, 0, 0]]] * 3, "points", mesh)
    np.testing.assert_allclose(full.von_mises().values, 50 * np.sqrt(3))
    with pytest.raises(InputError, match="no symmetric tensors"):
        Field("u", "mm", np.ones((3, 3)), "points", mesh).von_mises()


@pytest.mark.parametrize("mesh", [square(4, seed=1), square(4, "quad", seed=1), cube(3, seed=1)], ids=lambda m: m.name)
def test_the_gradient_of_a_linear_field_is_exact(mesh):
    field = Field("T", "K", 1 + mesh.points @ [2.0, -3.0, 0.0], "points", mesh).gradient()
    np.testing.assert_allclose(field.values, np.tile([2.0, -3.0, 0.0], (mesh.n_cells, 1)), atol=1e-10)
    assert field.unit == "(K)/m" and field.location == "cells"


def test_a_line_through_a_field_gives_distances_and_values():
    distance, values = linear(square(9, seed=2)).along([0, 0], [1, 1], n=5)
    np.testing.assert_allclose(distance, np.linspace(0, np.sqrt(2), 5))
    np.testing.assert_allclose(values, 1 - np.linspace(0, 1, 5), atol=1e-9)


def test_a_part_of_a_mesh_keeps_values_tags_and_sets():
    whole = square(4, "quad")
    left = np.flatnonzero(whole.centres[:, 0] < 0.5)
    block = CellBlock("quad", whole.cells[0].nodes, {"material": np.arange(16)})
    edge = np.flatnonzero(whole.points[:, 0] == 0)
    mesh = Mesh(whole.points, (block,), point_sets={"edge": edge}, cell_sets={"left": left})
    part = linear(mesh).restricted("left")
    assert (part.mesh.n_cells, part.mesh.n_points) == (8, 15)
    np.testing.assert_allclose(part.values, 1 + part.mesh.points @ [2.0, -3.0, 0.5])
    np.testing.assert_array_equal(part.mesh.cells[0].tags["material"], left)
    assert (part.mesh.points[part.mesh.point_sets["edge"], 0] == 0).all()
    assert part.integral()[0] == pytest.approx(0.5 * (1 + 0.5 - 1.5))
    cells = Field("k", "1", np.arange(16.0), "cells", mesh).restricted(np.arange(16) > 13)
    np.testing.assert_array_equal(cells.values, [14, 15])
    with pytest.raises(InputError, match="did you mean 'left'"):
        linear(mesh).restricted("lefft")


def test_polygons_and_polyhedra_are_measured_and_interpolated():
    angle = np.linspace(0, 2 * np.pi, 7)[:-1]
    hexagon = Mesh(np.column_stack([np.cos(angle), np.sin(angle)]), (CellBlock("polygon", [list(range(6))]),))
    assert hexagon.measures[0] == pytest.approx(1.5 * np.sqrt(3))
    corners, volume = CELLS["wedge"]
    solid = Mesh(np.array(corners, float), (CellBlock("polyhedron", [list(range(6))]),))
    assert solid.measures[0] == pytest.approx(volume)
    assert linear(solid).at([[0.5, 0.5, 2.0]])[0] == pytest.approx(1 + 1 - 1.5 + 1)


def test_flat_and_degenerate_cells_have_no_volume_and_hold_no_place():
    mesh = Mesh(np.zeros((4, 3)), (CellBlock("tetra", [[0, 1, 2, 3]]),))
    assert mesh.measures == [0.0]
    assert np.isnan(Field("T", "K", np.ones(4), "points", mesh).at([[0.5, 0.5, 0.5]])[0])


def test_points_without_cells_are_not_interpolated_between():
    field = Field("T", "K", [1.0, 2.0], "points", Mesh([[0, 0, 0], [1, 0, 0]]))
    assert field.statistic("mean") == 1.5
    with pytest.raises(InputError, match="points and no cells"):
        field.at([[0.5, 0, 0]])


def test_a_field_is_refused_where_it_does_not_fit():
    mesh = square(1)
    with pytest.raises(ShapeError, match="shape \\(3,\\) at points, and its mesh 'square 1' has 4 points"):
        Field("T", "K", [1.0, 2.0, 3.0], "points", mesh)
    with pytest.raises(InputError, match="did you mean 'cells'"):
        Field("T", "K", [1.0, 2.0], "cell", mesh)
    with pytest.raises(InputError, match="infinite in row 1"):
        Field("T", "K", [1.0, np.inf], "cells", mesh)
    with pytest.raises(InputError, match="which is not known"):
        Field("T", "Kelwin", [1.0, 2.0], "cells", mesh)
    with pytest.raises(InputError, match="has the node 9"):
        Mesh(mesh.points, (CellBlock("triangle", [[0, 1, 9]]),))
    with pytest.raises(InputError, match="which is no length"):
        Mesh(mesh.points, unit="s")
    with pytest.raises(InputError, match="cell set 'a' of the mesh"):
        Mesh(mesh.points, mesh.cells, cell_sets={"a": [2]})
    with pytest.raises(InputError, match="no whole numbers"):
        CellBlock("line", [[0, 1.5]])


def test_meshes_convert_their_unit_and_are_known_by_what_they_hold():
    mesh = square(2)
    assert mesh.in_unit("mm").points.max() == 1000
    assert mesh.in_unit("mm").digest != mesh.digest == square(2).digest
    places = square(3).in_unit("mm")
    np.testing.assert_allclose(linear(mesh).at(places), 1 + places.points / 1000 @ [2.0, -3.0, 0.5], atol=1e-12)


def curve(kind, places):
    """A quadratic field; without its parts along the axis of a wedge whose sides are straight."""
    x, y, z = places.T
    flat = 1 + x + x**2 - 2 * x * y + y**2
    return flat if kind == "wedge12" else flat + 3 * z * x - z**2


def second_order(kind):
    """A quadratic field on one straight cell, skewed, with nodes in the middle of its edges, and further ones."""
    corners = np.array(CELLS[CELL_TYPES[kind].corners][0], dtype=float)
    corners = corners @ np.array([[1, 0.1, 0.2], [0, 1, 0.3], [0, 0, 1]]) if corners[:, 2].any() else corners
    edges = EDGES[CELL_TYPES[kind].corners][: 6 if kind == "wedge12" else None]
    points = [*corners, *(corners[[a, b]].mean(axis=0) for a, b in edges)]
    points += [corners.mean(axis=0)] * (CELL_TYPES[kind].n_nodes - len(points))
    mesh = Mesh(np.array(points), (CellBlock(kind, [range(len(points))]),), "m")
    return Field("v", "1", curve(kind, mesh.points), "points", mesh), corners


@pytest.mark.parametrize("kind", SECOND_ORDER)
def test_cells_of_second_order_interpolate_quadratic_fields_exactly(kind):
    field, corners = second_order(kind)
    places = np.random.default_rng(1).dirichlet(np.ones(len(corners)), 50) @ corners
    np.testing.assert_allclose(field.at(places, order=2), curve(kind, places), atol=1e-6)
    assert np.abs(field.at(places) - curve(kind, places)).max() > 0.1


@pytest.mark.parametrize("kind", SECOND_ORDER)
def test_middles_without_a_value_are_as_if_they_were_not_there(kind):
    field, corners = second_order(kind)
    base = CELL_TYPES[kind].corners
    plain = Mesh(corners, (CellBlock(base, [range(len(corners))]),), "m")
    gaps = field.with_values(np.where(np.arange(len(field.values)) < len(corners), field.values, np.nan))
    places = np.random.default_rng(2).dirichlet(np.ones(len(corners)), 20) @ corners
    expected = Field("v", "1", field.values[: len(corners)], "points", plain).at(places)
    np.testing.assert_allclose(gaps.at(places), expected, atol=1e-12)
    assert np.isfinite(gaps.at(places, order=2)).all()
