"""The harness on trial: it finds nothing where nothing is wrong, and what is wrong where something is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.plan import Options
from tests.chaos.report import write_json
from tests.chaos.soak import Run, soak
from tests.chaos.verdict import Fault

pytestmark = [pytest.mark.judge, pytest.mark.timeout(180)]


def told(run: Run) -> str:
    """What pytest shows of a run that is not as expected; the whole of it is in its folder."""
    write_json(run, run.folder / "report.json")
    return f"see {run.folder}/report.json: {[(f.fault.value, f.text) for f in run.verdict.findings[:20]]}"


async def test_a_bot_that_nobody_kills_is_clean(tmp_path: Path) -> None:
    options = Options(bot="rehearsal", conversations=10, messages=100, kills=0, rate=25.0, seats=2, patience=15.0, linger=0.5)
    run = await soak(options, tmp_path)
    assert run.clean, told(run)
    assert run.verdict.said == 100
    assert run.verdict.effects > 10


async def test_a_bot_that_remembers_nothing_is_convicted(tmp_path: Path) -> None:
    options = Options(
        bot="echo",
        conversations=10,
        messages=200,
        kills=2,
        rate=40.0,
        seats=0,
        patience=1.0,
        linger=0.5,
        injections=("doubled", "reordered"),
    )
    run = await soak(options, tmp_path)
    assert not run.clean
    assert {Fault.LOST, Fault.DOUBLED, Fault.DISORDERED} <= {finding.fault for finding in run.verdict.findings}
    assert all(death.hit for death in run.deaths), told(run)
