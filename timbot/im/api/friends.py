"""Friends, and friend applications: made, listed, accepted, refused."""

from __future__ import annotations

from typing import Final

from timbot.im.api.base import Api, check_result, required
from timbot.im.model.people import Friend, FriendApplication, FriendApplications, friend_of
from timbot.im.sync import EndlessAnswer
from timbot.im.wire.commands import friends
from timbot.im.wire.value import UNSET, given

MOST_APPLICATIONS: Final = 100
MAX_PAGES: Final = 1000
"""Pages of the friend list that are asked for: a server that promises more for ever must not keep us."""


class FriendsApi(Api):
    """`getFriendList`, `addFriend`, `getFriendApplicationList`, `acceptFriendApplication`, `refuseFriendApplication`."""

    async def get_friend_list(self) -> tuple[Friend, ...]:
        """All friends, in the server's order (`getFriendList`). Raises `EndlessAnswer`."""
        found: dict[str, Friend] = {}
        start = 0
        for _ in range(MAX_PAGES):
            request = friends.GetRequest(start_index=start, from_account=self.user_id, standard_sequence=0, custom_sequence=0)
            answer = await self._session.request(friends.GET, request)
            for item in given(answer.user_data_item, []):
                found[item.to_account] = friend_of(item.to_account, given(item.value_item, []))
            start = given(answer.next_start_index, 0)
            if given(answer.complete_flag, 1):
                return tuple(found.values())
        raise EndlessAnswer(friends.GET.name)

    async def add_friend(
        self, user_id: str, *, wording: str = "", source: str = "AddSource_Type_Web", remark: str = "", group_name: str = ""
    ) -> bool:
        """Ask somebody to be friends, both ways (`addFriend`). True: friends now; False: the other side has to agree.

        `source` is `AddSource_Type_` and at most 8 letters. Raises `ServerError`: 30516 refuses everybody, 30515 and 30525
        blocked, 30010 and 30014 list full.
        """
        item = friends.AddItem(
            to_account=required(user_id, "user_id"),
            add_source=source,
            add_wording=wording or UNSET,
            remark=remark or UNSET,
            group_name=group_name or UNSET,
        )
        request = friends.AddRequest(from_account=self.user_id, add_friend_item=[item], add_type="Add_Type_Both")
        answer = await self._session.request(friends.ADD, request)
        fine = frozenset({0, friends.WAITING_FOR_CONSENT})
        return check_result(friends.ADD.name, given(answer.result_item, []), fine=fine) == 0

    async def get_friend_application_list(self) -> FriendApplications:
        """All open applications, to and from this account (`getFriendApplicationList`)."""
        request = friends.PendencyRequest(
            from_account=self.user_id,
            pendency_type=friends.BOTH,
            start_time=0,
            max_limited=MOST_APPLICATIONS,
            last_sequence=0,
        )
        answer = await self._session.request(friends.PENDENCY, request)
        applications = tuple(
            FriendApplication(
                user_id=item.to_account,
                nick=given(item.nick, ""),
                avatar=given(item.image, ""),
                source=given(item.add_source, ""),
                wording=given(item.add_wording, ""),
                time=given(item.add_time, 0),
                incoming=item.pendency_type != friends.SEND_OUT,
            )
            for item in given(answer.pendency_item, [])
        )
        return FriendApplications(applications, given(answer.unread_pendency_count, 0))

    async def accept_friend_application(self, user_id: str, *, remark: str = "", both: bool = True) -> None:
        """Say yes (`acceptFriendApplication`). `both`: the applicant becomes a friend of this account too.

        Raises `ServerError` where there is no such application any more.
        """
        await self._respond(user_id, friends.AGREE_AND_ADD if both else friends.AGREE, remark)

    async def refuse_friend_application(self, user_id: str) -> None:
        """Say no (`refuseFriendApplication`)."""
        await self._respond(user_id, friends.REJECT, "")

    async def _respond(self, user_id: str, action: str, remark: str) -> None:
        item = friends.ResponseItem(to_account=required(user_id, "user_id"), response_action=action, remark=remark or UNSET)
        request = friends.ResponseRequest(from_account=self.user_id, response_friend_item=[item])
        answer = await self._session.request(friends.RESPONSE, request)
        check_result(friends.RESPONSE.name, given(answer.result_item, []))
