"""Small files of every format that a reader of `scalebridge.data` knows, and mutations of their bytes."""

from __future__ import annotations

import io
import json
import random
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

DATA = Path(__file__).parents[1] / "data"
LARGEST_SEED = 40_000
# Real files that are refused as they are: colour masks, palettes, no header, notes.
UNREADABLE = re.compile(r"SOURCE|annot|_labels|uci-regression|StressTimeSeries|Tensile_Properties")
# What people and programs write into cells.
TOKENS = (
    b"n/a,inf,-inf,1e999,12 mm,1.2 cm,1,234,1.234,5,#DIV/0!,2-Jan,01/02/2021,\xe9,\x00,\xff\xfe,\",',;,\t,\r,\n,<0.1,"
    b"12 +/- 3,nan,1_000,0x1f,9e9e9,--5,2021-02-30,=A1,%,[m],(MPa),[9^9^9^9],9^9^9^9 m,((((((((((,))),1e-400"
).split(b",")


def seeds(folder: Path) -> dict[str, tuple[str, bytes]]:
    """From a name to the file name and content of a sound file; ``folder`` is for writing them."""
    made: dict[str, tuple[str, bytes]] = {}
    for make in (_texts, _tables, _images, _grids, _clouds):
        made |= make(folder)
    for path in sorted(DATA.rglob("*")):
        if path.suffix in {".csv", ".txt", ".xlsx", ".png", ".dat", ".tif", ".npz"} and not UNREADABLE.search(
            path.as_posix()
        ):
            content = path.read_bytes()
            if path.suffix in {".csv", ".txt", ".dat"}:
                # Whole lines only: a sound file must be read.
                content = content[: content.find(b"\n", 8000) + 1] or content
            if len(content) <= 6 * LARGEST_SEED:
                made[f"real {path.parent.name}/{path.name}"] = (path.name, content)
    return made


def _texts(folder: Path) -> dict[str, tuple[str, bytes]]:
    rng = np.random.default_rng(1)
    rows = [f"S{i:03d},{i % 5},{rng.normal():.6g},{rng.normal():.5g},text {i}" for i in range(40)]
    plain = "SpecimenID,Tree,E [GPa],Strength (MPa),Note\n" + "\n".join(rows) + "\n"
    comma = plain.replace(",", ";").replace(".", ",")
    logger = '"TOA5","1","CR300"\n"TIMESTAMP","RECORD","T"\n"TS","RN","celsius"\n"","","Avg"\n' + "".join(
        f'"2021-09-22 {h:02d}:00:00",{h},{10 + h / 7:.3f}\n' for h in range(24)
    )
    united = "id,length\n" + "".join(f"a{i},{i + 1} mm\n" for i in range(10)) + "b,1.2 cm\n"
    blanks = "# s Sr\n" + "".join(f"{i / 3:.5f}  {1 - i / 40:.4f}\n" for i in range(30))
    return {
        "csv": ("a.csv", plain.encode()),
        "csv with a byte order mark": ("a.csv", b"\xef\xbb\xbf" + plain.encode()),
        "csv in UTF-16": ("a.csv", plain.encode("utf-16")),
        "decimal comma": ("a.csv", comma.encode()),
        "logger": ("a.csv", logger.encode()),
        "units in cells": ("a.csv", united.encode()),
        "blanks": ("a.dat", blanks.encode()),
        "series": ("series.csv", logger.encode()),
        "json": ("a.json", json.dumps({"Time [s]": list(range(30)), "E": [0.5 * i for i in range(30)]}).encode()),
    }


def _tables(folder: Path) -> dict[str, tuple[str, bytes]]:
    import openpyxl
    import pyarrow as pa
    import pyarrow.parquet as pq

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["", "Composition", "", "Tensile"])
    sheet.append(["SpecimenID", "C (wt.%)", "Si (wt.%)", "UTS (MPa)"])
    sheet.merge_cells("B1:C1")
    for i in range(15):
        sheet.append([f"S{i}", 0.1 * i, None if i % 4 else 1.5, 400.0 + i])
    stream = io.BytesIO()
    book.save(stream)
    table = pa.table({"SpecimenID": [f"S{i}" for i in range(20)], "E [GPa]": np.linspace(1, 2, 20)})
    pq.write_table(table, folder / "a.parquet")
    return {"xlsx": ("a.xlsx", stream.getvalue()), "parquet": ("a.parquet", (folder / "a.parquet").read_bytes())}


