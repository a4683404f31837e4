"""The ground of every wire value: how a field is named, how bytes become values, and what happens to bad bytes.

Decoding reads the fields a type names and leaves the rest; `Opened` keeps the bytes beside the value, so that fields
nobody named survive a value that is passed on. Bad bytes end as one typed error, `FrameError`, with the path to the
place. Nothing here raises anything else, whatever comes in.
"""

from __future__ import annotations

import contextlib
from typing import Annotated, Any, Generic, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from timbot.errors import FrameError
from timbot.im.wire.repair import valid_utf8, whole_characters, without_deep_items, without_nulls, without_surrogates

T = TypeVar("T")

Opt: TypeAlias = T | UnsetType
"""A field that may be absent; absent and empty are different things on this wire."""

Int = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""Any whole number that fits 64 bits: sequences, randoms, times (whole seconds), counts, flags."""

__all__ = ["UNSET", "Int", "Opened", "Opt", "Raw", "UnsetType", "Value", "decode", "encode", "given", "wire_name"]


def wire_name(field: str) -> str:
    """`msg_seq` -> `MsgSeq`, `from_account` -> `From_Account`: the protocol's general rule. Exceptions name themselves."""
    stem, account, tail = field.partition("_account")
    if account and tail in ("", "_nick", "_headurl"):
        return f"{_pascal(stem)}_Account{_pascal(tail)}"
    return _pascal(field)


def _pascal(words: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in words.split("_"))


class Value(msgspec.Struct, frozen=True, kw_only=True, rename=wire_name):
    """Base of everything that has a shape on the wire. Absent fields are `UNSET` and are not written."""


def given(field: T | UnsetType, default: T) -> T:
    """The field, or `default` where the wire did not have it."""
    return default if isinstance(field, UnsetType) else field


def decode(kind: type[T], data: bytes | Raw, *, path: str = "$") -> T:
    """Read `data` (JSON) as `kind`. A lone surrogate becomes U+FFFD, nesting without end is cut out and named.

    A field that is `null` where its type knows none counts as absent. Raises `FrameError` with the place (below `path`)
    and what was expected there.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        less = _without_nulls(data) if _NULL in str(error) else None
        if less is not None:
            with contextlib.suppress(FrameError):
                return decode(kind, less, path=path)
        raise _frame_error(error, data, path) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # bytes that JSON itself does not allow: worth a second look, see below
    whole = whole_characters(bytes(data))
    try:
        return msgspec.json.decode(whole, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _frame_error(error, data, path) from None
    except RecursionError:
        pass  # only now: an item that can be read is never cut because of a surrogate elsewhere
    try:
        return msgspec.json.decode(without_deep_items(whole), type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _frame_error(error, data, path) from None


_NULL = "got `null`"


def _without_nulls(data: bytes | Raw) -> bytes | None:
    """The same JSON without fields that are `null`; None if it has none, or is too odd to be written again."""
    try:
        tree = msgspec.json.decode(data)
        less = without_nulls(tree)
        return _encoder.encode(less) if less != tree else None
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _frame_error(error: Exception, data: bytes | Raw, path: str) -> FrameError:
    message, _, where = str(error).partition(" - at `$")
    return FrameError(message, path=path + where.rstrip("`"), raw=bytes(memoryview(data)[:200]))


def encode(value: object) -> bytes:
    """Write a value as UTF-8 JSON. Lone surrogates (no UTF-8 exists for them) are written as U+FFFD."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return _encoder.encode(without_surrogates(msgspec.to_builtins(value, enc_hook=_raw_to_builtins, builtin_types=(Raw,))))


_encoder = msgspec.json.Encoder()


def _raw_to_builtins(value: object) -> object:
    if isinstance(value, Raw):
        return msgspec.json.decode(value)
    raise NotImplementedError(type(value).__name__)


class Opened(Generic[T]):
    """A value together with the bytes it was read from.

    `encode()` writes the value's own fields and, beside them, every field of the original that no type names: what a
    newer peer adds travels on untouched.
    """

    __slots__ = ("raw", "value")

    def __init__(self, value: T, raw: bytes | Raw) -> None:
        self.value = value
        self.raw = raw

    @classmethod
    def decode(cls, kind: type[T], data: bytes | Raw, *, path: str = "$") -> Opened[T]:
        """Read `data` as `kind` and keep it. Raises `FrameError`."""
        whole = valid_utf8(bytes(data))
        return cls(decode(kind, whole, path=path), whole)

    def unknown(self) -> dict[str, Raw]:
        """The fields of the original that no type names, as bytes, keyed by path (`$.body.X`)."""
        found: dict[str, Raw] = {}
        _collect_unknown(self._original(), self.value, "$", found)
        return found

    def encode(self) -> bytes:
        """The value's fields plus the unknown ones of the original, those byte for byte."""
        return encode(_overlay(self._original(), self.value))

    def _original(self) -> Raw:
        return Raw(valid_utf8(bytes(self.raw)))


def _named_fields(value: msgspec.Struct) -> dict[str, Any]:
    return {field.encode_name: getattr(value, field.name) for field in msgspec.structs.fields(value)}


def _fields(original: Raw) -> dict[str, Raw]:
    try:
        return decode(dict[str, Raw], original)
    except FrameError:  # not an object: a value put in the place of something else
        return {}


def _items(original: Raw, count: int) -> list[Raw]:
    try:
        items = decode(list[Raw], original)
    except FrameError:
        items = []
    return items if len(items) == count else [_NOTHING] * count


_NOTHING = Raw(b"null")


def _overlay(original: Raw, value: object) -> object:
    if isinstance(value, msgspec.Struct):
        named = _named_fields(value)
        before = _fields(original)
        unknown = {name: kept for name, kept in before.items() if name not in named}
        written = {name: _overlay(before.get(name, _NOTHING), item) for name, item in named.items() if item is not UNSET}
        return written | unknown
    if isinstance(value, (list, tuple)):
        return [_overlay(was, item) for was, item in zip(_items(original, len(value)), value, strict=True)]
    return value


def _collect_unknown(original: Raw, value: object, path: str, found: dict[str, Raw]) -> None:
    if isinstance(value, msgspec.Struct):
        named = _named_fields(value)
        for name, item in _fields(original).items():
            if name not in named:
                found[f"{path}.{name}"] = item
            else:
                _collect_unknown(item, named[name], f"{path}.{name}", found)
    elif isinstance(value, (list, tuple)):
        for index, (was, item) in enumerate(zip(_items(original, len(value)), value, strict=True)):
            _collect_unknown(was, item, f"{path}[{index}]", found)
