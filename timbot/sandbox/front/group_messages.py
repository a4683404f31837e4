"""What is said in groups: sent, recalled, read, paged back, deleted."""

from __future__ import annotations

from timbot.im.wire.commands import groups as wire
from timbot.im.wire.envelope import Answer
from timbot.im.wire.messages import AT_ALL_ACCOUNT, GroupAt
from timbot.im.wire.value import UNSET, Raw, UnsetType, encode, given
from timbot.sandbox.domain import Code, Domain, Refused, limits
from timbot.sandbox.domain.messages import Priority
from timbot.sandbox.files import Files
from timbot.sandbox.front.c2c import checked_body
from timbot.sandbox.front.desk import Call, Desk
from timbot.sandbox.front.files import with_sizes
from timbot.sandbox.front.render import Render
from timbot.sandbox.front.words import PRIORITIES

MORE, COMPLETE, NOTHING = 0, 1, 2
"""`IsFinished` of a page of history."""

SENT_ALL = 1
"""`GroupAtAllFlag` of a sent mention of everybody; in a push it is 2."""

FREQUENCY_CONTROL = "MsgFreqCtrl"


class GroupMessages:
    """The commands of `group_open_http_svc` about messages."""

    def __init__(self, domain: Domain, render: Render, files: Files) -> None:
        self._domain = domain
        self._render = render
        self._files = files

    def register(self, desk: Desk) -> None:
        """Take these commands."""
        desk.add(wire.SEND, self.send)
        desk.add(wire.REVOKE, self.revoke)
        desk.add(wire.READ, self.read)
        desk.add(wire.HISTORY, self.history)
        desk.add(wire.DELETE, self.delete)

    def send(self, call: Call, request: wire.SendRequest) -> wire.SendAnswer:
        """A message. One that frequency control drops is answered with success and a reason, as the vendor does."""
        if isinstance(request.random, UnsetType):
            raise Refused(Code.GROUP_BAD_PARAMETER, "Random is missing")
        body, size = checked_body(request.msg_body)
        mentions = given(request.group_at_info, [])
        sent = self._domain.group_messages.send(
            call.user,
            request.group_id,
            with_sizes(body, self._files),
            size=size + len(given(request.cloud_custom_data, "").encode("utf-8", "replace")),
            random=request.random,
            client_sequence=given(request.client_seq, 0),
            instance=call.instance,
            priority=_priority(given(request.msg_priority, "Normal")),
            cloud_custom_data=given(request.cloud_custom_data, ""),
            online_only=given(request.online_only_flag, 0) == 1,
            mentions=[given(at.group_at_account, "") for at in mentions if not _all(at)],
            mention_all=any(_all(at) for at in mentions),
            client_time=given(request.msg_client_time, 0),
        )
        return wire.SendAnswer(
            msg_time=sent.time,
            msg_seq=UNSET if sent.sequence is None else sent.sequence,
            msg_drop_reason=FREQUENCY_CONTROL if sent.dropped else UNSET,
        )

    def revoke(self, call: Call, request: wire.RevokeRequest) -> wire.RevokeAnswer:
        """Recall messages."""
        sequences = [item.msg_seq for item in request.msg_seq_list]
        results = self._domain.group_messages.recall(call.user, request.group_id, sequences, instance=call.instance)
        return wire.RevokeAnswer(
            recall_ret_list=[wire.RevokeResult(msg_seq=sequence, ret_code=int(code)) for sequence, code in results]
        )

    def read(self, call: Call, request: wire.ReadRequest) -> Answer:
        """Everything up to a sequence is read."""
        self._domain.group_messages.read(call.user, request.group_id, request.msg_readed_seq, instance=call.instance)
        return Answer()

    def history(self, call: Call, request: wire.HistoryRequest) -> wire.HistoryAnswer:
        """A page, newest first, tips among the messages."""
        newest = given(request.req_msg_seq, 0) or None
        count = min(max(request.req_msg_number, 1), limits.GROUP_HISTORY_PAGE)
        page = self._domain.group_messages.history(call.user, request.group_id, newest, count)
        name = self._domain.groups.info(call.user, request.group_id).name
        shown = [self._render.record(record, request.group_id, name, call.line.dialect) for record in page.records]
        return wire.HistoryAnswer(
            group_id=request.group_id,
            is_finished=NOTHING if not shown else COMPLETE if page.complete else MORE,
            rsp_msg_list=[Raw(encode(message)) for message in shown],
            next_req_msg_seq=0 if page.complete else page.records[-1].sequence - 1,
        )

    def delete(self, call: Call, request: wire.DeleteRequest) -> Answer:
        """Delete messages for oneself."""
        if not all(text.isascii() and text.isdigit() and len(text) < 19 for text in request.seqs):
            raise Refused(Code.GROUP_BAD_PARAMETER, "Seqs are sequence numbers, as text")
        self._domain.group_messages.delete(call.user, request.group_id, [int(text) for text in request.seqs])
        return Answer()


def _all(at: GroupAt) -> bool:
    return at.group_at_all_flag == SENT_ALL or given(at.group_at_account, "") == AT_ALL_ACCOUNT


def _priority(word: str) -> Priority:
    priority = PRIORITIES.get(word)
    if priority is None:
        raise Refused(Code.GROUP_BAD_PARAMETER, f"no such MsgPriority: {word}")
    return priority
