"""Responses that do not change, or only in sign, when their inputs are exchanged or reflected."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.learn.learner import Data
from scalebridge.learn.transforms.posteriors import LinearPosterior
from scalebridge.learn.transforms.transform import Inside, Step, Transform, columns_of
from scalebridge.quantities import Floats, Space

# Four inputs that may be exchanged make 24 maps.
MOST_MAPS = 48
Names = tuple[str, ...]


@dataclass(frozen=True)
class Symmetric(Transform):
    """Fold the inputs to the part of their space that stands for all: the symmetry holds to the last bit, everywhere.

    Of all images of a point under the group, the surrogate inside sees one; so of every run: no image of a run that is
    left out can help to predict it, and intervals from cross-validation stay honest. Where two parts meet, the answer
    has a kink, or for ``odd`` and for inputs that go together a step, as large as its error there.

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

    def fit(self, data: Data, inputs: Space, outputs: Space) -> Folded:
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
        return Folded(inputs, outputs, np.stack([a for a, _ in maps]), np.array([s for _, s in maps]), names)


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
class Folded(Step):
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
        """Every run at its image in the part that stands for all."""
        x, _, sign = self._fold(data.x)
        return Data(x, sign[:, None] * data.y, data.noise_std)

    def predict(self, inside: Inside, x: Floats) -> tuple[Floats, Floats]:
        """Mean at the image, and its derivative."""
        z, chosen, sign = self._fold(x)
        mean, slope = inside.predict(z)
        return sign[:, None] * mean, sign[:, None, None] * (slope @ self.maps[chosen])

    def posterior(self, inside: Inside, x: Floats) -> LinearPosterior:
        """That of the inside at the images."""
        z, _, sign = self._fold(x)
        m = self.outputs.size
        return LinearPosterior(inside.posterior(z), sign[:, None, None] * np.eye(m), np.zeros(m), np.zeros(m))

    def contains(self, inside: Inside, x: Floats) -> NDArray[np.bool_]:
        """Where the image is in the domain inside."""
        return inside.contains(self._fold(x)[0])

    def _fold(self, x: Floats) -> tuple[Floats, NDArray[np.int64], Floats]:
        """The image of each point that is last in the order of words ``[n, d]``, its map and the outputs' sign.

        Maps move numbers and change signs: images are equal to the last bit, and so are answers. A point that is its
        own image with the other sign has the sign zero.
        """
        # Minus zero becomes zero.
        images = np.stack([x @ a.T for a in self.maps]) + 0.0
        last = np.ones(images.shape[:2], dtype=bool)
        for column in range(x.shape[1]):
            values = np.where(last, images[:, :, column], -np.inf)
            last &= values == values.max(axis=0)
        chosen = np.argmax(last, axis=0)
        sign = (self.signs[:, None] * last).sum(axis=0) / last.sum(axis=0)
        return images[chosen, np.arange(len(x))], chosen, sign
