"""A model under other names, in other units, or with inputs held constant."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from scalebridge.errors import InputError, did_you_mean
from scalebridge.models.model import Model, Structure, structure_of
from scalebridge.models.runs import Runs
from scalebridge.models.scale import Scale
from scalebridge.quantities import Floats, Space
from scalebridge.quantities.units import magnitude


@dataclass(frozen=True)
class Adapted:
    """A model with variables renamed or inputs held constant; made by ``model.rename`` and ``model.fix``.

    Args:
        model: the model behind it.
        names: old name -> new name, of inputs or outputs.
        fixed: input name (of ``model``) -> constant, a number in the input's unit or a text with a unit.
    """

    model: Model
    names: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, str | float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = (*self.model.inputs.names, *self.model.outputs.names)
        for name in self.names:
            if name not in known:
                raise InputError(f"'{self.model.name}' has no variable '{name}' to rename{did_you_mean(name, known)}")
        for name in self.fixed:
            if name not in self.model.inputs.names:
                raise InputError(
                    f"'{self.model.name}' has no input '{name}' to hold constant"
                    f"{did_you_mean(name, self.model.inputs.names)}"
                )
            if self.model.inputs[name].shape != ():
                raise InputError(
                    f"The input '{name}' of '{self.model.name}' is an array; only numbers can be held constant."
                )
            if not math.isfinite(self._constant(name)):
                raise InputError(
                    f"The input '{name}' of '{self.model.name}' is held at {self.fixed[name]}; give a finite number."
                )
        # Clashing or impossible names and units show here, not at the first run.
        _ = self.inputs, self.outputs

    @property
    def name(self) -> str:
        """Name of the model behind."""
        return self.model.name

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
        """Structure of the model behind; none once an input is held constant."""
        return Structure() if self.fixed else structure_of(self.model)

    @property
    def stochastic(self) -> bool:
        """Whether the model behind takes a seed per row."""
        return bool(getattr(self.model, "stochastic", False))

    @property
    def finer(self) -> Adapted | None:
        """The finer model behind, adapted in the same way."""
        finer = getattr(self.model, "finer", None)
        return None if finer is None else replace(self, model=finer)

    @property
    def inputs(self) -> Space:
        """Inputs that are not held constant, under their new names."""
        kept = [v for v in self.model.inputs if v.name not in self.fixed]
        return Space([v.renamed(self.names.get(v.name, v.name)) for v in kept])

    @property
    def outputs(self) -> Space:
        """Outputs under their new names."""
        return Space([v.renamed(self.names.get(v.name, v.name)) for v in self.model.outputs])

    def identity(self) -> Mapping[str, str]:
        """Identity of the model behind, with the constants."""
        constants = {f"fix.{k}": repr(self._constant(k)) for k in sorted(self.fixed)}
        return {**self.model.identity(), **constants}

    def run(self, x: Floats, seeds: tuple[int, ...] | None = None) -> Runs:
        """Run ``x [b, d]`` over the free inputs; ``seeds`` one per row for a stochastic model."""
        x = self.inputs.check(x, f"The model '{self.name}'")
        given = self.inputs.unpack(x)
        whole: dict[str, Floats] = {}
        for v in self.model.inputs:
            if v.name in self.fixed:
                whole[v.name] = np.full(len(x), self._constant(v.name))
            else:
                whole[v.name] = given[self.names.get(v.name, v.name)]
        run: Callable[..., Runs] = self.model.run
        rows = self.model.inputs.pack(whole)
        runs = run(rows) if seeds is None else run(rows, seeds)
        if runs.jacobian is None or not self.fixed:
            return runs
        free = np.concatenate([np.full(v.size, v.name not in self.fixed) for v in self.model.inputs])
        return replace(runs, jacobian=runs.jacobian[:, :, free])

    def rename(self, **names: str) -> Adapted:
        """Return this model with variables renamed once more."""
        return Adapted(self, names=names)

    def fix(self, **values: str | float) -> Adapted:
        """Return this model with further inputs held constant."""
        return Adapted(self, fixed=values)

    def _constant(self, name: str) -> float:
        variable = self.model.inputs[name]
        return magnitude(self.fixed[name], variable.unit, f"The input '{name}' of '{self.model.name}'")
