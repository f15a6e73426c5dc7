"""What every surrogate in the box shares: checks of its data, domain, bounds, identity, and its answer as a model.

A method is one final frozen dataclass in one file: options as fields, three short methods (`_check_options`,
`_learn`, `_mean`) and `posterior`. Everything else of the contract stands here and is never overridden.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import ClassVar, Generic, Self, TypeVar

import numpy as np

from scalebridge.errors import InputError, ShapeError
from scalebridge.learn.box import Box
from scalebridge.models import Posterior, Runs, Scale, structure_of
from scalebridge.quantities import Floats, Space

State = TypeVar("State")


@dataclass(frozen=True)
class Data:
    """The runs a surrogate was fitted on, checked and copied.

    Args:
        x: inputs ``[b, d]``.
        y: outputs ``[b, m]``.
        noise_std: standard deviation of each value's own noise ``[b, m]``, zero where none was declared.
        jacobian: ``[b, m, d]`` where the runs gave it.
    """

    x: Floats
    y: Floats
    noise_std: Floats
    jacobian: Floats | None = None

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class Learner(ABC, Generic[State]):
    """A surrogate built unfitted from spaces and options; see `scalebridge.models.Surrogate`.

    Args:
        inputs: space of ``d`` components, or what makes one.
        outputs: space of ``m`` components, or what makes one.
        margin: the domain is the box of the runs widened by this fraction of its extent.
        runs: what it was fitted on; set by `fit`.
        fitted: what fitting found; set by `fit`.

    Class attributes of a method: ``name``, ``version`` and ``smooth`` (False: the mean is a step function, whose
    derivative is zero almost everywhere and cannot be integrated back to the mean).

    Raises:
        InputError: an option out of its range.
    """

    inputs: Space
    outputs: Space
    margin: float = field(default=0.15, kw_only=True)
    runs: Data | None = field(default=None, kw_only=True, repr=False, compare=False)
    fitted: State | None = field(default=None, kw_only=True, repr=False, compare=False)

    name: ClassVar[str]
    version: ClassVar[str] = "1"

    def __post_init__(self) -> None:
        for side in ("inputs", "outputs"):
            object.__setattr__(self, side, Space(getattr(self, side)))
        if not 0 <= self.margin < np.inf:
            raise InputError(f"{self.title} got margin = {self.margin}; give a fraction of at least zero, as in 0.15.")
        self._check_options()

    @abstractmethod
    def _check_options(self) -> None:
        """Raise `InputError` for an option that cannot be used."""

    @abstractmethod
    def _learn(self, data: Data) -> State:
        """What is learned from checked data of at least one row."""

    @abstractmethod
    def _mean(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean ``[n, m]`` and its derivative ``[n, m, d]``, the outputs' bounds not yet kept."""

    @abstractmethod
    def posterior(self, x: Floats) -> Posterior:
        """Posterior at ``x [n, d]``."""

    @property
    def title(self) -> str:
        """The method's name in a sentence."""
        return f"The surrogate '{self.name}'"

    @property
    def scale(self) -> Scale | None:
        """A surrogate has none of its own."""
        return None

    @property
    def domain(self) -> Box:
        """The widened box of the runs."""
        return Box.around(self.known.x, self.margin, structure_of(self).even)

    @property
    def data(self) -> tuple[Floats, Floats, Floats]:
        """The runs it was fitted on: ``x [b, d]``, ``y [b, m]``, ``noise_std [b, m]``."""
        return self.known.x, self.known.y, self.known.noise_std

    @property
    def known(self) -> Data:
        """The runs it was fitted on.

        Raises:
            InputError: not fitted.
        """
        if self.runs is None:
            raise self._unfitted()
        return self.runs

    @property
    def state(self) -> State:
        """What fitting found.

        Raises:
            InputError: not fitted.
        """
        if self.fitted is None:
            raise self._unfitted()
        return self.fitted

    def _unfitted(self) -> InputError:
        return InputError(f"{self.title} is not fitted; call fit(x, y) and use what it returns.")

    def identity(self) -> Mapping[str, str]:
        """Method, version, options, and a digest of the runs learned from."""
        learned = hashlib.sha256()
        for array in self.data if self.runs is not None else ():
            learned.update(np.ascontiguousarray(array).tobytes())
        apart = ("inputs", "outputs", "runs", "fitted")
        options = [f"{f.name}={_told(getattr(self, f.name))}" for f in fields(self) if f.name not in apart]
        return {
            "name": self.name,
            "version": self.version,
            "settings": " ".join(options),
            "runs": learned.hexdigest()[:16],
        }

    def fit(self, x: Floats, y: Floats, noise_std: Floats | None = None, jacobian: Floats | None = None) -> Self:
        """Return this surrogate fitted on ``x [b, d]``, ``y [b, m]``; an earlier fit may help it begin.

        Raises:
            InputError: text, numbers that are not finite, no rows, rows that do not pair, a negative noise.
            ShapeError: columns that are not those of the spaces.
        """
        data = checked(self.title, self.inputs, self.outputs, x, y, noise_std, jacobian)
        return replace(self, runs=data, fitted=self._learn(data))

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean ``[n, m]`` and its exact derivative ``[n, m, d]``, inside the outputs' bounds."""
        return bounded(self.outputs, *self._mean(self.inputs.check(x, self.title)))

    def jacobian(self, x: Floats) -> Floats:
        """Derivative of the mean ``[n, m, d]``."""
        return self.predict(x)[1]

    def run(self, x: Floats) -> Runs:
        """Posterior mean as a model's answer; rows outside the domain say so."""
        x = self.inputs.check(x, self.title)
        finite = np.asarray(np.isfinite(x).all(axis=1))
        posterior = self.posterior(np.where(finite[:, None], x, 0.0))
        inside = self.domain.contains(x)
        status = np.where(finite, np.where(inside, "ok", "outside"), "failed")
        told = {"ok": "", "outside": "outside the domain of the surrogate", "failed": "the input is not finite"}
        return Runs(posterior.mean, status, tuple(told[s] for s in status.tolist()), error_std=posterior.std)


