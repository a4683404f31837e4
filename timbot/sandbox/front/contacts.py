"""The conversation list."""

from __future__ import annotations

from typing import Final

from timbot.im.wire.commands import contacts as wire
from timbot.im.wire.envelope import Answer
from timbot.im.wire.value import Raw, encode, given
from timbot.sandbox.domain import Code, Domain, Refused
from timbot.sandbox.domain.contacts import Contact
from timbot.sandbox.domain.messages import Conversation, ConversationKind, GroupMessage
from timbot.sandbox.front.desk import Call, Desk
from timbot.sandbox.front.render import Render, revoker

PAGE: Final = 50
WHOLE_LIST: Final = 100
PIN, UNPIN = 1, 2


class Contacts:
    """The commands of `recentcontact`."""

    def __init__(self, domain: Domain, render: Render) -> None:
        self._domain = domain
        self._render = render

    def register(self, desk: Desk) -> None:
        """Take these commands."""
        desk.add(wire.PAGE, self.page)
        desk.add(wire.GET, self.get)
        desk.add(wire.DELETE, self.delete)
        desk.add(wire.BATCH_DELETE, self.batch_delete)
        desk.add(wire.TOP, self.top)

    def page(self, call: Call, request: wire.PageRequest) -> wire.PageAnswer:
        """A page. Of the four positions only `StartIndex` is used: 2.14.0 sends another of them wrongly."""
        return self._page(call.user, given(request.start_index, 0), PAGE)

    def get(self, call: Call, _request: wire.GetRequest) -> wire.PageAnswer:
        """The whole list."""
        return self._page(call.user, 0, WHOLE_LIST)

    def delete(self, call: Call, request: wire.DeleteRequest) -> Answer:
        """Take a conversation off the list."""
        conversation = named_conversation(request.type, given(request.to_account, ""), given(request.to_groupid, ""))
        self._domain.contacts.delete(call.user, conversation, instance=call.instance)
        return Answer()

    def batch_delete(self, call: Call, request: wire.BatchDeleteRequest) -> wire.BatchDeleteAnswer:
        """Take conversations off the list, on demand with their history. Each has its own verdict."""
        clear = given(request.clear_ramble, 0) == 1
        return wire.BatchDeleteAnswer(result_item=[self._delete(call, item, clear) for item in request.contact_item])

    def top(self, call: Call, request: wire.TopRequest) -> Answer:
        """Pin conversations, or unpin them."""
        if request.operation_type not in (PIN, UNPIN):
            raise Refused(Code.CONTACT_BAD_PARAMETER, "OperationType is 1 or 2")
        change = self._domain.contacts.pin if request.operation_type == PIN else self._domain.contacts.unpin
        for item in request.recent_contact_item:
            group_id = given(item.group_id, given(item.to_group_id, ""))
            change(call.user, named_conversation(item.type, given(item.to_account, ""), group_id), instance=call.instance)
        return Answer()

    def _delete(self, call: Call, item: wire.ContactItem, clear_history: bool) -> wire.BatchDeleteResult:
        code, info = 0, ""
        try:
            conversation = named_conversation(item.type, given(item.to_account, ""), given(item.to_groupid, ""))
            self._domain.contacts.delete(call.user, conversation, clear_history=clear_history, instance=call.instance)
        except Refused as no:
            code, info = no.code, no.info
        return wire.BatchDeleteResult(
            type=item.type, to_account=item.to_account, to_groupid=item.to_groupid, result_code=int(code), result_info=info
        )

    def _page(self, user: str, start: int, count: int) -> wire.PageAnswer:
        page = self._domain.contacts.page(user, start, count)
        return wire.PageAnswer(
            session_item=[self._session(user, contact) for contact in page.contacts],
            complete_flag=int(page.complete),
            time_stamp=page.contacts[-1].time if page.contacts else 0,
            start_index=page.next_start,
            top_time_stamp=0,
            top_start_index=0,
        )

    def _session(self, user: str, contact: Contact) -> wire.Session:
        if contact.conversation.kind is ConversationKind.C2C:
            return self._c2c_session(contact)
        return self._group_session(user, contact)

    def _c2c_session(self, contact: Contact) -> wire.Session:
        peer, last = contact.conversation.id, contact.last
        nick, avatar = self._render.name_of(peer)
        if last is None or isinstance(last, GroupMessage):
            return wire.Session(
                type=wire.C2C,
                to_account=peer,
                msg_time_stamp=contact.time,
                last_msg=wire.LastMessage(msg_body=Raw(b"[]")),
                c2c_nick=nick,
                c2c_image=avatar,
                c2c_peer_read_time=contact.peer_read_time,
                unread_msg_count=contact.unread,
                top_flags=int(contact.pinned),
            )
        return wire.Session(
            type=wire.C2C,
            to_account=peer,
            unread_msg_count=contact.unread,
            msg_time_stamp=contact.time,
            msg_seq=last.sequence,
            msg_random=last.random,
            last_msg=_last(last.body, last.cloud_custom_data, last.sender if last.recalled else ""),
            last_msg_flags=wire.LAST_REVOKED_C2C if last.recalled else 0,
            last_c2c_msg_from_account=last.sender,
            c2c_nick=nick,
            c2c_image=avatar,
            c2c_peer_read_time=contact.peer_read_time,
            cloud_custom_data=last.cloud_custom_data,
            top_flags=int(contact.pinned),
        )

    def _group_session(self, user: str, contact: Contact) -> wire.Session:
        group = self._domain.groups.info(user, contact.conversation.id)
        last = contact.last if isinstance(contact.last, GroupMessage) else None
        return wire.Session(
            type=wire.GROUP,
            group_account=group.group_id,
            unread_msg_count=contact.unread,
            msg_time_stamp=contact.time,
            msg_seq=0 if last is None else last.sequence,
            msg_random=0 if last is None else last.random,
            last_msg=wire.LastMessage(msg_body=Raw(b"[]"))
            if last is None
            else _last(last.body, last.cloud_custom_data, last.recalled_by),
            last_msg_flags=wire.LAST_REVOKED_GROUP if last is not None and last.recalled else 0,
            msg_group_from_account="" if last is None else last.sender,
            msg_group_readed_seq=contact.read_sequence,
            group_nick=group.name,
            group_image=group.face_url,
            cloud_custom_data="" if last is None else last.cloud_custom_data,
            top_flags=int(contact.pinned),
        )


def _last(body: object, custom_data: str, recalled_by: str) -> wire.LastMessage:
    return wire.LastMessage(msg_body=Raw(encode(body)), cloud_custom_data=custom_data, revoker_info=revoker(recalled_by))


def named_conversation(kind: int, peer: str, group_id: str) -> Conversation:
    """The conversation a request names. Refused with 50002 if it names none."""
    if kind == wire.C2C and peer:
        return Conversation.c2c(peer)
    if kind == wire.GROUP and group_id:
        return Conversation.group(group_id)
    raise Refused(Code.CONTACT_BAD_PARAMETER, "a conversation has Type 1 and To_Account, or Type 2 and a group ID")
