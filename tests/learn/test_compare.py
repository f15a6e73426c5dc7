"""Comparisons: the same splits for all, no leaks, failures as rows, what is told apart, bad data in a sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.learn import GaussianProcess, PolynomialChaos, QuantileForest, RandomForest, ScikitLearn
from scalebridge.learn.calibration.metrics import crps_normal
from scalebridge.learn.calibration.splits import Split, kfold, temporal
from scalebridge.learn.candidates import TABLE, known_candidates, suited
from scalebridge.learn.comparing import Comparison, compare
from scalebridge.learn.held_out import cluster_error, held_out
from scalebridge.learn.learner import Data
from scalebridge.learn.tables import rows_alike
from tests.learn.cases import INPUTS, OUTPUTS, drawn

FAST = ("linear", "polynomial_chaos")
LINE = {"inputs": {"x": "1"}, "outputs": {"y": "1"}}


@dataclass(frozen=True)
class Broken(PolynomialChaos):
    """Fails on every fit."""

    name = "broken"

    def _learn(self, data: Data) -> Any:
        raise np.linalg.LinAlgError("singular\nmatrix")


@dataclass(frozen=True)
class Endless(PolynomialChaos):
    """Predicts what is not finite."""

    name = "endless"

    def _mean(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean, slope = super()._mean(x)
        return mean * np.nan, slope


@dataclass(frozen=True)
class Blind(PolynomialChaos):
    """Sees some of the inputs."""

    kept: tuple[int, ...] = ()
    degree: int = 1

    def _learn(self, data: Data) -> Any:
        return super()._learn(replace(data, x=self._seen(data.x)))

    def posterior(self, x: np.ndarray) -> Any:
        return super().posterior(self._seen(x))

    def _seen(self, x: np.ndarray) -> np.ndarray:
        return np.where(np.isin(np.arange(x.shape[1]), self.kept), x, 0.0)


@dataclass(frozen=True)
class Bold(PolynomialChaos):
    """Claims two fifths of the deviation it should."""

    def posterior(self, x: np.ndarray) -> Any:
        honest = super().posterior(x)
        return replace(honest, factor=0.4 * honest.factor, shared=0.4 * honest.shared)


@pytest.fixture(scope="module")
def two_outputs() -> Comparison:
    x, y = drawn(60)
    return compare(x, y, inputs=INPUTS, outputs=OUTPUTS, surrogates=FAST)


def line(n: int = 40, noise: float = 0.1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n, 1))
    return x, 2 * x + 1 + noise * rng.standard_normal((n, 1))


def test_the_best_by_crps_stands_first(two_outputs: Comparison) -> None:
    assert [e.name for e in two_outputs.entries] == ["polynomial_chaos", "linear"]
    assert two_outputs.best.score < two_outputs["linear"].score
    assert two_outputs.best.nrmse.shape == (2,)


def test_every_row_is_held_back_once_by_the_same_splits_for_all(two_outputs: Comparison) -> None:
    for entry in two_outputs.entries:
        assert sorted(entry.known.rows) == list(range(60))
        assert (entry.known.rows == two_outputs.best.known.rows).all()


def test_the_best_is_fitted_on_all_rows(two_outputs: Comparison) -> None:
    assert len(two_outputs.fitted.data[0]) == 60
    assert two_outputs.fitted.name == "polynomial_chaos"


def test_its_figures_are_those_of_a_fit_by_hand() -> None:
    x, y = line()
    c = compare(x, y, **LINE, surrogates=["linear"], splits=4, seed=3)
    mean, std = np.zeros_like(y), np.zeros_like(y)
    for split in kfold(len(x), 4, seed=3, groups=rows_alike(x)):
        posterior = c.best.surrogate.fit(x[split.train], y[split.train]).posterior(x[split.test])
        mean[split.test], std[split.test] = posterior.mean, posterior.std
    assert c.best.rmse == pytest.approx(np.sqrt(np.mean((y - mean) ** 2)))
    assert c.best.crps == pytest.approx(crps_normal(y, mean, std))
    assert c.best.coverage == pytest.approx(np.mean(np.abs(y - mean) <= 1.6448536 * std))
    assert c.best.score == pytest.approx(float(c.best.crps[0] / y.std()))


def test_two_comparisons_are_alike() -> None:
    x, y = line()
    first, again = (compare(x, y, surrogates=FAST, seed=5).to_json() for _ in range(2))
    drop = ("fit_seconds", "predict_seconds")
    told = [
        [{k: v for k, v in e.items() if k not in drop} for e in json.loads(t)["candidates"]] for t in (first, again)
    ]
    assert told[0] == told[1]


def test_a_candidate_that_fails_is_a_row_with_its_reason() -> None:
    x, y = drawn(30)
    broken, endless = Broken(INPUTS, OUTPUTS), Endless(INPUTS, OUTPUTS)
    c = compare(x, y, inputs=INPUTS, outputs=OUTPUTS, surrogates=[broken, endless, "linear"])
    assert c.best.name == "linear"
    assert c["broken"].failure == "split 0: LinAlgError: singular matrix"
    assert "not finite" in c["endless"].failure
    assert "failed: split 0: LinAlgError" in c.table()
    assert "failed" in c._repr_html_()
    with pytest.raises(sb.InputError, match="'broken' has no figures"):
        _ = c["broken"].rmse


def test_where_all_fail_there_is_no_best() -> None:
    x, y = drawn(30)
    c = compare(x, y, inputs=INPUTS, outputs=OUTPUTS, surrogates=[Broken(INPUTS, OUTPUTS)])
    assert "No candidate could be judged" in str(c)
    with pytest.raises(sb.InputError, match=r"could be judged \(broken"):
        _ = c.best
    assert json.loads(c.to_json())["best"] is None


def test_equal_rows_and_groups_and_chains_of_them_stay_together() -> None:
    x = np.array([[0.0], [-0.0], [1.0], [1.0], [2.0], [3.0]])
    assert len(set(rows_alike(x)[[0, 1]])) == 1
    labels = rows_alike(x, groups=["a", "b", "b", "c", "d", "e"])
    # Rows 0 and 1 are equal, 1 and 2 of one group, 2 and 3 equal.
    assert len(set(labels[:4])) == 1
    assert len(set(labels)) == 3


def test_duplicates_do_not_flatter() -> None:
    rng = np.random.default_rng(0)
    x = np.repeat(rng.uniform(-1, 1, (40, 3)), 2, axis=0)
    y = np.repeat(rng.standard_normal((40, 1)), 2, axis=0)
    c = compare(x, y, surrogates=[RandomForest({"x1": "1", "x2": "1", "x3": "1"}, {"y": "1"}, trees=30)])
    assert "80 rows are 40 that can be parted" in c.notes[0]
    assert float(c.best.nrmse[0]) > 0.8


def test_groups_that_stand_on_both_sides_are_refused() -> None:
    x, y = line()
    with pytest.raises(sb.InputError, match=r"Split 0: The group '0' .* stands on both sides"):
        compare(x, y, surrogates=["linear"], groups=np.arange(40) // 10, splits=kfold(40, 4))


def test_splits_of_ones_own_are_refused_where_equal_rows_leak_or_taken_and_said() -> None:
    x, y = line(20)
    x, y = np.tile(x, (2, 1)), np.tile(y, (2, 1))
    own = [Split(np.arange(20), np.arange(20, 40))]
    with pytest.raises(sb.InputError, match=r"Split 0: Rows .* are equal and stand on both sides"):
        compare(x, y, surrogates=["linear"], splits=own)
    c = compare(x, y, surrogates=["linear"], splits=own, allow_leaks=True)
    assert "Split 0 leaks" in str(c)
    with pytest.raises(sb.InputError, match="names row 40 of data with 40 rows"):
        compare(x, y, surrogates=["linear"], splits=[([0, 1, 2], [40])], allow_leaks=True)


def test_temporal_splits_test_on_what_comes_next() -> None:
    x, y = line()
    c = compare(x, y, surrogates=["linear"], splits=temporal(np.arange(40), 3))
    assert all(s.train.max() < s.test.min() for s in c.splits)
    assert set(c.best.in_split(1).known.rows) == set(c.splits[1].test)


def test_declared_noise_is_part_of_what_is_seen() -> None:
    x, y = line(60, noise=0.5)
    spaces = sb.Space(LINE["inputs"]), sb.Space(LINE["outputs"])
    told = compare(x, y, **LINE, surrogates=[GaussianProcess(*spaces)], noise_std=0.5).best
    assert abs(float(told.coverage[0]) - 0.9) < 3 * told.coverage_error
    assert float(told.known.std.min()) > 0.5


def test_laws_that_are_not_normal_are_scored_by_their_quantiles() -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 1, (300, 1))
    y = rng.exponential(1.0, (300, 1))
    data = Data(x, y, np.zeros_like(y))
    forest = QuantileForest({"x": "1"}, {"y": "1"}, least_leaf=40, trees=30)
    held, _ = held_out(forest, data, kfold(300, 3))
    # Of an exponential law itself: its CRPS is 1/2 on average, its intervals are not symmetric about the mean.
    assert 0.45 < float(held.crps.mean()) < 0.65
    assert float((held.upper - held.mean).mean()) > 1.5 * float((held.mean - held.lower).mean())
    assert abs(float(held.level.mean()) - 0.5) < 0.05


def test_the_error_of_a_coverage_knows_of_groups() -> None:
    x, y = line(40)
    alone = compare(x, y, surrogates=["linear"]).best.coverage_error
    assert 0.02 < alone < 0.09
    values = np.repeat(np.random.default_rng(0).standard_normal(50), 4)
    apart, together = cluster_error(values, np.arange(200)), cluster_error(values, np.arange(200) // 4)
    assert together == pytest.approx(2 * apart, rel=0.02)


@pytest.mark.theory
def test_of_equal_candidates_few_are_told_apart() -> None:
    # Each sees three of six inputs that all matter alike: neither is better.
    told = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((80, 6))
        y = x.sum(axis=1, keepdims=True) + rng.standard_normal((80, 1))
        spaces = sb.Space({f"x{i + 1}": "1" for i in range(6)}), sb.Space({"y": "1"})
        halves = {name: Blind(*spaces, kept=kept) for name, kept in (("a", (0, 1, 2)), ("b", (3, 4, 5)))}
        c = compare(x, y, surrogates=halves, inputs=spaces[0], outputs=spaces[1], seed=seed)
        told += c.best.held is not None and not c.tied
    assert told <= 5


def test_what_cannot_be_told_apart_is_said() -> None:
    x, y = line(60)
    c = compare(x, y, **LINE, surrogates={"one": "polynomial_chaos", "other": "linear"})
    assert c.tied
    assert f"Not distinguishable from {c.best.name} on these rows: {c.tied[0]}." in str(c)


def test_intervals_that_hold_too_little_are_named() -> None:
    x, y = line(80)
    c = compare(x, y, **LINE, surrogates={"bold": Bold(*(sb.Space(s) for s in LINE.values()))})
    assert "Intervals of bold hold fewer values than they claim." in str(c)


def test_a_table_is_read_by_its_columns_and_brought_to_the_units() -> None:
    x, y = line(20)
    celsius = {"T [degC]": 100 * x[:, 0], "note": ["a"] * 20, "f [kPa]": y[:, 0]}
    c = compare(celsius, "f", inputs={"T": "K"}, outputs={"f": "Pa"}, surrogates=["linear"])
    assert c.data.x == pytest.approx(100 * x + 273.15)
    assert c.data.y == pytest.approx(1000 * y)
    with pytest.raises(sb.UnitError, match=r"'T' of the inputs is in 'degC' .* in 'm'"):
        compare(celsius, "f", inputs={"T": "m"}, outputs={"f": "Pa"}, surrogates=["linear"])
    with pytest.raises(sb.InputError, match="'note' of the inputs holds 'a', which is no number"):
        compare(celsius, "f", surrogates=["linear"])
    with pytest.raises(sb.InputError, match="has no column 'g'"):
        compare(celsius, "g", surrogates=["linear"])


def test_structured_arrays_are_tables() -> None:
    x, y = line(20)
    table = np.zeros(20, dtype=[("water/cement", float), ("age [day]", float), ("strength [MPa]", float)])
    table["water/cement"], table["age [day]"], table["strength [MPa]"] = x[:, 0], x[:, 0] ** 2, y[:, 0]
    c = compare(table, ["strength"], surrogates=["linear"])
    space = c.best.surrogate.inputs
    assert space.names == ("water_cement", "age")
    assert space["age"].unit == "day"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda x, y: (x[:1], y[:1]), "got 1 row of 1 input; give at least 2 rows"),
        (lambda x, y: (np.full(x.shape, "warm"), y), "holds 'warm', which is no number"),
        (lambda x, y: (np.where(x == x[3], np.inf, x), y), "hold inf in row 3, column 'x'; values must be finite"),
        (lambda x, y: (x, np.where(x == x[2], np.nan, y)), "hold nan in row 2, column 'y'"),
        (lambda x, y: (x, y[:-1]), "40 rows of inputs and 39 of outputs"),
        (lambda x, y: (x[:, :0], y), "has no columns"),
        (lambda x, y: (x[None], y), r"have the shape \(1, 40, 1\)"),
        (lambda x, y: (np.zeros_like(x), y), "All 40 rows are equal or of one group"),
        (lambda x, y: (x, "y"), "the inputs are no table"),
    ],
)
def test_bad_data_are_answered_in_one_sentence(change: Any, sentence: str) -> None:
    with pytest.raises(sb.InputError, match=sentence) as caught:
        compare(*change(*line()), surrogates=["linear"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"splits": [(np.arange(40), [])]}, "no rows to test on"),
        ({"splits": []}, "There are no splits"),
        ({"splits": 41}, "41 folds got 40 groups"),
        ({"level": 1.5}, "level of an interval is 1.5"),
        ({"groups": np.zeros(3)}, "40 rows and groups of shape"),
        ({"surrogates": ["random_forrest"]}, "did you mean 'random_forest'"),
        ({"surrogates": ["ensemble"]}, "'ensemble' needs more than inputs and outputs"),
        ({"surrogates": [RandomForest]}, "give a name such as 'random_forest'"),
        ({"surrogates": [RandomForest({"T": "K"}, {"y": "1"})]}, "has the inputs T, the data have x"),
        ({"surrogates": [RandomForest({"x": "K"}, {"y": "1"})]}, "takes 'x' in 'K', the data give it in '1'"),
        ({"surrogates": []}, "no surrogates to compare"),
        ({"noise_std": -1.0}, "noise_std that is negative"),
    ],
)
def test_bad_options_are_answered_in_one_sentence(options: Any, sentence: str) -> None:
    with pytest.raises(sb.InputError, match=sentence):
        compare(*line(), **{"surrogates": ["linear"], **options})


def test_a_budget_leaves_out_what_is_dear_and_stops_what_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = line(60)
    c = compare(x, y, surrogates=["linear", "gradient_boosting"], budget_s=3.0)
    assert c.best.name == "linear"
    assert "left out: it is expected to take" in c["gradient_boosting"].failure
    ticks = iter(range(1000))
    monkeypatch.setattr("scalebridge.learn.comparing.time.perf_counter", lambda: 10.0 * next(ticks))
    c = compare(x, y, surrogates=["linear"], budget_s=55.0)
    assert "splits: the budget is spent" in c["linear"].failure


def test_progress_comes_with_an_estimate() -> None:
    lines: list[str] = []
    compare(*line(), surrogates=["linear", "polynomial_chaos"], progress=lines.append)
    assert len(lines) == 2
    assert lines[0].startswith("linear (1 of 2): CRPS 0.")
    assert lines[1].endswith("about 0 s left")


def test_candidates_suit_the_size() -> None:
    assert "gaussian_process" in suited(5, 1)
    assert "gradient_boosting" not in suited(20, 1)
    assert "gaussian_process" not in suited(5000, 1)
    assert {"gradient_boosting", "random_forest"} <= set(suited(5000, 1))
    assert set(suited(100, 1)) <= set(known_candidates())


def test_names_in_the_table_are_tried_only_where_they_are_there() -> None:
    known = set(sb.learn.known_surrogates())
    assert {n for n in known_candidates() if n in TABLE} <= known | {"linear"}


def test_the_same_label_twice_is_numbered() -> None:
    x, y = line()
    estimators = [ScikitLearn(*(sb.Space(s) for s in LINE.values()), estimator=e, repeats=1) for e in _linears()]
    assert {e.name for e in compare(x, y, surrogates=estimators).entries} == {"scikit_learn", "scikit_learn 2"}


def _linears() -> list[Any]:
    from sklearn.linear_model import LinearRegression, Ridge

    return [LinearRegression(), Ridge()]


def test_it_is_drawn_and_written(two_outputs: Comparison, tmp_path: Path) -> None:
    figure = two_outputs.figure(tmp_path / "c.png")
    assert [ax.get_title() for ax in figure.axes] == ["Error and width", "Coverage of 90 %", "Calibration"]
    assert (tmp_path / "c.png").stat().st_size > 5000
    told = json.loads(two_outputs.to_json(tmp_path / "c.json"))
    assert json.loads((tmp_path / "c.json").read_text()) == told
    assert told["best"] == "polynomial_chaos"
    assert set(told["candidates"][0]) >= {"crps", "rmse", "nrmse", "r2", "nll", "coverage", "coverage_error", "width"}
    html = two_outputs._repr_html_()
    assert html.count("<tr>") == 3
    assert "covers 90 %" in html


def test_constant_outputs_are_compared() -> None:
    x, _ = line()
    c = compare(x, np.ones((40, 1)), surrogates=FAST)
    assert float(c.best.rmse[0]) < 1e-9
    assert json.loads(c.to_json())["candidates"][0]["failure"] if c.best.held is None else True


def test_importing_it_imports_neither_matplotlib_nor_torch() -> None:
    program = "import sys, scalebridge.learn.comparing; "
    program += "assert not {'torch', 'matplotlib', 'sklearn', 'scipy', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_candidate_shows_itself_in_a_line() -> None:
    x, y = drawn(30)
    comparison = sb.compare(x, y, inputs=INPUTS, outputs=OUTPUTS, surrogates=["linear"], splits=3)
    assert repr(comparison.best).startswith("Entry(linear: relative CRPS ") and len(repr(comparison.best)) < 80
