"""Between which values the options of every learner are searched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from scalebridge.errors import InputError, did_you_mean

Value = bool | int | float | str | None


@dataclass(frozen=True)
class Range:
    """Numbers from low to high, both included; whole ones where both are whole.

    Args:
        low, high: ends.
        log: whether equal ratios are as likely, rather than equal differences.
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        good = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (self.low, self.high))
        if not good or not self.low < self.high or (self.log and self.low <= 0):
            raise InputError(
                f"A range goes from {self.low!r} to {self.high!r}{' by ratios' if self.log else ''}; give two numbers, "
                "the lower first, and for ratios both positive."
            )

    @property
    def whole(self) -> bool:
        """Whether it holds whole numbers only."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def holds(self, value: object) -> bool:
        """Whether a value lies in it."""
        kind = int if self.whole else int | float
        return isinstance(value, kind) and not isinstance(value, bool) and self.low <= value <= self.high


@dataclass(frozen=True)
class Choice:
    """One of several values."""

    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise InputError("A choice has no values; give at least one.")

    def holds(self, value: object) -> bool:
        """Whether a value is one of them."""
        return any(value is v or (type(value) is type(v) and value == v) for v in self.values)


Options = dict[str, Range | Choice]

_FOREST: Options = {"trees": Range(50, 400, log=True), "least_leaf": Range(1, 10), "features": Range(0.2, 1.0)}
_PROFILE: Options = {"profile": Choice(("matern72", "squared_exponential"))}
_EXACT: Options = {"profile": Choice(("auto", "matern52", "matern72", "squared_exponential"))}
# One line each; a learner that is not here is searched between values that the caller gives.
SPACES: dict[str, Options] = {
    "gaussian_process": {**_EXACT, "lengths": Choice(("each", "shared"))},
    "heteroscedastic_gaussian_process": _PROFILE,
    "multi_output_gaussian_process": {**_PROFILE, "rank": Range(1, 3)},
    "sparse_gaussian_process": {**_PROFILE, "inducing": Range(50, 400, log=True)},
    "polynomial_chaos": {"degree": Range(2, 14), "norm": Range(0.4, 1.0)},
    "random_forest": _FOREST,
    "quantile_forest": _FOREST,
    "gradient_boosting": {
        "iterations": Range(50, 500, log=True),
        "learning_rate": Range(0.02, 0.3, log=True),
        "leaves": Range(4, 64, log=True),
        "least_leaf": Range(1, 30, log=True),
    },
}


def space_of(surrogate: Any, given: Mapping[str, Any] | None = None) -> Options:
    """The options that are searched: those of the table, changed by those given.

    Args:
        surrogate: unfitted.
        given: by name of the option, or ``"surrogate.trees"`` of one inside: ``(low, high)``, ``(low, high, "log")``, a
            list of values, a `Range`, a `Choice`; None leaves the option as it is.

    Raises:
        InputError: an option that the surrogate does not have, a range that is none, nothing to search.
    """
    table = SPACES.get(getattr(surrogate, "name", ""), {})
    names = {f.name for f in fields(surrogate) if f.init} if is_dataclass(surrogate) else set()
    space: Options = {name: among for name, among in table.items() if name in names}
    for name, told in (given or {}).items():
        _check_option(surrogate, name)
        space.pop(name, None)
        if told is not None:
            space[name] = _among(name, told)
    if not space:
        raise InputError(
            f"The surrogate '{getattr(surrogate, 'name', surrogate)}' has no options that are searched unasked; name "
            'some, as in space={"trees": (50, 400)}.'
        )
    return space


def with_options(surrogate: Any, options: Mapping[str, Value]) -> Any:
    """The surrogate with other options; a dotted name is that of one inside."""
    for name, value in options.items():
        head, _, rest = name.partition(".")
        told = with_options(getattr(surrogate, head), {rest: value}) if rest else value
        surrogate = replace(surrogate, **{head: told})
    return surrogate


def option_of(surrogate: Any, name: str) -> Any:
    """The present value of an option."""
    head, _, rest = name.partition(".")
    return option_of(getattr(surrogate, head), rest) if rest else getattr(surrogate, head)


def _check_option(surrogate: Any, name: str) -> None:
    head, _, rest = name.partition(".")
    known = [f.name for f in fields(surrogate) if f.init] if is_dataclass(surrogate) else []
    known = [k for k in known if k not in ("inputs", "outputs", "runs", "fitted")]
    if head not in known:
        raise InputError(
            f"The surrogate '{getattr(surrogate, 'name', type(surrogate).__name__)}' has no option '{head}'"
            f"{did_you_mean(head, known)}"
        )
    if rest:
        _check_option(getattr(surrogate, head), rest)


def _among(name: str, told: Any) -> Range | Choice:
    if isinstance(told, Range | Choice):
        return told
    if isinstance(told, tuple) and len(told) in (2, 3) and told[2:] in ((), ("log",)):
        try:
            return Range(told[0], told[1], log=len(told) == 3)
        except InputError as error:
            raise InputError(f"The option '{name}': {error}") from error
    if isinstance(told, Sequence) and not isinstance(told, str):
        return Choice(tuple(told))
    raise InputError(
        f"The option '{name}' is to be searched in {told!r}; give (low, high), (low, high, 'log') or a list of values."
    )
