"""Secrets are found wherever and however they stand, and ordinary words are left alone."""

from __future__ import annotations

import base64
import io
import json
import sys
import threading
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from timbot import redaction
from timbot.im.wire.usersig import sign
from timbot.redaction import clean, clean_value, format_exception, print_exception, register

KEY = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e"
SIG = sign(1400000000, KEY, "bot", now=1_700_000_000)
TICKET = "oY3kT_9s-LqA0vX7cE2uRzJ5wB8nHdMfQ1iKpGxVtSA"
ODD = 'p"as\\s wörd/+?&'


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_forms", redaction._Forms())


# What is registered

SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in a URL": lambda secret: quote(secret, safe=""),
    "in a URL with slashes": quote,
    "in a form": quote_plus,
    "in a URL in small letters": lambda secret: quote(secret, safe="").lower() if secret.islower() else quote(secret, safe=""),
    "in JSON": lambda secret: json.dumps(secret)[1:-1],
    "in JSON beyond ASCII": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "in JSON as JavaScript writes it": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1].replace("/", "\\/"),
    "in JSON in JSON": lambda secret: json.dumps(json.dumps(secret))[3:-3],
    "in a repr": lambda secret: repr(secret)[1:-1],
    "in a repr of bytes": lambda secret: repr(secret.encode())[2:-1],
}


@pytest.mark.parametrize("secret", [KEY, SIG, TICKET, ODD, "sesame"])
@pytest.mark.parametrize("spelling", list(SPELLINGS))
def test_a_secret_is_taken_out_in_every_spelling(secret: str, spelling: str) -> None:
    register(secret)
    assert clean(f"before({SPELLINGS[spelling](secret)})after") == "before(***)after"


