"""Any surrogate with what is known of the response put around it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.learn.learner import Data, bounded, checked
from scalebridge.learn.transforms.posteriors import MovedPosterior
from scalebridge.learn.transforms.symmetric import Symmetric
from scalebridge.learn.transforms.transform import Inside, Step, Transform, around
from scalebridge.models import Posterior, Runs, Scale, Structure, Surrogate, structure_of
from scalebridge.quantities import Floats, Space


@dataclass(frozen=True)
class Chain:
    """What fitting finds: the steps, the first outermost, and the surrogate fitted inside them."""

    steps: tuple[Step, ...]
    surrogate: Surrogate

    @property
    def inside(self) -> Inside:
        """The surrogate inside all steps."""
        return around(self.steps, self.surrogate)


@dataclass(frozen=True)
class TransformedDomain:
    """Where a transformed surrogate may be trusted: where the surrogate may that was fitted inside."""

    inside: Inside

    def contains(self, x: Floats) -> NDArray[np.bool_]:
        """Which of ``x [n, d]`` lie inside, ``[n]``."""
        finite = np.asarray(np.isfinite(x).all(axis=1))
        kept: NDArray[np.bool_] = finite & self.inside.contains(np.where(finite[:, None], x, 1.0))
        return kept


@dataclass(frozen=True)
class Transformed:
    """A surrogate that learns in the coordinates its transforms make; see `scalebridge.models.Surrogate`.

    ``Transformed(GaussianProcess(inputs, outputs), [Dimensionless()])``. The surrogate is rebuilt on the inner spaces
    with its options as they are, whatever its kind. Transforms work in the order given, the first nearest to the
    user's variables. Mean, derivative, quantiles, samples and functionals are those of one law in the user's units;
    the domain is that of the surrogate inside, so that a run at another scale is inside where its dimensionless
    groups, invariants or images are. Declared jacobians of the runs are not used.

    Args:
        surrogate: any that is a dataclass with ``inputs`` and ``outputs``, or holds such ones (an ensemble, a
            conformal surrogate), unfitted, built from the user's spaces.
        transforms: one or more.

    Raises:
        InputError: no transform; a surrogate that cannot be rebuilt, or that declares a structure (a potential has no
            meaning in other coordinates); on fitting, what a transform cannot use.
    """

    surrogate: Surrogate
    transforms: tuple[Transform, ...]
    runs: Data | None = field(default=None, kw_only=True, repr=False, compare=False)
    fitted: Chain | None = field(default=None, kw_only=True, repr=False, compare=False)

    version = "1"

    def __post_init__(self) -> None:
        given: Any = self.transforms
        kept = (given,) if isinstance(given, Transform) else given
        if not isinstance(kept, Sequence) or not kept or not all(isinstance(t, Transform) for t in kept):
            raise InputError(
                f"{self.title} got the transforms {given!r}; give one or more, as in "
                "Transformed(GaussianProcess(inputs, outputs), [Dimensionless()])."
            )
        object.__setattr__(self, "transforms", tuple(kept))
        rebuilt(self.surrogate, self.inputs, self.outputs)
        declared = structure_of(self.surrogate)
        if declared.potential or declared.even:
            raise InputError(
                f"{self.title} holds a surrogate that declares {declared}, which does not outlive other coordinates; "
                "leave it out inside (an odd response: Symmetric(odd=...))."
            )

    @property
    def name(self) -> str:
        """Name of the surrogate inside, with what was done to it."""
        return f"transformed_{getattr(self.surrogate, 'name', type(self.surrogate).__name__)}"

    @property
    def title(self) -> str:
        """The method's name in a sentence."""
        return f"The surrogate '{self.name}'"

    @property
    def inputs(self) -> Space:
        """Space of the inputs."""
        return self.surrogate.inputs

    @property
    def outputs(self) -> Space:
        """Space of the outputs."""
        return self.surrogate.outputs

    @property
    def scale(self) -> Scale | None:
        """A surrogate has none of its own."""
        return None

    @property
    def smooth(self) -> bool:
        """Whether the mean is the integral of its derivative; that of the surrogate inside."""
        return bool(getattr(self.surrogate, "smooth", True))

    @property
    def structure(self) -> Structure:
        """Odd where the outermost transform makes it so; else nothing is claimed."""
        first = self.transforms[0]
        return Structure(even=isinstance(first, Symmetric) and first.turns_all(self.inputs))

    @property
    def told(self) -> tuple[str, ...]:
        """What the transforms found, in words: groups, exponents, invariants."""
        return tuple(line for step in self._known.steps for line in step.told)

    @property
    def inner(self) -> Surrogate:
        """The fitted surrogate inside, in its own coordinates."""
        return self._known.surrogate

    @property
    def data(self) -> tuple[Floats, Floats, Floats]:
        """The runs it was fitted on: ``x [b, d]``, ``y [b, m]``, ``noise_std [b, m]``."""
        runs = self._runs
        return runs.x, runs.y, runs.noise_std

    @property
    def domain(self) -> TransformedDomain:
        """The domain of the surrogate inside, in the user's variables."""
        return TransformedDomain(self._known.inside)

    def identity(self) -> Mapping[str, str]:
        """Transforms, the identity of what is inside, and a digest of the runs learned from."""
        learned = hashlib.sha256()
        for array in self.data if self.runs is not None else ():
            learned.update(np.ascontiguousarray(array).tobytes())
        inside = {f"inside_{k}": v for k, v in self.surrogate.identity().items()}
        settings = "; ".join(repr(t) for t in self.transforms)
        return {
            "name": self.name,
            "version": self.version,
            "settings": settings,
            "runs": learned.hexdigest()[:16],
            **inside,
        }

    def fit(self, x: Floats, y: Floats, noise_std: Floats | None = None, jacobian: Floats | None = None) -> Self:
        """Return this surrogate fitted on ``x [b, d]``, ``y [b, m]``; an earlier fit may help it begin.

        Raises:
            InputError: as the surrogate inside, or data that a transform cannot use.
            ShapeError: columns that are not those of the spaces.
        """
        data = checked(self.title, self.inputs, self.outputs, x, y, noise_std, jacobian)
        steps, inward, spaces = [], replace(data, jacobian=None), (self.inputs, self.outputs)
        for transform in self.transforms:
            step = transform.fit(inward, *spaces)
            inward, spaces = step.inward(inward), (step.inputs, step.outputs)
            steps.append(step)
        earlier = None if self.fitted is None else self.fitted.surrogate
        same = earlier is not None and (earlier.inputs, earlier.outputs) == spaces
        surrogate = earlier if earlier is not None and same else rebuilt(self.surrogate, *spaces)
        noise = inward.noise_std if inward.noise_std.any() else None
        return replace(self, runs=data, fitted=Chain(tuple(steps), surrogate.fit(inward.x, inward.y, noise)))

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean ``[n, m]`` and its derivative ``[n, m, d]``, inside the outputs' bounds."""
        x = self.inputs.check(x, self.title)
        return bounded(self.outputs, *self._known.inside.predict(x))

    def jacobian(self, x: Floats) -> Floats:
        """Derivative of the mean ``[n, m, d]``."""
        return self.predict(x)[1]

    def posterior(self, x: Floats) -> Posterior:
        """Joint posterior at ``x [n, d]``."""
        x = self.inputs.check(x, self.title)
        posterior = self._known.inside.posterior(x)
        bounds = (self.outputs.lower, self.outputs.upper)
        if not np.isfinite(bounds).any():
            return posterior
        return MovedPosterior(posterior, np.clip(posterior.mean, *bounds), bounds)

    def run(self, x: Floats) -> Runs:
        """Posterior mean as a model's answer; rows outside the domain say so."""
        x = self.inputs.check(x, self.title)
        finite = np.asarray(np.isfinite(x).all(axis=1))
        posterior = self.posterior(np.where(finite[:, None], x, self._runs.x[:1]))
        status = np.where(finite, np.where(self.domain.contains(x), "ok", "outside"), "failed")
        told = {"ok": "", "outside": "outside the domain of the surrogate", "failed": "the input is not finite"}
        return Runs(posterior.mean, status, tuple(told[s] for s in status.tolist()), error_std=posterior.std)

    @property
    def _known(self) -> Chain:
        if self.fitted is None:
            raise InputError(f"{self.title} is not fitted; call fit(x, y) and use what it returns.")
        return self.fitted

    @property
    def _runs(self) -> Data:
        if self.runs is None:
            raise InputError(f"{self.title} is not fitted; call fit(x, y) and use what it returns.")
        return self.runs


