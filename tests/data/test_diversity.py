"""A feeder's peak from the statistics of single households."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scalebridge.data import Dataset, TimeFrame, from_columns, read_table
from scalebridge.data.alignment.diversity import diversity
from scalebridge.errors import InputError

EXTRA = Path(os.environ.get("SCALEBRIDGE_EXTRA_DATA", "nowhere")) / "households-50"
real = pytest.mark.skipif(not EXTRA.exists(), reason="needs households-50 in SCALEBRIDGE_EXTRA_DATA")


def simulated(seed: int, n: int = 40, days: int = 14, shared: float = 0.0) -> np.ndarray:
    """Demands ``[days * 48, n]``: a daily profile times skew noise, of which a share is common to all."""
    rng = np.random.default_rng(seed)
    profile = (1 + np.sin(np.linspace(0, 2 * np.pi, 48)) ** 2) * rng.uniform(0.5, 2, (n, 1))
    own = rng.gamma(1.0, 1.0, (days, 48, n))
    common = rng.gamma(1.0, 1.0, (days, 48, 1))
    return np.asarray((profile.T * ((1 - shared) * own + shared * common)).reshape(-1, n))


def feeder(demand: np.ndarray) -> Dataset:
    return from_columns({f"H{i:02d} [kW]": demand[:, i] for i in range(demand.shape[1])}, name="households.csv")


def test_the_peak_of_the_sum_is_within_its_interval_and_on_average_right() -> None:
    off, inside = [], 0
    for seed in range(12):
        demand = simulated(seed)
        told = diversity(feeder(demand[: 7 * 48]), 48).peak(7)
        true = demand[7 * 48 :].sum(axis=1).max()
        off.append(told.mean / true - 1)
        inside += told.interval[0] <= true <= told.interval[1]
    assert abs(np.mean(off)) < 0.03 and np.mean(np.abs(off)) < 0.1 and inside >= 8


def test_what_households_have_in_common_raises_the_peak_and_is_measured() -> None:
    told = diversity(feeder(simulated(1, shared=0.3)), 48)
    # Shares of variance: .3^2 of .3^2 + .7^2.
    assert told.correlation == pytest.approx(0.09 / 0.58, abs=0.04)
    assert told.peak(7).mean > 1.3 * told.peak(7, correlation=0.0).mean
    assert abs(diversity(feeder(simulated(1)), 48).correlation) < 0.02


def test_the_more_members_the_less_each_adds() -> None:
    told = diversity(feeder(simulated(2)), 48)
    each = [told.peak(7, told.names[:n]).per_member / told.profile[:, :n].mean() for n in (1, 5, 20, 40)]
    assert each == sorted(each, reverse=True)
    assert 0 < told.peak(7).coincidence < 1


def test_what_gives_no_diversity_is_refused() -> None:
    demand = simulated(3)
    with pytest.raises(InputError, match="fewer than two periods"):
        diversity(feeder(demand[:60]), 48)
    with pytest.raises(InputError, match=r"'H03'.*row 1"):
        diversity(feeder(np.where(np.arange(40) == 3, -demand, demand)), 48)
    with pytest.raises(InputError, match="convert to one"):
        diversity(from_columns({"a [kW]": demand[:, 0], "b [W]": demand[:, 1]}), 48)
    with pytest.raises(InputError, match="no member 'H99'"):
        diversity(feeder(demand), 48).peak(7, ["H99"])


def test_a_hole_in_the_times_is_refused_for_the_periods_would_shift() -> None:
    demand = simulated(4, n=5)
    times = {"t [s]": 1800.0 * np.arange(len(demand)), **{f"H{i} [kW]": demand[:, i] for i in range(5)}}
    timed = replace(from_columns(times, name="households.csv"), time=TimeFrame("t"))
    assert diversity(timed, 48).peak(7).mean == diversity(timed.without("t"), 48).peak(7).mean
    holed = timed.rows(np.setdiff1d(np.arange(len(demand)), np.arange(100, 112)))
    with pytest.raises(InputError, match=r"Row 101 .*23400 s after the row before and others 1800 s"):
        diversity(holed, 48)


@real
def test_the_feeder_of_fifty_real_households_peaks_within_ten_per_cent() -> None:
    data = read_table(next(EXTRA.glob("*.csv")))
    names = [n for n in data.numeric_names if n.startswith("H")]
    told = diversity(data, 48, names)
    peak, true = told.peak(7), data.numeric(names).sum(axis=1).max()
    assert abs(peak.mean / true - 1) < 0.1 and peak.interval[0] < true < peak.interval[1]


@real
def test_groups_that_were_held_out_peak_within_ten_per_cent_with_the_correlation_of_the_others() -> None:
    data = read_table(next(EXTRA.glob("*.csv")))
    names = [n for n in data.numeric_names if n.startswith("H")]
    off = []
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(len(names))
        seen, held = ([names[i] for i in part] for part in (order[:25], order[25:]))
        peak = diversity(data, 48, held).peak(7, correlation=diversity(data, 48, seen).correlation)
        off.append(peak.mean / data.numeric(held).sum(axis=1).max() - 1)
    assert np.median(np.abs(off)) < 0.1 and abs(np.mean(off)) < 0.05
