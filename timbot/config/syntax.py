"""What is wrong with a text that is no YAML, in words for people who do not know YAML's own."""

from __future__ import annotations

import re
from typing import Final

import yaml

from timbot.config.tree import Mark

_UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_END: Final = re.compile(r"\r\n|\r|\n")

_QUOTES: Final = "put the text into quotes"
_WORDS: Final[tuple[tuple[str, str], ...]] = (
    ("unknown escape", "in double quotes a backslash begins an escape: use single quotes, or write it twice"),
    ("escape", "this escape of a double-quoted text is not one YAML knows: use single quotes, or double the backslash"),
    ("document start", "the file goes on after its end: take out the '...' or what follows it"),
    ("incompatible YAML", "another version of YAML is asked for: take out the line that begins with '%'"),
    ("sequence entries are not allowed", "a list begins on a line of its own: put '- ' under the key; or " + _QUOTES),
    ("mapping keys are not allowed", "a text cannot begin with '? ': " + _QUOTES),
    ("expected '-'", "among the items of a list each line begins with '- ', at the same column"),
    ("could not find expected ':'", "a key needs a colon and a space behind it; a text over several lines needs quotes"),
    ("expected alphabetic", "a text cannot begin with '*' or '&': " + _QUOTES),
    ("expected comment or line break", "nothing may follow '|' or '>' on its line; a text that begins so needs quotes"),
    ("chomping or indentation", "nothing may follow '|' or '>' on its line; a text that begins so needs quotes"),
    ("indentation indicator", "nothing may follow '|' or '>' on its line; a text that begins so needs quotes"),
    ("node content", "a key or a value is missing here; a text that begins with ] } or , needs quotes"),
    (
        "expected key",
        "this does not fit under the lines above: give the same keys the same indentation, close quotes at the end",
    ),
    ("block end", "this does not fit under the lines above: give the same keys the same indentation, close quotes at the end"),
    ("tag", "a text cannot begin with '!': " + _QUOTES),
    ("directive", "a line cannot begin with '%': " + _QUOTES),
)


def unprintable(text: str) -> Mark | None:
    """Where a character stands that YAML does not allow."""
    found = _UNPRINTABLE.search(text)
    if found is None:
        return None
    before = _LINE_END.split(text[: found.start()])
    return Mark(len(before), len(before[-1]) + 1)


def explain(error: yaml.MarkedYAMLError, text: str) -> tuple[Mark, str]:
    """Where it is, and what to do about it. Never what the text says there."""
    problem, context = error.problem or "", error.context or ""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Mark(1, 1), "this is not YAML"
    here = Mark(mark.line + 1, mark.column + 1)
    lines = _LINE_END.split(text)
    line = lines[mark.line] if mark.line < len(lines) else ""
    opened = error.context_mark
    if opened is not None and "quoted scalar" in context and "escape" not in problem:
        return Mark(opened.line + 1, opened.column + 1), "the quote that opens here is never closed"
    if opened is not None and ("flow sequence" in context or "flow mapping" in context):
        return _unclosed(context, Mark(opened.line + 1, opened.column + 1), here, lines)
    if "mapping values are not allowed" in problem:
        return here, _colon(line, mark.column)
    if "\t" in line[: mark.column + 1] or "tab" in problem:
        return here, "a tab: indent with spaces"
    if "cannot start any token" in problem:
        character = line[mark.column : mark.column + 1]
        begins = f"'{character}'" if character in ("@", "`", "%") else "this character"
        return here, f"a text cannot begin with {begins}: {_QUOTES}"
    return here, next((words for pattern, words in _WORDS if pattern in problem or pattern in context), "this is not YAML")


def _colon(line: str, column: int) -> str:
    if re.search(r":\s", line[:column]):
        return "a text that holds ': ' needs quotes"
    return "this line does not fit under the one above: check the indentation, and that the line above is not a value already"


def _unclosed(context: str, opened: Mark, here: Mark, lines: list[str]) -> tuple[Mark, str]:
    """A list in brackets or a mapping in braces that does not end as it should."""
    line = lines[opened.line - 1] if opened.line <= len(lines) else ""
    if "${" in line[opened.column - 1 :]:
        return here, "inside [ ] and { } an expansion needs quotes: \"${NAME}\"; or write the list with '- ' lines"
    pair = "[ and ]" if "sequence" in context else "{ and }"
    return (
        opened,
        f"what opens here is not closed properly: between {pair} commas separate the items, and texts with , [ {{ need quotes",
    )
