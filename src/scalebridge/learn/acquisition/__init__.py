"""Which run is worth most next: acquisition functions, one file each, on the contract of a surrogate alone.

All are frozen configurations with one function, ``score(outlook) -> [c]``. `choose` takes a batch greedily: after each
choice the covariance is downdated by the run decided, so that a batch spreads out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalebridge.lazy import attach

if TYPE_CHECKING:
    from scalebridge.learn.acquisition.choosing import choose
    from scalebridge.learn.acquisition.confidence_bound import ConfidenceBound
    from scalebridge.learn.acquisition.expected_improvement import ExpectedImprovement
    from scalebridge.learn.acquisition.global_fit import GlobalFit
    from scalebridge.learn.acquisition.integrated_variance import IntegratedVariance
    from scalebridge.learn.acquisition.maximum_deviation import MaximumDeviation
    from scalebridge.learn.acquisition.noisy_expected_improvement import NoisyExpectedImprovement
    from scalebridge.learn.acquisition.outlook import Acquisition, Outlook
    from scalebridge.learn.acquisition.query_by_committee import QueryByCommittee
    from scalebridge.learn.acquisition.straddle import Straddle

_LAZY = {
    "Acquisition": "outlook",
    "ConfidenceBound": "confidence_bound",
    "ExpectedImprovement": "expected_improvement",
    "GlobalFit": "global_fit",
    "IntegratedVariance": "integrated_variance",
    "MaximumDeviation": "maximum_deviation",
    "NoisyExpectedImprovement": "noisy_expected_improvement",
    "Outlook": "outlook",
    "QueryByCommittee": "query_by_committee",
    "Straddle": "straddle",
    "choose": "choosing",
}

__all__ = [
    "Acquisition",
    "ConfidenceBound",
    "ExpectedImprovement",
    "GlobalFit",
    "IntegratedVariance",
    "MaximumDeviation",
    "NoisyExpectedImprovement",
    "Outlook",
    "QueryByCommittee",
    "Straddle",
    "choose",
]

__getattr__, __dir__ = attach(__name__, _LAZY)
