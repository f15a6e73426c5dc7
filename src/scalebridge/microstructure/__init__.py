"""Images to phases: read, segment with a stated uncertainty, choose and check a window.

Names are imported on first use (PEP 562), so that ``import scalebridge`` brings no image library.

::

    image = sb.microstructure.read("slice.png", pixel_size="1.1 um")
    phases = sb.microstructure.segment(image, separate=True)
    phases.fraction, phases.fraction_std, phases.notes
    check = sb.microstructure.representative(phases, size=96)
    rve = sb.microstructure.periodise(check.nearest)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scalebridge.microstructure.correlation import integral_range, two_point
    from scalebridge.microstructure.cropping import Window, window, windows
    from scalebridge.microstructure.denoising import denoise, noise_std
    from scalebridge.microstructure.fibres import FibreDiameter, fibre_diameter, pixel_size_from_fibre
    from scalebridge.microstructure.micrograph import Micrograph, from_array, read
    from scalebridge.microstructure.overlays import outlines, rectangles
    from scalebridge.microstructure.periodic import periodise
    from scalebridge.microstructure.representativity import Representativity, representative
    from scalebridge.microstructure.segmentation import Segmentation, segment
    from scalebridge.microstructure.visible import field_of_view

_HOME = {
    "FibreDiameter": "fibres",
    "Micrograph": "micrograph",
    "Representativity": "representativity",
    "Segmentation": "segmentation",
    "Window": "cropping",
    "denoise": "denoising",
    "fibre_diameter": "fibres",
    "field_of_view": "visible",
    "from_array": "micrograph",
    "integral_range": "correlation",
    "noise_std": "denoising",
    "outlines": "overlays",
    "periodise": "periodic",
    "pixel_size_from_fibre": "fibres",
    "read": "micrograph",
    "rectangles": "overlays",
    "representative": "representativity",
    "segment": "segmentation",
    "two_point": "correlation",
    "window": "cropping",
    "windows": "cropping",
}

__all__ = [
    "FibreDiameter",
    "Micrograph",
    "Representativity",
    "Segmentation",
    "Window",
    "denoise",
    "fibre_diameter",
    "field_of_view",
    "from_array",
    "integral_range",
    "noise_std",
    "outlines",
    "periodise",
    "pixel_size_from_fibre",
    "read",
    "rectangles",
    "representative",
    "segment",
    "two_point",
    "window",
    "windows",
]


def __getattr__(name: str) -> Any:
    """Import the module of a public name on first use."""
    if name in _HOME:
        return getattr(importlib.import_module(f"scalebridge.microstructure.{_HOME[name]}"), name)
    raise AttributeError(f"module 'scalebridge.microstructure' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
