"""The HTTP side of a running bot, on a real socket."""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from timbot.redaction import register
from timbot.runtime.http import HttpError
from timbot.runtime.metrics import Metrics
from timbot.runtime.operations import AccountHealth, Health, Operations

pytestmark = pytest.mark.real_time

WELL = Health((AccountHealth("bot", connected=True, ready=True, heard_seconds_ago=1.234, waiting=2),))


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str


class Site:
    """A served bot whose health the test decides."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.health: Health | Exception = WELL
        self.metrics = Metrics()
        self.operations = Operations(host, 0, self._health, self.metrics)

    def _health(self) -> Health:
        if isinstance(self.health, Exception):
            raise self.health
        return self.health

    async def get(self, path: str, host: str | None = None, method: str = "GET") -> Answer:
        return await asyncio.to_thread(self._get, path, host, method)

    def _get(self, path: str, host: str | None, method: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.operations.port, timeout=20)
        try:
            connection.request(method, path, headers={} if host is None else {"Host": host})
            response = connection.getresponse()
            return Answer(response.status, dict(response.headers), response.read().decode())
        finally:
            connection.close()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    here = Site()
    async with here.operations:
        yield here


# Health


async def test_a_bot_that_is_well_says_so(site: Site) -> None:
    answer = await site.get("/healthz")
    assert answer.status == 200
    account = {"account": "bot", "status": "ok", "connected": True, "ready": True}
    account |= {"heard_seconds_ago": 1.2, "waiting": 2, "reasons": [], "notes": []}
    assert json.loads(answer.text) == {"status": "ok", "reasons": [], "accounts": [account]}


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        (AccountHealth("bot", connected=False, ready=False), "not connected"),
        (AccountHealth("bot", connected=True, ready=False), "logged in, and still reading what it missed"),
        (AccountHealth("bot", True, True, heard_seconds_ago=61.0), "nothing heard from the server for 61 s"),
        (AccountHealth("bot", True, True, 1.0, reasons=("kicked out",)), "kicked out"),
    ],
)
async def test_what_is_wrong_with_an_account_is_said_in_words(site: Site, account: AccountHealth, reason: str) -> None:
    site.health = Health((AccountHealth("other", True, True), account))
    answer = await site.get("/healthz")
    told = json.loads(answer.text)
    assert (answer.status, told["status"]) == (503, "red")
    assert [(one["status"], one["reasons"]) for one in told["accounts"]] == [("ok", []), ("red", [reason])]


async def test_what_is_wrong_with_the_process_makes_it_red(site: Site) -> None:
    site.health = Health(WELL.accounts, ("the store cannot be written",))
    answer = await site.get("/healthz")
    assert answer.status == 503
    assert json.loads(answer.text)["reasons"] == ["the store cannot be written"]


async def test_a_bot_without_accounts_is_not_well(site: Site) -> None:
    site.health = Health(())
    answer = await site.get("/healthz")
    assert (answer.status, json.loads(answer.text)["reasons"]) == (503, ["no account runs"])


async def test_not_to_know_is_not_to_be_well(site: Site) -> None:
    site.health = ValueError("of alice")
    answer = await site.get("/healthz")
    assert (answer.status, json.loads(answer.text)["reasons"]) == (503, ["how it is cannot be told: ValueError"])


async def test_a_reason_holds_no_secret(site: Site) -> None:
    register("a-secret-in-a-reason")
    site.health = Health((AccountHealth("bot", True, True, reasons=("a-secret-in-a-reason",)),), ("a-secret-in-a-reason",))
    assert "a-secret" not in (await site.get("/healthz")).text


async def test_what_will_be_wrong_one_day_is_a_note(site: Site) -> None:
    site.health = Health((AccountHealth("bot", True, True, notes=("the UserSig expires in 13 days",)),))
    answer = await site.get("/healthz")
    assert answer.status == 200
    assert json.loads(answer.text)["accounts"][0]["notes"] == ["the UserSig expires in 13 days"]


@pytest.mark.parametrize(
    ("health", "reason"),
    [
        (Health(WELL.accounts, stuck=("the store's writer is stuck",)), "the store's writer is stuck\n"),
        (Health((AccountHealth("bot", True, True, 61.0),)), "bot: nothing heard from the server for 61 s\n"),
    ],
)
async def test_what_a_fresh_start_would_mend_is_not_alive(site: Site, health: Health, reason: str) -> None:
    site.health = health
    alive, well = await site.get("/livez"), await site.get("/healthz")
    assert (alive.status, alive.text, well.status) == (503, reason, 503)


async def test_what_it_would_not_mend_is_alive(site: Site) -> None:
    site.health = Health((AccountHealth("bot", False, False, 500.0, reasons=("kicked out",)),), ("the disk is full",))
    assert (await site.get("/livez")).status == 200


async def test_not_to_know_is_not_to_be_dead(site: Site) -> None:
    site.health = ValueError("of alice")
    assert (await site.get("/livez")).status == 200


async def test_a_process_is_alive_however_its_accounts_are(site: Site) -> None:
    site.health = Health(())
    answer = await site.get("/livez")
    assert (answer.status, answer.text) == (200, "ok\n")


# Metrics and the rest


async def test_the_figures_are_in_prometheus_format(site: Site) -> None:
    site.metrics.reconnected("bot")
    answer = await site.get("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'timbot_reconnects_total{account="bot"} 1.0' in answer.text


@pytest.mark.parametrize(("path", "method", "status"), [("/", "GET", 200), ("/x", "GET", 404), ("/metrics", "POST", 405)])
async def test_there_is_nothing_else(site: Site, path: str, method: str, status: int) -> None:
    assert (await site.get(path, method=method)).status == status


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/metrics", "/"])
async def test_a_browser_can_make_nothing_of_it(site: Site, path: str) -> None:
    headers = (await site.get(path)).headers
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert not {"server", "access-control-allow-origin"} & headers.keys()


# Who may ask


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8421", "[::1]:8421", "127.0.0.1:1"])
async def test_on_loopback_it_answers_to_the_names_of_this_machine(site: Site, host: str) -> None:
    assert (await site.get("/healthz", host)).status == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "127.0.0.1.evil.example:8421"])
async def test_on_loopback_it_answers_to_no_other_name(site: Site, host: str) -> None:
    answer = await site.get("/metrics", host)
    assert answer.status == 403
    assert "timbot_" not in answer.text
    assert not host or host not in answer.text


async def test_off_loopback_any_name_will_do() -> None:
    site = Site("0.0.0.0")
    async with site.operations:
        assert (await site.get("/healthz", "timbot.default.svc:8421")).status == 200
        assert site.operations.url == f"http://127.0.0.1:{site.operations.port}"


# Its life


async def test_a_port_in_use_is_one_clear_error(site: Site) -> None:
    second = Operations("127.0.0.1", site.operations.port, lambda: WELL, Metrics())
    with pytest.raises(HttpError) as caught:
        await second.start()
    assert f"Port {site.operations.port} on 127.0.0.1 is in use" in caught.value.message
    assert "'http: port:'" in caught.value.hint
    await second.stop()


async def test_an_address_that_is_none_is_one_clear_error() -> None:
    with pytest.raises(HttpError, match=r"There is no address named 'no\.such\.host\.invalid'") as caught:
        await Operations("no.such.host.invalid", 0, lambda: WELL, Metrics()).start()
    assert "'http: host:'" in caught.value.hint


async def test_an_address_of_another_machine_is_one_clear_error() -> None:
    with pytest.raises(HttpError, match="Cannot listen on 192"):
        await Operations("192.0.2.1", 0, lambda: WELL, Metrics()).start()


async def test_stopping_leaves_no_task_and_no_port() -> None:
    before = asyncio.all_tasks()
    site = Site()
    async with site.operations:
        await site.get("/healthz")
        port = site.operations.port
    assert asyncio.all_tasks() == before
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))
    await site.operations.stop()


async def test_a_client_that_says_nothing_does_not_hold_up_the_stop(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.operations.port)) as silent:
        silent.sendall(b"GET /healthz HTTP/1.1\r\n")
        await site.get("/livez")  # by now the server has read what came before
        async with asyncio.timeout(10):
            await site.operations.stop()


async def test_signals_are_left_to_the_bot() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    async with Site().operations:
        assert [signal.getsignal(number) for number in numbers] == before
