"""From a study to its models, checked against each other before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scalebridge.errors import InputError, did_you_mean
from scalebridge.studies.entry import Built

if TYPE_CHECKING:
    from scalebridge.studies.schema import Study


@dataclass(frozen=True)
class Resolved:
    """The models of a study, connected.

    Args:
        study: what was declared.
        macro: the macro problem.
        micro: the micro model.
    """

    study: Study
    macro: Built
    micro: Built

    @property
    def notes(self) -> tuple[str, ...]:
        """What building the models had to say."""
        return (*self.micro.notes, *self.macro.notes)

    @property
    def n_input_runs(self) -> int:
        """Micro runs that the input interval will ask for."""
        alternatives = sum(len(models) for models in self.micro.alternatives.values())
        return alternatives * self.study.question.input_states


def resolve(study: Study) -> Resolved:
    """Make the models of a study and connect them; runs nothing.

    Raises:
        InputError: a model that cannot be made, variables that do not match, an unknown quantity of interest.
    """
    coupling = study.couplings[0]
    try:
        macro, micro = (_built(study, name) for name in (coupling.macro, coupling.micro))
        _connect(macro.model, micro.model)
        _check_qois(study, coupling.macro, macro.model)
        resolved = Resolved(study, macro, micro)
        _check_budget(study, resolved)
    except InputError as error:
        text = str(error)
        raise error if text.startswith(study.source) else type(error)(f"{study.source}: {text}") from error
    return resolved


def _built(study: Study, name: str) -> Built:
    return study.models[name].build(name, study.folder)


def _connect(macro: Any, micro: Any) -> None:
    from scalebridge.bridge.coupling import connect

    connect(macro, micro)


def _check_qois(study: Study, name: str, macro: Any) -> None:
    known = getattr(macro, "quantities", None)
    if known is None:
        return
    for qoi in study.question.names:
        if qoi not in known:
            raise InputError(f"[question] qoi = '{qoi}' is no quantity of [models.{name}]{did_you_mean(qoi, known)}")


def _check_budget(study: Study, resolved: Resolved) -> None:
    budget = study.question.budget
    if budget is not None and budget <= resolved.n_input_runs:
        raise InputError(
            f"[question] budget = {budget} is spent by the {resolved.n_input_runs} micro runs for uncertain inputs; "
            "give a larger budget or fewer input_states."
        )
