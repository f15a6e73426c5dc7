"""The options of a surrogate with the smallest CRPS at rows held back, found by Optuna; a killed search goes on."""

from __future__ import annotations

import hashlib
import json
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.errors import InputError, did_you_mean
from scalebridge.learn import tables
from scalebridge.learn.calibration.metrics import spread_of
from scalebridge.learn.calibration.splits import Split
from scalebridge.learn.calibration.wrapped import fit_on
from scalebridge.learn.candidates import candidates_of
from scalebridge.learn.comparison_splits import check_rows, splits_of
from scalebridge.learn.held_out import held_out, reason_of
from scalebridge.learn.learner import Data, checked
from scalebridge.learn.search_spaces import Choice, Options, Range, Value, option_of, space_of, with_options
from scalebridge.learn.search_storage import process_name, study_in
from scalebridge.learn.telling import listener
from scalebridge.models import Surrogate
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

# Trials of which the median is known before any is given up.
UNPRUNED = 5
PICTURES = {
    "history": "plot_optimization_history",
    "importances": "plot_param_importances",
    "slice": "plot_slice",
    "parallel": "plot_parallel_coordinate",
    "folds": "plot_intermediate_values",
}


@dataclass(frozen=True)
class Tried:
    """One trial of a search.

    Args:
        number: in order.
        options: those that were searched; of the first, those of the surrogate as it was given.
        score: CRPS over the standard deviation of the outputs, the mean over rows and outputs; of a trial that was
            given up, up to there.
        state: ``"finished"``, ``"given up"`` or ``"failed"``.
        reason: why it failed.
        seconds: taken.
    """

    number: int
    options: Mapping[str, Value]
    score: float
    state: str
    reason: str
    seconds: float


@dataclass(frozen=True, repr=False)
class Search:
    """What a search found; prints as a table.

    Args:
        best: the surrogate with the best options, not fitted.
        trials: all, earlier ones of the same storage too.
        data: the rows.
        study: Optuna's own record.
        interrupted: whether it was ended by Ctrl-C.
    """

    best: Surrogate
    trials: tuple[Tried, ...]
    data: Data
    study: Study
    interrupted: bool = False

    @property
    def options(self) -> Mapping[str, Value]:
        """The best options."""
        return self._winner.options

    @property
    def score(self) -> float:
        """The smallest CRPS over the spread."""
        return self._winner.score

    @property
    def _winner(self) -> Tried:
        return min((t for t in self.trials if t.state == "finished"), key=lambda t: t.score)

    @cached_property
    def fitted(self) -> Surrogate:
        """The best one, fitted on all rows when it is first asked for."""
        return fit_on(self.best, self.data, slice(None))

    def table(self, most: int = 10) -> str:
        """The best trials, the best first, in plain text."""
        finished = sorted((t for t in self.trials if t.state == "finished"), key=lambda t: t.score)
        count = {state: sum(t.state == state for t in self.trials) for state in ("finished", "given up", "failed")}
        told = ", ".join(f"{number} {state}" for state, number in count.items() if number)
        lines = [f"{len(self.trials)} trials of {self.best.name} ({told}); the best by CRPS:", ""]
        rows = [
            (f"{t.number}", f"{t.score:.5f}", f"{t.seconds:.1f} s", _worded(t.options) + (" (given)" * (not t.number)))
            for t in finished[:most]
        ]
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        lines += ["  ".join([*(f"{c:>{w}}" for c, w in zip(r, widths, strict=False)), r[3]]) for r in rows]
        failed = [t for t in self.trials if t.state == "failed"]
        return "\n".join(lines + [f"Trial {t.number} failed: {t.reason}" for t in failed[:3]])

    def __repr__(self) -> str:
        return self.table()

    def figure(self, path: str | os.PathLike[str] | None = None, kind: str = "history") -> Figure:
        """One of Optuna's pictures by matplotlib: "history", "importances", "slice", "parallel" or "folds".

        Raises:
            InputError: another kind, or too few trials for it.
        """
        if kind not in PICTURES:
            raise InputError(f"There is no picture '{kind}' of a search{did_you_mean(kind, PICTURES)}")
        import matplotlib.pyplot as plt
        from optuna.visualization import matplotlib as pictures

        # Optuna changes matplotlib's style for good.
        with _quiet(), plt.rc_context():
            try:
                axes = np.ravel(getattr(pictures, PICTURES[kind])(self.study))[0]
            except (ValueError, RuntimeError) as error:
                raise InputError(f"The picture '{kind}' cannot be drawn of these trials: {error}") from error
            figure: Figure = axes.figure
            plt.close(figure)
            if path is not None:
                figure.savefig(path, dpi=150, bbox_inches="tight")
        return figure


