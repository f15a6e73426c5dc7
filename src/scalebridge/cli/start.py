"""``scalebridge init``: a small study that runs in seconds."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from scalebridge.cli.surface import DONE
from scalebridge.errors import InfrastructureError, InputError

FILES = ("study.toml", "foam.py")


def write_example(directory: Path) -> int:
    """Write the example's files into a folder; never over files that are there."""
    if directory.exists() and not directory.is_dir():
        raise InputError(f"'{directory}' is a file; give a folder to write the study into.")
    there = [name for name in FILES if (directory / name).exists()]
    if there:
        raise InputError(f"'{directory}' already holds {', '.join(there)}; give another folder.")
    source = resources.files("scalebridge.cli").joinpath("example")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            text = source.joinpath(f"{name}.txt").read_text(encoding="utf-8")
            (directory / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InfrastructureError(f"'{directory}' cannot be written: {error.strerror}.") from error
    print(f"wrote {', '.join(str(directory / name) for name in FILES)}")
    print(f"next: scalebridge run {directory / 'study.toml'} --out {directory / 'out'}")
    return DONE
