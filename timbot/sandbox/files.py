"""Files that clients upload: kept under names of the server's own in a temporary folder, bounded, and gone when it stops.

An upload is two steps, as with the vendor: a permit over the WebSocket, then an HTTP PUT to the address in it. Whoever knows
the address of a file may read it; addresses are long and random.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import AsyncIterable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from timbot.sandbox.domain import limits
from timbot.sandbox.pictures import Picture, is_mp4, look
from timbot.store.errors import StoreInUse
from timbot.store.folder import FolderLock

MIB: Final = 1024 * 1024

IMAGE, VIDEO, SOUND, ANY = 1, 2, 3, 255
LARGEST: Final = {IMAGE: 20 * MIB, VIDEO: 100 * MIB, SOUND: 20 * MIB, ANY: 100 * MIB}
"""The kinds of file, and the most bytes of each: the vendor's numbers."""

QUOTA: Final = 512 * MIB
"""Bytes of all files together, those on their way included; beyond them the oldest are deleted."""

FILES: Final = 2000
PERMITS: Final = 1000
UPLOADS: Final = 8
"""How many files are kept, permits are open, uploads run at a time."""

PERMIT_LIFETIME: Final = 900
_BATCH: Final = 256 * 1024
_PREFIX: Final = "timbot-files-"
_YOUNG: Final = 60
"""Seconds a folder is left alone in any case: its owner may be about to lock it."""


class FileRefused(Exception):
    """An upload is not taken. `status` is that of HTTP."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to upload one file. `token` names the upload, `name` the file it becomes; `expires_at` in Unix seconds."""

    token: str
    name: str
    kind: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is here. `picture` if it is one; `stored_at` in Unix seconds."""

    path: Path
    size: int
    picture: Picture | None
    stored_at: float


class Files:
    """All uploads of a server. It takes none before `open` and after `close`. `now` gives Unix seconds."""

    def __init__(self, now: Callable[[], float], *, quota: int = QUOTA) -> None:
        self._now = now
        self._quota = quota
        self._folder: Path | None = None
        self._lock: FolderLock | None = None
        self._permits: dict[str, Permit] = {}
        self._files: dict[str, StoredFile] = {}
        self._size = 0
        self._arriving = 0
        self._uploads = 0

    @property
    def served(self) -> bool:
        """Whether there is a server that takes and gives files."""
        return self._folder is not None

    @property
    def size(self) -> int:
        """Bytes of all files that are here."""
        return self._size

    def open(self) -> None:
        """Begin."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX))  # only for this user: mkdtemp makes it 0700
            self._lock = FolderLock(self._folder)
            _sweep(self._folder)

    def close(self) -> None:
        """Delete everything. Idempotent."""
        folder, self._folder = self._folder, None
        self._permits.clear()
        self._files.clear()
        self._size = 0
        if self._lock is not None:
            self._lock.release()
            self._lock = None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def permit(self, kind: int, lifetime: int = PERMIT_LIFETIME) -> Permit:
        """Leave to upload a file of a `kind` within `lifetime` seconds. Raises `FileRefused`."""
        if not self.served:
            raise FileRefused(503, "files are not served here")
        if kind not in LARGEST:
            raise FileRefused(400, f"no such kind of file: {kind}")
        self._prune()
        if len(self._permits) >= PERMITS:
            raise FileRefused(429, "too many uploads were announced and not made")
        expires = int(self._now()) + min(max(lifetime, 1), PERMIT_LIFETIME)
        permit = Permit(secrets.token_urlsafe(24), secrets.token_hex(16), kind, expires)
        self._permits[permit.token] = permit
        return permit

    def find(self, name: str) -> StoredFile | None:
        """The file of this name."""
        return self._files.get(name)

    async def take(self, token: str, length: int | None, chunks: AsyncIterable[bytes]) -> StoredFile:
        """Store an upload of `length` bytes, if that was said. A permit is good for one. Raises `FileRefused`."""
        self._prune()
        permit, folder = self._permits.get(token), self._folder
        if permit is None or folder is None:
            raise FileRefused(403, "this address is not, or no longer, good for an upload")
        largest = min(LARGEST[permit.kind], self._quota)
        if length is not None and length > largest:
            raise FileRefused(413, f"at most {largest} bytes")
        if self._uploads >= UPLOADS:
            raise FileRefused(503, "too many uploads at a time")
        del self._permits[token]
        self._uploads += 1
        folder.mkdir(mode=0o700, exist_ok=True)  # whoever tidies up temporary folders may have been here
        path = folder / permit.name
        try:
            stored = await self._store(path, permit.kind, largest, chunks)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            self._uploads -= 1
        if self._folder is None:
            raise FileRefused(503, "the server is stopping")
        self._files[permit.name] = stored
        self._size += stored.size
        self._prune()
        return stored

    async def _store(self, path: Path, kind: int, largest: int, chunks: AsyncIterable[bytes]) -> StoredFile:
        size = 0
        try:
            with await asyncio.to_thread(path.open, "w+b") as file:
                batch = bytearray()
                async for chunk in chunks:
                    size += len(chunk)
                    self._arriving += len(chunk)
                    if size > largest:
                        raise FileRefused(413, f"at most {largest} bytes")
                    self._make_room()
                    batch += chunk
                    if len(batch) >= _BATCH:
                        await asyncio.to_thread(file.write, bytes(batch))
                        batch.clear()
                if not size:
                    raise FileRefused(400, "the file is empty")
                picture = await asyncio.to_thread(_finish, file, bytes(batch), kind)
            return StoredFile(path, size, picture, self._now())
        finally:
            self._arriving -= size

    def _make_room(self) -> None:
        """For what is on its way: many uploads at a time must not fill the disk together."""
        if self._arriving > self._quota:
            raise FileRefused(503, "too much is being uploaded at a time")
        if self._size + self._arriving > self._quota:
            self._prune()

    def _prune(self) -> None:
        """Forget what has expired, and the oldest files while there are too many."""
        now = self._now()
        self._permits = {token: permit for token, permit in self._permits.items() if permit.expires_at > now}
        for name, file in tuple(self._files.items()):
            fits = self._size + self._arriving <= self._quota and len(self._files) <= FILES
            if fits and file.stored_at + limits.RETENTION > now:
                return
            del self._files[name]
            self._size -= file.size
            file.path.unlink(missing_ok=True)


def _finish(file: BinaryIO, rest: bytes, kind: int) -> Picture | None:
    file.write(rest)
    picture = look(file)
    if kind == IMAGE and picture is None:
        raise FileRefused(415, "an image is JPEG, PNG, GIF, BMP or WebP")
    if kind == VIDEO and not is_mp4(file):
        raise FileRefused(415, "a video is MP4")
    return picture


def _sweep(own: Path) -> None:
    """Delete the folders of servers that were killed: their locks ended with them."""
    for folder in own.parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError, StoreInUse):
            found, mine = folder.lstat(), own.stat()
            theirs = not stat.S_ISDIR(found.st_mode) or found.st_uid != mine.st_uid
            if folder == own or theirs or found.st_mtime > time.time() - _YOUNG:
                continue
            FolderLock(folder).release()
            shutil.rmtree(folder, ignore_errors=True)