def search(
    surrogate: str | Surrogate,
    x: Any,
    y: Any,
    *,
    inputs: Any = None,
    outputs: Any = None,
    trials: int = 50,
    timeout: float | None = None,
    storage: str | os.PathLike[str] | None = None,
    space: Mapping[str, Any] | None = None,
    splits: int | Sequence[Split] | None = None,
    groups: ArrayLike | None = None,
    noise_std: Floats | None = None,
    seed: int = 0,
    progress: str | Callable[[str], None] = "auto",
) -> Search:
    """Search the options of a surrogate by Optuna; the options as given are tried first.

    A trial is scored by its CRPS at rows held back, on splits that part no equal rows and no groups, and is given up
    after a split when it is worse than the median of others there. What is tried depends on the seed and the trials
    before it alone: a search that was killed and called again with the same storage ends as if it had not been.

    Args:
        surrogate: a name, or a surrogate not fitted.
        x, y, inputs, outputs, splits, groups, noise_std: as in `compare`.
        trials: in all, those already in the storage included.
        timeout: seconds after which no trial is begun.
        storage: a file that keeps the trials: a journal, or SQLite where it ends in ``.db`` or ``.sqlite`` (not on a
            network disk); a URL of a database. By default they are kept in memory.
        space: ranges that differ from `search_spaces.SPACES`, as in ``{"trees": (50, 400), "learning_rate":
            (0.01, 0.3, "log"), "profile": ["matern72"]}``; None leaves an option as it is.
        seed: of the folds and of the search.
        progress: ``"auto"`` (lines to a terminal), ``"none"``, or a function of one line.

    Raises:
        InputError: Optuna is not installed (the extra ``search``); data or options that cannot be used; a storage of
            another search; no trial that could be finished.

    Source: T. Akiba et al., Optuna: a next-generation hyperparameter optimization framework, KDD 2019; J. Bergstra
    et al., Algorithms for hyper-parameter optimization, NeurIPS 2011.
    """
    _needs_optuna()
    input_space, output_space, x, y = tables.read(x, y, inputs, outputs)
    data = checked("The search", input_space, output_space, x, y, noise_std)
    check_rows("The search", data)
    (made,) = candidates_of([surrogate], input_space, output_space).values()
    cut, _ = splits_of(data, tables.rows_alike(data.x, groups), splits, groups, seed)
    among = space_of(made, space)
    if trials < 1 or (timeout is not None and not timeout >= 0):
        raise InputError(f"A search got trials = {trials} and timeout = {timeout}; give at least one trial.")
    with _quiet():
        study = study_in(storage, made, _digest(made, data, cut, among))
        task = _Task(made, data, cut, among, study, seed)
        interrupted = _run(task, trials, timeout, listener(progress))
        told = task.told()
    if not any(t.state == "finished" for t in told):
        if interrupted:
            raise KeyboardInterrupt
        why = told[0].reason if told else f"the timeout of {timeout} s was over before the first"
        raise InputError(f"No trial of the search could be finished: {why}.")
    winner = min((t for t in told if t.state == "finished"), key=lambda t: t.score)
    return Search(with_options(made, winner.options), told, data, study, interrupted)


