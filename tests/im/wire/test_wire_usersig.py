"""UserSigs: the vendor's own vectors, the five ways of being wrong, and what nobody should have to unpack."""

from __future__ import annotations

import base64
import json
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from timbot.errors import FrameError
from timbot.im.wire.usersig import (
    DEFAULT_LIFETIME,
    EXPIRED,
    MALFORMED,
    MAX_SIZE,
    WRONG_APP,
    WRONG_KEY,
    WRONG_USER,
    UserSig,
    check,
    read,
    sign,
)
from timbot.im.wire.value import UNSET

KEY = "0123456789abcdef" * 4
OTHER_KEY = "fedcba9876543210" * 4

# Compared with the package tls-sig-api-v2 1.1: app, user, lifetime, time, private buffer, TLS.sig
VECTORS: list[tuple[int, str, int, int, bytes | None, str]] = [
    (1400000001, "bot-alice", 86400, 1700000000, None, "2jVscPxFbf5rw3iWqo7wzi3wXDtNlCcWMBWvNdPqnGk="),
    (1400000001, "administrator", 604800, 1735689600, None, "JIKsYvt+wpVEt3HlhuAi8hpJg6/H8cFnwNlKPzf1fBQ="),
    (20000042, "@RBT#weather", 3600, 1700000000, None, "IuPZhsM4GZ3g5F4l4dPeZl/wl/z4AcYbUc/GAdZLdz4="),
    (1400000001, "用户1", 86400, 1700000000, None, "Z7WNFRw+aBSx23P6W/W2BvuxYReT7++Qr0Z+ujnpTtk="),
    (1400000001, "bot-alice", 86400, 1700000000, b"abc", "zRCbE39hPNz7XBOU836+ZEr4EfL92jPeHv5LCq/tjXQ="),
]
FIRST = (
    "eJyrVgrxCdYrSy1SslJQMtIzUNJRAItkpqTmlWSmZUIkkvJLdBNzMpNTYdLFKdmJBQWZKUBJQxMDCDCEyqVWFGQWpQJlLMyAUlDBksxckJChOVQxTLw4"
    "Mx1sc1ZYcXJAhVtSmmlRuXFmeGG*eXlVpnF5hEuJX45zcrivU3iZX0pAYZ57tq1SLQAMazSH"
)

NOW = 1700000000
GOOD = sign(1400000001, KEY, "u1", now=NOW, lifetime=3600)


def checked(usersig: str, *, app: int = 1400000001, key: str = KEY, user: str = "u1", now: int = NOW) -> int:
    return check(usersig, sdk_app_id=app, secret_key=key, user_id=user, now=now)


def packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).translate(bytes.maketrans(b"+/=", b"*-_")).decode()


@pytest.mark.parametrize(("app", "user", "lifetime", "now", "userbuf", "sig"), VECTORS, ids=["1", "2", "3", "4", "buffer"])
def test_a_signature_is_the_vendors(app: int, user: str, lifetime: int, now: int, userbuf: bytes | None, sig: str) -> None:
    buffer = UNSET if userbuf is None else base64.b64encode(userbuf).decode()
    signed = read(sign(app, KEY, user, now=now, lifetime=lifetime, userbuf=userbuf))
    assert signed == UserSig(identifier=user, sdkappid=app, expire=lifetime, time=now, sig=sig, userbuf=buffer)


@pytest.mark.parametrize(("app", "user", "lifetime", "now", "userbuf", "sig"), VECTORS, ids=["1", "2", "3", "4", "buffer"])
def test_the_vendors_signature_is_good(app: int, user: str, lifetime: int, now: int, userbuf: bytes | None, sig: str) -> None:
    fields: dict[str, object] = {"TLS.sig": sig, "TLS.expire": lifetime, "TLS.time": now, "TLS.ver": "2.0"}
    fields |= {"TLS.identifier": user, "TLS.sdkappid": app}
    if userbuf is not None:
        fields["TLS.userbuf"] = base64.b64encode(userbuf).decode()
    assert checked(packed(json.dumps(fields, indent=1).encode()), app=app, user=user, now=now) == 0


def test_the_vendors_whole_string_is_read_and_good() -> None:
    assert checked(FIRST, user="bot-alice") == 0
    assert read(FIRST).identifier == "bot-alice"


def test_a_signature_says_the_version_and_the_fields_in_the_vendors_order() -> None:
    data = zlib.decompress(base64.b64decode(GOOD.translate(str.maketrans("*-_", "+/="))))
    names = ["TLS.ver", "TLS.identifier", "TLS.sdkappid", "TLS.expire", "TLS.time", "TLS.sig"]
    assert list(json.loads(data)) == names
    assert json.loads(data)["TLS.ver"] == "2.0"


@given(st.text(max_size=40))
def test_a_signature_is_safe_in_a_url_and_good_for_its_user(user: str) -> None:
    usersig = sign(1, KEY, user, now=NOW)
    assert not set(usersig) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*-_")
    assert checked(usersig, app=1, user=user) == 0


def test_the_lifetime_is_half_a_year_unless_said_otherwise() -> None:
    assert read(sign(1, KEY, "u1", now=NOW)).expires_at == NOW + DEFAULT_LIFETIME == NOW + 15_552_000


