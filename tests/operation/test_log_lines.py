"""Log lines: one event is one line, readable, and nobody can break or forge one."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import time
from collections.abc import Iterator
from typing import Literal

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from timbot import redaction
from timbot.errors import FrameError
from timbot.im.model import payloads
from timbot.im.wire.value import Raw
from timbot.redaction import register
from timbot.runtime.lines import json_line, text_line
from timbot.runtime.log import configure, get_log, preview, watch_loop
from timbot.runtime.wording import HIDDEN as NOT_SHOWN

SECRET = "a-secret-that-nobody-may-see-42"
Form = Literal["text", "json"]


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(redaction, "_forms", redaction._Forms())
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
    configure_nothing()


def configure_nothing() -> None:
    configure(stream=io.StringIO())
    structlog.reset_defaults()
    logging.getLogger().handlers = []


class Terminal(io.StringIO):
    """Says that it is one."""

    def isatty(self) -> bool:
        return True


def written(form: Form, level: str = "info", texts: bool = False) -> io.StringIO:
    stream = io.StringIO()
    configure(level=level, format=form, texts=texts, stream=stream)
    return stream


# Text


def test_an_event_is_an_aligned_line() -> None:
    stream = written("text")
    log = get_log(account="bot")
    log.info("handled", who="alice", sent="text of 2 characters", ms=3.1)
    log.warning("disconnected", cause="gone")
    first, second = stream.getvalue().splitlines()
    assert re.fullmatch(
        r'\d\d:\d\d:\d\d info    handled              account=bot who=alice sent="text of 2 characters" ms=3.1', first
    )
    assert first.index("account=") == second.index("account=")


def test_an_exception_is_readable_below_its_line() -> None:
    stream = written("text")
    try:
        raise TypeError("oops")
    except TypeError:
        get_log().exception("handler failed")
    first, *rest = stream.getvalue().splitlines()
    assert first.endswith("error   handler failed")
    assert rest[0] == "    | Traceback (most recent call last):"
    assert rest[-1] == "    | TypeError: oops"
    assert all(line.startswith("    | ") for line in rest)


@pytest.mark.parametrize(
    ("stream", "environment", "coloured"),
    [
        (Terminal, {}, True),
        (io.StringIO, {}, False),
        (Terminal, {"NO_COLOR": "1"}, False),
        (Terminal, {"NO_COLOR": ""}, True),
        (Terminal, {"TERM": "dumb"}, False),
    ],
)
def test_colours_are_for_terminals(
    stream: type[io.StringIO], environment: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    out = stream()
    configure(format="text", stream=out)
    get_log().warning("hm", x=1)
    assert ("\x1b[" in out.getvalue()) is coloured


@pytest.mark.parametrize(("stream", "as_json"), [(Terminal, False), (io.StringIO, True)])
def test_auto_is_text_on_a_terminal_and_json_elsewhere(stream: type[io.StringIO], as_json: bool) -> None:
    out = stream()
    configure(stream=out)
    get_log().info("hi")
    assert out.getvalue().startswith("{") is as_json


def test_what_is_below_the_level_is_not_said() -> None:
    stream = written("text", level="warning")
    get_log().info("quiet")
    get_log().warning("loud")
    assert [line.split()[-1] for line in stream.getvalue().splitlines()] == ["loud"]


# JSON


def test_an_event_is_an_object() -> None:
    stream = written("json")
    get_log(account="bot").info("handled", ms=3.1, sent=["a", "b"], none=None)
    (line,) = stream.getvalue().splitlines()
    told = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", told.pop("timestamp"))
    assert told == {"level": "info", "event": "handled", "account": "bot", "ms": 3.1, "sent": ["a", "b"], "none": None}


def test_a_traceback_is_one_field() -> None:
    stream = written("json")
    try:
        raise TypeError("oops")
    except TypeError as error:
        get_log().error("failed", exc_info=error)
    (line,) = stream.getvalue().splitlines()
    told = json.loads(line)
    assert told["exception"].startswith("Traceback (most recent call last):")
    assert told["exception"].endswith("TypeError: oops")


def test_a_number_that_json_does_not_know_costs_no_line() -> None:
    stream = written("json")
    get_log().info("lag", seconds=float("nan"), ms=1)
    told = json.loads(stream.getvalue())
    assert (told["event"], told["seconds"]) == ("lag", "nan")


# What people write

NASTY = [
    "a\nINFO handled forged",
    "a\r\nb",
    "a\x0bb\x0cb\x1cb\x85b",
    "a\u2028b\u2029c",
    "\x1b[2J\x1b[31mred",
    "\u202egnp.exe",
    "\u2066x\u2069\u200b\ufeff",
    "\ud800",
    'a" level="error',
    "\x00\x07\x7f\x9b",
]


HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("nasty", NASTY)
def test_nothing_people_write_breaks_or_forges_a_line(form: Form, nasty: str) -> None:
    stream = written(form)
    get_log(who=nasty).info(nasty, sent=nasty, deep=[{nasty: nasty}])
    (line,) = stream.getvalue().splitlines()
    assert not HIDDEN.search(line)
    if form == "json":
        assert json.loads(line)["level"] == "info"


@pytest.mark.parametrize("nasty", NASTY)
def test_nothing_in_an_exception_forges_a_line(nasty: str) -> None:
    stream = written("text")
    try:
        raise ValueError(nasty)
    except ValueError:
        get_log().exception("failed")
    first, *rest = stream.getvalue().split("\n")[:-1]
    assert first.endswith("failed")
    assert all(line.startswith("    | ") and not HIDDEN.search(line) for line in rest)


TEXTS = st.text(st.characters(), max_size=40)
FIELDS = st.dictionaries(TEXTS, st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.lists(TEXTS), max_size=4)


@given(event=TEXTS, fields=FIELDS, trace=TEXTS)
def test_every_text_line_is_one_line_and_a_traceback(event: str, fields: dict[str, object], trace: str) -> None:
    first, *rest = text_line(colours=False)("12:00:00", "info", event, fields, trace).splitlines()
    assert first.startswith("12:00:00 info    ")
    assert all(line.startswith("    | ") for line in rest)


@given(event=TEXTS, fields=FIELDS, trace=TEXTS)
def test_every_json_line_is_an_object_and_a_line(event: str, fields: dict[str, object], trace: str) -> None:
    line = json_line("now", "info", event, fields, trace)
    assert line.splitlines() == [line]
    assert json.loads(line).keys() >= fields.keys() - {"timestamp", "level", "event", "exception"}
    line.encode()  # no lone surrogates


def test_ordinary_text_of_any_script_stays_readable() -> None:
    stream = written("text")
    get_log().info("handled", sent="你好 👨‍👩‍👧 café")
    assert 'sent="你好 👨‍👩‍👧 café"' in stream.getvalue()


# Secrets


@pytest.mark.parametrize("form", ["text", "json"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=30)
@given(around=TEXTS)
def test_a_secret_is_in_no_line_wherever_it_stood(form: Form, around: str) -> None:
    register(SECRET)
    stream = written(form, level="debug")
    hidden = f"{around}{SECRET}"
    try:
        raise ValueError(hidden)
    except ValueError:
        get_log(bound=hidden).exception(
            hidden, value=[hidden, {"k": hidden.encode("utf-8", "replace")}], error=KeyError(hidden)
        )
    logging.getLogger("library").warning("%s", hidden, stack_info=True)
    assert SECRET not in stream.getvalue()
    assert "***" in stream.getvalue()


def test_a_value_named_like_a_secret_is_one() -> None:
    stream = written("text")
    get_log().info("login", usersig="abcdefgh", a2="ijklmnop")
    assert "usersig=*** a2=***" in stream.getvalue()


# Libraries


@pytest.mark.parametrize("form", ["text", "json"])
def test_warnings_of_libraries_look_like_ours(form: Form) -> None:
    stream = written(form)
    logging.getLogger("some.library").warning("hm %s", "x")
    logging.getLogger("some.library").info("not this")
    (line,) = stream.getvalue().splitlines()
    if form == "json":
        assert {"level": "warning", "event": "hm x", "logger": "some.library"}.items() <= json.loads(line).items()
    else:
        assert re.fullmatch(r"\d\d:\d\d:\d\d warning hm x +logger=some.library", line)


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_library_s_broken_record_is_said_and_harms_nobody(form: Form) -> None:
    stream = written(form)
    logging.getLogger("some.library").warning("%d", "x")
    assert len(stream.getvalue().splitlines()) == 1
    assert "not a log record" in stream.getvalue()
    assert "some.library" in stream.getvalue()


# What exceptions say

WORDS = "what a customer wrote"


def told_of(error: BaseException, level: str = "info", texts: bool = False) -> str:
    """The traceback in the log."""
    stream = written("json", level, texts)
    get_log().error("handler failed", exc_info=error)
    trace: str = json.loads(stream.getvalue())["exception"]
    return trace


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    """The error as it is when it has been raised."""
    try:
        raise error from cause
    except Exception as caught:
        return caught


@pytest.mark.parametrize("error", [KeyError(WORDS), ValueError(WORDS), RuntimeError(WORDS), LookupError(WORDS)])
def test_words_of_people_in_an_exception_stay_out_of_the_log(error: Exception) -> None:
    trace = told_of(raised(error))
    assert trace.endswith(f"{type(error).__name__}: {NOT_SHOWN}")
    assert WORDS not in trace
    assert "test_log_lines.py" in trace, "the place is told"


@pytest.mark.parametrize(("level", "texts"), [("debug", False), ("info", True)])
def test_whoever_asks_for_them_gets_the_words(level: str, texts: bool) -> None:
    assert told_of(raised(KeyError(WORDS)), level, texts).endswith(f"KeyError: '{WORDS}'")


@pytest.mark.parametrize("error", [ConnectionRefusedError(111, "refused"), TypeError("no"), FrameError("broken")])
def test_what_the_system_and_timbot_say_is_always_told(error: Exception) -> None:
    assert told_of(raised(error)).endswith(str(error))


def test_an_exception_without_words_is_told_as_it_is() -> None:
    assert told_of(raised(AssertionError())).endswith("AssertionError")


def test_words_do_not_come_in_by_a_cause_a_context_a_group_or_a_note() -> None:
    noted = ValueError(WORDS)
    noted.add_note(WORDS)
    inner = raised(OSError("gone"), raised(KeyError(WORDS)))
    try:
        try:
            raise LookupError(WORDS)
        except LookupError:
            raise ExceptionGroup(WORDS, [noted, OSError(5, "disk"), raised(TypeError("no"), inner)])  # noqa: B904
    except ExceptionGroup as error:
        trace = told_of(error)
    assert WORDS not in trace
    for kept in ("LookupError", "ExceptionGroup", "ValueError", "KeyError", "[Errno 5] disk", "OSError: gone", "TypeError: no"):
        assert kept in trace


def test_exceptions_that_go_in_circles_end() -> None:
    one, two = KeyError(WORDS), ValueError(WORDS)
    one.__context__, two.__context__ = two, one
    assert WORDS not in told_of(one)


async def test_an_error_nobody_awaited_is_an_event() -> None:
    register(SECRET)
    stream = written("json")
    watch_loop(asyncio.get_running_loop())

    async def fail() -> None:
        raise TypeError(SECRET)

    task = asyncio.create_task(fail(), name="the work")
    await asyncio.wait({task})
    del task
    await asyncio.sleep(0)
    told = json.loads(stream.getvalue())
    assert told["event"] == "unhandled in the loop"
    assert "the work" in told["future"]
    assert told["exception"].endswith("TypeError: ***")


# Streams


def test_a_stream_that_cannot_spell_it_gets_it_escaped() -> None:
    raw = io.BytesIO()
    configure(format="text", stream=io.TextIOWrapper(raw, encoding="ascii"))
    get_log().info("handled", sent="你")
    assert raw.getvalue().endswith(b"sent=\\u4f60\n")


def test_a_stream_that_is_gone_does_not_stop_the_bot() -> None:
    stream = written("text")
    stream.close()
    get_log().info("handled")
    logging.getLogger("library").warning("hm")


def test_a_huge_value_is_cut() -> None:
    stream = written("text")
    get_log().info("frame", raw="x " * 100_000)
    assert len(stream.getvalue()) < 5000


# What a message says

PREVIEWS: list[tuple[payloads.Payload, str, str]] = [
    (payloads.Text("hello, alice"), "text of 12 characters", '"hello, alice"'),
    (payloads.Text("x" * 81), "text of 81 characters", f'"{"x" * 80}..."'),
    (payloads.Custom("dice", "4"), "custom dice", "custom dice"),
    (payloads.Custom('{"phone": 1}', "me"), "custom of 14 characters", 'custom "{"phone": 1}"'),
    (payloads.Face(3), "face 3", "face 3"),
    (payloads.Location(1.5, 2.25), "location", "location 1.5,2.25"),
    (payloads.Image("u", 1, (payloads.Picture("l", 1, 1), payloads.Picture("l", 640, 480))), "image 640x480", "image 640x480"),
    (payloads.Image("u", 1, ()), "image", "image"),
    (payloads.Sound("u", "l", 10, 7), "sound of 7 s", "sound of 7 s"),
    (payloads.Video("u", "l", "mp4", 9), "video of 9 s", "video of 9 s"),
    (payloads.File("u", "salary.pdf", 1234, "l"), "file of 1234 bytes", 'file "salary.pdf" of 1234 bytes'),
    (payloads.Merger("t", ("a", "b"), "c"), "2 merged messages", "2 merged messages"),
    (payloads.UnknownPayload("TIMNewElem", Raw(b"{}")), "TIMNewElem", "TIMNewElem"),
    (payloads.BrokenPayload("TIMTextElem", FrameError("x")), "TIMTextElem", "TIMTextElem"),
]


@pytest.mark.parametrize(("payload", "without", "with_texts"), PREVIEWS)
def test_a_message_in_a_few_words(payload: payloads.Payload, without: str, with_texts: str) -> None:
    assert preview(payload, False) == without
    assert preview(payload, True) == with_texts


@pytest.mark.parametrize("texts", [False, True])
def test_by_default_a_preview_shows_what_the_log_may(texts: bool) -> None:
    written("text", texts=texts)
    assert ("hi" in preview(payloads.Text("hi"))) is texts


def test_a_preview_holds_not_even_half_a_secret() -> None:
    register(SECRET)
    assert preview(payloads.Text("x" * 65 + " " + SECRET), True) == f'"{"x" * 65} ***"'


# What it costs


def test_a_line_costs_little() -> None:
    register(SECRET)
    written("json")
    log = get_log(account="bot")
    began = time.process_time()
    for _ in range(200):
        log.info("handled", who="alice", conversation="C2Calice", handler="hello:greet", outcome="1 sent", ms=3.1)
    assert (time.process_time() - began) / 200 < 0.001
