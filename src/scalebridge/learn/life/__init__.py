"""Regression of values of which some are known only to lie above or below: lives with run-outs, detection limits."""

from __future__ import annotations

from scalebridge.learn.life.prediction import LifePosterior
from scalebridge.learn.life.regression import CensoredFit, CensoredRegression
from scalebridge.learn.life.stress_life import StressLife, StressLifeFit

__all__ = ["CensoredFit", "CensoredRegression", "LifePosterior", "StressLife", "StressLifeFit"]
