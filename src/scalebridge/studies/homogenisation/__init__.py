"""Just the numbers: an image of phases to its effective properties."""

from scalebridge.studies.homogenisation.material_text import read_conductors, read_materials
from scalebridge.studies.homogenisation.outcome import Difference, Effective, Homogenisation, Limits, Windows
from scalebridge.studies.homogenisation.run import homogenise_image
from scalebridge.studies.homogenisation.sample import Reading, Sample, read_sample, sample_of
from scalebridge.studies.homogenisation.solving import Settings

__all__ = [
    "Difference",
    "Effective",
    "Homogenisation",
    "Limits",
    "Reading",
    "Sample",
    "Settings",
    "Windows",
    "homogenise_image",
    "read_conductors",
    "read_materials",
    "read_sample",
    "sample_of",
]
