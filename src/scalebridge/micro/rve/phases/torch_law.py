"""A user's own material law, written as a torch function; stress and tangent come from automatic differentiation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from scalebridge.errors import InputError
from scalebridge.micro.rve.phases.differentiate import advance, jacobian, over_points, slope, symmetrised
from scalebridge.micro.rve.phases.phase import Advance, Kinematics, Parameter
from scalebridge.micro.rve.phases.probe import (
    Constants,
    check_history_law,
    check_law,
    check_shape,
    read_constants,
    rest,
)

if TYPE_CHECKING:
    from torch import Tensor

# Gauss points on the way from rest, for the energy of a law that is given by its stress.
GAUSS = 16


class TorchLaw:
    """A law without memory given by its energy, or by its stress, as a torch function.

    Stress and tangent are `torch.func` derivatives, in chunks of points; the function must therefore be made of
    torch operations, without branches on values (use ``torch.where``) and without changes in place (and det F be
    ``F[0] @ torch.linalg.cross(F[1], F[2])``: `torch.linalg.det` has no second derivative at F = 1). A law given
    by its stress must derive from a potential; its energy is then integrated from rest along the straight path by
    Gauss's rule of 16 points. The law is tried at construction; a tangent that is not symmetric is refused there
    and wherever it is met later.

    Args:
        energy: ``energy(measure [g], **parameters) -> scalar`` in J/m^3 for one point; zero at rest.
        stress: instead of ``energy``: ``stress(measure [g], **parameters) -> [g]``; zero at rest.
        name: short name of the law.
        parameters: constants by name, each a number or ``(number or text, unit)``; keywords of the function.
        kinematics: what the law takes, see `Material`.
        batched: the function takes ``[n, g]`` (constants: one value, or ``[n]``) and gives ``[n]`` or ``[n, g]``.
        linear: the tangent is the same everywhere; checked where the law is tried.
        even: the stress is odd; checked where the law is tried.
        probe: size of the measure (strain, F - 1, gradient) at which the law is tried, with a tenth and ten times
            it; choose what your material sees.

    Raises:
        InputError: both functions or none; a constant named like a member of the law; a function that fails, answers
            with the wrong shape, is not zero at rest or not finite near it, is not what it claims to be, or has an
            unsymmetric tangent.
    """

    def __init__(
        self,
        energy: Callable[..., Tensor] | None = None,
        *,
        stress: Callable[..., Tensor] | None = None,
        name: str = "own law",
        parameters: Constants | None = None,
        kinematics: Kinematics = "small strain",
        batched: bool = False,
        linear: bool = False,
        even: bool = False,
        probe: float = 1e-3,
    ) -> None:
        function = stress if energy is None else energy
        if function is None or (energy is not None and stress is not None):
            raise InputError(f"The law '{name}' needs one function: give energy=... or stress=..., and not both.")
        self.function = function
        self.given = "stress" if energy is None else "energy"
        self.name = name
        self.kinematics: Kinematics = kinematics
        self.batched = batched
        self.linear = linear
        self.even = even
        self._names: tuple[tuple[str, str], ...] = ()
        _keep(self, read_constants(self, name, parameters or {}))
        check_law(self, probe)

    def __repr__(self) -> str:
        return f"TorchLaw({self.name!r}, given={self.given!r}, parameters={_constants(self)})"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The constants, with their units."""
        return _parameters(self)

    def energy(self, measure: Tensor) -> Tensor:
        """Energy density ``[...]`` in J/m^3 at ``measure [..., g]``."""
        if self.given == "energy":
            return self._over(lambda energy, x: self._checked(energy, x, ()), measure)
        import numpy as np

        still = rest(self.kinematics, measure)
        way, total = measure - still, measure.new_zeros(measure.shape[:-1])
        for place, weight in zip(*np.polynomial.legendre.leggauss(GAUSS), strict=True):
            along = self.stress(still + 0.5 * (1.0 + float(place)) * way)
            total = total + 0.5 * float(weight) * (along * way).sum(-1)
        return total

    def stress(self, measure: Tensor) -> Tensor:
        """Stress ``[..., g]`` at ``measure [..., g]``."""
        if self.given == "energy":
            return self._over(lambda energy, x: slope(energy)(x), measure)
        return self._over(lambda stress, x: self._checked(stress, x, x.shape[1:]), measure)

    def tangent(self, measure: Tensor) -> Tensor:
        """Tangent ``[..., g, g]`` at ``measure [..., g]``.

        Raises:
            InputError: it is not symmetric, so that the law has no potential.
        """
        if self.given == "energy":
            found = self._over(lambda energy, x: jacobian(slope(energy), x), measure)
        else:
            found = self._over(lambda stress, x: jacobian(stress, x), measure)
        return symmetrised(found, self.name)

    def _over(self, act: Callable[..., Tensor], measure: Tensor) -> Tensor:
        return over_points(self.function, self.batched, _constants(self), act, measure)

    def _checked(self, function: Callable[..., Tensor], x: Tensor, shape: Sequence[int]) -> Tensor:
        found = function(x)
        check_shape(self.name, self.given, found, (len(x), *shape))
        return found


