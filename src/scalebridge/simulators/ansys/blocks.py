"""Blocks of an archive: nodes, elements, components, real constants."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from scalebridge.quantities import Floats
from scalebridge.simulators.ansys.fortran import Format, parse_format
from scalebridge.simulators.ansys.lines import Lines

Wholes = NDArray[np.int64]
_CHUNK = 50_000
_MOST_NODES = 20
_HIGHEST = 2**31 - 1


def node_block(lines: Lines, words: list[str]) -> tuple[Wholes, Floats]:
    """Numbers ``[n]`` and places ``[n, 3]`` of a block of nodes (NBLOCK).

    Raises:
        InputError: a damaged line, a block without an end.
    """
    form = _format(lines)
    if form.n_whole < 1 or len(form.kinds) - form.n_whole < 3:
        raise lines.damaged(f"the format {form.text} of nodes, which needs a number and three coordinates")
    numbers, points = [], []
    for chunk in _chunks(lines, _is_end_of_nodes):
        whole, real = _numbers(lines, form, chunk)
        numbers.append(whole[:, 0])
        points.append(real[:, :3])
    found = np.concatenate(numbers) if numbers else np.zeros(0, dtype=np.int64)
    places = np.concatenate(points) if points else np.zeros((0, 3))
    if ((found < 1) | (found > _HIGHEST)).any() or not np.isfinite(places).all():
        raise lines.damaged("the end of a block of nodes that holds numbers which are none, or places that are nowhere")
    return found, places


def element_block(lines: Lines, words: list[str]) -> tuple[Wholes, Wholes]:
    """Heads ``[e, 5]`` (number, type, material, real, section) and nodes ``[e, 20]`` of a block of elements (EBLOCK).

    Raises:
        InputError: a damaged line, a block without an end.
    """
    form = _format(lines)
    solid = len(words) > 2 and words[2].upper().startswith("SOLID")
    if form.n_whole < (12 if solid else 6):
        raise lines.damaged(f"the format {form.text} of elements, which has too few fields")
    heads, members = [], []
    for chunk in _chunks(lines, _is_end):
        whole, _ = _numbers(lines, form, chunk)
        head, nodes = _solid(lines, whole) if solid else _plain(whole)
        heads.append(head)
        members.append(nodes)
    if not heads:
        return np.zeros((0, 5), dtype=np.int64), np.zeros((0, _MOST_NODES), dtype=np.int64)
    return np.concatenate(heads), np.concatenate(members)


def _solid(lines: Lines, whole: Wholes) -> tuple[Wholes, Wholes]:
    """Elements of one line, or of two where they have more than 8 nodes."""
    starts, row = [], 0
    n_first = whole.shape[1] - 11
    counts = whole[:, 8].tolist()
    while row < len(whole):
        starts.append(row)
        count = counts[row]
        if not 0 <= count <= 1000:
            raise lines.damaged(f"the end of a block of elements, one of which has {count} nodes")
        row += 1 + (max(count - n_first, 0) + whole.shape[1] - 1) // whole.shape[1]
    if row > len(whole):
        raise lines.damaged("the end of a block of elements, the last of which lacks nodes")
    first = np.array(starts, dtype=np.int64)
    head = whole[first][:, [10, 1, 0, 2, 3]]
    nodes = np.zeros((len(first), _MOST_NODES), dtype=np.int64)
    own = min(n_first, _MOST_NODES)
    nodes[:, :own] = whole[first, 11 : 11 + own]
    longer = np.flatnonzero(whole[first, 8] > n_first)
    rest = min(_MOST_NODES - own, whole.shape[1])
    nodes[longer, own : own + rest] = whole[first[longer] + 1, :rest]
    return head, np.where(np.arange(_MOST_NODES) < whole[first, 8][:, None], nodes, 0)


def _plain(whole: Wholes) -> tuple[Wholes, Wholes]:
    """Elements of one line each: number, type, real, material, system, nodes."""
    head = whole[:, [0, 1, 3, 2, 1]]
    nodes = np.zeros((len(whole), _MOST_NODES), dtype=np.int64)
    width = min(whole.shape[1] - 5, _MOST_NODES)
    nodes[:, :width] = whole[:, 5 : 5 + width]
    return head, nodes


def set_block(lines: Lines, words: list[str]) -> tuple[str, bool, Wholes]:
    """Name, whether of nodes, and members of a component (CMBLOCK); ``-n`` closes a range.

    Raises:
        InputError: a damaged line, a range that runs backwards or is too long.
    """
    name = words[1] if len(words) > 1 and words[1] else "component"
    is_node = len(words) > 2 and words[2].upper().startswith("NODE")
    wanted = words[3] if len(words) > 3 else ""
    form = _format(lines)
    if not wanted.isdigit() or len(wanted) > 10:
        raise lines.damaged(f"a component '{name}' of '{wanted[:20]}' items")
    left, items = int(wanted), []
    while left > 0:
        line = next(lines, None)
        if line is None:
            raise lines.damaged(f"the end of the file, and the component '{name}' lacks {left} items")
        whole, _ = _numbers(lines, form, [line])
        items.append(whole[0, : min(left, whole.shape[1])])
        left -= whole.shape[1]
    return name, is_node, _ranges(lines, name, np.concatenate(items) if items else np.zeros(0, dtype=np.int64))


def _ranges(lines: Lines, name: str, items: Wholes) -> Wholes:
    parts: list[Wholes] = []
    total, before = 0, 0
    for item in items.tolist():
        low, high = (before + 1, -item) if item < 0 else (item, item)
        total += high - low + 1
        if high < low - 1 or high > _HIGHEST or total > 50_000_000:
            raise lines.damaged(f"the end of the component '{name}', whose range from {low} to {high} is none")
        parts.append(np.arange(low, high + 1, dtype=np.int64))
        before = high
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def real_block(lines: Lines, words: list[str]) -> dict[int, tuple[float, ...]]:
    """Real constants by number (RLBLOCK).

    Raises:
        InputError: a damaged line.
    """
    first, other = _format(lines), _format(lines)
    count = words[1] if len(words) > 1 else ""
    if not count.isdigit() or len(count) > 9 or first.n_whole < 2:
        raise lines.damaged(f"a block of '{count[:20]}' real constants")
    found: dict[int, tuple[float, ...]] = {}
    for _ in range(int(count)):
        line = next(lines, None)
        if line is None:
            raise lines.damaged("the end of the file amid real constants")
        whole, real = _numbers(lines, first, [line])
        values, left = list(real[0]), int(whole[0, 1])
        while len(values) < left and (line := next(lines, None)) is not None:
            values += list(_numbers(lines, other, [line])[1][0])
            if other.n_whole == len(other.kinds):
                raise lines.damaged(f"the format {other.text} of real constants")
        found[int(whole[0, 0])] = tuple(float(v) for v in values[: max(left, 0)])
    return found


def _format(lines: Lines) -> Format:
    line = next(lines, None)
    try:
        return parse_format((line or b"").decode("ascii", "replace"))
    except ValueError as error:
        raise lines.damaged(f"no Fortran format such as (19i10), where one belongs ({error})") from None


def _numbers(lines: Lines, form: Format, chunk: list[bytes]) -> tuple[Wholes, Floats]:
    try:
        return form.read(chunk)
    except (ValueError, OverflowError):
        pass
    start = lines.number - len(chunk)
    for k, line in enumerate(chunk):
        try:
            form.read([line])
        except (ValueError, OverflowError):
            lines.number = max(start + k, 1) if len(chunk) > 1 else lines.number
            break
    raise lines.damaged(f"a field that is no number in the format {form.text}")


def _is_end(line: bytes) -> bool:
    return line.strip().startswith(b"-1")


def _is_end_of_nodes(line: bytes) -> bool:
    return _is_end(line) or line[:2].upper() == b"N,"


def _chunks(lines: Lines, is_end: Callable[[bytes], bool]) -> Iterator[list[bytes]]:
    """Lines up to the end of a block, some at a time (an element's second line stays with its first)."""
    chunk: list[bytes] = []
    for line in lines:
        if is_end(line):
            break
        chunk.append(line)
        if len(chunk) >= _CHUNK and is_end is _is_end_of_nodes:
            yield chunk
            chunk = []
    else:
        raise lines.damaged("the end of the file amid a block, which closes with -1")
    if chunk:
        yield chunk
