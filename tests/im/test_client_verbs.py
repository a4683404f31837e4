"""Every verb of the client against the sandbox: what it gives, what it refuses, and what the other side is told."""

from __future__ import annotations

import asyncio

import pytest
from client_site import C2C, GROUP, Seat, Site, quiet, sequences

from timbot.errors import InvalidArgument, ServerError
from timbot.im.api.messages import MessageDropped
from timbot.im.model import events as model
from timbot.im.model.group import GroupType, JoinOption, JoinStatus
from timbot.im.model.message import AT_ALL, Message, Priority
from timbot.im.model.payloads import Custom, Face, Image, Location, Text


@pytest.fixture
async def alice(site: Site) -> Seat:
    return await site.enter("alice")


@pytest.fixture
async def bot(site: Site) -> Seat:
    return await site.enter("bot")


@pytest.fixture
async def lobby(bot: Seat, alice: Seat) -> str:
    group = await bot.client.create_group(GroupType.PUBLIC, "Lobby", member_list=["alice"])
    await quiet()
    bot.forget()
    alice.forget()
    return group


class TestC2C:
    async def test_a_text_arrives(self, alice: Seat, bot: Seat) -> None:
        (sent,) = await alice.say("bot", "hello \U0001f600")
        await quiet()
        (got,) = bot.messages()
        assert (got.text, got.from_, got.to, got.flow, got.conversation_id) == (
            "hello \U0001f600", "alice", "bot", "in", "C2Calice",
        )  # fmt: skip
        assert (got.sequence, got.random, got.time) == (sent.sequence, sent.random, sent.time)
        assert (sent.flow, sent.conversation_id, sent.text) == ("out", "C2Cbot", "hello \U0001f600")
        assert alice.of(model.OwnMessage) == []

    @pytest.mark.parametrize("payload", [Custom("dice", "six", '{"n":6}'), Face(3, "smile"), Location(1.5, -2.5, "here")])
    async def test_other_payloads_arrive(self, alice: Seat, bot: Seat, payload: Custom | Face | Location) -> None:
        await alice.client.send_message(alice.client.create_message("bot", C2C, payload))
        await quiet()
        assert [message.payload for message in bot.messages()] == [payload]

    async def test_the_makers_of_payloads(self, alice: Seat) -> None:
        client = alice.client
        assert client.create_custom_message("bot", C2C, "d", "e", "f").payload == Custom("d", "e", "f")
        assert client.create_face_message("bot", C2C, 1, "x").payload == Face(1, "x")
        assert client.create_text_message("g", GROUP, "x", priority=Priority.HIGH).priority is Priority.HIGH

    async def test_cloud_data_travels_with_it(self, alice: Seat, bot: Seat) -> None:
        await alice.client.send_message(alice.client.create_text_message("bot", C2C, "x", cloud_custom_data="{}"))
        await quiet()
        assert bot.messages()[0].cloud_custom_data == "{}"

    async def test_nobody_is_refused(self, alice: Seat) -> None:
        with pytest.raises(ServerError) as refused:
            await alice.say("nobody", "hello")
        assert refused.value.code == 20003

    async def test_too_long_is_refused(self, alice: Seat) -> None:
        with pytest.raises(ServerError) as refused:
            await alice.say("bot", "x" * 13_000)
        assert refused.value.code == 93000

    @pytest.mark.parametrize("payload", [Text(""), Custom(), Image("u", 1, ())])
    async def test_nothing_to_send_is_found_before(self, alice: Seat, payload: Text) -> None:
        with pytest.raises(InvalidArgument) as wrong:
            alice.client.create_message("bot", C2C, payload)
        assert wrong.value.code == 2403

    async def test_a_receiver_is_needed(self, alice: Seat) -> None:
        with pytest.raises(InvalidArgument, match="'to'"):
            alice.client.create_text_message("", C2C, "x")

    async def test_online_only_is_kept_nowhere(self, alice: Seat, bot: Seat) -> None:
        message = alice.client.create_text_message("bot", C2C, "now or never")
        await alice.client.send_message(message, online_user_only=True)
        await quiet()
        assert bot.messages()[0].online_only
        assert (await bot.client.get_message_list("C2Calice")).messages == ()

    async def test_sequences_rise(self, alice: Seat) -> None:
        numbers = [alice.client.create_text_message("bot", C2C, "x").sequence for _turn in range(100)]
        assert numbers == sorted(set(numbers))
        assert numbers[-1] < 2**32

    async def test_another_instance_sees_what_was_sent(self, site: Site, alice: Seat, bot: Seat) -> None:
        other = await site.enter("alice")
        await alice.say("bot", "hello")
        await quiet()
        (own,) = other.of(model.OwnMessage)
        assert (own.message.text, own.message.conversation_id, own.message.flow) == ("hello", "C2Cbot", "out")
        assert alice.of(model.OwnMessage) == []

    async def test_a_message_is_taken_back(self, alice: Seat, bot: Seat) -> None:
        (sent,) = await alice.say("bot", "oops")
        await quiet()
        await alice.client.revoke_message(sent)
        await quiet()
        (revoked,) = bot.of(model.MessageRevoked)
        assert revoked == model.MessageRevoked("C2Calice", "alice", sent.sequence, sent.random)
        with pytest.raises(ServerError) as refused:
            await alice.client.revoke_message(sent)
        assert refused.value.code == 20023

    async def test_but_not_after_two_minutes(self, alice: Seat, bot: Seat) -> None:
        (sent,) = await alice.say("bot", "oops")
        await asyncio.sleep(130)
        with pytest.raises(ServerError) as refused:
            await alice.client.revoke_message(sent)
        assert refused.value.code == 20016

    async def test_reading_is_reported(self, alice: Seat, bot: Seat) -> None:
        (sent,) = await alice.say("bot", "hello")
        await bot.client.set_message_read("C2Calice", sent.time)
        await quiet()
        assert alice.of(model.MessageReadByPeer) == [model.MessageReadByPeer("bot", sent.time)]

    async def test_history_in_pages(self, alice: Seat, bot: Seat) -> None:
        await alice.say("bot", *[str(number) for number in range(33)])
        pages, cursor = [], None
        while True:
            page = await bot.client.get_message_list("C2Calice", cursor=cursor)
            pages.append([message.text for message in page.messages])
            cursor = page.next_cursor
            if page.is_completed:
                break
        assert [len(page) for page in pages] == [15, 15, 3]
        assert [text for page in reversed(pages) for text in page] == [str(number) for number in range(33)]

    async def test_a_conversation_id_says_its_kind(self, bot: Seat) -> None:
        with pytest.raises(ValueError, match="C2C<user> or GROUP<group>"):
            await bot.client.get_message_list("alice")

    async def test_a_sent_message_is_found_again(self, alice: Seat, bot: Seat, site: Site) -> None:
        message = alice.client.create_text_message("bot", C2C, "needle")
        assert await alice.client.find_sent(message, site.clock.now()) is None
        await alice.client.send_message(message)
        await alice.say("bot", *["hay"] * 40)
        found = await alice.client.find_sent(message, site.clock.now())
        assert found
        assert found.text == "needle"


