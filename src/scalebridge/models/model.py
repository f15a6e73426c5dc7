"""The contract of a model: anything that maps a batch of inputs to outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from scalebridge.models.runs import Runs
from scalebridge.models.scale import Scale
from scalebridge.quantities import Floats, Space


@dataclass(frozen=True)
class Structure:
    """What is known of a response before any run. Each is verified, never trusted.

    Args:
        potential: the outputs are the gradient of a scalar potential of the inputs
            (stress of a hyperelastic strain energy, heat flux of a dissipation potential).
        even: that potential is even, so that the response is odd: ``f(-x) = -f(x)``
            (the same in tension and compression).
    """

    potential: bool = False
    even: bool = False


@runtime_checkable
class Model(Protocol):
    """Anything that maps a batch of inputs to outputs; ``micro`` and ``macro`` are roles, not classes.

    ``identity`` names what the result depends on beside the inputs (qualified name, version, digest of
    the source, settings): its entries make the key under which a run is stored.
    Optional members, read with ``getattr``: ``structure: Structure`` and ``finer: Model | None``,
    the same model at a finer discretisation.
    """

    @property
    def name(self) -> str:
        """Short name for people."""

    @property
    def version(self) -> str:
        """Version of the model; raised by its author when the results change."""

    @property
    def inputs(self) -> Space:
        """Space of the inputs, ``d`` components."""

    @property
    def outputs(self) -> Space:
        """Space of the outputs, ``m`` components."""

    @property
    def scale(self) -> Scale | None:
        """Extent and grain, where declared."""

    def identity(self) -> Mapping[str, str]:
        """What the result depends on beside the inputs."""

    def run(self, x: Floats) -> Runs:
        """Run the batch ``x [b, d]``; a row that fails is a status with a reason, not an exception."""


def structure_of(model: object) -> Structure:
    """Return the structure a model declares; an empty one where it declares none."""
    declared = getattr(model, "structure", None)
    return declared if isinstance(declared, Structure) else Structure()
