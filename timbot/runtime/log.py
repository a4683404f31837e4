"""Logging: events with fields, one line each, for people (`text`) or for machines (`json`).

Signatures, keys and tickets are taken out of every line (`timbot.redaction`), and nothing that people write can break a
line or forge another one. What people wrote is not shown either unless `texts` says so: an event then tells its beginning.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sys
import traceback
from typing import Any, Final, Literal, TextIO

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from timbot.im.model import payloads
from timbot.redaction import clean, clean_value
from timbot.runtime.lines import Renderer, json_line, text_line
from timbot.runtime.wording import silence

Log = FilteringBoundLogger
Format = Literal["auto", "text", "json"]

LONGEST_VALUE: Final = 4000
"""Characters of a value that are shown."""

LONGEST_TRACEBACK: Final = 40_000
"""Characters of a traceback that are shown, the last ones."""

PREVIEW: Final = 80
"""Characters of a message's text that `preview` shows, if it may."""

_LOOP_FIELDS: Final = ("task", "future", "handle", "transport", "protocol")

_KIND_OF_CUSTOM: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.:\-]{0,31}")

_show_texts = False
_show_words = True


def get_log(**fields: object) -> Log:
    """A logger that adds these fields to every event."""
    log: Log = structlog.get_logger().bind(**fields)
    return log


def configure(
    *,
    level: str = "info",
    format: Format = "auto",  # noqa: A002 - its name in the configuration
    texts: bool = False,
    stream: TextIO | None = None,
) -> None:
    """Set up logging for the process: `level` debug, info, warning or error; `format` auto is text on a terminal, else json.

    `texts`: `preview` shows the beginning of what people write. Warnings of libraries are shown too, as events of the same
    form. `stream` is standard error unless given. What an exception says is shown where it cannot be what people wrote, and
    otherwise only with `texts` or at level debug.
    """
    global _show_texts, _show_words
    _show_texts, _show_words = texts, texts or level == "debug"
    out = sys.stderr if stream is None else stream
    terminal = _is_terminal(out)
    number = logging.getLevelNamesMapping()[level.upper()]
    as_text = terminal if format == "auto" else format == "text"
    render: Renderer = text_line(colours=terminal and _wants_colours()) if as_text else json_line
    finish = _Finish(render)
    stamp = structlog.processors.TimeStamper(fmt="%H:%M:%S" if as_text else "iso", utc=not as_text)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, stamp, finish],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: _Writer(out),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name, stamp],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, finish],
    )
    handler = _Handler(_Writer(out))
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)


def watch_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Errors that nobody awaited become events of the log, without secrets, in place of asyncio's own printing."""
    log = get_log()

    def report(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        fields = {name: repr(context[name]) for name in _LOOP_FIELDS if name in context}
        log.error("unhandled in the loop", what=context.get("message", ""), exc_info=context.get("exception"), **fields)

    loop.set_exception_handler(report)


def preview(payload: payloads.Payload, texts: bool | None = None) -> str:
    """What a message says, in a few words for the log: its kind and its size, and what it says only where `texts` allows.

    `texts` None: as `configure` was told. The beginning of a text is at most `PREVIEW` characters and holds no secrets.
    """
    show = _show_texts if texts is None else texts
    match payload:
        case payloads.Text():
            return _beginning(payload.text) if show else f"text of {len(payload.text)} characters"
        case payloads.Custom():
            if _KIND_OF_CUSTOM.fullmatch(payload.data):
                return f"custom {clean(payload.data)}"
            size = len(payload.data) + len(payload.description) + len(payload.extension)
            return f"custom {_beginning(payload.data)}" if show else f"custom of {size} characters"
        case payloads.Face():
            return f"face {payload.index}"
        case payloads.Location():
            return f"location {payload.latitude:g},{payload.longitude:g}" if show else "location"
        case payloads.Image():
            largest = max(payload.pictures, key=lambda picture: picture.width * picture.height, default=None)
            return f"image {largest.width}x{largest.height}" if largest and largest.width else "image"
        case payloads.Sound():
            return f"sound of {payload.second} s"
        case payloads.Video():
            return f"video of {payload.video_second} s"
        case payloads.File():
            return f"file{f' {_beginning(payload.file_name)}' if show else ''} of {payload.file_size} bytes"
        case payloads.Merger():
            return f"{len(payload.abstract_list)} merged messages"
        case payloads.UnknownPayload() | payloads.BrokenPayload():
            return clean(payload.type[:PREVIEW])


def _beginning(text: str) -> str:
    """Cleaned before it is cut: half a secret is one too."""
    text = clean(text)
    return f'"{text[:PREVIEW]}..."' if len(text) > PREVIEW else f'"{text}"'


class _Finish:
    """The last step: everything becomes plain values without secrets, the exception a text, and all of it a line."""

    __slots__ = ("_render",)

    def __init__(self, render: Renderer) -> None:
        self._render = render

    def __call__(self, _logger: WrappedLogger, method: str, event_dict: EventDict) -> str:
        trace = _traceback(event_dict.pop("exc_info", None))
        stack = event_dict.pop("stack_info", None)
        time, level = str(event_dict.pop("timestamp", "")), str(event_dict.pop("level", method))
        event = event_dict.pop("event", "")
        more = trace or event_dict.pop("exception", None) or stack
        values = clean_value(event_dict)
        assert isinstance(values, dict)
        fields = {name: _shortened(value) for name, value in values.items()}
        words = clean(event if isinstance(event, str) else repr(event))
        return self._render(time, level, words, fields, clean(str(more))[-LONGEST_TRACEBACK:] if more else "")


def _shortened(value: object) -> object:
    return f"{value[:LONGEST_VALUE]}..." if isinstance(value, str) and len(value) > LONGEST_VALUE else value


def _traceback(info: object) -> str:
    """Without local variables: they hold what people wrote, and whatever secrets a handler works with."""
    if info is True:
        info = sys.exc_info()
    if isinstance(info, tuple):
        info = info[1]
    if not isinstance(info, BaseException):
        return ""
    try:
        told = traceback.TracebackException.from_exception(info)
        if not _show_words:
            silence(told, info)
        return "".join(told.format()).rstrip("\n")
    except Exception as broken:  # an exception whose own __str__ fails must not cost the line
        return f"{type(info).__name__}, which cannot be shown: {type(broken).__name__}"


class _Writer:
    """Writes lines. What the stream cannot spell is escaped; a stream that is gone does not stop the bot."""

    __slots__ = ("_out",)

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def msg(self, line: str) -> None:
        try:
            try:
                self._out.write(f"{line}\n")
            except UnicodeEncodeError:
                encoding = self._out.encoding or "ascii"
                self._out.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            self._out.flush()
        except (OSError, ValueError):  # a full disk, a closed pipe
            return

    debug = info = warning = warn = error = err = critical = fatal = exception = log = msg


class _Handler(logging.Handler):
    """What libraries log through the standard library."""

    def __init__(self, writer: _Writer) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._writer.msg(self.format(record))
        except Exception as error:  # a library's broken record: said, never raised into the library
            get_log(logger=record.name).warning("not a log record", text=record.msg, error=repr(error))


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError):
        return False


def _wants_colours() -> bool:
    """See no-color.org."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