@pytest.mark.parametrize("secret", [KEY, SIG, TICKET, ODD])
@pytest.mark.parametrize("ahead", [b"", b"a", b"ab", b"bot:"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_is_found_wherever_in_it_the_secret_begins(secret: str, ahead: bytes, encode: Callable[[bytes], bytes]) -> None:
    register(secret)
    core = encode(ahead + secret.encode() + b"behind").decode()
    begin, end = len(ahead) * 4 // 3 + 3, (len(ahead) + len(secret.encode())) * 4 // 3 - 3
    shown = clean(f"<{core}>")
    assert "***" in shown
    assert [core[at : at + 6] for at in range(begin, end - 6) if core[at : at + 6] in shown] == []


def test_it_is_found_without_anything_around_it_to_tell_it_by() -> None:
    register(TICKET)
    assert clean(f"x{TICKET}y{TICKET}") == "x***y***"


@pytest.mark.parametrize("part", [slice(None, 20), slice(20, None), slice(11, 27), slice(3, -3)])
def test_a_secret_that_was_cut_is_taken_out_too(part: slice) -> None:
    register(KEY)
    assert clean(f"frame: {KEY[part]}...") == "frame: ***..."


def test_a_few_characters_of_a_secret_are_no_secret() -> None:
    register("timbot-sandbox-demo-key-known-to-all-good-on-this-machine-only-0")
    assert clean("the timbot-sandbox runs") == "the timbot-sandbox runs"


def test_short_words_are_never_blanked() -> None:
    register("hello")
    assert clean("hello, shell") == "hello, shell"


def test_the_lines_of_a_key_file_are_secrets_one_by_one() -> None:
    register(f"-----BEGIN KEY-----\n{KEY}\n{TICKET}\n-----END KEY-----\n")
    assert clean(f"line 2: {TICKET}") == "line 2: ***"


def test_a_secret_that_holds_another_is_taken_out_as_a_whole() -> None:
    for secret in ("open sesame", "open sesame now", KEY[:32], KEY):
        register(secret)
    assert clean(f"say open sesame now, {KEY}.") == "say ***, ***."


def test_what_was_registered_longest_ago_is_forgotten_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "MOST", 3)
    for secret in ("secret-one", "second one", "secret-two", "secret-one", "secret-six"):
        register(secret)
    assert clean("secret-one second one secret-two secret-six") == "*** second one *** ***"
    assert len(redaction._forms._secrets) == 3
    assert "second one" not in redaction._forms._odd


def test_nothing_of_a_forgotten_secret_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "MOST", 1)
    register(SIG)
    register("secret-two")
    grams = {gram for places in redaction._forms._grams.values() for gram in places}
    assert {form for form, _ in grams} == set(redaction._forms._secrets["secret-two"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    secret=st.text(st.characters(exclude_categories=["Cs"]), min_size=6, max_size=80)
    .map(str.strip)
    .filter(lambda s: len(s) >= 6),
    before=st.text(max_size=30),
    after=st.text(max_size=30),
    spelling=st.sampled_from(sorted(SPELLINGS)),
)
def test_whatever_the_secret_it_is_not_in_what_is_printed(secret: str, before: str, after: str, spelling: str) -> None:
    register(secret)
    spelled = SPELLINGS[spelling](secret)
    text = f"{before}\n{spelled}\n{after}"
    assert spelled not in clean(text)


@given(st.text(max_size=200))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    register(KEY)
    assert clean(clean(text)) == clean(text)


# What only looks like a secret


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"sig {SIG}!", "sig ***!"),
        (f"sig {SIG[:60]}", "sig ***"),
        (f"https://h/p?usersig={quote(SIG)}&sdkappid=14", "https://h/p?usersig=***&sdkappid=14"),
        ("wss://h/info?sdkappid=14&sig=abcdef123&x=1", "wss://h/info?sdkappid=14&sig=***&x=1"),
        ('{"head":{"ver":"v4","a2":"abcdef123456","tinyid":"144"}}', '{"head":{"ver":"v4","a2":"***","tinyid":"144"}}'),
        (r'"{\"head\":{\"a2\":\"abcdef123456\"}}"', r'"{\"head\":{\"a2\":\"***\"}}"'),
        ("Ticket(a2='abcdef123456', tiny_id='1')", "Ticket(a2='***', tiny_id='1')"),
        ("{b'a2': b'abcdef123456'}", "{b'a2': b'***'}"),
        ('{"A2Key": "abcdef123456", "TinyId": "1"}', '{"A2Key": "***", "TinyId": "1"}'),
        ('{"head":{"usersig":"abcdef123456', '{"head":{"usersig":"***'),
        ("Authorization: Bearer abcdef.123456\nHost: h", "Authorization: ***\nHost: h"),
        ("{'authorization': 'Basic Ym90OnB3'}", "{'authorization': '***'}"),
        ("(b'Authorization', b'Bearer abcdef')", "(b'Authorization', b'***')"),
        ("TIMBOT_SECRET_KEY=hunter2222", "TIMBOT_SECRET_KEY=***"),
        ("secretKey: hunter2222", "secretKey: ***"),
        ("password = 'hunter2222'", "password = '***'"),
        (f"the key is {KEY}", "the key is ***"),
        ("https://cos/x?q-signature=0123456789abcdef&y=1", "https://cos/x?q-signature=***&y=1"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out_unregistered(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "handled conversation=C2Calice route=hello:greet ms=3.1",
        "secret_key_file: /run/secrets/tim-secret-key",
        "user_sig_file: /run/secrets/bot-usersig",
        "Give its account a secret_key_file, a user_sig_file or a user_sig, or set TIMBOT_SECRET_KEY.",
        "Check that secret key (or UserSig), 'sdk_app_id' and 'user_id' belong together: the console shows the key.",
        "design: nothing special",
        "GROUP@TGS#2J4SZEAEL possibly incomplete",
        "sha256 of the file " + "ab" * 32,
        '{"a2":""}',
        "OutcomeUnknown(token=(2147483647, 123456789))",
        "eJ and eJwell are words",
        "你好，世界 🎲 ************",
    ],
)
def test_ordinary_lines_are_left_alone(text: str) -> None:
    register(KEY)
    register(SIG)
    register(TICKET)
    assert clean(text) == text


