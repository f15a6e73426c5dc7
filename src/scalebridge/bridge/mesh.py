"""The mesh's part of the interval, where the macro model can estimate it."""

from __future__ import annotations

from typing import Any

from scalebridge.bridge.session import Session
from scalebridge.bridge.stage import Stage
from scalebridge.errors import InputError
from scalebridge.models import AdaptiveMacro, MeshEstimate

# The mesh may take half of the tolerance; refining aims below that, so that later rounds keep within it.
MESH_SHARE = 0.5
AIM = 0.7
MOST_REFINEMENTS = 14


def mesh_part(session: Session, stage: Stage, qoi: str) -> float | None:
    """Estimated error of the mesh in ``qoi``; ``None`` where the macro model gives no estimate."""
    estimate = _estimate(session, stage, qoi)
    return None if estimate is None else abs(estimate.error)


def _estimate(session: Session, stage: Stage, qoi: str) -> MeshEstimate | None:
    if not isinstance(session.macro, AdaptiveMacro):
        session.note("The macro model gives no mesh estimate: the interval speaks of the quantity on the given mesh.")
        return None
    try:
        return session.macro.mesh_estimate(stage.solution, stage.closure, qoi)
    except InputError as error:
        session.note(f"The interval speaks of the quantity on the given mesh: {error}")
        return None


def refine(session: Session, stage: Stage) -> bool:
    """Refine the mesh once where the estimate is too large; True where the mesh changed."""
    if session.question.mesh != "include" or not isinstance(session.macro, AdaptiveMacro):
        return False
    local: Any = None
    worst = 0.0
    for qoi in session.question.qois:
        estimate = _estimate(session, stage, qoi)
        if estimate is None:
            return False
        ratio = abs(estimate.error) / (AIM * MESH_SHARE * session.question.scale(stage.value(qoi)))
        if ratio > worst:
            worst, local = ratio, estimate.local
    if worst <= 1.0:
        return False
    session.macro = session.macro.refined(local)
    return True
