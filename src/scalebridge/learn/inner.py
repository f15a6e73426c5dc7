"""The surrogate inside another one, given as a class, a name or an example, and built anew for other spaces."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from scalebridge.errors import InputError
from scalebridge.quantities import Space


def prototype(title: str, learner: Any, inputs: Space, outputs: Space) -> Any:
    """An unfitted surrogate of these spaces, from what a user gives for one.

    Args:
        title: of the surrogate that asks, in a sentence.
        learner: a name as in `scalebridge.learn.known_surrogates`, a class or function of ``(inputs, outputs)``, or a
            surrogate, whose spaces are replaced and whose options are kept.
        inputs, outputs: the spaces.

    Raises:
        InputError: nothing of the three.
    """
    from scalebridge.learn.found import surrogate_named

    if isinstance(learner, str):
        return surrogate_named(learner)(inputs, outputs)
    if hasattr(learner, "posterior") and not isinstance(learner, type):
        return with_spaces(learner, inputs, outputs)
    made = learner(inputs, outputs) if callable(learner) else None
    if made is None or not all(hasattr(made, member) for member in ("fit", "posterior", "outputs")):
        raise InputError(
            f"{title} got learner = {learner!r}; give a surrogate as GaussianProcess(inputs, outputs), a function of "
            "(inputs, outputs) that makes one, or a name."
        )
    return made


def with_spaces(surrogate: Any, inputs: Space, outputs: Space) -> Any:
    """The same surrogate, unfitted, with other spaces; those inside it likewise."""
    if isinstance(surrogate, tuple):
        return tuple(with_spaces(part, inputs, outputs) for part in surrogate)
    if not (is_dataclass(surrogate) and hasattr(surrogate, "posterior")) or isinstance(surrogate, type):
        return surrogate
    changed = {f.name: with_spaces(getattr(surrogate, f.name), inputs, outputs) for f in fields(surrogate) if f.init}
    spaces = {name: space for name, space in (("inputs", inputs), ("outputs", outputs)) if name in changed}
    learned = {name: None for name in ("runs", "fitted", "certificate") if name in changed}
    return replace(surrogate, **(changed | spaces | learned))


def counted(stem: str, count: int) -> Space:
    """A space of ``count`` numbers ``stem1``, ``stem2``, ..."""
    return Space({f"{stem}{i + 1}": "1" for i in range(count)})
