"""What makes an event the same event when it comes twice: by push, by push again, and by a look into history.

An identity is a small value that can be a dictionary key, and has one form as bytes for a journal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

import msgspec

from timbot.im.wire.messages import C2CMessage, GroupMessage
from timbot.im.wire.value import UNSET, Int, decode, encode, given

SAME_MESSAGE_SECONDS: Final = 300
"""C2C sequences and randoms are the sender's own: equal ones further apart in time than this are two messages."""


class C2CIdentity(msgspec.Struct, frozen=True, array_like=True, tag="c2c"):
    """A C2C message. `outgoing` = written by this account, on whichever of its instances."""

    peer: str
    outgoing: bool
    sequence: Int
    random: Int


class GroupIdentity(msgspec.Struct, frozen=True, array_like=True, tag="group"):
    """A group message or tip. `created` is the group's `CreateTime`: a new group under the same ID is another."""

    group: str
    created: Int
    sequence: Int


class FleetingIdentity(msgspec.Struct, frozen=True, array_like=True, tag="fleeting"):
    """What no list keeps: online-only messages, unstored tips, live rooms. Remembered for minutes only."""

    conversation: str
    sender: str
    sequence: Int
    random: Int


class FriendApplicationIdentity(msgspec.Struct, frozen=True, array_like=True, tag="friend"):
    """A friend application: the same person may apply again later."""

    applicant: str
    add_time: Int


class GroupNoticeIdentity(msgspec.Struct, frozen=True, array_like=True, tag="notice"):
    """A group system notice. `key` is its `MsgKey` where it has one, else `ClientSeq` and `MsgRandom`."""

    group: str
    kind: Int
    account: str
    key: str


class RecallIdentity(msgspec.Struct, frozen=True, array_like=True, tag="recall"):
    """That a message was taken back: it is, once and for all."""

    conversation: str
    sender: str
    sequence: Int
    random: Int


class ChangeIdentity(msgspec.Struct, frozen=True, array_like=True, tag="change"):
    """That a message was changed. `digest` stands for what it says now."""

    conversation: str
    sequence: Int
    random: Int
    digest: str


Identity = (
    C2CIdentity
    | GroupIdentity
    | FleetingIdentity
    | FriendApplicationIdentity
    | GroupNoticeIdentity
    | RecallIdentity
    | ChangeIdentity
)


_decoder: Final = msgspec.json.Decoder(Identity)  # a union is slow to look up each time: 4 us against 0.3


def encode_identity(identity: Identity) -> bytes:
    """The one byte form of an identity."""
    return encode(identity)


def decode_identity(data: bytes) -> Identity:
    """The identity again. Raises `FrameError`."""
    try:
        known: Identity = _decoder.decode(data)
        return known
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # decode() says what is wrong, or mends it
    identity: Identity = decode(Identity, data)  # type: ignore[arg-type]  # mypy has no type form for a union
    return identity


def is_own(message: C2CMessage, me: str) -> bool:
    """Whether this account wrote the message. A synchronised copy comes with its accounts swapped."""
    return given(message.is_sync_msg, 0) == 1 or message.from_account == me


def peer_of(message: C2CMessage, me: str) -> str:
    """The other one. In a synchronised copy that is `From_Account`."""
    if given(message.is_sync_msg, 0) == 1 or message.from_account != me:
        return message.from_account
    return message.to_account


def c2c_identity(message: C2CMessage, me: str) -> C2CIdentity | FleetingIdentity:
    """The identity of a C2C message as the account `me` sees it."""
    peer = peer_of(message, me)
    if message.msg_life_time == 0:
        sender = me if is_own(message, me) else peer
        return FleetingIdentity(f"C2C{peer}", sender, message.msg_seq, message.msg_random)
    return C2CIdentity(peer, is_own(message, me), message.msg_seq, message.msg_random)


def group_identity(message: GroupMessage, created: int, *, live: bool = False) -> GroupIdentity | FleetingIdentity:
    """The identity of a group message or tip. `live`: of a live room, which keeps nothing."""
    sequence = given(message.msg_seq, 0)
    if live or given(message.online_only_flag, 0) == 1:
        random = given(message.msg_random, given(message.random, 0))
        return FleetingIdentity(f"GROUP{message.group_id}", given(message.from_account, ""), sequence, random)
    return GroupIdentity(message.group_id, created, sequence)


def digest_of(parts: Iterable[bytes]) -> str:
    """A short name for what a message says."""
    digest = hashlib.blake2b(digest_size=9)
    for part in parts:
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.hexdigest()


def notice_identity(message: GroupMessage, kind: int, account: str, msg_key: object = UNSET) -> GroupNoticeIdentity:
    """The identity of a system notice of `kind` about `account`."""
    if msg_key is UNSET or msg_key in ("", 0):
        key = f"{given(message.client_seq, 0)}-{given(message.msg_random, 0)}"
    else:
        key = str(msg_key)
    return GroupNoticeIdentity(message.group_id, kind, account, key)
