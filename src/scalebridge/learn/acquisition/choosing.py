"""The greedy batch: the best candidate, then the best beside it, and so on."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge import errors
from scalebridge.learn.acquisition import outlook as looking
from scalebridge.models import Surrogate
from scalebridge.quantities import Floats

BY_NAME = {
    "confidence_bound": "ConfidenceBound",
    "expected_improvement": "ExpectedImprovement",
    "global_fit": "GlobalFit",
    "integrated_variance": "IntegratedVariance",
    "maximum_deviation": "MaximumDeviation",
    "noisy_expected_improvement": "NoisyExpectedImprovement",
    "query_by_committee": "QueryByCommittee",
}


def choose(
    acquisition: looking.Acquisition | str,
    surrogate: Surrogate,
    candidates: Floats,
    n: int = 1,
    *,
    reference: Floats | None = None,
    weights: Floats | None = None,
    decided: Floats | None = None,
    noise_std: Floats | None = None,
) -> NDArray[np.int64]:
    """Indices of the ``n`` candidates to run, best first; each is chosen given those before it.

    Args:
        acquisition: what a run is worth, or the name of one that needs no options.
        surrogate: fitted.
        candidates: ``[c, d]``.
        n: how many; fewer come back where there are fewer candidates.
        reference: ``[r, d]``, points that stand for the space; the candidates by default.
        weights: ``[r]`` of these points; equal by default.
        decided: ``[k, d]``, runs that are under way: the covariance is downdated by them first.
        noise_std: ``[m]`` of a run; by default the root mean square over the surrogate's runs.

    Raises:
        InputError: no such acquisition, or candidates that are not ``[c, d]``.
    """
    acquisition = named(acquisition)
    candidates = surrogate.inputs.check(candidates, "A choice of runs")
    view = _outlook(acquisition, surrogate, candidates, reference, weights, decided, noise_std)
    first = len(candidates) + len(view.weights)
    for k in range(0 if decided is None else len(decided)):
        view = view.given(first + k)
    chosen: list[int] = []
    for _ in range(min(n, len(candidates))):
        score = np.array(acquisition.score(view), dtype=np.float64)
        score[chosen] = -np.inf
        chosen.append(int(np.argmax(score)))
        if len(chosen) < n:
            view = view.given(chosen[-1])
    return np.array(chosen, dtype=np.int64)


def named(acquisition: Any) -> looking.Acquisition:
    """The acquisition of a name, or the one given."""
    if callable(getattr(acquisition, "score", None)) and not isinstance(acquisition, type):
        made: looking.Acquisition = acquisition
        return made
    if acquisition in BY_NAME:
        module = importlib.import_module(f"scalebridge.learn.acquisition.{acquisition}")
        made = getattr(module, BY_NAME[acquisition])()
        return made
    if acquisition == "straddle":
        raise errors.InputError("The acquisition 'straddle' needs a threshold; give acquisition.Straddle(threshold).")
    raise errors.InputError(
        f"There is no acquisition {acquisition!r}{errors.did_you_mean(str(acquisition), [*BY_NAME, 'straddle'])}"
    )


def _outlook(
    acquisition: looking.Acquisition,
    surrogate: Surrogate,
    candidates: Floats,
    reference: Floats | None,
    weights: Floats | None,
    decided: Floats | None,
    noise_std: Floats | None,
) -> looking.Outlook:
    x, y, noise = surrogate.data
    wanted, look, _ = looking.options_of(acquisition).values()
    stand_ins = {"space": candidates if reference is None else reference, "runs": x}
    points = stand_ins.get(str(wanted), np.zeros((0, candidates.shape[1])))
    given = np.full(len(points), 1.0) if weights is None or wanted != "space" else np.asarray(weights, dtype=np.float64)
    spread, extent = y.std(axis=0), np.ptp(candidates, axis=0)
    extent = np.where(extent > 0, extent, 1.0)
    parts = [candidates, points, *([] if decided is None else [decided])]
    everywhere = np.concatenate(parts)
    return looking.Outlook(
        surrogate.posterior(everywhere) if look is None else look(surrogate, everywhere),
        surrogate.outputs,
        len(candidates),
        given / (given.sum() + 1e-300),
        np.where(spread > 0, spread, 1.0),
        np.sqrt(np.mean(noise**2, axis=0)) if noise_std is None else np.asarray(noise_std, dtype=np.float64),
        y,
        x / extent,
        everywhere / extent,
    )
