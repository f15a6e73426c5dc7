"""The report of an explanation: drawn from plain records alone, whole, in the page's own colours."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.explain import Predictions, by_group, by_regime, data_sheet, explain, model_card
from scalebridge.reports.explanation import error_blocks, explanation_blocks, html, report_saved, write_report


@pytest.fixture(scope="module")
def comparison() -> Any:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (80, 2))
    y = x[:, :1] + 0.2 * rng.standard_normal((80, 1))
    spaces = {"inputs": {"length": "mm", "density": "g/cm^3"}, "outputs": {"strength": "MPa"}}
    return sb.compare(x, y, **spaces, surrogates=["linear"], groups=np.arange(80) // 2, splits=3, progress="none")


@pytest.fixture(scope="module")
def record(comparison: Any) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(explain(comparison, repeats=2, indices=True).to_json())
    return told


def test_the_page_holds_figures_words_and_tables_of_everything(
    comparison: Any, record: dict[str, Any], tmp_path: Path
) -> None:
    sites = np.where(np.arange(80) % 4 < 2, "<north>", "south")
    errors = [json.loads(e.to_json()) for e in (by_group(comparison, sites, name="site"), by_regime(comparison))]
    dataset = sb.data.Dataset(sb.Space({"length": "mm"}), {"length": np.arange(3.0)}, name="boards")
    papers = [model_card(comparison.fitted, comparison=comparison), data_sheet(dataset)]
    file = write_report(record, tmp_path / "told.html", errors=errors, papers=papers)
    text = file.read_text(encoding="utf-8")
    assert text.count("<svg") == 4
    for words in ("What it goes by", "Along each input", "Shares of the variance", "Where it errs: by site"):
        assert words in text
    assert "Model card: scikit_learn for strength" in text and "Data sheet: boards" in text
    assert "&lt;north&gt;" in text and "<north>" not in text
    assert "http" not in re.sub(r'(xmlns(:\w+)?|href)="http[^"]*"', "", text)


def test_figures_take_the_colours_of_the_page(record: dict[str, Any]) -> None:
    text = html(record)
    assert "var(--part-closure)" in text and "#0b0b01" not in text


def test_a_saved_explanation_becomes_a_page_beside_it(comparison: Any, tmp_path: Path) -> None:
    explain(comparison, repeats=2).to_json(tmp_path / "told.json")
    assert report_saved(tmp_path / "told.json") == tmp_path / "told.html"
    with pytest.raises(sb.InputError, match="There is no file"):
        report_saved(tmp_path / "none.json")


def test_a_record_without_errors_intervals_or_effects_is_drawn_too(comparison: Any) -> None:
    class Both:
        name = "both"
        inputs = sb.Space([sb.Variable("strain", "1", (3,))])
        outputs = sb.Space({"stress": "Pa"})

        def run(self, x: np.ndarray) -> sb.Runs:
            return sb.Runs(x.sum(axis=1, keepdims=True))

    blind = explain(Both(), np.random.default_rng(0).random((20, 3)))
    text = explanation_blocks(json.loads(blind.to_json()))
    assert "What it goes by" in text and "Along each input" not in text
    y = np.random.default_rng(1).standard_normal(20)
    alone = by_group(Predictions.of(y, np.zeros(20)), np.arange(20) % 2)
    assert "Coverage" not in re.sub(r"<p>.*?</p>", "", error_blocks(json.loads(alone.to_json())))
