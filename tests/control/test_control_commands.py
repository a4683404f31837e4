"""What commands do to journals: the same for a running bot's desk and for what a stopped one has left."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from timbot.im.delivery import Change
from timbot.redaction import register
from timbot.runtime.control.commands import (
    Changed,
    Commands,
    Forgotten,
    Letters,
    Messages,
    Nothing,
    Page,
    Shown,
    Status,
    Which,
    Whom,
)
from timbot.runtime.control.protocol import ControlError
from timbot.runtime.control.registry import Registry
from timbot.runtime.control.stopped import commands
from timbot.runtime.journal.interface import Journal
from timbot.runtime.journal.sqlite import SqliteJournal
from timbot.runtime.journal.values import Bury, Intend, KeptEvent, NewEvent, RecordStep, SendState, Settle, StepId
from timbot.store import Database

WORDS = "what alice wrote"
KEY = "sandbox/1400000000/bot"


async def fill(journal: Journal, *people: str) -> list[int]:
    """A dead letter of each person, with a step and a message that nobody knows the end of. Their numbers."""
    await journal.resume()
    numbers = []
    for person in people:
        event = NewEvent(f"C2C{person}", "text", None, WORDS.encode(), 1000.0, who=person)
        (number,) = await journal.take([event], Change())
        step = StepId(number, "shop:answer", "1")
        made = await journal.commit(
            RecordStep(StepId(number, "shop:answer", "0"), "once", "", "save", json.dumps(WORDS).encode()),
            Intend(step, "shop", "", f"C2C{person}", (f"C2C{person}", 1, number), WORDS.encode(), 1001.0),
        )
        await journal.commit(
            Settle(made[1], SendState.UNKNOWN, b"", 1002.0), Bury(number, "failed", f"ValueError: {WORDS}", 1003.0)
        )
        numbers.append(number)
    return numbers


class Running:
    """A running account's desk, which notes what it is told."""

    def __init__(self, account: str, journal: Journal) -> None:
        self.account = account
        self.journal = journal
        self.told: list[object] = []

    async def revived(self, event: KeptEvent) -> None:
        self.told.append((event.number, event.lane))

    async def let_go(self, user_id: str) -> None:
        self.told.append((user_id, len(await self.journal.dead_letters())))


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    async with await Database.memory() as opened:
        yield opened


@pytest.fixture
async def desks(database: Database) -> list[Running]:
    return [Running(name, SqliteJournal(database, f"x/{name}")) for name in ("bot", "other")]


@pytest.fixture
async def numbers(desks: list[Running]) -> list[int]:
    return await fill(desks[0].journal, "alice", "bob") + await fill(desks[1].journal, "alice")


@pytest.fixture
async def all_of_them(desks: list[Running], numbers: list[int]) -> Commands:
    return Commands(lambda: desks, lambda: {"status": "ok"})


