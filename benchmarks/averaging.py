"""Do intervals of means of correlated series hold? Coverage over many series whose mean is known.

``python -m benchmarks.averaging --json FILE [--seed N] [--repeats 600]``, one minute. Series are AR(1), sums of a
fast and a slow part as the columns of a molecular simulation are, swings, and series that start away from their mean.
Written to FILE per case: ``held`` of ``accepted`` intervals at 95 % that hold the mean, the share ``refused`` as too
short, ``wrong`` (intervals that do not hold, of all series), and ``width`` (mean half-width).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.signal import lfilter

from benchmarks._coverage import write_coverage
from scalebridge.data.averaging import mean_of_series
from scalebridge.quantities import Floats

Draw = Callable[[np.random.Generator], Floats]
# Series longer than this take a third of the repeats.
LONG = 15_000


def autoregressive(rng: np.random.Generator, n: int, memory: float) -> Floats:
    """Stationary AR(1) of mean 0 and variance 1; ``(1 + memory) / (1 - memory)`` samples count as one."""
    first = int(20 / (1 - memory))
    noise = rng.normal(size=n + first) * np.sqrt(1 - memory**2)
    return np.asarray(lfilter([1], [1, -memory], noise)[first:])


def two_scales(n: int, fast: float, share: float, slow_time: float) -> Draw:
    """A fast AR(1) plus a slow one of so many times less size, whose correlation falls by 1 / e in ``slow_time``."""
    return lambda rng: autoregressive(rng, n, fast) + share * autoregressive(rng, n, 1 - 1 / slow_time)


def swing(rng: np.random.Generator, n: int) -> Floats:
    radius, angle = 0.98, 0.3
    noise = rng.normal(size=n + 2000)
    return np.asarray(lfilter([1], [1, -2 * radius * np.cos(angle), radius**2], noise)[2000:])


def starting(n: int, memory: float, size: float, decay: float) -> Draw:
    """AR(1) about a mean that it reaches from ``size`` deviations away."""
    return lambda rng: autoregressive(rng, n, memory) + size * np.exp(-np.arange(n) / decay)


def cases() -> list[tuple[str, int, Draw]]:
    """Name, samples, and a series of mean 0."""
    single = [
        (0.0, 1000),
        (0.9, 400),
        (0.9, 1000),
        (0.95, 1000),
        (0.9, 5000),
        (0.98, 10_000),
        (0.98, 1000),
        (0.98, 100),
    ]
    slow = [(0.0, 0.22, 500, 20_000), (0.0, 0.1, 500, 20_000), (0.0, 0.1, 1000, 100_000), (0.9, 0.2, 1000, 50_000)]
    unsettled = [
        (0.9, 30.0, 80, 5000),
        (0.9, 3.0, 200, 5000),
        (0.9, 1.0, 500, 5000),
        (0.9, 0.5, 1000, 5000),
        (0.9, 1.0, 1000, 5000),
        (0.0, 0.3, 500, 2000),
    ]
    return [
        *((f"AR {m:g}", n, lambda rng, n=n, m=m: autoregressive(rng, n, m)) for m, n in single),
        *((f"AR {m:g} + {share:g} slow {time}", n, two_scales(n, m, share, time)) for m, share, time, n in slow),
        ("AR -0.8", 1000, lambda rng: autoregressive(rng, 1000, -0.8)),
        ("swing", 2000, lambda rng: swing(rng, 2000)),
        *((f"AR {m:g} from {size:g} in {time}", n, starting(n, m, size, time)) for m, size, time, n in unsettled),
    ]


def cover(draw: Draw, repeats: int, seed: int) -> dict[str, Any]:
    """Intervals of so many series against their mean, 0."""
    held, halves = 0, []
    for repeat in range(repeats):
        found = mean_of_series(draw(np.random.default_rng([seed, repeat])))
        if found.enough:
            held += found.interval[0] <= 0 <= found.interval[1]
            halves.append(0.5 * (found.interval[1] - found.interval[0]))
    accepted = len(halves)
    return {
        "repeats": repeats,
        "accepted": accepted,
        "refused": 1 - accepted / repeats,
        "held": held / accepted if accepted else None,
        "wrong": (accepted - held) / repeats,
        "width": float(np.mean(halves)) if halves else None,
    }


def coverage(repeats: int, seed: int) -> list[dict[str, Any]]:
    found = []
    for name, n, draw in cases():
        told = cover(draw, max(2, repeats // 3) if n > LONG else repeats, seed)
        found.append({"series": name, "samples": n, **told})
        held = "   -  " if told["held"] is None else f"{100 * told['held']:5.1f} %"
        print(
            f"{name:28s} {n:7d} samples: {held} of intervals hold, {100 * told['refused']:5.1f} % refused, "
            f"{100 * told['wrong']:4.1f} % wrong",
            flush=True,
        )
    return found


if __name__ == "__main__":
    write_coverage(__doc__, coverage, repeats=600)
