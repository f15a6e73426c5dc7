"""A Gaussian process: on the potential where the response has one, else averaged over covariances, output by output."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch

from scalebridge.errors import InputError
from scalebridge.learn.around_prior import AroundPrior, fit_around_prior
from scalebridge.learn.averaged import Averaged, Output, Seen
from scalebridge.learn.forms import Form
from scalebridge.learn.gaussian_posterior import GaussianPosterior
from scalebridge.learn.learned_outputs import Search, learn_outputs
from scalebridge.learn.learner import Data, Learner, least, one_of
from scalebridge.learn.radial import PROFILES
from scalebridge.learn.scaling import Scaling
from scalebridge.models import Structure
from scalebridge.quantities import Floats

# Profiles that "auto" also takes with a sum over single inputs.
SMOOTH = ("squared_exponential", "matern72")
# Numbers that the runs tell of an output, values and slopes: above the first there are no draws of the parameters,
# and slopes are taken from so many runs only that there are no more than the second.
DRAWN, MOST = 1500, 2000


@dataclass(frozen=True)
class Fitted:
    """What fitting finds where the response has no potential.

    Args:
        centre, extent: ``[d]``; scaled inputs are ``(x - centre) / extent``.
        level, units: ``[m]``; outputs are ``level + units * scaled``.
        averaged: the process in scaled coordinates.
    """

    centre: Floats
    extent: Floats
    level: Floats
    units: Floats
    averaged: Averaged


@dataclass(frozen=True)
class GaussianProcess(Learner["Fitted | AroundPrior"]):
    """Exact Gaussian process; see `scalebridge.models.Surrogate`.

    Without a potential the outputs are learned one by one. Covariances are weighed by their (tempered) evidence and
    the mean and the variance are averages over draws of their parameters: intervals hold with few runs too, because
    lengths that the runs leave open stay open. A linear trend is part of the process and as uncertain as the runs
    leave it. With a potential there is a parametric prior mean and the most probable lengths are taken.

    A ``jacobian`` given to `fit` is learned from, by the exact covariance of values and slopes (Solak et al. 2003);
    a row with an entry that is not finite gave none. A declared ``noise_std`` is that of the values alone, that of the
    slopes is learned: slopes that contradict the values widen the answer. Of an output, b values and b d slopes count
    as runs do in cost: above 1500 of both the most probable parameters are taken for true, and above 2000 slopes are
    taken from every second run, or fewer. With slopes there are no sums over single inputs, and with a potential the
    ``jacobian`` is not used.

    Args:
        inputs, outputs, margin: as in `Learner`.
        structure: ``potential`` learns the potential through its gradient (needs ``m = d``);
            ``even`` makes the response odd.
        profile: ``"auto"``, ``"squared_exponential"``, ``"matern72"`` or ``"matern52"``. ``"auto"`` weighs all three,
            and the two smoother ones with a sum over single inputs beside; for a potential it is ``"matern72"``.
        noise: ``"learned"`` adds a noise that the runs do not declare, and says it as scatter of the response;
            ``"declared"`` trusts ``noise_std``, zero where there is none; ``"auto"`` learns it where none is declared
            and rows are repeated or there are 5 d + 10 of them, fewer of which cannot tell it from the response.
        trend: ``"learned"`` makes a linear trend part of the process; ``"fitted"`` fits it first and takes it for true,
            the most probable lengths too, which is quick and too sure with few runs: where runs verify what it says.
            With ``"fitted"`` noise is the declared one and slopes are not used. A potential's is fitted.
        gradients: ``"auto"`` learns from a ``jacobian`` where one is given; ``"ignore"`` does not.
        lengths: ``"each"`` output has parameters of its own, or all are ``"shared"``. Not for a potential.
        average: how many draws of the parameters; 0 takes the most probable ones for true, which is quick and too
            sure. Not for a potential.
        restarts: further searches for the most probable parameters, from random starts. Not for a potential.
        seed: of starts and draws.

    Raises:
        InputError: a potential with ``m != d`` or a noise to be learned, non-finite or misshapen data, no data.
    """

    structure: Structure = field(default_factory=Structure)
    profile: str = "matern72"
    noise: str = field(default="auto", kw_only=True)
    trend: str = field(default="learned", kw_only=True)
    gradients: str = field(default="auto", kw_only=True)
    lengths: str = field(default="each", kw_only=True)
    average: int = field(default=8, kw_only=True)
    restarts: int = field(default=0, kw_only=True)
    seed: int = field(default=0, kw_only=True)

    name = "gaussian_process"
    version = "3"

    def _check_options(self) -> None:
        one_of(self.title, "profile", self.profile, ("auto", *PROFILES))
        one_of(self.title, "noise", self.noise, ("auto", "declared", "learned"))
        one_of(self.title, "trend", self.trend, ("learned", "fitted"))
        one_of(self.title, "gradients", self.gradients, ("auto", "ignore"))
        one_of(self.title, "lengths", self.lengths, ("each", "shared"))
        for option in ("average", "restarts", "seed"):
            least(self.title, option, getattr(self, option), 0)
        if self.structure.potential and self.inputs.size != self.outputs.size:
            raise InputError(
                f"A potential was declared for {self.inputs.size} inputs and {self.outputs.size} outputs; "
                "the gradient of a potential has as many components as the inputs."
            )
        if self.structure.potential and self.noise == "learned":
            raise InputError(
                f"{self.title} got noise = 'learned' with a potential, whose noise is the declared one; give "
                "noise = 'declared' and noise_std with the runs."
            )

    def _learn(self, data: Data) -> Fitted | AroundPrior:
        if not self.structure.potential and self.trend == "learned":
            return _averaged(self, data)
        earlier = self.fitted if isinstance(self.fitted, AroundPrior) else None
        profile = "matern72" if self.profile == "auto" else self.profile
        return fit_around_prior(self.structure, profile, self.inputs, data, earlier)

    def _mean(self, x: Floats) -> tuple[Floats, Floats]:
        f = self.state
        if isinstance(f, AroundPrior):
            return f.mean(x)
        values, slopes = f.averaged.apply(torch.from_numpy((x - f.centre) / f.extent))
        return f.level + values.numpy() * f.units, slopes.numpy() * f.units[:, None] / f.extent

    def posterior(self, x: Floats) -> GaussianPosterior:
        """Joint posterior at ``x [n, d]``; a noise that was learned is part of it, a declared one is not."""
        f = self.state
        x = self.inputs.check(x, self.title)
        bounds = (self.outputs.lower, self.outputs.upper)
        if isinstance(f, AroundPrior):
            return GaussianPosterior(self.predict(x)[0], torch.from_numpy(x / f.extent), f.conditioned, f.units, bounds)
        at = torch.from_numpy((x - f.centre) / f.extent)
        mean = np.clip(f.level + f.averaged.mean(at).numpy() * f.units, *bounds)
        scatter = np.array([output.noise for output in f.averaged.outputs]) * f.units**2
        residual = np.tile(scatter, (len(x), 1)) if scatter.any() else None
        return GaussianPosterior(mean, at, f.averaged, f.units, bounds, residual)


def _averaged(made: GaussianProcess, data: Data) -> Fitted:
    odd, b = made.structure.even, len(data)
    centre, extent = _box(data.x, odd)
    level, units = _spread(data.y, odd)
    bent, slopes = _slopes(data) if made.gradients == "auto" else _no_slopes(data)
    seen = Seen(torch.from_numpy((data.x - centre) / extent), torch.from_numpy((bent - centre) / extent))
    m, told = data.y.shape[1], np.swapaxes(slopes * extent / units[:, None], 1, 2)
    values = torch.from_numpy(np.concatenate([(data.y - level) / units, told.reshape(-1, m)]))
    # A noise that is declared is one of the values.
    nugget = torch.zeros_like(values)
    nugget[:b] = torch.from_numpy((data.noise_std / units) ** 2)
    search = Search(
        _forms(made, data, len(bent) > 0),
        made.average if len(seen) <= DRAWN else 0,
        made.profile == "auto",
        made.restarts,
        made.seed,
    )
    known = made.fitted.averaged.outputs if isinstance(made.fitted, Fitted) else None
    outputs: list[Output] = []
    for group in [[a] for a in range(m)] if made.lengths == "each" else [list(range(m))]:
        earlier = None if known is None else [known[a] for a in group]
        outputs += learn_outputs(search, seen, values[:, group], nugget[:, group], earlier)
    return Fitted(centre, extent, level, units, Averaged(seen.points, tuple(outputs), seen.bent))


def _forms(made: GaussianProcess, data: Data, bent: bool) -> tuple[Form, ...]:
    d, noisy = data.x.shape[1], _noisy(made.noise, data)
    if made.profile != "auto":
        return (Form(made.profile, False, made.structure.even, noisy, d, bent),)
    kinds = [(profile, False) for profile in PROFILES]
    if d > 1 and not bent:
        kinds += [(profile, True) for profile in SMOOTH]
    return tuple(Form(profile, alone, made.structure.even, noisy, d, bent) for profile, alone in kinds)


def _no_slopes(data: Data) -> tuple[Floats, Floats]:
    m, d = data.y.shape[1], data.x.shape[1]
    return np.empty((0, d)), np.empty((0, m, d))


def _slopes(data: Data) -> tuple[Floats, Floats]:
    """Inputs ``[c, d]`` of runs that gave slopes, and these ``[c, m, d]``; evenly fewer where they are too many."""
    if data.jacobian is None:
        return _no_slopes(data)
    b, d = data.x.shape
    rows = np.flatnonzero(np.isfinite(data.jacobian).all(axis=(1, 2)))
    room = max(MOST - b, 0) // d
    rows = rows[:: max(-(-len(rows) // room), 1)] if room else rows[:0]
    return data.x[rows], data.jacobian[rows]


def _noisy(option: str, data: Data) -> bool:
    if option != "auto":
        return option == "learned"
    b, d = data.x.shape
    return not data.noise_std.any() and (b >= 5 * d + 10 or len(np.unique(data.x, axis=0)) < b)


def _box(x: Floats, odd: bool) -> tuple[Floats, Floats]:
    """Centre and extent of each input; one that never changed keeps its own size as extent, or one if it is zero."""
    size = np.abs(x).max(axis=0)
    centre = np.zeros_like(size) if odd else 0.5 * (x.min(axis=0) + x.max(axis=0))
    width = size if odd else np.ptp(x, axis=0)
    return centre, np.where(width > 1e-12 * size, width, np.where(size > 0, size, 1.0))


def _spread(y: Floats, odd: bool) -> tuple[Floats, Floats]:
    """Level and unit of each output."""
    if odd:
        root = np.sqrt(np.mean(y**2, axis=0))
        return np.zeros_like(root), np.where(root > 0, root, 1.0)
    scaling = Scaling.of(y)
    return scaling.centre, scaling.width
