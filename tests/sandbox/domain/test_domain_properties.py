"""Random walks through the domain, checked against what a client would know from its notices alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise

from domain_site import EVERY_TYPE, USERS, Site, ignoring_refusals
from hypothesis import given, settings
from hypothesis import strategies as st

from timbot.sandbox.domain import Refused, Settings
from timbot.sandbox.domain.group_rules import GroupType, Role
from timbot.sandbox.domain.limits import DAY
from timbot.sandbox.domain.messages import GroupChanges
from timbot.sandbox.domain.notices import (
    ApplicationAdded,
    ApplicationRemoved,
    BlacklistAdded,
    BlacklistRemoved,
    C2CArrived,
    FriendsAdded,
    FriendsRemoved,
    GroupArrived,
    GroupTipped,
    Notice,
)
from timbot.sandbox.domain.profiles import AllowType, ProfileField

user = st.sampled_from(USERS)
small = st.integers(0, 3)

GROUP_VERBS = ("say", "whisper", "repeat", "join", "add", "remove", "quit", "name", "role", "mute", "recall", "wait")
group_steps = st.lists(st.tuples(st.sampled_from(GROUP_VERBS), user, user, small), max_size=40)


def group_call(site: Site, group: str, verb: str, who: str, whom: str, number: int) -> Callable[[], object]:
    domain = site.domain
    calls: dict[str, Callable[[], object]] = {
        "say": lambda: site.say(who, group),
        "whisper": lambda: site.say(who, group, online_only=True),
        "repeat": lambda: site.say(who, group, random=1_000_000 + number),
        "join": lambda: domain.group_members.join(who, group),
        "add": lambda: domain.group_members.add("administrator", group, [whom]),
        "remove": lambda: domain.group_members.remove(who, group, [whom]),
        "quit": lambda: domain.group_members.quit(who, group),
        "name": lambda: domain.groups.modify(who, group, GroupChanges(name=f"name {number}")),
        "role": lambda: domain.group_members.set_role(who, group, whom, Role(1 + number % 2)),
        "mute": lambda: domain.group_members.mute(who, group, whom, number),
        "recall": lambda: domain.group_messages.recall(who, group, [number]),
        "wait": lambda: setattr(site, "now", site.now + 100 * number),
    }
    return calls[verb]


def members_of(site: Site, group: str) -> set[str]:
    page = site.domain.group_members.get("administrator", group, USERS)
    return {member.user_id for member in page}


def stream(notices: list[Notice]) -> list[int]:
    """The sequences a member was shown."""
    shown: list[int] = []
    for notice in notices:
        if isinstance(notice, GroupArrived):
            shown.append(notice.message.sequence)
        elif isinstance(notice, GroupTipped):
            shown.append(notice.tip.sequence)
    return [sequence for sequence in shown if sequence]


@given(st.sampled_from(EVERY_TYPE), group_steps)
@settings(deadline=None)
def test_an_owner_who_is_always_there_sees_every_sequence_once_and_without_gap(
    kind: GroupType, steps: list[tuple[str, str, str, int]]
) -> None:
    site = Site(users=(*USERS, "watcher"))
    group = site.group(kind, owner="watcher")
    site.online("watcher")
    for verb, who, whom, number in steps:
        ignoring_refusals(group_call(site, group, verb, who, whom, number))
    seen = stream(site.heard_by("watcher"))
    newest = site.domain.groups.info("watcher", group).next_sequence - 1
    assert seen == list(range(1, newest + 1))


@given(st.sampled_from(EVERY_TYPE), group_steps)
@settings(deadline=None)
def test_members_see_exactly_what_happens_while_they_are_in(kind: GroupType, steps: list[tuple[str, str, str, int]]) -> None:
    site = Site(users=(*USERS, "watcher"))
    group = site.group(kind, owner="watcher")
    site.online("watcher", *USERS)
    for verb, who, whom, number in steps:
        ignoring_refusals(group_call(site, group, verb, who, whom, number))
        inside = members_of(site, group)
        heard: dict[str, list[Notice]] = defaultdict(list)
        for to, notice in site.heard():
            heard[to].append(notice)
        happened = stream(heard["watcher"])
        assert {name: stream(heard[name]) for name in USERS} == {name: happened if name in inside else [] for name in USERS}


@given(st.sampled_from([t for t in EVERY_TYPE if t is not GroupType.AV_CHAT_ROOM]), group_steps, st.integers(1, 5))
@settings(deadline=None)
def test_history_pages_put_together_are_the_stream(kind: GroupType, steps: list[tuple[str, str, str, int]], count: int) -> None:
    site = Site(users=(*USERS, "watcher"))
    group = site.group(kind, owner="watcher")
    site.online("watcher")
    for verb, who, whom, number in steps:
        ignoring_refusals(group_call(site, group, verb, who, whom, number))
    found: list[int] = []
    newest: int | None = None
    while True:
        page = site.domain.group_messages.history("watcher", group, newest, count)
        found += [record.sequence for record in page.records]
        if page.complete:
            break
        newest = found[-1] - 1
    assert found == sorted(stream(site.heard_by("watcher")), reverse=True)


@given(st.lists(st.tuples(user, small, st.integers(0, 400)), max_size=40))
def test_no_group_message_is_delivered_twice_within_five_minutes(sends: list[tuple[str, int, int]]) -> None:
    site = Site(users=(*USERS, "watcher"))
    group = site.group(GroupType.MEETING, *USERS, owner="watcher")
    site.online("watcher")
    for who, random, wait in sends:
        site.now += wait
        site.say(who, group, random=random)
    times: dict[tuple[str, int], list[int]] = defaultdict(list)
    for notice in site.heard_by("watcher", GroupArrived):
        assert isinstance(notice, GroupArrived)
        times[notice.message.sender, notice.message.random].append(notice.message.time)
    assert all(later - earlier >= 300 for sent in times.values() for earlier, later in pairwise(sent))


@given(st.lists(st.tuples(user, user, small, st.integers(0, 2)), max_size=40))
def test_c2c_deliveries_are_one_for_each_second_and_random(sends: list[tuple[str, str, int, int]]) -> None:
    site = Site()
    expected: set[tuple[str, str, int, int]] = set()
    for sender, receiver, random, wait in sends:
        site.now += wait
        sent = site.c2c(sender, receiver, random=random)
        key = (sender, receiver, random, sent.time)
        assert sent.duplicate == (key in expected)
        expected.add(key)
    kept = {
        (m.sender, m.receiver, m.random, m.time)
        for one in USERS
        for other in USERS
        for m in site.domain.chats.history(one, other, 1000).messages
    }
    assert kept == expected


class Client:
    """Alice's client: it keeps its cursor, and acknowledges every push at once or never."""

    def __init__(self, site: Site, *, acknowledges: bool) -> None:
        self.site = site
        self.acknowledges = acknowledges
        self.cursor: int | None = None
        self.got: list[object] = []
        self.instance = site.online("alice")[0].instance_id
        self.sync(3)

    def sync(self, limit: int) -> None:
        while True:
            page = self.site.domain.chats.pending("alice", self.instance, self.cursor, limit)
            self.got += [message.body for message in page.messages]
            self.cursor = page.cursor
            if page.complete:
                return

    def take_pushes(self) -> None:
        for notice in self.site.heard_by("alice", C2CArrived):
            assert isinstance(notice, C2CArrived)
            self.got.append(notice.message.body)
            if self.acknowledges:
                self.site.domain.chats.acknowledged("alice", self.instance, notice.position)

    def reconnect(self, limit: int) -> None:
        self.site.domain.accounts.resume("alice", self.instance)
        self.sync(limit)


