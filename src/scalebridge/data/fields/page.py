"""A field as HTML for notebooks: what, where, from what to what, and a small picture."""

from __future__ import annotations

import base64
import html
import io

import numpy as np

from scalebridge.data.fields.field import Field

MOST_CELLS = 50_000
MOST_NAMES = 8
BY = ("number", "length", "area", "volume")


def page(field: Field) -> str:
    """A table and, of meshes up to 50 000 cells, a picture."""
    rows = "".join(f"<tr><th>{html.escape(k)}</th><td>{html.escape(v)}</td></tr>" for k, v in facts(field))
    return f"<div><table><tbody>{rows}</tbody></table>{_picture(field)}</div>"


def facts(field: Field) -> list[tuple[str, str]]:
    """What a field is, in words."""
    mesh = field.mesh
    shape = "" if field.shape == () else f", {' x '.join(map(str, field.shape))} components"
    cells = ", ".join(f"{len(b)} {b.type}" for b in mesh.cells[:MOST_NAMES]) or "no cells"
    told = [
        ("field", f"{field.name}{shape}" + (f" ({field.description})" if field.description else "")),
        ("unit", "none" if field.unit == "1" else field.unit),
        ("where", f"{len(field.values)} {field.location} of '{mesh.name}'".replace("integration points", "cells")),
        ("mesh", f"{mesh.n_points} points, {cells}, in {'no stated unit' if mesh.unit == '1' else mesh.unit}"),
    ]
    if field.time is not None:
        told.append(("time", f"{field.time:.6g} s"))
    if field.values.size and not np.isnan(field.values).all():
        size = field.norm() if field.shape else field
        what = "values" if field.shape == () else "norm"
        low, mean, high = (size.statistic(name) for name in ("min", "mean", "max"))
        told.append((what, f"{low:.5g} to {high:.5g}, mean {mean:.5g} by {BY[mesh.dimension]}"))
    missing = int(np.isnan(field.values).any(axis=tuple(range(1, field.values.ndim))).sum())
    return [*told, ("gaps", str(missing))] if missing else told


def _picture(field: Field) -> str:
    if field.mesh.n_cells > MOST_CELLS or not field.mesh.n_points:
        return ""
    from matplotlib.figure import Figure

    from scalebridge.data.fields.drawing import draw, scalar

    figure = Figure(figsize=(4.6, 3.2), layout="constrained")
    axes = figure.subplots()
    shown = scalar(field)
    bar = figure.colorbar(draw(axes, shown), ax=axes, shrink=0.85)
    bar.set_label(shown.name if shown.unit == "1" else f"{shown.name} in {shown.unit}")
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=90, metadata={"Software": None})
    code = base64.b64encode(content.getvalue()).decode()
    return f'<img alt="{html.escape(shown.name)}" src="data:image/png;base64,{code}">'
