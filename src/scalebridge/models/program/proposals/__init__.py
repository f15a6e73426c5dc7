"""A first guess of what a program takes and gives, from an example of its files."""

from scalebridge.models.program.proposals.inputs import Found, inputs_in, with_placeholders
from scalebridge.models.program.proposals.results import Proposed, results_in

__all__ = ["Found", "Proposed", "inputs_in", "results_in", "with_placeholders"]
