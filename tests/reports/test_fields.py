import re

import numpy as np
import pytest

from scalebridge.data import CellBlock, Field, Mesh
from scalebridge.data.fields import drawing
from scalebridge.data.fields.drawing import draw, view
from scalebridge.data.fields.surface import faces
from scalebridge.errors import InputError, UnitError
from scalebridge.reports.fields import field_figure, field_section, fields_page
from tests.data.fields.meshes import CELLS, cube, one_cell, square


@pytest.fixture(autouse=True)
def _coarse_pixels(monkeypatch):
    monkeypatch.setattr(drawing, "PIXELS", 40)


def plate(unit="K", **kwargs):
    mesh = square(6, unit="mm", **kwargs)
    return Field("T", unit, 300 + 50 * mesh.points[:, 0], "points", mesh, time=2.5)


def bars(figure):
    return [ax for ax in figure.axes if ax.get_label() == "<colorbar>"]


def test_a_flat_field_is_drawn_with_its_unit_at_the_bar_and_lengths_at_the_axes():
    figure = field_figure(plate())
    axes, bar = figure.axes[0], bars(figure)[0]
    assert bar.get_ylabel() == "T in K"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x in mm", "y in mm")
    assert axes.get_title() == "T, t = 2.500 s"
    np.testing.assert_allclose(bar.get_ylim(), (300, 350))


def test_one_scale_for_several_fields_converts_their_units():
    figure = field_figure([plate(), plate("degC")], same_scale=True)
    assert [bar.get_ylim() for bar in bars(figure)] == [pytest.approx((300, 623.15))] * 2
    with pytest.raises(UnitError, match="do not convert"):
        field_figure([plate(), plate("m")], same_scale=True)


def test_a_solid_is_drawn_from_outside_and_cut_through_its_middle():
    mesh = cube(4)
    field = Field("S", "Pa", 1e6 * mesh.points[:, 2], "points", mesh)
    figure = field_figure(field)
    titles = [ax.get_title() for ax in figure.axes if ax not in bars(figure)]
    assert titles == ["S", "x = 0.500\xa0m", "y = 0.500\xa0m", "z = 0.500\xa0m"]
    # Numbers of an everyday size, with the prefix at the unit.
    assert bars(figure)[0].get_ylabel() == "S in MPa"
    cut = figure.axes[3].images[0].get_array()
    np.testing.assert_allclose(cut, 0.5, atol=1e-9)
    up = figure.axes[1].images[0].get_array()
    np.testing.assert_allclose(up[:, 0], (np.arange(40) + 0.5) / 40, atol=1e-9)
    assert len(field_figure(field, sections=["z"]).axes) == 3
    with pytest.raises(InputError, match="normal to 'w'"):
        field_figure(field, sections=["w"])


@pytest.mark.parametrize("form", [(1, 1, 1), (1, 0.6, 0.03), (0.1, 0.1, 2), (3, 0.1, 0.2)])
def test_the_panels_of_a_thin_body_are_large_and_apart(form):
    mesh = cube(3)
    mesh = Mesh(mesh.points * np.array(form), mesh.cells, "m")
    figure = field_figure(Field("T", "K", 300 + 1e-3 * mesh.points[:, 0], "points", mesh))
    figure.draw_without_rendering()
    # A title may reach a little over its panel.
    boxes = [ax.get_tightbbox().padded(-4) for ax in figure.axes]
    for i, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[:i])
    drawn = sum(ax.get_position().width * ax.get_position().height for ax in figure.axes if ax not in bars(figure))
    assert drawn > 0.15
    assert bars(figure)[0].yaxis.get_major_formatter().get_offset() == ""


@pytest.mark.parametrize("kind", CELLS)
def test_every_type_of_cell_is_drawn(kind):
    mesh, _ = one_cell(kind)
    field_figure(
        Field("T", "K", np.arange(float(mesh.n_points)), "points", mesh), sections=["z"]
    ).draw_without_rendering()
    field_figure(Field("k", "1", [1.0], "cells", mesh), sections=False)


