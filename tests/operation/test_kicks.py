"""After a kick: the end, or another login after a pause, three times an hour."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
from control_site import Bots
from structlog.testing import LogCapture

from timbot.errors import ConnectionLost, KickedOutError, KickKind, LoginRefused
from timbot.runtime.account import AccountRunner
from timbot.runtime.control.kicks import MOST, WITHIN, Keeper, Kicks
from timbot.runtime.log import get_log
from timbot.runtime.telemetry import Telemetry
from timbot.testing import VirtualLoop


@pytest.fixture(autouse=True)
def log() -> LogCapture:
    capture = LogCapture()
    structlog.configure(processors=[capture])
    return capture


class Login:
    """An account at work, as `Keeper` sees it."""

    def __init__(self, refused: Exception | None = None) -> None:
        self.refused = refused
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.stopped: list[float] = []

    async def start(self) -> None:
        if self.refused is not None:
            raise self.refused

    async def ended(self) -> None:
        await asyncio.shield(self.over)

    async def stop(self, grace: float = 10.0) -> None:
        self.stopped.append(grace)

    def kick(self) -> None:
        self.over.set_exception(KickedOutError(KickKind.MULTIPLE_ACCOUNT))


class Site:
    """A keeper, and every login it has made."""

    def __init__(
        self,
        retry_after: float | None = 300.0,
        refusals: dict[int, Exception] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.logins: list[Login] = []
        self._refusals = refusals or {}
        self.kicks = Kicks(folder, "bot", VirtualLoop.running().clock.now)
        self.keeper = Keeper(self._make, get_log(), self.kicks, retry_after=retry_after, grace=7.0)

    def _make(self) -> Login:
        self.logins.append(Login(self._refusals.get(len(self.logins))))
        return self.logins[-1]

    async def begin(self) -> asyncio.Task[None]:
        await self.keeper.start()
        task = asyncio.create_task(self.keeper.ended())
        await asyncio.sleep(0)
        return task


def why(task: asyncio.Task[None]) -> BaseException | None:
    assert task.done()
    return task.exception()


async def test_by_itself_a_kick_is_the_end() -> None:
    site = Site(retry_after=None)
    ended = await site.begin()
    site.logins[0].kick()
    await asyncio.wait({ended})
    assert isinstance(why(ended), KickedOutError)
    assert len(site.logins) == 1


async def test_it_logs_in_again_after_the_pause_and_not_before(log: LogCapture) -> None:
    site = Site()
    await site.begin()
    site.logins[0].kick()
    await asyncio.sleep(299)
    assert (len(site.logins), site.logins[0].stopped) == (1, [7.0])
    assert list(site.keeper.reasons) == ["waits after a kick, and logs in again in 1 s (1 of 3 within the hour)"]
    await asyncio.sleep(2)
    assert len(site.logins) == 2
    assert site.keeper.runner is site.logins[1]
    assert not list(site.keeper.reasons)
    assert [(entry["seconds"], entry["kicks"], entry["most"]) for entry in log.entries] == [(300.0, 1, 3)]


async def test_the_fourth_kick_within_an_hour_is_the_end() -> None:
    site = Site()
    ended = await site.begin()
    for number in range(MOST):
        site.logins[number].kick()
        await asyncio.sleep(301)
    assert len(site.logins) == MOST + 1
    site.logins[-1].kick()
    await asyncio.wait({ended})
    error = why(ended)
    assert isinstance(error, KickedOutError)
    assert error.message == "Kicked out 4 times within an hour (multipleAccount): it does not log in again."
    assert "find and stop that one" in error.hint


@pytest.mark.parametrize("retry_after", [None, 300.0])
async def test_however_often_it_is_started_again_it_logs_in_three_times_an_hour(
    tmp_path: Path, retry_after: float | None
) -> None:
    logins = 0
    refusals: set[str] = set()
    for _ in range(20):
        site = Site(retry_after, folder=tmp_path, refusals=dict.fromkeys(range(1, 9), LoginRefused("wslogin", 1)))
        await asyncio.sleep(10)
        try:
            ended = await site.begin()
        except KickedOutError as error:
            refusals.add(error.hint)
            continue
        logins += 1
        site.logins[0].kick()
        await asyncio.wait({ended})
    assert logins == MOST
    (hint,) = refusals
    assert hint.endswith(f"Within the hour it logs in only once {tmp_path / 'kicks.json'} is removed.")
    await asyncio.sleep(WITHIN)
    ended = await Site(folder=tmp_path).begin()
    assert not ended.done()


async def test_it_can_be_started_at_once_by_hand(tmp_path: Path) -> None:
    kicks = Site(folder=tmp_path).kicks
    for _ in range(MOST):
        kicks.add()
    with pytest.raises(KickedOutError):
        await Site(folder=tmp_path).keeper.start()
    assert kicks.path
    assert kicks.path.stat().st_mode & 0o777 == 0o600
    kicks.path.unlink()
    await Site(folder=tmp_path).keeper.start()


async def test_accounts_are_counted_apart(tmp_path: Path) -> None:
    now = VirtualLoop.running().clock.now
    one, other = Kicks(tmp_path, "one", now), Kicks(tmp_path, "other", now)
    one.add()
    other.add()
    one.add()
    assert [len(Kicks(tmp_path, name, now).recent) for name in ("one", "other", "third")] == [2, 1, 0]


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b'{"bot": 5}'])
async def test_a_file_that_makes_no_sense_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "kicks.json").write_bytes(content)
    kicks = Site(folder=tmp_path).kicks
    assert kicks.recent == []
    kicks.add()
    assert len(Site(folder=tmp_path).kicks.recent) == 1


async def test_a_folder_that_cannot_be_written_costs_only_the_memory(tmp_path: Path) -> None:
    kicks = Site(folder=tmp_path / "gone").kicks
    kicks.add()
    assert len(kicks.recent) == 1


async def test_kicks_of_long_ago_do_not_count() -> None:
    site = Site()
    ended = await site.begin()
    for _ in range(2 * MOST):
        site.logins[-1].kick()
        await asyncio.sleep(WITHIN / MOST + 1)
    assert not ended.done()
    assert len(site.logins) == 2 * MOST + 1
    ended.cancel()
    await asyncio.wait({ended})


async def test_a_login_that_is_kicked_at_once_counts_too() -> None:
    site = Site(refusals=dict.fromkeys(range(1, 9), KickedOutError(KickKind.MULTIPLE_ACCOUNT)))
    ended = await site.begin()
    site.logins[0].kick()
    await asyncio.wait({ended})
    assert isinstance(why(ended), KickedOutError)
    assert len(site.logins) == MOST + 1


@pytest.mark.parametrize("error", [LoginRefused("wslogin", 70014), ConnectionLost("gone")])
async def test_any_other_refusal_is_the_end(error: Exception) -> None:
    site = Site(refusals={1: error})
    ended = await site.begin()
    site.logins[0].kick()
    await asyncio.wait({ended})
    assert why(ended) is error


async def test_another_end_is_the_end() -> None:
    site = Site()
    ended = await site.begin()
    site.logins[0].over.set_result(None)
    await asyncio.wait({ended})
    assert why(ended) is None


async def test_stopping_in_the_pause_stops_nothing_twice() -> None:
    site = Site()
    ended = await site.begin()
    site.logins[0].kick()
    await asyncio.sleep(100)
    ended.cancel()
    await asyncio.wait({ended})
    await site.keeper.stop(1.0)
    assert [login.stopped for login in site.logins] == [[7.0]]


async def test_stopping_at_work_stops_the_present_login() -> None:
    site = Site()
    ended = await site.begin()
    site.logins[0].kick()
    await asyncio.sleep(301)
    ended.cancel()
    await asyncio.wait({ended})
    await site.keeper.stop(1.0)
    assert [login.stopped for login in site.logins] == [[7.0], [1.0]]


async def test_a_bot_comes_back_and_health_says_all_the_while_how_it_is() -> None:
    async with Bots() as world:
        telemetry = Telemetry("127.0.0.1", 0)
        make: Callable[[], AccountRunner] = lambda: world.runner("second", observer=telemetry)  # noqa: E731
        keeper = Keeper(make, get_log(), Kicks(None, "second", world.clock.now), retry_after=300.0)
        telemetry.watch(keeper)
        await keeper.start()
        ended = asyncio.create_task(keeper.ended())
        ann = await world.user("ann")
        assert await ann.says("1", to="second") == ["heard 1"]
        assert telemetry.health().accounts[0].problems == ()

        other = world.client("second")
        await other.login()
        await asyncio.sleep(10)
        problems = telemetry.health().accounts[0].problems
        assert problems[0] == "not connected"
        assert problems[1].startswith("Kicked out")
        assert problems[2] == "waits after a kick, and logs in again in 290 s (1 of 3 within the hour)"
        await other.logout()
        await asyncio.sleep(301)

        assert await ann.says("2", to="second") == ["heard 2"]
        assert telemetry.health().accounts[0].problems == ()
        assert telemetry.metrics.registry.get_sample_value("timbot_kicks_total", {"account": "second"}) == 1
        assert telemetry.metrics.registry.get_sample_value("timbot_connected", {"account": "second"}) == 1
        ended.cancel()
        await asyncio.wait({ended})
        await keeper.stop(1.0)
