"""The dataset: what it holds, refuses, derives and takes back."""

from __future__ import annotations

import numpy as np
import pytest

import scalebridge as sb
from scalebridge import data
from scalebridge.errors import InputError, ShapeError, UnitError
from scalebridge.quantities import Space, Variable


def specimens(n: int = 12) -> data.Dataset:
    rng = np.random.default_rng(0)
    return data.from_columns(
        {
            "SpecimenID": [f"S{i:02d}" for i in range(n)],
            "Tree": [str(i // 3) for i in range(n)],
            "T [degC]": rng.uniform(10, 30, n),
            "strain (percent)": rng.uniform(0, 2, (n, 3)),
        },
        index="SpecimenID",
        name="birch.csv",
    )


def test_columns_in_memory_get_kinds_shapes_and_units_from_their_headers() -> None:
    d = specimens()
    assert len(d) == 12
    assert d.keys() == ("SpecimenID", "Tree", "T", "strain")
    assert [v.kind for v in d.space] == ["category", "category", "array", "array"]
    assert d.space["T"].unit == "degC"
    assert d.space["strain"].shape == (3,)
    assert d.numeric().shape == (12, 4)


def test_columns_cannot_be_written_into_and_the_giver_keeps_his_own() -> None:
    mine = np.arange(3.0)
    d = data.from_columns({"x": mine})
    with pytest.raises(ValueError, match="read-only"):
        d["x"][0] = 5.0
    mine[0] = 7.0
    assert d["x"][0] == 0.0


def test_a_view_of_a_writeable_array_is_copied() -> None:
    whole = np.arange(4.0)
    part = whole[:2]
    part.setflags(write=False)
    d = data.from_columns({"x": part})
    whole[0] = 9.0
    assert d["x"][0] == 0.0


def test_a_space_with_categories_has_no_size_and_says_what_to_do() -> None:
    space = specimens().space
    with pytest.raises(InputError, match=r"'SpecimenID' is a category and has no fixed size.*space\.numeric"):
        _ = space.size
    assert space.numeric.size == 4
    assert Space([Variable("image", kind="field")]).numeric.size == 0


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        (lambda: Variable("a", kind="category", unit="m"), "neither unit nor bounds"),
        (lambda: Variable("a", kind="field", shape=(3,)), "declared with shape"),
        (lambda: Variable("a", kind="categry"), "did you mean 'category'"),
    ],
    ids=["category-with-unit", "field-with-shape", "misspelt-kind"],
)
def test_variables_that_contradict_their_kind_are_refused(variable: object, told: str) -> None:
    with pytest.raises(InputError, match=told):
        variable()  # type: ignore[operator]


def test_an_identifier_that_stands_twice_is_refused_with_both_rows() -> None:
    with pytest.raises(InputError, match=r"'b' stands 2 times in the index 'id' of 'dataset' \(rows 2 and 3\)"):
        data.from_columns({"id": ["a", "b", "b"], "x": [1, 2, 3]}, index="id")


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ShapeError, match="2 rows of 'y' and 3 of 'x'"):
        data.from_columns({"x": [1, 2, 3], "y": [1, 2]})


def test_units_convert_with_deviations_and_bounds() -> None:
    d = data.Dataset(
        Space([Variable("T", "degC", bounds=(0, 100))]), {"T": np.array([20.0])}, std={"T": np.array([1.0])}
    )
    f = d.in_units({"T": "degF"})
    assert f["T"] == pytest.approx([68.0])
    assert f.std["T"] == pytest.approx([1.8])
    assert f.space["T"].bounds == pytest.approx((32.0, 212.0))
    with pytest.raises(UnitError, match="do not convert"):
        d.in_units({"T": "m"})


def test_each_derived_dataset_can_be_undone_step_by_step() -> None:
    d = specimens()
    derived = d.in_units({"T": "K"}).rows(d["T"] > 15).only(["SpecimenID", "T"]).without("SpecimenID")
    assert [step.name for step in derived.steps] == ["in_units", "rows", "only", "without"]
    back = derived
    for _ in range(4):
        back = back.undo()
    assert back.digest == d.digest
    with pytest.raises(InputError, match="no step to undo"):
        back.undo()


def test_a_step_tells_the_cells_that_it_changed_and_what_stood_there() -> None:
    d = data.from_columns({"x": [1.0, np.nan, 3.0], "y": [0.0, 0.0, 0.0]})
    filled = d.stepped(d.with_column("x", [1.0, 2.0, 3.0]), "fill", {"by": "hand"}, "Filled one gap.")
    (step,) = filled.steps
    assert step.name == "fill"
    assert list(step.changed) == ["x"]
    assert step.changed["x"].rows.tolist() == [1]
    assert np.isnan(step.changed["x"].former).all()


def test_rows_are_chosen_by_mask_or_number_and_wrong_ones_named() -> None:
    d = specimens()
    assert d.rows([2, -1])["SpecimenID"].tolist() == ["S02", "S11"]
    with pytest.raises(InputError, match=r"Row 12 of 'birch\.csv' was chosen, which has the rows 0 to 11"):
        d.rows([12])
    with pytest.raises(InputError, match="mask of shape"):
        d.rows([True])
    with pytest.raises(InputError, match="whole numbers"):
        d.rows([0.5])


def test_replacing_a_column_drops_its_former_deviation() -> None:
    d = data.from_columns({"x": [1.0, 2.0]}).with_column("x", [1.0, 2.0], std=[0.1, 0.2])
    assert d.std["x"].tolist() == [0.1, 0.2]
    assert "x" not in d.with_column("x", [3.0, 4.0]).std


