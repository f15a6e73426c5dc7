"""Every candidate on the same splits: error, likelihood, coverage and width beside each other, ranked by CRPS."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.errors import InputError, did_you_mean
from scalebridge.learn import tables
from scalebridge.learn.calibration.metrics import check_level, spread_of
from scalebridge.learn.calibration.splits import Split
from scalebridge.learn.calibration.wrapped import fit_on
from scalebridge.learn.candidates import candidates_of, suited, suits
from scalebridge.learn.comparison_entry import Entry
from scalebridge.learn.comparison_splits import check_rows, splits_of
from scalebridge.learn.held_out import TOLD, cluster_error, held_out, joined, overlap, reason_of
from scalebridge.learn.learner import Data, checked
from scalebridge.learn.telling import listener
from scalebridge.models import Surrogate
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class Comparison:
    """Candidates, the best first, and those that failed at the end.

    Prints as a table; ``comparison["random_forest"]`` is one candidate's `Entry`.

    Args:
        entries: ranked by CRPS.
        data: the rows.
        splits: the same for all.
        level: of the intervals.
        notes: what was done with the data, in sentences.
    """

    entries: tuple[Entry, ...]
    data: Data
    splits: tuple[Split, ...]
    level: float
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Entry:
        for entry in self.entries:
            if entry.name == name:
                return entry
        names = [entry.name for entry in self.entries]
        raise InputError(f"The comparison has no candidate '{name}'{did_you_mean(name, names)}")

    @property
    def best(self) -> Entry:
        """The candidate with the smallest CRPS.

        Raises:
            InputError: all failed.
        """
        if self.entries[0].held is None:
            told = "; ".join(f"{e.name}: {e.failure}" for e in self.entries)
            raise InputError(f"No candidate of the comparison could be judged ({told}).")
        return self.entries[0]

    @property
    def tied(self) -> tuple[str, ...]:
        """Names of those that the data cannot tell from the best: within two standard errors of the difference."""
        return tuple(e.name for e in self.entries[1:] if e.held is not None and e.behind[0] <= TOLD * e.behind[1])

    @cached_property
    def fitted(self) -> Surrogate:
        """The best one, fitted on all rows when it is first asked for."""
        return fit_on(self.best.surrogate, self.data, slice(None))

    def table(self) -> str:
        """Plain text: a row for each candidate and what is to be said of them."""
        from scalebridge.learn.comparison_views import as_text

        return as_text(self)

    def __repr__(self) -> str:
        return self.table()

    def _repr_html_(self) -> str:
        from scalebridge.learn.comparison_views import as_html

        return as_html(self)

    def figure(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """Draw error against width, coverage with its error, and calibration curves; write them where told.

        Args:
            path: of a picture, by its suffix (.png, .svg, .pdf).
        """
        from scalebridge.learn.comparison_views import drawn

        figure = drawn(self)
        if path is not None:
            figure.savefig(path, dpi=150)
        return figure

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """All figures as JSON text; written where told."""
        told = {
            "level": self.level,
            "rows": len(self.data),
            "splits": len(self.splits),
            "best": self.entries[0].name if self.entries[0].held is not None else None,
            "not_distinguishable": list(self.tied),
            "notes": list(self.notes),
            "candidates": [entry.figures() for entry in self.entries],
        }
        text = json.dumps(_plain(told), indent=1, allow_nan=False)
        if path is not None:
            Path(path).write_text(text + "\n")
        return text


def compare(
    x: Any,
    y: Any,
    *,
    inputs: Any = None,
    outputs: Any = None,
    surrogates: Any = None,
    splits: int | Sequence[Split] | None = None,
    groups: ArrayLike | None = None,
    noise_std: Floats | None = None,
    level: float = 0.9,
    seed: int = 0,
    budget_s: float | None = None,
    allow_leaks: bool = False,
    progress: str | Callable[[str], None] = "auto",
) -> Comparison:
    """Compare surrogates on the same splits of the data; rank them by CRPS.

    Rows that are equal in the inputs, and rows of one group, are never parted between learning and testing. A
    candidate that fails is a row with its reason and does not end the comparison.

    Args:
        x: inputs ``[n, d]``, or a table with named columns (a mapping, structured array or data frame); a unit may
            stand in the name, as in ``"T [degC]"``.
        y: outputs ``[n, m]`` or ``[n]``, a table, or names of columns of the table ``x``.
        inputs, outputs: spaces with units and bounds, or what makes one; by default from the columns.
        surrogates: names, surrogates, or a mapping from labels to either; by default all that suit the size.
        splits: how many folds (five), or splits of your own: `calibration.splits.temporal`, `published`, `holdout`.
        groups: ``[n]`` labels of specimens, mixes or runs whose rows belong together.
        noise_std: declared noise of the values: one number, ``[m]`` or ``[n, m]``.
        level: of the intervals.
        seed: of the folds.
        budget_s: seconds: candidates that are expected to take longer are left out, and one that does is stopped
            between splits.
        allow_leaks: take splits of your own although equal rows stand on both sides; it is then said.
        progress: ``"auto"`` (lines to a terminal), ``"none"``, or a function of one line.

    Raises:
        InputError: fewer rows than inputs and one more, text, values that are not finite, an empty split, rows or
            groups on both sides of a split, candidates of other spaces.
        UnitError: a unit that is not known or does not convert.

    Source: T. Gneiting and A. E. Raftery, Strictly proper scoring rules, prediction, and estimation (2007), for the
    ranking; C. Nadeau and Y. Bengio, Inference for the generalization error (2003), for what can be told apart.
    """
    check_level(level)
    input_space, output_space, x, y = tables.read(x, y, inputs, outputs)
    data = checked("The comparison", input_space, output_space, x, y, noise_std)
    check_rows("The comparison", data)
    units = tables.rows_alike(data.x, groups)
    cut, notes = splits_of(data, units, splits, groups, seed, allow_leaks)
    names = suited(len(data), output_space.size) if surrogates is None else surrogates
    candidates = candidates_of(names, input_space, output_space)
    spread = np.nan_to_num(spread_of(data.y), nan=1.0)
    entries = [Entry(n, c, None, np.zeros((0, 2)), spread, units) for n, c in candidates.items()]
    entries = _all_judged(entries, data, cut, level, math.inf if budget_s is None else budget_s, listener(progress))
    return Comparison(_ranked(entries, cut), data, cut, level, notes)


def _all_judged(
    entries: list[Entry],
    data: Data,
    splits: tuple[Split, ...],
    level: float,
    budget_s: float,
    say: Callable[[str], None],
) -> list[Entry]:
    """Every candidate in turn; what is left to wait for is told from what was expected and came."""
    begun, judged, done = time.perf_counter(), [], 0.0
    expected = [len(splits) * suits(e.surrogate.name).cost(len(data), data.y.shape[1]) for e in entries]
    for k, entry in enumerate(entries):
        judged.append(_judged(entry, data, splits, level, budget_s - (time.perf_counter() - begun), expected[k]))
        done += expected[k]
        left = sum(expected[k + 1 :]) * (time.perf_counter() - begun) / done
        told = judged[-1].failure or f"CRPS {judged[-1].score:.4g}"
        say(f"{entry.name} ({k + 1} of {len(entries)}): {told}, about {left:.0f} s left")
    return judged


def _judged(entry: Entry, data: Data, splits: tuple[Split, ...], level: float, left: float, expected: float) -> Entry:
    """One candidate on all splits, or why not; ``left`` are the seconds it may take, ``expected`` those it should."""
    if expected > left:
        return replace(
            entry, failure=f"left out: it is expected to take {expected:.0f} s, {max(left, 0):.0f} s are left"
        )
    parts, seconds, begun = [], [], time.perf_counter()
    for number, split in enumerate(splits):
        if time.perf_counter() - begun > left:
            return replace(entry, failure=f"stopped after {number} of {len(splits)} splits: the budget is spent")
        try:
            part, took = held_out(entry.surrogate, data, [split], level, number)
        except Exception as error:
            return replace(entry, failure=f"split {number}: {reason_of(error)}")
        parts.append(part)
        seconds.append(took)
    return replace(entry, held=joined(parts), seconds=np.concatenate(seconds))


def _ranked(entries: Sequence[Entry], splits: tuple[Split, ...]) -> tuple[Entry, ...]:
    good = sorted((e for e in entries if e.held is not None), key=lambda e: e.score)
    if not good:
        return tuple(entries)
    first = np.mean(good[0].known.crps / good[0].spread, axis=1)
    wider, ranked = math.sqrt(overlap(splits)), [good[0]]
    for entry in good[1:]:
        difference = np.mean(entry.known.crps / entry.spread, axis=1) - first
        error = wider * cluster_error(difference, entry.units[entry.known.rows])
        ranked.append(replace(entry, behind=(float(difference.mean()), error)))
    return (*ranked, *(e for e in entries if e.held is None))


def _plain(value: Any) -> Any:
    """Numbers that JSON has: what is not finite becomes null."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
