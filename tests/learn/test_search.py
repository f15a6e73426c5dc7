"""The search of options: the given ones first, resumed as if never killed, pruned, interrupted, drawn, refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.learn import GradientBoosting, PolynomialChaos, RandomForest, Recalibrated
from scalebridge.learn.comparing import compare
from scalebridge.learn.learner import Data
from scalebridge.learn.search_spaces import SPACES, Choice, Range, space_of, with_options
from scalebridge.learn.searching import search

pytest.importorskip("optuna", reason="the extra search is not installed")

SPACES_OF_DATA: Any = (sb.Space({"a": "1", "b": "1"}), sb.Space({"y": "1"}))


def data(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (n, 2))
    return x, np.sin(3 * x[:, :1]) + x[:, 1:] ** 2 + 0.05 * rng.standard_normal((n, 1))


def chaos(**options: Any) -> PolynomialChaos:
    return PolynomialChaos(*SPACES_OF_DATA, **options)


def told(found: Any) -> list[Any]:
    return [(t.number, dict(t.options), t.score, t.state, t.reason) for t in found.trials]


def found(trials: int, storage: Any = None, surrogate: Any = None, **options: Any) -> Any:
    given = chaos(degree=1) if surrogate is None else surrogate
    spaces = dict(zip(("inputs", "outputs"), SPACES_OF_DATA, strict=True))
    return search(given, *data(), **spaces, trials=trials, storage=storage, progress="none", splits=3, **options)


@dataclass(frozen=True)
class Moody(PolynomialChaos):
    """Fails for some degrees, and is interrupted at others."""

    stop: int = -1
    name = "moody"

    def _learn(self, data: Data) -> Any:
        if self.degree == self.stop:
            raise KeyboardInterrupt
        if self.degree % 2:
            raise sb.InputError("odd degrees are not liked")
        return super()._learn(data)


def test_the_options_as_given_are_tried_first_and_better_ones_found() -> None:
    result = found(12)
    assert result.trials[0].options["degree"] == 1
    assert result.trials[0].options["norm"] == 0.75
    assert result.score < 0.5 * result.trials[0].score
    assert result.best == chaos(**result.options)
    assert result.fitted.predict(data()[0])[0].shape == (40, 1)


def test_the_score_is_that_of_a_comparison_on_the_same_splits() -> None:
    result = found(3)
    c = compare(*data(), surrogates=[result.best], splits=3, inputs=SPACES_OF_DATA[0], outputs=SPACES_OF_DATA[1])
    assert result.score == pytest.approx(c.best.score)


def test_two_searches_are_alike_and_another_seed_is_another_search() -> None:
    assert told(found(8)) == told(found(8))
    assert told(found(8)) != told(found(8, seed=1))


@pytest.mark.parametrize("name", ["trials.journal", "trials.db"])
def test_a_search_goes_on_where_it_was_left(tmp_path: Path, name: str) -> None:
    whole = found(12)
    first = found(5, tmp_path / name)
    again = found(12, tmp_path / name)
    assert told(again)[:5] == told(first)
    assert told(again) == told(whole)
    assert told(found(12, tmp_path / name)) == told(whole)


PROGRAM = """
import sys, time
sys.path.insert(0, sys.argv[2])
from tests.learn.test_search import chaos, found
import scalebridge.learn.searching as searching
kept = searching.held_out
def slow(*given, **named):
    time.sleep(0.05)
    return kept(*given, **named)
searching.held_out = slow
found(12, sys.argv[1])
"""


@pytest.mark.parametrize("name", ["trials.journal", pytest.param("trials.db", marks=pytest.mark.theory)])
def test_a_killed_search_ends_as_if_it_had_not_been_killed(tmp_path: Path, name: str) -> None:
    storage, root = tmp_path / name, Path(__file__).parents[2]
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(storage), str(root)])
    try:
        _wait_for_trials(storage, 4, process)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    again, whole = found(12, storage), found(12)
    assert told(again) == told(whole)
    assert len(again.study.trials) >= 12


def _wait_for_trials(storage: Path, count: int, process: Any) -> None:
    """Until so many trials are written: the seconds of a trial stand in either kind of file as text."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        if storage.exists() and storage.read_bytes().count(b"seconds") >= count:
            return
        time.sleep(0.02)
    raise AssertionError("the search did not come so far")


