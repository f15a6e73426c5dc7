"""check_store passes our stores and catches each planted breach of the law with the right words."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scalebridge.campaign import Store
from scalebridge.errors import StoreError
from scalebridge.testing import check_store


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[[type[Store]], Callable[[], Store]]:
    numbers = itertools.count()
    return lambda kind: lambda: kind(tmp_path / str(next(numbers)))


def test_the_store_on_disk_keeps_the_law(fresh: Any) -> None:
    check_store(fresh(Store))


def test_the_store_in_memory_keeps_the_law() -> None:
    check_store(Store)


class Rounding(Store):
    def publish(self, rows: Any) -> list[bool]:
        return super().publish([(k, t, replace(r, values=0.0 + r.values)) for k, t, r in rows])


class Forgetful(Store):
    def publish(self, rows: Any) -> list[bool]:
        return super().publish([(k, t, replace(r, jacobian=None)) for k, t, r in rows])


class Unfenced(Store):
    def publish(self, rows: Any) -> list[bool]:
        latest = {a.request.key: a.token for a in self.attempts()}
        return super().publish([(k, latest[k], r) for k, _, r in rows])


class Twice(Store):
    def publish(self, rows: Any) -> list[bool]:
        super().publish(rows)
        return [True] * len(rows)


class SameToken(Store):
    def claim(self, requests: Any) -> list[int]:
        return [super(SameToken, self).claim([r])[0] // 1000 + 1 for r in requests]


class Final(Store):
    """Takes a failure for final: a settled run cannot be tried again."""

    def publish(self, rows: Any) -> list[bool]:
        dead = {a.request.key for a in self.attempts() if a.status == "failed"}
        return super().publish([r for r in rows if r[0] not in dead]) + [False] * sum(r[0] in dead for r in rows)


class Ordered(Store):
    def register(self, identity: Any) -> str:
        return str(list(identity.items()))


class Careless(Store):
    def register(self, identity: Any) -> str:
        return super().register({k: v for k, v in identity.items() if k != "source"})


class Repeating(Store):
    @property
    def notes(self) -> list[str]:
        return super().notes * 2


class Shifting(Store):
    def lookup(self, keys: Any) -> Any:
        found = super().lookup(keys)
        return dict(zip(found, [*list(found.values())[1:], *list(found.values())[:1]], strict=True))


class OpenToAll(Store):
    @classmethod
    def open(cls, path: Any, read_only: bool = False) -> Any:
        try:
            return super().open(path, read_only)
        except StoreError:
            return cls(None)


class Blind(Store):
    @classmethod
    def open(cls, path: Any, read_only: bool = False) -> Any:
        return cls(None) if read_only else super().open(path)


class Writable(Store):
    @classmethod
    def open(cls, path: Any, read_only: bool = False) -> Any:
        store = super().open(path, read_only)
        if read_only:
            store.claim = lambda requests: [0]
        return store


FAULTS = {
    Rounding: "values of the run .* came back changed",
    Forgetful: "jacobian of the run .* came back changed",
    Unfenced: "A fenced attempt could publish",
    Twice: "A fenced attempt could publish",
    SameToken: "refuses|took a batch",
    Final: "A store refuses the row of a valid attempt",
    Ordered: "depends on the order of its identity",
    Careless: "differ in 'source' have the same key",
    Repeating: "not kept once",
    Shifting: "came back changed|under other keys",
    OpenToAll: "A second writer could open",
    Blind: "A viewer does not see",
    Writable: "A viewer could change the store",
}


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.__name__)
def test_a_planted_fault_is_caught(kind: type[Store], fresh: Any) -> None:
    with pytest.raises(AssertionError, match=FAULTS[kind]):
        check_store(fresh(kind))


def test_a_store_that_loses_runs_when_it_is_closed_is_caught(fresh: Any) -> None:
    class Amnesiac(Store):
        @classmethod
        def open(cls, path: Any, read_only: bool = False) -> Any:
            return super().open(path, read_only) if read_only or not Path(path).name.isdigit() else cls._other(path)

        @classmethod
        def _other(cls, path: Any) -> Any:
            super().open(path).close()
            return cls(f"{path}-other")

    with pytest.raises(AssertionError, match="A finished run was lost when the store was closed"):
        check_store(fresh(Amnesiac))


def test_a_store_that_is_not_empty_is_caught(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="A new store is not empty"):
        check_store(lambda: Store(tmp_path))