class TorchHistoryLaw:
    """A law with memory given by its update, as a torch function.

    The consistent tangent is the `torch.func` derivative of the stress by the measure through all the function
    does in a step (a fixed number of Newton steps included). The rules of `TorchLaw` hold.

    Args:
        stress: ``stress(measure [g], state [s], dt, **parameters) -> (stress [g], new state [s])`` for one point.
        state_size: internal variables, s.
        state0: those of the virgin material, s numbers; zeros where left out.
        name: short name of the law.
        parameters: constants by name, each a number or ``(number or text, unit)``; keywords of the function.
        kinematics: what the law takes, see `Material`.
        batched: the function takes ``[n, g]`` and ``[n, s]`` and gives ``[n, g]`` and ``[n, s]``.
        probe: size of the measure to which the law is tried, in steps from rest to ten times it.
        probe_dt: length of those steps in seconds.

    Raises:
        InputError: as `TorchLaw`; a ``state0`` of another length than ``state_size``.
    """

    def __init__(
        self,
        stress: Callable[..., tuple[Tensor, Tensor]],
        *,
        state_size: int,
        state0: Sequence[float] | None = None,
        name: str = "own law with memory",
        parameters: Constants | None = None,
        kinematics: Kinematics = "small strain",
        batched: bool = False,
        probe: float = 1e-3,
        probe_dt: float = 1.0,
    ) -> None:
        self.function = stress
        self.name = name
        self.kinematics: Kinematics = kinematics
        self.batched = batched
        self.state_size = int(state_size)
        self._state0 = tuple(float(v) for v in state0) if state0 is not None else (0.0,) * self.state_size
        if self.state_size < 1 or len(self._state0) != self.state_size:
            raise InputError(
                f"The law '{name}' has state_size {state_size} and a state0 of {len(self._state0)} numbers; both must "
                "be the same and at least 1 (a law without memory is a TorchLaw)."
            )
        self._names: tuple[tuple[str, str], ...] = ()
        _keep(self, read_constants(self, name, parameters or {}))
        check_history_law(self, probe, probe_dt)

    def __repr__(self) -> str:
        return f"TorchHistoryLaw({self.name!r}, state_size={self.state_size}, parameters={_constants(self)})"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The constants, with their units."""
        return _parameters(self)

    def state0(self) -> tuple[float, ...]:
        """Internal variables of the virgin material."""
        return self._state0

    def advance(self, measure: Tensor, state: Tensor, dt: float) -> Advance:
        """Stress, consistent tangent and state at ``measure [..., g]``, ``dt`` seconds after ``state [..., s]``.

        Raises:
            InputError: the tangent is not symmetric.
        """
        import torch

        g, s = measure.shape[-1], self.state_size

        def step(update: Callable[..., tuple[Tensor, Tensor]], x: Tensor, old: Tensor) -> Tensor:
            def checked(y: Tensor) -> tuple[Tensor, Tensor]:
                stress, new = update(y, old)
                check_shape(self.name, "stress", stress, (len(x), g))
                check_shape(self.name, "state", new, (len(x), s))
                return stress, new

            stress, tangent, new = advance(checked, x)
            return torch.cat([stress, new, tangent.flatten(1)], -1)

        def timed(*rows: Tensor, **constants: Any) -> tuple[Tensor, Tensor]:
            return self.function(*rows, dt, **constants)

        whole = over_points(timed, self.batched, _constants(self), step, measure, state)
        stress, new, tangent = whole.split([g, s, g * g], -1)
        return Advance(stress, symmetrised(tangent.unflatten(-1, (g, g)), self.name), new)


def _keep(law: TorchLaw | TorchHistoryLaw, constants: Sequence[Parameter]) -> None:
    """Put each constant into the attribute of its name, where `with_parameters` replaces it."""
    law._names = tuple((p.name, p.unit) for p in constants)
    for constant in constants:
        setattr(law, constant.name, constant.value)


def _constants(law: TorchLaw | TorchHistoryLaw) -> dict[str, Any]:
    return {name: getattr(law, name) for name, _ in law._names}


def _parameters(law: TorchLaw | TorchHistoryLaw) -> tuple[Parameter, ...]:
    return tuple(Parameter(name, getattr(law, name), unit) for name, unit in law._names)