# Values and errors


def test_values_are_cleaned_all_the_way_down() -> None:
    register(KEY)
    value = {"a": [KEY, (1, {KEY})], KEY: 1, "bytes": KEY.encode(), "none": None, "object": ValueError(KEY)}
    assert clean_value(value) == {"a": ["***", [1, ["***"]]], "***": 1, "bytes": "***", "none": None, "object": "***"}


def test_a_value_under_the_name_of_a_secret_is_one() -> None:
    assert clean_value({"user_sig": "abcdefg", "secret_key": "hunter2222", "user_sig_file": "/run/x/y"}) == {
        "user_sig": "***",
        "secret_key": "***",
        "user_sig_file": "/run/x/y",
    }


def test_a_value_that_goes_on_for_ever_ends() -> None:
    register(KEY)
    endless: list[object] = [KEY]
    endless.append(endless)
    shown = repr(clean_value(endless))
    assert KEY not in shown
    assert len(shown) < 1000


def test_a_value_that_cannot_be_shown_costs_nothing_else() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise OSError

    assert clean_value([1, Broken()]) == [1, "<Broken, whose repr fails: OSError>"]


def failing() -> ValueError:
    try:
        raise ValueError(f"no good: {KEY}") from KeyError(SIG)
    except ValueError as error:
        return error


def test_a_traceback_keeps_everything_but_the_secrets() -> None:
    register(KEY)
    shown = format_exception(failing())
    assert "ValueError: no good: ***" in shown
    assert "in failing" in shown
    assert KEY not in shown
    assert SIG not in shown


def test_print_exception_prints_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    print_exception(failing())
    assert "ValueError: no good: " in capsys.readouterr().err


def test_printing_an_error_never_fails() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise OSError

    closed = io.StringIO()
    closed.close()
    print_exception(Broken(), closed)
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    print_exception(ValueError("你好"), narrow)
    narrow.seek(0)
    assert "\\u4f60" in narrow.read()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_nobody_catches_is_cleaned_too(capsys: pytest.CaptureFixture[str]) -> None:
    register(KEY)

    class Dying:
        def __del__(self) -> None:
            raise ValueError(KEY)

    def fail() -> None:
        raise ValueError(KEY)

    undo = redaction.install_hooks()
    try:
        error = failing()
        sys.excepthook(type(error), error, error.__traceback__)
        main = capsys.readouterr().err
        thread = threading.Thread(target=fail, name="worker 7")
        thread.start()
        thread.join()
        other = capsys.readouterr().err
        dying = Dying()
        del dying
        destructor = capsys.readouterr().err
    finally:
        undo()
    assert "ValueError: no good: ***" in main
    assert "worker 7" in other
    assert "ValueError: ***" in other
    assert "__del__" in destructor
    assert "ValueError: ***" in destructor


def test_the_hooks_can_be_undone() -> None:
    before = sys.excepthook, threading.excepthook, sys.unraisablehook
    redaction.install_hooks()()
    assert (sys.excepthook, threading.excepthook, sys.unraisablehook) == before


# What it costs


def cost(text: str, rounds: int = 2000) -> float:
    """Seconds of computing a call, the best of five."""
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        for _ in range(rounds):
            clean(text)
        best = min(best, (time.process_time() - began) / rounds)
    return best


def test_more_secrets_cost_no_more() -> None:
    line = "handled account=bot conversation=C2Calice route=hello:greet sent=text of 12 characters ms=12.1"
    register(TICKET)
    few = cost(line)
    for number in range(500):
        register(f"{number:04}-{TICKET}")
    assert cost(line) < 3 * few


def test_a_long_text_takes_time_in_proportion() -> None:
    register(TICKET)
    word, longer = "aB3-" * 1000, "aB3-" * 8000
    clean(word)
    assert cost(longer, 1) < 8 * 4 * cost(word, 1)
