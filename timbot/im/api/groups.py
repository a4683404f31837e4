"""Groups: the joined ones, their members, and who may come in."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Final

from timbot.errors import InvalidArgument, OutcomeUnknown, ServerError
from timbot.im.api.base import Api, required
from timbot.im.model.events import GroupApplication
from timbot.im.model.group import Group, GroupMember, GroupType, JoinOption, JoinStatus, group_of, member_of
from timbot.im.wire.commands import c2c, groups, members
from timbot.im.wire.messages import SYSTEM_ACCOUNT
from timbot.im.wire.value import UNSET, given

JOINED_PAGE: Final = 50
MEMBERS_PAGE: Final = 100
MAX_PAGES: Final = 1000
UNKNOWN_JOIN_STATUS: Final = 2660

_FIELDS: Final = ["Type", "Name", "FaceUrl", "NextMsgSeq", "LastMsgTime", "CreateTime"]


class GroupsApi(Api):
    """`getGroupList`, `createGroup`, `joinGroup`, `quitGroup`, `getGroupMemberList`, `handleGroupApplication`."""

    async def get_group_list(self) -> list[Group]:
        """All groups this account is in, live rooms apart (`getGroupList`)."""
        found: list[Group] = []
        for _ in range(MAX_PAGES):
            request = groups.JoinedRequest(
                member_account=self.user_id,
                limit=JOINED_PAGE,
                offset=len(found),
                response_filter=groups.ResponseFilter(
                    group_base_info_filter=_FIELDS, self_info_filter=["Role", "JoinTime", "MsgFlag"]
                ),
            )
            answer = await self._session.request(groups.JOINED, request)
            page = given(answer.group_id_list, [])
            found.extend(group_of(info) for info in page)
            if not page or len(found) >= given(answer.total_count, 0):
                break
        return found

    async def create_group(
        self,
        type: GroupType,  # noqa: A002 - the SDK's name
        name: str,
        *,
        group_id: str = "",
        member_list: Sequence[str] = (),
        join_option: JoinOption | None = None,
        introduction: str = "",
    ) -> str:
        """Make a group and get its ID (`createGroup`). `name` at most 30 bytes; `join_option` for Public groups only.

        Raises `ServerError`: 10021 the ID is taken, 10004 an argument is wrong.
        """
        request = groups.CreateRequest(
            type=type.value,
            name=required(name, "name"),
            group_id=group_id or UNSET,
            owner_account=self.user_id,
            introduction=introduction or UNSET,
            face_url="",
            apply_join_option=join_option.value if join_option else UNSET,
            member_list=[groups.Invitee(member_account=user) for user in member_list] or UNSET,
            web_push_flag=1,
        )
        answer = await self._session.request(groups.CREATE, request)
        return given(answer.group_id, group_id)

    async def join_group(self, group_id: str, *, apply_message: str = "") -> JoinStatus:
        """Join, or ask to (`joinGroup`). Raises `ServerError`: 10007 not by oneself, 10010 no such group, 10014 full."""
        request = groups.JoinRequest(group_id=required(group_id, "group_id"), apply_msg=apply_message or UNSET, web_push_flag=1)
        answer = await self._session.request(groups.JOIN, request)
        try:
            return JoinStatus(given(answer.joined_status, ""))
        except ValueError:
            raise InvalidArgument(f"Joining {group_id} had no known result.", code=UNKNOWN_JOIN_STATUS) from None

    async def quit_group(self, group_id: str) -> None:
        """Leave (`quitGroup`). Raises `ServerError` 10009: an owner hands the group over first."""
        await self._session.request(groups.QUIT, groups.GroupRequest(group_id=required(group_id, "group_id")))
        self._inbox.streams.left(group_id)

    async def get_group_member_list(self, group_id: str, *, count: int = 15, offset: int = 0) -> list[GroupMember]:
        """A page of members (`getGroupMemberList`). `count` at most 100."""
        request = members.ListRequest(
            group_id=required(group_id, "group_id"),
            limit=max(1, min(count, MEMBERS_PAGE)),
            offset=offset,
            member_info_filter=["Role", "NameCard", "ShutUpUntil", "JoinTime"],
        )
        answer = await self._session.request(members.LIST, request)
        return [member_of(member) for member in given(answer.member_list, [])]

    async def handle_group_application(self, application: GroupApplication, *, agree: bool, handle_message: str = "") -> None:
        """Let somebody in or not (`handleGroupApplication`). `handle_message` is shown to the applicant.

        Raises `ServerError`: 10024 another admin was faster, 10013 is a member already, 10007 not permitted.
        """
        request = groups.HandleApplicationRequest(
            group_id=application.group_id,
            applicant_account=application.user_id,
            handle_msg="Agree" if agree else "Reject",
            approval_msg=handle_message or UNSET,
            authentication=application.authentication,
            msg_key=application.message_key,
        )
        await self._session.request(groups.HANDLE_APPLICATION, request)
        with contextlib.suppress(ServerError, OutcomeUnknown):  # handled is handled; the notice is only tidied away
            await self.forget_group_notice(application)

    async def forget_group_notice(self, application: GroupApplication) -> None:
        """Delete the notice of an application that needs no answer any more, as the SDK does after handling it."""
        notice = c2c.NoticeReference(from_account=SYSTEM_ACCOUNT, msg_seq=application.sequence, msg_random=application.random)
        await self._session.request(c2c.DELETE_NOTICES, c2c.DeleteNoticesRequest(del_msg_list=[notice]))
