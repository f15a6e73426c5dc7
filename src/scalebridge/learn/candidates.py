"""Which surrogates suit data of a size, what a fit of each costs about, and how a name becomes one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from scalebridge.errors import InputError, did_you_mean
from scalebridge.learn.found import known_surrogates, surrogate_named
from scalebridge.models import Structure, Surrogate
from scalebridge.quantities import Space

# A linear law, to see whether anything more was learned.
LINEAR = "linear"
# A Gaussian process of the logarithms of the outputs that are positive.
LOGARITHMIC = "logarithmic_gaussian_process"


@dataclass(frozen=True)
class Suits:
    """For what a method is made, and the seconds of a fit on one core as measured.

    Args:
        least, most: rows times outputs for which it is tried unasked.
        seconds: of a fit of each output, whatever the size.
        per_thousand: seconds more for every thousand rows, for each output.
        cubic: seconds more for a thousand rows and each output, growing with their third power.
        outputs: the fewest for which it differs from others.
        smooth: whether its mean has a derivative.
    """

    least: int = 1
    most: int = 1_000_000
    seconds: float = 0.1
    per_thousand: float = 0.1
    cubic: float = 0.0
    outputs: int = 1
    smooth: bool = True

    def cost(self, rows: int, outputs: int) -> float:
        """Seconds of a fit, about."""
        return outputs * (self.seconds + self.per_thousand * rows / 1e3 + self.cubic * (rows / 1e3) ** 3)

    def fits(self, rows: int, outputs: int) -> bool:
        """Whether data of this size are what it is made for."""
        return self.least <= rows * outputs <= self.most and outputs >= self.outputs


# Those that learn a plain table of any kind; others need to be told more, or are put together from these.
TABLE: dict[str, Suits] = {
    LINEAR: Suits(seconds=0.1),
    "polynomial_chaos": Suits(least=20, most=20_000, seconds=0.2, per_thousand=2.5),
    "quantile_forest": Suits(least=50, most=20_000, seconds=0.2, per_thousand=0.6, smooth=False),
    "random_forest": Suits(least=20, most=50_000, seconds=0.5, per_thousand=1.3, smooth=False),
    "gaussian_process": Suits(most=1000, seconds=0.3, cubic=33.0),
    "multi_output_gaussian_process": Suits(most=1000, seconds=0.5, cubic=100.0, outputs=2),
    "heteroscedastic_gaussian_process": Suits(least=30, most=500, seconds=0.4, cubic=130.0),
    "sparse_gaussian_process": Suits(least=20, most=100_000, seconds=0.4, per_thousand=2.5),
    "gradient_boosting": Suits(least=50, seconds=2.8, per_thousand=3.0, smooth=False),
}
# What a plain table of runs does not suffice for.
TOLD_MORE = (
    "auto",
    "branched_network",
    "convolutional_network",
    "ensemble",
    "multi_fidelity",
    "reduced_outputs",
    "scikit_learn",
    "transformed",
)
# For inputs so many that something must be left out, or slow for what it gains on tables: only where asked for.
ASKED_FOR = ("network", "reduced_inputs")


def known_candidates() -> list[str]:
    """Names of all that can be tried on a table: those here as far as they are there, and those of other packages."""
    known = [name for name in known_surrogates() if name not in (*TOLD_MORE, *ASKED_FOR)]
    return [name for name in TABLE if name == LINEAR or name in known] + [n for n in known if n not in TABLE]


def suited(rows: int, outputs: int) -> list[str]:
    """Names of those that data of so many rows and outputs suit, the cheapest first."""
    chosen = [name for name in known_candidates() if suits(name).fits(rows, outputs)]
    return sorted(chosen, key=lambda name: suits(name).cost(rows, outputs))


def suits(name: str) -> Suits:
    """What is known of a method; of one from another package nothing."""
    return TABLE.get("gaussian_process" if name == LOGARITHMIC else name, Suits())


def built(name: str, inputs: Space, outputs: Space, structure: Structure | None = None, **options: Any) -> Surrogate:
    """The unfitted surrogate of a name; a declared structure is kept by those that can.

    Raises:
        InputError: a name that is not known, or a surrogate that needs to be told more than its spaces.
    """
    if name == LINEAR:
        return _linear(inputs, outputs)
    if name == LOGARITHMIC:
        return _logarithmic(inputs, outputs, **options)
    if name in TOLD_MORE and name != "auto" and not options:
        raise InputError(
            f"The surrogate '{name}' needs more than inputs and outputs; build it and give it in place of its name."
        )
    if name not in known_surrogates():
        raise InputError(f"The surrogate '{name}' is not known{did_you_mean(name, known_candidates())}")
    found = surrogate_named(name)
    keeps = is_dataclass(found) and any(f.name == "structure" for f in fields(found))
    told = {**options, "structure": structure} if keeps and structure is not None else options
    made: Surrogate = found(inputs, outputs, **told)
    return made


def candidates_of(given: Any, inputs: Space, outputs: Space) -> dict[str, Surrogate]:
    """Surrogates by label, from names, surrogates, or a mapping from labels to either.

    Raises:
        InputError: none, one of other spaces, or something that is no surrogate.
    """
    if isinstance(given, str) or hasattr(given, "posterior"):
        given = [given]
    pairs: list[tuple[str, Any]] = (
        list(given.items())
        if isinstance(given, Mapping)
        else [(g if isinstance(g, str) else getattr(g, "name", repr(g)), g) for g in _sequence(given)]
    )
    if not pairs:
        raise InputError(
            "There are no surrogates to compare; give at least one, or leave them out for those that suit."
        )
    made: dict[str, Surrogate] = {}
    for label, entry in pairs:
        surrogate = built(entry, inputs, outputs) if isinstance(entry, str) else entry
        _check(label, surrogate, inputs, outputs)
        count, name = 2, label
        while name in made:
            name, count = f"{label} {count}", count + 1
        made[name] = surrogate
    return made


def _sequence(given: Any) -> Sequence[Any]:
    if not isinstance(given, Sequence):
        raise InputError(f"surrogates = {given!r}; give names or surrogates in a list, or a mapping with labels.")
    return given


def _check(label: str, surrogate: Any, inputs: Space, outputs: Space) -> None:
    if isinstance(surrogate, type) or not (hasattr(surrogate, "fit") and hasattr(surrogate, "inputs")):
        raise InputError(
            f"The candidate '{label}' is {surrogate!r}; give a name such as 'random_forest', or a surrogate built from "
            "its spaces."
        )
    for side, wanted in (("inputs", inputs), ("outputs", outputs)):
        mine = getattr(surrogate, side)
        if mine.component_names != wanted.component_names:
            raise InputError(
                f"The candidate '{label}' has the {side} {', '.join(mine.component_names)}, the data have "
                f"{', '.join(wanted.component_names)}; build all candidates from the same spaces and pass these as "
                f"{side}=."
            )
        for own, other in zip(mine, wanted, strict=True):
            if own.unit != other.unit:
                raise InputError(
                    f"The candidate '{label}' takes '{own.name}' in '{own.unit}', the data give it in '{other.unit}'; "
                    "build all candidates from the same spaces."
                )


def _linear(inputs: Space, outputs: Space) -> Surrogate:
    from sklearn.linear_model import LinearRegression

    from scalebridge.learn.scikit_learn import ScikitLearn

    return ScikitLearn(inputs, outputs, estimator=LinearRegression(), repeats=2)


def _logarithmic(inputs: Space, outputs: Space, **options: Any) -> Surrogate:
    from scalebridge.learn.gaussian_process import GaussianProcess
    from scalebridge.learn.transforms.scaling_law import ScalingLaw
    from scalebridge.learn.transforms.transformed import Transformed

    return Transformed(GaussianProcess(inputs, outputs, **options), (ScalingLaw(inputs=()),))
