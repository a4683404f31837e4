"""What a handler may return."""

from __future__ import annotations

import pytest

from timbot import Custom, Face, Image, Reply, Text
from timbot.im.model.payloads import Location
from timbot.routing.replies import Replies, WrongReply, payloads_of


def rendered(reply: Reply) -> str:
    return f"{reply.name} {dict(reply.values)}"


@pytest.mark.parametrize(
    ("reply", "payloads"),
    [
        (None, []),
        ("hello", [Text("hello")]),
        ("{{ 7 * 7 }} {nick}", [Text("{{ 7 * 7 }} {nick}")]),
        (" hello ", [Text(" hello ")]),
        ("", []),
        ("  \n", []),
        ([], []),
        (Text("x"), [Text("x")]),
        (Custom("dice"), [Custom("dice")]),
        (Face(3), [Face(3)]),
        (Location(1.0, 2.0), [Location(1.0, 2.0)]),
        (["a", Custom("b"), Face(1), ""], [Text("a"), Custom("b"), Face(1)]),
        (Reply.template("x.j2"), [Text("x.j2 {}")]),
        ([Reply.template("x.j2", name=1), "b"], [Text("x.j2 {'name': 1}"), Text("b")]),
        (("a", "b"), [Text("a"), Text("b")]),
    ],
)
def test_what_becomes_of_a_reply(reply: Replies, payloads: list[object]) -> None:
    assert payloads_of(reply, "here", rendered) == payloads


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (5, "int"),
        (True, "bool"),
        (b"x", "bytes"),
        ({"a": 1}, "dict"),
        ([["a"]], "list"),
        (["a", None], "NoneType"),
        (str, "type"),
    ],
)
def test_what_is_no_reply(reply: object, kind: str) -> None:
    with pytest.raises(WrongReply, match=f"here is of type {kind}. It may be a str, a Reply, a Text"):
        payloads_of(reply, "here", rendered)


def test_an_image_cannot_be_sent_yet() -> None:
    with pytest.raises(TypeError, match="here is of type Image"):
        payloads_of(Image("", 1, ()), "here", rendered)
