"""What is wrong with data, said before anybody trains on it."""

from __future__ import annotations

from scalebridge.data.checks.checking import quality
from scalebridge.data.checks.finding import Finding, QualityReport

__all__ = ["Finding", "QualityReport", "quality"]
