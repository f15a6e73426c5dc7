"""The conformance suite of a `Model`."""

from __future__ import annotations

from typing import Any

import numpy as np

from scalebridge.errors import InputError
from scalebridge.models import Runs, structure_of
from scalebridge.quantities import Floats
from scalebridge.testing.demand import (
    demand,
    demand_close,
    demand_identity,
    demand_members,
    plausible_inputs,
    tangent_gap,
)

_MEMBERS = ("name", "version", "inputs", "outputs", "scale", "identity", "run")


def check_model(model: Any, x: Floats | None = None, *, rtol: float = 1e-8, jacobian_rtol: float = 1e-4) -> None:
    """Check that a model keeps its contract; raise `AssertionError` with one sentence where it does not.

    Shapes and status per row; the same answer again, alone and in another order; a row of NaN refused without
    harm to the others; a batch of the wrong width refused; a jacobian that is the derivative; a declared
    structure that holds; an identity that can be stored.

    Args:
        model: the model.
        x: inputs ``[b, d]`` with b >= 2 at which it can be run; by default six within its bounds.
        rtol: of values that must agree, relative to the largest.
        jacobian_rtol: of the jacobian against central differences.
    """
    demand_members(model, _MEMBERS, "Model")
    x = plausible_inputs(model.inputs, 6) if x is None else model.inputs.check(x, "check_model")
    demand(len(x) >= 2, "check_model needs at least two rows of inputs.")
    runs = _run(model, x)
    demand_runs(runs, len(x), model.outputs.size, model.inputs.size, f"'{model.name}'")
    demand(
        bool(runs.ok.any()),
        f"'{model.name}' succeeded at none of the inputs ({runs.reason[0]}); give check_model inputs that it can run.",
    )
    demand_identity(model)
    _check_repeats(model, x, runs, rtol)
    _check_refusals(model, x, runs, rtol)
    if getattr(model, "stochastic", False):
        return
    _check_structure(model, x[runs.ok], runs.take(np.flatnonzero(runs.ok)), max(rtol, 1e-6))
    if runs.jacobian is not None:
        good = np.flatnonzero(runs.ok)
        gap, _ = tangent_gap(lambda z: _run(model, z).values, runs.jacobian[good], x[good], 1e-5)
        demand(
            gap <= jacobian_rtol, f"The jacobian of '{model.name}' is not the derivative of its values (by {gap:.2g})."
        )


def demand_runs(runs: Any, b: int, m: int, d: int, owner: str) -> None:
    """Demand that `Runs` of ``b`` rows are whole: shapes, a status and a reason per row, values where ok."""
    demand(isinstance(runs, Runs), f"{owner} returned a {type(runs).__name__} from run; return Runs.")
    demand(runs.values.shape == (b, m), f"{owner} returned values {runs.values.shape} for {b} rows; give {(b, m)}.")
    demand(
        all(bool(runs.reason[i]) for i in np.flatnonzero(~runs.ok)),
        f"{owner} failed in a row without saying the reason.",
    )
    demand(bool((runs.cost_s >= 0).all()), f"{owner} gave a cost that is negative or not a number.")
    for name, shape in (("jacobian", (b, m, d)), ("noise_std", (b, m)), ("error_std", (b, m))):
        array = getattr(runs, name)
        if array is not None:
            demand(array.shape == shape, f"{owner} gave {name} of shape {array.shape}; give {shape}.")
            demand(bool(np.isfinite(array[runs.ok]).all()), f"{owner} gave a {name} that is not finite in an ok row.")


def _run(model: Any, x: Floats) -> Any:
    # A stochastic model is asked with fixed seeds: with these it must be as deterministic as any other.
    seeds = (tuple(range(7, 7 + len(x))),) if getattr(model, "stochastic", False) else ()
    try:
        return model.run(x, *seeds)
    except Exception as error:
        raise AssertionError(
            f"'{model.name}' raised {type(error).__name__} ({error}) from run; a row that fails is a status."
        ) from error


def _check_repeats(model: Any, x: Floats, runs: Runs, rtol: float) -> None:
    scale = float(np.max(np.abs(runs.values[runs.ok])))
    again = _run(model, x)
    demand(
        bool((again.status == runs.status).all()),
        f"'{model.name}' succeeds at other rows when it is run again with the same inputs.",
    )
    demand_close(
        again.values[runs.ok],
        runs.values[runs.ok],
        0.0,
        scale,
        f"'{model.name}' gives other values for the same inputs",
    )
    if getattr(model, "stochastic", False):
        return
    alone = Runs.join([_run(model, x[i : i + 1]) for i in range(len(x))])
    turned = _run(model, x[::-1].copy())
    for other, how in ((alone, "a row alone"), (turned.take(np.arange(len(x))[::-1]), "the rows in another order")):
        demand(bool((other.ok == runs.ok).all()), f"'{model.name}' succeeds at other rows when it is given {how}.")
        demand_close(
            other.values[runs.ok],
            runs.values[runs.ok],
            rtol,
            scale,
            f"'{model.name}' gives other values when it is given {how}",
        )


def _check_refusals(model: Any, x: Floats, runs: Runs, rtol: float) -> None:
    scale = float(np.max(np.abs(runs.values[runs.ok])))
    spoilt = x.copy()
    spoilt[0, 0] = np.nan
    mixed = _run(model, spoilt)
    demand_runs(mixed, len(x), model.outputs.size, model.inputs.size, f"'{model.name}', given a row of NaN,")
    demand(not mixed.ok[0], f"'{model.name}' calls a row ok whose input is NaN.")
    rest = np.flatnonzero(runs.ok & (np.arange(len(x)) > 0))
    demand_close(
        mixed.values[rest],
        runs.values[rest],
        rtol,
        scale,
        f"'{model.name}' lets a row of NaN change the other rows",
    )
    try:
        model.run(np.zeros((2, model.inputs.size + 1)))
    except InputError:
        return
    except Exception as error:
        raise AssertionError(
            f"'{model.name}' answers a batch of the wrong width by {type(error).__name__}; raise InputError."
        ) from error
    raise AssertionError(f"'{model.name}' takes a batch of the wrong width; raise InputError (Space.check does).")


def _check_structure(model: Any, x: Floats, runs: Runs, rtol: float) -> None:
    structure, scale = structure_of(model), float(np.max(np.abs(runs.values)))
    if structure.potential and runs.jacobian is not None:
        turned = np.swapaxes(runs.jacobian, 1, 2)
        size = float(np.max(np.abs(runs.jacobian)))
        sentence = f"'{model.name}' declares a potential, but its jacobian is not symmetric"
        demand_close(runs.jacobian, turned, rtol, size, sentence)
    if structure.even:
        mirrored = _run(model, -x)
        kept = mirrored.ok
        sentence = f"'{model.name}' declares an even potential, but its values at -x are not minus those at x"
        demand_close(-mirrored.values[kept], runs.values[kept], rtol, scale, sentence)
