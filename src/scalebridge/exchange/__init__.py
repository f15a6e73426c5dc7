"""What was learned, in other people's worlds: C, UMAT, ONNX, plain Python, preCICE's Micro Manager."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalebridge.lazy import attach

if TYPE_CHECKING:
    from scalebridge.exchange.c_code import export_c
    from scalebridge.exchange.precice import export_micro_manager
    from scalebridge.exchange.python_module import export_python
    from scalebridge.exchange.umat import export_umat
    from scalebridge.learn import export_onnx

__all__ = ["export_c", "export_micro_manager", "export_onnx", "export_python", "export_umat"]

_HOME = {
    "export_c": "c_code",
    "export_micro_manager": "precice",
    "export_python": "python_module",
    "export_umat": "umat",
}
_get, _names = attach(__name__, _HOME)


def __getattr__(name: str) -> object:
    """Import on first use; ONNX is at home where its graph is built."""
    if name == "export_onnx":
        from scalebridge.learn import export_onnx

        return export_onnx
    return _get(name)


def __dir__() -> list[str]:
    return sorted(__all__)
