"""The unmodified official SDK as the other party of a test.

timbot's client and its sandbox share one implementation of the wire, so a mistake in it would be invisible between the
two. The vendor's own SDK settles what is right: it runs in Node (`driver.cjs`), byte for byte as shipped, in a pretend
browser whose sockets end at a local port. Here is its Python side: `Sdk` is one Node process, `Seat` one SDK instance
in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sys
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from .seat import DriverError, Event, Frame, Message, SdkError, Seat, chosen_file, frames, live

__all__ = [
    "FRIENDSHIP",
    "V2_14",
    "V2_27",
    "V3_6",
    "DriverError",
    "Event",
    "Frame",
    "Generation",
    "Message",
    "Sdk",
    "SdkError",
    "Seat",
    "chosen_file",
    "find_node",
    "frames",
    "live",
]

HERE = Path(__file__).parent
FRIENDSHIP = "tim-js-sdk/tim-js-friendship.js"
"""The full build. The package's main file, `tim-js-sdk`, lacks everything about friends."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One line of the official SDK that is still in use, by its last version.

    `proxied`: it has the create option `proxyServer`, so it finds a server by its own means; the sockets of one that has not
    are led there by the pretended browser.
    """

    version: str
    module: str
    proxied: bool = True

    def __str__(self) -> str:
        return self.version


V2_14 = Generation("2.14.0", FRIENDSHIP, proxied=False)
V2_27 = Generation("2.27.6", "tim-js-sdk-2.27/tim-js-friendship.js")
V3_6 = Generation("3.6.6", "@tencentcloud/chat")

STDERR_LINES = 200
LONGEST_LINE = 64 * 1024 * 1024


class Sdk:
    """One Node process with any number of seats. Make it with `async with Sdk.start() as sdk`."""

    def __init__(self, process: asyncio.subprocess.Process, generation: Generation, module: str, log: str) -> None:
        self._process = process
        self.generation = generation
        self._module = module
        self._log = log
        self._seats: dict[str, Seat] = {}
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._last_id = 0
        self._stderr: deque[str] = deque(maxlen=STDERR_LINES)
        self._readers = [
            asyncio.create_task(self._read_answers(), name="judge answers"),
            asyncio.create_task(self._read_stderr(), name="judge stderr"),
        ]

    @classmethod
    @contextlib.asynccontextmanager
    async def start(
        cls, generation: Generation = V2_14, *, module: str = "", log: str = "none", node: str | None = None
    ) -> AsyncIterator[Self]:
        """Starts the driver. `log` is the least level of the SDK's console to keep: debug, log, info, warn, error.

        `module` is another build than the generation's full one.
        """
        process = await asyncio.create_subprocess_exec(
            node or find_node(),
            str(HERE / "driver.cjs"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LONGEST_LINE,
        )
        sdk = cls(process, generation, module or generation.module, log)
        try:
            yield sdk
        except BaseException as error:
            if sdk._stderr:
                error.add_note(sdk.stderr_text())
            raise
        finally:
            await sdk._stop()

    async def seat(
        self,
        name: str,
        *,
        port: int,
        sdk_app_id: int = 1400000000,
        user_id: str | None = None,
        reachable: bool = True,
        module: str | None = None,
        upload: bool = True,
        options: Mapping[str, Any] | None = None,
    ) -> Seat:
        """`TIM.create` in a browser of its own, whose socket goes to `port` at once.

        A second instance of a user is a seat with another name and the same `user_id`. `options` are further create
        options. Without `upload` no upload plugin is registered, else a pretended one that always succeeds.
        """
        if name in self._seats:
            raise ValueError(f"There is a seat '{name}' already; seats of one user differ in name and share `user_id`.")
        seat = self._seats[name] = Seat(self, name, user_id or name)
        endpoint = f"ws://127.0.0.1:{port}"
        proxied = {"proxyServer": endpoint} if self.generation.proxied else {}
        settings = {
            "endpoint": endpoint,
            "rewrites": not proxied,
            "module": module or self._module,
            "logLevel": self._log,
            "reachable": reachable,
            "upload": upload,
            "options": {"SDKAppID": sdk_app_id, **proxied, **(options or {})},
        }
        try:
            seat.version = (await self.request(name, "create", settings))["version"]
        except BaseException:
            self.forget(seat)
            raise
        return seat

    async def request(self, seat: str, call: str, *args: object) -> Any:
        """One call of the driver's protocol."""
        self.check_alive()
        self._last_id = request_id = self._last_id + 1
        answer = self._asked[request_id] = asyncio.get_running_loop().create_future()
        line = json.dumps({"id": request_id, "seat": seat, "call": call, "args": args})
        assert self._process.stdin is not None
        try:
            with contextlib.suppress(ConnectionError):  # then the answers' end says why
                self._process.stdin.write(line.encode() + b"\n")
                await self._process.stdin.drain()
            return await answer
        finally:
            del self._asked[request_id]

    def forget(self, seat: Seat) -> None:
        """The seat is gone; what it still raises belongs to nobody."""
        if self._seats.get(seat.name) is seat:
            del self._seats[seat.name]

    def check_alive(self) -> None:
        """Raises DriverError when the process has ended."""
        if self._readers[0].done():
            raise DriverError(self._epitaph())

    def _epitaph(self) -> str:
        return f"The SDK's process ended with {self._process.returncode}.\n{self.stderr_text()}"

    def stderr_text(self) -> str:
        """The last lines the process wrote to stderr."""
        return "\n".join(["The driver's stderr:", *self._stderr]) if self._stderr else "The driver's stderr is empty."

    async def _read_answers(self) -> None:
        assert self._process.stdout is not None
        try:
            async for line in self._process.stdout:
                self._handle(json.loads(line))
            await self._readers[1]  # what it wrote to stderr says why it ended
            await self._process.wait()
        finally:
            for answer in self._asked.values():
                if not answer.done():
                    answer.set_exception(DriverError(self._epitaph()))
            asyncio.get_running_loop().call_soon(self._wake_all)

    def _handle(self, line: dict[str, Any]) -> None:
        if "event" in line:
            if seat := self._seats.get(line["seat"] or ""):
                seat.take(Event(line["event"], line["data"]))
            elif line["seat"] is None:
                self._stderr.append(f"{line['event']}: {line['data']}")
            return
        answer = self._asked.get(line["id"])
        if answer is None or answer.done():
            return
        if error := line.get("error"):
            answer.set_exception(SdkError(error["code"], error["message"]))
        else:
            answer.set_result(line["ok"])

    def _wake_all(self) -> None:
        for seat in self._seats.values():
            seat.wake()

    async def _read_stderr(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self._stderr.append(line.decode(errors="replace").rstrip())

    async def _stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(5):
                await asyncio.gather(*self._readers, return_exceptions=True)
        except TimeoutError:
            self._process.kill()
        await self._process.wait()
        with contextlib.suppress(ConnectionError):
            await self._process.stdin.wait_closed()
        await asyncio.gather(*self._readers, return_exceptions=True)


def find_node() -> str:
    """The Node that `tools/setup` installed into the virtual environment, else the system's."""
    own = Path(sys.prefix) / "bin" / "node"
    node = str(own) if own.exists() else shutil.which("node")
    if node is None:
        raise RuntimeError("Node 18 or newer is needed to run the official SDK. `make test` installs one.")
    return node
