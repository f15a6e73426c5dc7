"""Two ways to the same property fused, and what a test says of both: agreement, or a model inadequacy with an interval.

By physics (homogenised) and by learning (from descriptors) one property is estimated twice, with errors that may be
partly the same. `fuse` combines the two, says whether they agree, and holds them against tests. Where the test
contradicts them it is not averaged in: the difference is reported as the discrepancy of Kennedy and O'Hagan.

Sources: Birge, Phys. Rev. 40 (1932) 207-227 (consistency); Mandel and Paule, Anal. Chem. 42 (1970) 1194-1197 (a
deviation between the ways that restores it); Kennedy and O'Hagan, J. R. Stat. Soc. B 63 (2001) 425-464 (test = model +
discrepancy + error); Paule and Mandel, J. Res. NBS 87 (1982) 377-385, and Hartung and Knapp, Stat. Med. 20 (2001)
3875-3889 (bias and scatter over several cases), in the form of Knapp and Hartung, Stat. Med. 22 (2003) 2693-2710,
which never says less than the stated errors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.errors import InputError
from scalebridge.quantities import Floats
from scalebridge.reports import numbers

UNNAMED = "estimate"


@dataclass(frozen=True)
class Estimate:
    """A value with its standard deviation.

    Args:
        value: of the property.
        std: its standard deviation; of ``parts`` in quadrature when ``None``.
        name: in words, for verdicts.
        parts: standard deviations by source, so that sources common to two estimates can be named.
        degrees: degrees of freedom of the deviation; infinite where it is known.

    Raises:
        InputError: a value that is not finite, a deviation that is not positive, parts that are not its parts.
    """

    value: float
    std: float | None = None
    name: str = UNNAMED
    parts: Mapping[str, float] = field(default_factory=dict)
    degrees: float = math.inf

    def __post_init__(self) -> None:
        of_parts = math.hypot(*self.parts.values()) if self.parts else None
        std = of_parts if self.std is None else float(self.std)
        if std is None or not (math.isfinite(self.value) and math.isfinite(std) and std > 0 and self.degrees > 0):
            raise InputError(
                f"The estimate '{self.name}' is {self.value} with a deviation of {std}; give a finite value and a "
                "positive deviation (or parts)."
            )
        if of_parts is not None and of_parts > std * (1.0 + 1e-6):
            raise InputError(f"The parts of '{self.name}' make a deviation of {of_parts:g}, more than its {std:g}.")
        object.__setattr__(self, "std", std)

    @classmethod
    def of_interval(cls, low: float, high: float, confidence: float = 0.95, name: str = UNNAMED) -> Estimate:
        """Make an estimate of a symmetric interval."""
        return cls(0.5 * (low + high), 0.5 * (high - low) / _quantile(confidence), name)

    @classmethod
    def of_readings(cls, readings: ArrayLike, systematic: float = 0.0, name: str = "test") -> Estimate:
        """Make an estimate of the mean of independent readings ``[n]``.

        Args:
            readings: at least two.
            systematic: deviation common to all of them, of the set-up.
            name: in words.

        Raises:
            InputError: fewer than two readings, or all of one value and no systematic deviation.
        """
        values = np.asarray(readings, dtype=np.float64).ravel()
        if len(values) < 2:
            raise InputError(f"'{name}' has {len(values)} readings; give at least two, or an Estimate with its std.")
        random = float(values.std(ddof=1)) / math.sqrt(len(values))
        std = math.hypot(random, systematic)
        degrees = (len(values) - 1) * (std / random) ** 4 if random > 0 else math.inf
        return cls(float(values.mean()), std, name, {"scatter": random, "systematic": systematic}, degrees)

    @property
    def deviation(self) -> float:
        """The standard deviation, as a number."""
        assert self.std is not None
        return self.std

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the two-sided interval, by Student's t where the deviation was estimated."""
        half = _quantile(confidence, self.degrees) * self.deviation
        return self.value - half, self.value + half

    def told(self, unit: str = "1") -> str:
        """Return value and standard deviation in words."""
        value, std, power = numbers.uncertain(self.value, self.deviation)
        return numbers.with_unit(f"{value} ± {std}" + (f" × {power}" if power else ""), unit)


