"""Data sheets and model cards: what is known is told, what is not is said to be missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.explain import by_group, data_sheet, explain, model_card
from scalebridge.explain.sheet import Section, Sheet


def dataset() -> Any:
    rng = np.random.default_rng(0)
    length = rng.uniform(1, 2, 30)
    length[:4] = np.nan
    space = sb.Space([sb.Variable("length", "mm", description="of a fibre"), sb.Variable("strength", "MPa")])
    made = sb.data.Dataset(space, {"length": length, "strength": rng.uniform(50, 90, 30)}, name="birch.csv")
    return made.in_units({"length": "um"})


@pytest.fixture(scope="module")
def comparison() -> Any:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (60, 2))
    trees = np.arange(60) // 4
    y = x[:, :1] + 0.2 * rng.standard_normal((60, 1))
    spaces = {"inputs": {"length": "mm", "density": "g/cm^3"}, "outputs": {"strength": "MPa"}}
    return sb.compare(x, y, **spaces, surrogates=["linear"], groups=trees, splits=3, progress="none")


def test_a_data_sheet_tells_origin_columns_units_gaps_and_steps() -> None:
    made = dataset()
    text = data_sheet(made, licence="CC BY 4.0", groups=np.arange(30) // 2).markdown()
    assert text.startswith("# Data sheet: birch.csv\n")
    assert made.digest in text and "Licence: CC BY 4.0." in text
    assert "| length | um | 1" in text and "| 4 | of a fibre |" in text
    assert "step 1: Converted length from 'mm' to 'um'." in text and "cells changed" in text
    assert "Rows come in 15 groups of 2 to 2 rows" in text
    assert "'length' is missing in 13 % of the rows" in text


def test_a_data_sheet_says_what_is_not_known() -> None:
    text = data_sheet(dataset()).markdown()
    assert "Licence: not stated." in text
    assert "No groups were named" in text
    assert "No quality report was made of it." in text


def test_a_quality_report_and_limits_of_the_author_are_taken_over() -> None:
    made = dataset()
    report = sb.data.quality(made, target="strength")
    sheet = data_sheet(made, report, limits=["Only one mill."])
    assert report.sentence() in sheet["Quality"].paragraphs
    assert {row[1] for row in sheet["Quality"].rows} == {f.check for f in report.findings} >= {"gaps"}
    assert "Only one mill." in sheet["Known limits"].items
    assert not any("quality" in s for s in sheet["Known limits"].items)
    assert data_sheet(made, ["Row 3 repeats row 2."])["Quality"].items == ("Row 3 repeats row 2.",)


def test_few_groups_and_repeated_rows_are_limits() -> None:
    space = sb.Space({"a": "1"})
    made = sb.data.Dataset(space, {"a": np.array([1.0, 1.0, 2.0, 3.0])})
    limits = data_sheet(made, groups=[0, 0, 1, 1])["Known limits"].items
    assert "1 rows repeat all the numbers of another row." in limits
    assert any("fewer than ten groups" in s for s in limits)


def test_a_model_card_tells_use_domain_validation_errors_explanation_and_limits(comparison: Any) -> None:
    trees = np.arange(60) // 4
    told = explain(comparison, repeats=2)
    errors = by_group(comparison, np.where(trees % 2 == 0, "north", "south"), name="site")
    card = model_card(
        comparison.fitted, purpose="Ranking of boards.", comparison=comparison, errors=[errors], explanation=told,
        data=data_sheet(dataset()), limits=["One species."],
    )  # fmt: skip
    titles = [s.title for s in card.sections]
    assert titles == [
        "Intended use", "What it is", "Inputs", "Outputs", "Domain", "Validation", "Errors by site", "Intervals",
        "What it goes by", "Limits",
    ]  # fmt: skip
    text = card.markdown()
    assert "Ranking of boards." in text and "Data sheet: birch.csv" in text
    assert "Judged on 60 rows in 15 groups that were never parted, by 3 splits" in text
    assert "length matters" in text and "site north" in text
    assert "Only 15 groups could be held back" in text
    assert "One species." in card["Limits"].items


def test_a_model_card_without_validation_says_so(comparison: Any) -> None:
    text = model_card(comparison.fitted).markdown()
    assert "No purpose was stated" in text
    assert "not judged on rows held back" in text
    assert "not looked at by group or regime" in text
    assert "no calibration was made" in text


def test_a_model_card_of_rows_without_groups_warns(comparison: Any) -> None:
    x, y, _ = comparison.fitted.data
    alone = sb.compare(x, y, surrogates=["linear"], splits=3, progress="none")
    assert any("taken as independent" in s for s in model_card(alone.fitted, comparison=alone)["Limits"].items)


def test_a_calibrated_surrogate_tells_its_certificate(comparison: Any) -> None:
    x, y, _ = comparison.fitted.data
    fitted = sb.learn.Conformal(comparison.best.surrogate).fit(x, y)
    card = model_card(fitted)
    assert any(item.startswith("coverage: ") for item in card["Intervals"].items)


def test_a_saved_surrogate_has_the_same_card(comparison: Any, tmp_path: Path) -> None:
    made = sb.learn.PolynomialChaos(comparison.fitted.inputs, comparison.fitted.outputs, degree=2)
    x, y, _ = comparison.fitted.data
    fitted = made.fit(x, y)
    sb.learn.save(fitted, tmp_path / "strength.surrogate")
    assert model_card(tmp_path / "strength.surrogate").markdown() == model_card(fitted).markdown()


def test_html_is_escaped_and_whole() -> None:
    section = Section("a < b", ("x & y",), ("<i>",), ("h|1",), (("c | d",),))
    html = Sheet.of("T", [section, Section("empty")]).html()
    assert "a &lt; b" in html and "x &amp; y" in html and "&lt;i&gt;" in html and "empty" not in html
    assert "| c \\| d |" in section.markdown()


def test_what_has_no_paper_is_said_in_a_sentence() -> None:
    with pytest.raises(sb.InputError, match="A data sheet was asked of list"):
        data_sheet([1, 2])
    with pytest.raises(sb.InputError, match="no column 'tree'"):
        data_sheet(dataset(), groups="tree")
    with pytest.raises(sb.InputError, match="30 rows and 3 groups"):
        data_sheet(dataset(), groups=[1, 2, 3])
    with pytest.raises(sb.InputError, match="give a fitted surrogate"):
        model_card(object())
    with pytest.raises(sb.InputError, match="not fitted"):
        model_card(sb.learn.PolynomialChaos({"a": "1"}, {"b": "1"}))