inbox_steps = st.lists(
    st.tuples(st.sampled_from(["send", "drop", "back", "wait"]), st.sampled_from(USERS[1:]), st.integers(1, 4)),
    max_size=50,
)


def run_inbox(steps: list[tuple[str, str, int]], site: Site, client: Client) -> list[object]:
    sent: list[object] = []
    for verb, sender, number in steps:
        if verb == "send":
            site.c2c(sender, "alice", len(sent))
            sent.append(len(sent))
            client.take_pushes()
        elif verb == "drop":
            site.domain.accounts.drop("alice", client.instance)
        elif verb == "back":
            client.reconnect(number)
        else:
            site.now += number
    client.reconnect(3)
    return sent


@given(inbox_steps)
def test_a_client_that_acknowledges_gets_everything_once_and_in_order(steps: list[tuple[str, str, int]]) -> None:
    site = Site()
    client = Client(site, acknowledges=True)
    assert run_inbox(steps, site, client) == client.got


@given(inbox_steps)
def test_a_client_that_never_acknowledges_misses_nothing(steps: list[tuple[str, str, int]]) -> None:
    site = Site()
    client = Client(site, acknowledges=False)
    assert set(run_inbox(steps, site, client)) == set(client.got)


@given(inbox_steps)
def test_with_forget_nothing_pushed_comes_again(steps: list[tuple[str, str, int]]) -> None:
    site = Site(Settings(unacked="forget"))
    client = Client(site, acknowledges=False)
    assert run_inbox(steps, site, client) == client.got


