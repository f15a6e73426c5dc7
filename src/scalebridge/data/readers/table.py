"""Tables: delimited text, Excel and Parquet to a `Dataset`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from scalebridge.data.dataset import Dataset
from scalebridge.data.readers.assembling import AUTO
from scalebridge.data.readers.opening import opened
from scalebridge.data.readers.stamps import Clock
from scalebridge.data.readers.wanted import Wanted
from scalebridge.errors import InputError

EXCEL = {".xlsx", ".xlsm"}
PARQUET = {".parquet", ".pq"}


def read_table(
    path: str | Path,
    *,
    units: Mapping[str, str] | None = None,
    index: str | None = AUTO,
    columns: Sequence[str] | None = None,
    text: Sequence[str] = (),
    gaps: Sequence[str] = (),
    unreadable: str = "refuse",
    time: str | None = None,
    format: str | None = None,
    zone: str | None = None,
    order: str = "increasing",
    header: int | None = None,
    names: Sequence[str] | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    thousands: str = "",
    comment: str = "#",
    encoding: str | None = None,
    sheet: str | None = None,
) -> Dataset:
    """Read a table of specimens, or of anything else that stands in rows.

    By suffix: ``.xlsx`` and ``.xlsm`` (one sheet, several header rows, merged cells), ``.parquet`` (needs the extra
    ``data``), ``.json`` (a list per column, or a list of records), anything else as delimited text: comma, semicolon,
    tabulator, bar or blanks; quotes; UTF-8, or UTF-16 with its mark; comment lines; header rows with groups above and
    units below; loggers' TOA5.
    Units come from headers ("T [degC]", "T (degC)"), from a row of units, from the cells ("12 mm") or from ``units``.
    Rows are counted in messages as a spreadsheet shows them, the header included.

    Args:
        path: the file.
        units: from column to unit, where the file states none.
        index: the column that identifies rows: no gaps, no text twice. ``"auto"``: the first that is called so, as
            ``SpecimenID`` or ``core_id``; ``None``: none.
        columns: those to read; the others are not even looked at.
        text: columns to read as text although they hold numbers (a tree's number).
        gaps: further texts that mean a gap, beside blanks, ``n/a``, ``NaN``, ``-`` and their like.
        unreadable: ``"refuse"`` text among numbers, or take every such cell for a ``"gap"`` and list them in
            ``source.notes``.
        time, format, zone, order: of a column of time stamps, see `read_series`.
        header: how many header rows there are; ``None`` to find out.
        names: of the columns of a file without header.
        delimiter, decimal, thousands, comment, encoding: of delimited text, found where ``None``.
        sheet: of a workbook; the first by default.

    Raises:
        InputError: anything that cannot be trusted, in one sentence with file, row and column: a file that is
            missing, empty, binary, cut off or of another encoding; rows of different length; two columns of one
            name; text, dates, errors or infinite values among numbers; mixed units; identifiers that stand twice;
            time stamps that go back.
        UnitError: units that are not known, do not convert, or contradict each other.
    """
    wanted = Wanted(
        file=opened(path, "table"),
        owner=f"The table '{path}'",
        units=dict(units or {}),
        index=index,
        columns=None if columns is None else tuple(columns),
        text=(text,) if isinstance(text, str) else tuple(text),
        gaps=frozenset((gaps,) if isinstance(gaps, str) else gaps),
        clock=None if time is None else Clock(time, format, zone, order),
        header=header,
        names=None if names is None else tuple(names),
        delimiter=delimiter,
        decimal=decimal,
        thousands=thousands,
        comment=comment,
        encoding=encoding,
        sheet=sheet,
        unreadable=unreadable,
    )
    return _read(Path(path), wanted)


def _read(path: Path, wanted: Wanted) -> Dataset:
    suffix = path.suffix.lower()
    if suffix in EXCEL:
        from scalebridge.data.readers.excel import read_excel

        return read_excel(path, wanted)
    if suffix in PARQUET:
        from scalebridge.data.readers.parquet import read_parquet

        return read_parquet(path, wanted)
    if suffix == ".json":
        from scalebridge.data.readers.json_table import read_json

        return read_json(path, wanted)
    if suffix in {".xls", ".ods", ".xlsb"}:
        raise InputError(f"{wanted.owner} is in a format that is not read ({suffix}); save it as .xlsx or .csv.")
    if wanted.sheet is not None:
        raise InputError(f"{wanted.owner} is no workbook and has no sheets; leave out sheet='{wanted.sheet}'.")
    from scalebridge.data.readers.text_table import read_text

    return read_text(path, wanted)
