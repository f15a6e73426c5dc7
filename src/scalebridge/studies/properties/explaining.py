"""What the surrogate of a property goes by and where it errs, found on the folds that did not see the rows."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.learn.calibration.metrics import spread_of
from scalebridge.learn.comparing import Comparison
from scalebridge.learn.comparison_entry import Entry
from scalebridge.learn.learner import Data
from scalebridge.studies.properties.families import families
from scalebridge.studies.properties.features import FeatureTable
from scalebridge.studies.properties.learning import Learned, Trial

if TYPE_CHECKING:
    from scalebridge.explain import ErrorsBy, Explanation

REGIMES = 4
"""Features by which regimes are told, beside the prediction itself."""

MOST_GROUPS = 30
"""Groups up to which errors are told group by group."""


@dataclass(frozen=True)
class Explained:
    """What a surrogate goes by, and where it errs.

    Args:
        explanation: importance and effects of families of features.
        of: label of the candidate that is explained: the chosen one, or where that goes by features of a network, which
            have no meaning of their own, the best one that goes by descriptors.
        families: names of the features of each.
        errors: by group and by regime.
        comparison: of the chosen candidate, as the model card takes it.
    """

    explanation: Explanation
    of: str
    families: dict[str, list[str]]
    errors: tuple[ErrorsBy, ...]
    comparison: Comparison


def explained(
    learned: Learned,
    data: Data,
    groups: NDArray[np.int64],
    names: NDArray[np.str_] | None,
    features: FeatureTable,
    level: float,
    seed: int,
) -> Explained:
    """Explain the chosen candidate, or the best one whose features have a meaning.

    Args:
        learned: what was learned.
        data: all features and the property.
        groups: ``[n]``, rows that are not independent.
        names: ``[n]`` of the groups; ``None`` where each specimen is its own.
        features: what they are.
        level: of the intervals.
        seed: of every random choice.
    """
    from scalebridge.explain import explain

    trial = _with_meaning(learned, features)
    own, columns = trial.candidate.of(data), [features.columns[k] for k in trial.candidate.columns]
    together = families(own.x, columns)
    several = {label: members for label, members in together.items() if len(members) > 1}
    with warnings.catch_warnings():
        # Of linear fits to columns that go together.
        warnings.simplefilter("ignore")
        told = explain(_compared(trial, learned, data, groups, level), seed=seed, together=several or None)
    first = [together[i.label][0] for i in told.importance[:REGIMES] if i.label in together]
    leading = [features.space.names.index(name) for name in first]
    return Explained(
        told,
        trial.candidate.label,
        together,
        _errors(learned, data, leading, features, groups, names, level, seed),
        _compared(learned.trials[0], learned, data, groups, level),
    )


def _with_meaning(learned: Learned, features: FeatureTable) -> Trial:
    """The best trial that goes by no features of a network; the best of all where there is none."""
    for trial in learned.trials:
        if trial.held is not None and all(features.columns[k].kind != "cnn" for k in trial.candidate.columns):
            return trial
    return learned.trials[0]


def _compared(trial: Trial, learned: Learned, data: Data, groups: NDArray[np.int64], level: float) -> Comparison:
    own, none = trial.candidate.of(data), np.zeros((0, 2))
    spread = np.nan_to_num(spread_of(own.y), nan=1.0)
    entry = Entry(trial.candidate.label, trial.candidate.surrogate, trial.held, none, spread, groups)
    return Comparison((entry,), own, learned.splits, level)


def _errors(
    learned: Learned,
    data: Data,
    leading: list[int],
    features: FeatureTable,
    groups: NDArray[np.int64],
    names: NDArray[np.str_] | None,
    level: float,
    seed: int,
) -> tuple[ErrorsBy, ...]:
    """By group, and by regime of the prediction and of the leading features; nothing where rows are too few to part."""
    from scalebridge.explain import Predictions, by_group, by_regime

    held, variable = learned.procedure, learned.surrogate.outputs.variables[0]
    rows = held.rows
    answers = Predictions.of(
        held.y[:, 0], held.mean[:, 0], lower=held.lower[:, 0], upper=held.upper[:, 0], level=level,
        x=np.column_stack([held.mean[:, 0], data.x[rows][:, leading]]),
        inputs=(f"{variable.name} predicted", *(features.columns[k].name for k in leading)),
        groups=groups[rows], target=variable.name, unit=variable.unit,
    )  # fmt: skip
    found = []
    try:
        if names is not None and len(np.unique(names)) <= MOST_GROUPS:
            found.append(by_group(answers, names[rows], seed=seed))
        found.append(by_regime(answers, seed=seed))
    except InputError:
        # Too few rows for a part beside the rest: the figures of all rows stand.
        pass
    return tuple(found)
