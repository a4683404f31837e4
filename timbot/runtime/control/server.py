"""The control socket of a running bot: commands change the bot through it, never behind its back.

Only who may write to the socket's file reaches it: the user the bot runs as, and root.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import msgspec

from timbot.errors import TimbotError
from timbot.redaction import clean
from timbot.runtime.control.place import NAME, possible, short
from timbot.runtime.control.protocol import LONGEST_REQUEST, VERSION, Answer, Failure, line_of, read_request
from timbot.runtime.control.registry import Registry

if TYPE_CHECKING:
    from timbot.runtime.log import Log

CONNECTIONS: Final = 8
"""Who may be connected at once; others are turned away with an answer."""

SECONDS: Final = 60.0
"""How long a command may take, and how long a connection may say nothing."""


class ControlServer:
    """Listens in a state folder, which must be held by this process alone. An async context manager.

    A socket that a process before has left behind is replaced. Where there can be none (Windows, some network file systems)
    that is logged, and the bot runs without.
    """

    def __init__(self, folder: Path, registry: Registry, log: Log) -> None:
        self.path = folder / NAME
        self._folder = folder
        self._registry = registry
        self._log = log
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        if not possible():
            self._log.info("no control socket", reason="this system has none")
            return self
        try:
            await self._listen()
        except OSError as error:
            self._log.warning("no control socket", reason=error.strerror or str(error), path=str(self.path))
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._server is None:
            return
        with contextlib.suppress(OSError):
            self.path.unlink()
        self._server.close()
        for talk in self._talks:
            talk.cancel()
        if self._talks:
            await asyncio.wait(self._talks)
        await self._server.wait_closed()

    async def _listen(self) -> None:
        """Made under another name where nobody else can come, closed to others, then put in its place: in one step."""
        hidden = self._folder / ".control"
        hidden.mkdir(mode=0o700, exist_ok=True)
        made = hidden / "s"
        try:
            made.unlink(missing_ok=True)
            with short(hidden, made.name) as path:
                server = await asyncio.start_unix_server(self._talk, path, limit=LONGEST_REQUEST)
            try:
                made.chmod(0o600)
                made.replace(self.path)
            except OSError:
                server.close()
                raise
            self._server = server
        finally:
            with contextlib.suppress(OSError):
                made.unlink(missing_ok=True)
                hidden.rmdir()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._talks) >= CONNECTIONS:
            error = Failure(f"{CONNECTIONS} others are connected already.", "Try again.")
            writer.write(line_of(Answer(v=VERSION, error=error)))
        else:
            self._talks.add(task)
            task.set_name("control")
            task.add_done_callback(self._talks.discard)
            with contextlib.suppress(ConnectionError, TimeoutError, asyncio.CancelledError):
                await self._serve(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                async with asyncio.timeout(SECONDS):
                    line = await reader.readline()
            except ValueError:
                error = Failure(f"A request has at most {LONGEST_REQUEST} bytes.")
                writer.write(line_of(Answer(v=VERSION, error=error)))
                return
            if not line.endswith(b"\n"):  # the other side has gone
                return
            writer.write(line_of(await self._answer(line)))
            async with asyncio.timeout(SECONDS):
                await writer.drain()

    async def _answer(self, line: bytes) -> Answer:
        number = 0
        try:
            request = read_request(line)
            number = request.id
            async with asyncio.timeout(SECONDS):
                result = await self._registry.run(request.command, bytes(request.args))
            self._log.debug("command", command=request.command)
            return Answer(v=VERSION, id=number, result=msgspec.Raw(msgspec.json.encode(result)))
        except TimeoutError:
            failure = Failure(f"It took longer than {SECONDS:.0f} s.")
        except TimbotError as error:
            failure = Failure(clean(error.message), clean(error.hint))
        except Exception as error:
            self._log.error("command failed", exc_info=error)
            failure = Failure(f"The command failed: {type(error).__name__}.", "The bot's log says more.")
        return Answer(v=VERSION, id=number, error=failure)
