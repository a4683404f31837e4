# mypy: disable-error-code="import-not-found,untyped-decorator,misc"
"""python-telegram-bot: `Application.run_polling`, with a request class of our own in place of httpx."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from typing import Any, Final

from telegram import Update
from telegram.ext import (
    Application,
    BaseUpdateProcessor,
    CommandHandler,
    ContextTypes,
    ConversationHandler,
    MessageHandler,
    filters,
)
from telegram.request import BaseRequest

from benchmarks.peers.far_end import CHUNK, FarEnd, Said

NAME, AGE = range(2)
BOT: Final = {"id": 1, "is_bot": True, "first_name": "bot", "username": "the_bot"}


class Wire(BaseRequest):
    """Telegram's server, for one bot. A poll acknowledges what came before its offset."""

    def __init__(self, far: FarEnd) -> None:
        self._far = far
        self._taken: list[int] = []

    @property
    def read_timeout(self) -> float:
        """Asked for by the framework to size its long polls."""
        return 5.0

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def do_request(self, url: str, method: str, request_data: Any = None, *_: Any, **__: Any) -> tuple[int, bytes]:
        """Answer one request."""
        values = dict(request_data.parameters) if request_data else {}
        result = await answer(self._far, url.rsplit("/", 1)[1], values, self)
        return 200, json.dumps({"ok": True, "result": result}).encode()

    async def poll(self, offset: int, timeout: float) -> list[dict[str, Any]]:
        """getUpdates, also for the other framework of this platform."""
        if self._far.owed_since is not None:
            self._far.waited(time.monotonic() - self._far.owed_since)
            self._far.owed_since = None
        for number in self._taken:
            if number < offset:
                self._far.acknowledge(number)
        self._taken = [number for number in self._taken if number >= offset]
        self._far.connected()
        taken = await self._far.take(CHUNK, timeout) if timeout else []
        self._taken += [said.number for said in taken]
        self._far.owed_since = time.monotonic()
        return [update(said) for said in taken]


async def answer(far: FarEnd, method: str, values: dict[str, Any], wire: Wire) -> Any:
    """The result of one method of the Bot API."""
    match method:
        case "getUpdates":
            timeout = values.get("timeout") or 0
            seconds = timeout.total_seconds() if hasattr(timeout, "total_seconds") else float(timeout)
            return await wire.poll(int(values.get("offset") or 0), seconds)
        case "sendMessage":
            await far.receive(int(values["chat_id"]), values["text"])
            return {
                "message_id": 1,
                "date": 1,
                "chat": {"id": int(values["chat_id"]), "type": "private"},
                "text": values["text"],
            }
        case "getMe":
            return BOT
        case _:
            return True


def update(said: Said) -> dict[str, Any]:
    """An update as Telegram sends it."""
    text = "/start" if said.text == "start" else said.text
    message: dict[str, Any] = {
        "message_id": said.number,
        "date": 1,
        "chat": {"id": said.user, "type": "private", "first_name": "u"},
        "from": {"id": said.user, "is_bot": False, "first_name": "u"},
        "text": text,
    }
    if text.startswith("/"):
        message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text)}]
    return {"update_id": said.number, "message": message}


class OneByOneInAChat(BaseUpdateProcessor):
    """The tailor-made processor of the documentation's page about concurrency: here, a lock for each chat."""

    def __init__(self) -> None:
        super().__init__(256)
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def do_process_update(self, update: object, coroutine: Any) -> None:
        """Run the handlers of one update."""
        chat = update.effective_chat.id if isinstance(update, Update) else 0
        async with self._locks[chat]:
            await coroutine

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""


def run(far: FarEnd, config: str) -> None:
    """Run the bot until it is stopped."""

    async def start(update: Update, _: ContextTypes.DEFAULT_TYPE) -> int:
        await update.message.reply_text("name?")
        return NAME

    async def name(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
        context.user_data["name"] = update.message.text
        await far.save()
        await update.message.reply_text("age?")
        return AGE

    async def age(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
        await update.message.reply_text(f"{context.user_data['name']}, {update.message.text}")
        return ConversationHandler.END  # type: ignore[no-any-return]

    async def work(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        await update.message.reply_text(await far.work(update.effective_user.id, update.message.text))

    builder = Application.builder().token("1:token").request(Wire(far)).get_updates_request(Wire(far))
    if config == "concurrent_updates":
        builder = builder.concurrent_updates(True)
    elif config == "lock per chat":
        builder = builder.concurrent_updates(OneByOneInAChat())
    app = builder.build()
    states = {NAME: [MessageHandler(filters.TEXT, name)], AGE: [MessageHandler(filters.TEXT, age)]}
    app.add_handler(ConversationHandler([CommandHandler("start", start)], states, []))
    app.add_handler(MessageHandler(filters.Regex("^work "), work))
    app.run_polling()