@pytest.mark.parametrize("lost", [3, 40, 200])
def test_a_line_that_was_not_written_to_its_end_is_left_out(tmp_path: Path, lost: int) -> None:
    storage, whole = tmp_path / "trials", found(7)
    found(5, storage)
    storage.write_bytes(storage.read_bytes()[:-lost])
    assert told(found(7, storage)) == told(whole)
    assert told(found(7, storage)) == told(whole)


def test_a_storage_of_another_search_is_refused(tmp_path: Path) -> None:
    found(2, tmp_path / "trials")
    with pytest.raises(sb.InputError, match="holds a search of 'polynomial_chaos' with other data, splits"):
        found(3, tmp_path / "trials", surrogate=chaos(degree=2))
    with pytest.raises(sb.InputError, match="holds a search of 'polynomial_chaos' with other data, splits"):
        found(3, tmp_path / "trials", noise_std=0.1)


def test_a_file_that_is_no_storage_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("these are notes\nof mine")
    with pytest.raises(sb.InputError, match=r"notes.txt' of the search cannot be used"):
        found(2, tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text() == "these are notes\nof mine"
    with pytest.raises(sb.InputError, match="its folder does not exist"):
        found(2, tmp_path / "nowhere" / "trials")


def test_bad_trials_are_given_up_after_a_split() -> None:
    result = found(25)
    given_up = [t for t in result.trials if t.state == "given up"]
    assert given_up
    assert all(t.score > result.score for t in given_up)
    assert "given up" in result.table()


def test_options_that_fail_are_told_and_do_not_end_the_search() -> None:
    result = found(10, surrogate=Moody(*SPACES_OF_DATA, degree=4), space={"degree": (1, 6)})
    failed = [t for t in result.trials if t.state == "failed"]
    assert failed
    assert failed[0].reason == "split 0: odd degrees are not liked"
    assert result.best.degree % 2 == 0
    assert "failed: split 0: odd degrees" in str(result)


def test_where_every_trial_fails_the_reason_is_told() -> None:
    with pytest.raises(sb.InputError, match="No trial of the search could be finished: split 0: odd degrees"):
        found(3, surrogate=Moody(*SPACES_OF_DATA, degree=3), space={"degree": [3]})


def test_an_interrupted_search_keeps_what_is_finished_and_goes_on(tmp_path: Path) -> None:
    space = {"degree": [2, 4, 6, 8]}
    moody = Moody(*SPACES_OF_DATA, degree=4, stop=8)
    result = found(30, tmp_path / "trials", surrogate=moody, space=space)
    assert result.interrupted
    assert 1 <= len(result.trials) < 30
    again = found(30, tmp_path / "trials", surrogate=moody, space=space)
    assert told(again) == told(result)
    with pytest.raises(KeyboardInterrupt):
        found(3, surrogate=Moody(*SPACES_OF_DATA, degree=8, stop=8), space=space)


def test_a_trial_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    result = found(2, tmp_path / "trials")
    trial = result.study.ask()
    trial.set_user_attr("process", f"{os.uname().nodename}:{os.getppid()}")
    found(3, tmp_path / "trials")
    assert result.study.trials[trial.number].state.name == "RUNNING"


def test_after_the_timeout_no_trial_is_begun() -> None:
    begun = time.monotonic()
    result = found(10_000, timeout=0.5)
    assert time.monotonic() - begun < 20
    assert 1 <= len(result.trials) < 10_000
    with pytest.raises(sb.InputError, match=r"the timeout of 0 s was over before the first"):
        found(3, timeout=0)


def test_progress_comes_with_an_estimate() -> None:
    lines: list[str] = []
    search(chaos(), *data(), inputs=SPACES_OF_DATA[0], outputs=SPACES_OF_DATA[1], trials=3, progress=lines.append)
    assert len(lines) == 3
    assert lines[0].startswith("trial 1 of 3: ")
    assert lines[0].endswith(" s left")
    with pytest.raises(sb.InputError, match="progress = 'loud'"):
        search(chaos(), *data(), inputs=SPACES_OF_DATA[0], outputs=SPACES_OF_DATA[1], trials=1, progress="loud")


@pytest.mark.parametrize("kind", ["history", "importances", "slice", "parallel", "folds"])
def test_it_is_drawn(tmp_path: Path, kind: str) -> None:
    import matplotlib as mpl

    result, style = found(8), dict(mpl.rcParams)
    result.figure(tmp_path / "picture.png", kind)
    assert dict(mpl.rcParams) == style
    assert (tmp_path / "picture.png").stat().st_size > 3000


def test_a_picture_that_there_is_not_is_refused() -> None:
    result = found(1)
    with pytest.raises(sb.InputError, match="no picture 'histori' of a search; did you mean 'history'"):
        result.figure(kind="histori")


def test_a_name_is_enough() -> None:
    x, y = data(30)
    result = search("polynomial_chaos", {"a": x[:, 0], "b": x[:, 1], "y": y[:, 0]}, "y", trials=2, progress="none")
    assert result.best.inputs.names == ("a", "b")


def test_an_option_that_is_none_or_out_of_range_is_tried_as_it_is() -> None:
    boosting = GradientBoosting(*SPACES_OF_DATA, iterations=3, repeats=1)
    result = found(2, surrogate=boosting, space={"learning_rate": None, "iterations": (5, 9)})
    assert result.trials[0].options["least_leaf"] is None
    assert result.trials[0].options["iterations"] == 3
    assert 5 <= result.trials[1].options["iterations"] <= 9
    assert "learning_rate" not in result.trials[1].options
    assert with_options(boosting, result.trials[0].options) == boosting


def test_options_of_a_surrogate_inside_are_searched_by_dotted_names() -> None:
    inside = Recalibrated(chaos(degree=2))
    result = found(3, surrogate=inside, space={"surrogate.degree": [2, 3]})
    assert result.best.surrogate.degree in (2, 3)


@pytest.mark.parametrize("name", sorted(SPACES))
def test_every_range_is_of_an_option_that_takes_it(name: str) -> None:
    if name not in sb.learn.known_surrogates():
        pytest.skip("not there")
    made = sb.learn.surrogate_named(name)(*SPACES_OF_DATA)
    space = space_of(made)
    assert set(space) == set(SPACES[name])
    for option, among in space.items():
        ends = among.values if isinstance(among, Choice) else (among.low, among.high)
        for value in ends:
            with_options(made, {option: value})


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        ({"trees": (5, 5)}, "The option 'trees': A range goes from 5 to 5; give two numbers"),
        ({"trees": (0, 5, "log")}, "from 0 to 5 by ratios"),
        ({"trees": 7}, "is to be searched in 7; give .low, high."),
        ({"trees": []}, "A choice has no values"),
        ({"treess": (1, 5)}, "has no option 'treess'; did you mean 'trees'"),
        ({"inputs": (1, 5)}, "has no option 'inputs'"),
        ({"trees": None, "least_leaf": None, "features": None}, "has no options that are searched unasked"),
    ],
)
def test_bad_ranges_are_refused(space: Any, sentence: str) -> None:
    with pytest.raises(sb.InputError, match=sentence):
        space_of(RandomForest(*SPACES_OF_DATA), space)


def test_ranges_hold_what_they_say() -> None:
    assert Range(1, 5).holds(5)
    assert not Range(1, 5).holds(2.5)
    assert Range(0.5, 2.0).holds(1)
    assert not Range(1, 5).holds(None)
    assert not Range(0, 5).holds(True)
    assert Choice((None, "a")).holds(None)
    assert not Choice((1, 2)).holds(3)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"trials": 0}, "trials = 0"),
        ({"timeout": -1.0}, "timeout = -1.0"),
        ({"groups": np.zeros(40)}, "All 40 rows are equal or of one group"),
    ],
)
def test_bad_options_are_refused(options: Any, sentence: str) -> None:
    spaces = {"inputs": SPACES_OF_DATA[0], "outputs": SPACES_OF_DATA[1], "progress": "none"}
    with pytest.raises(sb.InputError, match=sentence):
        search(chaos(), *data(), **{**spaces, **options})


def test_without_optuna_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(sb.InputError, match=r'install it with pip install "scalebridge\[search\]"'):
        search("polynomial_chaos", *data())


def test_importing_it_imports_neither_optuna_nor_matplotlib() -> None:
    program = "import sys, scalebridge.learn.searching; "
    program += "assert not {'optuna', 'torch', 'matplotlib', 'scipy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
