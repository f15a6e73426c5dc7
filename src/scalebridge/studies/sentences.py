"""From pydantic's list of errors to one sentence in the user's words."""

from __future__ import annotations

import re
import typing
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from scalebridge.errors import InputError, did_you_mean

_WANTED = {
    "float": "a number",
    "int": "a whole number",
    "string": "a text",
    "bool": "true or false",
    "list": "a list",
    "dict": "a table",
    "model": "a table",
    "tuple": "a list",
}


def sentence(error: ValidationError, model: type[BaseModel], under: str = "") -> str:
    """Return the first error as one sentence: where, what was given, what is valid.

    Args:
        error: what pydantic raised.
        model: the class it was validated against.
        under: where that class stands in the file, as ``"models.plate"``.
    """
    first = _most_telling(error)
    location = [part for part in first["loc"] if not _is_branch(part)]
    kind = str(first["type"])
    inner = (first.get("ctx") or {}).get("error")
    if isinstance(inner, InputError):
        text = str(inner)
        return text if text.startswith("[") or not (where := _place(location, under)) else f"{where}: {text}"
    if kind == "extra_forbidden":
        parent, key = location[:-1], str(location[-1])
        valid = _fields(model, parent)
        if not parent and not under:
            return f"there is no section '{key}'{did_you_mean(key, valid)}"
        return f"{_table(parent, under)} has no key '{key}'{did_you_mean(key, valid)}"
    if kind == "missing":
        return _missing(model, location, under)
    place, given = _place(location, under), _shown(first["input"])
    if kind == "literal_error":
        words = [a or b for a, b in re.findall(r"'([^']*)'|(\d+)", str(first["ctx"].get("expected", "")))]
        return f"{place} = {given} is not known{did_you_mean(str(first['input']), words)}"
    return f"{place} = {given}; {_advice(first, model, location)}"


def _most_telling(error: ValidationError) -> Any:
    """Prefer an unknown key: a near miss explains the key that is missing because of it."""
    errors = error.errors()
    return next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])


def _is_branch(part: Any) -> bool:
    """Pydantic names the branch of a union in the location; the user does not know it."""
    return isinstance(part, str) and (part in _WANTED or part in ("str", "none") or bool(re.search(r"[\[\(]", part)))


def _missing(model: type[BaseModel], location: Sequence[Any], under: str) -> str:
    parent, key = location[:-1], str(location[-1])
    owner = _class_at(model, parent)
    field = None if owner is None else owner.model_fields.get(key)
    what = f", the {field.description}" if field is not None and field.description else ""
    if not parent and not under:
        form = f"[[{key}]]" if key == "couplings" else f"[{key}.NAME]" if key == "models" else f"[{key}]"
        return f"the section {form} is missing; it says {field.description if field else key}."
    example = f"; add {key} = {_shown((field.examples or ['...'])[0])}" if field is not None else "; add it"
    return f"{_table(parent, under)} lacks '{key}'{what}{example}."


def _advice(first: Any, model: type[BaseModel], location: Sequence[Any]) -> str:
    kind, context = str(first["type"]), first.get("ctx") or {}
    bounds = {"greater_than": ("gt", "above"), "greater_than_equal": ("ge", "at least"),
              "less_than": ("lt", "below"), "less_than_equal": ("le", "at most")}  # fmt: skip
    example = _example(model, location)
    if kind in bounds:
        key, words = bounds[kind]
        return f"it must be {words} {context.get(key):g}{example}."
    if kind == "finite_number":
        return f"it must be a finite number{example}."
    if kind in ("too_short", "too_long"):
        least = kind == "too_short"
        n = context.get("min_length" if least else "max_length")
        return f"it must have {'at least' if least else 'at most'} {n} {'entry' if n == 1 else 'entries'}."
    wanted = next((words for key, words in _WANTED.items() if kind.startswith(key)), "")
    return f"it must be {wanted}{example}." if wanted else f"{str(first['msg']).lower()}{example}."


def _example(model: type[BaseModel], location: Sequence[Any]) -> str:
    owner = _class_at(model, location[:-1])
    field = owner.model_fields.get(str(location[-1])) if owner and location else None
    return f", such as {_shown(field.examples[0])}" if field is not None and field.examples else ""


def _class_at(model: type[BaseModel], location: Sequence[Any]) -> type[BaseModel] | None:
    """Return the table's class at a location, ``None`` where it is a free table."""
    found: type[BaseModel] | None = model
    for part in location:
        if found is None:
            return None
        if isinstance(part, int):
            continue
        field = found.model_fields.get(str(part))
        found = _model_in(field.annotation) if field is not None else found
    return found


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for a in typing.get_args(annotation) if (m := _model_in(a)) is not None), None)


def _fields(model: type[BaseModel], location: Sequence[Any]) -> list[str]:
    found = _class_at(model, location)
    return [] if found is None else [f.alias or name for name, f in found.model_fields.items()]


def _table(location: Sequence[Any], under: str) -> str:
    path = ".".join(str(p) for p in ([under] if under else []) + [p for p in location if not isinstance(p, int)])
    if not path:
        return "the study"
    return f"[[{path}]]" if path == "couplings" else f"[{path}]"


def _place(location: Sequence[Any], under: str) -> str:
    if not location:
        return f"[{under}]" if under else ""
    return f"{_table(location[:-1], under)} {location[-1]}" if len(location) > 1 or under else f"'{location[0]}'"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = f'"{value}"' if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
