"""Groups: made, looked at, changed, joined, left, handed over, dismissed."""

from __future__ import annotations

from typing import Final

from timbot.im.wire.commands import groups as wire
from timbot.im.wire.envelope import Answer
from timbot.im.wire.value import UNSET, Opt, given
from timbot.sandbox.domain import Code, Domain, Refused
from timbot.sandbox.domain.group_applications import GroupApplication
from timbot.sandbox.domain.group_members import JoinStatus
from timbot.sandbox.domain.group_rules import GroupType
from timbot.sandbox.domain.messages import GroupChanges, JoinOption
from timbot.sandbox.front import group_fields
from timbot.sandbox.front.desk import Call, Desk
from timbot.sandbox.front.render import Render
from timbot.sandbox.front.words import GROUP_TYPES, GROUP_TYPES_BY_WORD, JOIN_OPTIONS_BY_WORD

ASKED_AT_ONCE: Final = 50
NO_PICTURE: Final = "FaceUrl"
"""What 2.14.0 sends for a group without a picture."""

ONLINE_COUNT_LIFETIME: Final = 60

ASKED_TO_JOIN: Final = 0
"""`PendencyType` of an application; invitations have others."""


class Groups:
    """The commands of `group_open_http_svc` about groups as such."""

    def __init__(self, domain: Domain, render: Render) -> None:
        self._domain = domain
        self._render = render

    def register(self, desk: Desk) -> None:
        """Take these commands."""
        desk.add(wire.JOINED, self.joined)
        desk.add(wire.INFO, self.info)
        desk.add(wire.SELF_INFO, self.info)
        desk.add(wire.PUBLIC_INFO, self.public_info)
        desk.add(wire.CREATE, self.create)
        desk.add(wire.DISMISS, self.dismiss)
        desk.add(wire.MODIFY, self.modify)
        desk.add(wire.JOIN, self.join)
        desk.add(wire.QUIT, self.quit)
        desk.add(wire.CHANGE_OWNER, self.change_owner)
        desk.add(wire.HANDLE_APPLICATION, self.handle_application)
        desk.add(wire.PENDENCY, self.pendency)
        desk.add(wire.ONLINE_COUNT, self.online_count)

    def joined(self, call: Call, request: wire.JoinedRequest) -> wire.JoinedAnswer:
        """A page of the caller's groups."""
        limit = min(max(given(request.limit, ASKED_AT_ONCE), 1), ASKED_AT_ONCE)
        page = self._domain.groups.joined(call.user, given(request.offset, 0), limit)
        return wire.JoinedAnswer(
            total_count=page.total,
            group_id_list=[group_fields.group(info, request.response_filter) for info in page.groups],
        )

    def info(self, call: Call, request: wire.InfoRequest) -> wire.InfoAnswer:
        """Groups by ID; the one that cannot be shown carries its error."""
        return self._infos(call, request, public=False)

    def public_info(self, call: Call, request: wire.InfoRequest) -> wire.InfoAnswer:
        """What a search shows."""
        return self._infos(call, request, public=True)

    def create(self, call: Call, request: wire.CreateRequest) -> wire.CreateAnswer:
        """A new group of the caller's."""
        kind = GROUP_TYPES_BY_WORD.get(request.type)
        if kind is None:
            raise Refused(Code.GROUP_BAD_PARAMETER, f"no such type of group: {request.type}")
        face_url = given(request.face_url, "")
        profile = GroupChanges(
            name=request.name,
            introduction=given(request.introduction, None),
            notification=given(request.notification, None),
            face_url=None if face_url == NO_PICTURE else face_url,
            max_members=given(request.max_member_count, None) or None,
            join_option=_join_option(request.apply_join_option),
            custom=tuple((pair.key, given(pair.value, "")) for pair in given(request.app_defined_data, [])),
        )
        created = self._domain.groups.create(
            call.user,
            kind,
            profile,
            group_id=given(request.group_id, "") or None,
            members=[invitee.member_account for invitee in given(request.member_list, [])],
            instance=call.instance,
        )
        return wire.CreateAnswer(
            group_id=created.info.group_id,
            type=GROUP_TYPES[kind],
            huge_group_flag=int(kind is GroupType.AV_CHAT_ROOM),
            over_joined_group_limit_account=list(created.over_limit),
        )

    def dismiss(self, call: Call, request: wire.GroupRequest) -> Answer:
        """End a group."""
        self._domain.groups.dismiss(call.user, request.group_id, instance=call.instance)
        return Answer()

    def modify(self, call: Call, request: wire.ModifyRequest) -> Answer:
        """Change the profile of a group."""
        muted = given(request.shut_up_all_member, "")
        if muted not in ("", "On", "Off"):
            raise Refused(Code.GROUP_BAD_PARAMETER, "ShutUpAllMember is On or Off")
        changes = GroupChanges(
            name=given(request.name, None),
            introduction=given(request.introduction, None),
            notification=given(request.notification, None),
            face_url=given(request.face_url, None),
            max_members=given(request.max_member_count, None),
            join_option=_join_option(request.apply_join_option),
            mute_all=None if not muted else muted == "On",
            custom=tuple((pair.key, given(pair.value, "")) for pair in given(request.app_defined_data, [])),
        )
        self._domain.groups.modify(call.user, request.group_id, changes)
        return Answer()

    def join(self, call: Call, request: wire.JoinRequest) -> wire.JoinAnswer:
        """Join, or apply. Live rooms deliver by ordinary push, so there is no key for a long poll."""
        status = self._domain.group_members.join(call.user, request.group_id, given(request.apply_msg, ""))
        if status is JoinStatus.WAITING:
            return wire.JoinAnswer(joined_status="WaitAdminApproval")
        live = self._domain.groups.info(call.user, request.group_id).type is GroupType.AV_CHAT_ROOM
        return wire.JoinAnswer(joined_status="JoinedSuccess", huge_group_flag=int(live))

    def quit(self, call: Call, request: wire.GroupRequest) -> Answer:
        """Leave a group."""
        self._domain.group_members.quit(call.user, request.group_id, instance=call.instance)
        return Answer()

    def change_owner(self, call: Call, request: wire.OwnerRequest) -> Answer:
        """Hand a group over."""
        self._domain.groups.transfer(call.user, request.group_id, request.new_owner_account)
        return Answer()

    def handle_application(self, call: Call, request: wire.HandleApplicationRequest) -> Answer:
        """Decide an application. Its key is `Authentication`; `MsgKey` is the same or, from the list, the time."""
        if request.handle_msg not in ("Agree", "Reject"):
            raise Refused(Code.GROUP_BAD_PARAMETER, "HandleMsg is Agree or Reject")
        self._domain.group_applications.handle(
            call.user,
            request.group_id,
            request.applicant_account,
            given(request.authentication, "") or str(given(request.msg_key, "")),
            agree=request.handle_msg == "Agree",
            message=given(request.approval_msg, ""),
        )
        return Answer()

    def pendency(self, call: Call, request: wire.PendencyRequest) -> wire.PendencyAnswer:
        """Applications the caller may decide or could have decided."""
        page = self._domain.group_applications.pending(call.user, request.start_time, request.limit)
        return wire.PendencyAnswer(
            pendency_list=[self._pendency(call.user, application) for application in page.applications],
            next_start_time=page.next_start,
        )

    def online_count(self, _call: Call, request: wire.GroupRequest) -> wire.OnlineAnswer:
        """How many members are online."""
        count = self._domain.group_members.online_count(request.group_id)
        return wire.OnlineAnswer(online_member_num=count, expire_time=ONLINE_COUNT_LIFETIME)

    def _pendency(self, user: str, application: GroupApplication) -> wire.Pendency:
        return wire.Pendency(
            from_account=application.applicant,
            from_user_nick_name=self._render.name_of(application.applicant)[0],
            group_id=application.group_id,
            group_name=self._domain.groups.info(user, application.group_id).name,
            to_account=user,
            handled=int(application.handled),
            add_time=application.time,
            authentication=application.key,
            pendency_type=ASKED_TO_JOIN,
        )

    def _infos(self, call: Call, request: wire.InfoRequest, *, public: bool) -> wire.InfoAnswer:
        if len(request.group_id_list) > ASKED_AT_ONCE:
            raise Refused(Code.GROUP_BAD_PARAMETER, f"at most {ASKED_AT_ONCE} groups at a time")
        look = self._domain.groups.public_info if public else self._domain.groups.info
        found: list[wire.Group] = []
        for group_id in request.group_id_list:
            try:
                found.append(group_fields.group(look(call.user, group_id), request.response_filter))
            except Refused as no:
                found.append(wire.Group(group_id=group_id, error_code=no.code, error_info=no.info))
        return wire.InfoAnswer(group_info=found)


def _join_option(word: Opt[str]) -> JoinOption | None:
    if word is UNSET:
        return None
    option = JOIN_OPTIONS_BY_WORD.get(given(word, ""))
    if option is None:
        raise Refused(Code.GROUP_BAD_PARAMETER, f"no such ApplyJoinOption: {word}")
    return option
