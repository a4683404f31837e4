"""What a run has shown: for a person, and for a machine."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.chaos.killer import Death
from tests.chaos.plan import Place
from tests.chaos.soak import Run
from tests.chaos.verdict import Fault, Finding

SHOWN: Final = 3
"""Findings of each kind that are told with their surroundings; the JSON has 500."""

BEFORE, AFTER = 3.0, 25.0
"""Seconds of the bot's log around a message: a second look at the history comes 15 s after the first."""

MOST_LINES: Final = 10

WIDEST: Final = 200
"""Characters of a line of the log."""


def command(run: Run) -> str:
    """What to type to have the same plan again."""
    options = run.options
    parts = [f"--{name.replace('_', '-')} {getattr(options, name)}" for name in _REPEATED]
    return " ".join(["python -m tests.chaos", *parts, *(f"--inject {kind}" for kind in options.injections)])


_REPEATED: Final = ("seed", "bot", "conversations", "messages", "kills", "rate", "seats", "unacked", "dedupe", "history_late")


def write_json(run: Run, file: Path) -> None:
    """Everything, for machines."""
    verdict = run.verdict
    told = {
        "clean": run.clean,
        "command": command(run),
        "options": dataclasses.asdict(run.options),
        "seconds": round(run.ended - run.began, 1),
        "counts": {
            "messages": verdict.said,
            "due": verdict.expected,
            "said": verdict.found,
            "effects": verdict.effects,
            "effects_repeated": verdict.effects_repeated,
            "said_later": run.said_later,
            "deaths": len(run.deaths),
            "lives": len(run.lives),
            "caught_up": [round(life.ready - life.started, 2) for life in run.lives if life.ready],
            **{fault.name.lower(): verdict.count(fault) for fault in Fault},
        },
        "stop_code": run.stop_code,
        "kills": [dataclasses.asdict(death) for death in run.deaths],
        "unexpected_ends": [dataclasses.asdict(life) for life in run.unexpected],
        "given_up": run.given_up,
        "injected": run.injected,
        "findings": [
            {**dataclasses.asdict(finding), "near": _near(run, finding), "log": _lines(run, finding)}
            for finding in verdict.findings[:500]
        ],
    }
    file.write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")


