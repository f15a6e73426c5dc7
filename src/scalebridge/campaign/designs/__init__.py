"""Where to run a model: designs of experiments, one file each.

Every design is made by the same call, ``designs.sobol(space, n, seed=0)``, and is a `Design` with the rows
``x [n, d]`` in the units of the space. `extend` adds rows and respects those that have been run already.
"""

import importlib

from scalebridge.campaign.designs.design import Design, DesignQuality, count, given
from scalebridge.campaign.designs.grid import grid
from scalebridge.campaign.designs.halton import halton
from scalebridge.campaign.designs.latin_hypercube import latin_hypercube
from scalebridge.campaign.designs.maximin import maximin
from scalebridge.campaign.designs.optimal import optimal
from scalebridge.campaign.designs.sobol import sobol

__all__ = [
    "Design",
    "DesignQuality",
    "extend",
    "given",
    "grid",
    "halton",
    "latin_hypercube",
    "maximin",
    "optimal",
    "sobol",
]


def extend(existing: Design, n: int) -> Design:
    """Return a design of the rows of ``existing`` and ``n`` new ones behind them (``.new``).

    A sequence goes on (Sobol, Halton), a Latin hypercube fills its empty slices, an optimal design adds the rows that
    tell most, a maximin design and rows of your own (`given`) get the rows farthest from all others.

    Raises:
        InputError: a grid, which is not extended; ``n`` is no whole number of at least 1.
    """
    n = count(n, "An extension of a design")
    # A design is extended by the file of its own method.
    method = "maximin" if existing.method == "given" else existing.method
    longer: Design = importlib.import_module(f"{__name__}.{method}").extend(existing, n)
    return longer
