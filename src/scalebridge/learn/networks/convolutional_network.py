"""An ensemble of convolutional networks: images and numbers in, numbers or a field out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scalebridge.errors import InputError
from scalebridge.learn.learner import Data, Learner, least
from scalebridge.learn.low_rank import LowRankPosterior
from scalebridge.learn.networks.recipe import Recipe
from scalebridge.learn.networks.trained import TrainedNetworks, learned, rebuilt
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from torch import nn

SMALLEST = 4
RECIPE = Recipe(repeats=1, epochs=80, batch=16, patience=20, learning_rate=3e-3)


@dataclass(frozen=True)
class ConvolutionalNetwork(Learner[TrainedNetworks]):
    """An ensemble of convolutional networks; see `scalebridge.models.Surrogate`.

    ::

        inputs = sb.Space([sb.Variable("source", "W/m^3", (24, 24)), sb.Variable("left", "K")])
        ConvolutionalNetwork(inputs, {"peak": "K"})                                   # numbers out
        ConvolutionalNetwork(inputs, sb.Space([sb.Variable("T", "K", (24, 24))]))     # a field out

    Members, mean and posterior are those of `Network`; images and fields are scaled as wholes, not pixel by pixel.

    Args:
        inputs: at least one image ``[h, w]`` or ``[c, h, w]``, all of the same rows and columns, and numbers.
        outputs: numbers, or fields ``[h, w]`` of the images' size; not both.
        margin: as in `Learner`.
        widths: channels of the levels, each of half the size of the one before.
        recipe: how the members are trained (in single precision; they answer in double).
        seed: of the folds, the first weights and the training.

    Raises:
        InputError: inputs without an image, images of different or too small sizes, outputs of other forms.
    """

    widths: tuple[int, ...] = (16, 32, 64)
    recipe: Recipe = RECIPE
    seed: int = 0

    name = "convolutional_network"

    def _check_options(self) -> None:
        object.__setattr__(self, "widths", tuple(self.widths))
        least(self.title, "number of widths", len(self.widths), 2)
        for width in self.widths:
            least(self.title, "widths", width, 1)
        sizes = {v.shape[-2:] for v in self.inputs if len(v.shape) in (2, 3)}
        if len(sizes) != 1 or any(len(v.shape) > 3 for v in self.inputs) or min(min(s) for s in sizes) < SMALLEST:
            raise InputError(
                f"{self.title} got inputs with images of {sorted(sizes) or 'no size'}; give at least one of shape "
                f"(rows, columns), all of the same size and at least {SMALLEST} pixels wide, as in "
                "Variable('source', 'W/m^3', (24, 24))."
            )
        fields = [v for v in self.outputs if len(v.shape) >= 2]
        if fields and (len(fields) < len(self.outputs) or any(v.shape not in sizes for v in fields)):
            raise InputError(
                f"{self.title} got the outputs {[(v.name, v.shape) for v in self.outputs]}; give numbers, or fields of "
                f"the images' size {sorted(sizes)[0]}, not both."
            )

    @property
    def _order(self) -> list[int]:
        """Columns of ``x [n, d]``: those of the images first."""
        starts = np.cumsum([0, *(v.size for v in self.inputs)])
        spans = [(len(v.shape) < 2, range(starts[i], starts[i + 1])) for i, v in enumerate(self.inputs)]
        return [column for late in (False, True) for number, span in spans if number is late for column in span]

    def _build(self, members: int) -> nn.Module:
        from scalebridge.networks import ImageToField, ImageToNumbers, Members, Reordered

        images = [v for v in self.inputs if len(v.shape) >= 2]
        rows, columns = images[0].shape[-2:]
        channels = sum(v.size for v in images) // (rows * columns)
        numbers = self.inputs.size - channels * rows * columns
        fields = sum(len(v.shape) >= 2 for v in self.outputs)

        def one(seed: int) -> nn.Module:
            if fields:
                return ImageToField((channels, rows, columns), numbers, fields, self.widths, seed)
            return ImageToNumbers((channels, rows, columns), numbers, self.outputs.size, self.widths, seed=seed)

        return Reordered(self._order, Members(one(self.seed + 1000 * k) for k in range(members)))

    def _learn(self, data: Data) -> TrainedNetworks:
        return learned(self._build, data, self.inputs, self.outputs, self.recipe, self.seed, "float32")

    def _mean(self, x: Floats) -> tuple[Floats, Floats]:
        net = rebuilt(self._build, self.state)
        return self.state.mean(net, x), self.state.slopes(net, x)

    @property
    def curve(self) -> Floats:
        """Loss in training, loss on rows left out, and learning rate of every epoch ``[e, 3]``."""
        return self.state.curve

    def posterior(self, x: Floats) -> LowRankPosterior:
        """Joint posterior at ``x [n, d]``."""
        x = self.inputs.check(x, self.title)
        return self.state.posterior(rebuilt(self._build, self.state), x, (self.outputs.lower, self.outputs.upper))
