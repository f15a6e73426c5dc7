"""Features that go together, taken together: what one of them tells, the others tell too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scalebridge.quantities import Floats
from scalebridge.studies.properties.features import Column

ALIKE = 0.6
"""Rank correlation that any two features of a family have at least."""

NETWORK = "features of the network"


def families(values: Floats, columns: Sequence[Column]) -> dict[str, list[str]]:
    """Names of features by the label of their family; a feature that goes with no other is its own.

    A family is called by the first of its features; features of a network, which have no meaning of their own, are one.

    Args:
        values: ``[n, k]``.
        columns: what they are ``[k]``.
    """
    deep = [k for k, c in enumerate(columns) if c.kind == "cnn"]
    own = [k for k, c in enumerate(columns) if c.kind == "descriptor"]
    made: dict[str, list[str]] = {}
    for members in _clusters(values[:, own]):
        names = [columns[own[k]].name for k in members]
        made[names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} like it"] = names
    made |= {columns[k].name: [columns[k].name] for k, c in enumerate(columns) if c.kind == "table"}
    return made | ({NETWORK: [columns[k].name for k in deep]} if deep else {})


def _clusters(values: Floats) -> list[NDArray[np.int64]]:
    """Columns ``[n, k]`` of which any two of one cluster go together (complete linkage), in the order of the first."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform
    from scipy.stats import rankdata

    k = values.shape[1]
    if k < 2:
        return [np.arange(k)] if k else []
    ranks = rankdata(values, axis=0)
    # What does not vary over these rows goes with nothing.
    varies = np.ptp(ranks, axis=0) > 0
    together = np.eye(k)
    together[np.ix_(varies, varies)] = np.abs(np.corrcoef(ranks[:, varies].T))
    apart = 1.0 - together
    np.fill_diagonal(apart, 0.0)
    label = fcluster(linkage(squareform(apart, checks=False), "complete"), 1.0 - ALIKE, "distance")
    found = [np.flatnonzero(label == v) for v in np.unique(label)]
    return sorted(found, key=lambda members: int(members[0]))
