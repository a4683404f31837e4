"""Friend groups: the drawers a user files friends in."""

from __future__ import annotations

from typing import Final

from timbot.im.wire.commands import friends as wire
from timbot.im.wire.commands.base import ResultsAnswer
from timbot.im.wire.envelope import Answer
from timbot.im.wire.value import given
from timbot.sandbox.domain import Code, Domain, Refused
from timbot.sandbox.front.desk import Call, Desk
from timbot.sandbox.front.friends import verdict

PUT_IN: Final = "Update_Type_Add"
TAKE_OUT: Final = "Update_Type_Delete"


class FriendGroups:
    """The commands of `sns` about friend groups."""

    def __init__(self, domain: Domain) -> None:
        self._groups = domain.friend_groups

    def register(self, desk: Desk) -> None:
        """Take these commands."""
        desk.add(wire.GROUP_GET, self.get)
        desk.add(wire.GROUP_ADD, self.add)
        desk.add(wire.GROUP_DELETE, self.delete)
        desk.add(wire.GROUP_UPDATE, self.update)

    def get(self, call: Call, _request: wire.GroupGetRequest) -> wire.GroupGetAnswer:
        """All groups with who is in them."""
        return wire.GroupGetAnswer(
            result_item=[
                wire.FriendGroupItem(group_name=group.name, friend_number=len(group.friends), to_account=list(group.friends))
                for group in self._groups.listed(call.user)
            ],
            current_sequence=1,
        )

    def add(self, call: Call, request: wire.GroupAddRequest) -> ResultsAnswer:
        """New groups, with the same friends in each."""
        results: dict[str, int] = {}
        for name in request.group_name:
            results.update(self._groups.create(call.user, name, given(request.to_account, [])))
        return ResultsAnswer(result_item=[verdict(user, code) for user, code in results.items()])

    def delete(self, call: Call, request: wire.GroupDeleteRequest) -> Answer:
        """Remove groups."""
        for name in request.group_name:
            self._groups.delete(call.user, name)
        return Answer()

    def update(self, call: Call, request: wire.GroupUpdateRequest) -> wire.GroupUpdateAnswer:
        """Rename a group, or change who is in it."""
        name = request.group_old_name
        new_name = given(request.group_new_name, "")
        if new_name:
            self._groups.rename(call.user, name, new_name)
        results = [self._change(call.user, new_name or name, change) for change in given(request.update_group_item, [])]
        return wire.GroupUpdateAnswer(result_item=results)

    def _change(self, user: str, name: str, change: wire.GroupMemberChange) -> wire.GroupUpdateResult:
        if change.update_type not in (PUT_IN, TAKE_OUT):
            raise Refused(Code.FRIEND_BAD_PARAMETER, f"no such UpdateType: {change.update_type}")
        act = self._groups.put_in if change.update_type == PUT_IN else self._groups.take_out
        ((_, code),) = act(user, name, [change.to_account])
        return wire.GroupUpdateResult(
            to_account=change.to_account, update_type=change.update_type, result_code=code, result_info=""
        )
