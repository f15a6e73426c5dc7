"""A first reading of an HDF5 file in a process of its own.

On damaged files the HDF5 library may walk in circles for ever or take its process down. So every byte that is going to
be read is read once by a child, which has a time to do it in; only then does this process open the file.
"""

from __future__ import annotations

import math
import signal
import subprocess
import sys
from pathlib import Path

from scalebridge.errors import InputError

SECONDS = 10.0
BYTES_PER_SECOND = 10e6
BLOCK = 2**26
LARGEST_CELLS = 200_000_000


def probe(path: Path, what: str, seconds: float | None = None) -> None:
    """Raise `InputError` if the HDF5 library cannot read the file through, and in time.

    Args:
        path: the file.
        what: it is, in words, such as ``"grid"``.
        seconds: time for it; by default 10 s and a second more for every 10 MB.
    """
    limit = SECONDS + path.stat().st_size / BYTES_PER_SECOND if seconds is None else seconds
    module = "scalebridge.microstructure.formats.probing"
    command = [sys.executable, "-m", module, str(path.absolute()), str(math.ceil(limit) + 5)]
    try:
        child = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        raise InputError(
            f"The {what} '{path}' is not read to its end in {limit:.0f} s; it is damaged, or on a very slow disk: "
            "write it again."
        ) from None
    if child.returncode < 0:
        raise InputError(f"The {what} '{path}' brings the HDF5 library down; it is damaged, write it again.")
    if child.returncode > 0:
        why = (child.stderr.strip().splitlines() or ["unknown"])[-1].rstrip(". ")[:160]
        raise InputError(
            f"The {what} '{path}' cannot be decoded ({why}); it may be truncated or damaged, export it again."
        )


def read_through(path: str) -> None:
    """Read every array of a file, block by block, and keep nothing."""
    import h5py

    with h5py.File(path, "r") as file:
        nodes: list[h5py.Dataset] = []
        file.visititems(lambda _, node: nodes.append(node) if isinstance(node, h5py.Dataset) else None)
        for node in nodes:
            dict(node.attrs)
            if node.shape is None or node.external or node.is_virtual or node.dtype.kind not in "biufSO":
                continue
            if node.size > LARGEST_CELLS:
                # Grids refuse it from the header; to read a large volume twice would cost more than it saves.
                continue
            if not node.shape:
                node[()]
                continue
            rows = max(1, BLOCK // max(1, node.size // max(1, node.shape[0]) * node.dtype.itemsize))
            for start in range(0, node.shape[0], rows):
                node[start : start + rows]


def _main(path: str, seconds: str) -> None:
    if hasattr(signal, "alarm"):
        # If the parent dies, nobody else would end a walk in circles; the default of SIGALRM does.
        signal.alarm(int(seconds))
    read_through(path)


if __name__ == "__main__":
    _main(*sys.argv[1:])
