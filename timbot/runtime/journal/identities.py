"""What a journal has to know of identities, which are bytes to it otherwise: when two that are equal are one."""

from __future__ import annotations

import math
from typing import Final

import msgspec

from timbot.im.wire.identity import (
    SAME_MESSAGE_SECONDS,
    C2CIdentity,
    FriendApplicationIdentity,
    GroupNoticeIdentity,
    Identity,
    decode_identity,
)

FLEETING_SECONDS: Final = 600
"""Online-only messages too are numbered by their sender's device; they are not looked for longer."""

REQUEST_SECONDS: Final = 30 * 86400.0
"""How long a request is remembered after it was last met."""

REQUESTS: Final = 4096
"""How many requests are remembered: the newest."""

IDENTITY_SECONDS: Final = 3600.0
"""How far before the moment up to which everything is here a client may look back."""

OLDEST_SECONDS: Final = 30 * 86400.0
"""No client looks further back than this, so identities need not be kept longer, even where nothing was ever whole."""

WRITTEN_SECONDS: Final = 6 * 3600.0
"""How long the tokens of sent messages are known: a look back may show such a message again."""

C2C: Final = b'["c2c",'
"""How the identities of C2C messages begin; `C2C_END` is beyond them all."""
C2C_END: Final = b'["c2c-'
JOB: Final = b'["job",'
_FLEETING: Final = b'["fleeting",'
_REQUESTS: Final = (b'["friend",', b'["notice",')


def is_request(identity: bytes) -> bool:
    """Whether it is an application or an invitation."""
    return identity.startswith(_REQUESTS)


def same_within(identity: bytes) -> float:
    """How many seconds apart equal ones may be to be the same event."""
    if identity.startswith(C2C):
        return SAME_MESSAGE_SECONDS
    return FLEETING_SECONDS if identity.startswith(_FLEETING) else math.inf


def person(identity: Identity) -> str:
    """The person an identity names; nobody for a group's messages."""
    if isinstance(identity, C2CIdentity):
        return identity.peer
    if isinstance(identity, FriendApplicationIdentity):
        return identity.applicant
    return identity.account if isinstance(identity, GroupNoticeIdentity) else ""


def person_of(identity: bytes | None) -> str:
    """The same, of its bytes; nobody for a run of a job."""
    return "" if identity is None or identity.startswith(JOB) else person(decode_identity(identity))


def job_identity(name: str, nominal: float) -> bytes:
    """The identity of a job's run: it is one event for its nominal time (Unix seconds), whenever it begins."""
    return msgspec.json.encode(("job", name, nominal))
