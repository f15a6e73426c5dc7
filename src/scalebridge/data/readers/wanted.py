"""What the user asked a table reader for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
    options: Mapping[str, Any]
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

    def __post_init__(self) -> None:
        if self.unreadable not in UNREADABLE:
            raise InputError(
                f"{self.owner} was asked for with unreadable='{self.unreadable}'"
                f"{did_you_mean(self.unreadable, UNREADABLE)}"
            )
