"""The numbers of the vendor's limits pages, in one place. Sizes are bytes, times are seconds."""

from __future__ import annotations

from typing import Final

DAY: Final = 86_400
RETENTION: Final = 7 * DAY
MESSAGE_SIZE: Final = 12 * 1024
RECALL_WINDOW: Final = 120
DELETE_AT_ONCE: Final = 30

USER_ID_SIZE: Final = 32

QUEUE_CONVERSATIONS: Final = 100
QUEUE_PER_CONVERSATION: Final = 250

CONTACTS: Final = 100
PINNED: Final = 50

FRIENDS: Final = 3000
FRIEND_APPLICATIONS: Final = 100
FRIEND_GROUPS: Final = 32
FRIEND_CUSTOM_FIELDS: Final = 20
FRIEND_GROUP_NAME_SIZE: Final = 30
BLACKLIST: Final = 1000
REMARK_SIZE: Final = 96
WORDING_SIZE: Final = 256

PROFILE_VALUE_SIZE: Final = 500
LOCATION_SIZE: Final = 16
PROFILE_CUSTOM_FIELDS: Final = 20

GROUP_ID_SIZE: Final = 48
GROUP_NAME_SIZE: Final = 30
GROUP_INTRODUCTION_SIZE: Final = 240
GROUP_NOTIFICATION_SIZE: Final = 300
GROUP_FACE_URL_SIZE: Final = 100
GROUP_CUSTOM_FIELDS: Final = 10
GROUP_CUSTOM_KEY_SIZE: Final = 16
GROUP_CUSTOM_VALUE_SIZE: Final = 512
MEMBER_CUSTOM_FIELDS: Final = 5
MEMBER_CUSTOM_VALUE_SIZE: Final = 64
NAME_CARD_SIZE: Final = 50
MEMBERS_AT_ONCE: Final = 500
MEMBER_PAGE: Final = 100
MENTIONS: Final = 30
GROUP_MESSAGES_PER_SECOND: Final = 40
GROUP_DEDUPE_WINDOW: Final = 300
GROUP_HISTORY_PAGE: Final = 21
MUTED_FOR_EVER: Final = 4_294_967_295
KEPT_NOTICES: Final = 100


def size(text: str) -> int:
    """The length the vendor counts: bytes of UTF-8. A lone surrogate counts as three, as its replacement would."""
    return len(text.encode("utf-8", "surrogatepass"))
