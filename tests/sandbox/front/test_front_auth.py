"""Who may ask for what: every request says who sends it, whatever its socket has said before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from front_site import APP, Site, open_site

from timbot.im.wire import usersig
from timbot.im.wire.commands import COMMANDS
from timbot.sandbox.auth import FAILED_CHECKS, TICKETS_BEFORE_SWEEP, WAIT_AFTER_FAILURES
from timbot.sandbox.domain import Settings
from timbot.testing import VirtualClock

GUARDED = sorted(name for name, command in COMMANDS.items() if not command.anonymous and not command.one_way)
ANONYMOUS = sorted(name for name, command in COMMANDS.items() if command.anonymous)
NO_KEY = "f" * 64


@pytest.fixture
async def site(clock: VirtualClock) -> AsyncIterator[Site]:
    async with open_site(clock) as site:
        yield site


BODIES = {
    "openim.sendmsg": {"To_Account": "bob", "MsgSeq": 1, "MsgRandom": 1, "MsgBody": [], "From_Account": "alice"},
    "profile.portrait_set": {"ProfileItem": [{"Tag": "Tag_Profile_IM_Nick", "Value": "Mallory"}]},
    "group_open_http_svc.create_group": {"Type": "Public", "Name": "den", "GroupId": "den", "Owner_Account": "alice"},
}


@pytest.mark.parametrize("servcmd", GUARDED)
async def test_nothing_is_done_for_strangers(site: Site, servcmd: str) -> None:
    client = await site.connect()
    assert await client.code(servcmd, BODIES.get(servcmd)) == 70002
    assert await client.code(servcmd, BODIES.get(servcmd), a2="guessed", tinyid="1") == 70001
    assert await client.code(servcmd, BODIES.get(servcmd), identifier="alice", usersig="guessed") == 70003
    assert [account.user_id for account in site.sandbox.domain.accounts] == ["alice", "bob", "carol"]
    assert not site.sandbox.domain.accounts.online("alice")
    assert not site.sandbox.domain.groups.exists("den")
    profile = site.sandbox.domain.profiles.get("alice")
    assert profile is not None
    assert profile.nick == ""


@pytest.mark.parametrize("servcmd", ANONYMOUS)
async def test_some_need_no_name(site: Site, servcmd: str) -> None:
    client = await site.connect()
    assert await client.code(servcmd, {"GroupId": "den"}, sdkappid=0) == (0 if "noauth" not in servcmd else 10026)


async def test_what_a_body_says_about_its_sender_is_not_looked_at(site: Site) -> None:
    alice, bob, _ = await site.everybody()
    await alice.ok("openim.sendmsg", site.text("bob", "hello", From_Account="carol"))
    (message,) = (await bob.alone())["C2cMsgArray"]
    assert message["From_Account"] == "alice"


class TestSignature:
    @pytest.mark.parametrize(
        ("head", "code"),
        [
            ({"identifier": "alice", "usersig": ""}, 70002),
            ({"identifier": "", "usersig": "x"}, 70002),
            ({"identifier": "alice", "usersig": "x"}, 70003),
            ({"identifier": "alice", "usersig": usersig.sign(APP, NO_KEY, "alice", now=0)}, 70009),
        ],
    )
    async def test_a_bad_one_is_refused(self, site: Site, head: dict[str, str], code: int) -> None:
        client = await site.connect()
        assert await client.code("im_open_status.wslogin", **head) == code

    async def test_another_users_is_refused(self, site: Site) -> None:
        client = await site.connect()
        head = {**site.signature("bob"), "identifier": "alice"}
        assert await client.code("im_open_status.wslogin", **head) == 70013

    async def test_an_expired_one_is_refused(self, site: Site, clock: VirtualClock) -> None:
        client = await site.connect()
        head = site.signature("alice", lifetime=60)

        await asyncio.sleep(61)
        assert await client.code("im_open_status.wslogin", **head) == 70001

    async def test_another_apps_is_refused(self, site: Site) -> None:
        client = await site.connect()
        sig = usersig.sign(99, site.sandbox.secret_key, "alice", now=int(site.clock.now()))
        assert await client.code("im_open_status.wslogin", identifier="alice", usersig=sig) == 70014
        assert await client.code("im_open_status.wslogin", sdkappid=99, **site.signature("alice")) == 70020

    async def test_the_first_login_makes_the_account(self, site: Site) -> None:
        client = await site.connect()
        assert await client.code("openim.getmsg", {"Cookie": "", "SyncFlag": 0}, **site.signature("dora")) == 70169
        assert "dora" not in site.sandbox.domain.accounts
        await site.login("dora", client)
        assert "dora" in site.sandbox.domain.accounts

    async def test_a_name_that_cannot_be_is_refused(self, site: Site) -> None:
        client = await site.connect()
        assert await client.code("im_open_status.wslogin", **site.signature("@TIM#SYSTEM")) == 70402

    async def test_it_serves_in_place_of_a_ticket(self, site: Site) -> None:
        client = await site.login("alice")
        client.ticket = {}
        asked = {"UserItem": [{"To_Account": "bob"}]}
        answer = await client.ok("profile.portrait_get_all", asked, **site.signature("alice"))
        assert answer["UserProfileItem"][0]["To_Account"] == "bob"

    async def test_but_catching_up_takes_a_login(self, site: Site) -> None:
        client = await site.connect()
        body = {"Cookie": "", "SyncFlag": 0}
        assert await client.code("openim.getmsg", body, **site.signature("alice")) == 20001

    async def test_too_many_bad_ones_have_to_wait(self, site: Site) -> None:

        client = await site.connect()
        for _ in range(FAILED_CHECKS):
            assert await client.code("im_open_status.wslogin", identifier="alice", usersig="x") == 70003
        assert await client.code("im_open_status.wslogin", **site.signature("alice")) == 70050
        await site.login("alice")  # another connection is not concerned
        await asyncio.sleep(WAIT_AFTER_FAILURES)
        await site.login("alice", client)


class TestTicket:
    async def test_it_is_unguessable_and_new_each_time(self, site: Site) -> None:
        seen = {(await site.login("alice")).ticket["a2"] for _ in range(20)}
        assert len(seen) == 20
        assert min(map(len, seen)) >= 22  # 128 bits in base64

    async def test_it_serves_before_the_login_of_a_new_socket(self, site: Site) -> None:
        alice, bob, _ = await site.everybody()
        again = await site.connect()
        again.ticket = alice.ticket
        await again.ok("openim.sendmsg", site.text("bob", "sent again"))
        assert (await bob.alone())["C2cMsgArray"][0]["From_Account"] == "alice"

    async def test_it_is_bound_to_its_account_and_instance(self, site: Site) -> None:
        alice, bob, _ = await site.everybody()
        body = {"Cookie": "", "SyncFlag": 0}
        assert await alice.code("openim.getmsg", body, tinyid=bob.ticket["tinyid"]) == 70001
        assert await alice.code("openim.getmsg", body, status_instid=bob.ticket["status_instid"]) == 70001
        assert await alice.code("openim.getmsg", body, sdkappid=99) == 70020
        assert await alice.code("openim.getmsg", body, status_instid=0) == 0

    async def test_it_ends_with_its_signature(self, site: Site) -> None:

        alice = await site.login("alice", lifetime=3600)
        await asyncio.sleep(3599)
        assert await alice.code("im_open_status.wshello") == 0
        await asyncio.sleep(1)
        assert await alice.code("im_open_status.wshello") == 70001
        assert await alice.code("im_open_status.wslogin") == 70001
        assert await alice.code("heartbeat.alive") == 0

    async def test_after_a_logout_only_heartbeats_are_answered(self, site: Site) -> None:
        alice = await site.login("alice")
        await alice.ok("im_open_status.wslogout", {"wslogout_type": 0})
        await alice.ok("heartbeat.alive")
        await alice.ok("im_open_status.wslogout", {"wslogout_type": 0})
        for servcmd in ("im_open_status.wshello", "im_open_status.wslogin", "openim.authkey"):
            assert await alice.code(servcmd) == 70001
        assert not site.sandbox.domain.accounts.online("alice")

    async def test_after_a_kick_every_request_says_so(self, site: Site) -> None:
        first = await site.login("alice")
        await site.login("alice")
        answer = await first.ask("im_open_status.wshello")
        assert (answer["ErrorCode"], answer["KickType"]) == (1002, 1)
        assert await first.code("openim.sendmsg", site.text("bob", "still me")) == 1002
        await first.ok("im_open_status.wslogout", {"wslogout_type": 1})
        await first.ok("heartbeat.alive")

    async def test_a_kicked_socket_does_not_come_back_by_its_ticket(self, site: Site) -> None:
        first = await site.login("alice")
        await site.login("alice")
        assert await first.code("im_open_status.wslogin") == 1002
        assert site.sandbox.domain.accounts.online_instances("alice") == (2,)

    async def test_a_thousand_logins_leave_little_behind(self, site: Site) -> None:
        for _ in range(TICKETS_BEFORE_SWEEP + 10):
            client = await site.login("alice")
            await client.connection.close()
        assert len(site.sandbox._gate._tickets) < 20


async def test_two_instances_where_two_are_allowed(clock: VirtualClock) -> None:
    async with open_site(clock, Settings(instances=2)) as site:
        first, second = await site.login("alice"), await site.login("alice")
        assert first.ticket["tinyid"] == second.ticket["tinyid"]
        assert first.ticket["status_instid"] != second.ticket["status_instid"]
        assert await first.heard() == await second.heard() == []
