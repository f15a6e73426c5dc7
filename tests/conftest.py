"""What every test gets: one thread per process, a fixed hypothesis profile, figures without a screen."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator

# Before NumPy or torch start their pools: two test processes on two cores, one thread each.
for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
os.environ.setdefault("MPLBACKEND", "Agg")

# A shell that starts a command in the background lets it ignore Ctrl-C, which tests send themselves.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


# Beside tests/theory and tests/examples, the files whose tests take seconds each: `make test-long`.
LONG = {
    "campaign": ("test_kills.py",),
    "cli": ("test_fit.py",),
    "learn": (
        "test_auto.py",
        "test_conformal.py",
        "test_convolutional_network.py",
        "test_gaussian_process_slopes.py",
        "test_gradient_boosting.py",
        "test_heteroscedastic_gaussian_process.py",
        "test_multi_fidelity.py",
        "test_multi_output_gaussian_process.py",
        "test_random_forest.py",
        "test_reduced_inputs.py",
        "test_sparse_gaussian_process.py",
        "test_transforms_invariants.py",
    ),
    "micro": ("test_memory.py", "test_rve_damage.py", "test_rve_finite_strain.py", "test_rve_own_laws.py"),
    "studies": ("test_fit_properties.py", "test_property_learning.py"),
    "testing": ("test_ours.py",),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test in tests/theory or tests/examples carries the folder's mark; both, and long files, are long."""
    for item in items:
        for kind in ("theory", "examples"):
            if kind in item.path.parts:
                item.add_marker(getattr(pytest.mark, kind))
                item.add_marker(pytest.mark.long)
        if item.path.name in LONG.get(item.path.parent.name, ()):
            item.add_marker(pytest.mark.long)


# Set by `make test-adapters`: the real programs are there, and a test that skips says that they are not.
REQUIRED = os.environ.get("SCALEBRIDGE_ADAPTERS") == "required"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test of a real program into a failure where they are required."""
    report = yield
    if REQUIRED and report.skipped and item.get_closest_marker("adapters") and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", f"skipped, which make test-adapters does not allow: {_why(report)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a file that skips as a whole."""
    report = yield
    if REQUIRED and report.skipped and collector.path.stem.endswith("_real"):
        report.outcome, report.longrepr = "failed", f"skipped, which make test-adapters does not allow: {_why(report)}"
    return report


def _why(report: pytest.TestReport | pytest.CollectReport) -> str:
    return str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
