"""Where to connect to, and what to write instead."""

from __future__ import annotations

import pytest

from timbot.errors import InvalidArgument
from timbot.im.endpoints import is_loopback, resolve


@pytest.mark.parametrize(
    ("name", "urls"),
    [
        ("china", ("wss://wss.im.qcloud.com", "wss://wss.tim.qq.com")),
        ("oversea", ("wss://wss.im.qcloud.com",)),
        ("sandbox", ("ws://127.0.0.1:8420",)),
        ("wss://chat.example", ("wss://chat.example",)),
        ("wss://chat.example:9000/", ("wss://chat.example:9000",)),
        ("wss://chat.example/info", ("wss://chat.example",)),
        ("wss://chat.example/im/info/", ("wss://chat.example/im",)),
        ("ws://localhost:1", ("ws://localhost:1",)),
        ("ws://127.0.0.7", ("ws://127.0.0.7",)),
        ("ws://[::1]:8420", ("ws://[::1]:8420",)),
    ],
)
def test_what_is_an_endpoint(name: str, urls: tuple[str, ...]) -> None:
    endpoint = resolve(name)
    assert (endpoint.name, endpoint.urls) == (name, urls)


@pytest.mark.parametrize(
    "text",
    ["", "chine", "http://chat.example", "chat.example", "ws://", "wss:///info", "wss://[::1", "wss://a:port", "wss://a:99999"],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(InvalidArgument, match="china, oversea, sandbox"):
        resolve(text)


@pytest.mark.parametrize("text", ["wss://a/?x=1", "wss://a/#b"])
def test_a_query_is_ours(text: str) -> None:
    with pytest.raises(InvalidArgument, match="path only"):
        resolve(text)


@pytest.mark.parametrize("host", ["chat.example", "10.0.0.1", "127.0.0.1.example", "0.0.0.0", "[::]"])
def test_in_the_clear_only_on_this_machine(host: str) -> None:
    with pytest.raises(InvalidArgument, match=r"unencrypted.*wss://.*insecure"):
        resolve(f"ws://{host}")
    assert resolve(f"ws://{host}", insecure=True).urls == (f"ws://{host}",)


def test_the_hosts_take_turns() -> None:
    china = resolve("china")
    urls = [china.url(attempt, sdk_app_id=14, instance_id="ab", random=0.5) for attempt in range(3)]
    assert urls[0] == "wss://wss.im.qcloud.com/info?sdkappid=14&instanceid=ab&random=0.5"
    assert urls[1].startswith("wss://wss.tim.qq.com/info?")
    assert urls[2] == urls[0]


@pytest.mark.parametrize(
    ("host", "here"), [("localhost", True), ("::1", True), ("127.1.2.3", True), ("localhost.example", False)]
)
def test_this_machine(host: str, here: bool) -> None:
    assert is_loopback(host) is here
