"""Login, logout, heartbeat, acknowledgement, synchronisation, configuration."""

from __future__ import annotations

from typing import Final

from timbot.im.wire.commands import status as wire
from timbot.im.wire.commands.base import Empty
from timbot.im.wire.envelope import Answer
from timbot.im.wire.pushes import PushItem
from timbot.im.wire.value import UNSET, Raw, encode, given
from timbot.sandbox.auth import Gate
from timbot.sandbox.domain import Code, Domain, Refused
from timbot.sandbox.front.desk import Call, Desk
from timbot.sandbox.front.pushes import Pushes, position_of
from timbot.sandbox.front.render import Render
from timbot.sandbox.presence import Presence

MORE_TO_COME: Final = 1
ALL_OF_IT: Final = 2
SYNC_PAGE: Final = 50
"""Messages in a page of `getmsg`: few enough that clients really have to page."""

CONFIG_VERSION: Final = 1
CONFIG_LIFETIME: Final = 3600
AUTH_KEY_LIFETIME: Final = 86_400


class Status:
    """The commands around a login. `hello_interval`: seconds between a client's hellos."""

    def __init__(
        self, domain: Domain, gate: Gate, presence: Presence, render: Render, pushes: Pushes, hello_interval: int
    ) -> None:
        self._domain = domain
        self._gate = gate
        self._presence = presence
        self._render = render
        self._pushes = pushes
        self._hello_interval = hello_interval

    def register(self, desk: Desk) -> None:
        """Take these commands."""
        desk.add(wire.LOGIN, self.login)
        desk.add(wire.LOGOUT, self.logout)
        desk.add(wire.HELLO, self.hello)
        desk.add(wire.HEARTBEAT, self.alive)
        desk.add(wire.REPORT, self.alive)
        desk.add(wire.ACK, self.acknowledge)
        desk.add(wire.SYNC, self.sync)
        desk.add(wire.AUTH_KEY, self.auth_key)
        desk.add(wire.CONFIG, self.config)

    def login(self, call: Call, _request: wire.LoginRequest) -> wire.LoginAnswer:
        """With a signature a new login, with a ticket an old one that comes back on a new connection."""
        identity, accounts = call.identity, self._domain.accounts
        ticket = None if identity is None else identity.ticket
        if ticket is not None:
            accounts.resume(ticket.user, ticket.instance)
        else:
            account = accounts.ensure(call.user)
            self._end_login_of(call)
            instance = accounts.login(account.user_id)
            expires = 0 if identity is None else identity.expires_at
            ticket = self._gate.issue(account.user_id, account.tiny_id, instance.instance_id, expires)
        self._presence.bind(call.line, ticket.user, ticket.instance)
        return wire.LoginAnswer(
            a2_key=ticket.a2,
            tiny_id=ticket.tiny_id,
            inst_id=ticket.instance,
            hello_interval=self._hello_interval,
            time_stamp=self._domain.time(),
        )

    def logout(self, call: Call, _request: wire.LogoutRequest) -> Answer:
        """End the login. The connection stays, and its heartbeats are answered."""
        if call.identity is not None and call.identity.ticket is not None:
            call.identity.ticket.logged_out = True
        self._domain.accounts.logout(call.user, call.instance)
        self._presence.release(call.user, call.instance)
        return Answer()

    def hello(self, _call: Call, _request: Empty) -> wire.HelloAnswer:
        """A sign of life of the login. That it was kicked is said before it gets here."""
        return wire.HelloAnswer()

    def alive(self, _call: Call, _request: Empty) -> Answer:
        """A sign of life of the connection, or statistics: neither asks for anything."""
        return Answer()

    def acknowledge(self, call: Call, request: wire.AckRequest) -> Answer:
        """A push has arrived."""
        position = position_of(request.session_data)
        if position and call.instance:
            self._domain.chats.acknowledged(call.user, call.instance, position)
        return Answer()

    def sync(self, call: Call, request: wire.SyncRequest) -> wire.SyncAnswer:
        """A page of what was missed. The first page of each round repeats the notices nobody has dealt with."""
        if not call.instance:
            raise Refused(Code.C2C_BAD_REQUEST, "only a login has something to catch up with")
        after = self._cursor(call.user, request.cookie)
        page = self._domain.chats.pending(call.user, call.instance, after, SYNC_PAGE)
        items: list[PushItem] = []
        if request.sync_flag != MORE_TO_COME:
            waiting = self._domain.group_applications.notices_for(call.user)
            items = [self._pushes.item(call.user, notice, call.line.dialect) for notice in waiting]
        return wire.SyncAnswer(
            cookie=self._cookie(call.user, page.cursor),
            sync_flag=ALL_OF_IT if page.complete else MORE_TO_COME,
            msg_list=[Raw(encode(self._render.c2c(message))) for message in page.messages],
            event_array=[Raw(encode(item)) for item in items] or UNSET,
            c2c_remaining_unread_count=[
                wire.RemainingUnread(from_account=left.peer, count=left.count, last_msg_time=left.last_time)
                for left in page.remaining
            ],
            c2c_pair_unread_count=[wire.PairUnread(from_account=each.peer, unread_count=each.count) for each in page.unread],
        )

    def auth_key(self, _call: Call, _request: Empty) -> wire.AuthKeyAnswer:
        """A key for media of very old clients. There are none here, so it opens nothing."""
        return wire.AuthKeyAnswer(auth_key="0" * 40, expire_time=str(AUTH_KEY_LIFETIME))

    def config(self, _call: Call, request: wire.ConfigRequest) -> wire.ConfigAnswer:
        """The cloud configuration: nothing out of the ordinary."""
        return wire.ConfigAnswer(
            int32_error_code=0,
            str_error_message="",
            uint32_sdkappid=given(request.uint32_sdkappid, 0),
            uint64_version=CONFIG_VERSION,
            uint32_expired_time=CONFIG_LIFETIME,
            str_json_config="{}",
        )

    def _end_login_of(self, call: Call) -> None:
        """A connection that logs in anew gives its old login up; otherwise it would be told of its own kick."""
        owner = call.line.owner
        if owner is not None:
            self._domain.accounts.logout(*owner)
            self._presence.release(*owner)

    def _cookie(self, user: str, cursor: int) -> str:
        return f"{self._domain.world_id}.{user}.{cursor}"

    def _cursor(self, user: str, cookie: str) -> int | None:
        """The place a cookie stands for; one of another account or another world stands for nothing."""
        mine, _, place = cookie.rpartition(".")
        if mine != f"{self._domain.world_id}.{user}" or not (place.isascii() and place.isdigit() and len(place) < 19):
            return None
        return int(place)
