"""A grey image to phases, with a stated uncertainty of their fractions."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, did_you_mean
from scalebridge.microstructure.denoising import DENOISERS, denoise, noise_std
from scalebridge.microstructure.micrograph import Micrograph
from scalebridge.microstructure.shading import STRONG, without_trend
from scalebridge.microstructure.thresholds import THRESHOLDS, Mixture, fit_mixture, otsu, separability
from scalebridge.microstructure.touching import cuts
from scalebridge.microstructure.uncertainty import FractionError, fraction_error
from scalebridge.microstructure.visible import checked_view
from scalebridge.microstructure.voids import BEYOND_DOUBT, EXTENTS, SMALLEST, Voids, find_voids, solid_levels

Grey = NDArray[np.float64]
Mask = NDArray[np.bool_]
Labels = NDArray[np.uint8]

ONE_PHASE = 0.66
"""Separability below which grey values are one population: 2 / pi = 0.64 for a Gaussian, and a margin."""

LOW_CONTRAST = 0.77
"""Separability below which the contrast is called low; a flat histogram without any peak has 0.75."""

FLAT = 0.8
"""Separability up to which a smooth trend alone may pass for two phases."""

SPECK = 2
"""Islands of up to so many pixels are noise, in either phase."""


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Phases of an image, with the uncertainty of their fractions; build it by `segment`.

    Attributes:
        image: the image it was made from.
        labels: phase of every pixel, ``[rows, columns]`` uint8, from dark to bright: 0 matrix and 1 fibre,
            or with three phases 0 void, 1 matrix, 2 fibre. Outside of the field of view the labels hold the
            phase of the nearest inside pixel: mask them by ``inside``.
        inside: the field of view.
        phases: names of the phases, in the order of the labels.
        fraction: area fraction of each phase within the field of view, ``[phases]``.
        fraction_std: standard deviation of ``fraction``, ``[phases]``; the formula is in `uncertainty`.
        error: the parts of the deviation and what other thresholds and denoisers give.
        threshold: grey level between matrix and fibre.
        noise: standard deviation of the noise in grey values.
        separability: share of the grey variance between the phases (Otsu's eta).
        cuts: pixels on the lines that part touching fibres (all False with ``separate=False``).
        notes: warnings, one sentence each.
    """

    image: Micrograph
    labels: Labels
    inside: Mask
    phases: tuple[str, ...]
    fraction: NDArray[np.float64]
    fraction_std: NDArray[np.float64]
    error: FractionError
    threshold: float
    noise: float
    separability: float
    cuts: Mask
    notes: tuple[str, ...]
    clean: Grey
    voids: Mask

    def at(self, offset_std: float) -> Labels:
        """Return the labels whose fibre fraction lies ``offset_std`` deviations from the best one.

        The threshold is moved until the fraction is met, voids and cuts stay: ``at(-1)`` and ``at(1)`` are
        the pair that carries the uncertainty of the segmentation into a study. ``at(0)`` are the labels.

        Raises:
            InputError: an offset that is not finite, or that leaves no fibre or no matrix.
        """
        if offset_std == 0:
            return self.labels
        target = self.fraction[-1] + offset_std * self.fraction_std[-1]
        candidates = self.clean[self.inside & ~self.voids & ~self.cuts]
        count = target * float(self.inside.sum()) if np.isfinite(target) else -1.0
        if not 0 < count < candidates.size:
            raise InputError(
                f"The segmentation of '{self.image.name}' at {offset_std} deviations would have a fibre fraction of "
                f"{target:.3g}, which the image cannot give; choose an offset nearer to 0."
            )
        level = float(np.quantile(candidates, 1 - count / candidates.size))
        return _labels(self.clean, level, self.voids, self.cuts, len(self.phases))

    def describe(self) -> str:
        """Return the fractions with their deviations, in one line."""
        listed = zip(self.phases, self.fraction, self.fraction_std, strict=True)
        return ", ".join(f"{name} {value:.4f} ± {std:.4f}" for name, value, std in listed)


