"""``scalebridge export``: the surrogate of an answer for other programs."""

from __future__ import annotations

from pathlib import Path

from scalebridge.bridge.answer import SURROGATE
from scalebridge.cli.surface import DONE
from scalebridge.cli.tables import console
from scalebridge.errors import InputError, did_you_mean
from scalebridge.exchange.writing import checked_name

FORMATS = ("c", "umat", "onnx", "python", "micro-manager")


def export_surrogate(source: Path, to: str, out: Path, name: str, language: str, stress_unit: str) -> int:
    """Write the surrogate in ``source`` in a format; print the files."""
    from scalebridge import exchange
    from scalebridge.learn import load

    if to not in FORMATS:
        raise InputError(f"--to is '{to}'{did_you_mean(to, FORMATS)}")
    checked_name(name)
    surrogate = load(_file_of(source))
    made = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    try:
        if to == "c":
            files = [exchange.export_c(surrogate, out / f"{name}.h", name=name)]
        elif to == "umat":
            files = exchange.export_umat(surrogate, out, name=name, language=language, stress_unit=stress_unit)
        elif to == "onnx":
            files = [out / f"{name}.onnx"]
            exchange.export_onnx(surrogate, files[0])
        elif to == "python":
            files = exchange.export_python(surrogate, out, name=name)
        else:
            files = exchange.export_micro_manager(surrogate, out, name=name)
    except InputError:
        if made:
            out.rmdir()
        raise
    for file in files:
        console().print(str(file), markup=False, soft_wrap=True)
    return DONE


def _file_of(source: Path) -> Path:
    """The file of the surrogate: given, or in the directory of an answer."""
    if source.is_file():
        return source
    file = source / SURROGATE
    if file.is_file():
        return file
    if (source / "answer.json").is_file():
        raise InputError(
            f"The answer in '{source}' has no {SURROGATE}: it was saved before surrogates were, or its surrogate is of "
            "a class that cannot be written; run the study again, or export answer.surrogate in Python."
        )
    raise InputError(
        f"There is neither an answer nor a surrogate at '{source}'; give the directory that 'scalebridge run STUDY "
        "--out DIR' wrote, or a file of scalebridge.learn.save."
    )