class TestGroups:
    async def test_a_text_arrives(self, lobby: str, alice: Seat, bot: Seat) -> None:
        (sent,) = await alice.say(lobby, "hello", kind=GROUP)
        await quiet()
        (got,) = bot.messages()
        assert (got.text, got.from_, got.conversation_id, got.sequence) == ("hello", "alice", f"GROUP{lobby}", sent.sequence)
        assert sent.sequence > 0

    async def test_a_mention_says_whom(self, lobby: str, alice: Seat, bot: Seat) -> None:
        make = alice.client.create_text_at_message
        await alice.client.send_message(make(lobby, "@bot hello", ["bot"]))
        await alice.client.send_message(make(lobby, "@all hello", [AT_ALL]))
        await quiet()
        assert [message.at_user_list for message in bot.messages()] == [("bot",), (AT_ALL,)]
        assert [(mention.everybody, mention.from_) for mention in bot.of(model.Mentioned)] == [
            (False, "alice"),
            (True, "alice"),
        ]

    async def test_priority_travels(self, lobby: str, alice: Seat, bot: Seat) -> None:
        await alice.client.send_message(alice.client.create_text_message(lobby, GROUP, "x", priority=Priority.HIGH))
        await quiet()
        assert bot.messages()[0].priority is Priority.HIGH

    async def test_above_40_a_second_messages_are_dropped(self, lobby: str, alice: Seat) -> None:
        outcomes = await asyncio.gather(*[alice.say(lobby, str(n), kind=GROUP) for n in range(45)], return_exceptions=True)
        dropped = [outcome for outcome in outcomes if isinstance(outcome, MessageDropped)]
        assert len(dropped) == 5
        assert dropped[0].reason == "MsgFreqCtrl"

    async def test_a_stranger_may_not_speak(self, site: Site, lobby: str) -> None:
        carol = await site.enter("carol")
        with pytest.raises(ServerError) as refused:
            await carol.say(lobby, "hello", kind=GROUP)
        assert refused.value.code == 10007

    async def test_a_message_is_taken_back(self, lobby: str, alice: Seat, bot: Seat) -> None:
        (sent,) = await alice.say(lobby, "oops", kind=GROUP)
        await alice.client.revoke_message(sent)
        await quiet()
        (revoked,) = bot.of(model.MessageRevoked)
        assert (revoked.conversation_id, revoked.sequence) == (f"GROUP{lobby}", sent.sequence)
        with pytest.raises(ServerError) as refused:
            await alice.client.revoke_message(sent)
        assert refused.value.code == 10032

    async def test_reading_is_told_to_the_other_instance(self, site: Site, lobby: str, alice: Seat, bot: Seat) -> None:
        other = await site.enter("bot")
        (sent,) = await alice.say(lobby, "hello", kind=GROUP)
        await bot.client.set_message_read(f"GROUP{lobby}", sent.sequence)
        await quiet()
        assert other.of(model.ReadElsewhere) == [model.ReadElsewhere(f"GROUP{lobby}", sent.sequence)]

    async def test_history_in_pages(self, lobby: str, alice: Seat, bot: Seat) -> None:
        sent = await alice.say(lobby, *[str(number) for number in range(33)], kind=GROUP)
        found: list[Message] = []
        cursor = None
        while True:
            page = await bot.client.get_message_list(f"GROUP{lobby}", cursor=cursor)
            assert len(page.messages) <= 15
            found[:0] = page.messages
            cursor = page.next_cursor
            if page.is_completed:
                break
        assert sequences(found) == sequences(sent)
        assert [message.text for message in found] == [str(number) for number in range(33)]

    async def test_a_sent_message_is_found_again(self, lobby: str, alice: Seat, site: Site) -> None:
        message = alice.client.create_text_message(lobby, GROUP, "needle")
        assert await alice.client.find_sent(message, site.clock.now()) is None
        await alice.client.send_message(message)
        await alice.say(lobby, *["hay"] * 30, kind=GROUP)
        found = await alice.client.find_sent(message, site.clock.now())
        assert found
        assert found.text == "needle"

    async def test_the_list_and_the_members(self, lobby: str, bot: Seat) -> None:
        (group,) = await bot.client.get_group_list()
        assert (group.group_id, group.name, group.type, group.own_role) == (lobby, "Lobby", "Public", "Owner")
        members = await bot.client.get_group_member_list(lobby)
        assert [(member.user_id, member.role) for member in members] == [("bot", "Owner"), ("alice", "Member")]
        assert [member.user_id for member in await bot.client.get_group_member_list(lobby, count=1, offset=1)] == ["alice"]

    async def test_many_groups_come_in_pages(self, bot: Seat) -> None:
        names = [await bot.client.create_group(GroupType.WORK, f"g{number}") for number in range(60)]
        assert sorted(group.group_id for group in await bot.client.get_group_list()) == sorted(names)

    async def test_an_id_is_taken_once(self, bot: Seat, alice: Seat) -> None:
        assert await bot.client.create_group(GroupType.PUBLIC, "x", group_id="mine") == "mine"
        with pytest.raises(ServerError) as refused:
            await alice.client.create_group(GroupType.PUBLIC, "x", group_id="mine")
        assert refused.value.code in (10021, 10025)

    async def test_members_come_and_go(self, site: Site, lobby: str, bot: Seat) -> None:
        carol = await site.enter("carol")
        await bot.client.create_group(GroupType.PUBLIC, "open", group_id="open", join_option=JoinOption.FREE_ACCESS)
        bot.forget()
        assert await carol.client.join_group("open") is JoinStatus.SUCCESS
        await quiet()
        (joined,) = bot.of(model.MemberJoined)
        assert joined.user_ids == ("carol",)
        await carol.client.quit_group("open")
        await quiet()
        assert bot.of(model.GroupTip)[-1].type is model.TipType.MEMBER_QUIT

    async def test_an_owner_cannot_leave(self, lobby: str, bot: Seat) -> None:
        with pytest.raises(ServerError) as refused:
            await bot.client.quit_group(lobby)
        assert refused.value.code == 10009

    async def test_no_such_group(self, bot: Seat) -> None:
        with pytest.raises(ServerError) as refused:
            await bot.client.join_group("nowhere")
        assert refused.value.code in (10010, 10015)

    @pytest.mark.parametrize("agree", [True, False])
    async def test_an_application_is_decided(self, site: Site, bot: Seat, agree: bool) -> None:
        carol = await site.enter("carol")
        option = JoinOption.NEED_PERMISSION
        await bot.client.create_group(GroupType.PUBLIC, "club", group_id="club", join_option=option)
        assert await carol.client.join_group("club", apply_message="please") is JoinStatus.WAIT_APPROVAL
        await quiet()
        (application,) = bot.of(model.GroupApplication)
        assert (application.user_id, application.wording, application.group_id) == ("carol", "please", "club")
        await bot.client.handle_group_application(application, agree=agree, handle_message="well")
        await quiet()
        kind = model.NoticeType.JOIN_ACCEPTED if agree else model.NoticeType.JOIN_REFUSED
        assert [notice.type for notice in carol.of(model.GroupNotice)] == [kind]
        with pytest.raises(ServerError) as refused:
            await bot.client.handle_group_application(application, agree=agree)
        assert refused.value.code in (10013, 10024)


