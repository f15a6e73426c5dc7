"""The example of the compressed bed: its macro problem with the published law, and the whole with OpenFOAM."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from scalebridge.models import ClosureValue

FILE = Path(__file__).parents[2] / "examples" / "cylinder_array" / "cylinder_array.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("cylinder_array_example", FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_bed_with_the_published_law_has_the_published_flow(example):
    def law(x):
        c, h = x[:, 0], 1e-5
        slope = (example.published_permeability(c + h) - example.published_permeability(c - h)) / (2 * h)
        values = example.published_permeability(c)[:, None]
        return ClosureValue(values, slope[:, None, None], np.ones(len(x), dtype=bool))

    solution = example.bed().solve(law)
    assert solution.qois["flow_rate_left"] == pytest.approx(example.published_flow(), rel=1e-4)
    permeability = solution.fields["permeability"]
    assert permeability[0] / permeability[-1] > 30


@pytest.mark.adapters
@pytest.mark.skipif(shutil.which("simpleFoam") is None, reason="OpenFOAM is not installed")
def test_the_bed_with_openfoam_has_the_published_flow(example, tmp_path):
    example.main(tmp_path)
    assert (tmp_path / "cell.png").stat().st_size > 10_000