@dataclass(frozen=True)
class Discrepancy:
    """How far a test lies from a prediction: test minus prediction.

    Args:
        value: the difference.
        std: its standard deviation.
        interval: two-sided.
        significant: whether the interval leaves zero out.
    """

    value: float
    std: float
    interval: tuple[float, float]
    significant: bool


@dataclass(frozen=True)
class Fusion:
    """Two estimates of one property fused, beside tests.

    Args:
        value: of the two ways together; tests have no part in it.
        std: standard deviation, widened where the Birge ratio is above one.
        interval: two-sided at ``confidence``.
        weights: of physics and learned.
        correlation: of their errors, as stated.
        birge: difference of the two over its deviation; about one or below where they agree.
        between: deviation added to each of the two so that the ratio is one; zero where it is below.
        consistent: whether the difference is one that chance explains at this confidence.
        discrepancies: test minus physics, learned and fused, by name; empty without tests.
        updated: fused and tests together; ``None`` without tests, or where they contradict each other.
        confidence: of all intervals.
        verdict: all this in words.
    """

    value: float
    std: float
    interval: tuple[float, float]
    weights: tuple[float, float]
    correlation: float
    birge: float
    between: float
    consistent: bool
    discrepancies: Mapping[str, Discrepancy]
    updated: Estimate | None
    confidence: float
    verdict: str

    @property
    def inadequate(self) -> bool:
        """Whether tests contradict the fused prediction."""
        return "fused" in self.discrepancies and self.discrepancies["fused"].significant


def fuse(
    physics: Estimate,
    learned: Estimate,
    *,
    tests: Estimate | ArrayLike | None = None,
    correlation: float | None = None,
    shared: Sequence[str] = (),
    confidence: float = 0.95,
    unit: str = "1",
) -> Fusion:
    """Fuse two estimates of one property, and hold them against tests.

    The weights are of least variance (Gauss and Markov) for the correlation stated, kept between 0 and 1. Errors of the
    tests are independent of both ways.

    Args:
        physics: by simulation.
        learned: by learning.
        tests: readings ``[n]`` or an estimate of what was measured.
        correlation: of the errors of the two ways; 0 if neither this nor ``shared`` is given.
        shared: names of ``parts`` that are one and the same error in both ways, from which the correlation follows.
        confidence: two-sided, of all intervals and of the verdict.
        unit: for the verdict.

    Raises:
        InputError: a correlation outside of (-1, 1) or stated twice, a shared part that an estimate does not have.
    """
    if not 0.0 < confidence < 1.0:
        raise InputError(f"The confidence of a fusion is {confidence}; it must lie between 0 and 1.")
    rho = _correlation(physics, learned, correlation, shared)
    a, b = physics.deviation, learned.deviation
    gap, difference = abs(physics.value - learned.value), _deviation(a * a, b * b, -rho * a * b)
    birge, between = _ratio(gap, difference), math.sqrt(max(gap * gap - difference**2, 0.0) / 2.0)
    # What the two have in common says nothing of how far they are apart: only each one's own part is widened.
    one, other, common = a * a + between**2, b * b + between**2, rho * a * b
    weights = _weights(one, other, common)
    std = _deviation(weights[0] ** 2 * one, weights[1] ** 2 * other, weights[0] * weights[1] * common)
    degrees = _satterthwaite([(weights[0] * a, physics.degrees), (weights[1] * b, learned.degrees)])
    fused = Estimate(weights[0] * physics.value + weights[1] * learned.value, std, "fused", degrees=degrees)
    apart = _satterthwaite([(a, physics.degrees), (b, learned.degrees)])
    consistent = birge <= _quantile(confidence, apart)
    test = None if tests is None else tests if isinstance(tests, Estimate) else Estimate.of_readings(tests)
    ways = {"physics": physics, "learned": learned, "fused": fused}
    found = {} if test is None else {name: discrepancy(way, test, confidence) for name, way in ways.items()}
    updated = None if test is None or found["fused"].significant else _together(fused, test)
    verdict = " ".join(
        [
            *_said(physics, learned, fused, weights, rho, birge, between, consistent, unit),
            *_said_of_test(found, test, updated, unit),
        ]
    )
    return Fusion(
        fused.value, fused.deviation, fused.interval(confidence), weights, rho, birge, between, consistent, found,
        updated, confidence, verdict,
    )  # fmt: skip


