"""Types of settings that several plugins have: words, lengths of time, time zones. Each is checked where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainValidator, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from timbot.schedule import ScheduleError, cron, every
from timbot_plugins._shared.words import bare, plain


class Model(BaseModel):
    """A mapping in the settings."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


Place = tuple[int | str, ...]
"""Where something stands within a setting: keys and numbers, from the outside in."""


def raise_at(problems: Mapping[Place, str]) -> None:
    """Have a validator complain of several places within what it validates. Nothing happens if there are none."""
    if problems:
        errors = [
            InitErrorDetails(type=PydanticCustomError("value_error", "{message}", {"message": message}), loc=place, input=None)
            for place, message in problems.items()
        ]
        raise ValidationError.from_exception_data("settings", errors)


def _is_word(text: str) -> str:
    word = plain(text)
    if not word:
        raise ValueError("a text with something in it is needed")
    return word


Word = Annotated[str, AfterValidator(_is_word)]
"""A text to compare with, in the form in which texts are compared."""

Whole = Annotated[Word, AfterValidator(bare)]
"""The same for a whole message: without punctuation around it."""


def _seconds(value: object) -> float:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise ValueError("a length of time is needed, like 30s, 10m or 1h30m")
    try:
        return every(value).seconds
    except ScheduleError as error:
        raise ValueError(str(error)) from None


Duration = Annotated[float, PlainValidator(_seconds, json_schema_input_type=str | float)]
"""A length of time in seconds, at least one: `30s`, `10m`, `1h30m`."""


def zone(value: object) -> tzinfo:
    """The time zone of this IANA name. Raises `ValueError` with the closest one there is."""
    if not isinstance(value, str):
        raise ValueError("the name of a time zone is needed, like Asia/Shanghai")
    try:
        return cron("0 0 * * *", tz=value).zone
    except ScheduleError as error:
        raise ValueError(str(error)) from None


def machine_zone() -> tzinfo:
    """The machine's own time zone."""
    return cron("0 0 * * *").zone


Zone = Annotated[tzinfo, PlainValidator(zone, json_schema_input_type=str)]
"""A time zone by its IANA name."""


def a_text(value: object) -> str:
    """The value, if it is a text. Raises `ValueError` with the cure."""
    if not isinstance(value, str):
        raise ValueError('a text is needed: put it in quotes, "like this"')
    return value


def one_or_several(value: object) -> str:
    """Tells a list from its only entry without the brackets: the discriminator of a field that takes both."""
    return "several" if isinstance(value, list | tuple) else "one"