def _images(folder: Path) -> dict[str, tuple[str, bytes]]:
    from PIL import Image

    rng = np.random.default_rng(2)
    grey = rng.integers(0, 255, (24, 32), dtype=np.uint8)
    made = {}
    for suffix in ("png", "tif", "jpg", "bmp"):
        stream = io.BytesIO()
        Image.fromarray(grey).save(stream, {"tif": "tiff", "jpg": "jpeg"}.get(suffix, suffix))
        made[suffix] = (f"a.{suffix}", stream.getvalue())
    stream = io.BytesIO()
    pages = [Image.fromarray(rng.integers(0, 255, (20, 20), dtype=np.uint8)) for _ in range(20)]
    pages[0].save(stream, "tiff", save_all=True, append_images=pages[1:])
    made["stack"] = ("stack.tif", stream.getvalue())
    stream = io.BytesIO()
    np.save(stream, rng.random((20, 20, 20)).astype(np.float32))
    made["npy"] = ("a.npy", stream.getvalue())
    return made


def _grids(folder: Path) -> dict[str, tuple[str, bytes]]:
    import h5netcdf
    import h5py
    import zarr
    from scipy.io import netcdf_file

    values = np.arange(60.0).reshape(12, 5)
    with netcdf_file(folder / "a.nc", "w") as file:
        file.createDimension("time", 12)
        file.createDimension("x", 5)
        time = file.createVariable("time", "f8", ("time",))
        time[:], time.units = np.arange(12.0), b"days since 1850-01-01"
        t = file.createVariable("T", "i2", ("time", "x"))
        t[:], t.units, t.scale_factor = values.astype(np.int16), b"K", 0.5
    with h5netcdf.File(folder / "b.nc", "w") as file:
        file.dimensions = {"time": 12, "x": 5}
        time = file.create_variable("time", ("time",), "f8")
        time[:], time.attrs["units"] = np.arange(12.0), "hours since 2000-01-01 06:00"
        t = file.create_variable("T", ("time", "x"), "f4", compression="gzip")
        t[:], t.attrs["units"] = values, "K"
    with h5py.File(folder / "c.h5", "w") as file:
        file["a"], file["g/b"], file["name"] = np.arange(12.0), values, [b"p"] * 12
    store = zarr.storage.ZipStore(folder / "d.zarr.zip", mode="w")
    group = zarr.open_group(store, mode="w")
    group.create_array("T", data=values)
    store.close()
    np.savez_compressed(folder / "e.npz", a=np.arange(12.0), b=values)
    names = ("a.nc", "b.nc", "c.h5", "d.zarr.zip", "e.npz")
    return {name: (name, (folder / name).read_bytes()) for name in names}


def _clouds(folder: Path) -> dict[str, tuple[str, bytes]]:
    import networkx as nx

    from scalebridge import data

    rng = np.random.default_rng(3)
    points = rng.random((20, 3)).astype(np.float32)
    lines = "".join(f"{x:.5f} {y:.5f} {z:.5f}\n" for x, y, z in points)
    head = "ply\nformat {} 1.0\nelement vertex 20\nproperty float x\nproperty float y\nproperty float z\nend_header\n"
    graph = nx.path_graph(8)
    nx.set_node_attributes(graph, {i: 0.5 * i for i in graph}, "radius")
    nx.write_graphml(graph, folder / "a.graphml")
    dataset = data.from_columns({"SpecimenID": ["a", "b", "c"], "T [K]": [1.0, 2.0, 3.0]}, index="SpecimenID")
    dataset.in_units({"T": "degC"}).save(folder / "a.sbd")
    return {
        "xyz": ("a.xyz", lines.encode()),
        "atoms": ("a.xyz", f"20\ncell\n{''.join('Ar ' + line + chr(10) for line in lines.splitlines())}".encode()),
        "ply": ("a.ply", (head.format("ascii") + lines).encode()),
        "ply binary": ("a.ply", head.format("binary_little_endian").encode() + points.tobytes()),
        "graphml": ("a.graphml", (folder / "a.graphml").read_bytes()),
        "archive": ("a.sbd", (folder / "a.sbd").read_bytes()),
    }


