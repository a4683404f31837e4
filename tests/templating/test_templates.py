"""What a template makes of its values, and what is said when it cannot."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from timbot.templating import Template, TemplateError, Templates


@dataclass(frozen=True, slots=True)
class User:
    """As handlers give it."""

    id: str
    nick: str = ""

    @property
    def name(self) -> str:
        return self.nick or self.id

    def greet(self) -> str:
        return f"Hi {self.name}"


class Point(NamedTuple):
    x: int
    y: int


class Level(Enum):
    GOLD = "gold"


class Kind(StrEnum):
    NEW = "new"


ANN = User("ann", "Ann")
NOON = datetime(2026, 3, 1, 12, 5, tzinfo=UTC)


def rendered(source: str, **values: object) -> str:
    return Templates().compile(source).render(**values)


def refused(source: str, **values: object) -> str:
    with pytest.raises(TemplateError) as caught:
        rendered(source, **values)
    return str(caught.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def write(folder: Path, **files: str) -> Templates:
    for name, text in files.items():
        (folder / f"{name}.j2").write_text(text, encoding="utf-8")
    return Templates([folder])


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Hello {{ user.nick }}!", "Hello Ann!"),
        ("{{ user.name }}, {{ user['id'] }}", "Ann, ann"),
        ("{{ '{:,}'.format(1234567) }}", "1,234,567"),
        ("{{ '{:>5}|{:.2f}|{a}'.format('x', 1.5, a=none) }}", "    x|1.50|"),
        ("{{ '%05.1f%% of %s' | format(3.14159, user.nick) }}", "003.1% of Ann"),
        ("{{ '%(n)s' | format(n=user.nick) }}", "Ann"),
        ("{{ noon | strftime('%H:%M') }} {{ noon.strftime('%Y年%m月') }}", "12:05 2026年03月"),
        ("{{ '{:%H:%M}'.format(noon) }} {{ noon.year }} {{ noon.weekday() }}", "12:05 2026 6"),
        ("{{ (noon + hour) | strftime('%H') }} {{ (noon - noon).total_seconds() }}", "13 0.0"),
        ("{{ words | join(', ') }} {{ ', '.join(words) }}", "b, a b, a"),
        ("{{ words | sort | first }}{{ words | last }}{{ words | length }}", "aa2"),
        ("{{ users | map(attribute='nick') | join('+') }}", "Ann+Bob"),
        ("{{ users | selectattr('nick', 'eq', 'Bob') | map(attribute='id') | first }}", "bob"),
        ("{{ [1, 2, 3] | select('odd') | list | sum }} {{ [1, 2] | map('string') | join }}", "4 12"),
        ("{{ [3, 1] | max }} {{ [1, 1] | unique | list | length }} {{ [1, 2] | reverse | first }}", "3 1 2"),
        ("{% for k, v in table.items() %}{{ k }}={{ v }};{% endfor %}", "a=1;b=2;"),
        ("{% for k in table %}{{ loop.index }}{{ k }}{% if not loop.last %}, {% endif %}{% endfor %}", "1a, 2b"),
        ("{% for u in users if u.id == 'bob' %}{{ u.nick }}{% else %}nobody{% endfor %}", "Bob"),
        ("{% for u in [] %}{% else %}nobody{% endfor %}", "nobody"),
        ("{{ loop_cycle }}{% for i in range(3) %}{{ loop.cycle('a', 'b') }}{% endfor %}", "aba"),
        ("{% macro hi(who, mark='!') %}Hi {{ who }}{{ mark }}{% endmacro %}{{ hi('A') }}{{ hi('B', mark='?') }}", "Hi A!Hi B?"),
        ("{% set x %}a{{ 1 }}{% endset %}{{ x }}{% with y = 2 %}{{ y }}{% endwith %}", "a12"),
        ("{{ nothing }}|{{ 1 if true else 2 }}|{{ missing | default('-') }}|{{ missing is defined }}", "|1|-|False"),
        ("{{ 2 ** 10 }} {{ 7 // 2 }} {{ 7 % 2 }} {{ -1 + 0.5 }} {{ 1 < 2 < 3 }} {{ 1 in [1] }} {{ 'b' not in 'abc' }}", None),
        ("{{ 'abc'[1:] }}{{ [1, 2, 3][:-1] | join }}{{ 'abc'[::-1] }}{{ words[0] }}", "bc12cbab"),
        ("{{ 'a' ~ 1 ~ none }} {{ 'ab' * 2 }} {{ ([1] + [2]) | join }}", "a1 abab 12"),
        ("{{ {'new': '新', 'old': '旧'}[kind] }} {{ level }} {{ kind }}", "新 gold new"),
        ("{{ price * 2 }} {{ price | round(1) }} {{ '12' | int + 1 }} {{ 'x' | int }} {{ '1.5' | float }}", None),
        ("{{ 'a b&c' | urlencode }} {{ ' x ' | trim }}{{ 'hello world' | truncate(8) }} {{ 'ab' | replace('a', 'c') }}", None),
        ("{{ point.x }}{{ point[1] }} {{ 'A,B'.split(',')[1] }} {{ 'order 12'.startswith('order') }}", "12 B True"),
        ("{# nothing #}\n  {% if true %}\n- a\n  {% endif %}\n- b\n\n", "- a\n- b"),
        ("{% for g in users | groupby('nick') %}{{ g.grouper }}{{ g.list | length }}{% endfor %}", "Ann1Bob1"),
        ("{{ day }} {{ at }} {{ day.month }} {{ at.hour }}", "2026-03-01 09:30:00 3 9"),
        ("{{ '{{' }} {% raw %}{{ x }}{% endraw %}", "{{ {{ x }}"),
    ],
)
def test_it_makes(source: str, text: str | None) -> None:
    made = rendered(
        source,
        user=ANN,
        users=[ANN, User("bob", "Bob")],
        words=["b", "a"],
        table={"a": 1, "b": 2},
        noon=NOON,
        hour=timedelta(hours=1),
        nothing=None,
        kind=Kind.NEW,
        level=Level.GOLD,
        price=Decimal("1.25"),
        point=Point(1, 2),
        day=date(2026, 3, 1),
        at=time(9, 30),
        loop_cycle="",
    )
    others = {
        "{{ 2": "1024 3 1 -0.5 True True False",
        "{{ p": "2.50 1.2 13 0 1.5",
        "{{ '": "a%20b%26c xhello... cb",
    }
    assert made == (others[source[:4]] if text is None else text)


NICK = Templates().compile("{{ nick }}|")


@settings(deadline=None)
@given(st.text(max_size=200))
def test_what_people_write_comes_out_as_it_is(text: str) -> None:
    assert NICK.render(nick=text) == f"{text}|"


@pytest.mark.parametrize("text", ["{{ 7*7 }}", "{% for i in range(9) %}x{% endfor %}", "{# x #}", "{{ ''.__class__ }}", "<b>&"])
def test_a_nick_is_never_a_template(text: str) -> None:
    source = "{{ nick }} {{ '%s' | format(nick) }} {{ '{}'.format(nick) }} {{ nick ~ '' }} {{ [nick] | join }}"
    assert rendered(source, nick=text) == " ".join([text] * 5)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("a\nb {{ nick }}", "Line 2 of the template: 'nick' is undefined. Give it, or write {{ nick | default('') }}."),
        ("{{ user.nik }}", "Line 1 of the template: A User has no 'nik'. Did you mean 'nick'?"),
        ("{{ table.colour }}", "Line 1 of the template: A mapping has no 'colour'. Did you mean 'color'?"),
        ("{{ words[5] }}", "Line 1 of the template: There is no item 5: there are 2."),
        (
            "{{ words }}",
            "Line 1 of the template: A list cannot be written as text. Write {{ it | join(', ') }}, or loop over it.",
        ),
        ("{{ user }}", "Line 1 of the template: A User cannot be written as text. Name one of its fields: {{ it.field }}."),
        ("{{ 1 + 'a' }}", "Line 1 of the template: '+' does not go between a number and a text."),
        ("{% for a in none %}{% endfor %}", "Line 1 of the template: 'for' goes through a list, not through nothing (None)."),
        ("{{ 1 / 0 }}", "Line 1 of the template: ZeroDivisionError: division by zero."),
        ("{{ x | uper }}", "Line 1 of the template: There is no filter 'uper'. Did you mean 'upper'?"),
        ("{{ [1] | map('uper') | list }}", "Line 1 of the template: There is no filter 'uper'. Did you mean 'upper'?"),
        ("{{ [1] | select('od') | list }}", "Line 1 of the template: There is no test 'od'. Did you mean 'odd'?"),
        ("{% if x is define %}{% endif %}", "Line 1 of the template: There is no test 'define'. Did you mean 'defined'?"),
        ("{% if true %}{{ 1 | uper }}{% endif %}", "Line 1 of the template: There is no filter 'uper'. Did you mean 'upper'?"),
        ("\n{% if x %}", "Close what is open: {% endif %}, {% endfor %}."),
        ("\n{% fi x %}", "Check the spelling of the word after '{%'."),
        ("{{ x", "Write a literal '{{' as {{ '{{' }}."),
        ("{% import 'a.j2' as a %}", "'import' is not available in a template. Use {% include 'name.j2' %}"),
        ("{% from 'a.j2' import a %}", "'from ... import' is not available in a template."),
        ("{% filter upper %}a{% endfilter %}", "'filter' is not available in a template. Write {% set text %}"),
        ("{% macro m() %}{% endmacro %}{% call m() %}{% endcall %}", "'call' is not available in a template."),
        ("{% set words.x = 1 %}", "is not available in a template. Compute the value before the template"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "Macros call each other more than 20 deep. Let the macro end."),
        ("{{ words.append }}", "A list has no 'append'."),
        ("{{ user.greet() }}", "'greet' of a User is not a value: a template calls no methods of objects."),
        ("{% include name %}", "Which template is included must be known beforehand."),
        ("{% include 'a.j2' %}", "There is no template 'a.j2'. There is no folder of templates."),
    ],
)
def test_it_says_what_is_wrong(source: str, said: str) -> None:
    assert said in refused(source, user=ANN, table={"color": 1}, words=["a", "b"])


def test_a_property_that_raises_is_an_error_of_the_template() -> None:
    class Broken:
        @property
        def name(self) -> str:
            raise OSError("no disk")

    assert refused("\n{{ it.name }}", it=Broken()) == "Line 2 of the template: OSError: no disk."


def test_the_place_in_the_configuration_is_named() -> None:
    with pytest.raises(TemplateError, match=r"^bot.yaml:7:3, line 2 of the template: There is no filter 'uper'."):
        Templates().compile("\n{{ 1 | uper }}", place="bot.yaml:7:3")


def test_a_rendering_that_failed_leaves_the_next_one_its_whole_budget() -> None:
    template = Templates().compile("{% for i in range(n) %}{% for j in range(n) %}{% endfor %}{% endfor %}ok")
    with pytest.raises(TemplateError):
        template.render(n=1000)
    assert template.render(n=100) == "ok"


def test_a_value_survives_as_it_was() -> None:
    words = ["b", "a"]
    rendered("{{ words | sort | join }}{{ (words + ['c']) | join }}", words=words)
    assert words == ["b", "a"]


def test_a_template_cannot_be_changed() -> None:
    template = Templates().compile("a")
    with pytest.raises(AttributeError):
        template.name = "b"  # type: ignore[misc]


def test_importing_it_imports_neither_jinja_nor_pydantic() -> None:
    code = "import sys, timbot.templating; print({'jinja2', 'pydantic', 'pydantic_core'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


class TestFolders:
    def test_the_earlier_folder_wins(self, tmp_path: Path) -> None:
        one, two = tmp_path / "one", tmp_path / "two"
        for place in (one, two):
            place.mkdir()
            (place / "a.j2").write_text(place.name)
        (two / "b.j2").write_text("{% include 'a.j2' %}")
        templates = Templates([one, two])
        assert (templates.names(), templates.get("a.j2").render(), templates.get("b.j2").render()) == (
            ("a.j2", "b.j2"),
            "one",
            "one",
        )

    def test_an_unknown_name_is_told_the_closest_and_the_folders(self, folder: Path) -> None:
        with pytest.raises(TemplateError) as caught:
            write(folder, hello="hi").get("helo.j2")
        assert str(caught.value) == f"There is no template 'helo.j2'. It was looked for in {folder}. Did you mean 'hello.j2'?"

    @pytest.mark.parametrize("name", ["../secret.j2", "/etc/passwd", "sub/a.j2", "secret.txt", ""])
    def test_nothing_but_its_templates_can_be_read(self, folder: Path, name: str) -> None:
        (folder / "sub").mkdir()
        for place in (folder.parent / "secret.j2", folder / "secret.txt", folder / "sub" / "a.j2"):
            place.write_text("secret")
        with pytest.raises(TemplateError, match="There is no template"):
            Templates([folder]).get(name)

    def test_a_folder_that_is_none(self, folder: Path) -> None:
        with pytest.raises(TemplateError, match="There is no folder"):
            Templates([folder / "none"])

    def test_a_file_that_is_no_text(self, folder: Path) -> None:
        (folder / "a.j2").write_bytes(b"a\n\xff")
        with pytest.raises(TemplateError, match=r"^a.j2:2: is not UTF-8. Save the file as UTF-8.$"):
            Templates([folder]).get("a.j2")

    def test_a_mark_at_its_beginning_and_windows_line_ends_are_not_sent(self, folder: Path) -> None:
        (folder / "a.j2").write_bytes(b"\xef\xbb\xbfa\r\nb\r\n")
        assert Templates([folder]).get("a.j2").render() == "a\nb"

    def test_all_mistakes_are_found_each_once(self, folder: Path) -> None:
        templates = write(
            folder, a="{{ 1 | uper }}", b="\n\n{% if %}", c="fine", d="{% include 'a.j2' %}", e="x\n{% include 'none.j2' %}"
        )
        assert [(problem.template, problem.line) for problem in templates.check_all()] == [
            ("a.j2", 1),
            ("b.j2", 3),
            ("e.j2", 2),
        ]

    def test_it_renders_without_its_files(self, folder: Path) -> None:
        template = write(folder, a="{% include 'b.j2' %}", b="b").get("a.j2")
        for file in folder.iterdir():
            file.unlink()
        assert template.render() == "b"


class TestTemplatesOfTemplates:
    def test_extends_and_super(self, folder: Path) -> None:
        templates = write(
            folder,
            base="<{% block body %}base {{ a }}{% endblock %}>",
            child="{% extends 'base.j2' %}{% block body %}{{ super() }} child {{ b }}{% endblock %}",
        )
        child = templates.get("child.j2")
        assert child.variables == {"a", "b"}
        assert child.render(a=1, b=2) == "<base 1 child 2>"

    @pytest.mark.parametrize(
        ("source", "variables"),
        [
            ("{% include 'row.j2' %}", {"item", "total"}),
            ("{% for item in items %}{% include 'row.j2' %}{% endfor %}", {"items", "total"}),
            ("{% for item in items %}{% endfor %}{% include 'row.j2' %}", {"items", "item", "total"}),
            ("{% set total = 1 %}{% include 'row.j2' %}", {"item"}),
            ("{% with total = 1, item = 2 %}{% include 'row.j2' %}{% endwith %}", set()),
            ("{% macro m(item, total) %}{% include 'row.j2' %}{% endmacro %}", set()),
            ("{{ a.b.c }}{% if d is defined %}{% endif %}{{ range(e) }}{{ f | default(g) }}", {"a", "d", "e", "f", "g"}),
        ],
    )
    def test_its_variables_are_those_of_all(self, folder: Path, source: str, variables: set[str]) -> None:
        assert write(folder, row="{{ item }}/{{ total }}", main=source).get("main.j2").variables == variables

    def test_a_variable_of_an_included_template_is_named_by_its_own_place(self, folder: Path) -> None:
        templates = write(folder, row="\n{{ itm }}", main="{% include 'row.j2' %}")
        with pytest.raises(TemplateError) as caught:
            templates.get("main.j2").check(["item"])
        assert str(caught.value) == "row.j2:2: There is no variable 'itm' here. Did you mean 'item'?"

    def test_a_failure_in_an_included_template_is_named_by_its_own_place(self, folder: Path) -> None:
        templates = write(folder, row="\n{{ 1 / item }}", main="{% include 'row.j2' %}")
        with pytest.raises(TemplateError, match=r"^row.j2:2: ZeroDivisionError"):
            templates.get("main.j2").render(item=0)

    @pytest.mark.parametrize(
        "files", [{"a": "{% include 'a.j2' %}"}, {"a": "{% extends 'b.j2' %}", "b": "{% include 'a.j2' %}"}]
    )
    def test_a_circle_is_refused(self, folder: Path, files: dict[str, str]) -> None:
        with pytest.raises(TemplateError, match=r"'a\.j2' includes itself"):
            write(folder, **files).get("a.j2")

    def test_a_long_chain_is_refused(self, folder: Path) -> None:
        files = {f"t{i}": f"{{% include 't{i + 1}.j2' %}}" for i in range(50)}
        with pytest.raises(TemplateError, match="include each other"):
            write(folder, **files, t50="end").get("t0.j2")

    def test_included_templates_share_one_budget(self, folder: Path) -> None:
        templates = write(folder, row="{% for i in range(9000) %}{% endfor %}", main="{% include 'row.j2' %}" * 100)
        with pytest.raises(TemplateError, match="too much work"):
            templates.get("main.j2").render()


class TestCheck:
    def test_the_right_variables_pass(self) -> None:
        template = Templates().compile("{{ a }}{{ b }}")
        template.check(["a", "b", "c"])
        assert template.variables == {"a", "b"}

    def test_the_first_wrong_one_is_named(self) -> None:
        template = Templates().compile("{{ b }}\n{{ sendr }}\n{{ a }}", place="bot.yaml:3:1")
        with pytest.raises(TemplateError) as caught:
            template.check({"a", "b", "sender"})
        assert str(caught.value) == (
            "bot.yaml:3:1, line 2 of the template: There is no variable 'sendr' here. Did you mean 'sender'?"
        )

    def test_all_are_listed_where_none_is_near(self) -> None:
        with pytest.raises(TemplateError, match=r"The variables are: sender, text\.$"):
            Templates().compile("{{ x }}").check(["text", "sender"])


def test_it_is_shown_by_its_name(folder: Path) -> None:
    shown: list[Template] = [write(folder, a="x").get("a.j2"), Templates().compile("hello")]
    assert list(map(repr, shown)) == ["Template('a.j2')", "Template('hello')"]


def test_once_everything_is_loaded_no_text_is_compiled(tmp_path: Path) -> None:
    (tmp_path / "a.j2").write_text("{{ x }}")
    templates = Templates([tmp_path])
    before = templates.compile("{{ x }}!")
    templates.seal()
    with pytest.raises(TemplateError, match="not later"):
        templates.compile("{{ x }}?")
    assert (before.render(x=1), templates.get("a.j2").render(x=2)) == ("1!", "2")
