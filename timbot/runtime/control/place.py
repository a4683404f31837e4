"""Where the control socket is: in the state folder, reached by a short name.

The system takes about a hundred bytes for a socket's path. A folder with a longer one is reached through a link in a folder of
our own among the temporary files, which both sides make for themselves and remove again.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

NAME: Final = "control.sock"

LONGEST: Final = 100
"""Bytes of a path that every system takes: Linux 107, macOS 103."""


def possible() -> bool:
    """Whether this system and this Python have such sockets. Windows has not."""
    return os.name == "posix" and hasattr(socket, "AF_UNIX")


@contextlib.contextmanager
def short(folder: Path, name: str = NAME) -> Iterator[str]:
    """A path of the socket `name` in `folder` that is short enough, as long as it is entered. Raises `OSError`."""
    path = str(folder.absolute() / name)
    if len(os.fsencode(path)) <= LONGEST:
        yield path
        return
    beside = tempfile.mkdtemp(prefix="timbot-")
    try:
        os.symlink(folder.absolute(), f"{beside}/s", target_is_directory=True)
        yield f"{beside}/s/{name}"
    finally:
        shutil.rmtree(beside, ignore_errors=True)
