"""The model card of a saved surrogate, from its manifest alone."""

from __future__ import annotations

import os
from typing import Any

from scalebridge.learn.archive import read_manifest


def model_card(path: str | os.PathLike[str]) -> str:
    """What a saved surrogate is, in words (Markdown); the surrogate itself is not made.

    Raises:
        InputError: as `scalebridge.learn.load`.
    """
    manifest = read_manifest(path)
    certificate = manifest["certificate"]
    lines = [
        f"# Surrogate: {manifest['name']}",
        "",
        f"- Class: `{manifest['class']}`, version {manifest['identity'].get('version', '?')}",
        f"- Options: {manifest['identity'].get('settings') or 'none'}",
        f"- Learned from {manifest['runs']['count']} runs, SHA-256 `{manifest['runs']['sha256']}`",
        f"- Calibration certificate: {'none' if certificate is None else ''}",
        *([f"  - {key}: {value}" for key, value in certificate.items()] if isinstance(certificate, dict) else []),
        "",
        "## Inputs",
        *_table(manifest["inputs"]),
        "",
        "## Outputs",
        *_table(manifest["outputs"]),
        "",
        "## Domain",
        *_domain(manifest),
        "",
        "## Made with",
        *[f"- {name} {version}" for name, version in manifest["versions"].items()],
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _table(variables: list[dict[str, Any]]) -> list[str]:
    rows = ["", "| name | unit | shape | bounds | description |", "|---|---|---|---|---|"]
    for v in variables:
        low, high = ("none" if b is None else f"{b:g}" for b in v["bounds"])
        rows.append(f"| {v['name']} | {v['unit']} | {v['shape'] or 'number'} | {low} to {high} | {v['description']} |")
    return rows


def _domain(manifest: dict[str, Any]) -> list[str]:
    domain = manifest["domain"]
    if "lower" not in domain:
        return [f"{domain['kind']}."]
    names = [
        f"{v['name']}[{i}]" if v["shape"] else v["name"] for v in manifest["inputs"] for i in range(_size(v["shape"]))
    ]
    limits = zip(names, domain["lower"], domain["upper"], strict=True)
    return [
        "To be trusted between these bounds; outside it says so.",
        "",
        *[f"- {n}: {a} to {b}" for n, a, b in limits],
    ]


def _size(shape: list[int]) -> int:
    size = 1
    for n in shape:
        size *= n
    return size
