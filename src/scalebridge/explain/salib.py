"""Sobol indices by SALib, for inputs that are independent."""

from __future__ import annotations

from typing import Any

import numpy as np

from scalebridge.errors import InputError
from scalebridge.explain.answering import Answering
from scalebridge.explain.copula import Copula
from scalebridge.explain.players import Players
from scalebridge.explain.sobol import Indices


def by_salib(answering: Answering, law: Copula, players: Players, points: int, seed: int) -> Indices:
    """First-order and total indices with SALib's bootstrap errors.

    Args:
        answering: the model's output.
        law: of independent inputs.
        players: one column each.
        points: of Saltelli's sample, a power of two.
        seed: of sample and bootstrap.

    Raises:
        InputError: SALib is not installed, inputs that go together, or players of several columns.

    Source: J. Herman and W. Usher, SALib: an open-source Python library for sensitivity analysis (2017).
    """
    try:
        from SALib.analyze import sobol as analysis
        from SALib.sample import sobol as sample
    except ImportError as error:
        raise InputError(
            "Sobol indices by SALib need it installed: pip install 'scalebridge[explain]', or take "
            "engine='conditional'."
        ) from error
    if not law.is_independent:
        raise InputError("SALib takes independent inputs, and these go together; take engine='conditional'.")
    if len(players.single) < len(players):
        raise InputError("SALib got inputs that are taken together; take engine='conditional'.")
    problem: dict[str, Any] = {
        "num_vars": law.size,
        "names": list(players.labels),
        "bounds": [[0.0, 1.0]] * law.size,
    }
    from scipy.special import ndtri

    count = 1 << (max(points, 4) - 1).bit_length()
    even = sample.sample(problem, count, calc_second_order=False, seed=seed)
    values = answering(law.values(ndtri(np.clip(even, 1e-12, 1 - 1e-12))))
    found = analysis.analyze(problem, values, calc_second_order=False, seed=seed)
    z = 1.959963985
    return Indices(
        players.labels,
        first=_numbers(found["S1"]),
        total=_numbers(found["ST"]),
        shapley=(),
        first_error=_numbers(found["S1_conf"] / z),
        total_error=_numbers(found["ST_conf"] / z),
        shapley_error=(),
        variance=float(np.var(values)),
        engine="SALib",
    )


def _numbers(values: Any) -> tuple[float, ...]:
    return tuple(float(v) for v in values)