class TestDeadLetters:
    async def test_those_of_all_accounts_are_listed_in_order(self, all_of_them: Commands, numbers: list[int]) -> None:
        found = await all_of_them.letters(Page())
        assert [(one.number, one.account, one.conversation) for one in found.letters] == list(
            zip(numbers, ["bot", "bot", "other"], ["C2Calice", "C2Cbob", "C2Calice"], strict=True)
        )
        assert found.letters[0].reason == "failed"
        assert not found.more

    async def test_those_of_one_account(self, all_of_them: Commands, numbers: list[int]) -> None:
        assert [one.number for one in (await all_of_them.letters(Page("other"))).letters] == numbers[2:]

    async def test_a_part_says_that_there_are_more(self, all_of_them: Commands, numbers: list[int]) -> None:
        found = await all_of_them.letters(Page("bot", limit=1))
        assert ([one.number for one in found.letters], found.more) == (numbers[:1], True)
        rest = await all_of_them.letters(Page("bot", after=numbers[0], limit=1))
        assert ([one.number for one in rest.letters], rest.more) == (numbers[1:2], False)

    async def test_an_account_that_is_not_there(self, all_of_them: Commands) -> None:
        with pytest.raises(ControlError, match="no account 'nobody'") as caught:
            await all_of_them.letters(Page("nobody"))
        assert caught.value.hint == "There is bot, other."

    async def test_one_is_shown_with_what_was_done_before(self, all_of_them: Commands, numbers: list[int]) -> None:
        found = await all_of_them.show(Which((numbers[1],)))
        assert (found.letter.number, found.letter.conversation) == (numbers[1], "C2Cbob")
        assert [(step.handler, step.kind, step.name) for step in found.steps] == [("shop:answer", "once", "save")]
        assert [(sent.target, sent.state) for sent in found.messages] == [("C2Cbob", "unknown")]

    @pytest.mark.parametrize("number", [1 << 40, 4])
    async def test_one_that_is_not_there(self, all_of_them: Commands, number: int) -> None:
        with pytest.raises(ControlError, match=f"no dead letter {number}"):
            await all_of_them.show(Which((number,)))

    async def test_what_is_tried_again_is_told_to_the_runtime(
        self, all_of_them: Commands, desks: list[Running], numbers: list[int]
    ) -> None:
        changed = await all_of_them.retry(Which((numbers[2], 999, numbers[0], numbers[0])))
        assert changed == Changed((numbers[2], numbers[0]), (999,))
        assert desks[0].told == [(numbers[0], "C2Calice")]
        assert desks[1].told == [(numbers[2], "C2Calice")]
        assert [one.number for one in (await all_of_them.letters(Page())).letters] == [numbers[1]]
        assert (await desks[0].journal.counts())["open"] == 1

    async def test_what_is_dropped_is_gone(self, all_of_them: Commands, desks: list[Running], numbers: list[int]) -> None:
        assert await all_of_them.drop(Which((numbers[0], 999))) == Changed((numbers[0],), (999,))
        assert [one.number for one in (await all_of_them.letters(Page())).letters] == numbers[1:]
        assert desks[0].told == []

    async def test_what_belongs_to_another_account_is_left_alone(self, all_of_them: Commands, numbers: list[int]) -> None:
        assert await all_of_them.drop(Which((numbers[0],), "other")) == Changed((), (numbers[0],))


class TestWhatPeopleWrote:
    async def told(self, all_of_them: Commands, numbers: list[int], texts: bool) -> list[str]:
        answers: list[msgspec.Struct] = [
            await all_of_them.letters(Page(texts=texts)),
            await all_of_them.show(Which((numbers[0],), texts=texts)),
            await all_of_them.unknown(Page(texts=texts)),
        ]
        return [msgspec.json.encode(answer).decode() for answer in answers]

    async def test_it_is_told_only_where_it_is_asked_for(self, all_of_them: Commands, numbers: list[int]) -> None:
        assert not [text for text in await self.told(all_of_them, numbers, False) if "alice wrote" in text]
        assert "ValueError: ..." in (await self.told(all_of_them, numbers, False))[0]

    async def test_and_there_it_is(self, all_of_them: Commands, numbers: list[int]) -> None:
        listed, shown, unknown = await self.told(all_of_them, numbers, True)
        assert listed.count(WORDS) == 6  # each letter's body and detail
        assert shown.count(WORDS) == 4  # the event, the detail, the step, the message
        assert unknown.count(WORDS) == 3

    async def test_secrets_never_are(self, all_of_them: Commands, numbers: list[int]) -> None:
        register(WORDS)
        assert not [text for text in await self.told(all_of_them, numbers, True) if "alice wrote" in text]

    async def test_bytes_that_are_no_text_are_shown_all_the_same(self, desks: list[Running]) -> None:
        await desks[0].journal.resume()
        await desks[0].journal.take([NewEvent("", "broken", None, b"\xff\x00", 1.0, dead="broken")], Change())
        found = await Commands(lambda: desks).letters(Page(texts=True))
        assert found.letters[0].body == "ff00"


async def test_messages_that_nobody_knows_the_end_of(all_of_them: Commands) -> None:
    found = await all_of_them.unknown(Page())
    assert [(one.account, one.target, one.by, one.intended) for one in found.messages] == [
        ("bot", "C2Calice", "shop:answer", 1001.0),
        ("bot", "C2Cbob", "shop:answer", 1001.0),
        ("other", "C2Calice", "shop:answer", 1001.0),
    ]
    part = await all_of_them.unknown(Page("bot", limit=1))
    assert (len(part.messages), part.more) == (1, True)


