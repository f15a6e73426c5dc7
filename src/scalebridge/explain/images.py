"""What a network looks at in an image: saliency, integrated gradients, Grad-CAM, by Captum (the extra ``explain``).

Source: K. Simonyan, A. Vedaldi and A. Zisserman, Deep inside convolutional networks (2014); M. Sundararajan, A. Taly
and Q. Yan, Axiomatic attribution for deep networks (2017); R. R. Selvaraju et al., Grad-CAM (2017); N. Kokhlikyan et
al., Captum (2020).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scalebridge.errors import InputError, ShapeError
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

# Share of the change in the output that a sum of integrated gradients may miss before it is said.
COMPLETE = 0.01


@dataclass(frozen=True, eq=False)
class Attribution:
    """How much each pixel of one image moved one output of a network.

    Args:
        method: ``"saliency"``, ``"integrated gradients"`` or ``"grad-cam"``.
        map: ``[h, w]``, channels summed (their largest, for saliency); saliency is in output per grey value,
            integrated gradients in the output's unit, Grad-CAM relative and at least zero.
        image: ``[c, h, w]`` as given.
        value: the output there.
        reference: the output at the baseline; NaN for methods without one.
        target: number of the output.
    """

    method: str
    map: Floats
    image: Floats
    value: float
    reference: float
    target: int

    @property
    def gap(self) -> float:
        """Share of ``value - reference`` that the map's sum misses; NaN for methods that do not promise a sum.

        Where ups and downs cancel, so that hardly anything changes, it is the share of a tenth of them all.
        """
        if not np.isfinite(self.reference):
            return float("nan")
        change = self.value - self.reference
        missed = abs(float(self.map.sum()) - change)
        least = max(abs(change), 0.1 * float(np.abs(self.map).sum()))
        return missed / least if least else missed

    def share_inside(self, mask: Any) -> float:
        """Share of the absolute attribution that lies in a mask ``[h, w]``, beside the share of its area to judge it.

        Raises:
            ShapeError: a mask of another shape.
        """
        inside = np.asarray(mask, dtype=bool)
        if inside.shape != self.map.shape:
            raise ShapeError(f"The mask has the shape {inside.shape}, the image {self.map.shape}; give one per pixel.")
        total = float(np.abs(self.map).sum())
        return float(np.abs(self.map[inside]).sum()) / total if total else 0.0

    @property
    def sentence(self) -> str:
        """What the map says, and whether it adds up."""
        top = float(np.sort(np.abs(self.map).ravel())[::-1][: max(1, self.map.size // 10)].sum())
        total = float(np.abs(self.map).sum())
        told = (
            f"A tenth of the pixels carries {100 * top / total:.0f} % of the attribution ({self.method})."
            if total
            else f"No pixel moves the output ({self.method})."
        )
        if not np.isfinite(self.gap):
            return f"{told} It shows where the network looks, not by how much each pixel moves the output."
        verdict = "adds up" if self.gap <= COMPLETE else "does not add up: take more steps"
        return (
            f"{told} Its sum misses {100 * self.gap:.2g} % of the output's change from the baseline "
            f"({self.reference:.4g} to {self.value:.4g}), so it {verdict}."
        )

    def figure(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """Draw the image, the map, and the map over the image; write them where told."""
        from scalebridge.explain.image_pictures import drawn

        figure = drawn(self)
        if path is not None:
            figure.savefig(path, dpi=150)
        return figure


def saliency(module: Any, image: Any, target: int = 0) -> Attribution:
    """Size of the gradient of one output by every pixel.

    Args:
        module: ``torch.nn.Module`` from ``[b, c, h, w]`` to ``[b, m]``.
        image: ``[h, w]`` or ``[c, h, w]``.
        target: number of the output.

    Raises:
        InputError: Captum is not installed, or the network does not take the image.
        ShapeError: no image.
    """
    kind = _captum("Saliency")
    at = _image(image)
    with _frozen(module, at, target) as (x, value):
        found = kind(module).attribute(x, target=target)
        return Attribution("saliency", _array(found.amax(dim=1)), at, value, float("nan"), target)


def integrated_gradients(
    module: Any, image: Any, target: int = 0, *, baseline: float | Any = 0.0, steps: int = 64
) -> Attribution:
    """The change of one output from a baseline image, shared out over the pixels.

    Args:
        module, image, target: as in `saliency`.
        baseline: grey value, or image of the same shape, that stands for "nothing there": what it is decides what the
            answer means.
        steps: of the path.

    Raises:
        InputError: as `saliency`, or fewer than two steps.
        ShapeError: a baseline of another shape.
    """
    kind = _captum("IntegratedGradients")
    at = _image(image)
    start = (
        np.broadcast_to(np.asarray(baseline, dtype=np.float64), at.shape)
        if np.ndim(baseline) == 0
        else _image(baseline)
    )
    if start.shape != at.shape:
        raise ShapeError(f"The baseline has the shape {start.shape}, the image {at.shape}; give one of the same shape.")
    if steps < 2:
        raise InputError(f"Integrated gradients got {steps} steps; give at least two, better 64.")
    with _frozen(module, at, target) as (x, value):
        origin = x.new_tensor(np.array(start))[None]
        found = kind(module).attribute(x, baselines=origin, target=target, n_steps=steps, internal_batch_size=16)
        reference = float(_output(module, origin, target))
        return Attribution("integrated gradients", _array(found.sum(dim=1)), at, value, reference, target)


def grad_cam(module: Any, layer: Any, image: Any, target: int = 0) -> Attribution:
    """Where the features of a convolutional layer raise one output, brought to the size of the image.

    Args:
        module, image, target: as in `saliency`.
        layer: a convolutional layer of the module, usually the last.

    Raises:
        InputError: as `saliency`, or a layer that is not part of the module or keeps no places.
    """
    kind = _captum("LayerGradCam")
    if not any(part is layer for part in module.modules()):
        raise InputError("Grad-CAM got a layer that is not part of the network; give one of module.modules().")
    at = _image(image)
    with _frozen(module, at, target) as (x, value):
        found = kind(module, layer).attribute(x, target=target, relu_attributions=True)
        if found.ndim != 4:
            raise InputError(
                "Grad-CAM got a layer without places; give a convolutional layer, whose output is an image."
            )
        from torch.nn.functional import interpolate

        wide = interpolate(found.sum(dim=1, keepdim=True), size=at.shape[1:], mode="bilinear", align_corners=False)
        return Attribution("grad-cam", _array(wide[:, 0]), at, value, float("nan"), target)


def _captum(name: str) -> Callable[..., Any]:
    try:
        import captum.attr
    except ImportError as error:
        raise InputError("Maps of what a network looks at need Captum: pip install 'scalebridge[explain]'.") from error
    found: Callable[..., Any] = getattr(captum.attr, name)
    return found


def _image(image: Any) -> Floats:
    array = np.asarray(image, dtype=np.float64)
    array = array[None] if array.ndim == 2 else array
    if array.ndim != 3 or not array.size:
        raise ShapeError(f"An image got the shape {np.shape(image)}; give [h, w] or [channels, h, w].")
    if not np.isfinite(array).all():
        raise InputError("An image holds values that are not finite; fill or crop them first.")
    return array


@contextmanager
def _frozen(module: Any, image: Floats, target: int) -> Iterator[tuple[Any, float]]:
    """The image as a batch of one in the network's numbers, and the output; modes are restored after."""
    import torch

    first = next(iter(module.parameters()), torch.zeros(1))
    x = torch.as_tensor(image, dtype=first.dtype, device=first.device)[None].requires_grad_()
    was, kept = module.training, [p.requires_grad for p in module.parameters()]
    module.eval()
    try:
        for p in module.parameters():
            p.requires_grad_(False)
        yield x, float(_output(module, x, target))
    finally:
        for p, state in zip(module.parameters(), kept, strict=True):
            p.requires_grad_(state)
        module.train(was)


def _output(module: Any, x: Any, target: int) -> Any:
    import torch

    try:
        with torch.no_grad():
            told = module(x)
    except (RuntimeError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise InputError(f"The network does not take an image of shape {tuple(x.shape[1:])}: {first}") from error
    if told.ndim != 2 or not 0 <= target < told.shape[1]:
        raise InputError(f"The network answers {tuple(told.shape)}; it must be [b, m] with an output number {target}.")
    return told[0, target]


def _array(values: Any) -> Floats:
    array: Floats = values[0].detach().cpu().numpy().astype(np.float64)
    return array
