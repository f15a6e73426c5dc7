"""What the models with a flaw share: everything but their values is that of the model behind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from scalebridge.models import Model, Runs, Scale, Structure, structure_of
from scalebridge.quantities import Floats, Space


class Flawed(ABC):
    """Version, scale, structure and spaces of the model behind."""

    model: Model

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of the model behind, and what is wrong with it."""

    @abstractmethod
    def identity(self) -> Mapping[str, str]:
        """Identity of the model behind, with the flaw."""

    @abstractmethod
    def run(self, x: Floats) -> Runs:
        """Run the rows ``x [b, d]``, the flaw in them."""

    @property
    def version(self) -> str:
        """Version of the model behind."""
        return self.model.version

    @property
    def scale(self) -> Scale | None:
        """Scale of the model behind."""
        return self.model.scale

    @property
    def structure(self) -> Structure:
        """Structure of the model behind."""
        return structure_of(self.model)

    @property
    def inputs(self) -> Space:
        """Inputs of the model behind."""
        return self.model.inputs

    @property
    def outputs(self) -> Space:
        """Outputs of the model behind."""
        return self.model.outputs
