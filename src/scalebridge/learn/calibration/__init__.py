"""Honest uncertainty for any surrogate: conformal intervals, recalibrated deviations, figures of merit, splits."""

from scalebridge.learn.calibration.certificate import Certificate
from scalebridge.learn.calibration.conformal import Conformal
from scalebridge.learn.calibration.conformal_posterior import ConformalPosterior
from scalebridge.learn.calibration.online import Online
from scalebridge.learn.calibration.recalibrated import Recalibrated
from scalebridge.learn.calibration.scores import Scores, score
from scalebridge.learn.calibration.splits import Split, check_leaks, holdout, kfold, published, temporal

__all__ = [
    "Certificate",
    "Conformal",
    "ConformalPosterior",
    "Online",
    "Recalibrated",
    "Scores",
    "Split",
    "check_leaks",
    "holdout",
    "kfold",
    "published",
    "score",
    "temporal",
]