def _told(option: object) -> str:
    """An option in a line; a surrogate among them by its own identity."""
    if isinstance(option, tuple):
        return f"({', '.join(_told(part) for part in option)})"
    identity = getattr(option, "identity", None)
    return repr(option) if identity is None else " ".join(identity().values()).strip()


def checked(
    title: str,
    inputs: Space,
    outputs: Space,
    x: Floats,
    y: Floats,
    noise_std: Floats | None = None,
    jacobian: Floats | None = None,
) -> Data:
    """Return copies of the data of a fit; raise `InputError` in one sentence where they cannot be used."""
    x, y = inputs.check(x, title).copy(), outputs.check(y, title).copy()
    if len(x) != len(y) or len(x) == 0:
        raise InputError(
            f"{title} got {len(x)} inputs and {len(y)} outputs; give at least one run and one row of outputs per row "
            "of inputs."
        )
    for array, space, side in ((x, inputs, "inputs"), (y, outputs, "outputs")):
        bad = np.argwhere(~np.isfinite(array))
        if len(bad):
            row, column = (int(i) for i in bad[0])
            raise InputError(
                f"{title} got {array[row, column]} in row {row} of the {side}, column "
                f"'{space.component_names[column]}'; values must be finite: leave out rows that failed."
            )
    return Data(x, y, _noise(title, y, noise_std), _slopes(title, x, y, jacobian))


def _noise(title: str, y: Floats, noise_std: Floats | None) -> Floats:
    if noise_std is None:
        return np.zeros_like(y)
    try:
        noise = np.broadcast_to(np.asarray(noise_std, dtype=np.float64), y.shape).copy()
    except (TypeError, ValueError) as error:
        raise ShapeError(
            f"{title} got noise_std of shape {np.shape(noise_std)} for outputs {y.shape}; give a standard deviation "
            "for each value, for each output, or one for all."
        ) from error
    if not (np.isfinite(noise).all() and (noise >= 0).all()):
        raise InputError(f"{title} got a noise_std that is negative or not finite; standard deviations are at least 0.")
    return noise


def _slopes(title: str, x: Floats, y: Floats, jacobian: Floats | None) -> Floats | None:
    if jacobian is None:
        return None
    shape = (len(x), y.shape[1], x.shape[1])
    slopes = np.array(jacobian, dtype=np.float64)
    if slopes.shape != shape:
        raise ShapeError(f"{title} got a jacobian of shape {slopes.shape}; give {shape}: [b, outputs, inputs].")
    return slopes


def bounded(outputs: Space, values: Floats, slope: Floats) -> tuple[Floats, Floats]:
    """Keep the outputs' bounds; where one is met the value stands still, and so says its derivative."""
    low, high = outputs.lower, outputs.upper
    if not (np.isfinite(low) | np.isfinite(high)).any():
        return values, slope
    free = (values > low) & (values < high)
    return np.clip(values, low, high), np.where(free[:, :, None], slope, 0.0)


def least(title: str, name: str, value: float, lowest: float) -> None:
    """Raise `InputError` unless an option is a number of at least ``lowest``."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not value >= lowest:
        raise InputError(f"{title} got {name} = {value!r}; give a number of at least {lowest}.")


def one_of(title: str, name: str, value: object, valid: tuple[str, ...]) -> None:
    """Raise `InputError` unless an option is one of the texts given."""
    if value not in valid:
        raise InputError(f"{title} got {name} = {value!r}; valid: {', '.join(valid)}.")