@pytest.mark.parametrize(
    ("after", "code"),
    [(-100, 0), (0, 0), (3599, 0), (3600, EXPIRED), (3601, EXPIRED)],
    ids=["clock behind", "at once", "last second", "the second it expires", "past"],
)
def test_a_signature_expires_at_its_second(after: int, code: int) -> None:
    assert checked(GOOD, now=NOW + after) == code


def test_another_key() -> None:
    assert checked(GOOD, key=OTHER_KEY) == WRONG_KEY == 70009


def test_another_user() -> None:
    assert checked(GOOD, user="u2") == WRONG_USER == 70013


def test_another_app() -> None:
    assert checked(GOOD, app=1400000002) == WRONG_APP == 70014


def test_the_codes_of_expiry_and_of_nonsense() -> None:
    assert (EXPIRED, MALFORMED) == (70001, 70003)


FIELDS = {
    "TLS.ver": "2.0",
    "TLS.identifier": "u1",
    "TLS.sdkappid": 1400000001,
    "TLS.expire": 3600,
    "TLS.time": NOW,
    "TLS.sig": read(GOOD).sig,
}


def test_the_fields_of_the_tests_below_are_good() -> None:
    assert checked(packed(json.dumps(FIELDS).encode())) == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TLS.identifier", "admin"),
        ("TLS.sdkappid", 1400000002),
        ("TLS.expire", 99999),
        ("TLS.time", NOW + 99999),
        ("TLS.userbuf", "YWJj"),
        ("TLS.sig", ""),
        ("TLS.sig", "中"),
    ],
)
def test_what_was_signed_cannot_be_changed(name: str, value: object) -> None:
    assert checked(packed(json.dumps(FIELDS | {name: value}).encode())) == WRONG_KEY


@pytest.mark.parametrize("name", ["TLS.identifier", "TLS.sdkappid", "TLS.expire", "TLS.time", "TLS.sig"])
def test_a_missing_field(name: str) -> None:
    fields = {key: value for key, value in FIELDS.items() if key != name}
    assert checked(packed(json.dumps(fields).encode())) == MALFORMED


GARBAGE = {
    "nothing": "",
    "words": "not a signature",
    "Chinese": "签名",
    "half a character": GOOD[:-4] + "\ud83d",
    "no deflate": base64.b64encode(b"{}").decode(),
    "no JSON": packed(b"hello"),
    "no object": packed(b"[]"),
    "empty": packed(b""),
    "mistyped": packed(json.dumps(FIELDS | {"TLS.time": "1"}).encode()),
    "a number too big": packed(json.dumps(FIELDS | {"TLS.time": 2**64}).encode()),
    "deep": packed(b"[" * 5000),
    "cut in half": GOOD[: len(GOOD) // 8 * 4],
    "without its checksum": packed(json.dumps(FIELDS).encode())[:-8],
    "wrong checksum": base64.b64encode(zlib.compress(json.dumps(FIELDS).encode())[:-4] + b"\0\0\0\0").decode(),
    "too long": packed(json.dumps(FIELDS | {"pad": "x" * MAX_SIZE}).encode()),
    "NUL": GOOD + "\0",
    "line feed": GOOD + "\n",
    "bomb": packed(b" " * 50_000_000 + b"{}"),
    "megabytes": "A" * 5_000_000,
}


@pytest.mark.parametrize("usersig", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_malformed(usersig: str) -> None:
    assert checked(usersig) == MALFORMED


@pytest.mark.parametrize("usersig", GARBAGE.values(), ids=GARBAGE)
def test_garbage_read_is_an_error(usersig: str) -> None:
    with pytest.raises(FrameError):
        read(usersig)


def test_a_bomb_is_not_unpacked() -> None:
    """What is unpacked is bounded, so that the error can only come from a stream that was left unfinished."""
    with pytest.raises(FrameError, match="cut off, or far too long"):
        read(packed(b" " * 50_000_000 + b"{}"))


HALF = "u\ud83d"


def test_half_a_character_in_a_signature_lets_nobody_in() -> None:
    assert checked(packed(json.dumps(FIELDS | {"TLS.identifier": HALF}).encode()), user=HALF) == WRONG_KEY


@pytest.mark.parametrize("user", [HALF, "u?", "u\ufffd"], ids=["the same", "question mark", "replacement character"])
def test_a_user_with_half_a_character_is_nobody(user: str) -> None:
    assert checked(sign(1400000001, KEY, HALF, now=NOW), user=user) != 0


@given(st.text(max_size=60))
@example("____")
@example("eJw_")
def test_any_text_is_malformed(usersig: str) -> None:
    assert checked(usersig) == MALFORMED


@given(st.binary(max_size=80))
def test_any_packed_bytes_are_malformed(data: bytes) -> None:
    assert checked(packed(data)) == MALFORMED


@given(st.integers(0, len(GOOD) - 1), st.sampled_from("Aa0*-_"))
def test_a_changed_letter_is_never_good_for_longer(at: int, letter: str) -> None:
    changed = GOOD[:at] + letter + GOOD[at + 1 :]
    assert checked(changed) == 0 or checked(changed) in (MALFORMED, WRONG_KEY)
    assert checked(changed, now=NOW + 3600) in (MALFORMED, WRONG_KEY, EXPIRED)
