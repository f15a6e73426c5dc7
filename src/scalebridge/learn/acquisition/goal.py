"""Which output an acquisition goes for, and which way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Floats, Space

WAYS = ("minimise", "maximise")


@dataclass(frozen=True)
class Goal:
    """An output by name or number, to minimise or maximise.

    Args:
        output: name of a component of the outputs, or its number.
        way: ``"minimise"`` or ``"maximise"``.
    """

    output: str | int = 0
    way: str = "minimise"

    def __post_init__(self) -> None:
        if self.way not in WAYS:
            raise InputError(f"An acquisition was told to '{self.way}'{did_you_mean(self.way, WAYS)}")

    @property
    def sign(self) -> float:
        """-1 to minimise and +1 to maximise: the value times it is to be large."""
        return -1.0 if self.way == "minimise" else 1.0

    def component(self, outputs: Space) -> int:
        """Column of the output; raise `InputError` where there is none."""
        names = outputs.component_names
        if isinstance(self.output, str):
            if self.output not in names:
                raise InputError(f"An acquisition goes for '{self.output}'{did_you_mean(self.output, names)}")
            return names.index(self.output)
        if not 0 <= self.output < len(names):
            raise InputError(f"An acquisition goes for output {self.output}; there are 0 to {len(names) - 1}.")
        return self.output

    def gain(self, values: Floats, outputs: Space) -> Floats:
        """The output's column, to be large, of ``values [..., m]``."""
        gain: Floats = self.sign * values[..., self.component(outputs)]
        return gain

    def best(self, values: Floats, outputs: Space) -> int:
        """Row of the best of ``values [b, m]``."""
        return int(np.argmax(self.gain(values, outputs)))
