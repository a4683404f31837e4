"""Friend requests and applications to join a group, end to end."""

from __future__ import annotations

import pytest
import structlog
from structlog.testing import LogCapture

from timbot import Accept, FriendRequest, GroupJoinRequest, GroupNotice, Plugin, Reject
from timbot.im.model.events import NoticeType
from timbot.im.model.group import JoinStatus
from timbot.im.model.people import AllowType
from timbot.runtime.dispatcher import Options
from timbot.sandbox.domain.group_rules import GroupType, Role
from timbot.sandbox.domain.messages import GroupChanges
from timbot.testing import Person, World


@pytest.fixture
def log() -> LogCapture:
    capture = LogCapture()
    structlog.configure(processors=[capture])
    return capture


def outcomes(log: LogCapture) -> list[str]:
    return [entry["outcome"] for entry in log.entries if entry["event"] == "handled"]


def deciding(decision: object) -> Plugin:
    """A plugin that decides every request in this way."""
    bot = Plugin("p")

    @bot.on_friend_request
    async def friend(request: FriendRequest) -> object:
        return decision

    @bot.on_group_join_request
    async def join(request: GroupJoinRequest) -> object:
        return decision

    return bot


async def with_confirmation(world: World) -> None:
    await world.bot.client.update_my_profile(allow_type=AllowType.NEED_CONFIRM)


def make_group(world: World, name: str = "lobby") -> str:
    world.sandbox.domain.groups.create(world.bot_id, GroupType.PUBLIC, GroupChanges(name=name), group_id=name)
    world.sandbox.flush()
    return name


def friends(world: World, user: str) -> list[str]:
    return list(world.sandbox.domain.friends._relations.friends_of(user))


def notices(person: Person) -> list[tuple[NoticeType, str]]:
    return [(event.type, event.text) for event in person.events if isinstance(event, GroupNotice)]


# Friends


@pytest.mark.parametrize(
    ("decision", "made", "open_ones", "outcome"),
    [
        (Accept(remark="a friend"), ["ann"], 0, "accept: done"),
        (Accept(), ["ann"], 0, "accept: done"),
        (Reject(), [], 0, "reject: done"),
        (None, [], 1, "left to a person"),
    ],
)
async def test_a_friend_request(decision: object, made: list[str], open_ones: int, outcome: str, log: LogCapture) -> None:
    async with World(deciding(decision)) as world:
        await with_confirmation(world)
        ann = await world.user("ann")
        await ann.client.add_friend("bot", wording="dice?")
        await world.settle()
        assert friends(world, "bot") == made
        assert len(world.sandbox.domain.friend_applications.listed("bot").incoming) == open_ones
    assert outcomes(log) == [outcome]


async def test_what_a_friend_request_says() -> None:
    bot = Plugin("p")
    seen: list[tuple[str, ...]] = []

    @bot.on_friend_request
    async def friend(request: FriendRequest) -> None:
        seen.append((request.sender.id, request.sender.name, request.wording, request.source, request.conversation_id))

    async with World(bot) as world:
        await with_confirmation(world)
        ann = await world.user("ann")
        await ann.client.update_my_profile(nick="Ann")
        await ann.client.add_friend("bot", wording="dice?", source="AddSource_Type_Test")
        await world.settle()
    assert seen == [("ann", "Ann", "dice?", "AddSource_Type_Test", "C2Cann")]


@pytest.mark.parametrize("decision", [True, "yes", Accept])
async def test_a_wrong_decision_decides_nothing(decision: object, log: LogCapture) -> None:
    bot = deciding(decision)
    async with World(bot) as world:
        await with_confirmation(world)
        ann = await world.user("ann")
        await ann.client.add_friend("bot")
        await world.settle()
        assert len(world.sandbox.domain.friend_applications.listed("bot").incoming) == 1
    assert [entry["place"] for entry in log.entries if entry["event"] == "handler failed"] == [bot.routes[0].place]


async def test_a_request_answered_by_a_person_meanwhile_is_gone_and_no_error(log: LogCapture) -> None:
    bot = Plugin("p")

    @bot.on_friend_request
    async def friend(request: FriendRequest) -> Accept:
        await request.client.refuse_friend_application(request.sender.id)
        return Accept()

    async with World(bot) as world:
        await with_confirmation(world)
        ann = await world.user("ann")
        await ann.client.add_friend("bot")
        await world.settle()
    assert outcomes(log) == ["accept: gone"]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("decision", "made"), [(Accept(), ["ann"]), (Reject(), [])])
async def test_a_lost_answer_to_a_friend_is_settled(moment: str, decision: object, made: list[str], log: LogCapture) -> None:
    async with World(deciding(decision)) as world:
        await with_confirmation(world)
        ann = await world.user("ann")
        cut = world.faults.cut_when(lambda frame: b"friend_response" in frame, moment, direction="to_server")  # type: ignore[arg-type]
        await ann.client.add_friend("bot")
        await world.settle()
        assert cut.fired == 1
        assert friends(world, "bot") == made
        assert world.sandbox.domain.friend_applications.listed("bot").incoming == ()
    assert outcomes(log) == [f"{type(decision).__name__.lower()}: done"]


# Groups


