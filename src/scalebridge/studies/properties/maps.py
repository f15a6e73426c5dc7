"""Which parts of a micrograph move a predicted property, through the network and a smooth learner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.learn.learner import Data
from scalebridge.studies.properties.encoding import Encoded
from scalebridge.studies.properties.features import FeatureTable
from scalebridge.studies.properties.learning import Learned, Trial

if TYPE_CHECKING:
    from scalebridge.explain import Attribution
    from scalebridge.microstructure.deep.patches import Prepared

STEPS = 64
"""Of the path from the even image to the one that was taken."""


@dataclass(frozen=True, eq=False)
class Look:
    """What the network looks at in one micrograph.

    Args:
        specimen: whose it is.
        grey: the micrograph ``[h, w]``.
        attribution: of each pixel.
        bright: share of it in the bright phase; NaN where the image has no phases.
        area: share of the picture that the bright phase takes.
    """

    specimen: str
    grey: NDArray[np.float64]
    attribution: Attribution
    bright: float
    area: float

    @property
    def sentence(self) -> str:
        """What the map says, and how much of it lies in the bright phase."""
        told = f"{self.specimen}: {self.attribution.sentence}"
        if not np.isfinite(self.bright):
            return told
        return (
            f"{told} {100 * self.bright:.0f} % of it lies in the bright phase, {100 * self.area:.0f} % of the picture."
        )


def looks(
    learned: Learned, data: Data, features: FeatureTable, network: Encoded, images: Mapping[str, Any]
) -> tuple[str, list[Look]]:
    """What moves a property in some micrographs, and the learner whose derivative it goes by.

    The learner is linearised where a specimen lies; of its features only those of the network are followed. An even
    image stands for "nothing there".

    Args:
        learned: what was learned.
        data: all features and the property.
        features: what they are.
        network: trained on the images.
        images: a micrograph of some specimens by name.

    Returns:
        label of the learner, empty with no looks: none goes by the network smoothly, or Captum is not installed.
    """
    from scalebridge.microstructure.deep.patches import prepared

    trial = _smooth(learned, features)
    if trial is None or network.weights is not None:
        return "", []
    own = trial.candidate.of(data)
    fitted = trial.candidate.surrogate.fit(own.x, own.y)
    names = [features.columns[k].name for k in trial.candidate.columns]
    found = []
    for specimen, image in images.items():
        row = features.specimens.index(specimen)
        at = features.values[row : row + 1, trial.candidate.columns]
        slope = dict(zip(names, fitted.jacobian(at)[0, 0].tolist(), strict=True))
        weights = np.array([slope.get(column.name, 0.0) for column in network.columns])
        ready = prepared([image])[0]
        try:
            found.append(_look(specimen, ready, network, weights))
        except InputError:
            return "", []
    return trial.candidate.label, found


def _smooth(learned: Learned, features: FeatureTable) -> Trial | None:
    """The best trial that goes by the network and has a derivative."""
    for trial in learned.trials:
        deep = any(features.columns[k].kind == "cnn" for k in trial.candidate.columns)
        if trial.held is not None and deep and getattr(trial.candidate.surrogate, "smooth", True):
            return trial
    return None


def _look(specimen: str, ready: Prepared, network: Encoded, weights: NDArray[np.float64]) -> Look:
    from scalebridge.explain import integrated_gradients
    from scalebridge.microstructure import segment
    from scalebridge.microstructure.deep.patches import tiles

    module = _property(network.network, tiles(ready, network.network.patch).tolist(), weights)
    seen = integrated_gradients(module, ready.normalised, steps=STEPS)
    try:
        phases = segment(ready.micrograph, 3)
    except InputError:
        return Look(specimen, ready.grey, seen, float("nan"), float("nan"))
    mask = (phases.labels == 2) & phases.inside
    return Look(specimen, ready.grey, seen, seen.share_inside(mask), float(mask.mean()))


def _property(network: Any, origins: Sequence[Sequence[int]], weights: NDArray[np.float64]) -> Any:
    """A module from images ``[b, 1, h, w]`` to the property ``[b, 1]``, but for a constant."""
    import torch
    from torch import Tensor, nn

    class Property(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = network.module()
            self.weights = nn.Parameter(torch.as_tensor(weights, dtype=torch.float32), requires_grad=False)

        def forward(self, x: Tensor) -> Tensor:
            side = network.patch
            patches = torch.stack([x[:, 0, r : r + side, c : c + side] for r, c in origins], dim=1)
            told = self.encoder(patches.flatten(0, 1)).unflatten(0, patches.shape[:2])
            features = torch.cat([told.mean(dim=1), told.std(dim=1)], dim=1)
            return (features @ self.weights)[:, None]

    return Property().eval()
