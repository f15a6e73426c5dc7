"""Explanations: what matters is found, what does not is said, correlation, extrapolation and gaps are told."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.explain import Answering, Copula, Explanation, Players, explain
from scalebridge.explain.explaining import told_by_others
from scalebridge.explain.permutation import Held, permutation_importance
from tests.explain.cases import Known, correlated

INPUTS = sb.Space({"length": "mm", "density": "g/cm^3", "idle": "1"})
OUTPUTS = sb.Space({"strength": "MPa"})


def specimens(n: int = 120, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Strength that rises with length, falls with density, and has a part common to each tree of three rows."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n, 3))
    trees = np.arange(n) // 3
    y = 3 * x[:, 0] - 1.5 * x[:, 1] + 0.3 * rng.standard_normal(n // 3)[trees] + 0.2 * rng.standard_normal(n)
    return x, y[:, None], trees


@pytest.fixture(scope="module")
def fitted() -> Any:
    x, y, _ = specimens()
    return sb.learn.PolynomialChaos(INPUTS, OUTPUTS, degree=2).fit(x, y)


@pytest.fixture(scope="module")
def told(fitted: Any) -> Explanation:
    x, y, trees = specimens(seed=1)
    return explain(fitted, (x, y), groups=trees, seed=3)


def test_the_inputs_that_matter_stand_first_and_the_idle_one_is_chance(told: Explanation) -> None:
    assert [i.label for i in told.importance] == ["length", "density", "idle"]
    assert [i.significant for i in told.importance] == [True, True, False]
    assert told["length"].relation == "rises"
    assert told["density"].relation == "falls"
    assert abs(told["idle"].rise) < 0.05


def test_the_rise_of_the_error_is_that_of_independent_inputs(told: Explanation) -> None:
    # Shuffling adds twice the variance of the term lost to the mean square error.
    expected = math.sqrt(1 + 2 * 9 / 3 / told.base**2) - 1
    assert told["length"].rise == pytest.approx(expected, abs=4 * told["length"].rise_error)
    assert 0 < told["length"].rise_error < 0.3 * expected


def test_the_sentences_say_what_a_reviewer_asks(told: Explanation) -> None:
    said = " ".join(told.sentences)
    assert "On 120 rows of 40 groups that it had not seen" in said
    assert "length matters: shuffling it raises the error by" in said
    assert "strength falls with it, by" in said
    assert "idle does not stand out from chance" in said
    assert "not what causes strength" in said


def test_shapley_values_add_up_and_rank_alike(told: Explanation) -> None:
    assert told.shapley.exact and told.shapley.gap < 1e-10
    assert told["length"].shapley > told["density"].shapley > 5 * told["idle"].shapley


def test_an_explanation_is_the_same_twice_and_comes_back_from_plain_json(
    fitted: Any, told: Explanation, tmp_path: Path
) -> None:
    x, y, trees = specimens(seed=1)
    assert explain(fitted, (x, y), groups=trees, seed=3).to_json() == told.to_json(tmp_path / "told.json")
    again = Explanation.from_json(tmp_path / "told.json")
    assert again.table() == told.table()
    assert again.to_json() == told.to_json()
    assert json.loads(told.to_json())["kind"] == "explanation"


def test_without_measured_values_nothing_is_said_of_errors(fitted: Any) -> None:
    blind = explain(fitted, specimens(seed=1)[0])
    assert math.isnan(blind.base) and math.isnan(blind["length"].rise)
    assert blind.importance[0].label == "length"
    assert "nothing of its errors" in blind.sentences[0]
    assert "length moves strength by" in blind.sentences[1]


def test_rows_that_were_learned_from_are_named_as_such(fitted: Any) -> None:
    told = explain(fitted)
    assert told.seen == 1.0
    assert "learned from 100 %" in told.sentences[0]
    assert "flatter the surrogate" in told.sentences[-1]


def test_a_comparison_is_explained_on_the_rows_that_its_folds_held_back() -> None:
    x, y, trees = specimens()
    comparison = sb.compare(
        x, y, inputs=INPUTS, outputs=OUTPUTS, surrogates=["linear"], groups=trees, splits=3, progress="none"
    )
    told = explain(comparison, repeats=3)
    assert told.seen == 0.0 and told.groups == 40
    assert told.base == pytest.approx(float(comparison.best.rmse[0]))
    assert any("3 folds" in note for note in told.notes)
    with pytest.raises(sb.InputError, match="leave data and groups out"):
        explain(comparison, (x, y))


def test_a_table_is_read_by_name_in_its_units_and_gaps_are_left_out(fitted: Any) -> None:
    x, y, trees = specimens(seed=1)
    length = x[:, 0] / 1000
    length[4] = np.nan
    table = {"density": x[:, 1], "idle": x[:, 2], "length [m]": length, "strength": y[:, 0], "tree": trees.astype(str)}
    told = explain(fitted, table, groups="tree", repeats=2)
    assert (told.rows, told.groups) == (119, 40)
    assert "1 of 120 rows have gaps and are left out." in told.sentences
    direct = explain(fitted, (np.delete(x, 4, 0), np.delete(y, 4, 0)), groups=np.delete(trees, 4), repeats=2)
    assert told["length"].rise == pytest.approx(direct["length"].rise, rel=1e-6)


def test_a_dataset_is_a_table_with_units(fitted: Any) -> None:
    x, y, trees = specimens(seed=1)
    space = sb.Space([*INPUTS, *OUTPUTS])
    values = dict(zip(space.names, np.concatenate([x, y], axis=1).T, strict=True))
    dataset = sb.data.Dataset(space, values).in_units({"length": "m"})
    told = explain(fitted, dataset, groups=trees, repeats=2)
    assert told["length"].rise == pytest.approx(explain(fitted, (x, y), groups=trees, repeats=2)["length"].rise)


def test_correlated_inputs_share_importance_and_it_is_said() -> None:
    x = correlated(400, 0.95, d=3)
    y = (x[:, 0] + x[:, 1])[:, None] + 0.3 * np.random.default_rng(1).standard_normal((400, 1))
    fitted = sb.learn.PolynomialChaos(INPUTS, OUTPUTS, degree=1).fit(x[:200], y[:200])
    told = explain(fitted, (x[200:], y[200:]))
    assert told.ties[0][:2] == ("length", "density") and told.ties[0][2] > 0.9
    assert told["length"].own < 0.5 * told["length"].rise
    assert told["length"].told_by_others > 0.85 and told["idle"].told_by_others < 0.1
    said = " ".join(told.sentences)
    assert "length and density go together (rank correlation 0.9" in said
    assert "combinations that were never seen" in said
    # Both shares are told, and what the copula does not see.
    length = told["length"]
    assert length.own_unlike < 0.1 < length.unlike
    assert "Drawn given the other inputs," in said and "misses dependence that turns" in said


def test_what_another_input_tells_fully_has_no_importance_of_its_own() -> None:
    x = correlated(300, 0.999)
    model = Known(lambda x: x[:, 0] + x[:, 1], 2)
    y = model.run(x).values[:, 0] + 0.5 * np.random.default_rng(2).standard_normal(300)
    held = [Held(Answering.of(model), x, y, np.arange(300))]
    players = Players.of(model.inputs)
    shuffled = permutation_importance(held, players)
    drawn = permutation_importance(held, players, conditional=True)
    assert (shuffled.p < 1e-6).all() and (drawn.p > 0.001).all()
    assert (drawn.rise < 0.1 * shuffled.rise).all()
    assert (shuffled.unlike > 0.5).all() and (drawn.unlike < 0.05).all()


def test_an_input_drawn_given_the_others_keeps_their_correlation() -> None:
    x = correlated(4000, 0.8, d=3)
    law = Copula.of(x)
    noise = np.random.default_rng(0).standard_normal((4000, 1))
    drawn = law.values(law.redrawn(law.scores(x), [0], noise))
    assert np.corrcoef(drawn[:, 0], x[:, 1])[0, 1] == pytest.approx(0.8, abs=0.03)
    assert np.corrcoef(drawn[:, 0], x[:, 0])[0, 1] == pytest.approx(0.64, abs=0.03)
    assert set(drawn[:, 0]) <= set(x[:, 0])


def test_the_share_told_by_the_others_is_the_squared_correlation() -> None:
    assert told_by_others(Copula.normal([0, 0], [[1, 0.6], [0.6, 1]]), [0]) == pytest.approx(0.36)


def test_the_error_over_groups_is_wider_than_over_rows() -> None:
    rng = np.random.default_rng(0)
    x, trees = np.repeat(rng.standard_normal((40, 2)), 8, axis=0), np.repeat(np.arange(40), 8)
    model = Known(lambda x: x[:, 0], 2)
    y = x[:, 0] + 0.5 * rng.standard_normal(40)[trees]
    players = Players.of(model.inputs)
    by_rows = permutation_importance([Held(Answering.of(model), x, y, np.arange(320))], players)
    by_trees = permutation_importance([Held(Answering.of(model), x, y, trees)], players)
    # Rows of the same tree may stand in for each other where rows are taken for independent.
    assert by_trees.rise[0] == pytest.approx(by_rows.rise[0], rel=0.1)
    assert by_trees.error[0] > 1.5 * by_rows.error[0]


@pytest.mark.parametrize("held_out", [8, 4, 2, 1])
def test_an_input_that_is_the_same_in_a_group_matters_however_many_groups_a_fold_holds_back(held_out: int) -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(8), 12)
    x = np.stack([rng.standard_normal(8)[groups], rng.standard_normal(96)], axis=1)
    model = Known(lambda x: 5 * x[:, 0] + x[:, 1], 2)
    y = model.run(x).values[:, 0] + 0.5 * rng.standard_normal(96)
    answering = Answering.of(model)
    folds = [groups // held_out == k for k in range(8 // held_out)]
    parts = [Held(answering, x[f], y[f], groups[f]) for f in folds]
    loss = permutation_importance(parts, Players.of(model.inputs))
    whole = permutation_importance([Held(answering, x, y, groups)], Players.of(model.inputs))
    assert loss.rise[0] > 5 and loss.rise[0] == pytest.approx(whole.rise[0])


def test_false_findings_are_as_rare_as_they_say() -> None:
    model = Known(lambda x: x[:, 0] + 0.05 * x[:, 1:].sum(axis=1), 5)
    players, found = Players.of(model.inputs), 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((40, 5))
        # The others are used and say nothing: shuffling them cannot raise the error but by chance.
        y = x[:, 0] + 0.05 * rng.standard_normal((40, 4)).sum(axis=1) + rng.standard_normal(40)
        loss = permutation_importance([Held(Answering.of(model), x, y, np.arange(40))], players, repeats=3, seed=seed)
        found += bool((loss.p[1:] < 0.05).any())
    assert found <= 0.05 * 120 + 2 * math.sqrt(120 * 0.05)


def test_inputs_are_taken_together_by_label_and_arrays_are_one() -> None:
    space = sb.Space([sb.Variable("strain", "1", (3,)), sb.Variable("T", "K"), sb.Variable("t", "s")])
    players = Players.of(space, {"state": ["T", "t"]})
    assert players.labels == ("strain", "state")
    assert [c.tolist() for c in players.columns] == [[0, 1, 2], [3, 4]]
    assert players.units == ("1", "1")
    with pytest.raises(sb.InputError, match="did you mean 'strain'"):
        Players.of(space, {"a": ["strian"]})
    with pytest.raises(sb.InputError, match="stands in the groups 'a' and 'b'"):
        Players.of(space, {"a": ["T"], "b": ["T"]})


def test_what_cannot_be_explained_is_said_in_a_sentence(fitted: Any) -> None:
    x, y, _ = specimens()
    with pytest.raises(sb.InputError, match="cannot be explained, because it is no model"):
        explain(3.0)
    with pytest.raises(sb.InputError, match="no output 'strenght'; did you mean 'strength'"):
        explain(fitted, (x, y), target="strenght")
    with pytest.raises(sb.ShapeError, match="columns length, density, idle"):
        explain(fitted, (x[:, :2], y))
    with pytest.raises(sb.InputError, match="120 rows of inputs and 119 of outputs"):
        explain(fitted, (x, y[1:]))
    with pytest.raises(sb.InputError, match="no column 'tree' to group by"):
        explain(fitted, {"length": x[:, 0], "density": x[:, 1], "idle": x[:, 2]}, groups="tree")
    with pytest.raises(sb.InputError, match="at least five"):
        explain(fitted, (x[:3], y[:3]))
    with pytest.raises(sb.InputError, match="no input 'lenght'; did you mean 'length'"):
        explain(fitted, (x, y), repeats=2)["lenght"]


def test_a_file_that_holds_no_explanation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(sb.InputError, match="There is no file"):
        Explanation.from_json(tmp_path / "none.json")
    (tmp_path / "other.json").write_text("[1]")
    with pytest.raises(sb.InputError, match="no record of the kind 'explanation'"):
        Explanation.from_json(tmp_path / "other.json")


def test_a_picture_is_drawn_of_inputs_with_and_without_an_effect(told: Explanation, tmp_path: Path) -> None:
    figure = told.figure(tmp_path / "told.png")
    # The legend of the curves stands below the panels, where it covers none.
    assert len(figure.legends) == 1
    assert figure.axes[2].get_legend() is None
    assert (tmp_path / "told.png").stat().st_size > 10_000


def test_the_room_brings_no_heavy_library() -> None:
    code = (
        "import sys, scalebridge as sb; sb.explain.explain; sb.explain.by_group; sb.explain.grad_cam;"
        "sb.explain.model_card; sb.explain.data_sheet; sb.explain.sobol_indices;"
        "sys.exit(any(m in sys.modules for m in ('torch', 'scipy', 'matplotlib', 'captum', 'SALib', 'pandas')))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_every_public_name_is_there_each_time_it_is_asked_for() -> None:
    for _ in range(2):
        for name in sb.explain.__all__:
            member = getattr(sb.explain, name)
            assert callable(member) and (member.__doc__ or "").strip(), name


def test_from_few_rows_of_many_inputs_nothing_is_told_by_the_others() -> None:
    x = np.random.default_rng(0).standard_normal((40, 60))
    law = Copula.of(x)
    assert np.linalg.cond(law.correlation) < 100
    assert max(told_by_others(law, [k]) for k in range(60)) < 0.5


def test_of_many_inputs_the_most_important_ones_are_drawn() -> None:
    x = np.random.default_rng(0).random((60, 20))
    told = explain(Known(lambda x: x[:, 17] + 0.01 * x.sum(axis=1), 20), x)
    assert len(told.effects) == 24 and told.importance[0].label == "x18"
    assert told["x18"].relation == "rises"


def test_indices_are_told_in_words_and_as_a_table() -> None:
    told = explain(Known(lambda x: 2 * x[:, 0] + x[:, 1], 3), correlated(200, 0.8, d=3), indices=True)
    said = " ".join(told.sentences)
    assert "By Shapley effects, the variance comes from x1 (" in said
    assert "first-order above total): x1, x2." in said
    assert told.indices is not None
    table = told.indices.table()
    assert table.splitlines()[0].split() == ["input", "first-order", "total", "Shapley", "effect"]
    assert len(table.splitlines()) >= 5


def test_pixels_are_not_told_one_by_one() -> None:
    model = Known(lambda x: x.sum(axis=1), 1)
    model.inputs = sb.Space([sb.Variable("image", "1", (40, 40))])
    with pytest.raises(sb.InputError, match="1600 components of inputs"):
        explain(model, np.zeros((6, 1600)))


def test_an_input_that_never_changes_does_not_matter() -> None:
    x = np.random.default_rng(0).random((60, 2))
    x[:, 1] = 0.5
    told = explain(Known(lambda x: x[:, 0], 2), (x, x[:, 0] + 0.1 * np.random.default_rng(1).standard_normal(60)))
    assert told["x2"].rise == 0.0 and not told["x2"].significant and told["x2"].shapley < 1e-12
    assert told["x2"].relation == ""
