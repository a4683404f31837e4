"""Types for settings: what each takes, what it is read into, and where it complains."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import UTC
from subprocess import run
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel, TypeAdapter, model_validator

from timbot import Template, User, Variables, fields
from timbot.config import ConfigErrors, Document, PluginUse, settings_of
from timbot.fields import (
    CronLine,
    Duration,
    Moment,
    OneOrMore,
    Place,
    Zone,
    ZoneName,
    machine_zone,
    one_or_several,
    raise_at,
    tried,
    zone,
)
from timbot.schedule import at, cron

Welcome = Annotated[Template, Variables("sender"), tried(sender=User("alice", "Alice"))]


@dataclass(frozen=True, slots=True)
class Rule:
    words: OneOrMore[str]
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    wait: Duration = 600.0
    tz: Zone = field(default_factory=machine_zone)
    tz_name: ZoneName = "UTC"
    line: CronLine = "0 9 * * *"
    once: Moment | None = None
    welcome: OneOrMore[Welcome] = ()
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        raise_at({("rules", number, "reply"): "said already" for number, rule in enumerate(self.rules) if rule.reply == "same"})


def read(**settings: object) -> Settings:
    return settings_of("p", Settings, settings)


def mistakes(**settings: object) -> list[str]:
    try:
        read(**settings)
    except ConfigErrors as error:
        return [f"{problem.key}: {problem.message}" for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("written", "seconds"), [("30s", 30.0), ("1h30m", 5400.0), ("1d", 86400.0), (90, 90.0), (1, 1.0), (1.5, 1.5)]
)
def test_a_length_of_time(written: object, seconds: float) -> None:
    assert read(wait=written).wait == seconds


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (True, "a length of time is needed, like 30s, 10m or 1h30m"),
        (["1s"], "a length of time is needed, like 30s, 10m or 1h30m"),
        ("soon", "'soon' is no interval. Write days, hours, minutes, seconds in this order: '30s', '5m', '1h30m', '1d'"),
        (0, "An interval of 0 is too short, or none at all. The least is 1 s: '30s', '5m'"),
    ],
)
def test_what_is_no_length_of_time(written: object, told: str) -> None:
    assert mistakes(wait=written) == [f"wait: {told}"]


def test_time_zones() -> None:
    found = read(tz="Asia/Shanghai", tz_name="Europe/Berlin")
    assert found.tz == ZoneInfo("Asia/Shanghai")
    assert found.tz_name == "Europe/Berlin"
    assert zone("UTC") is UTC


@pytest.mark.parametrize("key", ["tz", "tz_name"])
def test_a_time_zone_that_is_not_there(key: str) -> None:
    assert mistakes(**{key: "Asia/Shangai"}) == [f"{key}: There is no time zone 'Asia/Shangai'. Did you mean 'Asia/Shanghai'?"]


def test_a_number_is_no_time_zone() -> None:
    assert mistakes(tz=8) == ["tz: the name of a time zone is needed, like Asia/Shanghai"]


def test_the_machines_zone_is_the_one_of_a_cron_line_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert read().tz == ZoneInfo("Asia/Tokyo") == cron("0 0 * * *").zone


def test_times_of_the_clock_are_texts_for_the_schedule() -> None:
    found = read(line="0 9 * * mon-fri", once="2026-12-24 09:00")
    assert cron(found.line, tz="UTC").describe() == "09:00 on Mon-Fri, UTC"
    assert at(found.once or "", tz="Asia/Shanghai").describe() == "once, 2026-12-24 09:00, Asia/Shanghai"


@pytest.mark.parametrize(
    ("key", "written", "told"),
    [
        ("line", "0 9 * *", "Cron line '0 9 * *': it has 4 fields. Five are needed"),
        ("line", "0 0 30 2 *", "Cron line '0 0 30 2 *': "),
        ("line", 9, 'a text is needed: put it in quotes, "like this"'),
        ("once", "2026-12-24", "'2026-12-24' has no time of day. Write year-month-day hour:minute"),
    ],
)
def test_times_that_cannot_be(key: str, written: object, told: str) -> None:
    [mistake] = mistakes(**{key: written})
    assert mistake.startswith(f"{key}: {told}")


@pytest.mark.parametrize(
    ("written", "said"),
    [("hi", ["hi"]), (["hi"], ["hi"]), (["a", "{{ sender.name }}"], ["a", "Bob"]), ({"file": "f.j2"}, ["f"])],
)
def test_one_or_more_is_a_tuple(written: object, said: list[str], tmp_path: Any) -> None:
    from timbot.templating import Templates

    (tmp_path / "f.j2").write_text("f")
    found = settings_of("p", Settings, {"welcome": written}, {"templates": Templates([tmp_path])})
    assert [template.render(sender=User("bob", "Bob")) for template in found.welcome] == said


@pytest.mark.parametrize(
    ("welcome", "told"),
    [
        ([], ["welcome: this must not be empty"]),
        (5, ["welcome: A template is a text, or {file: name.j2} for one in the folder of templates"]),
        ("{{ sendr }}", ["welcome: Line 1 of the template: There is no variable 'sendr' here. Did you mean 'sender'?"]),
        (
            ["fine", "{{ sender.nmae }}"],
            [
                "welcome.1: tried with made-up values: Line 1 of the template: A User has no 'nmae'. Did you mean 'name'?",
            ],
        ),
    ],
)
def test_templates_that_cannot_be(welcome: object, told: list[str]) -> None:
    assert mistakes(welcome=welcome) == told


def test_the_schema_of_one_or_more_offers_both() -> None:
    found = TypeAdapter(OneOrMore[str]).json_schema()
    assert found == {"oneOf": [{"type": "string"}, {"items": {"type": "string"}, "minItems": 1, "type": "array"}]}


def test_one_and_several_are_told_apart() -> None:
    assert [one_or_several(value) for value in ("a", {"a": 1}, ["a"], ("a",))] == ["one", "one", "several", "several"]


def test_a_validator_complains_of_several_places_at_once() -> None:
    same = {"words": "a", "reply": "same"}
    assert mistakes(rules=[same, {"words": "b"}, same]) == ["rules.0.reply: said already", "rules.2.reply: said already"]


def test_a_models_validator_can_too() -> None:
    class Model(BaseModel):
        first: int = 1
        second: int = 2

        @model_validator(mode="after")
        def _rises(self) -> Self:
            problems: dict[Place, str] = {("second",): "more than first is needed"} if self.second <= self.first else {}
            raise_at(problems)
            return self

    assert settings_of("p", Model, {"second": 3}).second == 3
    with pytest.raises(ConfigErrors, match="second: more than first is needed"):
        settings_of("p", Model, {"second": 1})


def test_a_mistake_has_line_and_column() -> None:
    document = Document.of("accounts: [{user_id: bot}]\nplugins:\n  - p:\n      rules:\n        - words: []\n", "c.yaml")
    use = PluginUse("p", {"rules": [{"words": []}]}, ("plugins", 0))
    [problem] = document.check_settings(use, Settings)[1]
    assert str(problem) == "c.yaml:5:11: plugins.0.p.rules.0.words: this must not be empty"


def test_every_name_is_there() -> None:
    assert [name for name in fields.__all__ if not hasattr(fields, name)] == []


def test_it_loads_neither_templates_nor_triggers_until_they_are_needed() -> None:
    code = "import sys, timbot.fields; print([name for name in ('jinja2', 'apscheduler', 'yaml') if name in sys.modules])"
    assert run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
