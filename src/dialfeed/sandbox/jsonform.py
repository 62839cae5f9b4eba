"""Strict JSON for frozen dataclasses: what the control plane takes is exactly what the dataclass declares.

Knows the few types that settings and faults use: ``bool``, ``int``, ``float``, ``str``, `Literal`, a tuple of one of
them, and any of these or ``None``.
"""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def field_types(cls: type) -> dict[str, Any]:
    """The types of a dataclass's fields by name; worked out once for each class, since that is slow."""
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in fields(cls)}


def read_fields(cls: type, data: object, what: str) -> dict[str, Any]:
    """Check a JSON object against the fields of a dataclass.

    Args:
        cls: The dataclass whose annotations are the law.
        data: What `orjson.loads` returned.
        what: What the object is, for the error sentence ("a fault").

    Returns:
        Keyword arguments for `cls` or `dataclasses.replace`: the given keys only, lists as tuples.

    Raises:
        ValueError: One sentence that names the key and says what is expected.
    """
    if not isinstance(data, dict):
        raise ValueError(f"{what.capitalize()} must be a JSON object.")  # noqa: TRY004  the JSON has a wrong value
    known = field_types(cls)
    return {key: read_value(known[key], value, key) for key, value in _known_only(data, known, what)}


def _known_only(data: Mapping[str, object], known: Mapping[str, Any], what: str) -> list[tuple[str, object]]:
    unknown = sorted(data.keys() - known.keys())
    if unknown:
        raise ValueError(f"{what.capitalize()} has no {unknown[0]!r}; known are {', '.join(sorted(known))}.")
    return list(data.items())


def check_fields(instance: Any) -> None:
    """Check every field of a new frozen dataclass against its annotation, and put lists in as tuples.

    Raises:
        ValueError: One sentence that names the field and says what is expected.
    """
    cls: type = type(instance)
    for name, kind in field_types(cls).items():
        object.__setattr__(instance, name, read_value(kind, getattr(instance, name), name))


def read_value(kind: Any, value: object, key: str) -> Any:
    """Check one value against one annotation; lists become tuples, whole numbers become floats where asked.

    Raises:
        ValueError: One sentence that names `key` and says what is expected.
    """
    origin = get_origin(kind)
    if origin in {Union, UnionType}:
        return None if value is None else read_value(_without_none(kind), value, key)
    if origin is Literal:
        return _one_of(get_args(kind), value, key)
    if origin is tuple:
        return _tuple_of(get_args(kind)[0], value, key)
    return _plain(kind, value, key)


def _without_none(kind: Any) -> Any:
    return next(member for member in get_args(kind) if member is not NoneType)


def _one_of(choices: tuple[object, ...], value: object, key: str) -> object:
    for choice in choices:
        if type(choice) is type(value) and choice == value:
            return choice
    raise ValueError(f"{key!r} must be one of {', '.join(map(repr, choices))}.")


def _tuple_of(member: Any, value: object, key: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{key!r} must be a list.")  # noqa: TRY004  the JSON has a wrong value
    return tuple(read_value(member, item, key) for item in value)


def _plain(kind: type[object], value: object, key: str) -> object:
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ValueError(f"{key!r} must be of type {kind.__name__}.")
    return value
