"""Types of settings: words, lengths of time, time zones, hours, and texts that are templates.

Each is checked where it stands in the configuration. A text is checked against the variables it will have: those every text
has, the operator's own, and the named groups of its rule's pattern. Then it is tried once, with made-up values: a
misspelt `sender.nmae` is found at load and not by the first customer.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    TypeAdapter,
    ValidationInfo,
)

from timbot import Pattern, Template, User, Variables
from timbot_plugins._shared.fields import a_text, one_or_several, zone
from timbot_plugins.responder.hours import Dates, Opening

Value = str | int | float | bool
"""What a variable may be."""

_TRIED_AT: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)

ALWAYS: Final[Mapping[str, object]] = {
    "sender": User("alice", "Alice"),
    "group": "",
    "text": "hello",
    "now": _TRIED_AT,
}
"""The variables of every text, with values to try it with."""

NEXT_OPEN: Final = "next_open"
"""The variable that texts have where there are business hours."""

_KNOWN: Final = "timbot_plugins.responder"
"""Where in pydantic's context the operator's own variables are kept while their texts are read."""

_GROUP: Final = "1"
"""What a named group found, when a text is tried: a number and a text."""


class TemplateFile(BaseModel):
    """A text in a file."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    file: str
    """Its name in the folder of templates: `closed.j2`."""


def _zone(value: object, info: ValidationInfo) -> tzinfo:
    know({NEXT_OPEN: _TRIED_AT}, info)
    return zone(value)


Zone = Annotated[tzinfo, PlainValidator(_zone, json_schema_input_type=str)]
"""A time zone by its IANA name. Where there is one there are business hours: texts read later have `next_open`."""


def _opening(value: object) -> Opening:
    return Opening.parse(a_text(value))


def _dates(value: object) -> Dates:
    return Dates.parse(a_text(value))


OpeningLine = Annotated[Opening, PlainValidator(_opening, json_schema_input_type=str)]
"""A line of opening hours."""

ClosedDates = Annotated[Dates, PlainValidator(_dates, json_schema_input_type=str)]
"""A day or several on which it is closed."""


def know(values: object, info: ValidationInfo) -> object:
    """Have the texts that are read from now on know these variables."""
    if isinstance(values, Mapping) and info.context is not None:
        info.context[_KNOWN] = {**_known(info), **values}
    return values


def _known(info: ValidationInfo) -> Mapping[str, object]:
    found: Mapping[str, object] = (info.context or {}).get(_KNOWN, {})
    return found


def _is_name(name: str) -> str:
    if name in ALWAYS or name == NEXT_OPEN:
        raise ValueError(f"'{name}' is a variable already, that of every text")
    if not name.isidentifier() or keyword.iskeyword(name) or name in ("true", "false", "none", "range", "loop"):
        raise ValueError("the name of a variable is made of letters, digits and '_', a letter first")
    return name


Name = Annotated[str, AfterValidator(_is_name)]
"""The name of a variable."""


def groups_of(pattern: Pattern | None) -> tuple[str, ...]:
    """The names of a pattern's groups."""
    return () if pattern is None else tuple(re.compile(pattern.pattern).groupindex)


def without_taken_groups(pattern: Pattern | None, info: ValidationInfo) -> Pattern | None:
    """The pattern, if none of its groups has the name of a variable."""
    for name in groups_of(pattern):
        if name in ALWAYS or name == NEXT_OPEN or name in _known(info):
            raise ValueError(f"the group '{name}' has the name of a variable")
    return pattern


def _template(value: object, info: ValidationInfo) -> Template:
    pattern = info.data.get("regex")
    groups = dict.fromkeys(groups_of(pattern if isinstance(pattern, Pattern) else None), _GROUP)
    values = {**_known(info), **groups, **ALWAYS}
    template: Template = _reader(frozenset(values)).validate_python(value, context=info.context)
    try:
        template.render(**values)
    except Exception as error:  # whatever a template can do wrong, it has done here first
        raise ValueError(f"tried with made-up values: {error}") from None
    return template


def _reader(names: frozenset[str]) -> TypeAdapter[Template]:
    return TypeAdapter(Annotated[Template, Variables(*names)])


def _one(value: object, info: ValidationInfo) -> tuple[Template, ...]:
    return (_template(value, info),)


_Part = Annotated[Template, PlainValidator(_template, json_schema_input_type=str | TemplateFile)]
_One = Annotated[tuple[Template, ...], PlainValidator(_one, json_schema_input_type=str | TemplateFile)]

Texts = Annotated[
    Annotated[_One, Tag("one")] | Annotated[tuple[_Part, ...], Field(min_length=1), Tag("several")],
    Discriminator(one_or_several),
]
"""What the bot says: a text, `{file: name.j2}`, or a list of them, said one after the other."""
