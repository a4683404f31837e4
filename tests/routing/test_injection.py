"""What stands behind `*` is given by type; what cannot be is a mistake with a place and a cure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from timbot import Client, Context, Custom, FriendRequest, Plugin, Sender, Text
from timbot.errors import PluginError
from timbot.routing.injection import check_event, given
from timbot.runtime.context import BaseContext

P = TypeVar("P")

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
        (union, "there is nothing of type Sender | None for 'out'", "There is: Client"),
    ],
)
def test_what_cannot_be_given(handler: object, problem: str, cure: str) -> None:
    with pytest.raises(PluginError) as caught:
        given(handler, "f.py:1", "p", THINGS)  # type: ignore[arg-type]  # any function
    assert caught.value.message.startswith("f.py:1: handler '")
    assert problem in caught.value.message
    assert cure in caught.value.hint


async def only_for_checkers(ctx: Decimal, *, out: Sender) -> Decimal: ...  # type: ignore[empty-body]  # never runs


async def misspelt(ctx: Context[Text], *, out: "Sender.Nothing") -> None: ...  # type: ignore[name-defined]  # noqa: UP037


async def no_type(ctx: Context[Text], *, out: "Sender[") -> None: ...  # type: ignore[valid-type]  # noqa: F722


def test_what_else_the_signature_says_does_not_matter() -> None:
    assert given(only_for_checkers, "f.py:1", "p", THINGS) == {"out": "the sender"}


@pytest.mark.parametrize("handler", [misspelt, no_type])
def test_a_type_that_cannot_be_told(handler: object) -> None:
    with pytest.raises(PluginError, match=r"f.py:1: handler '.*' of plugin p: the type of 'out' cannot be told"):
        given(handler, "f.py:1", "p", THINGS)  # type: ignore[arg-type]  # any function


# The event


async def of_text(ctx: Context[Text]) -> None: ...


async def of_custom(ctx: Context[Custom]) -> None: ...


async def of_either(ctx: Context[Text | Custom]) -> None: ...


async def of_some(ctx: Context[P]) -> None: ...


async def of_what(ctx) -> None: ...  # type: ignore[no-untyped-def]


async def of_base(ctx: BaseContext) -> None: ...


async def of_union(ctx: Context[Text] | FriendRequest) -> None: ...


async def of_any(ctx: Any) -> None: ...


async def of_all(*rest: Context[Text]) -> None: ...


async def of_friend(ctx: FriendRequest) -> None: ...


@pytest.mark.parametrize(
    ("handler", "kind", "payload", "told"),
    [
        *(
            (handler, Context, Text, "")
            for handler in (of_text, of_either, of_some, of_what, of_base, of_union, of_any, of_all)
        ),
        (only_for_checkers, Context, Text, ""),
        (of_custom, Context, Custom, ""),
        (of_custom, Context, None, ""),
        (of_base, FriendRequest, None, ""),
        (of_custom, Context, Text, "'ctx' is no Context[Custom] here. Write 'ctx: Context[Text]'."),
        (of_text, Context, Custom, "'ctx' is no Context[Text] here. Write 'ctx: Context[Custom]'."),
        (of_friend, Context, Text, "'ctx' is no FriendRequest here. Write 'ctx: Context[Text]'."),
        (of_text, FriendRequest, None, "'ctx' is no Context[Text] here. Write 'ctx: FriendRequest'."),
        (of_all, FriendRequest, None, "'rest' is no Context[Text] here. Write 'rest: FriendRequest'."),
    ],
)
def test_what_an_event_is_said_to_be(handler: object, kind: type, payload: type | None, told: str) -> None:
    def check() -> None:
        check_event(handler, "f.py:1", "p", kind, payload)  # type: ignore[arg-type]  # any function

    if not told:
        check()
        return
    with pytest.raises(PluginError) as caught:
        check()
    assert str(caught.value) == f"f.py:1: handler '{handler.__qualname__}' of plugin p: {told}"  # type: ignore[attr-defined]


def test_the_type_of_settings_is_a_class() -> None:
    with pytest.raises(PluginError, match="config is a type, not Settings"):
        Plugin("p", config=Settings())  # type: ignore[arg-type]  # the mistake


class Settngs: ...


async def called_out(ctx: Context[Text], *, out: int) -> None: ...


async def misspelt_settings(ctx: Context[Text], *, limits: Settngs) -> None: ...


async def without_type_but_customary(ctx: Context[Text], *, cfg) -> None: ...  # type: ignore[no-untyped-def]


async def without_type_like_one(ctx: Context[Text], *, client) -> None: ...  # type: ignore[no-untyped-def]


@pytest.mark.parametrize(
    ("handler", "cure"),
    [
        (called_out, "Did you mean 'out: Sender'? There is: "),
        (misspelt_settings, "Did you mean 'limits: Settings'? There is: "),
        (without_type_but_customary, "Write one behind it: 'cfg: Settings'."),
        (without_type_like_one, "Write one behind it: 'client: Client'."),
    ],
)
def test_what_was_meant_is_guessed_by_the_names(handler: Any, cure: str) -> None:
    with pytest.raises(PluginError) as caught:
        given(handler, "f.py:1", "p", THINGS)
    assert caught.value.hint.startswith(cure)
