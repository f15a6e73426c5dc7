"""Rows of two scales together: by identifier, never by order."""

from __future__ import annotations

import numpy as np
import pytest

from scalebridge.data import Dataset, from_columns
from scalebridge.data.alignment.aggregation import aggregate, difference_unit
from scalebridge.data.alignment.identifiers import match
from scalebridge.data.alignment.joining import join
from scalebridge.data.alignment.units import same_units
from scalebridge.errors import InputError, UnitError


def specimens() -> Dataset:
    """Three specimens."""
    return from_columns(
        {"SpecimenID": ["A1", "A2", "A3"], "E [GPa]": [1.0, 2.0, 3.0]}, index="SpecimenID", name="specimens.csv"
    )


def slices(*identifiers: str) -> Dataset:
    """One row per identifier, its fraction a tenth of the row's number."""
    return from_columns({"SpecimenID": list(identifiers), "fraction": 0.1 * np.arange(len(identifiers))}, name="slices")


def test_rows_are_joined_by_identifier_whatever_their_order() -> None:
    joined = join(specimens(), slices("A3", "A1", "A2"), "SpecimenID")
    np.testing.assert_allclose(joined["fraction"], [0.1, 0.2, 0.0])
    assert joined.index == "SpecimenID" and joined.undo()["E"][0] == 1.0


def test_many_micro_rows_keep_their_specimen() -> None:
    joined = join(specimens(), slices("A3", "A1", "A2", "A1"), "SpecimenID")
    assert joined["SpecimenID"].tolist() == ["A1", "A1", "A2", "A3"] and joined["E"].tolist() == [1, 1, 2, 3]
    assert joined.index is None


def test_many_micro_rows_are_averaged_with_their_standard_error() -> None:
    joined = join(specimens(), slices("A1", "A1", "A1", "A2", "A3"), "SpecimenID", many="aggregate")
    assert joined["fraction_mean"][0] == pytest.approx(0.1) and joined["fraction_count"].tolist() == [3, 1, 1]
    assert joined.std["fraction_mean"][0] == pytest.approx(0.1 / np.sqrt(3)) and np.isnan(
        joined.std["fraction_mean"][1]
    )


@pytest.mark.parametrize(
    ("other", "how"),
    [
        ("A01", "leading zeros"),
        ("a1", "upper and lower case"),
        ("A1 ", "spaces"),
        ("A-1", "punctuation"),
        ("Al", "letter"),
    ],
    ids=["zeros", "case", "spaces", "punctuation", "letter"],
)
def test_a_near_miss_is_named_and_not_guessed(other: str, how: str) -> None:
    with pytest.raises(InputError, match=f"'A1' and '{other}' differ in (a )?{how}"):
        join(specimens(), slices(other, "A2", "A3"), "SpecimenID")


def test_specimens_of_a_series_are_not_taken_for_each_other() -> None:
    assert match(specimens(), slices("A2", "A3", "A4"), "SpecimenID").near == ()


def test_what_is_left_out_is_said() -> None:
    joined = join(specimens(), slices("A1", "B9"), "SpecimenID", unmatched="drop")
    assert len(joined) == 1 and "'B9'" in joined.steps[-1].sentence and "'A2', 'A3'" in joined.steps[-1].sentence


def test_what_is_kept_has_gaps() -> None:
    joined = join(specimens(), slices("A2"), "SpecimenID", unmatched="keep")
    assert joined["SpecimenID"].tolist() == ["A1", "A2", "A3"] and np.isnan(joined["fraction"][[0, 2]]).all()


def test_an_identifier_twice_on_the_coarser_side_is_refused() -> None:
    twice = from_columns({"SpecimenID": ["A1", "A1"], "E": [1.0, 2.0]}, name="twice.csv")
    with pytest.raises(InputError, match=r"'twice.csv'.*several rows: 'A1'"):
        join(twice, slices("A1"), "SpecimenID")


def test_numbers_and_texts_that_write_the_same_identifier_meet() -> None:
    left = from_columns({"core": np.array([1.0, 2.0]), "x": [5.0, 6.0]})
    right = from_columns({"core": ["2", "1"], "y": [7.0, 8.0]})
    assert join(left, right, "core")["y"].tolist() == [8, 7]


def test_columns_of_one_name_are_both_kept_and_deviations_travel() -> None:
    right = from_columns({"SpecimenID": ["A2", "A1", "A3"], "E [GPa]": [20.0, 10.0, 30.0]})
    right = right.with_column("E", right["E"], [0.2, 0.1, 0.3])
    joined = join(specimens(), right, "SpecimenID")
    assert joined["E_right"].tolist() == [10, 20, 30] and joined.std["E_right"].tolist() == [0.1, 0.2, 0.3]


def test_images_are_joined_as_they_are() -> None:
    images = [np.ones((2, 2)), np.zeros((3, 3))]
    joined = join(
        specimens(), from_columns({"SpecimenID": ["A2", "A1"], "image": images}), "SpecimenID", unmatched="keep"
    )
    assert joined["image"][0].shape == (3, 3) and joined["image"][2] is None


