"""Runs: a status per row, never a silent NaN."""

from __future__ import annotations

import numpy as np
import pytest

from scalebridge.errors import InputError, ShapeError
from scalebridge.models import Runs


def test_rows_are_ok_where_finite_and_failed_with_a_reason_elsewhere() -> None:
    runs = Runs(np.array([[1.0, 2.0], [np.nan, 2.0], [np.inf, 0.0]]))
    assert runs.status.tolist() == ["ok", "failed", "failed"]
    assert runs.reason == ("", "a value is not finite", "a value is not finite")
    assert np.isnan(runs.values[1:]).all()


def test_a_row_that_is_not_ok_holds_no_value() -> None:
    runs = Runs(np.ones((2, 1)), np.array(["timeout", "ok"]), ("took 3 s", ""))
    assert np.isnan(runs.values[0, 0])
    assert runs.ok.tolist() == [False, True]


def test_taking_rows_keeps_what_belongs_to_them() -> None:
    runs = Runs(
        np.array([[1.0], [2.0], [3.0]]),
        cost_s=np.array([0.1, 0.2, 0.3]),
        jacobian=np.arange(3.0)[:, None, None],
        noise_std=np.arange(3.0)[:, None],
    ).take([2, 0])
    assert runs.values.ravel().tolist() == [3.0, 1.0]
    assert runs.cost_s.tolist() == [0.3, 0.1]
    assert runs.jacobian.ravel().tolist() == [2.0, 0.0]
    assert runs.noise_std.ravel().tolist() == [2.0, 0.0]
    assert runs.error_std is None


def test_a_refused_row_does_not_cost_the_others_their_noise_and_jacobian() -> None:
    whole = Runs(np.ones((2, 1)), noise_std=np.full((2, 1), 0.1), jacobian=np.ones((2, 1, 3)))
    joined = Runs.join([whole, Runs.refused(1, 1, "failed", "no licence"), whole])
    assert joined.status.tolist() == ["ok", "ok", "failed", "ok", "ok"]
    assert joined.reason[2] == "no licence"
    np.testing.assert_array_equal(joined.noise_std[joined.ok], 0.1)
    assert joined.jacobian.shape == (5, 1, 3)
    assert np.isnan(joined.jacobian[2]).all()


def test_an_array_that_an_ok_row_lacks_is_not_kept() -> None:
    joined = Runs.join([Runs(np.ones((1, 1)), noise_std=np.ones((1, 1))), Runs(np.ones((1, 1)))])
    assert joined.noise_std is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"values": np.ones(2)}, r"values of shape \(2,\)"),
        ({"status": np.array(["ok"])}, "2 rows of values, 1 of status"),
        ({"reason": ("a",)}, "1 of reason"),
        ({"status": np.array(["ok", "okay"])}, "status 'okay'; valid: ok, failed, timeout, outside"),
        ({"jacobian": np.ones((2, 3))}, r"jacobian of shape \(2, 3\) beside values \(2, 1\)"),
        ({"noise_std": np.ones(2)}, "noise_std of shape"),
        ({"error_std": np.ones((2, 4))}, "error_std of shape"),
    ],
)
def test_parts_that_do_not_fit_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises((InputError, ShapeError), match=message):
        Runs(**{"values": np.ones((2, 1)), **options})
