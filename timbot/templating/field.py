"""A template as a field of a configuration type: pydantic compiles and checks it while the configuration is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic_core import core_schema

    from timbot.templating.templates import Template, Templates


class Variables:
    """Says which values a template of a configuration gets: `welcome: Annotated[Template, Variables("sender", "text")]`.

    Each name is a variable the template may use. Without this marker a template may use none.
    """

    __slots__ = ("names",)

    def __init__(self, *names: str) -> None:
        self.names = frozenset(names)

    def __repr__(self) -> str:
        return f"Variables({', '.join(repr(name) for name in sorted(self.names))})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Variables) and self.names == other.names

    def __hash__(self) -> int:
        return hash(self.names)

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> core_schema.CoreSchema:
        """Read a text or `{file: name.j2}` into a `Template`."""
        return field_schema(self.names)

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """What an editor is told."""
        return json_schema(self.names)


def field_schema(allowed: frozenset[str]) -> core_schema.CoreSchema:
    """How pydantic reads a template that may use these variables."""
    from pydantic_core import core_schema

    from timbot.templating.templates import Templates

    def read(value: object, info: core_schema.ValidationInfo) -> Template:
        templates = (info.context or {}).get("templates") or Templates()
        template = _template(value, templates)
        template.check(allowed)
        return template

    def checked(value: object, info: core_schema.ValidationInfo) -> Template:
        from timbot.templating.errors import TemplateError

        try:
            return read(value, info)
        except TemplateError as error:
            raise ValueError(str(error)) from error

    return core_schema.with_info_plain_validator_function(
        checked, serialization=core_schema.plain_serializer_function_ser_schema(lambda template: template.source)
    )


def _template(value: object, templates: Templates) -> Template:
    from timbot.templating.templates import Template

    if isinstance(value, Template):
        return value
    if isinstance(value, str):
        return templates.compile(value)
    if isinstance(value, dict) and set(value) == {"file"} and isinstance(value["file"], str):
        return templates.get(value["file"])
    raise ValueError("A template is a text, or {file: name.j2} for one in the folder of templates.")


def json_schema(allowed: frozenset[str]) -> dict[str, Any]:
    """What an editor is told about a template that may use these variables."""
    names = f"Variables: {', '.join(sorted(allowed))}." if allowed else "It has no variables."
    file = {"type": "string", "description": "A template in the folder of templates.", "pattern": r"\.j2$"}
    return {
        "description": f"A Jinja template. {names}",
        "anyOf": [
            {"type": "string"},
            {"type": "object", "properties": {"file": file}, "required": ["file"], "additionalProperties": False},
        ],
    }
