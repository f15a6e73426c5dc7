"""Weights from a file into a network: torch's own format and safetensors, never code."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from scalebridge.errors import InputError

# The sample types of safetensors that networks use.
DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
# Counters that older files lack and no answer depends on.
OPTIONAL = "num_batches_tracked"
TOLD = 3


def read_weights(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Named tensors of a ``.pth``/``.pt`` file (``torch.load(weights_only=True)``) or of a ``.safetensors`` file.

    Raises:
        InputError: no such file, a damaged one, one that holds anything but named tensors.
    """
    source = Path(path)
    if not source.is_file():
        raise InputError(f"There is no file '{source}' to read weights from; give the path of a .pth or .safetensors.")
    content = _safetensors(source) if source.suffix == ".safetensors" else _torch_file(source)
    if not isinstance(content, Mapping) or not all(isinstance(v, Tensor) for v in content.values()):
        raise _refused(
            source,
            "it holds other things than named tensors; save the state dict alone: torch.save(net.state_dict(), path)",
        )
    return {str(name): tensor for name, tensor in content.items()}


def put_weights(module: nn.Module, weights: Mapping[str, Tensor], owner: str, title: str) -> None:
    """Put named tensors into a module, all of them and nothing else.

    Args:
        module: changed in place.
        weights: as `read_weights` gives them; counters of batches (``num_batches_tracked``) may be absent.
        owner: what the weights are called in a message, such as a file's name.
        title: what the module is called, such as "ResNet-18".

    Raises:
        InputError: names that are missing or not known, or shapes that differ, all in one sentence.
    """
    wanted = module.state_dict()
    missing = [k for k in wanted if k not in weights and not k.endswith(OPTIONAL)]
    unexpected = [k for k in weights if k not in wanted]
    shapes = [
        f"'{k}' is {list(weights[k].shape)}, {list(wanted[k].shape)} is needed"
        for k in wanted
        if k in weights and weights[k].shape != wanted[k].shape
    ]
    faults = [
        f"{len(names)} {what} ({_some(names)})"
        for names, what in ((missing, "missing"), (unexpected, "not known"), (shapes, "of another shape"))
        if names
    ]
    if faults:
        raise InputError(
            f"The weights '{owner}' do not fit {title}: {'; '.join(faults)}; give a state dict whose names and shapes "
            f"are those of {title}."
        )
    bad = [k for k, v in weights.items() if v.is_floating_point() and not bool(torch.isfinite(v).all())]
    if bad:
        raise InputError(
            f"The weights '{owner}' hold values that are not finite, first in '{bad[0]}'; get a sound file."
        )
    module.load_state_dict(dict(weights), strict=False)


def _some(names: list[str]) -> str:
    return ", ".join(names[:TOLD]) + (", ..." if len(names) > TOLD else "")


def load_tensors(source: Path) -> Any:
    """What a file of torch holds, on the CPU: tensors, numbers and texts in lists and mappings, never code.

    The only place of the package that reads torch's format, and with ``weights_only=True``.

    Raises:
        Exception: whatever a foreign or damaged file makes the reader raise; callers say it in a sentence.
    """
    return torch.load(source, map_location="cpu", weights_only=True)


def _torch_file(source: Path) -> Any:
    try:
        return load_tensors(source)
    except Exception as error:
        reason = "torch cannot read it as tensors alone: it is damaged, cut short or holds code"
        raise _refused(source, reason) from error


def _safetensors(source: Path) -> dict[str, Tensor]:
    """A safetensors file: eight bytes that tell the header's length, the header in JSON, the numbers."""
    content = bytearray(source.read_bytes())
    length = int.from_bytes(content[:8], "little")
    try:
        header = json.loads(bytes(content[8 : 8 + length]))
        numbers = memoryview(content)[8 + length :]
        return {name: _tensor(numbers, told) for name, told in header.items() if name != "__metadata__"}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _refused(source, f"it is no sound safetensors file ({error})") from error


def _tensor(numbers: memoryview, told: Mapping[str, object]) -> Tensor:
    shape, ends = told["shape"], told["data_offsets"]
    dtype = DTYPES[str(told["dtype"])]
    if not (isinstance(shape, list) and isinstance(ends, list) and all(isinstance(n, int) for n in shape + ends)):
        raise ValueError("a shape or an offset is no whole number")
    begin, end = ends
    if min([0, begin, *shape]) < 0 or not begin <= end <= len(numbers):
        raise ValueError("a tensor lies outside the file")
    if end - begin != math.prod(shape) * dtype.itemsize:
        raise ValueError("a tensor's length is not that of its shape")
    if end == begin:
        return torch.zeros(shape, dtype=dtype)
    return torch.frombuffer(numbers[begin:end], dtype=dtype).reshape(shape).clone()


def _refused(source: Path, reason: str) -> InputError:
    return InputError(f"The weights '{source.name}' cannot be read: {reason}; get the file again from its source.")
