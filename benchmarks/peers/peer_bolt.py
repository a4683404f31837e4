# mypy: disable-error-code="import-not-found,untyped-decorator,misc"
"""Bolt for Python (async) in Socket Mode: `AsyncSocketModeHandler.start_async`, with a socket and Web API of our own."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from typing import Any

from benchmarks.peers.far_end import FarEnd, Said
from benchmarks.peers.http_stub import Socket, install


class Slack:
    """Slack's side: an envelope not acknowledged is delivered again."""

    def __init__(self, far: FarEnd) -> None:
        self._far = far
        self._handed: dict[int, float] = {}

    def connect(self) -> Socket:
        """A new connection."""
        socket = Socket(self._far, self._frame, self._told)
        socket.push(json.dumps({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A1"}, "debug_info": {}}))
        self._far.connected()
        return socket

    async def answer(self, verb: str, url: str, arguments: dict[str, Any]) -> Any:
        """A call of the Web API."""
        match url.rsplit("/", 1)[1]:
            case "apps.connections.open":
                return {"ok": True, "url": "wss://slack"}
            case "auth.test":
                return {"ok": True, "user_id": "UBOT", "bot_id": "BBOT", "team_id": "T1", "team": "t", "url": "https://t/"}
            case _:
                values: dict[str, Any] = arguments.get("json") or arguments.get("data") or arguments["params"]
                await self._far.receive(int(values["channel"][1:]), values["text"])
                return {"ok": True, "ts": "1.1", "channel": values["channel"]}

    def _frame(self, said: Said) -> str:
        self._handed[said.number] = time.monotonic()
        event = {
            "type": "message",
            "channel_type": "im",
            "user": f"U{said.user}",
            "channel": f"D{said.user}",
            "text": said.text,
            "ts": f"{said.number}.0",
        }
        payload = {"type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event_id": f"E{said.number}", "event": event}
        envelope = {
            "type": "events_api",
            "envelope_id": str(said.number),
            "payload": payload,
            "accepts_response_payload": False,
        }
        return json.dumps(envelope)

    def _told(self, data: str, _: Socket) -> None:
        number = int(json.loads(data)["envelope_id"])
        self._far.acknowledge(number)
        self._far.waited(time.monotonic() - self._handed.pop(number))


def run(far: FarEnd, config: str) -> None:
    """Run the bot until it is stopped."""
    slack = Slack(far)
    install(slack.answer, slack.connect)
    from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler  # after aiohttp's session is ours
    from slack_bolt.async_app import AsyncApp

    before = config != "default"
    app = AsyncApp(token="xoxb-token", process_before_response=before)
    names: dict[str, str | None] = {}

    @app.event("message")
    async def heard(event: dict[str, Any], say: Any) -> None:
        """The framework has no dialogues of messages; this is one by hand, a dictionary of who was asked what."""
        user, text = event["user"], event["text"]
        if text.startswith("work "):
            await say(await far.work(int(user[1:]), text))
        elif text == "start":
            await say("name?")
            names[user] = None
        elif user in names and names[user] is None:
            await far.save()
            names[user] = text
            await say("age?")
        elif user in names:
            await say(f"{names.pop(user)}, {text}")

    async def main() -> None:
        handler = AsyncSocketModeHandler(app, "xapp-token")
        if not before:
            await handler.start_async()
            return
        stopped = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
        await handler.connect_async()
        await stopped.wait()
        await handler.close_async()

    asyncio.run(main())
