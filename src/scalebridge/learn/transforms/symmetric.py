"""Responses that do not change, or only in sign, when their inputs are exchanged or reflected."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.learn.ensemble import MixturePosterior
from scalebridge.learn.learner import Data
from scalebridge.learn.transforms.posteriors import LinearPosterior
from scalebridge.learn.transforms.transform import Inside, Step, Transform, columns_of
from scalebridge.quantities import Floats, Space

# Four inputs that may be exchanged make 24 maps.
MOST_MAPS = 48
Names = tuple[str, ...]


@dataclass(frozen=True)
class Symmetric(Transform):
    """Average the answers over a finite group of maps of the inputs: the symmetry holds exactly, everywhere.

    The surrogate inside learns the images of every run too. The posterior is that of one image taken by chance: as wide
    as those of the images and what they differ by.

    Args:
        exchange: sets of inputs that may be exchanged, as in ``[("a", "b", "c")]``; inputs that go together are
            tuples of their own, ``[(("x1", "y1"), ("x2", "y2"))]``.
        even: sets of inputs whose common change of sign changes nothing, ``[("v",)]``.
        odd: the same, where it changes the sign of all outputs.

    Raises:
        InputError: no symmetry; on fitting, unknown names, sets of unlike inputs, more than 48 maps, or maps that
            contradict each other.
    """

    exchange: tuple[Any, ...] = ()
    even: tuple[Any, ...] = ()
    odd: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        for name in ("exchange", "even", "odd"):
            object.__setattr__(self, name, tuple(_frozen(entry) for entry in getattr(self, name)))
        if not (self.exchange or self.even or self.odd):
            raise InputError(
                'Symmetric got no symmetry; give exchange=[("a", "b")], even=[("v",)] or odd=[("x", "y")].'
            )

    def turns_all(self, inputs: Space) -> bool:
        """Whether the change of sign of all inputs at once is declared to be that of the outputs."""
        return any(set(_columns(inputs, item)) == set(range(inputs.size)) for item in self.odd)

    def fit(self, data: Data, inputs: Space, outputs: Space) -> Images:
        """Close the group."""
        d = inputs.size
        generators: list[tuple[Floats, float]] = []
        for group in self.exchange:
            sets = [_columns(inputs, item) for item in group]
            if len(sets) < 2 or len({len(s) for s in sets}) > 1:
                raise InputError(
                    f"Symmetric cannot exchange {group!r}; give at least two inputs, or sets of as many inputs each."
                )
            for first, second in itertools.pairwise(sets):
                order = np.arange(d)
                order[first], order[second] = second, first
                _check_units(inputs, first, second)
                generators.append((np.eye(d)[order], 1.0))
        for sign, sets_of in ((1.0, self.even), (-1.0, self.odd)):
            for item in sets_of:
                signs = np.ones(d)
                signs[_columns(inputs, item)] = -1.0
                generators.append((np.diag(signs), sign))
        maps = _closed(generators, d)
        names = tuple(f"{kind} {entry}" for kind in ("exchange", "even", "odd") for entry in getattr(self, kind))
        return Images(inputs, outputs, np.stack([a for a, _ in maps]), np.array([s for _, s in maps]), names)


def _frozen(entry: Any) -> Any:
    return entry if isinstance(entry, str) else tuple(_frozen(part) for part in entry)


def _columns(space: Space, item: Any) -> list[int]:
    names: Iterable[str] = (item,) if isinstance(item, str) else item
    return [column for name in names for column in columns_of(space, name, "Symmetric")]


def _check_units(inputs: Space, first: list[int], second: list[int]) -> None:
    units = [v.unit for v in inputs for _ in range(v.size)]
    for a, b in zip(first, second, strict=True):
        if units[a] != units[b]:
            names = inputs.component_names
            raise InputError(
                f"Symmetric cannot exchange '{names[a]}' ({units[a]}) with '{names[b]}' ({units[b]}); declare both in "
                "one unit."
            )


def _closed(generators: list[tuple[Floats, float]], d: int) -> list[tuple[Floats, float]]:
    """All products of the maps, the one that changes nothing first."""
    found: dict[bytes, tuple[Floats, float]] = {np.eye(d).tobytes(): (np.eye(d), 1.0)}
    fresh = list(found.values())
    while fresh:
        made = [(a @ b, s * t) for a, s in fresh for b, t in generators]
        fresh = []
        for a, s in made:
            # Minus zero is another byte.
            key = (a + 0.0).tobytes()
            if key not in found:
                found[key] = (a + 0.0, s)
                fresh.append(found[key])
            elif found[key][1] != s:
                raise InputError(
                    "Symmetric got maps that contradict each other: one of them leaves the outputs as they are and "
                    "changes their sign; the answer would be zero."
                )
            if len(found) > MOST_MAPS:
                raise InputError(
                    f"Symmetric got maps that make more than {MOST_MAPS} together; declare fewer, or learn sorted or "
                    "summed inputs instead."
                )
    return list(found.values())


@dataclass(frozen=True)
class Images(Step):
    """A finite group: maps of the inputs ``[g, d, d]`` and the sign of the outputs under each ``[g]``."""

    inputs: Space
    outputs: Space
    maps: Floats
    signs: Floats
    words: tuple[str, ...]

    @property
    def told(self) -> tuple[str, ...]:
        """The symmetries declared."""
        return self.words

    def inward(self, data: Data) -> Data:
        """Every run with its images, each as uncertain as if it were all that the run tells."""
        x = np.concatenate(self._images(data.x))
        y = np.concatenate([sign * data.y for sign in self.signs])
        noise = np.tile(data.noise_std, (len(self.maps), 1))
        _, kept, label, counts = np.unique(
            np.concatenate([x, y, noise], axis=1), axis=0, return_index=True, return_inverse=True, return_counts=True
        )
        kept = np.sort(kept)
        # A run that is its own image is told once. Images share their run's noise: together they weigh as one run.
        share = np.sqrt(len(self.maps) / counts[label.reshape(-1)[kept]])
        return Data(x[kept], y[kept], noise[kept] * share[:, None])

    def predict(self, inside: Inside, x: Floats) -> tuple[Floats, Floats]:
        """Average over the images, and its derivative."""
        told = [inside.predict(z) for z in self._images(x)]
        means = [s * mean for s, (mean, _) in zip(self.signs, told, strict=True)]
        slopes = [s * slope @ a for s, a, (_, slope) in zip(self.signs, self.maps, told, strict=True)]
        return np.mean(means, axis=0), np.mean(slopes, axis=0)

    def posterior(self, inside: Inside, x: Floats) -> MixturePosterior:
        """One image by chance."""
        m = self.outputs.size
        members = [
            LinearPosterior(inside.posterior(z), np.tile(s * np.eye(m), (len(x), 1, 1)), np.zeros(m), np.zeros(m))
            for s, z in zip(self.signs, self._images(x), strict=True)
        ]
        mean = np.mean([member.mean for member in members], axis=0)
        free = np.full(m, np.inf)
        return MixturePosterior(tuple(members), mean, (-free, free))

    def contains(self, inside: Inside, x: Floats) -> NDArray[np.bool_]:
        """Where any image is in the domain inside, which holds the images of all runs."""
        kept: NDArray[np.bool_] = np.any([inside.contains(z) for z in self._images(x)], axis=0)
        return kept

    def _images(self, x: Floats) -> list[Floats]:
        return [x @ a.T for a in self.maps]
