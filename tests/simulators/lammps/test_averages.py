"""Files of fix ave/time, ave/chunk, ave/histo and ave/correlate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.simulators.lammps.averages import read_averages
from scalebridge.simulators.lammps.correlations import correlation_of_series, read_correlation

DATA = Path(__file__).parents[3] / "data"
STYLES, ARGON = DATA / "lammps-styles", DATA / "argon-md"


def test_scalars_in_time_are_one_block() -> None:
    found = read_averages(STYLES / "time.scalar")
    assert len(found) == 1 and found.texts == ("TimeStep", "c_thermo_temp", "v_pxy")
    assert found.column("TimeStep").tolist() == list(range(10, 101, 10))
    data = found.dataset(style="real", units={"v_pxy": "atm"})
    assert data.space["c_thermo_temp"].unit == "K" and data.space["v_pxy"].unit == "atm"


def test_vectors_chunks_and_histograms_are_a_block_per_step() -> None:
    vector = read_averages(STYLES / "time.vector")
    assert len(vector) == 5 and vector.block(0).shape == (20, 4)
    assert [head["TimeStep"] for head in vector.heads] == [20, 40, 60, 80, 100]
    chunk = read_averages(STYLES / "chunk.dat")
    assert chunk.names == ("Chunk", "Coord1", "Ncount", "vx", "density_number", "temp")
    assert chunk.column("Ncount").sum() == pytest.approx(chunk.heads[-1]["Total-count"])
    histogram = read_averages(STYLES / "histo.dat")
    head = histogram.heads[-1]
    assert histogram.column("Count").sum() == head["Total-counts"] and len(histogram.block()) == head["Number-of-bins"]


def test_blocks_under_an_empty_title_are_blocks(tmp_path: Path) -> None:
    title, rest = (STYLES / "time.vector").read_text().split("\n", 1)
    path = tmp_path / "time.vector"
    path.write_text("\n" + rest)
    found, titled = read_averages(path), read_averages(STYLES / "time.vector")
    assert title.startswith("#") and len(found) == 5 and found.texts == titled.texts
    assert found.heads == titled.heads and np.array_equal(found.block(-1), titled.block(-1))


def test_a_last_block_that_is_cut_off_is_left_out_with_a_word(tmp_path: Path) -> None:
    lines = (STYLES / "time.vector").read_text().splitlines(keepends=True)
    path = tmp_path / "time.vector"
    path.write_text("".join(lines[:-3]))
    found = read_averages(path)
    assert len(found) == 4 and found.remark == "The block of step 100 is cut off and was left out."
    path.write_text("".join(lines)[:-4])
    assert len(read_averages(path)) == 4


def test_correlations_name_their_pairs_and_count_their_samples() -> None:
    found = read_correlation(ARGON / "S0St.liquid94K.dat")
    assert found.step == 160000 and len(found.lags) == 200 and found.spacing == 5
    assert found.pairs[0] == ("v_pxy", "v_pxy") and found.counts[0] == 32001
    assert found.values[0].tolist() == [4820.89, 4834.79, 4718.51] and found.duration == 160005
    upper = read_correlation(STYLES / "corr.dat")
    assert upper.pairs[1] == ("v_pxy", "c_thermo_temp")
    assert upper.auto().pairs == (("v_pxy", "v_pxy"), ("c_thermo_temp", "c_thermo_temp"))
    with pytest.raises(InputError, match=r"no product of 'v_pxz'.*did you mean 'v_pxy'"):
        upper.only(["v_pxz"])


def test_long_correlations_give_their_even_beginning() -> None:
    found = read_correlation(STYLES / "corrlong.dat")
    assert found.in_time and found.lags[:3].tolist() == [0, 0.01, 0.02] and len(found.lags) >= 16


def test_the_correlation_of_a_series_is_the_plain_sum() -> None:
    values = np.random.default_rng(0).normal(size=(200, 2))
    found = correlation_of_series(values, 0.5, longest=10.0)
    assert found.lags[-1] == 10.0 and found.duration == 100.0
    for lag in (0, 1, 7, 20):
        exact = (values[: 200 - lag] * values[lag:]).mean(axis=0)
        np.testing.assert_allclose(found.values[lag], exact, atol=1e-12)


def test_a_file_that_a_second_run_went_on_with_is_read_where_its_columns_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("# of fix a\n# TimeStep c_x c_y\n1 2 3\n# of fix b\n# TimeStep c_x c_y\n2 4 5\n")
    assert read_averages(path).column("c_x").tolist() == [2, 4]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "# a\n# TimeStep c_x c_y\n1 2 3\n# a\n# TimeStep c_y c_x\n2 5 4\n",
            "line 5, has the columns 'TimeStep c_y c_x'",
        ),
        ("hello\n", "holds 'hello' where numbers"),
        ("# a\n# b\n", "hold no block"),
        ("# a\n# TimeStep x\n1 2\n2 3 4\n", "line 4, has 3 columns where 2"),
        ("# a\n# TimeStep n\n# Row x\n10 1e30\n1 2\n", "the number of rows that follow"),
        ("# a\n# TimeStep n\n# Row x\n10\n1 2\n", "the number of rows that follow"),
        ((STYLES / "time.yaml").read_text(), "is YAML"),
    ],
)
def test_what_is_no_file_of_averages_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "file"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        read_averages(path)


def test_what_is_no_correlation_is_one_sentence() -> None:
    with pytest.raises(InputError, match="and not Index, TimeDelta and Ncount"):
        read_correlation(STYLES / "time.vector")
    with pytest.raises(InputError, match="1 lags with samples"):
        read_correlation(STYLES / "corr.dat", block=0)
    with pytest.raises(InputError, match="no block 9"):
        read_correlation(STYLES / "corr.dat", block=9)
    with pytest.raises(InputError, match="cannot be correlated"):
        correlation_of_series([1.0, 2.0], 1.0)
