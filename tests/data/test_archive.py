"""Saved datasets: the same again, with their steps, and nothing that was tampered with."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

import scalebridge as sb
from scalebridge import data
from scalebridge.errors import InputError
from scalebridge.quantities import Space, Variable


def everything() -> data.Dataset:
    image = sb.microstructure.from_array(np.random.default_rng(0).random((16, 17)), pixel_size="2 um")
    volume = sb.microstructure.as_volume(np.arange(27, dtype=np.uint8).reshape(3, 3, 3))
    space = Space(
        [
            Variable("id", kind="category"),
            Variable("x", "m", bounds=(0, None), description="place"),
            Variable("t", "s"),
            Variable("strain", shape=(3,), kind="symmetric"),
            Variable("image", kind="field"),
        ]
    )
    columns = {
        "id": ["a", "ü", ""],
        "x": [0.0, 1.0, np.nan],
        "t": [0.0, 1.0, 2.0],
        "strain": np.arange(9.0).reshape(3, 3),
        "image": [image, volume, np.ones((2, 3))],
    }
    return data.Dataset(
        space,
        columns,
        name="all",
        coordinates=data.Frame(("x",), "bench", "m", (1.0,)),
        time=data.TimeFrame("t", "2020-01-01T00:00:00Z", "UTC", 1.0),
        std={"x": np.array([0.1, 0.2, np.nan])},
        censored={"x": np.array([0, 1, -1])},
        edges=data.from_columns({"source": [0.0], "target": [2.0]}),
        source=data.Source((data.File("a.csv", "0" * 64, 12),), "table", {"gaps": ["x"]}, ("A note.",), ("t",)),
    )


def test_everything_comes_back_as_it_was(tmp_path: Path) -> None:
    d = everything()
    d.save(tmp_path / "d.sbd")
    back = data.load(tmp_path / "d.sbd")
    assert back.digest == d.digest
    assert back.space == d.space
    assert (back.coordinates, back.time, back.name) == (d.coordinates, d.time, d.name)
    assert (back.source.files, back.source.notes, back.source.unstated) == (
        d.source.files,
        d.source.notes,
        d.source.unstated,
    )
    assert back["image"][0].pixel_size == "2 um"
    assert back["image"][1].values.dtype == np.uint8
    assert not back["x"].flags.writeable


def test_steps_can_still_be_undone(tmp_path: Path) -> None:
    d = everything()
    derived = d.with_column("x", [5.0, 1.0, 2.0]).rows([0, 2])
    derived.save(tmp_path / "d.sbd")
    back = data.load(tmp_path / "d.sbd")
    assert [s.sentence for s in back.steps] == [s.sentence for s in derived.steps]
    assert back.steps[0].changed["x"].rows.tolist() == [0, 2]
    assert back.undo().digest == derived.undo().digest
    assert back.undo().undo().digest == d.digest


def test_without_history_the_former_data_is_not_in_the_file(tmp_path: Path) -> None:
    d = data.from_columns({"secret": [123456.0] * 50_000, "x": np.arange(50_000.0)}).without("secret")
    d.save(tmp_path / "all.sbd")
    d.save(tmp_path / "bare.sbd", history=False)
    assert (tmp_path / "bare.sbd").stat().st_size < 0.6 * (tmp_path / "all.sbd").stat().st_size
    with pytest.raises(InputError, match="saved without its history"):
        data.load(tmp_path / "bare.sbd").undo()


def test_the_same_dataset_gives_the_same_bytes(tmp_path: Path) -> None:
    everything().save(tmp_path / "a.sbd")
    everything().save(tmp_path / "b.sbd")
    assert (tmp_path / "a.sbd").read_bytes() == (tmp_path / "b.sbd").read_bytes()


def rewritten(path: Path, name: str, content: bytes, compression: int = zipfile.ZIP_STORED) -> None:
    members = {}
    with zipfile.ZipFile(path) as archive:
        members = {n: archive.read(n) for n in archive.namelist()}
    members[name] = content
    with zipfile.ZipFile(path, "w", compression) as archive:
        for key, value in members.items():
            archive.writestr(key, value)


def test_a_changed_array_or_manifest_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "d.sbd"
    data.from_columns({"x": [1.0, 2.0]}).save(path)
    with zipfile.ZipFile(path) as archive:
        array = next(n for n in archive.namelist() if n.startswith("arrays/"))
        manifest = json.loads(archive.read("manifest.json"))
    stream = io.BytesIO()
    np.save(stream, np.array([1.0, 3.0]))
    whole = path.read_bytes()
    rewritten(path, array, stream.getvalue())
    with pytest.raises(InputError, match="an array in it was changed or damaged"):
        data.load(path)
    path.write_bytes(whole)
    rewritten(path, "manifest.json", json.dumps({**manifest, "digest": "0"}).encode())
    with pytest.raises(InputError, match="its manifest was changed or damaged"):
        data.load(path)
    path.write_bytes(whole)
    rewritten(path, "more", b"0" * 10_000, zipfile.ZIP_DEFLATED)
    with pytest.raises(InputError, match="compressed"):
        data.load(path)


def test_objects_that_would_be_unpickled_are_not(tmp_path: Path) -> None:
    from scalebridge.data.archive import _array_of

    stream = io.BytesIO()
    np.save(stream, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="not laid out"):
        _array_of(stream.getvalue())


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "There is no dataset"), (b"", "not a zip"), (b"PK\x03\x04 no", "not read as a dataset")],
    ids=["missing", "empty", "damaged"],
)
def test_files_that_are_no_datasets_are_refused_in_one_sentence(
    tmp_path: Path, content: bytes | None, told: str
) -> None:
    path = tmp_path / "d.sbd"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=told) as refusal:
        data.load(path)
    assert "d.sbd" in str(refusal.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the folder '.*nowhere' does not exist"):
        everything().save(tmp_path / "nowhere" / "d.sbd")


def test_options_that_are_no_plain_values_are_refused_when_saved(tmp_path: Path) -> None:
    d = data.from_columns({"x": [1.0]})
    with pytest.raises(InputError, match="no plain value"):
        d.stepped(d, "odd", {"f": print}, "Odd.").save(tmp_path / "d.sbd")
    assert list(tmp_path.iterdir()) == []
