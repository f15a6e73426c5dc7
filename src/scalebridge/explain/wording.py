"""An explanation in the words of a reviewer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scalebridge.explain.pictures import unit_words

if TYPE_CHECKING:
    from scalebridge.explain.explanation import Explanation, Importance
    from scalebridge.explain.sobol import Indices

# Inputs that the others tell so well are said to be told by them.
DETERMINED = 0.5
# Inputs that do not matter and get a sentence each; the others share one.
SINGLE = 3
# Share of shuffled rows from which combinations are said to be unlike those seen.
UNLIKE = 0.05
WAYS = {
    "rises": "{target} rises with it, by {span}",
    "falls": "{target} falls with it, by {span}",
    "turns": "{target} goes both up and down along it, within {span}",
    "flat": "no change along it is larger than its uncertainty",
}


def sentences(e: Explanation) -> tuple[str, ...]:
    """What matters, which way, what shares importance, what was extrapolated, and what this does not say."""
    told = [_setting(e), *_each(e), *_without(e), *_tied(e), *_unlike(e)]
    shares = () if e.indices is None else indices_sentences(e.indices)
    return (*told, *shares, *e.notes, _caution(e))


def indices_sentences(found: Indices) -> tuple[str, ...]:
    """Where the variance comes from, and how much of it the surrogate itself does not know."""
    values, name = (found.shapley, "Shapley effects") if found.shapley else (found.total, "total indices")
    order = sorted(range(len(values)), key=lambda k: -values[k])[:5]
    told = [
        f"By {name}, the variance comes from {', '.join(f'{found.labels[k]} ({share(values[k])})' for k in order)}."
    ]
    pairs = zip(found.labels, found.first, found.total, strict=True)
    common = [label for label, first, total in pairs if first - total > UNLIKE]
    if common:
        told.append(f"Known through others as well as alone (first-order above total): {', '.join(common)}.")
    if found.unresolved > UNLIKE:
        told.append(
            f"The surrogate's own uncertainty is {share(found.unresolved)} of that variance, which these shares do not "
            "hold."
        )
    return tuple(told)


def share(value: float) -> str:
    """A share as per cent, with a true minus."""
    if not math.isfinite(value):
        return "–"
    size = abs(100 * value)
    text = f"{size:.0f}" if size >= 10 else f"{size:.1f}"
    return f"{'−' if value < 0 and float(text) else ''}{text} %"


def with_error(value: float, error: float) -> str:
    """A share and its standard error, with digits that the error justifies."""
    if not math.isfinite(value):
        return "–"
    digits = 0 if abs(error) >= 0.01 or abs(value) >= 1 else 1
    text = f"{abs(100 * value):.{digits}f}"
    return f"{'−' if value < 0 and float(text) else ''}{text} % ± {100 * error:.{digits}f} %"


def signed(value: float) -> str:
    """A correlation with a true minus."""
    return f"{value:.2f}".replace("-", "−")


def amount(value: float, unit: str, digits: int = 3) -> str:
    """A number with its unit."""
    text = f"{value:.{digits}g}".replace("-", "−")
    return text if unit in ("1", "") else f"{text} {unit_words(unit)}"


def _setting(e: Explanation) -> str:
    of = f" of {e.groups} groups" if e.groups < e.rows else ""
    if not math.isfinite(e.base):
        return (
            f"On {e.rows} rows{of}, whose measured values were not given, this tells what '{e.surrogate}' goes by for "
            f"{e.target}, and nothing of its errors."
        )
    where = "that it had not seen" if e.seen == 0 else f"of which it had learned from {share(e.seen)}"
    return (
        f"On {e.rows} rows{of} {where}, '{e.surrogate}' predicts {e.target} with a root mean square error of "
        f"{amount(e.base, e.unit)} (± is one standard error throughout)."
    )


def _each(e: Explanation) -> list[str]:
    """A sentence for each input that matters, and for the first ones that do not; the others together."""
    chance = [i for i in e.importance if math.isfinite(i.rise) and not i.significant]
    rest = chance[SINGLE:] if len(chance) > SINGLE + 1 else []
    apart = {id(i) for i in rest}
    told = [_one(e, i) for i in e.importance if id(i) not in apart]
    if rest:
        largest = max(rest, key=lambda i: i.rise)
        told.append(
            f"{len(rest)} others do not stand out from chance either: shuffling {largest.label}, the most of them, "
            f"changes the error by {with_error(largest.rise, largest.rise_error)}."
        )
    return told


def _one(e: Explanation, i: Importance) -> str:
    way = _way(e, i)
    if not math.isfinite(i.rise):
        moved = f"moves {e.target} by {amount(i.shapley, e.unit)} on average"
        return f"{i.label} {moved}{f'; {way}' if way else ''}."
    by = with_error(i.rise, i.rise_error)
    if not i.significant:
        return f"{i.label} does not stand out from chance: shuffling it changes the error by {by}."
    return f"{i.label} matters: shuffling it raises the error by {by}{f'; {way}' if way else ''}."


def _way(e: Explanation, i: Importance) -> str:
    if not i.relation:
        return ""
    effect = e.effect(i.label)
    span = f"{amount(effect.span, e.unit)} ± {amount(float(effect.std.max()), e.unit, 2)} over the range seen"
    return WAYS[i.relation].format(target=e.target, span=span)


def _without(e: Explanation) -> list[str]:
    """Inputs that matter together with others, but know nothing alone."""
    lost = [i for i in e.importance if i.significant and i.told_by_others >= DETERMINED and not i.own_p < 0.05]
    return [
        f"What {i.label} alone knows, given the other inputs, changes the error by "
        f"{with_error(i.own, i.own_error)}, no more than chance: the others could stand in for it."
        for i in lost
    ]


def _tied(e: Explanation) -> list[str]:
    told = []
    for a, b, rho in e.ties[:5]:
        told.append(
            f"{a} and {b} go {'together' if rho > 0 else 'against each other'} (rank correlation {signed(rho)})"
        )
    said = []
    if told:
        more = f"; {len(e.ties) - 5} further pairs too" if len(e.ties) > 5 else ""
        said.append(
            f"{'; '.join(told)}{more}: inputs that go together share their importance, so that each may look less "
            "important than both are."
        )
    paired = {name for a, b, _ in e.ties for name in (a, b)}
    alone = [i for i in e.importance if i.told_by_others >= DETERMINED and i.label not in paired]
    if alone:
        names = ", ".join(f"{i.label} ({share(i.told_by_others)})" for i in alone)
        said.append(
            f"So much of the variance is told by the other inputs together, with which importance is shared: {names}."
        )
    return said


def _unlike(e: Explanation) -> list[str]:
    worst = max(e.importance, key=lambda i: i.unlike if math.isfinite(i.unlike) else -1.0)
    if not worst.unlike >= UNLIKE:
        return []
    given = "" if not math.isfinite(worst.own_unlike) else (
        f" Drawn given the other inputs, {share(worst.own_unlike)} are such, as far as a normal copula tells, which "
        "misses dependence that turns."
    )  # fmt: skip
    return [
        f"Shuffling asks for combinations that were never seen (of {worst.label}: {share(worst.unlike)} of the rows), "
        f"where the surrogate extrapolates.{given} Accumulated local effects ask next to rows that were seen."
    ]


def _caution(e: Explanation) -> str:
    learned = (
        " Rows that were learned from flatter the surrogate: importance on them is not what holds for new ones."
        if e.seen > 0
        else ""
    )
    return (
        f"This says what the surrogate goes by, not what causes {e.target}: a change of an input made on purpose may "
        f"do otherwise.{learned}"
    )
