"""Sum the installed sizes of the default installation and hold them to torch + 500 MB.

The default installation is ScaleBridge without extras and everything it brings, read from the metadata of
the environment this runs in. torch and what an installation of torch alone brings (sympy, networkx, and the
CUDA libraries of a GPU build) are counted apart: the promise is about the rest.
"""

from __future__ import annotations

import sys
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LIMIT_MB = 500.0


def requirements(distribution: str, extras: frozenset[str]) -> list[Requirement]:
    """The requirements of an installed distribution that hold here, for the extras asked for."""
    declared = [Requirement(line) for line in metadata.requires(distribution) or []]
    environments = [{"extra": extra} for extra in extras | {""}]
    return [
        r for r in declared if r.marker is None or any(r.marker.evaluate(environment) for environment in environments)
    ]


def closure(distribution: str) -> set[str]:
    """Names of the distribution and of all it brings, without its own extras."""
    seen: set[tuple[str, frozenset[str]]] = set()
    todo = [(canonicalize_name(distribution), frozenset[str]())]
    while todo:
        name, extras = todo.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        todo += [(canonicalize_name(r.name), frozenset(r.extras)) for r in requirements(name, extras)]
    return {name for name, _ in seen}


def installed_mb(distribution: str) -> float:
    """Megabytes (1e6 bytes) of the files an installed distribution recorded."""
    files = metadata.files(distribution) or []
    paths = [file.locate() for file in files]
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def main() -> int:
    brought_by_torch = closure("torch")
    torch_mb = sum(map(installed_mb, brought_by_torch))
    rest = {name: installed_mb(name) for name in closure("scalebridge") - brought_by_torch}
    total = sum(rest.values())
    largest = sorted(rest.items(), key=lambda item: -item[1])[:5]
    print(f"default installation: torch {torch_mb:.0f} MB + {total:.0f} MB, of torch + {LIMIT_MB:.0f} MB at most")
    print("largest: " + ", ".join(f"{name} {mb:.0f} MB" for name, mb in largest))
    return int(total > LIMIT_MB)


if __name__ == "__main__":
    sys.exit(main())
