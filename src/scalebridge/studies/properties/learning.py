"""A property from features of images: a forest and the better of the others, judged on specimens not seen."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.learn import Conformal, Recalibrated
from scalebridge.learn.calibration.metrics import crps_normal_rows
from scalebridge.learn.calibration.splits import Split, kfold
from scalebridge.learn.held_out import HeldOut, held_out, joined
from scalebridge.learn.learner import Data
from scalebridge.models import Surrogate
from scalebridge.quantities import Floats
from scalebridge.studies.properties.candidates import FOREST, Candidate

FOLDS, INNER_FOLDS = 5, 3
ENOUGH = 2
"""Times the groups without which a conformal interval is the whole line, from which it is taken."""

LEAST = 12
"""Specimens below which nothing is held back that would say anything."""

Say = Callable[[str, float], None]


@dataclass(frozen=True)
class Trial:
    """A candidate on the splits of the validation.

    Args:
        candidate: which.
        held: its answers at specimens held back; ``None`` where it failed.
        failure: why.
    """

    candidate: Candidate
    held: HeldOut | None
    failure: str = ""

    @property
    def score(self) -> float:
        """Mean CRPS; infinite where it failed."""
        return np.inf if self.held is None else float(self.held.crps.mean())


@dataclass(frozen=True)
class Learned:
    """What is learned of one property.

    Args:
        target: its name.
        trials: every candidate on the same splits, the best first.
        chosen: the candidate with the least CRPS.
        surrogate: the chosen one, fitted on all specimens, its intervals calibrated.
        procedure: answers at specimens held back of the whole procedure, choice and calibration made anew without
            them: what a new specimen may expect.
        mean_only: answers of the mean of the others, the figure that has to be beaten.
        leaky: answers of the chosen one where specimens of one group stand on both sides; ``None`` without groups.
        choices: label of the candidate chosen in each fold of the procedure.
        splits: of the validation.
    """

    target: str
    trials: tuple[Trial, ...]
    chosen: Candidate
    surrogate: Surrogate
    procedure: HeldOut
    mean_only: HeldOut
    leaky: HeldOut | None
    choices: tuple[str, ...]
    splits: tuple[Split, ...]

    @property
    def forest(self) -> Trial:
        """The best forest."""
        return next(t for t in self.trials if t.candidate.learner == FOREST)

    @property
    def other(self) -> Trial:
        """The best of the others."""
        return next(t for t in self.trials if t.candidate.learner != FOREST)


def learn_property(
    target: str,
    tried: Sequence[Candidate],
    data: Data,
    groups: NDArray[np.int64],
    *,
    level: float = 0.9,
    seed: int = 0,
    say: Say = lambda _words, _share: None,
) -> Learned:
    """Choose, validate and calibrate.

    Args:
        target: name of the property.
        tried: the candidates.
        data: all features and the property, a row for each specimen.
        groups: ``[n]``, specimens of one group are never parted.
        level: of the intervals.
        seed: of the splits.
        say: told what is done, and the share that is behind.

    Raises:
        InputError: too few specimens or groups, or all candidates failed.
    """
    count = check_enough(target, data.y[:, 0], groups)
    outer = kfold(len(data), min(FOLDS, count), seed=seed, groups=groups)
    # Decided once: what is judged without a fold is the method that is delivered.
    enough = min(len(np.unique(groups[s.train])) for s in outer) >= ENOUGH * np.ceil(1 / (1 - level))
    steps, done = len(tried) + len(outer) + 1, 0
    trials = []
    for candidate in tried:
        say(f"{target}: {candidate.label}", done / steps)
        trials.append(_trial(candidate, data, outer, level))
        done += 1
    trials.sort(key=lambda t: t.score)
    if trials[0].held is None:
        raise InputError(f"No learner could learn '{target}' from the features: {trials[0].failure}")
    parts, choices = [], []
    for number, split in enumerate(outer):
        say(f"{target}: choice and intervals without fold {number + 1} of {len(outer)}", done / steps)
        part, choice = _procedure(tried, data, groups, split, number, level, seed, bool(enough))
        parts.append(part)
        choices.append(choice)
        done += 1
    say(f"{target}: fit on all specimens", done / steps)
    chosen = trials[0].candidate
    alone = len(np.unique(groups)) == len(data)
    leaky = None if alone else _trial(chosen, data, kfold(len(data), min(FOLDS, count), seed=seed), level).held
    return Learned(
        target,
        tuple(trials),
        chosen,
        _calibrated(chosen, data, groups, slice(None), level, seed, bool(enough)),
        joined(parts),
        _mean_only(data, outer, level),
        leaky,
        tuple(choices),
        outer,
    )


def check_enough(target: str, values: Floats, groups: NDArray[np.int64]) -> int:
    """Return how many groups there are.

    Args:
        target: name of the property.
        values: ``[n]`` of the specimens that have it.
        groups: ``[n]``.

    Raises:
        InputError: too few specimens or groups, or a property that never changes.
    """
    count = len(np.unique(groups))
    if len(values) < LEAST or count < INNER_FOLDS + 1:
        raise InputError(
            f"'{target}' is known for {len(values)} specimens with images, in {count} groups that can be held back; at "
            f"least {LEAST} specimens in {INNER_FOLDS + 1} groups are needed, some 40 for an interval worth having: "
            "add specimens, or group by another column."
        )
    if float(np.ptp(values)) == 0.0:
        raise InputError(f"'{target}' is {values[0]:g} for every specimen; there is nothing to learn.")
    return count


def _trial(candidate: Candidate, data: Data, splits: Sequence[Split], level: float) -> Trial:
    try:
        with warnings.catch_warnings():
            # Of linear fits to columns that go together.
            warnings.simplefilter("ignore")
            return Trial(candidate, held_out(candidate.surrogate, candidate.of(data), splits, level)[0])
    except (InputError, ValueError, np.linalg.LinAlgError) as error:
        return Trial(candidate, None, " ".join(str(error).split()))


def _procedure(
    tried: Sequence[Candidate],
    data: Data,
    groups: NDArray[np.int64],
    split: Split,
    number: int,
    level: float,
    seed: int,
    enough: bool,
) -> tuple[HeldOut, str]:
    """Choose by the rows to learn from alone, calibrate on them, answer at those held back."""
    inside = Data(data.x[split.train], data.y[split.train], data.noise_std[split.train], None)
    own = groups[split.train]
    inner = kfold(len(inside), min(INNER_FOLDS, len(np.unique(own))), seed=seed + 1, groups=own)
    best = min((_trial(c, inside, inner, level) for c in tried), key=lambda t: t.score)
    if best.held is None:
        raise InputError(f"No learner could learn from fold {number + 1}: {best.failure}")
    fitted = _calibrated(best.candidate, data, groups, split.train, level, seed, enough)
    return _seen(fitted, best.candidate.of(data), split.test, number, level), best.candidate.label


def _calibrated(
    candidate: Candidate,
    data: Data,
    groups: NDArray[np.int64],
    rows: NDArray[np.int64] | slice,
    level: float,
    seed: int,
    enough: bool,
) -> Surrogate:
    """Fitted on some rows, its intervals brought to the errors at groups held back.

    Conformal where the groups suffice for the level; where they are few, by one factor and Student's t.
    """
    own, units = candidate.of(data), groups[rows]
    around = (
        Conformal(candidate.surrogate, level=level, seed=seed)
        if enough
        else Recalibrated(candidate.surrogate, by="student", level=level, seed=seed)
    )
    with warnings.catch_warnings():
        # Of linear fits to columns that go together.
        warnings.simplefilter("ignore")
        return around.fit(own.x[rows], own.y[rows], specimens=units)


def _seen(fitted: Surrogate, data: Data, rows: NDArray[np.int64], split: int, level: float) -> HeldOut:
    from scipy.special import ndtr

    posterior = fitted.posterior(data.x[rows])
    y, mean, std = data.y[rows], posterior.mean, posterior.std
    ends = posterior.quantile(0.5 * (1 - level)), posterior.quantile(0.5 * (1 + level))
    place = ndtr((y - mean) / std)
    return HeldOut(rows, np.full(len(rows), split), y, mean, std, *ends, crps_normal_rows(y, mean, std), place)


def _mean_only(data: Data, splits: Sequence[Split], level: float) -> HeldOut:
    from scipy.special import ndtr
    from scipy.stats import t

    parts = []
    for number, split in enumerate(splits):
        known, y = data.y[split.train], data.y[split.test]
        mean = np.broadcast_to(known.mean(axis=0), y.shape)
        std = np.broadcast_to(known.std(axis=0, ddof=1) * np.sqrt(1 + 1 / len(known)), y.shape)
        reach: Floats = t.ppf(0.5 * (1 + level), len(known) - 1) * std
        where, place = np.full(len(y), number), ndtr((y - mean) / std)
        scores = crps_normal_rows(y, mean, std)
        parts.append(HeldOut(split.test, where, y, mean, std, mean - reach, mean + reach, scores, place))
    return joined(parts)
