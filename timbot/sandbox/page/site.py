"""The chat page over HTTP: its files, signatures for its users, and the feed.

The page is served to this machine only, and gives signatures only to itself: a page of another port, which may talk to the
server as any client may, has to bring its own.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from timbot.sandbox.page.feed import Feed, FeedWatcher
from timbot.sandbox.page.page import Page
from timbot.sandbox.page.watch import watch

ASSETS: Final = Path(__file__).with_name("assets")

SIGNATURE_LIFETIME: Final = 86_400
"""Seconds a signature of the page is good for; it fetches another one when it needs one."""

STREAM_TIME: Final = 20.0
"""Seconds until a feed stream ends and the browser asks for the next: less than the life of an HTTP connection here."""

LARGEST_LOGIN: Final = 1024

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}

_SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Connection": "close",  # an HTTP connection lives for a while only, and a feed stream wants a whole one
}


@dataclass(frozen=True, slots=True)
class _Asset:
    """A file of the page: as it is and packed, its media type, and the tag that names its state."""

    body: bytes
    packed: bytes
    kind: str
    tag: str


class Site:
    """The routes of a `Page`."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._feed = page.feed or Feed()
        self._watching: asyncio.Task[None] | None = None
        self._streams: set[FeedWatcher] = set()
        self._assets = {name: _asset(file) for name, file in _files()}

    def start(self) -> None:
        """Begin. Without a feed of the runtime's, what the server sees of the bots is one."""
        if self._page.feed is None:
            self._watching = asyncio.create_task(watch(self._page.sandbox, self._page.bots, self._feed), name="page watch")

    async def stop(self) -> None:
        """End the streams; the server waits for them."""
        for stream in tuple(self._streams):
            stream.close()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})

    def routes(self) -> list[Route]:
        """What is served."""
        return [
            Route("/", self._index),
            Route("/page/setup", self._setup),
            Route("/page/login", self._login, methods=["POST"]),
            Route("/page/feed", self._follow),
            Route("/page/assets/{name:path}", self._asset),
        ]

    async def _index(self, request: Request) -> Response:
        return self._serve(request, "index.html", {"Content-Security-Policy": _policy(request)})

    async def _asset(self, request: Request) -> Response:
        return self._serve(request, request.path_params["name"], {"Content-Security-Policy": "default-src 'none'"})

    def _serve(self, request: Request, name: str, headers: dict[str, str]) -> Response:
        found = self._assets.get(name)
        if found is None:
            return PlainTextResponse("There is no such file.", 404, headers=_SAFE)
        headers = {**_SAFE, **headers, "Cache-Control": "no-cache", "ETag": found.tag, "Vary": "Accept-Encoding"}
        if request.headers.get("if-none-match") == found.tag:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(found.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=found.kind)
        return Response(found.body, headers=headers, media_type=found.kind)

    async def _setup(self, _request: Request) -> Response:
        """What the page has to know before anybody logs in."""
        page = self._page
        about = {
            "sdkAppId": page.sandbox.sdk_app_id,
            "users": list(page.users),
            "bots": list(page.bots),
            "group": page.group,
            "botIsHere": page.feed is not None,
        }
        return _json(about)

    async def _login(self, request: Request) -> Response:
        """A signature for one of the page's users."""
        if not _own(request, required=True):
            return _no(403, "Only the chat page itself may ask for a signature.")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return _no(415, "The request has to be JSON.")
        user = await _user(request)
        if user not in self._page.users:
            return _no(404, "The page signs for its own users only: " + (", ".join(self._page.users) or "there are none") + ".")
        sig = self._page.sandbox.usersig(user, lifetime=SIGNATURE_LIFETIME)
        return _json({"user": user, "userSig": sig})

    async def _follow(self, request: Request) -> Response:
        """The feed as Server-Sent Events; `Last-Event-ID` says what was seen before."""
        if not _own(request, required=False):
            return _no(403, "Only the chat page itself may follow the feed.")
        seen = request.headers.get("last-event-id", "")
        watcher = self._feed.watch(int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 16 else 0)
        if watcher is None:
            return _no(503, "Too many pages follow the feed.")
        headers = {**_SAFE, "Cache-Control": "no-store"}
        return StreamingResponse(self._stream(watcher), headers=headers, media_type="text/event-stream")

    async def _stream(self, watcher: FeedWatcher) -> AsyncIterator[str]:
        ends = asyncio.get_running_loop().call_later(STREAM_TIME, watcher.close)
        self._streams.add(watcher)
        try:
            with watcher:
                yield "retry: 1000\n\n"
                while found := await watcher.take():
                    yield "".join(f"id: {number}\ndata: {_dump(asdict(entry))}\n\n" for number, entry in found)
        finally:
            ends.cancel()
            self._streams.discard(watcher)


def _files() -> list[tuple[str, Path]]:
    return [(str(path.relative_to(ASSETS).as_posix()), path) for path in sorted(ASSETS.rglob("*")) if path.suffix in _TYPES]


def _asset(path: Path) -> _Asset:
    body = path.read_bytes()
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    return _Asset(body, gzip.compress(body, mtime=0), _TYPES[path.suffix], tag)


def _policy(request: Request) -> str:
    """What the page may do: run and show its own files, and talk to this server. The host was checked at the door."""
    scheme = "wss" if request.url.scheme == "https" else "ws"
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' blob:",
            f"connect-src 'self' {scheme}://{request.headers['host']}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def _own(request: Request, *, required: bool) -> bool:
    """Whether this comes from the page itself: same scheme, host and port. `required`: whether it has to say so at all."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site != "same-origin":
        return False
    if origin is None:
        return site is not None or not required
    return origin.lower() == f"{request.url.scheme}://{request.headers['host']}".lower()


async def _user(request: Request) -> str:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_LOGIN:
            return ""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    user = asked.get("user") if isinstance(asked, dict) else None
    return user if isinstance(user, str) else ""


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))  # line ends within are escaped too


def _json(value: Any) -> Response:
    return JSONResponse(value, headers={**_SAFE, "Cache-Control": "no-store"})


def _no(status: int, reason: str) -> Response:
    return JSONResponse({"error": reason}, status, headers={**_SAFE, "Cache-Control": "no-store"})
