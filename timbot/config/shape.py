"""What a settings type has room for, read from its annotations: which keys there are, and what is below each.

Pydantic says that a key is wrong; which would have been right, only the types know.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, NewType, Union, get_args, get_origin

from pydantic import BaseModel

from timbot.config.problems import Location

Kinds = tuple[object, ...]
"""Types of which a value is one."""


def below(kinds: Kinds, location: Location) -> Kinds:
    """The types a value at this location may have. A part that is the name of a union's member chooses it."""
    for part in location:
        found = tuple(one for kind in kinds for one in _step(kind, part))
        named = tuple(one for kind in kinds for one in _members(kind) if getattr(one, "__name__", "") == part)
        kinds = found or named or kinds
    return kinds


def keys(kinds: Kinds) -> tuple[str, ...]:
    """The keys that a mapping of one of these types has."""
    return tuple(dict.fromkeys(key for kind in kinds for member in _members(kind) for key in _fields(member)))


def nested_keys(kinds: Kinds) -> dict[str, str]:
    """The keys one level down, by their dotted path: `log.level` -> `level`."""
    return {f"{key}.{inner}": inner for key in keys(kinds) for inner in keys(below(kinds, (key,)))}


def leaves(kinds: Kinds) -> Iterator[object]:
    """The types that these are made of, those in lists and mappings too, fields left out."""
    for kind in kinds:
        for member in _members(kind):
            yield member
            if isinstance(get_origin(member), type):
                yield from leaves(tuple(argument for argument in get_args(member) if argument is not Ellipsis))


def _members(kind: object) -> Iterator[object]:
    """The types behind unions, annotations and aliases."""
    alias = getattr(kind, "__value__", None)
    origin = get_origin(kind)
    if isinstance(kind, NewType):
        yield from _members(kind.__supertype__)
    elif origin is Annotated:
        yield from _members(get_args(kind)[0])
    elif origin in (Union, types.UnionType):
        for member in get_args(kind):
            yield from _members(member)
    elif alias is not None and not isinstance(kind, type):
        yield from _members(alias)
    else:
        yield kind


def _fields(kind: object) -> Mapping[str, object]:
    """Key -> type, of a model or a dataclass; empty for anything else."""
    if not isinstance(kind, type):
        return {}
    if issubclass(kind, BaseModel):
        return {_key(name, info): info.annotation for name, info in kind.model_fields.items()}
    if dataclasses.is_dataclass(kind):
        names = [item.name for item in dataclasses.fields(kind) if item.init]
        return dict.fromkeys(names) | {name: hint for name, hint in _hints(kind).items() if name in names}
    return {}


def _key(name: str, info: object) -> str:
    alias = getattr(info, "validation_alias", None) or getattr(info, "alias", None)
    return alias if isinstance(alias, str) else name


def _hints(kind: type) -> Mapping[str, object]:
    try:
        return typing.get_type_hints(kind)
    except Exception:  # a name that cannot be looked up: the keys are known all the same
        return {}


def _step(kind: object, part: int | str) -> Iterable[object]:
    for member in _members(kind):
        fields = _fields(member)
        if part in fields:
            yield fields[str(part)]
            continue
        arguments = [argument for argument in get_args(member) if argument is not Ellipsis]
        origin = get_origin(member)
        if not arguments or not isinstance(origin, type):
            continue
        if issubclass(origin, Mapping):
            yield arguments[-1]
        elif isinstance(part, int):
            yield arguments[part] if issubclass(origin, tuple) and part < len(arguments) > 1 else arguments[0]
