"""One seat of the judge: a single instance of the official SDK, and what a test asks of it.

Names, arguments and results are the SDK's own, so the vendor's documentation is that of `Seat.call`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypedDict, TypeVar

T = TypeVar("T")

Message = TypedDict(
    "Message",
    {
        "ID": str,
        "type": str,
        "payload": dict[str, Any],
        "conversationID": str,
        "conversationType": str,
        "from": str,
        "to": str,
        "flow": str,
        "time": int,
        "sequence": int,
        "clientSequence": int,
        "random": int,
        "priority": str,
        "nick": str,
        "avatar": str,
        "nameCard": str,
        "isRead": bool,
        "isPeerRead": bool,
        "isRevoked": bool,
        "isDeleted": bool,
        "isModified": bool,
        "isResend": bool,
        "isSystemMessage": bool,
        "status": str,
        "cloudCustomData": str,
        "atUserList": list[str],
    },
)
"""A message as the SDK shows it, without its private parts. Name it in later calls with `live(message)`."""


class Frame(TypedDict):
    """One thing that happened on a seat's socket: `connect`, `open`, `in`, `out` or `close`; `at` in milliseconds."""

    dir: str
    socket: int
    at: int
    data: str


@dataclass(frozen=True, slots=True)
class Event:
    """A TIM.EVENT as raised by the SDK, or `driverWarning`: something the SDK threw where nobody caught it."""

    name: str
    data: Any


class SdkError(Exception):
    """The SDK refused. `code` is its error code; its parameter checks (and the driver's own) have none."""

    def __init__(self, code: int | None, message: str) -> None:
        super().__init__(f"{code}: {message}" if code is not None else message)
        self.code = code
        self.message = message


class DriverError(Exception):
    """The Node process ended; the text ends with what it wrote to stderr."""


def live(message: Message | str) -> dict[str, str]:
    """Stands in an argument for the SDK's live Message object (created, received or listed by that seat before)."""
    return {"$message": message if isinstance(message, str) else message["ID"]}


def chosen_file(name: str, mime: str, size: int = 1024) -> dict[str, dict[str, Any]]:
    """Stands in a payload for a file chosen in a page: `{"file": chosen_file("a.png", "image/png")}`."""
    return {"$file": {"name": name, "type": mime, "size": size}}


def frames(wire: Iterable[Frame], direction: str, servcmd: str = "") -> list[dict[str, Any]]:
    """The decoded `in` or `out` frames of a `Seat.wire()`, only those whose servcmd ends in `servcmd`."""
    decoded = [json.loads(frame["data"]) for frame in wire if frame["dir"] == direction]
    return [frame for frame in decoded if frame["head"]["servcmd"].endswith(servcmd)]


class Link(Protocol):
    """What a seat needs of the process it lives in (`Sdk`)."""

    async def request(self, seat: str, call: str, *args: object) -> Any: ...
    def forget(self, seat: Seat) -> None: ...
    def check_alive(self) -> None: ...
    def stderr_text(self) -> str: ...


