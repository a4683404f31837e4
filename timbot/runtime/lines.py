"""How an event of the log becomes a line: aligned words for people, an object for machines.

Whatever stands in a value stays on its line and stays visible: line breaks, control characters, the characters that turn
the direction of writing and the invisible ones are escaped. So nobody forges a line of the log by writing to the bot.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Final

Renderer = Callable[[str, str, str, Mapping[str, object], str], str]
"""(time, level, event, fields, traceback) -> the line."""

EVENT_WIDTH: Final = 20
"""Columns of the event's name, so that fields begin below each other."""

_UNSAFE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_BARE: Final = re.compile(r"[^\s\"'=\\{}\[\],]+")
_COLOURS: Final = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "1;31"}


def escape(text: str) -> str:
    """The text on one line, with everything in it visible."""
    return _UNSAFE.sub(_escape, text)


def text_line(*, colours: bool) -> Renderer:
    """`12:34:56 info    handled              route=hello:greet ms=3.1`, and a traceback, if there is one, indented below."""

    def paint(code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if colours else text

    def render(time: str, level: str, event: str, fields: Mapping[str, object], trace: str) -> str:
        words = [paint("2", time)] if time else []
        words.append(paint(_COLOURS.get(level, "0"), f"{level:7}"))
        name = escape(event)
        words.append(paint("1", f"{name:{EVENT_WIDTH}}" if fields else name))
        words += [f"{paint('36', f'{escape(key)}=')}{_value(value)}" for key, value in fields.items()]
        return "\n".join([" ".join(words), *(f"    | {escape(line)}" for line in trace.splitlines())])

    return render


def json_line(time: str, level: str, event: str, fields: Mapping[str, object], trace: str) -> str:
    """One object: `timestamp`, `level`, `event`, the fields, and `exception` if there is one."""
    told: dict[str, object] = {"timestamp": time, "level": level, "event": event, **fields}
    if trace:
        told["exception"] = trace
    try:
        line = json.dumps(told, ensure_ascii=False, allow_nan=False)
    except ValueError:  # a float that JSON does not know
        line = json.dumps({name: value if isinstance(value, str) else repr(value) for name, value in told.items()})
    return _UNSAFE.sub(_escape, line)


def _value(value: object) -> str:
    if isinstance(value, str):
        return value if _BARE.fullmatch(value) and not _UNSAFE.search(value) else _quoted(value)
    if isinstance(value, dict | list):
        return escape(json.dumps(value, ensure_ascii=False))
    return str(value)


def _quoted(text: str) -> str:
    text = text.replace("\\", "\\\\")
    if '"' in text and "'" not in text:
        return f"'{escape(text)}'"
    return '"' + escape(text.replace('"', '\\"')) + '"'


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character) or f"\\u{ord(character):04x}"
