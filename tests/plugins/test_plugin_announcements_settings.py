"""announcements: every mistake in its settings is named with its place, and its page is right."""

from __future__ import annotations

from pathlib import Path

import pytest
from settings_site import examples, keys, loaded, problems, tables
from timbot_plugins.announcements.settings import Announcement, Settings

ITEM = "{name: x, cron: 0 9 * * *, text: x, users: [alice]%s}"


@pytest.mark.parametrize(
    ("items", "problem"),
    [
        ("[]", "1: items: this must not be empty"),
        ("[{cron: 0 9 * * *, text: x, users: [alice]}]", "1: items.0.name: this is needed"),
        ("[{name: ' x', cron: 0 9 * * *, text: x, users: [alice]}]", "1: items.0.name: a name is needed"),
        ("[{name: x, text: x, users: [alice]}]", "1: items.0: give either cron or at"),
        (f"[{ITEM % ', at: 2026-12-24 09:00'}]", "1: items.0: give either cron or at"),
        ("[{name: x, cron: 0 9 * * *, text: x}]", "1: items.0: there is nobody to be told"),
        ("[{name: x, cron: 0 25 * * *, text: x, users: [a]}]", "1: items.0.cron: "),
        ("[{name: x, cron: 0 0 30 2 *, text: x, users: [a]}]", "1: items.0.cron: "),
        ("[{name: x, at: 2026-02-30 09:00, text: x, users: [a]}]", "1: items.0.at: '2026-02-30 09:00' is no date and time"),
        ("[{name: x, at: 2026-02-03, text: x, users: [a]}]", "1: items.0.at: '2026-02-03' has no time of day"),
        ("[{name: x, at: 2026-02-03 09:00, text: x, users: [a], missed: all}]", "1: items.0.missed: 'at' comes once"),
        (f"[{ITEM % ', tz: Asia/Beijing'}]", "1: items.0.tz: There is no time zone 'Asia/Beijing'. Did"),
        (f"[{ITEM % ', priority: high'}]", "1: items.0.priority: it is for groups, and there are none"),
        (f"[{ITEM % ', groups: [g], priority: urgent'}]", "1: items.0.priority: one of high, normal, low or lowest is needed"),
        (f"[{ITEM % ', groups: [g, h, g]'}]", "1: items.0.groups.2: this one is in the list already"),
        (f"[{ITEM % ', groups: [1]'}]", "1: items.0.groups.0: a text is needed: put it in quotes"),
        (f"[{ITEM % ', missed: twice'}]", "1: items.0.missed: one of skip, once or all is needed"),
        (f"[{ITEM % ', texts: x'}]", "1: items.0.texts: there is no such key; did you mean text?"),
        (f"[{ITEM % ''}, {ITEM % ''}]", "1: items.1.name: another announcement has this name"),
        (f"[{ITEM % ''}]\ntz: Mars", "2: tz: There is no time zone 'Mars'"),
        (f"[{ITEM % ''}]\nper_second: 0", "2: per_second: more than 0 is needed"),
        (f"[{ITEM % ''}]\nper_second: 1000", "2: per_second: at most 100 is needed"),
        (f"[{ITEM % ''}]\nkeep: 1h", "2: keep: at least 1d is needed"),
        ("[{name: x, cron: 0 9 * * *, text: '{{ sender.id }}', users: [a]}]", "1: items.0.text: Line 1 of the template: There"),
        ("[{name: x, cron: 0 9 * * *, text: '{{ recipient.nick }}', users: [a]}]", "1: items.0.text: tried with made-up"),
    ],
)
def test_mistakes_are_named_with_their_place(items: str, problem: str, tmp_path: Path) -> None:
    found = problems("announcements", f"items: {items}".replace("0 9 * * *", "'0 9 * * *'"), tmp_path)
    assert len(found) == 1, found
    assert found[0].startswith(problem), found


class TestPage:
    def test_the_example_loads(self, tmp_path: Path) -> None:
        [example] = examples("announcements.md")
        assert isinstance(loaded(example, tmp_path).settings, Settings)

    def test_the_tables_are_complete(self) -> None:
        assert tables("announcements.md") == keys(Settings, Announcement)
