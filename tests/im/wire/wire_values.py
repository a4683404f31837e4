"""Every shape of the wire, and hypothesis strategies made from their fields alone."""

from __future__ import annotations

import importlib
import json
import pkgutil
import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from hypothesis import strategies as st

import timbot.im.wire
from timbot.im.wire.heads import RequestHead
from timbot.im.wire.identity import Identity
from timbot.im.wire.usersig import UserSig
from timbot.im.wire.value import UNSET, Raw, UnsetType, Value

for _module in pkgutil.walk_packages(timbot.im.wire.__path__, "timbot.im.wire."):
    importlib.import_module(_module.name)


def _below(kind: type[Value]) -> Iterator[type[Value]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


SHAPES: list[type[msgspec.Struct]] = [
    *sorted({*_below(Value)}, key=lambda kind: (kind.__module__, kind.__qualname__)),
    RequestHead,
    UserSig,
    *get_args(Identity),
]
"""All of them, found by looking and not by a list that somebody has to keep."""

TEXT = st.text(
    st.one_of(
        st.sampled_from('aZ0"\\/{}[]:,\0\x01\x1f\x7f\u0080\u2028\u2029\ufeff\ufffd\uffff中文字한あ😀👩‍👩‍👧𠀀é'),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=12,
)
INTEGERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([0, 1, -1, 2**31, 2**32 - 1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63)]),
)
JSON = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
RAW = st.dictionaries(TEXT, JSON, max_size=3).map(lambda value: Raw(json.dumps(value, ensure_ascii=False).encode()))


def values(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Values of a shape, with each optional field now absent, now empty, now full."""
    if kind not in _made:
        _made[kind] = st.builds(kind, **{field.name: _of(field.type) for field in msgspec.structs.fields(kind)})
    return _made[kind]


_made: dict[type[Any], st.SearchStrategy[Any]] = {}


def _of(kind: Any) -> st.SearchStrategy[Any]:
    origin = get_origin(kind)
    if origin is Annotated:
        return _of(get_args(kind)[0])
    if origin in (Union, types.UnionType):
        return st.one_of(*(_of(part) for part in get_args(kind)))
    if origin is list:
        return st.lists(_of(get_args(kind)[0]), max_size=2)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return st.deferred(lambda: values(kind))
    return _PLAIN[kind]


_PLAIN: dict[object, st.SearchStrategy[Any]] = {
    UnsetType: st.just(UNSET),
    str: TEXT,
    int: INTEGERS,
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    Raw: RAW,
}
