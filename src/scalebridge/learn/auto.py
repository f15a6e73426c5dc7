"""The surrogate that suits the data: by rules that are told, then by cross-validation."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from scalebridge.errors import InputError
from scalebridge.learn.calibration.recalibrated import RecalibratedPosterior
from scalebridge.learn.calibration.splits import Split, kfold
from scalebridge.learn.calibration.wrapped import fit_on
from scalebridge.learn.candidates import LOGARITHMIC, built, candidates_of, known_candidates, suits
from scalebridge.learn.data_shape import Shape, shape_of
from scalebridge.learn.held_out import TOLD, HeldOut, held_out, joined, reason_of
from scalebridge.learn.learner import Data, Learner, least
from scalebridge.learn.scaling import Scaling
from scalebridge.learn.spread import same_rows
from scalebridge.models import Posterior, Structure, Surrogate
from scalebridge.quantities import Floats

FOLDS = 5
# Different rows from which parts of them are held back, and from which their errors rescale the deviations.
ENOUGH, ENOUGH_TO_RESCALE = 20, 30
# Noise over spread from which surrogates are tried whose noise changes.
NOISY = 0.03
# Powers of ten of positive outputs from which their logarithms are tried.
DECADES = 2.0
# A candidate that is so many times worse on the first split is not tried on the others.
FAR = 3.0
# Deviations are never cut below this part: errors that were small may have been so by luck.
LEAST_FACTOR = 0.5
# Rows from which boosted trees are worth their time unasked.
MANY = 2000


@dataclass(frozen=True)
class Chosen:
    """What fitting finds.

    Args:
        surrogate: the one chosen, fitted on all rows.
        choice: its name.
        reason: why, in sentences.
        factor: ``[m]``, of the deviations, from errors at rows held back; one where these say nothing.
        scores: names of what was cross-validated with the CRPS relative to the spread, the best first.
    """

    surrogate: Surrogate
    choice: str
    reason: str
    factor: Floats
    scores: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Auto(Learner[Chosen]):
    """A surrogate chosen for the data; see `scalebridge.models.Surrogate`.

    Rules on size, noise, range and steps of the data, and on the budget, make a short list; cross-validation on
    splits that part no equal rows picks the one of smallest CRPS. Where the errors at rows held back are told apart
    from the deviations claimed there, these are multiplied by one factor per output. ``choice`` and ``reason`` say
    what came of it, ``chosen`` is the surrogate itself, to go on with in a loop of few new runs.

    Args:
        inputs, outputs, margin: as in `Learner`.
        structure: what is known of the response; with a potential or a parity it is a Gaussian process that keeps it.
        candidates: names or surrogates in place of the short list.
        tried: how many of the short list are cross-validated at most; 1 takes its first unseen.
        budget_s: seconds that all fits may take by what they cost elsewhere; the dearest candidates are left out. None
            for no limit.
        derivative: only surrogates whose mean has one (for Newton's method).
        recalibrate: whether the errors at rows held back may rescale the deviations.
        seed: of the folds and of surrogates that have one.
    """

    structure: Structure = field(default_factory=Structure)
    candidates: tuple[str | Surrogate, ...] = ()
    tried: int = 4
    budget_s: float | None = 120.0
    derivative: bool = False
    recalibrate: bool = True
    seed: int = 0

    name = "auto"

    def _check_options(self) -> None:
        least(self.title, "tried", self.tried, 1)
        if self.budget_s is not None:
            least(self.title, "budget_s", self.budget_s, 0.0)
        given: Any = self.candidates
        object.__setattr__(self, "candidates", (given,) if isinstance(given, str) else tuple(given))
        if self.candidates:
            candidates_of(self.candidates, self.inputs, self.outputs)
        if self.structure.potential and self.inputs.size != self.outputs.size:
            raise InputError(
                f"A potential was declared for {self.inputs.size} inputs and {self.outputs.size} outputs; "
                "the gradient of a potential has as many components as the inputs."
            )

    @property
    def smooth(self) -> bool:
        """Whether the mean is the integral of its derivative; that of the surrogate chosen."""
        return self.fitted is None or bool(getattr(self.fitted.surrogate, "smooth", True))

    @property
    def chosen(self) -> Surrogate:
        """The surrogate chosen, fitted; its deviations are its own."""
        return self.state.surrogate

    @property
    def choice(self) -> str:
        """Name of the surrogate chosen."""
        return self.state.choice

    @property
    def reason(self) -> str:
        """Why it was chosen, in sentences."""
        return self.state.reason

    def _learn(self, data: Data) -> Chosen:
        one = np.ones(data.y.shape[1])
        if self.structure != Structure():
            made = built("gaussian_process", self.inputs, self.outputs, self.structure, margin=self.margin)
            kept = " and ".join(word for word in ("potential", "even") if getattr(self.structure, word))
            told = f"A structure is declared ({kept}): a Gaussian process keeps it."
            return Chosen(fit_on(made, data, slice(None)), "gaussian_process", told, one)
        shape = shape_of(data, self.seed)
        tried, why = self._short_list(shape)
        if shape.distinct < ENOUGH or shape.constant or len(tried) == 1:
            name, made = next(iter(tried.items()))
            return Chosen(fit_on(made, data, slice(None)), name, f"{shape.words()}: {why}.", one)
        return self._best(data, tried, f"{shape.words()}: {why}.")

    def _short_list(self, shape: Shape) -> tuple[dict[str, Surrogate], str]:
        """Candidates, those that go first before others, and why."""
        if self.candidates:
            return candidates_of(self.candidates, self.inputs, self.outputs), "the candidates were given"
        names, why = preferred(shape)
        if self.derivative:
            names = [name for name in names if suits(name).smooth]
        names = names[: self.tried]
        if self.budget_s is not None and shape.distinct >= ENOUGH:
            names, left_out = within(self.budget_s, names, shape)
            why += f"; left out for the budget: {', '.join(left_out)}" if left_out else ""
        return {name: self._built(name) for name in names}, why

    def _built(self, name: str) -> Surrogate:
        options: dict[str, Any] = {} if name == "linear" else {"margin": self.margin}
        made = built(name, self.inputs, self.outputs, **options)
        seeded: Any = made
        return replace(seeded, seed=self.seed) if "seed" in {f.name for f in fields(seeded)} else made

    def _best(self, data: Data, tried: dict[str, Surrogate], why: str) -> Chosen:
        labels, spread = same_rows(data.x + 0.0), Scaling.of(data.y).width
        splits = kfold(len(data), FOLDS, seed=self.seed, groups=labels)
        first, failed = _judged(tried, data, splits[:1])
        if not first:
            raise InputError(f"{self.title} found no candidate that can learn these data: {' '.join(failed)}")
        early = {name: float(np.mean(held.crps / spread)) for name, held in first.items()}
        near = {name: tried[name] for name in first if early[name] <= FAR * min(early.values())}
        rest, later = _judged(near, data, splits[1:], 1)
        found = {name: joined([first[name], held]) for name, held in rest.items()}
        if not found:
            raise InputError(f"{self.title} found no candidate that can learn these data: {' '.join(failed + later)}")
        score = {name: float(np.mean(held.crps / spread)) for name, held in found.items()}
        order = sorted(found, key=lambda name: score[name])
        told = ", ".join(f"{name} {score[name]:.3g}" for name in order)
        said = [why, *failed, *later, f"CRPS over the spread at rows held back: {told}."]
        far = ", ".join(f"{name} {early[name]:.3g}" for name in first if name not in near)
        said += [f"Left after the first of {FOLDS} splits: {far}."] if far else []
        factor = np.ones(data.y.shape[1])
        if self.recalibrate and labels.max() + 1 >= ENOUGH_TO_RESCALE:
            factor = rescaling(found[order[0]], data.noise_std)
            if (factor != 1).any():
                said.append(f"Its deviations are multiplied by {', '.join(f'{f:.2f}' for f in factor)}.")
        best = fit_on(tried[order[0]], data, slice(None))
        return Chosen(best, order[0], " ".join(said), factor, tuple((name, score[name]) for name in order))

    def _mean(self, x: Floats) -> tuple[Floats, Floats]:
        return self.state.surrogate.predict(x)

    def posterior(self, x: Floats) -> Posterior:
        """Joint posterior at ``x [n, d]``, that of the surrogate chosen, its deviations rescaled."""
        base, factor = self.state.surrogate.posterior(self.inputs.check(x, self.title)), self.state.factor
        if (factor == 1).all():
            return base
        return RecalibratedPosterior(base, factor, factor, (), (self.outputs.lower, self.outputs.upper))


def _judged(
    tried: dict[str, Surrogate], data: Data, splits: tuple[Split, ...], first: int = 0
) -> tuple[dict[str, HeldOut], list[str]]:
    """Answers of candidates at rows held back, and what is to be said of those that fail."""
    found, failed = {}, []
    for name, made in tried.items():
        try:
            found[name] = held_out(made, data, splits, first=first)[0]
        except Exception as error:
            failed.append(f"{name} failed: {reason_of(error)}.")
    return found, failed


def preferred(shape: Shape) -> tuple[list[str], str]:
    """Names of those that suit data of a shape, the likeliest first, and why."""
    noisy = shape.noise is not None and shape.noise > NOISY and shape.noise_by != "declared"
    if shape.constant:
        names, why = ["gaussian_process"], "the outputs do not vary"
    elif shape.distinct < ENOUGH:
        names = ["gaussian_process"]
        why = "too few to hold any back, a Gaussian process says how little it knows"
        if shape.distinct <= shape.inputs:
            why += ", which here is very little: there are fewer different rows than inputs and one more"
    elif noisy:
        names = ["gaussian_process", "heteroscedastic_gaussian_process", "polynomial_chaos", "sparse_gaussian_process"]
        why = "surrogates that learn noise, as it is or as it changes"
    else:
        names = ["gaussian_process", "polynomial_chaos", "sparse_gaussian_process", "random_forest"]
        why = "little noise, interpolation goes first"
    if shape.distinct >= ENOUGH and shape.decades >= DECADES:
        names.insert(1, LOGARITHMIC)
        why += ", with it one of logarithms"
    if shape.distinct >= ENOUGH and shape.categories + shape.steps > 0:
        names = [*names[:2], "random_forest", "gradient_boosting", *names[2:]]
        why += ", trees second for what takes few values"
    if shape.outputs > 1 and shape.distinct >= ENOUGH:
        names.insert(1, "multi_output_gaussian_process")
    if shape.distinct < 5 * shape.inputs and shape.distinct >= ENOUGH:
        names.insert(2, "linear")
        why += ", a linear law with them for there are few rows per input"
    known = known_candidates()
    if shape.rows >= MANY:
        names.insert(1, "gradient_boosting")
    fit = [n for n in dict.fromkeys(names) if n in (*known, LOGARITHMIC) and suits(n).fits(shape.rows, shape.outputs)]
    return fit or ["gaussian_process"], why


def within(budget_s: float, names: list[str], shape: Shape) -> tuple[list[str], list[str]]:
    """Names whose cross-validation and last fits are expected to take no longer together, and the dearest left out.

    Where not even one can be, the cheapest is taken, not cross-validated.
    """

    def cost(name: str) -> float:
        return suits(name).cost(shape.rows, shape.outputs) * (FOLDS + 1)

    kept, left_out = list(names), []
    while len(kept) > 1 and sum(cost(name) for name in kept) > budget_s:
        dearest = max(kept, key=cost)
        kept.remove(dearest)
        left_out.append(dearest)
    return kept, left_out


def rescaling(held: HeldOut, noise_std: Floats) -> Floats:
    """The factor ``[m]`` of the deviations by the greatest likelihood of the errors; one where it is not told from it.

    The variance of an error is that of the posterior times the factor squared, and the declared noise. Deviations are
    raised as the errors say, and cut only so far as two standard errors allow.
    """
    factor = np.ones(held.y.shape[1])
    for a in range(len(factor)):
        noise = noise_std[held.rows, a] ** 2
        square, own = (held.y[:, a] - held.mean[:, a]) ** 2, np.maximum(held.std[:, a] ** 2 - noise, 0.0)
        standard = square / np.maximum(own + noise, 1e-300)
        # Told apart: the mean square of standardised errors against its own standard error.
        mean, error = float(standard.mean()), float(standard.std(ddof=1)) / np.sqrt(len(standard))
        if not own.any() or abs(mean - 1) <= TOLD * error or (own < 1e-20 * square.mean()).all():
            continue
        likeliest = _likeliest(square, own, noise)
        slack = np.sqrt((mean + TOLD * error) / mean)
        factor[a] = likeliest if likeliest > 1 else min(max(likeliest * slack, LEAST_FACTOR), 1.0)
    return factor


def _likeliest(square: Floats, own: Floats, noise: Floats) -> float:
    from scipy.optimize import minimize_scalar

    def loss(t: float) -> float:
        variance = np.exp(2 * t) * own + noise + 1e-300
        return float(np.sum(np.log(variance) + square / variance))

    found = minimize_scalar(loss, bounds=(np.log(0.01), np.log(10.0)), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))