class Seat:
    """One SDK instance: a browser tab of its own, with its own socket, storage and log."""

    def __init__(self, link: Link, name: str, user_id: str) -> None:
        self.name = name
        self.user_id = user_id
        self.version = ""
        self.events: list[Event] = []
        self.is_ready = False
        self._link = link
        self._open: list[Event] = []  # not yet consumed by expect
        self._open_messages: list[Message] = []
        self._news = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Seat {self.name} of {self.user_id}>"

    async def call(self, method: str, *args: object) -> Any:
        """Any SDK method (or harness call). Answers what it resolves with, without the `{code, data}` around it."""
        return await self._link.request(self.name, method, *args)

    async def login(self, user_sig: str, user_id: str | None = None) -> Any:
        """`tim.login`; resolves before the SDK is ready, see `ready`."""
        self.user_id = user_id or self.user_id
        return await self.call("login", {"userID": self.user_id, "userSig": user_sig})

    async def ready(self, timeout: float = 10.0) -> None:
        """Waits until SDK_READY was raised (and no SDK_NOT_READY after it). Consumes no event."""
        await self._wait(lambda: self.is_ready or None, "SDK_READY", timeout)

    async def logout(self) -> Any:
        """`tim.logout`: the socket stays open, and the seat can log in again."""
        return await self.call("logout")

    async def destroy(self) -> Any:
        """`tim.destroy`; afterwards the seat is gone and its name is free."""
        try:
            return await self.call("destroy")
        finally:
            self._link.forget(self)

    async def drop(self) -> None:
        """The tab is closed: the socket breaks without a farewell and the seat is gone."""
        await self.call("drop")
        self._link.forget(self)

    async def send(
        self,
        kind: str,
        to: str,
        payload: Mapping[str, Any],
        *,
        group: bool = False,
        options: Mapping[str, Any] | None = None,
        send_options: Mapping[str, Any] | None = None,
    ) -> Message:
        """`create<kind>Message`, then `sendMessage`. `options` are further create options, such as `priority`."""
        target = {"to": to, "conversationType": "GROUP" if group else "C2C", "payload": payload, **(options or {})}
        request = {"kind": kind, "options": target, "sendOptions": send_options}
        message: Message = await self.call("send", request)
        return message

    async def send_text(self, to: str, text: str, *, group: bool = False, at: Sequence[str] = (), **more: Any) -> Message:
        """Sends a text; with `at` one that mentions these users (groups only). `more` as in `send`."""
        if at:
            return await self.send("TextAt", to, {"text": text, "atUserList": list(at)}, group=group, **more)
        return await self.send("Text", to, {"text": text}, group=group, **more)

    async def send_custom(
        self, to: str, data: str, description: str = "", extension: str = "", *, group: bool = False, **more: Any
    ) -> Message:
        """Sends a custom message. `more` as in `send`."""
        payload = {"data": data, "description": description, "extension": extension}
        return await self.send("Custom", to, payload, group=group, **more)

    async def send_face(self, to: str, index: int, data: str = "", *, group: bool = False, **more: Any) -> Message:
        """Sends a face. `more` as in `send`."""
        return await self.send("Face", to, {"index": index, "data": data}, group=group, **more)

    @property
    def warnings(self) -> list[Any]:
        """What the SDK threw where nobody caught it: `{kind, code, message, stack}` each."""
        return [event.data for event in self.events if event.name == "driverWarning"]

    def messages(self) -> list[Message]:
        """Every message raised by MESSAGE_RECEIVED so far, oldest first."""
        return [message for event in self.events if event.name == "onMessageReceived" for message in event.data]

    async def expect(
        self,
        event_name: str,
        where: Callable[[Any], object] = lambda data: True,
        timeout: float = 10.0,
    ) -> Event:
        """Consumes the first event of this name, not consumed before, whose data satisfies `where`; waits for it."""

        def found() -> Event | None:
            for index, event in enumerate(self._open):
                if event.name == event_name and where(event.data):
                    return self._open.pop(index)
            return None

        return await self._wait(found, event_name, timeout)

    async def expect_message(
        self,
        where: Callable[[Message], object] = lambda message: True,
        *,
        text: str | None = None,
        timeout: float = 10.0,
    ) -> Message:
        """Consumes the first received message, not consumed before, that satisfies `where` (and has this `text`)."""

        def found() -> Message | None:
            for index, message in enumerate(self._open_messages):
                # An element of an unknown kind leaves a message without type and payload.
                said = message.get("payload", {}).get("text")
                if (text is None or said == text) and where(message):
                    return self._open_messages.pop(index)
            return None

        return await self._wait(found, "a message" if text is None else f"the message {text!r}", timeout)

    async def cut(self, *, refuse: bool = False, at_once: bool = False) -> int:
        """Breaks the socket as a network failure would; with `refuse` none opens until `mend`. Says how many broke.

        The SDK takes a socket that lives less than a second for a server that turned it away, and does not come back
        by itself. So a younger socket is first given that second, unless `at_once` asks for just that.
        """
        count: int = await self.call("cut", {"refuse": refuse, "atOnce": at_once})
        return count

    async def mend(self) -> None:
        """Lets sockets open again after `cut(refuse=True)`."""
        await self.call("mend")

    async def probe(self, reachable: bool) -> None:
        """What the SDK's HTTP probe hears when it asks whether there is an internet at all."""
        await self.call("probe", reachable)

    async def offline(self, on: bool = True) -> None:
        """No network at all: sockets broken and refused, the probe unheard. `offline(False)` ends it."""
        await self.call("offline", on)

    async def wire(self, *, last: int | None = None, peek: bool = False) -> list[Frame]:
        """What passed over the seat's sockets since the last call, oldest first; `peek` leaves it for the next call."""
        request = {"peek": peek} if last is None else {"peek": peek, "last": last}
        seen: list[Frame] = await self.call("wire", request)
        return seen

    def take(self, event: Event) -> None:
        """Called by the reader for each event of this seat."""
        self.events.append(event)
        self._open.append(event)
        if event.name == "onMessageReceived":
            self._open_messages.extend(event.data)
        if event.name in ("sdkStateReady", "sdkStateNotReady"):
            self.is_ready = event.name == "sdkStateReady"
        self.wake()

    def wake(self) -> None:
        """Lets those who wait look again."""
        self._news.set()

    async def _wait(self, found: Callable[[], T | None], what: str, timeout: float) -> T:
        deadline = time.monotonic() + timeout
        while (result := found()) is None:
            self._link.check_alive()
            self._news.clear()
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    await self._news.wait()
            except TimeoutError:
                raise AssertionError(await self._failure(what, timeout)) from None
        return result

    async def _failure(self, what: str, timeout: float) -> str:
        lines = [f"{self!r}: {what} did not come within {timeout:g} s. Not consumed:"]
        lines += [f"  {event.name} {json.dumps(event.data, ensure_ascii=False)[:1000]}" for event in self._open[-20:]]
        lines.append("The last frames:")
        with contextlib.suppress(SdkError, DriverError):
            seen = await self.wire(last=15, peek=True)
            lines += [f"  {frame['dir']:7} #{frame['socket']} {frame['data'][:300]}" for frame in seen]
        return "\n".join([*lines, self._link.stderr_text()])
