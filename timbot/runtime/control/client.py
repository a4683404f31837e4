"""The other end of the control socket, for a command: one request at a time, in plain blocking calls."""

from __future__ import annotations

import socket
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

import msgspec

from timbot.runtime.control.place import possible, short
from timbot.runtime.control.protocol import LONGEST_ANSWER, VERSION, ControlError, Request, line_of, read_answer

A = TypeVar("A", bound=msgspec.Struct)

SECONDS: Final = 70.0
"""How long an answer is waited for: a little longer than the bot allows itself."""


class ControlClient:
    """A connection to a running bot. A context manager."""

    def __init__(self, connection: socket.socket, folder: Path) -> None:
        self._connection = connection
        self._folder = folder
        self._reader = connection.makefile("rb")
        self._number = 0

    @classmethod
    def connect(cls, folder: Path, *, timeout: float = SECONDS) -> Self | None:
        """To the bot that runs in a state folder; None if none does, or this system has no such sockets.

        Raises `ControlError` where one is there that does not let us in.
        """
        if not possible():
            return None
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(timeout)
        try:
            with short(folder) as path:
                connection.connect(path)
            return cls(connection, folder)
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            connection.close()  # nobody is there, or somebody was
            return None
        except OSError as error:
            connection.close()
            raise ControlError(
                f"The bot in {folder} cannot be reached: {error.strerror or error}.",
                hint="Be the user it runs as: its state folder is its own.",
            ) from None

    def ask(self, command: str, args: msgspec.Struct, kind: type[A]) -> A:
        """Have a command carried out. Raises `ControlError` with what the bot says against it."""
        self._number += 1
        request = Request(v=VERSION, id=self._number, command=command, args=msgspec.Raw(msgspec.json.encode(args)))
        try:
            self._connection.sendall(line_of(request))
            line = self._reader.readline(LONGEST_ANSWER)
        except TimeoutError:
            raise ControlError(
                f"The bot in {self._folder} does not answer.", hint="Its loop may be blocked: see its log."
            ) from None
        except OSError as error:
            raise ControlError(f"The bot in {self._folder} is gone: {error.strerror or error}.") from None
        if not line.endswith(b"\n"):
            raise ControlError(f"The bot in {self._folder} went away before it answered.")
        answer = read_answer(line)
        if answer.error is not None:
            raise ControlError(answer.error.message, hint=answer.error.hint)
        try:
            return msgspec.json.decode(answer.result, type=kind)
        except msgspec.DecodeError as error:
            raise ControlError(f"The bot answers something else: {error}.") from None

    def close(self) -> None:
        """Hang up."""
        self._reader.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.close()