def mutated(content: bytes, random_: random.Random) -> bytes:
    """``content`` with one to three accidents; a zip's members are sometimes mutated before they are packed again."""
    if content.startswith(b"PK") and random_.random() < 0.4:
        inner = _repacked(content, random_)
        if inner is not None:
            return inner
    for _ in range(random_.choice((1, 1, 1, 2, 3))):
        # A text is rarely hit by a stray bit, often by a hand.
        by_hand = b"\0" not in content[:1000] and random_.random() < 0.6
        content = random_.choice(BY_HAND if by_hand else ACCIDENTS)(content, random_)
    return content


def _flip(content: bytes, r: random.Random) -> bytes:
    made = bytearray(content)
    for _ in range(r.randint(1, 8)):
        if made:
            made[r.randrange(len(made))] ^= 1 << r.randrange(8)
    return bytes(made)


def _cut(content: bytes, r: random.Random) -> bytes:
    return content[: r.randrange(len(content) + 1)]


def _span(content: bytes, r: random.Random) -> tuple[int, int]:
    start = r.randrange(len(content) + 1)
    return start, min(len(content), start + r.choice((1, 4, 16, 256, 2000)))


def _repeat(content: bytes, r: random.Random) -> bytes:
    a, b = _span(content, r)
    return content[:a] + content[a:b] * r.choice((2, 3, 50)) + content[b:]


def _drop(content: bytes, r: random.Random) -> bytes:
    a, b = _span(content, r)
    return content[:a] + content[b:]


def _noise(content: bytes, r: random.Random) -> bytes:
    a, b = _span(content, r)
    return content[:a] + r.randbytes(b - a) + content[b:]


def _zeros(content: bytes, r: random.Random) -> bytes:
    a, b = _span(content, r)
    return content[:a] + bytes(b - a) + content[b:]


def _token(content: bytes, r: random.Random) -> bytes:
    """One cell replaced by what people write."""
    for mark in (b",", b";", b" ", b"\n"):
        parts = content.split(mark)
        if len(parts) > 4:
            k = r.randrange(len(parts))
            parts[k] = r.choice((*TOKENS, b"9" * 3000, b"a" * 3000, b"1." * 2000))
            return mark.join(parts)
    a, _ = _span(content, r)
    return content[:a] + r.choice(TOKENS) + content[a:]


def _swap_cells(content: bytes, r: random.Random) -> bytes:
    parts = content.split(b"," if content.count(b",") > 3 else b"\n")
    i, j = r.randrange(len(parts)), r.randrange(len(parts))
    parts[i], parts[j] = parts[j], parts[i]
    return (b"," if content.count(b",") > 3 else b"\n").join(parts)


def _swap_lines(content: bytes, r: random.Random) -> bytes:
    lines = content.split(b"\n")
    i, j = r.randrange(len(lines)), r.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]
    return b"\n".join(lines)


def _extreme(content: bytes, r: random.Random) -> bytes:
    """Four or eight bytes set to the largest, as sizes in binary headers are."""
    a = r.randrange(len(content) + 1)
    word = r.choice((b"\xff\xff\xff\x7f", b"\x7f\xff\xff\xff", b"\xff" * 8, b"\xff" * 7 + b"\x7f"))
    return content[:a] + word + content[a + len(word) :]


ACCIDENTS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flip,
    _cut,
    _repeat,
    _drop,
    _noise,
    _zeros,
    _token,
    _swap_cells,
    _swap_lines,
    _extreme,
)

BY_HAND = (_cut, _repeat, _drop, _token, _token, _token, _swap_cells, _swap_lines)


def _repacked(content: bytes, r: random.Random) -> bytes | None:
    """A zip one of whose members had an accident."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        chosen = r.choice(names) if names else ""
        for name in names:
            member = old.read(name)
            new.writestr(name, r.choice(ACCIDENTS)(member, r) if name == chosen else member)
    return stream.getvalue()
