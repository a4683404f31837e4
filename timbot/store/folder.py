"""The store's folder on disk: private, and held by one process at a time.

The lock is the operating system's own on an open file, so it ends with the process however that ends. The file's text says
who holds it and is there for people only; the file stays when the lock goes, because removing it would let two in.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import sys
from pathlib import Path
from typing import Final

from timbot.store.errors import StoreError, StoreInUse

FILE_NAME: Final = "timbot.sqlite3"
LOCK_NAME: Final = "timbot.lock"

_LOCKED_BYTE: Final = 1 << 30
"""Windows locks bytes and keeps others from reading them: one far behind the text."""


class FolderLock:
    """Holds a folder for this process until `release`."""

    def __init__(self, folder: Path) -> None:
        """Raises `StoreInUse`, or `OSError` where the lock file cannot be made."""
        self._handle = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not _try_lock(self._handle):
                pid, host = _holder(self._handle)
                raise StoreInUse(folder, pid=pid, host=host, here=socket.gethostname())
            os.ftruncate(self._handle, 0)
            os.write(self._handle, f"{os.getpid()} {socket.gethostname()}\n".encode())
        except BaseException:
            os.close(self._handle)
            raise

    def release(self) -> None:
        """Let the next one in."""
        os.close(self._handle)


def prepare(folder: Path) -> Path:
    """Make the folder and the database file, for their owner only; the file's path. Raises `StoreError` or `OSError`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.name == "posix" and folder.stat().st_mode & stat.S_IWOTH:
        raise StoreError(
            f"{folder} may be written by everybody on this machine.",
            path=folder,
            hint=f"Name a folder inside it, which is then made for the bot alone, or run: chmod o-w {folder}",
        )
    path = folder / FILE_NAME
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    return path


def make_private(path: Path) -> None:
    """Close the database's files to others, as after a restored backup. SQLite gives new ones the mode of the first."""
    for file in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        with contextlib.suppress(FileNotFoundError):
            if file.stat().st_mode & 0o077:
                file.chmod(0o600)


def _holder(handle: int) -> tuple[int, str]:
    """Process and host as the lock file names them; 0 and nothing if it does not yet."""
    os.lseek(handle, 0, os.SEEK_SET)
    pid, _, host = os.read(handle, 300).decode(errors="replace").strip().partition(" ")
    return (int(pid), host) if pid.isdecimal() else (0, "")


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
