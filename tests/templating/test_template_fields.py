"""Templates in a configuration: read, compiled and checked by pydantic, for annotated dataclasses and models alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from timbot.templating import Template, Templates, Variables

Welcome = Annotated[Template, Variables("sender", "text")]


@dataclass(frozen=True, slots=True)
class Settings:
    welcome: Welcome | None = None
    farewell: Template | None = None
    many: tuple[Welcome, ...] = ()


class Model(BaseModel):
    model_config = ConfigDict(frozen=True)

    welcome: Welcome


def read(data: dict[str, object], *folders: Path) -> Settings:
    return TypeAdapter(Settings).validate_python(data, context={"templates": Templates(folders)})


def refused(data: dict[str, object], *folders: Path) -> list[tuple[tuple[int | str, ...], str]]:
    with pytest.raises(ValidationError) as caught:
        read(data, *folders)
    return [(error["loc"], error["msg"].removeprefix("Value error, ")) for error in caught.value.errors()]


def test_a_text_is_a_template() -> None:
    welcome = read({"welcome": "Hi {{ sender }}!"}).welcome
    assert welcome is not None
    assert welcome.render(sender="Ann", text="") == "Hi Ann!"


def test_a_file_is_a_template(tmp_path: Path) -> None:
    (tmp_path / "hi.j2").write_text("Hi {{ sender }}!\n")
    welcome = read({"welcome": {"file": "hi.j2"}}, tmp_path).welcome
    assert welcome is not None
    assert (welcome.name, welcome.render(sender="Ann")) == ("hi.j2", "Hi Ann!")


def test_a_model_has_them_too() -> None:
    assert Model.model_validate({"welcome": "Hi {{ text }}"}).welcome.variables == {"text"}


def test_each_mistake_is_told_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "hi.j2").write_text("\n{{ nick }}\n")
    data: dict[str, object] = {
        "welcome": {"file": "hi.j2"},
        "farewell": "Bye {{ sender }}",
        "many": ["fine", "a\n{{ sendr }}", "{% if %}", {"file": "helo.j2"}, 7],
    }
    assert refused(data, tmp_path) == [
        (("welcome",), "hi.j2:2: There is no variable 'nick' here. The variables are: sender, text."),
        (("farewell",), "Line 1 of the template: There is no variable 'sender' here. The variables are: none."),
        (("many", 1), "Line 2 of the template: There is no variable 'sendr' here. Did you mean 'sender'?"),
        (
            ("many", 2),
            "Line 1 of the template: Expected an expression, got 'end of statement block'. Write a literal '{{' as {{ '{{' }}.",
        ),
        (("many", 3), f"There is no template 'helo.j2'. It was looked for in {tmp_path}. There are: hi.j2."),
        (("many", 4), "A template is a text, or {file: name.j2} for one in the folder of templates."),
    ]


def test_a_default_is_checked_like_any_other_when_it_is_given() -> None:
    with pytest.raises(ValidationError, match="There is no variable 'sender' here"):
        TypeAdapter(Settings).validate_python({"farewell": Templates().compile("{{ sender }}")})


@pytest.mark.parametrize(
    ("kind", "about"),
    [(Welcome, "A Jinja template. Variables: sender, text."), (Template, "A Jinja template. It has no variables.")],
)
def test_an_editor_is_told_both_forms(kind: Any, about: str) -> None:
    schema = TypeAdapter(kind).json_schema()
    assert (schema["description"], [form["type"] for form in schema["anyOf"]]) == (about, ["string", "object"])


def test_it_is_written_as_it_was_read() -> None:
    settings = read({"welcome": "Hi {{ sender }}"})
    assert TypeAdapter(Settings).dump_python(settings)["welcome"] == "Hi {{ sender }}"


def test_a_marker_is_a_value() -> None:
    assert {Variables("a", "b"), Variables("b", "a")} == {Variables("a", "b")}
    assert repr(Variables("b", "a")) == "Variables('a', 'b')"
