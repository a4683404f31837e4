"""A server that says just enough for the SDK to log in, so that the harness can be tested without timbot's sandbox.

It knows no users, keeps no state and shares no code with timbot: each command has one canned answer, which a test
may replace, and every frame that came in is kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

Body = dict[str, Any]
Frame = dict[str, Any]


def wslogin(frame: Frame) -> Body:
    """A ticket that names its user, so that a test can tell sockets apart by `a2` alone."""
    head = frame["head"]
    user = head.get("identifier") or head["a2"].removeprefix("a2-")
    return {"A2Key": f"a2-{user}", "TinyId": "144115", "InstId": 7, "HelloInterval": 120, "TimeStamp": int(time.time())}


def fetch_config(frame: Frame) -> Body:
    return {"int32_error_code": 0, "str_json_config": "{}", "uint32_expired_time": 3600, "uint64_version": 1}


ANSWERS: dict[str, Callable[[Frame], Body | None]] = {
    "im_open_status.wslogin": wslogin,
    "im_open_status.wslogout": lambda frame: {},
    "heartbeat.alive": lambda frame: {},
    "profile.portrait_get_all": lambda frame: {"UserProfileItem": []},
    "sns.black_list_get": lambda frame: {"BlackListItem": [], "StartIndex": 0, "CurruentSequence": 1},
    "recentcontact.page_get": lambda frame: {"SessionItem": [], "CompleteFlag": 1},
    "group_open_http_svc.get_joined_group_list": lambda frame: {"TotalCount": 0, "GroupIdList": []},
    "openim.authkey": lambda frame: {"AuthKey": "0", "ExpireTime": "86400"},
    "openim.getmsg": lambda frame: {"Cookie": "cookie", "SyncFlag": 2, "MsgList": []},
    "openim.get_peer_read_time": lambda frame: {"ReadTime": [0 for _ in frame["body"]["To_Account"]]},
    "openim.sendmsg": lambda frame: {"MsgTime": int(time.time())},
    "openim.ws_msg_push_ack": lambda frame: None,
    "sns.friend_get": lambda frame: {"UserDataItem": [], "FriendNum": 0, "NextStartIndex": 0, "CompleteFlag": 1},
    "sns.group_get": lambda frame: {"ResultItem": [], "CurrentSequence": 1},
    "sns.pendency_get": lambda frame: {"PendencyItem": [], "UnreadPendencyCount": 0, "StartTime": 0},
    "im_sdk_config_mgr.fetch_config": fetch_config,
    "im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2": lambda frame: {
        "int32_error_code": 0,
        "str_purchase_bits": "0",
        "uint32_expired_time": 3600,
    },
    "imopenstat.tim_web_report_v2": lambda frame: {},
}


class Scripted:
    """The server. `answers` may be changed by the test; a None answer stays out."""

    def __init__(self) -> None:
        self.answers = dict(ANSWERS)
        self.port = 0
        self.paths: list[str] = []
        self.frames: list[Frame] = []
        self._connections: dict[str, ServerConnection] = {}
        self._news = asyncio.Event()
        self._numbers = itertools.count(1)

    @classmethod
    @contextlib.asynccontextmanager
    async def start(cls) -> AsyncIterator[Self]:
        """Listens on a free port of the loopback."""
        scripted = cls()
        async with serve(scripted._serve, "127.0.0.1", 0) as server:
            scripted.port = _port(server)
            yield scripted

    def refuse(self, servcmd: str, code: int, info: str = "") -> None:
        """From now on this command fails."""
        self.answers[servcmd] = lambda frame: {"ErrorCode": code, "ErrorInfo": info, "ActionStatus": "FAIL"}

    def seen(self, servcmd: str) -> list[Frame]:
        """The frames of this command that came in so far."""
        return [frame for frame in self.frames if frame["head"]["servcmd"] == servcmd]

    async def frame(self, servcmd: str, nth: int = 0) -> Frame:
        """The nth frame of this command; waits for it."""
        async with asyncio.timeout(10):
            while len(found := self.seen(servcmd)) <= nth:
                self._news.clear()
                await self._news.wait()
        return found[nth]

    async def push(self, user: str, item: dict[str, Any], servcmd: str = "im_open_push.msg_push") -> None:
        """One event, to the user's newest socket."""
        number = next(self._numbers)
        body = {"EventArray": [item], "NeedAck": 1, "SessionData": f"session-{number}"}
        await self._send(self._connections[user], {"head": {"servcmd": servcmd, "seq": number}, "body": body})

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.paths.append(connection.request.path)
        with contextlib.suppress(ConnectionClosed):
            async for raw in connection:
                await self._answer(connection, json.loads(raw))

    async def _answer(self, connection: ServerConnection, frame: Frame) -> None:
        head = frame["head"]
        self.frames.append(frame)
        self._news.set()
        unknown: Callable[[Frame], Body | None] = lambda frame: {"ErrorCode": 10003, "ErrorInfo": "unknown"}  # noqa: E731
        body = self.answers.get(head["servcmd"], unknown)(frame)
        if body is None:
            return
        if head["servcmd"] == "im_open_status.wslogin" and "A2Key" in body:
            self._connections[body["A2Key"].removeprefix("a2-")] = connection
        answer = {"head": {"servcmd": head["servcmd"], "seq": head["seq"]}, "body": {"ErrorCode": 0, **body}}
        await self._send(connection, answer)

    async def _send(self, connection: ServerConnection, frame: Frame) -> None:
        # The newer dialect sends and wants the same JSON as bytes, on another path.
        assert connection.request is not None
        text = json.dumps(frame)
        await connection.send(text.encode() if connection.request.path.startswith("/binfo") else text)


def _port(server: Server) -> int:
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port
