"""ScaleBridge: tolerance in, interval out, across scales.

Give a micro model, a macro problem and the tolerance wanted on the macro answer;
`solve` runs the micro model as few times as it can and returns the answer with an interval.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from scalebridge.errors import (
    InfrastructureError,
    InputError,
    ScaleBridgeError,
    ShapeError,
    StoreError,
    UnitError,
)
from scalebridge.models import (
    Adapted,
    ClosureValue,
    MacroSolution,
    MeshEstimate,
    Runs,
    Scale,
    Structure,
    model,
)
from scalebridge.quantities import Space, Variable

if TYPE_CHECKING:
    from scalebridge import (
        data,
        exchange,
        explain,
        learn,
        macro,
        micro,
        microstructure,
        networks,
        problems,
        simulators,
        testing,
    )
    from scalebridge.bridge import Answer, learn_model
    from scalebridge.bridge.solve import solve
    from scalebridge.campaign import Campaign, Store, designs
    from scalebridge.learn import compare
    from scalebridge.learn.active import Active
    from scalebridge.studies import Study

__version__ = "0.1.0"

_ROOMS = (
    "data",
    "exchange",
    "explain",
    "learn",
    "macro",
    "micro",
    "microstructure",
    "networks",
    "problems",
    "simulators",
    "testing",
)
_LAZY = {
    "Active": "learn.active",
    "Answer": "bridge",
    "compare": "learn",
    "designs": "campaign",
    "learn_model": "bridge",
    "solve": "bridge",
    "Campaign": "campaign",
    "Store": "campaign",
    "Study": "studies",
}

__all__ = [
    "Active",
    "Adapted",
    "Answer",
    "Campaign",
    "ClosureValue",
    "InfrastructureError",
    "InputError",
    "MacroSolution",
    "MeshEstimate",
    "Runs",
    "Scale",
    "ScaleBridgeError",
    "ShapeError",
    "Space",
    "Store",
    "StoreError",
    "Structure",
    "Study",
    "UnitError",
    "Variable",
    "compare",
    "data",
    "designs",
    "exchange",
    "explain",
    "learn",
    "learn_model",
    "macro",
    "micro",
    "microstructure",
    "model",
    "networks",
    "problems",
    "simulators",
    "solve",
    "testing",
]


def __getattr__(name: str) -> Any:
    """Import rooms that need heavy libraries on first use (PEP 562)."""
    if name in _ROOMS:
        return importlib.import_module(f"scalebridge.{name}")
    if name in _LAZY:
        return getattr(importlib.import_module(f"scalebridge.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'scalebridge' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
