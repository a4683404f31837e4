"""What one plugin keeps in one account: values under keys, claims, and counters per day."""

from __future__ import annotations

import asyncio
import math
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final, Protocol, TypeAlias

import msgspec

from timbot.store.errors import UnstorableValue
from timbot.store.lane import Work

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
"""What JSON can say. Tuples come back as lists."""

Runner: TypeAlias = Callable[[Work[Any]], "asyncio.Future[Any]"]

VALUE_BYTES: Final = 64 << 10
"""The largest value, as JSON."""

KEY_BYTES: Final = 512
"""The longest key or name, in UTF-8."""

DEPTH: Final = 100
"""How deep a value may be nested."""

COUNTED_DAYS: Final = 7
"""How many days back a plugin's counters are kept, seen from the newest day it counts in."""


class Store(Protocol):
    """What one plugin keeps in one account.

    Every method raises `UnstorableValue` for a key, name, value or day it does not take, and `StoreBroken` or
    `StoreClosed` where the database cannot go on. What was awaited is on disk.
    """

    async def get(self, key: str, default: Any = None) -> Any:
        """The value under a key, as JSON gives it back, or `default`."""

    async def set(self, key: str, value: Json) -> None:
        """Keep a value: JSON of at most 64 KiB, without NaN, nested at most 100 deep."""

    async def delete(self, key: str) -> None:
        """Forget a key. One that is not there is no error."""

    async def keys(self, prefix: str = "") -> list[str]:
        """The keys that begin so, in order of their code points."""

    async def claim(self, key: str, owner: str) -> str:
        """Who owns the key: `owner`, if nobody did. For what only one may have, such as an invite code.

        It stands under the key like a value: `get` reads it, `delete` gives it free. Raises `UnstorableValue` where
        something else than an owner stands there.
        """

    async def count(self, name: str, limit: int, day: str) -> bool:
        """Count one more on a day (`2026-01-31`) and say True, or False without counting where `limit` is reached.

        Counters of days more than a week before it are dropped.
        """

    async def uncount(self, name: str, day: str) -> None:
        """Give one back. Never falls below none."""

    async def counted(self, name: str, day: str) -> int:
        """How many were counted on a day."""


class SqliteStore:
    """The `Store` in a database's tables."""

    def __init__(self, read: Runner, write: Runner, account: str, plugin: str) -> None:
        self._read = read
        self._write = write
        self._scope = (checked_name("account", account), checked_name("plugin", plugin))

    async def get(self, key: str, default: Any = None) -> Any:
        """See `Store`."""
        where = (*self._scope, checked_name("key", key))
        row = await self._read(lambda c: c.execute(_GET, where).fetchone())
        return default if row is None else msgspec.json.decode(row[0])

    async def set(self, key: str, value: Json) -> None:
        """See `Store`."""
        row = (*self._scope, checked_name("key", key), encoded(key, value))
        await self._write(lambda c: c.execute(_SET, row).rowcount)

    async def delete(self, key: str) -> None:
        """See `Store`."""
        where = (*self._scope, checked_name("key", key))
        await self._write(lambda c: c.execute(_DELETE, where).rowcount)

    async def keys(self, prefix: str = "") -> list[str]:
        """See `Store`."""
        if prefix:
            checked_name("prefix", prefix)
        found: list[str] = await self._read(lambda c: _keys(c, self._scope, prefix))
        return found

    async def claim(self, key: str, owner: str) -> str:
        """See `Store`."""
        where = (*self._scope, checked_name("key", key))
        found = msgspec.json.decode(await self._write(lambda c: _claim(c, where, encoded(key, owner))))
        if not isinstance(found, str):
            raise UnstorableValue(f"The key '{key}' holds a value, not an owner.", hint="Use keys of their own for claims.")
        return found

    async def count(self, name: str, limit: int, day: str) -> bool:
        """See `Store`."""
        row = (*self._scope, _checked_day(day), checked_name("name", name))
        counted: bool = await self._write(lambda c: _count(c, row, limit))
        return counted

    async def uncount(self, name: str, day: str) -> None:
        """See `Store`."""
        row = (*self._scope, _checked_day(day), checked_name("name", name))
        await self._write(lambda c: c.execute(_UNCOUNT, row).rowcount)

    async def counted(self, name: str, day: str) -> int:
        """See `Store`."""
        row = (*self._scope, _checked_day(day), checked_name("name", name))
        found: int = await self._read(lambda c: _counted(c, row))
        return found


_GET: Final = "SELECT value FROM state WHERE account = ? AND plugin = ? AND key = ?"
_SET: Final = "INSERT INTO state VALUES (?, ?, ?, ?) ON CONFLICT (account, plugin, key) DO UPDATE SET value = excluded.value"
_CLAIM: Final = "INSERT INTO state VALUES (?, ?, ?, ?) ON CONFLICT (account, plugin, key) DO NOTHING"
_DELETE: Final = "DELETE FROM state WHERE account = ? AND plugin = ? AND key = ?"
_KEYS: Final = "SELECT key FROM state WHERE account = ? AND plugin = ? AND key >= ? ORDER BY key"
_COUNTED: Final = "SELECT count FROM counter WHERE account = ? AND plugin = ? AND day = ? AND name = ?"
_FIRST: Final = "INSERT INTO counter VALUES (?, ?, ?, ?, 1)"
_COUNT: Final = "UPDATE counter SET count = count + 1 WHERE account = ? AND plugin = ? AND day = ? AND name = ?"
_UNCOUNT: Final = "UPDATE counter SET count = count - 1 WHERE account = ? AND plugin = ? AND day = ? AND name = ? AND count > 0"
_PRUNE: Final = "DELETE FROM counter WHERE account = ? AND plugin = ? AND day < ?"


