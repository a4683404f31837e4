"""What stands behind `*` is given by type; what cannot be is a mistake with a place and a cure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from timbot import Client, Context, Plugin, Sender, Text
from timbot.errors import PluginError
from timbot.routing.injection import given

if TYPE_CHECKING:
    from decimal import Decimal


@dataclass(frozen=True)
class Settings:
    limit: int = 3


THINGS: dict[type, object] = {Settings: Settings(5), Sender: "the sender", Client: "the client"}


async def nothing(ctx: Context[Text]) -> None: ...


async def several(ctx: Context[Text], *, cfg: Settings, out: Sender) -> None: ...


async def with_default(ctx: Context[Text], *, cfg: Settings = Settings(7), other: int = 1) -> None: ...


async def plain_default(ctx: Context[Text], *, other=1) -> None: ...  # type: ignore[no-untyped-def]


async def unknown(ctx: Context[Text], *, number: int) -> None: ...


async def without_type(ctx: Context[Text], *, out) -> None: ...  # type: ignore[no-untyped-def]


async def hidden(ctx: Context[Text], *, amount: Decimal) -> None: ...


async def union(ctx: Context[Text], *, out: Sender | None) -> None: ...


@pytest.mark.parametrize(
    ("handler", "arguments"),
    [
        (nothing, {}),
        (several, {"cfg": Settings(5), "out": "the sender"}),
        (with_default, {"cfg": Settings(5)}),
        (plain_default, {}),
    ],
)
def test_what_is_given(handler: object, arguments: dict[str, object]) -> None:
    assert given(handler, "f.py:1", "p", THINGS) == arguments  # type: ignore[arg-type]  # any function


@pytest.mark.parametrize(
    ("handler", "problem", "cure"),
    [
        (unknown, "there is nothing of type int for 'number'", "There is: Client, Sender, Settings."),
        (without_type, "'out' has no type", "Write one behind it: 'out: Sender'. There is: Client, Sender, Settings."),
        (hidden, "the type 'Decimal' is not there when the plugin runs", "Import it at the top"),
        (union, "there is nothing of type timbot.runtime.sender.Sender | None for 'out'", "There is: Client"),
    ],
)
def test_what_cannot_be_given(handler: object, problem: str, cure: str) -> None:
    with pytest.raises(PluginError) as caught:
        given(handler, "f.py:1", "p", THINGS)  # type: ignore[arg-type]  # any function
    assert caught.value.message.startswith("f.py:1: handler '")
    assert problem in caught.value.message
    assert cure in caught.value.hint


def test_the_type_of_settings_is_a_class() -> None:
    with pytest.raises(PluginError, match="config is a type, not Settings"):
        Plugin("p", config=Settings())  # type: ignore[arg-type]  # the mistake
