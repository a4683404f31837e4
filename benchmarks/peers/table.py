"""The results as one table: a line for each framework and configuration, a column for each case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

Facts = Mapping[str, Any]

HEADINGS: Final = {
    "dialogue": "two quick answers",
    "slow": "one slow handler",
    "flood": "flood of 20,000",
    "stop": "SIGTERM, handlers running",
    "inbox": "kill -9, inbox of 100",
}


def cell(case: str, facts: Facts) -> str:
    """One result in a few words."""
    if "failed" in facts:
        return f"not measured: {facts['failed']}"
    return _CELLS[case](facts)


def render(rows: Mapping[str, Mapping[str, Facts]]) -> str:
    """The table in Markdown."""
    lines = ["| | " + " | ".join(HEADINGS.values()) + " |", "|---" * (len(HEADINGS) + 1) + "|"]
    for name, cases in rows.items():
        cells = [cell(case, cases[case]) if case in cases else "" for case in HEADINGS]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _dialogue(facts: Facts) -> str:
    total = facts["dialogues"]
    words = {
        "right": "right",
        "lost": "second answer lost",
        "wrong_step": "second answer taken by the first step",
        "no_dialogue": "no dialogue",
    }
    return "; ".join(f"{facts[key]} of {total} {text}" for key, text in words.items() if facts.get(key))


def _slow(facts: Facts) -> str:
    wait = facts["longest_wait"]
    text = "others: no answer" if wait is None else f"others wait {wait * 1000:.0f} ms"
    order = facts["order"]
    own = "own order kept" if order == sorted(order) else f"own order lost ({', '.join(order)})"
    return f"{text}; {own}" + (f", {3 - len(order)} of 3 dropped" if len(order) < 3 else "")


def _flood(facts: Facts) -> str:
    read = f", {facts['read']:,} read" if "read" in facts else ""
    text = f"{facts['answered']:,} answered in {facts['seconds']:.0f} s{read}; {facts['tasks']:,} tasks"
    memory = f"+{facts['megabytes']:.0f} MB" + (" with the server's" if facts.get("with_server") else "")
    late = f", transport {facts['late']:.1f} s" if "late" in facts else ""
    return f"{text}, {memory}; loop late {facts['stalled']:.1f} s{late}"


def _stop(facts: Facts) -> str:
    end = "does not end" if facts["exit_code"] is None else f"ends in {facts['exit_seconds']} s"
    mute = facts.get("ended", 0) - facts["answered_before"]
    ran = f" ({mute} more ran to their end, but could not send)" if mute > 0 else ""
    return f"{facts['answered_before']} of {facts['messages']} answered{ran}, {end}; {_after(facts)}"


def _inbox(facts: Facts) -> str:
    return f"{facts['acknowledged']} acknowledged; {_after(facts)}"


def _after(facts: Facts) -> str:
    text = f"after restart {facts['answered_after_restart']}, **lost {facts['lost']}**"
    return text + (f", twice {facts['answered_twice']}" if facts["answered_twice"] else "")


_CELLS: Final[dict[str, Callable[[Facts], str]]] = {
    "dialogue": _dialogue,
    "slow": _slow,
    "flood": _flood,
    "stop": _stop,
    "inbox": _inbox,
}
