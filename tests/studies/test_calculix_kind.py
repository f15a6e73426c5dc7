"""The kind ``calculix`` of a study."""

from __future__ import annotations

from pathlib import Path

import pytest

from scalebridge.errors import InputError
from scalebridge.simulators.calculix import CalculixSolid
from scalebridge.studies.kinds import parsed

TABLE = {
    "kind": "calculix",
    "mesh": {
        "kind": "plate_with_hole",
        "width": "40 mm",
        "height": "20 mm",
        "radius": "4 mm",
        "n": 2,
        "part": "quarter",
    },
    "displacement": {"left": ["0 m", "free"], "bottom": ["free", "0 m"], "right": ["0.1 mm", "free"]},
    "thickness": "2 mm",
    "timeout": "2 min",
}


def test_a_table_makes_a_solid_in_calculix(tmp_path: Path) -> None:
    built = parsed("plate", TABLE).build("plate", tmp_path)
    assert isinstance(built.model, CalculixSolid) and built.model.limits.timeout == 120.0
    assert built.units["reaction_right_x"] == "N"


def test_the_mesh_of_a_deck_is_taken_with_its_node_sets(tmp_path: Path) -> None:
    nodes = "*NODE\n1,0,0\n2,10,0\n3,10,5\n4,0,5\n*ELEMENT,TYPE=CPE4\n1,1,2,3,4\n"
    (tmp_path / "bar.inp").write_text(nodes + "*NSET,NSET=LEFT\n1,4\n*NSET,NSET=RIGHT\n2,3\n*NSET,NSET=LOW\n1,2\n")
    held = {"LEFT": ["0 m", "free"], "LOW": ["free", "0 m"], "RIGHT": ["0.1 mm", "free"]}
    table = {**TABLE, "mesh": "bar.inp", "mesh_unit": "mm", "displacement": held}
    body = parsed("bar", table).build("bar", tmp_path).model.solid
    assert sorted(body.domain.boundaries) == ["LEFT", "LOW", "RIGHT"]
    assert body.domain.mesh.p.max() == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"mesh": {**TABLE["mesh"], "cells": "quadrilateral"}, "order": 2},
            r"\[models.plate\].*no plane-strain element",
        ),
        ({"displacement": {"lft": ["0 m", "free"]}}, r"\[models.plate\].*did you mean 'left'"),
        ({"timeout": "2 mm"}, r"\[models.plate\].*timeout"),
        ({"mesh_unit": "mm"}, r"\[models.plate\].*mesh_unit is of a deck"),
        ({"timeout": 0}, r"\[models.plate\].*leaves the program nothing"),
        ({"progam": "ccx"}, r"\[models.plate\].*did you mean 'program'"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_sentence(tmp_path: Path, change: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        parsed("plate", {**TABLE, **change}).build("plate", tmp_path)