@given(inbox_steps)
def test_what_the_queue_gave_is_in_the_history(steps: list[tuple[str, str, int]]) -> None:
    site = Site()
    client = Client(site, acknowledges=True)
    run_inbox(steps, site, client)
    kept = [m.body for peer in USERS[1:] for m in site.domain.chats.history("alice", peer, 1000).messages]
    assert sorted(map(str, client.got)) == sorted(map(str, kept))


FRIEND_VERBS = ("add", "add one way", "agree", "agree and add", "refuse", "withdraw", "end", "end both", "block", "unblock")


def friend_call(site: Site, verb: str, who: str, whom: str) -> Callable[[], object]:
    domain = site.domain
    calls: dict[str, Callable[[], object]] = {
        "add": lambda: domain.friends.add(who, whom),
        "add one way": lambda: domain.friends.add(who, whom, mutual=False),
        "agree": lambda: domain.friend_applications.accept(who, whom, add_back=False),
        "agree and add": lambda: domain.friend_applications.accept(who, whom, add_back=True),
        "refuse": lambda: domain.friend_applications.refuse(who, whom),
        "withdraw": lambda: domain.friend_applications.delete(who, whom, incoming=False),
        "end": lambda: domain.friends.delete(who, [whom], both=False),
        "end both": lambda: domain.friends.delete(who, [whom], both=True),
        "block": lambda: domain.blacklist.add(who, [whom]),
        "unblock": lambda: domain.blacklist.delete(who, [whom]),
    }
    return calls[verb]


class Relatives:
    """What a client knows of its relations if it believes its notices."""

    def __init__(self) -> None:
        self.friends: set[str] = set()
        self.blocked: set[str] = set()
        self.applications: set[tuple[str, bool]] = set()

    def learn(self, notice: Notice) -> None:
        match notice:
            case FriendsAdded(users):
                assert not self.friends & set(users)
                self.friends |= set(users)
            case FriendsRemoved(users):
                assert self.friends >= set(users), "clients stumble over the removal of a stranger"
                self.friends -= set(users)
            case BlacklistAdded(users):
                self.blocked |= set(users)
            case BlacklistRemoved(users):
                self.blocked -= set(users)
            case ApplicationAdded(peer=peer, incoming=incoming):
                self.applications.add((peer, incoming))
            case ApplicationRemoved(peer, incoming):
                self.applications.discard((peer, incoming))
            case _:
                pass


@given(st.lists(st.tuples(st.sampled_from(FRIEND_VERBS), user, user), max_size=40), user)
def test_notices_alone_keep_a_clients_relations_right(steps: list[tuple[str, str, str]], open_house: str) -> None:
    site = Site()
    site.domain.profiles.set(open_house, {ProfileField.ALLOW_TYPE: AllowType.ALLOW_ANY.value})
    site.online(*USERS)
    known = {name: Relatives() for name in USERS}
    for verb, who, whom in steps:
        ignoring_refusals(friend_call(site, verb, who, whom))
        for to, notice in site.heard():
            known[to].learn(notice)
    for name, relatives in known.items():
        listed = site.domain.friend_applications.listed(name)
        pending = {(a.applicant, True) for a in listed.incoming} | {(a.target, False) for a in listed.outgoing}
        assert relatives.friends == {friend.user_id for friend in site.domain.friends.listed(name)}
        assert relatives.blocked == {blocked for blocked, _ in site.domain.blacklist.listed(name)}
        assert relatives.applications == pending


@given(st.sampled_from(EVERY_TYPE), group_steps)
@settings(deadline=None)
def test_a_refused_group_call_tells_nobody_anything(kind: GroupType, steps: list[tuple[str, str, str, int]]) -> None:
    site = Site(users=(*USERS, "watcher"))
    group = site.group(kind, owner="watcher")
    site.online("watcher", *USERS)
    for verb, who, whom, number in steps:
        before = site.domain.groups.info("administrator", group)
        try:
            group_call(site, group, verb, who, whom, number)()
        except Refused:
            assert site.heard() == []
            assert site.domain.groups.info("administrator", group) == before
        site.heard()


@given(st.sampled_from(EVERY_TYPE), group_steps)
@settings(deadline=None)
def test_a_week_later_pruning_leaves_counters_and_members_only(kind: GroupType, steps: list[tuple[str, str, str, int]]) -> None:
    site = Site(users=(*USERS, "watcher"))
    group = site.group(kind, owner="watcher")
    for verb, who, whom, number in steps:
        ignoring_refusals(group_call(site, group, verb, who, whom, number))
    before = site.domain.groups.info("watcher", group)
    site.now += 8 * DAY
    site.domain.prune()
    after = site.domain.groups.info("watcher", group)
    assert (after.next_sequence, after.member_count) == (before.next_sequence, before.member_count)
    assert site.domain.group_messages.last_message("watcher", group) is None
