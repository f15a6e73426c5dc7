"""The interval by parts, and whether it is narrow enough."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scalebridge.bridge.audit import Audit
from scalebridge.bridge.interval import pool
from scalebridge.bridge.question import Question
from scalebridge.bridge.remainder import pooled_remainder
from scalebridge.bridge.stage import Stage


@dataclass(frozen=True)
class QuantityVerdict:
    """The interval of one quantity.

    Args:
        value: its centre.
        half_width: the sum of the parts.
        parts: ``closure``, ``remainder``, ``micro_discretisation``, ``mesh``; ``None`` where not measured.
        tolerance: half-width wanted; zero where it cannot be defined.
        converged: whether the half-width is within the tolerance.
        unanswered: what of the closure's part verification runs without an answer may hide.
    """

    value: float
    half_width: float
    parts: Mapping[str, float | None]
    tolerance: float
    converged: bool
    unanswered: float

    @property
    def low(self) -> float:
        """Lower end."""
        return self.value - self.half_width

    @property
    def high(self) -> float:
        """Upper end."""
        return self.value + self.half_width


@dataclass(frozen=True)
class Verdict:
    """The intervals of all quantities; ``reason`` says why it is, or is not, converged."""

    quantities: Mapping[str, QuantityVerdict]
    converged: bool
    reason: str


def judge(
    question: Question,
    audits: Sequence[Audit],
    scaled: Sequence[dict[str, float]],
    best: Stage,
    micro_parts: Mapping[str, float] | None,
    mesh_parts: Mapping[str, float | None],
    why_unanswered: str,
) -> Verdict:
    """Sum the parts of each quantity and compare with the tolerance; say why a verification run had no answer."""
    quantities = {}
    for qoi in question.qois:
        pooled = pool([a.rounds[qoi] for a in audits], question.alpha)
        parts: dict[str, float | None] = {
            "closure": pooled.half_width,
            "remainder": pooled_remainder(audits, scaled, best, qoi, pooled.weights),
            "micro_discretisation": None if micro_parts is None else float(micro_parts[qoi]),
            "mesh": mesh_parts[qoi],
        }
        half = sum(v for v in parts.values() if v is not None)
        tolerance = question.tolerance(pooled.value - half, pooled.value + half) if math.isfinite(half) else 0.0
        quantities[qoi] = QuantityVerdict(pooled.value, half, parts, tolerance, half <= tolerance, pooled.unanswered)
    return Verdict(quantities, all(q.converged for q in quantities.values()), _reason(quantities, why_unanswered))


def _reason(quantities: Mapping[str, QuantityVerdict], why_unanswered: str) -> str:
    for name, q in quantities.items():
        if q.converged:
            continue
        if not math.isfinite(q.half_width):
            return f"the interval of '{name}' is unbounded"
        if q.unanswered > 0.5 * q.half_width:
            return (
                f"most of the half-width of '{name}', {q.half_width:.3g}, is what verification runs without an answer "
                f"may hide within the bounds of the outputs; mend the model or declare narrower bounds (a run's own "
                f"reason: {why_unanswered})"
            )
        if q.tolerance == 0:
            return f"the interval of '{name}' holds zero, so a relative tolerance means nothing; give atol"
        largest = max((v, k) for k, v in q.parts.items() if v is not None)[1].replace("_", " ")
        return (
            f"the half-width of '{name}', {q.half_width:.3g}, is above the tolerance, {q.tolerance:.3g}; "
            f"most of it comes from the {largest}"
        )
    return "the interval is within the tolerance"
