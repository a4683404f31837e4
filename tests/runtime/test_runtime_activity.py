"""What is told of each event to those who watch: why a handler did what it did, what went wrong, and what nobody took."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
import structlog
from dispatch_site import make_group
from structlog.testing import LogCapture

from timbot import PASS, Accept, Context, Custom, FriendRequest, GroupJoinRequest, Job, Message, Pass, Plugin, Reject, Text
from timbot.errors import PluginError, ServerError
from timbot.im.api.messages import OutgoingMessage
from timbot.redaction import register
from timbot.runtime.activity import Activity, sentence_of
from timbot.runtime.demo import PageObserver
from timbot.runtime.dispatcher import Options
from timbot.runtime.telemetry import Telemetry
from timbot.sandbox.domain.group_rules import GroupType, Role
from timbot.sandbox.domain.messages import GroupChanges
from timbot.sandbox.page import Feed, FeedEntry
from timbot.testing import World


@pytest.fixture
def log() -> LogCapture:
    capture = LogCapture()
    structlog.configure(processors=[capture])
    return capture


class Shown(World):
    """A world whose bot is watched by a page, and counted."""

    def __init__(self, *plugins: Plugin, options: Options | None = None) -> None:
        super().__init__(*plugins, options=options)
        self.feed = Feed()
        self.page = PageObserver(self.feed)
        self.telemetry = Telemetry("127.0.0.1", 0)
        self.told: list[Activity] = []

    def did(self, activity: Activity) -> None:
        self.told.append(activity)
        self.page.did(activity)
        self.telemetry.did(activity)

    @property
    def entries(self) -> list[FeedEntry]:
        return [entry for _, entry in self.feed.since(0)]

    @property
    def outcomes(self) -> list[str]:
        return [entry.outcome for entry in self.entries]

    def count(self, name: str) -> float:
        """The sum of a counter."""
        return sum(
            sample.value
            for metric in self.telemetry.metrics.registry.collect()
            for sample in metric.samples
            if sample.name == f"timbot_{name}_total"
        )


def deciding(decision: Accept | Reject | None) -> Plugin:
    bot = Plugin("p")

    @bot.on_friend_request
    async def friend(request: FriendRequest) -> Accept | Reject | None:
        return decision

    @bot.on_group_join_request
    async def join(request: GroupJoinRequest) -> Accept | Reject | None:
        return decision

    return bot


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        (Accept(), "accepted"),
        (Accept(remark="Ann of the tea"), 'accepted, remark "Ann of the tea"'),
        (Accept(message="not for friends", welcome=["Hello", "Ann!"]), 'accepted · "Hello" · "Ann!"'),
        (Reject(), "refused"),
        (Reject("nobody is told"), "refused"),
        (None, "left to a person"),
    ],
)
async def test_what_a_friend_request_got(decision: Accept | Reject | None, words: str) -> None:
    async with Shown(deciding(decision)) as world:
        ann = await world.user("ann")
        await ann.client.add_friend("bot")
        await world.settle()
        assert world.outcomes == [words]


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        (Accept(message="Come in", remark="not for groups"), 'accepted, message "Come in"'),
        (Reject("Say dice or tea."), 'refused: "Say dice or tea."'),
        (Reject("x" * 100), f'refused: "{"x" * 80}..."'),
    ],
)
async def test_what_a_request_to_join_got(decision: Accept | Reject, words: str) -> None:
    async with Shown(deciding(decision)) as world:
        world.sandbox.domain.groups.create("bot", GroupType.PUBLIC, GroupChanges(name="g"), group_id="g")
        ann = await world.user("ann")
        await ann.client.join_group("g")
        await world.settle()
        assert [entry.outcome for entry in world.entries if entry.event == "join request"] == [words]


async def test_of_two_admins_one_is_told_that_the_other_has_done_it() -> None:
    async with Shown(deciding(Accept())) as world:
        second = await world.add_bot("second", deciding(Accept()))
        domain = world.sandbox.domain
        domain.groups.create("bot", GroupType.PUBLIC, GroupChanges(name="g"), group_id="g")
        await second.client.join_group("g")
        await world.settle()
        domain.group_members.set_role("bot", "g", "second", Role.ADMIN)
        world.sandbox.flush()
        before = len(world.entries)
        ann = await world.user("ann")
        await ann.client.join_group("g")
        await world.settle()
        told = [entry.outcome for entry in world.entries[before:] if entry.event == "join request"]
        assert sorted(told) == ["accepted", "done by another admin"]


async def test_a_request_that_is_gone() -> None:
    async with Shown(deciding(Accept())) as world:
        ann = await world.user("ann")

        async def gone(*_: object, **__: object) -> None:
            raise ServerError("friend_response", 30614)

        world.bot.client.accept_friend_application = gone  # type: ignore[method-assign]  # another device was quicker
        await ann.client.add_friend("bot")
        await world.settle()
        assert world.outcomes == ["gone: there was nothing left to answer"]


async def test_a_failure_says_what_went_wrong_and_what_was_said_before() -> None:
    bot = Plugin("p")

    @bot.on_text
    async def handler(ctx: Context[Text]) -> None:
        await ctx.reply("before")
        raise ValueError(f"no order {ctx.text}\nand more")

    async with Shown(bot) as world:
        ann = await world.user("ann")
        await ann.says("7")
        assert world.outcomes == ['failed: ValueError: no order 7 · "before"']


async def test_a_job_that_fails_says_why() -> None:
    bot = Plugin("p")

    @bot.every(60)
    async def tick(job: Job) -> None:
        raise KeyError("lobby")

    async with Shown(bot) as world:
        await asyncio.sleep(70)
        assert world.outcomes == ["failed: KeyError: 'lobby'"]


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


SECRET = "s3cr3t-value-of-a-test-0123456789"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ValueError("one\ntwo"), "ValueError: one"),
        (ValueError("\n\n one"), "ValueError: one"),
        (ValueError(), "ValueError"),
        (Mute(), "Mute"),
        (PluginError("It is so.", hint="Do this."), "PluginError: It is so."),
        (ValueError("x" * 200), f"ValueError: {'x' * 160}..."),
        (ValueError(f"{'x' * 150} {SECRET}"), f"ValueError: {'x' * 150} ***"),
    ],
)
def test_an_error_in_a_sentence(error: BaseException, sentence: str) -> None:
    register(SECRET)
    assert sentence_of(error) == sentence


async def test_what_nobody_takes_is_told_with_the_reason() -> None:
    bot = Plugin("p")

    @bot.on_text("known")
    async def known(ctx: Context[Text]) -> str:
        return "yes"

    async with Shown(bot, options=Options(bots=frozenset({"robot"}))) as world:
        ann, robot = await world.user("ann"), await world.user("robot")
        group = make_group(world, "ann", "robot")
        await ann.says("unknown")
        await ann.says("known", group=group)
        await ann.sends(Custom("cards"), group=group)
        await ann.client.add_friend("bot")
        await robot.says("known")
        await robot.says("known", group=group)
        await ann.client.set_message_read("C2Cbot", 1)
        await world.settle()
        assert [(entry.event, entry.who, entry.conversation, entry.route, entry.outcome) for entry in world.entries] == [
            ("text", "ann", "C2Cann", "", "no handler for this"),
            ("text", "ann", f"GROUP{group}", "", "not mentioned, so not answered"),
            ("custom", "ann", f"GROUP{group}", "", "no handler for this"),
            ("friend request", "ann", "C2Cann", "", "no handler for this"),
        ]
        assert world.count("events_handled") == 0


async def test_what_nobody_takes_is_no_line_of_the_log(log: LogCapture) -> None:
    async with Shown() as world:
        ann = await world.user("ann")
        await ann.says("x", group=make_group(world, "ann"))
        assert world.outcomes == ["not mentioned, so not answered"]
    assert [entry for entry in log.entries if entry["event"] == "handled"] == []


async def test_a_handler_says_which_answer_it_chose(log: LogCapture) -> None:
    bot = Plugin("p")

    @bot.on_text
    async def handler(ctx: Context[Text]) -> str | Pass:
        ctx.why = f"rule {ctx.text}"
        return PASS if ctx.text == "0" else "yes"

    async with Shown(bot) as world:
        ann = await world.user("ann")
        await ann.says("1")
        await ann.says("0")
        first, second = world.entries
    assert (first.route.partition(":")[0], first.why, first.outcome) == ("p", "rule 1", '"yes"')
    assert (second.route, second.why) == ("", "")
    assert second.outcome.startswith("left unanswered, passed on by p:")
    assert second.outcome.endswith("handler (rule 0)")
    [handled] = [entry for entry in log.entries if entry["event"] == "handled"]
    assert handled["why"] == "rule 1"


@pytest.mark.parametrize(
    ("error", "unsent", "handlers"),
    [(ServerError("send", 20012), 1, 1), (ValueError("a defect of ours"), 1, 1)],
)
async def test_a_list_that_fails_in_the_middle_has_said_its_beginning(error: Exception, unsent: int, handlers: int) -> None:
    bot = Plugin("p")

    @bot.on_text("returned")
    async def returned(ctx: Context[Text]) -> Sequence[str]:
        return ["one", "two", "three"]

    @bot.on_text("replied")
    async def replied(ctx: Context[Text]) -> None:
        await ctx.reply(["one", "two", "three"])

    async with Shown(bot) as world:
        ann = await world.user("ann")
        for text in ("returned", "replied"):
            fail_at(world, 2, error)
            await ann.says(text)
        assert [[message.text for message in activity.said] for activity in world.told] == [["one"], ["one"]]
        assert [activity.unsent for activity in world.told] == [unsent, unsent]
        assert (world.count("replies_failed"), world.count("handlers_failed")) == (2 * unsent, 2 * handlers)
        assert world.count("messages_sent") == 2


async def test_a_reply_that_a_handler_gives_up_is_a_failed_reply_of_a_handler_that_did_not_fail() -> None:
    bot = Plugin("p")

    @bot.on_text
    async def handler(ctx: Context[Text]) -> str:
        try:
            await ctx.reply("one")
        except ServerError:
            return "two"
        return "never"

    async with Shown(bot) as world:
        ann = await world.user("ann")
        fail_at(world, 1, ServerError("send", 20012))
        assert await ann.says("x") == ["two"]
        assert (world.count("replies_failed"), world.count("handlers_failed")) == (1, 0)


async def test_a_welcome_that_fails_is_one_failed_reply_however_often_it_was_tried() -> None:
    async with Shown(deciding(Accept(welcome=["one", "two"]))) as world:
        ann = await world.user("ann")
        fail_at(world, 1, ServerError("send", 20009), times=100)
        await ann.client.add_friend("bot")
        await world.settle()
        assert world.outcomes[0].startswith("failed: ServerError: ")
        assert (world.count("replies_failed"), world.count("handlers_failed")) == (1, 1)


def fail_at(world: World, number: int, error: Exception, *, times: int = 1) -> None:
    """The bot's next messages go out until this one, which does not."""
    client = world.bot.client
    sends = client.send_message
    count = [0]

    async def send(message: OutgoingMessage, *, online_user_only: bool = False) -> Message:
        count[0] += 1
        if number <= count[0] < number + times:
            raise error
        return await sends(message, online_user_only=online_user_only)

    client.send_message = send  # type: ignore[method-assign]  # a server that refuses
