"""`python -m benchmarks.peers [NAME ...]`: run the five cases, print the table, write results.json beside this file."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from benchmarks.peers import endings
from benchmarks.peers.environment import ROOT, prepare, versions
from benchmarks.peers.table import HEADINGS, cell, render

CONFIGURATIONS: Final = {
    "telegram": ("default", "concurrent_updates", "lock per chat"),
    "aiogram": ("default", "SimpleEventIsolation, tasks_concurrency_limit=256", "handle_as_tasks=False"),
    "nonebot": ("default", "single_session"),
    "discord": ("default", "max_concurrency, close on SIGTERM"),
    "bolt": ("default", "process_before_response, close on SIGTERM"),
}
TITLES: Final = {
    "telegram": "python-telegram-bot",
    "aiogram": "aiogram",
    "nonebot": "NoneBot2",
    "discord": "discord.py",
    "bolt": "Bolt",
}
ALL: Final = [*CONFIGURATIONS, "timbot"]
ENDINGS: Final = {"stop": endings.stop, "inbox": endings.kill}
LIMIT: Final = 90
"""Seconds one case may take inside a process."""


def main(names: list[str]) -> None:
    """Run everything, or the frameworks named (`timbot` is one of them)."""
    python = prepare()
    chosen = names or ALL
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    for name in chosen:
        for config in CONFIGURATIONS.get(name, ("default",)):
            row = rows[title(name, config)] = {}
            for case in HEADINGS:
                row[case] = ours(case) if name == "timbot" else measure(str(python), name, config, case)
                print(f"{name}, {config}: {HEADINGS[case]}: {cell(case, row[case])}", file=sys.stderr)
    about = {
        "date": datetime.now(timezone.utc).isoformat(timespec="minutes"),  # noqa: UP017 - the peers' Python may be older
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "versions": versions(),
    }
    report(about, rows)


def title(name: str, config: str) -> str:
    """How a row is called."""
    return f"{TITLES.get(name, name)}, {config}"


def measure(python: str, name: str, config: str, case: str) -> dict[str, Any]:
    """One framework in one case."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "far_end.jsonl"

        def command(scenario: str) -> list[str]:
            return [python, "-m", "benchmarks.peers.child", name, config, scenario, str(file)]

        if case in ENDINGS:
            return dict(ENDINGS[case](command, file))
        return _last_line(command(case)[:-1])


def ours(case: str) -> dict[str, Any]:
    """timbot in one case, in the project's own environment."""
    return _last_line([sys.executable, "-m", "benchmarks.peers.timbot_runner", case])


def report(about: Mapping[str, Any], rows: dict[str, dict[str, dict[str, Any]]]) -> None:
    """Print the table and write the figures. Where only some frameworks were run, the other rows stay as they were."""
    results = Path(__file__).with_name("results.json")
    if results.exists():
        rows = json.loads(results.read_text())["rows"] | rows
    order = [title(name, config) for name in ALL for config in CONFIGURATIONS.get(name, ("default",))]
    rows = {row: rows[row] for row in order if row in rows}
    results.write_text(json.dumps({"about": about, "rows": rows}, indent=2) + "\n")
    print(f"{about['date']}, Python {about['python']}, {about['cores']} cores, load {about['load']:.1f}")
    print(", ".join(f"{name} {version}" for name, version in about["versions"].items()) + "\n")
    print(render(rows))


def _last_line(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        return {"failed": (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]}
    facts: dict[str, Any] = json.loads(lines[-1])
    return facts


if __name__ == "__main__":
    os.chdir(ROOT)
    main(sys.argv[1:])
