"""What can go wrong with the store, each with its cure."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from timbot.errors import TimbotError


class StoreError(TimbotError):
    """The store cannot be used. `path` is the file or folder it is about."""

    docs = "errors#store"

    def __init__(self, message: str, *, path: Path | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.path = path


class StoreInUse(StoreError):
    """Another process has the store open. `pid` is its process (0: unknown), `host` the machine or container it runs on."""

    docs = "errors#store-in-use"

    def __init__(self, path: Path, *, pid: int, host: str, here: str) -> None:
        who = f"process {pid}" if pid else "another process"
        if host and host != here:
            who += f" on {host}"
        super().__init__(
            f"{path} is in use by {who}.",
            path=path,
            hint="Stop that one first, or give this one a folder of its own: a store belongs to one running bot.",
        )
        self.pid = pid
        self.host = host


class StoreBroken(StoreError):
    """The store failed while it was in use; nothing can be written until it is opened again.

    `code` is SQLite's name for the cause, such as `SQLITE_FULL`. What was asked for is not confirmed. After an I/O error
    it may all the same be there at the next start.
    """

    docs = "errors#store-broken"

    def __init__(self, message: str, *, path: Path | None = None, code: str = "", hint: str = "") -> None:
        super().__init__(message, path=path, hint=hint)
        self.code = code


class StoreClosed(StoreError):
    """The store was used after it was closed."""

    docs = "errors#store-closed"

    def __init__(self, path: Path | None = None) -> None:
        super().__init__("The store is closed.", path=path)


class UnstorableValue(StoreError):
    """A key or a value that the store does not take. Nothing was changed."""

    docs = "errors#store-values"


_FULL = ("there is no room left", "Make room on the disk, then start again.")
_READ_ONLY = ("it cannot be written", "Check who owns the folder, and that its file system is not mounted read-only.")
_UNREACHABLE = ("it cannot be opened", "Check that folder and file belong to the user the bot runs as.")
_DAMAGED = (
    "it is damaged, or no SQLite file",
    "Put a backup in its place, or move it away with its '-wal' file: the bot then begins with an empty store.",
)
_DISK = ("the disk reports errors", "Look into the system's log: the disk or its connection is failing.")
_BUSY = ("another program keeps it locked", "Close the program that has the file open, such as a database browser or a backup.")

_BY_CODE: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _UNREACHABLE,
    sqlite3.SQLITE_AUTH: _UNREACHABLE,
    sqlite3.SQLITE_CANTOPEN: _UNREACHABLE,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_IOERR: _DISK,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_PROTOCOL: _BUSY,
    sqlite3.SQLITE_NOMEM: ("there is not enough memory", "Give the process more memory."),
}

_BY_ERRNO: dict[int, tuple[str, str]] = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: _READ_ONLY,
    errno.EACCES: _UNREACHABLE,
    errno.EPERM: _UNREACHABLE,
    errno.EIO: _DISK,
    errno.ENOTDIR: ("a part of its path is a file", "Name a folder."),
    errno.EEXIST: ("it is a file", "Name a folder."),
    errno.ENOLCK: ("its file system has no locks", "Put the folder on a local disk."),
    errno.EOPNOTSUPP: ("its file system has no locks", "Put the folder on a local disk."),
}


def is_fatal(error: BaseException) -> bool:
    """Whether a statement met the file's trouble, or the disk's, rather than being a mistake itself.

    Writing where only reading is allowed is a mistake: a file that cannot be written at all fails before any statement.
    """
    return isinstance(error, sqlite3.Error) and _primary(error) in _BY_CODE and _primary(error) != sqlite3.SQLITE_READONLY


def cannot_open(path: Path, error: sqlite3.Error | OSError) -> StoreError:
    """Why the store could not be opened, in words."""
    what, hint = _explain(error)
    if isinstance(error, sqlite3.Error) and _primary(error) == sqlite3.SQLITE_CORRUPT:
        what = f"{what} ({' '.join(str(error).split())})"  # which page it is
    return StoreError(f"{path} cannot be used as a store: {what}.", path=path, hint=hint)


def broken(path: Path | None, error: BaseException) -> StoreBroken:
    """Why the store failed in use, in words."""
    name = str(path) if path else "The store"
    if not isinstance(error, sqlite3.Error):
        return StoreBroken(f"{name} failed: {error!r}.", path=path)
    what, hint = _explain(error)
    code = getattr(error, "sqlite_errorname", "")
    return StoreBroken(f"{name} failed: {what}{f' ({code})' if code else ''}.", path=path, code=code, hint=hint)


def _explain(error: sqlite3.Error | OSError) -> tuple[str, str]:
    known = _BY_ERRNO.get(error.errno or 0) if isinstance(error, OSError) else _BY_CODE.get(_primary(error))
    return known or (str(error), "")


def _primary(error: sqlite3.Error) -> int:
    """SQLite's extended codes keep the plain one in their lowest byte. 0: the error came from Python's side."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF
