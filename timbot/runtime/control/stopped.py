"""The same commands for a bot that does not run: on its journals, under the lock of its state folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from timbot.runtime.control.commands import Commands, StoppedDesk
from timbot.runtime.control.protocol import ControlError
from timbot.runtime.control.registry import Registry
from timbot.runtime.journal.sqlite import SqliteJournal, accounts
from timbot.store import Database, StoreInUse
from timbot.store.folder import FILE_NAME


@asynccontextmanager
async def commands(folder: Path) -> AsyncIterator[Registry]:
    """The commands on what a stopped bot has left in its state folder. Nobody can start it meanwhile.

    Raises `ControlError` where nothing is there or a bot is there that could not be reached, `StoreError` where the file
    cannot be used.
    """
    if not (folder / FILE_NAME).is_file():
        raise ControlError(
            f"There is no bot's state in {folder}.", hint="Name the configuration (--config) or the folder (--state)."
        )
    try:
        database = await Database.open(folder)
    except StoreInUse as error:
        raise ControlError(
            f"{error.message} It cannot be reached: it has no control socket.",
            hint="Stop it first, then give the command again, and start it. (Its log says why it has none.)",
        ) from None
    async with database:
        desks = [StoppedDesk(key, SqliteJournal(database, key)) for key in await accounts(database)]
        registry = Registry()
        Commands(lambda: desks).register(registry)
        yield registry
