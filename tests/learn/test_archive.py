"""Archives: the same answers, and every file that is not what it says is refused with the reason."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.learn import (
    Ensemble,
    GaussianProcess,
    GradientBoosting,
    PolynomialChaos,
    QuantileForest,
    RandomForest,
    load,
    model_card,
    save,
)
from scalebridge.learn.encoding import decode, encode
from scalebridge.models import Structure
from tests.learn.cases import INPUTS, OUTPUTS, drawn

X, Y = drawn(25)
UNITS = sb.Space([sb.Variable("T", "K", bounds=(80, 700), description="temperature"), sb.Variable("e", "1", (2,))])
METHODS: dict[str, Any] = {
    "gaussian process": GaussianProcess(INPUTS, OUTPUTS),
    "random forest": RandomForest(INPUTS, OUTPUTS, trees=10),
    "quantile forest": QuantileForest(INPUTS, OUTPUTS, trees=10),
    "gradient boosting": GradientBoosting(INPUTS, OUTPUTS, iterations=10, repeats=1),
    "polynomial chaos": PolynomialChaos(INPUTS, OUTPUTS),
    "ensemble": Ensemble(INPUTS, OUTPUTS, (PolynomialChaos(INPUTS, OUTPUTS), GaussianProcess(INPUTS, OUTPUTS))),
}


@pytest.mark.parametrize("name", METHODS)
def test_a_loaded_surrogate_answers_the_same_to_the_last_bit_and_learns_on(name: str, tmp_path: Path) -> None:
    fitted = METHODS[name].fit(X, Y)
    save(fitted, tmp_path / "it")
    loaded, new = load(tmp_path / "it"), drawn(40, seed=2)[0]
    assert type(loaded) is type(fitted) and loaded == METHODS[name]
    assert dict(loaded.identity()) == dict(fitted.identity())
    for told, again in zip(fitted.predict(new), loaded.predict(new), strict=True):
        assert np.array_equal(told, again)
    assert np.array_equal(fitted.posterior(new).sample(3), loaded.posterior(new).sample(3))
    more = drawn(30, seed=3)
    assert np.array_equal(fitted.fit(*more).predict(new)[0], loaded.fit(*more).predict(new)[0])


def test_a_potential_with_its_prior_is_kept(tmp_path: Path) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (8, 3))
    space = sb.Space([sb.Variable("e", "1", (3,), kind="symmetric")])
    fitted = GaussianProcess(space, space, Structure(True, True)).fit(x, np.tanh(x))
    save(fitted, tmp_path / "it")
    assert np.array_equal(load(tmp_path / "it").predict(x)[1], fitted.predict(x)[1])


def test_the_same_surrogate_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        save(METHODS["random forest"].fit(X, Y), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "it.surrogate"
    save(METHODS["polynomial chaos"].fit(X, Y), path)
    return path


def rewritten(path: Path, change: Any, *, seal: bool = True, compression: int = zipfile.ZIP_STORED) -> None:
    """Write the archive again with its members changed; ``seal`` gives a changed manifest its sum."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    if seal and "manifest.json" in members:
        members["manifest.sha256"] = hashlib.sha256(members["manifest.json"]).hexdigest().encode()
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def in_manifest(**entries: Any) -> Any:
    def change(members: dict[str, bytes]) -> None:
        members["manifest.json"] = json.dumps({**json.loads(members["manifest.json"]), **entries}).encode()

    return change


def in_array(members: dict[str, bytes]) -> None:
    content = bytearray(members["arrays/0.npy"])
    content[-1] ^= 1
    members["arrays/0.npy"] = bytes(content)


def without_array(members: dict[str, bytes]) -> None:
    del members["arrays/0.npy"]


def with_more(members: dict[str, bytes]) -> None:
    members["../../evil.py"] = b"print('run')"


def without_manifest(members: dict[str, bytes]) -> None:
    del members["manifest.json"]