def segment(
    image: Micrograph,
    phases: int = 2,
    *,
    threshold: str = "otsu",
    denoising: str = "total_variation",
    separate: bool = True,
    inside: Mask | None = None,
    voids: str = "dark",
) -> Segmentation:
    """Part an image into matrix and fibre, or void, matrix and fibre.

    The image is denoised lightly and parted at one grey level. Voids are compact regions much darker than
    the matrix; they are kept out of the threshold, and count as matrix when two phases are asked for.

    Args:
        image: the grey image.
        phases: 2 (matrix, fibre) or 3 (void, matrix, fibre).
        threshold: the rule of the threshold, one of `thresholds.THRESHOLDS`.
        denoising: one of `denoising.DENOISERS`.
        separate: part touching fibres by lines one pixel wide along the grey valleys between them, which a
            threshold alone bridges. The true gap is not resolved; half of the area that the lines take is
            given back at the fibres' edges. On synthetic packings this removes most of the bias of a plain
            threshold (from +0.02 ... +0.06 to -0.02 ... +0.02). False: the plain threshold.
        inside: the field of view ``[rows, columns]``; found by `field_of_view` when ``None``.
        voids: what of a void counts: ``"dark"``, the pixels darker than the matrix beyond doubt, or ``"enclosed"``,
            all that a dark rim encloses (see `voids`). A note gives the other figure where they differ.

    Raises:
        InputError: an unknown option, a mask of another shape, or an image that holds one phase only.
    """
    _check_options(phases, threshold, denoising, voids)
    visible = checked_view(image, inside)
    noise = noise_std(image.grey, visible)
    clean = denoise(image.grey, visible, denoising, noise)
    _refuse_flat(clean[visible], image.name)
    found = _voids(clean, visible, voids)
    solid = visible & ~found.enclosed
    level = _level(clean[solid], threshold, image.name)
    eta, shading = _contrast(clean, solid, level, image.name)
    mixture = fit_mixture(clean[solid])
    error = fraction_error(image.grey, clean, solid, visible, rule=threshold, level=level, noise=noise, mixture=mixture)
    lines, level, error = _separated(clean, solid, visible, level, mixture, error, separate)
    labels = _labels(clean, level, found.pixels, lines, phases)
    fraction = np.bincount(labels[visible], minlength=phases) / visible.sum()
    _refuse_lost(fraction, image.name)
    return Segmentation(
        image=image,
        labels=labels,
        inside=visible,
        phases=("matrix", "fibre") if phases == 2 else ("void", "matrix", "fibre"),
        fraction=fraction,
        fraction_std=_fraction_std(error.std, found.fraction_std, phases),
        error=error,
        threshold=level,
        noise=noise,
        separability=eta,
        cuts=lines,
        notes=_notes(image, eta, shading, mixture, error, found, visible, phases),
        clean=clean,
        voids=found.pixels,
    )


def _check_options(phases: int, threshold: str, denoising: str, voids: str) -> None:
    if phases not in (2, 3):
        raise InputError(f"{phases} phases were asked for; 2 (matrix, fibre) or 3 (void, matrix, fibre) can be told.")
    if threshold not in THRESHOLDS:
        raise InputError(f"The threshold rule '{threshold}' is not known{did_you_mean(threshold, THRESHOLDS)}")
    if denoising not in DENOISERS:
        raise InputError(f"The denoising '{denoising}' is not known{did_you_mean(denoising, DENOISERS)}")
    if voids not in EXTENTS:
        raise InputError(f"The extent of voids '{voids}' is not known{did_you_mean(voids, EXTENTS)}")


def _voids(clean: Grey, visible: Mask, extent: str) -> Voids:
    dark, bright, spread = solid_levels(clean, visible)
    return find_voids(clean, visible, dark, bright, spread, extent)


def _refuse_flat(values: Grey, name: str) -> None:
    if np.ptp(values) == 0:
        raise InputError(
            f"The image '{name}' holds one phase: every pixel in the field of view has the grey value "
            f"{values[0]:.3g}; give an image with both phases in view."
        )


def _refuse_lost(fraction: NDArray[np.float64], name: str) -> None:
    if min(fraction[-1], fraction[-2]) == 0:
        raise InputError(
            f"The image '{name}' holds one phase: the other is made of islands of at most {SPECK} pixels, which are "
            "noise; give an image with both phases in view."
        )


def _contrast(clean: Grey, solid: Mask, level: float, name: str) -> tuple[float, float]:
    """Return the separability and the share of shading; refuse an image of one phase."""
    eta = separability(clean[solid], level)
    flat, shading = without_trend(clean, solid)
    # A trend alone has a flat histogram (0.75); clearer phases may follow a trend, as fibres on one side do.
    doubtful = shading > STRONG and eta < FLAT
    told = min(eta, separability(flat, otsu(flat))) if doubtful else eta
    if told < ONE_PHASE:
        raise InputError(
            f"The image '{name}' holds one phase as far as its grey values tell (separability {told:.2f}, where one "
            f"population of noise has 0.64 and two phases have over {ONE_PHASE}); "
            "give an image with more contrast, or a field of view that holds both phases."
        )
    return eta, shading


