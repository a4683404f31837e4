"""Types for the settings of plugins: lengths of time, time zones, times of the clock, one or several, templates tried at load.

Each is checked while the configuration is read: what is wrong is told with file, line, column and key, like everything else
that is wrong there. `Pattern`, `Template` and `Variables` of `timbot` are such types too. Pydantic is imported with this
module, so it is not part of `import timbot`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING, Annotated, Final, TypeVar, get_args

from pydantic import AfterValidator, Discriminator, Field, GetCoreSchemaHandler, PlainValidator, Tag, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from timbot.schedule import ScheduleError, at, cron, every

if TYPE_CHECKING:
    from timbot.templating import Template

__all__ = [
    "CronLine",
    "Duration",
    "Moment",
    "OneOrMore",
    "Place",
    "Zone",
    "ZoneName",
    "machine_zone",
    "one_or_several",
    "raise_at",
    "tried",
    "zone",
]

T = TypeVar("T")
V = TypeVar("V")

Place = tuple[int | str, ...]
"""Where something stands within a setting: keys and positions (from 0), from the outside in: `("rules", 0, "reply")`."""


def raise_at(problems: Mapping[Place, str]) -> None:
    """Have a validator complain of several places within what it validates. Nothing happens if there are none.

    For a pydantic `model_validator`, or `__post_init__` of a dataclass. Raises `pydantic.ValidationError`.
    """
    if problems:
        errors = [
            InitErrorDetails(type=PydanticCustomError("value_error", "{message}", {"message": message}), loc=place, input=None)
            for place, message in problems.items()
        ]
        raise ValidationError.from_exception_data("settings", errors)


def _as_values(check: Callable[[V], T]) -> Callable[[V], T]:
    """The check, with what it raises of times as pydantic takes it."""

    def checked(value: V) -> T:
        try:
            return check(value)
        except ScheduleError as error:
            raise ValueError(str(error)) from None

    return checked


def _seconds(value: object) -> float:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise ValueError("a length of time is needed, like 30s, 10m or 1h30m")
    return every(value).seconds


Duration = Annotated[float, PlainValidator(_as_values(_seconds), json_schema_input_type=str | float)]
"""A length of time in seconds, at least one: `30s`, `10m`, `1h30m`, `1d`, or a number of seconds."""


def _zone(value: object) -> tzinfo:
    if not isinstance(value, str):
        raise ValueError("the name of a time zone is needed, like Asia/Shanghai")
    return cron("0 0 * * *", tz=value).zone


def zone(value: object) -> tzinfo:
    """The time zone of this IANA name. Raises `ValueError` with the closest one there is."""
    return _as_values(_zone)(value)


def machine_zone() -> tzinfo:
    """The machine's own time zone, as a default: `tz: Zone = field(default_factory=machine_zone)`."""
    return cron("0 0 * * *").zone


def _zone_name(name: str) -> str:
    zone(name)
    return name


def _cron_line(text: str) -> str:
    cron(text, tz="UTC")
    return text


def _moment(text: str) -> str:
    at(text, tz="UTC")
    return text


Zone = Annotated[tzinfo, PlainValidator(zone, json_schema_input_type=str)]
"""A time zone, by its IANA name."""

ZoneName = Annotated[str, AfterValidator(_zone_name)]
"""The name of a time zone that there is: what `cron` and `at` take as `tz`."""

CronLine = Annotated[str, AfterValidator(_as_values(_cron_line))]
"""A cron line, `0 9 * * mon-fri`, for `timbot.schedule.cron`."""

Moment = Annotated[str, AfterValidator(_as_values(_moment))]
"""A date with a time of day, `2026-12-24 09:00`, for `timbot.schedule.at`."""


def one_or_several(value: object) -> str:
    """Tells a list (`several`) from its only entry without the brackets (`one`): a pydantic `Discriminator`."""
    return "several" if isinstance(value, list | tuple) else "one"


class _Alone:
    """Takes the only entry of a list without the brackets."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        entry: object = get_args(source)[0]
        one = Annotated[entry, AfterValidator(lambda value: (value,)), Tag("one")]  # type: ignore[valid-type]
        several = Annotated[source, Field(min_length=1), Tag("several")]  # type: ignore[valid-type]
        return handler.generate_schema(Annotated[one | several, Discriminator(one_or_several)])


_ALONE: Final = _Alone()

OneOrMore = Annotated[tuple[T, ...], _ALONE]
"""A list with something in it, or its only entry: `OneOrMore[str]` takes `hello` and `[hello, hi]`. Always read as a tuple."""


def tried(**values: object) -> AfterValidator:
    """A check that a template works with such values: `Annotated[Template, Variables("sender"), tried(sender=User("alice"))]`.

    `Variables` checks names; this finds a misspelt field, `sender.nmae`, and a filter that does not fit, while loading.
    """

    def check(template: Template) -> Template:
        try:
            template.render(**values)
        except Exception as error:  # whatever a template can do wrong, it has done here first
            raise ValueError(f"tried with made-up values: {error}") from None
        return template

    return AfterValidator(check)