def rebuilt(surrogate: Any, inputs: Space, outputs: Space) -> Any:
    """An unfitted surrogate with its options as they are, on other spaces; those it holds are rebuilt with it.

    Raises:
        InputError: it is no dataclass with ``inputs`` and ``outputs``, nor holds one.
    """
    if not is_dataclass(surrogate) or isinstance(surrogate, type):
        raise InputError(
            f"{surrogate!r} cannot be rebuilt on other inputs and outputs; give an unfitted surrogate, as in "
            "GaussianProcess(inputs, outputs), or one whose class is a dataclass with these two fields."
        )
    changes: dict[str, Any] = {}
    for f in fields(surrogate):
        value = getattr(surrogate, f.name)
        if f.name in ("runs", "fitted", "certificate"):
            changes[f.name] = None
        elif f.name in ("inputs", "outputs"):
            changes[f.name] = inputs if f.name == "inputs" else outputs
        elif _is_surrogate(value):
            changes[f.name] = rebuilt(value, inputs, outputs)
        elif isinstance(value, tuple) and value and all(_is_surrogate(v) for v in value):
            changes[f.name] = tuple(rebuilt(v, inputs, outputs) for v in value)
    if not set(changes) - {"runs", "fitted", "certificate"}:
        raise InputError(f"{type(surrogate).__name__} has no inputs and outputs that a transform could change.")
    return replace(surrogate, **changes)


def _is_surrogate(value: Any) -> bool:
    return is_dataclass(value) and not isinstance(value, type) and hasattr(value, "fit") and hasattr(value, "inputs")
