"""Single fibres across a slice: centres, diameters, how sure each one is, and which are misaligned."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.denoising import fill_outside
from scalebridge.microstructure.fibre_candidates import blobs, distinct
from scalebridge.microstructure.fibre_fit import Discs, explained, fit_globals, refine
from scalebridge.microstructure.fibre_flags import cut_by_edge, in_plane
from scalebridge.microstructure.fibre_precision import blur_error, deviations
from scalebridge.microstructure.fibres import fibre_diameter, pixel_size_from_fibre
from scalebridge.microstructure.micrograph import Micrograph
from scalebridge.microstructure.segmentation import Segmentation, segment

Grey = NDArray[np.float64]
Mask = NDArray[np.bool_]

ROUNDED = 1 / 255 / 12**0.5
"""Deviation by the rounding of grey values to eight bits."""

ROUNDS = ((1.0, 0.2), (1.4, 0.25), (0.8, 0.25), (0.8, 0.25))
"""Radius (in typical ones) and least response (in contrasts) of each search; all but the first look at what the
fibres found before leave unexplained."""

FAINTEST = 0.25
"""Least brightness of a fibre, grey step times area, in units of the median one: a speck is small and faint."""

PALEST = 0.35
"""Least grey step of a fibre, in units of the median one."""

CONTACT = 0.75
"""Centres nearer than this share of the sum of the radii cannot be two fibres: sections do not overlap."""


@dataclass(frozen=True, eq=False)
class Fibres:
    """Fibres of a slice, one row each; build it by `detect_fibres`.

    Attributes:
        image: the image they were found in.
        centres: row and column of each centre in pixels, ``[n, 2]``; (0, 0) is the middle of the first pixel.
        centres_std: deviation of each, ``[n]``, pixels.
        diameters: ``[n]``, pixels.
        diameters_std: deviation of each single one by noise, ``[n]``, pixels.
        confidence: share of the grey variance around the fibre that its circle explains, in [0, 1], ``[n]``.
        aspect: ratio of the axes of the fitted ellipse, at least 1, ``[n]``.
        cut: fibres that the edge of the image or of the field of view cuts, ``[n]``.
        misaligned: fibres that run in the plane of the slice (stitches, backing), or far from round, ``[n]``.
        diameter: mean diameter of the fibres that are neither cut nor misaligned, pixels.
        diameter_std: its deviation: noise, and the blur of the image, which every fibre shares.
        scatter: deviation of single diameters in the material, noise taken off, pixels.
        blur: deviation of the Gaussian blur of the edges, pixels.
        inside: the field of view, ``[rows, columns]``.
        notes: warnings, one sentence each.
    """

    image: Micrograph
    centres: Grey
    centres_std: Grey
    diameters: Grey
    diameters_std: Grey
    confidence: Grey
    aspect: Grey
    cut: Mask
    misaligned: Mask
    diameter: float
    diameter_std: float
    scatter: float
    blur: float
    inside: Mask
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.centres)

    @property
    def whole(self) -> Mask:
        """Fibres that count for statistics: neither cut nor misaligned, ``[n]``."""
        return ~self.cut & ~self.misaligned

    @property
    def fraction(self) -> float:
        """Area share of all circles within the field of view; where two overlap the area counts once."""
        return float(self.mask()[self.inside].mean())

    def only(self, chosen: Mask) -> Fibres:
        """Return some of the fibres; the mean diameter stays that of all.

        Raises:
            InputError: a selection of another length.
        """
        if np.shape(chosen) != (len(self),):
            raise InputError(f"The selection has the shape {np.shape(chosen)}; one entry per fibre, ({len(self)},).")
        rows = ("centres", "centres_std", "diameters", "diameters_std", "confidence", "aspect", "cut", "misaligned")
        return replace(self, **{name: getattr(self, name)[chosen] for name in rows})

    def mask(self) -> Mask:
        """Return the pixels whose middle lies in a circle, ``[rows, columns]``."""
        from skimage.draw import disk

        drawn = np.zeros(self.image.shape, dtype=bool)
        for centre, diameter in zip(self.centres, self.diameters, strict=True):
            drawn[disk(tuple(centre), float(diameter) / 2, shape=drawn.shape)] = True
        return drawn

    def pixel_size(self, diameter: str) -> str:
        """Return the pixel size that makes the mean diameter the known one, as ``fibres.pixel_size("17 um")``."""
        return pixel_size_from_fibre(self.diameter, diameter)

    def describe(self) -> str:
        """Return count and mean diameter, in one line."""
        return (
            f"{len(self)} fibres ({int(self.cut.sum())} cut by the edge, {int(self.misaligned.sum())} misaligned), "
            f"diameter {self.diameter:.2f} ± {self.diameter_std:.2f} pixels, single ones ± {self.scatter:.2f}"
        )


def detect_fibres(
    image: Micrograph | Segmentation, *, confidence: float = 0.5, diameter: float | None = None
) -> Fibres:
    """Find the fibres that cross a slice, with sub-pixel centres and diameters.

    Candidates are bright blobs of the typical radius (Laplacian of a Gaussian). An image of blurred discs, drawn
    together so that fibres in contact share their edge, is fitted to the grey values by least squares; what it leaves
    unexplained is searched for smaller and larger ones; discs that are faint, slim, share their place with a better
    one or explain too little are dropped.

    Args:
        image: the image, or its segmentation (which gives the field of view, the voids and the first guess).
        confidence: least share of the grey variance around a fibre that its circle explains.
        diameter: typical diameter in pixels, where the first guess by `fibre_diameter` is wrong.

    Raises:
        InputError: an image of one phase or with fewer than three round fibres, or an option out of range.
    """
    _check(confidence, diameter)
    phases = image if isinstance(image, Segmentation) else segment(image, 3)
    grey = fill_outside(phases.image.grey, phases.inside)
    seen = phases.inside & ~_dilated(phases.voids)
    typical = (fibre_diameter(phases).pixels if diameter is None else diameter) / 2
    discs = _fitted(grey, seen, phases, typical, confidence)
    if len(discs.values) < 3:
        raise InputError(
            f"Only {len(discs.values)} fibres were found in '{phases.image.name}'; give an image across the fibres, "
            "diameter= in pixels, or a lower confidence=."
        )
    return _fibres(discs, grey, seen, phases)


def _check(confidence: float, diameter: float | None) -> None:
    if not 0 <= confidence < 1:
        raise InputError(f"The least confidence of a fibre is {confidence}; it must lie in [0, 1).")
    if diameter is not None and not (np.isfinite(diameter) and diameter >= 3):
        raise InputError(f"The typical fibre diameter is {diameter} pixels; circles need at least 3.")


def _dilated(voids: Mask) -> Mask:
    from scipy.ndimage import binary_dilation

    return np.asarray(binary_dilation(voids, iterations=1))


def _noise(phases: Segmentation) -> float:
    """Deviation of a pixel about the model: that of the image, or the rounding of eight bits where it has none."""
    return max(phases.noise, ROUNDED)


def _fitted(grey: Grey, seen: Mask, phases: Segmentation, typical: float, confidence: float) -> Discs:
    values = phases.clean[seen]
    fibre = phases.labels[seen] == len(phases.phases) - 1
    matrix, contrast = float(np.median(values[~fibre])), float(np.median(values[fibre]) - np.median(values[~fibre]))
    discs = Discs(np.zeros((0, 6)), matrix, 1.0)
    prior = (typical, 0.25 * typical, 1.2 * contrast)
    shown = grey
    for scale, weakest in ROUNDS:
        found = blobs(shown, seen, scale * prior[0], prior[2], weakest)
        found = found[distinct(found, discs.values[:, :3])]
        discs = _with(discs, found, prior[2])
        discs = fit_globals(refine(discs, grey, seen, _noise(phases), prior, 4), grey, seen)
        discs = refine(discs, grey, seen, _noise(phases), prior, 3)
        discs, rest = _pruned(discs, grey, seen, confidence)
        if len(discs.values) < 3:
            return discs
        prior = _population(discs, typical)
        shown = rest + discs.matrix
    for _ in range(2):
        discs = refine(discs, grey, seen, _noise(phases), prior, 4)
        discs, _ = _pruned(discs, grey, seen, confidence)
    return refine(discs, grey, seen, _noise(phases), prior, 3)


def _with(discs: Discs, circles: Grey, step: float) -> Discs:
    new = np.column_stack([circles, np.full(len(circles), step), np.zeros((len(circles), 2))])
    return replace(discs, values=np.concatenate([discs.values, new]))


def _population(discs: Discs, typical: float) -> tuple[float, float, float]:
    """Typical radius, twice its scatter (so that the prior hardly pulls) and typical step."""
    low, middle, high = np.percentile(discs.values[:, 2], [25, 50, 75])
    scatter = max(2 * (high - low) / 1.349, 0.1 * middle)
    return float(middle), float(scatter), float(np.median(discs.values[:, 3]))


def _pruned(discs: Discs, grey: Grey, seen: Mask, confidence: float) -> tuple[Discs, Grey]:
    """Drop what is no fibre; return the rest and what it leaves unexplained."""
    share, rest = explained(discs, grey, seen)
    brightness = discs.values[:, 3] * discs.values[:, 2] ** 2
    good = (share >= confidence) & (brightness > FAINTEST * np.median(brightness))
    good &= discs.values[:, 3] > PALEST * np.median(discs.values[:, 3])
    rows, columns = np.clip(np.rint(discs.values[:, :2]).astype(int), 0, np.array(seen.shape) - 1).T
    good &= seen[rows, columns]
    kept = discs.only(good)
    order = np.argsort(-(share * brightness)[good], kind="stable")
    single = np.zeros(len(order), dtype=bool)
    single[order] = distinct(kept.values[order, :3], share=CONTACT)
    if good.all() and single.all():
        return discs, rest
    kept = kept.only(single)
    return kept, explained(kept, grey, seen)[1]


def _fibres(discs: Discs, grey: Grey, seen: Mask, phases: Segmentation) -> Fibres:
    share, rest = explained(discs, grey, seen)
    order = np.lexsort((discs.values[:, 1], discs.values[:, 0]))
    discs, share = discs.only(order), share[order]
    std = deviations(discs, grey, seen, rest)
    centres, radius = discs.values[:, :2], discs.values[:, 2]
    stretch = np.hypot(discs.values[:, 4], discs.values[:, 5])
    aspect = (1 + stretch) / (1 - stretch)
    cut = cut_by_edge(centres, radius, phases.inside)
    misaligned = in_plane(centres, radius, grey, aspect)
    whole = ~cut & ~misaligned
    counted = whole if whole.any() else np.ones_like(whole)
    diameters, noise = 2 * radius, 2 * std[:, 2]
    chance = float(np.sqrt(np.mean(noise[counted] ** 2)))
    spread = float(diameters[counted].std())
    shared = blur_error(discs, grey, seen, _noise(phases))
    return Fibres(
        image=phases.image,
        centres=centres,
        centres_std=np.hypot(std[:, 0], std[:, 1]) / np.sqrt(2),
        diameters=diameters,
        diameters_std=noise,
        confidence=share,
        aspect=aspect,
        cut=cut,
        misaligned=misaligned,
        diameter=float(diameters[counted].mean()),
        diameter_std=float(np.hypot(spread / np.sqrt(counted.sum()), 2 * shared)),
        scatter=float(np.sqrt(max(spread**2 - chance**2, 0.0))),
        blur=discs.blur,
        inside=phases.inside,
        notes=_notes(phases.image, cut, misaligned, counted, len(centres)),
    )


def _notes(image: Micrograph, cut: Mask, misaligned: Mask, counted: Mask, count: int) -> tuple[str, ...]:
    notes = []
    if misaligned.any():
        notes.append(
            f"{int(misaligned.sum())} of {count} circles lie on fibres that do not cross the slice (stitches, backing) "
            "or on sections far from round; they are marked and left out of the mean diameter."
        )
    if cut.any():
        notes.append(f"{int(cut.sum())} of {count} fibres are cut by the edge and left out of the mean diameter.")
    if image.pixel_size is None:
        notes.append(
            "The pixel size is not known: lengths are in pixels; calibrate it by fibres.pixel_size('17 um') with the "
            "diameter of your fibres, and give it to read(..., pixel_size=)."
        )
    return tuple(notes)