def test_the_digest_is_of_the_content_alone_and_fixed_for_all_platforms() -> None:
    d = data.from_columns({"id": ["a", "ü"], "x [m]": [1.0, np.nan]})
    assert d.digest == data.from_columns({"id": ["a", "ü"], "x [m]": [1.0, -np.nan]}, name="other").digest
    assert d.digest != d.in_units({"x": "mm"}).digest
    assert d.digest != d.rows([1, 0]).digest
    assert d.digest == FIXED_DIGEST


FIXED_DIGEST = "52034782f46a0cde415eb62e25f7030cfab32f78a2aa38bc67dc7afcdb1a48ca"


def test_fields_may_differ_in_shape_and_have_gaps() -> None:
    image = sb.microstructure.from_array(np.random.default_rng(0).random((16, 20)))
    d = data.from_columns({"image": [image, np.ones((2, 3)), None]})
    assert d.space["image"].kind == "field"
    assert d.gaps("image").tolist() == [False, False, True]
    with pytest.raises(InputError, match="is a field, no number"):
        d.numeric(["image"])
    with pytest.raises(InputError, match=r"row 2, is str"):
        data.from_columns({"image": [image, "x"]})


def test_censoring_and_deviations_are_checked() -> None:
    space, columns = Space([Variable("N")]), {"N": np.array([1.0, 2.0])}
    assert data.Dataset(space, columns, censored={"N": np.array([0, 1])}).censored["N"].dtype == np.int8
    with pytest.raises(InputError, match="0 measured, 1 at least this"):
        data.Dataset(space, columns, censored={"N": np.array([0, 2])})
    with pytest.raises(InputError, match=r"is -1 in row 2; it must be finite and >= 0"):
        data.Dataset(space, columns, std={"N": np.array([0.0, -1.0])})


def test_frames_must_name_columns_of_their_unit() -> None:
    d = data.from_columns({"x [mm]": [0.0, 1.0], "t [s]": [0.0, 1.0]})
    made = data.Dataset(d.space, d.columns, coordinates=data.Frame(("x",), unit="mm"), time=data.TimeFrame("t"))
    assert made.coordinates is not None
    assert made.coordinates.axes == ((1.0,),)
    with pytest.raises(InputError, match="is in 'mm', its frame 'local' in 'm'"):
        data.Dataset(d.space, d.columns, coordinates=data.Frame(("x",), unit="m"))
    with pytest.raises(InputError, match="coordinate of the frame"):
        made.in_units({"x": "m"})
    with pytest.raises(InputError, match="it stays in s"):
        made.in_units({"t": "h"})
    with pytest.raises(InputError, match="not orthonormal"):
        data.Frame(("x", "y"), axes=((1.0, 1.0), (0.0, 1.0)))


def test_a_graph_keeps_the_edges_between_the_nodes_that_stay() -> None:
    nodes = data.from_columns({"r": [1.0, 2.0, 3.0]})
    edges = data.from_columns({"source": [0.0, 1.0], "target": [1.0, 2.0], "l": [5.0, 6.0]})
    graph = data.Dataset(nodes.space, nodes.columns, edges=edges)
    part = graph.rows([2, 1])
    assert part.edges is not None
    assert (part.edges["source"].tolist(), part.edges["target"].tolist(), part.edges["l"].tolist()) == ([1], [0], [6])
    with pytest.raises(InputError, match="no row number of a node"):
        data.Dataset(nodes.space, nodes.columns, edges=data.from_columns({"source": [0.0], "target": [3.0]}))


def test_learners_take_a_dataset_as_a_table_with_its_units() -> None:
    from scalebridge.learn.tables import read

    d = specimens().only(["T", "strain"])
    inputs, outputs, x, y = read(d, "T")
    assert (inputs.names, inputs["strain"].unit, inputs["strain"].shape) == (("strain",), "percent", (3,))
    assert (outputs["T"].unit, x.shape, y.shape) == ("degC", (12, 3), (12, 1))
    assert read(d, "T", outputs={"T": "K"})[3] == pytest.approx(d["T"][:, None] + 273.15)
    with pytest.raises(InputError, match="which is no number"):
        read(specimens(), "T")


def test_what_it_is_can_be_read_in_words_and_in_a_notebook() -> None:
    d = data.from_columns({"id": ["<a>", "b"], "x [m]": [1.0, np.nan], "n": [1, 2]}, index="id")
    assert "x [m]: 1 to 1, mean 1, 1 gaps" in d.describe()
    assert "n [unit not stated]" in d.describe()
    assert "<a>" not in d._repr_html_()
    assert repr(d) == "<Dataset 'dataset': 2 rows of id, x, n>"


def test_a_column_that_is_not_there_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match="no column 'Tre'; did you mean 'Tree'"):
        specimens()["Tre"]


def test_a_dataset_of_no_rows_answers_like_any_other() -> None:
    d = specimens()
    none = d.rows([])
    assert none.numeric().shape == (0, 4) and none.numeric([]).shape == (0, 0)
    assert [none.gaps(name).shape for name in none] == [(0,)] * 4
    assert none.in_units({"T": "K"}).space["T"].unit == "K"
    changed = none.with_column("strain", np.zeros((0, 3)))
    assert changed.steps[-1].changed == {} and len(changed.undo().undo()) == 12
    assert len(data.drop_duplicates(none)) == len(data.drop_gaps(none)) == 0
    assert "0 rows" in none.describe() and "0 rows" in none._repr_html_()
    assert not data.changes(none, none).cells
    assert data.quality(none).about("rows")
