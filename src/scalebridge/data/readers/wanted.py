"""What the user asked a table reader for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from scalebridge.data.readers.stamps import Clock
from scalebridge.data.source import File
from scalebridge.errors import InputError, did_you_mean

UNREADABLE = ("refuse", "gap")


@dataclass(frozen=True, eq=False)
class Wanted:
    """The options of `read_table`, checked and frozen; see there."""

    file: File
    owner: str
    units: Mapping[str, str]
    index: str | None = "auto"
    columns: tuple[str, ...] | None = None
    text: tuple[str, ...] = ()
    gaps: frozenset[str] = frozenset()
    clock: Clock | None = None
    header: int | None = None
    names: tuple[str, ...] | None = None
    delimiter: str | None = None
    decimal: str | None = None
    thousands: str = ""
    comment: str = "#"
    encoding: str | None = None
    sheet: str | None = None
    unreadable: str = "refuse"

    @property
    def options(self) -> dict[str, Any]:
        """What the user set, as plain values for the source."""
        told = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in {"file", "owner", "clock"}}
        defaults = {f.name: f.default for f in fields(self)}
        clock = {} if self.clock is None else {f"time_{k}": v for k, v in vars(self.clock).items() if v is not None}
        return clock | {k: _plain(v) for k, v in told.items() if v != defaults[k] and v not in ({}, frozenset())}

    def __post_init__(self) -> None:
        if self.unreadable not in UNREADABLE:
            raise InputError(
                f"{self.owner} was asked for with unreadable='{self.unreadable}'"
                f"{did_you_mean(self.unreadable, UNREADABLE)}"
            )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return sorted(value) if isinstance(value, frozenset) else list(value) if isinstance(value, tuple) else value
