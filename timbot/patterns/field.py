"""A pattern as a field of a configuration type: pydantic compiles and checks it while the configuration is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import core_schema

    from timbot.patterns.pattern import Pattern

_KEYS = {"regex": str, "unsafe_regex": bool, "case": bool}


def field_schema() -> core_schema.CoreSchema:
    """How pydantic reads a pattern."""
    from pydantic_core import core_schema

    from timbot.patterns.errors import PatternError
    from timbot.patterns.pattern import Pattern

    def read(value: object, info: core_schema.ValidationInfo) -> Pattern:
        if isinstance(value, Pattern):
            return value
        given = {"regex": value} if isinstance(value, str) else value
        if not isinstance(given, dict) or "regex" not in given:
            raise ValueError("A pattern is a text, or {regex: '...', unsafe_regex: true, case: true}.")
        _check_keys(given)
        # A model may allow it for all its patterns, in a field before them.
        unsafe = given.get("unsafe_regex", (info.data or {}).get("unsafe_regex") is True)
        try:
            return Pattern.compile(given["regex"], unsafe_regex=unsafe, ignore_case=not given.get("case", False))
        except PatternError as error:
            raise ValueError(str(error)) from error

    return core_schema.with_info_plain_validator_function(
        read, serialization=core_schema.plain_serializer_function_ser_schema(_plain)
    )


def _check_keys(given: dict[object, object]) -> None:
    for key, value in given.items():
        kind = _KEYS.get(key) if isinstance(key, str) else None
        if kind is None:
            raise ValueError(f"A pattern has no key '{key}'. Its keys are: {', '.join(_KEYS)}.")
        if not isinstance(value, kind):
            raise ValueError(
                f"'{key}' of a pattern is a {'text' if kind is str else 'yes or no (true, false)'}, not {value!r}."
            )


def _plain(pattern: Pattern) -> object:
    """The pattern as it could stand in a configuration."""
    more = {"unsafe_regex": pattern.unsafe_regex, "case": not pattern.ignore_case}
    return (
        {"regex": pattern.pattern, **{key: True for key, on in more.items() if on}} if any(more.values()) else pattern.pattern
    )


def json_schema() -> dict[str, object]:
    """What an editor is told."""
    about = "A regular expression, looked for in the first 1,000 characters; upper and lower case are the same."
    return {
        "description": about,
        "anyOf": [
            {"type": "string"},
            {
                "type": "object",
                "properties": {
                    "regex": {"type": "string"},
                    "unsafe_regex": {"type": "boolean", "description": "Take a pattern that may run away."},
                    "case": {"type": "boolean", "description": "Tell upper and lower case apart."},
                },
                "required": ["regex"],
                "additionalProperties": False,
            },
        ],
    }
