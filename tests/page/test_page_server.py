"""What the server serves of the page, to whom it gives signatures, and what it tells of bots that run elsewhere."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from page_site import Tab, Town
from playwright.sync_api import Browser, expect

from timbot.im.wire import usersig
from timbot.sandbox.keys import DEMO, SecretKey
from timbot.sandbox.page import FeedEntry
from timbot.sandbox.page.feed import WATCHERS

pytestmark = pytest.mark.real_time

OWN_KEY = SecretKey("0123456789abcdef" * 4, "a test")
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def door() -> Iterator[Town]:
    """A server without a bot, for tests that leave nothing behind."""
    with Town(bot=False) as town:
        yield town


def own(town: Town) -> dict[str, str]:
    return {"Origin": f"http://{town.address}", "Sec-Fetch-Site": "same-origin"}


def login(town: Town, user: object, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
    status, _, body = town.http("POST", "/page/login", json.dumps({"user": user}).encode(), headers)
    answer: dict[str, str] = json.loads(body) if body.startswith(b"{") else {}
    return status, answer


def test_the_page_gets_a_signature_for_its_users(door: Town) -> None:
    status, answer = login(door, "alice", {**JSON, **own(door)})
    assert (status, answer["user"]) == (200, "alice")
    signature = answer["userSig"]
    now = int(door.sandbox.domain.time())
    checked = usersig.check(signature, sdk_app_id=door.sandbox.sdk_app_id, secret_key=DEMO.text, user_id="alice", now=now)
    assert checked == 0


@pytest.mark.parametrize("user", ["bot", "carol", "", None, ["alice"], 7])
def test_there_is_none_for_others(door: Town, user: object) -> None:
    status, answer = login(door, user, {**JSON, **own(door)})
    assert (status, "userSig" in answer) == (404, False)


def test_only_the_page_itself_gets_one(door: Town) -> None:
    strangers: list[dict[str, str]] = [
        {},
        {"Origin": "http://localhost:3000"},
        {"Origin": f"http://localhost:{door.server.port}"},
        {"Origin": f"https://{door.address}"},
        {"Origin": f"http://{door.address}", "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://evil.example"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
    ]
    for headers in strangers:
        assert login(door, "alice", {**JSON, **headers})[0] == 403, headers


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_only_json_is_taken(door: Town, kind: str) -> None:
    assert login(door, "alice", {**own(door), "Content-Type": kind})[0] == 415


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"alice"', b"[" * 600, b'{"user":"alice"' + b" " * 2000 + b"}"])
def test_a_body_that_makes_no_sense_is_refused(door: Town, body: bytes) -> None:
    assert door.http("POST", "/page/login", body, {**JSON, **own(door)})[0] == 404


def test_a_public_server_has_no_page_and_signs_for_nobody() -> None:
    with Town(bot=False, host="0.0.0.0", public=True, key=OWN_KEY) as town:
        assert login(town, "alice", {**JSON, **own(town)})[0] == 404
        assert town.http("GET", "/page/setup")[0] == 404
        status, headers, body = town.http("GET", "/")
        assert (status, headers["content-type"]) == (200, "text/plain; charset=utf-8")
        assert b"TIM server" in body


def test_assets_are_renewed_and_not_sent_twice(door: Town) -> None:
    status, headers, body = door.http("GET", "/page/assets/app.js")
    assert (status, headers["content-type"], headers["cache-control"]) == (200, "text/javascript; charset=utf-8", "no-cache")
    assert b"import" in body
    assert door.http("GET", "/page/assets/app.js", None, {"If-None-Match": headers["etag"]})[0] == 304
    status, headers, _ = door.http("GET", "/page/assets/app.js", None, {"Accept-Encoding": "gzip"})
    assert headers["content-encoding"] == "gzip"
    assert int(headers["content-length"]) < len(body)


# The feed


def said(event: str) -> FeedEntry:
    return FeedEntry(1.0, "bot", event, "alice", "C2Calice", "hello", "replied\ndata: forged", 1.5)


@contextmanager
def following(town: Town, **headers: str) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", town.server.port, timeout=10)
    try:
        connection.request("GET", "/page/feed", headers=headers)
        yield connection.getresponse()
    finally:
        connection.close()


def events(answer: http.client.HTTPResponse, count: int) -> list[tuple[str, str]]:
    """The numbers and kinds of the next events."""
    found: list[tuple[str, str]] = []
    number = ""
    while len(found) < count:
        line = answer.readline().decode()
        assert line
        if line.startswith("id: "):
            number = line[4:].strip()
        if line.startswith("data: "):
            found.append((number, json.loads(line[6:])["event"]))
    return found


def test_the_feed_is_told_live_and_taken_up_again(town: Town) -> None:
    feed = town.feed
    assert feed is not None
    town.do(lambda: feed.publish(said("one")))
    with following(town) as answer:
        assert answer.getheader("content-type") == "text/event-stream; charset=utf-8"
        assert events(answer, 1) == [("1", "one")]
        town.do(lambda: feed.publish(said("two")))
        assert events(answer, 1) == [("2", "two")]
    town.do(lambda: feed.publish(said("three")))
    with following(town, **{"Last-Event-ID": "2"}) as answer:
        assert events(answer, 1) == [("3", "three")]


def test_the_feed_ends_before_its_connection_has_to(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("timbot.sandbox.page.site.STREAM_TIME", 0.1)
    with following(town) as answer:
        assert answer.read() == b"retry: 1000\n\n"


def test_the_feed_is_the_pages_own(town: Town) -> None:
    for headers in ({"Origin": "http://localhost:3000"}, {"Sec-Fetch-Site": "cross-site"}):
        with following(town, **headers) as answer:
            assert answer.status == 403


def test_followers_are_bounded(town: Town) -> None:
    feed = town.feed
    assert feed is not None
    watchers = town.do(lambda: [feed.watch() for _ in range(WATCHERS)])
    with following(town) as answer:
        assert answer.status == 503
    for watcher in filter(None, watchers):
        town.do(watcher.close)


def test_a_server_with_followers_stops_at_once(town: Town) -> None:
    with following(town) as answer:
        assert answer.status == 200
        town.stop()
        assert answer.read() == b"retry: 1000\n\n"
    town.start()


def test_without_a_feed_the_page_tells_what_the_server_sees_of_the_bot(browser: Browser) -> None:
    with Town() as town:
        alice = Tab(browser, town).enter("alice").open("Timbot").say("hello")
        alice.bubble("Hello, alice!")
        expect(alice.find(".panel")).to_contain_text("The bot runs in a program of its own.")
        expect(alice.find(".entry", has_text="logged in")).to_have_count(1)
        expect(alice.find(".entry", has_text="sent a message")).to_contain_text("alice")
        expect(alice.find(".entry", has_text="read the messages")).to_have_count(1)
        alice.context.close()
        assert alice.complaints == []
