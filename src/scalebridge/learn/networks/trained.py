"""Networks trained on parts of the runs, and what their deviations are worth on the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.learn.learner import Data
from scalebridge.learn.low_rank import LowRankPosterior, grouped
from scalebridge.learn.networks.recipe import FOLDS, Recipe
from scalebridge.learn.scaling import Scaling
from scalebridge.learn.spread import Spread, fit_spread, nearest, same_rows, unknown
from scalebridge.quantities import Floats, Space

if TYPE_CHECKING:
    from torch import Tensor, nn

    from scalebridge.networks import Trained


@dataclass(frozen=True)
class TrainedNetworks:
    """Members in scaled coordinates, and the spread of their errors.

    Args:
        x: scaling of the inputs; a constant one is as wide as infinity, the network does not see it.
        y: scaling of the outputs.
        points: the runs' inputs, scaled ``[b, d]``.
        varies: which outputs vary ``[m]``; the others are answered by their value.
        unseen: which rows each member had no part in ``[b, K]``.
        weights: the state dict of the network of all members; empty where there were too few runs to learn from.
        spread: of the error.
        curve: training loss, held-out loss and learning rate of every epoch ``[e, 3]``.
        best: the epoch whose weights were kept.
    """

    x: Scaling
    y: Scaling
    points: Floats
    varies: NDArray[np.bool_]
    unseen: NDArray[np.bool_]
    weights: Mapping[str, NDArray[Any]]
    spread: Spread
    curve: Floats
    best: int

    @property
    def unseen_only(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows and members that pair without the member having seen the row, ``[q b]`` each."""
        rows, members = np.nonzero(self.unseen)
        return rows, members

    def members(self, net: nn.Module | None, x: Floats) -> Floats:
        """Every member's answer ``[K, n, m]`` in scaled coordinates at ``x [n, d]`` in their own units."""
        if net is None:
            return np.zeros((1, len(x), len(self.varies)))
        import torch

        with torch.no_grad():
            answer: Floats = net(torch.as_tensor(self.x(x))).numpy() * self.varies
        return answer

    def mean(self, net: nn.Module | None, x: Floats) -> Floats:
        """Mean of the members ``[n, m]`` in the outputs' units."""
        return self.y.back(self.members(net, x).mean(axis=0))

    def slopes(self, net: nn.Module | None, x: Floats) -> Floats:
        """Derivative of `mean`, ``[n, m, d]``."""
        if net is None:
            return np.zeros((len(x), len(self.varies), x.shape[1]))
        slope = _derivative(lambda z: net(z).mean(dim=0), self.x(x), len(self.varies))
        result: Floats = slope * (self.y.width * self.varies)[:, None] / self.x.width
        return result

    def posterior(self, net: nn.Module | None, x: Floats, bounds: tuple[Floats, Floats]) -> LowRankPosterior:
        """Joint posterior: the members' deviations, and a rest that points with the same nearest run share."""
        members, n, m = self.members(net, x), len(x), len(self.varies)
        factor = np.zeros((n, m, 0))
        if len(members) > 1:
            apart = np.moveaxis(members - members.mean(axis=0), 0, 2) / np.sqrt(len(members) - 1)
            factor = apart * (self.spread.follows * self.y.width)[:, None]
        rest = np.broadcast_to(self.spread.rest * self.y.width, (n, m))
        near = np.broadcast_to(nearest(self.x(x), self.points)[:, None, None], (n, m, 1))
        mean = np.clip(self.y.back(members.mean(axis=0)), *bounds)
        shared = grouped(near, rest) if rest.any() else None
        return LowRankPosterior(mean, factor, np.zeros((n, m)), shared, bounds)


def learned(
    build: Callable[[int], nn.Module],
    data: Data,
    inputs: Space,
    outputs: Space,
    recipe: Recipe,
    seed: int,
    precision: str = "float64",
) -> TrainedNetworks:
    """Train members on all but one of five folds each, all at once; fit the spread on what they had not seen.

    Equal rows share a fold. Training stops when the mean loss of the members on their own held-out rows does. With
    fewer than five different rows nothing can be held out: the answer is their mean.

    Args:
        build: from a number of members K to a module ``[b, d]`` to ``[K, b, m]``.
        data: the runs.
        inputs, outputs: the spaces; the components of an image are scaled alike.
        recipe: how they are trained.
        seed: of the folds and of the training.
        precision: of the training; the trained network answers in float64.
    """
    x, y = _scaling(data.x, inputs), _scaling(data.y, outputs)
    moves, varies = _changing(data.x, x), _changing(data.y, y)
    x = Scaling(x.centre, np.where(moves, x.width, np.inf))
    y = Scaling(np.where(varies, y.centre, data.y[0]), y.width)
    at, value, labels = x(data.x), y(data.y), same_rows(data.x)
    count = int(labels.max()) + 1
    unit = np.full(value.shape[1], unknown(count))
    if count < FOLDS:
        centre = Scaling(data.y.mean(axis=0), y.width)
        nothing = np.zeros((len(at), 0), dtype=bool)
        return TrainedNetworks(x, centre, at, varies, nothing, {}, Spread(unit, unit), np.zeros((0, 3)), 0)
    unseen = _folds(labels, recipe.repeats, seed)
    net = build(recipe.members)
    told = _trained(net, at, value, unseen, recipe, seed, precision)
    net.double()
    weights = {name: v.detach().cpu().numpy().copy() for name, v in net.state_dict().items()}
    curve = np.array([[e.training, e.validation, e.learning_rate] for e in told.history])
    first = TrainedNetworks(x, y, at, varies, unseen, weights, Spread(unit, unit), curve, told.best)
    spread = _spread(first.members(net, data.x), value, unseen, data.noise_std / y.width, unit)
    return TrainedNetworks(x, y, at, varies, unseen, weights, spread, curve, told.best)


