"""The flight recorder: which handlers were running when the process died.

A small file of slots beside the database, mapped into memory. Noting a handler is a write to memory and no system call; what
is noted belongs to the system at once, so it is there after any death of the process. It is not there for certain after a
loss of power: then whatever is found is checked, and believed only where it is whole.

    0    head: magic, start of this process, times of the deaths before it, checksum
    248  eight bytes that say whether the process has said goodbye
    256  slots of 16 bytes: an event's number and its complement, or zeros
"""

from __future__ import annotations

import errno
import math
import mmap
import os
import struct
import zlib
from pathlib import Path
from typing import Final, Self

from timbot.store.errors import cannot_open

FILE_NAME: Final = "running"

DEATHS: Final = 16
"""How many deaths are remembered: the newest."""

DEATH_SECONDS: Final = 86400.0
"""How long a death is remembered."""

_MAGIC: Final = b"timbotR1"
_HEAD: Final = struct.Struct(f"<8sdI{DEATHS}d")
_SUM: Final = struct.Struct("<I")
_GOODBYE: Final = 248
_FAREWELL: Final = b"goodbye!"
_FIRST: Final = 256
_SLOT: Final = struct.Struct("<QQ")
_MASK: Final = (1 << 64) - 1
_FREE: Final = bytes(_SLOT.size)
_OPEN: Final = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_SIZE: Final = 4096
"""At first; it is doubled when all slots are taken."""


class Recorder:
    """Notes handlers for the process after this one, and has read what the one before noted.

    One for a state folder: all accounts share it. To be used from one thread, and only by who holds the folder's lock.
    """

    def __init__(self, handle: int, suspects: frozenset[int], deaths: tuple[float, ...]) -> None:
        self.suspects = suspects
        """Events whose handlers ran when the process before died; of all accounts."""
        self.deaths = deaths
        """When processes have died of late: each is noticed by the next start, and has its time."""
        self._handle = handle
        self._map = mmap.mmap(handle, 0)
        self._free = list(range(_SIZE - _SLOT.size, _FIRST - 1, -_SLOT.size))
        self._slots: dict[int, int] = {}
        self._closed = False

    @classmethod
    def open(cls, folder: Path, now: float) -> Self:
        """Read what the process before has left, and begin anew. `now` is Unix seconds.

        A file that is missing, torn or not ours tells of nothing. Raises `StoreError` where none can be made.
        """
        path = folder / FILE_NAME
        try:
            suspects, deaths = _left_behind(path, now)
            fresh = path.with_name(f"{FILE_NAME}.new")
            _make(fresh, _head(now, deaths))
            fresh.replace(path)
            handle = os.open(path, _OPEN)
            try:
                return cls(handle, suspects, deaths)
            except BaseException:
                os.close(handle)
                raise
        except OSError as error:
            raise cannot_open(path, error) from error

    def began(self, event: int) -> None:
        """A handler of this event begins to run. Where the disk has no room for more slots it is not noted."""
        if event in self._slots or self._closed:
            return
        if not self._free and not self._grow():
            return
        place = self._free.pop()
        self._slots[event] = place
        _SLOT.pack_into(self._map, place, event, event ^ _MASK)

    def ended(self, event: int) -> None:
        """No handler of this event runs any more."""
        place = self._slots.pop(event, None)
        if place is not None and not self._closed:
            self._map[place : place + _SLOT.size] = _FREE
            self._free.append(place)

    def close(self) -> None:
        """Say goodbye: this process has not died, and whatever runs still is to blame for nothing."""
        if self._closed:
            return
        self._closed = True
        self._map[_GOODBYE : _GOODBYE + len(_FAREWELL)] = _FAREWELL
        self._map.flush()
        self._map.close()
        os.close(self._handle)

    def _grow(self) -> bool:
        size = len(self._map)
        try:
            os.lseek(self._handle, size, os.SEEK_SET)
            _write(self._handle, bytes(size))
            grown = mmap.mmap(self._handle, 2 * size)
        except OSError:
            return False
        self._map.close()
        self._map = grown
        self._free = list(range(2 * size - _SLOT.size, size - 1, -_SLOT.size))
        return True


def _make(path: Path, head: bytes) -> None:
    """A new file with this head and no handler noted, in place of one that was left halfway."""
    path.unlink(missing_ok=True)
    handle = os.open(path, _OPEN | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        # Written, not only made so long: a page that the disk has no room for would kill the process later.
        _write(handle, head.ljust(_SIZE, b"\0"))
    finally:
        os.close(handle)


def _write(handle: int, data: bytes) -> None:
    if os.write(handle, data) < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _head(start: float, deaths: tuple[float, ...]) -> bytes:
    head = _HEAD.pack(_MAGIC, start, len(deaths), *deaths, *([0.0] * (DEATHS - len(deaths))))
    return _sealed(head)


def _left_behind(path: Path, now: float) -> tuple[frozenset[int], tuple[float, ...]]:
    """What the file says: suspects, and deaths up to this start."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return frozenset(), ()
    if len(data) < _FIRST or data[:8] != _MAGIC or data[: _HEAD.size + _SUM.size] != _sealed(data[: _HEAD.size]):
        return frozenset(), ()
    _, _, count, *times = _HEAD.unpack_from(data)
    deaths = [time for time in times[:count] if math.isfinite(time) and now - DEATH_SECONDS <= time <= now]
    if data[_GOODBYE : _GOODBYE + len(_FAREWELL)] == _FAREWELL:
        return frozenset(), tuple(deaths)
    slots = _SLOT.iter_unpack(data[_FIRST : len(data) - (len(data) - _FIRST) % _SLOT.size])
    suspects = frozenset(event for event, check in slots if event and event ^ _MASK == check and event < 1 << 63)
    return suspects, (*deaths, now)[-DEATHS:]


def _sealed(head: bytes) -> bytes:
    return head + _SUM.pack(zlib.crc32(head))
