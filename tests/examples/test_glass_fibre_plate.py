"""The main job, as far as a test may take: its study is sound, and on a coarse mesh it agrees with direct FE²."""

from pathlib import Path

import numpy as np
import pytest

from scalebridge import Study
from scalebridge.studies.resolve import Resolved, resolve
from scalebridge.studies.running import threads
from scalebridge.studies.validation import validate

STUDY = Path(__file__).resolve().parents[2] / "examples" / "glass_fibre_plate" / "study.toml"


@pytest.fixture(scope="module")
def resolved() -> Resolved:
    return resolve(Study.load(STUDY))


def test_the_study_asks_what_the_issue_asks(resolved: Resolved) -> None:
    question = resolved.study.question
    assert (question.rtol, question.confidence, question.mesh, question.budget) == (0.01, 0.95, "include", 60)
    matrix, fibre = resolved.micro.model.materials
    assert (fibre.E, fibre.nu) == (72e9, 0.22)
    assert (matrix.E, matrix.nu) == (3.5e9, 0.35) and matrix.n < 1
    assert set(resolved.micro.alternatives) == {"segmentation", "window"}
    assert resolved.macro.units["force"] == "N"


def test_the_window_speaks_for_the_slice(resolved: Resolved) -> None:
    window = resolved.micro.arrays["window"]
    assert 0.5 < resolved.micro.model.fractions[1] < 0.7
    # Right of the stitch, which is another material.
    assert window[1] >= 146
    notes = " ".join(resolved.notes)
    assert "Segmentation: matrix" in notes and "calibrated by the fibre diameter 17 um" in notes


def test_the_segmentations_one_deviation_apart_enclose_the_fraction(resolved: Resolved) -> None:
    low, high = (m.fractions[1] for m in resolved.micro.alternatives["segmentation"])
    assert low < resolved.micro.model.fractions[1] < high


def test_the_load_reaches_into_the_nonlinear_range(resolved: Resolved) -> None:
    with threads(1):
        small, large = resolved.micro.model.run(np.array([[1e-4, -3e-5, 0.0], [0.01, -0.003, 0.0]])).values[:, 0]
    assert large < 0.85 * 100 * small


@pytest.mark.timeout(240)
def test_on_a_coarse_mesh_the_bridge_agrees_with_direct_fe2_at_a_fraction_of_the_runs(tmp_path: Path) -> None:
    found = validate(Study.load(STUDY), tmp_path, "none", lambda _n, _words: None)
    assert found.converged and found.covered
    assert abs(found.error) < 0.01 * abs(found.direct)
    assert found.direct_runs > 4 * found.micro_runs
