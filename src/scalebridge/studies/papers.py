"""The papers of a study: a data sheet of its micro runs and a model card of the surrogate learned from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scalebridge.bridge import Answer
from scalebridge.errors import InfrastructureError
from scalebridge.models import Surrogate


def write_papers(answer: Answer, directory: Path) -> tuple[Path, ...]:
    """Leave ``data-sheet.md`` and ``model-card.md`` beside an answer; nothing where no surrogate was learned.

    Raises:
        InfrastructureError: the directory cannot be written.
    """
    surrogate = answer.surrogate
    if surrogate is None or not len(surrogate.data[0]):
        return ()
    from scalebridge.explain import data_sheet, model_card

    micro = answer.record["micro"]["name"]
    sheet = data_sheet(_runs(surrogate, micro), purpose=f"Runs of '{micro}' that were made to answer '{answer.qoi}'.")
    card = model_card(
        surrogate,
        purpose=f"To stand for '{micro}' while '{answer.qoi}' is solved for; verification draws judge it there.",
        data=sheet,
        limits=answer.notes,
    )
    texts = {"data-sheet.md": sheet.markdown(), "model-card.md": card.markdown()}
    try:
        for name, text in texts.items():
            (directory / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InfrastructureError(f"The papers cannot be written to '{directory}': {error.strerror}.") from error
    return tuple(directory / name for name in texts)


def _runs(surrogate: Surrogate, name: str) -> Any:
    """The runs as a dataset, with the deviations that were declared."""
    from scalebridge.data import Dataset
    from scalebridge.quantities import Space

    x, y, noise = surrogate.data
    columns = {**surrogate.inputs.unpack(x), **surrogate.outputs.unpack(y)}
    std = surrogate.outputs.unpack(noise) if noise.any() else {}
    return Dataset(Space([*surrogate.inputs, *surrogate.outputs]), columns, name=f"runs of {name}", std=std)
