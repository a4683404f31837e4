"""A town for the chat page's tests: a server with a real bot in a thread of its own, and a browser's tabs.

The tests are plain functions, since Playwright's plain interface wants no running loop; what has to happen in the server's
loop goes through `Town.run`.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import runpy
import shutil
import struct
import threading
import zlib
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pytest

from timbot.im import credentials
from timbot.im.client import Account, Client
from timbot.im.endpoints import Endpoint
from timbot.im.wire.elements import Element, TextElem, seal_element
from timbot.im.wire.value import Raw
from timbot.routing.plugin import Plugin
from timbot.runtime import log as logging
from timbot.runtime.account import AccountRunner
from timbot.runtime.demo import PageObserver
from timbot.sandbox import Sandbox
from timbot.sandbox.asgi import SandboxServer
from timbot.sandbox.domain.group_rules import GroupType
from timbot.sandbox.domain.messages import GroupChanges
from timbot.sandbox.guard import Caps
from timbot.sandbox.keys import DEMO
from timbot.sandbox.page import Feed, Page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Dialog, Locator
    from playwright.sync_api import Page as BrowserPage

T = TypeVar("T")

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CURE = "install Chromium (Debian: apt-get install chromium fonts-noto-cjk fonts-noto-color-emoji), or name one: TIMBOT_CHROMIUM"


def chromium() -> str:
    """Where Chromium is. Without one the test is skipped, and fails where CI=true."""
    named = os.environ.get("TIMBOT_CHROMIUM")
    path = named or next(filter(None, map(shutil.which, NAMES)), None)
    if path and shutil.which(path):
        return path
    missing = f"{named} is no program" if named else "there is no Chromium here"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{missing}: {CURE}")
    pytest.skip(f"{missing}: {CURE}")


NO_WAITS: Final = Caps(least_time=0.0)
"""The page is no SDK, which takes a connection that was closed at once for a dead network: nothing has to wait for that."""

_ending: list[Town] = []


def all_ended() -> None:
    """Wait for the towns that were left."""
    while _ending:
        _ending.pop().ended()


class Town:
    """A sandbox with the users alice, bob and bot, the group lobby, and the bot of examples/hello.py unless told otherwise."""

    def __init__(self, *, bot: bool = True, port: int = 0, feed: Feed | None = None, **options: Any) -> None:
        self.feed = feed
        self._bot = bot
        self._options: dict[str, Any] = {"port": port, "caps": NO_WAITS, **options}
        self._failure: BaseException | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="town", daemon=True)

    def __enter__(self) -> Town:
        self._thread.start()
        try:
            self.run(self._open())
        except BaseException:
            self._end_thread()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Ends behind the back of the next test: a server that says goodbye mostly waits."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).add_done_callback(self._closed)
        _ending.append(self)

    def _closed(self, done: Future[None]) -> None:
        self._failure = done.exception()
        self._loop.call_soon_threadsafe(self._loop.stop)

    def ended(self) -> None:
        """Wait until it has; raises what went wrong with it."""
        self._thread.join(30)
        self._loop.close()  # fails while it runs
        if self._failure is not None:
            raise self._failure

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.port}"

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the server's loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def do(self, work: Callable[[], T]) -> T:
        """Call something in the server's loop, and hand out what it causes."""

        async def call() -> T:
            done = work()
            self.sandbox.flush()
            return done

        return self.run(call())

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what the server gives no word of."""

        async def wait() -> None:
            async with asyncio.timeout(10):
                while not condition():  # noqa: ASYNC110
                    await asyncio.sleep(0.005)

        self.run(wait())

    def restart(self) -> None:
        """Another server, with an empty memory, at the same address."""
        port = self.server.port
        self.run(self._close())
        self._options["port"] = port
        self.run(self._open())

    def stop(self) -> None:
        self._options["port"] = self.server.port
        self.run(self._close())

    def start(self) -> None:
        self.run(self._open())

    def say(self, sender: str, receiver: str, *elements: Element, number: int = 1) -> None:
        """A C2C message that takes no login."""
        self.do(
            lambda: self.sandbox.domain.chats.send(sender, receiver, list(elements), size=10, sequence=number, random=number)
        )

    def make_group(self, group: str, name: str, *members: str) -> None:
        """A group of the bot's that has members from the beginning."""
        groups = self.sandbox.domain.groups
        self.do(lambda: groups.create("bot", GroupType.PUBLIC, GroupChanges(name=name), group_id=group, members=members))

    def say_in(self, group: str, sender: str, *elements: Element, number: int = 1) -> None:
        messages = self.sandbox.domain.group_messages
        self.do(lambda: messages.send(sender, group, list(elements), size=10, random=number, client_sequence=number))

    def http(
        self, method: str, path: str, body: bytes | Iterable[bytes] | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    async def _open(self) -> None:
        self.sandbox = Sandbox(DEMO.text, users=("bot", "alice", "bob"))
        page = Page(self.sandbox, users=("alice", "bob"), bots=("bot",), group="lobby", feed=self.feed)
        self.server = SandboxServer(self.sandbox.serve, **{"page": page, **self._options})
        await self.server.start()
        self.runner: AccountRunner | None = None
        if self._bot:
            await self._start_bot()
        self.sandbox.domain.groups.create("bot", GroupType.PUBLIC, GroupChanges(name="Dice lobby"), group_id="lobby")
        self.sandbox.flush()

    async def _start_bot(self) -> None:
        source = credentials.from_secret_key(self.sandbox.sdk_app_id, DEMO.text)
        client = Client(Account(self.sandbox.sdk_app_id, "bot", source), endpoint=Endpoint("sandbox", (self.server.url,)))
        observers = [] if self.feed is None else [PageObserver(self.feed)]
        self.runner = AccountRunner(client, [_hello()], logging.get_log(), nick="Timbot", observers=observers)
        await self.runner.start()
        await self.runner.ready.wait()

    async def _close(self) -> None:
        if self.runner is not None:
            await self.runner.stop(1)
        await self.sandbox.stop()
        await self.server.stop()

    def _end_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


def _hello() -> Plugin:
    """The plugin of examples/hello.py."""
    found = runpy.run_path(str(EXAMPLES / "hello.py"))["bot"]
    assert isinstance(found, Plugin)
    return found


def words(text: str) -> Element:
    return seal_element(TextElem(text=text))


def element(kind: str, **content: Any) -> Element:
    return Element(msg_type=kind, msg_content=Raw(json.dumps(content).encode()))


def png(width: int = 3, height: int = 2) -> bytes:
    """A picture of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\x00" + b"\x30\x60\xc0" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class Tab:
    """A tab: a window of its own that shares nothing with others, and must say nothing bad in its console."""

    def __init__(self, browser: Browser, town: Town, **options: Any) -> None:
        self.town = town
        self.context: BrowserContext = browser.new_context(
            **{"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce", **options}
        )
        self.context.set_default_timeout(8000)
        self.page: BrowserPage = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda said: self._note(said.type, said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", self._dismiss)

    def enter(self, user: str) -> Tab:
        self.page.goto(f"http://{self.town.address}/#{user}")
        self.page.wait_for_selector(".sidebar")
        self.page.wait_for_selector(".app[aria-busy=false]")
        return self

    def resize(self, width: int) -> Tab:
        self.page.set_viewport_size({"width": width, "height": 700})
        return self

    def open(self, name: str) -> Tab:
        self.page.locator(".row", has_text=name).first.click()
        self.page.locator(".chat h2", has_text=name).wait_for()  # before that, what is typed belongs to the chat before
        return self

    def say(self, text: str) -> Tab:
        field = self.page.get_by_label("Message", exact=True)
        field.fill(text)
        field.press("Enter")
        return self

    def bubble(self, text: str, side: str = "theirs") -> Locator:
        found = self.page.locator(f".message.{side} .bubble", has_text=text).last
        found.wait_for()
        return found

    def find(self, selector: str, *, has_text: str | None = None) -> Locator:
        return self.page.locator(selector, has_text=has_text)

    def _dismiss(self, dialog: Dialog) -> None:
        self.complaints.append("a window opened")
        dialog.dismiss()

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)
