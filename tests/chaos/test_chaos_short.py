"""The short form of the soak: a bot that is killed a few times, and has to be clean nevertheless."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.plan import Options
from tests.chaos.report import write_json
from tests.chaos.soak import soak

SEED = 2863
"""Its four kills fall between an effect and its record, an answer and its record, an intent and its answer, and a push and
its ack."""

pytestmark = [pytest.mark.judge, pytest.mark.timeout(150)]


async def test_a_killed_bot_loses_doubles_and_disorders_nothing(tmp_path: Path) -> None:
    options = Options(
        seed=SEED, conversations=15, messages=160, kills=4, rate=25.0, seats=2, unacked="forget", patience=25.0, linger=2.0
    )
    run = await soak(options, tmp_path)
    write_json(run, tmp_path / "report.json")
    wrong = [(finding.fault.value, finding.text, finding.detail) for finding in run.verdict.findings]
    assert not wrong, f"see {tmp_path}/report.json"
    assert run.clean, f"ends nobody wanted: {run.unexpected}, stop {run.stop_code}, said later: {run.said_later}"