def show(run: Run, console: Console) -> None:
    """For a person."""
    verdict, options = run.verdict, run.options
    table = Table(title=f"{options.bot}, unacked {options.unacked}, dedupe {options.dedupe}, seed {options.seed}")
    for name, justify in (("what", "left"), ("how many", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for what, count in _counts(run):
        table.add_row(what, str(count))
    table.add_section()
    for fault in Fault:
        count = verdict.count(fault)
        table.add_row(fault.value, f"[bold red]{count}[/]" if count else "[green]0[/]")
    table.add_row("ends nobody wanted", f"[bold red]{len(run.unexpected)}[/]" if run.unexpected else "[green]0[/]")
    table.add_row("said after a clean stop and start", f"[bold red]{run.said_later}[/]" if run.said_later else "[green]0[/]")
    console.print(table)
    if run.deaths:
        console.print(_places(run))
    shown = [finding for fault in Fault for finding in [f for f in verdict.findings if f.fault is fault][:SHOWN]]
    for finding in shown:
        _tell(run, finding, console)
    if len(verdict.findings) > len(shown):
        console.print(f"... and {len(verdict.findings) - len(shown)} more: see report.json")
    for life in run.unexpected:
        console.print(f"[bold red]life {life.number} ended with {life.code}[/], which nobody wanted")
    if run.stop_code:
        console.print(f"[bold red]the clean stop ended with {run.stop_code}[/]")
    console.print("[bold green]clean[/]" if run.clean else "[bold red]broken[/]", f"({run.folder})")
    console.print(f"the same plan again: {command(run)}", soft_wrap=True, highlight=False)


def _counts(run: Run) -> list[tuple[str, object]]:
    verdict = run.verdict
    starts = sorted(life.ready - life.started for life in run.lives if life.ready)
    return [
        ("messages of people", verdict.said),
        ("replies due", verdict.expected),
        ("replies found", verdict.found),
        ("effects", verdict.effects),
        ("effects repeated after a death, same key", verdict.effects_repeated),
        ("kills", len(run.deaths)),
        ("lives", len(run.lives)),
        ("injected", len(run.injected)),
        (
            "from start to caught up, median and most, seconds",
            f"{starts[len(starts) // 2]:.1f}, {starts[-1]:.1f}" if starts else "-",
        ),
        ("seconds", f"{run.ended - run.began:.0f}"),
    ]


def _places(run: Run) -> Table:
    table = Table(title="where it died")
    for name in ("place", "kills", "not reached", "findings within 30 s"):
        table.add_column(name, justify="left" if name == "place" else "right")
    blamed = Counter(death.kill.place for finding in run.verdict.findings if (death := _nearest(run, finding)) is not None)
    for place in Place:
        deaths = [death for death in run.deaths if death.kill.place is place]
        if deaths:
            table.add_row(place.value, str(len(deaths)), str(sum(not death.hit for death in deaths)), str(blamed[place]))
    return table


def _tell(run: Run, finding: Finding, console: Console) -> None:
    what = f"[bold red]{finding.fault.value}[/]: '{finding.text}' in {finding.conversation}"
    when = f"{datetime.fromtimestamp(finding.time):%H:%M:%S}" if finding.time else "never"
    console.print(f"{what} {finding.detail} (message {finding.id or '-'} of {when})", highlight=False)
    if near := _near(run, finding):
        console.print(f"  near {near}", highlight=False, markup=False)
    for line in _lines(run, finding):
        console.print(f"    {_short(line)[:WIDEST]}", highlight=False, markup=False, soft_wrap=True)


def _nearest(run: Run, finding: Finding) -> Death | None:
    near = [death for death in run.deaths if -30.0 < death.time - finding.time < 30.0]
    return min(near, key=lambda death: abs(death.time - finding.time - 0.5), default=None)


def _near(run: Run, finding: Finding) -> str:
    death = _nearest(run, finding)
    if death is None:
        return ""
    return f"kill {death.kill.number} '{death.kill.place}' of life {death.life}, {death.time - finding.time:+.1f} s"


def _lines(run: Run, finding: Finding) -> list[str]:
    """Lines of the bot's log about the conversation, and about lives and deaths, around the message."""
    found: list[tuple[float, str]] = []
    for time, line in _log(run.folder / "bot.log"):
        if finding.time - BEFORE <= time <= finding.time + AFTER and (
            f'"{finding.conversation}"' in line or '"level": "harness"' in line or '"event": "ready"' in line
        ):
            found.append((time, line))
    nearest = sorted(found, key=lambda each: abs(each[0] - finding.time))[:MOST_LINES]
    return [line for _, line in sorted(nearest)]


def _short(line: str) -> str:
    """A line of the bot's log for people: the moment, what happened, and the rest."""
    try:
        told = json.loads(line)
    except ValueError:
        return line
    moment, event = told.pop("timestamp", "")[11:23], told.pop("event", "")
    rest = " ".join(f"{name}={value}" for name, value in told.items() if name not in ("level", "account", "conversation"))
    return f"{moment} {event}  {rest}".replace("\n", " ")


@functools.cache
def _log(file: Path) -> list[tuple[float, str]]:
    """The lines of a log, each with its time, Unix seconds; what has none belongs to the line before."""
    lines: list[tuple[float, str]] = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        stamp = line.partition('"timestamp": "')[2].partition('"')[0]
        try:
            at = datetime.fromisoformat(stamp).timestamp()
        except ValueError:
            at = lines[-1][0] if lines else 0.0
        lines.append((at, line))
    return lines