def rebuilt(build: Callable[[int], nn.Module], state: TrainedNetworks) -> nn.Module | None:
    """The network of all members with its weights, None where there were too few runs to train one."""
    if not state.weights:
        return None
    import torch

    net = build(state.unseen.shape[1]).double()
    net.load_state_dict({name: torch.as_tensor(v) for name, v in state.weights.items()})
    return net.eval()


def _scaling(values: Floats, space: Space) -> Scaling:
    """Column by column, but one for all components of an image or a field."""
    parts, start = [], 0
    for variable in space:
        columns = values[:, start : start + variable.size]
        start += variable.size
        if len(variable.shape) < 2:
            parts.append(Scaling.of(columns))
            continue
        one = Scaling.of(columns.reshape(-1, 1))
        parts.append(Scaling(np.repeat(one.centre, variable.size), np.repeat(one.width, variable.size)))
    return Scaling(np.concatenate([p.centre for p in parts]), np.concatenate([p.width for p in parts]))


def _changing(values: Floats, scaling: Scaling) -> NDArray[np.bool_]:
    return np.asarray(np.ptp(values, axis=0) > 1e-12 * scaling.width)


def _folds(labels: NDArray[np.int64], repeats: int, seed: int) -> NDArray[np.bool_]:
    """Rows that each member does not see ``[b, K]``: a fifth each, every row once in each repeat."""
    unseen = []
    for repeat in range(repeats):
        fold = np.random.default_rng((seed, repeat)).permutation(int(labels.max()) + 1) % FOLDS
        unseen += [fold[labels] == v for v in range(FOLDS)]
    return np.stack(unseen, axis=1)


def _trained(
    net: nn.Module,
    at: Floats,
    value: Floats,
    unseen: NDArray[np.bool_],
    recipe: Recipe,
    seed: int,
    precision: str,
) -> Trained:
    import torch

    from scalebridge.networks import train

    dtype = {"float32": torch.float32, "float64": torch.float64}[precision]
    x, y, held = (torch.as_tensor(a, dtype=dtype) for a in (at, value, unseen))
    told = train(
        net.to(dtype),
        _squared,
        (x, y, 1 - held),
        validation=(x, y, held),
        epochs=recipe.epochs,
        batch=recipe.batch,
        patience=recipe.patience,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        seed=seed,
    )
    if told.stopped == "interrupted":
        raise KeyboardInterrupt
    return told


def _squared(net: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    """Mean square error of every member over the rows that are its own."""
    x, y, own = batch
    error: Tensor = (net(x) - y).square().mean(dim=-1)
    return (error * own.T).sum() / own.sum().clamp(min=1.0)


def _spread(members: Floats, value: Floats, unseen: NDArray[np.bool_], noise: Floats, unit: Floats) -> Spread:
    """From the errors of the members that had not seen a row.

    Their mean is one of q members where the surrogate's is one of K: it errs by ``s^2 (1/q - 1/K)`` more, with s the
    deviation between members, which is taken off as a noise is.
    """
    k, q = len(members), int(unseen.sum(axis=1)[0])
    out = np.stack([members[own, row] for row, own in enumerate(unseen)])
    told = out.std(axis=1, ddof=1) if q > 1 else members.std(axis=0, ddof=1)
    extra = np.sqrt(noise**2 + told**2 * (1 / q - 1 / k))
    return fit_spread(value - out.mean(axis=1), told, extra, unit)


def _derivative(function: Callable[[Tensor], Tensor], x: Floats, m: int) -> Floats:
    """``[n, m, d]`` of a function of rows ``[n, d]`` to ``[n, m]``: output by output, or input by input if fewer."""
    import torch

    at = torch.as_tensor(x).requires_grad_(True)
    n, d = at.shape
    slope = np.zeros((n, m, d))
    values = function(at)
    if m <= d:
        for i in range(m):
            slope[:, i] = torch.autograd.grad(values[:, i].sum(), at, retain_graph=i < m - 1)[0].numpy()
        return slope
    # The product with any v [n, m] is linear in v, and its derivative with respect to v is the slope.
    v = torch.zeros_like(values, requires_grad=True)
    (product,) = torch.autograd.grad(values, at, v, create_graph=True)
    for j in range(d):
        slope[:, :, j] = torch.autograd.grad(product[:, j].sum(), v, retain_graph=j < d - 1)[0].numpy()
    return slope
