"""Members of groups: listed, brought in, removed, changed."""

from __future__ import annotations

from typing import TypeVar

from timbot.im.wire.commands import members as wire
from timbot.im.wire.envelope import Answer
from timbot.im.wire.value import UnsetType, given
from timbot.sandbox.domain import Code, Domain, Refused, limits
from timbot.sandbox.front import group_fields
from timbot.sandbox.front.desk import Call, Desk
from timbot.sandbox.front.words import REMIND_TYPES_BY_WORD, ROLES_BY_WORD

T = TypeVar("T")


class Members:
    """The commands of `group_open_http_svc` about members."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def register(self, desk: Desk) -> None:
        """Take these commands."""
        desk.add(wire.LIST, self.listed)
        desk.add(wire.PROFILES, self.profiles)
        desk.add(wire.ADD, self.add)
        desk.add(wire.DELETE, self.delete)
        desk.add(wire.MODIFY, self.modify)

    def listed(self, call: Call, request: wire.ListRequest) -> wire.ListAnswer:
        """A page of members, in order of joining."""
        limit = given(request.limit, 0) or limits.MEMBER_PAGE
        page = self._domain.group_members.listed(call.user, request.group_id, given(request.offset, 0), limit)
        return wire.ListAnswer(member_num=page.total, member_list=[group_fields.member(m) for m in page.members])

    def profiles(self, call: Call, request: wire.ProfilesRequest) -> wire.ListAnswer:
        """Members by name."""
        found = self._domain.group_members.get(call.user, request.group_id, request.member_list_account)
        return wire.ListAnswer(member_list=[group_fields.member(member) for member in found])

    def add(self, call: Call, request: wire.AddRequest) -> wire.AddAnswer:
        """Bring others in."""
        others = [invitee.member_account for invitee in request.member_list]
        results = self._domain.group_members.add(call.user, request.group_id, others)
        return wire.AddAnswer(member_list=[wire.AddResult(member_account=user, result=int(result)) for user, result in results])

    def delete(self, call: Call, request: wire.DeleteRequest) -> Answer:
        """Remove members."""
        reason = given(request.reason, "")
        self._domain.group_members.remove(call.user, request.group_id, request.member_to_del_account, reason)
        return Answer()

    def modify(self, call: Call, request: wire.ModifyRequest) -> Answer:
        """Change a member: role, name card, reminding, muting, custom fields."""
        members, group_id, other = self._domain.group_members, request.group_id, request.member_account
        if not isinstance(request.role, UnsetType):
            members.set_role(call.user, group_id, other, _known(ROLES_BY_WORD, request.role))
        if not isinstance(request.shut_up_time, UnsetType):
            members.mute(call.user, group_id, other, request.shut_up_time)
        if not isinstance(request.name_card, UnsetType):
            members.set_name_card(call.user, group_id, other, request.name_card)
        if not isinstance(request.msg_flag, UnsetType):
            if other != call.user:
                raise Refused(Code.GROUP_NOT_PERMITTED, "everybody decides for themselves how messages reach them")
            members.set_remind(call.user, group_id, _known(REMIND_TYPES_BY_WORD, request.msg_flag))
        if not isinstance(request.app_member_defined_data, UnsetType):
            changes = {pair.key: given(pair.value, "") for pair in request.app_member_defined_data}
            members.set_custom(call.user, group_id, other, changes)
        return Answer()


def _known(words: dict[str, T], word: str) -> T:
    value = words.get(word)
    if value is None:
        raise Refused(Code.GROUP_BAD_PARAMETER, f"no such value: {word}")
    return value
