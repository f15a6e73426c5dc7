"""What every suite uses: a demand that ends in one clear sentence, and plausible inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scalebridge.quantities import Floats, Space


def demand(condition: bool | np.bool_, sentence: str) -> None:
    """Raise `AssertionError` with ``sentence`` unless the condition holds (under ``python -O`` too)."""
    if not condition:
        raise AssertionError(sentence)


def demand_members(thing: object, members: tuple[str, ...], what: str) -> None:
    """Demand every public member of a contract."""
    missing = [name for name in members if not hasattr(thing, name)]
    demand(not missing, f"{type(thing).__name__} is no {what}: it lacks {', '.join(missing)}.")


def demand_close(found: Any, wanted: Any, rtol: float, scale: float, sentence: str) -> None:
    """Demand that two arrays agree in shape and, to ``rtol * scale``, in every entry."""
    found, wanted = np.asarray(found, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    demand(found.shape == wanted.shape, f"{sentence} (shapes {found.shape} and {wanted.shape})")
    gap = float(np.max(np.abs(found - wanted), initial=0.0))
    demand(gap <= rtol * scale, f"{sentence} (largest gap {gap:.3g}, allowed {rtol * scale:.3g})")


def demand_identity(model: Any) -> None:
    """Demand an identity of texts that is the same every time it is asked for, in this process and in others."""
    first, second = model.identity(), model.identity()
    demand(
        isinstance(first, Mapping) and all(isinstance(k, str) and isinstance(v, str) for k, v in first.items()),
        f"identity() of '{model.name}' must map texts to texts, so that it can be stored; it gave {first!r}.",
    )
    demand(dict(first) == dict(second), f"identity() of '{model.name}' changes from one call to the next.")
    demand(len(first) > 0, f"identity() of '{model.name}' is empty; two models could not be told apart.")
    address = [k for k, v in first.items() if " at 0x" in v]
    demand(
        not address,
        f"identity() of '{model.name}' holds a memory address under {address}; no other process will find its runs.",
    )


def plausible_inputs(space: Space, n: int, seed: int = 0, spread: float = 1.0) -> Floats:
    """Draw ``[n, d]``: uniform between bounds, beside the one bound there is, or normal of ``spread``."""
    rng = np.random.default_rng(seed)
    lower, upper = space.lower, space.upper
    z = rng.standard_normal((n, space.size))
    u = rng.uniform(0.05, 0.95, (n, space.size))
    x = spread * z
    x = np.where(np.isfinite(lower), lower + spread * np.abs(z), x)
    x = np.where(np.isfinite(upper), upper - spread * np.abs(z), x)
    both = np.isfinite(lower) & np.isfinite(upper)
    return np.where(both, np.where(both, lower, 0.0) + np.where(both, upper - lower, 1.0) * u, x)


def tangent_gap(values: Any, tangent: Floats, x: Floats, step: float) -> tuple[float, float]:
    """Compare a tangent ``[b, m, d]`` with central differences of ``values: [b, d] -> [b, m]``.

    Returns:
        ``(gap, size)``: the largest difference beyond what the differences themselves leave open (two step
        sizes disagreeing), and the size of the tangent; the gap is in units of that size.
    """
    size = max(float(np.max(np.abs(tangent), initial=0.0)), 1e-300)
    worst = 0.0
    for j in range(x.shape[1]):
        h = step * max(float(np.max(np.abs(x[:, j]), initial=0.0)), 1e-8)
        shift = np.zeros(x.shape[1])
        shift[j] = h
        fine = (values(x + shift) - values(x - shift)) / (2 * h)
        coarse = (values(x + 2 * shift) - values(x - 2 * shift)) / (4 * h)
        gap = np.abs(tangent[:, :, j] - fine) - 2 * np.abs(fine - coarse)
        worst = max(worst, float(np.max(gap, initial=0.0)) / size)
    return worst, size
