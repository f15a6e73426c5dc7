"""`scalebridge wrap` on a real solver: the model that it writes gives the solver's own answer."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from scalebridge.cli import main

pytestmark = [
    pytest.mark.adapters,
    pytest.mark.skipif(shutil.which("ccx") is None, reason="CalculiX (ccx) is not installed"),
]
# A cube of edge 1 pulled by 4 forces of 25.5 without lateral contraction: u = F L / (E A).
CUBE = """*NODE, NSET=ALL
1, 0., 0., 0.
2, 1., 0., 0.
3, 1., 1., 0.
4, 0., 1., 0.
5, 0., 0., 1.
6, 1., 0., 1.
7, 1., 1., 1.
8, 0., 1., 1.
*ELEMENT, TYPE=C3D8, ELSET=E
1, 1,2,3,4,5,6,7,8
*NSET, NSET=TOP
5,6,7,8
*MATERIAL, NAME=STEEL
*ELASTIC
210000., 0.0
*SOLID SECTION, ELSET=E, MATERIAL=STEEL
*BOUNDARY
1,1,3
2,2,3
3,3,3
4,1,1
4,3,3
*STEP
*STATIC
*CLOAD
TOP, 3, 25.5
*NODE PRINT, NSET=TOP
U
*END STEP
"""


def test_calculix_is_wrapped_from_its_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cube.inp").write_text(CUBE)
    with pytest.raises(SystemExit) as ended:
        main(["wrap", "--input", "cube.inp", "--run", "--output", "cube.dat", "--", "ccx", "-i", "cube"])
    assert ended.value.code == 0
    from scalebridge.studies.kinds import parsed

    model = parsed("ccx", {"function": "ccx_model.py:model"}).build("ccx", tmp_path / "ccx_model").model
    assert model.inputs.names == ("elastic_1", "elastic_2", "cload_3")
    runs = model.run([[210000.0, 0.0, 25.5], [70000.0, 0.0, 51.0]])
    found = dict(zip(model.outputs.names, runs.values.T, strict=True))
    assert found["cube_3"].tolist() == pytest.approx([4 * 25.5 / 210000, 4 * 51.0 / 70000], rel=1e-6)
