"""Inside the bot's process: places where it dies by its own hand, since nobody outside can hit them exactly.

The harness writes the name of a place into a file; the next time the bot passes it, the file is gone and so is the bot. As
with any kill -9, nothing is flushed and nothing is told.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
from pathlib import Path

from tests.chaos.plan import Place
from timbot.im.api.messages import MessagesApi, OutgoingMessage
from timbot.im.model.message import Message

FOLDER = Path(os.environ.get("CHAOS_FOLDER", "."))
FUSE = FOLDER / "fuse"
EFFECTS = FOLDER / "effects"


def burn(place: Place) -> None:
    """Die here, if that is what the harness wants."""
    if not FUSE.exists():
        return
    with contextlib.suppress(OSError):
        if FUSE.read_text(encoding="utf-8") == place:
            FUSE.unlink()
            os.kill(os.getpid(), signal.SIGKILL)


def install() -> None:
    """Lay the fuses around the client's sending: by then the intent has been recorded, and the result has not."""
    send = MessagesApi.send_message

    async def send_message(self: MessagesApi, message: OutgoingMessage, *, online_user_only: bool = False) -> Message:
        burn(Place.INTENDED)
        sent = await send(self, message, online_user_only=online_user_only)
        burn(Place.ANSWERED)
        return sent

    MessagesApi.send_message = send_message  # type: ignore[method-assign]


async def effect(name: str, *, key: str) -> bool:
    """Something done in the world outside: a line that no death takes back."""
    line = json.dumps({"id": name, "key": key, "pid": os.getpid()}) + "\n"
    file = os.open(EFFECTS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)
    burn(Place.EFFECT)
    return True
