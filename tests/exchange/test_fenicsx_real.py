"""The real FEniCSx, driven by an exported law: it says what our own solid says."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from scalebridge.exchange import export_python
from scalebridge.learn import GaussianProcess

FILE = Path(__file__).parents[2] / "examples" / "fenicsx_plate" / "fenicsx_plate.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("fenicsx_plate_example", FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def python(example, tmp_path_factory):
    """The interpreter that has dolfinx, which keeps what it compiles in a folder of this test."""
    if not example.has_dolfinx(example.DEBIAN):
        pytest.skip(f"{example.DEBIAN} has no dolfinx (apt-get install python3-dolfinx)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield example.DEBIAN


@pytest.fixture(scope="module")
def surrogate(example):
    """Fitted to few runs at small strains, so that part of the plate lies outside."""
    layers = example.LAYERS
    x = np.random.default_rng(1).uniform(-0.006, 0.006, (25, 3))
    return GaussianProcess(layers.inputs, layers.outputs, structure=layers.structure).fit(x, layers.run(x).values)


def test_fenicsx_with_a_law_outside_its_domain_says_what_our_solid_says(example, python, surrogate, tmp_path):
    export_python(surrogate, tmp_path)
    solid = example.plate(order=1)
    theirs, ours = example.in_fenicsx(solid, tmp_path, python), example.in_our_solid(solid, surrogate)
    assert theirs["force"] == pytest.approx(ours["force"], rel=1e-8)
    np.testing.assert_allclose(theirs["displacement"], ours["displacement"], rtol=0, atol=1e-8 * example.PULL)
    # With the exact tangent Newton's method is quick.
    assert theirs["n_steps"] <= 8
    assert 0 < theirs["n_outside"] == ours["n_outside"]


def test_the_example_agrees_with_our_solid_in_elements_of_both_orders(example, python, tmp_path, capsys):
    example.main(python, tmp_path / "out")
    told = capsys.readouterr().out
    assert "learned from" in told and "order 2: FEniCSx" in told


def test_a_folder_without_a_law_ends_with_what_the_other_interpreter_said(example, python, tmp_path):
    with pytest.raises(SystemExit, match="No module named 'law'"):
        example.in_fenicsx(example.plate(1), tmp_path, python)


def test_an_interpreter_without_dolfinx_is_told_in_one_sentence(example, tmp_path, capsys):
    example.main(str(tmp_path / "no_python"), tmp_path / "out")
    assert "has no dolfinx: apt-get install python3-dolfinx" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()
