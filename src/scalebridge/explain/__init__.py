"""What a surrogate goes by, where it errs, and the papers that go with it.

Names are imported on first use (PEP 562), so that ``import scalebridge`` brings no library of its own.

::

    told = sb.explain.explain(comparison)  # importance, effects and single rows, on rows held back
    print(told)  # in the words of a reviewer
    sb.explain.by_group(comparison, sites).sentences
    sb.explain.by_regime(comparison).worst
    sb.explain.model_card(comparison.fitted, comparison=comparison, explanation=told).markdown()

Indices of variance, and pictures of images::

    sb.explain.sobol_indices(fitted, rows)  # inputs that go together, too
    sb.explain.grad_cam(module, layer, image)  # the extra explain
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalebridge.lazy import attach

if TYPE_CHECKING:
    from scalebridge.explain.answering import Answering
    from scalebridge.explain.copula import Copula
    from scalebridge.explain.data_sheets import data_sheet
    from scalebridge.explain.effects import Effect, accumulated_local_effects, partial_dependence
    from scalebridge.explain.errors_by import ErrorsBy, PartError, by_group, by_regime
    from scalebridge.explain.explaining import explain
    from scalebridge.explain.explanation import Explanation, Importance
    from scalebridge.explain.images import Attribution, grad_cam, integrated_gradients, saliency
    from scalebridge.explain.model_cards import model_card
    from scalebridge.explain.permutation import permutation_importance
    from scalebridge.explain.players import Players
    from scalebridge.explain.predictions import Predictions
    from scalebridge.explain.shapley import shapley_values
    from scalebridge.explain.sheet import Section, Sheet
    from scalebridge.explain.sobol import Indices, sobol_indices

_HOME = {
    "Answering": "answering",
    "Attribution": "images",
    "Copula": "copula",
    "Effect": "effects",
    "ErrorsBy": "errors_by",
    "Explanation": "explanation",
    "Importance": "explanation",
    "Indices": "sobol",
    "PartError": "errors_by",
    "Players": "players",
    "Predictions": "predictions",
    "Section": "sheet",
    "Sheet": "sheet",
    "accumulated_local_effects": "effects",
    "by_group": "errors_by",
    "by_regime": "errors_by",
    "data_sheet": "data_sheets",
    "explain": "explaining",
    "grad_cam": "images",
    "integrated_gradients": "images",
    "model_card": "model_cards",
    "partial_dependence": "effects",
    "permutation_importance": "permutation",
    "saliency": "images",
    "shapley_values": "shapley",
    "sobol_indices": "sobol",
}

__all__ = [
    "Answering",
    "Attribution",
    "Copula",
    "Effect",
    "ErrorsBy",
    "Explanation",
    "Importance",
    "Indices",
    "PartError",
    "Players",
    "Predictions",
    "Section",
    "Sheet",
    "accumulated_local_effects",
    "by_group",
    "by_regime",
    "data_sheet",
    "explain",
    "grad_cam",
    "integrated_gradients",
    "model_card",
    "partial_dependence",
    "permutation_importance",
    "saliency",
    "shapley_values",
    "sobol_indices",
]

__getattr__, __dir__ = attach(__name__, _HOME)
