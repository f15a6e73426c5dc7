"""What is known of a response, as transforms that any learner takes."""

from scalebridge.learn.transforms.bounds import Bounds
from scalebridge.learn.transforms.dimensionless import Dimensionless
from scalebridge.learn.transforms.invariants import Invariants
from scalebridge.learn.transforms.monotone import Monotone
from scalebridge.learn.transforms.periodic import Periodic
from scalebridge.learn.transforms.scaling_law import ScalingLaw
from scalebridge.learn.transforms.symmetric import Symmetric
from scalebridge.learn.transforms.transform import Inside, Step, Transform
from scalebridge.learn.transforms.transformed import Transformed
from scalebridge.learn.transforms.warped import Warped

__all__ = [
    "Bounds",
    "Dimensionless",
    "Inside",
    "Invariants",
    "Monotone",
    "Periodic",
    "ScalingLaw",
    "Step",
    "Symmetric",
    "Transform",
    "Transformed",
    "Warped",
]
