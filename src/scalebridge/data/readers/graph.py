"""Graphs: GraphML, pairs of node and edge tables, and pore networks in the Statoil format."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.dataset import Dataset
from scalebridge.data.headers import headers
from scalebridge.data.readers.cells import Cells, Column, as_column
from scalebridge.data.readers.extras import needed
from scalebridge.data.readers.opening import decoding, opened
from scalebridge.data.readers.table import read_table
from scalebridge.data.source import File, Source
from scalebridge.errors import InputError
from scalebridge.quantities import Space, Variable

LARGEST_XML = 2**28
ENDS = (("source", "target"), ("from", "to"), ("node1", "node2"), ("a", "b"))


def read_graph(path: str | Path, *, edges: str | Path | None = None, **table: Any) -> Dataset:
    """Read nodes and the edges between them: rows are nodes, ``edges`` holds ``source`` and ``target`` row numbers.

    By suffix: ``.graphml`` (through networkx); a pair of tables, where the edges name nodes by their index in columns
    ``source`` and ``target`` (or ``from`` and ``to``); a pore network ``NAME_node1.dat``, ``_node2``, ``_link1``,
    ``_link2`` (Statoil format), given by any of the four or by ``NAME``.

    Args:
        path: of the graph, or of the table of nodes.
        edges: of the table of edges.
        **table: further options of `read_table` for the nodes.

    Raises:
        InputError: edges to nodes that are not there, nodes that stand twice, damaged files, or as `read_table`.
    """
    source = Path(path)
    from scalebridge.data.readers.statoil import prefix_of, read_statoil

    if edges is not None:
        return _read_pair(source, Path(edges), table)
    if source.suffix.lower() == ".graphml":
        return _read_graphml(source, opened(path, "graph", largest=LARGEST_XML))
    prefix = prefix_of(source)
    if prefix is not None:
        return read_statoil(prefix)
    raise InputError(
        f"The graph '{path}' is neither GraphML nor a pore network of four files; give a .graphml file, or a table of "
        "nodes with edges='edges.csv'."
    )


def _read_pair(nodes_path: Path, edges_path: Path, table: dict[str, Any]) -> Dataset:
    nodes = read_table(nodes_path, **table)
    if nodes.index is None:
        nodes = read_table(nodes_path, **{**table, "index": nodes.space.names[0]})
    owner = f"The table of edges '{edges_path}'"
    links = read_table(edges_path, index=None)
    names = {name.lower().lstrip("_"): name for name in links.space.names}
    pair = next((p for p in ENDS if p[0] in names and p[1] in names), None)
    if pair is None:
        raise InputError(
            f"{owner} has no columns source and target but {', '.join(links.space.names[:8])}; rename them."
        )
    ends = tuple(names[end] for end in pair)
    links = read_table(edges_path, index=None, text=ends)
    row_of = {text: i for i, text in enumerate(nodes[str(nodes.index)].tolist())}
    numbers = [_numbers(links[end].tolist(), row_of, owner, end) for end in ends]
    rest = links.without(ends)
    made = _edges(numbers[0], numbers[1], rest, edges_path.name, links.source)
    return replace(nodes, edges=made)


def _numbers(texts: list[str], row_of: dict[str, int], owner: str, column: str) -> NDArray[np.float64]:
    for row, text in enumerate(texts):
        if text not in row_of:
            raise InputError(
                f"{owner} names the node '{text}' in row {row + 1} below its header, column '{column}', which the "
                "table of nodes does not hold; add the node or leave the edge out."
            )
    return np.array([row_of[text] for text in texts], dtype=np.float64)


def _edges(source: Any, target: Any, rest: Dataset, name: str, told: Source) -> Dataset:
    return Dataset(
        Space([Variable("source"), Variable("target"), *rest.space]),
        {"source": source, "target": target, **rest.columns},
        name=name,
        std=rest.std,
        censored=rest.censored,
        source=told,
    )


def _read_graphml(path: Path, file: File) -> Dataset:
    nx = needed("networkx", f"The graph '{path}' is GraphML")
    owner = f"The graph '{path}'"
    with decoding(path, "graph"):
        graph = nx.read_graphml(path)
    if not graph.number_of_nodes():
        raise InputError(f"{owner} holds no nodes; export it again.")
    names = [str(node) for node in graph.nodes]
    row_of = {node: i for i, node in enumerate(graph.nodes)}
    nodes = _attributes([data for _, data in graph.nodes(data=True)], owner, "node", ["node"])
    links = _attributes([data for _, _, data in graph.edges(data=True)], owner, "edge", ["source", "target"])
    pairs = np.array([[row_of[a], row_of[b]] for a, b in graph.edges()], dtype=np.float64).reshape(-1, 2)
    source = Source((file,), "graph", {}, nodes.source.notes, nodes.source.unstated)
    made = _edges(
        pairs[:, 0], pairs[:, 1], links, f"{path.name} edges", replace(source, unstated=links.source.unstated)
    )
    return Dataset(
        Space([Variable("node", kind="category"), *nodes.space]),
        {"node": np.array(names), **nodes.columns},
        name=path.name,
        index="node",
        std=nodes.std,
        censored=nodes.censored,
        edges=made,
        source=source,
    )


def _attributes(rows: list[dict[str, Any]], owner: str, what: str, taken: list[str]) -> Dataset:
    """Columns of what nodes or edges carry; what some lack is a gap."""
    keys = list(dict.fromkeys(str(key) for row in rows for key in row))
    made = headers([*taken, *keys], owner)[len(taken) :]
    columns: list[Column] = []
    notes: list[str] = []
    for header, key in zip(made, keys, strict=True):
        texts = ["" if row.get(key) is None else str(row[key]) for row in rows]
        column = as_column(texts, Cells(owner, key, lambda row: f"{what} {row + 1}", header.unit, name=header.name))
        columns.append(column)
        notes += column.notes
    pairs = list(zip(made, columns, strict=True))
    return Dataset(
        Space(
            [
                Variable(h.name, kind="category") if c.is_text else Variable(h.name, c.unit or h.unit or "1")
                for h, c in pairs
            ]
        ),
        {h.name: c.values for h, c in pairs},
        source=Source(notes=tuple(notes), unstated=tuple(h.name for h, c in pairs if not c.is_text and not h.unit)),
    )