@pytest.mark.parametrize("kind", ["tetra", "pyramid", "wedge", "hexahedron"])
def test_the_outer_faces_of_a_cell_close_it(kind):
    """The flux of a constant through a closed surface is zero; that of the position is three volumes."""
    mesh, volume = one_cell(kind)
    flux, outflow = np.zeros(3), 0.0
    for part in faces(mesh):
        for nodes in part.nodes:
            corners = mesh.points[nodes]
            for i in range(1, len(nodes) - 1):
                area = 0.5 * np.cross(corners[i] - corners[0], corners[i + 1] - corners[0])
                flux += area
                outflow += area @ corners[[0, i, i + 1]].mean(axis=0)
    np.testing.assert_allclose(flux, 0, atol=1e-12)
    assert outflow == pytest.approx(3 * volume)


def test_faces_between_two_cells_are_not_shown():
    assert sum(len(part.nodes) for part in faces(cube(3))) == 54


def test_what_is_near_is_drawn_over_what_is_far():
    mesh = cube(1)
    seen = view(mesh)
    nearest = mesh.points[np.argmax(seen.depth)]
    np.testing.assert_array_equal(nearest, [1, 0, 1])
    # Up in space is up on the paper.
    assert seen.places[mesh.points[:, 2] == 1, 1].min() > seen.places[mesh.points[:, 2] == 0, 1].min()


def test_gaps_and_constants_are_drawn_too():
    mesh = square(3)
    for values in (np.full(16, np.nan), np.where(np.arange(16) < 3, np.nan, 1.0), np.full(16, 7.0)):
        figure = field_figure(Field("T", "K", values, "points", mesh))
        figure.draw_without_rendering()
    assert bars(figure)[0].get_ylim() == pytest.approx((3.5, 10.5))
    field_figure(Field("k", "1", [np.nan] * 18, "cells", mesh)).draw_without_rendering()


def test_a_large_flat_mesh_is_drawn_as_pixels(monkeypatch):
    monkeypatch.setattr(drawing, "MOST_FACES", 10)
    figure = field_figure(plate())
    image = figure.axes[0].images[0].get_array()
    assert image.shape == (120, 120)
    np.testing.assert_allclose(image[:, 0], 300 + 50 * 0.5 / 120, atol=1e-9)


def test_vectors_are_drawn_by_their_length():
    from matplotlib.figure import Figure

    mesh = square(2)
    field = Field("u", "m/s", np.tile([3.0, 4.0, 0.0], (9, 1)), "points", mesh)
    drawn = draw(Figure().subplots(), field)
    np.testing.assert_allclose(drawn.get_array(), 5.0)


def test_a_section_says_where_unit_and_range_and_needs_no_network():
    text = field_section(plate())
    for words in ("49 points of &#x27;square 6&#x27;", "72 triangle, in mm", "300 to 350, mean 325 by area", "2.5 s"):
        assert words in text
    assert re.search(r"largest</th><td>350.0 K at \(1.00, 0, 0\) mm", text)
    assert "<svg" in text and "http://" not in text.replace("http://www.w3.org", "")


def test_names_that_look_like_markup_stay_text():
    mesh = Mesh([[0, 0], [1, 0], [0, 1]], (CellBlock("triangle", [[0, 1, 2]]),), name="<script>")
    field = Field("T", "K", [1.0, 2.0, 3.0], "points", mesh, description="<b>hot</b>")
    for text in (field_section(field, "<i>"), field._repr_html_()):
        assert "<script>" not in text and "<b>hot" not in text and "<i>" not in text


def test_a_page_of_fields_is_one_file(tmp_path):
    path = fields_page({"temperature": plate(), "warm": plate("degC")}, tmp_path / "f.html", "Plate & more")
    text = path.read_text(encoding="utf-8")
    assert text.count("<svg") == 2 and "<h1>Plate &amp; more</h1>" in text
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))


def test_a_notebook_shows_a_field_with_a_small_picture():
    text = plate()._repr_html_()
    assert "data:image/png;base64," in text and "300 to 350" in text and len(text) < 100_000
    assert "<img" not in Field("T", "K", np.zeros(0), "points", Mesh(np.zeros((0, 3))))._repr_html_()