class TestPeople:
    async def test_profiles(self, alice: Seat, bot: Seat) -> None:
        await alice.client.update_my_profile(nick="Alice", birthday=19900101)
        (profile,) = await bot.client.get_user_profile(["alice", "nobody"])
        assert (profile.user_id, profile.nick, profile.birthday) == ("alice", "Alice", 19900101)
        assert (await alice.client.get_my_profile()).nick == "Alice"

    async def test_a_field_that_is_none(self, alice: Seat) -> None:
        with pytest.raises(InvalidArgument, match=r"no 'nik'.*nick") as wrong:
            await alice.client.update_my_profile(nik="Alice")
        assert wrong.value.code == 2721
        with pytest.raises(InvalidArgument) as nothing:
            await alice.client.update_my_profile()
        assert nothing.value.code == 2722

    async def test_friends_ask_and_agree(self, alice: Seat, bot: Seat) -> None:
        await bot.client.update_my_profile(allow_type="AllowType_Type_NeedConfirm")
        assert not await alice.client.add_friend("bot", wording="it is me")
        await quiet()
        (received,) = bot.of(model.FriendApplicationReceived)
        assert (received.application.user_id, received.application.wording) == ("alice", "it is me")
        listed = await bot.client.get_friend_application_list()
        assert [(item.user_id, item.incoming) for item in listed.applications] == [("alice", True)]
        assert listed.unread_count == 1
        outgoing = await alice.client.get_friend_application_list()
        assert [(item.user_id, item.incoming) for item in outgoing.applications] == [("bot", False)]
        assert alice.of(model.FriendApplicationReceived) == []
        await bot.client.accept_friend_application("alice", remark="Al")
        await quiet()
        added = model.RelationChange.FRIENDS_ADDED
        assert (added, ("bot",)) in [(event.change, event.user_ids) for event in alice.of(model.RelationsChanged)]
        assert (await bot.client.get_friend_application_list()).applications == ()

    async def test_friends_ask_and_are_refused(self, alice: Seat, bot: Seat) -> None:
        await bot.client.update_my_profile(allow_type="AllowType_Type_NeedConfirm")
        await alice.client.add_friend("bot")
        await bot.client.refuse_friend_application("alice")
        assert (await bot.client.get_friend_application_list()).applications == ()
        with pytest.raises(ServerError):
            await bot.client.accept_friend_application("alice")

    async def test_somebody_who_wants_none(self, alice: Seat, bot: Seat) -> None:
        await bot.client.update_my_profile(allow_type="AllowType_Type_DenyAny")
        with pytest.raises(ServerError) as refused:
            await alice.client.add_friend("bot")
        assert refused.value.code == 30516


class TestFriendList:
    async def test_nobody_yet(self, bot: Seat) -> None:
        assert await bot.client.get_friend_list() == ()

    async def test_a_friend_as_filed(self, alice: Seat, bot: Seat) -> None:
        await alice.client.add_friend("bot", wording="it is me", source="AddSource_Type_Shop")
        await bot.client.accept_friend_application("alice", remark="A.")
        (friend,) = await bot.client.get_friend_list()
        assert (friend.user_id, friend.remark, friend.groups, friend.custom) == ("alice", "A.", (), {})
        assert friend.time > 1_700_000_000

    async def test_page_by_page(self, site: Site, bot: Seat) -> None:
        names = [f"friend{number:03}" for number in range(250)]
        for name in names:
            site.sandbox.domain.accounts.ensure(name)
            site.sandbox.domain.friends.add(name, "bot", source="AddSource_Type_Web", mutual=True)
            site.sandbox.domain.friend_applications.accept("bot", name, add_back=True)
        assert [friend.user_id for friend in await bot.client.get_friend_list()] == names
