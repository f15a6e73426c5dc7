"""The example of a shear-thinning fluid between plates, with OpenFOAM run for real."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from scalebridge.errors import InputError
from scalebridge.simulators.openfoam import find_installation

pytestmark = pytest.mark.adapters

_SCRIPT = Path(__file__).parents[2] / "examples" / "shear_thinning_channel" / "shear_thinning_channel.py"


def test_the_interval_holds_the_exact_pressure_drop(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        find_installation()
    except InputError as error:
        pytest.skip(str(error))
    spec = importlib.util.spec_from_file_location("shear_thinning_channel", _SCRIPT)
    assert spec is not None and spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    example.main()
    assert "micro runs" in capsys.readouterr().out
