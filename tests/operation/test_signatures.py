"""A signature that ends while the bot is online: renewed without a loss, or told in time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from control_site import OWN_KEY, Bots

from timbot import ConversationType
from timbot.errors import LoginRefused
from timbot.im.credentials import CredentialsError, from_file, from_secret_key, from_text
from timbot.im.wire import usersig
from timbot.runtime.control.signatures import GivenSignature
from timbot.runtime.telemetry import Telemetry
from timbot.testing import VirtualClock
from timbot.testing.world import SDK_APP_ID, SECRET_KEY

DAY = 86400


def sign(clock: VirtualClock, lifetime: int) -> str:
    return usersig.sign(SDK_APP_ID, SECRET_KEY, "second", now=int(clock.now()), lifetime=lifetime)


# Renewing


async def test_one_that_ends_while_people_talk_costs_no_message(clock: VirtualClock) -> None:
    made: list[float] = []

    async def short(user_id: str, now: int) -> str:
        made.append(clock.now())
        return await from_secret_key(SDK_APP_ID, SECRET_KEY, lifetime=100)(user_id, now)

    async with Bots() as world:
        runner = world.runner("second", short)
        await runner.start()
        await runner.ready.wait()
        ann, ben = await world.user("ann"), await world.user("ben")
        for number in range(120):
            for person in (ann, ben):
                await person.client.send_message(
                    person.client.create_text_message("second", ConversationType.C2C, f"{person.user_id} {number}")
                )
            await asyncio.sleep(3)
        await asyncio.sleep(30)
        said = [await ann.answers(), await ben.answers()]
        assert said == [[f"heard {name} {number}" for number in range(120)] for name in ("ann", "ben")]
        assert len(made) >= 4, "the signature ended several times"
        await runner.stop()


async def test_a_source_that_fails_for_a_while_costs_no_message(clock: VirtualClock) -> None:
    failed: list[float] = []
    broken = False

    async def source(user_id: str, now: int) -> str:
        if broken:
            failed.append(clock.now())
            raise CredentialsError("The file is away.")
        return await from_secret_key(SDK_APP_ID, SECRET_KEY, lifetime=100)(user_id, now)

    async with Bots() as world:
        runner = world.runner("second", source)
        await runner.start()
        ann = await world.user("ann")
        assert await ann.says("1", to="second") == ["heard 1"]
        broken = True
        await asyncio.sleep(200)
        await ann.client.send_message(ann.client.create_text_message("second", ConversationType.C2C, "2"))
        await asyncio.sleep(100)
        assert not runner.client.online
        assert len(failed) > 2, "it has gone on asking"
        broken = False
        await asyncio.sleep(60)
        assert await ann.answers() == ["heard 2"]
        await runner.stop()


async def test_one_that_nobody_renews_ends_the_bot_with_the_cure(clock: VirtualClock) -> None:
    async with Bots() as world:
        runner = world.runner("second", from_text(sign(clock, 100)))
        await runner.start()
        with pytest.raises(LoginRefused, match="70001") as caught:
            async with asyncio.timeout(1000):
                await runner.ended()
        assert "give a fresh one" in caught.value.hint
        await runner.stop()


# Telling in time


async def given(clock: VirtualClock, lifetime: int, age: float, *, fixed: bool = True) -> GivenSignature:
    """A signature that is so old by now."""
    watched = GivenSignature(from_text(sign(clock, lifetime)), "second", clock, fixed=fixed)
    clock.set(clock.now() + age)
    await watched.look()
    return watched


@pytest.mark.parametrize(
    ("lifetime", "age", "note", "reason"),
    [
        (180 * DAY, 165 * DAY, "", ""),
        (180 * DAY, 167 * DAY, "expires in 13 days", ""),
        (180 * DAY, 178.5 * DAY, "expires in 1 day:", ""),
        (180 * DAY, 179.5 * DAY, "", "expires in 12 hours"),
        (180 * DAY, 181 * DAY, "", "has expired: give a fresh one and start again"),
        (DAY, DAY / 2, "", ""),
        (DAY, DAY - 5 * 3600, "expires in 5 hours", ""),
        (DAY, DAY - 1800, "", "expires in 30 minutes"),
        (DAY, DAY - 10, "", "expires in less than a minute"),
    ],
)
async def test_it_is_told_early_and_then_urgently(
    clock: VirtualClock, lifetime: int, age: float, note: str, reason: str
) -> None:
    watched = await given(clock, lifetime, age)
    assert [note in told for told in watched.notes] == ([True] if note else [])
    assert [reason in told for told in watched.reasons] == ([True] if reason else [])


async def test_a_file_is_read_anew(clock: VirtualClock, tmp_path: Path) -> None:
    file = tmp_path / "usersig"
    file.write_text(sign(clock, DAY))
    watched = GivenSignature(from_file(file), "second", clock, fixed=False)
    clock.set(clock.now() + DAY - 1800)
    await watched.look()
    assert list(watched.reasons) == ["the UserSig expires in 30 minutes: renew its file; it is read when it is needed"]
    file.write_text(sign(clock, DAY))
    await watched.look()
    assert not [*watched.reasons, *watched.notes]
    assert watched.expires_at == int(clock.now()) + DAY


async def test_what_cannot_be_read_is_told_while_the_bot_is_still_online(clock: VirtualClock, tmp_path: Path) -> None:
    file = tmp_path / "usersig"
    watched = GivenSignature(from_file(file), "second", clock, fixed=False)
    await watched.look()
    assert watched.reasons[0].startswith("The UserSig file of second cannot be read: ")
    assert watched.reasons[0].endswith(" The next login will fail.")
    file.write_text("nonsense")
    await watched.look()
    assert list(watched.reasons) == ["what stands for the UserSig is none: the next login will be refused"]
    file.write_text(sign(clock, DAY))
    await watched.look()
    assert not list(watched.reasons)


async def test_health_and_figures_tell_it(clock: VirtualClock) -> None:
    async with Bots() as world:
        telemetry = Telemetry("127.0.0.1", 0)
        runner = world.runner("second", OWN_KEY)
        telemetry.watch(runner)
        telemetry.watch_signature("second", GivenSignature(from_text(sign(clock, 7200)), "second", clock, fixed=True))
        await runner.start()
        await runner.ready.wait()
        began = clock.now()
        told = []
        for minutes in (60, 100, 115):
            await asyncio.sleep(began + minutes * 60 - clock.now())
            health = telemetry.health()
            told.append((health.healthy, health.accounts[0].notes, health.accounts[0].problems))
        assert told == [
            (True, (), ()),
            (True, ("the UserSig expires in 20 minutes: give a fresh one and start again",), ()),
            (False, (), ("the UserSig expires in 5 minutes: give a fresh one and start again",)),
        ]
        name = "timbot_usersig_expires_timestamp_seconds"
        shown = telemetry.metrics.registry.get_sample_value(name, {"account": "second"})
        assert shown == pytest.approx(clock.now() + 300, abs=10)
        await telemetry.__aexit__(None, None, None)
        await runner.stop()
