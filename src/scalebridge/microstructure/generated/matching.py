"""A structure with the statistics of a measured one, in one call."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, did_you_mean
from scalebridge.microstructure.fibre_detection import Fibres
from scalebridge.microstructure.generated.matched import Matched
from scalebridge.microstructure.generated.matching_fibres import match_fibres
from scalebridge.microstructure.generated.matching_gaussian import match_gaussian
from scalebridge.microstructure.generated.matching_grains import match_grains
from scalebridge.microstructure.micrograph import Micrograph
from scalebridge.microstructure.segmentation import Segmentation, segment
from scalebridge.microstructure.volume import Volume


def match(
    measured: Fibres | Segmentation | Micrograph | Volume | NDArray[np.generic],
    family: Literal["fibres", "gaussian", "grains"] = "fibres",
    *,
    dim: Literal[2, 3] | None = None,
    seed: int = 0,
) -> Matched:
    """Return a generated structure with the statistics of a measured one, and how far they are apart.

    Args:
        measured: an image, its segmentation, labels with 1 in the phase to match, a volume of labels, or fibres.
        family: "fibres" for a packing of round parallel fibres (`match_fibres`), "gaussian" for a level cut of a
            Gaussian field (`match_gaussian`), "grains" for a polycrystal from labels with a number per grain
            (`match_grains`); these take more options.
        dim: 2 or 3; fibres in 3-D run along x. By default that of what was measured.
        seed: of everything random.

    Raises:
        InputError: an unknown family, or what the family cannot use.
    """
    if family == "fibres":
        if isinstance(measured, Volume):
            raise InputError("Fibres are matched to a section across them; give an image, not a volume.")
        return match_fibres(measured, axis="x" if dim == 3 else None, seed=seed)
    if family == "grains":
        if isinstance(measured, Fibres | Segmentation | Micrograph):
            raise InputError("Grains are matched to labels with a number per grain; give these as an array.")
        return match_grains(measured.values if isinstance(measured, Volume) else measured, seed=seed)
    if family != "gaussian":
        raise InputError(f"The family '{family}' is not known{did_you_mean(family, ('fibres', 'gaussian', 'grains'))}")
    if isinstance(measured, Fibres):
        raise InputError("Fibres as detected were given; a Gaussian field is matched to their image or segmentation.")
    if isinstance(measured, Volume):
        return match_gaussian(measured.labels(), dim=dim, seed=seed)
    if isinstance(measured, Micrograph):
        measured = segment(measured)
    if isinstance(measured, Segmentation):
        phase = len(measured.phases) - 1
        return match_gaussian(measured.labels, phase=phase, inside=measured.inside, dim=dim, seed=seed)
    return match_gaussian(measured, dim=dim, seed=seed)