@dataclass(frozen=True)
class _Task:
    """What is searched, on what."""

    surrogate: Surrogate
    data: Data
    splits: tuple[Split, ...]
    among: Options
    study: Study
    seed: int

    def trials(self) -> list[FrozenTrial]:
        """Those that ended by themselves; the rest was cut short and is done again."""
        known = self.study.get_trials(deepcopy=False)
        return [t for t in known if t.state.name in ("COMPLETE", "PRUNED") or "reason" in t.user_attrs]

    def told(self) -> tuple[Tried, ...]:
        """The trials in words."""
        return tuple(_tried(number, trial) for number, trial in enumerate(self.trials()))

    def one(self, number: int) -> None:
        """Run trial ``number``: the given options first, then what the sampler proposes."""
        import optuna

        # The draws of a trial depend on its number and on what is known: not on how often the search was begun.
        self.study.sampler = optuna.samplers.TPESampler(seed=_seed(self.seed, number))
        self.study.pruner = optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED)
        present = {name: option_of(self.surrogate, name) for name in self.among}
        given = {name: v for name, v in present.items() if self.among[name].holds(v)}
        if number == 0:
            self.study.enqueue_trial(given)
        trial = self.study.ask()
        trial.set_user_attr("process", process_name())
        begun = time.perf_counter()
        try:
            names = given if number == 0 else self.among
            options = {name: _suggested(trial, name, self.among[name]) for name in names}
            if number == 0:
                trial.set_user_attr("given", json.dumps({n: v for n, v in present.items() if n not in given}))
            self._judge(trial, with_options(self.surrogate, options), begun)
        except KeyboardInterrupt:
            self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
            raise

    def _judge(self, trial: Trial, surrogate: Surrogate, begun: float) -> None:
        import optuna

        state, spread = optuna.trial.TrialState, np.nan_to_num(spread_of(self.data.y), nan=1.0)
        scores: list[Floats] = []
        ended, reason = state.COMPLETE, ""
        for number, split in enumerate(self.splits):
            try:
                held, _ = held_out(surrogate, self.data, [split])
            except Exception as error:
                ended, reason = state.FAIL, f"split {number}: {reason_of(error)}"
                break
            scores.append(np.mean(held.crps / spread, axis=1))
            trial.report(float(np.mean(np.concatenate(scores))), number)
            if number + 1 < len(self.splits) and trial.should_prune():
                ended = state.PRUNED
                break
        trial.set_user_attr("seconds", time.perf_counter() - begun)
        if reason:
            # A failed trial without a reason is one that was cut short.
            trial.set_user_attr("reason", reason)
        score = float(np.mean(np.concatenate(scores))) if ended == state.COMPLETE else None
        self.study.tell(trial, score, state=ended)


def _run(task: _Task, trials: int, timeout: float | None, say: Callable[[str], None]) -> bool:
    """Trials until there are so many; True where Ctrl-C ended them."""
    begun, done = time.perf_counter(), len(task.trials())
    first = done
    try:
        while done < trials and (timeout is None or time.perf_counter() - begun < timeout):
            task.one(done)
            done += 1
            say(_line(task, done, trials, first, begun, timeout))
    except KeyboardInterrupt:
        return True
    return False


def _line(task: _Task, done: int, trials: int, first: int, begun: float, timeout: float | None) -> str:
    told = task.told()
    spent = time.perf_counter() - begun
    left = spent / (done - first) * (trials - done)
    left = left if timeout is None else min(left, max(timeout - spent, 0.0))
    best = min((t.score for t in told if t.state == "finished"), default=float("nan"))
    last = told[-1]
    shown = f"{last.score:.5g}" if last.state == "finished" else last.state
    return f"trial {done} of {trials}: {shown}, best {best:.5g}, about {left:.0f} s left"


def _tried(number: int, trial: FrozenTrial) -> Tried:
    name = trial.state.name
    state = {"COMPLETE": "finished", "PRUNED": "given up"}.get(name, "failed")
    reason = str(trial.user_attrs["reason"]) if state == "failed" else ""
    steps = trial.intermediate_values
    value = trial.value if name == "COMPLETE" else (steps[max(steps)] if steps else None)
    options = {**trial.params, **json.loads(trial.user_attrs.get("given", "{}"))}
    score = float("nan") if value is None else float(value)
    return Tried(number, options, score, state, reason, float(trial.user_attrs.get("seconds", 0.0)))


def _suggested(trial: Trial, name: str, among: Range | Choice) -> Value:
    if isinstance(among, Choice):
        chosen: Value = trial.suggest_categorical(name, among.values)
        return chosen
    if among.whole:
        return trial.suggest_int(name, int(among.low), int(among.high), log=among.log)
    return trial.suggest_float(name, among.low, among.high, log=among.log)


def _digest(surrogate: Surrogate, data: Data, splits: Sequence[Split], among: Options) -> str:
    total = hashlib.sha256(repr((dict(surrogate.identity()), sorted(among.items()))).encode())
    arrays = [data.x, data.y, data.noise_std, *(rows for s in splits for rows in (s.train, s.test))]
    for array in arrays:
        total.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    return total.hexdigest()


def _seed(seed: int, number: int) -> int:
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def _worded(options: Mapping[str, Value]) -> str:
    return ", ".join(f"{k}={v:.4g}" if isinstance(v, float) else f"{k}={v}" for k, v in options.items())


def _needs_optuna() -> None:
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise InputError(
            'A search needs Optuna; install it with pip install "scalebridge[search]", or compare candidates by '
            "scalebridge.compare."
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna without its log lines and its warnings of experimental parts."""
    import optuna

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="optuna")
            warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(level)
