"""Isotropic laws of a symmetric tensor: learned from its invariants, exactly objective."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.learn.learner import Data
from scalebridge.learn.transforms.mandel import generators, invariants
from scalebridge.learn.transforms.posteriors import LinearPosterior
from scalebridge.learn.transforms.transform import Inside, Step, Transform
from scalebridge.quantities import Floats, Space, Variable

# Generators shorter than this part of their usual length tell nothing of their coefficient.
FAINT = 1e-4
# An isotropic law must explain so much of the runs.
LEAST = 0.5


@dataclass(frozen=True)
class Invariants(Transform):
    """Learn an isotropic function of one ``symmetric`` input (Mandel components), in plane (3) or in space (6).

    The inputs inside are its trace, the squared norm of its deviator and, in space, the deviator's determinant,
    beside all other inputs. Scalar outputs are functions of these. A symmetric output is ``a0 1 + a1 e + a2 dev(e e)``
    with the deviator e (in plane without a2): its coefficients are learned, least squares find them from the runs. Any
    rotation of the input rotates mean and covariance with it, exactly. What no isotropic law explains of the runs is
    part of the posterior, the same in all directions.

    Raises:
        InputError: on fitting, no symmetric input, more than one, a symmetric output of another size, or an output of
            which less than half is isotropic.

    Source: R. S. Rivlin and J. L. Ericksen, Stress-deformation relations for isotropic materials, J. Rational Mech.
    Anal. 4 (1955) 323-425.
    """

    def fit(self, data: Data, inputs: Space, outputs: Space) -> Isotropic:
        """Find the coefficients of the runs."""
        tensors = [v for v in inputs if v.kind == "symmetric"]
        if len(tensors) != 1:
            raise InputError(
                f"Invariants needs one input of kind 'symmetric' and found "
                f"{', '.join(v.name for v in tensors) or 'none'} among {', '.join(inputs.names)}; declare "
                "Variable(name, unit, (6,), kind='symmetric'), and others by their own invariants."
            )
        tensor = tensors[0]
        for v in outputs:
            if v.kind == "symmetric" and v.shape != tensor.shape:
                raise InputError(
                    f"Invariants got the input '{tensor.name}' of {tensor.size} and the output '{v.name}' of {v.size} "
                    "components; both lie in plane (3) or in space (6)."
                )
        start = sum(v.size for v in inputs.variables[: inputs.names.index(tensor.name)])
        usual = np.sqrt(np.mean(generators(data.x[:, start : start + tensor.size])[0] ** 2, axis=(0, 1)))
        step = Isotropic(
            _inputs(inputs, tensor),
            _outputs(outputs, tensor),
            start,
            tensor.size,
            tuple(v.size if v.kind == "symmetric" else -v.size for v in outputs),
            np.maximum(usual, 1e-300),
            np.zeros((3, outputs.size)),
            np.zeros(outputs.size),
        )
        return step.learned(data, outputs)


def _inputs(inputs: Space, tensor: Variable) -> Space:
    n, u = tensor.name, tensor.unit
    made = [Variable(f"{n}_trace", u), Variable(f"{n}_deviator_squared", f"({u})**2" if u != "1" else "1")]
    if tensor.size == 6:
        made.append(Variable(f"{n}_deviator_determinant", f"({u})**3" if u != "1" else "1"))
    return Space([w for v in inputs for w in (made if v is tensor else [v])])


def _outputs(outputs: Space, tensor: Variable) -> Space:
    made: list[Variable] = []
    for v in outputs:
        if v.kind != "symmetric":
            made.append(v)
            continue
        for k in range(2 if tensor.size == 3 else 3):
            plain = tensor.unit == "1" or not k
            made.append(Variable(f"{v.name}_coefficient_{k}", v.unit if plain else f"{v.unit}/({tensor.unit})**{k}"))
    return Space(made)


@dataclass(frozen=True)
class Isotropic(Step):
    """Invariants of the columns of one tensor, coefficients of the generators of others.

    Args:
        inputs, outputs: of the inside.
        start, size: columns of the tensor among the inputs.
        parts: components of each output, negative where it is no symmetric tensor.
        usual: ``[g]``, root mean square of the generators' components in the runs.
        typical: ``[g, m]``, coefficient of each generator that fits all runs at once, in the column of the
            output's first component.
        rest: ``[m]``, variance of what is not isotropic.
    """

    inputs: Space
    outputs: Space
    start: int
    size: int
    parts: tuple[int, ...]
    usual: Floats
    typical: Floats
    rest: Floats

    @property
    def told(self) -> tuple[str, ...]:
        """Names of the inputs and outputs inside."""
        return (*self.inputs.names, *self.outputs.names)

    def learned(self, data: Data, outputs: Space) -> Isotropic:
        """This step with the coefficients that fit all runs, and what is not isotropic of them."""
        basis = self._basis(data.x)[0]
        typical, rest = self.typical.copy(), self.rest.copy()
        for v, columns in zip(outputs, self._columns(), strict=True):
            if v.kind != "symmetric":
                continue
            y = data.y[:, columns]
            wide = basis.reshape(-1, basis.shape[2])
            typical[: basis.shape[2], columns[0]] = np.linalg.lstsq(wide / self.usual, y.ravel(), rcond=1e-10)[0]
            own = np.einsum("ncg,ng->nc", basis, self._coefficients(basis, y, typical[:, columns[0]]))
            # The generators take their share of any scatter: what they leave speaks for all components.
            left = float(np.mean((y - own) ** 2)) * len(columns) / (len(columns) - basis.shape[2])
            total = float(np.mean(y**2))
            if left > LEAST * total:
                raise InputError(
                    f"Invariants finds {min(left / total, 1):.0%} of the output '{v.name}' to be no isotropic function "
                    "of the input; leave Invariants out."
                )
            scatter = left - float(np.mean(data.noise_std[:, columns] ** 2))
            rest[columns] = scatter if scatter > 1e-12 * total else 0.0
        return Isotropic(self.inputs, self.outputs, self.start, self.size, self.parts, self.usual, typical, rest)

    def inward(self, data: Data) -> Data:
        """Invariants, coefficients; noise by least squares."""
        basis = self._basis(data.x)[0]
        y, noise = [], []
        for part, columns in zip(self.parts, self._columns(), strict=True):
            if part < 0:
                y.append(data.y[:, columns])
                noise.append(data.noise_std[:, columns])
                continue
            y.append(self._coefficients(basis, data.y[:, columns], self.typical[:, columns[0]]))
            gain = self._gain(basis)
            noise.append(np.sqrt(np.einsum("ngc,nc->ng", gain**2, data.noise_std[:, columns] ** 2)))
        return Data(self._points(data.x)[0], np.concatenate(y, axis=1), np.concatenate(noise, axis=1))

    def predict(self, inside: Inside, x: Floats) -> tuple[Floats, Floats]:
        """Mean and derivative."""
        z, dz = self._points(x)
        mean, slope = inside.predict(z)
        frame, turned = self._frame(x)
        moved = np.einsum("nmgd,ng->nmd", turned, mean)
        return np.einsum("nmg,ng->nm", frame, mean), frame @ (slope @ dz) + moved

    def posterior(self, inside: Inside, x: Floats) -> LinearPosterior:
        """Posterior of the outputs from that of the coefficients."""
        frame = self._frame(x)[0]
        return LinearPosterior(inside.posterior(self._points(x)[0]), frame, np.zeros(frame.shape[1]), self.rest)

    def contains(self, inside: Inside, x: Floats) -> NDArray[np.bool_]:
        """Where the invariants are in the domain inside, in whatever direction."""
        return inside.contains(self._points(x)[0])

    def _columns(self) -> list[list[int]]:
        ends = np.cumsum([0, *(abs(part) for part in self.parts)]).tolist()
        return [list(range(a, b)) for a, b in pairwise(ends)]

    def _tensor(self, x: Floats) -> Floats:
        return x[:, self.start : self.start + self.size]

    def _basis(self, x: Floats) -> tuple[Floats, Floats]:
        return generators(self._tensor(x))

    def _gain(self, basis: Floats) -> Floats:
        """From an output to its coefficients ``[n, g, c]``, by least squares drawn a little to those of all runs."""
        scaled = basis / self.usual
        inner = np.swapaxes(scaled, 1, 2) @ scaled + FAINT**2 * np.eye(basis.shape[2])
        gain: Floats = np.linalg.solve(inner, np.swapaxes(scaled, 1, 2)) / self.usual[:, None]
        return gain

    def _coefficients(self, basis: Floats, y: Floats, typical: Floats) -> Floats:
        mean = typical[: basis.shape[2]] / self.usual
        coefficients: Floats = mean + np.einsum("ngc,nc->ng", self._gain(basis), y - basis @ mean)
        return coefficients

    def _points(self, x: Floats) -> tuple[Floats, Floats]:
        """Inputs inside ``[n, k]`` and their derivatives ``[n, k, d]``."""
        value, slope = invariants(self._tensor(x))
        d, after = x.shape[1], self.start + self.size
        wide = np.zeros((len(x), value.shape[1], d))
        wide[:, :, self.start : after] = slope
        eye = np.tile(np.eye(d), (len(x), 1, 1))
        points = np.concatenate([x[:, : self.start], value, x[:, after:]], axis=1)
        return points, np.concatenate([eye[:, : self.start], wide, eye[:, after:]], axis=1)

    def _frame(self, x: Floats) -> tuple[Floats, Floats]:
        """From the inside's outputs to the outer ``[n, m, k]``, and the derivative ``[n, m, k, d]``."""
        basis, slope = self._basis(x)
        n, c, g = basis.shape
        inner = sum(g if part > 0 else -part for part in self.parts)
        frame = np.zeros((n, sum(abs(part) for part in self.parts), inner))
        turned = np.zeros((*frame.shape, x.shape[1]))
        row = column = 0
        for part in self.parts:
            if part > 0:
                frame[:, row : row + c, column : column + g] = basis
                turned[:, row : row + c, column : column + g, self.start : self.start + self.size] = slope
                row, column = row + c, column + g
            else:
                frame[:, row : row - part, column : column - part] = np.eye(-part)
                row, column = row - part, column - part
        return frame, turned