REFUSALS = {
    "one bit of an array": (in_array, True, "'arrays/0.npy' was changed after it was written"),
    "a missing array": (without_array, True, "other members than its manifest lists"),
    "a member with a path": (with_more, True, "other members than its manifest lists"),
    "no manifest": (without_manifest, True, "no manifest of a surrogate"),
    "a changed manifest": (in_manifest(name="better"), False, "its manifest was changed"),
    "another format": (in_manifest(format="onnx"), True, "it is a 'onnx'"),
    "a newer format": (in_manifest(format_version=2), True, "reads up to 1: install a newer scalebridge"),
    "no class": (in_manifest(surrogate={"class": "os:system", "fields": {}}), True, "'os:system' is none that"),
    "a function": (in_manifest(surrogate={"class": "scalebridge.learn.archive:save", "fields": {}}), True, "is none"),
    "no surrogate": (in_manifest(surrogate={"array": 0}), True, "does not describe a surrogate"),
    "another identity": (in_manifest(identity={"name": "x"}), True, "is not what its manifest says"),
    "an unknown form": (in_manifest(surrogate={"pickle": "gASV"}), True, "which this version does not know"),
    "a wild number": (in_manifest(surrogate={"array": 10**6}), True, "which this version does not know"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_file_that_is_not_what_it_says_is_refused_with_the_reason(name: str, saved: Path) -> None:
    change, seal, words = REFUSALS[name]
    rewritten(saved, change, seal=seal)
    with pytest.raises(sb.InputError, match=words) as told:
        load(saved)
    assert "it.surrogate" in str(told.value) and "\n" not in str(told.value)


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused(part: float, saved: Path) -> None:
    content = saved.read_bytes()
    saved.write_bytes(content[: int(part * len(content))])
    with pytest.raises(sb.InputError, match="damaged, cut short, or no archive at all"):
        load(saved)


def test_every_flipped_byte_of_the_arrays_is_found(saved: Path) -> None:
    content = saved.read_bytes()
    for at in np.random.default_rng(0).integers(0, len(content), 60):
        changed = bytearray(content)
        changed[at] ^= 0xFF
        saved.write_bytes(bytes(changed))
        try:
            loaded = load(saved)
        except sb.InputError:
            continue
        # What is left are bytes of the container that mean nothing, such as dates.
        assert np.array_equal(loaded.predict(X)[0], METHODS["polynomial chaos"].fit(X, Y).predict(X)[0])


def test_a_compressed_file_is_refused_before_it_can_grow(saved: Path) -> None:
    rewritten(saved, lambda members: None, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(sb.InputError, match="compressed or stand in it twice"):
        load(saved)


def test_an_array_that_hides_objects_is_refused_and_runs_nothing(saved: Path) -> None:
    class Runs:
        def __reduce__(self) -> Any:
            return (pytest.fail, ("code from an archive was run",))

    file = io.BytesIO()
    np.save(file, np.array([Runs()], dtype=object), allow_pickle=True)

    def change(members: dict[str, bytes]) -> None:
        members["arrays/0.npy"] = file.getvalue()
        manifest = json.loads(members["manifest.json"])
        manifest["members"]["arrays/0.npy"]["sha256"] = hashlib.sha256(file.getvalue()).hexdigest()
        members["manifest.json"] = json.dumps(manifest).encode()

    rewritten(saved, change)
    with pytest.raises(sb.InputError, match="an array in it cannot be read"):
        load(saved)


def test_other_files_and_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    np.savez(tmp_path / "arrays.npz", a=np.ones(3))
    with pytest.raises(sb.InputError, match="no archive at all"):
        load(tmp_path / "text")
    with pytest.raises(sb.InputError, match="is refused"):
        load(tmp_path / "arrays.npz")
    with pytest.raises(sb.InputError, match="There is no file"):
        load(tmp_path / "nothing")


def test_a_failed_save_leaves_the_older_file_as_it_was(saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(sb.InputError, match="is not fitted"):
        save(METHODS["random forest"], saved)
    with pytest.raises(sb.InputError, match="none that an archive may hold"):
        save(replace(METHODS["polynomial chaos"].fit(X, Y), fitted=Stranger(1)), saved)
    with pytest.raises(sb.InputError, match=r"the folder .* does not exist"):
        save(METHODS["polynomial chaos"].fit(X, Y), saved.parent / "no" / "it")
    assert saved.read_bytes() == before
    assert [p.name for p in saved.parent.iterdir()] == ["it.surrogate"]


@dataclass(frozen=True)
class Stranger:
    """A dataclass of no room of ours."""

    a: int


@pytest.mark.parametrize(
    "value",
    [None, True, 3, -0.1, float("inf"), "text", (1, (2.5, "a")), [1, 2], {"a": (1,)}, np.array(["ab", "c"])],
    ids=str,
)
def test_plain_values_come_back_as_they_were(value: Any) -> None:
    arrays: list[Any] = []
    tree = json.loads(json.dumps(encode(value, arrays)))
    again = decode(tree, arrays)
    assert type(again) is type(value)
    assert np.array_equal(again, value) if isinstance(value, np.ndarray) else again == value


@pytest.mark.parametrize("value", [len, object(), np.array([None]), {1: 2}, RandomForest], ids=range(5))
def test_what_is_no_plain_value_is_not_written(value: Any) -> None:
    with pytest.raises(sb.InputError, match="cannot be written as arrays"):
        encode(value, [])


def test_the_model_card_says_what_the_manifest_knows(tmp_path: Path) -> None:
    x = np.stack([np.linspace(100, 600, 9), np.linspace(0, 1, 9), np.linspace(1, 0, 9)], axis=1)
    save(RandomForest(UNITS, {"p": ("MPa", 0, None)}, trees=5).fit(x, x[:, :1]), tmp_path / "it")
    card = model_card(tmp_path / "it")
    for words in (
        "# Surrogate: random_forest",
        "| T | K | number | 80 to 700 | temperature |",
        "| p | MPa | number | 0 to none |",
        "Learned from 9 runs",
        "trees=5",
        "Calibration certificate: none",
        "- e[1]: -0.15",
        "- scikit-learn ",
    ):
        assert words in card
