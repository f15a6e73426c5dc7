"""Conformance suites and fakes, public: run them on your own models, macro problems, surrogates, stores.

Each suite is a plain function that raises `AssertionError` with one clear sentence::

    from scalebridge.testing import check_model

    def test_my_model_keeps_the_contract():
        check_model(my_model)
"""

from scalebridge.testing.executors import check_executor
from scalebridge.testing.fakes import FakeModel, crashing_model, flaky_model, slow_model
from scalebridge.testing.linear import BayesianLinear
from scalebridge.testing.macros import check_macro
from scalebridge.testing.models import check_model
from scalebridge.testing.openfoam import fake_openfoam
from scalebridge.testing.programs import fake_program
from scalebridge.testing.stores import check_store
from scalebridge.testing.surrogates import check_surrogate

__all__ = [
    "BayesianLinear",
    "FakeModel",
    "check_executor",
    "check_macro",
    "check_model",
    "check_store",
    "check_surrogate",
    "crashing_model",
    "fake_openfoam",
    "fake_program",
    "flaky_model",
    "slow_model",
]
