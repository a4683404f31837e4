"""The examples of `docs/schedule.md` are run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "schedule.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_a_block_runs(block: str, tmp_path: Path) -> None:
    source = tmp_path / "block.py"
    source.write_text(block, encoding="utf-8")
    exec(compile(block, str(source), "exec"), {"__name__": "block"})


def test_there_are_blocks() -> None:
    assert len(BLOCKS) == 2
