"""Which Host and Origin are let in: the names of this server, and pages of the same host."""

from __future__ import annotations

import pytest

from timbot.sandbox.guard import Hosts, allowed_hosts

LOCAL = allowed_hosts("127.0.0.1")
NAMED = allowed_hosts("192.0.2.7", ["chat.example.com", "Other.Example.com:8420", "[2001:db8::7]"])


def check(hosts: Hosts, host: str | None, origin: str | None = None, local: str = "127.0.0.1") -> bool:
    headers = [(b"user-agent", b"test")]
    if host is not None:
        headers.append((b"host", host.encode("latin-1")))
    if origin is not None:
        headers.append((b"origin", origin.encode("latin-1")))
    return not hosts.refusal(headers, local)


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8420", "127.0.0.1", "localhost:8420", "LOCALHOST", "localhost.", "[::1]:8420", "[::1]", "127.0.0.53:1"]
)
def test_loopback_names_are_answered(host: str) -> None:
    assert check(LOCAL, host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8420",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "192.0.2.7",
        "169.254.169.254",
        "0.0.0.0:8420",
        "[::]:8420",
        "",
        ":8420",
        "127.0.0.1:8420:1",
        "127.0.0.1@evil.example",
        "evil.example@127.0.0.1",
        "127.0.0.1/evil",
        "127.0.0.1, evil.example",
        "127.0.0.1 evil.example",
        "[127.0.0.1",
        "l\u00f6calhost",
        "\x00",
        "a" * 5000,
        None,
    ],
)
def test_other_names_are_not(host: str | None) -> None:
    assert not check(LOCAL, host)


@pytest.mark.parametrize(
    "host", ["192.0.2.7:8420", "chat.example.com", "CHAT.example.com:443", "other.example.com", "[2001:DB8::7]:1"]
)
def test_the_bound_address_and_the_allowed_names_are_answered(host: str) -> None:
    assert check(NAMED, host)


def test_a_name_that_only_ends_like_an_allowed_one_is_not() -> None:
    assert not check(NAMED, "evil-chat.example.com")
    assert not check(NAMED, "a.chat.example.com")


def test_bound_to_all_addresses_it_answers_to_the_one_that_was_called() -> None:
    everywhere = allowed_hosts("0.0.0.0")
    assert check(everywhere, "192.0.2.9:8420", local="192.0.2.9")
    assert not check(everywhere, "192.0.2.10:8420", local="192.0.2.9")
    assert not check(everywhere, "rebound.example:8420", local="192.0.2.9")
    assert not check(everywhere, "0.0.0.0:8420", local="192.0.2.9")


@pytest.mark.parametrize(
    "origin", ["http://127.0.0.1:8420", "http://localhost:3000", "https://localhost", "http://[::1]:8420", None]
)
def test_pages_of_this_machine_may_talk_to_a_loopback_server(origin: str | None) -> None:
    assert check(LOCAL, "127.0.0.1:8420", origin)


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://127.0.0.1.evil.example",
        "http://192.0.2.7",
        "null",
        "",
        "file://",
        "chrome-extension://abcdef",
        "http://",
        "http://127.0.0.1@evil.example",
        "http://127.0.0.1:8420 http://evil.example",
        "127.0.0.1",
    ],
)
def test_pages_of_other_hosts_may_not(origin: str) -> None:
    assert not check(LOCAL, "127.0.0.1:8420", origin)


def test_off_loopback_the_origin_is_the_host_itself() -> None:
    assert check(NAMED, "chat.example.com", "https://chat.example.com")
    assert not check(NAMED, "chat.example.com", "https://other.example.com")
    assert not check(NAMED, "chat.example.com", "http://localhost")
    assert not check(NAMED, "localhost", "https://chat.example.com")


@pytest.mark.parametrize("name", [b"host", b"origin"])
def test_a_header_said_twice_is_refused(name: bytes) -> None:
    headers = [(b"host", b"127.0.0.1"), (b"origin", b"http://127.0.0.1")]
    assert LOCAL.refusal(headers) == ""
    assert LOCAL.refusal([*headers, (name, b"http://127.0.0.1" if name == b"origin" else b"127.0.0.1")])


def test_the_refusal_names_the_cure() -> None:
    assert "--allow-host chat.example.com" in LOCAL.refusal([(b"host", b"chat.example.com")])
