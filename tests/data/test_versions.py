"""Versions of data: what changed, and a folder that keeps them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from scalebridge.data import Dataset, from_columns
from scalebridge.data.versions.changes import changes
from scalebridge.data.versions.store import LOG, Versions
from scalebridge.errors import InputError, StoreError


def specimens() -> Dataset:
    """Three specimens with a strength in MPa."""
    return from_columns(
        {"SpecimenID": ["A", "B", "C"], "strength [MPa]": [10.0, 20.0, np.nan], "resin": ["x", "x", "y"]},
        index="SpecimenID",
        name="specimens.csv",
    )


def test_the_same_data_have_no_changes() -> None:
    assert not changes(specimens(), specimens())
    assert "Nothing changed" in str(changes(specimens(), specimens()))


def test_rows_are_matched_by_identifier_and_not_by_their_order() -> None:
    old = specimens()
    told = changes(old, old.rows([2, 0]))
    assert told.moved and told.rows_removed == ("B",) and told.rows_added == () and told.cells == ()


def test_a_changed_cell_is_told_with_identifier_and_both_values() -> None:
    old = specimens()
    new = old.with_column("strength", [10.0, 21.0, 5.0]).with_column("resin", ["x", "x", ""])
    assert [str(c) for c in changes(old, new).cells] == [
        "B, strength: 20 -> 21",
        "C, strength: a gap -> 5",
        "C, resin: 'y' -> a gap",
    ]


def test_another_unit_is_a_change_of_the_unit_and_not_of_the_cells() -> None:
    told = changes(specimens(), specimens().in_units({"strength": "GPa"}))
    assert told.units == {"strength": ("MPa", "GPa")} and told.cells == ()


def test_columns_and_rows_added_are_named() -> None:
    old = specimens().only(["SpecimenID", "strength"]).rows([0, 1])
    told = changes(old, specimens())
    assert told.rows_added == ("C",) and told.columns_added == ("resin",)
    assert json.loads(json.dumps(told.as_dict()))["rows_added"] == ["C"]


def test_without_an_index_rows_go_by_their_number() -> None:
    a, b = from_columns({"x": [1.0, 2.0]}), from_columns({"x": [1.0, 3.0, 4.0]})
    told = changes(a, b)
    assert told.by is None and [c.row for c in told.cells] == ["row 2"] and told.rows_added == ("row 3",)


def test_a_version_comes_back_by_the_first_digits_of_its_digest(tmp_path: Path) -> None:
    versions, old = Versions(tmp_path / "v"), specimens()
    new = old.with_column("strength", [10.0, 21.0, 5.0])
    versions.add(old, "as measured")
    versions.add(new, "B and C measured again")
    assert [v.message for v in versions.list()] == ["as measured", "B and C measured again"]
    assert versions.get(old.digest[:8]).digest == old.digest
    assert versions.get("latest").undo().digest == old.digest
    assert len(versions.diff(old.digest[:8]).cells) == 2


def test_the_same_content_is_kept_once(tmp_path: Path) -> None:
    versions = Versions(tmp_path)
    versions.add(specimens(), "one")
    versions.add(specimens(), "two")
    assert len(list((tmp_path / "datasets").iterdir())) == 1 and len(versions.list()) == 2


def test_a_torn_last_line_is_ignored_also_after_the_next_version(tmp_path: Path) -> None:
    versions = Versions(tmp_path)
    versions.add(specimens(), "one")
    with open(tmp_path / LOG, "a", encoding="utf-8") as log:
        log.write('{"digest": "abc')
    assert [v.message for v in versions.list()] == ["one"]
    versions.add(specimens(), "two")
    assert [v.message for v in versions.list()] == ["one", "two"]


def test_a_damaged_line_and_a_damaged_file_are_refused(tmp_path: Path) -> None:
    versions = Versions(tmp_path)
    version = versions.add(specimens(), "one")
    file = tmp_path / "datasets" / f"{version.digest}.sbdata"
    other = specimens().rows([0])
    file.unlink()
    other.save(file)
    with pytest.raises(StoreError, match="was changed"):
        versions.get(version.digest)
    file.write_bytes(b"no zip")
    with pytest.raises(StoreError, match="cannot be read"):
        versions.get(version.digest)
    (tmp_path / LOG).write_text("broken\n" + (tmp_path / LOG).read_text())
    with pytest.raises(StoreError, match="Line 1"):
        versions.list()


def test_an_unknown_digest_and_an_empty_message_are_refused(tmp_path: Path) -> None:
    versions = Versions(tmp_path)
    with pytest.raises(InputError, match="none, add one first"):
        versions.get("abcd")
    with pytest.raises(InputError, match="needs a message"):
        versions.add(specimens(), "  ")


def test_a_writer_that_dies_before_its_file_is_whole_leaves_no_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = Versions(tmp_path)
    versions.add(specimens(), "one")

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("scalebridge.data.archive.os.replace", dies)
    with pytest.raises(KeyboardInterrupt):
        versions.add(specimens().rows([0]), "two")
    monkeypatch.undo()
    assert [v.message for v in versions.list()] == ["one"]
    assert versions.get("latest").digest == specimens().digest


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreError, match="'one' could not be kept"):
        Versions(tmp_path / "file").add(specimens(), "one")


def test_deviations_and_limits_that_changed_are_cells() -> None:
    old = specimens().with_column("strength", [10.0, 20.0, np.nan], [1.0, 2.0, np.nan])
    new = old.with_column("strength", old["strength"], [1.0, 2.5, np.nan], [0, 1, 0])
    told = [str(c) for c in changes(old, new).cells]
    assert told == ["B, std of strength: 2 -> 2.5", "B, censoring of strength: 0 -> 1"]
    assert changes(old, old.in_units({"strength": "psi"})).cells == ()
