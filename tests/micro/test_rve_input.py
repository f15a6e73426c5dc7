"""Likely mistakes with an RVE: one clear sentence each."""

from __future__ import annotations

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.errors import InputError, ShapeError

A, B = sb.micro.Elastic(1.0, 0.3), sb.micro.Elastic(10.0, 0.3)
IMAGE = np.eye(4)


def nan_image() -> np.ndarray:
    image = IMAGE.copy()
    image[2, 1] = np.nan
    return image


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: sb.micro.RVE(np.zeros((2, 4, 4, 4)), [A]), r"shape \(2, 4, 4, 4\); it must be an array of labels"),
        (lambda: sb.micro.RVE(np.zeros((0, 4)), [A]), r"shape \(0, 4\); it must be an array of labels"),
        (lambda: sb.micro.RVE(nan_image(), [A, B]), r"is nan at pixel \(2, 1\) and in 1 pixels"),
        (lambda: sb.micro.RVE(0.5 * IMAGE, [A, B]), r"fractions such as 0\.5; .* segment it first"),
        (lambda: sb.micro.RVE(IMAGE - 1, [A, B]), r"label -1; labels start at 0"),
        (lambda: sb.micro.RVE(IMAGE.astype(str), [A, B]), r"must hold the labels 0, 1"),
        (lambda: sb.micro.RVE(2 * IMAGE, [A, B]), r"label 2 .* \(4 pixels\) has no material: there are 2"),
        (lambda: sb.micro.RVE(IMAGE, [A, B, B]), r"Material 2 \(elastic\) of the RVE has no pixel"),
        (lambda: sb.micro.RVE(np.zeros((4, 4)), [A]), r"holds the label 0 only; .* homogeneous=True"),
        (lambda: sb.micro.RVE(IMAGE, [A, 10.0]), r"Material 1 of the RVE is 10\.0, which is no phase"),
        (lambda: sb.micro.RVE(IMAGE, []), r"has no material: there are 0"),
        (lambda: sb.micro.RVE(IMAGE, [A, B], tolerance=0.0), r"tolerance of the RVE is 0\.0; it must lie between"),
        (lambda: sb.micro.RVE(IMAGE, [A, B], tolerance=float("nan")), r"tolerance of the RVE is nan"),
        (lambda: sb.micro.RVE(IMAGE, [A, B], voxel_size="-1 um"), r"voxel size of the RVE is -1 um"),
        (lambda: sb.micro.RVE(IMAGE, [A, B], device="gpu7").stiffness(), r"device 'gpu7' of the RVE is not available"),
    ],
)
def test_impossible_rves_are_refused_in_one_sentence(make: object, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        make()  # type: ignore[operator]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", [(3,), (1, 6), (2, 3, 3)])
def test_a_strain_of_the_wrong_shape_is_refused_with_the_columns(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"takes \[b, 3\] with the columns strain\[0\], strain\[1\], strain\[2\]"):
        sb.micro.RVE(IMAGE, [A, B]).run(np.zeros(shape))


def test_localise_takes_one_finite_strain() -> None:
    made = sb.micro.RVE(IMAGE, [A, B])
    with pytest.raises(ShapeError, match=r"localise a strain of shape \(1, 3\); it takes one \[3\]"):
        made.localise(np.zeros((1, 3)))
    with pytest.raises(InputError, match="must be finite"):
        made.localise([np.nan, 0.0, 0.0])


def test_a_contrast_beyond_the_solver_is_refused_by_stiffness_and_is_a_failed_row_of_a_run() -> None:
    rng = np.random.default_rng(0)
    made = sb.micro.RVE(rng.integers(0, 2, (16, 16)), [A, sb.micro.Elastic(1e-300, 0.3)])
    with pytest.raises(InputError, match=r"not found in \d+ iterations at the contrast 1\.0e\+300"):
        made.stiffness()
    runs = made.run(np.array([[0.01, 0.0, 0.0]]))
    assert runs.status.tolist() == ["failed"]
    assert runs.reason[0]
