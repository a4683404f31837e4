# mypy: disable-error-code="import-not-found,untyped-decorator,misc"
"""aiogram: `Dispatcher.start_polling`, with a session of our own in place of aiohttp's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any, Final

from aiogram import Bot, Dispatcher, F
from aiogram.client.session.base import BaseSession
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.memory import SimpleEventIsolation
from aiogram.types import Message

from benchmarks.peers.far_end import FarEnd
from benchmarks.peers.peer_telegram import Wire, answer

ISOLATED: Final = "SimpleEventIsolation, tasks_concurrency_limit=256"


class Session(BaseSession):
    """Telegram's server behind the framework's own parsing of answers."""

    def __init__(self, far: FarEnd) -> None:
        super().__init__()
        self._far = far
        self._wire = Wire(far)

    async def close(self) -> None:
        """Nothing to close."""

    async def make_request(self, bot: Bot, method: Any, timeout: int | None = None) -> Any:
        """Answer one request."""
        result = await answer(self._far, method.__api_method__, method.model_dump(warnings=False), self._wire)
        content = json.dumps({"ok": True, "result": result})
        return self.check_response(bot=bot, method=method, status_code=200, content=content).result

    async def stream_content(self, *_: Any, **__: Any) -> AsyncGenerator[bytes, None]:
        """No files here."""
        yield b""


class Form(StatesGroup):
    """The two questions."""

    name = State()
    age = State()


def run(far: FarEnd, config: str) -> None:
    """Run the bot until it is stopped."""
    dispatcher = Dispatcher(events_isolation=SimpleEventIsolation()) if config == ISOLATED else Dispatcher()

    @dispatcher.message(Command("start"))
    async def start(message: Message, state: FSMContext) -> None:
        await state.set_state(Form.name)
        await message.answer("name?")

    @dispatcher.message(Form.name)
    async def name(message: Message, state: FSMContext) -> None:
        await far.save()
        await state.update_data(name=message.text)
        await state.set_state(Form.age)
        await message.answer("age?")

    @dispatcher.message(Form.age)
    async def age(message: Message, state: FSMContext) -> None:
        data = await state.get_data()
        await state.clear()
        await message.answer(f"{data['name']}, {message.text}")

    @dispatcher.message(F.text.startswith("work "))
    async def work(message: Message) -> None:
        await message.answer(await far.work(message.from_user.id, message.text))

    options: dict[str, Any] = {"handle_as_tasks": False} if config == "handle_as_tasks=False" else {}
    if config == ISOLATED:
        options["tasks_concurrency_limit"] = 256

    async def main() -> None:
        await dispatcher.start_polling(Bot("1:token", session=Session(far)), **options)

    asyncio.run(main())
