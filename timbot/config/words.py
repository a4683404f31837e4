"""What pydantic finds wrong, in plain words that say what is needed. Never the value: it may be a secret."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic_core import ErrorDetails

from timbot.config import shape
from timbot.config.tree import Node, ScalarNode

MOST_NAMED: Final = 30
"""Keys or choices that are listed; more would be no help."""

_TYPES: Final[dict[str, str]] = {
    "string_type": "a text",
    "string_sub_type": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "iterable_type": "a list",
    "none_required": "nothing",
    "finite_number": "a finite number",
    "path_type": "a path",
    "bytes_type": "a text",
    "time": "a time of day like 09:00",
    "zoneinfo": "a time zone like Asia/Shanghai",
    "datetime": "a date and time like 2026-12-24 09:00",
    "date": "a date like 2026-12-24",
    "time_delta": "a length of time",
    "timedelta": "a length of time",
    "url": "a URL like https://example.com",
    "uuid": "a UUID",
    "decimal": "a number",
    "complex": "a number",
    "mapping_type": "a mapping",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dataclass_type": "a mapping",
    "dataclass_exact_type": "a mapping",
}
"""Error type, or what it begins with -> what is needed."""

_LIMITS: Final[dict[str, str]] = {
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "decimal_max_places": "at most {decimal_places} decimal places",
    "decimal_max_digits": "at most {max_digits} digits",
    "string_pattern_mismatch": "a text of the form {pattern}",
}

_AS_YAML: Final = {"True": "true", "False": "false", "None": "null", "''": "an empty text"}
_OLD_BOOLS: Final = frozenset(("yes", "no", "on", "off", "y", "n"))


def explain(item: ErrorDetails, node: Node | None, kinds: shape.Kinds) -> str:
    """What is wrong with the value at `node`, which should be one of `kinds`."""
    kind, context = item["type"], item.get("ctx", {})
    if kind == "missing" or kind.startswith("missing_"):
        return "this is needed"
    if kind in ("value_error", "assertion_error"):
        return _own(item["msg"])
    if kind in ("literal_error", "enum"):
        return _choice(str(context.get("expected", "")), node)
    if kind.startswith("union_tag"):
        return _tagged(context)
    if kind.endswith(("too_short", "too_long")):
        return _size(kind, context, entries=not kind.startswith(("string", "bytes")) and not isinstance(node, ScalarNode))
    if kind in _LIMITS:
        limits = {name: f"{limit:g}" if isinstance(limit, float) else limit for name, limit in context.items()}
        return f"{_LIMITS[kind].format_map(limits)} is needed"
    return _type(kind, node, kinds)


def unknown_key(key: str, kinds: shape.Kinds) -> str:
    """There is no such key; which may have been meant."""
    known = shape.keys(kinds)
    close = closest(key, known) or closest(key, shape.nested_keys(kinds), cutoff=0.85)
    if close:
        return f"there is no such key; did you mean {close}?"
    inside = [path for path, inner in shape.nested_keys(kinds).items() if inner == key]
    if inside:
        return f"there is no such key here; did you mean {' or '.join(inside)}?"
    if 0 < len(known) <= MOST_NAMED:
        return f"there is no such key; there are {_listed(known)}"
    return "there is no such key"


def closest(word: str, known: Iterable[str], cutoff: float = 0.7) -> str:
    """The known word most like this one, whatever its case, dashes and underscores; empty if none is like it."""
    by_form = {_form(one): one for one in known}
    found = difflib.get_close_matches(_form(word), by_form, n=1, cutoff=cutoff)
    return by_form[found[0]] if found else ""


def _form(word: str) -> str:
    return re.sub(r"[-_. ]", "", word).lower()


def _own(message: str) -> str:
    """What a validator said: its first line, without pydantic's prefix."""
    said = message.removeprefix("Value error, ").removeprefix("Assertion failed, ").strip()
    return said.partition("\n")[0].rstrip(". ") or "this value does not fit here"


def _choice(expected: str, node: Node | None) -> str:
    choices = re.findall(r"'((?:[^'\\]|\\.)*)'", expected) or [expected]
    bare = re.sub(r"'([^']*)'|True|False|None", lambda found: found[1] or _AS_YAML.get(found[0], ""), expected)
    needed = f"one of {bare} is needed" if len(choices) > 1 else f"{bare} is needed"
    close = closest(node.value, choices) if isinstance(node, ScalarNode) and isinstance(node.value, str) else ""
    return f"{needed}; did you mean {close}?" if close and len(choices) > 1 else needed


def _tagged(context: Mapping[str, Any]) -> str:
    key = str(context.get("discriminator", "")).strip("'")
    choices = str(context.get("expected_tags", "")).replace("'", "")
    return f"its key '{key}' says which kind it is" + (f": one of {choices} is needed" if choices else "; it is needed")


def _size(kind: str, context: Mapping[str, Any], *, entries: bool) -> str:
    least, most = context.get("min_length"), context.get("max_length")
    if least == 1 and kind.endswith("too_short"):
        return "this must not be empty"
    number, limit = (f"at least {least}", least) if kind.endswith("too_short") else (f"at most {most}", most)
    what = ("entry" if limit == 1 else "entries") if entries else ("character" if limit == 1 else "characters")
    return f"{number} {what} {'is' if limit == 1 else 'are'} needed"


def _type(kind: str, node: Node | None, kinds: shape.Kinds) -> str:
    starts = [start for start in _TYPES if kind == start or kind.startswith(f"{start}_")]
    if not starts:
        return "this value does not fit here"
    needed = _TYPES[max(starts, key=len)]
    if needed == "a mapping":
        known = shape.keys(kinds)
        needed = f"a mapping with {_listed(known)}" if 0 < len(known) <= MOST_NAMED else "a mapping (key: value)"
    return f"{needed} is needed{_cure(kind, needed, node)}"


def _cure(kind: str, needed: str, node: Node | None) -> str:
    """What to write instead, where it can be guessed."""
    if isinstance(node, ScalarNode) and node.value is None:
        return (
            "; there is nothing here (a text that begins with # or & needs quotes)"
            if needed == "a text"
            else "; there is nothing here"
        )
    if needed in ("a text", "a path") and isinstance(node, ScalarNode) and not isinstance(node.value, str):
        return ': put it in quotes, "like this"'
    if needed == "a list" and isinstance(node, ScalarNode):
        return ": one entry a line, each after '- '; or [one, two]"
    if not isinstance(node, ScalarNode) or not isinstance(node.value, str):
        return ""
    if kind.startswith("bool") and node.value.lower() in _OLD_BOOLS:
        return ": write true or false, as yes, no, on and off are texts"
    if kind.startswith(("int", "float", "decimal")):
        if re.fullmatch(r"[-+]?0[0-9]+(\.[0-9]*)?", node.value):
            return ": write it without the leading zero"
        if re.fullmatch(r"[-+]?[0-9]+(\.[0-9]*)?", node.value):
            return ": take the quotes away"
    return ""


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def either(messages: Sequence[str]) -> str:
    """Several ways in which a value could fit, in one sentence."""
    heads: dict[str, None] = {}
    cures: dict[str, None] = {}
    for message in messages:
        head, needed, cure = message.partition(" is needed")
        if not message:
            continue
        if not needed:
            return message
        heads[head.removeprefix("one of ")] = None
        cures[cure] = None
    cures.pop("", None)
    return f"{' or '.join(heads)} is needed{next(iter(cures)) if len(cures) == 1 else ''}" if heads else ""