@pytest.mark.parametrize(
    ("decision", "member", "heard"),
    [
        (Accept(message="Welcome!"), True, [(NoticeType.JOIN_ACCEPTED, "Welcome!")]),
        (Reject("Not today."), False, [(NoticeType.JOIN_REFUSED, "Not today.")]),
        (None, False, []),
    ],
)
async def test_an_application_to_join(decision: object, member: bool, heard: list[tuple[NoticeType, str]]) -> None:
    async with World(deciding(decision)) as world:
        ann = await world.user("ann")
        group = make_group(world)
        assert await ann.client.join_group(group, apply_message="dice?") is JoinStatus.WAIT_APPROVAL
        await world.settle()
        members = await world.bot.client.get_group_member_list(group)
        assert ("ann" in [one.user_id for one in members]) is member
        assert notices(ann) == heard


async def test_what_an_application_says() -> None:
    bot = Plugin("p")
    seen: list[tuple[str, ...]] = []

    @bot.on_group_join_request
    async def join(request: GroupJoinRequest) -> None:
        seen.append((request.sender.id, request.wording, request.group_id, request.group_name))

    async with World(bot) as world:
        ann = await world.user("ann")
        await ann.client.join_group(make_group(world), apply_message="dice?")
        await world.settle()
    assert seen == [("ann", "dice?", "lobby", "lobby")]


async def test_an_application_handled_by_another_admin_is_no_error(log: LogCapture) -> None:
    bot = Plugin("p")

    @bot.on_group_join_request
    async def join(request: GroupJoinRequest) -> Accept:
        application = world.sandbox.domain.group_applications.pending("bot").applications[0]
        world.sandbox.domain.group_applications.handle("bot", "lobby", "ann", application.key, agree=False)
        return Accept()

    async with World(bot) as world:
        ann = await world.user("ann")
        await ann.client.join_group(make_group(world))
        await world.settle()
    assert outcomes(log) == ["accept: done by somebody else"]


async def test_of_two_bots_one_is_first_and_neither_fails(log: LogCapture) -> None:
    async with World(deciding(Accept())) as world:
        second = await world.add_bot("second", deciding(Reject("no")))
        ann = await world.user("ann")
        group = make_group(world)
        await second.client.join_group(group)
        await world.settle()
        world.sandbox.domain.group_members.set_role("bot", group, "second", Role.ADMIN)
        world.sandbox.flush()
        log.entries.clear()
        await ann.client.join_group(group)
        await world.settle()
        assert second.client.error is None
        assert len(notices(ann)) == 1
    assert len(outcomes(log)) == 2
    assert sum("done by somebody else" in outcome for outcome in outcomes(log)) == 1


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_lost_answer_to_an_applicant_is_given_again(moment: str, log: LogCapture) -> None:
    async with World(deciding(Accept("", "Welcome!"))) as world:
        ann = await world.user("ann")
        group = make_group(world)
        cut = world.faults.cut_when(lambda frame: b"handle_apply_join" in frame, moment, direction="to_server")  # type: ignore[arg-type]
        await ann.client.join_group(group)
        await world.settle()
        assert cut.fired == 1
        assert notices(ann) == [(NoticeType.JOIN_ACCEPTED, "Welcome!")]
    assert outcomes(log)[:1] == ["accept: done"]


# While the bot was away


async def test_requests_made_while_the_bot_was_away_are_handled_at_its_login() -> None:
    async with World(deciding(None)) as world:
        await with_confirmation(world)
        ann = await world.user("ann")
        group = make_group(world)
        await world.bot.stop()
        await ann.client.add_friend("bot")
        await ann.client.join_group(group)
        await world.add_bot("bot", deciding(Accept()))
        await world.settle()
        assert friends(world, "bot") == ["ann"]
        assert notices(ann) == [(NoticeType.JOIN_ACCEPTED, "")]


async def test_a_request_made_during_a_break_is_handled_once(log: LogCapture) -> None:
    async with World(deciding(Accept())) as world:
        await with_confirmation(world)
        ann = await world.user("ann")
        group = make_group(world)
        world.cut()
        await ann.client.add_friend("bot")
        await ann.client.join_group(group)
        await world.settle()
        assert notices(ann) == [(NoticeType.JOIN_ACCEPTED, "")]
    assert sorted(outcomes(log)) == ["accept: done", "accept: done"]


@pytest.mark.parametrize(("durable", "times"), [(True, 1), (False, 2)])
async def test_a_request_left_to_a_person_comes_again_only_to_a_bot_that_has_forgotten_it(durable: bool, times: int) -> None:
    bot = Plugin("p")
    seen: list[str] = []

    @bot.on_friend_request
    async def friend(request: FriendRequest) -> None:
        seen.append(request.sender.id)

    async with World(bot, durable=durable) as world:
        await with_confirmation(world)
        ann = await world.user("ann")
        await ann.client.add_friend("bot")
        world.cut()
        await world.settle()
        assert seen == ["ann"]
        await world.bot.stop()
        await world.add_bot("bot", bot)
        await world.settle()
        assert seen == ["ann"] * times


async def test_a_refused_answer_is_logged_and_the_lane_goes_on(log: LogCapture) -> None:
    async with World(deciding(Accept(remark="x" * 97))) as world:
        await with_confirmation(world)
        ann = await world.user("ann")
        await ann.client.add_friend("bot")
        await world.settle()
        assert world.bot.client.online
    failed = [entry for entry in log.entries if entry["event"] == "handler failed"]
    assert len(failed) == 1


async def test_the_request_of_another_bot_is_left_to_a_person(log: LogCapture) -> None:
    async with World(deciding(Accept()), options=Options(bots=frozenset({"ann"}))) as world:
        await with_confirmation(world)
        ann = await world.user("ann")
        await ann.client.add_friend("bot")
        await world.settle()
        assert outcomes(log) == []
        assert len(world.sandbox.domain.friend_applications.listed("bot").incoming) == 1