def discrepancy(prediction: Estimate, test: Estimate, confidence: float = 0.95) -> Discrepancy:
    """Return test minus prediction with its interval; the errors of the two are independent."""
    value, std = test.value - prediction.value, math.hypot(prediction.deviation, test.deviation)
    degrees = _satterthwaite([(prediction.deviation, prediction.degrees), (test.deviation, test.degrees)])
    half = _quantile(confidence, degrees) * std
    return Discrepancy(value, std, (value - half, value + half), abs(value) > half)


@dataclass(frozen=True)
class Inadequacy:
    """How a model errs over several cases: ``test = prediction + bias + scatter + errors as stated``.

    Args:
        bias: mean error of the model.
        interval: of the bias.
        scatter: standard deviation of the model's error from case to case beyond all stated errors.
        significant: whether the interval of the bias leaves zero out.
        next_interval: of the test of another case, less its prediction, apart from the errors of that case.
    """

    bias: float
    interval: tuple[float, float]
    scatter: float
    significant: bool
    next_interval: tuple[float, float]


def inadequacy(
    predictions: Sequence[Estimate], tests: Sequence[Estimate], *, relative: bool = False, confidence: float = 0.95
) -> Inadequacy:
    """Return bias and scatter of a model over cases that were predicted and tested.

    Args:
        predictions: one per case, with errors independent from case to case.
        tests: as many.
        relative: errors as shares of the prediction.
        confidence: two-sided.

    Raises:
        InputError: fewer than three cases, or as many tests as predictions are not given; shares of a prediction of 0.
    """
    if len(predictions) != len(tests) or len(tests) < 3:
        raise InputError(
            f"{len(predictions)} predictions and {len(tests)} tests were given; give one test per prediction, and at "
            "least three."
        )
    scale = np.array([p.value if relative else 1.0 for p in predictions])
    if len(nought := np.flatnonzero(scale == 0.0)):
        raise InputError(
            f"Case {nought[0]} ('{predictions[nought[0]].name}', counted from 0) is predicted as 0, of which no error "
            "is a share; leave it out, or give relative=False."
        )
    gaps = np.array([t.value - p.value for p, t in zip(predictions, tests, strict=True)]) / scale
    known = np.array([p.deviation**2 + t.deviation**2 for p, t in zip(predictions, tests, strict=True)]) / scale**2
    scatter = _paule_mandel(gaps, known)
    weights = 1.0 / (known + scatter**2)
    bias = float(weights @ gaps / weights.sum())
    # Gaps that agree by luck say no more than their stated errors do.
    spread = float(max(weights @ (gaps - bias) ** 2 / (len(gaps) - 1), 1.0) / weights.sum())
    half = _quantile(confidence, len(gaps) - 1.0) * math.sqrt(spread)
    further = _quantile(confidence, len(gaps) - 1.0) * math.sqrt(spread + scatter**2)
    ends = (bias - half, bias + half)
    return Inadequacy(bias, ends, scatter, abs(bias) > half, (bias - further, bias + further))


def _paule_mandel(gaps: Floats, known: Floats) -> float:
    """The scatter at which the Birge ratio is one; zero where it is below one without any."""
    from scipy.optimize import brentq

    def excess(variance: float) -> float:
        weights = 1.0 / (known + variance)
        mean = weights @ gaps / weights.sum()
        return float(weights @ (gaps - mean) ** 2) - (len(gaps) - 1)

    if excess(0.0) <= 0.0:
        return 0.0
    return math.sqrt(brentq(excess, 0.0, 2.0 * float(((gaps - gaps.mean()) ** 2).sum())))


def _correlation(physics: Estimate, learned: Estimate, correlation: float | None, shared: Sequence[str]) -> float:
    if correlation is not None and shared:
        raise InputError("The correlation of the two ways is given twice; give either correlation or shared parts.")
    for way in (physics, learned):
        if missing := [name for name in shared if name not in way.parts]:
            raise InputError(f"'{way.name}' has no part '{missing[0]}'; it has {', '.join(way.parts) or 'none'}.")
    common = sum(physics.parts[name] * learned.parts[name] for name in shared)
    # Parts that are all shared make 1 up to rounding.
    followed = min(common / (physics.deviation * learned.deviation), 1.0)
    rho = followed if correlation is None else float(correlation)
    if not -1.0 < rho <= 1.0:
        raise InputError(f"The correlation of the two ways is {rho}; it must lie above -1 and not above 1.")
    return rho


