"""Likely mistakes with a pore flow: one clear sentence each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from scalebridge.errors import InputError, ShapeError, UnitError
from scalebridge.micro.flow import PoreFlow

IMAGE = np.eye(4)
BOOL = IMAGE.astype(bool)


def nan_image() -> np.ndarray:
    image = IMAGE.copy()
    image[2, 1] = np.nan
    return image


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: PoreFlow(np.zeros(4)), r"shape \(4,\); it must be \[ny, nx\] or \[nz, ny, nx\]"),
        (lambda: PoreFlow(np.zeros((1, 2, 3, 4))), r"shape \(1, 2, 3, 4\); it must be"),
        (lambda: PoreFlow(np.zeros((0, 4))), r"shape \(0, 4\); it must be .* at least one voxel"),
        (lambda: PoreFlow(nan_image()), r"is nan at voxel \(2, 1\) and not finite in 1 voxels in all"),
        (lambda: PoreFlow(0.5 * IMAGE), r"fractions such as 0\.5; .* segment it first"),
        (lambda: PoreFlow(IMAGE.astype(str)), r"must hold labels or booleans"),
        (lambda: PoreFlow(BOOL), r"pass fluid=True if the pores are True, else fluid=False"),
        (lambda: PoreFlow(IMAGE, fluid=3), r"label 3, which no voxel of the image has; its labels are 0, 1"),
        (lambda: PoreFlow(IMAGE, fluid=np.zeros((4, 4), dtype=bool)), r"holds no fluid voxel"),
        (lambda: PoreFlow(IMAGE, fluid=np.ones((3, 4), dtype=bool)), r"shape \(3, 4\) and its image \(4, 4\)"),
        (lambda: PoreFlow(np.zeros((4, 4))), r"Every voxel .* is fluid, so that its permeability is infinite"),
        (lambda: PoreFlow(np.zeros((4, 4)), boundary="mirror"), r"permeability is infinite; .* boundary='walls'"),
        (lambda: PoreFlow(IMAGE, boundary="wall"), r"boundary of a pore flow is 'wall'; valid: 'periodic', 'mirror'"),  # type: ignore[arg-type]
        (lambda: PoreFlow(IMAGE, tolerance=0.0), r"tolerance of a pore flow is 0\.0; it must lie between"),
        (lambda: PoreFlow(IMAGE, tolerance=float("nan")), r"tolerance of a pore flow is nan"),
        (lambda: PoreFlow(IMAGE, voxel_size="-1 um"), r"voxel size of a pore flow is -1 um; it must be a positive"),
        (lambda: PoreFlow(IMAGE, voxel_size=0.0), r"voxel size of a pore flow is 0\.0; it must be a positive"),
        (lambda: PoreFlow(IMAGE, voxel_size=[1.0, 2.0, 3.0]), r"has 3 entries for an image of 2 axes"),
        (lambda: PoreFlow(IMAGE, viscosity=-1e-3), r"viscosity of a pore flow is -0\.001; it must be a positive"),
        (lambda: PoreFlow(IMAGE).permeability("z"), r"asked for along 'z'; valid: 'all' or distinct letters of 'xy'"),
        (lambda: PoreFlow(IMAGE).permeability("xx"), r"asked for along 'xx'; valid"),
        (lambda: PoreFlow(IMAGE).permeability([]), r"asked for along \[\]; valid"),
        (lambda: PoreFlow(IMAGE).localise([1.0, np.inf]), r"localise \[1\.0, inf\]; it must be finite"),
        (lambda: PoreFlow(IMAGE, boundary="walls").localise([1.0, 1.0]), r"give a pressure gradient along one axis"),
        (lambda: PoreFlow(IMAGE).run(np.ones((1, 2))), r"without voxel size and viscosity; .* voxel_size='5 um'"),
        (lambda: PoreFlow(IMAGE, voxel_size=1.0).run(np.ones((1, 2))), r"pass for example viscosity='1 mPa\*s'"),
    ],
)
def test_impossible_pore_flows_are_refused_in_one_sentence(make: Callable[[], object], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_voxel_size_that_is_no_length_is_refused_by_its_unit() -> None:
    with pytest.raises(UnitError, match="does not convert to 'm'"):
        PoreFlow(IMAGE, voxel_size="1 s")


def test_localise_and_run_take_one_component_per_axis() -> None:
    with pytest.raises(ShapeError, match=r"localise a pressure gradient of shape \(3,\); it takes one \[2\]"):
        PoreFlow(IMAGE).localise([1.0, 0.0, 0.0])
    with pytest.raises(ShapeError, match=r"takes \[b, 2\] with the columns pressure_gradient\[0\]"):
        PoreFlow(IMAGE, voxel_size=1.0, viscosity=1.0).run(np.ones((1, 3)))


def test_a_solve_that_does_not_converge_is_a_sentence_and_a_failed_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scalebridge.micro.flow.solve._LIMIT", 2)
    rng = np.random.default_rng(0)
    model = PoreFlow(rng.random((16, 16)) < 0.8, fluid=True, voxel_size=1e-6, viscosity=1e-3)
    with pytest.raises(InputError, match=r"flow along x was not found: after 2 iterations its estimated error is"):
        model.permeability()
    runs = model.run(np.ones((2, 2)))
    assert runs.status.tolist() == ["failed", "failed"]
    assert "after 2 iterations" in runs.reason[0]
