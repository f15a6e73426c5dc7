"""Surrogates are found by the name of their module or by entry points."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

import scalebridge as sb
from scalebridge.learn import RandomForest, found, known_surrogates, load, save, surrogate_named
from scalebridge.learn import encoding as written
from tests.learn.cases import INPUTS, OUTPUTS, drawn


def test_those_in_the_box_are_named_by_their_modules() -> None:
    names = known_surrogates()
    assert {"gaussian_process", "random_forest", "polynomial_chaos", "ensemble", "scikit_learn"} <= set(names)
    assert not {"box", "learner", "archive", "trees"} & set(names)
    assert surrogate_named("random_forest") is RandomForest


def test_each_has_the_name_of_its_module() -> None:
    for name in known_surrogates():
        assert surrogate_named(name).name == name


def test_naming_them_imports_neither_torch_nor_scikit_learn() -> None:
    program = "import sys; from scalebridge.learn import known_surrogates; known_surrogates(); "
    program += "assert not {'torch', 'sklearn', 'scipy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(sb.InputError, match="'random_forrest' is not known; did you mean 'random_forest'"):
        surrogate_named("random_forrest")


def test_those_of_other_packages_are_found_and_archived(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # A class of another package: here that of the fakes' own room.
    source = "from dataclasses import dataclass\nfrom scalebridge.testing import BayesianLinear\n\n\n"
    source += "@dataclass(frozen=True)\nclass Line(BayesianLinear):\n    name: str = 'line'\n"
    source += "    data = property(lambda self: (self._fit[0][None], self._fit[1][None], None))\n"
    (tmp_path / "outside_lines.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    points = [EntryPoint("line", "outside_lines:Line", found.ENTRY_POINTS)]
    for module in (found, written):
        monkeypatch.setattr(module, "entry_points", lambda group: points if group == found.ENTRY_POINTS else [])
    assert "line" in known_surrogates()
    fitted: Any = surrogate_named("line")(INPUTS, OUTPUTS).fit(*drawn(9))
    save(fitted, tmp_path / "line")
    assert (load(tmp_path / "line").predict(drawn(3)[0])[0] == fitted.predict(drawn(3)[0])[0]).all()
    points[0] = EntryPoint("line", "json:dumps", found.ENTRY_POINTS)
    with pytest.raises(sb.InputError, match=r"is no class with fit\(x, y\); ask its author"):
        surrogate_named("line")
    points.clear()
    with pytest.raises(sb.InputError, match="install the package it comes from"):
        load(tmp_path / "line")