async def test_a_person_is_let_go_before_being_forgotten(all_of_them: Commands, desks: list[Running]) -> None:
    found = await all_of_them.forget(Whom("alice"))
    assert found.rows.keys() == {"bot", "other"}
    assert min(found.rows.values()) > 0
    assert (desks[0].told, desks[1].told) == ([("alice", 2)], [("alice", 1)])
    assert [one.conversation for one in (await all_of_them.letters(Page())).letters] == ["C2Cbob"]


async def test_how_it_is(all_of_them: Commands) -> None:
    status = await all_of_them.status(Nothing())
    assert status.health == {"status": "ok"}
    assert {name: counts["dead"] for name, counts in status.journals.items()} == {"bot": 2, "other": 1}
    assert {name: counts["unknown"] for name, counts in status.journals.items()} == {"bot": 2, "other": 1}


@pytest.mark.parametrize(
    ("command", "args"),
    [
        ("dlq.list", {"limit": 0}),
        ("dlq.list", {"limit": 1001}),
        ("dlq.list", {"after": -1}),
        ("dlq.drop", {"numbers": []}),
        ("dlq.drop", {"numbers": [0]}),
        ("dlq.drop", {"numbers": [1 << 63]}),
        ("dlq.drop", {"numbers": list(range(1, 1002))}),
        ("forget", {"user_id": ""}),
        ("forget", {"user_id": "x" * 129}),
        ("forget", {}),
    ],
)
async def test_what_is_out_of_bounds_is_refused(all_of_them: Commands, command: str, args: dict[str, object]) -> None:
    registry = Registry()
    all_of_them.register(registry)
    with pytest.raises(ControlError, match=f"'{command}' takes something else"):
        await registry.run(command, json.dumps(args).encode())


class TestOfAStoppedBot:
    @pytest.fixture
    async def folder(self, tmp_path: Path) -> Path:
        async with await Database.open(tmp_path) as database:
            await fill(SqliteJournal(database, KEY), "alice", "bob")
        return tmp_path

    async def ask(self, folder: Path, command: str, args: msgspec.Struct) -> msgspec.Struct:
        async with commands(folder) as registry:
            return await registry.run(command, msgspec.json.encode(args))

    async def test_its_journals_are_found(self, folder: Path) -> None:
        listed = await self.ask(folder, "dlq.list", Page())
        assert isinstance(listed, Letters)
        assert [(one.number, one.account) for one in listed.letters] == [(1, KEY), (2, KEY)]
        shown = await self.ask(folder, "dlq.show", Which((1,), "bot"))
        assert isinstance(shown, Shown)
        unknown = await self.ask(folder, "outbox.unknown", Page(KEY))
        assert isinstance(unknown, Messages)
        assert len(unknown.messages) == 2

    async def test_what_is_tried_again_is_open_at_the_next_start(self, folder: Path) -> None:
        assert await self.ask(folder, "dlq.retry", Which((2,))) == Changed((2,), ())
        async with await Database.open(folder) as database:
            resumed = await SqliteJournal(database, KEY).resume()
        assert [(lane.lane, lane.first) for lane in resumed.lanes] == [("C2Cbob", 2)]

    async def test_a_person_is_forgotten(self, folder: Path) -> None:
        forgotten = await self.ask(folder, "forget", Whom("alice"))
        assert isinstance(forgotten, Forgotten)
        status = await self.ask(folder, "status", Nothing())
        assert isinstance(status, Status)
        assert status.journals[KEY]["dead"] == 1

    async def test_one_that_runs_without_a_socket_must_be_stopped_first(self, folder: Path) -> None:
        async with await Database.open(folder):
            with pytest.raises(ControlError, match="no control socket"):
                await self.ask(folder, "dlq.list", Page())

    async def test_where_nothing_is_nothing_is_made(self, tmp_path: Path) -> None:
        with pytest.raises(ControlError, match="no bot's state"):
            await self.ask(tmp_path / "none", "dlq.list", Page())
        assert not (tmp_path / "none").exists()
