"""How the states of a macro problem become inputs of a micro model, units included."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.models import MacroModel, Model, Runs, Structure, structure_of
from scalebridge.quantities import Floats, Space


@dataclass(frozen=True)
class Affine:
    """``y = factor * x[:, index] + offset``."""

    index: NDArray[np.int64]
    factor: Floats
    offset: Floats

    def __call__(self, x: Floats) -> Floats:
        """Apply to ``[b, size]``."""
        return self.factor * x[:, self.index] + self.offset


@dataclass(frozen=True)
class Coupling:
    """A micro model seen in the units and order of a macro problem.

    Args:
        micro: the micro model.
        inputs: the macro problem's closure inputs, ``d`` components.
        outputs: its closure outputs, ``m`` components.
        forth: from ``inputs`` to the micro model's inputs.
        back: from the micro model's outputs to ``outputs``.
        structure: what is known of the response in these units.
    """

    micro: Model
    inputs: Space
    outputs: Space
    forth: Affine
    back: Affine
    structure: Structure

    def to_micro(self, x: Floats) -> Floats:
        """Inputs of the micro model ``[b, d]`` for macro states ``[b, d]``."""
        return self.forth(x)

    def beyond(self, x: Floats) -> str:
        """Where states ``[n, d]`` leave the bounds that the micro model declares of its inputs; empty where nowhere."""
        given = self.micro.inputs
        asked = self.forth(x)
        by = np.maximum(given.lower - asked, asked - given.upper)
        by = np.where(by > 1e-9 * np.abs(asked), by, 0.0)
        if not by.any():
            return ""
        row, column = np.unravel_index(int(np.argmax(by / (np.abs(asked) + 1e-300))), by.shape)
        name, unit = given.component_names[column], [v.unit for v in given for _ in range(v.size)][column]
        return (
            f"the solution visits {name} = {asked[row, column]:.4g} {unit}, outside the bounds "
            f"({given.lower[column]:g}, {given.upper[column]:g}) that '{self.micro.name}' declares"
        )

    def from_micro(self, runs: Runs) -> Runs:
        """The micro model's runs in the macro problem's units."""
        factor = self.back.factor

        def scaled(part: Floats | None) -> Floats | None:
            return None if part is None else np.abs(factor) * part[:, self.back.index]

        jacobian = None
        if runs.jacobian is not None:
            rows = factor[None, :, None] * runs.jacobian[:, self.back.index, :]
            jacobian = np.zeros((len(runs), len(factor), self.inputs.size))
            jacobian[:, :, self.forth.index] = rows * self.forth.factor
        return replace(
            runs,
            values=self.back(runs.values),
            jacobian=jacobian,
            noise_std=scaled(runs.noise_std),
            error_std=scaled(runs.error_std),
        )


def connect(macro: MacroModel, micro: Model) -> Coupling:
    """Match names, shapes, kinds and units of a macro problem's closure and a micro model.

    Raises:
        InputError: one of the two does not follow its contract, or a name or shape does not match.
        UnitError: units that do not convert.
    """
    for role, thing, members in (
        ("macro", macro, ("closure_inputs", "closure_outputs", "solve")),
        ("micro", micro, ("inputs", "outputs", "run", "identity")),
    ):
        for member in members:
            if not hasattr(thing, member):
                raise InputError(
                    f"The {role} model is a {type(thing).__name__}, which has no '{member}'; "
                    f"a {role} model has the members {', '.join(members)}."
                )
    inputs, outputs = Space(macro.closure_inputs), Space(macro.closure_outputs)
    owner = f"Connecting '{micro.name}' to the macro problem"
    forth = Affine(*inputs.conversion_to(micro.inputs, f"{owner}, inputs"))
    back = Affine(*micro.outputs.conversion_to(outputs, f"{owner}, outputs"))
    structure = _structure(structure_of(micro), forth, back)
    return Coupling(micro, inputs, _bounded(outputs, micro.outputs, back), forth, back, structure)


def _bounded(outputs: Space, given: Space, back: Affine) -> Space:
    """The macro problem's outputs with the bounds that the micro model declares, in the macro problem's units."""
    variables, start = [], 0
    for v in outputs:
        factor, offset = float(back.factor[start]), float(back.offset[start])
        ends = sorted(factor * end + offset for end in given[v.name].limits)
        low, high = max(ends[0], v.limits[0]), min(ends[1], v.limits[1])
        known = tuple(end if np.isfinite(end) else None for end in (low, high))
        variables.append(replace(v, bounds=(known[0], known[1])) if low < high and known != (None, None) else v)
        start += v.size
    return Space(variables)


def _structure(declared: Structure, forth: Affine, back: Affine) -> Structure:
    """What remains of a declared structure after units: offsets break oddness, uneven factors the potential."""
    no_offset = not forth.offset.any() and not back.offset.any()
    conjugate = (
        np.array_equal(forth.index, back.index)
        and np.ptp(forth.factor) <= 1e-12 * abs(forth.factor[0])
        and np.ptp(back.factor) <= 1e-12 * abs(back.factor[0])
        if len(forth.index) == len(back.index)
        else False
    )
    return Structure(declared.potential and bool(conjugate), declared.even and no_offset)
