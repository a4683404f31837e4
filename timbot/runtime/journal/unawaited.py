"""Commits whose end nobody waits for."""

from __future__ import annotations

import asyncio


def unawaited(future: asyncio.Future[list[int]]) -> asyncio.Future[list[int]]:
    """The same future, whose failure may go unheard: a journal that fails stops the bot by itself."""
    future.add_done_callback(_heard)
    return future


def _heard(future: asyncio.Future[list[int]]) -> None:
    if not future.cancelled():
        future.exception()
