"""Just the numbers: an image of phases to its effective properties."""

from scalebridge.studies.homogenisation.material_text import named_texts
from scalebridge.studies.homogenisation.outcome import Difference, Effective, Homogenisation, Limits, Windows
from scalebridge.studies.homogenisation.planning import ImagePlan, plan_image
from scalebridge.studies.homogenisation.run import homogenise_image
from scalebridge.studies.homogenisation.sample import Reading, Sample, read_sample, sample_of
from scalebridge.studies.homogenisation.solving import Settings

__all__ = [
    "Difference",
    "Effective",
    "Homogenisation",
    "ImagePlan",
    "Limits",
    "Reading",
    "Sample",
    "Settings",
    "Windows",
    "homogenise_image",
    "named_texts",
    "plan_image",
    "read_sample",
    "sample_of",
]
