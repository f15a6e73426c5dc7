"""Surrogates: learned models of models, each with an honest posterior."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalebridge.lazy import attach

if TYPE_CHECKING:
    from scalebridge.learn import acquisition, calibration, transforms
    from scalebridge.learn.archive import load, save
    from scalebridge.learn.auto import Auto
    from scalebridge.learn.calibration.conformal import Conformal
    from scalebridge.learn.calibration.online import Online
    from scalebridge.learn.calibration.recalibrated import Recalibrated
    from scalebridge.learn.card import model_card
    from scalebridge.learn.comparing import Comparison, compare
    from scalebridge.learn.ensemble import Ensemble
    from scalebridge.learn.found import known_surrogates, surrogate_named
    from scalebridge.learn.gaussian_process import GaussianProcess
    from scalebridge.learn.gradient_boosting import GradientBoosting
    from scalebridge.learn.heteroscedastic_gaussian_process import HeteroscedasticGaussianProcess
    from scalebridge.learn.life import CensoredFit, CensoredRegression, LifePosterior, StressLife, StressLifeFit
    from scalebridge.learn.multi_fidelity import MultiFidelity, NextRun
    from scalebridge.learn.multi_output_gaussian_process import MultiOutputGaussianProcess
    from scalebridge.learn.networks import BranchedNetwork, BranchImportance, ConvolutionalNetwork, Network
    from scalebridge.learn.onnx_export import export_onnx
    from scalebridge.learn.pod import POD, Decomposition
    from scalebridge.learn.polynomial_chaos import PolynomialChaos
    from scalebridge.learn.quantile_forest import QuantileForest
    from scalebridge.learn.random_forest import RandomForest
    from scalebridge.learn.reduced_inputs import ReducedInputs
    from scalebridge.learn.reduced_outputs import ReducedOutputs
    from scalebridge.learn.scikit_learn import ScikitLearn
    from scalebridge.learn.searching import Search, search
    from scalebridge.learn.sparse_gaussian_process import SparseGaussianProcess
    from scalebridge.learn.states import Clustering, Clusters, Novelty, NoveltyDomain, Within
    from scalebridge.learn.transforms import Transformed

__all__ = [
    "POD",
    "Auto",
    "BranchImportance",
    "BranchedNetwork",
    "CensoredFit",
    "CensoredRegression",
    "Clustering",
    "Clusters",
    "Comparison",
    "Conformal",
    "ConvolutionalNetwork",
    "Decomposition",
    "Ensemble",
    "GaussianProcess",
    "GradientBoosting",
    "HeteroscedasticGaussianProcess",
    "LifePosterior",
    "MultiFidelity",
    "MultiOutputGaussianProcess",
    "Network",
    "NextRun",
    "Novelty",
    "NoveltyDomain",
    "Online",
    "PolynomialChaos",
    "QuantileForest",
    "RandomForest",
    "Recalibrated",
    "ReducedInputs",
    "ReducedOutputs",
    "ScikitLearn",
    "Search",
    "SparseGaussianProcess",
    "StressLife",
    "StressLifeFit",
    "Transformed",
    "Within",
    "acquisition",
    "calibration",
    "compare",
    "export_onnx",
    "known_surrogates",
    "load",
    "model_card",
    "save",
    "search",
    "surrogate_named",
    "transforms",
]

# One line each: where a name stands. Nothing heavy is imported before a name is asked for.
_PLACES = {
    "Auto": "auto",
    "BranchImportance": "networks",
    "BranchedNetwork": "networks",
    "CensoredFit": "life",
    "CensoredRegression": "life",
    "Clustering": "states",
    "Clusters": "states",
    "Comparison": "comparing",
    "Conformal": "calibration.conformal",
    "ConvolutionalNetwork": "networks",
    "Decomposition": "pod",
    "Ensemble": "ensemble",
    "GaussianProcess": "gaussian_process",
    "GradientBoosting": "gradient_boosting",
    "HeteroscedasticGaussianProcess": "heteroscedastic_gaussian_process",
    "LifePosterior": "life",
    "MultiFidelity": "multi_fidelity",
    "MultiOutputGaussianProcess": "multi_output_gaussian_process",
    "Network": "networks",
    "NextRun": "multi_fidelity",
    "Novelty": "states",
    "NoveltyDomain": "states",
    "Online": "calibration.online",
    "POD": "pod",
    "PolynomialChaos": "polynomial_chaos",
    "QuantileForest": "quantile_forest",
    "RandomForest": "random_forest",
    "Recalibrated": "calibration.recalibrated",
    "ReducedInputs": "reduced_inputs",
    "ReducedOutputs": "reduced_outputs",
    "ScikitLearn": "scikit_learn",
    "Search": "searching",
    "SparseGaussianProcess": "sparse_gaussian_process",
    "StressLife": "life",
    "StressLifeFit": "life",
    "Transformed": "transforms",
    "Within": "states",
    "compare": "comparing",
    "export_onnx": "onnx_export",
    "known_surrogates": "found",
    "load": "archive",
    "model_card": "card",
    "save": "archive",
    "search": "searching",
    "surrogate_named": "found",
}

__getattr__, __dir__ = attach(__name__, _PLACES, ("acquisition", "calibration", "transforms"))