def _together(fused: Estimate, test: Estimate) -> Estimate:
    """Fused and tested, weighted by their variances and widened where they are far apart."""
    a, b = fused.deviation**2, test.deviation**2
    share = b / (a + b)
    birge = abs(fused.value - test.value) / math.sqrt(a + b)
    degrees = _satterthwaite([(share * fused.deviation, fused.degrees), ((1 - share) * test.deviation, test.degrees)])
    value = share * fused.value + (1.0 - share) * test.value
    return Estimate(value, math.sqrt(a * b / (a + b)) * max(1.0, birge), "fused and tested", degrees=degrees)


def _deviation(one: float, other: float, common: float) -> float:
    """Standard deviation of a sum of two terms with these variances and this covariance."""
    return math.sqrt(max(one + other + 2.0 * common, 0.0))


def _weights(one: float, other: float, common: float) -> tuple[float, float]:
    """Weights of least variance between 0 and 1; halves where the two errors are one and the same."""
    spread = one + other - 2.0 * common
    share = 0.5 if spread <= 0.0 else min(max((other - common) / spread, 0.0), 1.0)
    return share, 1.0 - share


def _ratio(gap: float, std: float) -> float:
    return gap / std if std > 0 else (0.0 if gap == 0 else math.inf)


def _satterthwaite(parts: Sequence[tuple[float, float]]) -> float:
    """Degrees of freedom of a sum of independent deviations, each with its own."""
    total = sum(std**2 for std, _ in parts)
    lost = sum(std**4 / degrees for std, degrees in parts)
    return total**2 / lost if lost > 0 else math.inf


@lru_cache(maxsize=1024)
def _quantile(confidence: float, degrees: float = math.inf) -> float:
    from scipy.stats import norm, t

    at = 0.5 + 0.5 * confidence
    return float(norm.ppf(at) if math.isinf(degrees) else t.ppf(at, degrees))


def _said(
    physics: Estimate,
    learned: Estimate,
    fused: Estimate,
    weights: tuple[float, float],
    rho: float,
    birge: float,
    between: float,
    consistent: bool,
    unit: str,
) -> list[str]:
    agree = "agree" if consistent else "contradict each other"
    ratio = f"Birge ratio {birge:.2f}, correlation {rho:.2f} as stated"
    one, other = _called(physics, "physics"), _called(learned, "learning")
    words = [f"{one[:1].upper()}{one[1:]} ({physics.told(unit)}) and {other} ({learned.told(unit)}) {agree} ({ratio})."]
    added = numbers.with_unit(numbers.plain(between, 2), unit)
    widened = f", {added} between the ways added to each" if between > 0.0 else ""
    words.append(f"Fused with weights {weights[0]:.2f} and {weights[1]:.2f}: {fused.told(unit)}{widened}.")
    if min(weights) < 0.005 and rho > 0.0:
        words.append("The errors are so much in common that the wider way adds nothing to the narrower one.")
    if not consistent:
        words.append("At least one of the two is wrong by more than it says; the fused value hides that, so find out.")
    return words


def _called(way: Estimate, role: str) -> str:
    """The name that a way was given, or its role."""
    return role if way.name == UNNAMED else way.name


def _said_of_test(
    found: Mapping[str, Discrepancy], test: Estimate | None, updated: Estimate | None, unit: str
) -> list[str]:
    if test is None:
        return ["No test was given, so nothing is said of what both ways have in common."]
    gap = found["fused"]
    ends = numbers.with_unit(numbers.pair(*gap.interval), unit)
    side = "above" if gap.value > 0 else "below"
    far = numbers.with_unit(numbers.plain(abs(gap.value), 2), unit)
    start = f"The test ({test.told(unit)}) lies {far} {side} it, discrepancy {ends}"
    at_fault = [_role(name) for name in ("physics", "learned") if found[name].significant]
    if updated is not None:
        alone = [f"Alone, the way by {name} is contradicted: an inadequacy of its own." for name in at_fault]
        return [f"{start}, which holds zero: no inadequacy is shown. Together: {updated.told(unit)}.", *alone]
    which = {2: "both ways", 1: f"the way by {at_fault[0]}" if at_fault else ""}.get(
        len(at_fault), "the two together, though of neither alone"
    )
    return [f"{start}, which leaves zero out: a model inadequacy of {which}, not averaged away."]


def _role(name: str) -> str:
    return "learning" if name == "learned" else name
