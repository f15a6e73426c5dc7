"""What is asked of a user's own law before it is used: constants, shapes, rest, symmetry."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from scalebridge.errors import InputError
from scalebridge.micro.rve.phases.phase import SIZES, HistoryPhase, Kinematics, Parameter, Phase
from scalebridge.quantities.units import magnitude

if TYPE_CHECKING:
    from torch import Tensor

# Directions tried at each size, and the part of the largest value that passes for zero.
DIRECTIONS = 4
SMALL = 1e-8

Constants = Mapping[str, float | tuple[float | str, str]]


def read_constants(law: object, name: str, constants: Constants) -> tuple[Parameter, ...]:
    """Return the constants of a user's law as parameters.

    Raises:
        InputError: a name that is no identifier or is a member of ``law``, a value that is not finite.
        UnitError: a text that does not convert to its unit.
    """
    found = []
    for key, given in constants.items():
        if not key.isidentifier() or hasattr(law, key):
            raise InputError(
                f"The constant '{key}' of the law '{name}' cannot have that name, which is no name in Python or one "
                "the law uses itself; call it something else."
            )
        value, unit = given if isinstance(given, tuple) else (given, "1")
        number = magnitude(value, unit, f"The constant {key} of the law '{name}'")
        if not math.isfinite(number):
            raise InputError(f"The constant {key} of the law '{name}' is {value}; it must be a finite number.")
        found.append(Parameter(key, number, unit))
    return tuple(found)


def rest(kinematics: Kinematics, like: Tensor) -> Tensor:
    """The measure ``[g]`` at rest: zero, or F = 1."""
    return like.new_ones(3).diag().flatten() if kinematics == "finite strain" else like.new_zeros(SIZES[kinematics])


def check_law(law: Phase, probe: float) -> None:
    """Try a law without memory at rest and around it.

    Raises:
        InputError: it fails, or is not what a law must be or claims to be.
    """
    import torch

    still, ways = _directions(law.kinematics)
    measures = torch.cat([still[None], still + _size(law.name, probe) * torch.cat([0.1 * ways, ways])])
    energy = _tried(law.name, "energy", (len(measures),), law.energy, measures)
    stress = _tried(law.name, "stress", tuple(measures.shape), law.stress, measures)
    tangent = _tried(law.name, "tangent", (*measures.shape, measures.shape[1]), law.tangent, measures)
    for word, value in (("energy", energy), ("stress", stress)):
        if float(value[0].abs().max()) > SMALL * float(value.abs().max()):
            raise InputError(
                f"The {word} of the law '{law.name}' is {value[0].tolist()} at rest; it must be zero there: "
                "subtract it in your function."
            )
    if law.linear and float((tangent - tangent[0]).abs().max()) > SMALL * float(tangent.abs().max()):
        raise InputError(f"The law '{law.name}' is said to be linear, but its tangent changes; leave linear=True out.")
    if law.even:
        mirrored = law.stress(2.0 * still - measures)
        if float((mirrored + stress).abs().max()) > SMALL * float(stress.abs().max()):
            raise InputError(
                f"The law '{law.name}' is said to be even, but its stress is not the opposite at the opposite "
                "measure; leave even=True out."
            )
    # Far out a law may end (a fibre that locks); what is finite there must still be symmetric.
    law.tangent(still + 10.0 * probe * ways)


def check_history_law(law: HistoryPhase, probe: float, dt: float) -> None:
    """Try a law with memory along straight paths from rest.

    Raises:
        InputError: it fails, answers with the wrong shape, is not finite, or has an unsymmetric tangent.
    """
    still, ways = _directions(law.kinematics)
    state = still.new_tensor(law.state0()).expand(len(ways), -1).contiguous()
    for part in (0.0, 0.1, 0.5, 1.0, 5.0, 10.0):
        measures = still + part * _size(law.name, probe) * ways
        found = _called(law.name, law.advance, measures, state, dt)
        _finite(law.name, "stress", found.stress)
        _finite(law.name, "tangent", found.tangent)
        _finite(law.name, "state", found.state)
        state = found.state


def _size(name: str, probe: float) -> float:
    if not (math.isfinite(probe) and probe > 0):
        raise InputError(f"The law '{name}' is to be tried at a measure of size {probe}; it must be positive.")
    return probe


def _directions(kinematics: Kinematics) -> tuple[Tensor, Tensor]:
    """The measure at rest ``[g]`` and directions ``[DIRECTIONS, g]`` of unit length; always the same."""
    import numpy as np
    import torch

    if kinematics not in SIZES:
        raise InputError(f"A law cannot take kinematics '{kinematics}'; valid: {', '.join(SIZES)}.")
    ways = np.random.default_rng(0).normal(size=(DIRECTIONS, SIZES[kinematics]))
    found = torch.as_tensor(ways / np.linalg.norm(ways, axis=1, keepdims=True))
    return rest(kinematics, found), found


def _called(name: str, act: Callable[..., Any], *given: Any) -> Any:
    """Call the law; what goes wrong in the user's function is told in one sentence."""
    try:
        return act(*given)
    except InputError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"The law '{name}' failed where it was tried, with {type(error).__name__}: {reason[:300]}; its function "
            "must be made of torch operations, without branches on values and changes in place."
        ) from error


def _tried(name: str, word: str, shape: tuple[int, ...], act: Callable[..., Tensor], measures: Tensor) -> Tensor:
    found: Tensor = _called(name, act, measures)
    check_shape(name, word, found, shape)
    _finite(name, word, found)
    return found


def check_shape(name: str, word: str, found: Tensor, shape: tuple[int, ...]) -> None:
    """Raise `InputError` unless a function answers with the wanted shape ``[n, ...]``."""
    if tuple(found.shape) != shape:
        raise InputError(
            f"The law '{name}' gives a {word} of shape {list(found.shape[1:])} per point; "
            f"it must be {list(shape[1:]) or 'a scalar'}."
        )


def _finite(name: str, word: str, found: Tensor) -> None:
    if not bool(found.isfinite().all()):
        raise InputError(
            f"The {word} of the law '{name}' is not finite at or near rest; in torch a norm or a root of zero has no "
            "derivative, and torch.linalg.det no second one at F = 1: add a tiny constant under the root, and write "
            "det F as F[0] @ torch.linalg.cross(F[1], F[2])."
        )
