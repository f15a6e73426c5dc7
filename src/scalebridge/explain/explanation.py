"""What a surrogate goes by, as figures, as sentences, as a table, as pictures, and as plain JSON."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scalebridge.errors import InputError, did_you_mean
from scalebridge.explain import plain
from scalebridge.explain.effects import FEW, Effect
from scalebridge.explain.sobol import Indices

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KIND = "explanation"
# A probability below which a finding is told as one.
ALPHA = 0.05


@dataclass(frozen=True)
class Importance:
    """How much one input (or several, taken together) matters.

    Args:
        label: of the input.
        unit: of the input.
        inputs: names of its columns.
        rise: share by which the root mean square error rises when it is shuffled; NaN where values are not known.
        rise_error: standard error of that, over rows, groups and repeats.
        p: that so large a rise comes by chance, corrected for the number of inputs.
        own: the same share when it is drawn given the other inputs: what it alone knows.
        own_error, own_p: of that.
        unlike: share of the shuffled rows that are unlike any combination seen, as far as a normal copula tells.
        shapley: mean absolute Shapley value, in the output's unit.
        shapley_error: standard error of that over rows and groups.
        told_by_others: share of its variance that the other inputs tell, 0 to 1.
        relation: ``"rises"``, ``"falls"``, ``"turns"``, ``"flat"``, or ``""`` of several columns and of too few rows.
        own_unlike: as ``unlike``, of the rows drawn given the other inputs; NaN where it was not told.
    """

    label: str
    unit: str
    inputs: tuple[str, ...]
    rise: float
    rise_error: float
    p: float
    own: float
    own_error: float
    own_p: float
    unlike: float
    shapley: float
    shapley_error: float
    told_by_others: float
    relation: str = ""
    own_unlike: float = math.nan

    @property
    def significant(self) -> bool:
        """Whether shuffling it raises the error by more than chance."""
        return bool(self.p < ALPHA)


@dataclass(frozen=True)
class ShapleyRows:
    """Shapley values of the rows explained.

    Args:
        inputs: values ``[n][k]`` of inputs that are one column, NaN for others.
        values, error: ``[n][k]``, in the output's unit.
        prediction: ``[n]``.
        expected: mean prediction over the background.
        exact: whether all subsets were taken.
        gap: the largest difference of a row's sum from prediction less expected.
    """

    inputs: tuple[tuple[float, ...], ...]
    values: tuple[tuple[float, ...], ...]
    error: tuple[tuple[float, ...], ...]
    prediction: tuple[float, ...]
    expected: float
    exact: bool
    gap: float


@dataclass(frozen=True, repr=False)
class Explanation:
    """What a surrogate goes by on given rows; see `scalebridge.explain.explain`.

    Args:
        surrogate: its name.
        target, unit: the output and its unit.
        rows, groups: on how many rows, of how many groups.
        seen: share of the rows that the surrogate had learned from; 0 where they were held back.
        base: root mean square error there, in the output's unit; NaN where values are not known.
        seed: of every random choice.
        importance: the most important input first.
        effects: accumulated local effects, then partial dependence, of the inputs that are one column, the twelve
            most important ones.
        ties: pairs of inputs that go together, with the correlation of their ranks.
        players: labels of the inputs in their own order, as the values of ``shapley`` stand.
        shapley: of single rows.
        indices: shares of the variance, where asked for.
        notes: what was done with the rows.
    """

    surrogate: str
    target: str
    unit: str
    rows: int
    groups: int
    seen: float
    base: float
    seed: int
    importance: tuple[Importance, ...]
    effects: tuple[Effect, ...]
    ties: tuple[tuple[str, str, float], ...]
    players: tuple[str, ...]
    shapley: ShapleyRows
    indices: Indices | None = None
    notes: tuple[str, ...] = ()

    def __getitem__(self, label: str) -> Importance:
        for entry in self.importance:
            if entry.label == label:
                return entry
        raise InputError(
            f"The explanation has no input '{label}'{did_you_mean(label, [e.label for e in self.importance])}"
        )

    def effect(self, label: str, kind: str = "ale") -> Effect:
        """The effect of one input, ``"ale"`` or ``"partial_dependence"``.

        Raises:
            InputError: there is none.
        """
        for effect in self.effects:
            if effect.label == label and effect.kind == kind:
                return effect
        raise InputError(
            f"The explanation has no effect '{kind}' of '{label}'"
            f"{did_you_mean(label, [e.label for e in self.effects if e.kind == kind])}"
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """What a reviewer reads: what matters, which way, what shares importance, and what this does not say."""
        from scalebridge.explain.wording import sentences

        return sentences(self)

    def table(self) -> str:
        """Plain text: a row for each input, then the sentences."""
        from scalebridge.explain.views import as_text

        return as_text(self)

    def __repr__(self) -> str:
        return self.table()

    def _repr_html_(self) -> str:
        from scalebridge.explain.views import as_html

        return as_html(self)

    def figure(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """Draw importance, effects and single rows; write them where told.

        Args:
            path: of a picture, by its suffix (.png, .svg, .pdf).
        """
        from scalebridge.explain.pictures import drawn

        figure = drawn(self.record())
        if path is not None:
            figure.savefig(path, dpi=150)
        return figure

    def record(self) -> dict[str, Any]:
        """Everything as plain lists, numbers and texts."""
        told: dict[str, Any] = plain.plain(self)
        return {"kind": KIND, "schema_version": 1, **told, "sentences": list(self.sentences)}

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """The record as JSON text; written where told."""
        return plain.write(self.record(), path)

    @staticmethod
    def from_json(path: str | os.PathLike[str]) -> Explanation:
        """An explanation that `to_json` wrote.

        Raises:
            InputError: no such file, or none of an explanation.
        """
        record = plain.read(path, KIND)
        try:
            return _restored(record)
        except (KeyError, TypeError) as error:
            raise InputError(f"'{path}' is a damaged explanation ({error}); write it again.") from error


def _restored(record: dict[str, Any]) -> Explanation:
    def made(kind: Any, entry: dict[str, Any]) -> Any:
        return kind(**{name: plain.numbers(value) for name, value in entry.items()})

    apart = ("kind", "schema_version", "sentences")
    told = {name: plain.numbers(value) for name, value in record.items() if name not in apart}
    told["importance"] = tuple(made(Importance, e) for e in record["importance"])
    told["effects"] = tuple(made(Effect, e) for e in record["effects"])
    told["shapley"] = made(ShapleyRows, record["shapley"])
    told["indices"] = None if record["indices"] is None else made(Indices, record["indices"])
    return Explanation(**told)


def relation_of(effect: Effect) -> str:
    """Which way the answer goes along an input, as far as its uncertainty tells.

    Steps are looked at together: the way is told where the net change is most of all the ups and downs. Nothing is
    told where so few rows or groups stand behind a step that its uncertainty is not known.
    """
    if effect.units < FEW:
        return ""
    value = np.array(effect.value)
    if effect.span <= 2 * float(effect.std.max()):
        return "flat"
    net, travelled = float(value[-1] - value[0]), float(np.abs(np.diff(value)).sum())
    if abs(net) < 0.7 * travelled:
        return "turns"
    return "rises" if net > 0 else "falls"