def _level(values: Grey, rule: str, name: str) -> float:
    level = THRESHOLDS[rule](values)
    if level is None:
        raise InputError(
            f"The threshold rule '{rule}' finds no level in '{name}', whose histogram shows no two phases to it; "
            "use 'otsu'."
        )
    return level


def _separated(
    clean: Grey, solid: Mask, visible: Mask, level: float, mixture: Mixture, error: FractionError, separate: bool
) -> tuple[Mask, float, FractionError]:
    contrast = float(mixture.mean[1] - mixture.mean[0])
    bright = (clean > level) & solid
    lines = cuts(clean, bright, visible, contrast)
    lost = float((lines & bright).sum())
    # A gap of 0 to 1 pixel, all widths alike: half a pixel is right in the mean, none is wrong to one side.
    part = lost / float(visible.sum()) / np.sqrt(12 if separate else 3)
    stated = replace(error, parts={**error.parts, "separation": float(part)})
    if not separate:
        return np.zeros_like(visible), level, stated
    candidates = clean[solid & ~lines]
    kept = min((bright.sum() - lost / 2) / candidates.size, 1.0)
    return lines, float(np.quantile(candidates, 1 - kept)), stated


def _labels(clean: Grey, level: float, voids: Mask, lines: Mask, phases: int) -> Labels:
    bright = _without_specks((clean > level) & ~voids & ~lines)
    if phases == 2:
        return bright.astype(np.uint8)
    return np.where(voids, 0, np.where(bright, 2, 1)).astype(np.uint8)


def _without_specks(bright: Mask) -> Mask:
    from skimage.measure import label

    for phase in (True, False):
        parts = label(bright == phase, connectivity=2)
        size = np.bincount(parts.ravel())
        size[0] = SPECK + 1
        bright = bright ^ (size[parts] <= SPECK)
    return bright


def _fraction_std(bright: float, void: float, phases: int) -> NDArray[np.float64]:
    if phases == 2:
        return np.array([bright, bright])
    return np.array([void, float(np.hypot(bright, void)), bright])


def _void_notes(voids: Voids, visible: Mask, phases: int) -> list[str]:
    total = float(visible.sum())
    core, whole = float(voids.pixels.sum()) / total, float(voids.enclosed.sum()) / total
    if phases == 3 and not whole:
        return [_none_note(voids)]
    if phases == 2 or whole - core <= 2 * float(np.hypot(voids.fraction_std, voids.enclosed_std)):
        return []
    return [
        f"Voids: {core:.2%} of the field of view is darker than the matrix beyond doubt, and these dark pixels enclose "
        f"regions that are only a little darker; if the middle of the voids is brightened by phase contrast, the void "
        f"fraction is {whole:.2%} ± {voids.enclosed_std:.2%} instead; look, and count them by voids='enclosed'."
    ]


def _none_note(voids: Voids) -> str:
    if not voids.tellable:
        return (
            f"Voids: the matrix is too near to black for voids to be told from it (less than {BEYOND_DOUBT:g} "
            "deviations), so that no void was found says nothing; expose the image longer, or mark voids for a "
            "PixelClassifier."
        )
    return (
        f"Voids: none was found; voids of less than {SMALLEST} pixels are not looked for, and with what is as dark in "
        f"smaller spots up to {2 * voids.fraction_std:.2%} of the field of view may be void (95 %)."
    )


def _notes(
    image: Micrograph,
    eta: float,
    shading: float,
    mixture: Mixture,
    error: FractionError,
    voids: Voids,
    visible: Mask,
    phases: int,
) -> tuple[str, ...]:
    notes = []
    if eta < LOW_CONTRAST or "half_maximum" not in error.by_threshold:
        notes.append(
            f"Low contrast: the phases of '{image.name}' lie {mixture.contrast:.1f} deviations apart (separability "
            f"{eta:.2f}, clear from {LOW_CONTRAST}), so the fractions are known to ± {error.std:.3f} only."
        )
    if shading > STRONG:
        notes.append(
            f"Shading: {shading:.0%} of the grey variance of '{image.name}' is a smooth trend across the image, which "
            "one threshold cannot follow and the stated deviation does not include; flatten the image first."
        )
    share = float(voids.pixels.sum()) / float(visible.sum())
    if share and phases == 2:
        notes.append(f"{share:.2%} of the field of view is void and counts as matrix; ask for phases=3 to part it.")
    notes.extend(_void_notes(voids, visible, phases))
    if image.pixel_size is None:
        notes.append("The pixel size is not known: lengths are in pixels.")
    if not visible.all():
        notes.append(f"{1 - visible.mean():.1%} of the image lies outside of the field of view and is not counted.")
    return tuple(notes)
