"""Python functions as models."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import inspect
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, did_you_mean
from scalebridge.models.adapt import Adapted
from scalebridge.models.model import Structure
from scalebridge.models.runs import Runs
from scalebridge.models.scale import Scale
from scalebridge.quantities import Floats, Space


@dataclass(frozen=True)
class FunctionModel:
    """A Python function as a `Model`; made by `model`."""

    function: Callable[..., Mapping[str, Any]]
    inputs: Space
    outputs: Space
    scale: Scale | None = None
    batched: bool = False
    version: str = "1"
    noise_std: Mapping[str, float] | None = None
    structure: Structure = field(default_factory=Structure)
    # A stochastic function takes the seed of the run as its keyword argument `seed`.
    stochastic: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "__doc__", self.function.__doc__)
        _check_signature(self)
        for name, std in (self.noise_std or {}).items():
            if name not in self.outputs.names:
                raise InputError(
                    f"The model '{self.name}' declares the noise of '{name}', which is no output"
                    f"{did_you_mean(name, self.outputs.names)}"
                )
            if not 0 <= float(std) < math.inf:
                raise InputError(
                    f"The model '{self.name}' declares the noise {std} of '{name}'; give a deviation >= 0."
                )

    @property
    def name(self) -> str:
        """The function's own name."""
        return str(getattr(unbound(self.function), "__name__", "function"))

    def __call__(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:
        """Call the function itself."""
        return self.function(*args, **kwargs)

    def identity(self) -> Mapping[str, str]:
        """Qualified name, version, digest of the source and of the values it closes over."""
        plain = unbound(self.function)
        qualified = f"{getattr(plain, '__module__', '')}.{getattr(plain, '__qualname__', self.name)}"
        return {"name": qualified, "version": self.version, "source": source_digest(self.function)}

    def run(self, x: Floats, seeds: tuple[int, ...] | None = None) -> Runs:
        """Run the function on ``x [b, d]``; ``seeds`` one per row for a stochastic function."""
        x = self.inputs.check(x, f"The model '{self.name}'")
        finite = np.isfinite(x).all(axis=1)
        if not finite.all():
            return self._around(x, seeds, np.asarray(finite, dtype=np.bool_))
        if self.batched:
            return self._batch(x, seeds)
        rows = [self._batch(x[i : i + 1], None if seeds is None else seeds[i : i + 1]) for i in range(len(x))]
        return Runs.join(rows) if rows else Runs(np.zeros((0, self.outputs.size)))

    def rename(self, **names: str) -> Adapted:
        """Return the same model with variables renamed: ``model.rename(T="temperature")``."""
        return Adapted(self, names=names)

    def fix(self, **values: str | float) -> Adapted:
        """Return the same model with inputs held constant: ``model.fix(rho="1.2 g/cm^3")``."""
        return Adapted(self, fixed=values)

    def _around(self, x: Floats, seeds: tuple[int, ...] | None, finite: NDArray[np.bool_]) -> Runs:
        # A function may turn NaN into a number; a row of NaN is refused before it sees it.
        kept = np.flatnonzero(finite)
        parts = [Runs.refused(int((~finite).sum()), self.outputs.size, "failed", "the input is not finite")]
        if len(kept):
            parts.append(self.run(x[kept], None if seeds is None else tuple(seeds[i] for i in kept)))
        order = np.concatenate([np.flatnonzero(~finite), kept])
        return Runs.join(parts).take(np.argsort(order))

    def _batch(self, x: Floats, seeds: tuple[int, ...] | None) -> Runs:
        start = time.perf_counter()
        arguments: dict[str, Any] = dict(self.inputs.unpack(x))
        if not self.batched:
            arguments = {name: (v[0] if v.ndim > 1 else float(v[0])) for name, v in arguments.items()}
        if self.stochastic:
            chosen = seeds or tuple(range(len(x)))
            arguments["seed"] = chosen if self.batched else chosen[0]
        try:
            result = self.function(**arguments)
        except InputError:
            raise
        except Exception as error:
            seconds = time.perf_counter() - start
            return Runs.refused(len(x), self.outputs.size, "failed", f"{type(error).__name__}: {error}", seconds)
        if not isinstance(result, Mapping):
            raise InputError(
                f"The model '{self.name}' returned a {type(result).__name__}; "
                f"return a mapping from {', '.join(self.outputs.names)} to values."
            )
        try:
            lead = {k: np.asarray(v, dtype=np.float64) for k, v in result.items()}
        except (TypeError, ValueError) as error:
            raise InputError(f"The model '{self.name}' returned values that are not numbers: {error}.") from error
        if not self.batched:
            lead = {k: v[None] for k, v in lead.items()}
        values = self.outputs.pack(lead, f"The model '{self.name}'")
        if len(values) != len(x):
            raise InputError(
                f"The model '{self.name}' returned {len(values)} rows for {len(x)}; return one per input row."
            )
        seconds = (time.perf_counter() - start) / max(len(x), 1)
        return Runs(values, cost_s=np.full(len(x), seconds), noise_std=self._noise(len(x)))

    def _noise(self, b: int) -> Floats | None:
        if self.noise_std is None:
            return None
        columns = [np.full(v.size, float(self.noise_std.get(v.name, 0.0))) for v in self.outputs]
        return np.tile(np.concatenate(columns), (b, 1))


def model(
    inputs: Any,
    outputs: Any,
    *,
    scale: Scale | None = None,
    batched: bool = False,
    version: str = "1",
    noise_std: Mapping[str, float] | None = None,
    structure: Structure | None = None,
    stochastic: bool = False,
) -> Callable[[Callable[..., Mapping[str, Any]]], FunctionModel]:
    """Turn a function into a `Model`.

    The keyword arguments of the function are the input variables: floats, or arrays of the variable's
    shape; with ``batched=True`` arrays ``[b, *shape]``. It returns a mapping from output names to values.

    Args:
        inputs: `Space`, list of `Variable`, or mapping such as ``{"T": ("K", 80, 700)}``.
        outputs: the same for the outputs.
        scale: extent and grain.
        batched: whether the function takes and returns whole batches.
        version: raise it when the results change; stored runs of another version are not used.
        noise_std: standard deviation of the function's own noise, by output name, in the output's unit.
        structure: what is known of the response (`Structure`).
        stochastic: the function takes a keyword argument ``seed`` (an int; a tuple when batched).

    Raises:
        InputError: an input that the function does not take, a function that needs others.
    """

    def wrap(function: Callable[..., Mapping[str, Any]]) -> FunctionModel:
        return FunctionModel(
            function,
            Space(inputs),
            Space(outputs),
            scale,
            batched,
            version,
            noise_std,
            structure or Structure(),
            stochastic,
        )

    return wrap


def source_digest(function: Callable[..., Any]) -> str:
    """Digest of a function's source, defaults and the values it closes over; the same in every process."""
    return hashlib.sha256(described(function).encode()).hexdigest()[:16]


def unbound(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function behind any number of bound arguments."""
    while isinstance(function, functools.partial):
        function = function.func
    return function


def described(value: Any, above: frozenset[int] = frozenset()) -> str:
    """A text that tells two values apart and never holds a memory address; ``above`` are those it stands in."""
    if id(value) in above:
        return "itself"
    above = above | {id(value)}
    if inspect.isfunction(value):
        return _described_function(value, above)
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape} {hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k!r}: {described(v, above)}" for k, v in value.items()) + "}"
    if isinstance(value, set | frozenset):
        # Their order changes from process to process.
        return "{" + ", ".join(sorted(described(v, above) for v in value)) + "}"
    if isinstance(value, tuple | list):
        return "(" + ", ".join(described(v, above) for v in value) + ")"
    if inspect.ismodule(value):
        return value.__name__
    parts = _parts(value)
    if parts is not None:
        return type(value).__qualname__ + described(parts, above)
    return repr(value)


def _parts(value: Any) -> Any:
    """What tells an object apart from others of its type; ``None`` where its ``repr`` does."""
    if isinstance(value, functools.partial):
        return value.func, value.args, value.keywords
    if inspect.ismethod(value):
        return value.__func__, value.__self__
    if isinstance(value, FunctionModel):
        return value.function, value.version
    if hasattr(value, "__wrapped__"):
        return (value.__wrapped__,)
    if callable(getattr(value, "identity", None)) and not isinstance(value, type):
        return dict(value.identity())
    return dict(getattr(value, "__dict__", {})) if " at 0x" in repr(value) else None


def _described_code(code: Any, above: frozenset[int]) -> str:
    """What a function without source does: its code, its constants and the names it uses, those inside it too."""
    constants = [_described_code(c, above) if inspect.iscode(c) else described(c, above) for c in code.co_consts]
    return "\0".join([code.co_code.hex(), *constants, *code.co_names])


def _described_function(function: Any, above: frozenset[int]) -> str:
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):
        source = _described_code(function.__code__, above)
    if function.__name__ == "<lambda>":
        # The source of one is the whole line, which may hold several.
        source += _described_code(function.__code__, above)
    closed = []
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # a name that is not bound yet
            closed.append(described(cell.cell_contents, above))
    return "\0".join([source, described((function.__defaults__, function.__kwdefaults__), above), *closed])


def _check_signature(made: FunctionModel) -> None:
    parameters = inspect.signature(made.function).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    wanted = [*made.inputs.names, *(["seed"] if made.stochastic else [])]
    for name in wanted:
        if name not in parameters:
            raise InputError(
                f"The model '{made.name}' declares the input '{name}', which its function does not take"
                f"{did_you_mean(name, parameters)}"
            )
    for name, p in parameters.items():
        if name not in wanted and p.default is p.empty:
            raise InputError(
                f"The function '{made.name}' needs the argument '{name}', which is no declared input"
                f"{did_you_mean(name, made.inputs.names)}"
            )
