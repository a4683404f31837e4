"""Friends, friend applications and the blacklist."""

from __future__ import annotations

from typing import Final

from timbot.im.wire.commands import friends as wire
from timbot.im.wire.commands.base import ResultsAnswer, TagValue, UserResult
from timbot.im.wire.envelope import Answer
from timbot.im.wire.value import given
from timbot.sandbox.domain import Code, Domain, Refused
from timbot.sandbox.domain.friend_applications import FriendApplication
from timbot.sandbox.domain.friends import AddOutcome, Friend, Relation
from timbot.sandbox.front.desk import Call, Desk
from timbot.sandbox.front.profiles import profile_tags
from timbot.sandbox.front.render import Render
from timbot.sandbox.front.words import RELATIONS

PAGE: Final = 100
REMARK: Final = "Tag_SNS_IM_Remark"
GROUP: Final = "Tag_SNS_IM_Group"
CUSTOM: Final = "Tag_SNS_Custom_"


class Friends:
    """The commands of `sns`, friend groups apart."""

    def __init__(self, domain: Domain, render: Render) -> None:
        self._domain = domain
        self._render = render

    def register(self, desk: Desk) -> None:
        """Take these commands."""
        desk.add(wire.GET, self.get)
        desk.add(wire.GET_LIST, self.get_list)
        desk.add(wire.GET_SPECIFIED, self.get_list)
        desk.add(wire.ADD, self.add)
        desk.add(wire.DELETE, self.delete)
        desk.add(wire.UPDATE, self.update)
        desk.add(wire.CHECK, self.check)
        desk.add(wire.RESPONSE, self.respond)
        desk.add(wire.PENDENCY, self.pendency)
        desk.add(wire.PENDENCY_DELETE, self.pendency_delete)
        desk.add(wire.PENDENCY_REPORT, self.pendency_report)
        desk.add(wire.BLACKLIST_GET, self.blacklist)
        desk.add(wire.BLACKLIST_ADD, self.blacklist_add)
        desk.add(wire.BLACKLIST_DELETE, self.blacklist_delete)

    def get(self, call: Call, request: wire.GetRequest) -> wire.GetAnswer:
        """A page of friends."""
        friends = self._domain.friends.listed(call.user)
        start = max(request.start_index, 0)
        page = friends[start : start + PAGE]
        end = start + len(page)
        complete = end >= len(friends)
        return wire.GetAnswer(
            user_data_item=[wire.FriendItem(to_account=friend.user_id, value_item=_tags(friend)) for friend in page],
            friend_num=len(friends),
            next_start_index=0 if complete else end,
            standard_sequence=1,
            custom_sequence=1,
            complete_flag=int(complete),
        )

    def get_list(self, call: Call, request: wire.GetListRequest) -> wire.InfoAnswer:
        """Chosen friends with the tags asked for, those of their profiles too."""
        wanted = given(request.tag_list, [])
        return wire.InfoAnswer(info_item=[self._info(call.user, user, wanted) for user in request.to_account])

    def add(self, call: Call, request: wire.AddRequest) -> ResultsAnswer:
        """Ask for friendship. 30539 says that the other side has to agree, and is no failure."""
        mutual = given(request.add_type, "Add_Type_Both") != "Add_Type_Single"
        return _results([self._add(call.user, item, mutual) for item in request.add_friend_item])

    def delete(self, call: Call, request: wire.DeleteRequest) -> ResultsAnswer:
        """End friendships."""
        both = given(request.delete_type, "Delete_Type_Both") == "Delete_Type_Both"
        return _results(_verdicts(self._domain.friends.delete(call.user, request.to_account, both=both)))

    def update(self, call: Call, request: wire.UpdateRequest) -> ResultsAnswer:
        """Change remarks, friend groups, custom fields."""
        return _results([self._update(call.user, item) for item in request.update_item])

    def check(self, call: Call, request: wire.CheckRequest) -> wire.InfoAnswer:
        """Who lists whom."""
        both = given(request.check_type, "CheckResult_Type_Both") == "CheckResult_Type_Both"
        return wire.InfoAnswer(info_item=[self._check(call.user, other, both) for other in request.to_account])

    def respond(self, call: Call, request: wire.ResponseRequest) -> ResultsAnswer:
        """Accept or refuse applications."""
        return _results([self._respond(call.user, item) for item in request.response_friend_item])

    def pendency(self, call: Call, request: wire.PendencyRequest) -> wire.PendencyAnswer:
        """All applications; the list is short, so there are no pages."""
        listed = self._domain.friend_applications.listed(call.user)
        kind = given(request.pendency_type, wire.BOTH)
        items: list[wire.PendencyItem] = []
        if kind in (wire.BOTH, wire.COME_IN):
            items += [self._pendency(a, a.applicant, wire.COME_IN) for a in reversed(listed.incoming)]
        if kind in (wire.BOTH, wire.SEND_OUT):
            items += [self._pendency(a, a.target, wire.SEND_OUT) for a in reversed(listed.outgoing)]
        return wire.PendencyAnswer(
            pendency_item=items,
            unread_pendency_count=listed.unread,
            start_time=0,
            current_sequence=1,
        )

    def pendency_delete(self, call: Call, request: wire.PendencyDeleteRequest) -> ResultsAnswer:
        """Forget applications."""
        incoming = given(request.pendency_type, wire.COME_IN) != wire.SEND_OUT
        return _results([self._forget(call.user, peer, incoming) for peer in request.to_account])

    def pendency_report(self, call: Call, request: wire.PendencyReportRequest) -> Answer:
        """Applications were seen."""
        self._domain.friend_applications.mark_read(call.user, request.latest_pendency_time_stamp)
        return Answer()

    def blacklist(self, call: Call, request: wire.BlacklistRequest) -> wire.BlacklistAnswer:
        """A page of the blacklist."""
        listed = self._domain.blacklist.listed(call.user)
        start = max(request.start_index, 0)
        end = start + min(max(given(request.max_limited, PAGE), 1), PAGE)
        return wire.BlacklistAnswer(
            black_list_item=[
                wire.BlacklistItem(to_account=user, add_black_time_stamp=time) for user, time in listed[start:end]
            ],
            start_index=end if end < len(listed) else 0,
            curruent_sequence=1,
        )

    def blacklist_add(self, call: Call, request: wire.UsersRequest) -> ResultsAnswer:
        """Black-list users."""
        return _results(_verdicts(self._domain.blacklist.add(call.user, request.to_account)))

    def blacklist_delete(self, call: Call, request: wire.UsersRequest) -> ResultsAnswer:
        """Take users off the blacklist."""
        return _results(_verdicts(self._domain.blacklist.delete(call.user, request.to_account, instance=call.instance)))

    def _info(self, user: str, other: str, wanted: list[str]) -> wire.FriendInfo:
        friend, profile = self._domain.friends.get(user, other), self._domain.profiles.get(other)
        if profile is None:
            code = int(Code.FRIEND_ACCOUNT_UNKNOWN)
            return wire.FriendInfo(to_account=other, result_code=code, result_info="no such account")
        tags = profile_tags(profile) + ([] if friend is None else _tags(friend))
        chosen = [tag for tag in tags if not wanted or tag.tag in wanted]
        return wire.FriendInfo(to_account=other, result_code=0, result_info="", sns_profile_item=chosen)

    def _add(self, user: str, item: wire.AddItem, mutual: bool) -> UserResult:
        try:
            outcome = self._domain.friends.add(
                user,
                item.to_account,
                mutual=mutual,
                wording=given(item.add_wording, ""),
                source=given(item.add_source, ""),
                remark=given(item.remark, ""),
                friend_group=given(item.group_name, ""),
            )
        except Refused as no:
            return verdict(item.to_account, no.code, no.info)
        if outcome is AddOutcome.WAITING:
            return verdict(item.to_account, wire.WAITING_FOR_CONSENT, "the other side has to agree")
        return verdict(item.to_account)

    def _update(self, user: str, item: wire.UpdateItem) -> UserResult:
        remark: str | None = None
        groups: list[str] | None = None
        custom: dict[str, str] = {}
        for change in item.sns_item:
            value = change.value
            if change.tag == REMARK and isinstance(value, str):
                remark = value
            elif change.tag == GROUP and isinstance(value, (str, list)):
                groups = [value] if isinstance(value, str) else value
            elif change.tag.startswith(CUSTOM) and isinstance(value, str):
                custom[change.tag] = value
            else:
                return verdict(item.to_account, Code.FRIEND_BAD_PARAMETER, f"no such field, or of another type: {change.tag}")
        try:
            self._domain.friends.update(user, item.to_account, remark=remark, groups=groups, custom=custom)
        except Refused as no:
            return verdict(item.to_account, no.code, no.info)
        return verdict(item.to_account)

    def _check(self, user: str, other: str, both: bool) -> wire.FriendInfo:
        if other not in self._domain.accounts:
            code = int(Code.FRIEND_ACCOUNT_UNKNOWN)
            return wire.FriendInfo(
                to_account=other, relation=RELATIONS[Relation.NONE], result_code=code, result_info="no such account"
            )
        relation = self._domain.friends.check(user, other, both=both)
        return wire.FriendInfo(to_account=other, relation=RELATIONS[relation], result_code=0, result_info="")

    def _respond(self, user: str, item: wire.ResponseItem) -> UserResult:
        applications, action = self._domain.friend_applications, item.response_action
        try:
            if action == wire.REJECT:
                applications.refuse(user, item.to_account)
            elif action in (wire.AGREE, wire.AGREE_AND_ADD):
                applications.accept(
                    user,
                    item.to_account,
                    add_back=action == wire.AGREE_AND_ADD,
                    remark=given(item.remark, ""),
                    friend_group=given(item.tag_name, ""),
                )
            else:
                return verdict(item.to_account, Code.FRIEND_BAD_PARAMETER, f"no such action: {action}")
        except Refused as no:
            return verdict(item.to_account, no.code, no.info)
        return verdict(item.to_account)

    def _forget(self, user: str, peer: str, incoming: bool) -> UserResult:
        try:
            self._domain.friend_applications.delete(user, peer, incoming=incoming)
        except Refused as no:
            return verdict(peer, no.code, no.info)
        return verdict(peer)

    def _pendency(self, application: FriendApplication, peer: str, kind: str) -> wire.PendencyItem:
        nick, avatar = self._render.name_of(peer)
        return wire.PendencyItem(
            to_account=peer,
            nick=nick,
            image=avatar,
            add_source=application.source,
            add_wording=application.wording,
            add_time=application.time,
            pendency_type=kind,
        )


def verdict(user: str, code: int = 0, info: str = "") -> UserResult:
    """What became of one user in a batch."""
    return UserResult(to_account=user, result_code=int(code), result_info=info)


def _results(items: list[UserResult]) -> ResultsAnswer:
    return ResultsAnswer(result_item=items)


def _verdicts(results: tuple[tuple[str, int], ...]) -> list[UserResult]:
    return [verdict(user, code, f"refused with {code}" if code else "") for user, code in results]


def _tags(friend: Friend) -> list[TagValue]:
    return [
        TagValue(tag=REMARK, value=friend.remark),
        TagValue(tag=GROUP, value=list(friend.groups)),
        TagValue(tag="Tag_SNS_IM_AddSource", value=friend.source),
        TagValue(tag="Tag_SNS_IM_AddWording", value=friend.wording),
        TagValue(tag="Tag_SNS_IM_AddTime", value=friend.added),
        *(TagValue(tag=tag, value=value) for tag, value in friend.custom.items()),
    ]
