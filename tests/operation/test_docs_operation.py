"""The page for operators says what is so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from prometheus_client import Metric

from timbot.cli import exits
from timbot.runtime.metrics import Metrics
from timbot.runtime.operations import AccountHealth, Health

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operation.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_exit_code_is_there() -> None:
    told = {int(code) for row in rows("Exit codes") for code in row[0].split(",")}
    ours = {value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)}
    assert told == ours | {143}


def families() -> dict[str, Metric]:
    """What a bot that has done everything shows, without what is not ours."""
    metrics = Metrics()
    return {
        f"{family.name}{'_total' if family.type == 'counter' else '_info' if family.type == 'info' else ''}": family
        for family in metrics.registry.collect()
        if family.name.startswith("timbot_")
    }


def labels(metrics: Metrics, name: str) -> set[str]:
    found = {
        collector._name: set(collector._labelnames)  # type: ignore[attr-defined]  # there is no public way
        for collector in metrics.registry._collector_to_names
        if hasattr(collector, "_labelnames")
    }
    return found[name.removesuffix("_total").removesuffix("_info")]


def test_the_table_of_metrics_is_complete() -> None:
    assert [row[0] for row in rows("Metrics")] == [f"`{name}`" for name in sorted(families(), key=order)]


def order(name: str) -> int:
    return [row[0] for row in rows("Metrics")].index(f"`{name}`")


@pytest.mark.parametrize("row", rows("Metrics"), ids=lambda row: row[0])
def test_the_table_of_metrics_is_right(row: list[str]) -> None:
    name, kind, told, text = row[0].strip("`"), row[1], row[2], row[3]
    family = families()[name]
    assert kind == {"info": "gauge"}.get(family.type, family.type)
    assert text == family.documentation
    if family.type != "info":
        assert set(filter(None, told.split(", "))) == labels(Metrics(), name)


def test_every_alert_names_a_metric_that_is_there() -> None:
    known = set(families()) | {f"{name}_bucket" for name in families()}
    used = set(re.findall(r"\b(timbot_\w+)\b", PAGE.split("Worth an alert:")[1].split("\n## ")[0]))
    assert used
    assert used <= known


def test_the_answer_it_shows_is_one() -> None:
    block = "".join(line.strip() for line in re.findall(r"^    .*$", PAGE.split("answers 200 or 503 and JSON:")[1], re.M)[:2])
    shown = json.loads(block)
    made = Health((AccountHealth("bot", connected=False, ready=True, heard_seconds_ago=12.5),)).as_json()
    assert shown == made


def test_the_events_of_the_log_are_said_somewhere() -> None:
    code = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "timbot" / "runtime").rglob("*.py"))
    for row in rows("Logs"):
        for event in re.findall(r"`([^`]+)`", row[0]):
            assert f'"{event}"' in code, event