def test_other_refusals_say_what_to_do() -> None:
    with pytest.raises(InputError, match="up to 2 rows"):
        join(specimens(), slices("A1", "A1", "A2", "A3"), "SpecimenID", many="refuse")
    with pytest.raises(InputError, match="No identifier"):
        join(specimens(), slices("B1"), "SpecimenID", unmatched="drop")
    with pytest.raises(InputError, match="valid: rows"):
        join(specimens(), slices("A1"), "SpecimenID", many="mean")
    with pytest.raises(InputError, match="no identifier"):
        match(from_columns({"x": [0.5]}), from_columns({"x": [0.5]}), "x")


def test_the_error_of_a_mean_counts_clusters_and_not_rows() -> None:
    # Five windows on each of four slices: what slices share does not average out over windows.
    ratios: dict[str, list[tuple[float, float]]] = {"rows": [], "clusters": []}
    for seed in range(200):
        rng = np.random.default_rng(seed)
        values = np.repeat(rng.standard_normal(4), 5) + 0.5 * rng.standard_normal(20)
        data = from_columns(
            {"ID": ["s"] * 20, "slice": [f"c{i // 5}" for i in range(20)], "x": values},
        )
        for name, cluster in (("rows", None), ("clusters", "slice")):
            made = aggregate(data, "ID", ["x"], cluster)
            ratios[name].append((made["x_mean"][0], made.std["x_mean"][0]))
    truth = np.sqrt(1 / 4 + 0.25 / 20)
    assert np.sqrt(np.mean([s**2 for _, s in ratios["clusters"]])) == pytest.approx(truth, rel=0.1)
    assert np.sqrt(np.mean([s**2 for _, s in ratios["rows"]])) < 0.6 * truth
    assert np.std([m for m, _ in ratios["clusters"]]) == pytest.approx(truth, rel=0.12)


def test_aggregation_skips_gaps_keeps_constant_text_and_undoes() -> None:
    data = from_columns({"ID": ["a", "a", "b"], "resin": ["x", "x", "y"], "T [degC]": [20.0, np.nan, 30.0]})
    made = aggregate(data, "ID")
    assert made["T_mean"].tolist() == [20, 30] and made["T_count"].tolist() == [1, 1]
    assert made["resin"].tolist() == ["x", "y"] and made.space["T_std"].unit == "delta_degC" and len(made.undo()) == 3


@pytest.mark.parametrize(("unit", "wanted"), [("MPa", "MPa"), ("degC", "delta_degC"), ("K", "K"), ("1", "1")], ids=str)
def test_a_difference_has_no_zero_of_its_own(unit: str, wanted: str) -> None:
    assert difference_unit(unit) == wanted


def test_units_of_another_dataset_are_taken_over_with_deviations() -> None:
    a = from_columns({"E [GPa]": [1.0], "T [K]": [300.0]})
    b = from_columns({"E [MPa]": [2500.0], "T [degC]": [20.0]}).with_column("E", [2500.0], [50.0])
    made = same_units(b, a)
    np.testing.assert_allclose([made["E"][0], made.std["E"][0], made["T"][0]], [2.5, 0.05, 293.15])
    with pytest.raises(UnitError, match="'E'"):
        same_units(from_columns({"E [kg]": [1.0]}), a)


def test_a_row_without_identifier_is_counted_among_the_unmatched() -> None:
    left = from_columns({"SpecimenID": ["A1", ""], "E": [1.0, 2.0]}, name="left")
    with pytest.raises(InputError, match=r"1 identifiers of 'left'.*\(a gap\)"):
        join(left, slices("A1"), "SpecimenID")
    assert "(a gap)" in join(left, slices("A1"), "SpecimenID", unmatched="drop").steps[-1].sentence


def test_aggregated_columns_are_called_the_same_whatever_the_data() -> None:
    once = join(specimens(), slices("A1", "A2", "A3"), "SpecimenID", many="aggregate")
    many = join(specimens(), slices("A1", "A1", "A2", "A3"), "SpecimenID", many="aggregate")
    assert once.space.names == many.space.names and "fraction_mean" in once


def test_what_was_done_to_the_right_before_is_told_by_the_join() -> None:
    kept = slices("A1", "A2", "A3", "B9").rows([0, 1, 2])
    step = join(specimens(), kept, "SpecimenID").steps[-1]
    assert step.options["right_steps"] == ["Kept 3 of 4 rows."] and "Kept 3 of 4 rows." in step.sentence


def test_one_row_keeps_the_deviation_that_it_had() -> None:
    data = from_columns({"ID": ["a", "a", "b"], "x": [1.0, 3.0, 5.0]})
    made = aggregate(data.with_column("x", data["x"], [0.5, 0.5, 0.5]), "ID")
    np.testing.assert_allclose(made.std["x_mean"], [1.0, 0.5])


def test_limits_are_not_averaged_as_if_they_were_measured() -> None:
    data = from_columns({"ID": ["a", "a"], "x": [1.0, 3.0], "y": [1.0, 2.0]})
    data = data.with_column("x", data["x"], None, [0, 1])
    with pytest.raises(InputError, match=r"1 values of 'x'.*row 2"):
        aggregate(data, "ID")
    assert aggregate(data, "ID", ["y"])["y_mean"].tolist() == [1.5]
