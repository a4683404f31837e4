"""The official SDK with the vendor's own upload plugin, both unmodified and in a real browser, sends a picture.

A developer's page on another port of this machine runs them. Only where the SDK connects to is changed, from outside: its
host is fixed, so the page's WebSocket leads here.
"""

from __future__ import annotations

import base64
import os
import shutil
import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, Route, async_playwright

from timbot.im.wire.elements import ImageElem, open_element
from timbot.sandbox import Sandbox
from timbot.sandbox.asgi import SandboxServer
from timbot.sandbox.front.render import elements
from timbot.sandbox.keys import DEMO

pytestmark = pytest.mark.judge

MODULES = Path(__file__).parent / "node_modules"
ORIGIN = "http://localhost:3999"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

ARGUMENTS = ("--no-sandbox", "--disable-features=LocalNetworkAccessChecks")
"""The page is made up by the test and has no address; Chromium would take it for one of the internet."""

START = """async ([endpoint, sdkAppId, user, sig]) => {
    const Real = WebSocket
    window.WebSocket = class extends Real {
        constructor(url) {
            const wanted = new URL(url)
            super(endpoint + wanted.pathname + wanted.search)
        }
    }
    const tim = window.tim = TIM.create({SDKAppID: sdkAppId})
    tim.setLogLevel(4)
    tim.registerPlugin({'tim-upload-plugin': TIMUploadPlugin})
    const ready = new Promise((resolve) => tim.on(TIM.EVENT.SDK_READY, resolve))
    await tim.login({userID: user, userSig: sig})
    await ready
}"""

SEND = """async ([to, name, type, bytes]) => {
    const picture = new File([Uint8Array.from(atob(bytes), (sign) => sign.charCodeAt(0))], name, {type})
    const message = tim.createImageMessage({to, conversationType: TIM.TYPES.CONV_C2C, payload: {file: picture}})
    try {
        await tim.sendMessage(message)
        return ''
    } catch (error) {
        return `${error.code}: ${error.message}`
    }
}"""


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(width + 1) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


async def serve_page(route: Route) -> None:
    """The developer's page; everything else it asks for at its own origin is not there."""
    scripts = {"/tim.js": "tim-js-sdk/tim-js.js", "/upload.js": "tim-upload-plugin/index.js"}
    path = urlsplit(route.request.url).path
    if path == "/":
        tags = "".join(f"<script src={script}></script>" for script in scripts)
        await route.fulfill(body=f"<!doctype html><meta charset=utf-8>{tags}", content_type="text/html")
    elif path in scripts:
        await route.fulfill(path=MODULES / scripts[path], content_type="text/javascript")
    else:
        await route.fulfill(status=404)


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    path = os.environ.get("TIMBOT_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("there is no Chromium here: see tools/setup")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        page = await browser.new_page()
        await page.route(lambda url: not url.startswith("http://127.0.0.1:"), lambda route: route.abort())
        await page.route(f"{ORIGIN}/**", serve_page)
        await page.goto(f"{ORIGIN}/")
        yield page
        await browser.close()


@pytest.fixture
async def town() -> AsyncIterator[tuple[Sandbox, SandboxServer]]:
    sandbox = Sandbox(DEMO.text, users=("alice", "bob"))
    server = SandboxServer(sandbox.serve, port=0, files=sandbox.files)
    await server.start()
    yield sandbox, server
    await sandbox.stop()
    await server.stop()


async def test_a_picture_is_uploaded_and_its_message_says_where_it_is(page: Page, town: tuple[Sandbox, SandboxServer]) -> None:
    sandbox, server = town
    content = png(300, 200)
    await page.evaluate(START, [server.url, sandbox.sdk_app_id, "alice", sandbox.usersig("alice")])
    sent = await page.evaluate(SEND, ["bob", "a.png", "image/png", base64.b64encode(content).decode()])
    assert sent == ""
    (message,) = sandbox.domain.chats.history("bob", "alice", 10).messages
    (element,) = elements(message.body)
    image = open_element(element)
    assert isinstance(image, ImageElem)
    addresses = [urlsplit(str(info.url)) for info in image.image_info_array]
    # 2.14.0 makes https of every address, which nothing here answers: the path is what tells.
    assert {address.scheme for address in addresses} == {"https"}
    assert len(addresses) == 3
    stored = sandbox.files.find(addresses[0].path.removeprefix("/files/"))
    assert stored is not None
    assert stored.path.read_bytes() == content
    # For the same reason the SDK cannot measure it and says 0 by 0; the server, which has it, puts that right.
    assert {(info.width, info.height) for info in image.image_info_array} == {(300, 200)}
    assert image.image_info_array[0].size == len(content)


async def test_what_is_no_picture_is_refused_by_the_server(page: Page, town: tuple[Sandbox, SandboxServer]) -> None:
    sandbox, server = town
    await page.evaluate(START, [server.url, sandbox.sdk_app_id, "alice", sandbox.usersig("alice")])
    sent = await page.evaluate(SEND, ["bob", "a.png", "image/png", base64.b64encode(b"<svg/>").decode()])
    assert sent != ""
    assert sandbox.domain.chats.history("bob", "alice", 10).messages == ()
