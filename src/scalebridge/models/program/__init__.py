"""Any program with input and output files as a model."""

from scalebridge.models.program.folders import WorkingFolder, working_folder
from scalebridge.models.program.process import Ended, Limits, carry_out

__all__ = ["Ended", "Limits", "WorkingFolder", "carry_out", "working_folder"]
