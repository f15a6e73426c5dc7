"""What is wrong with data, said before anybody trains on it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from scalebridge.data import Dataset, TimeFrame, from_columns, read_table
from scalebridge.data.checks import QualityReport, quality
from scalebridge.errors import InputError

N = 200


def sound(seed: int = 0, /, **more: object) -> Dataset:
    """Two hundred specimens with three features and a target that all of them and noise make."""
    rng = np.random.default_rng(seed)
    a, b, c = rng.uniform(1, 2, (3, N))
    columns = {
        "ID": [f"S{i:03d}" for i in range(N)],
        "density [g/cm^3]": a,
        "temperature [degC]": 20 + 30 * b,
        "thickness [mm]": c,
        "strength [MPa]": 30 * a + 10 * b + rng.standard_normal(N),
    }
    return from_columns({**columns, **more}, index="ID", name="specimens.csv")


def found(report: QualityReport, check: str) -> str:
    """Sentences of one check, empty where it found nothing."""
    return " ".join(f.sentence for f in report.about(check))


def test_sound_data_pass_without_a_finding_for_many_seeds() -> None:
    wrong = [str(f) for seed in range(20) for f in quality(sound(seed), "strength").findings]
    assert wrong == []


def test_the_report_prints_as_text_html_and_json() -> None:
    report = quality(sound().with_column("thickness", np.ones(N)), "strength")
    assert "constants: 1 columns have one value only: thickness." in str(report)
    assert "<td>constants</td>" in report.html_rows() and "<table>" in report._repr_html_()
    told = json.loads(json.dumps(report.as_dict()))
    assert told["ready"] is True and told["findings"][0]["check"] == "constants" and len(told["digest"]) == 64


def test_gaps_are_counted_and_a_target_with_gaps_is_never_to_be_filled() -> None:
    data = sound()
    strength, density = data["strength"].copy(), data["density"].copy()
    strength[:5], density[10:140] = np.nan, np.nan
    report = quality(data.with_column("strength", strength).with_column("density", density), "strength")
    assert "missing in 5 of 200" in found(report, "gaps") and "density (65%)" in found(report, "gaps")
    assert any("never fill a target" in f.advice for f in report.about("gaps"))


def test_a_constant_target_stops() -> None:
    report = quality(sound().with_column("strength", np.ones(N)), "strength")
    assert not report.ready and "same value in every row" in found(report, "constants")


def test_unstated_units_are_named() -> None:
    assert "unit of 1 columns: x" in found(quality(sound(x=np.random.default_rng(1).uniform(size=N))), "units")


def test_two_units_in_one_column_are_seen_as_two_clusters() -> None:
    data = sound()
    strength = data["strength"].copy()
    strength[[3, 50, 70]] *= 1e6
    report = quality(data.with_column("strength", strength), "strength")
    assert "S003" in found(report, "mixed units") and not report.ready


@pytest.mark.parametrize("width", [2.0, 4.0, 6.0], ids=str)
def test_a_column_over_many_decades_is_no_mixture(width: float) -> None:
    rng = np.random.default_rng(2)
    report = quality(sound(cycles=10 ** rng.uniform(2, 2 + width, N)))
    assert not report.about("mixed units")
    assert bool(report.about("range")) == (width > 3)


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("temperature", -300.0, "absolute zero"),
        ("density", -1.0, "a density"),
        ("temperature", -999.0, "absolute zero"),
    ],
    ids=["below absolute zero", "negative density", "code for a gap"],
)
def test_implausible_values_are_named_with_their_row(column: str, value: float, why: str) -> None:
    data = sound()
    values = data[column].copy()
    values[7] = value
    report = quality(data.with_column(column, values))
    assert "S007" in found(report, "plausibility") and why in found(report, "plausibility") and not report.ready


def test_a_modulus_in_the_wrong_unit_is_not_plausible() -> None:
    data = from_columns({"modulus [GPa]": np.full(30, 18471e6) * np.linspace(0.9, 1.1, 30)})
    assert "(solids)" in found(quality(data), "plausibility")


def test_a_code_in_a_column_of_speeds_is_seen_and_a_difference_may_be_negative() -> None:
    speeds = np.random.default_rng(6).uniform(0, 8, N)
    speeds[[4, 9]] = -7498.0
    assert "row 5" in found(quality(from_columns({"wind speed [m/s]": speeds})), "plausibility")
    assert not quality(from_columns({"length change [mm]": speeds - 4})).about("plausibility")


def test_one_quantity_in_two_units_is_told_and_pure_numbers_are_no_family() -> None:
    rng = np.random.default_rng(7)
    data = from_columns(
        {"a [mm]": rng.uniform(size=N), "b [um]": rng.uniform(size=N), "c [degree]": rng.uniform(size=N)}
    )
    told = found(quality(data.with_column("c", data["c"])), "units")
    assert "a [mm] and b [um]" in told and "c [" not in told


def test_equal_rows_are_found_although_their_identifiers_differ() -> None:
    data = sound()
    doubled = from_columns(
        {"ID": [f"T{i}" for i in range(N + 2)]} | {n: np.append(data[n], data[n][:2]) for n in data.numeric_names},
        index="ID",
    )
    assert "2 rows are equal" in found(quality(doubled), "duplicates") and "T0=T200" in found(
        quality(doubled), "duplicates"
    )


def test_identifiers_that_nearly_agree_are_named() -> None:
    data = from_columns({"ID": ["S1", "S01", "s2", "S2", "S3"], "x": np.arange(5.0)}, index="ID")
    told = found(quality(data), "identifiers")
    assert "leading zeros" in told and "upper and lower case" in told


def test_groups_that_nobody_named_are_found_by_name_by_variance_and_by_equal_features() -> None:
    rng = np.random.default_rng(3)
    member = np.repeat(np.arange(40), 5)
    level = rng.standard_normal(40)[member]
    base = {"x": rng.uniform(size=N), "y": level + 0.3 * rng.standard_normal(N)}
    named = quality(from_columns({**base, "TreeID": member}), "y")
    assert "40 values of 'TreeID'" in found(named, "groups")
    unnamed = quality(from_columns({**base, "code": member}), "y")
    assert "40 values of 'code'" in found(unnamed, "groups")
    mixes = rng.uniform(size=(40, 3))[member]
    repeated = {"p": mixes[:, 0], "q": mixes[:, 1], "r": mixes[:, 2], "age": rng.uniform(size=N), "y": base["y"]}
    assert "every feature but 'age' (40 different sets)" in found(quality(from_columns(repeated), "y"), "groups")


def test_named_groups_are_noted_and_a_row_without_one_stops() -> None:
    member = [f"T{i // 5}" for i in range(N)]
    assert "40 groups of 'tree'" in found(quality(sound(tree=member), "strength", "tree"), "groups")
    member[3] = ""
    assert not quality(sound(tree=member), "strength", "tree").ready


@pytest.mark.parametrize(
    "law", [lambda y: 2 * y + 1, lambda y: (y - y.mean()) ** 3, np.exp], ids=["line", "cube", "exp"]
)
def test_a_column_that_determines_the_target_stops(law: object) -> None:
    data = sound()
    y = (data["strength"] - data["strength"].mean()) / data["strength"].std()
    report = quality(sound(leak=law(y)), "strength")  # type: ignore[operator]
    assert "follows from one column: leak" in found(report, "leakage") and not report.ready


def test_a_strong_honest_feature_is_no_leak() -> None:
    data = sound()
    honest = data["strength"] + 0.05 * data["strength"].std() * np.random.default_rng(4).standard_normal(N)
    assert not quality(sound(honest=honest), "strength").about("leakage")


def test_identifiers_in_a_column_of_numbers_are_no_leak() -> None:
    assert not quality(sound(number=np.arange(float(N))), "strength").about("leakage")


def test_rare_classes_and_large_groups_are_told() -> None:
    report = quality(sound(state=["ok"] * 190 + ["crack"] * 10), "state")
    assert "'crack' has 10 of 200" in found(report, "imbalance")
    report = quality(sound(tree=["T1"] * 150 + [f"U{i}" for i in range(50)]), "strength", "tree")
    assert "'T1' holds 150" in found(report, "imbalance")


def test_drift_is_seen_in_time_order_and_not_in_shuffled_rows() -> None:
    rng = np.random.default_rng(5)
    t = rng.permutation(np.arange(300.0))
    data = from_columns({"t [s]": t, "x": rng.standard_normal(300) + t / 100, "y": rng.standard_normal(300)})
    assert not quality(data).about("drift")
    timed = Dataset(data.space, data.columns, time=TimeFrame("t"))
    report = quality(timed)
    assert "x (distance" in found(report, "drift") and "y (distance" not in found(report, "drift")


def test_run_outs_stop_until_they_are_marked() -> None:
    from scalebridge.data.cleansing.censoring import mark_censored

    data = sound(**{"run out": ["yes"] * 20 + ["no"] * 180})
    assert not quality(data, "strength").ready
    marked = mark_censored(data, "strength", flag="run_out")
    assert quality(marked, "strength").ready and "20 of 200" in found(quality(marked, "strength"), "censoring")


def test_a_target_that_piles_up_at_its_end_is_suspected() -> None:
    data = sound()
    assert "are exactly its highest value" in found(
        quality(data.with_column("strength", np.minimum(data["strength"], 60)), "strength"), "censoring"
    )


def test_too_few_rows_and_no_rows_are_told() -> None:
    assert "12 rows" in found(quality(sound().rows(np.arange(12)), "strength"), "rows")
    assert not quality(sound().rows(np.zeros(N, dtype=bool)), "strength").ready


def test_an_outlier_is_named_and_nothing_is_dropped() -> None:
    data = sound()
    values = data["thickness"].copy()
    values[9] = 40.0
    assert "thickness = 40 in S009" in found(quality(data.with_column("thickness", values)), "outliers")


def test_unknown_targets_and_fields_are_refused() -> None:
    with pytest.raises(InputError, match="did you mean 'strength'"):
        quality(sound(), "strenght")
    with pytest.raises(InputError, match="is a field"):
        quality(sound(image=[np.ones((i % 3 + 1, 2)) for i in range(N)]), "image")
    with pytest.raises(InputError, match="both target and groups"):
        quality(sound(), "strength", "strength")


def test_averages_that_hold_a_code_read_as_a_gap_are_told_from_readings(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    direction = rng.uniform(0, 360, N)
    # One reading of twelve was the code, then all but one.
    direction[17], direction[18] = (11 * 150 - 7999) / 12, (150 - 11 * 7999) / 12
    lines = [f"{d:.2f},{t:.2f}" for d, t in zip(direction, 20 + rng.standard_normal(N), strict=True)]
    lines[19] = "-7999,21.0"
    (tmp_path / "a.csv").write_text("\n".join(["direction [degree],T [degC]", *lines]) + "\n")
    report = quality(read_table(tmp_path / "a.csv", gaps=["-7999"]))
    (finding,) = report.about("codes")
    assert (finding.severity, finding.columns, sorted(finding.rows)) == ("stop", ("direction",), [18])
    assert "-7319.92 in row 19" in finding.sentence and not report.ready
    direction[18] = 150.0
    assert not quality(from_columns({"direction [degree]": direction})).about("codes")