def _keys(connection: sqlite3.Connection, scope: tuple[str, str], prefix: str) -> list[str]:
    found = []
    for (key,) in connection.execute(_KEYS, (*scope, prefix)):
        if not key.startswith(prefix):
            break
        found.append(key)
    return found


def _claim(connection: sqlite3.Connection, where: tuple[str, ...], owner: bytes) -> bytes:
    connection.execute(_CLAIM, (*where, owner))
    (found,) = connection.execute(_GET, where).fetchone()
    return bytes(found)


def _count(connection: sqlite3.Connection, row: tuple[str, ...], limit: int) -> bool:
    found = connection.execute(_COUNTED, row).fetchone()
    if (found[0] if found else 0) >= limit:
        return False
    if found:
        connection.execute(_COUNT, row)
    else:
        account, plugin, day, _ = row
        connection.execute(_FIRST, row)
        oldest = date.fromordinal(max(1, date.fromisoformat(day).toordinal() - COUNTED_DAYS))
        connection.execute(_PRUNE, (account, plugin, oldest.isoformat()))
    return True


def _counted(connection: sqlite3.Connection, row: tuple[str, ...]) -> int:
    found = connection.execute(_COUNTED, row).fetchone()
    return int(found[0]) if found else 0


def check_state(plugin: str, key: str, value: bytes | None) -> None:
    """Whether `put` takes it. Raises `UnstorableValue`."""
    checked_name("plugin", plugin)
    checked_name("key", key)
    if value is not None and len(value) > VALUE_BYTES:
        raise UnstorableValue(f"The value of '{key[:40]}' has {len(value):,} bytes; {VALUE_BYTES:,} is the most.")


def put(connection: sqlite3.Connection, account: str, plugin: str, key: str, value: bytes | None) -> None:
    """Write a value that is JSON already, as part of other work; None deletes. Raises `UnstorableValue`."""
    check_state(plugin, key, value)
    if value is None:
        connection.execute(_DELETE, (account, plugin, key))
    else:
        connection.execute(_SET, (account, plugin, key, value))


def checked_name(what: str, name: str) -> str:
    """A key or name as it is, if it can be one: 1 to 512 bytes of UTF-8 without NUL. Raises `UnstorableValue`."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise UnstorableValue(f"The {what} {name!r} holds half a character (a lone surrogate).") from None
    if not 1 <= size <= KEY_BYTES:
        raise UnstorableValue(f"The {what} {name[:40]!r} has {size} bytes.", hint=f"Give it 1 to {KEY_BYTES}.")
    if "\0" in name:
        raise UnstorableValue(f"The {what} {name[:40]!r} holds a NUL character.")
    return name


def _checked_day(day: str) -> str:
    try:
        fine = date.fromisoformat(day).isoformat() == day
    except ValueError:
        fine = False
    if not fine:
        raise UnstorableValue(f"{day!r} is no day.", hint="Write it as 2026-01-31.")
    return day


def encoded(key: str, value: Json) -> bytes:
    """A value as JSON. Raises `UnstorableValue` naming the place that JSON would not give back, or the size."""
    _check(key, "", value, 0)
    try:
        text = msgspec.json.encode(value)
    except (UnicodeEncodeError, TypeError) as error:
        raise UnstorableValue(f"The value of '{key[:40]}' is not JSON: {error}.") from None
    if len(text) > VALUE_BYTES:
        raise UnstorableValue(
            f"The value of '{key[:40]}' has {len(text):,} bytes; {VALUE_BYTES:,} is the most.", hint="Keep it in parts."
        )
    return text


def _check(key: str, place: str, value: object, depth: int) -> None:
    """JSON would take more than it gives back: NaN, sets, dates, numbers as keys."""
    if value is None or isinstance(value, (bool, int, str)) or (isinstance(value, float) and math.isfinite(value)):
        return
    if depth == DEPTH:
        raise UnstorableValue(f"The value of '{key[:40]}' is nested more than {DEPTH} deep.")
    if isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            _check(key, f"{place}[{index}]", item, depth + 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            if not isinstance(name, str):
                raise UnstorableValue(f"The value of '{key[:40]}' has the key {name!r}{_at(place)}.", hint="Keys are texts.")
            _check(key, f"{place}.{name}", item, depth + 1)
    else:
        what = repr(value) if isinstance(value, float) else f"a {type(value).__name__}"
        raise UnstorableValue(
            f"The value of '{key[:40]}' has {what}{_at(place)}, which is no JSON.",
            hint="Keep texts, numbers, True, False, None, and lists and dicts of them.",
        )


def _at(place: str) -> str:
    return f" at {place[:80]}" if place else ""
